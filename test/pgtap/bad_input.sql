-- Whatever a row says it goes in, unless the table was attached with reject;
-- the ledger says what is wrong, and other rows of the statement are not
-- affected.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(76);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}, "never": {"hours": "UTC Mo-Su off"}, "once": {"hours": "UTC 2026-03-02 09:00-09:30"}},
	"severity_caps": {"api": "S2"}, "channels": {"email": "investigation", "fax": "never"}, "exemptions": {"known": "Known"},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S1", "metric": "resolution", "goal": "8h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "always"},
		{"severity": "S3", "metric": "response", "goal": "1h", "calendar": "never"},
		{"severity": "S4", "metric": "response", "goal": "1bd", "calendar": "never"},
		{"severity": "S5", "metric": "response", "goal": "1h", "calendar": "once"},
		{"severity": "S6", "metric": "response", "goal": "2000000000h", "calendar": "always"}]}');
CREATE TABLE tickets (
	id text PRIMARY KEY,
	priority text,
	at timestamptz,
	replied timestamptz,
	resolved timestamptz,
	changed timestamptz,
	status text,
	updated timestamptz,
	customer timestamptz,
	investigated timestamptz,
	account text, service text, product text, team text, assignee text, label text, channel text, exempt text, policy text);
SELECT sla.attach('tickets', 'acme', 'priority', 'at', 'replied', 'resolved', 'changed', status => 'status', paused_when => '{waiting}', cancelled_when => '{spam}',
	last_update_at => 'updated', customer_reply_at => 'customer', investigated_at => 'investigated', account => 'account', service => 'service', product => 'product',
	team => 'team', assignee => 'assignee', labels => '{label}', channel => 'channel', exempt => 'exempt', policy_column => 'policy');
CREATE FUNCTION pg_temp.ledger(key text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.state, t.severity, left(t.exempt, 200),
		(SELECT string_agg(concat_ws(' ', c.metric, CASE WHEN isfinite(c.due_at) THEN to_char(c.due_at, 'YYYY-MM-DD HH24:MI') ELSE 'never' END, c.outcome), ', ' ORDER BY c.metric, c.cycle) FROM sla.clock c WHERE c.ticket_id = t.id))
	FROM sla.ticket t WHERE t.key = $1 $$;
-- The rows go in together with two that are fine; what becomes of the middle one
CREATE FUNCTION pg_temp.becomes(set_list text, OUT what text) LANGUAGE plpgsql AS $$
DECLARE
	fine text;
BEGIN
	DELETE FROM tickets; DELETE FROM sla.clock; DELETE FROM sla.event; DELETE FROM sla.ticket;
	CREATE TEMP TABLE incoming (LIKE tickets) ON COMMIT DROP;
	INSERT INTO incoming (id, priority, at) VALUES ('a', 'S1', '2026-03-02 09:00'), ('m', 'S1', '2026-03-02 09:00'), ('z', 'S1', '2026-03-02 09:00');
	EXECUTE 'UPDATE incoming SET ' || set_list || ' WHERE id = ''m''';
	INSERT INTO tickets SELECT * FROM incoming ORDER BY id;
	what := pg_temp.ledger('m');
	fine := pg_temp.ledger('a');
	IF fine <> 'open S1 resolution 2026-03-02 17:00, response 2026-03-02 10:00' OR pg_temp.ledger('z') <> fine THEN
		what := 'others: ' || fine || ' ' || coalesce(pg_temp.ledger('z'), 'lost');
	END IF;
	-- the same news told by an UPDATE
	UPDATE tickets SET priority = 'S1', at = '2026-03-02 09:00', replied = NULL, resolved = NULL, changed = NULL, status = NULL, updated = NULL, customer = NULL,
		investigated = NULL, account = NULL, service = NULL, product = NULL, team = NULL, assignee = NULL, label = NULL, channel = NULL, exempt = NULL, policy = NULL WHERE id = 'm';
	EXECUTE 'UPDATE tickets SET ' || set_list || ' WHERE id = ''m''';
	DROP TABLE incoming;
END $$;

