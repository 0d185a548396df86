-- How far an account is cut off for unsettled bills.

CREATE TYPE sla.restriction_level AS ENUM ('none', 'support', 'deployments', 'termination');
COMMENT ON TYPE sla.restriction_level IS 'How far an account is cut off for unsettled bills: none, support (level 1), deployments (level 2: support, too), termination (level 3: everything). In this order.';

CREATE FUNCTION sla.restriction_level(overdue_days int, thresholds int[] DEFAULT '{30,61,91}') RETURNS sla.restriction_level
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'slapolicy_restriction_level';
COMMENT ON FUNCTION sla.restriction_level(int, int[]) IS 'The level of an account whose earliest unsettled bill was due so many calendar days ago. thresholds: the first day of support, deployments and termination, ascending; NULL as an element: that level is never reached. 22023 when they are not three, not ascending or not positive.';
