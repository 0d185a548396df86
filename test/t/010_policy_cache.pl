# Compiled policies follow what other sessions commit, and nothing else.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('policy_cache');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION slapolicy');

my $timeout = $PostgreSQL::Test::Utils::timeout_default;

# A psql that stays connected.
sub session
{
	my %s = (in => '', out => '');

	$s{run} = IPC::Run::start(
		[ 'psql', '-XqAt', '-d', $node->connstr('postgres') ],
		'<', \$s{in}, '>', \$s{out}, '2>&1',
		IPC::Run::timeout($timeout * 10));
	return \%s;
}

# Send SQL and do not wait.
sub send_sql
{
	my ($s, $sql) = @_;

	$s->{out} = '';
	$s->{in} .= "$sql;\n\\echo -- done\n";
	$s->{run}->pump_nb;
	return;
}

# Wait for what was sent; returns its output, errors included.
sub reply
{
	my ($s) = @_;

	$s->{run}->pump until $s->{out} =~ s/^-- done\n\z//m;
	chomp $s->{out};
	return $s->{out};
}

sub ask
{
	my ($s, $sql) = @_;

	send_sql($s, $sql);
	return reply($s);
}

# Wait until a statement sent to a session waits for a lock.
sub blocked
{
	my ($pid) = @_;

	return $node->poll_query_until('postgres',
		"SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid"
	);
}

my $reader = session();
my $writer = session();
my $writer_pid = ask($writer, 'SELECT pg_backend_pid()');
my $reader_pid = ask($reader, 'SELECT pg_backend_pid()');
my $document = q({"policy": "acme", "time_zone": "UTC",
	"calendars": {"c": {"hours": "UTC Mo-Fr 09:00-17:00"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "c"}]});
my $goal = q(SELECT coalesce(goal::text, problem)
	FROM sla.policy_target_in_force('acme', '2026-06-01 00:00+00', 'S1', 'response'));
my $set = 'UPDATE sla.target SET goal = ';

# Nothing, then something.
like(ask($reader, $goal), qr/does not exist/, 'no policy yet');
ask($writer, 'BEGIN');
ask($writer, "SELECT sla.load_policy('$document')");
is(ask($writer, $goal), '1h', 'who loads a policy sees it at once');
like(ask($reader, $goal), qr/does not exist/, 'others not before the commit');
ask($writer, 'COMMIT');
is(ask($reader, $goal), '1h', 'and at once after it');

# Rollback, whole and partial.
ask($writer, 'BEGIN');
ask($writer, "$set '2h'");
is(ask($writer, $goal), '2h', 'own uncommitted change');
is(ask($reader, $goal), '1h', 'which others do not see');
ask($writer, 'ROLLBACK');
is(ask($writer, $goal), '1h', 'nor who made it, once rolled back');
ask($writer, 'BEGIN');
ask($writer, "$set '3h'");
ask($writer, 'SAVEPOINT s');
ask($writer, "$set '4h'");
is(ask($writer, $goal), '4h', 'change in a subtransaction');
ask($writer, 'ROLLBACK TO s');
is(ask($writer, $goal), '3h', 'rolled back to what the transaction has');
ask($writer, 'COMMIT');
is(ask($reader, $goal), '3h', 'which is what it commits');

# A transaction's old snapshot does not matter.
for my $level ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')
{
	ask($writer, "$set '1h'");
	ask($reader, "BEGIN ISOLATION LEVEL $level");
	is(ask($reader, $goal), '1h', "$level: as it begins");
	ask($reader, 'SELECT goal FROM sla.target');
	ask($writer, "$set '2h'");
	is(ask($reader, $goal), '2h', "$level: the latest commit");
	is(ask($reader, 'SELECT goal FROM sla.target'),
		$level eq 'READ COMMITTED' ? '2h' : '1h',
		"$level: beside the transaction's own snapshot");
	ask($reader, 'COMMIT');
}

# A session that first asks within an old transaction keeps nothing old.
ask($writer, "$set '1h'");
my $late = session();
ask($late, 'BEGIN ISOLATION LEVEL REPEATABLE READ');
is(ask($late, 'SELECT goal FROM sla.target'), '1h', 'an old snapshot');
ask($writer, "$set '2h'");
is(ask($late, $goal), '2h', 'does not keep the first lookup from the latest');
ask($late, 'COMMIT');

# Every table counts, and what was broken is mended.
ask($writer, q(UPDATE sla.calendar SET hours = 'UTC Sa 09:00-17:00'));
is( ask($reader, $goal =~ s/goal::text/hours::text/r), 'UTC Sa 09:00-17:00',
	'another calendar');
