-- Attached tables with a column for every role, and random changes of their
-- rows and random events beside them.

-- Two ways to be resolved: the state says so, or the time is set.
CREATE TABLE by_state (
	id			int PRIMARY KEY,
	policy		text,
	s			text,
	at			timestamptz,
	replied		timestamptz,
	told		timestamptz,
	heard		timestamptz,
	state		text,
	done		timestamptz,
	changed		timestamptz,
	product		text,
	channel		text,
	looked		timestamptz,
	excuse		text,
	agent		text,
	team		text,
	account		text,
	place		text
);
CREATE TABLE by_time (LIKE by_state INCLUDING ALL);

CREATE FUNCTION fold.attach(tickets regclass, states boolean) RETURNS bigint LANGUAGE sql AS $$
	SELECT sla.attach(tickets, policy_column => 'policy', policy => 'fold0', severity => 's', received_at => 'at',
		responded_at => 'replied', last_update_at => 'told', customer_reply_at => 'heard', resolved_at => 'done',
		changed_at => 'changed', severity_map => '{"S1": "S1", "S2": "S2", "S3": "S3", "S4": "S4"}', severity_default => 'S3',
		status => CASE WHEN states THEN 'state' END, paused_when => CASE WHEN states THEN '{waiting,parked}'::text[] END,
		resolved_when => CASE WHEN states THEN '{done,closed}'::text[] END, cancelled_when => CASE WHEN states THEN '{spam}'::text[] END,
		product => 'product', channel => 'channel', investigated_at => 'looked', exempt => 'excuse', assignee => 'agent',
		team => 'team', account => 'account', labels => '{place}')
$$;

CREATE FUNCTION fold.severity() RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN random() < 0.05 THEN fold.pick(NULL, 'huge') ELSE fold.pick('S1', 'S2', 'S3', 'S4') END
$$;

CREATE FUNCTION fold.policy() RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT name FROM fold.policy ORDER BY random() LIMIT 1
$$;

