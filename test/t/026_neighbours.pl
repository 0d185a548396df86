# What is done to a table after it was attached, in sessions of their own: each
# statement is a transaction, and warnings are told.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaSession;
use SlaTest;
use Test::More;

my $node = new_node('neighbours', 0);
$node->safe_psql('postgres', q(
CREATE EXTENSION slapolicy;
SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1000000h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2000000h", "calendar": "always"},
		{"severity": "S1", "metric": "resolution", "goal": "3000000h", "calendar": "always"}]}');
CREATE SCHEMA desk;
CREATE SCHEMA other;
CREATE ROLE keeper;
GRANT ALL ON SCHEMA desk, other TO keeper;
CREATE TYPE urgency AS ENUM ('low', 'high');
CREATE TABLE desk.tickets (id int PRIMARY KEY, urgency urgency DEFAULT 'high', at timestamptz DEFAULT '2026-03-02 09:00', status text DEFAULT 'open',
	changed timestamptz DEFAULT '2026-03-02 10:00', replied timestamptz, label text, note text);
SELECT sla.attach('desk.tickets', 'acme', 'urgency', 'at', 'replied', changed_at => 'changed', severity_map => '{"high": "S1", "low": "S2"}',
	status => 'status', paused_when => '{waiting}', labels => '{label}')));
my $session = SlaSession->new($node);
my $warning = 'WARNING:  01000';

sub sql { return $session->ask(@_); }

# key, state, severity and events of tickets, of all or one
sub ledger
{
	my ($key) = @_;

	return $node->safe_psql('postgres', q(
		SELECT string_agg(concat_ws(' ', t.key, t.state, t.severity, t.labels ->> 'label', left(t.exempt, 5),
			(SELECT string_agg(e.kind, ',' ORDER BY e.seq) FROM sla.event e WHERE e.ticket_id = t.id)), '; ' ORDER BY t.id)
		FROM sla.ticket t) . (defined $key ? " WHERE t.key = '$key'" : ''));
}

# A column that a role needs
is(sql('INSERT INTO desk.tickets (id) VALUES (1)'), '', 'a row');
for my $change (
	[ 'RENAME COLUMN changed TO touched', 'RENAME COLUMN touched TO changed' ],
	[ 'RENAME COLUMN label TO tag', 'RENAME COLUMN tag TO label' ],
	[ 'RENAME COLUMN id TO no', 'RENAME COLUMN no TO id' ],
	[ 'RENAME COLUMN sla_response_due TO due', 'RENAME COLUMN due TO sla_response_due' ],
	[ 'DROP COLUMN label', 'ADD COLUMN label text' ],
	[ 'DROP COLUMN sla_reply_due', 'ADD COLUMN sla_reply_due timestamptz' ],
	[ q(ALTER COLUMN at TYPE timestamp USING at AT TIME ZONE 'UTC'), q(ALTER COLUMN at TYPE timestamptz USING at AT TIME ZONE 'UTC') ],
	[ q(ALTER COLUMN sla_response_due TYPE timestamp USING sla_response_due AT TIME ZONE 'UTC'), q(ALTER COLUMN sla_response_due TYPE timestamptz USING sla_response_due AT TIME ZONE 'UTC') ])
{
	my ($away, $back) = @$change;
	my $id = $away =~ /id TO no/ ? 'no' : 'id';

	is(sql("ALTER TABLE desk.tickets $away"), '', $away);
	is(sql("INSERT INTO desk.tickets ($id) VALUES (2), (3)"), $warning, 'rows go in, with one warning');
	is(sql("UPDATE desk.tickets SET urgency = 'low'"), $warning, 'may change');
	is(sql("DELETE FROM desk.tickets WHERE $id = 2"), $warning, 'and go');
	like(ledger(), qr/^1 open S1[^;]*$/, 'nothing is recorded');
	is(sql("ALTER TABLE desk.tickets $back"), '', 'undone');
	is(sql("UPDATE desk.tickets SET urgency = 'high'"), '', 'rows may change');
	is($node->safe_psql('postgres', q(SELECT string_agg(key, ' ' ORDER BY key) FROM sla.ticket WHERE state = 'open' AND severity::text = 'S1')), '1 3', 'and are recorded, also those missed');
	is(sql('DELETE FROM desk.tickets WHERE id = 3'), '', 'rows go');
	sql(q(DELETE FROM sla.event WHERE ticket_id IN (SELECT id FROM sla.ticket WHERE key = '3'); DELETE FROM sla.clock WHERE ticket_id IN (SELECT id FROM sla.ticket WHERE key = '3'); DELETE FROM sla.ticket WHERE key = '3'));
}

