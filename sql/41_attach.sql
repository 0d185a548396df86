-- Attaching ticket tables. What needs the caller's rights on the table (columns,
-- triggers) happens here, as the caller; the ledger is written by the C
-- functions, which check that the caller owns the table.

CREATE FUNCTION sla.stamp() RETURNS trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'slapolicy_stamp';
COMMENT ON FUNCTION sla.stamp() IS 'Trigger BEFORE INSERT OR UPDATE of attached tables, created by sla.attach: writes due times into the row. Does nothing on a table that is not attached.';

CREATE FUNCTION sla.record() RETURNS trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'slapolicy_record';
COMMENT ON FUNCTION sla.record() IS 'Trigger AFTER INSERT OR UPDATE OR DELETE of attached tables, created by sla.attach: records events and clocks. Warns on a table that is not attached.';

CREATE FUNCTION sla.register_attachment(
    ticket_table regclass,
    policy text,
    roles jsonb,
    severity_map jsonb,
    on_error text)
    RETURNS int
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'slapolicy_register_attachment';
COMMENT ON FUNCTION sla.register_attachment(regclass, text, jsonb, jsonb, text) IS 'The last step of sla.attach: writes the row of sla.attachment and returns its id. Only for the owner of the table (42501); raises 42710 when it is attached already.';

CREATE FUNCTION sla.unregister_attachment(ticket_table regclass) RETURNS void
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'slapolicy_unregister_attachment';
COMMENT ON FUNCTION sla.unregister_attachment(regclass) IS 'The last step of sla.detach: ends the record, cancelling the running clocks of the table''s tickets. Only for the owner of the table (42501); raises 42704 when it is not attached.';

CREATE FUNCTION sla.restamp(ticket_table regclass) RETURNS bigint
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'slapolicy_restamp';
COMMENT ON FUNCTION sla.restamp(regclass) IS 'Records the rows an attached table has and writes their due times, firing no other trigger; returns how many rows it read. Rows recorded already stay as they are. Writers of the table wait until the transaction ends. Only for the owner of the table (42501).';

CREATE FUNCTION sla.check_role_column(
    ticket_table regclass,
    role text,
    column_name text)
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    att pg_attribute;
    typ pg_type;
BEGIN
    IF column_name IS NULL THEN
        RETURN;
    END IF;
    SELECT a.* INTO att FROM pg_attribute a
        WHERE a.attrelid = ticket_table AND a.attname = column_name
            AND a.attnum > 0 AND NOT a.attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'column "%" of table % does not exist', column_name, ticket_table
            USING ERRCODE = 'undefined_column',
                HINT = format('It was named as %s.', role);
    END IF;
    IF att.attgenerated <> '' THEN
        RAISE EXCEPTION 'column "%" of table % is generated and cannot be %', column_name, ticket_table, role
            USING ERRCODE = 'generated_always',
                HINT = 'A generated column has no value yet when triggers run; name a column it is generated from.';
    END IF;
    SELECT t.* INTO typ FROM pg_type t WHERE t.oid = att.atttypid;
    -- what is only read may be of a domain; what we write would evade its checks
    WHILE typ.typtype = 'd' AND role NOT IN ('response_due', 'resolution_due') LOOP
        SELECT t.* INTO typ FROM pg_type t WHERE t.oid = typ.typbasetype;
    END LOOP;
    IF role = 'severity' THEN
        IF typ.typtype <> 'e' AND typ.typcategory <> 'S' AND typ.oid NOT IN (
            'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'sla.severity'::regtype)
        THEN
            RAISE EXCEPTION 'column "%" of table % has type %, which cannot be severity', column_name, ticket_table, format_type(att.atttypid, att.atttypmod)
                USING ERRCODE = 'datatype_mismatch',
                    HINT = 'Text, integer and enum types and sla.severity can.';
        END IF;
    ELSIF role <> 'key' AND typ.oid <> 'timestamptz'::regtype THEN
        RAISE EXCEPTION 'column "%" of table % has type %, which cannot be %', column_name, ticket_table, format_type(att.atttypid, att.atttypmod), role
            USING ERRCODE = 'datatype_mismatch',
                HINT = 'It must be timestamp with time zone.';
    END IF;
END
$$;
COMMENT ON FUNCTION sla.check_role_column(regclass, text, text) IS 'A check of sla.attach: raises 42703 when the table has no such column, 428C9 when it is generated, 42804 when its type does not fit the role. NULL names are no columns and pass.';

CREATE FUNCTION sla.ticket_key_columns(ticket_table regclass, key text[])
    RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    found text[];
BEGIN
    SELECT array_agg(a.attname::text ORDER BY k.ord) INTO found
    FROM pg_index i
        CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, ord)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = ticket_table AND i.indisunique AND i.indisvalid AND i.indimmediate
        AND i.indpred IS NULL AND i.indexprs IS NULL
        AND k.ord <= i.indnkeyatts
        AND CASE WHEN key IS NULL THEN i.indisprimary ELSE true END
    GROUP BY i.indexrelid, i.indisprimary
    HAVING bool_and(a.attnotnull)
        AND (key IS NULL OR (array_agg(a.attname::text) @> key AND array_agg(a.attname::text) <@ key AND cardinality(key) = count(*)))
    ORDER BY i.indisprimary DESC
    LIMIT 1;
    IF found IS NULL AND key IS NULL THEN
        RAISE EXCEPTION 'table % has no primary key', ticket_table
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Add one that is not deferrable, or name columns that have a unique index and are NOT NULL: key => ARRAY[''...''].';
    ELSIF found IS NULL THEN
        RAISE EXCEPTION 'columns % of table % are no key', key, ticket_table
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'They need a unique index over just these columns, not deferrable, and NOT NULL.';
    END IF;
    RETURN coalesce(key, found);