ask($writer, 'ALTER TABLE sla.target DROP CONSTRAINT target_calendar_check');
ask($writer, 'UPDATE sla.target SET calendar = NULL');
like(ask($reader, $goal), qr/goal but no calendar/, 'a target broken');
like(ask($reader, $goal), qr/goal but no calendar/, 'and known to be');
ask($writer, q(UPDATE sla.target SET calendar = 'acme/c'));
is(ask($reader, $goal), '2h', 'and mended');
ask($writer, 'TRUNCATE sla.policy');
like(ask($reader, $goal), qr/does not exist/, 'all policies removed');

# Another session replaces the extension.
ask($writer, "SELECT sla.load_policy('$document')");
is(ask($reader, $goal), '1h', 'known before');
ask($writer, 'DROP EXTENSION slapolicy');
like(ask($reader, $goal), qr/ERROR.*does not exist/s, 'the extension dropped');
ask($writer, 'CREATE EXTENSION slapolicy');
like(ask($reader, $goal), qr/does not exist or has no version/,
	'created again, without policies');
ask($writer, "SELECT sla.load_policy('$document')");
is(ask($reader, $goal), '1h', 'and with one');

# What belongs together is read together: each change moves goal and hours at
# once, so no reader may see the goal of one with the hours of the other.
send_sql($writer, q(DO $$
BEGIN
	FOR i IN 1 .. 500 LOOP
		UPDATE sla.target SET goal = CASE i % 2 WHEN 0 THEN '1h' ELSE '2h' END::sla.business_interval;
		UPDATE sla.calendar SET hours = CASE i % 2 WHEN 0 THEN 'UTC Mo-Fr 09:00-17:00' ELSE 'UTC Sa 09:00-17:00' END::sla.business_hours;
		COMMIT;
	END LOOP;
	UPDATE sla.target SET goal = '9h';
END $$));
is( ask( $reader, q(DO $$
DECLARE
	f record;
	seen int := 0;
	started constant timestamptz := clock_timestamp();
BEGIN
	LOOP
		SELECT goal::text, hours::text, problem INTO f
			FROM sla.policy_target_in_force('acme', '2026-06-01 00:00+00', 'S1', 'response');
		seen := seen + 1;
		EXIT WHEN f.goal = '9h';
		ASSERT f.problem IS NULL, f.problem;
		ASSERT (f.goal = '1h') = (f.hours = 'UTC Mo-Fr 09:00-17:00'), f::text;
		ASSERT clock_timestamp() - started < '3 min', 'the writer never ended';
	END LOOP;
	ASSERT seen > 10, 'hardly anything was read';
END $$)), '', 'goal and hours of one commit are seen together');
is(reply($writer), '', 'while another session changes them');

# Two sessions intern the same hours.
my $intern = "INSERT INTO sla.calendar (name, hours) VALUES ('%s', 'UTC Su %s')";
for my $end ('COMMIT', 'ROLLBACK')
{
	my $hours = $end eq 'COMMIT' ? '01:00-02:00' : '03:00-04:00';

	ask($writer, 'BEGIN');
	ask($writer, sprintf($intern, "$end one", $hours));
	send_sql($reader, sprintf($intern, "$end two", $hours));
	ok(blocked($reader_pid), "$end: the second waits for the first");
	ask($writer, $end);
	is(reply($reader), '', "$end: and goes on");
	is( $node->safe_psql('postgres',
			"SELECT count(DISTINCT hours_id) FROM sla.calendar WHERE name LIKE '$end %'"),
		1, "$end: with one row of hours");
}

# Two sessions load versions of one policy.
ask($writer, 'BEGIN');
ask($writer, "SELECT sla.load_policy('$document', '2030-01-01')");
send_sql($reader, "SELECT sla.load_policy('$document', '2030-01-01')");
ok(blocked($reader_pid), 'loads of one policy wait for one another');
ask($writer, 'COMMIT');
like(reply($reader), qr/already has a version effective from 2030-01-01/,
	'and see what the other did');
is( $node->safe_psql('postgres',
		"SELECT count(*) FROM sla.calendar WHERE policy = 'acme' AND document_key = 'c' AND hours::text = 'UTC Mo-Fr 09:00-17:00'"),
	1, 'calendars included');

# The rules beside the targets count too, for the next ticket, as do contracts.
$node->safe_psql('postgres', q(
DELETE FROM sla.policy;
SELECT sla.load_policy('{"policy": "rules", "time_zone": "UTC", "calendars": {"c": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "c"},
		{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "c"}]}');
INSERT INTO sla.calendar (name, hours) VALUES ('noon', 'UTC Mo-Su 12:00-24:00');
CREATE TABLE ticket (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, severity text, at timestamptz,
	product text, channel text, account text, reason text);
SELECT sla.attach('ticket', 'rules', 'severity', 'at', product => 'product', channel => 'channel', account => 'account', exempt => 'reason');
));
my $version = $node->safe_psql('postgres', q(SELECT id FROM sla.policy_version WHERE policy = 'rules'));
my $ticket = q(INSERT INTO ticket (severity, at, product, channel, account, reason)
	VALUES ('S1', '2026-06-01 00:00+00', 'api', 'email', 'acme', 'known')
	RETURNING coalesce(to_char(sla_response_due, 'HH24:MI'), 'none'));

