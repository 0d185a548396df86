# Events and messages between sessions: none is lost, none is there twice, and
# nobody waits in the wrong order.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaSession;
use SlaTest ();
use Test::More;

my $schema = q(
CREATE EXTENSION slapolicy;
SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "always"},
		{"severity": "S1", "metric": "update", "goal": "3h", "calendar": "always"},
		{"severity": "S1", "metric": "resolution", "goal": "4h", "calendar": "always"}]}');
CREATE TABLE tickets (id int PRIMARY KEY, s text DEFAULT 'S1', at timestamptz DEFAULT '2026-03-02 09:00', replied timestamptz, done timestamptz, note text);
SELECT sla.attach('tickets', 'acme', 's', 'at', 'replied', 'done');
CREATE TABLE messages (id int PRIMARY KEY, ticket int, at timestamptz DEFAULT '2026-03-02 09:10', kind text DEFAULT 'agent');
SELECT sla.attach_messages('messages', 'tickets', 'ticket', 'at', 'kind', '{agent}');
CREATE TABLE parts (id int, region text, s text DEFAULT 'S1', at timestamptz DEFAULT '2026-03-02 09:00', PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('eu');
CREATE TABLE parts_us PARTITION OF parts FOR VALUES IN ('us');
SELECT sla.attach('parts', 'acme', 's', 'at'););

my $node = SlaTest::new_node('events', 0);
$node->safe_psql('postgres', $schema);
my $one = SlaSession->new($node);
my $two = SlaSession->new($node);

sub pause
{
	my ($id, $name, $table) = @_;

	return sprintf q(SELECT sla.record_event('%s', '%s', 'paused', '2026-03-02 09:30', '%s')),
	  $table // 'tickets', $id, $name;
}

sub replied
{
	my ($id, $at) = @_;

	return "SELECT sla.record_event('tickets', '$id', 'replied', '2026-03-02 $at')";
}

sub ledger
{
	my ($id, $table) = @_;
	$table //= 'tickets';

	return $node->safe_psql('postgres', qq(
		SELECT concat_ws(' ', t.state, 'v' || t.version,
			(SELECT string_agg(e.kind || CASE WHEN e.source IS NULL THEN '' ELSE '*' END, ',' ORDER BY seq) FROM sla.event e WHERE e.ticket_id = t.id))
		FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id WHERE a.ticket_table = '$table'::regclass AND t.key = '$id'));
}

# What must hold whatever happened: rows and clocks agree, no event is missing,
# and all that rows and messages say is recorded.
sub consistent
{
	my ($db_node, $what) = @_;

	is( $db_node->safe_psql('postgres', q(
		WITH ticket AS (SELECT t.* FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id WHERE a.ticket_table = 'tickets'::regclass),
		clock AS (SELECT DISTINCT ON (ticket_id, metric) * FROM sla.clock ORDER BY ticket_id, metric, cycle DESC)
		SELECT 'stamp', r.id FROM tickets r LEFT JOIN ticket t ON t.key = r.id::text
			CROSS JOIN (VALUES ('response'), ('update'), ('resolution')) m(metric)
			LEFT JOIN clock c ON c.ticket_id = t.id AND c.metric = m.metric
		WHERE CASE m.metric WHEN 'response' THEN r.sla_response_due WHEN 'update' THEN r.sla_update_due ELSE r.sla_resolution_due END
			IS DISTINCT FROM CASE WHEN c.outcome IS DISTINCT FROM 'cancelled' AND c.due_at < 'infinity' THEN c.due_at END
		UNION ALL
		SELECT 'sequence', e.ticket_id FROM sla.event e GROUP BY e.ticket_id HAVING count(*) <> max(e.seq)
		UNION ALL
		SELECT 'message', m.id FROM messages m JOIN tickets r ON r.id = m.ticket JOIN ticket t ON t.key = m.ticket::text
		WHERE (SELECT count(*) FROM sla.event e WHERE e.ticket_id = t.id AND e.source = 'message ' || m.id AND e.kind <> 'retracted'
			AND NOT EXISTS (SELECT FROM sla.event x WHERE x.ticket_id = t.id AND x.kind = 'retracted' AND x.new_value = e.seq::text)) <> 1)),
		'', $what);
	my $versions = q(SELECT sum(version), count(*) FROM sla.ticket);
	my $before = $db_node->safe_psql('postgres', $versions);
	$db_node->safe_psql('postgres', q(SELECT sla.record_rows('tickets'), sla.record_messages('messages')));
	is($db_node->safe_psql('postgres', $versions), $before, "$what: all is recorded");
	return;
}

