-- What functions may do, and to whom they answer
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(10);

CREATE TEMPORARY VIEW func AS
	SELECT p.oid::regprocedure::text AS name, l.lanname AS language, p.provolatile AS volatility, p.prosecdef AS definer,
		   p.proisstrict AS strict, p.proparallel AS parallel, p.proconfig AS config,
		   has_function_privilege('public', p.oid, 'EXECUTE') AS public
	FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
	WHERE p.pronamespace = 'sla'::regnamespace AND p.prokind <> 'a'
	  -- core's own constructors come with a range type
	  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
					  AND d.refclassid = 'pg_type'::regclass AND d.deptype = 'i');

-- Names resolve the same way whoever calls
SELECT is_empty($$ SELECT name FROM func WHERE language IN ('sql', 'plpgsql')
	AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (config), false)
	-- commit, so that they cannot; name everything by its schema and use no operator
	AND name NOT IN ('sla.restamp(regclass,integer)', 'sla.purge(timestamp with time zone,integer)') $$,
	'SQL and PL/pgSQL functions pin their search_path');
SELECT is_empty($$ SELECT name FROM func WHERE language NOT IN ('c', 'sql', 'plpgsql') $$, 'there are no others but C functions');
SELECT set_eq($$ SELECT name FROM func WHERE definer $$, ARRAY[
	'sla.acknowledge(bigint,text,timestamp with time zone)'
	], 'functions that run with their owner''s rights');

-- Who may call what. A function that reads or changes anything has to be on
-- one of these lists, so that a new one is put there on purpose.
SELECT set_eq($$ SELECT name FROM func WHERE NOT public $$, ARRAY[
	-- change what everybody is promised
	'sla.load_policy(jsonb,timestamp with time zone)',
	'sla.load_restriction(integer,jsonb,jsonb)',
	'sla.intern_hours(sla.business_hours)',
	'sla.lock_holidays()',
	-- write the ledger for tickets of others
	'sla.flag_due(timestamp with time zone)',
	'sla.wake_worker(timestamp with time zone)',
	'sla.acknowledge(bigint,text,timestamp with time zone)',
	'sla.purge(timestamp with time zone,integer)',
	'sla.purge_step(timestamp with time zone,integer,bigint,bigint,bigint)',
	-- tells of all databases
	'sla.watched_databases()',
	'sla.flag_restrictions(timestamp with time zone)',
	-- tell whose bills are unsettled, and decide what becomes of them
	'sla.restriction(text,text,timestamp with time zone,timestamp with time zone)',
	'sla.restriction_history(text,text,timestamp with time zone,timestamp with time zone,timestamp with time zone)',
	'sla.explain_restriction(text,text,timestamp with time zone,timestamp with time zone)',
	'sla.is_allowed(text,text,timestamp with time zone,boolean,text)',
	'sla.override_restriction(text,text,sla.restriction_level,text,timestamp with time zone,text,timestamp with time zone,timestamp with time zone)',
	'sla.revoke_override(integer,text,text,timestamp with time zone,timestamp with time zone)',
	-- triggers of the extension's own tables
	'sla.availability_rule_written()',
	'sla.calendar_written()',
	'sla.contract_written()',
	'sla.target_written()',
	'sla.request_rule_written()',
	'sla.holiday_refused()',
	'sla.holidays_written()',
	'sla.restriction_rule_written()',
	'sla.restriction_override_queued()',
	'sla.restriction_override_written()',
	'sla.references_written()',
	'sla.referenced_removed()',
	'sla.refuse_change()',
	'sla.service_fact_written()',
	'sla.service_removed()',
	'sla.service_written()',
	'sla.policy_changed()'
	], 'functions that not everybody may call');