-- Severities
SELECT is(pg_temp.becomes('priority = ' || coalesce(quote_literal(p), 'NULL')), 'open ' || coalesce(e, 'S1 resolution 2026-03-02 17:00, response 2026-03-02 10:00'), 'priority ' || coalesce(left(p, 20), 'NULL')) FROM (VALUES
	('', 'error: priority "" maps to no severity'), (' ', 'error: priority " " maps to no severity'), ('s1', NULL),
	('S0', 'error: priority "S0" maps to no severity'), ('S10', 'error: priority "S10" maps to no severity'), (' S1', NULL),
	(E'S1 \n', NULL), ('S 1', NULL), ('S1x', 'error: priority "S1x" maps to no severity'), ('\x00', 'error: priority "\x00" maps to no severity'),
	(E'\x01', E'error: priority "\x01" maps to no severity'), ('kritický', 'error: priority "kritický" maps to no severity'), ('Ｓ１', 'error: priority "Ｓ１" maps to no severity'),
	(U&'\202EIS1', U&'error: priority "\202EIS1" maps to no severity'), ('%s %n "{}"', 'error: priority "%s %n "{}"" maps to no severity'),
	(repeat('x', 100000), 'error: priority "' || repeat('x', 64) || '" maps to no severity'), (repeat('𝄞', 1000), 'error: priority "' || repeat('𝄞', 16) || '" maps to no severity'),
	(NULL, 'error: priority is null'), ('S9', 'S9')) v(p, e);

-- NULL, and what says as little
SELECT is(pg_temp.becomes(c || ' = NULL'), CASE c WHEN 'at' THEN 'open S1 error: at is null or infinite' WHEN 'priority' THEN 'open error: priority is null' ELSE 'open S1 resolution 2026-03-02 17:00, response 2026-03-02 10:00' END, 'NULL in ' || c)
	FROM unnest('{priority,at,replied,resolved,changed,status,updated,customer,investigated,account,service,product,team,assignee,label,channel,exempt,policy}'::text[]) c;
SELECT is(pg_temp.becomes('replied = ''infinity'', resolved = ''-infinity'', changed = ''infinity'', updated = ''-infinity'', customer = ''infinity'', investigated = ''-infinity'''),
	'open S1 resolution 2026-03-02 17:00, response 2026-03-02 10:00', 'infinite times say nothing');
SELECT is(pg_temp.becomes('at = ''' || t || 'infinity'''), 'open S1 error: at is null or infinite', 'received at ' || t || 'infinity') FROM unnest('{"",-}'::text[]) t;
SELECT is(pg_temp.becomes('account = '''', service = '''', product = '''', team = '''', assignee = '''', label = '''', channel = '''', exempt = '''', policy = '''''), 'open S1 resolution 2026-03-02 17:00, response 2026-03-02 10:00', 'empty texts say nothing');

-- Long and strange texts elsewhere
SELECT is(pg_temp.becomes(replace('account = X, service = X, product = X, team = X, assignee = X, label = X, status = X, channel = X', 'X', v)), 'open S1 resolution 2026-03-02 17:00, response 2026-03-02 10:00', what)
	FROM (VALUES ('repeat(''x'', 1000000)', 'a million letters each'), ('E''\x01\t\n\r"\\{}''', 'control characters'), ('U&''\FFFE\+01F4A9\0301''', 'odd code points')) v(v, what);
SELECT is(pg_temp.becomes('exempt = repeat(''x'', 10000)'), 'open S1 resolution 2026-03-02 17:00, response 2026-03-02 10:00', 'a reason that is none exempts nothing');
SELECT is(pg_temp.becomes('policy = repeat(''x'', 1000)'), 'open S1 error: policy "' || repeat('x', 185), 'a policy that is none');
SELECT is(pg_temp.becomes('channel = ''fax'''), 'open S1 uncovered: nothing is promised to channel "fax"', 'a channel without promises is no mistake');

-- Times in no good order
SELECT is(pg_temp.becomes(s), e, s) FROM (VALUES
	('at = ''2999-01-01''', 'open S1 resolution 2999-01-01 08:00, response 2999-01-01 01:00'),
	('replied = ''2026-03-02 08:00''', 'open S1 resolution 2026-03-02 17:00, response 2026-03-02 10:00 met'),
	('resolved = ''2026-03-02 08:00''', 'resolved S1 resolution 2026-03-02 17:00 met, response 2026-03-02 10:00 met'),
	('replied = ''4714-11-24 00:00 BC'', resolved = ''4714-11-24 00:00 BC''', 'resolved S1 resolution 2026-03-02 17:00 met, response 2026-03-02 10:00 met'),
	('replied = ''2026-03-02 12:00'', resolved = ''2026-03-02 08:00''', 'resolved S1 resolution 2026-03-02 17:00 met, response 2026-03-02 10:00 met'),
	('changed = ''1970-01-01'', status = ''waiting''', 'paused S1 resolution never, response never'),
	('changed = ''294276-12-31 23:59:59.999999'', status = ''waiting''', 'paused S1 resolution 2026-03-02 17:00, response 2026-03-02 10:00'),
	('changed = ''4714-11-24 00:00 BC'', status = ''spam''', 'cancelled S1 resolution 2026-03-02 17:00 cancelled, response 2026-03-02 10:00 cancelled'),
	('customer = ''1970-01-01'', updated = ''2999-01-01'', investigated = ''0001-01-01''', 'open S1 resolution 2026-03-02 17:00, response 2026-03-02 10:00')) v(s, e);
