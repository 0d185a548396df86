# A psql session that stays open across errors and can be left waiting, for
# tests of what sessions do to each other. Every wait has a bound.
package SlaSession;

use strict;
use warnings;

use Carp;
use IPC::Run;
use PostgreSQL::Test::Utils;

sub new
{
	my ($class, $node, %option) = @_;
	my $self = bless {
		node => $node,
		in => '',
		out => '',
		count => 0 }, $class;
	my $connstr = $node->connstr($option{db} // 'postgres');

	$connstr .= " user=$option{user}" if $option{user};
	$self->{run} = IPC::Run::start(
		[ 'psql', '-XqAt', '-v', 'VERBOSITY=sqlstate', '-d', $connstr ],
		'<', \$self->{in}, '>', \$self->{out}, '2>&1',
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default * 10));
	$self->{pid} = $self->ask('SELECT pg_backend_pid()');
	return $self;
}

# Send SQL and do not wait.
sub send_sql
{
	my ($self, $sql) = @_;

	$self->{count}++;
	$self->{in} .= "$sql;\n\\echo answered-$self->{count}\n";
	$self->{run}->pump_nb;
	return;
}

# Wait for what was sent; returns its output, errors and warnings included, as
# lines like "ERROR:  40001".
sub reply
{
	my ($self) = @_;
	my $mark = "answered-$self->{count}";

	$self->{run}->pump until $self->{out} =~ /^$mark$/m;
	$self->{out} =~ s/^(.*?)$mark\n//s or croak 'no answer';
	(my $answer = $1) =~ s/\n\z//;
	return $answer;
}

sub ask
{
	my ($self, $sql) = @_;

	$self->send_sql($sql);
	return $self->reply;
}

# Does what was sent come to wait for a lock?
sub blocked
{
	my ($self) = @_;

	return $self->{node}->poll_query_until('postgres',
		"SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $self->{pid}"
	);
}

sub quit
{
	my ($self) = @_;

	$self->{in} .= "\\q\n";
	$self->{run}->finish;
	return;
}

1;
