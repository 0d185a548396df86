# sla.flag_due(now()) from a scheduler gives the facts that the worker gives:
# warnings of several thresholds and breaches, of tickets that run, stopped,
# stood still, changed their severity or were corrected. And these are what the
# clocks say must be there.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

my $node = new_node('scheduler', 1, 'slapolicy.databases' => "'none'");

$node->safe_psql('postgres', 'CREATE DATABASE by_worker');
$node->safe_psql(
	'by_worker', q(
CREATE EXTENSION slapolicy;
SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}, "office": {"hours": "Europe/Berlin Mo-Fr 09:00-17:00"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always", "alerts": [0.5, 0.75, 1, "10min", "5min"]},
		{"severity": "S1", "metric": "resolution", "goal": "8h", "calendar": "always", "alerts": ["2h", 0.9]},
		{"severity": "S2", "metric": "response", "goal": "4h", "calendar": "office", "alerts": [0.25, 1]},
		{"severity": "S2", "metric": "resolution", "goal": "3bd", "calendar": "office", "alerts": ["1h", "30min", 0.5]},
		{"severity": "S3", "metric": "resolution", "goal": "1bd", "calendar": "office"}]}', '2026-01-01');
CREATE TABLE tickets (id int PRIMARY KEY, s text, at timestamptz, state text DEFAULT 'open', changed timestamptz, replied timestamptz, done timestamptz);
SELECT sla.attach('tickets', 'acme', 's', 'at', 'replied', 'done', status => 'state', paused_when => '{waiting}', changed_at => 'changed', stamp => false);
INSERT INTO tickets SELECT g, 'S' || 1 + g % 3, t, 'open', t, CASE WHEN g % 5 > 1 THEN t + g * 73 % 400 * interval '1 min' END
FROM generate_series(1, 400) g, LATERAL (SELECT timestamptz '2026-03-02 06:00' + g * interval '47 min' AS t) r;
UPDATE tickets SET state = 'waiting', changed = at + id % 7 * interval '11 min' WHERE id % 4 = 0;
UPDATE tickets SET state = 'open', changed = changed + id % 9 * interval '1 h' WHERE id % 8 = 0;
UPDATE tickets SET s = 'S1', changed = changed + interval '40 min' WHERE id % 11 = 0;
UPDATE tickets SET done = greatest(at, changed) + id * 31 % 2000 * interval '1 min' WHERE id % 3 > 0 AND id % 7 > 0;
));
$node->safe_psql('postgres', "CREATE DATABASE $_ TEMPLATE by_worker") for 'by_scheduler', 'once';

my $facts = 'SELECT clock_id, aim, threshold, kind, due_at FROM sla.alert ORDER BY 1, 2, 3, 4';

# What the clocks say that is not there, and what is there that they do not say
my $wrong = q(
	WITH wanted AS (
		SELECT id, '1' AS threshold, 'breach' AS kind, due_at FROM sla.clock
		WHERE due_at < least(coalesce(stopped_at, 'infinity'), now()) AND coalesce(outcome, 'breached') = 'breached'
		UNION ALL
		SELECT c.id, w.threshold, 'warning', w.due_at FROM sla.clock c, unnest(c.warnings, c.warn_at) w(threshold, due_at)
		WHERE w.due_at < now()),
	standing AS (
		SELECT clock_id, threshold, kind, due_at FROM sla.alert a
		WHERE kind <> 'withdrawal' AND NOT EXISTS (SELECT FROM sla.alert w
			WHERE w.kind = 'withdrawal' AND w.clock_id = a.clock_id AND w.aim = a.aim AND w.threshold = a.threshold))
	(TABLE wanted EXCEPT ALL TABLE standing) UNION ALL (TABLE standing EXCEPT ALL TABLE wanted));

$node->append_conf('postgresql.conf', "slapolicy.databases = 'by_worker'");
$node->reload;
$node->safe_psql('by_worker', 'SELECT sla.wake_worker()');
$node->poll_query_until('by_worker', 'SELECT EXISTS (SELECT FROM sla.alert) AND NOT EXISTS (SELECT FROM sla.clock WHERE next_alert_at < now())')
  or die 'the worker did not flag';
my $by_worker = $node->safe_psql('by_worker', $facts);
is($node->safe_psql('by_worker', q(SELECT string_agg(t, ' ' ORDER BY t) FROM (SELECT DISTINCT threshold FROM sla.alert) d(t))),
	'0.25 0.5 0.75 0.9 1 10min 1h 2h 30min 5min', 'thresholds of all kinds are reached');
is($node->safe_psql('by_worker', $wrong), '', 'the worker flags what the clocks say');

# A scheduler that runs every few hours, as if it had done so then
$node->safe_psql('by_scheduler', "SELECT sla.flag_due(t) FROM generate_series(timestamptz '2026-03-02 06:00', '2026-03-20', '3 h 7 min') t");
cmp_ok($node->safe_psql('by_scheduler', 'SELECT count(DISTINCT flagged_at) FROM sla.alert'), '>', 50, 'flagged a few at a time');
$node->safe_psql('by_scheduler', 'SELECT sla.flag_due(now())');
is($node->safe_psql('by_scheduler', $facts), $by_worker, 'gives the same facts');
is($node->safe_psql('by_scheduler', 'SELECT count(*) FROM sla.alert WHERE flagged_at <= due_at'), '0', 'none before its time');

# One that runs for the first time
$node->safe_psql('once', 'SELECT sla.flag_due(now())');
is($node->safe_psql('once', $facts), $by_worker, 'and so does one run for all');
is($node->safe_psql('once', 'SELECT sla.flag_due(now())'), '0', 'after which there is nothing to do');

# Corrections, then both again
for my $db ('by_worker', 'by_scheduler', 'once')
{
	$node->safe_psql(
		$db, q(
		UPDATE tickets SET replied = at + interval '3 min' WHERE id % 10 = 3;
		UPDATE tickets SET replied = NULL WHERE id % 10 = 4;
		UPDATE tickets SET s = 'S2', changed = at + interval '90 min' WHERE id % 12 = 9;
		UPDATE tickets SET done = NULL WHERE id % 9 = 4;
		UPDATE tickets SET at = at - interval '20 min' WHERE id % 13 = 5;));
}
$node->safe_psql($_, 'SELECT sla.flag_due(now())') for 'by_scheduler', 'once';
$node->poll_query_until('by_worker', 'SELECT NOT EXISTS (SELECT FROM sla.clock WHERE next_alert_at < now())')
  or die 'the worker did not flag';
is($node->safe_psql($_, $wrong), '', "$_: what the clocks say after corrections") for 'by_worker', 'by_scheduler', 'once';
cmp_ok($node->safe_psql('once', q(SELECT count(*) FROM sla.alert WHERE kind = 'withdrawal')), '>', 20, 'some alerts are withdrawn');
my $by_correction = $node->safe_psql('by_worker', $facts);
is($node->safe_psql($_, $facts), $by_correction, "$_: the same facts again") for 'by_scheduler', 'once';

$node->stop;
done_testing();
