# CALL sla.purge: in batches with commits, beside others, for the owner alone.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaSession;
use SlaTest ();
use Test::More;

my $node = SlaTest::new_node('purge', 0);

$node->safe_psql(
	'postgres', q(
CREATE EXTENSION slapolicy;
-- n alerts flagged in March, their clocks stopped but for every tenth
CREATE PROCEDURE fill(n int) LANGUAGE sql BEGIN ATOMIC
	DELETE FROM sla.alert;
	DELETE FROM sla.clock;
	DELETE FROM sla.acknowledgement;
	INSERT INTO sla.clock (id, ticket_id, metric, cycle, aim, severity, goal, hours_id, started_at, due_at, paused, stopped_at, outcome)
	SELECT g, g, 'resolution', 1, 1, 'S2', '1h', 1, '2026-03-01', '2026-03-01 01:00', '0',
		CASE WHEN g % 10 > 0 THEN timestamptz '2026-03-01 02:00' END, CASE WHEN g % 10 > 0 THEN 'breached' END
	FROM generate_series(1, n) g;
	INSERT INTO sla.alert (id, clock_id, ticket_id, aim, threshold, kind, due_at, flagged_at)
	SELECT g, g, g, 1, '1', 'breach', '2026-03-01 01:00', '2026-03-01 01:00' FROM generate_series(1, n) g;
	INSERT INTO sla.acknowledgement SELECT g, '2026-03-01', 'ann' FROM generate_series(1, n) g;
END;
CREATE FUNCTION counts() RETURNS text LANGUAGE sql AS
	$$ SELECT (SELECT count(*) FROM sla.alert) || ' ' || (SELECT count(*) FROM sla.acknowledgement) $$;
CREATE ROLE stranger LOGIN;
));

sub query
{
	return $node->safe_psql('postgres', $_[0]);
}

# What psql prints of statements, each a query of its own
sub printed
{
	my (@sql) = @_;
	my ($stdout, $stderr);

	$node->psql('postgres', join(";\n", @sql), stdout => \$stdout, stderr => \$stderr);
	$stderr =~ s/^psql:<stdin>:\d+: //mg;
	$stderr =~ s/^CONTEXT:.*\n?//mg;
	return $stderr;
}

# In batches
query('CALL fill(1000)');
is( printed(q(CALL sla.purge('2026-03-02', 300))),
	join("\n",
		(map { "NOTICE:  purge of alerts: $_ removed" } 270, 540, 810, 900),
		'NOTICE:  purge of alerts: done, 900 removed, 100 still needed'),
	'told how far it is');
is(query('SELECT counts()'), '100 100', 'what runs stays, and what was acknowledged of it');
is(query('SELECT count(DISTINCT xmax::text) FROM sla.alert'), '1', 'the rest is not even touched');
is( printed(q(CALL sla.purge('2026-03-02'))),
	'NOTICE:  purge of alerts: done, 0 removed, 100 still needed',
	'once more there is nothing to do');

# Interrupted by a row that somebody else has locked: what is committed stays
# so, and another call goes on.
query('CALL fill(1000)');
my $holder = SlaSession->new($node);
my $purger = SlaSession->new($node);
$holder->ask('BEGIN; SELECT FROM sla.alert WHERE id = 501 FOR UPDATE');
$purger->send_sql(q(CALL sla.purge('2026-03-02', 100)));
ok($purger->blocked, 'waits for a row that somebody else has locked');
is(query('SELECT counts()'), '550 550', 'what lies before it is gone, and nothing else is locked');
is(query('SELECT sla.acknowledge(900)'), 'f', 'others go on');
query("SELECT pg_cancel_backend($purger->{pid})");
like($purger->reply, qr/ERROR:  57014/, 'interrupted');
is(query('SELECT counts()'), '550 550', 'what was committed stays so');
$holder->ask('ROLLBACK');
like(printed(q(CALL sla.purge('2026-03-02'))), qr/done, 450 removed, 100 still needed/, 'called again, it goes on');

# Two at once share the work.
query('CALL fill(5000)');
$holder->send_sql(q(CALL sla.purge('2026-03-02', 50)));
$purger->send_sql(q(CALL sla.purge('2026-03-02', 70)));
unlike($_->reply, qr/ERROR/, 'two at once are not in each other\'s way') for $holder, $purger;
is(query('SELECT counts()'), '500 500', 'and leave what one of them would');

# Sessions whose settings could mislead it
query(q(
	CREATE SCHEMA evil;
	CREATE FUNCTION evil.equal(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''hijacked''; END';
	CREATE OPERATOR evil.= (FUNCTION = evil.equal, LEFTARG = bigint, RIGHTARG = bigint);
	CREATE FUNCTION evil.less(timestamptz, timestamptz) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''hijacked''; END';
	CREATE OPERATOR evil.< (FUNCTION = evil.less, LEFTARG = timestamptz, RIGHTARG = timestamptz);
	CREATE TYPE evil.int8 AS ENUM ('hijacked');
	CREATE FUNCTION evil.count(OUT hijacked text) LANGUAGE sql AS 'SELECT 1';
	CALL fill(100)));
like(printed("SET search_path = evil, pg_catalog, public", q(CALL sla.purge('2026-03-02'))), qr/done, 90 removed/, 'the caller\'s search_path does not matter');

# Not all can call it, nor everywhere
query('CALL fill(100)');
like(printed(@{ $_->[0] }), $_->[1], $_->[2])
  for [ [ 'BEGIN', q(CALL sla.purge('2026-03-02')), 'COMMIT' ],
	qr/ERROR:  sla\.purge cannot be called inside a transaction block\nDETAIL:  It commits after each batch\.\nHINT:  CALL it by itself/, 'not in a transaction block' ],
  [ [ q(DO $$ BEGIN CALL sla.purge('2026-03-02'); EXCEPTION WHEN division_by_zero THEN NULL; END $$) ],
	qr/ERROR:  sla\.purge cannot be called inside a transaction block/, 'nor where an error would be caught' ],
  [ [ q(CREATE FUNCTION inside() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL sla.purge('2026-03-02'); END $$), 'SELECT inside()' ],
	qr/ERROR:  invalid transaction termination/, 'nor in a function' ],
  [ [ 'CALL sla.purge(NULL)' ], qr/ERROR:  before must not be null/, 'no time' ],
  [ [ q(CALL sla.purge('2026-03-02', 0)) ], qr/ERROR:  batch_size must be a positive number of alerts/, 'no alerts at a time' ],
  [ [ 'SET ROLE stranger', q(CALL sla.purge('2026-03-02')) ], qr/ERROR:  permission denied for procedure purge/, 'not everybody may' ],
  [ [ 'GRANT EXECUTE ON PROCEDURE sla.purge TO stranger; GRANT EXECUTE ON FUNCTION sla.purge_step TO stranger', 'SET ROLE stranger', q(CALL sla.purge('2026-03-02')) ],
	qr/ERROR:  permission denied for table alert/, 'whoever may needs the rights on what it removes' ];
my ($ret, $out, $err) = $node->psql('postgres', q(\set VERBOSITY sqlstate
BEGIN; CALL sla.purge('2026-03-02')));
like($err, qr/2D000/, 'the error has a code');
is(query('SELECT counts()'), '100 100', 'none of these has removed anything');
query(q(GRANT SELECT, DELETE ON sla.alert, sla.acknowledgement TO stranger; GRANT SELECT ON sla.clock TO stranger));
like(printed('SET ROLE stranger', q(CALL sla.purge('2026-03-02'))), qr/done, 90 removed/, 'with these it works');

$_->quit for $holder, $purger;
$node->stop;
done_testing();
