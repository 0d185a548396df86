# No background worker can be had: said once, harmless, and over as soon as one
# can be had again.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

# The server's own logical replication launcher, ours, and a single worker
my $node = new_node('no_room', 1, 'max_worker_processes' => 3);
$node->safe_psql('postgres', "CREATE DATABASE $_") for qw(one two);
$node->safe_psql($_, 'CREATE EXTENSION slapolicy') for qw(one two);
ok(worker_leaves($node, $_), "database $_ was looked at") for qw(one two);

keep_busy($node, 'one');
$node->safe_psql('two', add_clocks(3, "now() - interval '1 s'"));
ok(said($node, qr/HINT:.*"max_worker_processes"/), 'the log has a hint');
is($node->safe_psql('two', 'SELECT count(*) FROM sla.clock WHERE next_alert_at IS NOT NULL'),
	'3', 'the clocks wait');

# Whoever cannot wait flags by hand; writers notice nothing.
$node->safe_psql('two', add_clocks(2, "now() - interval '1 s'"));
is($node->safe_psql('two', 'SELECT sla.flag_due(now())'), '5', 'flagging by hand works');

$node->safe_psql('two', add_clocks(4, "now() - interval '1 s'"));
stop_busy($node, 'one');
ok(worker_leaves($node, 'one'), 'the only worker leaves');
ok(all_flagged($node, 'two'), 'and the other database is served');
is(alert_differences($node, 'two'), '', 'with nothing flagged twice');

my $log = slurp_file($node->logfile);
is(() = $log =~ /HINT:.*"max_worker_processes"/g, 1, 'the hint was given once');
unlike($log, qr/ERROR:|FATAL:/, 'and there was no error');

$node->stop('fast');
done_testing();
