-- The table of an attachment: an OID inside, as regclass, and no other
-- operators than those of OIDs.

CREATE TYPE sla.attached_table;

CREATE FUNCTION sla.attached_table_in(cstring) RETURNS sla.attached_table
    LANGUAGE c STABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_attached_table_in';
COMMENT ON FUNCTION sla.attached_table_in(cstring) IS 'I/O';

CREATE FUNCTION sla.attached_table_out(sla.attached_table) RETURNS cstring
    LANGUAGE c STABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_attached_table_out';
COMMENT ON FUNCTION sla.attached_table_out(sla.attached_table) IS 'I/O';

CREATE FUNCTION sla.attached_table_recv(internal) RETURNS sla.attached_table
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_attached_table_recv';
COMMENT ON FUNCTION sla.attached_table_recv(internal) IS 'I/O';

CREATE FUNCTION sla.attached_table_send(sla.attached_table) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_attached_table_send';
COMMENT ON FUNCTION sla.attached_table_send(sla.attached_table) IS 'I/O';

CREATE TYPE sla.attached_table (
    INPUT = sla.attached_table_in,
    OUTPUT = sla.attached_table_out,
    RECEIVE = sla.attached_table_recv,
    SEND = sla.attached_table_send,
    INTERNALLENGTH = 4,
    PASSEDBYVALUE,
    ALIGNMENT = int4,
    STORAGE = plain,
    CATEGORY = 'N'
);
COMMENT ON TYPE sla.attached_table IS 'A table that is or was attached: regclass, but its text always has the schema in it, is "-" once the table is gone, and may name a table that is missing while a dump is restored.';

CREATE CAST (sla.attached_table AS regclass) WITHOUT FUNCTION AS IMPLICIT;
COMMENT ON CAST (sla.attached_table AS regclass) IS 'the same table';

CREATE CAST (regclass AS sla.attached_table) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (regclass AS sla.attached_table) IS 'the same table';

-- comparisons, indexes and joins are those of OIDs
CREATE CAST (sla.attached_table AS oid) WITHOUT FUNCTION AS IMPLICIT;
COMMENT ON CAST (sla.attached_table AS oid) IS 'its OID; 0 for a table that is gone';
