# Killing anything at any moment loses no alert and doubles none.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;
use Time::HiRes qw(usleep);

my $rounds = 20;
my $clocks = 3000;

# Small batches, so that a kill finds one under way.
my $node = new_node('crash', 1,
	'slapolicy.batch_size' => 25,
	'fsync' => 'off',
	'log_min_messages' => 'fatal');
$node->safe_psql('postgres', 'CREATE EXTENSION slapolicy');

# Rounds are repeatable.
my $seed = $ENV{SLAPOLICY_TEST_SEED} // 4711;
srand($seed);
note "seed $seed";

# Sessions that flag by hand, each transaction several batches long, and one
# that goes on writing clocks. They die with the server.
sub start_load
{
	my @jobs;
	my $file = $node->basedir . '/load';
	my $connstr = $node->connstr('postgres');
	my $flag = "SELECT sla.flag_due(clock_timestamp());\n" x 200;
	my $write = add_clocks(20, "clock_timestamp() - g * interval '1 s'") x 500;

	foreach my $sql ($flag, $flag, $write)
	{
		my $name = $file . scalar(@jobs);

		append_to_file($name, $sql) unless -e $name;
		push @jobs,
		  IPC::Run::start([ 'psql', '-XAtq', '-d', $connstr, '-f', $name ],
			'<', '/dev/null', '>', '/dev/null', '2>', '/dev/null');
	}
	return @jobs;
}

# Wait until flagging of this round is under way.
sub under_way
{
	my ($before) = @_;

	$node->poll_query_until('postgres',
		"SELECT count(*) > $before FROM sla.alert")
	  or die "nothing is flagged";
	return;
}

# Kill the postmaster and wait until it is gone.
sub kill_postmaster
{
	my $pid = $node->{_pid};

	$node->kill9;
	foreach my $try (1 .. 100 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return 1 unless kill(0, $pid);
		usleep(10_000);
	}
	die "the postmaster does not die";
}

# Start again. The children of a killed postmaster may live for a moment more
# and keep the old shared memory in use.
sub start_again
{
	foreach my $try (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return if $node->start(fail_ok => 1);
		usleep(100_000);
		$node->stop('fast', fail_ok => 1);
	}
	die "the server does not start again";
}

sub kill_backend
{
	my ($like) = @_;

	my $pid = $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity
		  WHERE $like AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1");
	return 0 if $pid eq '';
	return kill(9, $pid);
}

my %victims = (
	'worker' => sub { kill_backend("backend_type = 'slapolicy worker'") },
	'session' => sub { kill_backend("query LIKE '%flag_due%'") },
	'writer' => sub { kill_backend("query LIKE '%INSERT%'") },
	'postmaster' => \&kill_postmaster,
	'server at once' => sub { $node->stop('immediate'); 1 });
my @order = sort keys %victims;
my %killed;

for my $round (1 .. $rounds)
{
	my $victim = $order[ $round % @order ];
	my $before = $node->safe_psql('postgres', 'SELECT count(*) FROM sla.alert');

	$node->safe_psql('postgres',
		add_clocks($clocks, "now() - interval '1 h' + g * interval '0.1 s'"));
	my @jobs = start_load();
	under_way($before);
	usleep(int(rand(50_000)));
	$killed{$victim} += $victims{$victim}->();

	$_->finish for @jobs;
	start_again() if $victim =~ /postmaster|server/;
	$node->poll_query_until('postgres',
		'SELECT count(*) = 0 FROM sla.clock WHERE next_alert_at IS NOT NULL')
	  or die "clocks are left after round $round ($victim)";
}

# A victim can be done before it is hit; each was to be hit several times.
cmp_ok($killed{$_} // 0, '>=', 1, "killed: $_") for @order;

cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM sla.clock'),
	'>=', $rounds * $clocks, 'committed clocks are there');
is( $node->safe_psql(
		'postgres',
		"SELECT count(*) FROM (
			SELECT id, ticket_id, aim, '1', 'breach', due_at FROM sla.clock
			EXCEPT ALL
			SELECT clock_id, ticket_id, aim, threshold, kind, due_at FROM sla.alert) s"),
	'0', 'no alert is lost');
is( $node->safe_psql(
		'postgres',
		"SELECT count(*) FROM (
			SELECT clock_id, ticket_id, aim, threshold, kind, due_at FROM sla.alert
			EXCEPT ALL
			SELECT id, ticket_id, aim, '1', 'breach', due_at FROM sla.clock) s"),
	'0', 'none is doubled or made up');
is( $node->safe_psql(
		'postgres', 'SELECT count(*) FROM sla.alert WHERE flagged_at <= due_at'),
	'0', 'none came early');

$node->stop('fast');
done_testing();
