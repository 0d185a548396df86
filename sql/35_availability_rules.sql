-- What a policy version promises about the availability of services: goals,
-- how they are measured, what is excused, what is credited when they are missed.

CREATE FUNCTION sla.is_percentage(value numeric) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$ SELECT value >= 0 AND value <= 100 AND scale(trim_scale(value)) <= 6 $$;
COMMENT ON FUNCTION sla.is_percentage(numeric) IS 'Internal: 0 to 100 with at most six decimals, as those of sla.availability.percent?';

CREATE FUNCTION sla.credit_problems(base text, credits jsonb, goal numeric)
    RETURNS TABLE (path text, problem text)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    item record;
    member text;
    sound boolean;
    last_below numeric := goal;
    last_percent numeric;
BEGIN
    IF jsonb_typeof(credits) <> 'array' THEN
        RETURN QUERY SELECT base, 'must be an array of tiers, each with "below" and "percent"';
        RETURN;
    END IF;
    FOR item IN
        SELECT format('%s[%s]', base, e.ordinality - 1) AS at, e.ordinality = 1 AS first, e.value
        FROM jsonb_array_elements(credits) WITH ORDINALITY AS e(value, ordinality)
        ORDER BY e.ordinality
    LOOP
        IF jsonb_typeof(item.value) <> 'object' THEN
            RETURN QUERY SELECT item.at, 'must be an object';
            CONTINUE;
        END IF;
        RETURN QUERY SELECT * FROM sla.member_problems(item.at, item.value, '{below,percent}', '{}');
        sound := item.value ?& '{below,percent}'::text[];
        FOREACH member IN ARRAY '{below,percent}'::text[] LOOP
            IF jsonb_typeof(item.value -> member) = 'number' AND sla.is_percentage((item.value ->> member)::numeric) THEN
                CONTINUE;
            ELSIF item.value ? member THEN
                RETURN QUERY SELECT sla.json_path(item.at, member), 'must be a percentage of 0 to 100 with at most six decimals';
            END IF;
            sound := false;
        END LOOP;
        CONTINUE WHEN NOT sound;
        IF item.first AND (item.value ->> 'below')::numeric < goal THEN
            RETURN QUERY SELECT item.at || '.below',
                format('leaves a hole: between %s and the goal of %s nothing is said; begin with {"below": %s, "percent": 0} if nothing is credited there',
                       item.value -> 'below', trim_scale(goal), trim_scale(goal));
        ELSIF item.first AND (item.value ->> 'below')::numeric > goal THEN
            RETURN QUERY SELECT item.at || '.below', format('would credit where the goal of %s is met', trim_scale(goal));
        ELSIF NOT item.first AND (item.value ->> 'below')::numeric >= last_below THEN
            RETURN QUERY SELECT item.at || '.below', format('must be less than that of the tier before, %s', trim_scale(last_below));
        END IF;
        IF (item.value ->> 'percent')::numeric <= last_percent THEN
            RETURN QUERY SELECT item.at || '.percent', format('must be more than that of the tier before, %s', trim_scale(last_percent));
        END IF;
        last_below := (item.value ->> 'below')::numeric;
        last_percent := (item.value ->> 'percent')::numeric;
    END LOOP;
END
$$;
COMMENT ON FUNCTION sla.credit_problems(text, jsonb, numeric) IS 'Internal: what is wrong with tiers of credits; goal NULL: not known here.';

CREATE FUNCTION sla.are_credits(credits jsonb, goal numeric) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$ SELECT NOT EXISTS (SELECT FROM sla.credit_problems('$', credits, goal)) $$;
COMMENT ON FUNCTION sla.are_credits(jsonb, numeric) IS 'May these be the credits of a rule with this goal? Tiers with percentages, as in [{"below": 99.9, "percent": 10}, {"below": 99, "percent": 25}]: the first below the goal itself, then lower ones that credit more.';

CREATE FUNCTION sla.credit_at(percent numeric, credits jsonb) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    wrong text;
BEGIN
    IF NOT (percent >= 0 AND percent <= 100) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('an availability of %s %% is not possible', percent),
            HINT = 'Give a percentage of 0 to 100.';
    END IF;
    SELECT string_agg(p.path || ': ' || p.problem, E'\n') INTO wrong FROM sla.credit_problems('$', credits, NULL) AS p;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'these are no tiers of credits',
            DETAIL = wrong;
    END IF;
    RETURN coalesce((SELECT max((t ->> 'percent')::numeric) FROM jsonb_array_elements(credits) AS t
                     WHERE percent < (t ->> 'below')::numeric), 0);
END
$$;
COMMENT ON FUNCTION sla.credit_at(numeric, jsonb) IS 'What is credited, in percent of what was paid, at an availability of so many percent: that of the lowest tier that it is below, 0 where it is below none. Exactly at a bound is not below. credits as in [{"below": 99.9, "percent": 10}, {"below": 99, "percent": 25}]. Raises 22023 for percentages and tiers that cannot be.';

