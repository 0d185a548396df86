-- The bulk measurements of bench/tickets, and the tables for its single-row
-- ones. psql variable: rounds.
--
-- The same 100,000 tickets go into a table that is not attached, into one
-- that is attached and stamped, into one attached without stamping, and into
-- tables without triggers by hand: the rows of the stamped table and those of
-- its ledger, by plain INSERT ... SELECT from copies of them.

\ir measure.sql
SET timezone = 'UTC';
\ir policy.sql

-- Open tickets of a year to come, so that no worker finds anything due
CREATE TABLE source AS
SELECT 'Ticket ' || n AS title,
	repeat(md5(n::text), 1 + n % 5) AS body,
	(ARRAY['urgent', 'high', 'normal', 'low'])[1 + floor(random() * 4)::int] AS priority,
	timestamptz '2031-01-01' + random() * interval '365 days' AS created_at
FROM generate_series(1, 100000) n;

CREATE TABLE detached (
	id				bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	title			text NOT NULL,
	body			text NOT NULL,
	priority		text NOT NULL,
	created_at		timestamptz NOT NULL,
	first_reply_at	timestamptz,
	closed_at		timestamptz
);
CREATE TABLE stamped (LIKE detached INCLUDING ALL);
CREATE TABLE unstamped (LIKE detached INCLUDING ALL);

CREATE FUNCTION attach(ticket_table regclass, stamp boolean) RETURNS bigint LANGUAGE sql AS $$
	SELECT sla.attach(ticket_table, 'bench', severity => 'priority',
		received_at => 'created_at', responded_at => 'first_reply_at',
		resolved_at => 'closed_at', stamp => stamp,
		severity_map => '{"urgent": "S1", "high": "S2", "normal": "S3", "low": "S4"}')
$$;
SELECT attach('stamped', true), attach('unstamped', false) \g /dev/null

CREATE PROCEDURE empty(VARIADIC tables text[]) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('TRUNCATE %s RESTART IDENTITY', array_to_string(tables, ', '));
	CHECKPOINT;
END
$$;

-- What is to be written by hand
INSERT INTO stamped (title, body, priority, created_at) SELECT * FROM source;
CREATE TABLE copy_row AS SELECT * FROM stamped ORDER BY id;
CREATE TABLE copy_ticket AS SELECT * FROM sla.ticket ORDER BY id;
CREATE TABLE copy_event AS SELECT * FROM sla.event ORDER BY ticket_id, seq;
CREATE TABLE copy_clock AS SELECT * FROM sla.clock ORDER BY id;

CREATE TABLE hand_row (LIKE stamped INCLUDING ALL);
CREATE TABLE hand_ticket (LIKE sla.ticket INCLUDING ALL);
CREATE TABLE hand_event (LIKE sla.event INCLUDING ALL);
CREATE TABLE hand_clock (LIKE sla.clock INCLUDING ALL);

-- An INSERT of the columns that have no default
CREATE FUNCTION insert_all(target regclass, source regclass) RETURNS text
LANGUAGE sql STABLE AS $$
	SELECT format('INSERT INTO %s (%s) SELECT %2$s FROM %s', target,
		string_agg(quote_ident(attname), ', ' ORDER BY attnum), source)
	FROM pg_attribute
	WHERE attrelid = target AND attnum > 0 AND attidentity = '' AND NOT attisdropped
$$;

VACUUM ANALYZE;

INSERT INTO probe (name, n, setup, sql) VALUES
	('bulk insert detached', 100000, 'CALL empty(''detached'')',
		'INSERT INTO detached (title, body, priority, created_at) SELECT * FROM source'),
	('bulk update detached', 100000, 'CHECKPOINT', 'UPDATE detached SET title = title || ''.'''),
	('bulk insert stamped', 100000, 'CALL empty(''stamped'', ''sla.ticket'', ''sla.event'', ''sla.clock'')',
		'INSERT INTO stamped (title, body, priority, created_at) SELECT * FROM source'),
	('bulk update stamped', 100000, 'CHECKPOINT', 'UPDATE stamped SET title = title || ''.'''),
	('bulk insert unstamped', 100000, 'CALL empty(''unstamped'', ''sla.ticket'', ''sla.event'', ''sla.clock'')',
		'INSERT INTO unstamped (title, body, priority, created_at) SELECT * FROM source'),
	('bulk update unstamped', 100000, 'CHECKPOINT', 'UPDATE unstamped SET title = title || ''.'''),
	('hand row', 100000, 'CALL empty(''hand_row'', ''hand_ticket'', ''hand_event'', ''hand_clock'')',
		insert_all('hand_row', 'copy_row')),
	('hand ticket', 100000, NULL, insert_all('hand_ticket', 'copy_ticket')),
	('hand event', 100000, NULL, insert_all('hand_event', 'copy_event')),
	('hand clock', 100000, NULL, insert_all('hand_clock', 'copy_clock'));

CALL run_probes(:rounds);

-- The hand must have written what the triggers write.
SELECT (SELECT count(*) FROM hand_row) = 100000
	AND (SELECT count(*) FROM hand_ticket) = 100000
	AND (SELECT count(*) FROM hand_event) = (SELECT count(*) FROM copy_event)
	AND (SELECT count(*) FROM hand_clock) = 200000 AS same \gset
\if :same
\else
	DO $$ BEGIN RAISE 'not the same rows were written by hand'; END $$;
\endif

-- Single rows start from full tables that nothing was deleted from.
CALL empty('detached', 'stamped', 'unstamped', 'sla.ticket', 'sla.event', 'sla.clock');
INSERT INTO detached (title, body, priority, created_at) SELECT * FROM source;
INSERT INTO stamped (title, body, priority, created_at) SELECT * FROM source;
INSERT INTO unstamped (title, body, priority, created_at) SELECT * FROM source;
VACUUM ANALYZE;
CHECKPOINT;

-- As pgbench logs it
CREATE TABLE latency (
	synchronous_commit	text,
	client				int,
	n					int,		-- of the transaction
	us					bigint,
	script				int,
	at_s				bigint,
	at_us				bigint
);
