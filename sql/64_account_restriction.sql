-- How far accounts are cut off at the present moment.

CREATE FUNCTION sla.overdue_before(policy text, at timestamptz) RETURNS date
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE COST 500
    AS 'MODULE_PATHNAME', 'slapolicy_overdue_before';
COMMENT ON FUNCTION sla.overdue_before(text, timestamptz) IS 'Internal: bills due before this date are overdue at an instant, with their grace over, by the rule of a policy; NULL: it has none.';

CREATE VIEW sla.account_restriction AS
    WITH rule AS MATERIALIZED (
        -- of each policy the version in force; those that restrict nobody fall out
        SELECT v.policy, r.support, r.deployments, r.termination, r.per = 'service' AS by_service,
               r.minimum_amount = 0 AND r.grace = 0 AND r.per = 'account' AS is_plain,
               t.today, CASE WHEN r.grace = 0 THEN t.today ELSE least(t.today, sla.overdue_before(v.policy, now())) END AS due_before
        FROM (SELECT DISTINCT ON (e.policy) e.id, e.policy, e.time_zone
              FROM sla.policy_version e WHERE e.effective_from <= now() ORDER BY e.policy, e.effective_from DESC) AS v
        JOIN sla.restriction_rule r ON r.policy_version_id = v.id
        CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE coalesce(r.time_zone, v.time_zone))::date AS today) AS t
    ), bill AS (
        SELECT i.account, CASE WHEN r.by_service THEN i.service END AS service,
               min(i.due) FILTER (WHERE i.counts_until > now()) AS due,
               count(*) FILTER (WHERE i.counts_until > now()) AS invoices,
               sum(i.amount - i.paid) FILTER (WHERE i.counts_until > now()) AS outstanding,
               -- what must be computed from the whole history: a termination may last; days were counted by the rule of then
               NOT bool_and(i.plain AND r.is_plain AND i.counts_until > now()) OR count(DISTINCT r.policy) > 1 AS is_hard,
               min(r.today) AS today, min(r.support) AS support, min(r.deployments) AS deployments, min(r.termination) AS termination
        FROM sla.invoice i JOIN rule r ON r.policy = i.policy
        WHERE i.account IS NOT NULL AND i.due < r.due_before AND (i.counts_until > now() OR i.days >= r.termination - 1 OR i.days IS NULL AND i.counts_until > '-infinity')
        GROUP BY i.account, CASE WHEN r.by_service THEN i.service END
    ), override AS (
        SELECT DISTINCT o.account, o.service FROM sla.restriction_override o
        WHERE o.revokes IS NULL AND o.starts <= now() AND o.until > now()
          AND NOT EXISTS (SELECT FROM sla.restriction_override w WHERE w.revokes = o.id AND w.starts <= now())
    )
    SELECT coalesce(b.account, o.account) AS account, coalesce(b.service, o.service) AS service,
           CASE WHEN b.is_hard IS NOT FALSE OR o.account IS NOT NULL
                    OR EXISTS (SELECT FROM override w WHERE w.account = b.account)
                THEN sla.restriction(coalesce(b.account, o.account), coalesce(b.service, o.service), now())
                WHEN b.today - b.due >= b.termination THEN 'termination'
                WHEN b.today - b.due >= b.deployments THEN 'deployments'
                WHEN b.today - b.due >= b.support THEN 'support'
                ELSE 'none' END::sla.restriction_level AS level,
           d.due, b.today - d.due AS days, coalesce(b.invoices, 0) AS invoices, b.outstanding
    FROM (SELECT * FROM bill WHERE bill.invoices > 0) AS b
    FULL JOIN override o ON o.account = b.account AND coalesce(o.service, '') = coalesce(b.service, '')
    -- a service is restricted by bills that are for no service in particular, too
    CROSS JOIN LATERAL (SELECT CASE WHEN b.service IS NULL THEN b.due ELSE least(b.due, (
        SELECT min(i.due) FROM sla.invoice i JOIN rule r ON r.policy = i.policy
        WHERE i.account = b.account AND i.counts_until > now() AND i.due < r.due_before AND (i.service IS NULL OR NOT r.by_service)))
        END AS due) AS d;
COMMENT ON VIEW sla.account_restriction IS 'The levels of accounts now: one row per account with anything overdue or an override in force and, where the rule goes by service, one per service that overdue bills name. A service without a row has the level of the account''s row whose service is NULL, or a termination that lasts although its own bills are settled: sla.restriction tells. Who has no row at all is not restricted. The level is that of sla.restriction; reading it takes EXECUTE on that function, too.';
COMMENT ON COLUMN sla.account_restriction.account IS 'The account as its bills name it.';
COMMENT ON COLUMN sla.account_restriction.service IS 'The service, where the rule goes by service or the override is for one; NULL: the account as a whole.';
COMMENT ON COLUMN sla.account_restriction.level IS 'The level now; none where something is overdue, but not for long enough, or an override says so.';
COMMENT ON COLUMN sla.account_restriction.due IS 'Due date of the earliest bill that is overdue, of a service also among those that name none; NULL: the row is there for an override alone.';
COMMENT ON COLUMN sla.account_restriction.days IS 'Calendar days since then, in the zone of the rule.';
COMMENT ON COLUMN sla.account_restriction.invoices IS 'How many bills are overdue; of a service, of those that name it.';
COMMENT ON COLUMN sla.account_restriction.outstanding IS 'What of these is open in all; NULL where no amounts are known.';
