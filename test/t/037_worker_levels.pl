# The worker tells of levels of restriction as they change, and keeps no clock
# waiting for it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

my $node = new_node('levels', 1, 'slapolicy.log_level' => 'log');

sub levels
{
	my ($account) = @_;

	return "SELECT string_agg(level::text, ' ' ORDER BY n) FROM sla.restriction_alert WHERE account = '$account'";
}

$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION slapolicy;
	SELECT sla.load_policy('{"policy": "bills", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
		"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}],
		"restriction": {"thresholds": {"support": 30, "deployments": 61}}}');
	CREATE TABLE bill (id int PRIMARY KEY, who text, due date, paid_at timestamptz);
	SELECT sla.attach_invoices('bill', 'bills', account => 'who', due => 'due', settled_at => 'paid_at');});
my $listener = session($node, 'postgres');
ask($listener, 'LISTEN sla_restriction;');

# As soon as it is known
$node->safe_psql('postgres',
	"INSERT INTO bill VALUES (1, 'late', current_date - 40, NULL), (2, 'soon', current_date + 5, NULL)");
ok($node->poll_query_until('postgres', levels('late'), 'support'),
	'a bill that is overdue for long restricts its account at once');
my $heard = '';
for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
{
	$heard .= ask($listener, 'SELECT pg_sleep(0.1);');
	last if $heard =~ /sla_restriction/;
}
my $id = $node->safe_psql('postgres', 'SELECT id FROM sla.restriction_alert');
like($heard, qr/"sla_restriction" with payload "$id"/, 'which is notified');
is($node->safe_psql('postgres', levels('soon')), '', 'one that is not due yet does not');

# When the worker rests, the next midnight that matters is what it waits for.
my $rests = q{SELECT next_due = (current_date + 21)::timestamptz FROM sla.worker_status
	WHERE database = current_database()};
ok($node->poll_query_until('postgres', $rests),
	'the next change of a level is waited for');

$node->safe_psql('postgres', 'UPDATE bill SET paid_at = now() WHERE id = 1');
ok($node->poll_query_until('postgres', levels('late'), 'support none'),
	'and so is a level that falls');

# Another pass is under way, in a session that takes its time.
my $other = session($node, 'postgres');
ask($other, 'BEGIN; SELECT sla.flag_restrictions(now());');
$node->safe_psql('postgres', "INSERT INTO bill VALUES (3, 'third', current_date - 70, NULL)");
$node->safe_psql('postgres', add_clocks(1, 'clock_timestamp()'));
ok( $node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM sla.alert'),
	'clocks do not wait for another pass over levels');
is($node->safe_psql('postgres', levels('third')), '', 'levels do');
ask($other, 'COMMIT;');
ok($node->poll_query_until('postgres', levels('third'), 'deployments'),
	'and are told when it is over');
finish($_) for $listener, $other;

# What goes wrong with levels
$node->safe_psql(
	'postgres', q{
	ALTER TABLE sla.restriction_alert ADD CONSTRAINT broken CHECK (account <> 'fourth');
	INSERT INTO bill VALUES (4, 'fourth', current_date - 70, NULL);});
ok( $node->poll_query_until(
		'postgres',
		q{SELECT last_error ~ 'broken' FROM sla.worker_status WHERE database = current_database()}
	),
	'an error is kept for those who watch');
like($node->safe_psql('postgres', 'SELECT last_error FROM sla.worker_status WHERE database = current_database()'),
	qr/^accounts that could not be flagged: 1\nDETAIL:  The first one is "fourth": .*broken/, 'which tells whose level it is');
$node->safe_psql('postgres', add_clocks(1, 'clock_timestamp()'));
ok( $node->poll_query_until('postgres', 'SELECT count(*) = 2 FROM sla.alert'),
	'and keeps no clock from being flagged');
$node->safe_psql(
	'postgres', q{
	INSERT INTO bill SELECT 100 + g, 'fourth', current_date - 40 - g, NULL FROM generate_series(1, 20) g;
	INSERT INTO bill VALUES (5, 'fifth', current_date - 70, NULL), (6, 'sixth', current_date - 40, NULL);
	SELECT sla.override_restriction('seventh', NULL, 'support', 'for the test');
	INSERT INTO sla.restriction_override (account, level, reason, author, starts, until, recorded_at)
	VALUES ('eighth', 'support', 'by hand', 'somebody', now() - interval '1 day', 'infinity', now());
	SELECT sla.wake_worker();});
my %others = (fifth => 'deployments', sixth => 'support', seventh => 'support', eighth => 'support');
foreach my $other (sort keys %others)
{
	ok($node->poll_query_until('postgres', levels($other), $others{$other}),
		"one account that cannot be flagged does not keep the $other from it");
}
$node->safe_psql(
	'postgres', q{
	ALTER TABLE sla.restriction_alert DROP CONSTRAINT broken;
	SELECT sla.wake_worker();});
ok($node->poll_query_until('postgres', levels('fourth'), 'deployments'),
	'what is mended goes on');
like(slurp_file($node->logfile), qr/slapolicy worker flagged \d+ changes of levels and notified \d+/, 'the log tells of levels');

$node->stop('fast');
done_testing();
