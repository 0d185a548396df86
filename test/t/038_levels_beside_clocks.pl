# The worker's look at levels of restriction makes no clock late, whatever holds
# it up, says an error now and then, and needs the rights that are documented.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

my $node = new_node('beside', 1);
my $here = q{WHERE database = current_database()};

sub status
{
	my ($what) = @_;

	return "SELECT $what FROM sla.worker_status $here";
}

sub level
{
	my ($account) = @_;

	return "SELECT level = 'deployments' FROM sla.restriction_alert WHERE account = '$account'";
}

# A clock is flagged within a second of its due time, here in a few seconds.
my $clocks = 0;

sub in_time
{
	my ($due, $what) = @_;

	$node->safe_psql('postgres', add_clocks(1, "clock_timestamp() + interval '$due'"));
	$clocks++;
	ok( $node->poll_query_until(
			'postgres', "SELECT count(*) = $clocks FROM sla.alert"),
		"$what: flagged");
	cmp_ok(
		$node->safe_psql('postgres',
			'SELECT extract(epoch FROM flagged_at - due_at) FROM sla.alert ORDER BY id DESC LIMIT 1'
		),
		'<', 1, "$what: within a second");
	return;
}

sub bill
{
	my ($id, $who) = @_;

	$node->safe_psql('postgres',
		"INSERT INTO bill VALUES ($id, '$who', current_date - 70, NULL)");
	return;
}

$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION slapolicy;
	SELECT sla.load_policy('{"policy": "bills", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
		"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}],
		"restriction": {"thresholds": {"support": 30, "deployments": 61}}}');
	CREATE TABLE bill (id int PRIMARY KEY, who text, due date, paid_at timestamptz);
	SELECT sla.attach_invoices('bill', 'bills', account => 'who', due => 'due', settled_at => 'paid_at');});

# While another pass over levels is under way, the worker comes back to them
# every second; a clock that is due later than that is not news by then.
bill(0, 'zeroth');
ok($node->poll_query_until('postgres', level('zeroth')), 'levels are flagged');
my $other = session($node, 'postgres');
ask($other, 'BEGIN; SELECT sla.flag_restrictions(now());');
bill(1, 'first');
in_time('0', 'beside another pass');
in_time('3 s', 'announced while levels are tried again');
ask($other, 'ROLLBACK;');
ok($node->poll_query_until('postgres', level('first')), 'the levels come after it');

# Somebody rebuilds a table that only levels need.
ask($other, 'BEGIN; LOCK TABLE sla.invoice, sla.restriction_override;');
in_time('0', 'beside a locked table');
in_time('2 s', 'beside a table that stays locked');
ask($other, 'COMMIT;');
bill(2, 'second');
ok($node->poll_query_until('postgres', level('second')), 'levels go on');
finish($other);

# What goes wrong with levels goes wrong for each worker that comes.
my $offset = -s $node->logfile;
$node->safe_psql('postgres',
	q{ALTER TABLE sla.restriction_alert ADD CONSTRAINT broken CHECK (account <> 'third')});
bill(3, 'third');
ok( $node->poll_query_until('postgres', status(q{last_error ~ 'broken'})),
	'an error with levels');
for (1 .. 4)
{
	in_time('0', 'in spite of the error');
	$node->poll_query_until('postgres', status(q{state <> 'running'}))
	  or die 'the worker did not leave';
}
my $said = () = slurp_file($node->logfile, $offset) =~ /DETAIL: .*"broken"/g;
cmp_ok($said, '>', 0, 'it is said');
cmp_ok($said, '<=', 2, "it is not said by each of many workers, but $said times");

# The pause ends when settings are reloaded, with or without a worker there.
sub mended_at_once
{
	my ($account, $what) = @_;

	$node->safe_psql('postgres',
		'ALTER TABLE sla.restriction_alert DROP CONSTRAINT broken');
	my $mended = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
	$node->reload;
	ok($node->poll_query_until('postgres', level($account)), "$what: levels go on");
	is( $node->safe_psql(
			'postgres',
			"SELECT flagged_at < timestamptz '$mended' + interval '5 s' FROM sla.restriction_alert WHERE account = '$account'"
		),
		't',
		"$what: at once");
	return;
}

mended_at_once('third', 'without a worker');
$node->safe_psql(
	'postgres', q{
	ALTER TABLE sla.restriction_alert ADD CONSTRAINT broken CHECK (account <> 'busy');}
	  . add_clocks(150, q{clock_timestamp() + g * interval '0.1 s'}));
$clocks += 150;
$offset = -s $node->logfile;
bill(5, 'busy');
$node->wait_for_log(qr/DETAIL: .*"broken"/, $offset);
mended_at_once('busy', 'beside a busy worker');
ok( $node->poll_query_until(
		'postgres', "SELECT count(*) = $clocks FROM sla.alert"),
	'which flags all its clocks');

# The rights that the documentation names
my $doc = slurp_file("$FindBin::RealBin/../../doc/worker.md");
my ($grants) = $doc =~ /^(CREATE ROLE sla_flagger;.*?)^```/ms or die 'no rights documented';
$node->safe_psql('postgres', $grants);
$node->safe_psql('postgres', q{ALTER SYSTEM SET slapolicy.role = 'sla_flagger'});
$node->reload;
bill(4, 'fourth');
in_time('0', 'by a role of few rights');
ok($node->poll_query_until('postgres', level('fourth')), 'levels, too');

$node->stop('fast');
done_testing();
