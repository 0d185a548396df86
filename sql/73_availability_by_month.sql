-- Availability by calendar month, of all services.

-- The ranges of a service are put together once, and each of its months takes
-- its part of them.
CREATE VIEW sla.availability_by_month AS
SELECT m.month,
    m.service,
    m.account,
    m.kind,
    m.package,
    m.policy,
    m.time_zone,
    m.period,
    upper(m.period) = upper(m.whole) AS complete,
    a.measured,
    a.up,
    a.down,
    a.unknown,
    a.excluded,
    a.percent,
    m.goal,
    a.percent >= m.goal AS met,
    CASE WHEN m.goal IS NOT NULL THEN sla.credit_at(a.percent, m.credits) END AS credit
FROM (
    SELECT l.month,
        p.whole,
        p.whole * tstzrange(NULL, now()) AS period,
        l.down AS down_ranges,
        l.unknown AS unknown_ranges,
        t.*
    FROM (
        -- months by the wall clock: which zone they begin in is for their terms to say
        SELECT s.name AS service, o.down, o.unknown, l.since, l.until, m.first::date AS month
        FROM sla.service s
            LEFT JOIN (
                SELECT o.service,
                    min(lower(o.during)) AS since,
                    range_agg(o.during) FILTER (WHERE o.kind = 'down') AS down,
                    range_agg(o.during) FILTER (WHERE o.kind = 'unknown') AS unknown
                FROM sla.outage o
                GROUP BY 1
            ) o ON o.service = s.name
            CROSS JOIN LATERAL (
                -- timestamps begin within a month, and no zone has all of it
                SELECT greatest(coalesce(CASE WHEN lower(s.life) > '-infinity' THEN lower(s.life) END, least(o.since, now())),
                        '4714-12-03 00:00+00 BC') AS since,
                    least(CASE WHEN upper(s.life) < 'infinity' THEN upper(s.life) END, now()) AS until
            ) l
            CROSS JOIN LATERAL generate_series(date_trunc('month', l.since AT TIME ZONE 'UTC' - interval '1 day'),
                l.until AT TIME ZONE 'UTC' + interval '1 day', interval '1 month') m (first)
        WHERE l.since < l.until OR l.since = now()
    ) l
        JOIN sla.service_terms t ON t.service = l.service AND t.months_from <= l.month AND (l.month < t.months_to OR t.months_to IS NULL)
        CROSS JOIN LATERAL (SELECT tstzrange(l.month::timestamp AT TIME ZONE t.time_zone, (l.month + interval '1 month') AT TIME ZONE t.time_zone) AS whole) p
    WHERE upper(p.whole) > l.since AND lower(p.whole) < l.until AND lower(p.whole) < now()
) m
    LEFT JOIN (
        SELECT t.service, t.valid_from, range_agg(e.during) AS excluded
        FROM sla.service_terms t
            JOIN sla.exclusion x ON (x.service = t.service OR x.service IS NULL) AND x.kind = ANY (t.exclusions) AND lower(x.during) < now()
            CROSS JOIN LATERAL unnest(CASE
                -- others excuse as they are; see sla.excused
                WHEN x.kind <> 'planned_maintenance' THEN tstzmultirange(x.during)
                ELSE sla.excused(tstzrange(NULL, now()), x.kind, x.during, x.announced_at, t.exclusions, t.maintenance_notice,
                                 t.maintenance_hours, t.time_zone)
            END) e (during)
        GROUP BY 1, 2
    ) x ON x.service = m.service AND x.valid_from = m.valid_from
    CROSS JOIN LATERAL sla.availability(m.period, coalesce(m.down_ranges, '{}'), coalesce(x.excluded, '{}'), coalesce(m.unknown_ranges, '{}'),
                                        m.hours, m.unknown, m.life, m.young) a;
COMMENT ON VIEW sla.availability_by_month IS 'Availability of each service by calendar month, from that in which its life began (or else its first outage, or else the present one) to the present one or the end of its life. The first month that can be is December 4714 BC. What sla.service_availability gives, as known now.';
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
