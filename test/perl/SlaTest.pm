# What the Perl tests of slapolicy share: a server, clocks, and sessions that
# stay open. Every wait polls and has a bound.
package SlaTest;

use strict;
use warnings;

use Carp;
use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(time usleep);

our @EXPORT =
  qw(new_node add_clocks get_known keep_busy stop_busy flags_all
  alert_differences session ask finish worker_pid worker_leaves said);

# A running server; $preload tells whether the worker is to run, %conf are
# further settings. Nothing but what the test does may wake the worker, so the
# ceiling of its sleep is out of reach unless the test lowers it.
sub new_node
{
	my ($name, $preload, %conf) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init;
	%conf = (
		'shared_preload_libraries' => $preload ? "'slapolicy'" : "''",
		'slapolicy.max_sleep' => "'1h'",
		'timezone' => "'UTC'",
		'restart_after_crash' => 'on',
		'max_prepared_transactions' => 5,
		'autovacuum' => 'off',
		%conf);
	$node->append_conf('postgresql.conf', "$_ = $conf{$_}") for sort keys %conf;
	$node->start;
	return $node;
}

# SQL that writes $count clocks, the g-th due at the SQL expression $due, and
# wakes the worker as the triggers of an attached table would.
sub add_clocks
{
	my ($count, $due) = @_;

	return <<"EOSQL";
WITH added AS (
	INSERT INTO sla.clock (ticket_id, metric, cycle, aim, severity, goal,
		hours_id, started_at, due_at, paused, next_alert_at)
	SELECT nextval('sla.ticket_id_seq'), 'resolution', 1, 1, 'S2', '1h', 1,
		d - interval '1 hour', d, '0', d
	FROM (SELECT $due AS d FROM generate_series(1, $count) g) s
	RETURNING next_alert_at)
SELECT sla.wake_worker(min(next_alert_at)) FROM added;
EOSQL
}

# Compare the alerts with what the clocks say must have been flagged before an
# instant, by default now; '' when they agree, else a line for each that is
# missing, or that is there and should not or not twice. An alert that was
# withdrawn is no more; one that is still true keeps the aim it was flagged
# under. Nothing may be purged, and nothing be due that was not flagged yet.
sub alert_differences
{
	my ($node, $db, $at) = @_;

	$at = defined $at ? "timestamptz '$at'" : 'clock_timestamp()';
	return $node->safe_psql($db, <<"EOSQL");
WITH wanted AS (
	SELECT id AS clock_id, ticket_id, '1' AS threshold, 'breach' AS kind, due_at
	  FROM sla.clock
	 WHERE due_at < coalesce(stopped_at, 'infinity') AND due_at < $at
	   AND coalesce(outcome, 'breached') = 'breached'
	UNION ALL
	SELECT c.id, c.ticket_id, w.threshold, 'warning', w.at
	  FROM sla.clock c, unnest(c.warnings, c.warn_at) AS w (threshold, at)
	 WHERE w.at < $at),
there AS (
	SELECT clock_id, ticket_id, threshold, kind, due_at
	  FROM sla.alert a
	 WHERE kind <> 'withdrawal' AND NOT EXISTS (SELECT FROM sla.alert w
		 WHERE w.clock_id = a.clock_id AND w.aim = a.aim
		   AND w.threshold = a.threshold AND w.kind = 'withdrawal')),
missing AS (TABLE wanted EXCEPT ALL TABLE there),
surplus AS (TABLE there EXCEPT ALL TABLE wanted)
SELECT 'missing', * FROM missing
UNION ALL SELECT 'surplus', * FROM surplus
UNION ALL
SELECT 'aim', a.clock_id, a.ticket_id, a.threshold, a.kind, a.due_at
  FROM sla.alert a JOIN sla.clock c ON c.id = a.clock_id
 WHERE a.aim NOT BETWEEN 1 AND c.aim
UNION ALL
SELECT 'withdrawn but never flagged', w.clock_id, w.ticket_id, w.threshold, w.kind, w.due_at
  FROM sla.alert w
 WHERE w.kind = 'withdrawal' AND NOT EXISTS (SELECT FROM sla.alert a
	 WHERE a.clock_id = w.clock_id AND a.aim = w.aim AND a.threshold = w.threshold
	   AND a.kind <> 'withdrawal' AND a.due_at = w.due_at AND a.id < w.id)
ORDER BY 2, 5, 1 LIMIT 50;
EOSQL
}

# Keep a worker busy in a database: a clock falls due every 0.1 s for a minute.
# Returns its pid.
sub keep_busy
{
	my ($node, $db) = @_;

	$node->safe_psql($db,
		add_clocks(600, "clock_timestamp() + g * interval '0.1 s'"));
	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity
		  WHERE backend_type = 'slapolicy worker' AND datname = '$db'")
	  or croak "no worker came to $db";
	return worker_pid($node, $db);
}

# No more of these.
sub stop_busy
{
	my ($node, $db) = @_;

	$node->safe_psql($db, 'DELETE FROM sla.clock WHERE next_alert_at IS NOT NULL');
	return;
}

# Wait until nothing that is due is left to flag; true when that comes.
sub flags_all
{
	my ($node, $db) = @_;

	return $node->poll_query_until($db,
		'SELECT NOT EXISTS (SELECT FROM sla.clock WHERE next_alert_at < clock_timestamp())');
}

# Wait until a database has no worker; true when that comes.
sub worker_leaves
{
	my ($node, $db) = @_;

	return $node->poll_query_until('postgres',
		"SELECT NOT EXISTS (SELECT FROM pg_stat_activity
		  WHERE backend_type = 'slapolicy worker' AND datname = '$db')");
}

# Wait until a database has been looked at completely, so that nothing is known
# to the worker from then on but what it is told; true when that comes. Leaves
# an alert there.
sub get_known
{
	my ($node, $db) = @_;

	$node->safe_psql($db, add_clocks(1, "now() - interval '1 s'"));
	return flags_all($node, $db) && worker_leaves($node, $db);
}

# Wait until the server's log matches behind the offset given, by default from
# its beginning.
sub said
{
	my ($node, $pattern, $offset) = @_;

	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return 1 if substr(slurp_file($node->logfile), $offset // 0) =~ $pattern;
		usleep(100_000);
	}
	return 0;
}

# An open psql session; ask it something and get its output back, notifications
# included.
sub session
{
	my ($node, $db) = @_;
	my %s = (in => '', out => '', count => 0);

	$s{harness} = IPC::Run::start(
		[
			'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1',
			'-d', $node->connstr($db)
		],
		'<', \$s{in}, '>', \$s{out}, '2>', \$s{err},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return \%s;
}

sub ask
{
	my ($s, $sql) = @_;
	my $mark = 'answered-' . ++$s->{count};

	$s->{in} .= "$sql\n;\\echo $mark\n";
	$s->{harness}->pump until $s->{out} =~ /^$mark$/m;
	$s->{out} =~ s/^(.*?)$mark\n//s or croak "no answer: $s->{err}";
	return $1;
}

sub finish
{
	my ($s) = @_;

	$s->{in} .= "\\q\n";
	$s->{harness}->finish;
	return;
}

# The worker of a database, '' when there is none.
sub worker_pid
{
	my ($node, $db) = @_;

	return $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity
		  WHERE backend_type = 'slapolicy worker' AND datname = '$db'");
}

1;