SELECT set_eq($$ SELECT name FROM func WHERE public AND volatility = 'v' $$, ARRAY[
	'sla.drop_triggers(regclass,regproc[])',
	'sla.recompute(regclass,text,text,tstzrange,boolean,boolean)',
	-- check that the caller owns the table
	'sla.attach(regclass,text,text,text,text,text,text,text[],jsonb,boolean,text,text,text,text,text,text,text[],text[],text[],text,text,text,text,text,text[],text,text,text,text,text,text,timestamp with time zone,text,text,boolean,boolean)',
	'sla.create_attachment_triggers(regclass,boolean,boolean)',
	'sla.detach(regclass)',
	'sla.guard(regclass,text,text,text,text,text,text,text,text,text,text,jsonb,text,text,text)',
	'sla.register_guard(regclass,text,text,text,jsonb,jsonb)',
	'sla.unguard(regclass)',
	'sla.unregister_guard(regclass)',
	'sla.attach_invoices(regclass,text,text,text,text,text,text,text,text,text,text,text[],text[],text[],text,text,text[],text,text)',
	'sla.detach_invoices(regclass)',
	'sla.register_invoices(regclass,text,jsonb,jsonb,text)',
	'sla.unregister_invoices(regclass)',
	'sla.reconcile_invoices(regclass)',
	-- checks that the caller may update the table
	'sla.record_payment(regclass,text,numeric,timestamp with time zone,text,timestamp with time zone)',
	'sla.attach_messages(regclass,regclass,text,text,text,text[],text[],text,text,jsonb,text,text[],text,boolean)',
	'sla.detach_messages(regclass)',
	'sla.drop_triggers(regclass,regproc[])',
	'sla.pin_due(regclass,text,text,timestamp with time zone,timestamp with time zone)',
	'sla.reconcile(regclass)',
	'sla.record_event(regclass,text,text,timestamp with time zone,text)',
	'sla.record_messages(regclass)',
	'sla.record_rows(regclass)',
	'sla.register_attachment(regclass,text,jsonb,jsonb,jsonb,text)',
	'sla.register_messages(regclass,regclass,jsonb,jsonb)',
	'sla.restamp(regclass,integer)',
	'sla.restamp_begin(regclass)',
	'sla.restamp_step(regclass,integer)',
	'sla.stamped_columns(regclass,jsonb,jsonb,text)',
	'sla.unregister_attachment(regclass)',
	'sla.unregister_messages(regclass)',
	-- checks that the caller owns the tables, or the ledger
	'sla.recompute(regclass,text,text,tstzrange,boolean,boolean)',
	-- triggers: do nothing outside an attached table
	'sla.dropped()',
	-- refuses all outside a guarded table
	'sla.check_guard()',
	'sla.invoiced()',
	'sla.invoices_truncated()',
	'sla.message()',
	'sla.truncated()',
	'sla.stamp()',
	'sla.record()',
	-- read with the caller's rights
	'sla.alerts_after(bigint,integer)',
	'sla.found_now(text)',
	'sla.refuse_transaction_block(text)',
	-- reads policies, which everybody may
	'sla.policy_target_in_force(text,timestamp with time zone,sla.severity,text)'
	], 'functions with effects, or that see them, that everybody may call');
