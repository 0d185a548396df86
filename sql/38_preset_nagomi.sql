-- Nagomi Security: the premium plan of its customer support policy.

CREATE FUNCTION sla.preset_nagomi() RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $function$ SELECT $preset${
    "policy": "nagomi",
    "title": "Nagomi Security Customer Support Policy, Premium Plan",
    "source": "Nagomi Security: Customer support policy, Premium Plan Performance Metrics",
    "time_zone": "UTC",
    "notes": [
        "Assumption: reports are made in UTC. The published text names no time zone; its hours are 24 hours a day, 7 days a week, 365 days a year.",
        "Assumption: the acknowledgment is the first response.",
        "Assumption: the update frequency is the longest time between what the customer hears, from the first response until the request is resolved.",
        "Assumption: an account is entitled as long as it has a contract and its support is not cut off. The published text asks for an up-to-date, paid and valid subscription; tickets without one are let in without promises.",
        "Assumption: what lies outside of the availability of support is no breach of a response time either: scheduled maintenance, third-party interference and the causes listed with them.",
        "Assumption: regularly scheduled maintenance is planned maintenance that is announced before it begins. What is excluded counts neither as up nor as down, and neither does time without observation. No credits are published.",
        "Assumption: a subscription is up-to-date and paid as long as none of its bills is overdue, by calendar days in UTC; from the first day after the due date on support is cut off. The published text names no days.",
        "Assumption: the names of channels, reasons and kinds of exclusions.",
        "Resolution times are not guaranteed: no goal. A resolution may be a fix, a workaround, availability of the service or another solution."
    ],
    "calendars": {
        "always": {"hours": "24/7"}
    },
    "severities": {
        "S1": {
            "label": "Priority 1",
            "description": "An issue that prevents operation of critical documented functions with high frequency or duration. Essentially unable to use the product and widespread issue. The customer has dedicated resources available to work on the issue on an ongoing basis."
        },
        "S2": {
            "label": "Priority 2",
            "description": "An issue that consistently prevents operation of non-critical documented functions or occasionally impacts critical documented functions, or a critical issue for which a temporary workaround has been provided."
        },
        "S3": {
            "label": "Priority 3",
            "description": "An issue that has some impact on administration, non-critical operation or other secondary functions, or a major issue for which a temporary workaround has been provided."
        },
        "S4": {
            "label": "Priority 4",
            "description": "The services are unaffected; the customer requests product related technical advice or general information and feature questions related to the products."
        }
    },
    "channels": {"portal": "receipt", "email": "investigation"},
    "exemptions": {
        "unsupported_release": "A release that is not supported under the end-of-life policy",
        "custom_development": "Custom development by a third party, the customer or the vendor",
        "scheduled_maintenance": "Regularly scheduled maintenance",
        "third_party_interference": "Third-party interference, or another cause beyond reasonable control",
        "initial_misconfiguration": "An initial misconfiguration",
        "customer_cause": "A customer cause",
        "configuration_not_updated": "An update to configuration that the customer was asked to perform in advance and did not",
        "customer_internet": "Failure of the customer's Internet service providers"
    },
    "entitlement": "contract",
    "restricted_accounts": "uncovered",
    "availability": [
        {"goal": 99.9, "exclusions": ["planned_maintenance", "third_party", "force_majeure", "initial_misconfiguration", "customer_cause",
                                      "configuration_not_updated", "customer_internet"]}
    ],
    "restriction": {
        "thresholds": {"support": 1},
        "actions": {"ticket": "support"}
    },
    "targets": [
        {"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
        {"severity": "S1", "metric": "update", "goal": "2h", "calendar": "always"},
        {"severity": "S1", "metric": "resolution", "goal": null},
        {"severity": "S2", "metric": "response", "goal": "2h", "calendar": "always"},
        {"severity": "S2", "metric": "update", "goal": "4h", "calendar": "always"},
        {"severity": "S2", "metric": "resolution", "goal": null},
        {"severity": "S3", "metric": "response", "goal": "4h", "calendar": "always"},
        {"severity": "S3", "metric": "update", "goal": "8h", "calendar": "always"},
        {"severity": "S3", "metric": "resolution", "goal": null},
        {"severity": "S4", "metric": "response", "goal": "8h", "calendar": "always"},
        {"severity": "S4", "metric": "update", "goal": "8h", "calendar": "always"},
        {"severity": "S4", "metric": "resolution", "goal": null}
    ]
}$preset$::jsonb $function$;
COMMENT ON FUNCTION sla.preset_nagomi() IS 'Internal: the preset nagomi.';
