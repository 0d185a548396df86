# Tickets between sessions: nothing lost, nothing doubled, no lock that
# PostgreSQL would not take for the rows themselves.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaSession;
use SlaTest ();
use Test::More;

my $node = SlaTest::new_node('sessions', 0);
my $policy = q({"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "always"},
		{"severity": "S1", "metric": "resolution", "goal": "1h", "calendar": "always"}]});

$node->safe_psql(
	'postgres', qq(
CREATE EXTENSION slapolicy;
SELECT sla.load_policy('$policy');
CREATE TABLE tickets (id int PRIMARY KEY, s text, at timestamptz DEFAULT '2026-03-02 09:00',
	replied timestamptz, done timestamptz);
SELECT sla.attach('tickets', 'acme', 's', 'at', 'replied', 'done');
CREATE ROLE stranger LOGIN;
));

my $one = SlaSession->new($node);
my $two = SlaSession->new($node);

sub ledger
{
	my ($id) = @_;

	return $node->safe_psql('postgres', qq(
		SELECT concat_ws(' ', t.state, t.severity, 'v' || t.version,
			(SELECT string_agg(e.kind, ',' ORDER BY seq) FROM sla.event e WHERE e.ticket_id = t.id))
		FROM sla.ticket t WHERE t.key = '$id'));
}

sub alerts
{
	my ($id) = @_;

	return $node->safe_psql('postgres', qq(
		SELECT string_agg(c.metric || ' ' || a.kind, ',' ORDER BY a.id)
		FROM sla.alert a JOIN sla.clock c ON c.id = a.clock_id JOIN sla.ticket t ON t.id = a.ticket_id
		WHERE t.key = '$id'));
}

# What must hold whatever happened: rows and clocks agree, and no event or
# alert is missing or there twice.
sub consistent
{
	my ($db_node, $what) = @_;

	is( $db_node->safe_psql('postgres', q(
		WITH ticket AS (SELECT t.* FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id
			WHERE a.ticket_table = 'tickets'::regclass)
		SELECT 'stamp', r.id FROM tickets r LEFT JOIN ticket t ON t.key = r.id::text
			LEFT JOIN sla.clock c ON c.ticket_id = t.id AND c.metric = 'response'
		WHERE r.sla_response_due IS DISTINCT FROM CASE WHEN c.outcome IS DISTINCT FROM 'cancelled' AND t.exempt IS NULL THEN c.due_at END
		UNION ALL
		SELECT 'state', t.id FROM ticket t LEFT JOIN tickets r ON r.id::text = t.key
		WHERE t.key !~ 'ticket' AND t.state <> CASE WHEN r.id IS NULL THEN 'deleted' WHEN r.done IS NULL THEN 'open' ELSE 'resolved' END
		UNION ALL
		SELECT 'severity', t.id FROM ticket t JOIN tickets r ON r.id::text = t.key WHERE t.severity::text <> r.s
		UNION ALL
		SELECT 'sequence', e.ticket_id FROM sla.event e GROUP BY e.ticket_id HAVING count(*) <> max(e.seq)
		UNION ALL
		SELECT 'queue', c.id FROM sla.clock c WHERE c.outcome IN ('met', 'cancelled') AND c.next_alert_at IS NOT NULL
		UNION ALL
		SELECT 'flag', c.id FROM sla.clock c
		WHERE c.next_alert_at IS NULL AND (c.outcome IS NULL OR c.outcome = 'breached')
			AND NOT EXISTS (SELECT FROM sla.alert a WHERE a.clock_id = c.id AND a.aim = c.aim AND a.kind = 'breach')
		UNION ALL
		SELECT 'withdrawal', a.clock_id FROM sla.alert a JOIN sla.clock c ON c.id = a.clock_id AND c.aim = a.aim
		WHERE a.kind = 'breach' AND c.outcome IN ('met', 'cancelled'))),
		'', $what);
	return;
}

# One ticket, READ COMMITTED
$one->ask(q(INSERT INTO tickets (id, s) VALUES (1, 'S2')));
$one->ask('BEGIN');
$one->ask(q(UPDATE tickets SET s = 'S1' WHERE id = 1));
$two->send_sql(q(UPDATE tickets SET replied = '2026-03-02 09:30' WHERE id = 1));
ok($two->blocked, 'the second writer of a row waits for the first');
$one->ask('COMMIT');
is($two->reply, '', 'and goes on');
is(ledger(1), 'open S1 v3 opened,severity,replied', 'both are recorded');
$one->ask('BEGIN');
$one->ask(q(UPDATE tickets SET s = 'S2' WHERE id = 1));
$two->send_sql(q(UPDATE tickets SET done = '2026-03-02 10:00' WHERE s = 'S1'));
ok($two->blocked, 'a writer that looks for S1');
$one->ask('COMMIT');
is($two->reply, '', 'finds none any more');
is(ledger(1), 'open S2 v4 opened,severity,replied,severity', 'and records nothing');

