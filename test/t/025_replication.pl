# Logical replication: the subscriber's ledger records replicated rows where the
# table was attached for that, and nothing twice; elsewhere it does not.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

my %logical = (wal_level => 'logical', max_wal_senders => 5, max_replication_slots => 5);
my $publisher = new_node('publisher', 0, %logical);
my $subscriber = new_node('subscriber', 0, %logical);
my $policy = q(SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1000000h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2000000h", "calendar": "always"},
		{"severity": "S1", "metric": "resolution", "goal": "3000000h", "calendar": "always"}]}'));
my @tables = qw(followed passive parted);

for my $node ($publisher, $subscriber)
{
	$node->safe_psql('postgres', "CREATE EXTENSION slapolicy; $policy");
	$node->safe_psql('postgres',
		"CREATE TABLE $_ (id int PRIMARY KEY, s text, at timestamptz DEFAULT '2026-03-02 09:00', replied timestamptz, note text)"
	  . ($_ eq 'parted' && $node == $subscriber ? ' PARTITION BY RANGE (id)' : ''))
	  for @tables;
}
$publisher->safe_psql('postgres', q(
	INSERT INTO followed (id, s) VALUES (1, 'S1'), (2, 'S2');
	INSERT INTO passive (id, s) VALUES (1, 'S1');
	SELECT sla.attach('followed', 'acme', 's', 'at', 'replied', stamp => false);
	CREATE PUBLICATION p FOR TABLE followed, passive, parted));
$subscriber->safe_psql('postgres', q(
	CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
	CREATE TABLE parted_2 (note text, gone int, s text, replied timestamptz, id int NOT NULL, at timestamptz);
	ALTER TABLE parted_2 DROP COLUMN gone;
	ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM (100) TO (200);
	SELECT sla.attach('followed', 'acme', 's', 'at', 'replied', on_replica => true);
	SELECT sla.attach('passive', 'acme', 's', 'at', 'replied');
	SELECT sla.attach('parted', 'acme', 's', 'at', 'replied', on_replica => true)));
$subscriber->safe_psql('postgres',
	"CREATE SUBSCRIPTION s CONNECTION '" . $publisher->connstr . " dbname=postgres' PUBLICATION p");
$subscriber->poll_query_until('postgres', q(SELECT count(*) = 0 FROM pg_subscription_rel WHERE srsubstate NOT IN ('r', 's')))
  or die 'no initial copy';

# Tickets of a table on the subscriber: key, state, severity, events, due hour
sub ledger
{
	my ($table) = @_;

	$publisher->wait_for_catchup('s');
	return $subscriber->safe_psql('postgres', qq(
		SELECT string_agg(concat_ws(' ', t.key, t.state, t.severity,
			(SELECT string_agg(e.kind, ',' ORDER BY e.seq) FROM sla.event e WHERE e.ticket_id = t.id)), '; ' ORDER BY t.key)
		FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id WHERE a.ticket_table = '$table'::regclass));
}

# rows whose due time is not that of their clock
sub wrong
{
	my ($table) = @_;

	return $subscriber->safe_psql('postgres', qq(
		SELECT r FROM $table r LEFT JOIN sla.ticket t ON t.key = r.id::text AND t.attachment_id = (SELECT id FROM sla.attachment WHERE ticket_table = '$table'::regclass)
			LEFT JOIN sla.clock c ON c.ticket_id = t.id AND c.metric = 'response'
		WHERE t.id IS NULL OR r.sla_response_due IS DISTINCT FROM c.due_at));
}

is(ledger('followed'), '1 open S1 opened; 2 open S2 opened', 'the initial copy is recorded');
is(wrong('followed'), '', 'and stamped');
is(ledger('passive'), '', 'not where nobody asked for it');

$publisher->safe_psql('postgres', q(
	INSERT INTO followed (id, s) VALUES (3, 'S1');
	UPDATE followed SET s = 'S1' WHERE id = 2;
	UPDATE followed SET replied = '2026-03-02 10:00' WHERE id = 1;
	UPDATE followed SET id = 30 WHERE id = 3;
	INSERT INTO followed (id, s) VALUES (3, 'S2'), (4, 'none');
	DELETE FROM followed WHERE id = 2;
	INSERT INTO passive (id, s) VALUES (2, 'S1');
	UPDATE passive SET s = 'S2' WHERE id = 1));
is(ledger('followed'), '1 open S1 opened,replied; 2 deleted S1 opened,severity,deleted; 3 open S2 opened; 30 open S1 opened; 4 open opened',
	'changes are applied and recorded');
is(wrong('followed'), '', 'and stamped');
is($subscriber->safe_psql('postgres', q(SELECT exempt FROM sla.ticket WHERE key = '4')), 'error: s "none" maps to no severity',
	'a row that no policy covers stops nobody');
is(ledger('passive'), '', 'still nothing elsewhere');

# One's own rows beside
$subscriber->safe_psql('postgres', q(
	INSERT INTO followed (id, s) VALUES (100, 'S1');
	INSERT INTO passive (id, s) VALUES (100, 'S1');
	UPDATE followed SET note = 'seen', s = 'S2' WHERE id = 1));
