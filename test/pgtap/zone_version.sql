-- Which time-zone data is in use.
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS slapolicy;
SELECT plan(7);
SELECT matches(sla.zone_version('Europe/Berlin'), '^[0-9a-f]{16}$', 'a fingerprint');
SELECT is(sla.zone_version('europe/berlin'), sla.zone_version('Europe/Berlin'), 'however the zone is spelled');
SELECT isnt(sla.zone_version('Europe/London'), sla.zone_version('Europe/Berlin'), 'that tells zones apart');
SELECT isnt(sla.zone_version('Etc/GMT-1'), sla.zone_version('UTC'), 'also those without clock changes');
SELECT is(sla.zone_version('Etc/UTC'), sla.zone_version('UTC'), 'and not those that only differ by name');
SELECT throws_ok($$ SELECT sla.zone_version('Europe/Atlantis') $$, '22023', NULL, 'unknown zone');
SELECT matches(sla.zone_data_version(), '^[0-9a-f]{32}$', 'of all zones');
SELECT * FROM finish();
ROLLBACK;
