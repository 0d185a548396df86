# Holidays and calendars changed by several sessions at once: whatever the
# order, what is committed fits together.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

my $node = new_node('holidays', 0);
my $db = 'postgres';

$node->safe_psql($db, 'CREATE EXTENSION slapolicy');

my @sessions = map { session($node, $db) } 1 .. 2;
my @pids = map { ask($_, 'SELECT pg_backend_pid()') =~ s/\s//gr } @sessions;

# Calendars whose hours are not what their regions make of them.
my $stale = q(SELECT string_agg(name, ' ') FROM sla.calendar
	WHERE regions <> '{}' AND sla.effective_hours(name) OPERATOR(sla.<>) sla.hours_in_regions(hours, regions));
my %change = (
	'add a holiday' => q(INSERT INTO sla.holiday VALUES ('DE', '2026-12-25')),
	'add another' => q(INSERT INTO sla.holiday VALUES ('DE-BY', '2026-01-06')),
	'move a holiday' =>
	  q(UPDATE sla.holiday SET day = '2026-02-02' WHERE day = '2026-02-01'),
	'remove all' => q(TRUNCATE sla.holiday),
	'add a calendar' =>
	  q(INSERT INTO sla.calendar (name, hours, regions) VALUES ('new', 'UTC Mo-Fr 09:00-17:00', '{DE-BY}')),
	'change hours' =>
	  q(UPDATE sla.calendar SET hours = 'UTC Mo-Fr 08:00-12:00' WHERE name = 'old'),
	'change regions' =>
	  q(UPDATE sla.calendar SET regions = '{DE-BY}' WHERE name = 'other'));

sub reset_rows
{
	$node->safe_psql($db, q(
TRUNCATE sla.calendar, sla.holiday;
INSERT INTO sla.calendar (name, hours, regions) VALUES ('old', 'UTC Mo-Fr 09:00-17:00', '{DE-BY}');
INSERT INTO sla.calendar (name, hours) VALUES ('other', 'UTC Mo-Fr 09:00-17:00');
INSERT INTO sla.holiday VALUES ('DE', '2026-02-01');
));
	return;
}

# Every pair of changes, the second made while the first is not committed.
for my $first (sort keys %change)
{
	for my $second (sort keys %change)
	{
		next if $first eq $second;
		reset_rows();
		ask($sessions[0], "BEGIN; $change{$first}");
		$sessions[1]{in} .= "$change{$second};\n\\echo second-done\n";
		$sessions[1]{harness}->pump_nb;
		$node->poll_query_until($db,
			"SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pids[1]"
		) or die "$second did not wait for $first";
		ask($sessions[0], 'COMMIT');
		$sessions[1]{harness}->pump
		  until $sessions[1]{out} =~ s/second-done\n//;
		is($node->safe_psql($db, $stale), '', "$first, meanwhile $second");
	}
}

# A transaction that cannot see what another has committed must not go on.
for my $first (sort keys %change)
{
	for my $second (sort keys %change)
	{
		my $ours = qr/holiday|all|another/;
		next if ($first =~ $ours) == ($second =~ $ours);
		next if $first eq 'remove all';
		reset_rows();

		ask($sessions[0], 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
		$node->safe_psql($db, $change{$first});
		my $got = ask(
			$sessions[0], qq(DO \$do\$
			BEGIN
				EXECUTE \$sql\$$change{$second}\$sql\$;
				PERFORM set_config('test.outcome', 'done', false);
			EXCEPTION WHEN serialization_failure THEN
				PERFORM set_config('test.outcome', 'failed', false);
			END \$do\$; SELECT current_setting('test.outcome'); COMMIT));
		is($got, "failed\n",
			"snapshot from before '$first' does not allow '$second'");
		is($node->safe_psql($db, $stale), '', 'nothing is left behind');
	}
}

# What is made of holidays reaches sessions that have the policy compiled.
reset_rows();
$node->safe_psql($db, q(SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"c": {"hours": "UTC Mo-Fr 09:00-17:00", "regions": ["DE-BY"]}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "c"}]}')));
my $hours = q(SELECT hours FROM sla.policy_target_in_force('acme', '2026-06-01 00:00+00', 'S1', 'response'));
is(ask($sessions[0], $hours),
	"UTC Mo-Fr 09:00-17:00; 2026-02-01 off\n", 'as it is');
ask($sessions[1], 'BEGIN; DELETE FROM sla.holiday');
is(ask($sessions[1], $hours), "UTC Mo-Fr 09:00-17:00\n", 'own change');
is(ask($sessions[0], $hours),
	"UTC Mo-Fr 09:00-17:00; 2026-02-01 off\n", 'not before the commit');
ask($sessions[1], 'COMMIT');
is(ask($sessions[0], $hours), "UTC Mo-Fr 09:00-17:00\n", 'and at once after it');

finish($_) for @sessions;
$node->stop;
done_testing();
