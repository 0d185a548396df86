# The system clock is set forwards and backwards under the worker. The server
# gets its time through a small library that adds what a file says.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

plan skip_all => 'needs LD_PRELOAD' if $^O ne 'linux';

my $dir = PostgreSQL::Test::Utils::tempdir;
my $offset_file = "$dir/offset";
append_to_file("$dir/clock.c", <<'EOC');
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static volatile int64_t *offset;	/* seconds; shared by all processes */

int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	struct timespec now;

	if (offset == NULL)
		offset = mmap(NULL, sizeof(*offset), PROT_READ, MAP_SHARED,
					  open(getenv("TEST_CLOCK"), O_RDONLY), 0);
	clock_gettime(CLOCK_REALTIME, &now);
	tv->tv_sec = now.tv_sec + *offset;
	tv->tv_usec = now.tv_nsec / 1000;
	return 0;
}
EOC

sub set_clock
{
	my ($seconds) = @_;

	open my $fh, '+<', $offset_file or die $!;
	syswrite $fh, pack('q', $seconds) or die $!;
	close $fh;
	return;
}

append_to_file($offset_file, pack('q', 0));
plan skip_all => 'needs a compiler'
  if system(
	$ENV{CC} // 'cc', '-shared', '-fPIC',
	'-o', "$dir/clock.so", "$dir/clock.c") != 0;

my $node = new_node('clock', 1);
$node->stop;
{
	local $ENV{LD_PRELOAD} = "$dir/clock.so";
	local $ENV{TEST_CLOCK} = $offset_file;

	$node->start;
}
$node->safe_psql('postgres', 'CREATE EXTENSION slapolicy');

my $hours = 0;

sub step
{
	my ($by) = @_;

	$hours += $by;
	set_clock(3600 * $hours);
	return;
}

sub flagged
{
	my ($count, $what) = @_;

	ok( $node->poll_query_until('postgres',
			"SELECT count(*) = $count FROM sla.alert"), $what);
	return;
}

sub idle
{
	$node->poll_query_until('postgres',
		"SELECT state = 'idle' FROM sla.worker_status")
	  or die 'the worker does not leave';
	return;
}

my $begin = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
step(1);
is( $node->safe_psql('postgres',
		"SELECT clock_timestamp() - '$begin' >= interval '1 h'"),
	't', 'the clock can be set');
step(-1);

# Forwards, while the launcher sleeps for an hour: what was due meanwhile waits
# for somebody to come by.
$node->safe_psql('postgres', add_clocks(1, "now() + interval '1 h'"));
idle();
step(2);
is($node->safe_psql('postgres', 'SELECT lag > $$59 min$$ FROM sla.worker_status'),
	't', 'a clock is late since the time was set');
$node->safe_psql('postgres', add_clocks(1, "now() + interval '1 h'"));
flagged(1, 'the next commit wakes a launcher that has overslept');
idle();

# Or for the end of its sleep.
$node->append_conf('postgresql.conf', "slapolicy.max_sleep = '2s'");
$node->reload;
step(2);
flagged(2, 'and it wakes by itself after slapolicy.max_sleep');
idle();

# Backwards, while nobody works.
step(-8);
$node->safe_psql('postgres', add_clocks(1, "now() + interval '1 s'"));
flagged(3, 'the clock was set back: the worker still comes');
idle();
$node->safe_psql('postgres',
	'BEGIN;'
	  . add_clocks(1, "now() - interval '1 s'")
	  . "PREPARE TRANSACTION 'p'");
$node->safe_psql('postgres', "COMMIT PREPARED 'p'");
flagged(4, 'and looks for what nobody announced');
idle();

# And under a worker that is busy; somebody listens.
my $listener = session($node, 'postgres');
ask($listener, 'LISTEN sla_alert;');
$node->safe_psql('postgres',
	add_clocks(50, "clock_timestamp() + g * interval '0.1 s'"));
$node->poll_query_until('postgres', 'SELECT count(*) > 10 FROM sla.alert')
  or die 'nothing was flagged';
step(-2);
$node->safe_psql('postgres', add_clocks(1, "now() + interval '1 s'"));
ok( $node->poll_query_until('postgres', q{
	SELECT flagged_at - due_at < '5 s' FROM sla.alert
	 WHERE due_at < now() + interval '1 h' ORDER BY id DESC LIMIT 1}),
	'a busy worker goes by the new time');
my $id = $node->safe_psql('postgres', 'SELECT max(id) FROM sla.alert');
my $heard = '';
for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
{
	$heard .= ask($listener, 'SELECT pg_sleep(0.1);');
	last if $heard =~ /payload "$id"/;
}
like($heard, qr/payload "$id"/, 'and notifies');
finish($listener);
step(2);
flagged(55, 'the others are flagged once their time comes again');
is( $node->safe_psql('postgres', q{
	SELECT count(*) FROM sla.alert WHERE flagged_at <= due_at}),
	'0', 'none before it was late');
is($node->safe_psql('postgres', 'SELECT failures, last_error FROM sla.worker_status'),
	'0|', 'and nothing has failed');

$node->stop('fast');
done_testing();
