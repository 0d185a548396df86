-- Loading.
--
-- A version never changes what an earlier one promises: a calendar that says
-- the same as before is shared with the earlier versions, and one that says
-- something else gets a row of its own. To mend a calendar for tickets of
-- earlier versions too, update sla.calendar.

CREATE FUNCTION sla.target_alerts(target jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT CASE WHEN target ? 'alerts' THEN sla.canonical_alerts(ARRAY(SELECT jsonb_array_elements_text(target -> 'alerts')))
                ELSE '{1}' END
$$;
COMMENT ON FUNCTION sla.target_alerts(jsonb) IS 'Internal: the alerts of a target of a policy document.';

CREATE FUNCTION sla.load_policy(document jsonb, effective_from timestamptz DEFAULT NULL) RETURNS int
    LANGUAGE plpgsql VOLATILE
    SET search_path TO pg_catalog, pg_temp
    -- a script that pg_dump wrote may call this, but none of it is a restore
    SET check_function_bodies TO on
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

    INSERT INTO sla.policy_version (policy, effective_from, time_zone, severity_change, reopening, entitlement, restricted_accounts, document)
        VALUES (policy_name, starts, sla.zone_name(document ->> 'time_zone'),
                coalesce(document ->> 'severity_change', 'from_start'), coalesce(document ->> 'reopening', 'continue'),
                coalesce(document ->> 'entitlement', 'anyone'), coalesce(document ->> 'restricted_accounts', 'admit'), document)
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

    -- created here, or by somebody else since the document was checked
    INSERT INTO sla.metric (name, title, starts_on, stops_on, restarts_on)
        SELECT e.key, e.value ->> 'title',
               sla.canonical_kinds(ARRAY(SELECT jsonb_array_elements_text(e.value -> 'starts_on'))),
               sla.canonical_kinds(ARRAY(SELECT jsonb_array_elements_text(e.value -> 'stops_on'))),
               sla.canonical_kinds(ARRAY(SELECT jsonb_array_elements_text(e.value -> 'restarts_on')))
        FROM jsonb_each(document -> 'metrics') AS e
        WHERE NOT EXISTS (SELECT FROM sla.metric m WHERE m.name = e.key)
        ON CONFLICT (name) DO NOTHING;
    FOR item IN
        SELECT m.name FROM jsonb_each(document -> 'metrics') AS e JOIN sla.metric m ON m.name = e.key
        WHERE sla.canonical_metric(e.value) <> sla.canonical_metric(m.title, m.starts_on, m.stops_on, m.restarts_on)
    LOOP
        RAISE EXCEPTION USING
            ERRCODE = 'serialization_failure',
            MESSAGE = format('metric "%s" was created or changed by another transaction', item.name),
            HINT = 'Load the document again to see what it says.';
    END LOOP;
    INSERT INTO sla.target (policy_version_id, severity, metric, goal, calendar, alerts, pausable)
        SELECT version_id, (t ->> 'severity')::sla.severity, t ->> 'metric',
               (t ->> 'goal')::sla.business_interval, calendar_names ->> (t ->> 'calendar'),
               sla.target_alerts(t), coalesce((t ->> 'pausable')::boolean, true)
        FROM jsonb_array_elements(document -> 'targets') AS t;
    INSERT INTO sla.severity_label (policy_version_id, severity, label, description)
        SELECT version_id, e.key::sla.severity, e.value ->> 'label', e.value ->> 'description'
        FROM jsonb_each(document -> 'severities') AS e;
    INSERT INTO sla.severity_cap (policy_version_id, product, severity)
        SELECT version_id, e.key, e.value::sla.severity FROM jsonb_each_text(document -> 'severity_caps') AS e;
    INSERT INTO sla.channel_rule (policy_version_id, channel, counts_from)
        SELECT version_id, e.key, e.value FROM jsonb_each_text(document -> 'channels') AS e;
    INSERT INTO sla.exemption (policy_version_id, reason, title)
        SELECT version_id, e.key, e.value FROM jsonb_each_text(document -> 'exemptions') AS e;
    INSERT INTO sla.notice_rule (policy_version_id, kind, title, lead, slot_lead, calendar, inside, outside, required)
        SELECT version_id, e.key, e.value ->> 'title', e.value ->> 'lead', e.value ->> 'slot_lead', calendar_names ->> (e.value ->> 'calendar'),
               calendar_names ->> (e.value ->> 'inside'), calendar_names ->> (e.value ->> 'outside'),
               ARRAY(SELECT jsonb_array_elements_text(e.value -> 'required'))
        FROM jsonb_each(document -> 'requests') AS e;
    INSERT INTO sla.turnaround_rule (policy_version_id, kind, title, at_least, calendar, billable)
        SELECT version_id, e.key, e.value ->> 'title', e.value ->> 'at_least', calendar_names ->> (e.value ->> 'calendar'),
               coalesce((e.value ->> 'billable')::boolean, false)
        FROM jsonb_each(document -> 'questionnaires') AS e;
    INSERT INTO sla.assistance_rule (policy_version_id, bucket, outside)
        SELECT version_id, sla.lead_interval(a ->> 'bucket'), calendar_names ->> (a ->> 'outside')
        FROM (SELECT document -> 'assistance') AS d(a)
        WHERE a IS NOT NULL;
    PERFORM sla.load_restriction(version_id, document -> 'restriction', calendar_names);
    INSERT INTO sla.availability_rule (policy_version_id, service, package, goal, time_zone, calendar, unknown, young,
                                       exclusions, maintenance_notice, maintenance_window, credits)
        SELECT version_id, coalesce(r ->> 'service', '*'), coalesce(r ->> 'package', '*'), (r ->> 'goal')::numeric,
               r ->> 'time_zone', calendar_names ->> (r ->> 'calendar'),
               coalesce(r ->> 'unknown', 'ignore'), coalesce(r ->> 'young', 'period'),
               ARRAY(SELECT jsonb_array_elements_text(r -> 'exclusions')),
               (r ->> 'maintenance_notice')::interval, calendar_names ->> (r ->> 'maintenance_window'),
               coalesce(r -> 'credits', '[]')
        FROM jsonb_array_elements(document -> 'availability') AS r;
    RETURN version_id;
END
$$;
COMMENT ON FUNCTION sla.load_policy(jsonb, timestamptz) IS 'Loads a policy document as a new version of its policy and returns sla.policy_version.id. All or nothing: every problem is reported with its JSON path. effective_from NULL: for a first version -infinity, else now(). Calendars that earlier versions refer to are never changed. For the owner of the policy tables.';
REVOKE EXECUTE ON FUNCTION sla.load_policy(jsonb, timestamptz) FROM PUBLIC;