END
$$;
COMMENT ON FUNCTION sla.ticket_key_columns(regclass, text[]) IS 'A check of sla.attach: the key columns to use, the primary key''s if NULL is given. Raises 55000 when they do not tell rows apart.';

CREATE FUNCTION sla.attach(
    ticket_table regclass,
    policy text,
    severity text,
    received_at text,
    responded_at text DEFAULT NULL,
    resolved_at text DEFAULT NULL,
    changed_at text DEFAULT NULL,
    key text[] DEFAULT NULL,
    severity_map jsonb DEFAULT NULL,
    stamp boolean DEFAULT true,
    response_due text DEFAULT 'sla_response_due',
    resolution_due text DEFAULT 'sla_resolution_due',
    on_error text DEFAULT 'record')
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    rel pg_class;
    roles jsonb;
    role text;
    column_name text;
    entry record;
BEGIN
    IF ticket_table IS NULL OR policy IS NULL OR severity IS NULL OR received_at IS NULL THEN
        RAISE EXCEPTION 'ticket_table, policy, severity and received_at must not be null'
            USING ERRCODE = 'null_value_not_allowed';
    END IF;
    SELECT c.* INTO rel FROM pg_class c WHERE c.oid = ticket_table;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table with OID % does not exist', ticket_table
            USING ERRCODE = 'undefined_table';
    END IF;
    IF rel.relkind NOT IN ('r', 'p') OR rel.relpersistence = 't'
        OR rel.relnamespace IN ('pg_catalog'::regnamespace, 'sla'::regnamespace)
    THEN
        RAISE EXCEPTION '% is no table that can be attached', ticket_table
            USING ERRCODE = 'wrong_object_type',
                HINT = 'Ordinary and partitioned tables can; views, foreign, temporary and system tables cannot.';
    END IF;
    IF NOT pg_has_role(rel.relowner, 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of table %', ticket_table
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF EXISTS (SELECT FROM sla.attachment a WHERE a.ticket_table = attach.ticket_table AND a.detached_at IS NULL) THEN
        RAISE EXCEPTION 'table % is attached already', ticket_table
            USING ERRCODE = 'duplicate_object',
                HINT = 'Call sla.detach first to attach it in another way.';
    END IF;
    IF NOT EXISTS (SELECT FROM sla.policy p WHERE p.name = attach.policy) THEN
        RAISE EXCEPTION 'policy "%" does not exist', policy
            USING ERRCODE = 'undefined_object',
                HINT = coalesce('Policies are: ' || (SELECT string_agg(p.name, ', ' ORDER BY p.name) FROM sla.policy p) || '.',
                    'Load one first: SELECT sla.load_policy(...).');
    END IF;
    IF on_error IS NULL OR on_error NOT IN ('record', 'reject') THEN
        RAISE EXCEPTION 'on_error cannot be %', coalesce(quote_literal(on_error), 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'It is ''record'' or ''reject''.';
    END IF;

    IF severity_map IS NOT NULL THEN
        IF jsonb_typeof(severity_map) <> 'object' THEN
            RAISE EXCEPTION 'severity_map is no JSON object'
                USING ERRCODE = 'invalid_parameter_value',
                    HINT = 'Map texts of the severity column to severities: {"urgent": "S1"}.';
        END IF;
        FOR entry IN SELECT m.key, m.value FROM jsonb_each_text(severity_map) m LOOP
            BEGIN
                PERFORM entry.value::sla.severity;
                IF entry.value IS NULL THEN
                    RAISE invalid_text_representation;
                END IF;
            EXCEPTION WHEN invalid_text_representation THEN
                RAISE EXCEPTION 'severity_map gives "%" for "%", which is no severity', entry.value, entry.key
                    USING ERRCODE = 'invalid_parameter_value',
                        HINT = 'Severities are S1 to S9.';
            END;
        END LOOP;
        -- one spelling in the record
        SELECT jsonb_object_agg(m.key, m.value::sla.severity::text) INTO severity_map
        FROM jsonb_each_text(attach.severity_map) m;
    END IF;

    key := sla.ticket_key_columns(ticket_table, key);
    roles := jsonb_strip_nulls(jsonb_build_object(
        'key', to_jsonb(key), 'severity', severity, 'received_at', received_at,
        'responded_at', responded_at, 'resolved_at', resolved_at, 'changed_at', changed_at));
    FOREACH column_name IN ARRAY key LOOP
        PERFORM sla.check_role_column(ticket_table, 'key', column_name);
    END LOOP;
    FOR role, column_name IN SELECT r.key, r.value FROM jsonb_each_text(roles - 'key') r LOOP
        PERFORM sla.check_role_column(ticket_table, role, column_name);
    END LOOP;

    IF stamp THEN
        FOR role, column_name IN
            VALUES ('response_due', response_due), ('resolution_due', resolution_due)
        LOOP
            CONTINUE WHEN column_name IS NULL;
            IF EXISTS (SELECT FROM jsonb_each_text(roles - 'key') r WHERE r.value = column_name)
                OR column_name = ANY (key)
            THEN
                RAISE EXCEPTION 'column "%" cannot be % and something else', column_name, role
                    USING ERRCODE = 'invalid_parameter_value',
                        HINT = 'Due times are written by triggers and need a column of their own.';
            END IF;
            IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = ticket_table
                AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped)
            THEN
                EXECUTE format('ALTER TABLE %s ADD COLUMN %I timestamptz', ticket_table, column_name);
            END IF;
            PERFORM sla.check_role_column(ticket_table, role, column_name);
            roles := roles || jsonb_build_object(role, column_name);
        END LOOP;
    END IF;

    PERFORM sla.register_attachment(ticket_table, policy, roles, severity_map, on_error);
    -- by name, one after every other BEFORE trigger, one before every other AFTER trigger
    IF stamp THEN
        EXECUTE format('CREATE TRIGGER "~sla_stamp" BEFORE INSERT OR UPDATE ON %s'
            ' FOR EACH ROW EXECUTE FUNCTION sla.stamp()', ticket_table);
    END IF;
    EXECUTE format('CREATE TRIGGER "!sla_record" AFTER INSERT OR UPDATE OR DELETE ON %s'
        ' FOR EACH ROW EXECUTE FUNCTION sla.record()', ticket_table);
    RETURN sla.restamp(ticket_table);
END
$$;
COMMENT ON FUNCTION sla.attach(regclass, text, text, text, text, text, text, text[], jsonb, boolean, text, text, text) IS 'Puts the rows of an existing table under a policy and returns how many rows it has recorded. Arguments name columns: severity (text, integer, enum, sla.severity), received_at, responded_at, resolved_at, changed_at (timestamptz: when a row came to say what it says; the statement''s time if not given), key (the primary key if not given). severity_map maps texts of the severity column to severities. With stamp, due times are kept in the columns response_due and resolution_due, added if missing; NULL for either: not kept. on_error: record lets rows in that no policy covers, and the ledger says why; reject makes them errors (23514). Only for the owner of the table (42501). Wrong columns raise 42703, 42804, 428C9; a table without key 55000; an unknown policy 42704; one attached already 42710; nothing is changed then.';

CREATE FUNCTION sla.detach(ticket_table regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM sla.unregister_attachment(ticket_table);
    EXECUTE format('DROP TRIGGER IF EXISTS "~sla_stamp" ON %s', ticket_table);
    EXECUTE format('DROP TRIGGER IF EXISTS "!sla_record" ON %s', ticket_table);
END
$$;
COMMENT ON FUNCTION sla.detach(regclass) IS 'Undoes sla.attach: removes the triggers and cancels the running clocks of the table''s tickets. The ledger keeps what it has; columns with due times stay. Attaching the table again continues the record; the time in between does not count. Only for the owner of the table (42501); raises 42704 when it is not attached.';

-- Attachments tell columns of tables, not tickets: attaching must see them.
GRANT SELECT ON sla.attachment TO PUBLIC;

