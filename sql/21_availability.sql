-- Availability: how much of a period a service was up. Facts in, numbers out:
-- these functions know no services, no policies and no current time.

CREATE TYPE sla.availability AS (
    measured    interval,
    up          interval,
    down        interval,
    unknown     interval,
    excluded    interval,
    percent     numeric
);
COMMENT ON TYPE sla.availability IS 'How much of a period a service was up, in hours and less, never days, to the microsecond. up, down, unknown and excluded have no part in common and are together the time inside the hours that count; measured is what percent is of: up, down and, unless it is ignored, unknown.';
COMMENT ON COLUMN sla.availability.measured IS 'Time that percent is of.';
COMMENT ON COLUMN sla.availability.up IS 'Time nothing else is known of.';
COMMENT ON COLUMN sla.availability.down IS 'Time down and not excluded.';
COMMENT ON COLUMN sla.availability.unknown IS 'Time that is neither excluded nor known to be down, and in which nothing was observed.';
COMMENT ON COLUMN sla.availability.excluded IS 'Time that does not count, whatever happened in it.';
COMMENT ON COLUMN sla.availability.percent IS 'Of the measured time the share that was up, 0 to 100 with six decimals, the rest cut off: 100 only where nothing was down, and not less than a goal of so many decimals only where the exact share is not. Where nothing is measured: 100 if all of the time was excluded, else NULL.';

CREATE FUNCTION sla.availability(
    period tstzrange,
    down tstzmultirange,
    excluded tstzmultirange DEFAULT '{}',
    unknown tstzmultirange DEFAULT '{}',
    hours sla.business_hours DEFAULT '24/7',
    unknown_counts text DEFAULT 'ignore',
    alive tstzrange DEFAULT '(,)',
    young text DEFAULT 'period') RETURNS sla.availability
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20
    AS 'MODULE_PATHNAME', 'slapolicy_availability';
COMMENT ON FUNCTION sla.availability(tstzrange, tstzmultirange, tstzmultirange, tstzmultirange, sla.business_hours, text, tstzrange, text) IS 'How much of the period a service was up, as a row of type sla.availability. Only time inside the hours counts. What is excluded is neither up nor down; what is down is not unknown. unknown_counts says what unknown time counts as: ignore (not measured), up, down. alive is the life of the service, outside of which nothing is down; young says whether a period that it did not live through is measured as a whole, as if it had been up before and after (period), or only its life. Takes time for each range, not for the length of the period. An empty period has nothing to measure; raises 22008 for an unbounded one, 22023 for a word it does not know.';

CREATE FUNCTION sla.availability_stretches(
    period tstzrange,
    down tstzmultirange,
    excluded tstzmultirange DEFAULT '{}',
    unknown tstzmultirange DEFAULT '{}',
    hours sla.business_hours DEFAULT '24/7',
    alive tstzrange DEFAULT '(,)',
    young text DEFAULT 'period',
    OUT during tstzrange,
    OUT state text,
    OUT counted interval)
    RETURNS SETOF record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 100
    AS 'MODULE_PATHNAME', 'slapolicy_availability_stretches';
COMMENT ON FUNCTION sla.availability_stretches(tstzrange, tstzmultirange, tstzmultirange, tstzmultirange, sla.business_hours, tstzrange, text) IS 'The period stretch by stretch, a set of rows in order of time without gaps: when, the state (up, down, unknown, excluded), and how much of it lies inside the hours. What sla.availability of the same arguments adds up.';

CREATE FUNCTION sla.availability_of_step(state internal, period tstzrange, during tstzrange, kind text) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_availability_of_step';
COMMENT ON FUNCTION sla.availability_of_step(internal, tstzrange, tstzrange, text) IS 'Internal: of the aggregate sla.availability_of.';

CREATE FUNCTION sla.availability_of_step(state internal, period tstzrange, during tstzrange, kind text,
        hours sla.business_hours, unknown_counts text, alive tstzrange, young text) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_availability_of_step';
COMMENT ON FUNCTION sla.availability_of_step(internal, tstzrange, tstzrange, text, sla.business_hours, text, tstzrange, text) IS 'Internal: of the aggregate sla.availability_of.';

CREATE FUNCTION sla.availability_of_combine(internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_availability_of_combine';
COMMENT ON FUNCTION sla.availability_of_combine(internal, internal) IS 'Internal: of the aggregate sla.availability_of.';

CREATE FUNCTION sla.availability_of_serial(internal) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_availability_of_serial';
COMMENT ON FUNCTION sla.availability_of_serial(internal) IS 'Internal: of the aggregate sla.availability_of.';

CREATE FUNCTION sla.availability_of_deserial(bytea, internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_availability_of_deserial';
COMMENT ON FUNCTION sla.availability_of_deserial(bytea, internal) IS 'Internal: of the aggregate sla.availability_of.';

CREATE FUNCTION sla.availability_of_final(internal) RETURNS sla.availability
    LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_availability_of_final';
COMMENT ON FUNCTION sla.availability_of_final(internal) IS 'Internal: of the aggregate sla.availability_of.';

CREATE AGGREGATE sla.availability_of(period tstzrange, during tstzrange, kind text) (
    SFUNC = sla.availability_of_step,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = sla.availability_of_final,
    COMBINEFUNC = sla.availability_of_combine,
    SERIALFUNC = sla.availability_of_serial,
    DESERIALFUNC = sla.availability_of_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE sla.availability_of(tstzrange, tstzrange, text) IS 'sla.availability over rows of facts, which may overlap and come in any order: during is when, kind what (down, unknown, excluded). A row whose during is NULL or empty only says that the period is to be measured, as from an outer join; one whose period is NULL says nothing. NULL for no rows; raises 22023 where the rows of a group have different periods, 22004 for a kind that is NULL.';

CREATE AGGREGATE sla.availability_of(period tstzrange, during tstzrange, kind text,
        hours sla.business_hours, unknown_counts text, alive tstzrange, young text) (
    SFUNC = sla.availability_of_step,
    STYPE = internal,
    SSPACE = 1024,
    FINALFUNC = sla.availability_of_final,
    COMBINEFUNC = sla.availability_of_combine,
    SERIALFUNC = sla.availability_of_serial,
    DESERIALFUNC = sla.availability_of_deserial,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE sla.availability_of(tstzrange, tstzrange, text, sla.business_hours, text, tstzrange, text) IS 'The same with all that sla.availability can be told, alike in all rows of a group and not NULL (22004).';
