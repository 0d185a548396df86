-- Laioutr: standard customer support.

CREATE FUNCTION sla.preset_laioutr() RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $function$ SELECT $preset${
    "policy": "laioutr",
    "title": "Laioutr Standard Customer Support",
    "source": "Laioutr: Customer Support, Services per Severity Level",
    "time_zone": "Europe/Berlin",
    "notes": [
        "Assumption: the support hours are those of Europe/Berlin. The published text names no time zone.",
        "Assumption: the regional holiday periods are the public holidays of all of Germany, 2025 to 2030. The published text names no region, and announces company holidays elsewhere: add both.",
        "Assumption: the names of products, channels and reasons. What is said of products follows from the definitions of the severity levels; which other products have a maximum severity level is published elsewhere: add them.",
        "Assumption: the names of the kinds of requests and of their fields: user is who files it, logged_in and registered_ahead are true or false.",
        "Assumption: whoever submits a request is a customer. With \"contract\" as \"entitlement\" only accounts with a contract are promised anything.",
        "An initial response is the first one that is not automatic: it confirms that work starts, or asks for what is missing.",
        "A resolution time is not promised.",
        "Email is to be used only while the support website is unavailable. Requests by other channels are none in the sense of the published text: add \"*\": \"never\" to the channels where they are recorded as tickets."
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
    "severities": {
        "S1": {
            "label": "Critical Incident",
            "description": "An ongoing problem of a production system is causing a core business to stop or experience extremely serious interruptions, and no acceptable workaround exists. Normally this is the case if the system is not taking new orders."
        },
        "S2": {
            "label": "Incident",
            "description": "An ongoing problem of a production system is impacting but not stopping a core business, and no acceptable workaround exists. Examples include intermittent problems, performance degradations, problems with background processing, potential security issues, and outages of products or components not supported as Critical Incidents."
        },
        "S3": {
            "label": "Problem",
            "description": "A problem is impacting non-core business processes. Examples include minor performance degradations, problems impacting internal processes of the customer, and incorrect functions in backend user interfaces. Also: Incidents with non-production systems; past Incidents; Incidents for which an acceptable workaround exists; problems with components provided under open-source licenses."
        },
        "S4": {
            "label": "Question, suggestion, or other Support request",
            "description": "Little or no current impact on currently ongoing business processes. Also: other problems with non-production systems; documentation problems."
        }
    },
    "severity_caps": {"non_production": "S3", "open_source": "S3", "documentation": "S4"},
    "channels": {"website": "receipt", "email": "receipt"},
    "exemptions": {
        "known_incident": "The problem and its status are already communicated through the status page",
        "personal_data": "The request includes personal data of third persons that is not anonymized, or application secrets",
        "out_of_scope": "Solution implementation, solution code analysis, consulting, solution architecture, or solutions and integrations from the App Store"
    },
    "requests": {
        "website": {
            "title": "Support request through the support website",
            "required": ["user", "logged_in"]
        },
        "priority": {
            "title": "Support request that is eligible for Priority Customer Support",
            "required": ["user", "registered_ahead", "organization", "project"]
        }
    },
    "targets": [
        {"severity": "S1", "metric": "response", "goal": "60min", "calendar": "always"},
        {"severity": "S2", "metric": "response", "goal": "180min", "calendar": "always"},
        {"severity": "S3", "metric": "response", "goal": "12h", "calendar": "support"},
        {"severity": "S4", "metric": "response", "goal": "48h", "calendar": "support"}
    ]
}$preset$::jsonb $function$;
COMMENT ON FUNCTION sla.preset_laioutr() IS 'Internal: the preset laioutr.';
