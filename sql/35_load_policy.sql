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
--     {"severity": "S1", "metric": "response", "goal": "1h", "calendar": "support"},
--     {"severity": "S1", "metric": "resolution", "goal": null}    depends: no clock
--   ]
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
        FOR day IN
            SELECT e.ordinality - 1 AS i, e.value AS node, e.value #>> '{}' AS text,
                   count(*) OVER (PARTITION BY e.value ORDER BY e.ordinality) AS times
            FROM jsonb_array_elements(holidays) WITH ORDINALITY AS e(value, ordinality)
            ORDER BY e.ordinality
        LOOP
            wrong := CASE
                WHEN jsonb_typeof(day.node) <> 'string' OR day.text !~ '^\d{4}-\d{2}-\d{2}$'
                    THEN 'must be a date as in "2026-12-25"'
                WHEN day.times > 1 THEN day.text || ' is listed twice'
                ELSE sla.input_problem(day.text, 'date')
            END;
            IF wrong IS NOT NULL THEN
                RETURN QUERY SELECT format('%s.holidays[%s]', base, day.i), wrong;
                sound := false;
            END IF;
        END LOOP;
    END IF;

    IF jsonb_typeof(regions) <> 'array' THEN
        RETURN QUERY SELECT base || '.regions', 'must be an array of regions';
        sound := false;
    ELSE
        FOR region IN
            SELECT e.ordinality - 1 AS i, e.value AS node, e.value #>> '{}' AS text,
                   count(*) OVER (PARTITION BY e.value ORDER BY e.ordinality) AS times
            FROM jsonb_array_elements(regions) WITH ORDINALITY AS e(value, ordinality)
            ORDER BY e.ordinality
        LOOP
            wrong := CASE
                WHEN jsonb_typeof(region.node) <> 'string' OR NOT sla.is_region(region.text)
                    THEN 'must be a region as in "DE" or "DE-BY"'
                WHEN region.times > 1 THEN region.text || ' is listed twice'
            END;
            IF wrong IS NOT NULL THEN
                RETURN QUERY SELECT format('%s.regions[%s]', base, region.i), wrong;
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

CREATE FUNCTION sla.target_problems(base text, target jsonb, calendars jsonb)
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
    RETURN QUERY SELECT * FROM sla.member_problems(base, target, '{severity,metric,goal}', '{calendar}');

    -- statements, because a CASE folds constant casts before it chooses
    FOREACH member IN ARRAY '{severity,metric,goal,calendar}'::text[] LOOP
        CONTINUE WHEN NOT target ? member
            OR jsonb_typeof(target -> member) = 'null' AND member IN ('goal', 'calendar');
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
        ELSIF member = 'metric' THEN
            IF NOT EXISTS (SELECT FROM sla.metric m WHERE m.name = value) THEN
                wrong := format('metric "%s" does not exist; known are %s', value,
                                (SELECT string_agg(m.name, ', ' ORDER BY m.name) FROM sla.metric m));
            END IF;
        ELSIF NOT coalesce(calendars ? value, false) THEN
            wrong := format('calendar "%s" is not among the calendars of the document', value);
        END IF;
        IF wrong IS NOT NULL THEN
            RETURN QUERY SELECT sla.json_path(base, member), wrong;
        END IF;
    END LOOP;
    IF target ->> 'goal' IS NOT NULL AND target ->> 'calendar' IS NULL THEN
        RETURN QUERY SELECT base || '.calendar', 'is required with a goal';
    END IF;
END
$$;
COMMENT ON FUNCTION sla.target_problems(text, jsonb, jsonb) IS 'Internal: what is wrong with a target of a policy document.';

CREATE FUNCTION sla.policy_problems(document jsonb)
    RETURNS TABLE (path text, problem text)
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    calendars constant jsonb := document -> 'calendars';
    targets constant jsonb := document -> 'targets';
    name_rule constant text := 'must be a name of 1 to 63 bytes without "/", "@", control characters and blanks at the ends';
    item record;
