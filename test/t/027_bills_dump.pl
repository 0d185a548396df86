# Bills survive a dump and restore: levels, past and present, are the same, the
# triggers go on, and what is not flagged yet is flagged there.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

my $node = new_node('bills_dump', 0);
my $tempdir = PostgreSQL::Test::Utils::tempdir();

$node->safe_psql('postgres', 'CREATE DATABASE before');
$node->safe_psql(
	'before', q{
CREATE EXTENSION slapolicy;
SELECT sla.load_policy(sla.preset('amazee'));
CREATE TABLE bill (id int PRIMARY KEY, who text, due date, paid_at timestamptz, amount numeric, booked_at timestamptz);
SELECT sla.attach_invoices('bill', 'amazee', account => 'who', due => 'due', settled_at => 'paid_at', amount => 'amount', recorded_at => 'booked_at');
INSERT INTO bill VALUES (1, 'a', '2026-01-01', NULL, 10, '2026-01-01'), (2, 'b', '2026-01-15', NULL, 20, '2026-01-01');
SELECT sla.flag_restrictions('2026-02-01');
SELECT sla.record_payment('bill', '2', 20, '2026-02-20', recorded_at => '2026-02-25');
SELECT sla.override_restriction('a', NULL, 'none', 'promise', '2026-03-10', 'Ann', '2026-03-05', '2026-03-05');
CREATE TABLE gone (LIKE bill INCLUDING ALL);
SELECT sla.attach_invoices('gone', 'amazee', account => 'who', due => 'due', settled_at => 'paid_at', amount => 'amount');
INSERT INTO gone VALUES (1, 'c', '2026-01-01', NULL, 10, NULL);
DROP TABLE gone;
});

my $levels = q(SELECT a, d::date, k, sla.restriction(a, as_of => d, known_at => k)
	FROM unnest('{a,b,c}'::text[]) a, generate_series(timestamptz '2026-01-20', '2026-04-20', '5 days') d, unnest('{2026-02-22,infinity}'::timestamptz[]) k ORDER BY 1, 2, 3);
my $rows = q(SELECT i.id, i.key, i.account, i.due, i.amount, i.paid, i.state, i.counts_until, i.plain, i.days, e.seq, e.kind, e.at, e.recorded_at, e.amount
	FROM sla.invoice i JOIN sla.invoice_event e ON e.invoice_id = i.id ORDER BY i.id, e.seq);
my $before = $node->safe_psql('before', $levels);

for my $format ('plain', 'custom')
{
	my $dump = "$tempdir/$format";
	my $db = "after_$format";

	$node->command_ok([ 'pg_dump', "--format=$format", '-f', $dump, 'before' ], "$format: dump");
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->command_ok(
		$format eq 'plain'
		? [ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $db ]
		: [ 'pg_restore', '--exit-on-error', '-d', $db, $dump ],
		"$format: restore");
	is($node->safe_psql($db, $levels), $before, "$format: levels");
	is($node->safe_psql($db, $rows), $node->safe_psql('before', $rows), "$format: the ledger");
	is( $node->safe_psql($db, q(SELECT invoice_table, detached_at IS NULL FROM sla.invoice_attachment ORDER BY id)),
		"public.bill|t\n-|f", "$format: tables");
	is( $node->safe_psql($db, q(SELECT sla.flag_restrictions('2026-03-11'); SELECT account, n, level FROM sla.restriction_alert ORDER BY account, n)),
		"5\na|1|support\na|2|deployments\na|3|none\na|4|deployments\nb|1|support\nb|2|none", "$format: what was missed is flagged");
	$node->safe_psql($db, q(UPDATE bill SET paid_at = '2026-03-12', booked_at = '2026-03-12' WHERE id = 1));
	is( $node->safe_psql($db, q(SELECT sla.restriction('a', as_of => '2026-03-12'))), 'none', "$format: triggers go on");
}

$node->stop;
done_testing();