# Values that come to be called something else
is(sql(q(ALTER TYPE urgency RENAME VALUE 'high' TO 'urgent')), '', 'a label of an enum is renamed');
is(sql(q(INSERT INTO desk.tickets (id, urgency) VALUES (4, 'urgent'), (5, 'low'))), $warning, 'rows go in, with a warning');
is(ledger(4) . '; ' . ledger(5), '4 open error opened; 5 open S2 opened', 'only that one is without severity');
sql(q(ALTER TYPE urgency RENAME VALUE 'urgent' TO 'high'));
is(sql(q(UPDATE desk.tickets SET label = 'x' WHERE id = 4)), '', 'named back');
is(ledger(4), '4 open S1 x opened,retracted,opened', 'it has one');

# Types that read alike
is(sql("ALTER TABLE desk.tickets $_"), '', $_)
  for 'ALTER COLUMN id TYPE bigint', 'ALTER COLUMN id TYPE text', 'ALTER COLUMN status TYPE varchar(20)', 'ALTER COLUMN urgency DROP DEFAULT', 'ALTER COLUMN urgency TYPE text',
  'ALTER COLUMN sla_response_due TYPE timestamptz(0)', 'ALTER COLUMN label TYPE char(8)', 'DROP COLUMN note', 'ADD COLUMN note jsonb';
is(sql(q(UPDATE desk.tickets SET status = 'waiting' WHERE id = '5')), '', 'no warning');
is(ledger(5), '5 paused S2 opened,paused', 'still the same tickets');

# The table moves
is(sql($_), '', $_)
  for 'ALTER TABLE desk.tickets RENAME TO requests', 'ALTER TABLE desk.requests SET SCHEMA other', 'ALTER TABLE other.requests OWNER TO keeper', 'ALTER SCHEMA other RENAME TO another',
  'ALTER TABLE another.requests SET UNLOGGED', 'ALTER TABLE another.requests SET LOGGED', 'VACUUM FULL another.requests', 'CLUSTER another.requests USING tickets_pkey';
is(sql(q(UPDATE another.requests SET status = 'open' WHERE id = '5')), '', 'rows change wherever it is');
is(ledger(5), '5 open S2 opened,paused,resumed', 'and are recorded');
is(sql('SELECT ticket_table FROM sla.attachment'), 'another.requests', 'the attachment has its name');
is(sql('SET ROLE keeper'), '', 'its new owner');
is(sql(q(SELECT sla.record_rows('another.requests'))), 3, 'may record its rows');
is(sql('RESET ROLE'), '', 'and nobody else');

# Our triggers
is(sql('ALTER TABLE another.requests DISABLE TRIGGER "!sla_record"'), '', 'the trigger is disabled');
is(sql(q(UPDATE another.requests SET status = 'waiting' WHERE id = '5')), '', 'a row changes');
is(ledger(5), '5 open S2 opened,paused,resumed', 'unrecorded');
is(sql('ALTER TABLE another.requests ENABLE TRIGGER "!sla_record"'), '', 'enabled');
is(sql(q(SELECT sla.reconcile('another.requests'))), 1, 'found by reconciling');
is(ledger(5), '5 paused S2 opened,paused,resumed,paused', 'recorded');
is(sql('ALTER TRIGGER "~sla_stamp" ON another.requests RENAME TO "a"'), '', 'a trigger is renamed');
is(sql(q(UPDATE another.requests SET urgency = 'high', status = 'open' WHERE id = '5')), '', 'a row changes');
is($node->safe_psql('postgres', q(SELECT sla_response_due = due_at FROM another.requests r JOIN sla.ticket t ON t.key = r.id JOIN sla.clock c ON c.ticket_id = t.id AND metric = 'response' WHERE r.id = '5')), 't', 'and is stamped');
is(sql('DROP TRIGGER "a" ON another.requests'), '', 'the trigger is dropped');
is(sql(q(UPDATE another.requests SET urgency = 'low' WHERE id = '5')), '', 'a row changes');
is($node->safe_psql('postgres', q(SELECT sla_response_due = due_at FROM another.requests r JOIN sla.ticket t ON t.key = r.id JOIN sla.clock c ON c.ticket_id = t.id AND metric = 'response' WHERE r.id = '5')), 't', 'and is stamped all the same');

# A ticket whose row left unseen: what others do under its key is theirs
sql(q(CREATE TABLE plain (id int PRIMARY KEY, s text, at timestamptz DEFAULT '2026-03-02 09:00');
	SELECT sla.attach('plain', 'acme', 's', 'at');
	INSERT INTO plain VALUES (101, 'S1'), (102, 'S2')));
sql(q(SET session_replication_role = replica; DELETE FROM plain WHERE id = 102; RESET session_replication_role));
sql('UPDATE plain SET id = 102 WHERE id = 101');
is(ledger(102), '102 open S1 opened', 'its key goes to another row');
sql('UPDATE plain SET id = 103 WHERE id = 102');
is(ledger(103), '103 open S1 opened', 'which takes its own ticket along');
sql('DELETE FROM plain');
is(ledger(103), '103 deleted S1 opened,deleted', 'to the end');
is(sql(q(SELECT sla.reconcile('plain'))), 1, 'the other is found to be gone');
is($node->safe_psql('postgres', q(SELECT count(*) FROM sla.ticket t JOIN sla.attachment a ON a.id = attachment_id WHERE a.ticket_table = 'plain'::regclass AND state <> 'deleted')), 0, 'then there is none');