CREATE FUNCTION sla.is_notice(notice interval) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT isfinite(notice) AND extract(month FROM notice) = 0 AND extract(year FROM notice) = 0
        AND notice >= '0' AND extract(day FROM notice) BETWEEN -36525 AND 36525 AND notice <= '36525 days'
$$;
COMMENT ON FUNCTION sla.is_notice(interval) IS 'Internal: days and hours, not negative and at most a hundred years?';

CREATE TABLE sla.availability_rule (
    policy_version_id   int,
    service             text DEFAULT '*' CHECK (sla.is_rule_key(service)),
    package             text DEFAULT '*' CHECK (sla.is_rule_key(package)),
    goal                numeric CHECK (goal > 0 AND sla.is_percentage(goal)),
    time_zone           text,
    calendar            text,
    unknown             text NOT NULL DEFAULT 'ignore' CHECK (unknown IN ('ignore', 'up', 'down')),
    young               text NOT NULL DEFAULT 'period' CHECK (young IN ('period', 'life')),
    exclusions          text[] NOT NULL DEFAULT '{}' CHECK (array_position(exclusions, NULL) IS NULL),
    maintenance_notice  interval CHECK (sla.is_notice(maintenance_notice)),
    maintenance_window  text,
    credits             jsonb NOT NULL DEFAULT '[]',
    PRIMARY KEY (policy_version_id, service, package),
    CONSTRAINT availability_rule_credits_check CHECK (sla.are_credits(credits, goal) AND (goal IS NOT NULL OR credits = '[]'))
);
COMMENT ON TABLE sla.availability_rule IS 'What a policy version promises about the availability of services. Of the rules that fit a service the one that names it and its package holds, then one that names the service, then one that names the package, then the one that names neither.';
COMMENT ON COLUMN sla.availability_rule.policy_version_id IS 'sla.policy_version.id.';
COMMENT ON COLUMN sla.availability_rule.service IS 'The service, as sla.service.kind names it; *: every one.';
COMMENT ON COLUMN sla.availability_rule.package IS 'The package, as sla.service.package names it; *: every one, and none.';
COMMENT ON COLUMN sla.availability_rule.goal IS 'Percentage of a calendar month, of at most six decimals; NULL: agreed elsewhere, measured and never missed.';
COMMENT ON COLUMN sla.availability_rule.time_zone IS 'IANA zone of its calendar months; NULL: that of the policy version.';
COMMENT ON COLUMN sla.availability_rule.calendar IS 'sla.calendar.name: the hours that count; NULL: all.';
COMMENT ON COLUMN sla.availability_rule.unknown IS 'What time without observation counts as: ignore (it is not measured), up, down.';
COMMENT ON COLUMN sla.availability_rule.young IS 'How a month is measured that the service did not live through. period: as a whole, as if it had been up before and after; life: its life only.';
COMMENT ON COLUMN sla.availability_rule.exclusions IS 'Kinds of sla.exclusion that are excused.';
COMMENT ON COLUMN sla.availability_rule.maintenance_notice IS 'How long before it begins planned maintenance has to be announced, days by the wall clock of the zone and hours that elapse; NULL: any time before.';
COMMENT ON COLUMN sla.availability_rule.maintenance_window IS 'sla.calendar.name: the service window, outside of which planned maintenance is not excused; NULL: any time that was announced.';
COMMENT ON COLUMN sla.availability_rule.credits IS 'Tiers of credits, see sla.are_credits; []: none.';

GRANT SELECT ON sla.availability_rule TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('sla.availability_rule', '');

-- Nothing is compiled from these rows, so that no backend has to be told when
-- they change.
CREATE TRIGGER references_written AFTER INSERT OR UPDATE ON sla.availability_rule
    FOR EACH ROW EXECUTE FUNCTION sla.references_written('policy_version_id', 'policy version', 'calendar', 'calendar', 'maintenance_window', 'calendar');

CREATE FUNCTION sla.availability_rule_written() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    wrong text;
BEGIN
    IF sla.is_restoring() THEN
        RETURN NEW;
    END IF;
    NEW.time_zone := sla.known_zone(NEW.time_zone);
    SELECT e INTO wrong FROM unnest(NEW.exclusions) AS e WHERE NOT sla.is_rule_key(e) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = format('"%s" is not a kind of exclusion', wrong),
            HINT = 'Kinds have 1 to 255 bytes, no blank at the ends, no control character.',
            SCHEMA = 'sla', TABLE = 'availability_rule', COLUMN = 'exclusions';
    END IF;
    NEW.exclusions := ARRAY(SELECT DISTINCT e COLLATE "C" FROM unnest(NEW.exclusions) AS e ORDER BY 1);
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION sla.availability_rule_written() IS 'Internal: refuses zones and kinds that cannot be, and keeps exclusions in order.';
REVOKE EXECUTE ON FUNCTION sla.availability_rule_written() FROM PUBLIC;

CREATE TRIGGER availability_rule_written BEFORE INSERT OR UPDATE ON sla.availability_rule
    FOR EACH ROW EXECUTE FUNCTION sla.availability_rule_written();
