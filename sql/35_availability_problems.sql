-- The member "availability" of a policy document: checking it and giving it back.
--
-- "availability": [
--   {"service": "hosting", "package": "gold",   optional; "*" by default
--    "goal": 99.9,                              percent; null: agreed elsewhere
--    "time_zone": "Europe/Berlin",              optional; that of the policy
--    "calendar": "office",                      optional; the hours that count, all by default
--    "unknown": "ignore",                       or "up", "down"
--    "young": "period",                         or "life"
--    "exclusions": ["planned_maintenance", "force_majeure"],
--    "maintenance_notice": "5 days",            optional; how long before
--    "maintenance_window": "sundays",           optional; a calendar
--    "credits": [{"below": 99.9, "percent": 10}, {"below": 99, "percent": 25}]}
-- ]

CREATE FUNCTION sla.notice_problem(value jsonb) RETURNS text
    LANGUAGE plpgsql STABLE STRICT
    SET search_path TO pg_catalog, pg_temp
    AS $$
BEGIN
    IF jsonb_typeof(value) <> 'string' THEN
        RETURN 'must be a string, as in "5 days" or "72 hours"';
    ELSIF sla.input_problem(value #>> '{}', 'interval') IS NOT NULL THEN
        RETURN sla.input_problem(value #>> '{}', 'interval');
    ELSIF NOT sla.is_notice((value #>> '{}')::interval) THEN
        RETURN 'must be days and hours, not negative, at most a hundred years';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION sla.notice_problem(jsonb) IS 'Internal: what is wrong with a time of notice in days and hours; NULL when nothing is.';

CREATE FUNCTION sla.availability_rule_problems(base text, rule jsonb, calendars jsonb)
    RETURNS TABLE (path text, problem text)
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    member text;
    wrong text;
    goal numeric;
    kind record;
BEGIN
    IF jsonb_typeof(rule) <> 'object' THEN
        RETURN QUERY SELECT base, 'must be an object';
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM sla.member_problems(base, rule, '{goal}',
        '{service,package,time_zone,calendar,unknown,young,exclusions,maintenance_notice,maintenance_window,credits}');

    FOREACH member IN ARRAY '{service,package}'::text[] LOOP
        IF rule ? member AND NOT (jsonb_typeof(rule -> member) = 'string' AND sla.is_rule_key(rule ->> member)) THEN
            RETURN QUERY SELECT sla.json_path(base, member), 'must be a name of 1 to 255 bytes without control characters and blanks at the ends, or "*"';
        END IF;
    END LOOP;
    IF jsonb_typeof(rule -> 'goal') = 'number' THEN
        goal := (rule ->> 'goal')::numeric;
        IF NOT (goal > 0 AND sla.is_percentage(goal)) THEN
            RETURN QUERY SELECT base || '.goal', 'must be a percentage above 0 and up to 100 with at most six decimals';
            goal := NULL;
        END IF;
    ELSIF jsonb_typeof(rule -> 'goal') <> 'null' THEN
        RETURN QUERY SELECT base || '.goal', 'must be a percentage, as in 99.9, or null: agreed elsewhere';
    END IF;
    RETURN QUERY SELECT * FROM sla.zone_problems(base, rule);
    RETURN QUERY SELECT * FROM sla.calendar_name_problems(base, rule, '{calendar,maintenance_window}', calendars);
    RETURN QUERY SELECT * FROM sla.choice_problems(base, rule, 'unknown', '{ignore,up,down}');
    RETURN QUERY SELECT * FROM sla.choice_problems(base, rule, 'young', '{period,life}');

    IF jsonb_typeof(rule -> 'exclusions') <> 'array' THEN
        RETURN QUERY SELECT base || '.exclusions', 'must be an array of kinds';
    ELSE
        FOR kind IN SELECT * FROM sla.document_items(base || '.exclusions', rule -> 'exclusions') LOOP
            wrong := CASE
                WHEN jsonb_typeof(kind.node) <> 'string' OR NOT sla.is_rule_key(kind.text)
                    THEN 'must be a name of 1 to 255 bytes without control characters and blanks at the ends'
                WHEN kind.times > 1 THEN kind.text || ' is listed twice'
            END;
            IF wrong IS NOT NULL THEN
                RETURN QUERY SELECT kind.at, wrong;
            END IF;
        END LOOP;
    END IF;
    wrong := sla.notice_problem(rule -> 'maintenance_notice');
    IF wrong IS NOT NULL THEN
        RETURN QUERY SELECT base || '.maintenance_notice', wrong;
    END IF;
    FOREACH member IN ARRAY '{maintenance_notice,maintenance_window}'::text[] LOOP
        IF rule ? member AND NOT coalesce(rule -> 'exclusions' ? 'planned_maintenance', false) THEN
            RETURN QUERY SELECT sla.json_path(base, member), 'is of no use without "planned_maintenance" among the exclusions';
        END IF;
    END LOOP;
    IF rule ? 'credits' THEN
        IF rule -> 'goal' = 'null' AND rule -> 'credits' <> '[]' THEN
            RETURN QUERY SELECT base || '.credits', 'is of no use without a goal: nothing can be missed';
        ELSE
            RETURN QUERY SELECT * FROM sla.credit_problems(base || '.credits', rule -> 'credits', goal);
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION sla.availability_rule_problems(text, jsonb, jsonb) IS 'Internal: what is wrong with a rule about availability in a policy document.';

CREATE FUNCTION sla.availability_problems(document jsonb)
    RETURNS TABLE (path text, problem text)
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    rules constant jsonb := document -> 'availability';
    item record;
BEGIN
    IF rules IS NULL THEN
        RETURN;
    ELSIF jsonb_typeof(rules) <> 'array' THEN
        RETURN QUERY SELECT '$.availability', 'must be an array of rules';
        RETURN;
    END IF;
    FOR item IN SELECT * FROM sla.document_items('$.availability', rules) LOOP
        RETURN QUERY SELECT * FROM sla.availability_rule_problems(item.at, item.node, document -> 'calendars');
    END LOOP;
    RETURN QUERY
        SELECT format('$.availability[%s]', r.i), format('is about the same as $.availability[%s]', r.first)
        FROM (SELECT e.ordinality - 1 AS i,
                     first_value(e.ordinality - 1) OVER (PARTITION BY coalesce(e.value ->> 'service', '*'), coalesce(e.value ->> 'package', '*')
                                                         ORDER BY e.ordinality) AS first
              FROM jsonb_array_elements(rules) WITH ORDINALITY AS e(value, ordinality)
              WHERE jsonb_typeof(e.value) = 'object') AS r
        WHERE r.i > r.first
        ORDER BY r.i;
END
$$;
COMMENT ON FUNCTION sla.availability_problems(jsonb) IS 'Internal: what is wrong with the rules about availability in a policy document.';

CREATE FUNCTION sla.canonical_availability_rule(service text, package text, goal numeric, time_zone text, calendar text, unknown text,
        young text, exclusions text[], maintenance_notice interval, maintenance_window text, credits jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO pg_catalog, pg_temp
    SET intervalstyle TO postgres
    AS $$
    SELECT jsonb_build_object('goal', trim_scale(goal))
        || jsonb_strip_nulls(jsonb_build_object(
            'service', nullif(service, '*'), 'package', nullif(package, '*'), 'time_zone', time_zone, 'calendar', calendar,
            'unknown', nullif(unknown, 'ignore'), 'young', nullif(young, 'period'),
            'exclusions', (SELECT jsonb_agg(e ORDER BY e COLLATE "C") FROM (SELECT DISTINCT unnest(exclusions)) AS d(e)),
            'maintenance_notice', maintenance_notice::text, 'maintenance_window', maintenance_window,
            'credits', nullif(credits, '[]')))
$$;
COMMENT ON FUNCTION sla.canonical_availability_rule(text, text, numeric, text, text, text, text, text[], interval, text, jsonb) IS 'Internal: a rule about availability as it stands in a canonical policy document.';

CREATE FUNCTION sla.canonical_availability(rules jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT jsonb_agg(sla.canonical_availability_rule(r ->> 'service', r ->> 'package', (r ->> 'goal')::numeric,
                         sla.zone_name(r ->> 'time_zone'), r ->> 'calendar', r ->> 'unknown', r ->> 'young',
                         ARRAY(SELECT jsonb_array_elements_text(r -> 'exclusions')), (r ->> 'maintenance_notice')::interval,
                         r ->> 'maintenance_window', r -> 'credits')
                     ORDER BY coalesce(r ->> 'service', '*') COLLATE "C", coalesce(r ->> 'package', '*') COLLATE "C")
    FROM jsonb_array_elements(rules) AS r
$$;
COMMENT ON FUNCTION sla.canonical_availability(jsonb) IS 'Internal: the rules about availability of a sound policy document in one spelling; NULL when there are none.';

CREATE FUNCTION sla.availability_from_tables(version_id int, calendar_keys jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT jsonb_agg(sla.canonical_availability_rule(r.service, r.package, r.goal, r.time_zone, calendar_keys ->> r.calendar, r.unknown,
                         r.young, r.exclusions, r.maintenance_notice, calendar_keys ->> r.maintenance_window, r.credits)
                     ORDER BY r.service COLLATE "C", r.package COLLATE "C")
    FROM sla.availability_rule r
    WHERE r.policy_version_id = version_id
$$;
COMMENT ON FUNCTION sla.availability_from_tables(int, jsonb) IS 'Internal: the same of what the tables say about a policy version; calendar_keys maps calendars to their names in the document.';
