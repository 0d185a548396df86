
-- The type sla.business_hours: when work counts.

CREATE TYPE sla.business_hours;

CREATE FUNCTION sla.business_hours_in(cstring) RETURNS sla.business_hours
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_hours_in';
COMMENT ON FUNCTION sla.business_hours_in(cstring) IS 'Input function of sla.business_hours';

CREATE FUNCTION sla.business_hours_out(sla.business_hours) RETURNS cstring
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_hours_out';
COMMENT ON FUNCTION sla.business_hours_out(sla.business_hours) IS 'Output function of sla.business_hours: the canonical notation';

CREATE FUNCTION sla.business_hours_recv(internal) RETURNS sla.business_hours
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_hours_recv';
COMMENT ON FUNCTION sla.business_hours_recv(internal) IS 'Binary input function of sla.business_hours';

CREATE FUNCTION sla.business_hours_send(sla.business_hours) RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_hours_send';
COMMENT ON FUNCTION sla.business_hours_send(sla.business_hours) IS 'Binary output function of sla.business_hours: a version byte, then the canonical notation';

CREATE TYPE sla.business_hours (
    INPUT = sla.business_hours_in,
    OUTPUT = sla.business_hours_out,
    RECEIVE = sla.business_hours_recv,
    SEND = sla.business_hours_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = extended
);
COMMENT ON TYPE sla.business_hours IS 'When work counts: a time zone, weekly hours and special dates, as in "Europe/Berlin Mo-Fr 09:00-17:00; Dec 25-26 off", or 24/7; several of them joined by |, & and -';

CREATE FUNCTION sla.business_hours_eq(sla.business_hours, sla.business_hours) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_hours_eq';
COMMENT ON FUNCTION sla.business_hours_eq(sla.business_hours, sla.business_hours) IS 'Implementation of the = operator: the same calendar, however it was spelled';

CREATE FUNCTION sla.business_hours_ne(sla.business_hours, sla.business_hours) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_hours_ne';
COMMENT ON FUNCTION sla.business_hours_ne(sla.business_hours, sla.business_hours) IS 'Implementation of the <> operator';

CREATE FUNCTION sla.business_hours_hash(sla.business_hours) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_hours_hash';
COMMENT ON FUNCTION sla.business_hours_hash(sla.business_hours) IS 'Hash function of sla.business_hours';

CREATE FUNCTION sla.business_hours_hash_extended(sla.business_hours, bigint) RETURNS bigint
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_hours_hash_extended';
COMMENT ON FUNCTION sla.business_hours_hash_extended(sla.business_hours, bigint) IS 'Hash function of sla.business_hours with a seed';

CREATE OPERATOR sla.= (
    LEFTARG = sla.business_hours,
    RIGHTARG = sla.business_hours,
    FUNCTION = sla.business_hours_eq,
    COMMUTATOR = OPERATOR(sla.=),
    NEGATOR = OPERATOR(sla.<>),
    RESTRICT = eqsel,
    JOIN = eqjoinsel,
    HASHES
);
COMMENT ON OPERATOR sla.= (sla.business_hours, sla.business_hours) IS 'The same calendar';

CREATE OPERATOR sla.<> (
    LEFTARG = sla.business_hours,
    RIGHTARG = sla.business_hours,
    FUNCTION = sla.business_hours_ne,
    COMMUTATOR = OPERATOR(sla.<>),
    NEGATOR = OPERATOR(sla.=),
    RESTRICT = neqsel,
    JOIN = neqjoinsel
);
COMMENT ON OPERATOR sla.<> (sla.business_hours, sla.business_hours) IS 'Not the same calendar';

CREATE OPERATOR FAMILY sla.business_hours_hash_ops USING hash;
COMMENT ON OPERATOR FAMILY sla.business_hours_hash_ops USING hash IS 'Hashing of sla.business_hours';

CREATE OPERATOR CLASS sla.business_hours_hash_ops
    DEFAULT FOR TYPE sla.business_hours USING hash FAMILY sla.business_hours_hash_ops AS
    OPERATOR 1 sla.= (sla.business_hours, sla.business_hours),
    FUNCTION 1 sla.business_hours_hash(sla.business_hours),
    FUNCTION 2 sla.business_hours_hash_extended(sla.business_hours, bigint);
COMMENT ON OPERATOR CLASS sla.business_hours_hash_ops USING hash IS 'Hashing of sla.business_hours: grouping, distinct, hash joins and hash indexes';

-- Composed of others

CREATE FUNCTION sla.with_holidays(hours sla.business_hours, holidays date[]) RETURNS sla.business_hours
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
    AS 'MODULE_PATHNAME', 'slapolicy_with_holidays';