# Events and rows of one ticket, READ COMMITTED
$one->ask('INSERT INTO tickets SELECT generate_series(1, 80)');
$one->ask('BEGIN');
$one->ask(q(UPDATE tickets SET s = 'S2' WHERE id = 1));
$two->send_sql(pause(1, 'a'));
ok($two->blocked, 'an event waits for who updates the row');
$one->ask('COMMIT');
is($two->reply, 3, 'and comes after that');
is(ledger(1), 'paused v3 opened,severity,paused*', 'both are recorded');
$one->ask('BEGIN');
is($one->ask(pause(2, 'a')), 2, 'an event');
$two->send_sql(q(UPDATE tickets SET s = 'S2' WHERE id = 2));
ok($two->blocked, 'who updates the row waits for it');
$one->ask('COMMIT');
is($two->reply, '', 'and goes on');
is(ledger(2), 'paused v3 opened,paused*,severity', 'in that order');
$one->ask('BEGIN');
$one->ask(pause(3, 'a'));
$two->send_sql(pause(3, 'b'));
ok($two->blocked, 'two events of one ticket');
$one->ask('COMMIT');
is($two->reply, 3, 'one after the other');
$one->ask('BEGIN');
$one->ask(pause(4, 'a'));
$two->send_sql(pause(4, 'a'));
ok($two->blocked, 'the same event twice');
$one->ask('COMMIT');
is($two->reply, '', 'is one');
$one->ask('BEGIN');
$one->ask(pause(5, 'a'));
$two->send_sql(pause(5, 'a'));
ok($two->blocked, 'but if the first is rolled back');
$one->ask('ROLLBACK');
is($two->reply, 2, 'the second is it');
$one->ask('BEGIN');
$one->ask(q(UPDATE tickets SET note = 'x' WHERE id = 6));
is($two->ask(replied(7, '09:20')), 2, 'other tickets do not matter');
$two->send_sql('INSERT INTO messages (id, ticket) VALUES (1, 6)');
ok($two->blocked, 'a message waits like an event');
$one->ask('INSERT INTO messages (id, ticket) VALUES (2, 6)');
$one->ask('COMMIT');
is($two->reply, '', 'and goes in');
is(ledger(6), 'open v3 opened,replied*,replied*', 'both are recorded');

# The row goes, gets another key or moves
$one->ask('BEGIN');
$one->ask('DELETE FROM tickets WHERE id = 10');
$two->send_sql(pause(10, 'a'));
ok($two->blocked, 'an event of a ticket that goes');
$one->ask('COMMIT');
is($two->reply, 3, 'is one of a deleted ticket');
$one->ask('BEGIN');
$one->ask('UPDATE tickets SET id = 111 WHERE id = 11');
$two->send_sql(pause(11, 'a'));
ok($two->blocked, 'of a ticket that gets another key');
$one->ask('COMMIT');
like($two->reply, qr/02000/, 'there is none any more');
$one->ask('BEGIN');
$one->ask('UPDATE tickets SET id = 112 WHERE id = 12');
$two->send_sql('INSERT INTO messages (id, ticket) VALUES (3, 12)');
ok($two->blocked, 'a message about it');
$one->ask('COMMIT');
is($two->reply, '', 'goes in all the same');
is(ledger(112), 'open v2 opened', 'and is about none');
$one->ask('BEGIN');
$one->ask('DELETE FROM tickets WHERE id = 13');
$one->ask('INSERT INTO tickets (id) VALUES (13)');
$two->send_sql(pause(13, 'a'));
ok($two->blocked, 'of a ticket that goes and comes again');
$one->ask('COMMIT');
is($two->reply, 4, 'is one of that');
$one->ask(q(INSERT INTO parts VALUES (1, 'eu'), (2, 'eu')));
$one->ask('BEGIN');
$one->ask(q(UPDATE parts SET region = 'us' WHERE id = 1));
$two->send_sql(pause('{eu,1}', 'a', 'parts'));
ok($two->blocked, 'of a ticket that moves to another partition');
$one->ask('COMMIT');
like($two->reply, qr/02000/, 'is none of its former key');
is($two->ask(pause('{us,1}', 'a', 'parts')), 4, 'but of its own');
$one->ask('DELETE FROM tickets WHERE id = 14');
$one->ask('BEGIN');
$one->ask('INSERT INTO tickets (id) VALUES (14)');
$two->send_sql(pause(14, 'a'));
ok($two->blocked, 'of a ticket that comes back');
$one->ask('COMMIT');
is($two->reply, 4, 'comes after that');
consistent($node, 'READ COMMITTED');

