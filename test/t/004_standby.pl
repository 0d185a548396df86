# Nothing runs on a standby, but one can ask; after promotion the worker is there
# at once.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

# A primary without the worker leaves something to do.
my $primary = new_node('primary', 0,
	'wal_level' => 'replica',
	'max_wal_senders' => 3);
$primary->safe_psql('postgres', 'CREATE EXTENSION slapolicy');
$primary->backup('copy');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->append_conf('postgresql.conf',
	"shared_preload_libraries = 'slapolicy'");
$standby->start;

$primary->safe_psql(
	'postgres', q{
	SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
		"calendars": {"always": {"hours": "24/7"}}, "targets": [
			{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}]}');
	CREATE TABLE ticket (id int PRIMARY KEY, s text, at timestamptz);
	SELECT sla.attach('ticket', 'acme', 's', 'at');
	INSERT INTO ticket VALUES (1, 'S1', '2100-01-01 10:00+00');
	UPDATE sla.target SET goal = '2h'});
$primary->safe_psql('postgres', add_clocks(10, "now() - interval '1 min'"));
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('write'));
my $processes = q{SELECT count(*) FROM pg_stat_activity
	WHERE backend_type LIKE 'slapolicy %'};
is($standby->safe_psql('postgres', $processes),
	'0', 'neither launcher nor worker runs on a standby');
is( $standby->safe_psql(
		'postgres', 'SELECT state, lag IS NULL FROM sla.worker_status'),
	'not served|t',
	'which one can see');
my ($ret, $out, $err) =
  $standby->psql('postgres', 'SELECT sla.flag_due(now())');
like($err, qr/read-only transaction/, 'nor can one flag by hand');

is( $standby->safe_psql(
		'postgres', q{SELECT count(*) > 3 FROM sla.explain('ticket', '1')}),
	't', 'but tickets are explained');
is( $standby->safe_psql(
		'postgres', q{SELECT goal FROM sla.simulate('acme', NULL, NULL)}),
	'2h', 'simulated');
is( $standby->safe_psql(
		'postgres', q{SELECT old_goal, new_goal FROM sla.recompute()}),
	'1h|2h', 'and looked at for what recomputing would change');
($ret, $out, $err) = $standby->psql('postgres',
	'SELECT sla.recompute(dry_run => false)');
like($err, qr/recovery|read-only/, 'which one cannot');

$primary->stop('fast');
$standby->promote;
ok( $standby->poll_query_until(
		'postgres', 'SELECT count(*) = 10 FROM sla.alert'),
	'what fell due is flagged after promotion');
ok( $standby->poll_query_until('postgres',
		"SELECT flagged = 10 FROM sla.worker_status WHERE database = 'postgres'"),
	'by the worker');
is(alert_differences($standby, 'postgres'), '', 'each clock once');
$standby->stop('fast');

done_testing();
