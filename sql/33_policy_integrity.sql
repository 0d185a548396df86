-- What holds the policy tables together and tells every backend when they
-- change. Triggers stand for foreign keys: the data of an extension's tables
-- has no order in a dump.

-- What refers to what.

CREATE FUNCTION sla.references_written() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    written jsonb;
    kind text;
    named text;
    missing text;
BEGIN
    IF sla.is_restoring() THEN
        RETURN NULL;
    END IF;
    written := to_jsonb(NEW);
    FOR i IN 0 .. TG_NARGS - 1 BY 2 LOOP
        named := written ->> TG_ARGV[i];
        kind := TG_ARGV[i + 1];
        CONTINUE WHEN named IS NULL;
        CASE kind
        WHEN 'policy version' THEN
            PERFORM FROM sla.policy_version v WHERE v.id = named::int FOR KEY SHARE;
        WHEN 'policy' THEN
            PERFORM FROM sla.policy p WHERE p.name = named FOR KEY SHARE;
        WHEN 'metric' THEN
            PERFORM FROM sla.metric m WHERE m.name = named FOR KEY SHARE;
        WHEN 'calendar' THEN
            PERFORM FROM sla.calendar c WHERE c.name = named FOR KEY SHARE;
        END CASE;
        IF NOT FOUND THEN
            missing := CASE kind WHEN 'policy version' THEN format('%s %s', kind, named) ELSE format('%s "%s"', kind, named) END;
        END IF;
    END LOOP;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'foreign_key_violation',
            MESSAGE = format('%s of sla.%s refers to %s, which does not exist', lower(TG_OP), TG_TABLE_NAME, missing);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION sla.references_written() IS 'Internal: a row must refer to policy versions, policies, metrics and calendars that exist, unless a dump is being restored. Arguments: a column, what it refers to, another column, and so on.';
REVOKE EXECUTE ON FUNCTION sla.references_written() FROM PUBLIC;

CREATE TRIGGER references_written AFTER INSERT OR UPDATE ON sla.policy_version
    FOR EACH ROW EXECUTE FUNCTION sla.references_written('policy', 'policy');
CREATE TRIGGER references_written AFTER INSERT OR UPDATE ON sla.calendar
    FOR EACH ROW EXECUTE FUNCTION sla.references_written('policy', 'policy');
CREATE TRIGGER references_written AFTER INSERT OR UPDATE ON sla.target
    FOR EACH ROW EXECUTE FUNCTION sla.references_written('policy_version_id', 'policy version', 'metric', 'metric', 'calendar', 'calendar');
CREATE TRIGGER references_written AFTER INSERT OR UPDATE ON sla.severity_label
    FOR EACH ROW EXECUTE FUNCTION sla.references_written('policy_version_id', 'policy version');
CREATE TRIGGER references_written AFTER INSERT OR UPDATE ON sla.severity_cap
    FOR EACH ROW EXECUTE FUNCTION sla.references_written('policy_version_id', 'policy version');
CREATE TRIGGER references_written AFTER INSERT OR UPDATE ON sla.channel_rule
    FOR EACH ROW EXECUTE FUNCTION sla.references_written('policy_version_id', 'policy version');
CREATE TRIGGER references_written AFTER INSERT OR UPDATE ON sla.exemption
    FOR EACH ROW EXECUTE FUNCTION sla.references_written('policy_version_id', 'policy version');
CREATE TRIGGER references_written AFTER INSERT OR UPDATE ON sla.restriction_rule
    FOR EACH ROW EXECUTE FUNCTION sla.references_written('policy_version_id', 'policy version', 'calendar', 'calendar');
CREATE TRIGGER references_written AFTER INSERT OR UPDATE ON sla.notice_rule
    FOR EACH ROW EXECUTE FUNCTION sla.references_written('policy_version_id', 'policy version', 'calendar', 'calendar', 'inside', 'calendar', 'outside', 'calendar');
CREATE TRIGGER references_written AFTER INSERT OR UPDATE ON sla.turnaround_rule
    FOR EACH ROW EXECUTE FUNCTION sla.references_written('policy_version_id', 'policy version', 'calendar', 'calendar');
CREATE TRIGGER references_written AFTER INSERT OR UPDATE ON sla.assistance_rule
    FOR EACH ROW EXECUTE FUNCTION sla.references_written('policy_version_id', 'policy version', 'outside', 'calendar');
CREATE TRIGGER references_written AFTER INSERT OR UPDATE ON sla.contract
    FOR EACH ROW EXECUTE FUNCTION sla.references_written('policy', 'policy', 'calendar', 'calendar');

-- What uses a row is looked for as committed now, like foreign keys do: the
-- snapshot of a REPEATABLE READ transaction would not show the latest.
CREATE FUNCTION sla.referenced_removed() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    part text;
    orphan text;
    unseen text;
