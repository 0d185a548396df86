# Without the worker: sla.flag_due in any session gives the same facts.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

my $clocks = 2500;
my $facts = q{
	SELECT clock_id, ticket_id, aim, threshold, kind, due_at
	  FROM sla.alert ORDER BY id};

# What the worker writes ...
my $node = new_node('by_hand', 1);
$node->safe_psql('postgres', 'CREATE EXTENSION slapolicy');
$node->safe_psql(
	'postgres',
	add_clocks(
		$clocks,
		"timestamptz '2026-03-01 00:00' + (g * 7919 % 1000) * interval '1 min'"
	));
$node->poll_query_until('postgres',
	"SELECT count(*) = $clocks FROM sla.alert")
  or die "the worker did not flag";
my $by_worker = $node->safe_psql('postgres', $facts);

# ... and what the same clocks give by hand.
$node->adjust_conf('postgresql.conf', 'shared_preload_libraries', "''");
$node->restart;
$node->safe_psql(
	'postgres', q{
	TRUNCATE sla.alert;
	UPDATE sla.clock SET next_alert_at = due_at;
	SELECT sla.wake_worker();});
is( $node->safe_psql(
		'postgres', "SELECT sla.flag_due('2026-03-02 00:00')"),
	$clocks,
	'flag_due tells how many');
is($node->safe_psql('postgres', $facts),
	$by_worker, 'same rows in the same order as from the worker');
is( $node->safe_psql(
		'postgres', 'SELECT DISTINCT flagged_at FROM sla.alert'),
	'2026-03-02 00:00:00+00', 'flagged at the time given');
is($node->safe_psql('postgres', "SELECT sla.flag_due('2026-03-03 00:00')"),
	'0', 'nothing is flagged twice');

# Whoever may call it needs no rights on the ledger; others may not call it.
$node->safe_psql(
	'postgres', q{
	CREATE ROLE scheduler LOGIN;
	CREATE ROLE nobody LOGIN;
	GRANT EXECUTE ON FUNCTION sla.flag_due(timestamptz) TO scheduler;
	DELETE FROM sla.alert WHERE clock_id <= 3;
	UPDATE sla.clock SET next_alert_at = due_at WHERE id <= 3;});
my ($ret, $out, $err) = $node->psql(
	'postgres',
	"SELECT sla.flag_due('2026-03-02 00:00')",
	extra_params => [ '-U', 'nobody' ]);
like($err, qr/permission denied for function flag_due/,
	'not everyone may flag');
is( $node->safe_psql(
		'postgres',
		"SELECT sla.flag_due('2026-03-02 00:00'), current_user, current_setting('search_path')",
		extra_params => [ '-U', 'scheduler' ]),
	'3|scheduler|"$user", public',
	'a scheduler may, and keeps its own role and settings');
($ret, $out, $err) = $node->psql(
	'postgres',
	'SELECT count(*) FROM sla.alert',
	extra_params => [ '-U', 'scheduler' ]);
like($err, qr/permission denied/, 'it sees nothing of the ledger');

# Notifications go out at commit, one per alert.
$node->safe_psql('postgres',
	'DELETE FROM sla.alert WHERE clock_id <= 2; UPDATE sla.clock SET next_alert_at = due_at WHERE id <= 2');
my $first = $node->safe_psql('postgres', "SELECT last_value + 1 FROM sla.alert_id_seq");
$out = $node->safe_psql(
	'postgres', q{
	LISTEN sla_alert;
	SELECT sla.flag_due('2026-03-02 00:00');
	SELECT 'end';});
like(
	$out,
	qr/"sla_alert" with payload "$first".*"sla_alert" with payload "@{[$first + 1]}"/s,
	'one notification per alert');

# Several sessions at once share the work; a locked clock is left alone.
$node->safe_psql('postgres',
	'TRUNCATE sla.alert; UPDATE sla.clock SET next_alert_at = due_at');
my $holder = session($node, 'postgres');
my $other = session($node, 'postgres');
ask($holder, 'BEGIN; SELECT FROM sla.clock WHERE id = 7 FOR UPDATE;');
ask($other, 'BEGIN;');
is(ask($other, "SELECT sla.flag_due('2026-03-02 00:00');"),
	($clocks - 1) . "\n", 'a clock locked by another session is passed over');
is($node->safe_psql('postgres', "SELECT sla.flag_due('2026-03-02 00:00')"),
	'0', 'what another pass has taken is left to it');
ask($other, 'ROLLBACK;');
ask($holder, 'COMMIT;');
is($node->safe_psql('postgres', "SELECT sla.flag_due('2026-03-02 00:00')"),
	$clocks, 'and comes back when that is rolled back');
finish($_) for $holder, $other;

$node->stop('fast');
done_testing();
