-- What is wrong with a policy document besides its calendars and targets, and
-- with the whole of it.

CREATE FUNCTION sla.canonical_kinds(kinds text[]) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$ SELECT ARRAY(SELECT k FROM unnest(sla.metric_event_kinds()) WITH ORDINALITY AS k(k, i) WHERE k = ANY (kinds) ORDER BY i) $$;
COMMENT ON FUNCTION sla.canonical_kinds(text[]) IS 'Internal: kinds of events in the order of sla.metric_event_kinds, each once.';

CREATE FUNCTION sla.canonical_metric(title text, starts_on text[], stops_on text[], restarts_on text[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT jsonb_build_object('title', title, 'starts_on', sla.canonical_kinds(starts_on), 'stops_on', sla.canonical_kinds(stops_on))
        || CASE WHEN restarts_on = '{}' THEN '{}' ELSE jsonb_build_object('restarts_on', sla.canonical_kinds(restarts_on)) END
$$;
COMMENT ON FUNCTION sla.canonical_metric(text, text[], text[], text[]) IS 'Internal: a metric as it stands in a canonical policy document.';

CREATE FUNCTION sla.canonical_metric(metric jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT sla.canonical_metric(metric ->> 'title',
               ARRAY(SELECT jsonb_array_elements_text(metric -> 'starts_on')),
               ARRAY(SELECT jsonb_array_elements_text(metric -> 'stops_on')),
               ARRAY(SELECT jsonb_array_elements_text(metric -> 'restarts_on')))
$$;
COMMENT ON FUNCTION sla.canonical_metric(jsonb) IS 'Internal: a sound metric of a policy document in one spelling.';

CREATE FUNCTION sla.metric_problems(metrics jsonb, targets jsonb)
    RETURNS TABLE (path text, problem text)
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    item record;
    kind record;
    member text;
    wrong text;
    sound boolean;
    known jsonb;
BEGIN
    IF metrics IS NULL THEN
        RETURN;
    ELSIF jsonb_typeof(metrics) <> 'object' THEN
        RETURN QUERY SELECT '$.metrics', 'must be an object of metrics';
        RETURN;
    END IF;
    FOR item IN SELECT e.key, sla.json_path('$.metrics', e.key) AS at, e.value FROM jsonb_each(metrics) AS e LOOP
        IF NOT sla.is_policy_name(item.key) THEN
            RETURN QUERY SELECT item.at, 'a metric must have a name of 1 to 63 bytes without "/", "@", control characters and blanks at the ends';
        END IF;
        IF NOT EXISTS (SELECT FROM jsonb_path_query(targets, '$[*].metric') AS m WHERE m #>> '{}' = item.key) THEN
            RETURN QUERY SELECT item.at, 'is used by no target';
        END IF;
        IF jsonb_typeof(item.value) <> 'object' THEN
            RETURN QUERY SELECT item.at, 'must be an object';
            CONTINUE;
        END IF;
        RETURN QUERY SELECT * FROM sla.member_problems(item.at, item.value, '{title,starts_on,stops_on}', '{restarts_on}');
        sound := item.value ?& '{title,starts_on,stops_on}'::text[];
        RETURN QUERY SELECT * FROM sla.blank_problems(item.at, item.value, '{title}');
        sound := sound AND NOT FOUND;

        FOREACH member IN ARRAY '{starts_on,stops_on,restarts_on}'::text[] LOOP
            IF jsonb_typeof(item.value -> member) <> 'array' OR item.value -> member = '[]' AND member <> 'restarts_on' THEN
                RETURN QUERY SELECT sla.json_path(item.at, member),
                    'must be an array of kinds of events' || CASE member WHEN 'restarts_on' THEN '' ELSE ', with at least one' END;
                sound := false;
                CONTINUE;
            END IF;
            FOR kind IN SELECT * FROM sla.document_items(sla.json_path(item.at, member), item.value -> member) LOOP
                wrong := CASE
                    WHEN jsonb_typeof(kind.node) <> 'string' OR kind.text <> ALL (sla.metric_event_kinds())
                        THEN 'must be a kind of event; known are ' || array_to_string(sla.metric_event_kinds(), ', ')
                    WHEN kind.times > 1 THEN kind.text || ' is listed twice'
                    WHEN member = 'stops_on' AND (item.value -> 'starts_on' @> kind.node OR item.value -> 'restarts_on' @> kind.node)
                        THEN kind.text || ' cannot both stop and start a clock'
                END;
                IF wrong IS NOT NULL THEN
                    RETURN QUERY SELECT kind.at, wrong;
                    sound := false;
                END IF;
            END LOOP;
        END LOOP;

        SELECT sla.canonical_metric(m.title, m.starts_on, m.stops_on, m.restarts_on) INTO known
        FROM sla.metric m WHERE m.name = item.key;
        IF FOUND AND sound AND known <> sla.canonical_metric(item.value) THEN
            RETURN QUERY SELECT item.at, format('exists and says something else: %s', known);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION sla.metric_problems(jsonb, jsonb) IS 'Internal: what is wrong with the metrics that a policy document defines.';

CREATE FUNCTION sla.severities_problems(document jsonb)
    RETURNS TABLE (path text, problem text)
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    severities constant jsonb := document -> 'severities';
    caps constant jsonb := document -> 'severity_caps';
    item record;
    wrong text;
    named jsonb := '{}';        -- severity to the path that named it
    promised text[];
BEGIN
    IF jsonb_typeof(severities) <> 'object' THEN
        RETURN QUERY SELECT '$.severities', 'must be an object of severities';
    ELSIF severities IS NOT NULL THEN
        FOR item IN SELECT e.key, sla.json_path('$.severities', e.key) AS at, e.value FROM jsonb_each(severities) AS e LOOP
            wrong := sla.input_problem(item.key, 'sla.severity');
            IF wrong IS NULL THEN
                wrong := 'is the same severity as ' || (named ->> item.key::sla.severity::text);
                named := jsonb_build_object(item.key::sla.severity::text, item.at) || named;
            END IF;
            IF wrong IS NOT NULL THEN
                RETURN QUERY SELECT item.at, wrong;
            END IF;
            IF jsonb_typeof(item.value) <> 'object' THEN
                RETURN QUERY SELECT item.at, 'must be an object with a label';
                CONTINUE;
            END IF;
            RETURN QUERY SELECT * FROM sla.member_problems(item.at, item.value, '{label}', '{description}');
            RETURN QUERY SELECT * FROM sla.blank_problems(item.at, item.value, '{label,description}');
        END LOOP;
    END IF;

    IF jsonb_typeof(caps) <> 'object' THEN
        RETURN QUERY SELECT '$.severity_caps', 'must be an object of products, each with a severity';
    ELSIF caps IS NOT NULL THEN
        promised := ARRAY(SELECT s.value::sla.severity::text
                          FROM (SELECT t #>> '{}' AS value FROM jsonb_path_query(document -> 'targets', '$[*].severity ? (@.type() == "string")') AS t
                                OFFSET 0) AS s
                          WHERE sla.input_problem(s.value, 'sla.severity') IS NULL)
            || ARRAY(SELECT jsonb_object_keys(named));
        FOR item IN SELECT e.key, sla.json_path('$.severity_caps', e.key) AS at, e.value, e.value #>> '{}' AS text FROM jsonb_each(caps) AS e LOOP
            IF NOT sla.is_rule_key(item.key) THEN
                RETURN QUERY SELECT item.at, 'a product must have a name of 1 to 255 bytes without control characters and blanks at the ends';
            END IF;
            wrong := NULL;
            IF jsonb_typeof(item.value) <> 'string' THEN
                wrong := 'must be a string';
            ELSE
                wrong := sla.input_problem(item.text, 'sla.severity');
                IF wrong IS NOT NULL THEN
                    NULL;
                ELSIF item.text::sla.severity OPERATOR(sla.=) 'S1' AND (item.key = '*' OR NOT caps ? '*') THEN
                    wrong := 'caps nothing: no severity is above S1';
                ELSIF item.text::sla.severity::text <> ALL (promised || '{S1}') THEN
                    wrong := format('severity %s has neither a target nor a label in the document', item.text::sla.severity);
                END IF;
            END IF;
            IF wrong IS NOT NULL THEN
                RETURN QUERY SELECT item.at, wrong;
            END IF;
        END LOOP;
    END IF;
END
$$;
COMMENT ON FUNCTION sla.severities_problems(jsonb) IS 'Internal: what is wrong with the names and caps of severities in a policy document.';

CREATE FUNCTION sla.rule_problems(document jsonb)
    RETURNS TABLE (path text, problem text)
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    channels constant jsonb := document -> 'channels';
    exemptions constant jsonb := document -> 'exemptions';
    key_rule constant text := 'must have a name of 1 to 255 bytes without control characters and blanks at the ends';
    item record;
BEGIN
    IF jsonb_typeof(channels) <> 'object' THEN
        RETURN QUERY SELECT '$.channels', 'must be an object of channels';
    ELSIF channels IS NOT NULL THEN
        FOR item IN SELECT e.key, sla.json_path('$.channels', e.key) AS at, e.value FROM jsonb_each(channels) AS e LOOP
            IF NOT sla.is_rule_key(item.key) THEN
                RETURN QUERY SELECT item.at, 'a channel ' || key_rule;
            END IF;
            RETURN QUERY SELECT * FROM sla.choice_problems('$.channels', channels, item.key, '{receipt,investigation,never}');
        END LOOP;
    END IF;

    IF jsonb_typeof(exemptions) <> 'object' THEN
        RETURN QUERY SELECT '$.exemptions', 'must be an object of reasons, each with a title';
    ELSIF exemptions IS NOT NULL THEN
        FOR item IN SELECT e.key, sla.json_path('$.exemptions', e.key) AS at, e.value FROM jsonb_each(exemptions) AS e LOOP
            IF NOT sla.is_rule_key(item.key) THEN
                RETURN QUERY SELECT item.at, 'a reason ' || key_rule;
            ELSIF item.key ~ '^(error|uncovered):' THEN
                RETURN QUERY SELECT item.at, 'a reason must not begin with "error:" or "uncovered:", which mean that no promise could be made';
            END IF;
            IF NOT (jsonb_typeof(item.value) = 'null' OR jsonb_typeof(item.value) = 'string' AND btrim(item.value #>> '{}') <> '') THEN
                RETURN QUERY SELECT item.at, 'must be a string that is not blank, or null: no title';
            END IF;
        END LOOP;
    END IF;

    RETURN QUERY SELECT * FROM sla.choice_problems('$', document, 'severity_change', '{from_start,from_change,carry}');
    RETURN QUERY SELECT * FROM sla.choice_problems('$', document, 'reopening', '{continue,restart}');
    RETURN QUERY SELECT * FROM sla.choice_problems('$', document, 'entitlement', '{anyone,contract}');
    RETURN QUERY SELECT * FROM sla.choice_problems('$', document, 'restricted_accounts', '{admit,uncovered,reject}');
END
$$;
COMMENT ON FUNCTION sla.rule_problems(jsonb) IS 'Internal: what is wrong with the rules of a policy document besides its targets.';

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
    RETURN QUERY SELECT * FROM sla.member_problems('$', document, '{policy,time_zone,calendars,targets}',
        '{title,source,notes,metrics,severities,severity_caps,channels,exemptions,severity_change,reopening,entitlement,restricted_accounts,restriction,requests,questionnaires,assistance,availability}');

    IF document ? 'policy' AND NOT (jsonb_typeof(document -> 'policy') = 'string' AND sla.is_policy_name(document ->> 'policy')) THEN
        RETURN QUERY SELECT '$.policy', name_rule;
    END IF;
    RETURN QUERY SELECT * FROM sla.blank_problems('$', document, '{title,source}');
    RETURN QUERY SELECT * FROM sla.zone_problems('$', document);

    IF jsonb_typeof(document -> 'notes') <> 'array' THEN
        RETURN QUERY SELECT '$.notes', 'must be an array of strings';
    ELSE
        RETURN QUERY
            SELECT i.at, 'must be a string' FROM sla.document_items('$.notes', document -> 'notes') AS i
            WHERE jsonb_typeof(i.node) <> 'string';
    END IF;

    IF jsonb_typeof(calendars) <> 'object' OR calendars = '{}' THEN
        RETURN QUERY SELECT '$.calendars', 'must be an object with at least one calendar';
    ELSE
        FOR item IN SELECT e.key, sla.json_path('$.calendars', e.key) AS at, e.value FROM jsonb_each(calendars) AS e LOOP
            IF NOT sla.is_policy_name(item.key) THEN
                RETURN QUERY SELECT item.at, 'a calendar ' || name_rule;
            END IF;
            RETURN QUERY SELECT * FROM sla.calendar_problems(item.at, item.value);
            IF NOT EXISTS (SELECT FROM jsonb_path_query(targets, '$[*].calendar') AS c WHERE c #>> '{}' = item.key)
               AND NOT sla.requests_use_calendar(document, item.key)
               AND document -> 'restriction' -> 'calendar' IS DISTINCT FROM to_jsonb(item.key)
               AND NOT EXISTS (SELECT FROM jsonb_path_query(document, '$.availability[*].calendar') AS c WHERE c #>> '{}' = item.key)
               AND NOT EXISTS (SELECT FROM jsonb_path_query(document, '$.availability[*].maintenance_window') AS c WHERE c #>> '{}' = item.key)
            THEN
                RETURN QUERY SELECT item.at, 'is used by no target';
            END IF;
        END LOOP;
    END IF;

    IF jsonb_typeof(targets) <> 'array' OR targets = '[]' THEN
        RETURN QUERY SELECT '$.targets', 'must be an array with at least one target';
    ELSE
        FOR item IN SELECT * FROM sla.document_items('$.targets', targets) LOOP
            RETURN QUERY SELECT * FROM sla.target_problems(item.at, item.node, calendars, document -> 'metrics');
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

    RETURN QUERY SELECT * FROM sla.metric_problems(document -> 'metrics', targets);
    RETURN QUERY SELECT * FROM sla.severities_problems(document);
    RETURN QUERY SELECT * FROM sla.rule_problems(document);
    RETURN QUERY SELECT * FROM sla.request_rule_problems(document);
    RETURN QUERY SELECT * FROM sla.restriction_problems(document -> 'restriction', calendars);
    RETURN QUERY SELECT * FROM sla.availability_problems(document);
END
$$;
COMMENT ON FUNCTION sla.policy_problems(jsonb) IS 'Everything that is wrong with a policy document, each with its JSON path; no rows when sla.load_policy would accept it. Changes nothing.';
