-- The availability of a service in a month or another period, until a moment,
-- by the facts there are now; and what follows from it.

CREATE FUNCTION sla.terms_of_period(service text, month date, period tstzrange, as_of timestamptz,
        OUT terms sla.service_terms, OUT whole tstzrange, OUT measured tstzrange)
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    first timestamp := date_trunc('month', month::timestamp);
BEGIN
    IF NOT EXISTS (SELECT FROM sla.service s WHERE s.name = terms_of_period.service) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'undefined_object',
            MESSAGE = format('service "%s" does not exist', service);
    ELSIF month IS NOT NULL AND period IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'give a month or a period, not both';
    ELSIF month IS NULL AND period IS NULL THEN
        IF isfinite(as_of) IS NOT TRUE THEN
            RAISE EXCEPTION USING
                ERRCODE = 'invalid_parameter_value',
                MESSAGE = 'give a month, a period, or a finite as_of';
        END IF;
        -- the month that as_of lies in, by the terms that hold then
        SELECT date_trunc('month', as_of AT TIME ZONE t.time_zone) INTO first
        FROM sla.service_terms t
        WHERE t.service = terms_of_period.service AND t.valid_from <= as_of
        ORDER BY t.valid_from DESC
        LIMIT 1;
    ELSIF period IS NOT NULL AND (lower_inf(period) OR upper_inf(period)
                                  OR NOT isfinite(lower(period)) OR NOT isfinite(upper(period))) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'datetime_field_overflow',
            MESSAGE = 'cannot measure the availability in an unbounded period',
            HINT = 'Give the period two finite bounds.';
    END IF;

    IF period IS NOT NULL THEN
        SELECT t.* INTO terms
        FROM sla.service_terms t
        WHERE t.service = terms_of_period.service AND t.valid_from <= coalesce(lower(period), '-infinity')
        ORDER BY t.valid_from DESC
        LIMIT 1;
        whole := period;
    ELSE
        SELECT t.* INTO terms
        FROM sla.service_terms t
        WHERE t.service = terms_of_period.service AND t.months_from <= first AND (first < t.months_to OR t.months_to IS NULL);
        whole := sla.calendar_month(coalesce(month, first::date), terms.time_zone);
    END IF;
    measured := whole * tstzrange(NULL, as_of);
END
$$;
COMMENT ON FUNCTION sla.terms_of_period(text, date, tstzrange, timestamptz) IS 'Internal: the terms that hold for a service in a month or period, the whole of it, and how much of it is over. Raises 42704 for a service that does not exist.';

CREATE FUNCTION sla.service_facts(terms sla.service_terms, period tstzrange, known_at timestamptz,
        OUT down tstzmultirange, OUT unknown tstzmultirange, OUT excluded tstzmultirange)
    LANGUAGE sql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT o.down, o.unknown, x.excluded
    FROM (SELECT coalesce(range_agg(f.during) FILTER (WHERE f.kind = 'down'), '{}') AS down,
                 coalesce(range_agg(f.during) FILTER (WHERE f.kind = 'unknown'), '{}') AS unknown
          FROM sla.outage f
          WHERE f.service = (terms).service AND f.during && period) o,
         (SELECT coalesce(range_agg(e.during), '{}') AS excluded
          FROM sla.exclusion f
               CROSS JOIN LATERAL unnest(sla.excused(period, f.kind, f.during, f.announced_at, (terms).exclusions,
                                                     (terms).maintenance_notice, (terms).maintenance_hours, (terms).time_zone)) AS e(during)
          WHERE (f.service = (terms).service OR f.service IS NULL) AND f.during && period
            -- what begins later was known if it was announced, as far as that is told
            AND (lower(f.during) > known_at AND f.announced_at > known_at) IS NOT TRUE) x
$$;
COMMENT ON FUNCTION sla.service_facts(sla.service_terms, tstzrange, timestamptz) IS 'Internal: when a service was down or unknown in a period, and what of it is excused, less what begins after known_at and was announced after it; known_at NULL: all.';

