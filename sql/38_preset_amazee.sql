-- amazee.io: what its common customer requests say.

CREATE FUNCTION sla.preset_amazee() RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $function$ SELECT $preset${
    "policy": "amazee",
    "title": "amazee.io Support: Common Customer Requests",
    "source": "amazee.io: Common Customer Requests",
    "time_zone": "UTC",
    "notes": [
        "The published text promises no time of response, update or resolution: the targets have no goal, and no clock runs. Put what is agreed with you in place of null.",
        "Assumption: the global business hours (24/5) are Monday to Friday in UTC. The published text names no time zone.",
        "Assumption: S1 is a ticket that has been escalated to emergency status, S2 every other one. The published text names no severities.",
        "Assumption: tickets of accounts whose support is cut off, from 30 days of unsettled bills on, are let in without promises. With \"reject\" as \"restricted_accounts\" they are refused.",
        "Assumption: the names of the channels. The published text says from none of them that tickets count later than from receipt.",
        "Assumption: days of unsettled bills are calendar days after the due date, in UTC. The published text names no time zone.",
        "Assumption: the names of what is cut off. An action that is not listed is refused at level 3 alone.",
        "Assumption: the names of the kinds of tests and of the fields of their announcement. Two weeks and four weeks are days on the clock of the time zone above.",
        "Assumption: of assistance that lies partly within the global business hours only the part outside them is announced and charged.",
        "Assumption: what goes on beyond a time slot is charged in buckets of its own, counted from the end of the slot.",
        "Of questionnaires the published text gives the least time and not the most. Not in this document: what an hour costs."
    ],
    "calendars": {
        "always": {"hours": "24/7"},
        "business": {"hours": "UTC Mo-Fr 00:00-24:00"}
    },
    "severities": {
        "S1": {
            "label": "Emergency",
            "description": "A ticket created via Slack or the Support Portal and then escalated to emergency status by a call of the emergency number, also on weekends."
        },
        "S2": {
            "label": "Request",
            "description": "Every other ticket."
        }
    },
    "channels": {"slack": "receipt", "portal": "receipt", "email": "receipt"},
    "restricted_accounts": "uncovered",
    "requests": {
        "load_test": {
            "title": "Load testing of customer applications",
            "lead": "2 weeks",
            "required": ["vectors", "scope", "contact_name", "contact_email", "origins", "bandwidth", "requests_per_second", "targets", "starts_at", "ends_at"]
        },
        "security_test": {
            "title": "Security or penetration testing of customer applications",
            "lead": "2 weeks",
            "required": ["vectors", "scope", "contact_name", "contact_email", "origins", "bandwidth", "requests_per_second", "targets", "starts_at", "ends_at"]
        },
        "broad_load_test": {
            "title": "Load testing of customer applications running on Lagoon infrastructure",
            "lead": "4 weeks",
            "required": ["vectors", "scope", "contact_name", "contact_email", "origins", "bandwidth", "requests_per_second", "targets", "starts_at", "ends_at"]
        },
        "broad_security_test": {
            "title": "Security testing of the Lagoon infrastructure",
            "lead": "4 weeks",
            "required": ["vectors", "scope", "contact_name", "contact_email", "origins", "bandwidth", "requests_per_second", "targets", "starts_at", "ends_at"]
        },
        "weekend_assistance": {
            "title": "Dedicated assistance outside the global business hours",
            "lead": "30 days",
            "slot_lead": "20 days",
            "outside": "business",
            "required": ["starts_at", "ends_at"]
        }
    },
    "questionnaires": {
        "binary": {"title": "Only questions of yes or no, true or false", "at_least": "2 weeks", "billable": true},
        "open": {"title": "Open ended questions that require detailed answers", "at_least": "4 weeks", "billable": true}
    },
    "assistance": {"bucket": "2 hours", "outside": "business"},
    "restriction": {
        "thresholds": {"support": 30, "deployments": 61, "termination": 91},
        "actions": {"ticket": "support", "deployment": "deployments"},
        "security_release": ["deployment"]
    },
    "targets": [
        {"severity": "S1", "metric": "response", "goal": null, "calendar": "always"},
        {"severity": "S2", "metric": "response", "goal": null, "calendar": "business"}
    ]
}$preset$::jsonb $function$;
COMMENT ON FUNCTION sla.preset_amazee() IS 'Internal: the preset amazee.';
