-- Policy documents: a whole policy as one jsonb value, checked as a whole.
--
-- {
--   "policy": "acme",                       name, required
--   "title": "Acme support",                for people
--   "source": "https://...",                where it is published
--   "time_zone": "Europe/Amsterdam",        that reports are made in, required
--   "notes": ["..."],                       assumptions and remarks
--   "calendars": {                          required
--     "support": {
--       "hours": "Europe/Amsterdam Mo-Fr 09:00-17:00",
--       "regions": ["NL"],                  optional; closed on their holidays (sla.holiday),
--       "holidays": ["2026-12-25"]          optional; and on these, unless the hours name the date
--     }
--   },
--   "targets": [                            required
--     {"severity": "S1", "metric": "response", "goal": "1h", "calendar": "support",
--      "alerts": [0.5, 1, "15min"],         optional; fractions of the goal, working time before it is due
--      "pausable": false},                  optional
--     {"severity": "S1", "metric": "resolution", "goal": null}    depends: no clock
--   ],
--
-- and, optional:
--
--   "metrics": {"triage": {"title": "Triage", "starts_on": ["opened"], "stops_on": ["assigned"], "restarts_on": []}},
--   "severities": {"S1": {"label": "Critical", "description": "..."}},
--   "severity_caps": {"api": "S2", "*": "S3"},
--   "channels": {"email": "investigation", "*": "never"},
--   "exemptions": {"known_incident": "title"},
--   "severity_change": "from_start",        or "from_change", "carry"
--   "reopening": "continue",                or "restart"
--   "entitlement": "anyone",                or "contract"
--   "restricted_accounts": "admit",         or "uncovered", "reject"
--   "restriction": {"thresholds": {"support": 30, "deployments": 61, "termination": 91}},
--                                           see sla.restriction_rule
--   "availability": [...]                   see sql/35_availability_problems.sql
-- }
--
-- A member not listed here is a problem, so that a slip of the pen is never
-- taken for silence.

CREATE FUNCTION sla.json_path(parent text, key text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT CASE WHEN key ~ '^[A-Za-z_][A-Za-z0-9_]*$' THEN parent || '.' || key
                ELSE parent || '[' || to_json(key)::text || ']' END
$$;
COMMENT ON FUNCTION sla.json_path(text, text) IS 'Internal: the JSON path of a member of an object.';

CREATE FUNCTION sla.input_problem(value text, type regtype) RETURNS text
    LANGUAGE plpgsql STABLE STRICT
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    EXECUTE 'SELECT CAST($1 AS ' || type::text || ')' USING value;
    RETURN NULL;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' ', SQLERRM || CASE WHEN detail <> '' OR hint <> '' THEN '.' ELSE '' END,
                     nullif(detail, ''), nullif(hint, ''));
END
$$;
COMMENT ON FUNCTION sla.input_problem(text, regtype) IS 'Internal: what is wrong with a value of a type given as text; NULL when nothing is.';

