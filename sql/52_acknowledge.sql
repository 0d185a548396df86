-- Somebody takes care of an alert.
--
-- What the worker writes stays as it is: who has seen it is a row of its own,
-- written by whoever the owner lets, who needs no right on the ledger.

CREATE TABLE sla.acknowledgement (
    alert_id        bigint PRIMARY KEY,
    acknowledged_at timestamptz NOT NULL,
    acknowledged_by text NOT NULL,
    note            text
);
COMMENT ON TABLE sla.acknowledgement IS 'One row per alert that somebody takes care of. Written by sla.acknowledge; the first one counts.';
COMMENT ON COLUMN sla.acknowledgement.alert_id IS 'sla.alert.id.';
COMMENT ON COLUMN sla.acknowledgement.acknowledged_at IS 'When it was acknowledged, as the caller said.';
COMMENT ON COLUMN sla.acknowledgement.acknowledged_by IS 'The role that did it: that of SET ROLE, or the one that had logged in.';
COMMENT ON COLUMN sla.acknowledgement.note IS 'What the caller had to say; NULL: nothing.';
SELECT pg_catalog.pg_extension_config_dump('sla.acknowledgement', '');

CREATE FUNCTION sla.acknowledge(alert_id bigint, note text DEFAULT NULL, at timestamptz DEFAULT now()) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    alert_kind text;
BEGIN
    IF alert_id IS NULL OR at IS NULL THEN
        RAISE 'alert_id and at must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF NOT isfinite(at) THEN
        RAISE 'the time of an acknowledgement must be finite' USING ERRCODE = 'datetime_field_overflow';
    END IF;

    -- locked, so that sla.purge takes both or neither
    SELECT a.kind INTO alert_kind FROM sla.alert a WHERE a.id = acknowledge.alert_id FOR KEY SHARE;
    IF alert_kind IS NULL THEN
        RAISE 'alert % does not exist', alert_id USING ERRCODE = '02000';
    ELSIF alert_kind = 'withdrawal' THEN
        RAISE 'alert % is a withdrawal', alert_id USING ERRCODE = 'invalid_parameter_value',
            HINT = 'An alert that is withdrawn needs nobody to take care of it.';
    END IF;

    -- a function that runs as its owner still tells who called by this setting
    INSERT INTO sla.acknowledgement
    VALUES (alert_id, at, coalesce(nullif(current_setting('role'), 'none'), session_user), note)
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END
$$;
REVOKE ALL ON FUNCTION sla.acknowledge(bigint, text, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION sla.acknowledge(bigint, text, timestamptz) IS 'Notes that the caller takes care of an alert, with a note and a time, by default now; returns false when somebody has done so before, whose acknowledgement stays. Who it was is the role of SET ROLE, or the one that had logged in. Callers need the right to execute it and none on the ledger. Raises 02000 when the alert does not exist, 22023 when it is a withdrawal, 22004 for a NULL, 22008 for an infinite time.';
