# doc/policy.schema.json and sla.load_policy agree: about members, words and
# what is a policy document at all.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaSchema;
use SlaTest;
use Test::More;

my $doc = "$FindBin::RealBin/../../doc";
my $schema = decode_json(slurp_file("$doc/policy.schema.json"));
my $node = new_node('policy_schema', 0);
my $json = JSON::PP->new->canonical->utf8;

$node->safe_psql('postgres', 'CREATE EXTENSION slapolicy');

# What is wrong with a document, given as text, path to problem.
sub problems
{
	my ($document) = @_;
	my %problems = map { split /\t/, $_, 2 } split /\n/,
	  $node->safe_psql('postgres', qq(SELECT format(E'%s\\t%s', path, replace(problem, E'\\n', ' '))
		FROM sla.policy_problems(\$document\$$document\$document\$)));

	return \%problems;
}

sub changed
{
	my ($document, @changes) = @_;
	my $copy = decode_json(encode_json($document));

	while (my ($path, $value) = splice @changes, 0, 2)
	{
		my @steps = split m{/}, $path;
		my $last = pop @steps;
		my $place = $copy;

		$place = ref $place eq 'ARRAY' ? $place->[$_] : $place->{$_} for @steps;
		if (ref $place eq 'ARRAY')
		{
			$place->[$last] = $value;
		}
		elsif (ref $value eq 'CODE')
		{
			delete $place->{$last};
		}
		else
		{
			$place->{$last} = $value;
		}
	}
	return $copy;
}

# Every kind of object there is
my $full = decode_json(q({
	"policy": "acme", "title": "Acme", "source": "https://acme.example", "time_zone": "UTC", "notes": ["one"],
	"calendars": {"c": {"hours": "UTC Mo-Fr 09:00-17:00", "regions": ["DE-BY"], "holidays": ["2026-12-25"]}},
	"targets": [{"severity": "S1", "metric": "triage", "goal": "2h", "calendar": "c", "alerts": [0.5, 1, "30min"], "pausable": false},
				{"severity": "S2", "metric": "triage", "goal": null}],
	"metrics": {"triage": {"title": "Triage", "starts_on": ["opened"], "stops_on": ["assigned"], "restarts_on": ["reopened"]}},
	"severities": {"S1": {"label": "High", "description": "All is down."}},
	"severity_caps": {"api": "S2"}, "channels": {"email": "never"}, "exemptions": {"known": "Known", "other": null},
	"severity_change": "carry", "reopening": "restart", "entitlement": "contract", "restricted_accounts": "reject",
	"requests": {"test": {"title": "Test", "lead": "2 weeks", "slot_lead": "10 business days", "calendar": "c", "outside": "c", "required": ["targets"]},
				 "call": {"inside": "c"}},
	"questionnaires": {"open": {"title": "Open", "at_least": "20 business days", "calendar": "c", "billable": true}},
	"assistance": {"bucket": "2 hours", "outside": "c"},
	"restriction": {"time_zone": "Europe/Berlin", "thresholds": {"support": 30, "deployments": 61, "termination": 91}, "per": "service",
		"minimum_amount": 50.5, "grace": "3 business days", "calendar": "c", "actions": {"ticket": "support"}, "security_release": ["deployment"]},
	"availability": [{"service": "web", "package": "gold", "goal": 99.9, "time_zone": "UTC", "calendar": "c", "unknown": "up", "young": "life",
		"exclusions": ["planned_maintenance"], "maintenance_notice": "5 days", "maintenance_window": "c", "credits": [{"below": 99.9, "percent": 10}]}]}));
my %objects = (
	'' => $schema,
	'calendars/c' => $schema->{'$defs'}{calendar},
	'targets/0' => $schema->{'$defs'}{target},
	'metrics/triage' => $schema->{'$defs'}{metric},
	'severities/S1' => $schema->{'$defs'}{label},
	'requests/call' => $schema->{'$defs'}{request},
	'questionnaires/open' => $schema->{'$defs'}{questionnaire},
	'assistance' => $schema->{'$defs'}{assistance},
	'restriction' => $schema->{properties}{restriction},
	'restriction/thresholds' => $schema->{properties}{restriction}{properties}{thresholds},
	'availability/0' => $schema->{'$defs'}{availability},
	'availability/0/credits/0' => $schema->{'$defs'}{availability}{properties}{credits}{items});

