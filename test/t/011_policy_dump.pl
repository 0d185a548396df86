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
	'before', q{
CREATE EXTENSION slapolicy;
INSERT INTO sla.metric (name, title, starts_on, stops_on)
	VALUES ('handover', 'Handover', '{replied}', '{resolved}');
SELECT sla.load_policy(sla.preset('laioutr'));
SELECT sla.load_policy(jsonb_set(sla.preset('laioutr'), '{targets,0,metric}', '"handover"'), '2030-01-01');
INSERT INTO sla.calendar (name, hours) VALUES ('mine', 'UTC Mo-Fr 09:00-17:00');
UPDATE sla.calendar SET hours = 'UTC Sa 09:00-17:00' WHERE name = 'mine';
INSERT INTO sla.calendar (name, hours, regions) VALUES
	('by', 'Europe/Berlin Mo-Fr 09:00-17:00; 2026-12-24 09:00-13:00', '{DE-BY}'),
	('at', 'Europe/Vienna Mo-Fr 09:00-17:00', '{AT}');
INSERT INTO sla.holiday VALUES ('DE', '2026-12-25', 'Christmas'), ('DE', '2026-12-24', 'Christmas Eve'),
	('DE-BY', '2026-01-06', 'Epiphany'), ('AT', '2026-10-26', NULL);
SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC", "calendars": {"c": {"hours": "UTC Mo-Fr 09:00-17:00"}},
	"targets": [{"severity": "S1", "metric": "triage", "goal": "2h", "calendar": "c", "alerts": [0.5, 1, "30min"], "pausable": false},
		{"severity": "S2", "metric": "update", "goal": null}],
	"metrics": {"triage": {"title": "Triage", "starts_on": ["opened"], "stops_on": ["assigned"], "restarts_on": ["reopened"]}},
	"severities": {"S1": {"label": "High", "description": "All is down."}, "S2": {"label": "Low"}},
	"severity_caps": {"api": "S1", "*": "S2"}, "channels": {"email": "never", "*": "investigation"},
	"exemptions": {"known": "Known", "other": null},
	"severity_change": "carry", "reopening": "restart", "entitlement": "contract", "restricted_accounts": "reject",
	"restriction": {"thresholds": {"support": 30, "termination": 91}, "grace": "3 business days", "calendar": "c",
		"actions": {"ticket": "support"}, "security_release": ["deployment"]},
	"availability": [{"goal": 99.9, "calendar": "c", "exclusions": ["planned_maintenance", "rain"], "maintenance_notice": "3 days", "maintenance_window": "c",
		"credits": [{"below": 99.9, "percent": 10}]}, {"service": "web", "goal": null}]}');
INSERT INTO sla.service (name, kind, account, policy, life, time_zone, measurement_points) VALUES
	('shop', NULL, 'a', 'acme', '[2026-01-01,)', 'Europe/Berlin', '{health}'), ('web', 'web', NULL, NULL, '(,)', NULL, '{}');
INSERT INTO sla.outage (service, during, kind, measurement_point, evidence) VALUES
	('shop', '[2026-03-05 10:00,2026-03-05 11:00)', 'down', 'health', '{"probe": 7}'), ('web', '[2026-03-05 10:00,)', 'unknown', NULL, NULL);
UPDATE sla.service SET measurement_points = '{other}' WHERE name = 'shop';
INSERT INTO sla.exclusion (service, during, kind, announced_at) VALUES (NULL, '[2026-03-05 10:00,2026-03-05 10:30)', 'rain', NULL), ('shop', '[2026-03-06,2026-03-07)', 'planned_maintenance', '2026-03-01');
INSERT INTO sla.contract (account, service, policy, valid, calendar, note) VALUES
	('a', NULL, 'acme', '[2026-01-01,2027-01-01)', NULL, 'first'), ('a', NULL, 'laioutr', '[2027-01-01,)', 'mine', NULL),
	('a', 'web', 'acme', '(,)', 'acme/c', NULL), ('gone', NULL, 'acme', '(,)', NULL, NULL);
DELETE FROM sla.contract WHERE account = 'gone';
});

my @formats = (
	[ 'plain', '--format=plain' ],
	[ 'rows', '--format=plain', '--rows-per-insert=1' ],
	[ 'custom', '--format=custom' ],
	[ 'directory', '--format=directory' ]);