# What a new ticket of the reader is due at, warnings aside
sub due
{
	return ask($reader, $ticket) =~ s/^(WARNING|HINT|DETAIL):.*\n//mgr;
}

for my $change (
	[ '01:00', 'as it begins' ],
	[ '02:00', 'a cap', "INSERT INTO sla.severity_cap VALUES ($version, 'api', 'S2')" ],
	[ '01:00', 'another cap', "UPDATE sla.severity_cap SET product = 'web'" ],
	[ 'none', 'a rule of a channel', "INSERT INTO sla.channel_rule VALUES ($version, '*', 'never')" ],
	[ '01:00', 'another one', "INSERT INTO sla.channel_rule VALUES ($version, 'email', 'receipt')" ],
	[ 'none', 'an exemption', "INSERT INTO sla.exemption VALUES ($version, 'known', NULL)" ],
	[ '01:00', 'none', 'TRUNCATE sla.exemption' ],
	[ 'none', 'entitlement', q(UPDATE sla.policy_version SET entitlement = 'contract') ],
	[ '13:00', 'a contract', q{INSERT INTO sla.contract (account, policy, valid, calendar) VALUES ('acme', 'rules', '(,)', 'noon')} ],
	[ '01:00', 'without hours of its own', q(UPDATE sla.contract SET calendar = NULL) ],
	[ 'none', 'that has ended', q{UPDATE sla.contract SET valid = '(,2026-01-01)'} ],
	[ '01:00', 'for anyone', q(UPDATE sla.policy_version SET entitlement = 'anyone') ])
{
	my ($expected, $what, $sql) = @$change;
	my $before = $sql ? due() : '';

	ask($writer, "BEGIN; $sql") if $sql;
	is(due(), $before, "$what: not before the commit") if $sql;
	is(ask($writer, $ticket) =~ s/^(WARNING|HINT|DETAIL):.*\n//mgr, $expected, "$what: but for its own session") if $sql;
	ask($writer, 'COMMIT') if $sql;
	is(due(), $expected, "$what: and at once after it");
}
for my $change (
	[ 'f 0', 'as it begins' ],
	[ 'f 2', 'alerts', q(UPDATE sla.target SET alerts = '{0.5,0.75,1}') ],
	[ 't 2', 'a metric', q(SELECT sla.load_policy('{"policy": "rules", "time_zone": "UTC", "calendars": {"c": {"hours": "24/7"}},
		"metrics": {"handover": {"title": "Handover", "starts_on": ["opened"], "stops_on": ["assigned"]}},
		"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "c", "alerts": [0.5, "10min"]},
			{"severity": "S1", "metric": "handover", "goal": "1h", "calendar": "c"}]}', '2026-05-01')) ])
{
	my ($expected, $what, $sql) = @$change;

	ask($writer, $sql) if $sql;
	due();
	is( $node->safe_psql('postgres', q(SELECT concat_ws(' ', bool_or(c.metric = 'handover'), sum(cardinality(c.warn_at)) FILTER (WHERE c.metric = 'response'))
			FROM sla.clock c WHERE c.ticket_id = (SELECT max(t.id) FROM sla.ticket t))) =~ s/^(\w)$/$1 0/r,
		$expected, "$what: clocks of the next ticket");
}

# What is dropped is freed.
my $kept = q(SELECT sum(total_bytes) FROM pg_backend_memory_contexts
	WHERE name LIKE 'slapolicy polic%' OR name = 'slapolicy compilation');
my $churn = q(DO $$
BEGIN
	FOR i IN 1 .. %d LOOP
		UPDATE sla.target SET goal = (i %% 7 + 1 || 'h')::sla.business_interval;
		PERFORM sla.policy_target_in_force('acme', '2026-06-01 00:00+00', 'S1', 'response');
	END LOOP;
END $$);
ask($writer, "SELECT sla.load_policy('$document')");
ask($reader, sprintf($churn, 20));
my $before = ask($reader, $kept);
ask($reader, sprintf($churn, 2000));
cmp_ok($before, '>', 0, 'what is kept can be measured');
is(ask($reader, $kept), $before, 'two thousand changes later it is as much');

$_->{in} .= "\\q\n", $_->{run}->finish for $reader, $writer, $late;
$node->stop;
done_testing();
