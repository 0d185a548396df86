# ALTER EXTENSION UPDATE beside a live worker: not kept waiting by it, nothing is
# flagged by a library that does not fit, and what fell due meanwhile is flagged
# once it does. On a copy of the server's files, to which made-up versions of the
# script can be added.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

my $copy = PostgreSQL::Test::Utils::tempdir_short();
my %dir;
for my $name (qw(bindir pkglibdir sharedir))
{
	chomp($dir{$name} = `pg_config --$name`);
	system_or_bail('mkdir', '-p', "$copy$dir{$name}");
	system_or_bail('cp', '-RL', "$dir{$name}/.", "$copy$dir{$name}");
}
my ($version) =
  slurp_file("$dir{sharedir}/extension/slapolicy.control") =~
  /^default_version\s*=\s*'(.*)'/m;
my $next = "$version-next";
append_to_file("$copy$dir{sharedir}/extension/slapolicy--$version--$next.sql",
	"CREATE FUNCTION sla.of_the_next_version() RETURNS int LANGUAGE sql AS 'SELECT 1';\nSELECT sla.wake_worker();\n"
);
append_to_file("$copy$dir{sharedir}/extension/slapolicy--$next--$version.sql",
	"DROP FUNCTION sla.of_the_next_version();\nSELECT sla.wake_worker();\n");

(my $prefix = $dir{bindir}) =~ s{/bin$}{};
my $node =
  PostgreSQL::Test::Cluster->new('update', install_path => "$copy$prefix");
$node->init;
$node->append_conf('postgresql.conf', $_)
  for "shared_preload_libraries = 'slapolicy'",
  "slapolicy.max_sleep = '1h'", "timezone = 'UTC'";
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION slapolicy');
if ($node->safe_psql('postgres',
		"SELECT count(*) FROM pg_available_extension_versions WHERE name = 'slapolicy' AND version = '$next'"
	) == 0)
{
	$node->stop;
	plan skip_all => 'the server does not find its files beside its programs';
}

my $flagged = 'SELECT count(*) FROM sla.alert';
my $status = q{SELECT last_error FROM sla.worker_status WHERE database = current_database()};

# The worker lives: something falls due all the time.
$node->safe_psql('postgres',
	add_clocks(120, "clock_timestamp() + g * interval '0.1 s'"));
ok($node->poll_query_until('postgres', "SELECT ($flagged) > 3"),
	'the worker is at work');
isnt(worker_pid($node, 'postgres'), '', 'and alive');
$node->safe_psql('postgres',
	"SET lock_timeout = '20s'; ALTER EXTENSION slapolicy UPDATE TO '$next'");
ok( $node->poll_query_until(
		'postgres', "SELECT ($status) ~ 'has version $next, the library $version'"),
	'after the update it says what does not fit');
my $before = $node->safe_psql('postgres', $flagged);
ok( $node->poll_query_until(
		'postgres',
		'SELECT min(next_alert_at) < clock_timestamp() FROM sla.clock'),
	'something falls due');
is($node->safe_psql('postgres', $flagged),
	$before, 'which it leaves alone, as it does not know these tables');
is(worker_pid($node, 'postgres'), '', 'nor does it stay');

$node->safe_psql('postgres',
	"SET lock_timeout = '20s'; ALTER EXTENSION slapolicy UPDATE TO '$version'");
ok( $node->poll_query_until(
		'postgres',
		"SELECT count(*) = 0 FROM sla.clock WHERE next_alert_at < clock_timestamp() - interval '1 s'"
	),
	'when the library fits again what fell due meanwhile is flagged');
is($node->safe_psql('postgres',
		'SELECT count(*) - count(DISTINCT clock_id) FROM sla.alert'),
	'0', 'once');

$node->stop('fast');
done_testing();
