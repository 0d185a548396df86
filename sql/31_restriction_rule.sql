-- What a policy version says about accounts with unsettled bills.

CREATE TABLE sla.restriction_rule (
    policy_version_id   int PRIMARY KEY,
    time_zone           text,
    support             int CHECK (support > 0),
    deployments         int CHECK (deployments > 0),
    termination         int CHECK (termination > 0),
    per                 text NOT NULL DEFAULT 'account' CHECK (per IN ('account', 'service')),
    minimum_amount      numeric NOT NULL DEFAULT 0 CHECK (minimum_amount >= 0 AND minimum_amount < 'infinity'),
    grace               int NOT NULL DEFAULT 0 CHECK (grace BETWEEN 0 AND 1000),
    calendar            text,
    actions             jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(actions) = 'object'),
    security_release    text[] NOT NULL DEFAULT '{}',
    CONSTRAINT restriction_rule_thresholds_check CHECK (
        coalesce(support, deployments, termination) IS NOT NULL
        AND coalesce(support < deployments, true) AND coalesce(support < termination, true)
        AND coalesce(deployments < termination, true)),
    CONSTRAINT restriction_rule_calendar_check CHECK ((grace = 0) = (calendar IS NULL))
);
COMMENT ON TABLE sla.restriction_rule IS 'From when unsettled bills restrict an account under a policy version, and what that forbids. A version without a row restricts nobody.';
COMMENT ON COLUMN sla.restriction_rule.policy_version_id IS 'sla.policy_version.id.';
COMMENT ON COLUMN sla.restriction_rule.time_zone IS 'IANA time zone in which days are counted; NULL: that of the policy version.';
COMMENT ON COLUMN sla.restriction_rule.support IS 'First calendar day after the due date at which the level is support; NULL: there is no such level.';
COMMENT ON COLUMN sla.restriction_rule.deployments IS 'The same of deployments; later than that of support.';
COMMENT ON COLUMN sla.restriction_rule.termination IS 'The same of termination; later than the others.';
COMMENT ON COLUMN sla.restriction_rule.per IS 'Whom bills restrict. account: the account they name; service: just the service they name, and the whole account where they name none.';
COMMENT ON COLUMN sla.restriction_rule.minimum_amount IS 'As long as less than this is overdue in all, nothing is restricted; it does not lift a termination. Bills without an amount always reach it.';
COMMENT ON COLUMN sla.restriction_rule.grace IS 'Business days after the due date before which a bill does not count.';
COMMENT ON COLUMN sla.restriction_rule.calendar IS 'sla.calendar.name: which days are business days; NULL where grace is 0.';
COMMENT ON COLUMN sla.restriction_rule.actions IS 'Action to the level from which it is refused; an action that is not listed is refused at termination.';
COMMENT ON COLUMN sla.restriction_rule.security_release IS 'Actions that are allowed below termination when they are a critical security release.';

GRANT SELECT ON sla.restriction_rule TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('sla.restriction_rule', '');

CREATE FUNCTION sla.restriction_grace(grace text) RETURNS int
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$ SELECT substring(grace FROM '^ *([0-9]{1,3}) *(?:bd|business days?) *$')::int $$;
COMMENT ON FUNCTION sla.restriction_grace(text) IS 'Internal: "3 business days" as a number of days; NULL when it is not of that form.';

CREATE FUNCTION sla.restriction_problems(rule jsonb, calendars jsonb)
    RETURNS TABLE (path text, problem text)
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    levels constant text[] := '{support,deployments,termination}';
    thresholds constant jsonb := rule -> 'thresholds';
    item record;
    last_day int := 0;
    last_level text;
    days numeric;