CREATE FUNCTION sla.service_availability(service text, month date DEFAULT NULL, period tstzrange DEFAULT NULL, as_of timestamptz DEFAULT now())
    RETURNS sla.availability
    LANGUAGE sql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT sla.availability(t.measured, f.down, f.excluded, f.unknown, (t.terms).hours, (t.terms).unknown, (t.terms).life, (t.terms).young)
    FROM sla.terms_of_period(service, month, period, as_of) AS t,
         LATERAL sla.service_facts(t.terms, t.measured, NULL) AS f
$$;
COMMENT ON FUNCTION sla.service_availability(text, date, tstzrange, timestamptz) IS 'The availability of a service under the rule that holds for it: in the calendar month that a date lies in, by the clock of its terms, or in a period; with neither in the month of as_of. Measured until as_of, NULL: to the end. Of a month the terms are those in force when it begins, of a period likewise. Raises 42704 for a service that does not exist, 22023 for a month together with a period, 22008 for an unbounded period.';

CREATE FUNCTION sla.service_credit(service text, month date DEFAULT NULL, as_of timestamptz DEFAULT now()) RETURNS numeric
    LANGUAGE sql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT CASE WHEN (t.terms).goal IS NOT NULL THEN sla.credit_at(a.percent, (t.terms).credits) END
    FROM sla.terms_of_period(service, month, NULL, as_of) AS t,
         LATERAL sla.service_facts(t.terms, t.measured, NULL) AS f,
         LATERAL sla.availability(t.measured, f.down, f.excluded, f.unknown, (t.terms).hours, (t.terms).unknown, (t.terms).life, (t.terms).young) AS a
$$;
COMMENT ON FUNCTION sla.service_credit(text, date, timestamptz) IS 'What is owed for a service and a calendar month, in percent of what was paid for it: 0 where the goal is met, NULL where there is no goal or nothing was measured. Of a month that is not over: what would be owed if it ended at as_of.';

CREATE FUNCTION sla.error_budget(service text, month date DEFAULT NULL, period tstzrange DEFAULT NULL, as_of timestamptz DEFAULT now(),
        OUT goal numeric, OUT measured interval, OUT allowed interval, OUT used interval, OUT "left" interval)
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    t record;
    f record;
    a sla.availability;
    over tstzmultirange;
    most numeric;
BEGIN
    SELECT * INTO t FROM sla.terms_of_period(service, month, period, as_of);
    SELECT * INTO f FROM sla.service_facts(t.terms, t.whole, as_of);
    over := tstzmultirange(tstzrange(NULL, as_of));
    a := sla.availability(t.whole, f.down * over, f.excluded, f.unknown * over,
                          (t.terms).hours, (t.terms).unknown, (t.terms).life, (t.terms).young);
    goal := (t.terms).goal;
    measured := a.measured;
    used := a.down + CASE WHEN (t.terms).unknown = 'down' THEN a.unknown ELSE '0' END;
    -- whole microseconds, in two steps because that of an interval is a double
    most := floor(extract(epoch FROM measured) * 1000000 * (100 - goal) / 100);
    allowed := div(most, 1000000)::bigint * '1 second'::interval + mod(most, 1000000)::bigint * '1 microsecond'::interval;
    "left" := allowed - used;
END
$$;
COMMENT ON FUNCTION sla.error_budget(text, date, tstzrange, timestamptz) IS 'How much longer a service may be down in a month or period before it misses its goal. measured: what the percentage is of when the whole of it is over, as far as is known at as_of, exclusions to come included if they were announced by then or it is not told when; allowed: the longest down time that still meets the goal; used: that until as_of, as counted; left: what remains, negative once the goal cannot be met. goal, allowed and left are NULL where there is no goal. Arguments as of sla.service_availability.';

CREATE FUNCTION sla.explain_availability(service text, month date DEFAULT NULL, period tstzrange DEFAULT NULL, as_of timestamptz DEFAULT now(),
        OUT "from" timestamptz, OUT "to" timestamptz, OUT counts_as text, OUT counted interval, OUT why text, OUT evidence jsonb)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE ROWS 100
    SET search_path TO pg_catalog, pg_temp
    -- the planner takes it to be more work than it is
    SET jit TO off
    AS $$
