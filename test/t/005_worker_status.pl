# What the worker says of itself: sla.worker_status, its errors, the role it
# acts as, and an extension that does not fit the library.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;
use Time::HiRes qw(time);

$ENV{PGCLIENTENCODING} = 'UTF8';

my $node = new_node('status', 1, 'log_min_messages' => 'debug1');

sub status
{
	my ($db, $columns) = @_;

	return $node->safe_psql('postgres',
		"SELECT $columns FROM sla.worker_status WHERE database = '$db'");
}

sub status_becomes
{
	my ($db, $condition, $what) = @_;

	ok( $node->poll_query_until(
			'postgres',
			"SELECT $condition FROM sla.worker_status WHERE database = '$db'"),
		$what) or diag(status($db, '*'));
	return;
}

sub set_conf
{
	my ($name, $value) = @_;

	$node->safe_psql('postgres', "ALTER SYSTEM SET $name = $value");
	$node->reload;
	return;
}

# How long it takes until nothing is due in the database, in seconds.
sub time_to_flag
{
	my ($db) = @_;
	my $begin = time;

	$node->poll_query_until($db,
		'SELECT NOT EXISTS (SELECT FROM sla.clock
		  WHERE next_alert_at < clock_timestamp())')
	  or die 'clocks were not flagged';
	return time - $begin;
}

$node->safe_psql('postgres', 'CREATE EXTENSION slapolicy');
$node->safe_psql('postgres',
	q{CREATE DATABASE one ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0});
$node->safe_psql('one', 'CREATE EXTENSION slapolicy');

# A quiet database, one without the extension, one that is not served
status_becomes('one', "state = 'idle'", 'a database with nothing to do is idle');
is( status('one',
		"pid IS NULL, next_due IS NULL, lag, flagged, notified, failures, last_error IS NULL"),
	't|t|00:00:00|0|0|0|t',
	'nothing is due and nothing was done');
is( status('one',
		"since <= clock_timestamp(), looked_at <= clock_timestamp(), passes > 0"),
	't|t|t',
	'but somebody has looked');
$node->safe_psql('postgres', 'CREATE DATABASE without');
$node->reload;
status_becomes('without', "state = 'absent'", 'no extension: absent');
is(status('without', 'lag IS NULL'), 't', 'with no lag to tell');
is(status('template1', 'count(*)'), '0', 'templates are none of ours');

# Work
$node->safe_psql('one', add_clocks(3, "timestamptz '2100-01-01'"));
is(status('one', 'next_due, lag'),
	'2100-01-01 00:00:00+00|00:00:00', 'it knows what comes next');
set_conf('slapolicy.log_level', "'log'");
my $offset = -s $node->logfile;
$node->safe_psql('one', add_clocks(7, "clock_timestamp() + interval '1 s'"));
$node->poll_query_until('one', 'SELECT count(*) = 7 FROM sla.alert')
  or die 'not flagged';
status_becomes('one',
	"flagged = 7 AND notified = 7 AND lag = '0' AND state = 'idle'",
	'what was flagged and notified is counted');
my @lines = slurp_file($node->logfile, $offset) =~
  /LOG: .*flagged (\d+) alerts and notified \d+, up to [\d.]+ ms late/g;
is(eval { my $sum = 0; $sum += $_ for @lines; $sum },
	7, 'slapolicy.log_level = log: the log tells of each pass');
set_conf('slapolicy.log_level', "'debug1'");

# Who may see it
$node->safe_psql('postgres', q{
	CREATE ROLE nobody LOGIN;
	CREATE ROLE watcher LOGIN IN ROLE pg_monitor});
my ($ret, $out, $err) = $node->psql(
	'postgres',
	'SELECT FROM sla.worker_status',
	extra_params => [ '-U', 'nobody' ]);
like($err, qr/permission denied/, 'not for everybody');
($ret, $out, $err) = $node->psql(
	'postgres',
	'SELECT count(*) > 1 FROM sla.worker_status',
	extra_params => [ '-U', 'watcher' ]);
is($out, 't', 'but for members of pg_monitor');

# Names are those of now
$node->safe_psql('postgres', 'ALTER DATABASE one RENAME TO uno');
is(status('uno', 'flagged'), '7', 'a renamed database keeps its figures');
$node->safe_psql('postgres', 'ALTER DATABASE uno RENAME TO one');