is_deeply([ schema_problems($schema, $full) ], [], 'a full document fits the schema');
is_deeply(problems($json->encode($full)), {}, 'and the loader');

# Members
for my $place (sort keys %objects)
{
	my $properties = $objects{$place}{properties};
	my %required = map { $_ => 1 } @{ $objects{$place}{required} };
	my $prefix = $place eq '' ? '' : "$place/";
	my ($problem) =
	  values %{ problems($json->encode(changed($full, "${prefix}surplus", 1))) };
	my ($known) = $problem =~ /^unknown member; known are (.*)$/;

	is( join(', ', sort split /, /, $known),
		join(', ', sort keys %$properties),
		"members of /$place");
	isnt(
		scalar schema_problems($schema, changed($full, "${prefix}surplus", 1)),
		0, "and no other in the schema");
	for my $member (sort keys %$properties)
	{
		my $without = changed($full, "$prefix$member", sub { });
		my $missing = grep { /is required/ } values %{ problems($json->encode($without)) };

		is($missing || $required{$member} ? 1 : 0,
			$missing && $required{$member} ? 1 : 0,
			"$prefix$member is required by both or by none")
		  unless $place eq 'targets/0' && $member eq 'calendar';
	}
}

# Words
for my $member (qw(severity_change reopening entitlement restricted_accounts))
{
	my $problem =
	  problems($json->encode(changed($full, $member, 'x')))->{"\$.$member"};

	is($problem, 'must be one of ' . join(', ', @{ $schema->{properties}{$member}{enum} }),
		"words of $member");
	is( $schema->{properties}{$member}{default},
		$node->safe_psql('postgres', "SELECT substring(column_default FROM \$r\$'(.*)'\$r\$) FROM information_schema.columns
			WHERE table_schema = 'sla' AND table_name = 'policy_version' AND column_name = '$member'"),
		"$member by default");
}
is( problems($json->encode(changed($full, 'channels/email', 'x')))->{'$.channels.email'},
	'must be one of ' . join(', ', @{ $schema->{properties}{channels}{additionalProperties}{enum} }),
	'words of channels');
is( join(',', @{ $schema->{'$defs'}{kinds}{items}{enum} }),
	$node->safe_psql('postgres', q(SELECT array_to_string(sla.metric_event_kinds(), ','))),
	'kinds of events');

# Both accept, or both refuse
my @sound = (
	[ title => sub { } ],
	[ notes => [] ],
	[ 'targets/0/alerts' => [] ],
	[ 'targets/0/alerts' => [0.000001] ],
	[ 'targets/0/severity' => "Priority\t1 " ],
	[ 'targets/0/severity' => 'prio-1' ],
	[ 'targets/0/pausable' => JSON::PP::true ],
	[ 'targets/1/calendar' => undef ],
	[ 'metrics/triage/restarts_on' => [] ],
	[ 'severities' => {} ],
	[ 'severities/S1/description' => sub { } ],
	[ 'severity_caps' => { 'Web 24/7' => 'sev 2' } ],
	[ 'channels' => { '*' => 'investigation' } ],
	[ 'exemptions' => { 'x' x 255 => undef } ],
	[ requests => {} ],
	[ 'requests/test/required' => [] ],
	[ 'requests/test/lead' => '10 business days' ],
	[ 'requests/test' => {} ],
	[ 'requests/test/lead' => '1 week 2 days 3h' ],
	[ questionnaires => {} ],
	[ 'questionnaires/open/billable' => JSON::PP::false ],
	[ 'assistance/bucket' => '90min' ],
	[ assistance => sub { } ],
	[ availability => [] ],
	[ availability => [ { goal => undef } ] ],
	[ availability => [ { goal => 100 } ] ],
	[ 'availability/0/service' => '*' ],
	[ 'availability/0/exclusions' => [ 'planned_maintenance', 'rain' ] ],
	[ 'availability/0/credits' => [] ],
	[ 'availability/0/credits/0/percent' => 0 ],
	[ restriction => { thresholds => { support => 1 } } ],
	[ restriction => { thresholds => { support => 1, termination => 100000 } } ],
	[ 'restriction/minimum_amount' => 0 ],
	[ 'restriction/grace' => '1 business day' ],
	[ 'restriction/grace' => ' 10bd' ],
	[ 'restriction/actions' => {} ],
	[ 'restriction/security_release' => [] ],
	[ policy => 'x' x 63 ]);
my @wrong = (
	[ policy => '' ],
	[ policy => ' acme' ],
	[ policy => 'a/b' ],
	[ policy => 'x' x 64 ],
	[ policy => undef ],
	[ title => ' ' ],
	[ source => 1 ],
	[ time_zone => undef ],
	[ notes => 'one' ],
	[ notes => [1] ],
	[ calendars => {} ],
	[ 'calendars/c' => [] ],
	[ 'calendars/c/hours' => 24 ],
	[ 'calendars/c/regions' => ['de'] ],
	[ 'calendars/c/regions' => [ 'DE', 'DE' ] ],
	[ 'calendars/c/holidays' => ['25.12.2026'] ],
	[ 'calendars/c/holidays' => [ '2026-12-25', '2026-12-25' ] ],
	[ targets => [] ],
	[ targets => {} ],
	[ 'targets/0' => 'S1' ],
	[ 'targets/0/severity' => 1 ],
	[ 'targets/0/severity' => 'high' ],
	[ 'targets/0/severity' => 'S0' ],
	[ 'targets/0/severity' => 'S 1 2' ],
	[ 'targets/0/metric' => undef ],
	[ 'targets/0/goal' => 2 ],
	[ 'targets/0/calendar' => undef ],
	[ 'targets/0/calendar' => sub { } ],
	[ 'targets/0/alerts' => undef ],
	[ 'targets/0/alerts' => 1 ],
	[ 'targets/0/alerts' => [0] ],
	[ 'targets/0/alerts' => [1.5] ],
	[ 'targets/0/alerts' => [undef] ],
	[ 'targets/0/alerts' => [ 0.5, 0.5 ] ],
	[ 'targets/0/pausable' => 0 ],
	[ 'targets/0/pausable' => 'false' ],
	[ 'targets/1/alerts' => [1] ],
	[ 'targets/1/pausable' => JSON::PP::true ],
	[ metrics => [] ],
	[ 'metrics/triage' => 'Triage' ],
	[ 'metrics/triage/title' => '' ],
	[ 'metrics/triage/starts_on' => [] ],
	[ 'metrics/triage/stops_on' => [] ],
	[ 'metrics/triage/stops_on' => ['closed'] ],
	[ 'metrics/triage/starts_on' => [ 'opened', 'opened' ] ],
	[ 'metrics/triage/restarts_on' => undef ],
	[ severities => { high => { label => 'High' } } ],
	[ 'severities/S1' => 'High' ],
	[ 'severities/S1/label' => undef ],
	[ 'severities/S1/description' => ' ' ],
	[ severity_caps => { api => 'high' } ],
	[ severity_caps => { api => 2 } ],
	[ severity_caps => { '' => 'S2' } ],
	[ severity_caps => ['S2'] ],
	[ channels => { email => 'opened' } ],
	[ channels => { "a\tb" => 'never' } ],
	[ channels => { 'x ' => 'never' } ],
	[ exemptions => { other => '' } ],
	[ exemptions => { 'error: x' => 'Ours' } ],
	[ exemptions => { 'uncovered: x' => 'Ours' } ],
	[ exemptions => { 'x' x 256 => 'Long' } ],
	[ exemptions => ['other'] ],
	[ requests => [] ],
	[ 'requests/test' => 'x' ],
	[ requests => { ' x' => {} } ],
	[ 'requests/test/title' => ' ' ],
	[ 'requests/test/lead' => 14 ],
	[ 'requests/test/inside' => 'c' ],
	[ 'requests/test/required' => 'targets' ],
	[ 'requests/test/required' => [ 'targets', 'targets' ] ],
	[ 'requests/test/required' => [''] ],
	[ 'requests/test/calendar' => undef ],
	[ questionnaires => 'x' ],
	[ 'questionnaires/open' => undef ],
	[ 'questionnaires/open/at_least' => undef ],
	[ 'questionnaires/open/billable' => 1 ],
	[ assistance => undef ],
	[ 'assistance/bucket' => 2 ],
	[ availability => {} ],
	[ availability => [99.9] ],
	[ 'availability/0/goal' => '99.9' ],
	[ 'availability/0/goal' => 0 ],
	[ 'availability/0/goal' => 100.5 ],
	[ 'availability/0/service' => '' ],
	[ 'availability/0/package' => undef ],
	[ 'availability/0/time_zone' => undef ],
	[ 'availability/0/calendar' => undef ],
	[ 'availability/0/unknown' => 'maybe' ],
	[ 'availability/0/young' => 'old' ],
	[ 'availability/0/exclusions' => 'planned_maintenance' ],
	[ 'availability/0/exclusions' => [ 'planned_maintenance', 'planned_maintenance' ] ],
	[ 'availability/0/maintenance_notice' => 5 ],
	[ 'availability/0/maintenance_window' => undef ],
	[ 'availability/0/credits' => {} ],
	[ 'availability/0/credits/0' => 10 ],
	[ 'availability/0/credits/0/below' => 101 ],
	[ 'availability/0/credits/0/percent' => '10' ],
	[ restriction => {} ],
	[ restriction => { thresholds => {} } ],
	[ restriction => { thresholds => { support => 0 } } ],
	[ restriction => { thresholds => { support => 1.5 } } ],
	[ restriction => { thresholds => { support => 100001 } } ],
	[ restriction => { thresholds => { support => '30' } } ],
	[ restriction => { thresholds => { support => undef } } ],
	[ 'restriction/time_zone' => 1 ],
	[ 'restriction/per' => 'product' ],
	[ 'restriction/minimum_amount' => -1 ],
	[ 'restriction/minimum_amount' => '50' ],
	[ 'restriction/grace' => '0 business days' ],
	[ 'restriction/grace' => '3 days' ],
	[ 'restriction/grace' => sub { } ],
	[ 'restriction/calendar' => sub { } ],
	[ 'restriction/actions' => { ticket => 'none' } ],
	[ 'restriction/actions' => { ticket => 1 } ],
	[ 'restriction/actions' => { '' => 'support' } ],
	[ 'restriction/actions' => ['ticket'] ],
	[ 'restriction/security_release' => 'deployment' ],
	[ 'restriction/security_release' => [1] ],
	[ restriction => undef ],
	[ severity_change => undef ]);

for my $change (@sound, @wrong)
{
	my $document = changed($full, @$change);
	my $expected = (grep { $_ == $change } @sound) ? 'accepted' : 'refused';
	my $what = $change->[0] . ' '
	  . (ref $change->[1] eq 'CODE' ? 'missing' : JSON::PP->new->canonical->allow_nonref->ascii->encode($change->[1]));

	is(schema_problems($schema, $document) ? 'refused' : 'accepted', $expected, "schema: $what");
	is(%{ problems($json->encode($document)) } ? 'refused' : 'accepted', $expected, "loader: $what");
}
isnt(scalar schema_problems($schema, $_), 0, 'no document') for (undef, [], 'acme');

# What ships, what is documented, and what is written anew
for my $name (split /\n/, $node->safe_psql('postgres', q(SELECT unnest('{amazee,laioutr,managed-hosting,nagomi}'::text[]))))
{
	for my $sql (
		"SELECT sla.preset('$name')",
		"SELECT sla.load_policy(sla.preset('$name')) \\g (format=unaligned) /dev/null\n"
		  . "UPDATE sla.policy_version SET document = NULL;\nSELECT sla.policy_document('$name')")
	{
		my $document = decode_json($node->safe_psql('postgres', $sql));

		is_deeply([ schema_problems($schema, $document) ], [], $sql =~ /load/ ? "$name, written from the tables" : $name);
	}
}
my $examples = 0;
for my $file (glob "$doc/*.md")
{
	my $text = slurp_file($file);

	while ($text =~ /load_policy\('(\{.*?\})'[,)]/gs)
	{
		(my $example = $1) =~ s/''/'/g;
		is_deeply([ schema_problems($schema, decode_json($example)) ], [], 'example ' . ++$examples . " of $file");
	}
}
cmp_ok($examples, '>', 0, 'there are examples');

$node->stop;
done_testing();