BEGIN
    CASE TG_TABLE_NAME
    WHEN 'policy' THEN
        DELETE FROM sla.policy_version v WHERE NOT EXISTS (SELECT FROM sla.policy p WHERE p.name = v.policy);
        DELETE FROM sla.calendar c WHERE c.policy IS NOT NULL AND NOT EXISTS (SELECT FROM sla.policy p WHERE p.name = c.policy);
        unseen := sla.found_now($q$
            SELECT u.what
            FROM (SELECT 'version', v.policy FROM sla.policy_version v UNION ALL
                  SELECT 'calendar', c.policy FROM sla.calendar c) AS u(what, policy)
            WHERE u.policy IS NOT NULL AND NOT EXISTS (SELECT FROM sla.policy p WHERE p.name = u.policy) LIMIT 1 $q$);
        orphan := sla.found_now($q$
            SELECT format('policy "%s" is still used by %s', u.policy, u.what)
            FROM (SELECT 1, k.policy, format('contract %s', k.id) FROM sla.contract k UNION ALL
                  SELECT 2, b.policy, format('booking %s', b.id) FROM sla.booking b UNION ALL
                  SELECT 3, t.policy, format('time entry %s', t.id) FROM sla.time_entry t UNION ALL
                  SELECT 4, s.policy, format('service "%s"', s.name) FROM sla.service s) AS u(n, policy, what)
            WHERE u.policy IS NOT NULL AND NOT EXISTS (SELECT FROM sla.policy p WHERE p.name = u.policy)
            ORDER BY u.n LIMIT 1 $q$);
    WHEN 'policy_version' THEN
        FOREACH part IN ARRAY ARRAY['target', 'severity_label', 'severity_cap', 'channel_rule', 'exemption', 'notice_rule',
                                    'turnaround_rule', 'assistance_rule', 'restriction_rule', 'availability_rule'] LOOP
            EXECUTE format('DELETE FROM sla.%I r WHERE NOT EXISTS (SELECT FROM sla.policy_version v WHERE v.id = r.policy_version_id)', part);
            unseen := coalesce(unseen, sla.found_now(format(
                'SELECT %1$L FROM sla.%1$I r WHERE NOT EXISTS (SELECT FROM sla.policy_version v WHERE v.id = r.policy_version_id) LIMIT 1', part)));
        END LOOP;
    WHEN 'calendar' THEN
        orphan := sla.found_now($q$
            SELECT format('calendar "%s" is still used by %s', u.calendar, u.what)
            FROM (SELECT 1, t.calendar, 'a target' FROM sla.target t UNION ALL
                  SELECT 2, k.calendar, format('contract %s', k.id) FROM sla.contract k UNION ALL
                  SELECT 3, r.calendar, 'a rule about unsettled bills' FROM sla.restriction_rule r UNION ALL
                  SELECT 4, c.name, 'a notice rule' FROM sla.notice_rule n, unnest(ARRAY[n.calendar, n.inside, n.outside]) AS c(name) UNION ALL
                  SELECT 5, t.calendar, 'a turnaround rule' FROM sla.turnaround_rule t UNION ALL
                  SELECT 6, a.outside, 'an assistance rule' FROM sla.assistance_rule a UNION ALL
                  SELECT 7, c.name, 'a rule about availability'
                  FROM sla.availability_rule r, unnest(ARRAY[r.calendar, r.maintenance_window]) AS c(name)) AS u(n, calendar, what)
            WHERE u.calendar IS NOT NULL AND NOT EXISTS (SELECT FROM sla.calendar c WHERE c.name = u.calendar)
            ORDER BY u.n LIMIT 1 $q$);
    WHEN 'metric' THEN
        orphan := sla.found_now($q$
            SELECT format('metric "%s" is still used by a target', t.metric) FROM sla.target t
            WHERE NOT EXISTS (SELECT FROM sla.metric m WHERE m.name = t.metric) LIMIT 1 $q$);
    END CASE;
    IF orphan IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'foreign_key_violation',
            MESSAGE = orphan;
    ELSIF unseen IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'serialization_failure',
            MESSAGE = format('could not serialize access: a %s was added to what is being deleted', replace(unseen, '_', ' '));
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION sla.referenced_removed() IS 'Internal: a policy is deleted with its versions, what they say and its calendars; a policy with contracts, and a calendar or metric in use, is not.';
REVOKE EXECUTE ON FUNCTION sla.referenced_removed() FROM PUBLIC;

CREATE TRIGGER referenced_removed AFTER DELETE OR TRUNCATE ON sla.policy
    FOR EACH STATEMENT EXECUTE FUNCTION sla.referenced_removed();