# DELETE against UPDATE, INSERT against INSERT
$one->ask('BEGIN');
$one->ask('DELETE FROM tickets WHERE id = 1');
$two->send_sql(q(UPDATE tickets SET s = 'S1' WHERE id = 1));
ok($two->blocked, 'a writer of a row that goes');
$one->ask('COMMIT');
$two->reply;
like(ledger(1), qr/^deleted S2 v5/, 'comes too late');
for my $end ('COMMIT', 'ROLLBACK')
{
	my $id = $end eq 'COMMIT' ? 2 : 3;

	$one->ask('BEGIN');
	$one->ask("INSERT INTO tickets (id, s) VALUES ($id, 'S2')");
	$two->send_sql(
		"INSERT INTO tickets (id, s) VALUES ($id, 'S1') ON CONFLICT (id) DO UPDATE SET s = EXCLUDED.s"
	);
	ok($two->blocked, "$end: the same key twice");
	$one->ask($end);
	is($two->reply, '', "$end: goes on");
	is(ledger($id),
		$end eq 'COMMIT' ? 'open S1 v2 opened,severity' : 'open S1 v1 opened',
		"$end: one ticket");
}
consistent($node, 'READ COMMITTED');

# REPEATABLE READ and SERIALIZABLE: errors only where the rows themselves
# conflict
for my $level ('REPEATABLE READ', 'SERIALIZABLE')
{
	my $base = $level eq 'SERIALIZABLE' ? 20 : 10;
	my @id = map { $base + $_ } 0 .. 9;

	$one->ask("INSERT INTO tickets (id, s) VALUES ($id[0], 'S2'), ($id[1], 'S2')");
	$one->ask("BEGIN ISOLATION LEVEL $level");
	$one->ask('SELECT 1 FROM tickets LIMIT 1');
	$two->ask("UPDATE tickets SET s = 'S1' WHERE id = $id[0]");
	like($one->ask("UPDATE tickets SET replied = '2026-03-02 09:30' WHERE id = $id[0]"),
		qr/40001/, "$level: a row changed since the snapshot");
	$one->ask('ROLLBACK');
	is(ledger($id[0]), 'open S1 v2 opened,severity', "$level: recorded once");

	$one->ask("BEGIN ISOLATION LEVEL $level");
	$one->ask('SELECT 1 FROM sla.policy');
	$node->safe_psql('postgres', 'SELECT sla.flag_due(now())');
	is($one->ask("UPDATE tickets SET replied = '2026-03-02 09:30' WHERE id = $id[1]"),
		'', "$level: what the ledger got since the snapshot is no conflict");
	is($one->ask('COMMIT'), '', "$level: commit");
	is(alerts($id[1]), 'response breach,response withdrawal',
		"$level: and is known");
}
for my $session ($one, $two)
{
	my $base = $session == $one ? 30 : 35;

	$session->ask('BEGIN ISOLATION LEVEL SERIALIZABLE');
	$session->ask("INSERT INTO tickets (id, s) VALUES ($base, 'S1')");
}
$one->ask(q(INSERT INTO tickets (id, s) VALUES (31, 'S1')));
$two->ask(q(INSERT INTO tickets (id, s) VALUES (36, 'S1')));
is($one->ask('COMMIT') . $two->ask('COMMIT'),
	'', 'SERIALIZABLE transactions with different tickets do not conflict');
consistent($node, 'REPEATABLE READ and SERIALIZABLE');

# Policies change under way
$one->ask('BEGIN ISOLATION LEVEL REPEATABLE READ');
$one->ask(q(INSERT INTO tickets (id, s) VALUES (40, 'S2')));
$two->ask(q(UPDATE sla.target SET goal = '3h' WHERE severity::text = 'S2'));
$one->ask(q(INSERT INTO tickets (id, s) VALUES (41, 'S2')));
$one->ask('COMMIT');
is( $node->safe_psql('postgres',
		q(SELECT string_agg(to_char(sla_response_due, 'HH24:MI'), ' ' ORDER BY id) FROM tickets WHERE id IN (40, 41))),
	'11:00 12:00', 'a ticket is under the policy as it is when the ticket comes');
$two->ask(q(
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(1);
	RETURN NEW;
END $$;
CREATE TRIGGER "~~hold" BEFORE INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION hold()));
$two->ask('SELECT pg_advisory_lock(1)');
$one->send_sql(q(INSERT INTO tickets (id, s) VALUES (42, 'S2')));
ok($one->blocked, 'a row stamped but not recorded');
$two->ask(q(UPDATE sla.target SET goal = '4h' WHERE severity::text = 'S2'));
$two->ask('SELECT pg_advisory_unlock(1)');
is($one->reply, '', 'goes in');
is( $node->safe_psql('postgres',
		q(SELECT to_char(sla_response_due, 'HH24:MI') FROM tickets WHERE id = 42)),
	'13:00', 'stamped as it was recorded');
