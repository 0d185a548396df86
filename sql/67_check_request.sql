-- What is wrong with a request: its fields, and its times by the rules of a
-- policy. Everything at once, each with what would be accepted.
--
-- Asked by guards on behalf of writers who choose settings of the session and
-- the values: nothing in these functions depends on how literals are escaped.

CREATE FUNCTION sla.is_blank(value jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
BEGIN
    CASE jsonb_typeof(value)
    WHEN 'string' THEN RETURN value #>> '{}' ~ '^[[:space:]{}",]*$|^{(NULL|"[[:space:]]*"|,)*}$';
    WHEN 'array' THEN RETURN NOT EXISTS (SELECT FROM jsonb_array_elements(value) AS e WHERE NOT sla.is_blank(e));
    WHEN 'object' THEN RETURN NOT EXISTS (SELECT FROM jsonb_each(value) AS e WHERE NOT sla.is_blank(e.value));
    WHEN 'boolean' THEN RETURN NOT value::boolean;
    WHEN 'number' THEN RETURN false;
    ELSE RETURN true;
    END CASE;
END
$$;
COMMENT ON FUNCTION sla.is_blank(jsonb) IS 'Internal: does a field of a request say nothing? NULL, blank texts, what has nothing else in it, and false.';

CREATE FUNCTION sla.request_items(value jsonb) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
BEGIN
    IF jsonb_typeof(value) = 'array' THEN
        RETURN ARRAY(SELECT e #>> '{}' FROM jsonb_array_elements(value) AS e);
    END IF;
    RETURN ARRAY(SELECT btrim(t, ' "') FROM regexp_split_to_table(btrim(value #>> '{}', ' {}'), '[[:space:],;]+') AS t WHERE btrim(t, ' "') <> '');
END
$$;
COMMENT ON FUNCTION sla.request_items(jsonb) IS 'Internal: the items of a list: an array, or a text with separators.';

CREATE FUNCTION sla.field_problem(field text, value jsonb) RETURNS text
    LANGUAGE plpgsql STABLE STRICT
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    type constant text := jsonb_typeof(value);
    content constant text := value #>> '{}';
    item text;
    wrong text;
BEGIN
    CASE
    WHEN field IN ('starts_at', 'ends_at', 'slot_agreed_at') THEN
        IF type <> 'string' THEN
            RETURN format('must be a time, not a JSON %s', type);
        END IF;
        wrong := sla.input_problem(content, 'timestamptz');
        IF wrong IS NOT NULL THEN
            RETURN wrong;
        -- words, too, as in "tomorrow 10:00": they would say something else each day
        ELSIF NOT isfinite(content::timestamptz) OR content !~ '[0-9]' OR content ~* '(now|today|tomorrow|yesterday)' THEN
            RETURN format('must be a date and a time, not %s', content);
        END IF;
    WHEN field = 'origins' THEN
        IF type NOT IN ('string', 'array') THEN
            RETURN format('must be a list of addresses, not a JSON %s', type);
        END IF;
        FOREACH item IN ARRAY sla.request_items(value) LOOP
            IF item IS NULL OR sla.input_problem(item, 'inet') IS NOT NULL THEN
                RETURN format('"%s" is neither an address nor a network', left(item, 100));
            END IF;
        END LOOP;
    WHEN field IN ('bandwidth', 'requests_per_second') THEN
        IF type NOT IN ('number', 'string')
           OR content !~ (CASE field WHEN 'bandwidth' THEN '^ *[0-9]{1,18}([.][0-9]{1,6})? *([kmgtKMGT]?i?([bB]|bit|Bit)(/s|ps))? *$'
                                     ELSE '^ *[0-9]{1,18}([.][0-9]{1,6})? *$' END)
           OR content !~ '[1-9]'
        THEN
            RETURN 'must be a number above 0' || CASE field WHEN 'bandwidth' THEN ', with or without a unit, as in "200 Mbit/s"' ELSE '' END;
        END IF;
    WHEN field = 'contact_email' THEN
        IF type <> 'string' OR btrim(content) !~ '^[^@[:space:]]+@[^@[:space:]]+[.][^@[:space:]]+$' THEN
            RETURN 'must be an address for email';
        END IF;
    WHEN field = 'contact_phone' THEN
        IF type <> 'string' OR btrim(content) !~ '^[+]?[0-9()][0-9 ()/.-]{2,}$' THEN
            RETURN 'must be a phone number: digits, with or without blanks and "+" in front';
        END IF;
    WHEN field IN ('contact_name', 'vectors', 'scope', 'targets') THEN
        IF type NOT IN ('string', 'array') THEN
            RETURN format('must be text, not a JSON %s', type);
        END IF;
    ELSE
        NULL;                   -- a field of the policy's own: it is there
    END CASE;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION sla.field_problem(text, jsonb) IS 'Internal: what is wrong with a field of a request that is not blank; NULL when nothing is.';

CREATE FUNCTION sla.request_fields() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT '{vectors,scope,contact_name,contact_email,contact_phone,origins,bandwidth,requests_per_second,targets,starts_at,ends_at,slot_agreed_at}'::text[]
$$;
COMMENT ON FUNCTION sla.request_fields() IS 'The fields of requests whose content is checked: vectors, scope, contact_name, targets: text, or an array of texts; contact_email; contact_phone; origins: addresses and networks; bandwidth: a number with or without a unit; requests_per_second: a number; starts_at, ends_at, slot_agreed_at: times. Of any other field a rule can only ask that it is not blank.';

CREATE FUNCTION sla.hours_problem(calendar text, inside sla.business_hours, outside sla.business_hours,
        starts_at timestamptz, ends_at timestamptz, earliest timestamptz,
        OUT problem text, OUT accepted text)
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    next timestamptz := sla.earliest_within(starts_at, inside, outside);
    until timestamptz := coalesce(sla.next_close(inside, starts_at), sla.next_open(outside, starts_at), 'infinity');
BEGIN
    -- from an allowed start to the next edge, all is allowed
    IF next = starts_at AND (ends_at IS NULL OR ends_at <= until) THEN
        RETURN;
    END IF;
    next := sla.earliest_within(greatest(starts_at, earliest), inside, outside);
    until := coalesce(sla.next_close(inside, next), sla.next_open(outside, next), 'infinity');
    problem := format('must lie %s the hours "%s" from start to end',
                      CASE WHEN inside IS NULL THEN 'outside' ELSE 'within' END, calendar);
    accepted := CASE WHEN isfinite(next) THEN concat('from ', next, CASE WHEN isfinite(until) THEN concat(' to ', until) END) END;
END
$$;
COMMENT ON FUNCTION sla.hours_problem(text, sla.business_hours, sla.business_hours, timestamptz, timestamptz, timestamptz) IS 'Internal: what is wrong with a time slot by the hours of the calendar that a rule names, and the first stretch, not before the earliest start, where nothing is; NULL when nothing is.';

CREATE FUNCTION sla.request_problems(policy text, kind text, request jsonb, requested_at timestamptz, changed text[])
    RETURNS TABLE (rule text, field text, problem text, accepted text)
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
    SET datestyle TO 'ISO, YMD'
    SET timezone TO 'UTC'
    AS $$
#variable_conflict use_column
DECLARE
    the_rule sla.notice_rule;
    zone text;
    hours sla.business_hours;
    inside sla.business_hours;
    outside sla.business_hours;
    what record;
    wrong text;
    starts timestamptz;
    ends timestamptz;
    agreed timestamptz;
    lead_end timestamptz;
    earliest timestamptz;
    or_later text;
    slot_end timestamptz;
    slot record;
BEGIN
    IF requested_at IS NULL OR NOT isfinite(requested_at) THEN
        RAISE EXCEPTION USING
            ERRCODE = CASE WHEN requested_at IS NULL THEN 'null_value_not_allowed' ELSE 'invalid_parameter_value' END,
            MESSAGE = format('requested_at must not be %s', coalesce(requested_at::text, 'null'));
    END IF;
    the_rule := sla.notice_rule_in_force(policy, kind, requested_at);
    SELECT h.value INTO hours FROM sla.calendar c JOIN sla.hours h ON h.id = c.hours_id WHERE c.name = the_rule.calendar;
    SELECT h.value INTO inside FROM sla.calendar c JOIN sla.hours h ON h.id = c.hours_id WHERE c.name = the_rule.inside;
    SELECT h.value INTO outside FROM sla.calendar c JOIN sla.hours h ON h.id = c.hours_id WHERE c.name = the_rule.outside;
    SELECT v.time_zone INTO zone FROM sla.policy_version v WHERE v.id = the_rule.policy_version_id;
    -- times are read, where they do not say, and written on the policy's clock
    PERFORM set_config('timezone', zone, true);
    request := coalesce(request, '{}');
    IF jsonb_typeof(request) <> 'object' THEN
        RETURN QUERY SELECT 'fields', NULL::text, format('the request must be a JSON object, not a JSON %s', jsonb_typeof(request)), NULL::text;
        RETURN;
    END IF;

    lead_end := sla.lead_end(requested_at, the_rule.lead, zone, hours);
    earliest := sla.earliest_within(lead_end, inside, outside);
    or_later := CASE WHEN isfinite(earliest) THEN earliest || ' or later' END;
    FOR what IN
        SELECT f.name, request -> f.name AS value, bool_or(f.needed) AS needed
        FROM (SELECT r.name, r.i, true AS needed FROM unnest(the_rule.required) WITH ORDINALITY AS r(name, i)
              UNION ALL SELECT 'starts_at', 1000, true WHERE num_nonnulls(the_rule.lead, the_rule.slot_lead, the_rule.inside, the_rule.outside) > 0
              UNION ALL SELECT r.name, 2000 + r.i, false FROM unnest(sla.request_fields()) WITH ORDINALITY AS r(name, i)) AS f
        GROUP BY f.name
        ORDER BY min(f.i)
    LOOP
        wrong := NULL;
        IF NOT sla.is_blank(what.value) THEN
            wrong := sla.field_problem(what.name, what.value);
            IF wrong IS NULL THEN
                CASE what.name
                WHEN 'starts_at' THEN starts := what.value #>> '{}';
                WHEN 'ends_at' THEN ends := what.value #>> '{}';
                WHEN 'slot_agreed_at' THEN agreed := what.value #>> '{}';
                ELSE NULL;
                END CASE;
            END IF;
        ELSIF what.needed THEN
            wrong := 'is missing';
        END IF;
        IF wrong IS NOT NULL AND (changed IS NULL OR what.name = ANY (changed)) THEN
            RETURN QUERY SELECT 'fields', what.name, wrong,
                CASE WHEN what.name = 'starts_at' AND the_rule.lead IS NOT NULL THEN or_later END;
        END IF;
    END LOOP;

    IF ends <= starts AND (changed IS NULL OR changed && '{starts_at,ends_at}') THEN
        RETURN QUERY SELECT 'period', 'ends_at', 'must lie after starts_at', format('later than %s', starts);
        ends := NULL;
    END IF;
    IF starts < lead_end AND (changed IS NULL OR changed && '{starts_at,requested_at}') THEN
        RETURN QUERY SELECT 'lead', 'starts_at',
            format('is %s: requested at %s, it may start %s later', starts, requested_at, the_rule.lead), or_later;
    END IF;
    IF the_rule.slot_lead IS NOT NULL AND agreed IS NOT NULL THEN
        slot_end := sla.lead_end(agreed, the_rule.slot_lead, zone, hours);
        earliest := sla.earliest_within(greatest(earliest, slot_end), inside, outside);
    END IF;
    IF starts < slot_end AND (changed IS NULL OR changed && '{starts_at,slot_agreed_at}') THEN
        RETURN QUERY SELECT 'slot_lead', 'slot_agreed_at',
            format('is %s: a time slot is agreed on %s before it starts', agreed, the_rule.slot_lead),
            CASE WHEN isfinite(earliest) THEN format('a slot from %s on', earliest) END;
    END IF;
    IF num_nonnulls(the_rule.inside, the_rule.outside) > 0 AND starts IS NOT NULL
       AND (changed IS NULL OR changed && '{starts_at,ends_at}')
    THEN
        slot := sla.hours_problem(coalesce(the_rule.inside, the_rule.outside), inside, outside, starts, ends, earliest);
        IF slot.problem IS NOT NULL THEN
            RETURN QUERY SELECT CASE WHEN the_rule.inside IS NULL THEN 'outside' ELSE 'inside' END, 'starts_at', slot.problem, slot.accepted;
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION sla.request_problems(text, text, jsonb, timestamptz, text[]) IS 'Internal: what sla.check_request gives, but only what depends on one of these fields; NULL: all of it.';

CREATE FUNCTION sla.check_request(policy text, kind text, request jsonb, requested_at timestamptz DEFAULT now())
    RETURNS TABLE (rule text, field text, problem text, accepted text)
    LANGUAGE sql STABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$ SELECT * FROM sla.request_problems(policy, kind, request, requested_at, NULL) $$;
COMMENT ON FUNCTION sla.check_request(text, text, jsonb, timestamptz) IS 'Everything that is wrong with a request by the policy version in force when it is made; no rows when it is accepted. request: an object of fields (sla.request_fields); NULL has none. rule: fields (missing, or not what it should be), period (the end is not after the start), lead, slot_lead, inside or outside; field: which one is at fault, NULL: the request as a whole; problem: what is wrong, in words; accepted: what would be accepted, NULL: see problem. Times without an offset are read on the clock of the policy version''s time zone, in which all are written. Raises 42704 when the policy or the kind is not known, 22004 and 22023 when requested_at is NULL or infinite.';