CREATE TRIGGER referenced_removed AFTER DELETE OR TRUNCATE ON sla.policy_version
    FOR EACH STATEMENT EXECUTE FUNCTION sla.referenced_removed();
CREATE TRIGGER referenced_removed AFTER DELETE OR TRUNCATE ON sla.calendar
    FOR EACH STATEMENT EXECUTE FUNCTION sla.referenced_removed();
CREATE TRIGGER referenced_removed AFTER DELETE ON sla.metric
    FOR EACH STATEMENT EXECUTE FUNCTION sla.referenced_removed();

-- Rows that must stay as they are, and names that others know them by.

CREATE FUNCTION sla.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO pg_catalog, pg_temp
    AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'object_not_in_prerequisite_state',
        MESSAGE = format('this %s of sla.%s is not allowed', lower(TG_OP), TG_TABLE_NAME),
        HINT = TG_ARGV[0];
END
$$;
COMMENT ON FUNCTION sla.refuse_change() IS 'Internal: refuses changes of rows that others rely on.';
REVOKE EXECUTE ON FUNCTION sla.refuse_change() FROM PUBLIC;

CREATE TRIGGER hours_immutable BEFORE UPDATE OR DELETE ON sla.hours
    FOR EACH ROW EXECUTE FUNCTION sla.refuse_change('Clocks refer to these rows for ever. Change sla.calendar instead.');
CREATE TRIGGER hours_immutable_truncate BEFORE TRUNCATE ON sla.hours
    FOR EACH STATEMENT EXECUTE FUNCTION sla.refuse_change('Clocks refer to these rows for ever. Change sla.calendar instead.');
CREATE TRIGGER policy_name BEFORE UPDATE ON sla.policy
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name)
    EXECUTE FUNCTION sla.refuse_change('Attached tables know a policy by its name. Load it under another name instead.');
CREATE TRIGGER policy_version_id BEFORE UPDATE ON sla.policy_version
    FOR EACH ROW WHEN (OLD.id IS DISTINCT FROM NEW.id)
    EXECUTE FUNCTION sla.refuse_change('Tickets know a version by its id.');
CREATE TRIGGER contract_id BEFORE UPDATE ON sla.contract
    FOR EACH ROW WHEN (OLD.id IS DISTINCT FROM NEW.id)
    EXECUTE FUNCTION sla.refuse_change('Tickets know a contract by its id.');
CREATE TRIGGER calendar_name BEFORE UPDATE ON sla.calendar
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name)
    EXECUTE FUNCTION sla.refuse_change('Targets know a calendar by its name. Add another calendar instead.');
CREATE TRIGGER metric_name BEFORE UPDATE ON sla.metric
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name)
    EXECUTE FUNCTION sla.refuse_change('Clocks know a metric by its name. Add another metric instead.');
CREATE TRIGGER metric_shipped_insert BEFORE INSERT ON sla.metric
    FOR EACH ROW WHEN (NEW.shipped) EXECUTE FUNCTION sla.refuse_change('Only the extension ships metrics. Leave the column shipped out.');
CREATE TRIGGER metric_shipped_update BEFORE UPDATE ON sla.metric
    FOR EACH ROW WHEN (OLD.shipped OR NEW.shipped) EXECUTE FUNCTION sla.refuse_change('This row came with the extension and is not dumped. Add a metric of another name.');
CREATE TRIGGER metric_shipped_delete BEFORE DELETE ON sla.metric
    FOR EACH ROW WHEN (OLD.shipped) EXECUTE FUNCTION sla.refuse_change('This row came with the extension and is not dumped.');
CREATE TRIGGER metric_shipped_truncate BEFORE TRUNCATE ON sla.metric
    FOR EACH STATEMENT EXECUTE FUNCTION sla.refuse_change('Some of these rows came with the extension and are not dumped. Delete the others.');

-- Invalidation of what backends have compiled. By row, not by statement, and
-- always: logical replication fires nothing else. sla.policy itself is not
-- compiled; what hangs from it goes with it.

CREATE FUNCTION sla.policy_changed() RETURNS trigger
    AS 'MODULE_PATHNAME', 'slapolicy_policy_changed'
    LANGUAGE C;
COMMENT ON FUNCTION sla.policy_changed() IS 'Internal: makes every backend read the policy tables anew.';
REVOKE EXECUTE ON FUNCTION sla.policy_changed() FROM PUBLIC;

