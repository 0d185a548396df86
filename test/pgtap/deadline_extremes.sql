-- Where the rules are total, nothing raises; and explanations stay short.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;
SELECT plan(12);

SELECT is(sla.deadline('4714-11-24 00:00+00 BC', '1h', '24/7', '{["4714-11-24 00:00+00 BC","4714-11-24 00:30+00 BC"),["294276-12-31 00:00+00",)}'),
    timestamptz '4714-11-24 01:30+00 BC', 'a pause further away than an interval can say');
SELECT is(sla.business_sub('2026-06-01', '-2147483648bd', '24/7'), 'infinity', 'the least number of days has no opposite, subtracting it has an answer');
SELECT is(sla.business_add('2026-06-01', '-2147483648bd', '24/7'), '-infinity', 'as adding it has');
SELECT throws_ok($$ SELECT sla.business_between('4714-11-24 00:00+00 BC', '294276-12-31 00:00+00', '24/7') $$, '22008', 'interval out of range', 'more than an interval can say');

-- days ahead lie ahead
SELECT is(sla.business_add('2026-06-02 09:30+00', '1bd', 'UTC Mo 20:00-10:00; Tu 05:00-06:00'), timestamptz '2026-06-02 09:30+00', 'a day later is never earlier');
SELECT is(sla.business_sub('2026-06-01 20:30+00', '1bd', 'UTC Mo 20:00-10:00; Su 23:00-24:00'), timestamptz '2026-05-31 23:00+00', 'nor a day earlier later');

-- reasons
SELECT results_eq($$ SELECT why FROM sla.explain_deadline('2026-06-03 00:30+00', '1h', 'UTC Mo-Su off; 2026-06-05 10:00-12:00') $$,
    ARRAY['closed', 'closed, special hours', 'open'], 'without weekly hours there is no weekend');
SELECT results_eq($$ SELECT why FROM sla.explain_deadline('2026-03-29 00:30+00', '0:30:00.5', 'Europe/Amsterdam Mo-Su 00:00-24:00') $$,
    ARRAY['open, clock change +01:00'], 'a clock change within the last second is told');
SELECT results_eq($$ SELECT why FROM sla.explain_deadline('2026-06-08 09:30+00', '1h', 'UTC Mo-Fr 09:00-17:00 - UTC 2026-06-08 10:00-12:00') $$,
    ARRAY['open', 'excluded', 'open'], 'what another part takes away is excluded');
SELECT is((SELECT count(*) FROM sla.explain_deadline('2026-06-03 00:30+00', '1h', 'UTC Mo 09:00-17:00', '{[2026-06-03,9000-01-01)}')), 4::bigint,
    'a pause is one row, however long');
SELECT is((SELECT count(*) FROM sla.explain_deadline('2026-06-03 00:30+00', '1h', 'UTC 9999-12-30 09:00-17:00')), 2::bigint,
    'so is a long closed time');
SELECT is(sum(counted), interval '1 hour', 'what counted adds up') FROM sla.explain_deadline('2026-06-03 00:30+00', '1h', 'UTC 9999-12-30 09:00-17:00');
SELECT * FROM finish();
ROLLBACK;
