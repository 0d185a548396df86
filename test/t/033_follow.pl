# Whoever follows sla.alerts_after gets every alert once and in order, whatever
# others do meanwhile: many writers, those that roll back, prepared
# transactions, purging.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaSession;
use SlaTest ();
use Test::More;

my $node = SlaTest::new_node('follow', 0, 'fsync' => 'off');
my $dir = PostgreSQL::Test::Utils::tempdir();

$node->safe_psql(
	'postgres', q(
CREATE EXTENSION slapolicy;
SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}]}');
CREATE TABLE tickets (id int PRIMARY KEY, s text DEFAULT 'S1', at timestamptz DEFAULT '2026-03-02 09:00', replied timestamptz);
SELECT sla.attach('tickets', 'acme', 's', 'at', 'replied', stamp => false);
INSERT INTO tickets (id) SELECT generate_series(1, 100);
));

sub query
{
	return $node->safe_psql('postgres', $_[0]);
}

# A prepared transaction may commit at any time, whoever has prepared it.
query(q(SELECT sla.flag_due('2026-03-02 12:00')));
query(q(BEGIN; UPDATE tickets SET replied = '2026-03-02 09:30' WHERE id = 1; PREPARE TRANSACTION 'later'));
query(q(UPDATE tickets SET replied = '2026-03-02 09:30' WHERE id = 2));
is(query('SELECT count(*) FROM sla.alerts_after(100)'), '0', 'nothing is given behind what a prepared transaction may bring');
query(q(COMMIT PREPARED 'later'));
is(query(q(SELECT string_agg(key, ' ' ORDER BY a.id) FROM sla.alerts_after(100) a JOIN sla.ticket t ON t.id = a.ticket_id)), '1 2', 'then it is');

# Tickets are answered in time and not, by many at once, slowly, and one in
# four takes it back.
my %script = (
	touch => q(
\set id random(1, 100)
\set pause random(0, 3)
\set end random(1, 4)
BEGIN;
UPDATE tickets SET replied = CASE WHEN random() < 0.5 THEN NULL ELSE '2026-03-02 09:30'::timestamptz END WHERE id = :id;
\sleep :pause ms
\if :end = 1
ROLLBACK;
\else
COMMIT;
\endif
),
	flag => q(
\set pause random(0, 2)
BEGIN;
SELECT sla.flag_due('2026-03-02 12:00');
\sleep :pause ms
COMMIT;
));
append_to_file("$dir/$_.sql", $script{$_}) for keys %script;

my $follower = SlaSession->new($node);
my $last = 0;
my @got;

# Ask until there is no news; how many rows came
sub follow
{
	my ($at_most) = @_;
	my $rows = 0;

	while (my @ids = split /\n/, $follower->ask("SELECT id FROM sla.alerts_after($last, $at_most)"))
	{
		push @got, @ids;
		$last = $ids[-1];
		$rows += @ids;
	}
	return $rows;
}

my ($load_out, $load_err) = ('', '');
my $load = IPC::Run::start(
	[ 'pgbench', '-n', '-c', '6', '-t', '250', '-f', "$dir/touch.sql\@3", '-f', "$dir/flag.sql\@1", '-d', $node->connstr('postgres') ],
	'>', \$load_out, '2>', \$load_err, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default * 2));
my $rounds = 0;
while ($load->pumpable)
{
	$load->pump_nb;
	$rounds++ if follow(1 + int rand 50) > 0;
}
$load->finish;
unlike($load_err, qr/error|aborted/i, 'the writers met no error');
follow(1000);
cmp_ok($rounds, '>', 5, "it was followed meanwhile ($rounds rounds)");
is("@got", join(' ', sort { $a <=> $b } @got), 'in order, none twice');
is("@got", query(q(SELECT string_agg(id::text, ' ' ORDER BY id) FROM sla.alert)), 'and all that there are');
isnt(query('SELECT max(id) - count(*) FROM sla.alert'), '0', 'though ids are missing');

# Purging beside makes gaps, and holds nobody up.
query(q(UPDATE tickets SET replied = '2026-03-02 10:30'; SELECT sla.flag_due('2026-03-02 12:00')));
query(q(CALL sla.purge('infinity', 7)));
is(query('SELECT count(*) FROM sla.alert'), '0', 'all is purged');
query(q(INSERT INTO tickets (id, replied) VALUES (1001, '2026-03-02 13:00'); SELECT sla.flag_due('2026-03-02 12:00')));
is(query(qq(SELECT t.key FROM sla.alerts_after($last) a JOIN sla.ticket t ON t.id = a.ticket_id WHERE kind <> 'withdrawal')), '1001', 'what comes next is given');

$follower->quit;
$node->stop;
done_testing();
