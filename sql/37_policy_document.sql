-- Giving a policy document back, as it was loaded or written anew.
--
-- The canonical form leaves out what is so by default, so that a document is
-- as short as it can be.

CREATE FUNCTION sla.canonical_target(severity sla.severity, metric text, goal sla.business_interval, calendar text,
        alerts text[], pausable boolean) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    -- without a goal there is nothing to alert about, and nothing to pause
    SELECT jsonb_build_object('severity', severity::text, 'metric', metric, 'goal', goal::text)
        || CASE WHEN calendar IS NULL THEN '{}' ELSE jsonb_build_object('calendar', calendar) END
        || CASE WHEN goal IS NULL OR sla.canonical_alerts(alerts) = '{1}' THEN '{}'
                ELSE jsonb_build_object('alerts', coalesce(
                         (SELECT jsonb_agg(CASE WHEN a ~ '^[0-9.]*$' THEN a::jsonb ELSE to_jsonb(a) END ORDER BY i)
                          FROM unnest(sla.canonical_alerts(alerts)) WITH ORDINALITY AS e(a, i)), '[]')) END
        || CASE WHEN goal IS NULL OR pausable THEN '{}' ELSE jsonb_build_object('pausable', false) END
$$;
COMMENT ON FUNCTION sla.canonical_target(sla.severity, text, sla.business_interval, text, text[], boolean) IS 'Internal: a target as it stands in a canonical policy document.';

CREATE FUNCTION sla.canonical_calendar(hours sla.business_hours, regions text[]) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT jsonb_build_object('hours', hours::text)
        || CASE WHEN regions = '{}' THEN '{}' ELSE jsonb_build_object('regions', regions) END
$$;
COMMENT ON FUNCTION sla.canonical_calendar(sla.business_hours, text[]) IS 'Internal: a calendar as it stands in a canonical policy document.';

