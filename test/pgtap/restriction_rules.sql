-- What counts as unsettled, for whom, and what people decide instead
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(94);

CREATE FUNCTION pg_temp.load(name text, restriction jsonb, since timestamptz DEFAULT NULL) RETURNS int LANGUAGE sql AS $$
	SELECT sla.load_policy(jsonb_build_object('policy', name, 'time_zone', 'UTC', 'calendars', '{"week": {"hours": "UTC Mo-Fr 09:00-17:00"}}'::jsonb,
		'targets', '[{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "week"}]'::jsonb,
		'restriction', '{"thresholds": {"support": 30, "deployments": 61, "termination": 91}}'::jsonb || restriction), since) $$;
CREATE FUNCTION pg_temp.level(account text, at text, service text DEFAULT NULL, known text DEFAULT 'infinity') RETURNS text LANGUAGE sql AS $$
	SELECT sla.restriction(account, service, at::timestamptz, known::timestamptz)::text $$;
SELECT pg_temp.load('t bills', '{}') IS NOT NULL AS loaded \gset
CREATE TABLE bill (id text PRIMARY KEY, account text, service text, due date, amount numeric, paid_at timestamptz, voided boolean, disputed boolean,
	updated_at timestamptz, booked_at timestamptz);
SELECT sla.attach_invoices('bill', 't bills', account => 'account', due => 'due', service => 'service', settled_at => 'paid_at', amount => 'amount',
	voided => 'voided', disputed => 'disputed', changed_at => 'updated_at', recorded_at => 'booked_at') \g /dev/null

-- A payment booked late: paid on the 3rd, booked on the 5th
INSERT INTO bill VALUES ('late', 'Late', NULL, '2026-01-01', 10, NULL, false, false, '2026-01-01', '2026-01-01');
UPDATE bill SET paid_at = '2026-02-03 12:00', updated_at = '2026-02-03 12:00', booked_at = '2026-02-05 09:00' WHERE id = 'late';
SELECT is(pg_temp.level('Late', '2026-02-04'), 'none', 'as known now it was paid then');
SELECT is(pg_temp.level('Late', '2026-02-04', known => '2026-02-04'), 'support', 'as known then it was not');
SELECT is(pg_temp.level('Late', '2026-02-04', known => '2026-02-05 08:59:59'), 'support', 'nor a second before it was booked');
SELECT is(pg_temp.level('Late', '2026-02-04', known => '2026-02-05 09:00'), 'none', 'it was when it had been booked');
SELECT is(pg_temp.level('Late', '2026-02-03 11:59:59'), 'support', 'and until it was paid it was open');
SELECT is(pg_temp.level('Late', '2026-02-03 11:59:59', known => '2025-12-31'), 'none', 'before the bill was known nothing was');

-- Reversed: it counts from its original due date again, and what was is not undone
UPDATE bill SET paid_at = NULL, updated_at = '2026-03-01 00:00', booked_at = '2026-03-02 00:00' WHERE id = 'late';
SELECT is(pg_temp.level('Late', '2026-02-28 23:59:59'), 'none', 'while it was taken for paid it restricted nobody');
SELECT is(pg_temp.level('Late', '2026-03-01 00:00'), 'support', 'a payment that is reversed brings the level of the original due date');
SELECT is(pg_temp.level('Late', '2026-03-03 00:00'), 'deployments', 'whose days go on');
SELECT is(pg_temp.level('Late', '2026-03-01 12:00', known => '2026-03-01 12:00'), 'none', 'as known then it was paid still');

