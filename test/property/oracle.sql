-- Randomised comparison of the calendar engine with a slow, obvious oracle.
--
--	psql -X -f test/property/oracle.sql
--
-- in a database in which slapolicy can be created. Nothing stays behind: it
-- all happens in one transaction that is rolled back. Exits with an error
-- when anything disagrees; each disagreement is printed as SQL to paste.
--
-- seed (any number) and calendars (how many; each is asked some 110 questions)
-- come from psql variables or from the environment:
--
--	psql -X -v seed=42 -v calendars=5000 -f test/property/oracle.sql
--	ORACLE_SEED=42 ORACLE_CALENDARS=5000 ...
--
-- The default is what a test run can wait for. At night it is 2,000 calendars,
-- which are more than 200,000 questions, with the date as seed:
--
--	ORACLE_SEED=$(date +%Y%m%d) ORACLE_CALENDARS=2000 psql -X -f test/property/oracle.sql

\set QUIET on
\set ON_ERROR_STOP on
\if :{?seed} \else \getenv seed ORACLE_SEED \endif
\if :{?seed} \else \set seed 2026 \endif
\if :{?calendars} \else \getenv calendars ORACLE_CALENDARS \endif
\if :{?calendars} \else \set calendars 80 \endif

BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = warning;
-- thousands of small statements: compiling or parallelising them costs more
SET LOCAL jit = off;
SET LOCAL max_parallel_workers_per_gather = 0;
CREATE EXTENSION IF NOT EXISTS slapolicy;
SET LOCAL search_path TO pg_catalog, sla, pg_temp;

\ir lib/oracle.sql
\ir lib/recurring.sql
\ir lib/selfcheck.sql
\ir lib/generator.sql
\ir lib/questions.sql
\ir lib/compare.sql

\echo 'seed' :seed 'calendars' :calendars
SELECT setseed(sin(:seed)) \g /dev/null
SELECT :calendars AS calendars, * FROM oracle.run(:calendars);
SELECT oracle.verdict(:'seed') \g /dev/null

-- binary, out of the server and in again
\set file `mktemp`
\setenv ORACLE_FILE :file
COPY (SELECT id, h FROM oracle.sent) TO STDOUT (FORMAT binary) \g :file
\copy oracle.received FROM PROGRAM 'cat "$ORACLE_FILE"; rm "$ORACLE_FILE"' (FORMAT binary)
SELECT oracle.compare_received() \g /dev/null
SELECT count(*) AS received FROM oracle.received;

ROLLBACK;
