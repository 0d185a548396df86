# What a policy version said is written down with the first ticket that needs
# it: whatever becomes of the transaction that did, and of others meanwhile, each
# ticket refers to an edition that is there.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaSession;
use SlaTest;
use Test::More;

my $node = new_node('editions', 0);

$node->safe_psql('postgres', q(CREATE EXTENSION slapolicy;
	SELECT sla.load_policy('{"policy": "p", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
		"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}]}');
	CREATE TABLE ticket (id int PRIMARY KEY, severity text, received timestamptz, note text);
	SELECT sla.attach('ticket', policy => 'p', severity => 'severity', received_at => 'received')));

my $id = 0;

# A ticket that follows an edit of the policy, and so needs another edition
sub insert
{
	$id++;
	return "INSERT INTO ticket VALUES ($id, 'S1', '2026-03-02 09:00+00')";
}

sub edit_policy
{
	$node->safe_psql('postgres', q(UPDATE sla.target SET goal = goal OPERATOR(sla.+) '1h'));
}

# Tickets whose edition is not there, or says something else than their clocks
my $lost = q(SELECT t.key FROM sla.ticket t
	LEFT JOIN sla.policy_edition e ON (e.policy_version_id, e.id) = (t.policy_version_id, t.policy_edition_id)
	LEFT JOIN sla.clock c ON c.ticket_id = t.id
	WHERE c.goal::text IS DISTINCT FROM e.content -> 'targets' -> 0 ->> 'goal');

my @s = map { SlaSession->new($node) } 1 .. 2;

sub insert_again
{
	my ($session, $name) = @_;

	is($session->ask(insert()), '', "$name: another ticket");
	is($node->safe_psql('postgres', $lost), '', "$name: no ticket without its edition");
	is($session->ask(q(UPDATE ticket SET severity = severity, received = received + interval '1 s')), '',
		"$name: and all go on");
	is($node->safe_psql('postgres', q(SELECT DISTINCT exempt FROM sla.ticket)), '', "$name: with their promises");
}

edit_policy();
$s[0]->ask('BEGIN; ' . insert() . '; ROLLBACK');
insert_again($s[0], 'rolled back');

edit_policy();
$s[0]->ask('BEGIN; SAVEPOINT a; ' . insert() . '; ROLLBACK TO a');
is($s[0]->ask(insert()), '', 'subtransaction rolled back: another ticket in the same transaction');
$s[0]->ask('COMMIT');
insert_again($s[0], 'subtransaction rolled back');

edit_policy();
$s[0]->ask('BEGIN; ' . insert() . q(; PREPARE TRANSACTION 'first'));
is($s[0]->ask(insert()), '', 'prepared: another ticket of the same session meanwhile');
$node->safe_psql('postgres', q(ROLLBACK PREPARED 'first'));
insert_again($s[0], 'prepared and rolled back');

# Two sessions at once, neither of which sees what the other has written
for my $level ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')
{
	edit_policy();
	$_->ask("BEGIN ISOLATION LEVEL $level; SELECT 1") for @s;
	is($_->ask(insert()), '', "$level: one of two tickets at once") for @s;
	is($s[0]->ask('COMMIT'), '', "$level: committed");
	$s[1]->ask('ROLLBACK');
	insert_again($s[1], $level);

	# A snapshot from before the edit
	$s[0]->ask("BEGIN ISOLATION LEVEL $level; SELECT count(*) FROM sla.target");
	edit_policy();
	is($s[1]->ask(insert()), '', "$level: after an edit");
	is($s[0]->ask(insert()), '', "$level: after an edit that is not seen");
	$s[0]->ask('COMMIT');
	is($node->safe_psql('postgres', q(SELECT count(DISTINCT c.goal) FROM sla.clock c
		JOIN sla.ticket t ON t.id = c.ticket_id WHERE t.key::int > ) . ($id - 2)), 1,
		"$level: both are promised the same");
	insert_again($s[0], "$level, after an edit");
}

done_testing();
