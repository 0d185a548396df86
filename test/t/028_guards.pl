# Guards survive dump and restore, and every session notices what changes about
# them and their tables.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

my $node = new_node('guards', 0);

$node->safe_psql('postgres', 'CREATE DATABASE before');
$node->safe_psql(
	'before', q(
CREATE EXTENSION slapolicy;
SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC", "calendars": {"day": {"hours": "UTC Mo-Fr 09:00-17:00"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "day"}],
	"requests": {"test": {"lead": "2 weeks", "slot_lead": "5 business days", "calendar": "day", "required": ["own"]}},
	"questionnaires": {"open": {"at_least": "4 weeks", "billable": true}}, "assistance": {"bucket": "2 hours", "outside": "day"}}');
CREATE SCHEMA desk;
CREATE TABLE desk.requests (id int PRIMARY KEY, own text, asked timestamptz DEFAULT '2026-03-02', starts_at timestamptz DEFAULT '2026-03-16');
INSERT INTO desk.requests VALUES (1, NULL);
SELECT sla.guard('desk.requests', policy => 'acme', kind => 'test', requested_at => 'asked');
CREATE TABLE parts (LIKE desk.requests INCLUDING ALL) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (100) TO (200);
SELECT sla.guard('parts', policy => 'acme', kind => 'test', requested_at => 'asked');
CREATE TABLE passing (id int);
SELECT sla.guard('passing', policy => 'acme', kind => 'test');
DROP TABLE passing;
INSERT INTO sla.booking (account, policy, slot) VALUES ('a', 'acme', '[2026-03-07 10:00, 2026-03-07 11:00]');
INSERT INTO sla.time_entry (account, policy, kind, worked_at, spent) VALUES ('a', 'acme', 'open', '2026-03-07 10:00', '1 hour');
));

my @contents = (
	'SELECT * FROM sla.guard_rule ORDER BY id',
	'SELECT * FROM sla.notice_rule ORDER BY policy_version_id, kind',
	'SELECT * FROM sla.turnaround_rule ORDER BY policy_version_id, kind',
	'SELECT * FROM sla.assistance_rule ORDER BY policy_version_id',
	'SELECT * FROM sla.charge ORDER BY what, id',
	'SELECT * FROM desk.requests ORDER BY id',
	q(SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgname ~ 'sla_guard' ORDER BY tgrelid::regclass::text));
my $tempdir = PostgreSQL::Test::Utils::tempdir();

for my $format ('plain', 'directory')
{
	my $dump = "$tempdir/$format";
	my $db = "after_$format";

	$node->command_ok([ 'pg_dump', "--format=$format", '-f', $dump, 'before' ],
		"$format: dump");
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->command_ok(
		$format eq 'plain'
		? [ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $db ]
		: [ 'pg_restore', '--exit-on-error', '-j', '3', '-d', $db, $dump ],
		"$format: restore");
	is($node->safe_psql($db, $_), $node->safe_psql('before', $_), "$format: $_")
	  for @contents;
	for my $table ('desk.requests', 'parts', 'parts_2')
	{
		my ($code, undef, $stderr) =
		  $node->psql($db, "INSERT INTO $table (id) VALUES (101)");

		isnt($code, 0, "$format: the guard of $table is there");
		like($stderr, qr/request of kind "test" is not accepted: 1 problem/,
			"$format: and says why");
	}
	$node->safe_psql($db, q(INSERT INTO parts (id, own) VALUES (102, 'x');
		UPDATE parts SET id = 2 WHERE id = 102;
		CREATE TABLE another (id int);
		SELECT sla.guard('another', policy => 'acme', kind => 'test');
		INSERT INTO sla.booking (account, policy, slot) VALUES ('b', 'acme', '[2026-03-07 10:00, 2026-03-07 11:00]');));
	is($node->safe_psql($db, 'SELECT count(*) FROM sla.guard_rule'), 3, "$format: numbers go on");
}

# An action that nothing is said about, as when it is misspelt
sub said_of_action
{
	my ($action, $policies) = @_;
	my (undef, undef, $stderr) = $node->psql(
		'before', "BEGIN; $policies
		CREATE TABLE deployment (account text);
		SELECT sla.guard('deployment', '$action', 'account'); INSERT INTO deployment VALUES ('7'); ROLLBACK",
		extra_params => [ '-v', 'SHOW_CONTEXT=never' ]);

	return $stderr;
}

my $version = q(SELECT sla.load_policy('{"policy": "%s", "time_zone": "UTC", "calendars": {"c": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "c"}],
	"restriction": {"thresholds": {"support": 30}, "actions": {"%s": "support", "ticket": "support"}}}', '%s'););
my $policies = join '', map { sprintf $version, @$_ } [ 'one', 'earlier', '-infinity' ], [ 'one', 'deployment', '2026-01-01' ],
  [ 'one', 'later', '2999-01-01' ], [ 'two', 'backup', '-infinity' ];

is(said_of_action('deployment', $policies), '', 'a guard with an action that a policy lists');
like(said_of_action($_, $policies),
	qr/^psql:\S+ WARNING:  no policy in force lists the action "$_"\n.*at level termination only\.\nHINT:  Listed are: backup, deployment, ticket\.$/,
	"and with one that none lists: $_") for qw(deplyoment earlier later);
like(said_of_action('deployment', ''), qr/\nHINT:  None is listed: /, 'where nothing is said of bills');

# Sessions that have used a guard
$node->safe_psql(
	'before', q(CREATE FUNCTION tried(own text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO desk.requests VALUES (50, tried.own);
	DELETE FROM desk.requests WHERE id = 50;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLERRM;
END $$));
my $session = session($node, 'before');
my $try = sub { return ask($session, "SELECT tried('$_[0]')") =~ s{\n\z}{}r; };

is($try->('x'), 'accepted', 'a session uses a guard');
is($try->(''), 'request of kind "test" is not accepted: 1 problem', 'and is refused');
$node->safe_psql('before', 'ALTER TABLE desk.requests RENAME COLUMN own TO owned');
is( $try->('x'),
	'the guard of table "requests" does not know what to do: column "own" is gone',
	'a column is renamed');
$node->safe_psql('before', 'ALTER TABLE desk.requests RENAME COLUMN owned TO own');
is($try->('x'), 'accepted', 'and back');
$node->safe_psql('before', q(UPDATE sla.notice_rule SET required = '{}'));
is($try->(''), 'accepted', 'a rule changes');
$node->safe_psql('before', q(UPDATE sla.notice_rule SET required = '{own,other}'));
is($try->('x'), 'request of kind "test" is not accepted: 1 problem', 'and asks for more');
$node->safe_psql('before', q(SELECT sla.unguard('desk.requests')));
is($try->(''), 'accepted', 'the guard goes');
$node->safe_psql('before', q(UPDATE sla.notice_rule SET required = '{own}';
	SELECT sla.guard('desk.requests', policy => 'acme', kind => 'test', requested_at => 'asked', fields => '{"starts_at": "starts_at", "own": "id"}')));
is($try->(''), 'accepted', 'and another one comes');
finish($session);

$node->stop;
done_testing();
