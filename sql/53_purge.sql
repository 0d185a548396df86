-- Alerts that nobody needs any more.

-- A window of ids at a time, found by the primary key, so that neither memory
-- nor the work of a batch depends on how many alerts there are.
CREATE FUNCTION sla.purge_step(before timestamptz, batch_size int, INOUT after_id bigint, INOUT removed bigint, INOUT kept bigint)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path TO pg_catalog, pg_temp
    SET enable_seqscan TO off
    SET enable_hashjoin TO off
    SET enable_mergejoin TO off
AS $$
DECLARE
    first_id bigint := after_id;
    old bigint;
    ids bigint[];
BEGIN
    IF before IS NULL THEN
        RAISE 'before must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF batch_size IS NULL OR batch_size < 1 THEN
        RAISE 'batch_size must be a positive number of alerts' USING ERRCODE = 'invalid_parameter_value';
    END IF;

    SELECT max(w.id), count(*) FILTER (WHERE w.flagged_at < before) INTO after_id, old
    FROM (SELECT a.id, a.flagged_at FROM sla.alert a WHERE a.id > first_id ORDER BY a.id LIMIT batch_size) w;
    IF after_id IS NULL THEN
        RAISE NOTICE 'purge of alerts: done, % removed, % still needed', removed, kept;
        RETURN;
    END IF;

    -- An alert goes with its withdrawal, which has the higher id: what is left
    -- if this is interrupted in between is a withdrawal alone.
    WITH gone AS (
        DELETE FROM sla.alert a
        WHERE a.id > first_id AND a.id <= after_id AND a.flagged_at < before
            AND NOT EXISTS (
                SELECT FROM sla.clock c
                WHERE c.id = a.clock_id AND (c.outcome IS NULL OR c.next_alert_at IS NOT NULL))
            AND NOT EXISTS (
                SELECT FROM sla.alert w
                WHERE w.clock_id = a.clock_id AND w.aim = a.aim AND w.threshold = a.threshold AND w.flagged_at >= before)
        RETURNING a.id
    )
    SELECT array_agg(g.id) INTO ids FROM gone g;
    DELETE FROM sla.acknowledgement k WHERE k.alert_id = ANY (ids);

    removed := removed + coalesce(cardinality(ids), 0);
    kept := kept + old - coalesce(cardinality(ids), 0);
    IF ids IS NOT NULL THEN
        RAISE NOTICE 'purge of alerts: % removed', removed;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION sla.purge_step(timestamptz, int, bigint, bigint, bigint) FROM PUBLIC;
COMMENT ON FUNCTION sla.purge_step(timestamptz, int, bigint, bigint, bigint) IS 'Internal, one step of sla.purge: looks at that many alerts after an id; returns the last of them, NULL when there are no more, and how many were removed and kept so far.';

-- A procedure that commits can have no SET clause: nothing in it may depend on
-- search_path.
CREATE PROCEDURE sla.purge(before timestamptz, batch_size int DEFAULT 10000)
    LANGUAGE plpgsql
AS $$
DECLARE
    after_id bigint := '-9223372036854775808';
    removed bigint := 0;
    kept bigint := 0;
BEGIN
    PERFORM sla.refuse_transaction_block('sla.purge');
    LOOP
        SELECT s.after_id, s.removed, s.kept INTO after_id, removed, kept
        FROM sla.purge_step(before, batch_size, after_id, removed, kept) s;
        COMMIT;
        EXIT WHEN after_id IS NULL;
    END LOOP;
END
$$;
REVOKE ALL ON PROCEDURE sla.purge(timestamptz, int) FROM PUBLIC;
COMMENT ON PROCEDURE sla.purge(timestamptz, int) IS 'Removes alerts flagged before a time, with their withdrawals and acknowledgements, unless their clock runs, has something left to flag, or the alert was withdrawn since that time. Looks at batch_size alerts at a time, with a COMMIT each, and tells how far it is; after an interruption call it again. What is removed is not flagged again. For the owner of the ledger. Raises 2D000 inside a transaction block, 22004 or 22023 for a wrong argument.';
