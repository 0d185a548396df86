-- An amount of working time: business days and a time, never mixed up.

CREATE TYPE sla.business_interval;

CREATE FUNCTION sla.business_interval_in(cstring) RETURNS sla.business_interval
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_interval_in';
COMMENT ON FUNCTION sla.business_interval_in(cstring) IS 'I/O';

CREATE FUNCTION sla.business_interval_out(sla.business_interval) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_interval_out';
COMMENT ON FUNCTION sla.business_interval_out(sla.business_interval) IS 'I/O';

CREATE FUNCTION sla.business_interval_recv(internal) RETURNS sla.business_interval
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_interval_recv';
COMMENT ON FUNCTION sla.business_interval_recv(internal) IS 'I/O';

CREATE FUNCTION sla.business_interval_send(sla.business_interval) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_interval_send';
COMMENT ON FUNCTION sla.business_interval_send(sla.business_interval) IS 'I/O';

CREATE TYPE sla.business_interval (
    INPUT = sla.business_interval_in,
    OUTPUT = sla.business_interval_out,
    RECEIVE = sla.business_interval_recv,
    SEND = sla.business_interval_send,
    INTERNALLENGTH = 16,
    ALIGNMENT = double,
    STORAGE = plain
);
COMMENT ON TYPE sla.business_interval IS 'Amount of working time: business days and a time, as in "2bd 3h 30min", "90 min", "1:30" or "P2DT3H". Ordered by business days, then time.';

CREATE FUNCTION sla.business_interval_pl(sla.business_interval, sla.business_interval) RETURNS sla.business_interval
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_interval_pl';
COMMENT ON FUNCTION sla.business_interval_pl(sla.business_interval, sla.business_interval) IS 'implementation of + operator';

CREATE FUNCTION sla.business_interval_mi(sla.business_interval, sla.business_interval) RETURNS sla.business_interval
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_interval_mi';
COMMENT ON FUNCTION sla.business_interval_mi(sla.business_interval, sla.business_interval) IS 'implementation of - operator';

CREATE FUNCTION sla.business_interval_um(sla.business_interval) RETURNS sla.business_interval
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_interval_um';
COMMENT ON FUNCTION sla.business_interval_um(sla.business_interval) IS 'implementation of - operator';

CREATE OPERATOR sla.+ (
    FUNCTION = sla.business_interval_pl,
    LEFTARG = sla.business_interval, RIGHTARG = sla.business_interval,
    COMMUTATOR = OPERATOR(sla.+)
);
COMMENT ON OPERATOR sla.+ (sla.business_interval, sla.business_interval) IS 'add business days to business days and time to time';

CREATE OPERATOR sla.- (
    FUNCTION = sla.business_interval_mi,
    LEFTARG = sla.business_interval, RIGHTARG = sla.business_interval
);
COMMENT ON OPERATOR sla.- (sla.business_interval, sla.business_interval) IS 'subtract business days from business days and time from time';

CREATE OPERATOR sla.- (
    FUNCTION = sla.business_interval_um,
    RIGHTARG = sla.business_interval
);
COMMENT ON OPERATOR sla.- (NONE, sla.business_interval) IS 'negate';

CREATE FUNCTION sla.business_interval_lt(sla.business_interval, sla.business_interval) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_interval_lt';
COMMENT ON FUNCTION sla.business_interval_lt(sla.business_interval, sla.business_interval) IS 'implementation of < operator';

CREATE FUNCTION sla.business_interval_le(sla.business_interval, sla.business_interval) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_interval_le';
COMMENT ON FUNCTION sla.business_interval_le(sla.business_interval, sla.business_interval) IS 'implementation of <= operator';

CREATE FUNCTION sla.business_interval_eq(sla.business_interval, sla.business_interval) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_interval_eq';
COMMENT ON FUNCTION sla.business_interval_eq(sla.business_interval, sla.business_interval) IS 'implementation of = operator';

CREATE FUNCTION sla.business_interval_ge(sla.business_interval, sla.business_interval) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_interval_ge';
COMMENT ON FUNCTION sla.business_interval_ge(sla.business_interval, sla.business_interval) IS 'implementation of >= operator';

CREATE FUNCTION sla.business_interval_gt(sla.business_interval, sla.business_interval) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_interval_gt';
COMMENT ON FUNCTION sla.business_interval_gt(sla.business_interval, sla.business_interval) IS 'implementation of > operator';

CREATE FUNCTION sla.business_interval_ne(sla.business_interval, sla.business_interval) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_interval_ne';
COMMENT ON FUNCTION sla.business_interval_ne(sla.business_interval, sla.business_interval) IS 'implementation of <> operator';

CREATE FUNCTION sla.business_interval_cmp(sla.business_interval, sla.business_interval) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_interval_cmp';
COMMENT ON FUNCTION sla.business_interval_cmp(sla.business_interval, sla.business_interval) IS 'less-equal-greater';

CREATE FUNCTION sla.business_interval_sortsupport(internal) RETURNS void
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_interval_sortsupport';
COMMENT ON FUNCTION sla.business_interval_sortsupport(internal) IS 'sort support';

CREATE FUNCTION sla.business_interval_hash(sla.business_interval) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_interval_hash';
COMMENT ON FUNCTION sla.business_interval_hash(sla.business_interval) IS 'hash';

