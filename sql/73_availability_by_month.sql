-- Availability by calendar month, of all services.

CREATE VIEW sla.availability_by_month AS
WITH listed AS (
    -- months by the wall clock: which zone they begin in is for their terms to say
    SELECT s.name AS service, l.since, l.until, m.first
    FROM sla.service s
        LEFT JOIN (SELECT o.service, min(lower(o.during)) AS since FROM sla.outage o GROUP BY 1) o ON o.service = s.name
        CROSS JOIN LATERAL (
            SELECT coalesce(CASE WHEN isfinite(lower(s.life)) THEN lower(s.life) END, o.since, now()) AS since,
                least(CASE WHEN isfinite(upper(s.life)) THEN upper(s.life) END, now()) AS until
        ) l
        CROSS JOIN LATERAL generate_series(date_trunc('month', l.since AT TIME ZONE 'UTC' - interval '1 day'),
            l.until AT TIME ZONE 'UTC' + interval '1 day', interval '1 month') m (first)
    WHERE l.since < l.until OR l.since = now()
), measured AS (
    SELECT l.first,
        p.whole,
        p.whole * tstzrange(NULL, now()) AS period,
        t.*
    FROM listed l
        JOIN sla.service_terms t ON t.service = l.service AND t.months_from <= l.first AND (l.first < t.months_to OR t.months_to IS NULL)
        CROSS JOIN LATERAL (SELECT tstzrange(l.first AT TIME ZONE t.time_zone, (l.first + interval '1 month') AT TIME ZONE t.time_zone) AS whole) p
    WHERE upper(p.whole) > l.since AND lower(p.whole) < l.until
), touched AS (
    -- each fact with the months it may lie in
    SELECT o.service, m.first, o.during, o.kind, NULL::bigint AS exclusion
    FROM sla.outage o
        CROSS JOIN LATERAL generate_series(date_trunc('month', lower(o.during) AT TIME ZONE 'UTC' - interval '1 day'),
            least(CASE WHEN isfinite(upper(o.during)) THEN upper(o.during) END, now()) AT TIME ZONE 'UTC' + interval '1 day',
            interval '1 month') m (first)
    UNION ALL
    SELECT s.name, m.first, x.during, 'excluded', x.id
    FROM sla.exclusion x
        JOIN sla.service s ON s.name = x.service OR x.service IS NULL
        CROSS JOIN LATERAL generate_series(date_trunc('month', lower(x.during) AT TIME ZONE 'UTC' - interval '1 day'),
            least(CASE WHEN isfinite(upper(x.during)) THEN upper(x.during) END, now()) AT TIME ZONE 'UTC' + interval '1 day',
            interval '1 month') m (first)
), totals AS (
    SELECT m.service, m.first, m.whole, m.period, m.account, m.kind, m.package, m.policy, m.goal, m.time_zone, m.credits,
        sla.availability_of(m.period, e.during, t.kind, m.hours, m.unknown, m.life, m.young) AS a
    FROM measured m
        LEFT JOIN touched t ON t.service = m.service AND t.first = m.first AND t.during && m.period
        LEFT JOIN sla.exclusion x ON x.id = t.exclusion
        LEFT JOIN LATERAL unnest(CASE
            WHEN x.id IS NULL THEN tstzmultirange(t.during)
            ELSE sla.excused(m.period, x.kind, x.during, x.announced_at, m.exclusions, m.maintenance_notice, m.maintenance_hours, m.time_zone)
        END) e (during) ON true
    WHERE NOT isempty(m.period)
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
)
SELECT t.first::date AS month,
    t.service,
    t.account,
    t.kind,
    t.package,
    t.policy,
    t.time_zone,
    t.period,
    upper(t.period) = upper(t.whole) AS complete,
    (t.a).measured,
    (t.a).up,
    (t.a).down,
    (t.a).unknown,
    (t.a).excluded,
    (t.a).percent,
    t.goal,
    (t.a).percent >= t.goal AS met,
    CASE WHEN t.goal IS NOT NULL THEN sla.credit_at((t.a).percent, t.credits) END AS credit
FROM totals t;
COMMENT ON VIEW sla.availability_by_month IS 'Availability of each service by calendar month, from that in which its life began (or else its first outage, or else the present one) to the present one or the end of its life. What sla.service_availability gives, as known now.';
COMMENT ON COLUMN sla.availability_by_month.month IS 'First day of the month, by the clock of time_zone.';
COMMENT ON COLUMN sla.availability_by_month.service IS 'sla.service.name.';
COMMENT ON COLUMN sla.availability_by_month.account IS 'Account of the customer; NULL: of nobody in particular.';
COMMENT ON COLUMN sla.availability_by_month.kind IS 'What rules call the service.';
COMMENT ON COLUMN sla.availability_by_month.package IS 'Its package; NULL: none.';
COMMENT ON COLUMN sla.availability_by_month.policy IS 'sla.policy.name: whose rules hold; NULL: nobody''s.';
COMMENT ON COLUMN sla.availability_by_month.time_zone IS 'IANA zone of the month.';
COMMENT ON COLUMN sla.availability_by_month.period IS 'What is measured: the month, of the present one what is over.';
COMMENT ON COLUMN sla.availability_by_month.complete IS 'Whether the month is over.';
COMMENT ON COLUMN sla.availability_by_month.measured IS 'Time that percent is of, in hours and less.';
COMMENT ON COLUMN sla.availability_by_month.up IS 'Time in which nothing was reported.';
COMMENT ON COLUMN sla.availability_by_month.down IS 'Time down and not excused.';
COMMENT ON COLUMN sla.availability_by_month.unknown IS 'Time without observation, neither excused nor known to be down.';
COMMENT ON COLUMN sla.availability_by_month.excluded IS 'Time that is excused.';
COMMENT ON COLUMN sla.availability_by_month.percent IS 'Share of the measured time that was up, six decimals, the rest cut off; NULL: nothing was measured. See sla.availability.';
COMMENT ON COLUMN sla.availability_by_month.goal IS 'Percentage that is promised; NULL: none.';
COMMENT ON COLUMN sla.availability_by_month.met IS 'Whether percent is not less than the goal; NULL where there is none of either.';
COMMENT ON COLUMN sla.availability_by_month.credit IS 'What is owed, in percent of what was paid for the month; see sla.service_credit.';
