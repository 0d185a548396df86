# Contracts and metrics added by several sessions at once: whatever the order,
# what is committed fits together.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaSession;
use SlaTest;
use Test::More;

my $node = new_node('contracts', 0);

$node->safe_psql('postgres', q(CREATE EXTENSION slapolicy;
	INSERT INTO sla.policy VALUES ('gold'), ('iron')));

my @s = map { SlaSession->new($node) } 1 .. 2;

# The first half of the year, under one policy, and a stretch of it under
# another.
my $first = q{INSERT INTO sla.contract (account, policy, valid) VALUES ('acme', 'gold', '[2026-01-01,2026-07-01)')};
my $second = q{INSERT INTO sla.contract (account, policy, valid) VALUES ('acme', 'iron', '[2026-06-01,2027-01-01)')};
my $other = q{INSERT INTO sla.contract (account, policy, valid) VALUES ('other', 'iron', '[2026-06-01,2027-01-01)')};
my $later = q{INSERT INTO sla.contract (account, policy, valid) VALUES ('acme', 'iron', '[2026-07-01,2027-01-01)')};
my $count = 'SELECT count(*) FROM sla.contract';

for my $level ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')
{
	for my $end ('COMMIT', 'ROLLBACK')
	{
		$node->safe_psql('postgres', 'TRUNCATE sla.contract');
		$_->ask("BEGIN ISOLATION LEVEL $level; SELECT 1") for @s;
		is($s[0]->ask($first), '', "$level, $end: one contract");
		$s[1]->send_sql($second);
		ok($s[1]->blocked, "$level, $end: one that overlaps waits for it");
		$s[0]->ask($end);
		is($s[1]->reply, $end eq 'COMMIT' ? 'ERROR:  23P01' : '',
			"$level, $end: and is told");
		$s[1]->ask('COMMIT');
		is($node->safe_psql('postgres', $count), 1, "$level, $end: one is left");
	}

	# A snapshot from before the other contract does not hide it.
	$node->safe_psql('postgres', 'TRUNCATE sla.contract');
	$s[1]->ask("BEGIN ISOLATION LEVEL $level; $count");
	$node->safe_psql('postgres', $first);
	is($s[1]->ask($second), 'ERROR:  23P01', "$level: an old snapshot");
	$s[1]->ask('ROLLBACK');

	# What does not overlap does not wait.
	$node->safe_psql('postgres', 'TRUNCATE sla.contract');
	$s[0]->ask("BEGIN ISOLATION LEVEL $level; $first");
	is($s[1]->ask("$other; $later"), '', "$level: others need not wait");
	$s[0]->ask('COMMIT');
	is($node->safe_psql('postgres', $count), 3, "$level: all are there");
}

# A move is like a new one.
$node->safe_psql('postgres', "TRUNCATE sla.contract; $first; $later");
$s[0]->ask(q{BEGIN; UPDATE sla.contract SET valid = '[2026-01-01,2026-05-01)' WHERE policy = 'gold'});
$s[1]->send_sql(q{UPDATE sla.contract SET valid = '[2026-05-01,2027-01-01)' WHERE policy = 'iron'});
ok($s[1]->blocked, 'who takes over what another gives up waits');
$s[0]->ask('COMMIT');
is($s[1]->reply, '', 'and gets it');

# A policy or a calendar does not go while a contract comes.
$node->safe_psql('postgres', q(TRUNCATE sla.contract; INSERT INTO sla.calendar (name, hours) VALUES ('c', '24/7')));
for my $delete (q(DELETE FROM sla.policy WHERE name = 'gold'), q(DELETE FROM sla.calendar WHERE name = 'c'))
{
	my $insert = q{INSERT INTO sla.contract (account, policy, valid, calendar) VALUES ('acme', 'gold', '(,)', 'c')};

	$s[0]->ask("BEGIN; $insert");
	$s[1]->send_sql($delete);
	ok($s[1]->blocked, "$delete waits for a contract");
	$s[0]->ask('COMMIT');
	is($s[1]->reply, 'ERROR:  23503', 'and fails');
	$node->safe_psql('postgres', 'TRUNCATE sla.contract');

	$s[0]->ask("BEGIN; $delete");
	$s[1]->send_sql($insert);
	ok($s[1]->blocked, "a contract waits for $delete");
	$s[0]->ask('ROLLBACK');
	is($s[1]->reply, '', 'and goes on when it is rolled back');
	$node->safe_psql('postgres', 'TRUNCATE sla.contract');
}

# Two policies that bring the same metric, or think so.
sub document
{
	my ($policy, $stop) = @_;

	return qq(SELECT sla.load_policy('{"policy": "$policy", "time_zone": "UTC", "calendars": {"c": {"hours": "24/7"}},
		"targets": [{"severity": "S1", "metric": "triage", "goal": "1h", "calendar": "c"}],
		"metrics": {"triage": {"title": "Triage", "starts_on": ["opened"], "stops_on": ["$stop"]}}}') > 0);
}
for my $stop ('assigned', 'investigated')
{
	$s[0]->ask('BEGIN; ' . document('one', 'assigned'));
	$s[1]->send_sql(document('two', $stop));
	ok($s[1]->blocked, "$stop: loading waits for the same metric");
	$s[0]->ask('COMMIT');
	is($s[1]->reply, $stop eq 'assigned' ? 't' : 'ERROR:  40001',
		"$stop: and sees whether it is the same");
	is($s[1]->ask(document('three', $stop)), $stop eq 'assigned' ? 't' : 'ERROR:  22023',
		"$stop: as it does afterwards");
	$node->safe_psql('postgres', q(DELETE FROM sla.policy WHERE name IN ('one', 'two', 'three');
		DELETE FROM sla.metric WHERE name = 'triage'));
}

$_->quit for @s;
$node->stop;
done_testing();
