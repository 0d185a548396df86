-- When what is asked for can be, by the rules of a policy: pure functions of
-- the rules and a moment.

CREATE FUNCTION sla.wall_clock_add(instant timestamptz, days int, zone text) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_wall_clock_add';
COMMENT ON FUNCTION sla.wall_clock_add(timestamptz, int, text) IS 'The first instant at which the wall clock of a time zone shows the same time so many days later, or a later one where it skips that; with no days the instant itself. An infinite instant comes back as it is. Raises 22023 for an unknown zone, 22008 beyond the range of instants.';

CREATE FUNCTION sla.lead_end(started timestamptz, lead text, zone text, hours sla.business_hours) RETURNS timestamptz
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    amount constant interval := sla.lead_interval(lead);
    days constant int := extract(day FROM amount);
BEGIN
    IF lead IS NULL THEN
        RETURN started;
    ELSIF amount IS NULL THEN
        RETURN sla.business_add(started, lead::sla.business_interval, hours);
    END IF;
    RETURN sla.wall_clock_add(started, days, zone) + (amount - make_interval(days => days));
END
$$;
COMMENT ON FUNCTION sla.lead_end(timestamptz, text, text, sla.business_hours) IS 'Internal: the instant that lies a lead after another one: its days on the wall clock of the zone, then its time; or business days of the hours. A lead that is NULL is none.';

CREATE FUNCTION sla.version_in_force(policy text, at timestamptz) RETURNS sla.policy_version
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    version sla.policy_version;
BEGIN
    SELECT v.* INTO version
    FROM sla.policy_version v
    WHERE v.policy = version_in_force.policy AND v.effective_from <= version_in_force.at
    ORDER BY v.effective_from DESC
    LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'undefined_object',
            MESSAGE = CASE WHEN EXISTS (SELECT FROM sla.policy_version v WHERE v.policy = version_in_force.policy)
                           THEN format('policy "%s" had no version in force yet at %s', policy, at)
                           ELSE format('policy "%s" does not exist or has no version', policy) END;
    END IF;
    RETURN version;
END
$$;
COMMENT ON FUNCTION sla.version_in_force(text, timestamptz) IS 'Internal: the version of a policy in force at an instant. Raises 42704 when there is none.';

CREATE FUNCTION sla.notice_rule_in_force(policy text, kind text, at timestamptz) RETURNS sla.notice_rule
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    version constant sla.policy_version := sla.version_in_force(policy, at);
    rule sla.notice_rule;
BEGIN
    SELECT n.* INTO rule FROM sla.notice_rule n WHERE n.policy_version_id = version.id AND n.kind = notice_rule_in_force.kind;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'undefined_object',
            MESSAGE = format('policy "%s" knows no requests of kind "%s"', policy, kind),
            HINT = coalesce('It knows: ' || (SELECT string_agg(n.kind, ', ' ORDER BY n.kind COLLATE "C") FROM sla.notice_rule n WHERE n.policy_version_id = version.id) || '.',
                            'It knows none: see "requests" of its document.');
    END IF;
    RETURN rule;
END
$$;
COMMENT ON FUNCTION sla.notice_rule_in_force(text, text, timestamptz) IS 'Internal: the rule about a kind of request in force at an instant. Raises 42704 when there is none.';

CREATE FUNCTION sla.earliest_within(at timestamptz, inside sla.business_hours, outside sla.business_hours) RETURNS timestamptz
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
BEGIN
    IF sla.is_open(inside, at) IS FALSE THEN
        RETURN coalesce(sla.next_open(inside, at), 'infinity');
    ELSIF sla.is_open(outside, at) THEN
        RETURN coalesce(sla.next_close(outside, at), 'infinity');
    END IF;
    RETURN at;
END
$$;
COMMENT ON FUNCTION sla.earliest_within(timestamptz, sla.business_hours, sla.business_hours) IS 'Internal: the first instant not before another one that lies within hours, or outside of others, each NULL where that does not matter; infinity when there is none.';

CREATE FUNCTION sla.earliest_start(policy text, kind text, requested_at timestamptz DEFAULT now()) RETURNS timestamptz
    LANGUAGE plpgsql STABLE STRICT
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    rule constant sla.notice_rule := sla.notice_rule_in_force(policy, kind, requested_at);
BEGIN
    RETURN sla.earliest_within(
        sla.lead_end(requested_at, rule.lead, (SELECT v.time_zone FROM sla.policy_version v WHERE v.id = rule.policy_version_id),
                     sla.effective_hours(rule.calendar)),
        sla.effective_hours(rule.inside), sla.effective_hours(rule.outside));
END
$$;
COMMENT ON FUNCTION sla.earliest_start(text, text, timestamptz) IS 'The earliest start of what is requested at an instant, by default now, by the policy version in force then: the lead of that kind of request (sla.notice_rule) later, and within, or outside, the hours that it names. infinity when there is none; an infinite instant comes back as it is. Raises 42704 when the policy or the kind is not known.';

CREATE FUNCTION sla.earliest_answer(policy text, kind text, received_at timestamptz DEFAULT now()) RETURNS timestamptz
    LANGUAGE plpgsql STABLE STRICT
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    version constant sla.policy_version := sla.version_in_force(policy, received_at);
    rule sla.turnaround_rule;
BEGIN
    SELECT t.* INTO rule FROM sla.turnaround_rule t WHERE t.policy_version_id = version.id AND t.kind = earliest_answer.kind;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'undefined_object',
            MESSAGE = format('policy "%s" knows no questionnaires of kind "%s"', policy, kind),
            HINT = coalesce('It knows: ' || (SELECT string_agg(t.kind, ', ' ORDER BY t.kind COLLATE "C") FROM sla.turnaround_rule t WHERE t.policy_version_id = version.id) || '.',
                            'It knows none: see "questionnaires" of its document.');
    END IF;
    RETURN sla.lead_end(received_at, rule.at_least, version.time_zone, sla.effective_hours(rule.calendar));
END
$$;
COMMENT ON FUNCTION sla.earliest_answer(text, text, timestamptz) IS 'When the answer to a questionnaire received at an instant, by default now, can be expected at the earliest, by the policy version in force then (sla.turnaround_rule). An infinite instant comes back as it is. Raises 42704 when the policy or the kind is not known.';
