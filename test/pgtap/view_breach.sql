-- sla.breach: every broken promise once, whoever has been told of it.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(10);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC", "calendars": {"day": {"hours": "UTC Mo-Fr 09:00-17:00"}}, "severities": {"S1": {"label": "Critical"}}, "targets": [
	{"severity": "S1", "metric": "resolution", "goal": "8h", "calendar": "day"}, {"severity": "S1", "metric": "response", "goal": "2h", "calendar": "day"}]}');
CREATE TABLE tickets (id int PRIMARY KEY, s text DEFAULT 'S1', at timestamptz, replied timestamptz, done timestamptz, state text DEFAULT 'open', changed timestamptz, customer text, crew text, region text);
SELECT sla.attach('tickets', 'acme', 's', 'at', 'replied', 'done', 'changed', status => 'state', paused_when => '{waiting}', cancelled_when => '{junk}',
	account => 'customer', team => 'crew', labels => '{region}', stamp => false);
CREATE FUNCTION pg_temp.late(id int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', metric, worked, late_by, used, ticket_state), '; ' ORDER BY metric DESC) FROM sla.breach WHERE key = $1::text $$;

-- Monday
INSERT INTO tickets VALUES (1, 'S1', '2020-03-02 09:00', '2020-03-02 11:00:00.000001', '2020-03-02 17:00', 'open', '2020-03-02 17:00', 'Acme', 'front', 'EU');
SELECT is(pg_temp.late(1), 'response 02:00:00.000001 00:00:00.000001 1.0000 resolved', 'late by a microsecond; exactly at due is met');
SELECT is((SELECT concat_ws(' ', policy, severity, severity_label, account, team, labels, due_at, stopped_at) FROM sla.breach),
	'acme S1 Critical Acme front {"region": "EU"} 2020-03-02 11:00:00+00 2020-03-02 11:00:00.000001+00', 'whose it was');
INSERT INTO tickets VALUES (2, 'S1', '2020-03-02 09:00', '2020-03-02 10:00', '2020-03-02 20:00');
SELECT is(pg_temp.late(2), 'resolution 08:00:00 00:00:00 1.0000 resolved', 'due at closing time, done in the evening: late by no working time');
INSERT INTO tickets VALUES (3, 'S1', '2020-03-02 09:00', '2020-03-02 10:00');
UPDATE tickets SET state = 'waiting', changed = '2020-03-03 11:00' WHERE id = 3;
SELECT is((SELECT concat_ws(' ', metric, worked, late_by > worked, ticket_state) FROM sla.breach WHERE key = '3'), 'resolution 10:00:00 t paused', 'late before a pause, and still: what is worked stands still');
UPDATE tickets SET state = 'open', changed = '2020-03-04 11:00' WHERE id = 3;
UPDATE tickets SET done = '2020-03-04 12:00' WHERE id = 3;
SELECT is(pg_temp.late(3), 'resolution 11:00:00 11:00:00 2.3750 resolved', 'the pause counts as late, not as worked');
INSERT INTO tickets VALUES (4, 'S1', '2020-03-02 09:00', '2020-03-02 10:00');
UPDATE tickets SET state = 'junk', changed = '2020-03-03 10:00' WHERE id = 4;
SELECT is(pg_temp.late(4), 'resolution 09:00:00 01:00:00 1.1250 cancelled', 'cancelled too late is broken');
INSERT INTO tickets VALUES (5, 'S1', '2020-03-02 09:00', '2020-03-02 10:00');
UPDATE tickets SET state = 'junk', changed = '2020-03-02 10:30' WHERE id = 5;
SELECT is(pg_temp.late(5), NULL, 'in time is not');
INSERT INTO tickets VALUES (6, 'x', '2020-03-02 09:00');
SELECT is(pg_temp.late(6), NULL, 'nor is what was not promised');

-- Flags
SELECT sla.flag_due('2020-03-05');
SELECT is((SELECT string_agg(key || ' ' || metric, ', ' ORDER BY key) FROM sla.breach WHERE flagged_at = '2020-03-05'), '1 response, 2 resolution, 3 resolution, 4 resolution', 'when each was flagged');
SELECT is((SELECT count(*) FROM sla.breach), (SELECT count(*) FROM sla.clock_status WHERE status = 'breached'), 'all of them, and once');

SELECT * FROM finish();
ROLLBACK;
