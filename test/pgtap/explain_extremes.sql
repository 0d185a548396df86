-- Explanations end, however far away a due time lies
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;
SELECT plan(12);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}, "office": {"hours": "UTC Mo-Fr 09:00-17:00"}, "once": {"hours": "UTC 2026-03-02 09:00-10:00"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "2h", "calendar": "once"},
		{"severity": "S1", "metric": "resolution", "goal": "2500000000h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "5000bd", "calendar": "office"},
		{"severity": "S3", "metric": "response", "goal": "1h", "calendar": "always"}]}') \g /dev/null
CREATE TABLE helpdesk (id int PRIMARY KEY, s text, received timestamptz, status text DEFAULT 'open', changed timestamptz);
SELECT sla.attach('helpdesk', 'acme', 's', 'received', status => 'status', paused_when => '{waiting}', changed_at => 'changed') \g /dev/null
INSERT INTO helpdesk VALUES (1, 'S1', '2026-03-02 09:00'), (2, 'S2', '2026-03-02 09:00'), (3, 'S3', '4714-11-24 00:00 BC'), (4, 'S3', '294276-12-31 23:30'), (5, 'S3', '2026-03-02 09:00');

SELECT results_eq($$SELECT at, until, counted, what, why FROM sla.explain('helpdesk', '1') WHERE metric = 'response' AND event IS NULL$$,
	$$VALUES (timestamptz '2026-03-02 09:00', NULL::timestamptz, NULL::interval, 'response: runs, 2h, not due as things stand', NULL),
		('2026-03-02 09:00', '2026-03-02 10:00', interval '1h', 'response: 1h count', 'open'),
		('2026-03-02 10:00', 'infinity', '0', 'response: does not count', 'never open again')$$, 'hours that never come');
SELECT results_eq($$SELECT at, until FROM sla.explain('helpdesk', '1') WHERE metric = 'resolution' AND event IS NULL AND goal IS NULL$$,
	$$VALUES (timestamptz '2026-03-02 09:00', timestamptz '287224-10-24 01:00')$$, 'one stretch of a quarter of a million years');
SELECT is((SELECT count(*) FROM sla.explain('helpdesk', '2') WHERE event IS NULL AND counted IS NOT NULL), 1000::bigint, 'of a goal far ahead the first stretches are told');
SELECT is((SELECT what FROM sla.explain('helpdesk', '2') ORDER BY step DESC LIMIT 1), 'response: more stretches than are told', 'and that there are more');
SELECT is((SELECT what FROM sla.explain('helpdesk', '3') WHERE event IS NULL AND goal IS NULL AND metric IS NOT NULL), 'response: 1h count', 'the first instant');
SELECT is((SELECT due_at FROM sla.explain('helpdesk', '4') WHERE event IS NULL AND goal IS NOT NULL), 'infinity'::timestamptz, 'the last one');

-- Pins
SELECT sla.pin_due('helpdesk', '5', 'response', 'infinity', '2026-03-02 09:10') \g /dev/null
SELECT is((SELECT what FROM sla.explain('helpdesk', '5') WHERE event = 'pinned' AND metric IS NOT NULL), 'response pinned, now not due as things stand', 'pinned to never');
SELECT is((SELECT until FROM sla.explain('helpdesk', '5') ORDER BY step DESC LIMIT 1), 'infinity'::timestamptz, 'whose time runs on');
SELECT sla.pin_due('helpdesk', '5', 'response', '2026-03-01 09:00', '2026-03-02 09:20') \g /dev/null
SELECT is_empty($$SELECT FROM sla.explain('helpdesk', '5') WHERE event IS NULL AND goal IS NULL AND metric IS NOT NULL$$, 'pinned to before it started: no time until it is due');

-- A pause in which it is
UPDATE helpdesk SET status = 'waiting', changed = '2026-03-02 09:30' WHERE id = 1;
SELECT is((SELECT until FROM sla.explain('helpdesk', '1') WHERE why = 'pause' AND metric = 'response'), 'infinity'::timestamptz, 'a pause that lasts');
SELECT is((SELECT why FROM sla.explain('helpdesk', '1') WHERE event = 'paused' AND metric = 'response'), NULL, 'with nothing that is left');

-- Many events
DO $$ BEGIN
	FOR i IN 1 .. 200 LOOP
		PERFORM sla.record_event('helpdesk', '2', CASE WHEN i % 2 = 1 THEN 'paused' ELSE 'resumed' END, timestamptz '2026-03-02 10:00' + i * interval '1 min', 'parts');
	END LOOP;
END $$;
SELECT is((SELECT count(DISTINCT seq) FROM sla.explain('helpdesk', '2')), 201::bigint, 'many events');
SELECT * FROM finish();
ROLLBACK;
