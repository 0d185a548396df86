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

CREATE FUNCTION sla.truncated() RETURNS trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'slapolicy_truncated';
COMMENT ON FUNCTION sla.truncated() IS 'Trigger AFTER TRUNCATE of attached tables, created by sla.attach: records the tickets as deleted. Does nothing on a table that is not attached.';

CREATE FUNCTION sla.register_attachment(
    ticket_table regclass,
    policy text,
    roles jsonb,
    severity_map jsonb,
    options jsonb,
    on_error text)
    RETURNS int
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'slapolicy_register_attachment';
COMMENT ON FUNCTION sla.register_attachment(regclass, text, jsonb, jsonb, jsonb, text) IS 'The last step of sla.attach: writes the row of sla.attachment and returns its id. Only for the owner of the table (42501); raises 42710 when it is attached already.';

CREATE FUNCTION sla.unregister_attachment(ticket_table regclass) RETURNS boolean
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'slapolicy_unregister_attachment';
COMMENT ON FUNCTION sla.unregister_attachment(regclass) IS 'The first step of sla.detach: ends the record, cancelling the running clocks of the table''s tickets. False when it is not attached. Only for the owner of the table (42501).';

CREATE FUNCTION sla.stamped_columns(
    ticket_table regclass,
    roles jsonb,
    columns jsonb,
    timestamps_in text)
    RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    role text;
    column_name text;
BEGIN
    FOREACH role IN ARRAY '{response_due,reply_due,update_due,resolution_due}'::text[] LOOP
        column_name := columns ->> role;
        CONTINUE WHEN column_name IS NULL;
        IF EXISTS (SELECT FROM jsonb_path_query(roles, 'strict $.*') r WHERE r ? column_name) THEN
            RAISE EXCEPTION 'column "%" cannot be % and something else', column_name, role
                USING ERRCODE = 'invalid_parameter_value',
                    HINT = 'Due times are written by triggers and need a column of their own.';
        END IF;
        IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = ticket_table
            AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped)
        THEN
            IF (SELECT c.relispartition FROM pg_class c WHERE c.oid = ticket_table) THEN
                RAISE EXCEPTION 'partition % has no column "%" for %', ticket_table, column_name, role
                    USING ERRCODE = 'undefined_column',
                        HINT = 'Add it to the partitioned table, attach that one instead, or keep no due times: stamp => false.';
            END IF;
            EXECUTE format('ALTER TABLE %s ADD COLUMN %I timestamptz', ticket_table, column_name);
        END IF;
        PERFORM sla.check_role_column(ticket_table, role, column_name, timestamps_in);
        roles := roles || jsonb_build_object(role, column_name);
    END LOOP;
    RETURN roles;
END
$$;
COMMENT ON FUNCTION sla.stamped_columns(regclass, jsonb, jsonb, text) IS 'Internal, a step of sla.attach: adds the columns for due times that are missing, as the caller, and returns the roles with them. Raises 22023 when one has another role, 428C9 and 42804 when it does not fit.';

CREATE FUNCTION sla.create_attachment_triggers(ticket_table regclass, stamp boolean, on_replica boolean)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    trigger_name text;
BEGIN
    PERFORM sla.drop_triggers(ticket_table, '{sla.stamp,sla.record,sla.truncated}');
    -- by name, one after every other BEFORE trigger, the others before every other AFTER trigger
    IF stamp THEN
        EXECUTE format('CREATE TRIGGER "~sla_stamp" BEFORE INSERT OR UPDATE ON %s'
            ' FOR EACH ROW EXECUTE FUNCTION sla.stamp()', ticket_table);
    END IF;
    EXECUTE format('CREATE TRIGGER "!sla_record" AFTER INSERT OR UPDATE OR DELETE ON %s'
        ' FOR EACH ROW EXECUTE FUNCTION sla.record()', ticket_table);
    EXECUTE format('CREATE TRIGGER "!sla_truncated" AFTER TRUNCATE ON %s'
        ' FOR EACH STATEMENT EXECUTE FUNCTION sla.truncated()', ticket_table);
    IF on_replica THEN
        FOR trigger_name IN SELECT t.tgname FROM pg_trigger t
            WHERE t.tgrelid = ticket_table AND t.tgname IN ('~sla_stamp', '!sla_record', '!sla_truncated')
        LOOP
            EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', ticket_table, trigger_name);
        END LOOP;
    END IF;
