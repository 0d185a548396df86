-- What a policy version says about what is planned: how long ahead requests
-- are made and what they must tell, how long answers to questionnaires take,
-- and when assistance is charged.
--
-- A lead is a text: weeks and days on the wall clock, hours and minutes that
-- elapse, or business days of a calendar.

-- PL/pgSQL where SQL would do: what guards ask for each row keeps its plans.
CREATE FUNCTION sla.lead_interval(lead text) RETURNS interval
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    m text[];
    days bigint := 0;
    mins bigint := 0;
BEGIN
    IF lower(lead) !~ '^ *([0-9]{1,8} *(weeks?|w|days?|d|hours?|h|minutes?|min) *)+$' THEN
        RETURN NULL;
    END IF;
    FOR m IN SELECT regexp_matches(lower(lead), '([0-9]+) *([a-z]+)', 'g') LOOP
        CASE left(m[2], 1)
        WHEN 'w' THEN days := days + m[1]::bigint * 7;
        WHEN 'd' THEN days := days + m[1]::bigint;
        WHEN 'h' THEN mins := mins + m[1]::bigint * 60;
        ELSE mins := mins + m[1]::bigint;
        END CASE;
    END LOOP;
    RETURN CASE WHEN days <= 36525 AND mins <= 52596000 THEN make_interval(days => days::int, mins => mins::int) END;
END
$$;
COMMENT ON FUNCTION sla.lead_interval(text) IS 'Internal: a lead without business days as an interval of days, on the wall clock, and time, that elapses; NULL for another text, and beyond a hundred years.';