-- Disputed: does not count meanwhile, and counts from its due date again afterwards
INSERT INTO bill VALUES ('disp', 'Disp', NULL, '2026-01-01', 10, NULL, false, false, '2026-01-01', '2026-01-01');
UPDATE bill SET disputed = true, updated_at = '2026-02-10 00:00', booked_at = '2026-02-10 00:00' WHERE id = 'disp';
SELECT is(pg_temp.level('Disp', '2026-02-09 23:59'), 'support', 'before the dispute');
SELECT is(pg_temp.level('Disp', '2026-02-10'), 'none', 'a disputed bill does not count');
SELECT is(pg_temp.level('Disp', '2026-05-10'), 'none', 'however long');
UPDATE bill SET disputed = false, updated_at = '2026-04-01 00:00', booked_at = '2026-04-01 00:00' WHERE id = 'disp';
SELECT is(pg_temp.level('Disp', '2026-03-31'), 'none', 'for as long as it was disputed');
SELECT is(pg_temp.level('Disp', '2026-04-01'), 'deployments', 'upheld, it counts from its due date');
SELECT is(pg_temp.level('Disp', '2026-04-02'), 'termination', 'on day 91, too');
SELECT is((SELECT array_agg(kind ORDER BY seq) FROM sla.invoice_event e JOIN sla.invoice i ON i.id = e.invoice_id WHERE i.key = 'disp'),
	'{issued,disputed,upheld}'::text[], 'events keep it');
UPDATE bill SET disputed = true, updated_at = '2026-04-05 00:00', booked_at = '2026-04-05 00:00' WHERE id = 'disp';
SELECT is(pg_temp.level('Disp', '2026-04-05'), 'none', 'when all that is overdue is disputed, nothing is outstanding: a termination ends');

-- Voided: never counts, once that is known
INSERT INTO bill VALUES ('void', 'Void', NULL, '2026-01-01', 10, NULL, false, false, '2026-01-01', '2026-01-01');
SELECT is(pg_temp.level('Void', '2026-02-10'), 'support', 'a bill');
UPDATE bill SET voided = true, updated_at = '2026-02-20 00:00', booked_at = '2026-02-20 00:00' WHERE id = 'void';
SELECT is(pg_temp.level('Void', '2026-02-10'), 'none', 'that is voided was never owed');
SELECT is(pg_temp.level('Void', '2026-02-10', known => '2026-02-10'), 'support', 'which was not known then');
UPDATE bill SET voided = false, updated_at = '2026-02-25 00:00', booked_at = '2026-02-25 00:00' WHERE id = 'void';
SELECT is(pg_temp.level('Void', '2026-02-10'), 'support', 'and reinstated it was owed after all');

-- Corrections of what a row says count for all times, once known
UPDATE bill SET due = '2026-02-01', updated_at = '2026-02-26 00:00', booked_at = '2026-02-26 00:00' WHERE id = 'void';
SELECT is(pg_temp.level('Void', '2026-02-10'), 'none', 'a due date that was put right');
SELECT is(pg_temp.level('Void', '2026-03-03'), 'support', 'counts as if it had always been that');
SELECT is(pg_temp.level('Void', '2026-02-10', known => '2026-02-25 12:00'), 'support', 'as known before it was the other one');
UPDATE bill SET account = 'Void2', updated_at = '2026-03-26 00:00', booked_at = '2026-03-26 00:00' WHERE id = 'void';
SELECT is(pg_temp.level('Void', '2026-03-03') || ' ' || pg_temp.level('Void2', '2026-03-03'), 'none support', 'a bill of somebody else');
SELECT is(pg_temp.level('Void', '2026-03-03', known => '2026-03-25') || ' ' || pg_temp.level('Void2', '2026-03-03', known => '2026-03-25'), 'support none',
	'was not known to be that');

-- Paying the oldest re-anchors; credit notes and payments add up
INSERT INTO bill VALUES ('p1', 'Pay', NULL, '2026-01-01', 10, NULL, false, false, '2026-01-01', '2026-01-01'),
	('p2', 'Pay', NULL, '2026-02-15', 10, NULL, false, false, '2026-01-01', '2026-01-01');
SELECT is(sla.record_payment('bill', 'p1', 4, '2026-03-10', recorded_at => '2026-03-10'), 2, 'a partial payment');
SELECT is(pg_temp.level('Pay', '2026-03-11'), 'deployments', 'leaves the level');
SELECT is(sla.record_payment('bill', 'p1', 6, '2026-03-12', 'credit', '2026-03-12'), 3, 'a credit note for the rest');
SELECT is(pg_temp.level('Pay', '2026-03-12'), 'none', 'and the next bill decides at once');
SELECT is(pg_temp.level('Pay', '2026-03-17'), 'support', 'by its own days');
SELECT is(sla.record_payment('bill', 'p1', 1, '2026-03-20', 'reversal', '2026-03-20'), 4, 'a part of it is taken back');
SELECT is(pg_temp.level('Pay', '2026-03-20'), 'deployments', 'and the bill counts from its due date');
SELECT is(state || ' ' || paid, 'open 9', 'what was paid of it is told') FROM sla.invoice WHERE key = 'p1';

