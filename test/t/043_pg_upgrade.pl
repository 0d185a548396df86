# pg_upgrade keeps attachments, ledger and alerts; recording and flagging go on.

use strict;
use warnings;

use Cwd;
use File::Spec;
use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

my $old = new_node('before_upgrade', 1);
my $new = new_node('after_upgrade', 1);

$old->safe_psql('postgres', q(
	CREATE TABLE tickets (id int PRIMARY KEY, gone int, severity text, at timestamptz, replied_at timestamptz);
	CREATE TABLE messages (id int PRIMARY KEY, ticket int, at timestamptz, author text);
	CREATE TABLE invoices (id int PRIMARY KEY, account text, due date, paid_at date);
	CREATE TABLE deployments (id int PRIMARY KEY, account text, as_of timestamptz DEFAULT '2026-04-01');
	ALTER TABLE tickets DROP COLUMN gone;
	CREATE EXTENSION slapolicy;
	SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
		"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}],
		"restriction": {"thresholds": {"support": 30}, "actions": {"deployment": "support"}}}');
	SELECT sla.attach('tickets', 'acme', 'severity', 'at', 'replied_at');
	SELECT sla.attach_messages('messages', 'tickets', 'ticket', 'at', 'author', agent_when => '{agent}');
	SELECT sla.attach_invoices('invoices', 'acme', 'account', 'due', settled_at => 'paid_at');
	SELECT sla.guard('deployments', 'deployment', 'account', as_of => 'as_of');
	BEGIN;
	INSERT INTO tickets (id, severity, at) VALUES (1, 'S1', '2026-03-02 09:00'), (2, 'S1', '2026-03-02 09:00');
	INSERT INTO messages VALUES (1, 1, '2026-03-02 09:10', 'agent');
	COMMIT;
	INSERT INTO invoices VALUES (1, 'late', '2026-01-01');));
# How often tickets are flagged
sub flagged
{
	my ($node, $expected) = @_;

	return $node->poll_query_until('postgres',
		q(SELECT string_agg(t.key || a.kind, ' ' ORDER BY t.key) FROM sla.alert a JOIN sla.ticket t ON t.id = a.ticket_id), $expected);
}
ok(flagged($old, '2breach'), 'the worker flags');

my @contents = map { "SELECT r::text FROM sla.$_ r ORDER BY 1" } qw(attachment message_attachment invoice_attachment guard_rule
  policy_version calendar hours target ticket event clock alert invoice invoice_event metric);
my @before = map { $old->safe_psql('postgres', $_) } @contents;

$old->stop;
$new->stop;
my $bindir = $new->config_data('--bindir');
my ($from, $to) = map { File::Spec->rel2abs($_->data_dir) } $old, $new;
my $here = getcwd();
chdir $PostgreSQL::Test::Utils::tmp_check or die $!;	# it leaves a script
command_ok(
	[
		'pg_upgrade', '--no-sync', '-d', $from, '-D', $to, '-b', $bindir, '-B', $bindir,
		'-s', $new->host, '-p', $old->port, '-P', $new->port
	],
	'pg_upgrade');
chdir $here or die $!;
$new->start;
for my $i (0 .. $#contents)
{
	is($new->safe_psql('postgres', $contents[$i]), $before[$i], $contents[$i]);
}
$new->safe_psql('postgres', q(
	BEGIN;
	INSERT INTO tickets (id, severity, at) VALUES (3, 'S1', '2026-03-02 09:00');
	UPDATE tickets SET replied_at = '2026-03-02 12:00' WHERE id = 2;
	INSERT INTO messages VALUES (3, 3, '2026-03-02 09:20', 'agent'), (4, 3, '2026-03-02 09:30', 'agent');
	COMMIT;
	INSERT INTO invoices VALUES (2, 'good', '2026-01-01', '2026-01-01');));
is( $new->safe_psql('postgres', q(SELECT t.key, t.state, c.outcome FROM sla.ticket t JOIN sla.clock c ON c.ticket_id = t.id ORDER BY t.key)),
	"1|open|met\n2|open|breached\n3|open|met", 'rows and messages are recorded');
my ($code, undef, $stderr) = $new->psql('postgres', q(INSERT INTO deployments VALUES (1, 'late')));
isnt($code, 0, 'the guard is there');
like($stderr, qr/account "late" is restricted/, 'and says why');
$new->safe_psql('postgres', q(INSERT INTO deployments VALUES (2, 'good'); INSERT INTO tickets (id, severity, at) VALUES (4, 'S1', '2026-03-02 09:00')));
ok(flagged($new, '2breach 4breach'), 'the worker goes on, and flags nothing again');
$new->safe_psql('postgres', q(SELECT sla.detach('tickets'); DROP TABLE messages; DROP EXTENSION slapolicy CASCADE));

$new->stop;
done_testing();
