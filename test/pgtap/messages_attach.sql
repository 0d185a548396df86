-- sla.attach_messages: tables and columns of every kind, and what is refused
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(76);

SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S1", "metric": "update", "goal": "2h", "calendar": "always"}]}');
CREATE TABLE tickets (id int PRIMARY KEY, s text DEFAULT 'S1', at timestamptz DEFAULT '2026-03-02 09:00', requester text DEFAULT 'ann', requester_id bigint DEFAULT 7);
SELECT sla.attach('tickets', 'acme', 's', 'at');
INSERT INTO tickets (id) SELECT generate_series(1, 9);
CREATE FUNCTION said(key text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(concat_ws(' ', replace(e.kind, 'customer_replied', 'asked'), to_char(e.at, 'HH24:MI'), e.source), ', ' ORDER BY e.at, e.seq), '-')
	FROM sla.event e JOIN sla.ticket t ON t.id = e.ticket_id
	WHERE t.key = $1 AND e.source LIKE 'message%' AND e.kind <> 'retracted'
		AND NOT EXISTS (SELECT FROM sla.event r WHERE r.ticket_id = e.ticket_id AND r.kind = 'retracted' AND r.new_value::int = e.seq) $$;
CREATE FUNCTION options() RETURNS text LANGUAGE sql AS $$ SELECT options::text FROM sla.message_attachment WHERE detached_at IS NULL $$;
CREATE TYPE role AS ENUM ('agent', 'customer', 'system');

-- Who wrote it
CREATE TABLE m (id int PRIMARY KEY, ticket int, at timestamptz, kind role, who text, who_id int, staff boolean, note int DEFAULT 0, noted char(3), local timestamp,
	public boolean GENERATED ALWAYS AS (note = 0) STORED, day date DEFAULT '2026-03-02');
INSERT INTO m (id, ticket, at, kind, who, who_id, staff, local) VALUES
	(1, 1, '2026-03-02 09:10', 'agent', 'bob', 8, true, '2026-03-02 10:10'), (2, 1, '2026-03-02 09:20', 'customer', 'ann', 7, false, '2026-03-02 10:20'), (3, 1, '2026-03-02 09:30', 'system', NULL, NULL, NULL, NULL);