END
$$;
COMMENT ON FUNCTION sla.create_attachment_triggers(regclass, boolean, boolean) IS 'Internal, a step of sla.attach: the triggers of an attached table, created as the caller, in place of those that a dump of the table alone has brought.';

CREATE FUNCTION sla.attach(
    ticket_table regclass,
    policy text DEFAULT NULL,
    severity text DEFAULT NULL,
    received_at text DEFAULT NULL,
    responded_at text DEFAULT NULL,
    resolved_at text DEFAULT NULL,
    changed_at text DEFAULT NULL,
    key text[] DEFAULT NULL,
    severity_map jsonb DEFAULT NULL,
    stamp boolean DEFAULT true,
    response_due text DEFAULT 'sla_response_due',
    resolution_due text DEFAULT 'sla_resolution_due',
    on_error text DEFAULT 'record',
    last_update_at text DEFAULT NULL,
    customer_reply_at text DEFAULT NULL,
    status text DEFAULT NULL,
    paused_when text[] DEFAULT NULL,
    resolved_when text[] DEFAULT NULL,
    cancelled_when text[] DEFAULT NULL,
    account text DEFAULT NULL,
    service text DEFAULT NULL,
    product text DEFAULT NULL,
    team text DEFAULT NULL,
    assignee text DEFAULT NULL,
    labels text[] DEFAULT NULL,
    channel text DEFAULT NULL,
    investigated_at text DEFAULT NULL,
    exempt text DEFAULT NULL,
    policy_column text DEFAULT NULL,
    severity_default text DEFAULT NULL,
    timestamps_in text DEFAULT NULL,
    not_set timestamptz DEFAULT NULL,
    reply_due text DEFAULT 'sla_reply_due',
    update_due text DEFAULT 'sla_update_due',
    on_replica boolean DEFAULT false,
    record_rows boolean DEFAULT true)
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    roles jsonb;
    options jsonb;
    role text;
    column_name text;
