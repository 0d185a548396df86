# Databases that come, go, change their names and are copied while a worker is
# in them: it is in nobody's way.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

my $node = new_node('databases', 1, 'fsync' => 'off');

sub new_database
{
	my ($db) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, 'CREATE EXTENSION slapolicy');
	return;
}

# Run something that wants the database for itself, with a worker in it.
# PostgreSQL waits five seconds for others to leave, then fails.
sub beside_worker
{
	my ($db, $command) = @_;

	keep_busy($node, $db);
	my ($ret, $out, $err) = $node->psql('postgres', $command);
	is($err, '', $command);
	return;
}

# Created and at once with something due: nobody waits for the ceiling.
new_database('one');
$node->safe_psql('one', add_clocks(3, "now() - interval '1 s'"));
ok(flags_all($node, 'one'), 'a new database is served');

# Renamed, and flagged on under the new name; there and back.
beside_worker('one', 'ALTER DATABASE one RENAME TO two');
my $before = $node->safe_psql('two', 'SELECT count(*) FROM sla.alert');
ok( $node->poll_query_until('two', "SELECT count(*) > $before + 5 FROM sla.alert"),
	'is served on under its new name');
beside_worker('two', 'ALTER DATABASE two RENAME TO one');
new_database('two');
$node->safe_psql('two', add_clocks(3, "now() - interval '1 s'"));
ok(flags_all($node, 'two'), 'and another one under the name that is free again');

# Moved to another tablespace
mkdir $node->basedir . '/space' or die $!;
$node->safe_psql('postgres', "CREATE TABLESPACE space LOCATION '" . $node->basedir . "/space'");
beside_worker('two', 'ALTER DATABASE two SET TABLESPACE space');
stop_busy($node, 'two');
$node->safe_psql('two', add_clocks(3, "now() - interval '1 s'"));
ok(flags_all($node, 'two'), 'a database that moved is served on');

# A template while its worker lives, both ways of copying
foreach my $strategy (qw(wal_log file_copy))
{
	beside_worker('one', "CREATE DATABASE copy_$strategy TEMPLATE one STRATEGY $strategy");
	$node->safe_psql("copy_$strategy", 'SELECT sla.wake_worker()');
	ok(flags_all($node, "copy_$strategy"), 'the copy is served');
	stop_busy($node, $_) for 'one', "copy_$strategy";
	is(alert_differences($node, "copy_$strategy"), '', 'with nothing flagged twice');
}

# While a backlog is being flagged
$node->safe_psql('one', add_clocks(20000, "now() - interval '1 h'"));
my ($ret, $out, $err) = $node->psql('postgres', 'ALTER DATABASE one RENAME TO late');
is($err, '', 'a database with much to flag is renamed at once');
cmp_ok($node->safe_psql('late', 'SELECT count(*) FROM sla.clock WHERE next_alert_at IS NULL'),
	'>', 0, 'the worker had been at it');
ok(flags_all($node, 'late'), 'and goes on');
is(alert_differences($node, 'late'), '', 'with each once');

# Nobody may connect: the worker neither. It comes back when it may.
$node->safe_psql('late', add_clocks(1, "clock_timestamp() + interval '2 s'"));
$node->safe_psql('postgres', 'ALTER DATABASE late ALLOW_CONNECTIONS false');
$node->safe_psql('two', add_clocks(1, "clock_timestamp() + interval '2.5 s'"));
ok(flags_all($node, 'two') && worker_leaves($node, 'two'), 'a database that is open is served');
ok(worker_leaves($node, 'late'), 'no worker is in the closed one');
$node->safe_psql('postgres', 'ALTER DATABASE late ALLOW_CONNECTIONS true');
$node->reload;
ok( $node->poll_query_until('late', 'SELECT NOT EXISTS (SELECT FROM sla.clock WHERE next_alert_at IS NOT NULL)'),
	'and when it is open again there is one');

# A template is left alone, and served when it is none any more.
$node->safe_psql('postgres', 'ALTER DATABASE late IS_TEMPLATE true');
$node->reload;
$node->safe_psql('late', add_clocks(1, "clock_timestamp() - interval '1 s'"));
$node->safe_psql('postgres', "CREATE DATABASE late_$_ TEMPLATE late") for 1, 2;
is($node->safe_psql('late', 'SELECT count(*) FROM sla.clock WHERE next_alert_at < now()'), '1', 'a template is not flagged in');
$node->safe_psql('postgres', 'ALTER DATABASE late IS_TEMPLATE false');
$node->reload;
ok(flags_all($node, $_), "$_ is flagged in") for qw(late late_1 late_2);

# Dropped: as it is, by force, and by force while flagging
beside_worker('two', 'DROP DATABASE two');
beside_worker('late', 'DROP DATABASE late WITH (FORCE)');
$node->safe_psql('late_1', add_clocks(20000, "now() - interval '1 h'"));
$node->safe_psql('postgres', 'DROP DATABASE late_1 WITH (FORCE)');
pass('a database with much to flag is dropped');

# Its owner, who is no superuser, may do the same.
$node->safe_psql('postgres', 'CREATE ROLE keeper LOGIN CREATEDB');
foreach my $force ('', ' WITH (FORCE)')
{
	new_database('his');
	$node->safe_psql('postgres', 'ALTER DATABASE his OWNER TO keeper');
	keep_busy($node, 'his');
	my ($ret, $out, $err) = $node->psql('postgres', "DROP DATABASE his$force", extra_params => [ '-U', 'keeper' ]);
	is($err, '', "DROP DATABASE his$force, by its owner");
}

# Again and again, so that a worker is met at any moment of its life.
foreach my $round (1 .. 8)
{
	new_database('fleeting');
	$node->safe_psql('fleeting', add_clocks(2000, "now() - interval '1 s'"));
	my ($ret, $out, $err) = $node->psql('postgres',
		'DROP DATABASE fleeting' . ($round % 2 ? ' WITH (FORCE)' : ''));
	is($err, '', "dropped in round $round");
}

# None of all this kept the rest waiting.
$node->safe_psql('late_2', add_clocks(1, "clock_timestamp() - interval '1 s'"));
ok(flags_all($node, 'late_2'), 'the others are served');
my $log = slurp_file($node->logfile);
unlike($log, qr/PANIC|TRAP:|terminated by signal/, 'nothing crashed');
unlike($log, qr/ERROR:|not currently accepting connections/, 'and there was no error');

$node->stop('fast');
done_testing();
