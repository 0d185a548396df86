# No background worker can be had: said once, harmless, and over as soon as one
# can be had again.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaSession;
use SlaTest;
use Test::More;

# The server's own logical replication launcher, ours, and two workers
my $node = new_node('no_room', 1, 'max_worker_processes' => 4, 'fsync' => 'off');
$node->safe_psql('postgres', "CREATE DATABASE $_") for qw(one two);
$node->safe_psql($_, 'CREATE EXTENSION slapolicy') for qw(one two);
ok(get_known($node, $_), "database $_ is served") for qw(one two);

# Parallel queries of others take them.
my @takers = map { SlaSession->new($node) } 1, 2;
foreach my $taker (@takers)
{
	$taker->ask(q{SELECT set_config(name, 'on', false) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')});
	$taker->send_sql('SELECT pg_sleep(3600)');
}
$node->poll_query_until('postgres', "SELECT count(*) = 2 FROM pg_stat_activity WHERE backend_type = 'parallel worker'")
  or die 'no parallel workers';

my $offset = -s $node->logfile;
$node->safe_psql($_, add_clocks(3, "now() - interval '1 s'")) for qw(one two);
ok(said($node, qr/HINT:.*"max_worker_processes"/, $offset), 'the log has a hint');
is($node->safe_psql('two', 'SELECT count(*) FROM sla.clock WHERE next_alert_at IS NOT NULL'),
	'3', 'the clocks wait');

# Whoever cannot wait flags by hand; writers notice nothing.
$node->safe_psql('two', add_clocks(2, "now() - interval '1 s'"));
is($node->safe_psql('two', 'SELECT sla.flag_due(now())'), '5', 'flagging by hand works');
$node->safe_psql('two', add_clocks(4, "now() - interval '1 s'"));

foreach my $taker (@takers)
{
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($taker->{pid})");
	$taker->reply;
	$taker->quit;
}
ok(flags_all($node, $_), "$_ is served when there is room again") for qw(one two);
is(alert_differences($node, $_), '', 'with nothing flagged twice') for qw(one two);

my $log = substr(slurp_file($node->logfile), $offset);
is(() = $log =~ /HINT:.*"max_worker_processes"/g, 1, 'the hint was given once');
unlike($log, qr/ERROR:  (?!canceling statement)|FATAL:(?!.*parallel worker)|PANIC:/, 'and there was no error');

$node->stop('fast');
done_testing();