CREATE FUNCTION sla.business_interval_hash_extended(sla.business_interval, bigint) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_interval_hash_extended';
COMMENT ON FUNCTION sla.business_interval_hash_extended(sla.business_interval, bigint) IS 'hash';

CREATE OPERATOR sla.< (
    FUNCTION = sla.business_interval_lt,
    LEFTARG = sla.business_interval, RIGHTARG = sla.business_interval,
    COMMUTATOR = OPERATOR(sla.>), NEGATOR = OPERATOR(sla.>=),
    RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR sla.< (sla.business_interval, sla.business_interval) IS 'less than';

CREATE OPERATOR sla.<= (
    FUNCTION = sla.business_interval_le,
    LEFTARG = sla.business_interval, RIGHTARG = sla.business_interval,
    COMMUTATOR = OPERATOR(sla.>=), NEGATOR = OPERATOR(sla.>),
    RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR sla.<= (sla.business_interval, sla.business_interval) IS 'less than or equal';

CREATE OPERATOR sla.= (
    FUNCTION = sla.business_interval_eq,
    LEFTARG = sla.business_interval, RIGHTARG = sla.business_interval,
    COMMUTATOR = OPERATOR(sla.=), NEGATOR = OPERATOR(sla.<>),
    RESTRICT = eqsel, JOIN = eqjoinsel,
    HASHES, MERGES
);
COMMENT ON OPERATOR sla.= (sla.business_interval, sla.business_interval) IS 'equal';

CREATE OPERATOR sla.>= (
    FUNCTION = sla.business_interval_ge,
    LEFTARG = sla.business_interval, RIGHTARG = sla.business_interval,
    COMMUTATOR = OPERATOR(sla.<=), NEGATOR = OPERATOR(sla.<),
    RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR sla.>= (sla.business_interval, sla.business_interval) IS 'greater than or equal';

CREATE OPERATOR sla.> (
    FUNCTION = sla.business_interval_gt,
    LEFTARG = sla.business_interval, RIGHTARG = sla.business_interval,
    COMMUTATOR = OPERATOR(sla.<), NEGATOR = OPERATOR(sla.<=),
    RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR sla.> (sla.business_interval, sla.business_interval) IS 'greater than';

CREATE OPERATOR sla.<> (
    FUNCTION = sla.business_interval_ne,
    LEFTARG = sla.business_interval, RIGHTARG = sla.business_interval,
    COMMUTATOR = OPERATOR(sla.<>), NEGATOR = OPERATOR(sla.=),
    RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR sla.<> (sla.business_interval, sla.business_interval) IS 'not equal';

CREATE OPERATOR FAMILY sla.business_interval_ops USING btree;
COMMENT ON OPERATOR FAMILY sla.business_interval_ops USING btree IS 'order of sla.business_interval, by business days, then time';

CREATE OPERATOR CLASS sla.business_interval_ops
    DEFAULT FOR TYPE sla.business_interval USING btree FAMILY sla.business_interval_ops AS
    OPERATOR 1 sla.<,
    OPERATOR 2 sla.<=,
    OPERATOR 3 sla.=,
    OPERATOR 4 sla.>=,
    OPERATOR 5 sla.>,
    FUNCTION 1 sla.business_interval_cmp(sla.business_interval, sla.business_interval),
    FUNCTION 2 sla.business_interval_sortsupport(internal),
    FUNCTION 4 btequalimage(oid);
COMMENT ON OPERATOR CLASS sla.business_interval_ops USING btree IS 'order of sla.business_interval, by business days, then time';

CREATE OPERATOR FAMILY sla.business_interval_ops USING hash;
COMMENT ON OPERATOR FAMILY sla.business_interval_ops USING hash IS 'equality of sla.business_interval';

CREATE OPERATOR CLASS sla.business_interval_ops
    DEFAULT FOR TYPE sla.business_interval USING hash FAMILY sla.business_interval_ops AS
    OPERATOR 1 sla.=,
    FUNCTION 1 sla.business_interval_hash(sla.business_interval),
    FUNCTION 2 sla.business_interval_hash_extended(sla.business_interval, bigint);
COMMENT ON OPERATOR CLASS sla.business_interval_ops USING hash IS 'equality of sla.business_interval';

CREATE FUNCTION sla.business_interval(interval) RETURNS sla.business_interval
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_business_interval';
COMMENT ON FUNCTION sla.business_interval(interval) IS 'working time of the length of an interval without months and days';

CREATE FUNCTION sla.to_interval(sla.business_interval) RETURNS interval
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_to_interval';
COMMENT ON FUNCTION sla.to_interval(sla.business_interval) IS 'interval (hours, never days) of the length of working time without business days';

CREATE CAST (interval AS sla.business_interval)
    WITH FUNCTION sla.business_interval(interval) AS ASSIGNMENT;
COMMENT ON CAST (interval AS sla.business_interval) IS 'an interval with months or days is an error';

CREATE CAST (sla.business_interval AS interval)
    WITH FUNCTION sla.to_interval(sla.business_interval) AS ASSIGNMENT;
COMMENT ON CAST (sla.business_interval AS interval) IS 'an amount with business days is an error';

CREATE AGGREGATE sla.sum(sla.business_interval) (
    SFUNC = sla.business_interval_pl,
    STYPE = sla.business_interval,
    COMBINEFUNC = sla.business_interval_pl,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE sla.sum(sla.business_interval) IS 'The amounts added up, days to days and time to time; NULL for none. Raises 22008 beyond the range of the type.';

