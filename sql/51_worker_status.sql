
-- What launcher and worker are doing, for those who watch the server.

CREATE FUNCTION sla.watched_databases(
    OUT database_id oid, OUT state text, OUT pid int, OUT since timestamptz, OUT next_due timestamptz,
    OUT looked_at timestamptz, OUT passes bigint, OUT flagged bigint, OUT notified bigint, OUT failures int,
    OUT last_error text, OUT last_error_at timestamptz)
    RETURNS SETOF record
    LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED ROWS 10
    AS 'MODULE_PATHNAME', 'slapolicy_watched_databases';
REVOKE ALL ON FUNCTION sla.watched_databases() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sla.watched_databases() TO pg_monitor;
COMMENT ON FUNCTION sla.watched_databases() IS 'What sla.worker_status is made of: one row per database that the launcher knows, by its OID, and in any case one for the present database. Touches no table.';

CREATE VIEW sla.worker_status AS
    SELECT d.datname::text AS database,
           w.state,
           w.pid,
           w.since,
           w.next_due,
           w.looked_at,
           w.passes,
           w.flagged,
           w.notified,
           w.failures,
           w.last_error,
           w.last_error_at,
           CASE WHEN w.state IN ('absent', 'not served', 'not preloaded') THEN NULL
                WHEN w.next_due IS NULL AND w.looked_at IS NOT NULL THEN interval '0'
                WHEN pg_catalog.isfinite(w.next_due)
                THEN greatest(pg_catalog.clock_timestamp() - w.next_due, interval '0')
           END AS lag
      FROM sla.watched_databases() w
      JOIN pg_catalog.pg_database d ON d.oid = w.database_id;
GRANT SELECT ON sla.worker_status TO pg_monitor;
COMMENT ON VIEW sla.worker_status IS 'One row per database that the launcher knows, and in any case one for the present database. Counts begin at the start of the server, and anew after a crash. For members of pg_monitor.';
COMMENT ON COLUMN sla.worker_status.database IS 'Name of the database, as it is now.';
COMMENT ON COLUMN sla.worker_status.state IS 'idle: no worker, none is needed; starting; running; failed: the last worker ended with an error or there was no room for one, the next one comes after a pause, or the extension does not fit the library; absent: no extension there; not served: not one of slapolicy.databases, a template, closed to connections, or the server has no launcher, as a standby; not preloaded: the library is not in shared_preload_libraries.';
COMMENT ON COLUMN sla.worker_status.pid IS 'Process of the worker; NULL: there is none.';
COMMENT ON COLUMN sla.worker_status.since IS 'Since when there is this worker, or no worker; NULL: not known.';
COMMENT ON COLUMN sla.worker_status.next_due IS 'The earliest instant at which something is known to be due, a clock to be flagged, a level that may change or something to be tried again; during a pass, how far it has got. -infinity: the worker was asked to look at once. NULL: nothing is known to be due.';
COMMENT ON COLUMN sla.worker_status.looked_at IS 'When everything was last looked at, announced or not; NULL: not yet.';
COMMENT ON COLUMN sla.worker_status.passes IS 'How often the worker has looked for due clocks.';
COMMENT ON COLUMN sla.worker_status.flagged IS 'Alerts the worker has written, changes of levels included.';
COMMENT ON COLUMN sla.worker_status.notified IS 'Notifications of sla.alert it has sent.';
COMMENT ON COLUMN sla.worker_status.failures IS 'Workers in a row that ended with an error or were terminated; 0 again once one has taken leave.';
COMMENT ON COLUMN sla.worker_status.last_error IS 'What the last error of a worker said, or why there was none; it stays after things are well again. At most 511 bytes; of a database of another encoding only ASCII, with ? for the rest. NULL: there was none.';
COMMENT ON COLUMN sla.worker_status.last_error_at IS 'When that was.';
COMMENT ON COLUMN sla.worker_status.lag IS 'How long the earliest thing known to be due has been waiting; zero: nothing is late. NULL: not known.';
