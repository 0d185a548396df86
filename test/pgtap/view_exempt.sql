-- Tickets without promises in sla.clock_status: exempt, uncovered, or ended
-- before one was made.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(22);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}}, "entitlement": "contract",
	"channels": {"phone": "never", "email": "investigation"}, "exemptions": {"known_incident": "Known incident", "spam": "Spam"}, "targets": [
	{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always", "alerts": [0.5, 1]}]}');
INSERT INTO sla.contract (account, policy, valid) VALUES ('a', 'acme', '[2020-01-01,)');
CREATE TABLE tickets (id int PRIMARY KEY, s text DEFAULT 'S1', at timestamptz, replied timestamptz, state text DEFAULT 'open', customer text DEFAULT 'a',
	way text DEFAULT 'portal', looked timestamptz, waived text, changed timestamptz DEFAULT now());
SELECT sla.attach('tickets', 'acme', 's', 'at', 'replied', changed_at => 'changed', status => 'state', paused_when => '{waiting}', cancelled_when => '{junk}',
	account => 'customer', channel => 'way', investigated_at => 'looked', exempt => 'waived');
CREATE FUNCTION pg_temp.status(id int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', metric, status, worked, remaining, used, late_by, warned, took), '; ') FROM sla.clock_status WHERE key = $1::text AND ticket_table = 'tickets'::regclass $$;

-- Exempt while it runs, past its due time, after it has stopped
INSERT INTO tickets (id, at) VALUES (1, now() - interval '40 min'), (2, now() - interval '2 h');
INSERT INTO tickets (id, at, replied) VALUES (3, now() - interval '3 h', now() - interval '150 min'), (4, now() - interval '3 h', now() - interval '1 h');
SELECT is(pg_temp.status(1), 'response running 00:40:00 00:20:00 0.6666 t', 'running');
SELECT is(pg_temp.status(2), 'response breached 02:00:00 00:00:00 2.0000 01:00:00 t', 'late');
SELECT is(pg_temp.status(3), 'response met 00:30:00 0.5000 00:30:00', 'met');
SELECT is(pg_temp.status(4), 'response breached 02:00:00 2.0000 01:00:00 02:00:00', 'broken');
UPDATE tickets SET waived = 'known_incident';
SELECT is(pg_temp.status(1), 'response exempt 00:40:00', 'an exempt clock has nothing left and is not at risk');
SELECT is(pg_temp.status(2), 'response exempt 02:00:00', 'is not late, though it runs past its due time');
SELECT is(pg_temp.status(3), 'response exempt 00:30:00', 'nor met');
SELECT is(pg_temp.status(4), 'response exempt 02:00:00', 'nor broken');
SELECT is((SELECT string_agg(exempt, ',') FROM sla.clock_status), 'known_incident,known_incident,known_incident,known_incident', 'and says why');
SELECT is((SELECT count(*) FROM sla.breach) + (SELECT count(*) FROM sla.at_risk), 0::bigint, 'it is in no list of late ones');
UPDATE tickets SET state = 'waiting' WHERE id = 2;
SELECT is((SELECT (status, paused_at)::text FROM sla.clock_status WHERE key = '2'), format('(exempt,"%s")', now()), 'nor paused, though it stands still');
UPDATE tickets SET waived = NULL, state = 'open';
SELECT is((SELECT string_agg(split_part(pg_temp.status(id), ' ', 2), ',' ORDER BY id) FROM tickets), 'running,breached,met,breached', 'lifted, as if it never was');
UPDATE tickets SET waived = 'known_incident' WHERE id = 1;
DELETE FROM tickets WHERE id = 1;
SELECT alike(pg_temp.status(1), 'response exempt 00:40:00%', 'exempt also when it is gone');

-- No entitlement, no promise by its channel, no severity
INSERT INTO tickets (id, at, customer) VALUES (11, now(), 'b');
INSERT INTO tickets (id, at, way) VALUES (12, now(), 'phone'), (13, now() - interval '3 h', 'email');
INSERT INTO tickets (id, at, s) VALUES (14, now(), 'x'), (15, now(), 'S2');
SELECT is((SELECT string_agg(concat_ws(' ', key, policy, severity, metric, status, ticket_state, split_part(exempt, ' ', 1)), '; ' ORDER BY key)
	FROM sla.clock_status WHERE key ~ '^1.'), '11 acme S1 uncovered open uncovered:; 12 acme S1 uncovered open uncovered:; 13 acme S1 uncovered open uncovered:; 14 acme uncovered open error:',
	'nothing is promised, and why; a severity that is promised nothing is not here');
SELECT is(pg_temp.status(11), 'uncovered', 'there are no times without a promise');
UPDATE tickets SET looked = now() - interval '10 min' WHERE id = 13;
SELECT is(pg_temp.status(13), 'response running 00:10:00 00:50:00 0.1666 f', 'investigated, and counted from there');
UPDATE tickets SET waived = 'spam' WHERE id IN (12, 15);
SELECT is(pg_temp.status(12), 'uncovered', 'what is not covered need not be exempt');
SELECT is(pg_temp.status(15), NULL, 'nor what is promised nothing');
UPDATE tickets SET state = 'junk' WHERE id IN (11, 14);
DELETE FROM tickets WHERE id = 12;
SELECT is((SELECT string_agg(concat_ws(' ', key, status, ticket_state), '; ' ORDER BY key) FROM sla.clock_status WHERE key ~ '^1[124]'),
	'11 cancelled cancelled; 12 cancelled deleted; 14 cancelled cancelled', 'what was ended needs no cover');

-- An error with clocks from before: they go on
INSERT INTO tickets (id, at) VALUES (21, now() - interval '40 min');
UPDATE tickets SET s = 'x' WHERE id = 21;
SELECT is((SELECT concat_ws(' ', status, severity, exempt) FROM sla.clock_status WHERE key = '21'), 'running S1 error: s "x" maps to no severity', 'a severity that cannot be told changes nothing');

-- Nothing but its row is known of a ticket
INSERT INTO tickets (id, at) VALUES (22, NULL);
SELECT is((SELECT concat_ws(' ', status, severity, received_at, exempt) FROM sla.clock_status WHERE key = '22'), 'uncovered S1 error: at is null or infinite', 'a ticket without time of receipt');
SELECT is((SELECT count(*) FROM sla.clock_status), (SELECT count(*) FROM sla.clock) + 4, 'one row per clock, and one per ticket without');

SELECT * FROM finish();
ROLLBACK;