my %contents = (
	holiday => 'region, day',
	hours => 'id',
	policy => 'name',
	policy_version => 'id',
	calendar => 'name',
	metric => 'name',
	target => 'policy_version_id, severity, metric',
	severity_label => 'policy_version_id, severity',
	severity_cap => 'policy_version_id, product',
	channel_rule => 'policy_version_id, channel',
	exemption => 'policy_version_id, reason',
	availability_rule => 'policy_version_id, service, package',
	service => 'name',
	outage => 'id',
	exclusion => 'id',
	restriction_rule => 'policy_version_id',
	contract => 'id');
my $document = q(SELECT sla.policy_document('acme'));

my $tempdir = PostgreSQL::Test::Utils::tempdir();

for my $format (@formats)
{
	my ($name, @options) = @$format;
	my $dump = "$tempdir/$name";
	my $db = "after_$name";

	$node->command_ok([ 'pg_dump', @options, '-f', $dump, 'before' ],
		"$name: dump");
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->command_ok(
		$options[0] eq '--format=plain'
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

	is($node->safe_psql($db, $document),
		$node->safe_psql('before', $document),
		"$name: the document");

	# Identifiers go on where they ended.
	my $more = q(SELECT sla.load_policy(sla.preset('laioutr'), '2040-01-01'));
	is($node->safe_psql($db, $more), 4, "$name: the next version");
	$node->safe_psql($db,
		q(INSERT INTO sla.calendar (name, hours) VALUES ('new', 'UTC Su 09:00-17:00'))
	);
	is( $node->safe_psql($db,
			q(SELECT (SELECT hours_id FROM sla.calendar WHERE name = 'new') = max(id) FROM sla.hours)
		),
		't',
		"$name: the next hours");

	is( $node->safe_psql($db,
			q(INSERT INTO sla.contract (account, policy, valid) VALUES ('b', 'acme', '(,)') RETURNING id)
		),
		5,
		"$name: the next contract");

	# What keeps rows apart and together is in force again.
	for my $wrong (
		q{INSERT INTO sla.contract (account, policy, valid) VALUES ('a', 'acme', '[2026-12-31,2027-01-01)')},
		q(DELETE FROM sla.policy WHERE name = 'acme'),
		q(INSERT INTO sla.exemption VALUES (0, 'x', NULL)))
	{
		isnt($node->psql($db, $wrong), 0, "$name: refused: $wrong");
	}

	# Holidays are in force again.
	$node->safe_psql($db,
		q(INSERT INTO sla.holiday VALUES ('DE', '2026-10-03', 'Unity')));
	is( $node->safe_psql($db, q(SELECT sla.effective_hours('by'))),
		'Europe/Berlin Mo-Fr 09:00-17:00; 2026-01-06,2026-10-03 off; '
		  . '2026-12-24 09:00-13:00; 2026-12-25 off',
		"$name: the next holiday");
}

# In whatever order the tables come, one at a time.
my $list = "$tempdir/list";
my $dump = "$tempdir/custom";
my ($toc) = run_command([ 'pg_restore', '--list', $dump ]);
my $tables = join '|', keys %contents;
my (@pre, @data, @post);

for my $line (split /\n/, $toc)
{
	push @{
		$line =~ /TABLE DATA sla ($tables) / ? \@data
		: $line =~ /SEQUENCE SET/ ? \@post
		: \@pre
	}, $line;
}
is(scalar @data, scalar keys %contents, 'tables are dumped one by one');
for my $shift (0 .. $#data)
{
	my @order = (@data[ $shift .. $#data ], @data[ 0 .. $shift - 1 ]);
	my $db = "shifted_$shift";

	@order = reverse @order if $shift % 2;
	unlink $list;
	append_to_file($list, join("\n", @pre, @order, @post) . "\n");
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->command_ok(
		[
			'pg_restore', '--exit-on-error', '--use-list', $list, '-d', $db,
			$dump
		],
		"order $shift: restore");
	my $differences = 0;
	for my $table (sort keys %contents)
	{
		my $sql = "SELECT * FROM sla.$table ORDER BY $contents{$table}";

		$differences++
		  if $node->safe_psql($db, $sql) ne
		  $node->safe_psql('before', $sql);
	}
	is($differences, 0, "order $shift: the same rows");
}

$node->stop;
done_testing();
