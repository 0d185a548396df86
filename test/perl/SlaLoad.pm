# Writers of an attached table on which promises are short, and the book they
# keep of what was committed: for tests that kill a server under load. What
# they write is random and can be repeated.
package SlaLoad;

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Utils;

# A table whose tickets pass several thresholds within seconds.
sub new
{
	my ($class, $node, $db) = @_;
	my $self = bless {
		node => $node,
		db => $db,
		last_id => 0,
		written => 0,
		asked_to_delete => {} }, $class;

	$node->safe_psql($db, q{
		CREATE EXTENSION slapolicy;
		SELECT sla.load_policy('{"policy": "hasty", "time_zone": "UTC",
			"calendars": {"always": {"hours": "24/7"}}, "targets": [
			{"severity": "S1", "metric": "response", "goal": "1s", "calendar": "always", "alerts": [0.25, 0.5, 0.9]},
			{"severity": "S1", "metric": "resolution", "goal": "2s", "calendar": "always"},
			{"severity": "S2", "metric": "response", "goal": "2s", "calendar": "always", "alerts": [0.5, 1, "500ms"]},
			{"severity": "S2", "metric": "resolution", "goal": "4s", "calendar": "always", "alerts": ["1s"]},
			{"severity": "S3", "metric": "response", "goal": "4s", "calendar": "always", "alerts": [0.01, 0.99]}]}',
			'2026-01-01');
		CREATE TABLE ticket (id int PRIMARY KEY, severity text,
			received_at timestamptz, responded_at timestamptz,
			resolved_at timestamptz, status text DEFAULT 'open');
		SELECT sla.attach('ticket', 'hasty', severity => 'severity',
			received_at => 'received_at', responded_at => 'responded_at',
			resolved_at => 'resolved_at', status => 'status',
			paused_when => '{waiting}');});
	return $self;
}

sub pick { return $_[ int(rand(@_)) ]; }

sub any_id
{
	my ($self) = @_;

	# mostly one that is still running
	my $back = rand() < 0.8 ? 200 : $self->{last_id};
	my $id = $self->{last_id} - int(rand($back));
	return $id < 1 ? 1 : $id;
}

sub change
{
	my ($self) = @_;

	return 'responded_at = ' . pick('clock_timestamp()', 'clock_timestamp()', "received_at + interval '0.1 s'", 'NULL')
	  if rand() < 0.4;
	return 'resolved_at = ' . pick('clock_timestamp()', 'clock_timestamp()', 'NULL') if rand() < 0.2;
	return q{severity = '} . pick(qw(S1 S2 S3)) . q{'} if rand() < 0.5;
	return q{status = '} . pick(qw(waiting open)) . q{'};
}

sub insert
{
	my ($self) = @_;
	my @rows;

	foreach (1 .. pick(1, 1, 1, 5))
	{
		my $id = ++$self->{last_id};
		push @rows, sprintf(q{(%d, '%s', clock_timestamp() - interval '%.3f s')},
			$id, pick(qw(S1 S2 S3)), rand(2));
	}
	return 'INSERT INTO ticket (id, severity, received_at) VALUES '
	  . join(', ', @rows)
	  . q{ RETURNING 'inserted ' || id;};
}

# Some transactions; those that insert or delete say so once they committed.
sub script
{
	my ($self, $transactions) = @_;
	my $sql = '';

	foreach (1 .. $transactions)
	{
		my $dice = rand();

		if ($dice < 0.45)
		{
			$sql .= $self->insert . "\n";
		}
		elsif ($dice < 0.5)
		{
			my $insert = $self->insert;
			my $id = $self->{last_id};
			my $change = $self->change;
			my ($end, $word) =
			  rand() < 0.7 ? ('COMMIT', "inserted $id") : ('ROLLBACK', "undone $id");

			$insert =~ s/ RETURNING.*/;/;
			$sql .= "BEGIN;\n$insert\nSAVEPOINT s;\nUPDATE ticket SET $change WHERE id = $id;\n"
			  . (rand() < 0.3 ? "ROLLBACK TO s;\n" : '')
			  . "$end;\n\\echo $word\n";
		}
		elsif ($dice < 0.55)
		{
			my $id = $self->any_id;

			$self->{asked_to_delete}{$id} = 1;
			$sql .= "DELETE FROM ticket WHERE id = $id RETURNING 'deleted ' || id;\n";
		}
		else
		{
			$sql .= 'UPDATE ticket SET ' . $self->change . ' WHERE id = ' . $self->any_id . ";\n";
		}
	}
	return $sql;
}

sub path
{
	my ($self, $name) = @_;

	return $self->{node}->basedir . "/load_$name";
}

# Start a session of that application_name that runs SQL; returns what to call
# finish on.
sub run
{
	my ($self, $name, $sql) = @_;
	my $file = $self->path('sql_' . ++$self->{written});

	append_to_file($file, $sql);
	return IPC::Run::start(
		[
			'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-f', $file,
			'-d', $self->{node}->connstr($self->{db}) . " application_name=$name"
		],
		'<', '/dev/null', '>>', $self->path('book'), '2>>', $self->path('errors'));
}

# What went wrong other than that a server or session went away.
sub errors
{
	my ($self) = @_;

	return join "\n", grep { /ERROR|PANIC/ } split /\n/, slurp_file($self->path('errors'));
}

# Compare the book with the table and the table with the ledger; '' when they
# agree.
sub differences
{
	my ($self) = @_;
	my %said;

	foreach (split /\n/, slurp_file($self->path('book')))
	{
		push @{ $said{$1} }, $2 if /^(inserted|deleted|undone) (\d+)$/;
	}
	my @kept = grep { !$self->{asked_to_delete}{$_} } @{ $said{inserted} // [] };
	my @gone = (@{ $said{deleted} // [] }, @{ $said{undone} // [] });

	return $self->{node}->safe_psql($self->{db}, <<"EOSQL");
SELECT 'lost: ' || id FROM unnest('{@{[join ',', @kept]}}'::int[]) id WHERE id NOT IN (SELECT id FROM ticket);
SELECT 'not gone: ' || id FROM ticket WHERE id = ANY ('{@{[join ',', @gone]}}');
SELECT 'not in the ledger: ' || coalesce(r.id::text, t.key)
  FROM ticket r FULL JOIN (SELECT * FROM sla.ticket WHERE state <> 'deleted') t ON t.key = r.id::text
 WHERE r.id IS NULL OR t.key IS NULL;
SELECT 'not stamped: ' || r.id
  FROM ticket r JOIN sla.ticket t ON t.key = r.id::text JOIN sla.clock c ON c.ticket_id = t.id
 WHERE c.outcome IS NULL AND nullif(c.due_at, 'infinity') IS DISTINCT FROM
       CASE c.metric WHEN 'response' THEN r.sla_response_due WHEN 'resolution' THEN r.sla_resolution_due END;
EOSQL
}

# How many tickets the writers were told are there
sub count_inserted
{
	my ($self) = @_;

	return scalar grep { /^inserted/ } split /\n/, slurp_file($self->path('book'));
}

1;
