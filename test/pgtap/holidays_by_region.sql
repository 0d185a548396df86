-- sla.holiday and the calendars of its regions
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(74);

-- Names of regions
SELECT is(sla.is_region(name), expected, format('%s as a region', to_json(name)))
FROM (VALUES ('DE', true), ('DE-BY', true), ('US-CA-037', true), ('ACME', true), ('1', true), (repeat('X', 63), true),
			 (repeat('X', 64), false), ('', false), ('de', false), ('De', false), ('DE-', false), ('-DE', false),
			 ('DE--BY', false), ('DE BY', false), (' DE', false), (E'DE\n', false), ('DE_BY', false), ('Ä', false),
			 ('DE,AT', false), (NULL, NULL)) AS v(name, expected);
SELECT is(sla.regions_around(regions), expected, format('around %s', regions))
FROM (VALUES ('{}'::text[], '{}'::text[]), ('{DE}', '{DE}'), ('{DE-BY}', '{DE,DE-BY}'),
			 ('{DE-BY-09162,DE-BW,AT}', '{AT,DE,DE-BW,DE-BY,DE-BY-09162}'), (NULL, NULL)) AS v(regions, expected);

-- What may not be written
SELECT throws_ok(format('INSERT INTO sla.holiday (region, day) VALUES (%s)', row_text), code, message, 'no holiday ' || row_text)
FROM (VALUES ($$'tx', '2026-12-25'$$, '23514', '"tx" is not a name of a region'),
			 ($$'', '2026-12-25'$$, '23514', '"" is not a name of a region'),
			 ($$'TX-', '2026-12-25'$$, '23514', '"TX-" is not a name of a region'),
			 ($$NULL, '2026-12-25'$$, '23502', NULL),
			 ($$'TX', NULL$$, '23502', NULL),
			 ($$'TX', 'infinity'$$, '22008', 'holiday out of range'),
			 ($$'TX', '-infinity'$$, '22008', 'holiday out of range'),
			 ($$'TX', '10000-01-01'$$, '22008', 'holiday out of range'),
			 ($$'TX', '0001-12-31 BC'$$, '22008', 'holiday out of range')) AS v(row_text, code, message);
SELECT throws_ok(format('INSERT INTO sla.calendar (name, hours, regions) VALUES (%L, %s)', 't bad', row_text), code, message, 'no calendar ' || row_text)
FROM (VALUES ($$'UTC Mo 09:00-17:00', '{TX,tx}'$$, '23514', '"tx" is not a name of a region'),
			 ($$'UTC Mo 09:00-17:00', '{TX,NULL}'$$, '22004', 'a region must not be NULL'),
			 ($$'UTC Mo 09:00-17:00', NULL$$, '23502', NULL),
			 ($$'24/7', '{TX}'$$, '22023', 'calendar "t bad" cannot have the holidays of its regions')) AS v(row_text, code, message);
SET LOCAL session_replication_role = replica;
SELECT throws_ok($$ INSERT INTO sla.holiday VALUES ('tx', '2026-12-25') $$, '23514', NULL, 'regions are checked without triggers too');
SELECT throws_ok($$ INSERT INTO sla.holiday VALUES ('TX', 'infinity') $$, '23514', NULL, 'and days');
SET LOCAL session_replication_role = origin;

-- Calendars take the holidays that there are
INSERT INTO sla.holiday VALUES ('TX', '2026-12-25', 'Christmas'), ('TX', '2026-12-24', 'Christmas Eve');
INSERT INTO sla.calendar (name, hours, regions) VALUES
	('t all', 'UTC Mo-Fr 09:00-17:00', '{TX}'),
	('t part', 'UTC Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00', '{TX-S,TX-S}'),
	('t deep', 'UTC Mo-Fr 09:00-17:00', '{TX-S-1}'),
	('t two', 'UTC Mo-Fr 09:00-17:00', '{TY,TX-N}'),
	('t like', 'UTC Mo-Fr 09:00-17:00', '{TXS}'),
	('t none', 'UTC Mo-Fr 09:00-17:00', '{}');
CREATE FUNCTION pg_temp.effective(name text) RETURNS text LANGUAGE sql AS
	$$ SELECT sla.effective_hours(name)::text $$;
CREATE FUNCTION pg_temp.all_hours() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(c.name || ': ' || coalesce(substr(sla.effective_hours(c.name)::text, 24), ''), E'\n' ORDER BY c.name COLLATE "C")
	FROM sla.calendar c WHERE c.name LIKE 't %' $$;
