-- sla.record_event: what a ticket's row does not tell
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(113);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"exemptions": {"known": "A known incident", "test": "A test"},
	"metrics": {"triage": {"title": "Triage", "starts_on": ["opened"], "stops_on": ["assigned"]}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S1", "metric": "reply", "goal": "2h", "calendar": "always"},
		{"severity": "S1", "metric": "update", "goal": "3h", "calendar": "always"},
		{"severity": "S1", "metric": "resolution", "goal": "4h", "calendar": "always"},
		{"severity": "S1", "metric": "triage", "goal": "1h", "calendar": "always"}]}');
CREATE TABLE tickets (id int PRIMARY KEY, s text DEFAULT 'S1', at timestamptz DEFAULT '2026-03-02 09:00', replied timestamptz, done timestamptz, who text,
	touched int DEFAULT 0, twice int GENERATED ALWAYS AS (touched * 2) STORED);
SELECT sla.attach('tickets', 'acme', 's', 'at', 'replied', 'done', assignee => 'who');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.touched := NEW.touched + 1; RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION touch();
INSERT INTO tickets (id) SELECT generate_series(1, 30);

CREATE FUNCTION event(key text, kind text, at text, value text DEFAULT NULL) RETURNS int LANGUAGE sql AS $$
	SELECT sla.record_event('tickets', key, kind, ('2026-03-02 ' || at)::timestamptz, value) $$;
CREATE FUNCTION due(key text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', coalesce(to_char(sla_response_due, 'HH24:MI'), '-'), coalesce(to_char(sla_reply_due, 'HH24:MI'), '-'),
		coalesce(to_char(sla_update_due, 'HH24:MI'), '-'), coalesce(to_char(sla_resolution_due, 'HH24:MI'), '-')) FROM tickets WHERE id::text = key $$;
