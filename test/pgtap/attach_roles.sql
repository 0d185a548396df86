-- What sla.attach records of its arguments: columns by role, texts in the one
-- spelling that rows have, and the triggers that go with it.
BEGIN;
SET LOCAL timezone = 'Asia/Tokyo';
SET LOCAL datestyle = 'SQL, DMY';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(34);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}]}');
CREATE FUNCTION pg_temp.attached(ticket_table regclass) RETURNS jsonb LANGUAGE sql AS $$
	SELECT to_jsonb(a) - 'id' - 'attached_at' - 'ticket_table' FROM sla.attachment a WHERE a.ticket_table = $1 $$;
CREATE FUNCTION pg_temp.triggers(ticket_table regclass) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(tgname || ' ' || tgenabled::text, ', ' ORDER BY tgname COLLATE "C") FROM pg_trigger WHERE tgrelid = $1 $$;

-- Everything
CREATE TYPE level AS ENUM ('low', 'high');
CREATE DOMAIN state AS int CHECK (VALUE < 100);
CREATE TABLE everything (
	tenant int, number bigint, severity level, received timestamp, answered timestamp, updated timestamp, asked timestamp, solved timestamp,
	state state, touched timestamp, customer int, contract uuid, software jsonb, team name, agent varchar(20), region text, tags text[], medium varchar,
	looked_at timestamp, waived text, terms text, due_1 timestamp, due_2 timestamptz, PRIMARY KEY (tenant, number));
SELECT is(sla.attach('everything', policy => 'acme', severity => 'severity', received_at => 'received', responded_at => 'answered',
	resolved_at => 'solved', changed_at => 'touched', severity_map => '{"high": 1}', response_due => 'due_1', resolution_due => NULL,
	last_update_at => 'updated', customer_reply_at => 'asked', status => 'state', paused_when => '{30}', resolved_when => '{4, 5}', cancelled_when => '{+6}',
	account => 'customer', service => 'contract', product => 'software', team => 'team', assignee => 'agent', labels => '{tags,region}',
	channel => 'medium', investigated_at => 'looked_at', exempt => 'waived', policy_column => 'terms', severity_default => 'p3',
	timestamps_in => 'europe/berlin', not_set => '1970-01-01 00:00:00+00', reply_due => 'due_2', update_due => 'due_3'), 0::bigint, 'a table with all roles');
SELECT is(pg_temp.attached('everything') - 'options', '{"policy": "acme", "on_error": "record", "detached_at": null, "severity_map": {"high": "S1"}, "roles": {
	"key": ["tenant", "number"], "severity": "severity", "received_at": "received", "responded_at": "answered", "last_update_at": "updated",
	"customer_reply_at": "asked", "resolved_at": "solved", "status": "state", "changed_at": "touched", "account": "customer", "service": "contract",
	"product": "software", "team": "team", "assignee": "agent", "labels": ["region", "tags"], "channel": "medium", "investigated_at": "looked_at",
	"exempt": "waived", "policy": "terms", "response_due": "due_1", "reply_due": "due_2", "update_due": "due_3"}}', 'its columns by role');
SELECT is(pg_temp.attached('everything') -> 'options', '{"paused_when": ["30"], "resolved_when": ["4", "5"], "cancelled_when": ["6"],
	"severity_default": "S3", "timestamps_in": "Europe/Berlin", "not_set": "1970-01-01T00:00:00+00"}', 'how they are read, in one spelling whatever the session');
SELECT col_type_is('everything', 'due_3', 'timestamp with time zone', 'the one stamped column that was missing');
SELECT hasnt_column('everything', 'sla_resolution_due', 'and not the one that was not wanted');
SELECT is(pg_temp.triggers('everything'), '!sla_record O, !sla_truncated O, ~sla_stamp O', 'its triggers');

-- As little as possible
CREATE TABLE little (id int PRIMARY KEY, at timestamptz);
INSERT INTO little VALUES (1, '2026-03-02 09:00+00');
SELECT is(sla.attach('little', 'acme', received_at => 'at', severity_default => 'S1', stamp => false, record_rows => false), 0::bigint, 'no severity column, no stamps, no rows');
SELECT is(pg_temp.attached('little'), '{"policy": "acme", "on_error": "record", "detached_at": null, "severity_map": null, "options": {"severity_default": "S1"},
	"roles": {"key": ["id"], "received_at": "at"}}', 'roles and options that are not used are not there');
