-- Compliance: kept and broken promises by the time in which they began. Months
-- and days are one view, told apart by a column, so that they cannot come to
-- count differently. What asks for one unit computes no other: of a UNION ALL
-- the planner leaves out the branches that it can tell have no rows, and the
-- one that is left tells the status of each promise before they are sorted.

CREATE VIEW sla.compliance AS
-- One row at the edge of what timestamps can hold must not spoil the report;
-- greatest and least pass over NULL.
SELECT CASE WHEN coalesce(s.started_at, s.received_at) IS NOT NULL
        THEN date_trunc(s.unit, least(greatest(coalesce(s.started_at, s.received_at),
                timestamptz '4713-01-02 00:00+00 BC'), timestamptz '294276-12-30 00:00+00')
            AT TIME ZONE s.time_zone)::date
    END AS period,
    -- what tells most rows apart comes first: sorting takes most of the time
    s.account,
    s.severity,
    s.metric,
    s.team,
    s.policy,
    s.unit,
    count(*) AS promises,
    count(*) FILTER (WHERE s.status = 'met') AS met,
    count(*) FILTER (WHERE s.status = 'breached') AS breached,
    count(*) FILTER (WHERE s.status IN ('running', 'paused')) AS open,
    count(*) FILTER (WHERE s.status = 'cancelled') AS cancelled,
    count(*) FILTER (WHERE s.status = 'exempt') AS exempt,
    count(*) FILTER (WHERE s.status = 'uncovered') AS uncovered,
    round(100.0 * count(*) FILTER (WHERE s.status = 'met')
        / nullif(count(*) FILTER (WHERE s.status IN ('met', 'breached')), 0), 2) AS met_percent,
    round(100.0 * count(*) FILTER (WHERE s.status = 'met')
        / nullif(count(*) FILTER (WHERE s.status IN ('met', 'breached', 'exempt', 'uncovered')), 0), 2) AS met_percent_overall,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY s.took) AS worked_median,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY s.took) AS worked_p90,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY s.took) AS worked_p95
FROM (
    SELECT 'day' AS unit, c.* FROM sla.clock_status c
    UNION ALL SELECT 'week', c.* FROM sla.clock_status c
    UNION ALL SELECT 'month', c.* FROM sla.clock_status c
    UNION ALL SELECT 'quarter', c.* FROM sla.clock_status c
    UNION ALL SELECT 'year', c.* FROM sla.clock_status c
) s
GROUP BY 1, 2, 3, 4, 5, 6, 7;

COMMENT ON VIEW sla.compliance IS 'Kept and broken promises by the day, week, month, quarter or year in which they began to run; choose one unit. To sum rows up, add the counts: percentages and percentiles cannot be added.';
COMMENT ON COLUMN sla.compliance.period IS 'First day of the unit in the policy version''s time_zone (UTC for a ticket without one): of the clock''s start, and for a ticket that no promise covers of its receipt; NULL for a ticket without time of receipt.';
COMMENT ON COLUMN sla.compliance.account IS 'Account of the customer; NULL: the rows do not say.';
COMMENT ON COLUMN sla.compliance.severity IS 'Severity whose goal was promised, for tickets that no promise covers their own; NULL: could not be told.';
COMMENT ON COLUMN sla.compliance.metric IS 'What was promised; NULL: tickets that no promise covers, in rows of their own.';
COMMENT ON COLUMN sla.compliance.team IS 'Team that works on the tickets; NULL: their rows do not say.';
COMMENT ON COLUMN sla.compliance.policy IS 'Name of the policy; see sla.clock_status.policy.';
COMMENT ON COLUMN sla.compliance.unit IS 'day, week (from Monday), month, quarter or year. Every promise is counted in each.';
COMMENT ON COLUMN sla.compliance.promises IS 'All clocks, and all tickets that no promise covers: the sum of the next six.';
COMMENT ON COLUMN sla.compliance.met IS 'Stopped in time.';
COMMENT ON COLUMN sla.compliance.breached IS 'Stopped late, or running past the due time.';
COMMENT ON COLUMN sla.compliance.open IS 'Running or standing still, and not late: undecided.';
COMMENT ON COLUMN sla.compliance.cancelled IS 'Fell away before they were decided; also tickets that no promise covered and that are cancelled or deleted.';
COMMENT ON COLUMN sla.compliance.exempt IS 'Clocks of tickets that are exempt, whatever became of them.';
COMMENT ON COLUMN sla.compliance.uncovered IS 'Tickets that no promise covers: without entitlement, by a channel without promises, or because row or policy lack something. Not those of a severity to which their policy promises nothing.';
COMMENT ON COLUMN sla.compliance.met_percent IS 'Of the promises that are decided, the share that was kept: met / (met + breached), 0 to 100 with two decimals; NULL when none is.';
COMMENT ON COLUMN sla.compliance.met_percent_overall IS 'The same with what was not held to a promise counted as not kept: met / (met + breached + exempt + uncovered). Open and cancelled ones count in neither. As uncovered tickets have rows of their own, 0 there.';
COMMENT ON COLUMN sla.compliance.worked_median IS 'Median working time of the clocks that were stopped, in time or late; NULL when there are none.';
COMMENT ON COLUMN sla.compliance.worked_p90 IS 'Working time within which nine of ten of them were stopped, interpolated.';
COMMENT ON COLUMN sla.compliance.worked_p95 IS 'Working time within which 95 of 100 of them were stopped, interpolated.';

CREATE VIEW sla.compliance_by_month AS
SELECT c.period AS month,
    c.policy,
    c.severity,
    c.metric,
    c.team,
    c.account,
    c.promises,
    c.met,
    c.breached,
    c.open,
    c.cancelled,
    c.exempt,
    c.uncovered,
    c.met_percent,
    c.met_percent_overall,
    c.worked_median,
    c.worked_p90,
    c.worked_p95
FROM sla.compliance c
WHERE c.unit = 'month';
COMMENT ON VIEW sla.compliance_by_month IS 'sla.compliance by month.';
COMMENT ON COLUMN sla.compliance_by_month.month IS 'First day of the month; see sla.compliance.period.';

CREATE VIEW sla.compliance_by_day AS
SELECT c.period AS day,
    c.policy,
    c.severity,
    c.metric,
    c.team,
    c.account,
    c.promises,
    c.met,
    c.breached,
    c.open,
    c.cancelled,
    c.exempt,
    c.uncovered,
    c.met_percent,
    c.met_percent_overall,
    c.worked_median,
    c.worked_p90,
    c.worked_p95
FROM sla.compliance c
WHERE c.unit = 'day';
COMMENT ON VIEW sla.compliance_by_day IS 'sla.compliance by day.';
COMMENT ON COLUMN sla.compliance_by_day.day IS 'The day; see sla.compliance.period.';

-- The other columns say what those of sla.compliance say.
DO $$
DECLARE
    same record;
BEGIN
    FOR same IN
        SELECT v.name, a.attname, col_description(a.attrelid, a.attnum) AS comment
        FROM pg_attribute a, (VALUES ('compliance_by_month'), ('compliance_by_day')) v (name)
        WHERE a.attrelid = 'sla.compliance'::regclass AND a.attname NOT IN ('unit', 'period')
    LOOP
        EXECUTE format('COMMENT ON COLUMN sla.%I.%I IS %L', same.name, same.attname, same.comment);
    END LOOP;
END
$$;
