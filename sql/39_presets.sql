-- Policies that ship as documents. Loading one makes it the user's own.

CREATE FUNCTION sla.preset(name text) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $function$
DECLARE
    presets constant jsonb := $presets${
    "laioutr": {
        "policy": "laioutr",
        "title": "Laioutr Standard Customer Support",
        "source": "Laioutr: Customer Support, Services per Severity Level",
        "time_zone": "Europe/Berlin",
        "notes": [
            "Assumption: the support hours are those of Europe/Berlin. The published text names no time zone.",
            "Assumption: the regional holiday periods are the public holidays of all of Germany, 2025 to 2030. The published text names no region, and announces company holidays elsewhere: add both.",
            "An initial response is the first one that is not automatic."
        ],
        "calendars": {
            "always": {
                "hours": "24/7"
            },
            "support": {
                "hours": "Europe/Berlin Mo-Fr 00:00-24:00",
                "holidays": [
                    "2025-01-01", "2025-04-18", "2025-04-21", "2025-05-01", "2025-05-29", "2025-06-09", "2025-10-03", "2025-12-25", "2025-12-26",
                    "2026-01-01", "2026-04-03", "2026-04-06", "2026-05-01", "2026-05-14", "2026-05-25", "2026-10-03", "2026-12-25", "2026-12-26",
                    "2027-01-01", "2027-03-26", "2027-03-29", "2027-05-01", "2027-05-06", "2027-05-17", "2027-10-03", "2027-12-25", "2027-12-26",
                    "2028-01-01", "2028-04-14", "2028-04-17", "2028-05-01", "2028-05-25", "2028-06-05", "2028-10-03", "2028-12-25", "2028-12-26",
                    "2029-01-01", "2029-03-30", "2029-04-02", "2029-05-01", "2029-05-10", "2029-05-21", "2029-10-03", "2029-12-25", "2029-12-26",
                    "2030-01-01", "2030-04-19", "2030-04-22", "2030-05-01", "2030-05-30", "2030-06-10", "2030-10-03", "2030-12-25", "2030-12-26"
                ]
            }
        },
        "targets": [
            {"severity": "S1", "metric": "response", "goal": "60min", "calendar": "always"},
            {"severity": "S2", "metric": "response", "goal": "180min", "calendar": "always"},
            {"severity": "S3", "metric": "response", "goal": "12h", "calendar": "support"},
            {"severity": "S4", "metric": "response", "goal": "48h", "calendar": "support"}
        ]
    }
}$presets$;
BEGIN
    IF NOT presets ? name THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('there is no preset "%s"', name),
            HINT = format('There are: %s.', (SELECT string_agg(key, ', ' ORDER BY key) FROM jsonb_object_keys(presets) AS key));
    END IF;
    RETURN presets -> name;
END
$function$;
COMMENT ON FUNCTION sla.preset(text) IS 'The document of a policy that ships with the extension, for sla.load_policy: laioutr.';