BEGIN
    IF jsonb_typeof(document) IS DISTINCT FROM 'object' THEN
        RETURN QUERY SELECT '$', 'must be an object';
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM sla.member_problems('$', document, '{policy,time_zone,calendars,targets}', '{title,source,notes}');

    IF document ? 'policy' AND NOT (jsonb_typeof(document -> 'policy') = 'string' AND sla.is_policy_name(document ->> 'policy')) THEN
        RETURN QUERY SELECT '$.policy', name_rule;
    END IF;
    IF document ? 'title' AND NOT (jsonb_typeof(document -> 'title') = 'string' AND btrim(document ->> 'title') <> '') THEN
        RETURN QUERY SELECT '$.title', 'must be a string that is not blank';
    END IF;
    IF document ? 'source' AND NOT (jsonb_typeof(document -> 'source') = 'string' AND btrim(document ->> 'source') <> '') THEN
        RETURN QUERY SELECT '$.source', 'must be a string that is not blank';
    END IF;

    IF jsonb_typeof(document -> 'time_zone') <> 'string' THEN
        RETURN QUERY SELECT '$.time_zone', 'must be a string';
    ELSIF sla.zone_name(document ->> 'time_zone') IS NULL AND document ? 'time_zone' THEN
        RETURN QUERY SELECT '$.time_zone', format('time zone "%s" is not an IANA name known to this server', document ->> 'time_zone');
    END IF;

    IF jsonb_typeof(document -> 'notes') <> 'array' THEN
        RETURN QUERY SELECT '$.notes', 'must be an array of strings';
    ELSE
        RETURN QUERY
            SELECT format('$.notes[%s]', e.ordinality - 1), 'must be a string'
            FROM jsonb_array_elements(document -> 'notes') WITH ORDINALITY AS e(value, ordinality)
            WHERE jsonb_typeof(e.value) <> 'string'
            ORDER BY e.ordinality;
    END IF;

    IF jsonb_typeof(calendars) <> 'object' OR calendars = '{}' THEN
        RETURN QUERY SELECT '$.calendars', 'must be an object with at least one calendar';
    ELSE
        FOR item IN SELECT e.key, sla.json_path('$.calendars', e.key) AS at, e.value FROM jsonb_each(calendars) AS e LOOP
            IF NOT sla.is_policy_name(item.key) THEN
                RETURN QUERY SELECT item.at, 'a calendar ' || name_rule;
            END IF;
            RETURN QUERY SELECT * FROM sla.calendar_problems(item.at, item.value);
            IF NOT EXISTS (SELECT FROM jsonb_path_query(targets, '$[*].calendar') AS c WHERE c #>> '{}' = item.key) THEN
                RETURN QUERY SELECT item.at, 'is used by no target';
            END IF;
        END LOOP;
    END IF;

    IF jsonb_typeof(targets) <> 'array' OR targets = '[]' THEN
        RETURN QUERY SELECT '$.targets', 'must be an array with at least one target';
    ELSE
        FOR item IN
            SELECT format('$.targets[%s]', e.ordinality - 1) AS at, e.value
            FROM jsonb_array_elements(targets) WITH ORDINALITY AS e(value, ordinality)
            ORDER BY e.ordinality
        LOOP
            RETURN QUERY SELECT * FROM sla.target_problems(item.at, item.value, calendars);
        END LOOP;
        -- spellings differ, so compare severities as read
        RETURN QUERY
            SELECT format('$.targets[%s]', t.i), format('promises the same as $.targets[%s]', t.first)
            FROM (SELECT s.i, first_value(s.i) OVER (PARTITION BY s.severity::sla.severity, s.metric ORDER BY s.i) AS first
                  FROM (SELECT e.ordinality - 1 AS i, e.value ->> 'severity' AS severity, e.value ->> 'metric' AS metric
                        FROM jsonb_array_elements(targets) WITH ORDINALITY AS e(value, ordinality)
                        WHERE jsonb_typeof(e.value) = 'object' AND jsonb_typeof(e.value -> 'severity') = 'string'
                          AND e.value ->> 'metric' IS NOT NULL
                          AND sla.input_problem(e.value ->> 'severity', 'sla.severity') IS NULL
                        OFFSET 0) AS s) AS t
            WHERE t.i > t.first
            ORDER BY t.i;
    END IF;
END
$$;
COMMENT ON FUNCTION sla.policy_problems(jsonb) IS 'Everything that is wrong with a policy document, each with its JSON path; no rows when sla.load_policy would accept it. Changes nothing.';

-- Loading.
--
-- A version never changes what an earlier one promises: a calendar that says
-- the same as before is shared with the earlier versions, and one that says
-- something else gets a row of its own. To mend a calendar for tickets of
-- earlier versions too, update sla.calendar.

CREATE FUNCTION sla.load_policy(document jsonb, effective_from timestamptz DEFAULT NULL) RETURNS int
    LANGUAGE plpgsql VOLATILE
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    policy_name constant text := document ->> 'policy';
    starts timestamptz := load_policy.effective_from;
    version_id int;
    calendar_names jsonb := '{}';
    calendar_name text;
    wanted sla.business_hours;
    wanted_regions text[];
    place text;
    item record;
    problems record;
BEGIN
    SELECT count(*) AS n, string_agg(p.path || ': ' || p.problem, E'\n' ORDER BY p.ordinality) AS lines
    INTO problems
    FROM sla.policy_problems(document) WITH ORDINALITY AS p(path, problem, ordinality);
    IF problems.n > 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('policy document has %s %s', problems.n, CASE problems.n WHEN 1 THEN 'problem' ELSE 'problems' END),
            DETAIL = problems.lines,
            HINT = 'Nothing was loaded.';
    END IF;
    IF starts = 'infinity' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'a policy version cannot become effective at infinity';
    END IF;

    -- The policy's row serialises loads of the same policy.
    INSERT INTO sla.policy (name) VALUES (policy_name) ON CONFLICT (name) DO NOTHING;
    PERFORM FROM sla.policy WHERE name = policy_name FOR UPDATE;
    IF starts IS NULL THEN
        starts := CASE WHEN EXISTS (SELECT FROM sla.policy_version v WHERE v.policy = policy_name)
                       THEN now() ELSE '-infinity' END;
    END IF;
    IF EXISTS (SELECT FROM sla.policy_version v WHERE v.policy = policy_name AND v.effective_from = starts) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'unique_violation',
            MESSAGE = format('policy "%s" already has a version effective from %s', policy_name, starts),
            HINT = 'Give another effective_from. A version that tickets may have been received under is best left alone.';
    END IF;

    INSERT INTO sla.policy_version (policy, effective_from, time_zone, document)
        VALUES (policy_name, starts, sla.zone_name(document ->> 'time_zone'), document)
        RETURNING id INTO version_id;
    UPDATE sla.policy SET title = document ->> 'title', source = document ->> 'source'
        WHERE name = policy_name
          AND NOT EXISTS (SELECT FROM sla.policy_version v WHERE v.policy = policy_name AND v.effective_from > starts);

    FOR item IN SELECT e.key, e.value FROM jsonb_each(document -> 'calendars') AS e LOOP
        wanted := sla.calendar_hours(item.value);
        wanted_regions := sla.calendar_regions(item.value);
        -- of several rows that say the same, the one used last
        SELECT c.name INTO calendar_name
        FROM sla.calendar c
        WHERE c.policy = policy_name AND c.document_key = item.key
          AND c.hours OPERATOR(sla.=) wanted AND c.regions = wanted_regions
        ORDER BY (SELECT max(t.policy_version_id) FROM sla.target t WHERE t.calendar = c.name) DESC NULLS LAST, c.name
        LIMIT 1;
        IF NOT FOUND THEN
            calendar_name := policy_name || '/' || item.key;
            IF EXISTS (SELECT FROM sla.calendar c WHERE c.name = calendar_name) THEN
                calendar_name := calendar_name || '@' || version_id;
            END IF;
            INSERT INTO sla.calendar (name, hours, regions, policy, document_key)
                VALUES (calendar_name, wanted, wanted_regions, policy_name, item.key);
        END IF;
        FOREACH place IN ARRAY wanted_regions LOOP
            IF NOT EXISTS (SELECT FROM sla.holiday h WHERE h.region = ANY (sla.regions_around(ARRAY[place]))) THEN
                RAISE NOTICE 'calendar "%" names the region "%", which has no holidays yet', calendar_name, place;
            END IF;
        END LOOP;
        calendar_names := calendar_names || jsonb_build_object(item.key, calendar_name);
    END LOOP;

    INSERT INTO sla.target (policy_version_id, severity, metric, goal, calendar)
        SELECT version_id, (t ->> 'severity')::sla.severity, t ->> 'metric',
               (t ->> 'goal')::sla.business_interval, calendar_names ->> (t ->> 'calendar')
        FROM jsonb_array_elements(document -> 'targets') AS t;
    RETURN version_id;
END
$$;
COMMENT ON FUNCTION sla.load_policy(jsonb, timestamptz) IS 'Loads a policy document as a new version of its policy and returns sla.policy_version.id. All or nothing: every problem is reported with its JSON path. effective_from NULL: for a first version -infinity, else now(). Calendars that earlier versions refer to are never changed. For the owner of the policy tables.';
REVOKE EXECUTE ON FUNCTION sla.load_policy(jsonb, timestamptz) FROM PUBLIC;

-- Giving back.

CREATE FUNCTION sla.canonical_target(severity sla.severity, metric text, goal sla.business_interval, calendar text) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT jsonb_build_object('severity', severity::text, 'metric', metric, 'goal', goal::text)
        || CASE WHEN calendar IS NULL THEN '{}' ELSE jsonb_build_object('calendar', calendar) END
$$;
COMMENT ON FUNCTION sla.canonical_target(sla.severity, text, sla.business_interval, text) IS 'Internal: a target as it stands in a canonical policy document.';

CREATE FUNCTION sla.canonical_calendar(hours sla.business_hours, regions text[]) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT jsonb_build_object('hours', hours::text)
        || CASE WHEN regions = '{}' THEN '{}' ELSE jsonb_build_object('regions', regions) END
$$;
COMMENT ON FUNCTION sla.canonical_calendar(sla.business_hours, text[]) IS 'Internal: a calendar as it stands in a canonical policy document.';

CREATE FUNCTION sla.canonical_policy(document jsonb) RETURNS jsonb
    LANGUAGE sql STABLE STRICT
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
               'policy', document -> 'policy', 'title', document -> 'title', 'source', document -> 'source',
               'time_zone', sla.zone_name(document ->> 'time_zone'), 'notes', document -> 'notes'))
        || jsonb_build_object(
               'calendars', (SELECT jsonb_object_agg(c.key, sla.canonical_calendar(sla.calendar_hours(c.value), sla.calendar_regions(c.value)))
                             FROM jsonb_each(document -> 'calendars') AS c),
               'targets', (SELECT jsonb_agg(sla.canonical_target(t.severity, t.metric, t.goal, t.calendar)
                                            ORDER BY t.severity USING OPERATOR(sla.<), t.metric)
                           FROM (SELECT (e ->> 'severity')::sla.severity AS severity, e ->> 'metric' AS metric,
                                        (e ->> 'goal')::sla.business_interval AS goal, e ->> 'calendar' AS calendar
                                 FROM jsonb_array_elements(document -> 'targets') AS e) AS t))