-- At no instant is more taken back than was paid by then, in whatever order it is booked
INSERT INTO bill VALUES ('back', 'Back', NULL, '2026-01-01', 100, NULL, false, false, '2026-01-01', '2026-01-01');
SELECT is(sla.record_payment('bill', 'back', 100, '2026-05-01', recorded_at => '2026-05-01'), 2, 'a payment');
SELECT throws_ok($$ SELECT sla.record_payment('bill', 'back', 100, '2026-03-01', 'reversal') $$, '22023', 'more cannot be reversed than has been paid', 'is not reversed before it is made');
SELECT is((SELECT open FROM sla.explain_restriction('Back', as_of => '2026-04-01') WHERE kind = 'invoice'), 100::numeric, 'and no more is open than was billed');
SELECT is(sla.record_payment('bill', 'back', 60, '2026-05-01', 'reversal', '2026-05-02'), 3, 'in the same instant it is');
SELECT is(sla.record_payment('bill', 'back', 40, '2026-07-01', 'reversal', '2026-07-01'), 4, 'the rest later on');
SELECT throws_ok($$ SELECT sla.record_payment('bill', 'back', 1, '2026-06-01', 'reversal') $$, '22023', NULL, 'what is left then is reversed later');
SELECT is(sla.record_payment('bill', 'back', 20, '2026-06-15', recorded_at => '2026-07-02'), 5, 'another payment, booked late');
SELECT throws_ok($$ SELECT sla.record_payment('bill', 'back', 50, '2026-06-20', 'reversal') $$, '22023', NULL, 'is not enough for what was there once');
SELECT is(sla.record_payment('bill', 'back', 20, '2026-06-01', 'reversal', '2026-07-03'), 6, 'but for what it is');
SELECT is(min(open) || ' ' || max(open), '60 100', 'no more than that was ever open') FROM generate_series(timestamptz '2026-01-15', '2026-08-01', '12 h') t, sla.explain_restriction('Back', as_of => t) WHERE kind = 'invoice';

-- Nothing that could be owed
INSERT INTO bill VALUES ('neg', 'Odd', NULL, '2026-01-01', -10, NULL, false, false, '2026-01-01', '2026-01-01'),
	('zero', 'Odd', NULL, '2026-01-01', 0, NULL, false, false, '2026-01-01', '2026-01-01'),
	('never', 'Odd', NULL, 'infinity', 5, NULL, false, false, '2026-01-01', '2026-01-01'),
	('draft', 'Odd', NULL, NULL, 5, NULL, false, false, '2026-01-01', '2026-01-01');
SELECT is(pg_temp.level('Odd', '2027-01-01'), 'none', 'a credit, nothing, what is never due and what has no due date restrict nobody');
SELECT is(pg_temp.level(NULL, '2027-01-01'), 'none', 'nor has one that is not named a level');
SELECT ok(sla.is_allowed(NULL, 'ticket', '2027-01-01'), 'and may do anything');
SELECT throws_ok($$ SELECT sla.restriction('Odd', as_of => 'infinity') $$, '22008', NULL, 'a level is that of an instant');
SELECT throws_ok($$ SELECT sla.restriction('Odd', as_of => NULL) $$, '22004', NULL, 'and of a known one');
SELECT throws_ok($$ SELECT sla.is_allowed('Odd', NULL, '2027-01-01') $$, '22004', NULL, 'what is allowed is asked of something');
SELECT throws_ok($$ SELECT * FROM sla.restriction_history('Odd', to_at => 'infinity') $$, '22008', NULL, 'a history has an end');

-- Infinite times say so, too
CREATE TABLE flags (id text PRIMARY KEY, due date, paid_at timestamptz, voided_at date, disputed_at timestamp);
SELECT sla.attach_invoices('flags', 't bills', account => 'id', due => 'due', settled_at => 'paid_at', voided => 'voided_at', disputed => 'disputed_at', timestamps_in => 'UTC') \g /dev/null
INSERT INTO flags VALUES ('ever paid', '2026-01-01', '-infinity', NULL, NULL), ('ever void', '2026-01-01', NULL, '-infinity', NULL), ('ever disputed', '2026-01-01', NULL, NULL, '-infinity'),
	('no', '2026-01-01', 'infinity', 'infinity', 'infinity');
