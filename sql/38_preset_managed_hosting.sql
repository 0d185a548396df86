-- A managed hosting provider: clear agreements, predictable follow-up.

CREATE FUNCTION sla.preset_managed_hosting() RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $function$ SELECT $preset${
    "policy": "managed-hosting",
    "title": "Managed hosting: SLA and Support",
    "source": "SLA & Support: Clear Agreements, Predictable Follow-up",
    "time_zone": "Europe/Amsterdam",
    "notes": [
        "The published text gives one time: response to P1 in less than one hour. Where it gives none the targets have no goal, and no clock runs: response to P2 to P4, and the cadence of status updates, which is agreed per package. Put what is agreed with you in place of null. A response at the very end of the hour is in time here.",
        "The time to resolve depends on cause, dependencies and scope: no goal.",
        "Assumption: P1 counts around the clock. The published text names no support hours; its service window is that of planned maintenance.",
        "Assumption: reports are made in the time of Europe/Amsterdam. The published text names no time zone.",
        "Assumption: the names of the channels. Ticketing is the source of truth; the published text says from no channel that tickets count later than from receipt.",
        "Assumption: whoever has a ticket has a package. Packages are agreed per service: load a policy for each, and give the accounts contracts; with \"contract\" as \"entitlement\" tickets without one are promised nothing.",
        "A response is the first substantive one: triage and next step. A workaround resolves a ticket.",
        "The exceptions of the published text, such as planned maintenance and force majeure, are those of uptime and credits. They exempt no ticket from its response.",
        "Goals and credits are agreed per package and per service, and no numbers are published: availability is measured, with the exceptions of the published text, and never missed. Put rules with what is agreed beside this one, for hosting, portal and control plane, as are the notice and the service window of maintenance.",
        "Assumption: the names of the kinds of exclusions. Time without observation is not measured."
    ],
    "calendars": {
        "always": {"hours": "24/7"}
    },
    "severities": {
        "S1": {
            "label": "Critical (Major Incident)",
            "description": "Production is (largely) unavailable; a security incident or suspected active compromise; data loss threatens or a restore is immediately needed; payment or critical chain processes are down."
        },
        "S2": {
            "label": "High (Serious Impact)",
            "description": "The service is available but partially not functioning; performance is so poor that business processes are hindered; an important integration fails without direct workaround."
        },
        "S3": {
            "label": "Normal (Limited Impact)",
            "description": "Non-critical functionality does not work; small performance issues without business impact; support questions, configuration, small changes."
        },
        "S4": {
            "label": "Low (Request / Nice-to-have)",
            "description": "Feature requests; improvement wishes; \"Can you take a look at...\"."
        }
    },
    "channels": {"ticketing": "receipt", "incident line": "receipt", "email": "receipt", "phone": "receipt", "chat": "receipt"},
    "availability": [
        {"goal": null, "exclusions": ["planned_maintenance", "customer_change", "third_party", "force_majeure", "abuse"]}
    ],
    "targets": [
        {"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
        {"severity": "S1", "metric": "update", "goal": null},
        {"severity": "S1", "metric": "resolution", "goal": null},
        {"severity": "S2", "metric": "response", "goal": null},
        {"severity": "S2", "metric": "resolution", "goal": null},
        {"severity": "S3", "metric": "response", "goal": null},
        {"severity": "S3", "metric": "resolution", "goal": null},
        {"severity": "S4", "metric": "response", "goal": null},
        {"severity": "S4", "metric": "resolution", "goal": null}
    ]
}$preset$::jsonb $function$;
COMMENT ON FUNCTION sla.preset_managed_hosting() IS 'Internal: the preset managed-hosting.';
