-- Policies that ship as documents. Loading one makes it the user's own.

CREATE FUNCTION sla.preset(name text) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
BEGIN
    CASE name
    WHEN 'amazee' THEN RETURN sla.preset_amazee();
    WHEN 'laioutr' THEN RETURN sla.preset_laioutr();
    WHEN 'managed-hosting' THEN RETURN sla.preset_managed_hosting();
    WHEN 'nagomi' THEN RETURN sla.preset_nagomi();
    ELSE
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('there is no preset "%s"', name),
            HINT = 'There are: amazee, laioutr, managed-hosting, nagomi.';
    END CASE;
END
$$;
COMMENT ON FUNCTION sla.preset(text) IS 'The document of a policy that ships with the extension, for sla.load_policy: amazee, laioutr, managed-hosting, nagomi.';
