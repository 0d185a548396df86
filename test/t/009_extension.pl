# The extension dropped and created while its worker lives, in ten databases,
# and of another version than the library.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;
use Time::HiRes qw(time);

my $node = new_node('extension', 1, 'fsync' => 'off', 'max_worker_processes' => 4);

# Ten databases, with fewer workers to be had: all are served, one after the
# other, in no more time than it takes.
my @ten = map { "db_$_" } 1 .. 10;
$node->safe_psql('postgres', "CREATE DATABASE $_ STRATEGY file_copy") for @ten;
my $began = time;
$node->safe_psql($_, 'CREATE EXTENSION slapolicy;' . add_clocks(200, "now() - interval '1 s'")) for @ten;
ok(flags_all($node, $_), "$_ is served") for @ten;
cmp_ok(time - $began, '<', 60, 'without a pause in between');
is(join(' ', map { alert_differences($node, $_) } @ten), ' ' x 9, 'each clock once');

# All at the same moment
my $due = $node->safe_psql('postgres', "SELECT now() + interval '2 s'");
$node->safe_psql($_, add_clocks(5, "timestamptz '$due'")) for @ten;
ok(flags_all($node, $_), "$_ is served again") for @ten;
unlike(slurp_file($node->logfile), qr/ERROR:|FATAL:/, 'there was no error');

# Dropped while flagging, rolled back, dropped, and created anew
my $db = 'db_1';
foreach my $round (1 .. 5)
{
	$node->safe_psql($db, add_clocks(5000, "now() - interval '1 h'"));
	my $log = -s $node->logfile;
	$node->safe_psql($db, 'BEGIN; DROP EXTENSION slapolicy; ROLLBACK') if $round % 2;
	$node->safe_psql($db, 'DROP EXTENSION slapolicy');
	$node->safe_psql($db, 'CREATE EXTENSION slapolicy');
	$node->safe_psql($db, add_clocks(50, "now() - interval '1 s'"));
	ok(flags_all($node, $db), "served in round $round");
	is(alert_differences($node, $db), '', 'with each once');
	unlike(substr(slurp_file($node->logfile), $log), qr/ERROR:|FATAL:|cache lookup/, 'and no error');
}

# Dropped for good: the worker leaves, and no other comes.
keep_busy($node, $db);
my $log = -s $node->logfile;
$node->safe_psql($db, 'DROP EXTENSION slapolicy');
ok(worker_leaves($node, $db), 'the worker leaves when there is no extension any more');
unlike(substr(slurp_file($node->logfile), $log), qr/ERROR:|FATAL:/, 'without an error');

# One session creates it and has not committed: the worker waits or finds none,
# and comes when it is there.
my $creator = session($node, $db);
ask($creator, 'BEGIN; CREATE EXTENSION slapolicy; ' . add_clocks(3, "now() - interval '1 s'"));
ask($creator, 'COMMIT;');
finish($creator);
ok(flags_all($node, $db), 'an extension that comes with something due is served');

unlike(slurp_file($node->logfile), qr/PANIC|TRAP:|terminated by signal/, 'nothing crashed');
$node->stop('fast');
done_testing();