# REPEATABLE READ and SERIALIZABLE: errors only where rows conflict
for my $level ('REPEATABLE READ', 'SERIALIZABLE')
{
	my $id = $level eq 'SERIALIZABLE' ? 30 : 20;

	$one->ask("BEGIN ISOLATION LEVEL $level");
	$one->ask('SELECT 1 FROM tickets LIMIT 1');
	$two->ask("UPDATE tickets SET note = 'x' WHERE id = $id");
	like($one->ask(pause($id, 'a')), qr/40001/,
		"$level: the due times of a row that has changed since the snapshot");
	$one->ask('ROLLBACK');
	is(ledger($id), 'open v1 opened', "$level: nothing is recorded");

	$id++;
	$one->ask("BEGIN ISOLATION LEVEL $level");
	$one->ask('SELECT 1 FROM tickets LIMIT 1');
	$two->ask("UPDATE tickets SET note = 'x' WHERE id = $id");
	is($one->ask("SELECT sla.record_event('tickets', '$id', 'investigated', '2026-03-02 09:20')"),
		2, "$level: without other due times the row does not matter");
	is($one->ask('COMMIT'), '', "$level: commit");

	$id++;
	$two->ask(pause($id, 'a'));
	$one->ask("BEGIN ISOLATION LEVEL $level");
	$one->ask('SELECT 1 FROM tickets LIMIT 1');
	$two->ask(pause($id, 'b'));
	is($one->ask("SELECT sla.record_event('tickets', '$id', 'resumed', '2026-03-02 09:40', 'a')"),
		4, "$level: what was recorded since the snapshot");
	is($one->ask('COMMIT'), '', "$level: commit");
	is(ledger($id), 'paused v4 opened,paused*,paused*,resumed*', "$level: is known");

	$id++;
	$one->ask("BEGIN ISOLATION LEVEL $level");
	$one->ask('SELECT 1 FROM tickets LIMIT 1');
	$two->ask("DELETE FROM tickets WHERE id = $id");
	is($one->ask(pause($id, 'a')), 3, "$level: a ticket that was deleted since");
	is($one->ask('COMMIT'), '', "$level: commit");

	for my $session ($one, $two)
	{
		my $own = $session == $one ? $id + 1 : $id + 2;

		$session->ask("BEGIN ISOLATION LEVEL $level");
		$session->ask("INSERT INTO messages (id, ticket) VALUES ($own, $own)");
		$session->ask(pause($own, 'a'));
	}
	is($one->ask('COMMIT') . $two->ask('COMMIT'), '', "$level: different tickets do not conflict");
	is(ledger($id + 1) . ' ' . ledger($id + 2),
		'paused v3 opened,replied*,paused* paused v3 opened,replied*,paused*', "$level: both are recorded");
}
consistent($node, 'REPEATABLE READ and SERIALIZABLE');

