-- Following the alerts without missing one.
--
-- Ids rise, but are not committed in their order: a ticket whose alert is
-- withdrawn may commit long after others that took later ids. Whoever went on
-- from the highest id he has seen would miss that row. Every writer locks the
-- table before it takes an id, and keeps the lock until its transaction ends.
-- So when nobody holds it, all ids up to one that has been seen are decided;
-- and whoever took it later has a higher one.

CREATE FUNCTION sla.alerts_after(after bigint DEFAULT 0, max_rows int DEFAULT 1000) RETURNS SETOF sla.alert
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000 ROWS 10
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    first_id bigint := greatest(after, 0);
    last_id bigint;
    rows_seen bigint;
    writers text[];
    pause float8 := 0.001;
BEGIN
    IF max_rows < 1 THEN
        RAISE 'max_rows must be a positive number' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') OR pg_is_in_recovery() THEN
        RAISE 'alerts can only be followed at isolation level READ COMMITTED, and not on a standby'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;

    SELECT max(p.id), count(*) INTO last_id, rows_seen
    FROM (SELECT a.id FROM sla.alert a WHERE a.id > first_id ORDER BY a.id LIMIT max_rows) p;

    IF last_id - first_id > rows_seen THEN
        -- Ids are missing: rolled back, purged or not committed yet. Most
        -- writers are done in no time.
        LOOP
            SELECT array_agg(l.virtualtransaction) INTO writers
            FROM pg_locks l
            WHERE l.locktype = 'relation' AND l.relation = 'sla.alert'::regclass AND l.mode = 'RowExclusiveLock'
                AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
                AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
                AND (writers IS NULL OR l.virtualtransaction = ANY (writers));
            EXIT WHEN writers IS NULL OR pause > 0.04;
            PERFORM pg_sleep(pause);
            pause := pause * 2;
        END LOOP;

        IF writers IS NOT NULL THEN
            SELECT coalesce(max(p.id) FILTER (WHERE p.id = first_id + p.place), first_id) INTO last_id
            FROM (SELECT a.id, row_number() OVER (ORDER BY a.id) AS place FROM sla.alert a WHERE a.id > first_id AND a.id <= last_id) p;
        END IF;
    END IF;

    RETURN QUERY SELECT * FROM sla.alert a WHERE a.id > first_id AND a.id <= last_id ORDER BY a.id LIMIT max_rows;
END
$$;
COMMENT ON FUNCTION sla.alerts_after(bigint, int) IS 'The next alerts after an id, in order of ids, withdrawals included; NULL or 0: from the first one. Stops before an id that may still be committed, so that whoever goes on from the last id he got misses none; looks again for a few milliseconds before it does. Needs SELECT on sla.alert. max_rows NULL: all there are. Raises 55000 on a standby and in transactions that do not see what is committed meanwhile (REPEATABLE READ and SERIALIZABLE), 22023 for a max_rows below 1.';
