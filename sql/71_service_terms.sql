-- By which rule a service is measured, and since when.

CREATE VIEW sla.service_terms AS
SELECT t.service,
    t.account,
    t.life,
    t.policy,
    t.policy_version_id,
    t.kind,
    t.package,
    t.valid_from,
    t.goal,
    t.time_zone,
    t.months_from,
    lead(t.months_from) OVER (PARTITION BY t.service ORDER BY t.valid_from) AS months_to,
    t.hours,
    t.unknown,
    t.young,
    t.exclusions,
    t.maintenance_notice,
    t.maintenance_hours,
    t.credits
FROM (
    SELECT s.name AS service,
        s.account,
        s.life,
        s.policy,
        v.id AS policy_version_id,
        coalesce(s.kind, s.name) AS kind,
        s.package,
        v.effective_from AS valid_from,
        r.goal,
        z.time_zone,
        -- by the clock of the months, and in the order of versions
        max(CASE WHEN v.effective_from < '4714-12-01 00:00+00 BC' THEN '-infinity' WHEN v.effective_from >= '294276-12-30 00:00+00' THEN 'infinity'
                 ELSE v.effective_from AT TIME ZONE z.time_zone END) OVER (PARTITION BY s.name ORDER BY v.effective_from) AS months_from,
        coalesce(h.value, '24/7') AS hours,
        coalesce(r.unknown, 'ignore') AS unknown,
        coalesce(r.young, 'period') AS young,
        coalesce(r.exclusions, '{}') AS exclusions,
        r.maintenance_notice,
        w.value AS maintenance_hours,
        coalesce(r.credits, '[]') AS credits
    FROM sla.service s
        CROSS JOIN LATERAL (
            SELECT v.id, v.effective_from, v.time_zone FROM sla.policy_version v WHERE v.policy = s.policy
            UNION ALL
            -- before the first version, or without a policy, nothing is promised
            SELECT NULL, '-infinity', NULL
            WHERE NOT EXISTS (SELECT FROM sla.policy_version v WHERE v.policy = s.policy AND v.effective_from = '-infinity')
        ) v
        LEFT JOIN LATERAL (
            SELECT r.*
            FROM sla.availability_rule r
            WHERE r.policy_version_id = v.id
              AND r.service IN (coalesce(s.kind, s.name), '*') AND r.package IN (coalesce(s.package, '*'), '*')
            ORDER BY r.service = '*', r.package = '*'
            LIMIT 1
        ) r ON true
        CROSS JOIN LATERAL (SELECT coalesce(s.time_zone, r.time_zone, v.time_zone, 'UTC') AS time_zone) z
        LEFT JOIN sla.calendar c ON c.name = r.calendar
        LEFT JOIN sla.hours h ON h.id = c.hours_id
        LEFT JOIN sla.calendar k ON k.name = r.maintenance_window
        LEFT JOIN sla.hours w ON w.id = k.hours_id
) t;
COMMENT ON VIEW sla.service_terms IS 'How each service is measured, by the rule that fits it in each version of its policy: a row per version, and one for the time before the first or without a policy, in which nothing is promised and nothing excused.';
COMMENT ON COLUMN sla.service_terms.service IS 'sla.service.name.';
COMMENT ON COLUMN sla.service_terms.account IS 'sla.service.account.';
COMMENT ON COLUMN sla.service_terms.life IS 'sla.service.life.';
COMMENT ON COLUMN sla.service_terms.policy IS 'sla.service.policy.';
COMMENT ON COLUMN sla.service_terms.policy_version_id IS 'sla.policy_version.id; NULL: before the first version, or without a policy.';
COMMENT ON COLUMN sla.service_terms.kind IS 'What rules call the service: its kind, or else its name.';
COMMENT ON COLUMN sla.service_terms.package IS 'sla.service.package.';
COMMENT ON COLUMN sla.service_terms.valid_from IS 'From when on the version is in force, until the next one.';
COMMENT ON COLUMN sla.service_terms.goal IS 'Percentage that is promised; NULL: none.';
COMMENT ON COLUMN sla.service_terms.time_zone IS 'Zone of its calendar months: that of the service, of the rule, or of the policy version, else UTC.';
COMMENT ON COLUMN sla.service_terms.months_from IS 'From when on these are the terms of months that begin, by the clock of that zone.';
COMMENT ON COLUMN sla.service_terms.months_to IS 'Until when; NULL: there is no later version.';
COMMENT ON COLUMN sla.service_terms.hours IS 'The hours that count now in the calendar of the rule.';
COMMENT ON COLUMN sla.service_terms.unknown IS 'sla.availability_rule.unknown.';
COMMENT ON COLUMN sla.service_terms.young IS 'sla.availability_rule.young.';
COMMENT ON COLUMN sla.service_terms.exclusions IS 'Kinds of exclusions that are excused.';
COMMENT ON COLUMN sla.service_terms.maintenance_notice IS 'sla.availability_rule.maintenance_notice.';
COMMENT ON COLUMN sla.service_terms.maintenance_hours IS 'The hours of the service window; NULL: any.';
COMMENT ON COLUMN sla.service_terms.credits IS 'sla.availability_rule.credits.';

