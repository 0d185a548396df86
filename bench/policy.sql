-- The policy of bench/simulate and bench/tickets.
SELECT sla.load_policy('{
	"policy": "bench",
	"time_zone": "Europe/Amsterdam",
	"calendars": {
		"always": {"hours": "24/7"},
		"office": {
			"hours": "Europe/Amsterdam Mo-Fr 09:00-17:00",
			"holidays": ["2031-01-01", "2031-04-14", "2031-05-05", "2031-05-22", "2031-06-02", "2031-12-25", "2031-12-26"]
		}
	},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S1", "metric": "resolution", "goal": "8h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "office"},
		{"severity": "S2", "metric": "resolution", "goal": "16h", "calendar": "office"},
		{"severity": "S3", "metric": "response", "goal": "4h", "calendar": "office"},
		{"severity": "S3", "metric": "resolution", "goal": "40h", "calendar": "office"},
		{"severity": "S4", "metric": "response", "goal": "8h", "calendar": "office"},
		{"severity": "S4", "metric": "resolution", "goal": "80h", "calendar": "office"}
	]}') \g /dev/null