SELECT is((SELECT count(*) FROM sla.ticket), 0::bigint, 'its rows wait');
CREATE TABLE ruled (id int PRIMARY KEY, s text, at timestamptz, customer text, terms level);
SELECT lives_ok($$SELECT sla.attach('ruled', severity => 's', received_at => 'at', account => 'customer')$$, 'the policy may be that of the account''s contract');
SELECT is(pg_temp.attached('ruled') -> 'policy', 'null', 'then there is none');
SELECT is(pg_temp.attached('ruled') -> 'options', '{}', 'and no option');
SELECT sla.detach('ruled');
SELECT lives_ok($$SELECT sla.attach('ruled', severity => 's', received_at => 'at', policy_column => 'terms')$$, 'or that which the row names');
SELECT is(pg_temp.attached('ruled') #> '{roles,policy}', '"terms"', 'which is a role');
SELECT has_column('ruled', c, 'all due times are kept by default: ' || c) FROM unnest('{sla_response_due,sla_reply_due,sla_update_due,sla_resolution_due}'::text[]) c;

-- Texts as the column has them
CREATE TABLE texts (id int PRIMARY KEY, at timestamptz, b boolean, b2 boolean, c char(8), v text, n numeric);
SELECT sla.attach('texts', 'acme', 'b', 'at', severity_map => '{"true": "S1", "no": "S2"}', status => 'b2', paused_when => '{yes}', resolved_when => '{false}');
SELECT is(pg_temp.attached('texts') -> 'severity_map', '{"t": "S1", "f": "S2"}', 'of a boolean, t and f');
SELECT is(pg_temp.attached('texts') -> 'options', '{"paused_when": ["t"], "resolved_when": ["f"]}', 'also in lists');
SELECT sla.detach('texts');
SELECT sla.attach('texts', 'acme', 'c', 'at', severity_map => '{"urgent": "S1"}', status => 'v', paused_when => '{"on hold", ""}', labels => '{n,v,v}');
SELECT is(pg_temp.attached('texts') -> 'severity_map', '{"urgent": "S1"}', 'of character(n), without its blanks');
SELECT is(pg_temp.attached('texts') -> 'options', '{"paused_when": ["", "on hold"]}', 'of text, as they are');
SELECT is(pg_temp.attached('texts') #> '{roles,labels}', '["n", "v"]', 'a label is one label');
SELECT sla.detach('texts');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = 'texts'::regclass), 0::bigint, 'detaching leaves no trigger');
SELECT sla.attach('texts', 'acme', 'v', 'at', labels => '{}', not_set => '0044-03-15 12:00:00+00 BC');
SELECT is(pg_temp.attached('texts') #>> '{options,not_set}', '0044-03-15T12:00:00+00 BC', 'an instant before our era');
SELECT is((pg_temp.attached('texts') #>> '{options,not_set}')::timestamptz, '0044-03-15 12:00:00+00 BC', 'reads as what it was');
SELECT is(pg_temp.attached('texts') #> '{roles,labels}', NULL, 'no labels');

-- Replicated rows
CREATE TABLE mirrored (id int, s text, at timestamptz, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE mirrored_1 PARTITION OF mirrored FOR VALUES FROM (0) TO (10);
SELECT sla.attach('mirrored', 'acme', 's', 'at', on_replica => true);
CREATE TABLE mirrored_2 PARTITION OF mirrored FOR VALUES FROM (10) TO (20);
SELECT is(pg_temp.triggers('mirrored'), '!sla_record A, !sla_truncated A, ~sla_stamp A', 'on a replica the triggers fire always');
SELECT is(pg_temp.triggers(t::regclass), '!sla_record A, ~sla_stamp A', 'also in ' || t) FROM unnest('{mirrored_1,mirrored_2}'::text[]) t;
SET LOCAL session_replication_role = replica;
INSERT INTO mirrored VALUES (1, 'S1', '2026-03-02 09:00+00'), (11, 'S1', '2026-03-02 09:00+00');
SELECT is((SELECT string_agg(key || ' ' || state, ', ' ORDER BY key) FROM sla.ticket), '1 open, 11 open', 'rows from elsewhere are recorded');
SELECT is((SELECT count(*) FROM mirrored WHERE sla_response_due = '2026-03-02 10:00+00'), 2::bigint, 'and stamped');
TRUNCATE mirrored;
SELECT is((SELECT string_agg(key || ' ' || state, ', ' ORDER BY key) FROM sla.ticket), '1 deleted, 11 deleted', 'and so is that they go');
RESET session_replication_role;
CREATE TABLE original (id int PRIMARY KEY, s text, at timestamptz);
SELECT sla.attach('original', 'acme', 's', 'at');
SET LOCAL session_replication_role = replica;
INSERT INTO original VALUES (21, 'S1', '2026-03-02 09:00+00');
SELECT is((SELECT count(*) FROM sla.ticket WHERE key = '21'), 0::bigint, 'unless that was not asked for');
RESET session_replication_role;

SELECT * FROM finish();
ROLLBACK;