CREATE FUNCTION sla.is_lead(lead text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
BEGIN
    IF lower(lead) ~ '^ *([0-9]{1,8} *(weeks?|w|days?|d|hours?|h|minutes?|min) *)+$' THEN
        RETURN coalesce(sla.lead_interval(lead) > '0', false);
    END IF;
    -- what is no amount of working time either is an error of its own
    RETURN lead::sla.business_interval::text ~ '^[0-9]{1,5}bd( |$)' AND lead !~ '-';
END
$$;
COMMENT ON FUNCTION sla.is_lead(text) IS 'May this be a lead, how long ahead something is to be done? Weeks and days, hours and minutes, as in "2 weeks" or "36 hours", or business days, as in "10 business days"; more than nothing and at most a hundred years. Raises 22P02 where it is neither.';

CREATE FUNCTION sla.canonical_lead(lead text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    amount constant interval := sla.lead_interval(lead);
    days constant int := extract(day FROM amount);
    mins constant int := extract(epoch FROM amount - make_interval(days => days)) / 60;
BEGIN
    IF NOT sla.is_lead(lead) THEN
        RETURN lead;
    ELSIF amount IS NULL THEN
        RETURN lead::sla.business_interval::text;
    END IF;
    RETURN concat_ws(' ',
        CASE WHEN days > 0 THEN days || CASE days WHEN 1 THEN ' day' ELSE ' days' END END,
        CASE WHEN mins >= 60 THEN mins / 60 || CASE mins / 60 WHEN 1 THEN ' hour' ELSE ' hours' END END,
        CASE WHEN mins % 60 > 0 THEN mins % 60 || CASE mins % 60 WHEN 1 THEN ' minute' ELSE ' minutes' END END);
END
$$;
COMMENT ON FUNCTION sla.canonical_lead(text) IS 'Internal: a lead in one spelling, as in "14 days" or "10bd"; what is none stays as it is, for a check to refuse.';

CREATE TABLE sla.notice_rule (
    policy_version_id   int,
    kind                text CHECK (sla.is_rule_key(kind)),
    title               text CHECK (btrim(title) <> ''),
    lead                text CHECK (sla.is_lead(lead)),
    slot_lead           text CHECK (sla.is_lead(slot_lead)),
    calendar            text,
    inside              text,
    outside             text,
    required            text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (policy_version_id, kind),
    CONSTRAINT notice_rule_hours_check CHECK (inside IS NULL OR outside IS NULL),
    CONSTRAINT notice_rule_calendar_check CHECK (calendar IS NOT NULL OR concat(lead, ' ', slot_lead) !~ 'bd')
);
COMMENT ON TABLE sla.notice_rule IS 'Kinds of requests: how long ahead they are made, what they must tell, and when what is planned may take place. Asked by sla.check_request and sla.guard.';
COMMENT ON COLUMN sla.notice_rule.policy_version_id IS 'sla.policy_version.id.';
COMMENT ON COLUMN sla.notice_rule.kind IS 'The kind of request, as requests name it.';
COMMENT ON COLUMN sla.notice_rule.title IS 'Title for people; NULL: none given.';
COMMENT ON COLUMN sla.notice_rule.lead IS 'How long before its start it is requested at the least: days on the wall clock of the policy version''s time zone ("14 days"), time that elapses ("36 hours"), or business days of the calendar ("10bd"). NULL: not said. Kept in one spelling by a trigger, as slot_lead is.';
COMMENT ON COLUMN sla.notice_rule.slot_lead IS 'How long before its start the time slot is agreed on at the least; NULL: not said.';
COMMENT ON COLUMN sla.notice_rule.calendar IS 'sla.calendar.name: the calendar of business days in lead and slot_lead; NULL where these have none.';
COMMENT ON COLUMN sla.notice_rule.inside IS 'sla.calendar.name: it takes place within these hours, from start to end; NULL: not said.';
COMMENT ON COLUMN sla.notice_rule.outside IS 'sla.calendar.name: it takes place outside these hours, from start to end; NULL: not said.';
COMMENT ON COLUMN sla.notice_rule.required IS 'Fields that a request must have, see sla.check_request.';

CREATE TABLE sla.turnaround_rule (
    policy_version_id   int,
    kind                text CHECK (sla.is_rule_key(kind)),
    title               text CHECK (btrim(title) <> ''),
    at_least            text NOT NULL CHECK (sla.is_lead(at_least)),
    calendar            text,
    billable            boolean NOT NULL DEFAULT false,
    PRIMARY KEY (policy_version_id, kind),
    CONSTRAINT turnaround_rule_calendar_check CHECK (calendar IS NOT NULL OR at_least !~ 'bd')
);
COMMENT ON TABLE sla.turnaround_rule IS 'Kinds of questionnaires: how long an answer takes at the least, and whether the work is charged.';
COMMENT ON COLUMN sla.turnaround_rule.policy_version_id IS 'sla.policy_version.id.';
COMMENT ON COLUMN sla.turnaround_rule.kind IS 'The kind of questionnaire.';
COMMENT ON COLUMN sla.turnaround_rule.title IS 'Title for people; NULL: none given.';
COMMENT ON COLUMN sla.turnaround_rule.at_least IS 'How long an answer takes at the least, as sla.notice_rule.lead has it.';
COMMENT ON COLUMN sla.turnaround_rule.calendar IS 'sla.calendar.name: the calendar of business days in at_least; NULL where it has none.';
COMMENT ON COLUMN sla.turnaround_rule.billable IS 'Whether the time that employees spend on the answer is charged.';

CREATE TABLE sla.assistance_rule (
    policy_version_id   int PRIMARY KEY,
    bucket              interval NOT NULL,
    outside             text,
    -- core compares intervals as if a month had 30 days
    CONSTRAINT assistance_rule_bucket_check CHECK (bucket > '0' AND isfinite(bucket) AND extract(month FROM bucket) = 0 AND extract(year FROM bucket) = 0 AND extract(day FROM bucket) = 0
        AND extract(epoch FROM bucket) % 60 = 0 AND bucket <= '876600 hours')
);
COMMENT ON TABLE sla.assistance_rule IS 'How planned assistance is charged under a policy version; one without a row charges none.';
COMMENT ON COLUMN sla.assistance_rule.policy_version_id IS 'sla.policy_version.id.';
COMMENT ON COLUMN sla.assistance_rule.bucket IS 'It is charged in multiples of this much elapsed time: hours and minutes, more than nothing and at most a hundred years.';
COMMENT ON COLUMN sla.assistance_rule.outside IS 'sla.calendar.name: only what lies outside these hours is charged; NULL: all of it.';

CREATE FUNCTION sla.request_rule_written() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO pg_catalog, pg_temp
    AS $$
BEGIN
    IF TG_TABLE_NAME = 'turnaround_rule' THEN
        NEW.at_least := sla.canonical_lead(NEW.at_least);
    ELSE
        NEW.lead := sla.canonical_lead(NEW.lead);
        NEW.slot_lead := sla.canonical_lead(NEW.slot_lead);
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION sla.request_rule_written() IS 'Internal: keeps leads in one spelling.';
REVOKE EXECUTE ON FUNCTION sla.request_rule_written() FROM PUBLIC;

CREATE TRIGGER request_rule_written BEFORE INSERT OR UPDATE ON sla.notice_rule
    FOR EACH ROW EXECUTE FUNCTION sla.request_rule_written();
CREATE TRIGGER request_rule_written BEFORE INSERT OR UPDATE ON sla.turnaround_rule
    FOR EACH ROW EXECUTE FUNCTION sla.request_rule_written();

GRANT SELECT ON sla.notice_rule, sla.turnaround_rule, sla.assistance_rule TO PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('sla.notice_rule', '');
SELECT pg_catalog.pg_extension_config_dump('sla.turnaround_rule', '');
SELECT pg_catalog.pg_extension_config_dump('sla.assistance_rule', '');
