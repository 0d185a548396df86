-- Random triggers of the user's own beside ours, and random statements: whatever
-- they do to rows, the ledger says what the rows say in the end.
--
--   1. each row has a ticket, with its severity, times and state, and due times
--      that are those of its clocks; each ticket without a row is deleted;
--   2. no event is missing or there twice;
--   3. reconciling finds nothing to record;
--   4. a statement fails only where the table itself would refuse it.
--
--	psql -X -f test/property/neighbours.sql
--
-- in a database in which slapolicy can be created. Nothing stays behind. Exits
-- with an error at the first disagreement, and prints triggers and statements
-- since the tables were last empty.
--
-- seed, rounds (of new triggers) and steps (statements of each round) come from
-- psql variables:
--
--	psql -X -v seed=5 -v rounds=500 -f test/property/neighbours.sql

\set QUIET on
\set ON_ERROR_STOP on
\if :{?seed} \else \set seed 2026 \endif
\if :{?rounds} \else \set rounds 60 \endif
\if :{?steps} \else \set steps 12 \endif

\ir lib/begin.sql
\echo seed :seed, :rounds rounds of :steps steps
\o /dev/null

SELECT sla.load_policy('{"policy": "neighbours", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1000000h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2000000h", "calendar": "always"},
		{"severity": "S1", "metric": "resolution", "goal": "3000000h", "calendar": "always"},
		{"severity": "S3", "metric": "resolution", "goal": "4000000h", "calendar": "always"}]}');
CREATE SCHEMA near;
CREATE TABLE near.flat (id int PRIMARY KEY, p int, s text, at timestamptz, status text, done timestamptz, replied timestamptz, other int, UNIQUE (id, p));
CREATE TABLE near.parted (id int, p int, s text, at timestamptz, status text, done timestamptz, replied timestamptz, other int, PRIMARY KEY (id, p)) PARTITION BY LIST (p);
CREATE TABLE near.parted_1 PARTITION OF near.parted FOR VALUES IN (1);
CREATE TABLE near.parted_2 (other int, gone int, s text, p int NOT NULL, id int NOT NULL, done timestamptz, replied timestamptz, at timestamptz, status text);
ALTER TABLE near.parted_2 DROP COLUMN gone;
ALTER TABLE near.parted ATTACH PARTITION near.parted_2 FOR VALUES IN (2);
CREATE TABLE near.parted_3 PARTITION OF near.parted FOR VALUES IN (3) PARTITION BY HASH (id);
CREATE TABLE near.parted_3a PARTITION OF near.parted_3 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE near.parted_3b PARTITION OF near.parted_3 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
SELECT sla.attach(t, 'neighbours', 's', 'at', 'replied', 'done', status => 'status', paused_when => '{waiting}', cancelled_when => '{spam}') FROM unnest('{near.flat,near.parted}'::regclass[]) t;
CREATE INDEX ON near.flat (sla_response_due);
CREATE INDEX ON near.parted (sla_response_due);

CREATE FUNCTION near.any_of(choices text[]) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT choices[1 + floor(random() * cardinality(choices))::int] $$;
CREATE FUNCTION near.an_id() RETURNS int LANGUAGE sql VOLATILE AS $$ SELECT 1 + floor(random() * 6)::int $$;
CREATE FUNCTION near.a_time() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT coalesce(quote_literal(near.any_of('{NULL,2026-03-02 09:00,2026-03-02 10:00,2026-03-03 09:00}')), 'NULL') $$;
-- an assignment, as in UPDATE
CREATE FUNCTION near.a_change(with_key boolean) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT near.any_of(ARRAY['s = ''S1''', 's = ''S2''', 's = ''S3''', 's = ''none''', 'status = ''waiting''', 'status = ''spam''', 'status = ''open''', 'status = NULL',
		'done = ''2026-03-04 09:00''', 'done = NULL', 'replied = ''2026-03-02 11:00''', 'replied = NULL', 'at = ''2026-03-02 08:00''', 'at = ''2026-03-02 09:00''',
		'sla_response_due = NULL', 'sla_resolution_due = ''1999-01-01''', 'other = 1']
		|| CASE WHEN with_key THEN ARRAY['id = id + 1', 'id = id - 1', 'id = id + 100', 'id = 7 - id', 'p = 1', 'p = 2', 'p = 3', 'id = id + 1, p = 1 + p %% 3', 's = ''S1'', p = 1 + p %% 3'] ELSE '{}' END) $$;