SELECT is(pg_temp.effective('t all'), 'UTC Mo-Fr 09:00-17:00; 2026-12-24,2026-12-25 off', 'holidays of the region');
SELECT is(pg_temp.effective('t part'), 'UTC Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00; 2026-12-25 off',
		  'and of the one it is a part of; hours that the calendar gives for a date win');
SELECT is(pg_temp.effective('t deep'), 'UTC Mo-Fr 09:00-17:00; 2026-12-24,2026-12-25 off', 'at any depth');
SELECT is(pg_temp.effective('t like'), 'UTC Mo-Fr 09:00-17:00', 'parts count, not letters');
SELECT is(pg_temp.effective('t none'), 'UTC Mo-Fr 09:00-17:00', 'no region, no holidays');
SELECT is(pg_temp.effective('t nowhere'), NULL, 'no calendar, no hours');
SELECT is((SELECT hours::text FROM sla.calendar WHERE name = 't all'), 'UTC Mo-Fr 09:00-17:00', 'its own hours stay as written');
SELECT is((SELECT regions FROM sla.calendar WHERE name = 't part'), '{TX-S}', 'regions are kept once');
SELECT is((SELECT regions FROM sla.calendar WHERE name = 't two'), '{TX-N,TY}', 'and in order');
SELECT is((SELECT count(DISTINCT hours_id) FROM sla.calendar WHERE name IN ('t all', 't deep', 't two')), 1::bigint,
		  'what comes out equal shares a row of sla.hours');
SELECT is((SELECT value::text FROM sla.hours WHERE id = (SELECT hours_id FROM sla.calendar WHERE name = 't all')),
		  pg_temp.effective('t all'), 'that row has the hours that count');