SELECT is((SELECT array_agg(key || ': ' || state || ' until ' || counts_until || coalesce(problem, '') ORDER BY key) FROM sla.invoice WHERE account = key),
	'{ever disputed: disputed until -infinity,ever paid: settled until -infinity,ever void: voided until -infinity,no: open until infinity}', 'since ever, or never');
SELECT is(pg_temp.level('ever ' || what, '2026-02-10'), 'none', 'ever ' || what || ' restricts nobody') FROM unnest('{paid,void,disputed}'::text[]) what;
UPDATE flags SET disputed_at = NULL WHERE id = 'ever disputed';
SELECT is(pg_temp.level('ever disputed', '2026-02-10') || ' ' || pg_temp.level('ever disputed', '2100-01-01'), 'none termination', 'until it does');

-- By service
SELECT pg_temp.load('t service', '{"per": "service"}') IS NOT NULL AS loaded \gset
CREATE TABLE hosting (LIKE bill INCLUDING ALL);
SELECT sla.attach_invoices('hosting', 't service', account => 'account', due => 'due', service => 'service', settled_at => 'paid_at', recorded_at => 'booked_at') \g /dev/null
INSERT INTO hosting VALUES ('s1', 'Serv', 'web', '2026-01-01', 10, NULL, false, false, NULL, '2026-01-01'), ('s2', 'Serv', 'mail', '2026-02-20', 10, NULL, false, false, NULL, '2026-01-01');
SELECT is(pg_temp.level('Serv', '2026-03-03', 'web'), 'deployments', 'the service that is not paid');
SELECT is(pg_temp.level('Serv', '2026-03-03', 'mail'), 'none', 'not the one that is');
SELECT is(pg_temp.level('Serv', '2026-03-03'), 'none', 'nor the account as a whole');
INSERT INTO hosting VALUES ('s3', 'Serv', NULL, '2026-01-15', 10, NULL, false, false, NULL, '2026-01-01');
SELECT is(pg_temp.level('Serv', '2026-03-03', 'mail') || ' ' || pg_temp.level('Serv', '2026-03-03'), 'support support', 'a bill that names no service is for all');

-- Minimum and grace
SELECT pg_temp.load('t small', '{"minimum_amount": 50, "thresholds": {"support": 30, "termination": 91}}') IS NOT NULL AS loaded \gset
CREATE TABLE small (LIKE bill INCLUDING ALL);
SELECT sla.attach_invoices('small', 't small', account => 'account', due => 'due', settled_at => 'paid_at', amount => 'amount', recorded_at => 'booked_at') \g /dev/null
INSERT INTO small VALUES ('m1', 'Small', NULL, '2026-01-01', 49.99, NULL, false, false, NULL, '2026-01-01');
SELECT is(pg_temp.level('Small', '2026-02-20'), 'none', 'less than the minimum restricts nobody');
INSERT INTO small VALUES ('m2', 'Small', NULL, '2026-02-20', 0.01, NULL, false, false, NULL, '2026-01-01');
SELECT is(pg_temp.level('Small', '2026-02-20'), 'none', 'nor what is not overdue yet');
SELECT is(pg_temp.level('Small', '2026-02-21'), 'support', 'all that is overdue together reaches it, and the earliest decides');
SELECT is(pg_temp.level('Small', '2026-04-02'), 'termination', 'to the end');
UPDATE small SET paid_at = '2026-04-03', booked_at = '2026-04-03' WHERE id = 'm2';
SELECT is(pg_temp.level('Small', '2026-04-03'), 'termination', 'the minimum does not lift a termination');
INSERT INTO small VALUES ('m3', 'Unknown', NULL, '2026-01-01', NULL, NULL, false, false, NULL, '2026-01-01');
SELECT is(pg_temp.level('Unknown', '2026-02-20'), 'support', 'a bill without an amount reaches any minimum');
SELECT pg_temp.load('t grace', '{"thresholds": {"support": 1}, "grace": "2 business days", "calendar": "week"}') IS NOT NULL AS loaded \gset
CREATE TABLE grace (LIKE bill INCLUDING ALL);
SELECT sla.attach_invoices('grace', 't grace', account => 'account', due => 'due', settled_at => 'paid_at', recorded_at => 'booked_at') \g /dev/null
INSERT INTO grace VALUES ('g1', 'Grace', NULL, '2026-02-27', 5, NULL, false, false, NULL, '2026-01-01');   -- a Friday
SELECT is(pg_temp.level('Grace', '2026-03-02 23:59:59'), 'none', 'before the second business day after the due date nothing happens');
SELECT is(pg_temp.level('Grace', '2026-03-03'), 'support', 'on it, it does');

