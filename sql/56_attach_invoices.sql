-- Attaching tables of invoices.

CREATE FUNCTION sla.invoiced() RETURNS trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'slapolicy_invoiced';
COMMENT ON FUNCTION sla.invoiced() IS 'Trigger AFTER INSERT OR UPDATE OR DELETE of attached tables of invoices, created by sla.attach_invoices: records what their rows say. Warns on a table that is not attached.';

CREATE FUNCTION sla.invoices_truncated() RETURNS trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'slapolicy_invoices_truncated';
COMMENT ON FUNCTION sla.invoices_truncated() IS 'Trigger AFTER TRUNCATE of attached tables of invoices, created by sla.attach_invoices: records the invoices as deleted. Does nothing on a table that is not attached.';

CREATE FUNCTION sla.register_invoices(invoice_table regclass, policy text, roles jsonb, options jsonb, on_error text) RETURNS int
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'slapolicy_register_invoices';
COMMENT ON FUNCTION sla.register_invoices(regclass, text, jsonb, jsonb, text) IS 'The last step of sla.attach_invoices: writes the row of sla.invoice_attachment and returns its id. Only for the owner of the table (42501); raises 42710 when it is attached already.';

CREATE FUNCTION sla.unregister_invoices(invoice_table regclass) RETURNS boolean
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'slapolicy_unregister_invoices';
COMMENT ON FUNCTION sla.unregister_invoices(regclass) IS 'The first step of sla.detach_invoices. False when the table is not attached. Only for its owner (42501).';

CREATE FUNCTION sla.reconcile_invoices(invoice_table regclass) RETURNS bigint
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'slapolicy_record_invoices';
COMMENT ON FUNCTION sla.reconcile_invoices(regclass) IS 'Brings the ledger up to the invoices that an attached table has, and ends the record of those that are gone without a trigger saying so. Returns for how many invoices there was anything to record. Writers of the table wait until the transaction ends. Only for the owner of the table (42501); raises 42704 when it is not attached.';

CREATE FUNCTION sla.record_payment(invoice_table regclass, key text, amount numeric, at timestamptz DEFAULT statement_timestamp(),
        kind text DEFAULT 'payment', recorded_at timestamptz DEFAULT statement_timestamp()) RETURNS int
    LANGUAGE c VOLATILE STRICT
    AS 'MODULE_PATHNAME', 'slapolicy_record_payment';
COMMENT ON FUNCTION sla.record_payment(regclass, text, numeric, timestamptz, text, timestamptz) IS 'Records what was paid of an invoice, where its row does not tell: kind payment, credit (a credit note) or reversal (of either). The invoice is settled at the instant at which nothing is left. at is when it was paid, recorded_at when we learned of it; key is sla.invoice.key. Returns sla.invoice_event.seq. For whoever may update the table without row security (42501). Raises 22023 for an amount that is not positive or an unknown kind, or when at an instant more would be reversed than was paid by then, 22008 for a time that is infinite or after recorded_at, 42704 for an unknown invoice, 55000 when the table is not attached.';