$$;
COMMENT ON FUNCTION sla.canonical_policy(jsonb) IS 'Internal: a sound policy document in one spelling, so that documents that say the same are equal.';

CREATE FUNCTION sla.policy_document_from_tables(policy_version_id int) RETURNS jsonb
    LANGUAGE sql STABLE STRICT
    SET search_path TO pg_catalog, pg_temp
    AS $$
    WITH used AS (
        SELECT c.name, sla.canonical_calendar(c.hours, c.regions) AS calendar, coalesce(c.document_key, c.name) AS key
        FROM sla.calendar c
        WHERE c.name IN (SELECT t.calendar FROM sla.target t WHERE t.policy_version_id = $1)
    ), named AS (
        -- names from elsewhere may clash or be no names here
        SELECT u.name, u.calendar,
               CASE WHEN (SELECT count(DISTINCT k.key) = count(*) AND bool_and(sla.is_policy_name(k.key)) FROM used k)
                    THEN u.key ELSE 'hours ' || dense_rank() OVER (ORDER BY u.calendar) END AS key
        FROM used u
    )
    SELECT jsonb_strip_nulls(jsonb_build_object(
               'policy', p.name, 'title', p.title, 'source', p.source,
               'time_zone', v.time_zone, 'notes', v.document -> 'notes'))
        || jsonb_build_object(
               'calendars', coalesce((SELECT jsonb_object_agg(n.key, n.calendar) FROM named n), '{}'),
               'targets', coalesce((SELECT jsonb_agg(sla.canonical_target(t.severity, t.metric, t.goal, n.key)
                                                     ORDER BY t.severity USING OPERATOR(sla.<), t.metric)
                                    FROM sla.target t LEFT JOIN named n ON n.name = t.calendar
                                    WHERE t.policy_version_id = v.id), '[]'))
    FROM sla.policy_version v JOIN sla.policy p ON p.name = v.policy
    WHERE v.id = $1