$two->ask('DROP TRIGGER "~~hold" ON tickets');
$two->ask(q(UPDATE sla.target SET goal = '2h' WHERE severity::text = 'S2'));
consistent($node, 'changed policies');

# Flags against changes of the same ticket
$one->ask(q(INSERT INTO tickets (id, s) VALUES (50, 'S2')));
$one->ask('BEGIN');
$one->ask('SELECT sla.flag_due(now())');
$two->send_sql(q(UPDATE tickets SET replied = '2026-03-02 09:30' WHERE id = 50));
ok($two->blocked, 'a writer waits for a flag');
$one->ask('COMMIT');
is($two->reply, '', 'and goes on');
is(alerts(50), 'response breach,response withdrawal', 'a backdated response undoes the flag');
$one->ask(q(INSERT INTO tickets (id, s) VALUES (51, 'S2')));
$one->ask('BEGIN');
$one->ask(q(UPDATE tickets SET s = 'S1' WHERE id = 51));
is($two->ask('SELECT sla.flag_due(now())'), 0, 'flagging does not wait for a writer');
$one->ask('ROLLBACK');
is($two->ask('SELECT sla.flag_due(now())'), 1, 'and comes back');
is(alerts(51), 'response breach', 'once');

# A statement that began before the flag and waited does not undo it.
$one->ask(q(INSERT INTO tickets (id, s, at) VALUES (52, 'S1', clock_timestamp() - interval '1 h' + interval '1 s')));
$one->ask('BEGIN');
$one->ask('SELECT FROM tickets WHERE id = 52 FOR UPDATE');
$two->send_sql(q(UPDATE tickets SET replied = at + interval '1 min' WHERE id = 52));
ok($two->blocked, 'a response waits');
ok( $node->poll_query_until('postgres',
		'SELECT sla.flag_due(clock_timestamp()) > 0', 't'),
	'while the ticket falls due');
$one->ask('COMMIT');
is($two->reply, '', 'and is recorded');
is(alerts(52), 'resolution breach,response breach,response withdrawal',
	'the flag of what still runs stands');
consistent($node, 'flags');

# Attaching while others write
$node->safe_psql('postgres', q(
CREATE TABLE others (id int PRIMARY KEY, s text, at timestamptz DEFAULT '2026-03-02 09:00');
CREATE TABLE parts (id int PRIMARY KEY, s text, at timestamptz DEFAULT '2026-03-02 09:00') PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100)));
for my $table ('others', 'parts')
{
	my $three = SlaSession->new($node);

	$one->ask('BEGIN');
	$one->ask("INSERT INTO $table (id, s) VALUES (1, 'S1')");
	$two->send_sql("SELECT sla.attach('$table', 'acme', 's', 'at')");
	ok($two->blocked, "$table: attaching waits for writers");
	$three->send_sql("INSERT INTO $table (id, s) VALUES (2, 'S1')");
	ok($three->blocked, "$table: and writers for it");
	$one->ask('COMMIT');
	is($two->reply, 1, "$table: attached with the row that was written");
	is($three->reply, '', "$table: and the next goes in");
	is( $node->safe_psql('postgres', "SELECT string_agg(key, ',' ORDER BY key) FROM sla.ticket t JOIN sla.attachment a ON a.id = attachment_id WHERE ticket_table = '$table'::regclass"),
		'1,2', "$table: both are recorded");

	$one->ask('BEGIN');
	$one->ask("INSERT INTO $table (id, s) VALUES (3, 'S1')");
	$two->send_sql("SELECT sla.detach('$table')");
	ok($two->blocked, "$table: detaching waits for writers");
	$one->ask('COMMIT');
	is($two->reply, '', "$table: detached");
	is( $node->safe_psql('postgres', "SELECT count(*) FROM sla.ticket t JOIN sla.attachment a ON a.id = attachment_id WHERE ticket_table = '$table'::regclass AND state = 'open'"),
		0, "$table: no ticket is left behind");
	is($three->ask("INSERT INTO $table (id, s) VALUES (4, 'S1')"), '', "$table: rows go in unrecorded");
	$three->quit;
}

# Who does not own a table cannot even wait for its lock.
my $stranger = SlaSession->new($node, user => 'stranger');
$one->ask('BEGIN');
$one->ask(q(INSERT INTO tickets (id, s) VALUES (60, 'S1')));
for my $call (q(record_rows('tickets')), q(reconcile('tickets')), q(restamp_begin('tickets')),
	q(restamp_step('tickets', 1)), q(unregister_attachment('tickets')),
	q(register_attachment('tickets', 'acme', '{}', NULL, '{}', 'record')))
{
	like($stranger->ask("SELECT sla.$call"), qr/42501/, "a stranger is told at once: $call");
}
$one->ask('COMMIT');
$stranger->quit;

