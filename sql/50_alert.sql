
-- Flagging: what the background worker does by itself, and the same by hand.

CREATE FUNCTION sla.flag_due(now timestamptz DEFAULT pg_catalog.now()) RETURNS bigint
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'slapolicy_flag_due';
REVOKE ALL ON FUNCTION sla.flag_due(timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION sla.flag_due(timestamptz) IS 'Flags every clock whose next alert lies before an instant, by default the present, unless another session has it locked; returns the number of alerts written. Exactly at due is met. For servers without the background worker: call it from any scheduler. Needs no rights on the ledger; triggers and rules of the ledger tables do not fire.';

CREATE FUNCTION sla.wake_worker(due timestamptz DEFAULT '-infinity') RETURNS void
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'slapolicy_wake_worker';
REVOKE ALL ON FUNCTION sla.wake_worker(timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION sla.wake_worker(timestamptz) IS 'Tells the background worker, when this transaction commits, that something falls due at the time given, by default that it has to look at once, also when it pauses after an error. Attached tables do so by themselves; for clocks that were restored or changed by hand.';

-- The worker learns of this database now, not at its next round.
SELECT sla.wake_worker();