SELECT is(pg_temp.becomes('at = ''4714-11-24 00:00 BC'''), 'open S1 resolution 4714-11-24 08:00, response 4714-11-24 01:00', 'the first instant there is');
SELECT is(pg_temp.becomes('at = ''294276-12-31 23:59:59.999999'''), 'open S1 resolution never, response never', 'and the last');
SELECT is(pg_temp.becomes('at = ''4714-11-24 00:00 BC'', replied = ''294276-12-31 23:59:59.999999'', resolved = ''294276-12-31 23:59:59.999999'''),
	'resolved S1 resolution 4714-11-24 08:00 breached, response 4714-11-24 01:00 breached', 'all the time there is');
SELECT is(pg_temp.becomes('at = ''4714-11-24 00:00 BC'', priority = ''S6'''), 'open S6 response 223446-10-25 08:00', 'a goal of ages');

-- Calendars that never open, or never again
SELECT is(pg_temp.becomes('priority = ''S3'''), 'open S3 response never', 'a calendar that never opens: never due');
SELECT is(pg_temp.becomes('priority = ''S4'''), 'open S4 response never', 'nor in business days');
SELECT is(pg_temp.becomes('priority = ''S3'', replied = ''2999-01-01'''), 'open S3 response never met', 'but met');
SELECT is(pg_temp.becomes('priority = ''S5'''), 'open S5 response never', 'one that does not open for long enough');
SELECT is(pg_temp.becomes('priority = ''S5'', changed = ''2026-03-02 09:10'', status = ''waiting'''), 'paused S5 response never', 'paused on top');
SELECT is((SELECT sla_response_due FROM tickets WHERE id = 'm'), NULL, 'never due is no due time while paused');

-- A policy that goes, and comes to say something else, while clocks run
SELECT pg_temp.becomes('priority = ''S1''');
DELETE FROM sla.policy WHERE name = 'acme';
UPDATE tickets SET priority = 'S2', changed = '2026-03-02 09:30' WHERE id = 'm';
INSERT INTO tickets (id, priority, at) VALUES ('n', 'S1', '2026-03-02 09:00');
SELECT is(pg_temp.ledger('m'), 'open S2 resolution 2026-03-02 17:00 cancelled, response 2026-03-02 11:00', 'a ticket is held to the policy it came under');
SELECT is(pg_temp.ledger('n'), 'open S1 error: policy "acme" does not exist or has no version', 'a new one has none');

-- reject: an error that says what to do, and no row of the statement is in
SELECT sla.load_policy('{"policy": "strict", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}]}');
CREATE TABLE strict (id int PRIMARY KEY, s text, at timestamptz, ex text, replied timestamptz);
SELECT sla.attach('strict', 'strict', 's', 'at', 'replied', exempt => 'ex', on_error => 'reject');
CREATE FUNCTION pg_temp.refused(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE command;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || CASE WHEN hint = '' THEN ' without a hint' ELSE '' END || ': ' || SQLERRM;
END $$;
SELECT is(pg_temp.refused('INSERT INTO strict VALUES (1, ''S1'', ''2026-03-02 09:00''), (2, ' || v || ')'), '23514: ticket 2 of table "strict" has no deadlines: ' || e, 'reject ' || v) FROM (VALUES
	('''none'', ''2026-03-02 09:00''', 's "none" maps to no severity'), ('NULL, ''2026-03-02 09:00''', 's is null'), ('''S1'', NULL', 'at is null or infinite'),
	('''S1'', ''infinity''', 'at is null or infinite')) v(v, e);
SELECT is(pg_temp.refused('INSERT INTO strict VALUES (1, ''S1'', ''2026-03-02 09:00'', ''mood'')'), '23514: ticket 1 of table "strict" has no deadlines: the policy knows no reason "mood" for an exemption', 'reject a reason that is none');
SELECT is((SELECT count(*) FROM strict), 0::bigint, 'nothing went in');
SELECT lives_ok($$INSERT INTO strict VALUES (1, 'S1', '2026-03-02 09:00'), (2, 'S9', '294276-01-01')$$, 'what is only odd does');
SELECT is(pg_temp.refused('UPDATE strict SET s = NULL WHERE id = 1'), '23514: ticket 1 of table "strict" has no deadlines: s is null', 'an UPDATE is rejected, too');

SELECT * FROM finish();
ROLLBACK;