-- Overrides
SELECT sla.override_restriction('Pay', NULL, 'none', 'promise to pay', '2026-04-01', 'Ann', '2026-03-25', '2026-03-25') AS override \gset
SELECT is(pg_temp.level('Pay', '2026-03-24 23:59') || ' ' || pg_temp.level('Pay', '2026-03-25'), 'deployments none', 'an override counts from its start');
SELECT is(pg_temp.level('Pay', '2026-03-31 23:59:59') || ' ' || pg_temp.level('Pay', '2026-04-01'), 'none deployments', 'and expires');
SELECT is(pg_temp.level('Pay', '2026-03-26', known => '2026-03-24'), 'deployments', 'it was not known before');
SELECT is(note, format('override %s of Ann: promise to pay', :override), 'an explanation names it') FROM sla.explain_restriction('Pay', as_of => '2026-03-26') e WHERE e.kind = 'level';
SELECT sla.override_restriction('Pay', 'web', 'termination', 'abuse', author => 'Bob', starts => '2026-03-26', recorded_at => '2026-03-26') \g /dev/null
SELECT is(pg_temp.level('Pay', '2026-03-26', 'web') || ' ' || pg_temp.level('Pay', '2026-03-26', 'mail'), 'termination none', 'one for a service goes before one for all');
SELECT sla.revoke_override(:override, 'did not pay', 'Ann', '2026-03-28', '2026-03-28') \g /dev/null
SELECT is(pg_temp.level('Pay', '2026-03-27') || ' ' || pg_temp.level('Pay', '2026-03-28'), 'none deployments', 'a revocation ends it');
-- as long as bills can name accounts and services, in texts that do not compress
SELECT string_agg(chr(33 + floor(random() * 94)::int), '') AS long, string_agg(chr(33 + floor(random() * 94)::int), '') AS service FROM generate_series(1, 1000) \gset
INSERT INTO bill VALUES ('long', :'long', :'service', '2026-01-01', 10, NULL, false, false, '2026-01-01', '2026-01-01');
SELECT is(pg_temp.level(:'long', '2026-02-10', :'service'), 'support', 'a long name');
SELECT isnt(sla.override_restriction(:'long', :'service', 'termination', 'so', starts => '2026-01-01', recorded_at => '2026-01-01'), NULL, 'is overridden');
SELECT is(pg_temp.level(:'long', '2026-02-10', :'service'), 'termination', 'and that counts');
SELECT isnt(sla.flag_restrictions('2026-02-10'), 0::bigint, 'and is told');
SELECT throws_ok($$ SELECT sla.override_restriction(repeat('k', 1001), NULL, 'none', 'so') $$, '23514', 'account is longer than 1000 bytes', 'a longer one is that of no bill');
SELECT throws_ok($$ SELECT sla.override_restriction('', NULL, 'none', 'so') $$, '23514', 'account must not be empty', 'and nor is an empty one');
SELECT throws_ok($$ SELECT sla.override_restriction('Pay', NULL, 'none', ' ') $$, '23514', NULL, 'it needs a reason');
SELECT throws_ok($$ SELECT sla.override_restriction(NULL, NULL, 'none', 'so') $$, '23502', NULL, 'and an account');
SELECT throws_ok($$ SELECT sla.override_restriction('Pay', NULL, 'none', 'so', '2026-01-01', starts => '2026-01-01') $$, '22023', 'an override must end after it starts', 'and some time');
SELECT throws_ok($$ SELECT sla.revoke_override(-1, 'so') $$, '42704', NULL, 'only what is there is revoked');

