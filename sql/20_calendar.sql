-- Questions to a calendar. Each answer depends on the arguments alone: neither
-- the session's time zone nor the current time matters. As with PostgreSQL's own
-- time-zone conversions, an update of the server's time zone data can change
-- answers about instants whose rules it changes.

CREATE FUNCTION sla.business_add(instant timestamptz, amount sla.business_interval, hours sla.business_hours) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_add';
COMMENT ON FUNCTION sla.business_add(timestamptz, sla.business_interval, sla.business_hours) IS 'The instant at which the amount of working time has passed since the given one: its business days first, then its time, each in the direction of its sign. The earliest such instant, so an amount that ends with the day ends at closing time; zero gives the instant itself. infinity when that much working time never accumulates; an infinite instant comes back as it is.';

CREATE FUNCTION sla.business_sub(instant timestamptz, amount sla.business_interval, hours sla.business_hours) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_sub';
COMMENT ON FUNCTION sla.business_sub(timestamptz, sla.business_interval, sla.business_hours) IS 'The instant from which the amount of working time has passed until the given one; business_add mirrored, so an amount that used up the day begins at opening time. -infinity when there never was that much.';

CREATE FUNCTION sla.business_between(a timestamptz, b timestamptz, hours sla.business_hours) RETURNS interval
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_between';
COMMENT ON FUNCTION sla.business_between(timestamptz, timestamptz, sla.business_hours) IS 'Working time from a to b: elapsed time inside the hours, in hours and less, never days; negative when b lies before a. Raises 22008 for infinite instants and beyond the range of interval.';

CREATE FUNCTION sla.is_open(hours sla.business_hours, instant timestamptz) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_is_open';
COMMENT ON FUNCTION sla.is_open(sla.business_hours, timestamptz) IS 'Whether the instant lies within the hours. Openings include their start and exclude their end. NULL at an infinite instant.';

CREATE FUNCTION sla.next_open(hours sla.business_hours, instant timestamptz) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_next_open';
COMMENT ON FUNCTION sla.next_open(sla.business_hours, timestamptz) IS 'The first opening strictly after the instant; NULL when there is none. An infinite instant comes back as it is.';

CREATE FUNCTION sla.next_close(hours sla.business_hours, instant timestamptz) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_next_close';
COMMENT ON FUNCTION sla.next_close(sla.business_hours, timestamptz) IS 'The first closing strictly after the instant; openings that touch are one. NULL when there is none. An infinite instant comes back as it is.';

CREATE FUNCTION sla.prev_open(hours sla.business_hours, instant timestamptz) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_prev_open';
COMMENT ON FUNCTION sla.prev_open(sla.business_hours, timestamptz) IS 'The last opening strictly before the instant; NULL when there is none. An infinite instant comes back as it is.';

CREATE FUNCTION sla.prev_close(hours sla.business_hours, instant timestamptz) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_prev_close';
COMMENT ON FUNCTION sla.prev_close(sla.business_hours, timestamptz) IS 'The last closing strictly before the instant; NULL when there is none. An infinite instant comes back as it is.';

CREATE FUNCTION sla.is_business_day(hours sla.business_hours, day date) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_is_business_day';
COMMENT ON FUNCTION sla.is_business_day(sla.business_hours, date) IS 'Whether some rule opens on the local date: special dates applied, clock changes aside; the tail of an opening of the day before does not count. Bare 24/7 goes by UTC dates. NULL at an infinite date.';

CREATE FUNCTION sla.business_days_add(day date, n int, hours sla.business_hours) RETURNS date
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_days_add';
COMMENT ON FUNCTION sla.business_days_add(date, int, sla.business_hours) IS 'The n-th business day after the date, before it for a negative n, the date itself for 0. infinity or -infinity when there is none; an infinite date comes back as it is.';

CREATE FUNCTION sla.business_days_between(a date, b date, hours sla.business_hours) RETURNS int
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_days_between';
COMMENT ON FUNCTION sla.business_days_between(date, date, sla.business_hours) IS 'How many business days lie in [a, b); negative when b lies before a. Raises 22008 for infinite dates.';