# Attaching messages while others write to both tables
$node->safe_psql('postgres', q(CREATE TABLE chat (id int PRIMARY KEY, ticket int, at timestamptz DEFAULT '2026-03-02 09:10', kind text DEFAULT 'agent')));
$one->ask('BEGIN');
$one->ask(q(UPDATE tickets SET note = 'y' WHERE id = 40));
$two->send_sql(q(SELECT sla.attach_messages('chat', 'tickets', 'ticket', 'at', 'kind', '{agent}')));
ok($two->blocked, 'attaching waits for writers of tickets');
is($one->ask('INSERT INTO chat VALUES (1, 40)'), '', 'who are not kept from writing messages');
$one->ask('COMMIT');
is($two->reply, 1, 'attached with the message that was written');
$one->ask('BEGIN');
$one->ask('INSERT INTO chat VALUES (2, 41)');
$two->send_sql(q(SELECT sla.record_messages('chat')));
ok($two->blocked, 'recording waits for writers of messages');
is($one->ask(q(UPDATE tickets SET note = 'y' WHERE id = 41)), '', 'who are not kept from writing tickets');
$one->ask('COMMIT');
is($two->reply, 2, 'and counts what was written');
$node->safe_psql('postgres', q(DROP TABLE chat));
$_->quit for $one, $two;
consistent($node, 'attaching');
$node->stop;

# Many at once, with a worker that flags what falls due under their hands
$node = SlaTest::new_node('events_worker', 1);
$node->safe_psql('postgres', $schema);
$node->safe_psql('postgres', 'INSERT INTO tickets SELECT generate_series(1, 8); CREATE TABLE told (ticket int, seq int)');
$node->pgbench(
	'--no-vacuum --client=4 --transactions=200',
	0,
	[qr/processed: 800\/800/],
	[qr/^$/],
	'many reporters, writers and a worker',
	{
		'024_events' => q(
\set id random(1, 8)
\set message random(1, 30)
\set n random(1, 10)
\set m random(1, 59)
\set p random(1, 3)
\if :n < 3
INSERT INTO told SELECT :id, sla.record_event('tickets', ':id', 'paused', '2026-03-02 09:00'::timestamptz + :m * interval '1 min', ':p');
\elif :n < 5
INSERT INTO told SELECT :id, sla.record_event('tickets', ':id', 'resumed', '2026-03-02 09:00'::timestamptz + :m * interval '1 min', ':p');
\elif :n = 5
INSERT INTO messages VALUES (:message, :id, '2026-03-02 09:00'::timestamptz + :m * interval '1 min') ON CONFLICT (id) DO UPDATE SET ticket = EXCLUDED.ticket, at = EXCLUDED.at;
\elif :n = 6
DELETE FROM messages WHERE id = :message;
\elif :n = 7
UPDATE tickets SET replied = '2026-03-02 09:00'::timestamptz + :m * interval '1 min' WHERE id = :id;
\elif :n = 8
UPDATE tickets SET s = 'S' || (1 + :m % 2) WHERE id = :id;
\elif :n = 9
UPDATE messages SET kind = CASE kind WHEN 'agent' THEN 'customer' ELSE 'agent' END WHERE id = :message;
\else
UPDATE tickets SET done = CASE WHEN done IS NULL THEN '2026-03-02 10:00'::timestamptz END WHERE id = :id;
\endif
)
	});
is( $node->safe_psql('postgres', q(
		SELECT t.ticket, t.seq FROM told t WHERE t.seq IS NOT NULL
			AND NOT EXISTS (SELECT FROM sla.event e JOIN sla.ticket k ON k.id = e.ticket_id WHERE k.key = t.ticket::text AND e.seq = t.seq AND e.source = 'api'))),
	'', 'every event that was told of is there');
is( $node->safe_psql('postgres', q(SELECT count(*) FROM told WHERE seq IS NOT NULL)),
	$node->safe_psql('postgres', q(SELECT count(*) FROM sla.event WHERE source = 'api')), 'and no other');
is( $node->safe_psql('postgres', q(SELECT count(*) FROM (SELECT FROM sla.event WHERE source = 'api' GROUP BY ticket_id, kind, at, new_value HAVING count(*) > 1) d)),
	0, 'none twice');
consistent($node, 'many reporters, writers and a worker');
unlike(slurp_file($node->logfile), qr/ERROR|deadlock|PANIC/, 'nobody met an error');
$node->stop;

done_testing();
