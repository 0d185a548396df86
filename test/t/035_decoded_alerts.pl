# Alerts through logical decoding: what the worker, sla.flag_due and withdrawals
# write arrives, in the order of commits, and no more than that; purging here
# takes nothing away there.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

my %logical = (wal_level => 'logical', max_wal_senders => 5, max_replication_slots => 5);
my $helpdesk = new_node('helpdesk', 1, %logical, 'slapolicy.databases' => "'none'");
my $pager = new_node('pager', 0, %logical);

$helpdesk->safe_psql(
	'postgres', q(
CREATE EXTENSION slapolicy;
SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always", "alerts": [0.5, 1, "10min"]}]}');
CREATE TABLE tickets (id int PRIMARY KEY, s text DEFAULT 'S1', at timestamptz DEFAULT '2026-03-02 09:00', replied timestamptz);
SELECT sla.attach('tickets', 'acme', 's', 'at', 'replied', stamp => false);
CREATE PUBLICATION alerts FOR TABLE sla.alert WITH (publish = 'insert')));
$helpdesk->safe_psql('postgres', q(SELECT pg_create_logical_replication_slot('feed', 'test_decoding')));

# The other side needs the table alone, not the extension.
$pager->safe_psql(
	'postgres', q(
CREATE SCHEMA sla;
CREATE TABLE sla.alert (id bigint PRIMARY KEY, clock_id bigint, ticket_id bigint, aim int, threshold text, kind text,
	due_at timestamptz, flagged_at timestamptz)));
$pager->safe_psql('postgres',
	"CREATE SUBSCRIPTION pager CONNECTION '" . $helpdesk->connstr . " dbname=postgres' PUBLICATION alerts");
$pager->poll_query_until('postgres', q(SELECT count(*) = 0 FROM pg_subscription_rel WHERE srsubstate NOT IN ('r', 's')))
  or die 'no initial copy';

my $alerts = 'SELECT * FROM sla.alert ORDER BY id';

sub arrived
{
	my ($what) = @_;

	$helpdesk->wait_for_catchup('pager');
	is($pager->safe_psql('postgres', $alerts), $helpdesk->safe_psql('postgres', $alerts), $what);
	return;
}

# By hand, in the present of then: warnings first, one at a time, then the breach
$helpdesk->safe_psql('postgres', 'INSERT INTO tickets (id) VALUES (1), (2), (3)');
$helpdesk->safe_psql('postgres', "SELECT sla.flag_due('2026-03-02 $_')") for '09:30', '09:30:01', '09:55', '10:01';
is($helpdesk->safe_psql('postgres', q(SELECT string_agg(DISTINCT threshold || ' ' || kind, ', ') FROM sla.alert)),
	'0.5 warning, 1 breach, 10min warning', 'warnings and breaches');
arrived('what was flagged by hand');
$helpdesk->safe_psql('postgres', q(BEGIN; UPDATE tickets SET replied = '2026-03-02 09:10' WHERE id = 2; ROLLBACK));
$helpdesk->safe_psql('postgres', q(UPDATE tickets SET replied = '2026-03-02 09:40' WHERE id = 1));
is($helpdesk->safe_psql('postgres', q(SELECT string_agg(threshold, ' ' ORDER BY threshold) FROM sla.alert WHERE kind = 'withdrawal')),
	'1 10min', 'what is withdrawn');
arrived('withdrawals of a trigger');

# The worker
$helpdesk->append_conf('postgresql.conf', "slapolicy.databases = ''");
$helpdesk->reload;
$helpdesk->safe_psql('postgres', 'INSERT INTO tickets (id) SELECT generate_series(11, 3000)');
$helpdesk->poll_query_until('postgres', q(SELECT count(*) = 0 FROM sla.clock WHERE next_alert_at < now()))
  or die 'the worker did not flag';
arrived('what the worker has flagged');
cmp_ok($pager->safe_psql('postgres', 'SELECT count(*) FROM sla.alert'), '==', 3 * 3 + 2 + 2990 * 3, 'all of it');

# The slot has the same rows as text.
my $fed = q(SELECT substring(data FROM 'id\[bigint\]:(\d+)') FROM pg_logical_slot_peek_changes('feed', NULL, NULL)
	WHERE data LIKE 'table sla.alert: INSERT%');
is($helpdesk->safe_psql('postgres', $fed), $helpdesk->safe_psql('postgres', 'SELECT id FROM sla.alert ORDER BY id'),
	'a slot gives the same, in order');

# What is purged here stays there.
my $before = $pager->safe_psql('postgres', $alerts);
$helpdesk->safe_psql('postgres', q(UPDATE tickets SET replied = '2026-03-02 12:00' WHERE replied IS NULL));
$helpdesk->safe_psql('postgres', q(CALL sla.purge('infinity')));
is($helpdesk->safe_psql('postgres', 'SELECT count(*) FROM sla.alert'), '0', 'all is purged');
$helpdesk->wait_for_catchup('pager');
is($pager->safe_psql('postgres', $alerts), $before, 'but not at the subscriber');
unlike(slurp_file($pager->logfile), qr/ERROR|PANIC/, 'which met no error');

$_->stop for $pager, $helpdesk;
done_testing();
