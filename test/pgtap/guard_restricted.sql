-- Guards of what bills forbid: deployments, tickets, anything
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(24);

SELECT sla.load_policy('{"policy": "t bills", "time_zone": "Europe/Berlin",
	"calendars": {"day": {"hours": "Europe/Berlin Mo-Fr 09:00-17:00"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "day"}],
	"requests": {"rollout": {"lead": "1 day"}},
	"restriction": {"thresholds": {"support": 30, "deployments": 61, "termination": 91}, "actions": {"ticket": "support", "deployment": "deployments", "login": "termination"},
		"security_release": ["deployment"]}}');
CREATE TABLE invoice (id int PRIMARY KEY, account text, due date, settled_at timestamptz);
SELECT sla.attach_invoices('invoice', 't bills', 'account', 'due', settled_at => 'settled_at');
-- as of 2026-06-01 in Berlin
INSERT INTO invoice VALUES (1, 'late 30', '2026-05-02', NULL), (2, 'late 60', '2026-04-02', NULL), (3, 'late 61', '2026-04-01', NULL), (4, 'late 90', '2026-03-03', NULL), (8, 'also 91', '2026-03-02', NULL), (5, 'late 91', '2026-03-02', NULL), (6, 'paid', '2026-03-02', '2026-03-10'), (7, 'late 29', '2026-05-03', NULL);
CREATE FUNCTION pg_temp.refused(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text; detail text; hint text; state text;
BEGIN
	EXECUTE command;
	RETURN 'nothing';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n', state || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END $$;

CREATE TABLE deployment (id int GENERATED ALWAYS AS IDENTITY, account text, at timestamptz DEFAULT '2026-06-01 12:00+02', security boolean, note text);
CREATE TABLE ticket (LIKE deployment INCLUDING ALL);
CREATE TABLE login (LIKE deployment INCLUDING ALL);
SELECT sla.guard(t, t::text, 'account', security_release => 'security', as_of => 'at') FROM unnest('{deployment,ticket,login}'::regclass[]) t;
SELECT is((SELECT string_agg(t || ' ' || a || ' ' || left(pg_temp.refused(format('INSERT INTO %s (account) VALUES (%L)', t, a)), 5), ', ' ORDER BY a) FROM unnest('{late 29,late 30,late 60,late 61,late 90,late 91,paid,unknown}'::text[]) a), e, 'who may: ' || t)
FROM (VALUES ('ticket', 'ticket late 29 nothi, ticket late 30 SL001, ticket late 60 SL001, ticket late 61 SL001, ticket late 90 SL001, ticket late 91 SL001, ticket paid nothi, ticket unknown nothi'),
	('deployment', 'deployment late 29 nothi, deployment late 30 nothi, deployment late 60 nothi, deployment late 61 SL001, deployment late 90 SL001, deployment late 91 SL001, deployment paid nothi, deployment unknown nothi'),
	('login', 'login late 29 nothi, login late 30 nothi, login late 60 nothi, login late 61 nothi, login late 90 nothi, login late 91 SL001, login paid nothi, login unknown nothi')) v(t, e);
SELECT is(pg_temp.refused($$INSERT INTO deployment (account) VALUES ('late 61')$$), 'SL001 account "late 61" is restricted: deployment is refused
Level deployments since 2026-05-31 22:00:00+00, by policy "t bills", deployments from 61 days of unsettled bills on; deployment is refused from level deployments on. The earliest unsettled bill was due 2026-04-01, 61 days before.
It is lifted by payment of invoice 3. Whoever may insert into sla.restriction_override can allow it with sla.override_restriction.', 'which rule, which level, since when, and what would lift it');
SELECT is(left(pg_temp.refused($$INSERT INTO deployment (account, at) VALUES ('late 61', '2026-05-31 23:59:59+02')$$), 7), 'nothing', 'until midnight before that day');
SELECT is(left(pg_temp.refused($$INSERT INTO deployment (account, at) VALUES ('late 61', '2026-06-01 00:00+02')$$), 5), 'SL001', 'from midnight on');
SELECT is(left(pg_temp.refused($$INSERT INTO deployment (account) VALUES (NULL)$$), 7), 'nothing', 'nobody is not restricted');
SELECT is(left(pg_temp.refused($$INSERT INTO deployment (account) VALUES ('')$$), 7), 'nothing', 'and no name is nobody''s');

-- A critical security release
SELECT is(left(pg_temp.refused($$INSERT INTO deployment (account, security) VALUES ('late 61', true)$$), 7), 'nothing', 'a critical security release is let in');
SELECT is(left(pg_temp.refused($$INSERT INTO deployment (account, security) VALUES ('late 91', true)$$), 5), 'SL001', 'but not when services are terminated');
SELECT is(left(pg_temp.refused($$INSERT INTO ticket (account, security) VALUES ('late 61', true)$$), 5), 'SL001', 'and it is no ticket');
SELECT is(left(pg_temp.refused($$UPDATE deployment SET security = false WHERE account = 'late 61'$$), 5), 'SL001', 'nor is it one that turns out not to be');

-- Updates
SELECT is(pg_temp.refused($$UPDATE deployment SET note = 'x'$$), 'nothing', 'what is there may change');
SELECT is(left(pg_temp.refused($$UPDATE deployment SET account = 'late 61' WHERE account = 'paid'$$), 5), 'SL001', 'unless it becomes an account''s that is restricted');

-- What lifts it lifts it at once
UPDATE invoice SET settled_at = '2026-06-01 11:00+02' WHERE id = 3;
SELECT is(pg_temp.refused($$INSERT INTO deployment (account) VALUES ('late 61')$$), 'nothing', 'settled');
UPDATE invoice SET settled_at = NULL WHERE id = 3;
SELECT is(left(pg_temp.refused($$INSERT INTO deployment (account, at) VALUES ('late 61', clock_timestamp())$$), 5), 'SL001', 'not settled after all, from now on');
SELECT sla.override_restriction('late 91', NULL, 'none', 'an agreement by phone', '2026-06-10', 'ann', '2026-05-01', '2026-05-01') AS override \gset
SELECT is(pg_temp.refused($$INSERT INTO deployment (account) VALUES ('late 91')$$), 'nothing', 'overridden');
SELECT is(left(pg_temp.refused($$INSERT INTO deployment (account, at) VALUES ('late 91', '2026-06-10')$$), 5), 'SL001', 'until it ends');
SELECT sla.override_restriction('paid', NULL, 'termination', 'fraud', 'infinity', 'ann', '2026-05-01', '2026-05-01');
SELECT ok(starts_with(pg_temp.refused($$INSERT INTO login (account) VALUES ('paid')$$), 'SL001 account "paid" is restricted: login is refused
Level termination since 2026-05-01 00:00:00+00, override ' || currval('sla.restriction_override_id_seq') || ' of ann: fraud; login is refused from level termination on.
It is lifted by revocation of override '), 'restricted by hand');

-- Both at once
CREATE TABLE rollout (id int, account text, starts_at timestamptz, asked timestamptz, as_of timestamptz);
SELECT sla.guard('rollout', 'deployment', 'account', as_of => 'as_of', policy => 't bills', kind => 'rollout', requested_at => 'asked');
SELECT is((SELECT string_agg(l, E'\n') FROM (SELECT l FROM regexp_split_to_table(pg_temp.refused($$INSERT INTO rollout VALUES (1, 'also 91', '2026-06-01 12:00+02', '2026-06-01 10:00+02', '2026-06-01 10:00+02')$$), E'\n') l LIMIT 3) x),
	'SL001 account "also 91" is restricted: deployment is refused; request of kind "rollout" is not accepted: 1 problem
Level termination since 2026-05-31 22:00:00+00, by policy "t bills", termination from 91 days of unsettled bills on; deployment is refused from level deployments on. The earliest unsettled bill was due 2026-03-02, 91 days before.
starts_at (lead): is 2026-06-01 12:00:00+02: requested at 2026-06-01 10:00:00+02, it may start 1 day later. Accepted: 2026-06-02 10:00:00+02 or later.', 'everything in one error');
SELECT is(pg_temp.refused($$INSERT INTO rollout VALUES (1, 'also 91', '2026-06-01 12:00+02', '2026-06-01 10:00+02', '2026-05-01 10:00+02')$$) ~ '^SL002', true, 'or what there is');

-- Tickets of an attached table: what is refused is not recorded
CREATE TABLE desk_ticket (id int PRIMARY KEY, account text, s text DEFAULT 'S1', at timestamptz DEFAULT '2026-06-01 12:00+02');
SELECT sla.attach('desk_ticket', 't bills', 's', 'at');
SELECT sla.guard('desk_ticket', 'ticket', 'account', as_of => 'at');
SELECT is(left(pg_temp.refused($$INSERT INTO desk_ticket VALUES (1, 'unknown'), (2, 'late 30')$$), 5), 'SL001', 'a ticket of an account without support');
INSERT INTO desk_ticket VALUES (1, 'unknown');
SELECT is((SELECT string_agg(t.key, ',') FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id WHERE a.ticket_table = 'desk_ticket'::regclass), '1', 'is no ticket');

-- By default, the statement's time counts
CREATE TABLE now_only (account text);
SELECT sla.guard('now_only', 'login', 'account');
INSERT INTO invoice VALUES (50, 'now', (now() AT TIME ZONE 'Europe/Berlin')::date - 200);
SELECT is(left(pg_temp.refused($$INSERT INTO now_only VALUES ('now')$$), 5), 'SL001', 'without a column of when it is now');

SELECT * FROM finish();
ROLLBACK;