# Prepared transactions, also across a crash
$one->ask('BEGIN');
$one->ask(q(INSERT INTO tickets (id, s) VALUES (70, 'S2')));
$one->ask(q(UPDATE tickets SET s = 'S1' WHERE id = 70));
is($one->ask(q(PREPARE TRANSACTION 'p')), '', 'prepared');
is(ledger(70), '', 'not there yet');
$_->quit for $one, $two;
$node->stop('immediate');
$node->start;
$node->safe_psql('postgres', q(COMMIT PREPARED 'p'));
is(ledger(70), 'open S1 v2 opened,severity', 'there after a crash and COMMIT PREPARED');
consistent($node, 'prepared transactions');

# The extension goes, and comes again, while a session goes on
$one = SlaSession->new($node);
$two = SlaSession->new($node);
$one->ask(q(INSERT INTO tickets (id, s) VALUES (80, 'S1')));
like($two->ask('DROP EXTENSION slapolicy'), qr/2BP01/, 'the triggers hold the extension');
$two->ask('SET client_min_messages = error');
is($two->ask('DROP EXTENSION slapolicy CASCADE'), '', 'dropped with its triggers');
is($one->ask(q(INSERT INTO tickets (id, s) VALUES (81, 'S1'))), '', 'rows go in without it');
$two->ask("CREATE EXTENSION slapolicy; SELECT sla.load_policy('$policy')");
is($two->ask(q(SELECT sla.attach('tickets', 'acme', 's', 'at', 'replied', 'done'))),
	$node->safe_psql('postgres', 'SELECT count(*) FROM tickets'), 'created and attached again');
is($one->ask(q(INSERT INTO tickets (id, s) VALUES (82, 'S1'))), '', 'the session finds the new one');
is(ledger(82), 'open S1 v1 opened', 'and records there');
consistent($node, 'the new extension');
$_->quit for $one, $two;
$node->stop;

# Many at once, with a worker that flags what falls due under their hands
$node = SlaTest::new_node('sessions_worker', 1);
$node->safe_psql('postgres', qq(
CREATE EXTENSION slapolicy;
SELECT sla.load_policy('$policy');
CREATE TABLE tickets (id int PRIMARY KEY, s text, at timestamptz, replied timestamptz, done timestamptz);
SELECT sla.attach('tickets', 'acme', 's', 'at', 'replied', 'done')));
$node->pgbench(
	'--no-vacuum --client=4 --transactions=150',
	0,
	[qr/processed: 600\/600/],
	[qr/^$/],
	'many writers and a worker',
	{
		'020_sessions' => q(
\set id random(1, 10)
\set other random(1, 10)
\set n random(1, 8)
\set s random(1, 2)
\set soon random(-50, 100)
BEGIN;
\if :n < 3
INSERT INTO tickets VALUES (:id, 'S' || :s, clock_timestamp() - interval '1 h' + :soon * interval '1 ms')
	ON CONFLICT (id) DO UPDATE SET s = EXCLUDED.s, at = EXCLUDED.at;
\elif :n = 3
DELETE FROM tickets WHERE id = :id;
\elif :n = 4
UPDATE tickets SET replied = CASE WHEN replied IS NULL THEN clock_timestamp() END WHERE id = :id;
\elif :n = 5
UPDATE tickets SET done = CASE WHEN done IS NULL THEN clock_timestamp() END WHERE id = :id;
\elif :n = 6
UPDATE tickets SET s = 'S' || :s WHERE id = :id;
\elif :n = 7
UPDATE tickets SET replied = at + interval '1 min' WHERE id = :id;
\else
INSERT INTO tickets VALUES (:id, 'S' || :s, clock_timestamp()) ON CONFLICT DO NOTHING;
\endif
END;
)
	});
ok( $node->poll_query_until('postgres',
		'SELECT count(*) = 0 FROM sla.clock WHERE next_alert_at < now()'),
	'all that is due is flagged');
consistent($node, 'many writers and a worker');
cmp_ok($node->safe_psql('postgres', q(SELECT count(*) FROM sla.alert WHERE kind = 'withdrawal')),
	'>', 0, 'some flags were undone');
is( $node->safe_psql('postgres',
		'SELECT count(*) FROM (SELECT FROM sla.alert GROUP BY clock_id, aim, kind HAVING count(*) > 1) d'),
	0, 'none was written twice');
unlike(slurp_file($node->logfile), qr/ERROR|deadlock|PANIC/, 'nobody met an error');
$node->stop;

done_testing();
