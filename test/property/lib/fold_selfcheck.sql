-- The oracle judges the fold; these cases, small enough to check by hand, judge
-- the oracle. Every day is open from 09:00 to 17:00.

-- Events written as `kind DD HH:MM value; ...`, values as `new` or `old>new`; a
-- star in front: not said by the row. `channel NAME` is none of them.
CREATE FUNCTION fold.history(told text) RETURNS fold.event[]
LANGUAGE sql STABLE AS $$
	SELECT array_agg((n, ltrim(m[1], '*'), ('2026-03-' || m[2])::timestamptz,
		CASE WHEN m[3] ~ '>' THEN nullif(split_part(m[3], '>', 1), '') END,
		nullif(CASE WHEN m[3] ~ '>' THEN split_part(m[3], '>', 2) ELSE m[3] END, ''),
		CASE WHEN m[1] ~ '^\*' THEN 'api' END)::fold.event ORDER BY n)
	FROM regexp_split_to_table(regexp_replace(told, '; channel \w+', ''), ' *; *') WITH ORDINALITY x (one, n),
		regexp_match(one, '^(\S+) (\S+ \S+) ?(.*)$') m
$$;

CREATE FUNCTION fold.moment(t timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN isfinite(t) THEN to_char(t, 'DD HH24:MI') ELSE t::text END
$$;

-- metric cycle severity: start (counted from) - due (pinned) outcome stopped,
-- worked (carried), paused (since), warned
CREATE FUNCTION fold.told(c fold.clock) RETURNS text
LANGUAGE sql STABLE AS $$
	SELECT format('%s%s %s: %s%s - %s%s %s', c.metric, c.cycle, c.severity, fold.moment(c.started_at),
		' (' || fold.moment(c.counted_from) || ')', fold.moment(c.due_at), CASE WHEN c.pinned THEN ' pinned' END,
		concat_ws(' ', coalesce(c.outcome, 'running'), fold.moment(c.stopped_at), to_char(c.worked, 'HH24:MI'),
			'(' || to_char(c.carried, 'HH24:MI') || ')',
			CASE WHEN c.paused <> '0' THEN 'paused ' || to_char(c.paused, 'HH24:MI') END,
			'still since ' || fold.moment(c.paused_at),
			'warned ' || (SELECT string_agg(fold.moment(w), ', ' ORDER BY w) FROM (SELECT DISTINCT at FROM unnest(c.warned)) x (w))))
$$;

CREATE FUNCTION fold.check(what text, rules jsonb, told text, metrics text, VARIADIC expected text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	policy	jsonb := '{
		"calendars": {"day": {"hours": "UTC Mo-Su 09:00-17:00"}},
		"targets": [
			{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "day"},
			{"severity": "S1", "metric": "reply", "goal": "30min", "calendar": "day"},
			{"severity": "S1", "metric": "resolution", "goal": "4h", "calendar": "day"},
			{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "day"},
			{"severity": "S2", "metric": "reply", "goal": "1h", "calendar": "day"},
			{"severity": "S2", "metric": "update", "goal": "2h", "calendar": "day"},
			{"severity": "S2", "metric": "resolution", "goal": "8h", "calendar": "day"},
			{"severity": "S3", "metric": "response", "goal": "4h", "calendar": "day"},
			{"severity": "S4", "metric": "resolution", "goal": "2bd", "calendar": "day", "pausable": false}]}';
	channel	text := substring(told FROM 'channel (\w+)');
	got		text[] := (SELECT array_agg(fold.told(c) ORDER BY c.metric, c.cycle)
					   FROM fold.clocks(policy || rules, channel, fold.history(told)) c WHERE c.metric ~ metrics);
BEGIN
	IF got IS DISTINCT FROM nullif(expected, '{none}') THEN
		RAISE EXCEPTION E'the oracle is wrong: %\n%\ninstead of\n%', what,
			array_to_string(got, E'\n'), array_to_string(expected, E'\n');
	END IF;
END
$$;

CREATE FUNCTION fold.selfcheck() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	-- start and stop
	PERFORM fold.check('overnight', '{}', 'opened 02 16:00 S2', '',
		'resolution1 S2: 02 16:00 - 03 16:00 running', 'response1 S2: 02 16:00 - 03 10:00 running');
	PERFORM fold.check('exactly at due', '{}', 'opened 02 16:00 S2; replied 03 10:00', 'response',
		'response1 S2: 02 16:00 - 03 10:00 met 03 10:00 02:00');
	PERFORM fold.check('late', '{}', 'opened 02 16:00 S2; replied 03 10:01', 'response',
		'response1 S2: 02 16:00 - 03 10:00 breached 03 10:01 02:01');
	PERFORM fold.check('answered before it was received', '{}', 'replied 01 10:00; opened 02 16:00 S2', 'response',
		'response1 S2: 02 16:00 - 03 10:00 met 02 16:00 00:00');
	PERFORM fold.check('taken back', '{}', 'opened 02 16:00 S2; replied 03 09:00; retracted 03 09:30 2', 'response',
		'response1 S2: 02 16:00 - 03 10:00 running');
	PERFORM fold.check('gone', '{}', 'opened 02 16:00 S2; deleted 03 11:00', '',
		'resolution1 S2: 02 16:00 - 03 16:00 cancelled 03 11:00 03:00',
		'response1 S2: 02 16:00 - 03 10:00 breached 03 11:00 03:00');

	-- cycles
	PERFORM fold.check('each turn of the customer', '{}',
		'opened 02 09:00 S2; customer_replied 02 09:10; replied 02 09:30; customer_replied 02 10:00; customer_replied 02 10:20; replied 02 10:40; updated 02 10:50; customer_replied 02 11:00', 're(ply|sponse)',
		'reply1 S2: 02 10:00 - 02 11:00 met 02 10:40 00:40', 'reply2 S2: 02 11:00 - 02 12:00 running',
		'response1 S2: 02 09:00 - 02 11:00 met 02 09:30 00:30');
	PERFORM fold.check('each update', '{}',
		'opened 02 09:00 S2; updated 02 10:00; replied 02 10:40; replied 02 10:40; updated 02 13:00; resolved 02 13:30', 'update',
		'update1 S2: 02 10:40 - 02 12:40 breached 02 13:00 02:20', 'update2 S2: 02 13:00 - 02 15:00 met 02 13:30 00:30');
	PERFORM fold.check('a turn while resolved', '{}', 'opened 02 09:00 S2; replied 02 09:30; resolved 02 10:00; customer_replied 02 11:00; reopened 02 12:00', 'reply',
		'reply1 S2: 02 12:00 - 02 13:00 running');
	PERFORM fold.check('answered while resolved', '{}',
		'opened 02 09:00 S2; replied 02 09:30; resolved 02 10:00; customer_replied 02 11:00; replied 02 11:30; reopened 02 12:00', 'reply', 'none');
	PERFORM fold.check('a metric of its own', '{"metrics": {"triage": {"starts_on": ["assigned"], "stops_on": ["replied"]}},
			"targets": [{"severity": "S2", "metric": "triage", "goal": "1h", "calendar": "day"}]}',
		'opened 02 09:00 S2; assigned 02 09:30 anna; assigned 02 10:00 anna>ben; replied 02 10:30; assigned 02 11:00 ben>anna', '',
		'triage1 S2: 02 09:30 - 02 10:30 met 02 10:30 01:00');

	-- pauses
	PERFORM fold.check('paused', '{}', 'opened 02 09:00 S2; paused 02 10:00 waiting', '',
		'resolution1 S2: 02 09:00 - infinity running still since 02 10:00', 'response1 S2: 02 09:00 - infinity running still since 02 10:00');
	PERFORM fold.check('resumed', '{}', 'opened 02 09:00 S2; paused 02 10:00 waiting; resumed 02 12:00', '',
		'resolution1 S2: 02 09:00 - 03 11:00 running paused 02:00', 'response1 S2: 02 09:00 - 02 13:00 running paused 02:00');
	PERFORM fold.check('due when paused', '{}', 'opened 02 09:00 S2; paused 02 11:00 waiting', 'response',
		'response1 S2: 02 09:00 - 02 11:00 running still since 02 11:00');
	PERFORM fold.check('for two reasons', '{}', 'opened 02 09:00 S2; *paused 02 10:00 a; paused 02 10:30 w; *resumed 02 11:00 a; resumed 02 11:30', '',
		'resolution1 S2: 02 09:00 - 03 10:30 running paused 01:30', 'response1 S2: 02 09:00 - 02 12:30 running paused 01:30');
	PERFORM fold.check('stopped while paused', '{}', 'opened 02 09:00 S2; paused 02 10:00 waiting; replied 02 16:00; resumed 02 16:30', 'response',
		'response1 S2: 02 09:00 - infinity met 02 16:00 01:00 paused 06:00');
	PERFORM fold.check('begun while paused', '{}', 'opened 02 09:00 S2; replied 02 09:30; paused 02 10:00 waiting; customer_replied 02 11:00; resumed 02 12:00', 'reply',
		'reply1 S2: 02 11:00 - 02 13:00 running paused 01:00');
	PERFORM fold.check('not to be paused', '{}', 'opened 02 10:00 S4; paused 02 11:00 waiting; resumed 02 12:00', '',
		'resolution1 S4: 02 10:00 - 04 10:00 running');
	PERFORM fold.check('to be paused after all', '{}', 'opened 02 10:00 S4; paused 02 11:00 waiting; resumed 02 12:00; severity 02 13:00 S4>S2', 'resolution',
		'resolution1 S2: 02 10:00 - 03 11:00 running paused 01:00');

	-- another severity
	PERFORM fold.check('from the start', '{}', 'opened 02 09:00 S2; severity 02 10:30 S2>S1', '',
		'resolution1 S1: 02 09:00 - 02 13:00 running', 'response1 S1: 02 09:00 - 02 10:30 running');
	PERFORM fold.check('from the start, in a pause', '{}', 'opened 02 09:00 S2; paused 02 10:15 w; severity 02 10:30 S2>S1; resumed 02 12:00', '',
		'resolution1 S1: 02 09:00 - 02 14:45 running paused 01:45', 'response1 S1: 02 09:00 - 02 12:00 running paused 01:45');
	PERFORM fold.check('from the change', '{"severity_change": "from_change"}', 'opened 02 09:00 S2; severity 02 10:30 S2>S1; replied 02 11:00', '',
		'resolution1 S1: 02 09:00 (02 10:30) - 02 14:30 running (01:30)',
		'response1 S1: 02 09:00 (02 10:30) - 02 11:30 met 02 11:00 02:00 (01:30)');
	PERFORM fold.check('the part unused', '{"severity_change": "carry"}', 'opened 02 09:00 S2; severity 02 10:30 S2>S1', '',
		'resolution1 S1: 02 09:00 (02 10:30) - 02 13:45 running (01:30)', 'response1 S1: 02 09:00 (02 10:30) - 02 10:45 running (01:30)');
	PERFORM fold.check('the part unused, twice', '{"severity_change": "carry"}', 'opened 02 09:00 S2; severity 02 10:30 S2>S1; severity 02 10:40 S1>S2', '',
		'resolution1 S2: 02 09:00 (02 10:40) - 02 16:50 running (01:40)', 'response1 S2: 02 09:00 (02 10:40) - 02 10:50 running (01:40)');
	PERFORM fold.check('the part unused, in a pause', '{"severity_change": "carry"}', 'opened 02 09:00 S2; paused 02 10:00 w; severity 02 10:30 S2>S1; resumed 02 11:00', 'response',
		'response1 S1: 02 09:00 (02 10:30) - 02 11:30 running (01:00) paused 00:30');
	PERFORM fold.check('late already', '{}', 'opened 02 09:00 S1; severity 02 10:30 S1>S2', '',
		'resolution1 S2: 02 09:00 - 02 17:00 running', 'response1 S1: 02 09:00 - 02 10:00 running');
	PERFORM fold.check('nothing promised', '{}', 'opened 02 09:00 S1; severity 02 10:15 S1>S3', 'resolution',
		'resolution1 S1: 02 09:00 - 02 13:00 cancelled 02 10:15 01:15');
	PERFORM fold.check('and promised again', '{}', 'opened 02 09:00 S1; severity 02 10:15 S1>S3; severity 02 10:20 S3>S2', 'resolution',
		'resolution1 S2: 02 09:00 - 02 17:00 running');
	PERFORM fold.check('promised late', '{}', 'opened 02 09:00 S3; severity 02 12:00 S3>S2', 'resolution',
		'resolution1 S2: 02 09:00 - 02 17:00 running');
	PERFORM fold.check('no more severe than the product', '{"severity_caps": {"api": "S2", "*": "S4"}}', 'opened 02 09:00 api>S1', '',
		'resolution1 S2: 02 09:00 - 02 17:00 running', 'response1 S2: 02 09:00 - 02 11:00 running');
	PERFORM fold.check('another product', '{"severity_caps": {"api": "S2", "*": "S4"}}', 'opened 02 09:00 api>S1; product 02 10:30 api>app', '',
		'resolution1 S4: 02 09:00 - 04 09:00 running', 'response1 S2: 02 09:00 - 02 11:00 cancelled 02 10:30 01:30');

	-- resolved and reopened
	PERFORM fold.check('goes on', '{}', 'opened 02 09:00 S2; resolved 02 10:00; reopened 02 12:00', '',
		'resolution1 S2: 02 09:00 - 03 11:00 running paused 02:00', 'response1 S2: 02 09:00 - 02 13:00 running paused 02:00');
	PERFORM fold.check('begins anew', '{"reopening": "restart"}', 'opened 02 09:00 S2; resolved 02 10:00; reopened 02 12:00', '',
		'resolution1 S2: 02 09:00 - 02 17:00 met 02 10:00 01:00', 'resolution2 S2: 02 12:00 - 03 12:00 running',
		'response1 S2: 02 09:00 - 02 11:00 met 02 10:00 01:00', 'response2 S2: 02 12:00 - 02 14:00 running');
	PERFORM fold.check('only what resolving stopped', '{"reopening": "restart"}', 'opened 02 09:00 S2; replied 02 09:30; resolved 02 10:00; reopened 02 12:00', 'response',
		'response1 S2: 02 09:00 - 02 11:00 met 02 09:30 00:30');
	PERFORM fold.check('what was cancelled goes on', '{"reopening": "restart"}', 'opened 02 09:00 S2; cancelled 02 10:00 spam; reopened 02 12:00', 'resolution',
		'resolution1 S2: 02 09:00 - 03 11:00 running paused 02:00');
	PERFORM fold.check('late before', '{}', 'opened 02 09:00 S1; resolved 02 10:30; reopened 02 12:00', 'response',
		'response1 S1: 02 09:00 - 02 10:00 running paused 01:30');
	PERFORM fold.check('answered in between', '{}', 'opened 02 09:00 S2; resolved 02 10:00; replied 02 11:00; reopened 02 12:00', 'response',
		'response1 S2: 02 09:00 - 02 13:00 met 02 12:00 01:00 paused 02:00');
	PERFORM fold.check('another severity while resolved', '{}', 'opened 02 09:00 S2; resolved 02 10:00; severity 02 11:00 S2>S1; reopened 02 12:00', 'resolution',
		'resolution1 S1: 02 09:00 - 02 15:00 running paused 02:00');
	PERFORM fold.check('deleted while resolved', '{}', 'opened 02 09:00 S2; resolved 02 10:00; deleted 02 11:00; restored 02 12:00; reopened 02 13:00', 'resolution',
		'resolution1 S2: 02 09:00 - 03 12:00 running paused 03:00');
	PERFORM fold.check('reopened while deleted', '{"reopening": "restart"}', 'opened 02 09:00 S2; resolved 02 10:00; deleted 02 11:00; reopened 02 12:00; restored 02 13:00', 'resolution',
		'resolution1 S2: 02 09:00 - 02 17:00 met 02 10:00 01:00', 'resolution2 S2: 02 12:00 - 03 13:00 running paused 01:00');

	-- alerts
	PERFORM fold.check('warned', '{"targets": [{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "day", "alerts": [0.5, "0.75", 1, "15min", "4h"]}]}',
		'opened 02 09:00 S2; paused 02 09:30 w; resumed 02 10:30', '',
		'response1 S2: 02 09:00 - 02 12:00 running paused 01:00 warned 02 09:00, 02 11:00, 02 11:30, 02 11:45');
	PERFORM fold.check('warned after a change', '{"severity_change": "from_change", "targets": [
			{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "day", "alerts": [0.5]},
			{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "day", "alerts": [0.5]}]}',
		'opened 02 09:00 S2; severity 02 10:30 S2>S1', '',
		'response1 S1: 02 09:00 (02 10:30) - 02 11:30 running (01:30) warned 02 11:00');
	PERFORM fold.check('warned of the part unused', '{"severity_change": "carry", "targets": [
			{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "day", "alerts": [0.5, 0.8]},
			{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "day", "alerts": [0.5, 0.8]}]}',
		'opened 02 09:00 S2; severity 02 10:30 S2>S1', '',
		'response1 S1: 02 09:00 (02 10:30) - 02 10:45 running (01:30) warned 02 10:30, 02 10:33');

	-- what does not count, and what somebody decides
	PERFORM fold.check('from investigation', '{"channels": {"email": "investigation"}}', 'opened 02 09:00 S2; channel email; customer_replied 02 10:00; investigated 02 11:00', '',
		'resolution1 S2: 02 11:00 - 03 11:00 running', 'response1 S2: 02 11:00 - 02 13:00 running');
	PERFORM fold.check('not investigated', '{"channels": {"email": "investigation"}}', 'opened 02 09:00 S2; channel email', '', 'none');
	PERFORM fold.check('never', '{"channels": {"*": "never", "email": "investigation"}}', 'opened 02 09:00 S2; channel chat', '', 'none');
	PERFORM fold.check('from receipt', '{"channels": {"email": "investigation"}}', 'opened 02 09:00 S2; channel chat', 'response',
		'response1 S2: 02 09:00 - 02 11:00 running');
	PERFORM fold.check('exempt', '{"exemptions": {"known": "Known incident"}}', 'opened 02 09:00 S2; exempted 02 10:00 known; replied 02 12:00', 'res',
		'resolution1 S2: 02 09:00 - 02 17:00 exempt', 'response1 S2: 02 09:00 - 02 11:00 exempt 02 12:00 03:00');
	PERFORM fold.check('no longer exempt', '{"exemptions": {"known": "Known incident"}}', 'opened 02 09:00 S2; exempted 02 10:00 known; replied 02 12:00; covered 02 13:00 known>', 'response',
		'response1 S2: 02 09:00 - 02 11:00 breached 02 12:00 03:00');
	PERFORM fold.check('exempt for no reason', '{"exemptions": {"known": "Known incident"}}', 'opened 02 09:00 S2; exempted 02 10:00 mood', 'response',
		'response1 S2: 02 09:00 - 02 11:00 running');
	PERFORM fold.check('exempt for two reasons', '{"exemptions": {"known": "Known incident", "test": "Test"}}', 'opened 02 09:00 S2; exempted 02 10:00 known; *exempted 02 11:00 test; covered 02 12:00 known>', 'response',
		'response1 S2: 02 09:00 - 02 11:00 exempt');
	PERFORM fold.check('pinned', '{}', 'opened 02 09:00 S2; *pinned 02 10:00 response>2026-03-02 15:00; paused 02 10:30 w; severity 02 12:00 S2>S1', 'response',
		'response1 S1: 02 09:00 - 02 15:00 pinned running still since 02 10:30');
	PERFORM fold.check('the pin taken away', '{}', 'opened 02 09:00 S2; *pinned 02 10:00 response>2026-03-02 15:00; paused 02 10:30 w; *pinned 02 11:00 response>', 'response',
		'response1 S2: 02 09:00 - infinity running still since 02 10:30');
	PERFORM fold.check('pinned until it stops', '{}', 'opened 02 09:00 S2; *pinned 02 10:00 response>2026-03-02 15:00; resolved 02 14:00; reopened 02 15:00', 'response',
		'response1 S2: 02 09:00 - 02 11:00 running paused 01:00');
END
$$;

SELECT fold.selfcheck() \g /dev/null
