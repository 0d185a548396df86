-- Rows that are in an attached table already, and tickets whose rows are gone.

CREATE TABLE sla.restamp_progress (
    attachment_id       int PRIMARY KEY,
    started_at          timestamptz NOT NULL,
    rows_recorded       bigint NOT NULL,
    without_deadlines   bigint NOT NULL,
    finished            oid[] NOT NULL,
    relation            oid,
    file                oid,
    blocks              bigint,
    last_row            tid
);
COMMENT ON TABLE sla.restamp_progress IS 'One row per attached table whose rows sla.restamp is recording, or was when it was interrupted: how far it has come. Not dumped.';
COMMENT ON COLUMN sla.restamp_progress.attachment_id IS 'sla.attachment.id.';
COMMENT ON COLUMN sla.restamp_progress.started_at IS 'When it began.';
COMMENT ON COLUMN sla.restamp_progress.rows_recorded IS 'Rows recorded so far. One whose new version, stamped or changed meanwhile, lies further on is met, and counted, again.';
COMMENT ON COLUMN sla.restamp_progress.without_deadlines IS 'Of these, rows that no promise covers.';
COMMENT ON COLUMN sla.restamp_progress.finished IS 'The table, or its partitions, that are done, by OID.';
COMMENT ON COLUMN sla.restamp_progress.relation IS 'The one that is under way; NULL: none.';
COMMENT ON COLUMN sla.restamp_progress.file IS 'Its relfilenode: when that changes the rows have other places, and it begins anew.';
COMMENT ON COLUMN sla.restamp_progress.blocks IS 'How many blocks it had when it was begun; what has been added since was recorded as it was written.';
COMMENT ON COLUMN sla.restamp_progress.last_row IS 'Place of the row that was recorded last; NULL: none was.';

CREATE FUNCTION sla.record_rows(ticket_table regclass) RETURNS bigint
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'slapolicy_record_rows';
COMMENT ON FUNCTION sla.record_rows(regclass) IS 'Records the rows an attached table has and writes their due times, firing no other trigger; returns how many rows it read. Rows recorded already stay as they are. Writers of the table wait until the transaction ends; sla.restamp does the same without that. Only for the owner of the table (42501); raises 55000 when it is not attached.';

CREATE FUNCTION sla.restamp_begin(ticket_table regclass) RETURNS void
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'slapolicy_restamp_begin';
COMMENT ON FUNCTION sla.restamp_begin(regclass) IS 'Internal, the first step of sla.restamp: from when it is committed, writers of the table record whatever they touch.';

CREATE FUNCTION sla.restamp_step(ticket_table regclass, batch int) RETURNS boolean
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'slapolicy_restamp_step';
COMMENT ON FUNCTION sla.restamp_step(regclass, int) IS 'Internal, one step of sla.restamp: records up to that many rows and returns whether there may be more.';

CREATE FUNCTION sla.refuse_transaction_block(procedure_name text) RETURNS void
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'slapolicy_refuse_transaction_block';
COMMENT ON FUNCTION sla.refuse_transaction_block(text) IS 'Internal, the first step of a procedure that commits: raises 2D000 inside a transaction block.';

-- A procedure that commits can have no SET clause: nothing in it may depend on
-- search_path.
CREATE PROCEDURE sla.restamp(ticket_table regclass, batch int DEFAULT 1000)
    LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM sla.refuse_transaction_block('sla.restamp');
    PERFORM sla.restamp_begin(ticket_table);
    COMMIT;
    WHILE sla.restamp_step(ticket_table, batch) LOOP
        COMMIT;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE sla.restamp(regclass, int) IS 'Records the rows an attached table has and writes their due times, firing no other trigger, in batches of that many rows with a COMMIT each; tells how far it is. Rows recorded already stay as they are. Writers of the table wait for no more than a batch. After an interruption it goes on where it was. Only for the owner of the table (42501); raises 55000 when it is not attached, 2D000 inside a transaction.';

CREATE FUNCTION sla.reconcile(ticket_table regclass) RETURNS bigint
    LANGUAGE c STRICT
    AS 'MODULE_PATHNAME', 'slapolicy_reconcile';
COMMENT ON FUNCTION sla.reconcile(regclass) IS 'Brings the ledger up to the rows an attached table has: what sla.record_rows does, and tickets whose rows are gone (in dropped, detached or truncated partitions, or deleted while no trigger fired) are recorded as deleted. Returns for how many tickets there was anything to record. Writers of the table wait until the transaction ends. Only for the owner of the table (42501); raises 55000 when it is not attached.';

CREATE FUNCTION sla.dropped() RETURNS event_trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'slapolicy_dropped';
COMMENT ON FUNCTION sla.dropped() IS 'Event trigger of the extension: ends the record of attached tables that are dropped, whoever drops them, as sla.detach does.';

CREATE EVENT TRIGGER sla_dropped ON sql_drop EXECUTE FUNCTION sla.dropped();
ALTER EVENT TRIGGER sla_dropped ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER sla_dropped IS 'Ends the record of attached tables that are dropped.';
