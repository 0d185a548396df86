-- amazee.io: what its common customer requests say about tickets.

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
        "Not in this document: how long ahead tests and assistance on weekends are to be announced, what they cost, and the turnaround of security questionnaires, of which the published text gives the least time and not the most."
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
