-- sla.preset: the policies that ship
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;

SELECT plan(23);

SELECT throws_ok($$ SELECT sla.preset('nobody') $$, '22023', 'there is no preset "nobody"', 'an unknown preset');
CREATE FUNCTION pg_temp.hint() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	PERFORM sla.preset('nobody');
EXCEPTION WHEN invalid_parameter_value THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN hint;
END $$;
SELECT is(pg_temp.hint(), 'There are: amazee, laioutr, managed-hosting, nagomi.', 'the hint lists those there are');
SELECT is(sla.preset(NULL), NULL, 'no name, no preset');
CREATE TEMPORARY TABLE preset AS
	SELECT name, sla.preset(name) AS document FROM unnest('{amazee,laioutr,managed-hosting,nagomi}'::text[]) AS name;
SELECT is(document ->> 'policy', name, name || ' is the policy of that name') FROM preset;
SELECT is((SELECT string_agg(p.path || ': ' || p.problem, E'\n') FROM sla.policy_problems(document) AS p), NULL, name || ' is a sound document') FROM preset;

-- Loaded under names of their own, so that policies of the same name do not matter
CREATE TEMPORARY TABLE loaded AS
	SELECT name, sla.load_policy(document || jsonb_build_object('policy', 't ' || name)) AS version FROM preset;
SELECT is(sla.policy_document('t ' || name) - 'policy', document - 'policy', name || ' comes back as it was') FROM preset;
UPDATE sla.policy_version SET document = NULL WHERE policy LIKE 't %';
SELECT is(sla.policy_document('t ' || name) - '{notes,policy}'::text[], sla.canonical_policy(document) - '{notes,policy}'::text[],
		  'so does what the tables say of ' || name) FROM preset;

-- Each severity has a name, and each name a description
SELECT is((SELECT array_agg(l.severity::text ORDER BY l.severity) FROM sla.severity_label l WHERE l.policy_version_id = version AND l.description IS NOT NULL),
		  (SELECT array_agg(DISTINCT t.severity::text ORDER BY t.severity::text) FROM sla.target t WHERE t.policy_version_id = version),
		  name || ' names the severities it has targets for') FROM loaded;

SELECT * FROM finish();
ROLLBACK;