$$;
COMMENT ON FUNCTION sla.policy_document_from_tables(int) IS 'Internal: a canonical document of what the tables say about a policy version.';

CREATE FUNCTION sla.policy_document(name text, at timestamptz DEFAULT 'infinity') RETURNS jsonb
    LANGUAGE plpgsql STABLE STRICT
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    version sla.policy_version;
    written jsonb;
BEGIN
    SELECT v.* INTO version
    FROM sla.policy_version v
    WHERE v.policy = policy_document.name AND v.effective_from <= policy_document.at
    ORDER BY v.effective_from DESC
    LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'undefined_object',
            MESSAGE = CASE WHEN EXISTS (SELECT FROM sla.policy_version v WHERE v.policy = policy_document.name)
                           THEN format('policy "%s" had no version in force yet at %s', policy_document.name, policy_document.at)
                           ELSE format('policy "%s" does not exist or has no version', policy_document.name) END;
    END IF;
    written := sla.policy_document_from_tables(version.id);
    IF version.document IS NOT NULL
       AND NOT EXISTS (SELECT FROM sla.policy_problems(version.document))
       AND sla.canonical_policy(version.document) = written
    THEN
        RETURN version.document;
    END IF;
    RETURN written;
END
$$;
COMMENT ON FUNCTION sla.policy_document(text, timestamptz) IS 'The document of a policy''s version in force at an instant, by default the last version: as it was loaded while the tables say the same, else written anew from the tables. sla.load_policy takes it back.';
