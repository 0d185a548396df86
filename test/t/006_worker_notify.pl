# Notifications: one for each alert, after it; none is lost while they cannot be
# sent, and nothing waits for them.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

my $node = new_node('notify', 1,
	'slapolicy.batch_size' => 10,
	'log_min_messages' => 'debug1');
my $listener;

# What has been heard, once it is as many as expected; at most the time bound.
sub heard
{
	my ($count) = @_;
	my @ids;

	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		push @ids, ask($listener, 'SELECT pg_sleep(0.1);') =~
		  /"sla_alert" with payload "(\d+)"/g;
		last if @ids >= $count;
	}
	return "@ids";
}

sub listen_to
{
	my ($db) = @_;

	$listener = session($node, $db);
	ask($listener, 'LISTEN sla_alert;');
	return;
}

sub status
{
	my ($columns) = @_;

	return $node->safe_psql('postgres',
		"SELECT $columns FROM sla.worker_status WHERE database = current_database()"
	);
}

sub flagged
{
	my ($count) = @_;

	$node->poll_query_until('postgres',
		"SELECT count(*) = $count FROM sla.alert")
	  or die 'not flagged';
	return;
}

$node->safe_psql('postgres', 'CREATE EXTENSION slapolicy');
listen_to('postgres');

# Several batches
$node->safe_psql('postgres', add_clocks(35, "now() - interval '1 s'"));
is(heard(35), join(' ', 1 .. 35), 'every alert is notified once, in order');

# Alerts nobody has to hear of: withdrawals, and those of a dump
$node->safe_psql('postgres', q{
	INSERT INTO sla.alert (clock_id, ticket_id, aim, threshold, kind, due_at, flagged_at)
	SELECT clock_id, ticket_id, aim, threshold, 'withdrawal', due_at, now()
	  FROM sla.alert WHERE id = 7;
	INSERT INTO sla.alert (clock_id, ticket_id, aim, threshold, kind, due_at, flagged_at)
	SELECT clock_id, ticket_id, 99, threshold, kind, due_at, '2020-01-01'
	  FROM sla.alert WHERE id <= 20;});
$node->safe_psql('postgres', add_clocks(1, "now() - interval '1 s'"));
is(heard(1), '57', 'withdrawals and restored alerts are not notified');

# Switched off, the cursor moves on.
$node->safe_psql('postgres', 'ALTER SYSTEM SET slapolicy.notify = off');
$node->reload;
$node->safe_psql('postgres', add_clocks(15, "now() - interval '1 s'"));
flagged(72);
$node->poll_query_until('postgres',
	"SELECT state = 'idle' FROM sla.worker_status WHERE database = 'postgres'");
$node->safe_psql('postgres', 'ALTER SYSTEM SET slapolicy.notify = on');
$node->reload;
$node->safe_psql('postgres', add_clocks(1, "now() - interval '1 s'"));
is(heard(1), '73', 'what was flagged while notify was off is not sent later');

# The server can write no notifications: its queue is to go to the disk, since
# a listener does not read it, and cannot. (Filling it up to its limit takes
# gigabytes before PostgreSQL 17.)
ask($listener, 'BEGIN;');
my $queue = $node->data_dir . '/pg_notify';
chmod 0, $queue or die $!;
my $filler = 0;
for (1 .. 200)
{
	my ($ret) = $node->psql('postgres',
		"SELECT pg_notify('filler', repeat('x', 7900))");
	last if $ret != 0;
	$filler++;
}
cmp_ok($filler, '<', 200, 'the queue takes no more');
my $offset = -s $node->logfile;
$node->safe_psql('postgres', add_clocks(400, "now() - interval '1 s'"));
flagged(473);
pass('flagging goes on');
ok( $node->poll_query_until(
		'postgres',
		q{SELECT last_error ~ 'pg_notify|transaction' AND next_due > last_error_at
		   FROM sla.worker_status WHERE database = 'postgres'}),
	'the error is kept, and it will be tried again')
  or diag(status('*'));
is(status('failures'), '0', 'the worker has not failed');
$node->safe_psql('postgres', add_clocks(5, "now() - interval '1 s'"));
flagged(478);
pass('and on');
chmod 0700, $queue or die $!;
ask($listener, 'COMMIT;');
my $got = heard(405);
is($got, join(' ', 74 .. 478),
	'none was skipped, none was doubled, once it works again');
like(slurp_file($node->logfile, $offset),
	qr/slapolicy worker sends notifications again/, 'the log says so');
is($node->safe_psql('postgres', 'SELECT count(*) FROM sla.alert WHERE kind = $$breach$$'),
	477, 'all is flagged once');

# A new extension begins with new ids.
$node->safe_psql('postgres', 'DROP EXTENSION slapolicy');
$node->safe_psql('postgres', 'CREATE EXTENSION slapolicy');
$node->safe_psql('postgres', add_clocks(3, "now() - interval '1 s'"));
is(heard(3), '1 2 3', 'the alerts of a new extension are notified');
$node->safe_psql('postgres', q{
	BEGIN;
	TRUNCATE sla.alert RESTART IDENTITY;
	SELECT sla.wake_worker();
	COMMIT;});
$node->poll_query_until('postgres',
	"SELECT state = 'idle' AND next_due IS NULL FROM sla.worker_status
	  WHERE database = 'postgres'");
$node->safe_psql('postgres', add_clocks(2, "now() - interval '1 s'"));
is(heard(2), '1 2', 'and those whose ids begin anew');

# By hand: sent by whom flags it, which the worker may repeat.
$node->safe_psql('postgres', 'BEGIN;'
	  . add_clocks(1, "now() - interval '1 s'")
	  . 'SELECT sla.flag_due(now()); COMMIT');
like(heard(1), qr/^3( 3)?$/, 'flag_due notifies by itself');

# After a crash old alerts are history.
finish($listener);
$node->stop('immediate');
$node->start;
listen_to('postgres');
$node->safe_psql('postgres', add_clocks(1, "now() - interval '1 s'"));
my ($first) = split / /, heard(1);
is( $node->safe_psql('postgres',
		"SELECT count(*) = 4 AND max(id) = $first FROM sla.alert"),
	't',
	'after a crash only new alerts are notified');
finish($listener);

$node->stop('fast');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|was terminated by signal/,
	'nothing crashed');

SKIP:
{
	skip 'max_notify_queue_pages came with PostgreSQL 17', 2
	  if $node->pg_version < 17;

	$node->append_conf('postgresql.conf', 'max_notify_queue_pages = 64');
	$node->start;
	listen_to('postgres');
	ask($listener, 'BEGIN;');
	$node->psql('postgres', "SELECT pg_notify('filler', repeat('x', 7900))")
	  for 1 .. 62;
	$node->safe_psql('postgres', add_clocks(20, "now() - interval '1 s'"));
	ok( $node->poll_query_until(
			'postgres',
			q{SELECT last_error ~ 'sends no notifications' AND flagged = 20
			   FROM sla.worker_status WHERE database = 'postgres'}),
		'a queue that is nearly full is left to others');
	ask($listener, 'COMMIT;');
	my @ids = split / /, heard(20);
	is(scalar @ids, 20, 'until it is not');
	finish($listener);
	$node->stop('fast');
}

done_testing();
