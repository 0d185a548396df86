-- What property tests of tickets begin with: one transaction, in which no
-- setting of the server or the role shows.
BEGIN;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL client_min_messages = error;
SET LOCAL jit = off;
CREATE EXTENSION IF NOT EXISTS slapolicy;
