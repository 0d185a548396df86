-- Severity of a ticket. S1, the most severe, sorts first.

CREATE TYPE sla.severity;

CREATE FUNCTION sla.severity_in(cstring) RETURNS sla.severity
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_severity_in';
COMMENT ON FUNCTION sla.severity_in(cstring) IS 'I/O';

CREATE FUNCTION sla.severity_out(sla.severity) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_severity_out';
COMMENT ON FUNCTION sla.severity_out(sla.severity) IS 'I/O';

CREATE FUNCTION sla.severity_recv(internal) RETURNS sla.severity
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_severity_recv';
COMMENT ON FUNCTION sla.severity_recv(internal) IS 'I/O';

CREATE FUNCTION sla.severity_send(sla.severity) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_severity_send';
COMMENT ON FUNCTION sla.severity_send(sla.severity) IS 'I/O';

CREATE TYPE sla.severity (
    INPUT = sla.severity_in,
    OUTPUT = sla.severity_out,
    RECEIVE = sla.severity_recv,
    SEND = sla.severity_send,
    INTERNALLENGTH = 2,
    PASSEDBYVALUE,
    ALIGNMENT = int2,
    STORAGE = plain,
    CATEGORY = 'S'
);
COMMENT ON TYPE sla.severity IS 'Severity of a ticket, S1 (most severe) to S9; S1 < S2. P1, SEV1, "Sev 1", "Priority 1" and 1 are read as S1.';

-- So that generated SQL, which casts nothing and knows no search path, can
-- compare severities with texts: S1 to S9 have the same order as texts.
CREATE CAST (sla.severity AS text) WITH INOUT AS IMPLICIT;
COMMENT ON CAST (sla.severity AS text) IS 'S1 to S9';

CREATE FUNCTION sla.severity_lt(sla.severity, sla.severity) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_severity_lt';
COMMENT ON FUNCTION sla.severity_lt(sla.severity, sla.severity) IS 'implementation of < operator';

CREATE FUNCTION sla.severity_le(sla.severity, sla.severity) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_severity_le';
COMMENT ON FUNCTION sla.severity_le(sla.severity, sla.severity) IS 'implementation of <= operator';

CREATE FUNCTION sla.severity_eq(sla.severity, sla.severity) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_severity_eq';
COMMENT ON FUNCTION sla.severity_eq(sla.severity, sla.severity) IS 'implementation of = operator';

CREATE FUNCTION sla.severity_ge(sla.severity, sla.severity) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_severity_ge';
COMMENT ON FUNCTION sla.severity_ge(sla.severity, sla.severity) IS 'implementation of >= operator';

CREATE FUNCTION sla.severity_gt(sla.severity, sla.severity) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_severity_gt';
COMMENT ON FUNCTION sla.severity_gt(sla.severity, sla.severity) IS 'implementation of > operator';

CREATE FUNCTION sla.severity_ne(sla.severity, sla.severity) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_severity_ne';
COMMENT ON FUNCTION sla.severity_ne(sla.severity, sla.severity) IS 'implementation of <> operator';

CREATE FUNCTION sla.severity_cmp(sla.severity, sla.severity) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_severity_cmp';
COMMENT ON FUNCTION sla.severity_cmp(sla.severity, sla.severity) IS 'less-equal-greater';

CREATE FUNCTION sla.severity_hash(sla.severity) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_severity_hash';
COMMENT ON FUNCTION sla.severity_hash(sla.severity) IS 'hash';

CREATE FUNCTION sla.severity_hash_extended(sla.severity, bigint) RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_severity_hash_extended';
COMMENT ON FUNCTION sla.severity_hash_extended(sla.severity, bigint) IS 'hash';

CREATE OPERATOR sla.< (
    FUNCTION = sla.severity_lt,
    LEFTARG = sla.severity, RIGHTARG = sla.severity,
    COMMUTATOR = OPERATOR(sla.>), NEGATOR = OPERATOR(sla.>=),
    RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR sla.< (sla.severity, sla.severity) IS 'more severe than';

CREATE OPERATOR sla.<= (
    FUNCTION = sla.severity_le,
    LEFTARG = sla.severity, RIGHTARG = sla.severity,
    COMMUTATOR = OPERATOR(sla.>=), NEGATOR = OPERATOR(sla.>),
    RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR sla.<= (sla.severity, sla.severity) IS 'at least as severe as';

CREATE OPERATOR sla.= (
    FUNCTION = sla.severity_eq,
    LEFTARG = sla.severity, RIGHTARG = sla.severity,
    COMMUTATOR = OPERATOR(sla.=), NEGATOR = OPERATOR(sla.<>),
    RESTRICT = eqsel, JOIN = eqjoinsel,
    HASHES, MERGES
);
COMMENT ON OPERATOR sla.= (sla.severity, sla.severity) IS 'equal';

CREATE OPERATOR sla.>= (
    FUNCTION = sla.severity_ge,
    LEFTARG = sla.severity, RIGHTARG = sla.severity,
    COMMUTATOR = OPERATOR(sla.<=), NEGATOR = OPERATOR(sla.<),
    RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR sla.>= (sla.severity, sla.severity) IS 'at most as severe as';

CREATE OPERATOR sla.> (
    FUNCTION = sla.severity_gt,
    LEFTARG = sla.severity, RIGHTARG = sla.severity,
    COMMUTATOR = OPERATOR(sla.<), NEGATOR = OPERATOR(sla.<=),
    RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR sla.> (sla.severity, sla.severity) IS 'less severe than';

CREATE OPERATOR sla.<> (
    FUNCTION = sla.severity_ne,
    LEFTARG = sla.severity, RIGHTARG = sla.severity,
    COMMUTATOR = OPERATOR(sla.<>), NEGATOR = OPERATOR(sla.=),
    RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR sla.<> (sla.severity, sla.severity) IS 'not equal';

CREATE OPERATOR FAMILY sla.severity_ops USING btree;
COMMENT ON OPERATOR FAMILY sla.severity_ops USING btree IS 'order of sla.severity, most severe first';

CREATE OPERATOR CLASS sla.severity_ops
    DEFAULT FOR TYPE sla.severity USING btree FAMILY sla.severity_ops AS
    OPERATOR 1 sla.<,
    OPERATOR 2 sla.<=,
    OPERATOR 3 sla.=,
    OPERATOR 4 sla.>=,
    OPERATOR 5 sla.>,
    FUNCTION 1 sla.severity_cmp(sla.severity, sla.severity),
    FUNCTION 2 btint2sortsupport(internal),
    FUNCTION 4 btequalimage(oid);
COMMENT ON OPERATOR CLASS sla.severity_ops USING btree IS 'order of sla.severity, most severe first';

CREATE OPERATOR FAMILY sla.severity_ops USING hash;
COMMENT ON OPERATOR FAMILY sla.severity_ops USING hash IS 'equality of sla.severity';

CREATE OPERATOR CLASS sla.severity_ops
    DEFAULT FOR TYPE sla.severity USING hash FAMILY sla.severity_ops AS
    OPERATOR 1 sla.=,
    FUNCTION 1 sla.severity_hash(sla.severity),
    FUNCTION 2 sla.severity_hash_extended(sla.severity, bigint);
COMMENT ON OPERATOR CLASS sla.severity_ops USING hash IS 'equality of sla.severity';