-- Versions: that in force at the instant decides
SELECT pg_temp.load('t bills', '{"thresholds": {"support": 10}}', '2026-04-10') IS NOT NULL AS loaded \gset
SELECT is(pg_temp.level('Late', '2026-04-09 23:59:59') || ' ' || pg_temp.level('Late', '2026-04-10'), 'termination support', 'the rule of the version in force then');
SELECT is((SELECT string_agg(h.level::text, ' ' ORDER BY h.since) FROM sla.restriction_history('Late', from_at => '2026-04-09', to_at => '2026-04-11') h), 'termination support',
	'in histories, too');

SELECT is_empty($$ SELECT proname FROM pg_proc WHERE pronamespace = 'sla'::regnamespace
	AND proname IN ('restriction', 'restriction_history', 'explain_restriction', 'is_allowed') AND proparallel <> 'u' $$,
	'they read the latest policies, which cannot be done in a parallel query');

-- The day after a bill was due begins at midnight of the zone, wherever that is
SELECT pg_temp.load('t ahead', '{"thresholds": {"support": 1}, "time_zone": "Pacific/Kiritimati"}'), pg_temp.load('t behind', '{"thresholds": {"support": 1}, "time_zone": "Pacific/Pago_Pago"}') \g /dev/null
CREATE TABLE ahead (id int PRIMARY KEY, account text, due date, paid_at timestamptz);
CREATE TABLE behind (LIKE ahead INCLUDING ALL);
SELECT sla.attach_invoices('ahead', 't ahead', 'account', 'due', settled_at => 'paid_at'), sla.attach_invoices('behind', 't behind', 'account', 'due', settled_at => 'paid_at') \g /dev/null
INSERT INTO ahead VALUES (1, 'Ahead', '2026-01-10', NULL);
INSERT INTO behind VALUES (1, 'Behind', '2026-01-10', NULL);
SELECT is(pg_temp.level('Ahead', '2026-01-10 09:59:59.999999'), 'none', 'fourteen hours ahead: not a microsecond before');
SELECT is(pg_temp.level('Ahead', '2026-01-10 10:00'), 'support', 'but then');
SELECT is(pg_temp.level('Behind', '2026-01-11 10:59:59.999999'), 'none', 'eleven hours behind: not a microsecond before');
SELECT is(pg_temp.level('Behind', '2026-01-11 11:00'), 'support', 'but then');

-- Bills under two policies, which call them alike: each has to let the account go
CREATE TABLE one (id int PRIMARY KEY, account text, due date, paid_at timestamptz);
CREATE TABLE other (LIKE one INCLUDING ALL);
SELECT pg_temp.load('t one', '{"thresholds": {"support": 30}, "actions": {"ticket": "support"}}'), pg_temp.load('t other', '{"thresholds": {"support": 30}, "actions": {"ticket": "support"}}') \g /dev/null
SELECT sla.attach_invoices('one', 't one', 'account', 'due', settled_at => 'paid_at'), sla.attach_invoices('other', 't other', 'account', 'due', settled_at => 'paid_at') \g /dev/null
INSERT INTO one VALUES (1, 'Both', '2026-01-10', NULL);
INSERT INTO other VALUES (1, 'Both', '2026-01-10', NULL);
SELECT is((SELECT string_agg(note, '; ' ORDER BY step) FROM sla.explain_restriction('Both', as_of => '2026-02-15') WHERE kind <> 'level'),
	'payment of invoice 1, and under policy "t other" payment of invoice 1; overdue, the earliest; overdue', 'all that has to be paid is told, and one bill is the earliest');
CREATE TABLE asked (account text, at timestamptz);
SELECT sla.guard('asked', action => 'ticket', account => 'account', as_of => 'at') \g /dev/null
CREATE FUNCTION pg_temp.hint(sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
	EXECUTE sql;
	RETURN NULL;
EXCEPTION WHEN SQLSTATE 'SL001' THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN hint;
END
$$;
SELECT matches(pg_temp.hint($$ INSERT INTO asked VALUES ('Both', '2026-02-15') $$), '^It is lifted by payment of invoice 1, and under policy "t other" payment of invoice 1[.]', 'by guards, too');

SELECT * FROM finish();
ROLLBACK;
