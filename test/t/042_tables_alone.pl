# What an attached table says when it cannot be recorded: in a database that it
# came to without its attachment, and after a column is gone. Each hint works.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

my $node = new_node('tables_alone', 0);
my $policy = q(CREATE EXTENSION slapolicy;
	SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
		"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}],
		"restriction": {"thresholds": {"support": 30}, "actions": {"deployment": "support"}}}'););

# By table: how it is attached and detached, what brings the record up to it,
# a row, and a column that it cannot do without
my %tables = (
	tickets => [
		q(SELECT sla.attach('tickets', 'acme', 'severity', 'at')), q(SELECT sla.detach('tickets')),
		q(SELECT sla.reconcile('tickets')), q(INSERT INTO tickets VALUES (%d, 'S1', '2026-03-02 09:00')), 'severity'
	],
	messages => [
		q(SELECT sla.attach_messages('messages', 'tickets', 'ticket', 'at', 'author', agent_when => '{agent}')),
		q(SELECT sla.detach_messages('messages')), q(SELECT sla.record_messages('messages')),
		q(INSERT INTO messages VALUES (%d, 1, '2026-03-02 09:10', 'agent')), 'author'
	],
	invoices => [
		q(SELECT sla.attach_invoices('invoices', 'acme', 'account', 'due', settled_at => 'paid_at')),
		q(SELECT sla.detach_invoices('invoices')), q(SELECT sla.reconcile_invoices('invoices')),
		q(INSERT INTO invoices VALUES (%d, '7', '2026-03-02')), 'due'
	]);
my @order = qw(tickets messages invoices);

# What is said when a row is written
sub said_of
{
	my ($db, $table, $id) = @_;
	my (undef, undef, $stderr) = $node->psql($db, sprintf($tables{$table}[3], $id));

	return $stderr;
}

sub recorded
{
	my ($db) = @_;

	return $node->safe_psql($db, q(SELECT (SELECT count(*) FROM sla.ticket) || ' ' ||
		(SELECT count(*) FROM sla.event WHERE kind = 'replied') || ' ' || (SELECT count(*) FROM sla.invoice)));
}

$node->safe_psql('postgres', 'CREATE DATABASE whole; CREATE DATABASE alone; CREATE DATABASE away');
$node->safe_psql('whole', "$policy
	CREATE TABLE tickets (id int PRIMARY KEY, severity text, at timestamptz);
	CREATE TABLE messages (id int PRIMARY KEY, ticket int, at timestamptz, author text);
	CREATE TABLE invoices (id int PRIMARY KEY, account text, due date, paid_at date);");
$node->safe_psql('whole', "$tables{$_}[0]; " . sprintf($tables{$_}[3], 1)) for @order;
is(recorded('whole'), '1 1 1', 'all is recorded');

# Columns
for my $table (@order)
{
	my (undef, $detach, $reconcile, undef, $column) = @{ $tables{$table} };
	my ($function) = $reconcile =~ /(sla\.\w+)/;

	$node->safe_psql('whole', "ALTER TABLE $table RENAME COLUMN $column TO other");
	like(said_of('whole', $table, 2),
		qr/not recorded: column "$column" is gone\n.*renaming a column back, and call \Q$function\E /,
		"$table: a column is renamed, and that is said");
	$node->safe_psql('whole', "ALTER TABLE $table RENAME COLUMN other TO $column; $reconcile");
	is(said_of('whole', $table, 3), '', "$table: and renamed back");
}
is(recorded('whole'), '3 3 3', 'what was missed is recorded');
for my $table (@order)
{
	my ($attach, $detach, undef, undef, $column) = @{ $tables{$table} };

	$node->safe_psql('whole', "ALTER TABLE $table RENAME COLUMN $column TO other");
	$node->safe_psql('whole', sprintf($tables{$table}[3], 4));
	$node->safe_psql('whole', "$detach; " . $attach =~ s/'$column'/'other'/r);
	is(said_of('whole', $table, 5), '', "$table: attached again with the other column");
}
is(recorded('whole'), '5 5 5', 'nothing is missing');

# Tables that are dumped without the ledger
for my $db (qw(alone away))
{
	my $dump = $PostgreSQL::Test::Utils::tmp_check . "/$db.sql";

	$node->command_ok([ 'pg_dump', '-f', $dump, map({ ('-t', $_) } @order), 'whole' ], 'dump the tables');
	$node->safe_psql($db, $policy);
	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $db ], 'restore them alone');
	like(said_of($db, $_, 6), qr/table "$_" is not attached\n.*Call sla\.attach/, "$_: that is said") for @order;
}
for my $table (@order)
{
	my ($attach, undef, undef, undef, $column) = @{ $tables{$table} };

	is(($node->psql('alone', $attach =~ s/'$column'/'other'/r))[0], 0, "$table: attached in place of its triggers");
	is(said_of('alone', $table, 7), '', 'and recorded');
	is(($node->psql('away', $tables{$table}[1]))[0], 0, "$table: or rid of them");
	is(said_of('away', $table, 7), '', 'and quiet');
}
is(recorded('alone'), '7 7 7', 'all is recorded');

$node->stop;
done_testing();
