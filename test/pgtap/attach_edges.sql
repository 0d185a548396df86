-- Keys of any length, and what detaching ends.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;
SELECT plan(9);

SELECT sla.load_policy('{
  "policy": "edges", "title": "Edges", "time_zone": "UTC",
  "calendars": {"always": {"hours": "24/7"}},
  "targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}]
}'::jsonb) \g /dev/null

-- a key longer than an index can hold
CREATE TABLE long_key (id bytea PRIMARY KEY, priority text, received timestamptz, replied timestamptz);
SELECT sla.attach('long_key', policy => 'edges', severity => 'priority', received_at => 'received', responded_at => 'replied') \g /dev/null
SELECT lives_ok($$ INSERT INTO long_key SELECT decode(string_agg(md5(i::text), ''), 'hex') || '\x01', 'S1', '2026-03-02 09:00+00' FROM generate_series(1, 100) i $$, 'a long key goes in');
SELECT lives_ok($$ INSERT INTO long_key SELECT decode(string_agg(md5(i::text), ''), 'hex') || '\x02', 'S1', '2026-03-02 09:00+00' FROM generate_series(1, 100) i $$, 'and one that differs at its end');
SELECT is((SELECT count(*) FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id WHERE a.ticket_table = 'long_key'::regclass), 2::bigint, 'as two tickets');
UPDATE long_key SET replied = '2026-03-02 09:30+00';
SELECT is((SELECT count(*) FROM sla.clock WHERE outcome = 'met'), 2::bigint, 'that are found again');

-- a ticket can be resolved while one of its clocks runs
INSERT INTO sla.metric (name, title, starts_on, stops_on) VALUES ('answer', 'Answer', '{opened}', '{replied}');
SELECT sla.load_policy('{
  "policy": "answers", "title": "Answers", "time_zone": "UTC",
  "calendars": {"always": {"hours": "24/7"}},
  "targets": [{"severity": "S1", "metric": "answer", "goal": "1h", "calendar": "always"}]
}'::jsonb) \g /dev/null
CREATE TABLE helpdesk (id int PRIMARY KEY, priority text, received timestamptz, replied timestamptz, closed timestamptz);
SELECT sla.attach('helpdesk', policy => 'answers', severity => 'priority', received_at => 'received', responded_at => 'replied', resolved_at => 'closed') \g /dev/null
INSERT INTO helpdesk VALUES (1, 'S1', '2026-03-02 09:00+00', NULL, '2026-03-02 09:10+00');
SELECT is(outcome, NULL, 'resolved, but not answered') FROM sla.clock WHERE metric = 'answer';
SELECT sla.detach('helpdesk') \g /dev/null
SELECT isnt(outcome, NULL, 'detaching ends what runs') FROM sla.clock WHERE metric = 'answer';
SELECT is(sla.flag_due('2200-01-01'), 1::bigint, 'a breach that had happened by then is flagged still');
SELECT is(sla.flag_due('2200-01-01'), 0::bigint, 'and nothing after');

SELECT throws_ok($$ SELECT sla.register_attachment('helpdesk', 'answers', '{"key": ["id"], "severity": "priority", "received_at": "received"}', NULL, '{}', 'zzz') $$,
    '22023', NULL, 'on_error is checked whoever calls');
SELECT * FROM finish();
ROLLBACK;
