# The worker: prompt, woken by commits, in nobody's way.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;
use Time::HiRes qw(time);

my $node = new_node('worker', 1, 'log_min_messages' => 'debug1');

# Poll until no clock of the database is due any more.
sub all_flagged
{
	my ($db, $what) = @_;

	ok( $node->poll_query_until(
			$db,
			"SELECT NOT EXISTS (SELECT FROM sla.clock
			  WHERE next_alert_at < clock_timestamp())
			 AND EXISTS (SELECT FROM sla.alert)"),
		$what);
	return;
}

# Add clocks due in two seconds, wait until they are flagged and tell how late
# that was, in ms.
sub lateness
{
	my ($db) = @_;
	my $due = $node->safe_psql('postgres', "SELECT now() + interval '2 s'");

	$node->safe_psql($db, add_clocks(10, "timestamptz '$due'"));
	$node->poll_query_until($db,
		"SELECT count(*) = 10 FROM sla.alert WHERE due_at = '$due'")
	  or die "clocks were not flagged";
	return $node->safe_psql($db,
		"SELECT extract(epoch FROM max(flagged_at - due_at)) * 1000
		   FROM sla.alert WHERE due_at = '$due'");
}

sub worker_gone
{
	my ($db) = @_;

	return $node->poll_query_until('postgres',
		"SELECT NOT EXISTS (SELECT FROM pg_stat_activity
		  WHERE backend_type = 'slapolicy worker' AND datname = '$db')");
}

# Keep a worker busy in a database: a clock falls due every 0.1 s for a while.
sub busy
{
	my ($db) = @_;

	$node->safe_psql($db,
		add_clocks(600, "clock_timestamp() + g * interval '0.1 s'"));
	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity
		  WHERE backend_type = 'slapolicy worker' AND datname = '$db'")
	  or die "no worker came";
	return worker_pid($node, $db);
}

sub not_busy
{
	my ($db) = @_;

	$node->safe_psql($db,
		"DELETE FROM sla.clock WHERE next_alert_at IS NOT NULL");
	return;
}

# Life begins with the launcher alone, connected to no database.
ok( $node->poll_query_until(
		'postgres',
		"SELECT count(*) = 1 FROM pg_stat_activity
		  WHERE backend_type = 'slapolicy launcher' AND datname IS NULL"),
	'launcher runs, connected to no database');

# A database and an extension the launcher could not know at its start.
$node->safe_psql('postgres', 'CREATE DATABASE one');
$node->safe_psql('one', 'CREATE EXTENSION slapolicy');
my $listener = session($node, 'one');
ask($listener, 'LISTEN sla_alert;');

my $late = lateness('one');
cmp_ok($late, '>', 0, 'not flagged before it is late');
cmp_ok($late, '<', 1000, "flagged within a second of its due time ($late ms)");

my $heard = '';
for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
{
	$heard .= ask($listener, 'SELECT pg_sleep(0.1);');
	last if $heard =~ /notification/;
}
like($heard, qr/"sla_alert" with payload "1"/, 'the alert\'s id is notified');
finish($listener);
ok(worker_gone('one'), 'an idle worker leaves the database');

# A later clock is known; an earlier one is committed; a yet earlier one is
# rolled back. Only the earlier one is looked for.
$node->safe_psql('one', add_clocks(1, "now() + interval '1 h'"));
$late = lateness('one');
cmp_ok($late, '<', 1000, "an earlier commit wakes the sleeper ($late ms)");
ok(worker_gone('one'), 'the worker leaves again');

my $one = $node->safe_psql('postgres',
	"SELECT oid FROM pg_database WHERE datname = 'one'");
my $offset = -s $node->logfile;
$node->safe_psql('one',
	'BEGIN;' . add_clocks(1, "now() - interval '1 s'") . 'ROLLBACK;');
$node->safe_psql('postgres', 'CREATE DATABASE two');
$node->safe_psql('two', 'CREATE EXTENSION slapolicy');
$node->safe_psql('two', add_clocks(1, "now() - interval '1 s'"));
all_flagged('two', 'a second database is served');
unlike(substr(slurp_file($node->logfile), $offset),
	qr/starting background worker process "slapolicy worker for database $one"/,
	'a rolled back transaction wakes nobody');

# Several databases at the same instant, with settings that would mislead
# queries less careful.
$node->safe_psql('postgres', 'CREATE DATABASE three');
$node->safe_psql('three', 'CREATE EXTENSION slapolicy');
$node->safe_psql(
	'three', q{
	CREATE SCHEMA evil;
	CREATE FUNCTION evil.less(timestamptz, timestamptz) RETURNS boolean
		LANGUAGE plpgsql AS 'BEGIN RAISE ''hijacked''; END';
	CREATE OPERATOR evil.< (FUNCTION = evil.less,
		LEFTARG = timestamptz, RIGHTARG = timestamptz);
	CREATE FUNCTION evil.fire() RETURNS trigger
		LANGUAGE plpgsql AS 'BEGIN RAISE ''fired''; END';
	CREATE TRIGGER evil BEFORE UPDATE ON sla.clock
		FOR EACH ROW EXECUTE FUNCTION evil.fire();
	CREATE RULE evil AS ON INSERT TO sla.alert DO INSTEAD NOTHING;
	ALTER DATABASE three SET search_path = evil, pg_catalog;
	ALTER DATABASE three SET default_transaction_isolation = 'serializable';
	ALTER DATABASE three SET lock_timeout = '1ms';
	ALTER DATABASE three SET statement_timeout = '1ms';
	ALTER DATABASE three SET idle_session_timeout = '1ms';
	ALTER DATABASE three SET default_transaction_deferrable = on;
	ALTER DATABASE three SET role = 'pg_monitor';
	});
for my $db (qw(one two three))
{
	local $ENV{PGOPTIONS} = '-c statement_timeout=0 -c lock_timeout=0'
	  . ' -c idle_session_timeout=0 -c role=none';

	$late = lateness($db);
	cmp_ok($late, '<', 1000, "database $db is served in time ($late ms)");
}

# The triggers of an attached table wake the worker themselves.
$node->safe_psql(
	'one', q{
	SELECT sla.load_policy('{"policy": "quick", "time_zone": "UTC",
		"calendars": {"always": {"hours": "24/7"}},
		"targets": [{"severity": "S1", "metric": "resolution",
			"goal": "2s", "calendar": "always"}]}', '2026-01-01');
	CREATE TABLE ticket (id int PRIMARY KEY, severity text,
		received_at timestamptz, resolved_at timestamptz);
	SELECT sla.attach('ticket', 'quick', severity => 'severity',
		received_at => 'received_at', resolved_at => 'resolved_at');});
$node->safe_psql('one', q{
	INSERT INTO ticket VALUES (1, 'S1', clock_timestamp());});
$node->poll_query_until('one',
	q{SELECT count(*) = 1 FROM sla.alert a
	    JOIN sla.ticket t ON t.id = a.ticket_id WHERE t.key = '1'})
  or die "the ticket was not flagged";
$late = $node->safe_psql(
	'one', q{
	SELECT extract(epoch FROM a.flagged_at - k.received_at - interval '2 s') * 1000
	  FROM sla.alert a JOIN sla.ticket t ON t.id = a.ticket_id
	  JOIN ticket k ON k.id::text = t.key});
cmp_ok($late, '<', 1000, "a ticket is flagged in time ($late ms)");

# Locked clocks are passed over, and tried again. The lock is taken before the
# clock is due: a worker is quick to come.
$node->safe_psql('one', add_clocks(3, "now() + interval '1 h'"));
my $holder = session($node, 'one');
ask($holder,
	"BEGIN; UPDATE sla.clock SET next_alert_at = now() + interval '3 s'
	  WHERE id = (SELECT max(id) FROM sla.clock);
	SELECT sla.wake_worker(); COMMIT; BEGIN;
	SELECT FROM sla.clock WHERE id = (SELECT max(id) FROM sla.clock) FOR UPDATE;"
);
$node->safe_psql('one', add_clocks(3, "now() - interval '1 s'"));
$node->poll_query_until('one',
	"SELECT count(*) = 1 FROM sla.clock WHERE next_alert_at < now()")
  or die "not all but the locked clock were flagged";
my $passes = "SELECT passes FROM sla.worker_status WHERE database = 'one'";
my $seen = $node->safe_psql('one', $passes);
my $since = time;
$node->poll_query_until('one', "SELECT ($passes) >= $seen + 10")
  or die "the worker does not try again";
cmp_ok(time - $since, '>', 1, 'a locked clock is not waited for in a spin');
ask($holder, 'COMMIT;');
finish($holder);
all_flagged('one', 'a clock locked by others is flagged once they let go');
ok(worker_gone('one'), 'and the worker leaves');

# DROP EXTENSION with a live worker, and another one afterwards.
busy('two');
$node->safe_psql('two', 'DROP EXTENSION slapolicy');
ok(worker_gone('two'), 'the worker leaves when the extension is dropped');
$node->safe_psql('two', 'CREATE EXTENSION slapolicy');
$node->safe_psql('two', add_clocks(5, "now() - interval '1 s'"));
all_flagged('two', 'a new extension is served');

# Commands that want a database for themselves.
busy('two');
$node->safe_psql('postgres', 'ALTER DATABASE two RENAME TO deux');
pass('a database with a live worker can be renamed');
ok( $node->poll_query_until('deux', 'SELECT count(*) > 20 FROM sla.alert'),
	'and is served on');
busy('deux');
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE deux');
pass('a database with a live worker can be a template');
busy('deux');
$node->safe_psql('postgres', 'DROP DATABASE deux');
pass('a database with a live worker can be dropped');

# What nobody announces is found by the look at the ceiling.
$node->append_conf('postgresql.conf', "slapolicy.max_sleep = '1s'");
$node->reload;
all_flagged('copy', 'the clocks of a copied database are found');
not_busy('copy');
$node->safe_psql('one',
	    'BEGIN;'
	  . add_clocks(2, "now() - interval '1 s'")
	  . "PREPARE TRANSACTION 'p'");
$node->safe_psql('one', "COMMIT PREPARED 'p'");
all_flagged('one', 'the clocks of a prepared transaction are found');

# Only the databases named.
$node->append_conf('postgresql.conf', q{slapolicy.databases = 'copy, "one"'});
$node->reload;
$node->safe_psql($_, add_clocks(1, "now() - interval '1 s'"))
  for qw(one copy);
all_flagged('one', 'a database named is served');
all_flagged('copy', 'and another one');
my ($ret, $out, $err) =
  $node->psql('postgres', q{ALTER SYSTEM SET slapolicy.databases = 'a b'});
like($err, qr/List syntax is invalid/, 'nonsense is refused');

# Terminated processes come back.
my $pid = busy('one');
$node->safe_psql('postgres',
	"SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	  WHERE backend_type LIKE 'slapolicy %'");
ok( $node->poll_query_until(
		'one',
		"SELECT count(*) = 1 FROM pg_stat_activity
		  WHERE backend_type = 'slapolicy worker' AND datname = 'one'
		    AND pid <> $pid"),
	'launcher and worker come back after termination');
all_flagged('one', 'and flag');

$node->stop('fast');
unlike(slurp_file($node->logfile),
	qr/ERROR:.*(hijacked|fired)|PANIC:|TRAP:|was terminated by signal/,
	'nothing users defined was run');

done_testing();
