-- Levels of restriction, for random bills with payments booked late,
-- corrections, disputes and reversals:
--
--   1. what sla.restriction said on a day, knowing what was known on that day,
--      it says of that day ever after (as_of and known_at);
--   2. it agrees with a slow oracle, which asks of every instant one by one
--      what was open and walks through them;
--   3. sla.restriction_history says the same of each instant.
--
--	psql -X -f test/property/restriction.sql
--
-- in a database in which slapolicy can be created. Nothing stays behind. Exits
-- with an error when anything disagrees. seed, days, bills and questions come
-- from psql variables.

\set QUIET on
\set ON_ERROR_STOP on
\if :{?seed} \else \set seed 2026 \endif
\if :{?days} \else \set days 60 \endif
\if :{?bills} \else \set bills 48 \endif
\if :{?questions} \else \set questions 40 \endif

BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
SET LOCAL jit = off;
CREATE EXTENSION IF NOT EXISTS slapolicy;
\echo seed :seed, :days days, :bills bills and :questions questions for each rule
\o /dev/null
SELECT setseed(sin(:seed));
CREATE SCHEMA bill;

-- Rules of few days, so that much happens in two months with a clock change.
CREATE TABLE bill.rule (name text PRIMARY KEY, restriction jsonb);
INSERT INTO bill.rule VALUES
	('t plain', '{"thresholds": {"support": 3, "deployments": 8, "termination": 14}, "time_zone": "Europe/Berlin"}'),
	('t service', '{"thresholds": {"support": 2, "termination": 12}, "time_zone": "America/New_York", "per": "service"}'),
	('t minimum', '{"thresholds": {"support": 1, "deployments": 6, "termination": 12}, "minimum_amount": 60}'),
	('t grace', '{"thresholds": {"support": 1, "deployments": 8, "termination": 10}, "grace": "3 business days", "calendar": "week", "time_zone": "Europe/Berlin"}');
SELECT sla.load_policy(jsonb_build_object('policy', name, 'time_zone', 'UTC',
	'calendars', '{"week": {"hours": "Europe/Berlin Mo-Fr 09:00-17:00"}}'::jsonb,
	'targets', '[{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "week"}]'::jsonb, 'restriction', restriction))
FROM bill.rule;

CREATE TABLE bill.bill (rule text, id int, account text, service text, due date, amount numeric, paid numeric, settled_at timestamptz,
	disputed boolean, voided boolean, changed_at timestamptz, recorded_at timestamptz, PRIMARY KEY (rule, id)) PARTITION BY LIST (rule);
CREATE TABLE bill.image (n bigint GENERATED ALWAYS AS IDENTITY, LIKE bill.bill);
CREATE TABLE bill.payment (n bigint GENERATED ALWAYS AS IDENTITY, rule text, id int, kind text, amount numeric, at timestamptz, recorded_at timestamptz);
CREATE TABLE bill.override (n int, account text, service text, level text, starts timestamptz, until timestamptz, recorded_at timestamptz,
	revoked_from timestamptz, revoked_recorded timestamptz);
CREATE TABLE bill.observed (rule text, account text, service text, at timestamptz, level text);
CREATE INDEX ON bill.image (rule, id, n);
CREATE INDEX ON bill.payment (rule, id);
SELECT format('CREATE TABLE bill.%I PARTITION OF bill.bill FOR VALUES IN (%L)', replace(name, ' ', '_'), name) FROM bill.rule \gexec
SELECT format('SELECT sla.attach_invoices(%L, %L, account => ''account'', due => ''due'', service => ''service'', settled_at => ''settled_at'','
	' amount => ''amount'', paid => ''paid'', voided => ''voided'', disputed => ''disputed'', changed_at => ''changed_at'', recorded_at => ''recorded_at'', key => ''{rule,id}'')',
	'bill.' || replace(name, ' ', '_'), name) FROM bill.rule \gexec
CREATE FUNCTION bill.keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO bill.image (rule, id, account, service, due, amount, paid, settled_at, disputed, voided, changed_at, recorded_at)
		SELECT NEW.*;
	RETURN NULL;
END
$$;
CREATE TRIGGER keep AFTER INSERT OR UPDATE ON bill.bill FOR EACH ROW EXECUTE FUNCTION bill.keep();

CREATE FUNCTION bill.hours(low int, high int) RETURNS interval LANGUAGE sql VOLATILE AS $$
	SELECT (low + floor(random() * (high - low + 1))) * interval '1 hour' $$;
CREATE FUNCTION bill.pick(VARIADIC texts text[]) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT texts[1 + floor(random() * cardinality(texts))::int] $$;
-- each rule has accounts of its own, so that they do not mix
CREATE FUNCTION bill.account(rule text) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT rule || ' ' || bill.pick('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h') $$;

