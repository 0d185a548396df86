# Killing anything at any moment, a hundred times, loses no alert and doubles
# none, and no ticket that was committed is missing.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use List::Util qw(shuffle);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaLoad;
use SlaTest;
use Test::More;
use Time::HiRes qw(time usleep);

# How often each; the first two make the launcher pause, so that a kill that
# restarts the server follows each of them.
my %times = (
	'worker terminated' => 10,
	'launcher terminated' => 6,
	'writer terminated' => 10,
	'worker killed' => 24,
	'launcher killed' => 8,
	'writer killed' => 12,
	'flagging session killed' => 8,
	'postmaster killed' => 10,
	'immediate stop' => 12);

# Small batches, so that a kill finds one under way.
my $node = new_node('crash', 1,
	'slapolicy.batch_size' => 10,
	'fsync' => 'off',
	'autovacuum' => 'on',
	'autovacuum_naptime' => '1s',
	'log_min_messages' => 'fatal');
my $load = SlaLoad->new($node, 'postgres');

# What is killed and written in which order can be repeated.
my $seed = $ENV{SLAPOLICY_TEST_SEED} // 4711;
srand($seed);
note "seed $seed";

my @pausing = map { ($_) x $times{$_} } 'launcher terminated', 'worker terminated';
my @restarting = shuffle(map { ($_) x $times{$_} } 'immediate stop', 'postmaster killed', 'writer killed');
my @rounds = map { @$_ } shuffle(
	(map { [ $_, pop @restarting ] } @pausing),
	(map { [$_] } @restarting[ 1 .. $#restarting ]),
	(map { ([$_]) x $times{$_} } 'writer terminated', 'worker killed', 'launcher killed', 'flagging session killed'));
push @rounds, $restarting[0];

# Poll a condition more often than poll_query_until does.
sub until_true
{
	my ($condition, $seconds) = @_;
	my $end = time() + ($seconds // $PostgreSQL::Test::Utils::timeout_default);
	my $result;

	usleep(10_000) until $result = $condition->() or time() > $end;
	return $result;
}

# A query that may find no server
sub try_query
{
	my ($sql) = @_;

	# as an argument: what reads no input cannot be gone before it has read it
	return (run_command([ 'psql', '-XAtqc', $sql, '-d', $node->connstr('postgres') ]))[0];
}

sub kill_postmaster
{
	my $pid = $node->{_pid};

	$node->kill9;
	until_true(sub { !kill(0, $pid) })
	  or die "the postmaster does not die";
	return 1;
}

# Start again. The children of a killed postmaster may live for a moment more
# and keep the old shared memory in use.
sub start_again
{
	until_true(
		sub {
			return 1 if $node->start(fail_ok => 1);
			$node->stop('fast', fail_ok => 1);
			return;
		})
	  or die "the server does not start again";
	return;
}

my %who = (
	worker => q{backend_type = 'slapolicy worker'},
	launcher => q{backend_type = 'slapolicy launcher'},
	writer => q{application_name = 'writer'},
	'flagging session' => q{application_name = 'flagger'});

sub hit
{
	my ($round) = @_;

	return kill_postmaster() if $round eq 'postmaster killed';
	if ($round eq 'immediate stop')
	{
		$node->stop('immediate');
		return 1;
	}

	my ($victim, $way) = $round =~ /^(.*) (killed|terminated)$/;
	my $from = "FROM pg_stat_activity WHERE $who{$victim} ORDER BY random() LIMIT 1";
	return until_true(
		sub {
			return try_query("SELECT pg_terminate_backend(pid) $from") eq 't'
			  if $way eq 'terminated';
			my $pid = try_query("SELECT pid $from");
			return $pid ne '' && kill(9, $pid);
		},
		1);
}

my %hits;

# A victim can be done before it is hit: then there is another try, sooner.
foreach my $round (@rounds)
{
	for my $try (1 .. 5)
	{
		my @jobs = (
			(map { $load->run('writer', $load->script(150)) } 1 .. 4),
			$load->run('flagger', "SELECT sla.flag_due(clock_timestamp()) AS x \\gset\n" x 300));

		usleep(int(rand(250_000) / $try**2));
		my $hit = hit($round);
		$_->finish for @jobs;
		$hits{$round} += $hit // 0;
		last if $hit;
	}
	start_again() if $round =~ /postmaster|stop/;
	until_true(sub { try_query('SELECT 1') eq '1' })
	  or die "no server after: $round";
}

is(scalar(@rounds), 100, 'a hundred rounds');
cmp_ok($hits{$_}, '>=', $times{$_} / 2, "$_: $hits{$_}") for sort keys %times;

ok( $node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM sla.clock WHERE next_alert_at IS NOT NULL'),
	'everything is flagged in the end');
is($load->errors, '', 'the writers met no error');
cmp_ok($load->count_inserted, '>', 1000, 'many tickets were committed');
is($load->differences, '', 'all of them are there, and in the ledger');
is($node->safe_psql('postgres', 'SELECT count(*) FROM sla.recompute()'), '0', 'their clocks are what their events say');
is(alert_differences($node, 'postgres'), '', 'no alert is lost, doubled or made up');
is($node->safe_psql('postgres', "SELECT count(*) FROM sla.alert WHERE flagged_at < due_at AND kind <> 'withdrawal'"), '0', 'none came early');
is( $node->safe_psql('postgres', 'SELECT string_agg(DISTINCT kind, $$ $$ ORDER BY kind) FROM sla.alert'),
	'breach warning withdrawal',
	'there were alerts of each kind');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP:|terminated by signal (?!9\b)/, 'nothing died of itself');

$node->stop('fast');
done_testing();