CREATE FUNCTION tries(arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT sla.attach_messages(''m'', ''tickets'', ''ticket'', %s)', arguments);
	result := said('1');
	PERFORM sla.detach_messages('m');
	RETURN result;
END $$;
SELECT is(tries($$'at', 'kind', '{agent}', '{customer}'$$), 'replied 09:10 message 1, asked 09:20 message 2', 'both lists: others are nobody');
SELECT is(tries($$'at', 'kind', '{agent,system}'$$), 'replied 09:10 message 1, asked 09:20 message 2, replied 09:30 message 3', 'agents only: all others are customers');
SELECT is(tries($$'at', 'kind', customer_when => '{customer}'$$), 'replied 09:10 message 1, asked 09:20 message 2, replied 09:30 message 3', 'customers only: all others are agents');
SELECT is(tries($$'at', 'kind', customer_when => '{}'$$), 'replied 09:10 message 1, replied 09:20 message 2, replied 09:30 message 3', 'no customers: all are agents');
SELECT is(tries($$'at', 'staff', '{true}'$$), 'replied 09:10 message 1, asked 09:20 message 2', 'a boolean, in any spelling; NULL is nobody');
SELECT is(tries($$'at', 'who', customer => 'requester'$$), 'replied 09:10 message 1, asked 09:20 message 2', 'the customer is the ticket''s');
SELECT is(tries($$'at', 'who_id', customer => 'requester_id'$$), 'replied 09:10 message 1, asked 09:20 message 2', 'by number, too');
UPDATE tickets SET requester = NULL WHERE id = 1;
SELECT is(tries($$'at', 'who', customer => 'requester'$$), 'replied 09:10 message 1, replied 09:20 message 2', 'which has none: all are agents');

-- When
SELECT is(tries($$'local', 'kind', '{agent}', '{customer}', timestamps_in => 'Europe/Berlin'$$), 'replied 09:10 message 1, asked 09:20 message 2', 'times without a zone');

-- Which
UPDATE m SET note = 1, noted = 'yes' WHERE id = 1;
UPDATE m SET noted = 'no' WHERE id = 2;
SELECT is(tries($$'at', 'kind', '{agent}', '{customer}', internal => 'note'$$), 'asked 09:20 message 2', 'internal, a number');
SELECT is(tries($$'at', 'kind', '{agent}', '{customer}', internal => 'noted'$$), 'asked 09:20 message 2', 'a text');
SELECT is(tries($$'at', 'kind', '{agent}', '{customer}', only_when => '{"public": ["true"]}'$$), 'asked 09:20 message 2', 'only_when, a generated column');
UPDATE m SET noted = 'hm';
SELECT is(tries($$'at', 'kind', '{agent}', '{customer}', internal => 'noted'$$), '-', 'what is neither yes nor no is internal');
SELECT is(tries($$'at', 'kind', '{agent}', '{customer}', only_when => '{"kind": ["customer", "system"], "who": ["ann", null], "day": ["2026-03-02"]}'$$), 'asked 09:20 message 2', 'all of several columns');
SELECT is(tries($$'at', 'kind', '{agent}', '{customer}', content => 'who'$$), 'replied 09:10 message 1, asked 09:20 message 2', 'with content');
UPDATE m SET who = '' WHERE id = 1;
SELECT is(tries($$'at', 'kind', '{agent}', '{customer}', content => 'who'$$), 'asked 09:20 message 2', 'or without');
SELECT is(tries($$'at', 'kind', '{agent}', '{customer}', record_rows => false$$), 'asked 09:20 message 2', 'without record_rows nothing is read anew');

-- Which ticket: keys of many types and columns
CREATE TABLE by_text (id int, part int, ticket text, at timestamptz, kind text, PRIMARY KEY (part, id));
INSERT INTO by_text VALUES (1, 5, '2', '2026-03-02 09:10', 'agent'), (2, 5, '02', '2026-03-02 09:20', 'agent'), (3, 5, '', '2026-03-02 09:20', 'agent'), (4, 5, 'none', '2026-03-02 09:20', 'agent'), (5, 5, '2 (ticket 2)', '2026-03-02 09:20', 'agent');
SELECT is(sla.attach_messages('by_text', 'tickets', 'ticket', 'at', 'kind', '{agent}'), 1::bigint, 'a text with the key');
SELECT is(said('2'), 'replied 09:10 message/by_text {5,1}', 'another table has another source');
INSERT INTO by_text VALUES (6, 5, 'x', '2026-03-02 09:30', 'agent'), (7, 5, '2', '2026-03-02 09:40', 'customer'), (8, 6, '99999999999', '2026-03-02 09:30', 'agent');
SELECT is(said('2'), 'replied 09:10 message/by_text {5,1}, asked 09:40 message/by_text {5,7}', 'what is no key is none');
CREATE TABLE parts (tenant text, n int, s text DEFAULT 'S1', at timestamptz DEFAULT '2026-03-02 09:00', PRIMARY KEY (tenant, n)) PARTITION BY LIST (tenant);
CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a');
CREATE TABLE parts_b (s text, at timestamptz, n int NOT NULL, tenant text NOT NULL);
ALTER TABLE parts ATTACH PARTITION parts_b FOR VALUES IN ('b');
SELECT sla.attach('parts', 'acme', 's', 'at');
INSERT INTO parts VALUES ('a', 1), ('b', 1);
CREATE TABLE log (at timestamptz, id bigint, number int, kind text, tenant varchar, PRIMARY KEY (at, id)) PARTITION BY RANGE (at);
CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2026-03-01') TO ('2026-03-03');
CREATE TABLE log_2 (tenant varchar, number int, kind text, id bigint NOT NULL, at timestamptz NOT NULL);
ALTER TABLE log ATTACH PARTITION log_2 DEFAULT;
INSERT INTO log VALUES ('2026-03-02 09:10', 1, 1, 'agent', 'a');
SELECT is(sla.attach_messages('log', 'parts', '{tenant,number}', 'at', 'kind', '{agent}'), 1::bigint, 'partitioned both, by two columns');
INSERT INTO log VALUES ('2026-03-03 09:10', 1, 1, 'agent', 'a'), ('2026-03-02 09:20', 2, 1, 'agent', 'b'), ('2026-03-02 09:20', 3, 1, 'agent', NULL);
INSERT INTO log_2 VALUES ('b', 1, 'customer', 4, '2026-03-05 09:30'), ('b', 1, 'agent', 5, '2026-03-05 09:40');
SELECT is(said('{a,1}'), 'replied 09:10 message {"2026-03-02 09:10:00+00",1}, replied 09:10 message {"2026-03-03 09:10:00+00",1}', 'keys read alike everywhere');
SELECT is(said('{b,1}'), 'replied 09:20 message {"2026-03-02 09:20:00+00",2}, asked 09:30 message {"2026-03-05 09:30:00+00",4}, replied 09:40 message {"2026-03-05 09:40:00+00",5}', 'also by way of a partition');
UPDATE log SET at = '2026-03-07 09:20' WHERE id = 2;
SELECT is(said('{b,1}'), 'asked 09:30 message {"2026-03-05 09:30:00+00",4}, replied 09:40 message {"2026-03-05 09:40:00+00",5}, replied 09:20 message {"2026-03-07 09:20:00+00",2}', 'a message moves to another partition');
SELECT is((SELECT to_char(sla_update_due, 'DD HH24:MI') FROM parts WHERE tenant = 'b'), '07 11:20', 'the ticket''s partition is stamped');
UPDATE parts SET tenant = 'a', n = 2 WHERE tenant = 'b';
INSERT INTO log VALUES ('2026-03-07 10:00', 6, 2, 'agent', 'a');
SELECT is((SELECT tableoid::regclass || to_char(sla_update_due, ' DD HH24:MI') FROM parts WHERE n = 2), 'parts_a 07 12:00', 'and where it moved');
SELECT is(sla.record_messages('log'), 3::bigint, 'of a ticket with another key the old messages are none');
CREATE TABLE late (id int PRIMARY KEY, "ticket no" int, at timestamptz, kind text);
SELECT is(sla.attach_messages('late', 'tickets', 'ticket no', 'at', 'kind', '{agent}', key => '{id}'), 0::bigint, 'any name');
ALTER TABLE late RENAME kind TO sort;
SET LOCAL client_min_messages = warning;
SELECT lives_ok($$INSERT INTO late VALUES (1, 5, '2026-03-02 09:10', 'agent')$$, 'a column was renamed: the message goes in');
SET LOCAL client_min_messages = error;
SELECT is(said('5'), '-', 'but says nothing');
SELECT throws_ok($$SELECT sla.record_messages('late')$$, '55000', NULL, 'nor can it be recorded');

-- What is refused
CREATE VIEW seen AS SELECT * FROM m;
CREATE TABLE no_key (id int, ticket int, at timestamptz, kind text);
CREATE TABLE unattached (id int PRIMARY KEY);
CREATE TABLE padded (id int PRIMARY KEY, ticket char(3), at timestamptz, kind text);
SELECT throws_ok(format('SELECT sla.attach_messages(%s)', a), code, NULL, a) FROM (VALUES
	('22004', $$NULL, 'tickets', 'ticket', 'at', 'kind', '{agent}'$$),
	('22004', $$'m', NULL, 'ticket', 'at', 'kind', '{agent}'$$),
	('22004', $$'m', 'tickets', NULL, 'at', 'kind', '{agent}'$$),
	('22004', $$'m', 'tickets', 'ticket', NULL, 'kind', '{agent}'$$),
	('22004', $$'m', 'tickets', 'ticket', 'at'$$),
	('22004', $$'m', 'tickets', 'ticket', 'at', 'kind'$$),
	('42P01', $$0, 'tickets', 'ticket', 'at', 'kind', '{agent}'$$),
	('42809', $$'seen', 'tickets', 'ticket', 'at', 'kind', '{agent}'$$),
	('42809', $$'pg_class', 'tickets', 'ticket', 'at', 'kind', '{agent}'$$),
	('42809', $$'sla.event', 'tickets', 'ticket', 'at', 'kind', '{agent}'$$),
	('22023', $$'tickets', 'tickets', 'id', 'at', 's', '{agent}'$$),
	('55000', $$'m', 'unattached', 'ticket', 'at', 'kind', '{agent}'$$),
	('55000', $$'m', 'parts_a', 'ticket', 'at', 'kind', '{agent}'$$),
	('55000', $$'no_key', 'tickets', 'ticket', 'at', 'kind', '{agent}'$$),
	('55000', $$'m', 'tickets', 'ticket', 'at', 'kind', '{agent}', key => '{ticket}'$$),
	('42710', $$'late', 'tickets', 'ticket no', 'at', 'sort', '{agent}'$$),
	('42710', $$'log_1', 'parts', '{tenant,number}', 'at', 'kind', '{agent}'$$),
	('22023', $$'m', 'parts', 'ticket', 'at', 'kind', '{agent}'$$),
	('22023', $$'m', 'parts', '{ticket,id,note}', 'at', 'kind', '{agent}'$$),
	('42703', $$'m', 'parts', '{ticket,nothing}', 'at', 'kind', '{agent}'$$),
	('42804', $$'m', 'tickets', 'staff', 'at', 'kind', '{agent}'$$),
	('42804', $$'m', 'tickets', 'day', 'at', 'kind', '{agent}'$$),
	('42804', $$'padded', 'tickets', 'ticket', 'at', 'kind', '{agent}'$$),
	('42703', $$'m', 'tickets', 'ticket', 'ctid', 'kind', '{agent}'$$),
	('42703', $$'m', 'tickets', 'ticket', 'at', 'nobody', '{agent}'$$),
	('42703', $$'m', 'tickets', 'ticket', 'at', 'kind', '{agent}', content => 'nothing'$$),
	('42703', $$'m', 'tickets', 'ticket', 'at', 'who', customer => 'nobody'$$),
	('42703', $$'m', 'tickets', 'ticket', 'at', 'kind', '{agent}', only_when => '{"nothing": ["x"]}'$$),
	('42804', $$'m', 'tickets', 'ticket', 'day', 'kind', '{agent}'$$),
	('42804', $$'m', 'tickets', 'ticket', 'local', 'kind', '{agent}'$$),
	('42804', $$'m', 'tickets', 'ticket', 'at', 'kind', '{agent}', internal => 'day'$$),
	('22023', $$'m', 'tickets', 'ticket', 'local', 'kind', '{agent}', timestamps_in => 'Nowhere'$$),
	('22023', $$'m', 'tickets', 'ticket', 'at', 'kind', '{boss}'$$),
	('22023', $$'m', 'tickets', 'ticket', 'at', 'kind', '{agent,NULL}'$$),
	('22023', $$'m', 'tickets', 'ticket', 'at', 'kind', '{agent}', '{agent,customer}'$$),
	('22023', $$'m', 'tickets', 'ticket', 'at', 'kind', '{}', '{}'$$),
	('22023', $$'m', 'tickets', 'ticket', 'at', 'kind', '{agent}', customer => 'requester'$$),
	('22023', $$'m', 'tickets', 'ticket', 'at', 'kind', '{agent}', only_when => '[]'$$),
	('22023', $$'m', 'tickets', 'ticket', 'at', 'kind', '{agent}', only_when => '{"staff": true}'$$),
	('22023', $$'m', 'tickets', 'ticket', 'at', 'kind', '{agent}', only_when => '{"who": []}'$$),
	('22023', $$'m', 'tickets', 'ticket', 'at', 'kind', '{agent}', only_when => '{"staff": [true]}'$$),
	('22023', $$'m', 'tickets', 'ticket', 'at', 'kind', '{agent}', only_when => '{"staff": ["maybe"]}'$$)
	) v(code, a);
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = 'm'::regclass), 0::bigint, 'nothing was changed then');

-- A dump that is restored without the table of messages
SELECT sla.attach_messages('m', 'tickets', 'ticket', 'at', 'kind', '{agent}');
UPDATE sla.message_attachment SET messages_table = '-' WHERE messages_table = 'm'::regclass;
CREATE TABLE nothing ();
DROP TABLE nothing;
SELECT isnt((SELECT max(detached_at) FROM sla.message_attachment WHERE messages_table::text = '-'), NULL, 'an attachment without a table has ended');
SELECT is((SELECT count(*) FROM sla.message_attachment WHERE messages_table::text = '-' AND detached_at IS NULL), 0::bigint, 'all of them');

SELECT * FROM finish();
ROLLBACK;
