-- Everything that the extension brings says what it is
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(7);

CREATE TEMPORARY VIEW member AS
	SELECT d.classid, d.objid, pg_describe_object(d.classid, d.objid, 0) AS name
	FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'slapolicy'
	  -- array and row types come with what they are of; from 17 on they are listed
	  AND NOT EXISTS (
		SELECT FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
		WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid AND (t.typcategory = 'A' OR c.relkind <> 'c'));

-- Sequences of identity columns are part of their column, see below.
SELECT is_empty($$
	SELECT m.name FROM member m
	WHERE coalesce(obj_description(m.objid, m.classid::regclass::name), '') = ''
	  AND NOT EXISTS (SELECT FROM pg_class c WHERE m.classid = 'pg_class'::regclass AND c.oid = m.objid AND c.relkind = 'S') $$,
	'every function, type, cast, operator, operator class, table and view has a comment');
SELECT is_empty($$
	SELECT m.name FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid AND c.relkind = 'S'
	WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i') $$,
	'a sequence without comment belongs to a column');
SELECT is_empty($$
	SELECT c.oid::regclass, a.attname
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	WHERE c.relnamespace = 'sla'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
	  AND coalesce(col_description(c.oid, a.attnum), '') = '' $$,
	'and every column of a table or view');
SELECT is_empty($$
	SELECT c.oid::regclass FROM pg_class c
	WHERE c.relnamespace = 'sla'::regnamespace AND c.relkind = 'i'
	  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid)
	  AND coalesce(obj_description(c.oid, 'pg_class'), '') = '' $$,
	'and every index that is not that of a constraint');
SELECT isnt(obj_description((SELECT oid FROM pg_extension WHERE extname = 'slapolicy'), 'pg_extension'), NULL, 'and the extension itself');

-- A comment tells users about arguments by their names; "Internal:" says that
-- a function is not for them.
SELECT is_empty($$
	SELECT p.oid::regprocedure
	FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
	WHERE p.pronamespace = 'sla'::regnamespace AND l.lanname IN ('sql', 'plpgsql') AND p.pronargs > 0
	  AND (SELECT count(*) FROM unnest(p.proargnames) AS name WHERE name <> '') < p.pronargs $$,
	'arguments of SQL and PL/pgSQL functions have names');
SELECT is_empty($$
	SELECT m.name FROM member m
	WHERE obj_description(m.objid, m.classid::regclass::name) ~* '(^|[^a-z])(todo|fixme|xxx)([^a-z]|$)' $$,
	'no comment promises what is not there');

SELECT * FROM finish();
ROLLBACK;