# Two tables whose triggers write to each other
sql(q(CREATE TABLE parents (id int PRIMARY KEY, s text DEFAULT 'S1', at timestamptz DEFAULT '2026-03-02 09:00', done timestamptz);
	CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents ON DELETE CASCADE ON UPDATE CASCADE, s text DEFAULT 'S1', at timestamptz DEFAULT '2026-03-02 09:00', done timestamptz);
	SELECT sla.attach('parents', 'acme', 's', 'at', resolved_at => 'done'), sla.attach('children', 'acme', 's', 'at', resolved_at => 'done');
	CREATE FUNCTION close_parent() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		UPDATE parents SET done = NEW.done WHERE id = NEW.parent AND done IS DISTINCT FROM NEW.done AND NOT EXISTS (SELECT FROM children WHERE parent = NEW.parent AND done IS NULL); RETURN NULL; END $$;
	CREATE FUNCTION close_children() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		UPDATE children SET done = NEW.done, s = NEW.s WHERE parent = NEW.id AND (done, s) IS DISTINCT FROM (NEW.done, NEW.s); RETURN NULL; END $$;
	CREATE TRIGGER zzz AFTER UPDATE ON children FOR EACH ROW EXECUTE FUNCTION close_parent();
	CREATE TRIGGER "!!" AFTER UPDATE ON parents FOR EACH ROW EXECUTE FUNCTION close_children();
	INSERT INTO parents (id) VALUES (1), (2);
	INSERT INTO children (id, parent) VALUES (11, 1), (12, 1), (21, 2)));
sub family
{
	return $node->safe_psql('postgres', q(SELECT string_agg(concat_ws(' ', t.key, t.state, t.severity), '; ' ORDER BY t.key::int) FROM sla.ticket t JOIN sla.attachment a ON a.id = attachment_id
		WHERE a.ticket_table IN ('parents'::regclass, 'children'::regclass)));
}
is(sql(q(UPDATE children SET done = '2026-03-02 12:00')), '', 'all children are done');
is(family(), '1 resolved S1; 2 resolved S1; 11 resolved S1; 12 resolved S1; 21 resolved S1', 'and so are their parents');
is(sql(q(UPDATE parents SET done = NULL, s = 'S2' WHERE id = 1)), '', 'a parent is reopened');
is(family(), '1 open S2; 2 resolved S1; 11 open S2; 12 open S2; 21 resolved S1', 'and so are its children');
is(sql(q(UPDATE parents SET id = 3 WHERE id = 1)), '', 'a parent changes its key');
is(sql(q(DELETE FROM parents WHERE id = 3)), '', 'and goes');
is(family(), '2 resolved S1; 3 deleted S2; 11 deleted S2; 12 deleted S2; 21 resolved S1', 'with its children');
is($node->safe_psql('postgres', q(SELECT count(*) FROM (SELECT FROM sla.event e GROUP BY ticket_id, kind, at, old_value, new_value HAVING count(*) > 1 AND kind NOT IN ('retracted', 'severity', 'paused', 'resumed')) d)), 0, 'nothing is recorded twice');

# A session that ignores the indexes of system tables, as any may, though events
# do not lie in their order
sql(q(CREATE TABLE moved (id int PRIMARY KEY, s text, at timestamptz DEFAULT '2026-03-02 09:00', status text);
	SELECT sla.attach('moved', 'acme', 's', 'at', status => 'status', paused_when => '{waiting}')));
sql(q(BEGIN; INSERT INTO moved SELECT g, 'S1' FROM generate_series(1, 9) g; ROLLBACK));
sql(q(INSERT INTO moved VALUES (201, 'S1')));
sql('VACUUM sla.event');
sql(q(UPDATE moved SET status = 'waiting'));
sql(q(UPDATE moved SET s = 'S2'));
isnt(sql(q(SELECT array_agg(seq ORDER BY e.ctid) FROM sla.event e JOIN sla.ticket t ON t.id = ticket_id WHERE key = '201')), '{1,2,3}', 'events lie in no order');
{
	local $ENV{PGOPTIONS} = '-c ignore_system_indexes=on';
	my $other = SlaSession->new($node);

	is($other->ask(q(UPDATE moved SET s = 'S1', status = 'open')), '', 'a row changes there');
	$other->quit;
}
is(ledger(201), '201 open S1 opened,paused,severity,severity,resumed', 'and its ticket likewise');

$session->quit;
unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal|TRAP/, 'the server met no crash');
$node->stop;
done_testing();
