# A database that is read only, and a disk that is full: nothing is lost, and
# the worker goes on by itself when it can.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

# Small WAL files, so that a limit to the size of files need not spare them.
my $node = PostgreSQL::Test::Cluster->new('cannot_write');
$node->init(extra => [ '--wal-segsize', '1' ]);
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'slapolicy'
	slapolicy.max_sleep = '1h'
	slapolicy.batch_size = 100
	autovacuum = off
	timezone = 'UTC'");
$node->start;
$node->safe_psql('postgres', "CREATE DATABASE $_") for qw(one other);
$node->safe_psql($_, 'CREATE EXTENSION slapolicy') for qw(one other);
ok(get_known($node, $_), "database $_ is served") for qw(one other);

sub overdue
{
	my ($db) = @_;

	return $node->safe_psql($db, 'SELECT count(*) FROM sla.clock WHERE next_alert_at < now()');
}

# Read only by default
my $offset = -s $node->logfile;
$node->safe_psql('postgres', 'ALTER DATABASE one SET default_transaction_read_only = on');
$node->safe_psql('one', 'SET default_transaction_read_only = off;' . add_clocks(3, "now() - interval '1 s'"));
ok(said($node, qr/ERROR:.*read-only transaction/, $offset), 'a database that is read only is not written to');
is(overdue('one'), '3', 'the clocks wait');
$node->safe_psql('other', add_clocks(1, "now() - interval '1 s'"));
ok(flags_all($node, 'other'), 'other databases do not');
$node->safe_psql('postgres', 'ALTER DATABASE one RESET default_transaction_read_only');
ok(flags_all($node, 'one'), 'afterwards the worker goes on by itself');
is(alert_differences($node, 'one'), '', 'with each once');
ok(worker_leaves($node, 'one'), 'and leaves');

# No file can grow any more, which is how a full disk looks to the server. What
# it starts from now on, the worker too, inherits the limit.
SKIP:
{
	skip 'no prlimit', 6 if system('prlimit --version >/dev/null 2>&1') != 0;

	my $postmaster = $node->{_pid};
	my ($hard) = `prlimit --pid $postmaster --fsize --output HARD --noheadings` =~ /(\S+)/;

	$node->safe_psql('one', add_clocks(12000, "now() - interval '1 s'") =~ s/SELECT sla.wake_worker.*/SELECT FROM added;/sr);
	my $limit = $node->safe_psql('one', q{SELECT pg_relation_size('sla.clock')});
	$limit > 1024 * 1024 or die 'a limit that would keep WAL from being written';
	$offset = -s $node->logfile;
	system_or_bail('prlimit', '--pid', $postmaster, "--fsize=$limit:$hard");
	$node->safe_psql('one', 'SELECT sla.wake_worker()');
	ok(said($node, qr/ERROR: .*File too large/, $offset),
		'a disk is full');
	cmp_ok(overdue('one'), '>', 0, 'clocks wait');
	is($node->safe_psql('one', 'SELECT 1'), '1', 'the server goes on');
	system_or_bail('prlimit', '--pid', $postmaster, "--fsize=$hard:$hard");
	ok(flags_all($node, 'one'), 'when there is room again the worker goes on by itself');
	is(alert_differences($node, 'one'), '', 'with each once');
	unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal/, 'nothing crashed');
}

$node->stop('fast');
done_testing();