CREATE TRIGGER policy_changed AFTER INSERT OR UPDATE OR DELETE ON sla.hours
    FOR EACH ROW EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed AFTER INSERT OR UPDATE OR DELETE ON sla.policy_version
    FOR EACH ROW EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed AFTER INSERT OR UPDATE OR DELETE ON sla.calendar
    FOR EACH ROW EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed AFTER INSERT OR UPDATE OR DELETE ON sla.metric
    FOR EACH ROW EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed AFTER INSERT OR UPDATE OR DELETE ON sla.target
    FOR EACH ROW EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed AFTER INSERT OR UPDATE OR DELETE ON sla.severity_label
    FOR EACH ROW EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed AFTER INSERT OR UPDATE OR DELETE ON sla.severity_cap
    FOR EACH ROW EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed AFTER INSERT OR UPDATE OR DELETE ON sla.channel_rule
    FOR EACH ROW EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed AFTER INSERT OR UPDATE OR DELETE ON sla.exemption
    FOR EACH ROW EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed AFTER INSERT OR UPDATE OR DELETE ON sla.restriction_rule
    FOR EACH ROW EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed AFTER INSERT OR UPDATE OR DELETE ON sla.contract
    FOR EACH ROW EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed_truncate AFTER TRUNCATE ON sla.hours
    FOR EACH STATEMENT EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed_truncate AFTER TRUNCATE ON sla.policy_version
    FOR EACH STATEMENT EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed_truncate AFTER TRUNCATE ON sla.calendar
    FOR EACH STATEMENT EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed_truncate AFTER TRUNCATE ON sla.metric
    FOR EACH STATEMENT EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed_truncate AFTER TRUNCATE ON sla.target
    FOR EACH STATEMENT EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed_truncate AFTER TRUNCATE ON sla.severity_label
    FOR EACH STATEMENT EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed_truncate AFTER TRUNCATE ON sla.severity_cap
    FOR EACH STATEMENT EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed_truncate AFTER TRUNCATE ON sla.channel_rule
    FOR EACH STATEMENT EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed_truncate AFTER TRUNCATE ON sla.exemption
    FOR EACH STATEMENT EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed_truncate AFTER TRUNCATE ON sla.restriction_rule
    FOR EACH STATEMENT EXECUTE FUNCTION sla.policy_changed();
CREATE TRIGGER policy_changed_truncate AFTER TRUNCATE ON sla.contract
    FOR EACH STATEMENT EXECUTE FUNCTION sla.policy_changed();
ALTER TABLE sla.hours ENABLE ALWAYS TRIGGER policy_changed, ENABLE ALWAYS TRIGGER policy_changed_truncate;
ALTER TABLE sla.policy_version ENABLE ALWAYS TRIGGER policy_changed, ENABLE ALWAYS TRIGGER policy_changed_truncate;
ALTER TABLE sla.calendar ENABLE ALWAYS TRIGGER policy_changed, ENABLE ALWAYS TRIGGER policy_changed_truncate;
ALTER TABLE sla.metric ENABLE ALWAYS TRIGGER policy_changed, ENABLE ALWAYS TRIGGER policy_changed_truncate;
ALTER TABLE sla.target ENABLE ALWAYS TRIGGER policy_changed, ENABLE ALWAYS TRIGGER policy_changed_truncate;
ALTER TABLE sla.severity_label ENABLE ALWAYS TRIGGER policy_changed, ENABLE ALWAYS TRIGGER policy_changed_truncate;
ALTER TABLE sla.severity_cap ENABLE ALWAYS TRIGGER policy_changed, ENABLE ALWAYS TRIGGER policy_changed_truncate;
ALTER TABLE sla.channel_rule ENABLE ALWAYS TRIGGER policy_changed, ENABLE ALWAYS TRIGGER policy_changed_truncate;
ALTER TABLE sla.exemption ENABLE ALWAYS TRIGGER policy_changed, ENABLE ALWAYS TRIGGER policy_changed_truncate;
ALTER TABLE sla.restriction_rule ENABLE ALWAYS TRIGGER policy_changed, ENABLE ALWAYS TRIGGER policy_changed_truncate;
ALTER TABLE sla.contract ENABLE ALWAYS TRIGGER policy_changed, ENABLE ALWAYS TRIGGER policy_changed_truncate;

CREATE FUNCTION sla.policy_target_in_force(policy text, received_at timestamptz, severity sla.severity, metric text,
        OUT policy_version_id int, OUT goal sla.business_interval, OUT hours sla.business_hours, OUT problem text)
    AS 'MODULE_PATHNAME', 'slapolicy_policy_target_in_force'
    LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION sla.policy_target_in_force(text, timestamptz, sla.severity, text) IS 'What the triggers of an attached table would hold a ticket to that is received at this instant: version, goal and hours; goal and hours NULL when nothing is promised. problem says why no version can be used, NULL otherwise. Reads the latest committed policies, also in a REPEATABLE READ transaction.';