-- They follow every way to change the set
INSERT INTO sla.holiday VALUES ('TX-S', '2026-01-06', 'Epiphany'), ('TY', '2026-05-01', NULL);
SELECT is(pg_temp.all_hours(), E't all: 2026-12-24,2026-12-25 off
t deep: 2026-01-06,2026-12-24,2026-12-25 off
t like: \nt none: 
t part: 2026-01-06 off; 2026-12-24 09:00-13:00; 2026-12-25 off
t two: 2026-05-01,2026-12-24,2026-12-25 off', 'INSERT');
UPDATE sla.holiday SET day = day + 1 WHERE day = '2026-05-01';
SELECT is(pg_temp.effective('t two'), 'UTC Mo-Fr 09:00-17:00; 2026-05-02,2026-12-24,2026-12-25 off', 'UPDATE of the day');
UPDATE sla.holiday SET region = 'TX-S-1' WHERE region = 'TX-S';
SELECT is(pg_temp.effective('t part'), 'UTC Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00; 2026-12-25 off', 'UPDATE of the region: gone here');
SELECT is(pg_temp.effective('t deep'), 'UTC Mo-Fr 09:00-17:00; 2026-01-06,2026-12-24,2026-12-25 off', 'and still there');
INSERT INTO sla.holiday VALUES ('TX', '2026-12-25', 'again'), ('TX', '2026-12-31', NULL)
	ON CONFLICT (region, day) DO UPDATE SET name = excluded.name;
SELECT is(pg_temp.effective('t all'), 'UTC Mo-Fr 09:00-17:00; 2026-12-24,2026-12-25,2026-12-31 off', 'ON CONFLICT');
DELETE FROM sla.holiday WHERE day = '2026-12-24';
SELECT is(pg_temp.effective('t all'), 'UTC Mo-Fr 09:00-17:00; 2026-12-25,2026-12-31 off', 'DELETE');
SAVEPOINT s;
TRUNCATE sla.holiday;
SELECT is(pg_temp.effective('t deep'), 'UTC Mo-Fr 09:00-17:00', 'TRUNCATE');
ROLLBACK TO s;
SELECT is(pg_temp.effective('t deep'), 'UTC Mo-Fr 09:00-17:00; 2026-01-06,2026-12-25,2026-12-31 off', 'and ROLLBACK');
COPY sla.holiday FROM STDIN;
TZ	2026-07-04	\N
TXS	2026-07-04	\N
\.
SELECT is(pg_temp.effective('t like'), 'UTC Mo-Fr 09:00-17:00; 2026-07-04 off', 'COPY');

-- and changes of their own
UPDATE sla.calendar SET regions = '{TZ}' WHERE name = 't none';
SELECT is(pg_temp.effective('t none'), 'UTC Mo-Fr 09:00-17:00; 2026-07-04 off', 'regions given later');
UPDATE sla.calendar SET hours = 'UTC Mo-Fr 08:00-18:00' WHERE name = 't none';
SELECT is(pg_temp.effective('t none'), 'UTC Mo-Fr 08:00-18:00; 2026-07-04 off', 'other hours');
UPDATE sla.calendar SET hours_id = 1 WHERE name = 't none';
SELECT is(pg_temp.effective('t none'), 'UTC Mo-Fr 08:00-18:00; 2026-07-04 off', 'hours_id cannot come to say something else');
SELECT throws_ok($$ UPDATE sla.calendar SET hours = '24/7' WHERE name = 't none' $$, '22023', NULL, 'nor hours that cannot have holidays');
UPDATE sla.calendar SET regions = '{}', hours = '24/7' WHERE name = 't none';
SELECT is(pg_temp.effective('t none'), '24/7', 'unless the regions go');

-- Once per statement, and only those concerned
CREATE TEMPORARY TABLE write (calendar text);
CREATE FUNCTION pg_temp.note() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN INSERT INTO pg_temp.write VALUES (NEW.name); RETURN NULL; END $$;
CREATE TRIGGER note AFTER UPDATE ON sla.calendar FOR EACH ROW EXECUTE FUNCTION pg_temp.note();
CREATE FUNCTION pg_temp.written() RETURNS text[] LANGUAGE sql AS
	$$ WITH gone AS (DELETE FROM pg_temp.write RETURNING calendar) SELECT array_agg(calendar ORDER BY calendar COLLATE "C") FROM gone $$;
SELECT count(*) AS before FROM sla.hours \gset
INSERT INTO sla.holiday SELECT 'TX-S', '2027-01-01'::date + i FROM generate_series(1, 10000) AS i;
SELECT is(pg_temp.written(), '{t deep,t part}', '10,000 holidays: each calendar of the region once');
SELECT is((SELECT count(*) FROM sla.hours), :before + 2::bigint, 'with no hours in between');
UPDATE sla.holiday SET name = 'x' WHERE region = 'TX-S';
SELECT is(pg_temp.written(), NULL, 'names concern no calendar');
INSERT INTO sla.holiday VALUES ('TQ', '2026-01-01');
SELECT is(pg_temp.written(), NULL, 'nor holidays elsewhere');
INSERT INTO sla.holiday VALUES ('TQ', '2026-01-01') ON CONFLICT DO NOTHING;
DELETE FROM sla.holiday WHERE region = 'TNONE';
SELECT is(pg_temp.written(), NULL, 'nor statements without rows');
SELECT throws_ok($$ INSERT INTO sla.holiday SELECT 'TX-S-1', '2060-01-01'::date + 2 * i FROM generate_series(1, 20000) AS i $$,
				 '54000', 'calendar "t deep" cannot have the holidays of its regions', 'more than hours can hold: it is said for which calendar');

-- What a restore brings is left alone, what it does not bring is made
SET LOCAL check_function_bodies = off;
INSERT INTO sla.calendar (name, hours, regions, hours_id) VALUES ('t back', 'UTC Mo-Fr 09:00-17:00', '{TZ}', 123456789);
INSERT INTO sla.calendar (name, hours, regions) VALUES ('t made', 'UTC Mo-Fr 09:00-17:00', '{TZ}');
INSERT INTO sla.holiday VALUES ('TZ', '2026-11-11');
SET LOCAL check_function_bodies = on;
SELECT is((SELECT hours_id FROM sla.calendar WHERE name = 't back'), 123456789, 'a restore keeps identifiers');
SELECT is(pg_temp.effective('t made'), 'UTC Mo-Fr 09:00-17:00; 2026-07-04 off', 'rows without one get one, and holidays change nothing meanwhile');
UPDATE sla.calendar SET hours = hours WHERE name LIKE 't %';
SELECT is(pg_temp.effective('t back') || pg_temp.effective('t made'), repeat('UTC Mo-Fr 09:00-17:00; 2026-07-04,2026-11-11 off', 2),
		  'an update brings them up to date');

SELECT * FROM finish();
ROLLBACK;
