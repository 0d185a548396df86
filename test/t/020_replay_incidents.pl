# bench/replay_incidents on made-up logs with the oddities of real ones: the
# ledger of an attached table must agree with what the log says by itself.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use IPC::Run;
use POSIX qw(strftime);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

my $replay = "$FindBin::RealBin/../../bench/replay_incidents";
my @columns = qw(number incident_state active reassignment_count reopen_count
  sys_mod_count made_sla caller_id opened_by opened_at sys_created_by
  sys_created_at sys_updated_by sys_updated_at contact_type location category
  subcategory u_symptom cmdb_ci impact urgency priority assignment_group
  assigned_to knowledge u_priority_confirmation notify problem_id rfc vendor
  caused_by closed_code resolved_by resolved_at closed_at);
my @priorities =
  ('1 - Critical', '2 - High', '3 - Moderate', '4 - Low');
my @working = (
	('Active') x 4,
	('Awaiting User Info') x 3,
	'Awaiting Vendor', 'Awaiting Problem');

# The same numbers everywhere
my $state;

sub draw
{
	my ($below) = @_;

	$state = ($state * 1103515245 + 12345) % 2**31;
	return int($state / 2**31 * $below);
}

sub chance
{
	return draw(100) < $_[0];
}

# Minutes since 2016-02-20, as the log writes them
sub minute
{
	return strftime('%d-%m-%Y %H:%M', gmtime(1455926400 + 60 * $_[0]));
}

# The rows of one incident: [state, updated, priority, reopenings, resolver,
# group]. What is left open, waits, is reopened (to wait at once, or as if it were
# new), changes in priority or hands, is updated within one minute or before it
# was opened, and whether the log knows the resolution, is left to chance.
sub incident
{
	my ($number) = @_;
	my $opened = draw(60 * 24 * 60);
	my $now = $opened + (chance(10) ? -draw(120) : draw(30));
	my $priority = $priorities[ draw(4) ];
	my $reopened = 0;
	my $at = chance(80) ? 'New' : 'Active';
	my $resolver = '?';
	my $group = 'Group ' . draw(5);
	my $resolved;
	my @rows;

	for my $step (1 .. 1 + draw(12))
	{
		push @rows, [ $at, $now, $priority, $reopened, $resolver, $group ];
		$now += draw(chance(50) ? 90 : 3 * 24 * 60) unless chance(20);
		$priority = $priorities[ draw(4) ] if chance(15);
		$resolver = chance(10) ? '?' : 'Resolver ' . draw(9) if chance(25);
		$group = 'Group ' . draw(5) if chance(10);
		if ($at eq 'Resolved' || $at eq 'Closed')
		{
			next if chance(30);
			if (chance(30))
			{
				$at = chance(10) ? 'New' : $working[ draw(scalar @working) ];
				$reopened++;
				undef $resolved;
			}
			else
			{
				$at = 'Closed';
			}
		}
		elsif (chance(30))
		{
			$at = 'Resolved';
			# the clerk says when; the log may say so before the clerk does
			$resolved = $now + (chance(30) ? draw(90) - 45 : 0);
		}
		else
		{
			$at = $working[ draw(scalar @working) ];
		}
	}

	my $count = 0;
	my $known = defined $resolved && chance(95) ? minute($resolved) : '?';
	my @lines;
	for my $row (@rows)
	{
		my %said = map { $_ => '?' } @columns;

		@said{qw(number incident_state sys_updated_at priority reopen_count
			  assigned_to assignment_group)} =
		  ($number, $row->[0], minute($row->[1]), @$row[ 2 .. 5 ]);
		$said{opened_at} = minute($opened);
		$said{resolved_at} = $known;
		$said{sys_mod_count} = $count++;
		$said{location} = '"here, there"' if chance(10);
		push @lines, join(',', @said{@columns});
	}
	# rows out of order
	@lines[ 0, -1 ] = @lines[ -1, 0 ] if chance(10);
	return @lines;
}

my $node = new_node('replay', 0);
local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;

for my $seed (1 .. 3)
{
	my $zone = ('UTC', 'America/New_York', 'Australia/Lord_Howe')[ $seed - 1 ];
	my $file = PostgreSQL::Test::Utils::tempdir() . '/log.csv';
	my ($out, $err);

	$state = $seed;
	append_to_file($file,
		join("\n", join(',', @columns), map { incident("INC$_") } 1 .. 400)
		  . "\n");
	my $ok = IPC::Run::run([ $replay, '-z', $zone, $file ],
		'>', \$out, '2>', \$err);

	ok($ok && $err eq '' && $out =~ /^agree$/m, "log $seed in $zone")
	  or diag("seed $seed, $file\n$out$err");
	# an empty agreement would be none
	for my $kind (qw(replied updated customer_replied assigned severity paused
		resumed resolved reopened retracted))
	{
		like($out, qr/^recorded: .*\b$kind \d\d/m, "$kind in log $seed");
	}
	for my $rule (qw(continue restart))
	{
		for my $metric (qw(response reply update resolution))
		{
			my ($clocks, $breached) =
			  $out =~ /^\s*$rule\s*\|\s*$metric\s*\|\s*(\d+)\s*\|\s*(\d+)/m;
			my $few = $metric eq 'reply' ? 10 : 40;

			ok( $clocks && $breached > $few && $clocks - $breached > $few,
				"some met, some breached: $metric of log $seed, $rule");
		}
	}
}

# Not a log
my $other = PostgreSQL::Test::Utils::tempdir() . '/other.csv';
append_to_file($other, "number,state\nINC1,New\n");
ok(!IPC::Run::run([ $replay, $other ], '>', \my $out, '2>', \my $err),
	'another file is no success');
like($err, qr/incident_log|number/, 'and the message says why');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_database WHERE datname ~ 'bench'"),
	0, 'no database is left behind');

done_testing();