-- One thing that happens to a bill, recorded at an instant
CREATE FUNCTION bill.happen(of_rule text, of_id int, now timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	b bill.bill;
	lag constant timestamptz := now - bill.hours(0, 100) * (random() < 0.5)::int;
	what constant float := random();
	share numeric;
BEGIN
	SELECT * INTO b FROM bill.bill WHERE rule = of_rule AND id = of_id;
	IF NOT FOUND THEN
		INSERT INTO bill.bill VALUES (of_rule, of_id, bill.account(of_rule), CASE WHEN random() < 0.6 THEN bill.pick('s1', 's2') END,
			(now + bill.hours(-240, 120))::date, CASE WHEN random() < 0.9 THEN 10 * (1 + floor(random() * 6)) END, 0, NULL, false, false, lag, now);
		RETURN;
	END IF;
	CASE
	WHEN what < 0.40 THEN
		UPDATE bill.bill SET settled_at = now + bill.hours(-120, 10), changed_at = lag, recorded_at = now WHERE rule = of_rule AND id = of_id;
	WHEN what < 0.45 THEN
		UPDATE bill.bill SET settled_at = NULL, changed_at = lag, recorded_at = now WHERE rule = of_rule AND id = of_id;
	WHEN what < 0.52 THEN
		UPDATE bill.bill SET disputed = NOT disputed, changed_at = lag, recorded_at = now WHERE rule = of_rule AND id = of_id;
	WHEN what < 0.56 THEN
		UPDATE bill.bill SET voided = random() < 0.5, changed_at = lag, recorded_at = now WHERE rule = of_rule AND id = of_id;
	WHEN what < 0.62 THEN
		UPDATE bill.bill SET due = due + floor(random() * 9)::int - 4, changed_at = lag, recorded_at = now WHERE rule = of_rule AND id = of_id;
	WHEN what < 0.66 THEN
		UPDATE bill.bill SET amount = CASE WHEN random() < 0.8 THEN 10 * floor(random() * 8) END, changed_at = lag, recorded_at = now WHERE rule = of_rule AND id = of_id;
	WHEN what < 0.70 THEN
		UPDATE bill.bill SET account = bill.account(of_rule), changed_at = lag, recorded_at = now WHERE rule = of_rule AND id = of_id;
	WHEN what < 0.73 THEN
		UPDATE bill.bill SET service = bill.pick('s1', 's2', NULL), changed_at = lag, recorded_at = now WHERE rule = of_rule AND id = of_id;
	WHEN what < 0.84 THEN
		UPDATE bill.bill SET paid = 10 * floor(random() * 7), changed_at = lag, recorded_at = now WHERE rule = of_rule AND id = of_id;
	ELSE
		share := 10 * (1 + floor(random() * 3));
		-- no more is taken back than was paid in all
		IF random() < 0.3 AND share <= b.paid + (SELECT coalesce(sum(CASE kind WHEN 'reversal' THEN -p.amount ELSE p.amount END), 0)
			FROM bill.payment p WHERE p.rule = of_rule AND p.id = of_id)
		THEN
			BEGIN
				PERFORM sla.record_payment(format('bill.%I', replace(of_rule, ' ', '_'))::regclass, ARRAY[of_rule, of_id::text]::text, share, lag, 'reversal', now);
				INSERT INTO bill.payment (rule, id, kind, amount, at, recorded_at) VALUES (of_rule, of_id, 'reversal', share, lag, now);
			EXCEPTION WHEN invalid_parameter_value THEN
				NULL; -- nor more than was by then
			END;
		ELSE
			INSERT INTO bill.payment (rule, id, kind, amount, at, recorded_at) VALUES (of_rule, of_id, 'payment', share, lag, now);
			PERFORM sla.record_payment(format('bill.%I', replace(of_rule, ' ', '_'))::regclass, ARRAY[of_rule, of_id::text]::text, share, lag, bill.pick('payment', 'credit'), now);
		END IF;
	END CASE;
END
$$;

CREATE FUNCTION bill.override_one(of_rule text, now timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	o bill.override;
BEGIN
	IF random() < 0.4 THEN
		SELECT * INTO o FROM bill.override WHERE revoked_from IS NULL AND account LIKE of_rule || '%' ORDER BY random() LIMIT 1;
		IF FOUND THEN
			o.revoked_from := now + bill.hours(-20, 20);
			UPDATE bill.override SET revoked_from = o.revoked_from, revoked_recorded = now WHERE n = o.n;
			PERFORM sla.revoke_override(o.n, 'over', 'me', o.revoked_from, now);
			RETURN;
		END IF;
	END IF;
	o := (0, bill.account(of_rule), CASE WHEN random() < 0.4 THEN bill.pick('s1', 's2') END,
		bill.pick('none', 'support', 'deployments', 'termination'), now + bill.hours(-30, 30), NULL, now, NULL, NULL);
	o.until := CASE WHEN random() < 0.8 THEN o.starts + bill.hours(1, 120) ELSE 'infinity' END;
	o.n := sla.override_restriction(o.account, o.service, o.level::sla.restriction_level, 'so', o.until, 'me', o.starts, o.recorded_at);
	INSERT INTO bill.override SELECT o.*;
END
$$;

CREATE FUNCTION bill.simulate(days int, bills int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	day timestamptz := '2026-03-01 00:00+00';
	r record;
	now timestamptz;
BEGIN
	FOR d IN 1 .. days LOOP
		FOR i IN 1 .. bills / 8 LOOP
			now := day + (floor((i - 1) * 20.0 / (bills / 8))) * interval '1 hour';
			PERFORM bill.happen(name, 1 + floor(random() * bills)::int, now) FROM bill.rule;
			PERFORM bill.override_one(name, now) FROM bill.rule WHERE random() < 0.02;
		END LOOP;
		now := day + bill.hours(20, 23);
		INSERT INTO bill.observed
			SELECT q.name, q.account, s.service, now, sla.restriction(q.account, s.service, now)
			FROM (SELECT name, name || ' ' || a AS account FROM bill.rule, unnest('{a,b,c,d,e,f,g,h}'::text[]) a) q, (VALUES (NULL), ('s1')) s(service);
		day := day + interval '1 day';
	END LOOP;
END
$$;
SELECT bill.simulate(:days, :bills);

-- The oracle. Is a bill open at an instant, and how far? NULL: it is not; NaN:
-- in full, whatever that is.
CREATE FUNCTION bill.open(of_rule text, of_id int, of_account text, of_service text, by_service boolean, moment timestamptz, known timestamptz, OUT due date, OUT open numeric)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	i record;
	last bill.image;
	settled timestamptz;
	disputed timestamptz;
	was boolean := false;
	row_paid numeric := 0;
	now_paid numeric := 0;
	amount_paid numeric;
BEGIN
	FOR i IN SELECT * FROM bill.image m WHERE m.rule = of_rule AND m.id = of_id AND m.recorded_at <= known ORDER BY m.n LOOP
		IF i.settled_at IS NOT NULL THEN
			settled := i.settled_at;
		ELSIF settled IS NOT NULL THEN
			was := was OR moment >= settled AND moment < i.changed_at;
			settled := NULL;
		END IF;
		IF i.disputed AND disputed IS NULL THEN
			disputed := i.changed_at;
		ELSIF NOT i.disputed AND disputed IS NOT NULL THEN
			was := was OR moment >= disputed AND moment < i.changed_at;
			disputed := NULL;
		END IF;
		IF i.paid <> row_paid THEN
			row_paid := i.paid;
			IF i.changed_at <= moment THEN
				now_paid := i.paid;
			END IF;
		END IF;
		last := i;
	END LOOP;
	IF last.id IS NULL OR last.account <> of_account OR last.voided OR last.due IS NULL
		OR by_service AND last.service <> coalesce(of_service, '')
		OR was OR moment >= settled OR moment >= disputed
	THEN
		RETURN;
	END IF;
	amount_paid := now_paid + (SELECT coalesce(sum(CASE p.kind WHEN 'reversal' THEN -p.amount ELSE p.amount END), 0)
		FROM bill.payment p WHERE p.rule = of_rule AND p.id = of_id AND p.at <= moment AND p.recorded_at <= known);
	due := last.due;
	open := CASE WHEN last.amount IS NULL THEN 'NaN' WHEN last.amount > 0 AND last.amount > amount_paid THEN last.amount - amount_paid END;
END
$$;

CREATE FUNCTION bill.oracle(of_rule text, of_account text, of_service text, as_of timestamptz, known timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r constant jsonb := (SELECT restriction FROM bill.rule WHERE name = of_rule);
	zone constant text := coalesce(r ->> 'time_zone', 'UTC');
	ids constant int[] := ARRAY(SELECT DISTINCT i.id FROM bill.image i WHERE i.rule = of_rule AND i.account = of_account AND i.recorded_at <= known);
	o record;
	h timestamptz;
	today date;
	first_due date;
	enough boolean;
	terminated boolean := false;
	level text := 'none';
BEGIN
	SELECT v.level INTO o FROM bill.override v
	WHERE v.account = of_account AND (v.service IS NULL OR v.service = of_service) AND v.recorded_at <= known AND as_of >= v.starts AND as_of < v.until
	  AND NOT coalesce(v.revoked_recorded <= known AND v.revoked_from <= as_of, false)
	ORDER BY v.service IS NULL, v.n DESC LIMIT 1;
	IF FOUND THEN
		RETURN o.level;
	END IF;
	FOR h IN
		SELECT t FROM (
			SELECT (d AT TIME ZONE zone) FROM generate_series(timestamp '2026-02-10', as_of AT TIME ZONE zone, '1 day') d
			UNION SELECT unnest(ARRAY[i.settled_at, i.changed_at]) FROM bill.image i WHERE i.rule = of_rule AND i.id = ANY (ids)
			UNION SELECT p.at FROM bill.payment p WHERE p.rule = of_rule AND p.id = ANY (ids)
			UNION SELECT as_of) e(t)
		WHERE t <= as_of ORDER BY t
	LOOP
		today := (h AT TIME ZONE zone)::date;
		SELECT min(b.due), coalesce(bool_or(b.open = 'NaN') OR sum(b.open) >= coalesce((r ->> 'minimum_amount')::numeric, 0), false)
		INTO first_due, enough
		FROM unnest(ids) i(id)
			CROSS JOIN LATERAL bill.open(of_rule, i.id, of_account, of_service, r ->> 'per' = 'service', h, known) b
		WHERE b.open IS NOT NULL AND today > b.due
		  AND (r ->> 'grace' IS NULL OR today >= sla.business_days_add(b.due, 3, 'Europe/Berlin Mo-Fr 09:00-17:00'));
		level := CASE WHEN first_due IS NULL OR NOT enough THEN 'none'
			WHEN today - first_due >= (r #>> '{thresholds,termination}')::int THEN 'termination'
			WHEN today - first_due >= (r #>> '{thresholds,deployments}')::int THEN 'deployments'
			WHEN today - first_due >= (r #>> '{thresholds,support}')::int THEN 'support'
			ELSE 'none' END;
		terminated := CASE WHEN first_due IS NULL THEN false ELSE terminated OR level = 'termination' END;
	END LOOP;
	RETURN CASE WHEN terminated THEN 'termination' ELSE level END;
END
$$;

CREATE TABLE bill.question AS
	SELECT name AS rule, name || ' ' || bill.pick('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h') AS account, bill.pick('s1', 's2', NULL) AS service,
		timestamptz '2026-03-05' + bill.hours(0, :days * 24) AS as_of,
		CASE WHEN random() < 0.4 + n * 0 THEN 'infinity' ELSE timestamptz '2026-03-05' + bill.hours(0, :days * 24) END AS known
	FROM bill.rule, generate_series(1, :questions) n;
\o
SELECT level, count(*) FROM bill.observed GROUP BY level ORDER BY level;

-- 1
SELECT * FROM (SELECT o.*, sla.restriction(account, service, at, at)::text AS says FROM bill.observed o) x WHERE says <> level ORDER BY at LIMIT 5;
-- 2
CREATE TABLE bill.answer AS
	SELECT q.*, sla.restriction(account, service, as_of, known)::text AS says, bill.oracle(rule, account, service, as_of, known) AS oracle FROM bill.question q;
SELECT * FROM bill.answer WHERE says <> oracle ORDER BY as_of LIMIT 5;
-- 3
CREATE TABLE bill.told AS
	SELECT q.*, (SELECT h.level::text FROM sla.restriction_history(account, service, to_at => timestamptz '2026-03-06' + :days * interval '1 day', known_at => known) h
		WHERE as_of >= h.since AND (as_of < h.until OR h.until IS NULL)) AS history
	FROM bill.answer q;
SELECT * FROM bill.told WHERE history IS DISTINCT FROM says ORDER BY as_of LIMIT 5;

SELECT (SELECT count(*) FROM bill.observed WHERE sla.restriction(account, service, at, at)::text <> level) AS wrong_past,
	(SELECT count(*) FROM bill.answer WHERE says <> oracle) AS wrong_oracle,
	(SELECT count(*) FROM bill.told WHERE history IS DISTINCT FROM says) AS wrong_history,
	(SELECT count(DISTINCT oracle) < 4 FROM bill.answer) AS dull \gset
\echo :wrong_past of the past, :wrong_oracle against the oracle, :wrong_history in histories disagree
SELECT 1 / (CASE WHEN :wrong_past + :wrong_oracle + :wrong_history = 0 AND NOT :'dull'::boolean THEN 1 ELSE 0 END) AS agreed \g /dev/null
ROLLBACK;