CREATE FUNCTION state(key text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.state, t.version, t.exempt) FROM sla.ticket t WHERE t.key = $1 $$;
CREATE FUNCTION outcome(key text, metric text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', to_char(c.due_at, 'HH24:MI'), coalesce(c.outcome, 'running')), ', ' ORDER BY c.cycle)
	FROM sla.clock c JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key = $1 AND c.metric = $2 $$;
CREATE FUNCTION last(key text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', e.seq, e.kind, to_char(e.at, 'HH24:MI'), coalesce(e.old_value, '-'), coalesce(e.new_value, '-'), coalesce(e.source, '-'))
	FROM sla.event e JOIN sla.ticket t ON t.id = e.ticket_id WHERE t.key = $1 ORDER BY e.seq DESC LIMIT 1 $$;

-- What happens to a ticket
SELECT is(event('1', 'replied', '09:40'), 2, 'the seq of the event comes back');
SELECT is(last('1'), '2 replied 09:40 - - api', 'which is recorded with its source');
SELECT is(outcome('1', 'response'), '10:00 met', 'the clock stops');
SELECT is(due('1'), '10:00 - 12:40 13:00', 'and the row is stamped');
SELECT is((SELECT touched FROM tickets WHERE id = 1), 0, 'no trigger of the table has fired');
SELECT is(event('1', 'customer_replied', '09:50'), 3, 'the customer writes');
SELECT is(due('1'), '10:00 11:50 12:40 13:00', 'a turn begins');
SELECT is(event('1', 'updated', '10:10'), 4, 'news');
SELECT is(due('1'), '10:00 11:50 13:10 13:00', 'end it, and the next are due');
SELECT is(event('1', 'assigned', '09:30', 'bob'), 5, 'what happened earlier may come later');
SELECT is(outcome('1', 'triage'), '10:00 met', 'and counts from when it happened');
SELECT is(event('1', 'assigned', '09:45', 'eve'), 6, 'another assignee');
SELECT is(last('1'), '6 assigned 09:45 bob eve api', 'comes after the one before');
SELECT is(event('1', 'investigated', '09:35'), 7, 'investigated');
SELECT is(event('1', 'resolved', '12:00'), 8, 'resolved');
SELECT is(state('1'), 'resolved 8', 'is its state');
SELECT is(event('1', 'reopened', '13:00'), 9, 'reopened');
SELECT is(due('1'), '10:00 11:50 14:10 14:00', 'the time between does not count');
SELECT is(state('1'), 'open 9', 'open again');
UPDATE tickets SET replied = '2026-03-02 09:20' WHERE id = 1;
SELECT is(last('1'), '10 replied 09:20 - - -', 'the row tells its own news beside that');
SELECT is((SELECT touched || ' ' || twice FROM tickets WHERE id = 1), '1 2', 'an update is an update');
UPDATE tickets SET replied = NULL WHERE id = 1;
SELECT is(outcome('1', 'response'), '10:00 met', 'and takes back only what it has said itself');

-- Pauses, told apart by their names and from that of the row
SELECT is(event('2', 'paused', '09:10', 'customer'), 2, 'a pause');
SELECT is(state('2') || ', ' || due('2'), 'paused 2, - - - -', 'no due times meanwhile');
SELECT is(event('2', 'paused', '09:20', 'supplier'), 3, 'another');
SELECT is(event('2', 'resumed', '09:30', 'customer'), 4, 'one ends');
SELECT is(state('2'), 'paused 4', 'the other goes on');
SELECT is(event('2', 'resumed', '09:25', 'nobody'), 5, 'what was no pause ends none');
SELECT is(event('2', 'resumed', '09:40', 'supplier'), 6, 'all over');
SELECT is(state('2') || ', ' || due('2'), 'open 6, 10:30 - - 13:30', 'half an hour did not count');

-- The same again
SELECT is(event('2', 'paused', '09:10', 'customer'), NULL, 'the same event again is none');
SELECT is(state('2'), 'open 6', 'and leaves no trace');
SELECT is(event('2', 'paused', '09:10', 'else'), 7, 'another value is another event');
SELECT is(event('2', 'resumed', '09:10', 'else'), 8, 'another kind, too');
SELECT is(event('2', 'paused', '09:11', 'else'), 9, 'another time, too');
SELECT is(event('2', 'retracted', '09:50', '9'), 10, 'an event that was not so is retracted');
SELECT is(last('2'), '10 retracted 09:50 - 9 api', 'as such');
SELECT is(event('2', 'retracted', '09:55', '9'), NULL, 'once');
SELECT is(event('2', 'paused', '09:11', 'else'), 11, 'and may turn out to be so after all');
SELECT is(event('2', 'retracted', '09:50', '11'), 12, 'and not again');
SELECT is(due('2'), '10:30 - - 13:30', 'due times follow');
SELECT is((SELECT count(*) FROM sla.event e JOIN sla.ticket t ON t.id = e.ticket_id WHERE key = '2'), 12::bigint, 'nothing was erased');

-- Exemptions
SELECT is(event('3', 'exempted', '09:10', 'known'), 2, 'a ticket is exempt');
SELECT is(state('3') || ', ' || due('3') || ', ' || outcome('3', 'response'), 'open 2 known, - - - -, 10:00 exempt', 'and promised nothing');
SELECT is(event('3', 'exempted', '09:20', 'test'), 3, 'for two reasons');
SELECT is(event('3', 'covered', '09:30', 'known'), 4, 'one applies no more');
SELECT is(last('3') || ', ' || state('3'), '4 covered 09:30 known - api, open 4 test', 'the other does');
SELECT is(event('3', 'covered', '09:40'), 5, 'none does');
SELECT is(state('3') || ', ' || due('3'), 'open 5, 10:00 - - 13:00', 'as if it never was');
SELECT throws_ok($$SELECT event('3', 'exempted', '09:50', 'holiday')$$, '22023', 'policy "acme" knows no reason "holiday" for an exemption', 'a reason has to be one of the policy');
SELECT is(state('3'), 'open 5', 'nothing is written otherwise');

-- The end
SELECT is(event('4', 'cancelled', '09:10', 'spam'), 2, 'cancelled');
SELECT is(state('4') || ', ' || outcome('4', 'response'), 'cancelled 2, 10:00 cancelled', 'its promises fall away');
SELECT is(event('5', 'cancelled', '09:10'), 2, 'without a reason');
SELECT is(event('5', 'reopened', '10:10'), 3, 'and back');
SELECT is(due('5'), '11:00 - - 14:00', 'it goes on');
SELECT is(event('6', 'merged', '09:10', '05'), 2, 'merged into another ticket');
SELECT is(last('6') || ', ' || state('6'), '2 merged 09:10 - 5 api, cancelled 2', 'known by its key');
SELECT throws_ok($$SELECT event('7', 'merged', '09:10', '7')$$, '22023', 'ticket 7 cannot be merged into itself', 'but not into itself');
SELECT throws_ok($$SELECT event('7', 'merged', '09:10', '99')$$, '02000', 'there is no ticket 99 to be merged into', 'nor into none');
DELETE FROM tickets WHERE id = 8;
SELECT is(event('8', 'replied', '09:10'), 3, 'what happened to a deleted ticket is recorded');
SELECT is(state('8'), 'deleted 3', 'it stays deleted');
INSERT INTO tickets (id) VALUES (8);
SELECT is(outcome('8', 'response'), '10:00 met', 'and counts when the row comes back');

-- What is refused
SELECT throws_ok(format('SELECT event(''9'', %L, ''09:10'', ''x'')', k), '22023', format('events of kind "%s" are for the ticket''s row to tell', k), k || ' is for the row')
	FROM unnest('{opened,severity,product,account,channel,deleted,restored}'::text[]) k;
SELECT throws_ok(format('SELECT event(''9'', %L, ''09:10'', ''x'')', k), '22023', format('events of kind "%s" have no value', k), k || ' has no value')
	FROM unnest('{replied,updated,customer_replied,investigated,resolved,reopened}'::text[]) k;
SELECT throws_ok(format('SELECT event(''9'', %L, ''09:10'')', k), '22023', format('events of kind "%s" need a value', k), k || ' needs one')
	FROM unnest('{assigned,paused,resumed,exempted,merged,retracted}'::text[]) k;
SELECT throws_ok($$SELECT event('9', 'paused', '09:10', '')$$, '22023', 'the value of an event must not be empty', 'an empty value');
SELECT throws_ok($$SELECT event('9', 'pinned', '09:10', 'x')$$, '22023', 'events of kind "pinned" need a metric and a due time', 'a pin has a function of its own');
SELECT throws_ok($$SELECT event('9', 'Replied', '09:10')$$, '22023', 'there is no kind of event "Replied"', 'no such kind');
SELECT throws_ok(format('SELECT event(''9'', ''retracted'', ''09:10'', %L)', v), '22023', NULL, 'no event to retract: ' || v) FROM unnest('{0,2,-1,x,99999999999,1.0,"1 "}'::text[]) v;
SELECT throws_ok($$SELECT event('9', 'retracted', '09:10', '1')$$, '22023', 'event 1 is none that can be retracted', 'what the row says is corrected there');
SELECT throws_ok($$SELECT event('2', 'retracted', '09:10', '10')$$, '22023', 'event 10 is none that can be retracted', 'nor is a retraction undone');
SELECT throws_ok(format('SELECT sla.record_event(%s)', a), '22004', NULL, 'a null argument: ' || a) FROM unnest(ARRAY[
	$$NULL, '9', 'replied', now()$$, $$'tickets', NULL, 'replied', now()$$, $$'tickets', '9', NULL, now()$$, $$'tickets', '9', 'replied', NULL$$]) a;
SELECT throws_ok(format('SELECT sla.record_event(''tickets'', ''9'', ''replied'', %L)', t), '22023', 'at must not be infinite', t) FROM unnest('{infinity,-infinity}'::text[]) t;
CREATE TABLE other (id int PRIMARY KEY);
SELECT throws_ok($$SELECT sla.record_event('other', '9', 'replied', now())$$, '55000', 'table "other" is not attached', 'a table that is not attached');
SELECT throws_ok($$SELECT sla.record_event(0, '9', 'replied', now())$$, '42P01', NULL, 'no table');
SELECT is(state('9'), 'open 1', 'none of that left a trace');

-- A row that nobody has recorded yet
CREATE TABLE waiting (id int PRIMARY KEY, s text, at timestamptz DEFAULT '2026-03-02 09:00');
INSERT INTO waiting VALUES (101, 'S1'), (102, 'none');
SELECT sla.attach('waiting', 'acme', 's', 'at', record_rows => false);
SELECT is(sla.record_event('waiting', '101', 'paused', '2026-03-02 09:10', 'customer'), 2, 'an event of a row from before');
SELECT is(state('101'), 'paused 2', 'records it first');
SELECT is(sla.record_event('waiting', '102', 'replied', '2026-03-02 09:10'), 2, 'one that lacks something');
SELECT is(state('102'), 'open 2 error: s "none" maps to no severity', 'lacks it still');
SELECT sla.detach('waiting');
SELECT throws_ok($$SELECT sla.record_event('waiting', '101', 'replied', '2026-03-02 09:10')$$, '55000', NULL, 'a table that was detached');
SELECT sla.attach('waiting', 'acme', 's', 'at', on_error => 'reject', record_rows => false);
INSERT INTO waiting VALUES (103, 'S1');
ALTER TABLE waiting DISABLE TRIGGER USER;
INSERT INTO waiting VALUES (104, 'none');
ALTER TABLE waiting ENABLE TRIGGER USER;
SELECT throws_ok($$SELECT sla.record_event('waiting', '104', 'replied', '2026-03-02 09:10')$$, '23514', NULL, 'a table that rejects such rows rejects their events');

-- Tickets under no policy
CREATE TABLE named (id int PRIMARY KEY, s text DEFAULT 'S1', at timestamptz DEFAULT '2026-03-02 09:00', policy text, account text);
SELECT sla.attach('named', 'acme', 's', 'at', policy_column => 'policy');
INSERT INTO named VALUES (201, 'S1', '2026-03-02 09:00', 'gold'), (202, 'S1', '2026-03-02 09:00', NULL);
SELECT sla.record_event('named', i::text, 'paused', '2026-03-02 09:10', 'customer') FROM generate_series(201, 202) i;
SELECT is(state('201'), 'paused 2 error: policy "gold" does not exist or has no version', 'a ticket whose policy does not exist');
SELECT is(outcome('201', 'response'), NULL, 'has no clock by another');
SELECT sla.detach('named');
CREATE TABLE contracted (LIKE named INCLUDING ALL);
SELECT sla.attach('contracted', received_at => 'at', severity => 's', account => 'account');
INSERT INTO contracted (id, account) VALUES (203, 'nobody');
SELECT is(state('203'), 'open 1 uncovered: account "nobody" had no valid contract', 'a ticket without a contract');
INSERT INTO sla.contract (account, policy, valid) VALUES ('nobody', 'acme', '[2026-01-01,)');
SELECT sla.record_event('contracted', '203', 'replied', '2026-03-02 09:10');
SELECT is(state('203'), 'open 2', 'is covered, like by an update, when something happens after there is one');

SELECT * FROM finish();
ROLLBACK;
