-- What a policy version says besides its targets: how it calls severities, how
-- severe tickets about a product can be, from when tickets of a channel count,
-- and what exempts a ticket.
--
-- Products, channels and reasons are what the columns of attached tables say,
-- word by word.

CREATE FUNCTION sla.is_rule_key(key text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$ SELECT octet_length(key) BETWEEN 1 AND 255 AND key = btrim(key) AND key !~ '[[:cntrl:]]' $$;
COMMENT ON FUNCTION sla.is_rule_key(text) IS 'May a policy have a rule about a product, channel or reason of this name? 1 to 255 bytes, no blank at the ends, no control character.';

CREATE TABLE sla.severity_label (
    policy_version_id   int,
    severity            sla.severity,
    label               text NOT NULL CHECK (btrim(label) <> ''),
    description         text CHECK (btrim(description) <> ''),
    PRIMARY KEY (policy_version_id, severity)
);
COMMENT ON TABLE sla.severity_label IS 'How a policy version calls its severities.';
COMMENT ON COLUMN sla.severity_label.policy_version_id IS 'sla.policy_version.id.';
COMMENT ON COLUMN sla.severity_label.severity IS 'The severity.';
COMMENT ON COLUMN sla.severity_label.label IS 'Its name for people.';
COMMENT ON COLUMN sla.severity_label.description IS 'Which tickets have it; NULL: not said.';

CREATE TABLE sla.severity_cap (
    policy_version_id   int,
    product             text CHECK (sla.is_rule_key(product)),
    severity            sla.severity NOT NULL,
    PRIMARY KEY (policy_version_id, product)
);
COMMENT ON TABLE sla.severity_cap IS 'How severe tickets about a product can be at most. A ticket that is more severe has the promises of this severity.';
COMMENT ON COLUMN sla.severity_cap.policy_version_id IS 'sla.policy_version.id.';
COMMENT ON COLUMN sla.severity_cap.product IS 'The product as tickets name it; *: every one that no other row names. A ticket that names no product is not capped.';
COMMENT ON COLUMN sla.severity_cap.severity IS 'The most severe severity.';

CREATE TABLE sla.channel_rule (
    policy_version_id   int,
    channel             text CHECK (sla.is_rule_key(channel)),
    counts_from         text NOT NULL CHECK (counts_from IN ('receipt', 'investigation', 'never')),
    PRIMARY KEY (policy_version_id, channel)
);
COMMENT ON TABLE sla.channel_rule IS 'From when the tickets of a channel count. Those of a channel without a rule, and those that name none, count from receipt.';
COMMENT ON COLUMN sla.channel_rule.policy_version_id IS 'sla.policy_version.id.';
COMMENT ON COLUMN sla.channel_rule.channel IS 'The channel as tickets name it; *: every one that no other row names.';
COMMENT ON COLUMN sla.channel_rule.counts_from IS 'receipt; investigation: from when the ticket is first investigated, and nothing before; never: nothing is promised.';

CREATE TABLE sla.exemption (
    policy_version_id   int,
    reason              text CHECK (sla.is_rule_key(reason) AND reason !~ '^(error|uncovered):'),
    title               text CHECK (btrim(title) <> ''),
    PRIMARY KEY (policy_version_id, reason)
);
COMMENT ON TABLE sla.exemption IS 'What exempts a ticket from its promises. A reason that the policy version does not list exempts nothing.';
COMMENT ON COLUMN sla.exemption.policy_version_id IS 'sla.policy_version.id.';
COMMENT ON COLUMN sla.exemption.reason IS 'The reason as tickets name it; not one that begins with "error:" or "uncovered:", which sla.ticket.exempt does where no promise could be made.';
COMMENT ON COLUMN sla.exemption.title IS 'Title for people; NULL: none given.';

GRANT SELECT ON sla.severity_label, sla.severity_cap, sla.channel_rule, sla.exemption TO PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('sla.severity_label', '');
SELECT pg_catalog.pg_extension_config_dump('sla.severity_cap', '');
SELECT pg_catalog.pg_extension_config_dump('sla.channel_rule', '');
SELECT pg_catalog.pg_extension_config_dump('sla.exemption', '');