COMMENT ON FUNCTION sla.with_holidays(sla.business_hours, date[]) IS 'The hours, closed on the dates given; a date for which the hours say something themselves, if only in every year, keeps it. The hours must have a time zone of their own: not 24/7, and not several parts joined.';

CREATE FUNCTION sla.business_hours(zone text, rules text, holidays date[] DEFAULT '{}') RETURNS sla.business_hours
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000
    AS 'MODULE_PATHNAME', 'slapolicy_business_hours_make';
COMMENT ON FUNCTION sla.business_hours(text, text, date[]) IS 'The hours of one time zone with rules in the usual notation, as in "Mo-Fr 09:00-17:00; Dec 25-26 off", closed on the holidays for which no rule says something else';

CREATE FUNCTION sla.business_hours_union(sla.business_hours, sla.business_hours) RETURNS sla.business_hours
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500
    AS 'MODULE_PATHNAME', 'slapolicy_business_hours_union';
COMMENT ON FUNCTION sla.business_hours_union(sla.business_hours, sla.business_hours) IS 'Implementation of the | operator';

CREATE FUNCTION sla.business_hours_intersect(sla.business_hours, sla.business_hours) RETURNS sla.business_hours
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500
    AS 'MODULE_PATHNAME', 'slapolicy_business_hours_intersect';
COMMENT ON FUNCTION sla.business_hours_intersect(sla.business_hours, sla.business_hours) IS 'Implementation of the & operator';

CREATE FUNCTION sla.business_hours_except(sla.business_hours, sla.business_hours) RETURNS sla.business_hours
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500
    AS 'MODULE_PATHNAME', 'slapolicy_business_hours_except';
COMMENT ON FUNCTION sla.business_hours_except(sla.business_hours, sla.business_hours) IS 'Implementation of the - operator';

CREATE OPERATOR sla.| (
    LEFTARG = sla.business_hours,
    RIGHTARG = sla.business_hours,
    FUNCTION = sla.business_hours_union
);
COMMENT ON OPERATOR sla.| (sla.business_hours, sla.business_hours) IS 'Open when either is; the left one says what a business day is';

CREATE OPERATOR sla.& (
    LEFTARG = sla.business_hours,
    RIGHTARG = sla.business_hours,
    FUNCTION = sla.business_hours_intersect
);
COMMENT ON OPERATOR sla.& (sla.business_hours, sla.business_hours) IS 'Open when both are; the left one says what a business day is';

CREATE OPERATOR sla.- (
    LEFTARG = sla.business_hours,
    RIGHTARG = sla.business_hours,
    FUNCTION = sla.business_hours_except
);
COMMENT ON OPERATOR sla.- (sla.business_hours, sla.business_hours) IS 'Open when the left one is and the right one is not; the left one says what a business day is. Unlike in the notation, - comes before | and & unless there are parentheses.';

-- What a value says

CREATE FUNCTION sla.zones(hours sla.business_hours) RETURNS text[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
    AS 'MODULE_PATHNAME', 'slapolicy_business_hours_zones';
COMMENT ON FUNCTION sla.zones(sla.business_hours) IS 'The time zones of the parts, one for each, from left to right; UTC for 24/7';

CREATE FUNCTION sla.weekly_hours(
    hours sla.business_hours,
    OUT part int,
    OUT weekday int,
    OUT opens interval,
    OUT closes interval)
    RETURNS SETOF record
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 5
    AS 'MODULE_PATHNAME', 'slapolicy_weekly_hours';
COMMENT ON FUNCTION sla.weekly_hours(sla.business_hours) IS 'The weekly hours, one row per opening: part, from 1, weekday from 1 (Monday) to 7 (Sunday), and when it opens and closes, counted from 00:00 of that day; beyond 24:00 it closes on the next day.';

CREATE FUNCTION sla.special_dates(
    hours sla.business_hours,
    first date DEFAULT '-infinity',
    last date DEFAULT 'infinity',
    OUT part int,
    OUT day date,
    OUT opens interval,
    OUT closes interval)
    RETURNS SETOF record
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 100
    AS 'MODULE_PATHNAME', 'slapolicy_special_dates';
COMMENT ON FUNCTION sla.special_dates(sla.business_hours, date, date) IS 'The dates from first to last, both included, for which rules say something of their own: part, from 1, date, and when it opens and closes, counted from its 00:00; one row per opening, one with NULLs for a closed date. An infinite first or last stands for the year 0001 or 9999: name both where dates recur every year.';