CREATE FUNCTION fold.new_row(tickets regclass, id int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('INSERT INTO %s (id, policy, s, at, state, product, channel, agent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING', tickets)
		USING id, fold.policy(), fold.severity(), fold.instant(), fold.pick('open', 'open', 'waiting'),
			fold.pick(NULL, NULL, 'api', 'app'), fold.pick(NULL, NULL, 'portal', 'email', 'chat'), fold.pick(NULL, 'anna');
END
$$;

CREATE FUNCTION fold.set_columns(tickets regclass, id int, assignments text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('UPDATE %s t SET %s, changed = fold.instant() WHERE t.id = $1', tickets, assignments) USING id;
END
$$;

-- What a row comes to say next, or what is said beside it
CREATE FUNCTION fold.random_change(tickets regclass, id int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM fold.set_columns(tickets, id, CASE floor(random() * 12)
		WHEN 0 THEN 'replied = CASE WHEN fold.chance(0.8) THEN fold.instant() END'
		WHEN 1 THEN 'told = greatest(told, fold.instant())'
		WHEN 2 THEN 'heard = CASE WHEN fold.chance(0.9) THEN fold.instant() END'
		WHEN 3 THEN 'at = CASE WHEN fold.chance(0.95) THEN fold.instant() END'
		WHEN 4 THEN 's = fold.severity()'
		WHEN 5 THEN 'product = fold.pick(NULL, ''api'', ''app'')'
		WHEN 6 THEN 'looked = CASE WHEN fold.chance(0.9) THEN fold.instant() END'
		WHEN 7 THEN 'agent = fold.pick(NULL, ''anna'', ''ben''), channel = CASE WHEN fold.chance(0.2) THEN fold.pick(''email'', ''portal'') ELSE channel END'
		WHEN 8 THEN 'excuse = CASE WHEN fold.chance(0.3) THEN fold.pick(''known'', ''test'', ''mood'') END'
		ELSE 'state = fold.pick(''open'', ''working'', ''waiting'', ''parked'', ''done'', ''closed'', ''spam''), done = CASE WHEN fold.chance(0.5) THEN fold.instant() END'
		END);
END
$$;

CREATE FUNCTION fold.ticket_of(tickets regclass, id int) RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT t.id FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id
	WHERE a.ticket_table::regclass = tickets AND t.key = ticket_of.id::text
$$;

-- Only of a clock that runs can the due time be pinned.
CREATE FUNCTION fold.pin(tickets regclass, id int, metric text, due timestamptz, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sla.pin_due(tickets, id::text, metric, due, at);
EXCEPTION WHEN invalid_parameter_value THEN
	NULL;
END
$$;

CREATE FUNCTION fold.random_event(tickets regclass, id int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	kind	text := fold.pick('replied', 'updated', 'customer_replied', 'customer_replied', 'investigated', 'assigned', 'paused', 'paused',
						'resumed', 'resumed', 'resolved', 'reopened', 'cancelled', 'retracted', 'pin', CASE WHEN fold.chance(0.3) THEN 'exempted' ELSE 'covered' END);
	value	text := CASE
				WHEN kind IN ('paused', 'resumed') THEN fold.pick('parts', 'vendor')
				WHEN kind = 'assigned' THEN fold.pick('anna', 'ben')
				WHEN kind = 'exempted' THEN fold.pick('known', 'test')
				WHEN kind = 'covered' THEN fold.pick('known', 'test', NULL)
				WHEN kind = 'retracted' THEN (SELECT e.seq::text FROM sla.event e
					WHERE e.ticket_id = fold.ticket_of(tickets, id) AND e.source = 'api' AND e.kind <> 'retracted' ORDER BY random() LIMIT 1) END;
BEGIN
	IF fold.ticket_of(tickets, id) IS NULL THEN
		RETURN;
	ELSIF kind = 'pin' THEN
		PERFORM fold.pin(tickets, id, fold.pick('response', 'resolution', 'reply'), CASE WHEN fold.chance(0.7) THEN fold.instant() END, fold.instant());
	ELSIF kind <> 'retracted' OR value IS NOT NULL THEN
		PERFORM sla.record_event(tickets, id::text, kind, fold.instant(), value);
	END IF;
END
$$;

-- Histories told fact by fact: a kind of event, or `row` with assignments
CREATE TABLE fold.fact (
	id		int,
	n		int,
	kind	text,
	at		timestamptz,		-- no two of a ticket at the same instant
	value	text
);

CREATE FUNCTION fold.ticket_table(name text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %I (LIKE by_state INCLUDING ALL)', name);
	RETURN fold.attach(name::regclass, true);
END
$$;

CREATE FUNCTION fold.random_facts(id int, facts int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO fold.fact
	SELECT id, n, kind, fold.instant() + n * interval '1 ms',
		CASE kind
			WHEN 'row' THEN CASE floor(random() * 3)
				WHEN 0 THEN 's = ' || quote_literal(fold.pick('S1', 'S2', 'S3', 'S4'))
				WHEN 1 THEN 'product = ' || quote_literal(fold.pick('api', 'app'))
				ELSE 'state = ' || quote_literal(fold.pick('open', 'waiting', 'done', 'spam')) END
			WHEN 'assigned' THEN fold.pick('anna', 'ben')
			WHEN 'paused' THEN fold.pick('parts', 'vendor')
			WHEN 'resumed' THEN fold.pick('parts', 'vendor')
			WHEN 'exempted' THEN fold.pick('known', 'test')
			WHEN 'covered' THEN fold.pick('known', 'test', NULL)
			WHEN 'pin' THEN fold.pick('response', 'resolution', 'reply') || ' ' || CASE WHEN fold.chance(0.7) THEN fold.instant()::text ELSE '' END
		END
	FROM (SELECT n, fold.pick('row', 'row', 'row', 'row', 'replied', 'updated', 'customer_replied', 'customer_replied',
			'investigated', 'assigned', 'paused', 'paused', 'resumed', 'resumed', 'resolved', 'reopened', 'cancelled', 'pin', CASE WHEN fold.chance(0.3) THEN 'exempted' ELSE 'covered' END) AS kind
		  FROM generate_series(1, facts) n) k
$$;

-- Starts a ticket in each of the tables with the same row, one that nobody has
-- been given yet.
CREATE FUNCTION fold.same_rows(tickets regclass[], id int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	t	regclass;
BEGIN
	PERFORM fold.new_row('by_state', id);
	UPDATE by_state b SET agent = NULL, at = least(at, '2026-03-30'), s = CASE WHEN s <> 'huge' THEN s END WHERE b.id = same_rows.id;
	FOREACH t IN ARRAY tickets LOOP
		EXECUTE format('INSERT INTO %s SELECT * FROM by_state b WHERE b.id = $1', t) USING id;
	END LOOP;
END
$$;

CREATE FUNCTION fold.tell(tickets regclass, f fold.fact) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF f.kind = 'row' THEN
		EXECUTE format('UPDATE %s t SET %s, changed = $1 WHERE t.id = $2', tickets, f.value) USING f.at, f.id;
	ELSIF f.kind = 'pin' THEN
		PERFORM fold.pin(tickets, f.id, split_part(f.value, ' ', 1),
			nullif(substr(f.value, position(' ' IN f.value) + 1), '')::timestamptz, f.at);
	ELSE
		PERFORM sla.record_event(tickets, f.id::text, f.kind, f.at, f.value);
	END IF;
END
$$;
