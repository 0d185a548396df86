
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
COMMENT ON TYPE sla.business_hours IS 'When work counts: a time zone, weekly hours and special dates, as in "Europe/Berlin Mo-Fr 09:00-17:00; 2026-12-25 off", or 24/7';

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