CREATE FUNCTION sla.calendar_month(month date, time_zone text) RETURNS tstzrange
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    first constant timestamp := date_trunc('month', month::timestamp);
BEGIN
    IF NOT isfinite(month) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'datetime_field_overflow',
            MESSAGE = format('%s is in no month', month);
    END IF;
    RETURN tstzrange(first AT TIME ZONE time_zone, (first + '1 month'::interval) AT TIME ZONE time_zone);
END
$$;
COMMENT ON FUNCTION sla.calendar_month(date, text) IS 'The calendar month that a date lies in, by the clock of an IANA zone, a [) range. Raises 22008 for infinite dates, 22023 for an unknown zone.';

-- Why an exclusion does not excuse, so that what counts and what is explained
-- cannot differ.
-- In PL/pgSQL, because a report asks many times.
CREATE FUNCTION sla.exclusion_refused(kind text, during tstzrange, announced_at timestamptz, exclusions text[],
        maintenance_notice interval, time_zone text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    days constant int := extract(day FROM maintenance_notice);
BEGIN
    IF kind <> ALL (exclusions) THEN
        RETURN 'the rule does not list it';
    ELSIF kind <> 'planned_maintenance' THEN
        RETURN NULL;
    ELSIF announced_at IS NULL THEN
        RETURN 'it was not announced';
    ELSIF announced_at >= lower(during) THEN
        RETURN 'it was announced after it began';
    -- days by the wall clock, then hours that elapse, as leads of requests
    ELSIF announced_at > (CASE
        -- so early that nobody could announce it in time
        WHEN lower(during) - timestamptz '4714-11-24 00:00+00 BC' < maintenance_notice + interval '2 days' THEN '-infinity'
        ELSE sla.wall_clock_add(lower(during), -days, time_zone) - (maintenance_notice - make_interval(days => days)) END)
    THEN
        RETURN format('it was announced too late, at %s', to_char(announced_at AT TIME ZONE time_zone, 'YYYY-MM-DD HH24:MI:SS'));
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION sla.exclusion_refused(text, tstzrange, timestamptz, text[], interval, text) IS 'Internal: why an exclusion does not excuse under a rule; NULL: it does.';

CREATE FUNCTION sla.excused(period tstzrange, kind text, during tstzrange, announced_at timestamptz, exclusions text[],
        maintenance_notice interval, maintenance_hours sla.business_hours, time_zone text) RETURNS tstzmultirange
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
BEGIN
    IF sla.exclusion_refused(kind, during, announced_at, exclusions, maintenance_notice, time_zone) IS NOT NULL THEN
        RETURN '{}';
    ELSIF kind = 'planned_maintenance' AND maintenance_hours IS NOT NULL THEN
        RETURN sla.open_time(maintenance_hours, period * during);
    END IF;
    RETURN tstzmultirange(period * during);
END
$$;
COMMENT ON FUNCTION sla.excused(tstzrange, text, tstzrange, timestamptz, text[], interval, sla.business_hours, text) IS 'Internal: the part of a period that an exclusion excuses under a rule. Planned maintenance has to be announced in time and excuses only what lies in the service window.';