BEGIN
    PERFORM sla.check_attachable(ticket_table);
    IF received_at IS NULL THEN
        RAISE EXCEPTION 'received_at must not be null'
            USING ERRCODE = 'null_value_not_allowed',
                HINT = 'Name the column that tells when a ticket was received.';
    ELSIF severity IS NULL AND severity_default IS NULL THEN
        RAISE EXCEPTION 'severity and severity_default must not both be null'
            USING ERRCODE = 'null_value_not_allowed',
                HINT = 'Name the column that tells how severe a ticket is, or the severity that all have.';
    ELSIF policy IS NULL AND policy_column IS NULL AND account IS NULL THEN
        RAISE EXCEPTION 'policy, policy_column and account must not all be null'
            USING ERRCODE = 'null_value_not_allowed',
                HINT = 'Name a policy, the column that names it, or the column that names the account whose contract tells it.';
    ELSIF policy IS NOT NULL AND NOT EXISTS (SELECT FROM sla.policy p WHERE p.name = attach.policy) THEN
        RAISE EXCEPTION 'policy "%" does not exist', policy
            USING ERRCODE = 'undefined_object',
                HINT = coalesce('Policies are: ' || (SELECT string_agg(p.name, ', ' ORDER BY p.name) FROM sla.policy p) || '.',
                    'Load one first: SELECT sla.load_policy(...).');
    ELSIF on_error IS NULL OR on_error NOT IN ('record', 'reject') THEN
        RAISE EXCEPTION 'on_error cannot be %', coalesce(quote_literal(on_error), 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'It is ''record'' or ''reject''.';
    END IF;

    key := sla.ticket_key_columns(ticket_table, key);
    roles := jsonb_strip_nulls(jsonb_build_object(
        'severity', severity, 'received_at', received_at, 'responded_at', responded_at,
        'last_update_at', last_update_at, 'customer_reply_at', customer_reply_at, 'resolved_at', resolved_at,
        'status', status, 'changed_at', changed_at, 'account', account, 'service', service, 'product', product,
        'team', team, 'assignee', assignee, 'channel', channel, 'investigated_at', investigated_at,
        'exempt', exempt, 'policy', policy_column));
    FOR role, column_name IN
        SELECT r.key, r.value FROM jsonb_each_text(roles) r
        UNION ALL SELECT 'key', k.name FROM unnest(attach.key) k(name)
        UNION ALL SELECT 'a label', l.name FROM unnest(attach.labels) l(name)
    LOOP
        PERFORM sla.check_role_column(ticket_table, role, column_name, timestamps_in);
        PERFORM sla.warn_of_spellings(ticket_table, role, column_name);
    END LOOP;
    PERFORM sla.check_role_overlaps(roles);
    roles := roles || jsonb_build_object('key', key);
    IF labels <> '{}' THEN
        roles := roles || jsonb_build_object('labels', (SELECT jsonb_agg(DISTINCT l.name) FROM unnest(attach.labels) l(name)));
    END IF;
    severity_map := sla.canonical_severity_map(ticket_table, severity, severity_map);
    options := sla.canonical_options(ticket_table, status, paused_when, resolved_when, cancelled_when, severity_default, timestamps_in, not_set);

    IF stamp THEN
        roles := sla.stamped_columns(ticket_table, roles, jsonb_strip_nulls(jsonb_build_object(
            'response_due', response_due, 'reply_due', reply_due, 'update_due', update_due, 'resolution_due', resolution_due)), timestamps_in);
    END IF;
    PERFORM sla.register_attachment(ticket_table, policy, roles, severity_map, options, on_error);
    PERFORM sla.create_attachment_triggers(ticket_table, stamp, on_replica);
    RETURN CASE WHEN record_rows THEN sla.record_rows(ticket_table) ELSE 0 END;
END
$$;
COMMENT ON FUNCTION sla.attach(regclass, text, text, text, text, text, text, text[], jsonb, boolean, text, text, text, text, text, text, text[], text[], text[], text, text, text, text, text, text[], text, text, text, text, text, text, timestamptz, text, text, boolean, boolean) IS 'Puts the rows of an existing table under a policy and returns how many rows it has recorded. The policy is the one named, or that named by policy_column, or that of the contract of the account. Arguments name columns: severity (severity_map maps its texts to severities, severity_default is what NULL means), received_at, responded_at, last_update_at, customer_reply_at, resolved_at, investigated_at, changed_at (when a row came to say what it says; the statement''s time if not given), status (with paused_when, resolved_when and cancelled_when, lists of its texts), account, service, product, team, assignee, labels, channel, exempt (the reason why no promise applies), key (the primary key if not given). timestamps_in is the time zone of timestamp columns, not_set an instant that means NULL. With stamp, due times are kept in the columns response_due, reply_due, update_due and resolution_due, added if missing; NULL for one: not kept. on_error: record lets rows in that no policy covers, and the ledger says why; reject makes them errors (23514). on_replica: triggers fire for replicated rows as well. Without record_rows the rows there are wait for sla.restamp. Only for the owner of the table (42501). Wrong columns raise 42703, 42804, 428C9, other wrong arguments 22004 and 22023; a table without key 55000; an unknown policy 42704; one attached already 42710; nothing is changed then.';

-- By what they call: IF EXISTS would tell of those that were never there, and
-- under their names there may be somebody else's.
CREATE FUNCTION sla.drop_triggers(attached regclass, functions regproc[]) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    trigger_name name;
    dropped boolean := false;
BEGIN
    FOR trigger_name IN
        SELECT t.tgname FROM pg_trigger t
        WHERE t.tgrelid = attached AND t.tgfoid = ANY (functions) AND t.tgparentid = 0
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, attached);
        dropped := true;
    END LOOP;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION sla.drop_triggers(regclass, regproc[]) IS 'Internal: drops the triggers of a table that call one of these functions, under whatever name. Were there any?';

CREATE FUNCTION sla.detach(ticket_table regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    was_attached constant boolean := sla.unregister_attachment(ticket_table);
BEGIN
    IF NOT sla.drop_triggers(ticket_table, '{sla.stamp,sla.record,sla.truncated}') AND NOT was_attached THEN
        RAISE EXCEPTION 'table "%" is not attached', (SELECT c.relname FROM pg_class c WHERE c.oid = ticket_table)
            USING ERRCODE = 'undefined_object';
    END IF;
END
$$;
COMMENT ON FUNCTION sla.detach(regclass) IS 'Undoes sla.attach: removes the triggers and cancels the running clocks of the table''s tickets. The ledger keeps what it has; columns with due times stay. Attaching the table again continues the record; the time in between does not count. Of a table that has the triggers and is not attached, as when it was dumped without the rest of the database, it removes the triggers. Only for the owner of the table (42501); raises 42704 when there is nothing to undo.';

-- Attachments tell columns of tables, not tickets: attaching must see them.
GRANT SELECT ON sla.attachment TO PUBLIC;
