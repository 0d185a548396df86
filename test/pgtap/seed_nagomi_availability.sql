-- Nagomi Security: Customer support policy (seed 004): the availability of its
-- support services, clause by clause. Each comment "-- 004: ..." is a row of
-- doc/seeds.md.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(23);

SELECT sla.load_policy(sla.preset('nagomi') || '{"policy": "t nagomi"}') AS id \gset
INSERT INTO sla.service (name, policy, life) VALUES ('support portal', 't nagomi', '[2015-01-01 00:00+00,)');
CREATE FUNCTION pg_temp.month(first date) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', v.percent, v.goal, CASE WHEN v.met THEN 'met' ELSE 'missed' END, coalesce(v.credit::text, 'no credit agreed'))
	FROM sla.availability_by_month v WHERE v.service = 'support portal' AND v.month = first $$;
CREATE FUNCTION pg_temp.excuse(kind text, announced timestamptz DEFAULT NULL) RETURNS interval LANGUAGE plpgsql AS $$
DECLARE
	down interval;
BEGIN
	DELETE FROM sla.exclusion;
	INSERT INTO sla.exclusion (service, during, kind, announced_at) VALUES ('support portal', '[2015-05-10 08:00, 2015-05-10 11:00)', kind, announced);
	SELECT a.down INTO down FROM sla.service_availability('support portal', '2015-05-01') a;
	RETURN down;
END $$;

-- 004: support services are available for 99.9% of a calendar month
INSERT INTO sla.outage (service, during) VALUES
	('support portal', '[2015-03-10 00:00, 2015-03-10 00:44:38.4)'),
	('support portal', '[2015-04-10 00:00, 2015-04-10 00:43:12.000001)'),
	('support portal', '[2015-02-28 23:30, 2015-03-01 00:00)');
SELECT is(pg_temp.month('2015-01-01'), '100.000000 99.9 met 0', 'a month without outages');
SELECT is(pg_temp.month('2015-02-01'), '99.925595 99.9 met 0', 'half an hour of February');
SELECT is(pg_temp.month('2015-03-01'), '99.900000 99.9 met 0', 'a thousandth of March');
SELECT is(pg_temp.month('2015-04-01'), '99.899999 99.9 missed 0', 'and a microsecond more of April');
SELECT is(allowed, wanted::interval, month::text) FROM (VALUES (date '2015-02-01', '00:40:19.2'), ('2015-03-01', '00:44:38.4'), ('2015-04-01', '00:43:12')) v(month, wanted),
	LATERAL sla.error_budget('support portal', month) ORDER BY month;
SELECT is((SELECT time_zone FROM sla.service_terms WHERE service = 'support portal'), 'UTC', 'by the clock of UTC, an assumption');

-- 004: not included: scheduled maintenance, third-party interference, causes beyond reasonable control
INSERT INTO sla.outage (service, during) VALUES ('support portal', '[2015-05-10 09:00, 2015-05-10 10:00)');
SELECT is(pg_temp.excuse('planned_maintenance', '2015-05-01'), interval '0', 'scheduled maintenance');
SELECT is(pg_temp.excuse('planned_maintenance', '2015-05-10 07:59:59'), interval '0', 'up to when it begins');
SELECT is(pg_temp.excuse('planned_maintenance', '2015-05-10 08:30'), interval '1 h', 'what is announced when it runs was not scheduled');
SELECT is(pg_temp.excuse('planned_maintenance'), interval '1 h', 'nor what nobody announced');
SELECT is(pg_temp.excuse('third_party'), interval '0', 'third-party interference');
SELECT is(pg_temp.excuse('force_majeure'), interval '0', 'beyond reasonable control');

-- 004: not included: an initial misconfiguration
SELECT is(pg_temp.excuse('initial_misconfiguration'), interval '0', 'an initial misconfiguration');

-- 004: not included: a customer cause
SELECT is(pg_temp.excuse('customer_cause'), interval '0', 'a customer cause');

-- 004: not included: an update to configuration that the customer was asked for and did not perform
SELECT is(pg_temp.excuse('configuration_not_updated'), interval '0', 'an update that was not performed');

-- 004: not included: failure of the customer's Internet service providers
SELECT is(pg_temp.excuse('customer_internet'), interval '0', 'the customer''s Internet');

SELECT is(pg_temp.excuse('rain'), interval '1 h', 'any other reason is none');
SELECT is((SELECT percent FROM sla.service_availability('support portal', '2015-05-01')), 99.865591, 'and counts');
SELECT is(why, 'exclusion ' || x.id || ' (rain) does not excuse: the rule does not list it; outage ' || o.id || ' (down)', 'as is explained')
FROM sla.explain_availability('support portal', '2015-05-01') e, sla.exclusion x, sla.outage o WHERE e.counts_as = 'down' AND lower(o.during) = e."from";
UPDATE sla.outage SET during = '[2015-05-10 07:30, 2015-05-10 11:30)' WHERE lower(during) = '2015-05-10 09:00';
SELECT is(pg_temp.excuse('third_party'), interval '1 h', 'only as long as it lasts');
SELECT is((sla.service_availability('support portal', '2015-05-01')).measured, interval '741 h', 'what is not included is taken out of the month');

SELECT * FROM finish();
ROLLBACK;