#variable_conflict use_variable
DECLARE
    t record;
BEGIN
    SELECT * INTO t FROM sla.terms_of_period(service, month, period, as_of);
    -- Stretches lie side by side, so that each fact is in those from that of its
    -- first moment to that of its last one, which need no search among all.
    RETURN QUERY
        WITH stretches AS MATERIALIZED (
            SELECT row_number() OVER (ORDER BY s.during) AS n, s.*
            FROM sla.service_facts(t.terms, t.measured, NULL) AS f,
                 sla.availability_stretches(t.measured, f.down, f.excluded, f.unknown, (t.terms).hours, (t.terms).life, (t.terms).young) AS s
        ), list AS MATERIALIZED (
            SELECT array_agg(lower(s.during) ORDER BY s.n) AS starts FROM stretches s
        ), facts AS (
            SELECT 1 AS place, o.id, o.kind, o.during, concat(format('outage %s (%s)', o.id, o.kind), ' at ' || o.measurement_point) AS why,
                   false AS may_excuse, NULL::text AS refused, jsonb_build_object('outage', o.id, 'kind', o.kind) AS named, o.evidence
            FROM sla.outage o
            WHERE o.service = (t.terms).service AND o.during && t.measured
            UNION ALL
            SELECT 0, e.id, e.kind, e.during, format('exclusion %s (%s)', e.id, e.kind), true,
                   sla.exclusion_refused(e.kind, e.during, e.announced_at, (t.terms).exclusions, (t.terms).maintenance_notice, (t.terms).time_zone),
                   jsonb_build_object('exclusion', e.id, 'kind', e.kind), e.evidence
            FROM sla.exclusion e
            WHERE (e.service = (t.terms).service OR e.service IS NULL) AND e.during && t.measured
        ), placed AS MATERIALIZED (
            SELECT f.*, n
            FROM (SELECT f.*, f.during * t.measured * (t.terms).life AS part FROM facts f) AS f,
                 generate_series(width_bucket(lower(f.part) + CASE WHEN lower_inc(f.part) THEN '0' ELSE '1 microsecond'::interval END, (SELECT l.starts FROM list l)),
                                 width_bucket(upper(f.part) - CASE WHEN upper_inc(f.part) THEN '0' ELSE '1 microsecond'::interval END, (SELECT l.starts FROM list l))) AS n
        ), told AS (
            SELECT p.n,
                   string_agg(concat(p.why, ' does not excuse: ' || CASE WHEN p.may_excuse THEN
                       coalesce(p.refused, CASE WHEN s.state <> 'excluded'
                           -- or another one excuses
                           OR p.kind = 'planned_maintenance' AND isempty(sla.open_time((t.terms).maintenance_hours, s.during * p.part))
                           THEN 'it lies outside of the service window' END) END),
                       '; ' ORDER BY p.place, p.id) AS why,
                   jsonb_agg(p.named || CASE WHEN p.evidence IS NULL THEN '{}' ELSE jsonb_build_object('evidence', p.evidence) END
                             ORDER BY p.place, p.id) AS evidence
            FROM placed p JOIN stretches s ON s.n = p.n
            GROUP BY p.n
        )
        SELECT lower(s.during), upper(s.during), s.state, s.counted,
               coalesce(told.why, CASE WHEN s.during && (t.terms).life THEN 'nothing reported' ELSE 'not in service' END), told.evidence
        FROM stretches s LEFT JOIN told ON told.n = s.n
        ORDER BY 1;
END
$$;
COMMENT ON FUNCTION sla.explain_availability(text, date, tstzrange, timestamptz) IS 'Why sla.service_availability of the same arguments gives what it gives: a set of rows in order of time without gaps. from and to; counts_as: up, down, unknown or excluded; counted: how much of it lies inside the hours, which sums up to the parts of sla.availability; why: the outages and exclusions in it, and what is against an exclusion that does not excuse; evidence: theirs, an array of objects.';