# A role that does not exist, then one without rights
set_conf('slapolicy.role', "'ghost'");
$node->safe_psql('one', add_clocks(1, "now() - interval '1 s'"));
status_becomes(
	'one',
	q{state = 'failed' AND failures >= 1 AND lag >= '1 s'
	  AND last_error ~ '^role "ghost" does not exist\nDETAIL:  .*\nHINT:  .*slapolicy.role'
	  AND last_error_at > since - interval '1 min'},
	'a role that does not exist is told of');
set_conf('slapolicy.role', "'nobody'");
status_becomes(
	'one',
	q{failures >= 2 AND last_error ~ 'role "nobody" may not flag due clocks.*HINT:  Grant'},
	'reloading ends the pause; a role without rights is told of');
$node->safe_psql('one', 'GRANT SELECT, UPDATE ON sla.clock TO nobody;
	GRANT SELECT ON sla.alert TO nobody;
	SELECT sla.wake_worker()');
status_becomes('one',
	q{failures >= 3 AND last_error ~ 'may not flag due clocks'},
	'as long as it lacks one');
$node->safe_psql('one', 'GRANT INSERT ON sla.alert TO nobody;
	SELECT sla.wake_worker()');
cmp_ok(time_to_flag('one'), '<', 8, 'wake_worker ends the pause');
status_becomes('one', q{failures = 0 AND state = 'idle'
	AND last_error ~ 'may not flag'}, 'success forgives, but does not forget');
set_conf('slapolicy.role', "''");

# A clock that cannot be flagged does not keep the others from it. The error
# has more bytes than are kept, and is cut off between letters.
$node->safe_psql('one', q{
	CREATE FUNCTION fail(clock bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS
		$$BEGIN
			IF clock = 1005 THEN
				RAISE EXCEPTION 'x%', pg_catalog.repeat('ü', 400);
			END IF;
			RETURN clock;
		END$$;
	CREATE INDEX failing ON sla.alert (fail(clock_id));
	ALTER SEQUENCE sla.clock_id_seq RESTART 1001;});
my $before = $node->safe_psql('one', 'SELECT count(*) FROM sla.alert');
$node->safe_psql('one', add_clocks(10, "now() - g * interval '1 s'"));
status_becomes(
	'one',
	q{state = 'failed' AND octet_length(last_error) BETWEEN 510 AND 511
	  AND last_error ~ '^clocks that could not be flagged: 1\nDETAIL:  .* id 1005: xü+$'},
	'a clock cannot be flagged, which a long error says');
is( $node->safe_psql('one',
		"SELECT count(*) - $before, bool_or(clock_id = 1005) FROM sla.alert"),
	'9|f',
	'all others are');
$node->safe_psql('postgres',
	q{CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0});
$node->safe_psql('latin', 'CREATE EXTENSION slapolicy');
is( $node->safe_psql('latin',
		q{SELECT last_error ~ 'x[?]+$' FROM sla.worker_status WHERE database = 'one'}),
	't',
	'and readable in a database of another encoding');
$node->safe_psql('one', q{
	DROP INDEX sla.failing;
	SELECT sla.wake_worker()});
cmp_ok(time_to_flag('one'), '<', 8, 'what failed is done later');

# A worker that somebody terminates
$node->safe_psql('one',
	add_clocks(1200, "clock_timestamp() + g * interval '0.1 s'"));
status_becomes('one', q{state = 'running'}, 'a worker is busy');
is(status('one', 'pid'), worker_pid($node, 'one'), 'and named');
$node->safe_psql('postgres',
	'SELECT pg_terminate_backend(' . worker_pid($node, 'one') . ')');
status_becomes('one',
	q{state = 'failed' AND pid IS NULL AND last_error = 'the worker was terminated'},
	'and terminated');
$node->safe_psql('one', 'SELECT sla.wake_worker()');

# An extension of another version, under the worker's eyes
status_becomes('one', q{state = 'running'}, 'another worker is busy');
$offset = -s $node->logfile;
$node->safe_psql('one',
	q{UPDATE pg_extension SET extversion = '0.0.0' WHERE extname = 'slapolicy'});
status_becomes(
	'one',
	q{state = 'failed' AND pid IS NULL AND last_error
	  ~ '^extension "slapolicy" has version 0.0.0, the library .*HINT:  Run ALTER EXTENSION'},
	'an extension of another version is left alone');
my $flagged = status('one', 'flagged');
my $passes = status('one', 'passes');
for my $seconds (1 .. 5)
{
	$node->safe_psql('one', add_clocks(1, "now() - interval '$seconds s'"));
}
is(status('one', 'flagged'), $flagged, 'nothing is flagged');
is(status('one', 'passes'), $passes, 'and commits do not bring workers');
my @told = slurp_file($node->logfile, $offset) =~ /LOG: .*flags nothing/g;
is(scalar @told, 1, 'the log says so once');
$node->safe_psql('one', q{
	UPDATE pg_extension SET extversion = (SELECT default_version
		FROM pg_available_extensions WHERE name = 'slapolicy')
	 WHERE extname = 'slapolicy';
	SELECT sla.wake_worker()});
cmp_ok(time_to_flag('one'), '<', 8, 'an update wakes the worker');
status_becomes('one', q{state = 'running'}, 'which goes on');

# A new launcher finds a worker of the one before, and lets it work.
$node->safe_psql('one',
	add_clocks(600, "clock_timestamp() + g * interval '0.1 s'"));
my $pid = worker_pid($node, 'one');
$node->safe_psql('postgres', q{
	SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	 WHERE backend_type = 'slapolicy launcher'});
$node->poll_query_until('postgres', q{
	SELECT count(*) = 1 FROM pg_stat_activity
	 WHERE backend_type = 'slapolicy launcher'
	   AND backend_start > now() - interval '5 s'})
  or die 'no launcher came';
is(status('one', 'state, pid'), "running|$pid", 'a worker outlives its launcher');
$node->safe_psql('one', 'DELETE FROM sla.clock WHERE next_alert_at IS NOT NULL');
status_becomes('one', q{state = 'idle'}, 'and leaves when there is nothing to do');
$node->safe_psql('one', add_clocks(1, "now() - interval '1 s'"));
cmp_ok(time_to_flag('one'), '<', 8, 'the new launcher sends another one');
status_becomes('one', q{state = 'idle'}, 'which leaves, too');

# A database that cannot be connected to
$node->safe_psql('one', add_clocks(1, "now() + interval '6 s'"));
my $version = $node->data_dir . '/base/' . $node->safe_psql('postgres',
	"SELECT oid FROM pg_database WHERE datname = 'one'") . '/PG_VERSION';
rename $version, "$version.away" or die $!;
status_becomes('one',
	q{state = 'failed' AND last_error ~ '^the worker ended before it could connect'},
	'a worker that cannot connect has failed');
rename "$version.away", $version or die $!;
$node->reload;
cmp_ok(time_to_flag('one'), '<', 8, 'until it can');

# Databases that are not served
set_conf('slapolicy.databases', 'postgres');
status_becomes('one', q{state = 'not served' AND lag IS NULL},
	'not one of slapolicy.databases');
is( $node->safe_psql('one',
		q{SELECT state FROM sla.worker_status WHERE database = current_database()}),
	'not served',
	'as it sees itself');
$node->safe_psql('postgres', 'DROP DATABASE one');
is(status('one', 'count(*)'), '0', 'a database that is gone is not listed');
$node->stop('fast');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|was terminated by signal/,
	'nothing crashed');

# Without the library
$node->adjust_conf('postgresql.conf', 'shared_preload_libraries', "''");
$node->start;
is( $node->safe_psql('postgres',
		'SELECT database, state, pid, lag, passes FROM sla.worker_status'),
	'postgres|not preloaded|||',
	'not preloaded');
$node->stop('fast');

# No room for a worker
$node = new_node('crowd', 1, 'max_worker_processes' => 2);
my $sleeper = session($node, 'postgres');
ask($sleeper, 'SELECT 1;');
$node->safe_psql('postgres', 'CREATE EXTENSION slapolicy');
status_becomes(
	'postgres',
	q{state = 'failed' AND last_error ~ 'no room for a worker\nDETAIL.*\nHINT:  .*max_worker_processes'},
	'no room for a worker: failed, and why');
finish($sleeper);
is(() = slurp_file($node->logfile) =~ /could not start a worker/g,
	1, 'the log says so once');

# Room for one: two busy databases take turns.
$node->append_conf('postgresql.conf', 'max_worker_processes = 3');
$node->restart;
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION slapolicy');
for my $db (qw(postgres other))
{
	$node->safe_psql($db,
		add_clocks(3000, "clock_timestamp() + g * interval '0.1 s'"));
}
for my $db (qw(postgres other postgres))
{
	my $count = $node->safe_psql($db, 'SELECT count(*) + 20 FROM sla.alert');
	ok( $node->poll_query_until($db,
			"SELECT count(*) > $count FROM sla.alert"),
		"room for one worker: the clocks of $db are flagged");
}
$node->stop('fast');
cmp_ok(() = slurp_file($node->logfile) =~ /could not start a worker/g,
	'<=', 2, 'and the log is not flooded');

done_testing();
