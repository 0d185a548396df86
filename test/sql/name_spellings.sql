-- Columns in which one account can be spelled in several ways: attaching and
-- guarding warn of them.
SET timezone = 'UTC';
SELECT sla.load_policy('{
    "policy": "spelled", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
    "targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}],
    "restriction": {"thresholds": {"support": 30}, "actions": {"deployment": "support"}}}') IS NOT NULL AS loaded;

-- a type of that name, as the extension has it
CREATE SCHEMA spelled;
CREATE TYPE spelled.citext;
SET client_min_messages = error;
CREATE FUNCTION spelled.citextin(cstring) RETURNS spelled.citext LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION spelled.citextout(spelled.citext) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
RESET client_min_messages;
CREATE TYPE spelled.citext (INPUT = spelled.citextin, OUTPUT = spelled.citextout, LIKE = text, CATEGORY = 'S');
CREATE COLLATION spelled.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE DOMAIN spelled.name AS text COLLATE spelled.any_case;

CREATE TABLE spelled.bill (id int PRIMARY KEY, plain text, whole numeric(10,0), number int, any_case text COLLATE spelled.any_case,
    name spelled.name, ci spelled.citext, num numeric, cents numeric(10,2), float float8, due date, paid_at timestamptz, at timestamptz);

-- One spelling each
SELECT sla.guard('spelled.bill', action => 'deployment', account => 'plain', service => 'number');
SELECT sla.unguard('spelled.bill');
SELECT sla.attach_invoices('spelled.bill', 'spelled', account => 'whole', due => 'due', settled_at => 'paid_at', amount => 'num');
SELECT sla.detach_invoices('spelled.bill');

-- Several
SELECT sla.guard('spelled.bill', action => 'deployment', account => 'any_case', service => 'name');
SELECT sla.unguard('spelled.bill');
SELECT sla.guard('spelled.bill', action => 'deployment', account => 'ci');
SELECT sla.attach_invoices('spelled.bill', 'spelled', account => 'num', service => 'cents', due => 'due', settled_at => 'paid_at');
SELECT sla.attach('spelled.bill', 'spelled', severity_default => 'S1', received_at => 'at', account => 'float', stamp => false);
