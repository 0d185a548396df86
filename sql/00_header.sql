\echo Use "CREATE EXTENSION slapolicy" to load this file. \quit
SET LOCAL search_path TO pg_catalog, pg_temp;

-- Created here and never adopted: a schema of this name that someone else
-- planted must make the installation fail.
CREATE SCHEMA sla;
GRANT USAGE ON SCHEMA sla TO PUBLIC;
COMMENT ON SCHEMA sla IS 'slapolicy: business hours, support policies, ticket clocks and breach alerts';