$publisher->safe_psql('postgres', q(UPDATE followed SET s = 'S1', note = 'x' WHERE id = 1));
is(ledger('passive'), '100 open S1 opened', 'rows of one\'s own are recorded anyway');
like(ledger('followed'), qr/^1 open S1 opened,replied,severity,severity; 100 open S1 opened;/, 'both sides may change a row');
$subscriber->safe_psql('postgres', q(UPDATE passive SET note = 'x'));
is(ledger('passive'), '100 open S1 opened', 'nothing that matters is no news');
$subscriber->safe_psql('postgres', q(UPDATE passive SET replied = '2026-03-02 10:00' WHERE id = 1));
is(ledger('passive'), '1 open S2 opened,replied; 100 open S1 opened', 'a replicated row is recorded once it says something here');
is($subscriber->safe_psql('postgres', q(SELECT sla.reconcile('passive'))), 1, 'or with all others');
is($subscriber->safe_psql('postgres', q(SELECT sla.reconcile('followed'))), 0, 'where they are followed there is nothing to catch up');

# A partitioned target of a table that is not
$publisher->safe_psql('postgres', q(
	INSERT INTO parted (id, s) VALUES (1, 'S1'), (101, 'S2'), (2, 'S1');
	UPDATE parted SET id = 150 WHERE id = 2;
	UPDATE parted SET s = 'S1' WHERE id = 101));
is(ledger('parted'), '1 open S1 opened; 101 open S1 opened,severity; 150 open S1 opened,deleted,restored', 'rows find their partitions, and move');
is(wrong('parted'), '', 'stamped in every order of columns');

# TRUNCATE, and many rows at once
$publisher->safe_psql('postgres', q(TRUNCATE followed));
like(ledger('followed'), qr/^1 deleted .*; 100 deleted .*; 30 deleted .*; 4 deleted/, 'TRUNCATE deletes the tickets');
$publisher->safe_psql('postgres', q(INSERT INTO followed (id, s) SELECT 1000 + g, 'S' || (1 + g % 2) FROM generate_series(1, 500) g; UPDATE followed SET s = 'S1' WHERE id > 1250));
$publisher->wait_for_catchup('s');
is($subscriber->safe_psql('postgres', q(SELECT count(*) || ' ' || count(*) FILTER (WHERE severity::text = 'S1') FROM sla.ticket WHERE state = 'open' AND length(key) = 4 AND attachment_id = 1)),
	'500 375', 'many rows');
is(wrong('followed'), '', 'stamped, all of them');
is($subscriber->safe_psql('postgres', q(SELECT count(*) FROM (SELECT FROM sla.event GROUP BY ticket_id HAVING count(*) <> max(seq)) d)), 0, 'no event is missing or there twice');
# Without a replica identity the server publishes inserts and refuses updates, also
# those that put due times right which another trigger changed after sla.stamp.
$publisher->safe_psql('postgres', q(
	CREATE TABLE nameless (id int PRIMARY KEY, s text, at timestamptz DEFAULT '2026-03-02 09:00');
	ALTER TABLE nameless REPLICA IDENTITY NOTHING;
	CREATE FUNCTION lower_severity() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.s := 'S2'; RETURN NEW; END $$;
	SELECT sla.attach('nameless', 'acme', 's', 'at');
	CREATE TRIGGER "~~lower" BEFORE INSERT ON nameless FOR EACH ROW EXECUTE FUNCTION lower_severity();
	CREATE PUBLICATION q FOR TABLE nameless));
my $nameless = q(SELECT string_agg(concat_ws(' ', r.id, t.severity, c.due_at = r.sla_response_due), '; ' ORDER BY r.id)
	FROM nameless r JOIN sla.ticket t ON t.key = r.id::text JOIN sla.attachment a ON a.id = t.attachment_id AND a.ticket_table = 'nameless'::regclass
		JOIN sla.clock c ON c.ticket_id = t.id);
my (undef, undef, $told) = $publisher->psql('postgres', q(INSERT INTO nameless (id, s) VALUES (1, 'S1'), (2, 'S1')));
is(scalar(() = $told =~ /^(?:psql:\S+ )?WARNING: .* publications allow no update/mg), 1, 'what cannot be stamped again is a warning for each statement');
unlike($told, qr/ERROR/, 'no error');
is($publisher->safe_psql('postgres', $nameless), '1 S2 f; 2 S2 f', 'nothing is lost, and the ledger is right');
$publisher->safe_psql('postgres', q(ALTER TABLE nameless REPLICA IDENTITY DEFAULT; SELECT sla.reconcile('nameless')));
is($publisher->safe_psql('postgres', $nameless), '1 S2 t; 2 S2 t', 'with a replica identity, so are the rows');
$publisher->safe_psql('postgres', q(INSERT INTO nameless (id, s) VALUES (3, 'S1')));
is($publisher->safe_psql('postgres', $nameless), '1 S2 t; 2 S2 t; 3 S2 t', 'at once');

unlike(slurp_file($subscriber->logfile), qr/ERROR|PANIC/, 'the subscriber met no error');

$_->stop for $subscriber, $publisher;
done_testing();