-- what a trigger does beside, with the row's id for %1$s and its table for %2$s
CREATE FUNCTION near.a_command(with_key boolean DEFAULT true) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT near.any_of(ARRAY[
		'UPDATE %2$s SET ' || near.a_change(with_key) || ' WHERE id = %1$s',
		'UPDATE %2$s SET ' || near.a_change(with_key) || ' WHERE id = %1$s',
		'UPDATE %2$s SET ' || near.a_change(with_key) || ' WHERE id = %1$s + 1',
		'UPDATE %2$s SET ' || near.a_change(false),
		'DELETE FROM %2$s WHERE id = %1$s',
		'DELETE FROM %2$s WHERE id = %1$s - 1',
		'INSERT INTO %2$s (id, p, s, at) VALUES (%1$s + 1, 1, ''S2'', ''2026-03-02 09:00'') ON CONFLICT DO NOTHING',
		'INSERT INTO %2$s (id, p, s, at) VALUES (%1$s, 2, ''S1'', ''2026-03-02 09:00'') ON CONFLICT (id, p) DO UPDATE SET ' || near.a_change(false)]) $$;

CREATE FUNCTION near.before() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_ARGV[0] = 'drop' THEN
		RETURN CASE WHEN coalesce(NEW.id, OLD.id) % 3 > 0 THEN coalesce(NEW, OLD) END;
	ELSIF TG_ARGV[0] = 'command' THEN
		IF pg_trigger_depth() <= 2 THEN
			EXECUTE format(TG_ARGV[1], coalesce(NEW.id, OLD.id), TG_ARGV[2]);
		END IF;
	ELSIF TG_OP <> 'DELETE' THEN
		CASE TG_ARGV[0]
			WHEN 's' THEN NEW.s := TG_ARGV[1];
			WHEN 'status' THEN NEW.status := TG_ARGV[1];
			WHEN 'done' THEN NEW.done := TG_ARGV[1];
			WHEN 'at' THEN NEW.at := TG_ARGV[1];
			WHEN 'due' THEN NEW.sla_response_due := TG_ARGV[1];
			WHEN 'id' THEN NEW.id := NEW.id + 10;
		END CASE;
	END IF;
	RETURN coalesce(NEW, OLD);
END $$;
CREATE FUNCTION near.after() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	-- deferred triggers could set each other off for ever
	IF pg_trigger_depth() <= 2 AND current_setting('near.runs')::int < 40 THEN
		PERFORM set_config('near.runs', (current_setting('near.runs')::int + 1)::text, true);
		EXECUTE format(TG_ARGV[0], coalesce(NEW.id, OLD.id), TG_ARGV[1]);
	END IF;
	RETURN NULL;
END $$;