SELECT set_eq($$ SELECT name FROM func WHERE public AND volatility = 's' $$, ARRAY[
	'sla.actions_in_force()',
	'sla.explain(regclass,text)',
	'sla.simulate(text,timestamp with time zone,timestamp with time zone)',
	'sla.alert_problems(text,jsonb,text)',
	'sla.availability_from_tables(integer,jsonb)',
	'sla.availability_problems(jsonb)',
	'sla.availability_rule_problems(text,jsonb,jsonb)',
	'sla.attached_table_in(cstring)',
	'sla.attached_table_out(sla.attached_table)',
	'sla.calendar_hours(jsonb)',
	'sla.calendar_problems(text,jsonb)',
	'sla.canonical_author_list(regclass,text,text,text[])',
	'sla.canonical_availability(jsonb)',
	'sla.canonical_availability_rule(text,text,numeric,text,text,text,text,text[],interval,text,jsonb)',
	'sla.canonical_calendar(sla.business_hours,text[])',
	'sla.canonical_message_filter(regclass,jsonb)',
	'sla.canonical_message_options(regclass,text,text[],text[],text,jsonb,text)',
	'sla.canonical_policy(jsonb)',
	'sla.canonical_restriction(jsonb)',
	'sla.check_invoice_column(regclass,text,text,text)',
	'sla.check_invoice_table(regclass,text,text)',
	'sla.restriction_problems(jsonb,jsonb)',
	'sla.canonical_target(sla.severity,text,sla.business_interval,text,text[],boolean)',
	'sla.check_attachable(regclass)',
	'sla.check_own_table(text,regclass)',
	'sla.check_message_column(regclass,text,text,text)',
	'sla.check_messages_table(regclass,regclass)',
	'sla.check_role_column(regclass,text,text,text)',
	'sla.canonical_options(regclass,text,text[],text[],text[],text,text,timestamp with time zone)',
	'sla.canonical_severity_map(regclass,text,jsonb)',
	'sla.canonical_status_list(regclass,text,text,text[])',
	'sla.column_text(regclass,text,text,text)',
	'sla.role_column_type(regclass,text)',
	'sla.effective_hours(text)',
	-- the tables ask whether the caller may
	'sla.error_budget(text,date,tstzrange,timestamp with time zone)',
	'sla.explain_availability(text,date,tstzrange,timestamp with time zone)',
	'sla.service_availability(text,date,tstzrange,timestamp with time zone)',
	'sla.service_credit(text,date,timestamp with time zone)',
	'sla.service_facts(sla.service_terms,tstzrange,timestamp with time zone)',
	'sla.terms_of_period(text,date,tstzrange,timestamp with time zone)',
	-- checks that the caller may read the ledger, or owns the table
	'sla.explain(regclass,text)',
	'sla.simulate(text,timestamp with time zone,timestamp with time zone)',
	'sla.hours_in_regions(sla.business_hours,text[])',
	'sla.input_problem(text,regtype)',
	'sla.is_restoring()',
	'sla.known_zone(text)',
	'sla.message_ticket_columns(regclass,regclass,text)',
	'sla.metric_problems(jsonb,jsonb)',
	'sla.notice_problem(jsonb)',
	'sla.policy_document(text,timestamp with time zone)',
	'sla.policy_document_from_tables(integer)',
	'sla.policy_problems(jsonb)',
	'sla.rule_problems(jsonb)',
	'sla.severities_problems(jsonb)',
	'sla.target_problems(text,jsonb,jsonb,jsonb)',
	'sla.timestamps_zone(text)',
	'sla.ticket_key_columns(regclass,text[])',
	'sla.warn_of_spellings(regclass,text,text)',
	'sla.canonical_requests(jsonb)',
	'sla.check_guard_column(regclass,text,text,text)',
	'sla.check_guardable(regclass)',
	'sla.check_request(text,text,jsonb,timestamp with time zone)',
	'sla.earliest_answer(text,text,timestamp with time zone)',
	'sla.earliest_start(text,text,timestamp with time zone)',
	'sla.field_problem(text,jsonb)',
	'sla.guard_fields(regclass,text,jsonb,text)',
	'sla.guard_problems(text,text,text,text,timestamp with time zone,text[],boolean)',
	'sla.hours_problem(text,sla.business_hours,sla.business_hours,timestamp with time zone,timestamp with time zone,timestamp with time zone)',
	'sla.notice_rule_in_force(text,text,timestamp with time zone)',
	'sla.overdue_before(text,timestamp with time zone)',
	'sla.request_problems(text,text,jsonb,timestamp with time zone,text[])',
	'sla.request_rule_calendars(integer)',
	'sla.request_rule_problems(jsonb)',
	'sla.requests_from_tables(integer,jsonb)',
	'sla.version_in_force(text,timestamp with time zone)',
	'sla.zone_data_version()',
	'sla.zone_name(text)',
	'sla.zone_problems(text,jsonb)',
	'sla.unknown_zone(sla.business_hours)',
	'sla.zone_version(text)'
	], 'functions that read with the caller''s rights');

-- Tables
CREATE TEMPORARY VIEW rel AS
	SELECT c.oid, c.relname::text AS name FROM pg_class c
	WHERE c.relnamespace = 'sla'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S');
SELECT set_eq($$ SELECT name FROM rel WHERE has_table_privilege('public', oid, 'SELECT') $$,
	ARRAY['holiday', 'holiday_revision', 'hours', 'policy', 'policy_version', 'calendar', 'metric', 'target',
		  'severity_label', 'severity_cap', 'channel_rule', 'exemption', 'attachment', 'message_attachment', 'notice_rule',
		  'turnaround_rule', 'assistance_rule', 'guard_rule', 'restriction_rule', 'availability_rule', 'invoice_attachment'],
	'everybody reads policies and what is attached, nobody contracts and the ledger unless the owner says so');
SELECT is_empty($$ SELECT name FROM rel WHERE has_table_privilege('public', oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') $$,
	'and everybody changes nothing');
SELECT ok(NOT has_schema_privilege('public', 'sla', 'CREATE'), 'nor can objects be planted in the schema');

-- Input functions must not read tables or depend on settings, but for names of tables
SELECT is_empty($$ SELECT name FROM func WHERE name ~ '_(in|out|recv|send)\(' AND name !~ '^sla\.attached_table_'
	AND (volatility <> 'i' OR NOT strict OR parallel <> 's') $$,
	'types are read and written alike everywhere');

SELECT * FROM finish();
ROLLBACK;