CREATE FUNCTION sla.check_invoice_column(invoice_table regclass, role text, column_name text, timestamps_in text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    att pg_attribute;
    typ pg_type;
    accepted text;
BEGIN
    IF column_name IS NULL THEN
        RETURN;
    END IF;
    SELECT a.* INTO att FROM pg_attribute a
        WHERE a.attrelid = invoice_table AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'table % has no column "%"', invoice_table, column_name
            USING ERRCODE = 'undefined_column', HINT = format('It was named as %s.', role);
    ELSIF att.attgenerated = 'v' THEN
        RAISE EXCEPTION 'column "%" of table % is generated and cannot be %', column_name, invoice_table, role
            USING ERRCODE = 'generated_always', HINT = 'A virtual column has no value when triggers run; name a column it is generated from.';
    END IF;
    SELECT t.* INTO typ FROM pg_type t WHERE t.oid = sla.role_column_type(invoice_table, column_name);
    IF role IN ('due', 'settled_at', 'voided', 'disputed', 'changed_at', 'recorded_at') THEN
        IF typ.oid IN ('date'::regtype, 'timestamptz'::regtype) OR typ.oid = 'timestamp'::regtype AND timestamps_in IS NOT NULL
            OR typ.oid = 'bool'::regtype AND role IN ('voided', 'disputed')
        THEN
            RETURN;
        END IF;
        accepted := CASE WHEN typ.oid = 'timestamp'::regtype
            THEN 'Say what zone its times are in, as in timestamps_in => ''UTC'', or make it timestamp with time zone.'
            ELSE 'It must be a date, timestamp with time zone' || CASE WHEN role IN ('voided', 'disputed') THEN ', boolean' ELSE '' END
                || ', or timestamp without time zone whose zone timestamps_in tells.' END;
    ELSIF role IN ('amount', 'paid') THEN
        IF typ.oid IN ('numeric'::regtype, 'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'float4'::regtype, 'float8'::regtype) THEN
            RETURN;
        END IF;
        accepted := 'It must be a number; money depends on a setting.';
    ELSIF role = 'status' THEN
        IF typ.typtype = 'e' OR typ.typcategory = 'S' OR typ.oid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'bool'::regtype) THEN
            RETURN;
        END IF;
        accepted := 'Text, integer, enum and boolean types can.';
    ELSE
        RETURN;
    END IF;
    RAISE EXCEPTION 'column "%" of table % has type %, which cannot be %', column_name, invoice_table, format_type(att.atttypid, att.atttypmod), role
        USING ERRCODE = 'datatype_mismatch', HINT = accepted;
END
$$;
COMMENT ON FUNCTION sla.check_invoice_column(regclass, text, text, text) IS 'Internal, a check of sla.attach_invoices: raises 42703 when the table has no such column, 428C9 when it is virtual, 42804 when its type does not fit the role. NULL names are no columns and pass.';

CREATE FUNCTION sla.check_invoice_table(invoice_table regclass, policy text, on_error text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    other regclass;
BEGIN
    IF policy IS NULL AND invoice_table IS NOT NULL THEN
        RAISE EXCEPTION 'policy must not be null'
            USING ERRCODE = 'null_value_not_allowed';
    END IF;
    PERFORM sla.check_own_table('invoice_table', invoice_table);
    SELECT a.invoice_table INTO other FROM sla.invoice_attachment a
        WHERE a.detached_at IS NULL
          AND (a.invoice_table::oid IN (SELECT p.relid FROM pg_partition_ancestors(check_invoice_table.invoice_table) p)
               OR a.invoice_table::oid IN (SELECT p.relid FROM pg_partition_tree(check_invoice_table.invoice_table) p)
               OR a.invoice_table = check_invoice_table.invoice_table);
    IF FOUND THEN
        RAISE EXCEPTION '%', CASE WHEN other = invoice_table THEN format('table %s is attached already', invoice_table)
                ELSE format('table %s shares rows with table %s, which is attached', invoice_table, other) END
            USING ERRCODE = 'duplicate_object', HINT = 'Call sla.detach_invoices first to attach it in another way.';
    END IF;
    IF NOT EXISTS (SELECT FROM sla.policy_version v JOIN sla.restriction_rule r ON r.policy_version_id = v.id
                   WHERE v.policy = check_invoice_table.policy)
    THEN
        RAISE EXCEPTION '%', CASE WHEN EXISTS (SELECT FROM sla.policy p WHERE p.name = check_invoice_table.policy)
                THEN format('policy "%s" says nothing about unsettled bills', policy)
                ELSE format('policy "%s" does not exist', policy) END
            USING ERRCODE = 'undefined_object',
                HINT = coalesce('Policies that do are: ' || (SELECT string_agg(DISTINCT v.policy, ', ' ORDER BY v.policy)
                                                           FROM sla.policy_version v JOIN sla.restriction_rule r ON r.policy_version_id = v.id) || '.',
                                'None does. The document of a policy needs the member "restriction" for that.');
    ELSIF on_error IS NULL OR on_error NOT IN ('record', 'reject') THEN
        RAISE EXCEPTION 'on_error cannot be %', coalesce(quote_literal(on_error), 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is ''record'' or ''reject''.';
    END IF;
END
$$;
COMMENT ON FUNCTION sla.check_invoice_table(regclass, text, text) IS 'Internal, a check of sla.attach_invoices: raises 42809 for what is no table of invoices, 42501 for one that the caller does not own, 42710 for one whose rows are invoices already, 42704 for a policy without a rule about bills.';

CREATE FUNCTION sla.attach_invoices(
    invoice_table regclass,
    policy text,
    account text,
    due text,
    service text DEFAULT NULL,
    settled_at text DEFAULT NULL,
    amount text DEFAULT NULL,
    paid text DEFAULT NULL,
    voided text DEFAULT NULL,
    disputed text DEFAULT NULL,
    status text DEFAULT NULL,
    settled_when text[] DEFAULT NULL,
    voided_when text[] DEFAULT NULL,
    disputed_when text[] DEFAULT NULL,
    changed_at text DEFAULT NULL,
    recorded_at text DEFAULT NULL,
    key text[] DEFAULT NULL,
    timestamps_in text DEFAULT NULL,
    on_error text DEFAULT 'record')
    RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    roles jsonb;
    options jsonb;
BEGIN
    PERFORM sla.check_invoice_table(invoice_table, policy, on_error);
    IF account IS NULL OR due IS NULL THEN
        RAISE EXCEPTION '% must not be null', CASE WHEN account IS NULL THEN 'account' ELSE 'due' END
            USING ERRCODE = 'null_value_not_allowed',
                HINT = 'Name the columns that tell who has to pay an invoice, and until when.';
    ELSIF settled_at IS NULL AND settled_when IS NULL AND amount IS NULL THEN
        RAISE EXCEPTION 'nothing would tell that an invoice is settled'
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Name the column settled_at, a status with settled_when, or the amount, of which payments are then taken off.';
    END IF;
    timestamps_in := sla.timestamps_zone(timestamps_in);
    roles := jsonb_strip_nulls(jsonb_build_object('account', account, 'service', service, 'due', due, 'settled_at', settled_at,
        'amount', amount, 'paid', paid, 'voided', voided, 'disputed', disputed, 'status', status,
        'changed_at', changed_at, 'recorded_at', recorded_at));
    PERFORM sla.check_invoice_column(invoice_table, r.key, r.value, timestamps_in) FROM jsonb_each_text(roles) r;
    PERFORM sla.warn_of_spellings(invoice_table, r.key, r.value) FROM jsonb_each_text(roles) r;
    options := jsonb_strip_nulls(jsonb_build_object(
        'settled_when', sla.canonical_status_list(invoice_table, status, 'settled_when', settled_when),
        'voided_when', sla.canonical_status_list(invoice_table, status, 'voided_when', voided_when),
        'disputed_when', sla.canonical_status_list(invoice_table, status, 'disputed_when', disputed_when),
        'timestamps_in', timestamps_in));
    IF status IS NOT NULL AND options - 'timestamps_in' = '{}' THEN
        RAISE EXCEPTION 'nothing is said about column "%"', status
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Tell which texts mean what: settled_when, voided_when, disputed_when => ARRAY[''...''].';
    END IF;
    PERFORM sla.register_invoices(invoice_table, policy,
        roles || jsonb_build_object('key', sla.ticket_key_columns(invoice_table, key)), options, on_error);
    PERFORM sla.drop_triggers(invoice_table, '{sla.invoiced,sla.invoices_truncated}');
    -- by name, before every other AFTER trigger
    EXECUTE format('CREATE TRIGGER "!sla_invoiced" AFTER INSERT OR UPDATE OR DELETE ON %s'
        ' FOR EACH ROW EXECUTE FUNCTION sla.invoiced()', invoice_table);
    EXECUTE format('CREATE TRIGGER "!sla_invoices_truncated" AFTER TRUNCATE ON %s'
        ' FOR EACH STATEMENT EXECUTE FUNCTION sla.invoices_truncated()', invoice_table);
    RETURN sla.reconcile_invoices(invoice_table);
END
$$;
COMMENT ON FUNCTION sla.attach_invoices(regclass, text, text, text, text, text, text, text, text, text, text, text[], text[], text[], text, text, text[], text, text) IS 'Lets the rows of an existing table count as bills under the rule of a policy, and returns how many it has recorded. Arguments name columns: account (who has to pay), due (date or time; a time is due on its date in the zone of the rule), service, settled_at (infinity: it is not, -infinity: it always was; likewise for voided and disputed), amount, paid (how much has been paid so far), voided and disputed (boolean, or since when), status (with settled_when, voided_when and disputed_when, lists of its texts), changed_at (when the row came to say what it says; recorded_at if not given), recorded_at (when we learned of it; the statement''s time if not given), key (the primary key if not given). timestamps_in is the time zone of timestamp columns. Further payments: sla.record_payment. on_error: record lets rows in that cannot count, and sla.invoice.problem says why; reject makes them errors (23514). Only for the owner of the table (42501). Wrong columns raise 42703, 42804, 428C9, other wrong arguments 22004 and 22023; a table without key 55000; a policy that says nothing of bills 42704; one attached already 42710; nothing is changed then.';

CREATE FUNCTION sla.detach_invoices(invoice_table regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    was_attached constant boolean := sla.unregister_invoices(invoice_table);
BEGIN
    IF NOT sla.drop_triggers(invoice_table, '{sla.invoiced,sla.invoices_truncated}') AND NOT was_attached THEN
        RAISE EXCEPTION 'table "%" is not attached', (SELECT c.relname FROM pg_class c WHERE c.oid = invoice_table)
            USING ERRCODE = 'undefined_object';
    END IF;
END
$$;
COMMENT ON FUNCTION sla.detach_invoices(regclass) IS 'Undoes sla.attach_invoices: removes the triggers, also those that a dump of the table alone has brought. From now on its invoices restrict nobody; what they did before stays known. Attaching the table again continues the record. Only for the owner of the table (42501); raises 42704 when there is nothing to undo.';