CREATE TABLE near.said (n int GENERATED ALWAYS AS IDENTITY, command text, error text);
CREATE FUNCTION near.new_triggers(tickets regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	old record;
	command text;
	trigger_name text;
	events text;
	-- what fires before us and changes keys of rows whose keys are changing is more than can be told
	early constant boolean := random() < 0.4;
BEGIN
	FOR old IN SELECT t.tgname FROM pg_trigger t WHERE t.tgrelid = tickets AND NOT t.tgisinternal AND t.tgname NOT IN ('~sla_stamp', '!sla_record', '!sla_truncated') LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', old.tgname, tickets);
	END LOOP;
	FOR i IN 1 .. floor(random() * 4) LOOP
		trigger_name := near.any_of(CASE WHEN early THEN '{aaa,!!,!sla_recorc}' ELSE '{aaa,zzz,~~~~,!sla_recore,Ä}' END::text[]) || i;
		events := near.any_of('{INSERT,UPDATE,DELETE,INSERT OR UPDATE,INSERT OR UPDATE OR DELETE,UPDATE OF s,UPDATE OR DELETE}');
		command := CASE floor(random() * 8)::int
			WHEN 0 THEN format('CREATE TRIGGER %I BEFORE %s ON %s FOR EACH ROW EXECUTE FUNCTION near.before(''drop'')', trigger_name, events, tickets)
			WHEN 1 THEN format('CREATE TRIGGER %I BEFORE %s ON %s FOR EACH ROW EXECUTE FUNCTION near.before(''command'', %L, %L)', trigger_name, events, tickets, near.a_command(NOT early), tickets)
			WHEN 2 THEN format('CREATE TRIGGER %I BEFORE %s ON %s FOR EACH ROW EXECUTE FUNCTION near.before(''s'', %L)', trigger_name, events, tickets, near.any_of('{S1,S2,none}'))
			WHEN 3 THEN format('CREATE TRIGGER %I BEFORE %s ON %s FOR EACH ROW EXECUTE FUNCTION near.before(%L, %L)', trigger_name, events, tickets, near.any_of('{done,at}'), near.any_of('{2026-03-02 07:00,2026-03-02 12:00}'))
			WHEN 4 THEN format('CREATE TRIGGER %I BEFORE %s ON %s FOR EACH ROW EXECUTE FUNCTION near.before(%L, %L)', trigger_name, events, tickets, near.any_of(CASE WHEN early THEN '{status,due}' ELSE '{status,id,due}' END::text[]), '2026-03-02')
			WHEN 5 THEN format('CREATE CONSTRAINT TRIGGER %I AFTER %s ON %s DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION near.after(%L, %L)', trigger_name, events, tickets, near.a_command(NOT early), tickets)
			ELSE format('CREATE TRIGGER %I AFTER %s ON %s FOR EACH ROW EXECUTE FUNCTION near.after(%L, %L)', trigger_name, events, tickets, near.a_command(NOT early), tickets)
		END;
		IF command ~ 'BEFORE' THEN
			command := replace(command, quote_ident(trigger_name), quote_ident(near.any_of('{aaa,zzz,~~~~,!!,~sla_sta,~sla_stamp2}') || i));
		END IF;
		EXECUTE command;
		INSERT INTO near.said (command) VALUES (command);
	END LOOP;
END $$;

CREATE FUNCTION near.a_statement(tickets regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	row_ text := format('(%s, %s, %L, %L, %L, %s, %s)', near.an_id(), 1 + floor(random() * 3), near.any_of('{S1,S2,S3,none}'), near.any_of('{2026-03-02 09:00,2026-03-02 08:00}'), near.any_of('{open,waiting,spam}'), near.a_time(), near.a_time());
	another text := format('(%s, %s, ''S1'', ''2026-03-02 09:00'', ''open'', NULL, NULL)', 7 + near.an_id(), 1 + floor(random() * 3));
BEGIN
	row_ := replace(row_, '''NULL''', 'NULL');
	RETURN format(near.any_of(ARRAY[
		'INSERT INTO %1$s (id, p, s, at, status, done, replied) VALUES %2$s',
		'INSERT INTO %1$s (id, p, s, at, status, done, replied) VALUES %2$s, %3$s',
		'INSERT INTO %1$s (id, p, s, at, status, done, replied) VALUES %2$s, %3$s ON CONFLICT DO NOTHING',
		'INSERT INTO %1$s (id, p, s, at, status, done, replied) VALUES %2$s, %3$s ON CONFLICT (id, p) DO UPDATE SET ' || replace(replace(near.a_change(false), '= id', '= EXCLUDED.id'), '= at', '= EXCLUDED.at'),
		'UPDATE %1$s SET ' || near.a_change(true) || ' WHERE id = %4$s',
		'UPDATE %1$s SET ' || near.a_change(true) || ', ' || 'other = %4$s',
		'UPDATE %1$s t SET s = u.s, status = u.status FROM %1$s u WHERE u.id = t.id + 1',
		'DELETE FROM %1$s WHERE id = %4$s',
		'DELETE FROM %1$s WHERE id %% 2 = 0',
		'WITH a AS (UPDATE %1$s SET ' || near.a_change(true) || ' WHERE id = %4$s RETURNING id), b AS (DELETE FROM %1$s WHERE id = %5$s AND id <> %4$s RETURNING *) INSERT INTO %1$s (id, p, s, at) SELECT id + 20, p, s, at FROM b',
		'MERGE INTO %1$s t USING (VALUES %2$s, %3$s) v (id, p, s, at, status, done, replied) ON t.id = v.id WHEN MATCHED AND t.p = 2 THEN DELETE WHEN MATCHED THEN UPDATE SET ' || replace(replace(replace(near.a_change(true), '= id', '= t.id'), '7 - id', '7 - t.id'), '+ p', '+ t.p')
			|| ' WHEN NOT MATCHED THEN INSERT (id, p, s, at) VALUES (v.id, v.p, v.s, v.at::timestamptz)']),
		tickets, row_, another, near.an_id(), near.an_id());
END $$;

-- what is wrong, nothing when all agrees
CREATE FUNCTION near.wrong(tickets regclass) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($x$
		WITH ticket AS (SELECT t.* FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id WHERE a.ticket_table = %2$L::regclass),
			rows AS (SELECT %1$s AS key, r.* FROM %2$s r)
		SELECT 'row ' || coalesce(r::text, '') || ' ticket ' || coalesce(t::text, '') FROM rows r FULL JOIN (SELECT * FROM ticket WHERE state <> 'deleted') t ON t.key = r.key
		WHERE r.key IS NULL OR t.id IS NULL OR t.severity::text IS DISTINCT FROM nullif(r.s, 'none') OR r.at IS DISTINCT FROM t.received_at
			OR t.state <> CASE WHEN r.status = 'spam' THEN 'cancelled' WHEN r.done IS NOT NULL THEN 'resolved' WHEN r.status = 'waiting' THEN 'paused' ELSE 'open' END
			OR (t.exempt IS NOT NULL) <> (r.s = 'none')
		UNION ALL
		SELECT 'stamp ' || r::text || coalesce(c::text, '') FROM rows r JOIN ticket t ON t.key = r.key CROSS JOIN (VALUES ('response'), ('resolution')) m (metric)
			LEFT JOIN sla.clock c ON c.ticket_id = t.id AND c.metric = m.metric
		WHERE CASE m.metric WHEN 'response' THEN r.sla_response_due ELSE r.sla_resolution_due END
			IS DISTINCT FROM CASE WHEN t.exempt IS NULL AND c.outcome IS DISTINCT FROM 'cancelled' AND NOT (c.paused_at IS NOT NULL AND c.due_at = 'infinity') THEN c.due_at END
			AND NOT (c.due_at = 'infinity' AND c.outcome IS NOT NULL)
		UNION ALL
		SELECT 'seq ' || t.key FROM ticket t JOIN sla.event e ON e.ticket_id = t.id GROUP BY t.id, t.key HAVING count(*) <> max(e.seq)
		UNION ALL
		SELECT 'replied ' || t.key FROM rows r JOIN ticket t ON t.key = r.key
		WHERE (SELECT array_agg(e.at) FROM sla.event e WHERE e.ticket_id = t.id AND e.kind = 'replied' AND NOT EXISTS (SELECT FROM sla.event x WHERE x.ticket_id = t.id AND x.kind = 'retracted' AND x.new_value = e.seq::text))
			IS DISTINCT FROM CASE WHEN r.replied IS NOT NULL THEN ARRAY[r.replied] END
		UNION ALL
		SELECT 'lost ' || t::text FROM ticket t WHERE t.key ~ 'ticket' AND t.state <> 'deleted'
		$x$, CASE WHEN tickets = 'near.flat'::regclass THEN 'r.id::text' ELSE 'ARRAY[r.id, r.p]::text' END, tickets);
END $$;

CREATE FUNCTION near.disagree(tickets regclass, problem text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION E'%\n%', problem, (SELECT string_agg(command || ';' || coalesce(' -- ' || error, ''), E'\n' ORDER BY n) FROM near.said);
END $$;

CREATE FUNCTION near.round(tickets regclass, steps int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	command text;
	problem text;
	trouble text;
	n bigint;
BEGIN
	DELETE FROM near.said;
	PERFORM set_config('near.runs', '0', true);
	EXECUTE format('TRUNCATE %s', tickets);
	PERFORM near.new_triggers(tickets);
	FOR i IN 1 .. steps LOOP
		command := near.a_statement(tickets);
		trouble := NULL;
		PERFORM set_config('near.runs', '0', true);
		BEGIN
			EXECUTE command;
			SET CONSTRAINTS ALL IMMEDIATE;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS problem = SCHEMA_NAME;
			trouble := SQLSTATE || ' ' || SQLERRM;
			-- keys of the table, rows that triggers changed under a statement, BEFORE triggers that move rows
			IF SQLSTATE NOT IN ('23505', '27000', '0A000', '21000', '42601') OR problem = 'sla' THEN
				INSERT INTO near.said (command, error) VALUES (command, trouble);
				PERFORM near.disagree(tickets, 'unexpected error: ' || trouble);
			END IF;
		END;
		SET CONSTRAINTS ALL DEFERRED;
		INSERT INTO near.said (command, error) VALUES (command, trouble);
		SELECT string_agg(w, E'\n') INTO problem FROM near.wrong(tickets) w;
		IF problem IS NOT NULL THEN
			PERFORM near.disagree(tickets, problem);
		END IF;
	END LOOP;
	SET CONSTRAINTS ALL IMMEDIATE;
	n := sla.reconcile(tickets);
	IF n <> 0 THEN
		PERFORM near.disagree(tickets, format('reconciling records %s tickets', n));
	END IF;
	SET CONSTRAINTS ALL DEFERRED;
END $$;

SELECT setseed(sin(:seed));
SELECT near.round(near.any_of('{near.flat,near.parted}')::regclass, :steps) FROM generate_series(1, :rounds);
\o
SELECT format('%s tickets, %s events', (SELECT count(*) FROM sla.ticket), (SELECT count(*) FROM sla.event)) AS compared \gset
\echo :compared
ROLLBACK;
