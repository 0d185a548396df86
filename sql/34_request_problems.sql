-- What a policy document says about what is planned: what is wrong with it,
-- and the same in one spelling, from a document or from the tables.
--
--   "requests": {
--     "load_test": {
--       "title": "Load test",                     optional, as everything here
--       "lead": "2 weeks",                        or "36 hours", "10 business days"
--       "slot_lead": "20 days",                   when the time slot is agreed on
--       "calendar": "office",                     of business days
--       "outside": "office",                      or "inside"
--       "required": ["contact_email", "targets"]
--     }
--   },
--   "questionnaires": {"open": {"title": "...", "at_least": "4 weeks", "calendar": "office", "billable": true}},
--   "assistance": {"bucket": "2 hours", "outside": "office"}

CREATE FUNCTION sla.lead_problem(lead jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
BEGIN
    IF jsonb_typeof(lead) = 'string' AND sla.is_lead(lead #>> '{}') THEN
        RETURN NULL;
    END IF;
    RETURN 'must be more than nothing and at most a hundred years, as in "2 weeks", "36 hours" or "10 business days"';
EXCEPTION WHEN data_exception THEN
    RETURN format('"%s" is neither weeks, days and hours, as in "2 weeks" or "36 hours", nor business days, as in "10 business days"', lead #>> '{}');
END
$$;
COMMENT ON FUNCTION sla.lead_problem(jsonb) IS 'Internal: what is wrong with a lead of a policy document; NULL when nothing is.';

CREATE FUNCTION sla.requests_use_calendar(document jsonb, calendar text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT EXISTS (SELECT FROM unnest(ARRAY['$.requests.*.calendar', '$.requests.*.inside', '$.requests.*.outside',
                                            '$.questionnaires.*.calendar', '$.assistance.outside']::jsonpath[]) AS p(path),
                               jsonb_path_query(document, p.path) AS c(name)
                   WHERE c.name = to_jsonb(calendar))
$$;
COMMENT ON FUNCTION sla.requests_use_calendar(jsonb, text) IS 'Internal: does a policy document name a calendar where it is about what is planned?';

CREATE FUNCTION sla.planned_problems(base text, rule jsonb, calendars jsonb, required text[], optional text[])
    RETURNS TABLE (path text, problem text)
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    member text;
    wrong text;
    item record;
BEGIN
    IF jsonb_typeof(rule) <> 'object' THEN
        RETURN QUERY SELECT base, 'must be an object';
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM sla.member_problems(base, rule, required, optional);
    RETURN QUERY SELECT * FROM sla.blank_problems(base, rule, '{title}');
    FOREACH member IN ARRAY '{lead,slot_lead,at_least}'::text[] LOOP
        wrong := sla.lead_problem(rule -> member);
        IF wrong IS NOT NULL THEN
            RETURN QUERY SELECT sla.json_path(base, member), wrong;
        ELSIF sla.lead_interval(rule ->> member) IS NULL AND rule ? member AND NOT rule ? 'calendar' THEN
            RETURN QUERY SELECT base || '.calendar', format('must be the calendar of the business days of %s', member);
        END IF;
    END LOOP;
    RETURN QUERY SELECT * FROM sla.calendar_name_problems(base, rule, '{calendar,inside,outside}', calendars);
    IF rule ?& '{inside,outside}' THEN
        RETURN QUERY SELECT base || '.outside', 'contradicts inside: name one of them';
    END IF;
    IF rule ? 'calendar' AND sla.lead_problem(rule -> 'lead') IS NULL AND sla.lead_problem(rule -> 'slot_lead') IS NULL
       AND sla.lead_problem(rule -> 'at_least') IS NULL
       AND concat_ws(' ', sla.canonical_lead(rule ->> 'lead'), sla.canonical_lead(rule ->> 'slot_lead'), sla.canonical_lead(rule ->> 'at_least')) !~ 'bd'
    THEN
        RETURN QUERY SELECT base || '.calendar', 'is of no use: no lead has business days';
    END IF;
    IF rule ? 'billable' AND jsonb_typeof(rule -> 'billable') <> 'boolean' THEN
        RETURN QUERY SELECT base || '.billable', 'must be true or false';
    END IF;
    IF jsonb_typeof(rule -> 'required') <> 'array' THEN
        RETURN QUERY SELECT base || '.required', 'must be an array of fields';
    ELSIF rule ? 'required' THEN
        FOR item IN SELECT * FROM sla.document_items(base || '.required', rule -> 'required') LOOP
            IF jsonb_typeof(item.node) <> 'string' OR NOT sla.is_rule_key(item.text) THEN
                RETURN QUERY SELECT item.at, 'must be the name of a field: 1 to 255 bytes without control characters and blanks at the ends';
            ELSIF item.times > 1 THEN
                RETURN QUERY SELECT item.at, item.text || ' is listed twice';
            END IF;
        END LOOP;
    END IF;
END
$$;
COMMENT ON FUNCTION sla.planned_problems(text, jsonb, jsonb, text[], text[]) IS 'Internal: what is wrong with a kind of request or questionnaire of a policy document.';

CREATE FUNCTION sla.request_rule_problems(document jsonb)
    RETURNS TABLE (path text, problem text)
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    calendars constant jsonb := document -> 'calendars';
    assistance constant jsonb := document -> 'assistance';
    section record;
    item record;
BEGIN
    FOR section IN
        SELECT * FROM (VALUES
            ('requests', 'a kind of request', '{}'::text[], '{title,lead,slot_lead,calendar,inside,outside,required}'::text[]),
            ('questionnaires', 'a kind of questionnaire', '{at_least}', '{title,calendar,billable}')) AS s(member, what, required, optional)
        WHERE document ? s.member
    LOOP
        IF jsonb_typeof(document -> section.member) <> 'object' THEN
            RETURN QUERY SELECT '$.' || section.member, 'must be an object of kinds';
            CONTINUE;
        END IF;
        FOR item IN SELECT e.key, sla.json_path('$.' || section.member, e.key) AS at, e.value FROM jsonb_each(document -> section.member) AS e LOOP
            IF NOT sla.is_rule_key(item.key) THEN
                RETURN QUERY SELECT item.at, section.what || ' must have a name of 1 to 255 bytes without control characters and blanks at the ends';
            END IF;
            RETURN QUERY SELECT * FROM sla.planned_problems(item.at, item.value, calendars, section.required, section.optional);
        END LOOP;
    END LOOP;

    IF jsonb_typeof(assistance) <> 'object' THEN
        RETURN QUERY SELECT '$.assistance', 'must be an object';
    ELSIF assistance IS NOT NULL THEN
        RETURN QUERY SELECT * FROM sla.planned_problems('$.assistance', assistance, calendars, '{bucket}', '{outside}');
        IF assistance ? 'bucket'
           AND (jsonb_typeof(assistance -> 'bucket') <> 'string' OR coalesce(sla.lead_interval(assistance ->> 'bucket') > '0'
                AND extract(day FROM sla.lead_interval(assistance ->> 'bucket')) = 0, false) IS FALSE)
        THEN
            RETURN QUERY SELECT '$.assistance.bucket', 'must be elapsed time, more than nothing, as in "2 hours"';
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION sla.request_rule_problems(jsonb) IS 'Internal: what is wrong with what a policy document says about requests, questionnaires and assistance.';

-- In one spelling

CREATE FUNCTION sla.canonical_notice(title text, lead text, slot_lead text, calendar text, inside text, outside text, required text[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('title', title, 'lead', lead, 'slot_lead', slot_lead, 'calendar', calendar,
                                                'inside', inside, 'outside', outside))
        || CASE WHEN required = '{}' THEN '{}' ELSE jsonb_build_object('required', required) END
$$;
COMMENT ON FUNCTION sla.canonical_notice(text, text, text, text, text, text, text[]) IS 'Internal: a kind of request as it stands in a canonical policy document.';

CREATE FUNCTION sla.canonical_turnaround(title text, at_least text, calendar text, billable boolean) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('title', title, 'at_least', at_least, 'calendar', calendar))
        || CASE WHEN billable THEN '{"billable": true}' ELSE '{}' END::jsonb
$$;
COMMENT ON FUNCTION sla.canonical_turnaround(text, text, text, boolean) IS 'Internal: a kind of questionnaire as it stands in a canonical policy document.';

CREATE FUNCTION sla.canonical_assistance(bucket interval, outside text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'bucket', sla.canonical_lead(trim_scale(extract(epoch FROM bucket) / 60) || 'min'),
        'outside', outside))
$$;
COMMENT ON FUNCTION sla.canonical_assistance(interval, text) IS 'Internal: how assistance is charged, as it stands in a canonical policy document.';

CREATE FUNCTION sla.canonical_requests(document jsonb) RETURNS jsonb
    LANGUAGE sql STABLE STRICT
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'requests',
        (SELECT jsonb_object_agg(e.key, sla.canonical_notice(e.value ->> 'title', sla.canonical_lead(e.value ->> 'lead'),
                    sla.canonical_lead(e.value ->> 'slot_lead'), e.value ->> 'calendar', e.value ->> 'inside', e.value ->> 'outside',
                    ARRAY(SELECT jsonb_array_elements_text(e.value -> 'required'))))
         FROM jsonb_each(document -> 'requests') AS e),
        'questionnaires',
        (SELECT jsonb_object_agg(e.key, sla.canonical_turnaround(e.value ->> 'title', sla.canonical_lead(e.value ->> 'at_least'),
                    e.value ->> 'calendar', coalesce((e.value ->> 'billable')::boolean, false)))
         FROM jsonb_each(document -> 'questionnaires') AS e),
        'assistance',
        (SELECT sla.canonical_assistance(sla.lead_interval(a ->> 'bucket'), a ->> 'outside')
         FROM (SELECT document -> 'assistance') AS d(a) WHERE a IS NOT NULL)))
$$;
COMMENT ON FUNCTION sla.canonical_requests(jsonb) IS 'Internal: what a sound policy document says about requests, questionnaires and assistance, in one spelling.';

CREATE FUNCTION sla.request_rule_calendars(policy_version_id int) RETURNS SETOF text
    LANGUAGE sql STABLE STRICT
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT c FROM sla.notice_rule n, unnest(ARRAY[n.calendar, n.inside, n.outside]) AS c WHERE n.policy_version_id = $1 AND c IS NOT NULL
    UNION SELECT t.calendar FROM sla.turnaround_rule t WHERE t.policy_version_id = $1 AND t.calendar IS NOT NULL
    UNION SELECT a.outside FROM sla.assistance_rule a WHERE a.policy_version_id = $1 AND a.outside IS NOT NULL
$$;
COMMENT ON FUNCTION sla.request_rule_calendars(int) IS 'Internal: the calendars that a policy version names where it is about what is planned, each once.';

CREATE FUNCTION sla.requests_from_tables(policy_version_id int, calendar_keys jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'requests',
        (SELECT jsonb_object_agg(n.kind, sla.canonical_notice(n.title, n.lead, n.slot_lead, calendar_keys ->> n.calendar,
                    calendar_keys ->> n.inside, calendar_keys ->> n.outside, n.required))
         FROM sla.notice_rule n WHERE n.policy_version_id = $1),
        'questionnaires',
        (SELECT jsonb_object_agg(t.kind, sla.canonical_turnaround(t.title, t.at_least, calendar_keys ->> t.calendar, t.billable))
         FROM sla.turnaround_rule t WHERE t.policy_version_id = $1),
        'assistance',
        (SELECT sla.canonical_assistance(a.bucket, calendar_keys ->> a.outside)
         FROM sla.assistance_rule a WHERE a.policy_version_id = $1)))
$$;
COMMENT ON FUNCTION sla.requests_from_tables(int, jsonb) IS 'Internal: the same of what the tables say about a policy version; calendar_keys are the names of calendars in the document.';
