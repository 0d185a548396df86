-- Guards of partitioned tables: rows that move are what they were
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(29);

SELECT sla.load_policy('{"policy": "t parts", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}], "requests": {"test": {"lead": "2 weeks", "required": ["own"]}}}');
CREATE TABLE request (id int, region text, asked timestamptz DEFAULT '2026-03-02', own text DEFAULT 'x', starts_at timestamptz DEFAULT '2026-03-16', note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE request_eu PARTITION OF request FOR VALUES IN ('eu') PARTITION BY RANGE (id);
CREATE TABLE request_eu_1 PARTITION OF request_eu FOR VALUES FROM (0) TO (100);
CREATE TABLE request_eu_2 (note text, starts_at timestamptz DEFAULT '2026-03-16', dropped int, own text DEFAULT 'x', region text NOT NULL, id int NOT NULL, asked timestamptz DEFAULT '2026-03-02', PRIMARY KEY (id, region));
ALTER TABLE request_eu_2 DROP COLUMN dropped;
ALTER TABLE request_eu ATTACH PARTITION request_eu_2 FOR VALUES FROM (100) TO (200);
CREATE TABLE request_us PARTITION OF request FOR VALUES IN ('us');
SELECT sla.guard('request', policy => 't parts', kind => 'test', requested_at => 'asked');
SELECT throws_ok(format('SELECT sla.guard(%L, policy => %L, kind => %L)', t, 't parts', 'test'), '42710', NULL, t || ' is guarded as a part of it') FROM unnest('{request,request_eu,request_us}'::text[]) t;

SELECT lives_ok($$INSERT INTO request (id, region) VALUES (1, 'eu'), (101, 'eu'), (2, 'us')$$, 'by the table itself');
SELECT throws_ok($$INSERT INTO request (id, region, own) VALUES (3, 'eu', '')$$, 'SL002', NULL, 'or not');
SELECT throws_ok($$INSERT INTO request_us (id, region, own) VALUES (3, 'us', '')$$, 'SL002', NULL, 'nor into a partition');
SELECT throws_ok($$INSERT INTO request_eu_2 (id, region, own) VALUES (103, 'eu', '')$$, 'SL002', NULL, 'whose columns have another order');

-- rows from before the guard, which no rule would let in
ALTER TABLE request DISABLE TRIGGER USER;
INSERT INTO request (id, region, own, asked) VALUES (10, 'eu', NULL, '2026-03-10'), (110, 'eu', NULL, '2026-03-10');
ALTER TABLE request ENABLE TRIGGER USER;
SELECT lives_ok($$UPDATE request SET region = 'us' WHERE id = 10$$, 'move to another partition');
SELECT lives_ok($$UPDATE request SET region = CASE region WHEN 'us' THEN 'eu' ELSE 'us' END, note = 'moved'$$, 'and all of them at once');
SELECT lives_ok($$UPDATE request SET region = CASE region WHEN 'us' THEN 'eu' ELSE 'us' END, note = 'moved back'$$, 'and back');
SELECT throws_ok($$UPDATE request SET region = CASE region WHEN 'us' THEN 'eu' ELSE 'us' END, starts_at = starts_at - interval '1 s' WHERE id < 10$$, 'SL002', NULL, 'what changes on the way is checked');
SELECT lives_ok($$UPDATE request SET region = CASE region WHEN 'us' THEN 'eu' ELSE 'us' END, own = 'y' WHERE own IS NULL$$, 'also where it gets better');
SELECT is((SELECT string_agg(id || region || own, ' ' ORDER BY id) FROM request), '1eux 2usx 10euy 101eux 110usy', 'they are there');

-- a row that gets lost on its way lets in no other one
CREATE TABLE losing (id int, region text, own text, note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE losing_eu PARTITION OF losing FOR VALUES IN ('eu');
CREATE TABLE losing_us PARTITION OF losing FOR VALUES IN ('us');
INSERT INTO losing VALUES (1, 'eu', NULL);
SELECT sla.guard('losing', policy => 't parts', kind => 'test');
CREATE FUNCTION pg_temp.lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN NEW.note = 'lost' THEN NULL ELSE NEW END; END $$;
CREATE TRIGGER lose BEFORE INSERT ON losing_us FOR EACH ROW EXECUTE FUNCTION pg_temp.lose();
SELECT throws_ok($$WITH m AS (UPDATE losing SET region = 'us', note = 'lost' RETURNING 1)
	INSERT INTO losing SELECT 2, 'eu', NULL FROM (SELECT count(*) FROM m) moved$$, 'SL002', NULL, 'a row that does not arrive lets in no other one');
SELECT lives_ok($$UPDATE losing SET region = 'us'$$, 'one that does is what it was');
DROP TABLE losing;
CREATE TABLE keyless (id int, region text, own text) PARTITION BY LIST (region);
CREATE TABLE keyless_eu PARTITION OF keyless FOR VALUES IN ('eu');
CREATE TABLE keyless_us PARTITION OF keyless FOR VALUES IN ('us');
INSERT INTO keyless VALUES (1, 'eu', NULL);
SELECT sla.guard('keyless', policy => 't parts', kind => 'test');
SELECT throws_ok($$UPDATE keyless SET region = 'us'$$, 'SL002', NULL, 'without a key one that moves is a new one');
DROP TABLE keyless;

-- a guard without one of its columns
SAVEPOINT whole;
ALTER TABLE request RENAME starts_at TO begins;
SELECT throws_ok($$UPDATE request SET note = 'x' WHERE id = 2$$, '55000', NULL, 'a guard that lacks a column refuses');
SELECT throws_ok($$UPDATE request SET region = 'eu' WHERE id = 2$$, '55000', NULL, 'also what moves');
SELECT lives_ok($$DELETE FROM request WHERE id = 2$$, 'but not what goes');
ROLLBACK TO whole;
SELECT throws_ok($$WITH d AS (DELETE FROM request WHERE id = 10 RETURNING *) INSERT INTO request SELECT id, region, asked, '', starts_at FROM d$$, 'SL002', NULL, 'a row of its own is a new one');

-- a partition of its own, attached and detached
CREATE TABLE apart (LIKE request INCLUDING ALL);
SELECT lives_ok($$INSERT INTO apart (id, region, own) VALUES (1, 'ap', NULL)$$, 'a table that is none of it');
ALTER TABLE request ATTACH PARTITION apart FOR VALUES IN ('ap');
SELECT throws_ok($$INSERT INTO apart (id, region, own) VALUES (2, 'ap', NULL)$$, 'SL002', NULL, 'becomes a part');
ALTER TABLE request DETACH PARTITION apart;
SELECT lives_ok($$INSERT INTO apart (id, region, own) VALUES (2, 'ap', NULL)$$, 'and none again');
SELECT sla.unguard('request');
SELECT lives_ok($$INSERT INTO request_us (id, region, own) VALUES (5, 'us', '')$$, 'without the guard nobody is refused');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgname = '!sla_guard'), 0::bigint, 'no trigger is left');

-- the guard of a partition alone
SELECT sla.guard('request_us', policy => 't parts', kind => 'test', requested_at => 'asked');
SELECT throws_ok($$INSERT INTO request (id, region, own) VALUES (6, 'us', '')$$, 'SL002', NULL, 'a partition alone');
SELECT lives_ok($$INSERT INTO request (id, region, own) VALUES (6, 'eu', '')$$, 'not the others');
SELECT throws_ok($$SELECT sla.guard('request', policy => 't parts', kind => 'test')$$, '42710', NULL, 'then not the whole table, too');
DROP TABLE request;
SELECT is((SELECT count(*) FROM sla.guard_rule WHERE guarded_table::oid NOT IN (SELECT oid FROM pg_class)), 0::bigint, 'a guard goes with its table');

SELECT * FROM finish();
ROLLBACK;