BEGIN
    IF rule IS NULL THEN
        RETURN;
    ELSIF jsonb_typeof(rule) <> 'object' THEN
        RETURN QUERY SELECT '$.restriction', 'must be an object with thresholds';
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM sla.member_problems('$.restriction', rule, '{thresholds}',
        '{time_zone,per,minimum_amount,grace,calendar,actions,security_release}');

    IF jsonb_typeof(rule -> 'time_zone') <> 'string' OR rule ? 'time_zone' AND sla.zone_name(rule ->> 'time_zone') IS NULL THEN
        RETURN QUERY SELECT '$.restriction.time_zone', 'must be an IANA name of a time zone that this server knows';
    END IF;
    IF jsonb_typeof(thresholds) <> 'object' OR thresholds = '{}' THEN
        RETURN QUERY SELECT '$.restriction.thresholds', 'must be an object of levels, each with its first day';
    ELSIF thresholds IS NOT NULL THEN
        RETURN QUERY SELECT * FROM sla.member_problems('$.restriction.thresholds', thresholds, '{}', levels);
        FOR item IN SELECT l.level, thresholds -> l.level AS value FROM unnest(levels) WITH ORDINALITY AS l(level, i) WHERE thresholds ? l.level ORDER BY l.i LOOP
            days := CASE WHEN jsonb_typeof(item.value) = 'number' THEN (item.value #>> '{}')::numeric END;
            IF days IS NULL OR days <> trunc(days) OR days NOT BETWEEN 1 AND 100000 THEN
                RETURN QUERY SELECT '$.restriction.thresholds.' || item.level, 'must be a whole number of days, 1 to 100000';
            ELSIF days <= last_day THEN
                RETURN QUERY SELECT '$.restriction.thresholds.' || item.level, format('must be later than day %s of %s', last_day, last_level);
            ELSE
                last_day := days;
                last_level := item.level;
            END IF;
        END LOOP;
    END IF;
    RETURN QUERY SELECT * FROM sla.choice_problems('$.restriction', rule, 'per', '{account,service}');
    IF rule ? 'minimum_amount' AND NOT (jsonb_typeof(rule -> 'minimum_amount') = 'number' AND (rule ->> 'minimum_amount')::numeric >= 0) THEN
        RETURN QUERY SELECT '$.restriction.minimum_amount', 'must be a number, not negative';
    END IF;
    IF rule ? 'grace' AND (jsonb_typeof(rule -> 'grace') <> 'string' OR coalesce(sla.restriction_grace(rule ->> 'grace'), 0) = 0) THEN
        RETURN QUERY SELECT '$.restriction.grace', 'must be business days, as in "3 business days", 1 to 999';
    END IF;
    IF rule ? 'grace' <> rule ? 'calendar' THEN
        RETURN QUERY SELECT '$.restriction', 'must have both grace and calendar, or neither';
    ELSIF rule ? 'calendar' AND (jsonb_typeof(rule -> 'calendar') <> 'string' OR (calendars ? (rule ->> 'calendar')) IS NOT TRUE) THEN
        RETURN QUERY SELECT '$.restriction.calendar', 'must be the name of a calendar of the document';
    END IF;
    IF jsonb_typeof(rule -> 'actions') <> 'object' THEN
        RETURN QUERY SELECT '$.restriction.actions', 'must be an object of actions, each with a level';
    ELSE
        FOR item IN SELECT e.key, sla.json_path('$.restriction.actions', e.key) AS at, e.value FROM jsonb_each(rule -> 'actions') AS e LOOP
            IF NOT sla.is_rule_key(item.key) THEN
                RETURN QUERY SELECT item.at, 'an action must have a name of 1 to 255 bytes without control characters and blanks at the ends';
            END IF;
            RETURN QUERY SELECT * FROM sla.choice_problems('$.restriction.actions', rule -> 'actions', item.key, levels);
        END LOOP;
    END IF;
    IF rule ? 'security_release' AND (jsonb_typeof(rule -> 'security_release') <> 'array'
        OR jsonb_path_exists(rule -> 'security_release', 'strict $[*] ? (@.type() != "string")')) THEN
        RETURN QUERY SELECT '$.restriction.security_release', 'must be an array of actions';
    END IF;
END
$$;
COMMENT ON FUNCTION sla.restriction_problems(jsonb, jsonb) IS 'Internal: what is wrong with what a policy document says about unsettled bills.';

CREATE FUNCTION sla.load_restriction(version_id int, rule jsonb, calendar_names jsonb) RETURNS void
    LANGUAGE sql VOLATILE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    INSERT INTO sla.restriction_rule (policy_version_id, time_zone, support, deployments, termination, per, minimum_amount, grace, calendar, actions, security_release)
        SELECT version_id, sla.zone_name(rule ->> 'time_zone'), (rule -> 'thresholds' ->> 'support')::numeric::int,
               (rule -> 'thresholds' ->> 'deployments')::numeric::int, (rule -> 'thresholds' ->> 'termination')::numeric::int,
               coalesce(rule ->> 'per', 'account'), coalesce((rule ->> 'minimum_amount')::numeric, 0),
               coalesce(sla.restriction_grace(rule ->> 'grace'), 0), calendar_names ->> (rule ->> 'calendar'),
               coalesce(rule -> 'actions', '{}'), ARRAY(SELECT DISTINCT a FROM jsonb_array_elements_text(rule -> 'security_release') AS a ORDER BY a)
        WHERE rule IS NOT NULL
$$;
COMMENT ON FUNCTION sla.load_restriction(int, jsonb, jsonb) IS 'Internal, a step of sla.load_policy: the row of sla.restriction_rule, if the document has any.';
REVOKE EXECUTE ON FUNCTION sla.load_restriction(int, jsonb, jsonb) FROM PUBLIC;

CREATE FUNCTION sla.canonical_restriction(time_zone text, support int, deployments int, termination int, per text,
        minimum_amount numeric, grace int, calendar text, actions jsonb, security_release text[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'time_zone', time_zone,
        'thresholds', jsonb_build_object('support', support, 'deployments', deployments, 'termination', termination),
        'per', nullif(per, 'account'), 'minimum_amount', nullif(minimum_amount, 0),
        'grace', CASE grace WHEN 0 THEN NULL WHEN 1 THEN '1 business day' ELSE grace || ' business days' END,
        'calendar', calendar, 'actions', nullif(actions, '{}'), 'security_release', nullif(to_jsonb(security_release), '[]')))
$$;
COMMENT ON FUNCTION sla.canonical_restriction(text, int, int, int, text, numeric, int, text, jsonb, text[]) IS 'Internal: the rule about unsettled bills as it stands in a canonical policy document.';

CREATE FUNCTION sla.canonical_restriction(rule jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT CASE WHEN rule IS NOT NULL THEN sla.canonical_restriction(sla.zone_name(rule ->> 'time_zone'),
        (rule -> 'thresholds' ->> 'support')::numeric::int, (rule -> 'thresholds' ->> 'deployments')::numeric::int,
        (rule -> 'thresholds' ->> 'termination')::numeric::int,
        coalesce(rule ->> 'per', 'account'), coalesce((rule ->> 'minimum_amount')::numeric, 0),
        coalesce(sla.restriction_grace(rule ->> 'grace'), 0), rule ->> 'calendar', coalesce(rule -> 'actions', '{}'),
        ARRAY(SELECT DISTINCT a FROM jsonb_array_elements_text(rule -> 'security_release') AS a ORDER BY a)) END
$$;
COMMENT ON FUNCTION sla.canonical_restriction(jsonb) IS 'Internal: a sound rule of a policy document in one spelling.';
