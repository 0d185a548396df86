# The listeners of examples/: every alert once, promptly, whatever others
# notify; and on from where they were after a restart of the server or of
# themselves.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;
use Time::HiRes qw(usleep);

my $examples = "$FindBin::RealBin/../../examples";
my $dir = PostgreSQL::Test::Utils::tempdir();
my $node = new_node('listeners', 1);

chomp(my ($include, $lib) = map { scalar `pg_config --$_` } 'includedir', 'libdir');
my %program = (psql => [ 'bash', "$examples/listen.sh" ]);
if (-e "$include/libpq-fe.h")
{
	command_ok(
		[ 'cc', '-O2', '-Wall', '-Wextra', '-Werror', '-o', "$dir/listen", "$examples/listen.c", "-I$include", "-L$lib", '-lpq' ],
		'listen.c is compiled without a warning');
	$program{C} = ["$dir/listen"];
}
else
{
	diag("$include/libpq-fe.h is not there: examples/listen.c is not tested");
}

$node->safe_psql(
	'postgres', q(
CREATE EXTENSION slapolicy;
SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}]}');
CREATE TABLE tickets (id text PRIMARY KEY, s text DEFAULT 'S1', at timestamptz DEFAULT '2026-03-02 09:00', replied timestamptz);
SELECT sla.attach('tickets', 'acme', 's', 'at', 'replied', stamp => false);
CREATE ROLE listener LOGIN;
CREATE ROLE liar LOGIN;
GRANT SELECT ON sla.alert, sla.ticket, sla.clock TO listener));

sub start
{
	my ($name) = @_;
	my $connection = $node->connstr('postgres') . ' user=listener';

	return IPC::Run::start(
		[ @{ $program{$name} }, "$dir/$name.state", $name eq 'C' ? $connection : ('-d', $connection) ],
		'<', '/dev/null', '>>', "$dir/$name.out", '2>>', "$dir/$name.err");
}

# What it has printed
sub lines
{
	my ($name) = @_;

	return split /\n/, -e "$dir/$name.out" ? slurp_file("$dir/$name.out") : '';
}

# Wait until it has printed what is to be there
sub caught_up
{
	my ($name, $what) = @_;
	my $expected = $node->safe_psql('postgres',
		q(SELECT a.id || ' ' || a.kind || ' ' || translate(t.key, E'\n', '/') FROM sla.alert a JOIN sla.ticket t ON t.id = a.ticket_id ORDER BY a.id));
	my $count = () = $expected =~ /^/mg;

	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		last if lines($name) >= $count;
		usleep(100_000);
	}
	my @got = map { decode_json($_) } lines($name);
	is(join("\n", map { "$_->{id} $_->{kind} " . $_->{ticket} =~ tr{\n}{/}r } @got), $expected, "$name: $what");
	return;
}

# A ticket that is late, and that it is flagged
sub late
{
	my (@keys) = @_;

	$node->safe_psql('postgres', "INSERT INTO tickets (id) VALUES " . join(', ', map { "('$_')" } @keys));
	$node->poll_query_until('postgres', 'SELECT NOT EXISTS (SELECT FROM sla.clock WHERE next_alert_at < now())')
	  or die 'not flagged';
	return;
}

late('before');
my %run = map { $_ => start($_) } keys %program;
caught_up($_, 'what was there before') for keys %program;
my $first = decode_json((lines('psql'))[0]);
is($first->{due_at} . " $first->{table} $first->{metric} $first->{severity}",
	'2026-03-02T10:00:00+00:00 public.tickets response S1', 'a line says what is late');

late('a', 'b', 'c');
late("an odd\n\tone");
caught_up($_, 'what is flagged by the worker') for keys %program;

# Anyone can notify.
my $lines = join ',', map { quote($_) }
  '', '0', '999999', '-1', 'x', "x\nend\n1 {}", '%s%n', 'x' x 7000;
sub quote { return "E'" . (shift =~ s/\n/\\n/gr) . "'" }
for my $round (1 .. 3)
{
	$node->safe_psql('postgres', "SELECT pg_notify('sla_alert', p) FROM unnest(ARRAY[$lines]) p",
		extra_params => [ '-U', 'liar' ]);
	late("d$round");
}
caught_up($_, 'lies do no harm') for keys %program;

# A withdrawal is not notified, but comes along.
$node->safe_psql('postgres', q(UPDATE tickets SET replied = '2026-03-02 09:30' WHERE id = 'b'));
caught_up($_, 'a withdrawal') for keys %program;

# The server goes and comes back.
$node->stop('fast');
$node->start;
late('after the restart');
caught_up($_, 'connected again after a restart') for keys %program;
$node->stop('immediate');
$node->start;
late('after the crash');
caught_up($_, 'and after a crash') for keys %program;
$node->safe_psql('postgres', q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'listener'));
late('after the end of the connection');
caught_up($_, 'and after the connection was cut') for keys %program;

# The listener goes and comes back, also while there is no server.
$run{$_}->kill_kill(grace => 0) for keys %run;
$node->poll_query_until('postgres', q(SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = 'listener'))
  or die 'a listener has left something behind';
late('while nobody listened', 'another');
$node->stop('fast');
%run = map { $_ => start($_) } keys %program;
for my $name (keys %program)
{
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		last if (() = slurp_file("$dir/$name.err") =~ /connection to server/g) > 1;
		usleep(100_000);
	}
}
$node->start;
caught_up($_, 'on from where it was') for keys %program;
$run{$_}->kill_kill(grace => 0) for keys %run;

# A file that says nothing is not taken for the beginning.
for my $name (keys %program)
{
	append_to_file("$dir/$name.bad", "nonsense\n");
	my ($out, $err);
	IPC::Run::run([ @{ $program{$name} }, "$dir/$name.bad", $name eq 'C' ? '' : () ], '<', '/dev/null', '>', \$out, '2>', \$err,
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	like($err, qr/\.bad: holds no id/, "$name: a file that holds no id is refused");
}

$node->stop;
done_testing();
