-- What sla.attach checks of its arguments: every mistake that can be told
-- from the catalog is told before anything is changed, with what would do.

CREATE FUNCTION sla.check_own_table(argument text, named regclass) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    rel pg_class;
BEGIN
    IF named IS NULL THEN
        RAISE EXCEPTION '% must not be null', argument
            USING ERRCODE = 'null_value_not_allowed';
    END IF;
    SELECT c.* INTO rel FROM pg_class c WHERE c.oid = named;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table with OID % does not exist', named
            USING ERRCODE = 'undefined_table';
    ELSIF rel.relkind NOT IN ('r', 'p') OR rel.relpersistence = 't'
        OR rel.relnamespace IN ('pg_catalog'::regnamespace, 'sla'::regnamespace)
    THEN
        RAISE EXCEPTION '% is no table that can be attached', named
            USING ERRCODE = 'wrong_object_type',
                HINT = 'Ordinary and partitioned tables can; views, foreign, temporary and system tables cannot.';
    ELSIF NOT pg_has_role(rel.relowner, 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of table %', named
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;
COMMENT ON FUNCTION sla.check_own_table(text, regclass) IS 'Internal, a check of all that attaches: raises 22004 and 42P01 for no table, 42809 for one that cannot be attached, 42501 for one that the caller does not own.';

CREATE FUNCTION sla.check_attachable(ticket_table regclass) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    other regclass;
BEGIN
    PERFORM sla.check_own_table('ticket_table', ticket_table);
    IF EXISTS (SELECT FROM sla.attachment a WHERE a.ticket_table = check_attachable.ticket_table AND a.detached_at IS NULL) THEN
        RAISE EXCEPTION 'table % is attached already', ticket_table
            USING ERRCODE = 'duplicate_object',
                HINT = 'Call sla.detach first to attach it in another way.';
    END IF;
    SELECT a.ticket_table INTO other FROM sla.attachment a
        JOIN pg_partition_ancestors(check_attachable.ticket_table) p ON p.relid = a.ticket_table
        WHERE a.detached_at IS NULL;
    IF FOUND THEN
        RAISE EXCEPTION 'table % is a partition of table %, which is attached', ticket_table, other
            USING ERRCODE = 'duplicate_object',
                HINT = 'Its rows are tickets already.';
    END IF;
    SELECT a.ticket_table INTO other FROM sla.attachment a
        JOIN pg_partition_tree(check_attachable.ticket_table) p ON p.relid = a.ticket_table
        WHERE a.detached_at IS NULL;
    IF FOUND THEN
        RAISE EXCEPTION 'partition % of table % is attached by itself', other, ticket_table
            USING ERRCODE = 'duplicate_object',
                HINT = 'Call sla.detach for it first.';
    END IF;
END
$$;
COMMENT ON FUNCTION sla.check_attachable(regclass) IS 'Internal, a check of sla.attach: raises 42809 for what is no table of tickets, 42501 for one that the caller does not own, 42710 for one whose rows are tickets already.';

CREATE FUNCTION sla.role_column_type(ticket_table regclass, column_name text)
    RETURNS regtype
    LANGUAGE sql STABLE STRICT
    SET search_path TO pg_catalog, pg_temp
AS $$
    WITH RECURSIVE base AS (
        SELECT t.oid, t.typtype, t.typbasetype
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        WHERE a.attrelid = ticket_table AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT t.oid, t.typtype, t.typbasetype
        FROM base b JOIN pg_type t ON t.oid = b.typbasetype
        WHERE b.typtype = 'd'
    )
    SELECT b.oid::regtype FROM base b WHERE b.typtype <> 'd'
$$;
COMMENT ON FUNCTION sla.role_column_type(regclass, text) IS 'Internal: the type of a column, that below of a domain; NULL when there is no such column.';

CREATE FUNCTION sla.check_role_column(
    ticket_table regclass,
    role text,
    column_name text,
    timestamps_in text)
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    stamped constant boolean := role IN ('response_due', 'reply_due', 'update_due', 'resolution_due');
    att pg_attribute;
    typ pg_type;
    accepted text;
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
    IF stamped AND att.attnotnull THEN
        RAISE EXCEPTION 'column "%" of table % is not null and cannot be %', column_name, ticket_table, role
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'A ticket without that promise, or one that is paused, has no due time; the column must allow NULL.';
    END IF;

    -- what is only read may be of a domain; what we write would evade its checks
    SELECT t.* INTO typ FROM pg_type t
        WHERE t.oid = CASE WHEN stamped THEN att.atttypid ELSE sla.role_column_type(ticket_table, column_name) END;
    IF stamped OR role LIKE '%\_at' THEN
        IF typ.oid = 'timestamptz'::regtype OR typ.oid = 'timestamp'::regtype AND timestamps_in IS NOT NULL THEN
            RETURN;
        END IF;
        accepted := CASE WHEN typ.oid = 'timestamp'::regtype
            THEN 'Say what zone its times are in, as in timestamps_in => ''UTC'', or make it timestamp with time zone.'
            ELSE 'It must be timestamp with time zone, or timestamp without time zone whose zone timestamps_in tells.' END;
    ELSIF role IN ('severity', 'status', 'channel') THEN
        IF typ.typtype = 'e' OR typ.typcategory = 'S' OR typ.oid IN (
            'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'bool'::regtype, 'sla.severity'::regtype)
        THEN
            RETURN;
        END IF;
        accepted := 'Text, integer, enum and boolean types and sla.severity can.';
    ELSIF role IN ('exempt', 'policy') THEN
        IF typ.typtype = 'e' OR typ.typcategory = 'S' THEN
            RETURN;
        END IF;
        accepted := 'Text and enum types can.';
    ELSE
        RETURN;
    END IF;
    RAISE EXCEPTION 'column "%" of table % has type %, which cannot be %', column_name, ticket_table, format_type(att.atttypid, att.atttypmod), role
        USING ERRCODE = 'datatype_mismatch', HINT = accepted;
END
$$;
COMMENT ON FUNCTION sla.check_role_column(regclass, text, text, text) IS 'Internal, a check of sla.attach: raises 42703 when the table has no such column, 428C9 when it is generated, 42804 when its type does not fit the role, 22023 when due times go to one that is NOT NULL. NULL names are no columns and pass.';

CREATE FUNCTION sla.warn_of_spellings(named_table regclass, role text, column_name text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    reason text;
BEGIN
    SELECT CASE
            WHEN t.typname = 'citext' THEN 'Its type is citext.'
            WHEN EXISTS (SELECT FROM pg_collation c WHERE c.oid = a.attcollation AND NOT c.collisdeterministic) THEN 'Its collation is not deterministic.'
            -- without digits after the point there is one spelling
            WHEN t.oid IN ('numeric'::regtype, 'float4'::regtype, 'float8'::regtype) AND format_type(a.atttypid, a.atttypmod) NOT LIKE '%,0)'
            THEN format('Its type is %s.', t.oid::regtype)
        END INTO reason
    FROM pg_attribute a JOIN pg_type t ON t.oid = sla.role_column_type(named_table, column_name)
    WHERE a.attrelid = named_table AND a.attname = column_name AND role IN ('account', 'service');
    IF reason IS NOT NULL THEN
        RAISE WARNING 'column "%" of table % can name one % in several spellings', column_name, named_table, role
            USING ERRCODE = '01000', DETAIL = reason,
                HINT = 'Names are compared byte by byte: "acme" and "ACME", or 42 and 42.0, are two. Write each in one spelling in all tables.';
    END IF;
END
$$;
COMMENT ON FUNCTION sla.warn_of_spellings(regclass, text, text) IS 'Internal, a check of sla.attach, sla.attach_invoices and sla.guard: warns of a column of accounts or services in which values are equal that do not have the same text.';

CREATE FUNCTION sla.check_role_overlaps(roles jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE STRICT
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    overlap record;
BEGIN
    SELECT a.role, b.role AS other, roles ->> a.role AS column_name, a.reason INTO overlap
    FROM (VALUES
            ('received_at', '{responded_at,resolved_at,changed_at,last_update_at,customer_reply_at,investigated_at}'::text[],
                'It would have happened to every ticket when it was received.'),
            ('customer_reply_at', '{responded_at,last_update_at}',
                'What the customer writes and what is written to him need a column each.'),
            ('severity', '{status}', 'Name another column, or leave status out.')
        ) a(role, others, reason)
        CROSS JOIN LATERAL unnest(a.others) WITH ORDINALITY b(role, ord)
    WHERE roles ->> a.role = roles ->> b.role
    ORDER BY a.role, b.ord
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'column "%" cannot be both % and %', overlap.column_name, overlap.role, overlap.other
            USING ERRCODE = 'invalid_parameter_value', HINT = overlap.reason;
    END IF;
END
$$;
COMMENT ON FUNCTION sla.check_role_overlaps(jsonb) IS 'Internal, a check of sla.attach: raises 22023 when one column has two roles that contradict each other.';

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
COMMENT ON FUNCTION sla.ticket_key_columns(regclass, text[]) IS 'Internal, a check of sla.attach: the key columns to use, the primary key''s if NULL is given. Raises 55000 when they do not tell rows apart.';

CREATE FUNCTION sla.column_text(ticket_table regclass, column_name text, value text, argument text)
    RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    type constant regtype := sla.role_column_type(ticket_table, column_name);
    typ pg_type;
    result text;
BEGIN
    SELECT t.* INTO typ FROM pg_type t WHERE t.oid = type;
    IF typ.typcategory = 'S' AND type <> 'sla.severity'::regtype THEN
        RETURN value;
    ELSIF typ.typtype = 'e' THEN
        IF EXISTS (SELECT FROM pg_enum e WHERE e.enumtypid = type AND e.enumlabel = value) THEN
            RETURN value;
        END IF;
    ELSIF typ.typnamespace NOT IN ('pg_catalog'::regnamespace, 'sla'::regnamespace) THEN
        -- not cast: casts and domains inside can be the work of the type's owner, and would run as the caller
        IF value IS NOT NULL THEN
            RETURN value;
        END IF;
    ELSIF value IS NOT NULL AND sla.input_problem(value, type) IS NULL THEN
        -- as the type prints it: of a boolean that is t or f
        EXECUTE format('SELECT format(''%%s'', CAST($1 AS %s))', type) INTO result USING value;
        RETURN result;
    END IF;
    RAISE EXCEPTION '% names %, which column "%" of table % cannot be', argument, coalesce(quote_literal(value), 'NULL'), column_name, ticket_table
        USING ERRCODE = 'invalid_parameter_value',
            HINT = coalesce('It can be ' || (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = type) || '.',
                format('Its type is %s.', type));
END
$$;
COMMENT ON FUNCTION sla.column_text(regclass, text, text, text) IS 'Internal, a check of sla.attach: a value of a column in the only spelling it has in rows; of a type that users have made, as it was given. Raises 22023 when the column cannot have it.';

CREATE FUNCTION sla.canonical_severity_map(ticket_table regclass, severity text, severity_map jsonb)
    RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    entry record;
    result jsonb := '{}';
BEGIN
    IF severity_map IS NULL THEN
        RETURN NULL;
    ELSIF severity IS NULL THEN
        RAISE EXCEPTION 'severity_map needs a column to map'
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Name it: severity => ''...''.';
    ELSIF jsonb_typeof(severity_map) <> 'object' THEN
        RAISE EXCEPTION 'severity_map is no JSON object'
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Map texts of the severity column to severities: {"urgent": "S1"}.';
    END IF;
    FOR entry IN SELECT m.key, m.value FROM jsonb_each_text(severity_map) m LOOP
        IF entry.value IS NULL OR sla.input_problem(entry.value, 'sla.severity') IS NOT NULL THEN
            RAISE EXCEPTION 'severity_map gives "%" for "%", which is no severity', entry.value, entry.key
                USING ERRCODE = 'invalid_parameter_value',
                    HINT = 'Severities are S1 to S9.';
        END IF;
        -- one spelling in the record
        result := result || jsonb_build_object(
            sla.column_text(ticket_table, severity, entry.key, 'severity_map'), entry.value::sla.severity::text);
    END LOOP;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sla.canonical_severity_map(regclass, text, jsonb) IS 'Internal, a check of sla.attach: the severity map as it is recorded. Raises 22023 when it is none.';

CREATE FUNCTION sla.canonical_status_list(ticket_table regclass, status text, argument text, texts text[])
    RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    IF texts IS NULL THEN
        RETURN NULL;
    ELSIF status IS NULL THEN
        RAISE EXCEPTION '% needs the column that says so', argument
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Name it: status => ''...''.';
    ELSIF cardinality(texts) = 0 OR array_position(texts, NULL) IS NOT NULL THEN
        RAISE EXCEPTION '% must list texts of column "%", and no NULL', argument, status
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Leave it out when nothing in the column says so.';
    END IF;
    RETURN (SELECT jsonb_agg(DISTINCT sla.column_text(ticket_table, status, t.value, argument)) FROM unnest(texts) t(value));
END
$$;
COMMENT ON FUNCTION sla.canonical_status_list(regclass, text, text, text[]) IS 'Internal, a check of sla.attach: paused_when, resolved_when or cancelled_when as it is recorded. Raises 22023 when it is none.';

CREATE FUNCTION sla.timestamps_zone(timestamps_in text) RETURNS text
    LANGUAGE plpgsql STABLE STRICT
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    IF sla.zone_name(timestamps_in) IS NULL THEN
        RAISE EXCEPTION 'time zone "%" of timestamps_in is not known to this server', timestamps_in
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'IANA names are: UTC, Europe/Berlin, ...; see the view pg_timezone_names.';
    END IF;
    RETURN sla.zone_name(timestamps_in);
END
$$;
COMMENT ON FUNCTION sla.timestamps_zone(text) IS 'Internal, a check of all that attaches: timestamps_in as it is recorded. Raises 22023 when it is no zone.';

CREATE FUNCTION sla.canonical_options(
    ticket_table regclass,
    status text,
    paused_when text[],
    resolved_when text[],
    cancelled_when text[],
    severity_default text,
    timestamps_in text,
    not_set timestamptz)
    RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    options jsonb;
    twice record;
BEGIN
    options := jsonb_strip_nulls(jsonb_build_object(
        'paused_when', sla.canonical_status_list(ticket_table, status, 'paused_when', paused_when),
        'resolved_when', sla.canonical_status_list(ticket_table, status, 'resolved_when', resolved_when),
        'cancelled_when', sla.canonical_status_list(ticket_table, status, 'cancelled_when', cancelled_when)));
    IF status IS NOT NULL AND options = '{}' THEN
        RAISE EXCEPTION 'nothing is said about column "%"', status
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Tell which texts mean what: paused_when, resolved_when, cancelled_when => ARRAY[''...''].';
    END IF;
    SELECT t.value, min(o.key) AS one, max(o.key) AS other INTO twice
    FROM jsonb_each(options) o CROSS JOIN LATERAL jsonb_array_elements_text(o.value) t(value)
    GROUP BY t.value
    HAVING count(*) > 1
    ORDER BY t.value
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% and % both list %', twice.one, twice.other, quote_literal(twice.value)
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'A ticket is in one state at a time.';
    END IF;

    IF severity_default IS NOT NULL THEN
        IF sla.input_problem(severity_default, 'sla.severity') IS NOT NULL THEN
            RAISE EXCEPTION 'severity_default is "%", which is no severity', severity_default
                USING ERRCODE = 'invalid_parameter_value',
                    HINT = 'Severities are S1 to S9.';
        END IF;
        options := options || jsonb_build_object('severity_default', severity_default::sla.severity::text);
    END IF;
    IF timestamps_in IS NOT NULL THEN
        options := options || jsonb_build_object('timestamps_in', sla.timestamps_zone(timestamps_in));
    END IF;
    IF not_set IS NOT NULL THEN
        IF NOT isfinite(not_set) THEN
            RAISE EXCEPTION 'not_set cannot be %', not_set
                USING ERRCODE = 'invalid_parameter_value',
                    HINT = 'An infinite time means nothing anyway; leave it out.';
        END IF;
        -- JSON has one way to write times; the era comes last
        options := options || jsonb_build_object('not_set',
            regexp_replace(to_jsonb(not_set AT TIME ZONE 'UTC') #>> '{}', '( BC)?$', '+00\1'));
    END IF;
    RETURN options;
END
$$;
COMMENT ON FUNCTION sla.canonical_options(regclass, text, text[], text[], text[], text, text, timestamptz) IS 'Internal, a check of sla.attach: what sla.attachment.options is to be. Raises 22023 when an argument is wrong.';