CREATE FUNCTION sla.deadline(
    started timestamptz,
    goal sla.business_interval,
    hours sla.business_hours,
    pauses tstzmultirange DEFAULT '{}') RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_deadline';
COMMENT ON FUNCTION sla.deadline(timestamptz, sla.business_interval, sla.business_hours, tstzmultirange) IS 'business_add around pauses: working time inside a pause does not count. A goal with business days is the working time up to the answer without pauses. infinity when the goal is never reached.';

CREATE FUNCTION sla.explain_deadline(
    started timestamptz,
    goal sla.business_interval,
    hours sla.business_hours,
    pauses tstzmultirange DEFAULT '{}',
    OUT "from" timestamptz,
    OUT "to" timestamptz,
    OUT counted interval,
    OUT elapsed interval,
    OUT why text)
    RETURNS SETOF record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 20
    AS 'MODULE_PATHNAME', 'slapolicy_explain_deadline';
COMMENT ON FUNCTION sla.explain_deadline(timestamptz, sla.business_interval, sla.business_hours, tstzmultirange) IS 'Why sla.deadline of the same arguments gives what it gives: a set of rows, one per stretch between start and deadline in order of time, each with what of it counted, what elapsed (NULL when it never ends) and why: open, closed, weekend, holiday, special hours, pause, and the clock changes in it, at most ten. No rows for an infinite start or a zero goal.';

CREATE FUNCTION sla.open_windows(hours sla.business_hours, period tstzrange) RETURNS SETOF tstzrange
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 250
    AS 'MODULE_PATHNAME', 'slapolicy_open_windows';
COMMENT ON FUNCTION sla.open_windows(sla.business_hours, tstzrange) IS 'The stretches of the period that lie within the hours, a set of [) ranges in order of time, cut off at the period''s bounds; openings that touch are one. Rows are made one by one, so that a long period costs no memory where the caller streams. Raises 22008 for an unbounded period.';

CREATE FUNCTION sla.open_time(hours sla.business_hours, period tstzrange) RETURNS tstzmultirange
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000
    AS 'MODULE_PATHNAME', 'slapolicy_open_time';
COMMENT ON FUNCTION sla.open_time(sla.business_hours, tstzrange) IS 'The part of the period that lies within the hours, as one value: what sla.open_windows lists. Raises 22008 for an unbounded period, 54000 beyond a million ranges.';

CREATE OPERATOR sla.@> (
    LEFTARG = sla.business_hours,
    RIGHTARG = timestamptz,
    FUNCTION = sla.is_open,
    RESTRICT = contsel,
    JOIN = contjoinsel
);
COMMENT ON OPERATOR sla.@> (sla.business_hours, timestamptz) IS 'Whether the instant lies within the hours; sla.is_open as an operator.';

CREATE FUNCTION sla.zone_version(zone text) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000
    AS 'MODULE_PATHNAME', 'slapolicy_zone_version';
COMMENT ON FUNCTION sla.zone_version(text) IS 'A fingerprint of all clock changes of the time zone (years 1800 to 2500) in the data this server uses: it changes when an update of the time zone data changes the zone, and differs between servers that disagree about it. Raises 22023 for an unknown zone.';

CREATE FUNCTION sla.unknown_zone(hours sla.business_hours) RETURNS text
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_unknown_zone';
COMMENT ON FUNCTION sla.unknown_zone(sla.business_hours) IS 'The first time zone of the hours that this server does not know, for values that were stored by another server; NULL when it knows all. Functions over such hours raise 22023.';

CREATE FUNCTION sla.zone_data_version() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
        SELECT md5(string_agg(n.name || ' ' || sla.zone_version(n.name), E'\n' ORDER BY n.name COLLATE "C"))
        FROM pg_timezone_names n
        WHERE n.name !~ '^(posix|right)/' AND n.name NOT IN ('localtime', 'posixrules', 'Factory')
    $$;
COMMENT ON FUNCTION sla.zone_data_version() IS 'A fingerprint of the time zone data this server uses, over all its zones: what sla.zone_version gives for each. Takes about a second the first time in a session.';
