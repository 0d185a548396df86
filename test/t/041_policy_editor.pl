# The grants that doc/policies.md gives a role to maintain policies are enough
# for all that it does with them.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

my $doc = slurp_file("$FindBin::RealBin/../../doc/policies.md");
my ($grants) = $doc =~ /^```sql\n(CREATE ROLE sla_editor;\n.*?)^```$/ms;
my $node = new_node('policy_editor', 0);

ok($grants, 'there are grants') or BAIL_OUT('nothing to test');
$node->safe_psql('postgres', "CREATE EXTENSION slapolicy; $grants");

# What the role gets when it does that, or the error
sub as_editor
{
	my ($sql) = @_;
	my ($stdout, $stderr);

	$node->psql(
		'postgres', "SET ROLE sla_editor; $sql",
		stdout => \$stdout,
		stderr => \$stderr,
		extra_params => [ '-v', 'SHOW_CONTEXT=never' ]);
	return $stdout . join "\n", grep { !/NOTICE/ } split /\n/, $stderr;
}

my $tiny = q({"policy": "tiny", "time_zone": "UTC", "calendars": {"c": {"hours": "UTC Mo-Fr 09:00-17:00", "holidays": ["2026-12-25"]}},
	"metrics": {"triage": {"title": "Triage", "starts_on": ["opened"], "stops_on": ["assigned"]}},
	"targets": [{"severity": "S1", "metric": "triage", "goal": "2h", "calendar": "c"}]});

is(as_editor("SELECT sla.load_policy('$tiny') > 0"), 't', 'load a policy');
is(as_editor("SELECT sla.load_policy('$tiny', '2026-01-01') > 0"), 't', 'load another version');
is(as_editor("SELECT sla.load_policy(sla.preset('$_')) > 0"), 't', "load $_")
  for qw(amazee laioutr managed-hosting nagomi);
is(as_editor("INSERT INTO sla.contract (account, policy, valid) VALUES ('7', 'tiny', '(,)')"), '', 'enter a contract');
is(as_editor("UPDATE sla.restriction_rule SET minimum_amount = 10"), '', 'change a rule by hand');
is(as_editor("INSERT INTO sla.holiday (region, day, name) VALUES ('DE', '2026-12-24', 'Eve')"), '', 'enter a holiday');
is(as_editor("DELETE FROM sla.holiday"), '', 'remove it');
like(as_editor("DELETE FROM sla.policy WHERE name = 'tiny'"), qr/policy "tiny" is still used by contract/, 'what is used stays');
is(as_editor("DELETE FROM sla.contract"), '', 'remove the contract');
is(as_editor("DELETE FROM sla.policy"), '', 'delete all policies');
is($node->safe_psql('postgres', 'SELECT count(*) FROM sla.policy, sla.target, sla.restriction_rule'), '0', 'with all they say');
like(as_editor('SELECT FROM sla.ticket'), qr/permission denied/, 'tickets are not its business');

$node->stop;
done_testing();
