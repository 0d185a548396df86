# Two servers on one machine, databases of the same name and OID in both: the
# workers of one know nothing of the other.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

my @nodes = map { new_node($_, 1, 'fsync' => 'off') } qw(left right);
foreach my $node (@nodes)
{
	$node->safe_psql('postgres', 'CREATE DATABASE desk OID 70000');
	$node->safe_psql('desk', 'CREATE EXTENSION slapolicy');
}
my ($left, $right) = @nodes;
my $processes = q{SELECT string_agg(pid::text, ' ' ORDER BY pid)
	FROM pg_stat_activity WHERE backend_type LIKE 'slapolicy %'};

# What one is told, the other does not hear.
ok(get_known($_, 'desk'), $_->name . ' is served') for @nodes;
$right->safe_psql('desk', add_clocks(5, "now() - interval '1 s'") =~ s/SELECT sla.wake_worker.*/SELECT FROM added;/sr);
$left->safe_psql('desk', add_clocks(3, "now() - interval '1 s'"));
ok(flags_all($left, 'desk'), 'one flags');
ok(worker_leaves($left, 'desk'), 'and is done');
is($right->safe_psql('desk', 'SELECT count(*) FROM sla.alert'), '1', 'the other was not woken');
$right->safe_psql('desk', 'SELECT sla.wake_worker()');
ok(flags_all($right, 'desk'), 'until it is told, too');

# Nor does one feel the other's end, whatever that is.
keep_busy($_, 'desk') for @nodes;
my $before = $right->safe_psql('postgres', $processes);
kill(9, worker_pid($left, 'desk'));
ok(said($left, qr/all server processes terminated; reinitializing/), 'one restarts');
ok($left->poll_query_until('desk', 'SELECT count(*) > 3 FROM sla.alert'), 'and flags on');
$left->stop('immediate');
$left->start;
$left->stop('fast');
my $alerts = $right->safe_psql('desk', 'SELECT count(*) FROM sla.alert');
ok($right->poll_query_until('desk', "SELECT count(*) > $alerts + 3 FROM sla.alert"), 'the other flags on');
is($right->safe_psql('postgres', $processes), $before, 'with the same processes');
stop_busy($right, 'desk');
is(alert_differences($right, 'desk'), '', 'each clock once');
$left->start;
stop_busy($left, 'desk');
ok(flags_all($left, 'desk'), 'the first, started again, flags');
is(alert_differences($left, 'desk'), '', 'each clock once');

$_->stop('fast') for @nodes;
done_testing();