CREATE FUNCTION sla.member_problems(base text, object jsonb, required text[], optional text[])
    RETURNS TABLE (path text, problem text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT sla.json_path(base, key), 'unknown member; known are ' || array_to_string(required || optional, ', ')
    FROM jsonb_object_keys(object) AS key
    WHERE key <> ALL (required || optional)
    UNION ALL
    SELECT sla.json_path(base, key), 'is required'
    FROM unnest(required) AS key
    WHERE NOT object ? key
$$;
COMMENT ON FUNCTION sla.member_problems(text, jsonb, text[], text[]) IS 'Internal: members that an object should not have, and those it lacks.';

CREATE FUNCTION sla.blank_problems(base text, object jsonb, members text[])
    RETURNS TABLE (path text, problem text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT sla.json_path(base, m.member), 'must be a string that is not blank'
    FROM unnest(members) WITH ORDINALITY AS m(member, i)
    WHERE object ? m.member AND NOT (jsonb_typeof(object -> m.member) = 'string' AND btrim(object ->> m.member) <> '')
    ORDER BY m.i
$$;
COMMENT ON FUNCTION sla.blank_problems(text, jsonb, text[]) IS 'Internal: those of some members of an object that are no text, or a blank one.';

CREATE FUNCTION sla.choice_problems(base text, object jsonb, member text, choices text[])
    RETURNS TABLE (path text, problem text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT sla.json_path(base, member), 'must be one of ' || array_to_string(choices, ', ')
    WHERE object ? member AND object -> member <> ALL (ARRAY(SELECT to_jsonb(c) FROM unnest(choices) AS c))
$$;
COMMENT ON FUNCTION sla.choice_problems(text, jsonb, text, text[]) IS 'Internal: what is wrong with a member of an object that is one of some texts.';

CREATE FUNCTION sla.calendar_name_problems(base text, object jsonb, members text[], calendars jsonb)
    RETURNS TABLE (path text, problem text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT sla.json_path(base, m.member),
           CASE WHEN jsonb_typeof(object -> m.member) <> 'string' THEN 'must be a string'
                ELSE format('calendar "%s" is not among the calendars of the document', object ->> m.member) END
    FROM unnest(members) WITH ORDINALITY AS m(member, i)
    WHERE object ? m.member
      AND (jsonb_typeof(object -> m.member) <> 'string' OR NOT coalesce(calendars ? (object ->> m.member), false))
    ORDER BY m.i
$$;
COMMENT ON FUNCTION sla.calendar_name_problems(text, jsonb, text[], jsonb) IS 'Internal: what is wrong with members of an object that name calendars of the document.';

CREATE FUNCTION sla.zone_problems(base text, object jsonb)
    RETURNS TABLE (path text, problem text)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT sla.json_path(base, 'time_zone'),
           CASE WHEN jsonb_typeof(object -> 'time_zone') <> 'string' THEN 'must be a string'
                ELSE format('time zone "%s" is not an IANA name known to this server', object ->> 'time_zone') END
    WHERE object ? 'time_zone'
      AND (jsonb_typeof(object -> 'time_zone') <> 'string' OR sla.zone_name(object ->> 'time_zone') IS NULL)
$$;
COMMENT ON FUNCTION sla.zone_problems(text, jsonb) IS 'Internal: what is wrong with the member time_zone of an object.';

CREATE FUNCTION sla.document_items(base text, list jsonb)
    RETURNS TABLE (at text, node jsonb, text text, times bigint)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT format('%s[%s]', base, e.ordinality - 1), e.value, e.value #>> '{}',
           count(*) OVER (PARTITION BY e.value ORDER BY e.ordinality)
    FROM jsonb_array_elements(list) WITH ORDINALITY AS e(value, ordinality)
    ORDER BY e.ordinality
$$;
COMMENT ON FUNCTION sla.document_items(text, jsonb) IS 'Internal: the elements of an array in order, each with its JSON path, its text, and how many times it has been there, this time included.';

CREATE FUNCTION sla.calendar_problems(base text, calendar jsonb)
    RETURNS TABLE (path text, problem text)
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    holidays constant jsonb := calendar -> 'holidays';
    regions constant jsonb := calendar -> 'regions';
    wrong text;
    sound boolean;
    day record;
    region record;
BEGIN
    IF jsonb_typeof(calendar) <> 'object' THEN
        RETURN QUERY SELECT base, 'must be an object';
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM sla.member_problems(base, calendar, '{hours}', '{regions,holidays}');

    IF calendar ? 'hours' THEN
        IF jsonb_typeof(calendar -> 'hours') = 'string' THEN
            wrong := sla.input_problem(calendar ->> 'hours', 'sla.business_hours');
        ELSE
            wrong := 'must be a string';
        END IF;
        IF wrong IS NOT NULL THEN
            RETURN QUERY SELECT base || '.hours', wrong;
        END IF;
    END IF;
    sound := calendar ? 'hours' AND wrong IS NULL;

    IF jsonb_typeof(holidays) <> 'array' THEN
        RETURN QUERY SELECT base || '.holidays', 'must be an array of dates';
        sound := false;
    ELSE
        FOR day IN SELECT * FROM sla.document_items(base || '.holidays', holidays) LOOP
            wrong := CASE
                WHEN jsonb_typeof(day.node) <> 'string' OR day.text !~ '^\d{4}-\d{2}-\d{2}$'
                    THEN 'must be a date as in "2026-12-25"'
                WHEN day.times > 1 THEN day.text || ' is listed twice'
                ELSE sla.input_problem(day.text, 'date')
            END;
            IF wrong IS NOT NULL THEN
                RETURN QUERY SELECT day.at, wrong;
                sound := false;
            END IF;
        END LOOP;
    END IF;

    IF jsonb_typeof(regions) <> 'array' THEN
        RETURN QUERY SELECT base || '.regions', 'must be an array of regions';
        sound := false;
    ELSE
        FOR region IN SELECT * FROM sla.document_items(base || '.regions', regions) LOOP
            wrong := CASE
                WHEN jsonb_typeof(region.node) <> 'string' OR NOT sla.is_region(region.text)
                    THEN 'must be a region as in "DE" or "DE-BY"'
                WHEN region.times > 1 THEN region.text || ' is listed twice'
            END;
            IF wrong IS NOT NULL THEN
                RETURN QUERY SELECT region.at, wrong;
                sound := false;
            END IF;
        END LOOP;
    END IF;

    -- each by itself is right: are they together?
    IF sound AND holidays IS NOT NULL THEN
        BEGIN
            PERFORM sla.calendar_hours(calendar);
        EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
            RETURN QUERY SELECT base || '.holidays', SQLERRM;
            sound := false;
        END;
    END IF;
    IF sound AND jsonb_array_length(regions) > 0 THEN
        BEGIN
            PERFORM sla.hours_in_regions(sla.calendar_hours(calendar), sla.calendar_regions(calendar));
        EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
            RETURN QUERY SELECT base || '.regions', SQLERRM;
        END;
    END IF;
END
$$;
COMMENT ON FUNCTION sla.calendar_problems(text, jsonb) IS 'Internal: what is wrong with a calendar of a policy document.';

CREATE FUNCTION sla.calendar_hours(calendar jsonb) RETURNS sla.business_hours
    LANGUAGE sql STABLE STRICT
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT sla.with_holidays((calendar ->> 'hours')::sla.business_hours,
                             ARRAY(SELECT day::date FROM jsonb_array_elements_text(calendar -> 'holidays') AS day))
$$;
COMMENT ON FUNCTION sla.calendar_hours(jsonb) IS 'Internal: the hours that a calendar of a policy document says, the holidays that it lists included.';

CREATE FUNCTION sla.calendar_regions(calendar jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT
    SET search_path TO pg_catalog, pg_temp
    AS $$ SELECT sla.canonical_regions(ARRAY(SELECT jsonb_array_elements_text(calendar -> 'regions'))) $$;
COMMENT ON FUNCTION sla.calendar_regions(jsonb) IS 'Internal: the regions that a calendar of a policy document names, in order.';

CREATE FUNCTION sla.alert_problems(base text, alerts jsonb, goal text)
    RETURNS TABLE (path text, problem text)
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    item record;
    wrong text;
    spelled text;
    seen text[] := '{}';
BEGIN
    IF jsonb_typeof(alerts) <> 'array' THEN
        RETURN QUERY SELECT base, 'must be an array of fractions of the goal, and of working time before it is due';
        RETURN;
    END IF;
    FOR item IN SELECT * FROM sla.document_items(base, alerts) LOOP
        wrong := NULL;
        spelled := NULL;
        IF jsonb_typeof(item.node) = 'number' THEN
            IF item.text::numeric <= 0 OR item.text::numeric > 1 OR scale(trim_scale(item.text::numeric)) > 6 THEN
                wrong := 'a fraction of the goal is more than 0 and at most 1, with at most six decimals';
            ELSE
                spelled := trim_scale(item.text::numeric)::text;
            END IF;
        ELSIF jsonb_typeof(item.node) = 'string' THEN
            wrong := sla.input_problem(item.text, 'sla.business_interval');
            IF wrong IS NULL THEN
                spelled := item.text::sla.business_interval::text;
                IF item.text::sla.business_interval OPERATOR(sla.<=) '0' THEN
                    wrong := 'must be more than nothing; for when it is due write 1, the whole of the goal';
                ELSIF spelled LIKE '%bd%' THEN
                    wrong := 'must be working time without business days';
                ELSIF sla.input_problem(goal, 'sla.business_interval') IS NULL
                      AND item.text::sla.business_interval OPERATOR(sla.>=) goal::sla.business_interval THEN
                    wrong := format('lies before the start: the goal is %s', goal);
                END IF;
            END IF;
        ELSE
            wrong := 'must be a fraction of the goal, as in 0.75, or working time before it is due, as in "30min"';
        END IF;
        IF wrong IS NULL AND spelled = ANY (seen) THEN
            wrong := spelled || ' is listed twice';
        END IF;
        seen := seen || spelled;
        IF wrong IS NOT NULL THEN
            RETURN QUERY SELECT item.at, wrong;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION sla.alert_problems(text, jsonb, text) IS 'Internal: what is wrong with the alerts of a target of a policy document.';

CREATE FUNCTION sla.target_problems(base text, target jsonb, calendars jsonb, metrics jsonb)
    RETURNS TABLE (path text, problem text)
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    member text;
    value text;
    wrong text;
BEGIN
    IF jsonb_typeof(target) <> 'object' THEN
        RETURN QUERY SELECT base, 'must be an object';
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM sla.member_problems(base, target, '{severity,metric,goal}', '{calendar,alerts,pausable}');

    -- statements, because a CASE folds constant casts before it chooses
    FOREACH member IN ARRAY '{severity,metric,goal}'::text[] LOOP
        CONTINUE WHEN NOT target ? member OR jsonb_typeof(target -> member) = 'null' AND member = 'goal';
        value := target ->> member;
        wrong := NULL;
        IF jsonb_typeof(target -> member) <> 'string' THEN
            wrong := 'must be a string' || CASE member WHEN 'goal' THEN ', or null: depends' ELSE '' END;
        ELSIF member = 'severity' THEN
            wrong := sla.input_problem(value, 'sla.severity');
        ELSIF member = 'goal' THEN
            wrong := sla.input_problem(value, 'sla.business_interval');
            IF wrong IS NULL AND value::sla.business_interval OPERATOR(sla.<=) '0' THEN
                wrong := 'must be more than nothing';
            END IF;
        ELSIF NOT coalesce(metrics ? value, false) AND NOT EXISTS (SELECT FROM sla.metric m WHERE m.name = value) THEN
            wrong := format('metric "%s" does not exist; known are %s', value,
                            (SELECT string_agg(m.name, ', ' ORDER BY m.name) FROM sla.metric m));
        END IF;
        IF wrong IS NOT NULL THEN
            RETURN QUERY SELECT sla.json_path(base, member), wrong;
        END IF;
    END LOOP;
    RETURN QUERY SELECT * FROM sla.calendar_name_problems(base, jsonb_strip_nulls(target), '{calendar}', calendars);
    IF target ->> 'goal' IS NOT NULL AND target ->> 'calendar' IS NULL THEN
        RETURN QUERY SELECT base || '.calendar', 'is required with a goal';
    END IF;
    IF jsonb_typeof(target -> 'pausable') <> 'boolean' THEN
        RETURN QUERY SELECT base || '.pausable', 'must be true or false';
    END IF;
    IF target ? 'alerts' THEN
        RETURN QUERY SELECT * FROM sla.alert_problems(base || '.alerts', target -> 'alerts', target ->> 'goal');
    END IF;
    FOREACH member IN ARRAY '{alerts,pausable}'::text[] LOOP
        IF target ? member AND target -> 'goal' = 'null' THEN
            RETURN QUERY SELECT sla.json_path(base, member), 'is of no use without a goal: no clock runs';
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION sla.target_problems(text, jsonb, jsonb, jsonb) IS 'Internal: what is wrong with a target of a policy document.';
