# Policies survive a dump and restore: nothing lost, nothing doubled.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('policy_dump');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'");
$node->start;

$node->safe_psql('postgres', 'CREATE DATABASE before');
$node->safe_psql(
	'before', q(
CREATE EXTENSION slapolicy;
INSERT INTO sla.metric (name, title, starts_on, stops_on)
	VALUES ('handover', 'Handover', '{replied}', '{resolved}');
SELECT sla.load_policy(sla.preset('laioutr'));
SELECT sla.load_policy(jsonb_set(sla.preset('laioutr'), '{targets,0,metric}', '"handover"'), '2030-01-01');
INSERT INTO sla.calendar (name, hours) VALUES ('mine', 'UTC Mo-Fr 09:00-17:00');
UPDATE sla.calendar SET hours = 'UTC Sa 09:00-17:00' WHERE name = 'mine';
));

my @formats = (
	[ 'plain', '--format=plain' ],
	[ 'custom', '--format=custom' ],
	[ 'directory', '--format=directory' ]);
my %contents = (
	hours => 'id',
	policy => 'name',
	policy_version => 'id',
	calendar => 'name',
	metric => 'name',
	target => 'policy_version_id, severity, metric');

for my $format (@formats)
{
	my ($name, $option) = @$format;
	my $dump = PostgreSQL::Test::Utils::tempdir() . "/$name";
	my $db = "after_$name";

	$node->command_ok([ 'pg_dump', $option, '-f', $dump, 'before' ],
		"$name: dump");
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->command_ok(
		$name eq 'plain'
		? [ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $db ]
		: [
			'pg_restore', '--exit-on-error',
			$name eq 'directory' ? '-j2' : (), '-d', $db, $dump
		],
		"$name: restore");
	for my $table (sort keys %contents)
	{
		my $sql = "SELECT * FROM sla.$table ORDER BY $contents{$table}";

		is($node->safe_psql($db, $sql), $node->safe_psql('before', $sql),
			"$name: sla.$table");
	}

	# Identifiers go on where they ended.
	my $more = q(SELECT sla.load_policy(sla.preset('laioutr'), '2040-01-01'));
	is($node->safe_psql($db, $more), 3, "$name: the next version");
	$node->safe_psql($db,
		q(INSERT INTO sla.calendar (name, hours) VALUES ('new', 'UTC Su 09:00-17:00'))
	);
	is( $node->safe_psql($db,
			q(SELECT (SELECT hours_id FROM sla.calendar WHERE name = 'new') = max(id) FROM sla.hours)
		),
		't',
		"$name: the next hours");
}

$node->stop;
done_testing();