CREATE FUNCTION sla.canonical_severity(label text, description text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT jsonb_build_object('label', label)
        || CASE WHEN description IS NULL THEN '{}' ELSE jsonb_build_object('description', description) END
$$;
COMMENT ON FUNCTION sla.canonical_severity(text, text) IS 'Internal: what a canonical policy document says about a severity.';

CREATE FUNCTION sla.canonical_rules(severities jsonb, severity_caps jsonb, channels jsonb, exemptions jsonb, metrics jsonb,
        severity_change text, reopening text, entitlement text, restricted_accounts text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT coalesce(jsonb_object_agg(r.member, r.value), '{}')
    FROM (VALUES ('severities', severities), ('severity_caps', severity_caps), ('channels', channels), ('exemptions', exemptions),
                 ('metrics', metrics),
                 ('severity_change', to_jsonb(nullif(severity_change, 'from_start'))),
                 ('reopening', to_jsonb(nullif(reopening, 'continue'))),
                 ('entitlement', to_jsonb(nullif(entitlement, 'anyone'))),
                 ('restricted_accounts', to_jsonb(nullif(restricted_accounts, 'admit')))) AS r(member, value)
    WHERE r.value IS NOT NULL
$$;
COMMENT ON FUNCTION sla.canonical_rules(jsonb, jsonb, jsonb, jsonb, jsonb, text, text, text, text) IS 'Internal: the members of a canonical policy document that say something else than what is so by default; NULL for a member without rules.';

CREATE FUNCTION sla.canonical_member(member text, value jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$ SELECT CASE WHEN value IS NULL THEN '{}' ELSE jsonb_build_object(member, value) END $$;
COMMENT ON FUNCTION sla.canonical_member(text, jsonb) IS 'Internal: an object with this member, without any when it is NULL.';

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
               'targets', (SELECT jsonb_agg(sla.canonical_target(t.severity, t.metric, t.goal, t.calendar, t.alerts, t.pausable)
                                            ORDER BY t.severity USING OPERATOR(sla.<), t.metric)
                           FROM (SELECT (e ->> 'severity')::sla.severity AS severity, e ->> 'metric' AS metric,
                                        (e ->> 'goal')::sla.business_interval AS goal, e ->> 'calendar' AS calendar,
                                        sla.target_alerts(e) AS alerts, coalesce((e ->> 'pausable')::boolean, true) AS pausable
                                 FROM jsonb_array_elements(document -> 'targets') AS e) AS t))
        || sla.canonical_rules(
               (SELECT jsonb_object_agg(e.key::sla.severity::text, sla.canonical_severity(e.value ->> 'label', e.value ->> 'description'))
                FROM jsonb_each(document -> 'severities') AS e),
               (SELECT jsonb_object_agg(e.key, e.value::sla.severity::text) FROM jsonb_each_text(document -> 'severity_caps') AS e),
               nullif(document -> 'channels', '{}'), nullif(document -> 'exemptions', '{}'), NULL,
               document ->> 'severity_change', document ->> 'reopening', document ->> 'entitlement', document ->> 'restricted_accounts')
        || sla.canonical_requests(document)
        || jsonb_strip_nulls(jsonb_build_object('restriction', sla.canonical_restriction(document -> 'restriction')))
        || sla.canonical_member('availability', sla.canonical_availability(document -> 'availability'))
$$;
COMMENT ON FUNCTION sla.canonical_policy(jsonb) IS 'Internal: a sound policy document in one spelling, without metrics, so that documents that say the same are equal.';

CREATE FUNCTION sla.policy_document_from_tables(policy_version_id int) RETURNS jsonb
    LANGUAGE sql STABLE STRICT
    SET search_path TO pg_catalog, pg_temp
    AS $$
    WITH used AS (
        SELECT c.name, sla.canonical_calendar(c.hours, c.regions) AS calendar, coalesce(c.document_key, c.name) AS key
        FROM sla.calendar c
        WHERE c.name IN (SELECT t.calendar FROM sla.target t WHERE t.policy_version_id = $1
                         UNION ALL SELECT r.calendar FROM sla.restriction_rule r WHERE r.policy_version_id = $1
                         UNION ALL SELECT unnest(ARRAY[r.calendar, r.maintenance_window]) FROM sla.availability_rule r WHERE r.policy_version_id = $1)
           OR c.name IN (SELECT r.calendar FROM sla.request_rule_calendars($1) AS r(calendar))
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
               'targets', coalesce((SELECT jsonb_agg(sla.canonical_target(t.severity, t.metric, t.goal, n.key, t.alerts, t.pausable)
                                                     ORDER BY t.severity USING OPERATOR(sla.<), t.metric)
                                    FROM sla.target t LEFT JOIN named n ON n.name = t.calendar
                                    WHERE t.policy_version_id = v.id), '[]'))
        || sla.canonical_rules(
               (SELECT jsonb_object_agg(l.severity::text, sla.canonical_severity(l.label, l.description))
                FROM sla.severity_label l WHERE l.policy_version_id = v.id),
               (SELECT jsonb_object_agg(c.product, c.severity::text) FROM sla.severity_cap c WHERE c.policy_version_id = v.id),
               (SELECT jsonb_object_agg(c.channel, c.counts_from) FROM sla.channel_rule c WHERE c.policy_version_id = v.id),
               (SELECT jsonb_object_agg(e.reason, e.title) FROM sla.exemption e WHERE e.policy_version_id = v.id),
               (SELECT jsonb_object_agg(m.name, sla.canonical_metric(m.title, m.starts_on, m.stops_on, m.restarts_on))
                FROM sla.metric m
                WHERE NOT m.shipped AND m.name IN (SELECT t.metric FROM sla.target t WHERE t.policy_version_id = v.id)),
               v.severity_change, v.reopening, v.entitlement, v.restricted_accounts)
        || sla.requests_from_tables(v.id, (SELECT jsonb_object_agg(n.name, n.key) FROM named n))
        || coalesce((SELECT jsonb_build_object('restriction', sla.canonical_restriction(r.time_zone, r.support, r.deployments, r.termination,
                                r.per, r.minimum_amount, r.grace, (SELECT n.key FROM named n WHERE n.name = r.calendar), r.actions, r.security_release))
                     FROM sla.restriction_rule r WHERE r.policy_version_id = v.id), '{}')
        || sla.canonical_member('availability', sla.availability_from_tables(v.id, (SELECT jsonb_object_agg(n.name, n.key) FROM named n)))
    FROM sla.policy_version v JOIN sla.policy p ON p.name = v.policy
    WHERE v.id = $1
$$;
COMMENT ON FUNCTION sla.policy_document_from_tables(int) IS 'Internal: a canonical document of what the tables say about a policy version, with the metrics that did not come with the extension.';

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
       AND sla.canonical_policy(version.document) = written - 'metrics'
    THEN
        RETURN version.document;
    END IF;
    RETURN written;
END
$$;
COMMENT ON FUNCTION sla.policy_document(text, timestamptz) IS 'The document of a policy''s version in force at an instant, by default the last version: as it was loaded while the tables say the same, else written anew from the tables. sla.load_policy takes it back.';
