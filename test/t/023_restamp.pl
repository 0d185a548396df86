# CALL sla.restamp: in batches, beside writers, and on from where it was.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaSession;
use SlaTest ();
use Test::More;

my $node = SlaTest::new_node('restamp', 0);

$node->safe_psql(
	'postgres', q(
CREATE EXTENSION slapolicy;
SELECT sla.load_policy('{"policy": "acme", "time_zone": "UTC",
	"calendars": {"always": {"hours": "24/7"}},
	"targets": [
		{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"},
		{"severity": "S2", "metric": "response", "goal": "2h", "calendar": "always"}]}');
CREATE FUNCTION new_table(name text, n int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %I (id int PRIMARY KEY, s text, at timestamptz, title text)', name);
	EXECUTE format('INSERT INTO %I SELECT g, ''S'' || 1 + g %% 2, ''2026-03-02 09:00'', repeat(''x'', 200) FROM generate_series(1, %s) g', name, n);
	PERFORM sla.attach(name::regclass, 'acme', 's', 'at', record_rows => false);
END $$;
-- Each row once in the ledger and stamped as it says, and nothing else there
CREATE FUNCTION recorded(name regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT format(''%%s rows, %%s tickets, %%s events, %%s wrong'',
			count(r.id), count(t.id), sum((SELECT count(*) FROM sla.event WHERE ticket_id = t.id)),
			count(*) FILTER (WHERE r.sla_response_due IS DISTINCT FROM c.due_at OR t.state <> ''open'' OR t.severity::text <> r.s))
		FROM %s r FULL JOIN (SELECT t.* FROM sla.ticket t JOIN sla.attachment a ON a.id = t.attachment_id WHERE a.ticket_table = $1 AND t.state <> ''deleted'') t
			ON t.key = r.key
			LEFT JOIN sla.clock c ON c.ticket_id = t.id',
		format(CASE WHEN (SELECT relkind FROM pg_class WHERE oid = name) = 'p'
			THEN '(SELECT *, ARRAY[region, id::text]::text AS key FROM %s)' ELSE '(SELECT *, id::text AS key FROM %s)' END, name))
		INTO result USING name;
	RETURN result;
END $$;
CREATE FUNCTION progress() RETURNS text LANGUAGE sql AS
	'SELECT string_agg(rows_recorded || '' rows, '' || cardinality(finished) || '' finished'', '', '') FROM sla.restamp_progress';
CREATE ROLE stranger LOGIN;
));

sub query
{
	return $node->safe_psql('postgres', $_[0]);
}

# What psql prints of a statement
sub printed
{
	my ($sql) = @_;
	my ($stdout, $stderr);

	$node->psql('postgres', $sql, stdout => \$stdout, stderr => \$stderr);
	$stderr =~ s/^psql:<stdin>:\d+: //mg;
	$stderr =~ s/^CONTEXT:.*\n?//mg;
	return $stderr;
}

# All of it
query(q(SELECT new_table('whole', 1000)));
is(query(q(SELECT recorded('whole'))), '1000 rows, 0 tickets, 0 events, 0 wrong', 'nothing is recorded by attaching');
like( printed(q(CALL sla.restamp('whole', 300))),
	qr/\A(NOTICE:  restamp of table "whole": \d+ rows, \d+ %\n){3}NOTICE:  restamp of table "whole": done, 10\d\d rows\z/,
	'told how far it is');
is(query(q(SELECT recorded('whole'))), '1000 rows, 1000 tickets, 1000 events, 0 wrong', 'everything is recorded');
is(query('SELECT progress()'), '', 'and nothing is under way');
like(printed(q(CALL sla.restamp('whole'))), qr/\ANOTICE:  restamp of table "whole": done, 1000 rows\z|1000 rows, \d+ %\nNOTICE.* done, 1000 rows\z/, 'once more');
is(query(q(SELECT recorded('whole'))), '1000 rows, 1000 tickets, 1000 events, 0 wrong', 'with nothing new to record');
is(query(q(SELECT max(version) FROM sla.ticket)), 1, 'nor written');

# Not all can call it, nor everywhere
like(printed($_->[0]), $_->[1], $_->[2])
  for [ q(BEGIN; CALL sla.restamp('whole')), qr/ERROR:  sla\.restamp cannot be called inside a transaction block/, 'not in a transaction' ],
  [ q(CALL sla.restamp('whole', 0)), qr/ERROR:  batch must be a positive number of rows/, 'no rows at a time' ],
  [ q(CALL sla.restamp('whole', NULL)), qr/ERROR:  batch must be/, 'nor an unknown number' ],
  [ q(CALL sla.restamp(NULL)), qr/ERROR:  ticket_table must not be null/, 'no table' ],
  [ q(CALL sla.restamp('pg_class')), qr/ERROR:  table "pg_class" is not attached/, 'one that is not attached' ],
  [ q(SET ROLE stranger; CALL sla.restamp('whole')), qr/ERROR:  must be owner of table whole/, 'one of somebody else' ];
is(query(q(SELECT sla.restamp_step('whole', 10))), 't', 'what an error interrupted goes on');
query(q(CALL sla.restamp('whole')));
is(query(q(SELECT sla.restamp_step('whole', 10))), 'f', 'and what is done does not');

my $one = SlaSession->new($node);
my $two = SlaSession->new($node);
my $three = SlaSession->new($node);

# Beside writers: those that began before are waited for, later ones do not
# wait for it, and rows that they keep locked come last, with nothing held.
query(q(SELECT new_table('busy', 1000)));
$one->ask('BEGIN');
$one->ask(q(UPDATE busy SET title = 'begun before' WHERE id = 900));
$two->send_sql(q(CALL sla.restamp('busy', 400)));
ok($two->blocked, 'waits for a writer that cannot know of it');
is(query('SELECT progress()'), '0 rows, 0 finished', 'with nothing done');
is($three->ask(q(UPDATE busy SET title = 'meanwhile' WHERE id = 7)), '', 'other writers do not wait');
is(query(q(SELECT count(*) FROM sla.ticket t JOIN sla.attachment a ON a.id = attachment_id WHERE ticket_table = 'busy'::regclass AND key = '7')),
	1, 'and record what they touch, though it says nothing new');
$three->ask('BEGIN');
$three->ask(q(SELECT FROM busy WHERE id = 500 FOR UPDATE));
$one->ask('COMMIT');
ok($node->poll_query_until('postgres', q(SELECT sum(rows_recorded) >= 499 FROM sla.restamp_progress)),
	'goes on up to a row that somebody else has locked');
ok($two->blocked, 'and waits for it');
is($three->ask(q(UPDATE busy SET s = 'S9' WHERE id = 499)), '', 'not the other way round: rows before are free');
is($one->ask(q(UPDATE busy SET s = 'S1', title = 'after' WHERE id = 1000)), '', 'and so are those behind');
$three->ask(q(UPDATE busy SET s = 'S1' WHERE id IN (499, 500)));
$three->ask('COMMIT');
unlike($two->reply, qr/ERROR/, 'done');
is(query(q(SELECT recorded('busy'))), '1000 rows, 1000 tickets, 1002 events, 0 wrong', 'and all is right');

# A row that moves to a place that has been read already
query(q(SELECT new_table('moving', 1000)));
query(q(SELECT sla.restamp_begin('moving')));
is(query(q(SELECT sla.restamp_step('moving', 500))), 't', 'half of it');
query(q(DELETE FROM moving WHERE id <= 60));
query('VACUUM moving');
query(q(UPDATE moving SET title = repeat('y', 300) WHERE id > 950));
is(query(q(SELECT count(*) > 0 FROM moving WHERE id > 950 AND ctid < '(1,0)')), 't', 'rows move to the front');
query(q(CALL sla.restamp('moving')));
is(query(q(SELECT recorded('moving'))), '940 rows, 940 tickets, 940 events, 0 wrong', 'all are recorded');

# Interrupted by cancel, crash and the end of a session; it goes on
query(q(SELECT new_table('broken', 1000)));
$one->ask('BEGIN');
$one->ask(q(SELECT FROM broken WHERE id = 300 FOR UPDATE));
$two->send_sql(q(CALL sla.restamp('broken', 100)));
ok($two->blocked, 'under way');
ok($node->poll_query_until('postgres', q(SELECT sum(rows_recorded) = 299 FROM sla.restamp_progress)), 'up to a locked row');
ok($two->blocked, 'blocked there');
query("SELECT pg_cancel_backend($two->{pid})");
like($two->reply, qr/57014/, 'cancelled');
is(query('SELECT progress()'), '299 rows, 0 finished', 'what was committed stays');
$one->ask('COMMIT');
is(query(q(SELECT count(*) FROM broken WHERE sla_response_due IS NULL)), 701, 'and nothing else');
query(q(INSERT INTO broken VALUES (0, 'S1', '2026-03-02 09:00'); DELETE FROM broken WHERE id = 10));
$one->ask('BEGIN');
$one->ask(q(SELECT FROM broken WHERE id = 600 FOR UPDATE));
$two->send_sql(q(CALL sla.restamp('broken', 100)));
ok($node->poll_query_until('postgres', q(SELECT sum(rows_recorded) = 599 FROM sla.restamp_progress)), 'goes on where it was');
$node->stop('immediate');
$_->{run}->kill_kill for $one, $two, $three;
$node->start;
is(query('SELECT progress()'), '599 rows, 0 finished', 'a crash takes nothing back');
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump';
$node->command_ok([ 'pg_dump', '-f', $dump, 'postgres' ], 'a dump');
unlike(slurp_file($dump), qr/COPY sla\.restamp_progress/, 'has nothing of it');
like(printed(q(CALL sla.restamp('broken', 1000))),
	qr/\ANOTICE:  restamp of table "broken" goes on after 599 rows\nNOTICE:  restamp of table "broken": done, 1\d\d\d rows\z/,
	'and goes on to the end');
is(query(q(SELECT recorded('broken'))), '1000 rows, 1000 tickets, 1000 events, 0 wrong', 'all is recorded');

# Places mean nothing once the table was written anew
query(q(SELECT new_table('rewritten', 1000)));
query(q(DELETE FROM rewritten WHERE id <= 500));
query(q(SELECT sla.restamp_begin('rewritten')));
is(query(q(SELECT sla.restamp_step('rewritten', 200))), 't', 'a piece');
query('VACUUM FULL rewritten');
query(q(CALL sla.restamp('rewritten', 400)));
is(query(q(SELECT recorded('rewritten'))), '500 rows, 500 tickets, 500 events, 0 wrong', 'written anew: begins anew');

# A row that is rejected keeps what comes after it, until it is mended
query(q(
	CREATE TABLE strict (id int PRIMARY KEY, s text, at timestamptz, title text);
	INSERT INTO strict SELECT g, CASE g WHEN 50 THEN 'none' ELSE 'S1' END, '2026-03-02 09:00' FROM generate_series(1, 100) g;
	SELECT sla.attach('strict', 'acme', 's', 'at', on_error => 'reject', record_rows => false)));
like(printed(q(CALL sla.restamp('strict', 20))), qr/ERROR:  ticket 50 of table "strict" has no deadlines/, 'a row that is rejected');
is(query('SELECT progress()'), '40 rows, 0 finished', 'does not undo batches before');
query(q(UPDATE strict SET s = 'S2' WHERE id = 50));
query(q(CALL sla.restamp('strict', 20)));
is(query(q(SELECT recorded('strict'))), '100 rows, 100 tickets, 100 events, 0 wrong', 'once it is mended the rest follows');

# With record it is a warning, once for all
query(q(
	CREATE TABLE lax (id int PRIMARY KEY, s text, at timestamptz);
	INSERT INTO lax SELECT g, CASE WHEN g % 10 = 0 THEN 'none' ELSE 'S1' END, '2026-03-02 09:00' FROM generate_series(1, 100) g;
	SELECT sla.attach('lax', 'acme', 's', 'at', record_rows => false)));
like(printed(q(CALL sla.restamp('lax', 30))),
	qr/done, \d+ rows\nWARNING:  tickets of table "lax" without deadlines: 1\d\nHINT:  sla.ticket.exempt keeps the reason of each.\z/,
	'rows that no promise covers');

# In any isolation level
for my $level ('repeatable read', 'serializable')
{
	(my $name = $level) =~ s/ /_/;

	query(qq(SELECT new_table('$name', 500)));
	query(qq(SET default_transaction_isolation = '$level'; CALL sla.restamp('$name', 100)));
	is(query(qq(SELECT recorded('$name'))), '500 rows, 500 tickets, 500 events, 0 wrong', "as $level");
}

# Three at a time share the work
query(q(SELECT new_table('shared', 2000)));
$_ = SlaSession->new($node) for $one, $two, $three;
$_->send_sql(q(CALL sla.restamp('shared', 10))) for $one, $two, $three;
unlike($_->reply, qr/ERROR/, 'one of three at once') for $one, $two, $three;
is(query(q(SELECT recorded('shared'))), '2000 rows, 2000 tickets, 2000 events, 0 wrong', 'nothing is there twice');
is(query('SELECT progress()'), '', 'and nothing is under way');

# Partitions come, go and change hands meanwhile
query(q(
	CREATE TABLE late (region text NOT NULL, id int NOT NULL, s text, at timestamptz, title text, PRIMARY KEY (region, id));
	INSERT INTO late SELECT 'late', g, 'S1', '2026-03-02 09:00' FROM generate_series(1, 100) g;
	CREATE TABLE parts (region text, id int, s text, at timestamptz, title text, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
	CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a');
	CREATE TABLE parts_b PARTITION OF parts FOR VALUES IN ('b') PARTITION BY RANGE (id);
	CREATE TABLE parts_b1 PARTITION OF parts_b FOR VALUES FROM (0) TO (50);
	CREATE TABLE parts_b2 PARTITION OF parts_b DEFAULT;
	CREATE TABLE parts_c PARTITION OF parts FOR VALUES IN ('c');
	CREATE TABLE parts_d PARTITION OF parts FOR VALUES IN ('d');
	INSERT INTO parts SELECT r, g, 'S2', '2026-03-02 09:00' FROM unnest('{a,b,c,d}'::text[]) r, generate_series(1, 100) g;
	SELECT sla.attach('parts', 'acme', 's', 'at', record_rows => false);
	ALTER TABLE late ADD COLUMN sla_response_due timestamptz, ADD COLUMN sla_reply_due timestamptz,
		ADD COLUMN sla_update_due timestamptz, ADD COLUMN sla_resolution_due timestamptz;
	SELECT sla.restamp_begin('parts')));
is(query(q(SELECT sla.restamp_step('parts', 250))), 't', 'two and a half partitions');
is(query('SELECT progress()'), '250 rows, 2 finished', 'two are done');
query(q(
	ALTER TABLE parts ATTACH PARTITION late FOR VALUES IN ('late');
	UPDATE parts SET region = 'a', id = id + 1000 WHERE region = 'd' AND id <= 10;
	UPDATE parts SET region = 'd', id = id + 1000 WHERE region = 'a' AND id <= 10;
	UPDATE parts SET title = 'touched' WHERE region = 'd' AND id BETWEEN 11 AND 20;
	DROP TABLE parts_c));
like(printed(q(CALL sla.restamp('parts', 60))), qr/rows, \d+ % of partition "parts_d", 3 of 6\n.*partition "parts_b2", 6 of 6\n.*done, \d+ rows/s, 'told of each partition');
is(query(q(SELECT count(*) FROM parts p WHERE NOT EXISTS (SELECT FROM sla.ticket t WHERE t.key = ARRAY[p.region, p.id::text]::text AND t.state = 'open'))),
	0, 'no row is missed');
is(query(q(SELECT count(*) FROM sla.ticket t JOIN sla.attachment a ON a.id = attachment_id
	WHERE ticket_table = 'parts'::regclass AND state = 'open' AND NOT EXISTS (SELECT FROM parts p WHERE t.key = ARRAY[p.region, p.id::text]::text))),
	100, 'those of the dropped partition are there still');
is(query(q(SELECT sla.reconcile('parts'))), 100, 'until they are looked for');
is(query(q(SELECT count(*) FROM sla.ticket t JOIN sla.attachment a ON a.id = attachment_id WHERE ticket_table = 'parts'::regclass AND state = 'open')),
	query('SELECT count(*) FROM parts'), 'then ledger and table agree');
like(printed(q(CALL sla.restamp('parts_a'))), qr/ERROR:  table "parts_a" is not attached/, 'a partition alone is not restamped');

# Detached while it runs: it ends
query(q(SELECT new_table('ended', 1000)));
$one->ask('BEGIN');
$one->ask(q(SELECT FROM ended WHERE id = 500 FOR UPDATE));
$two->send_sql(q(CALL sla.restamp('ended', 100)));
ok($node->poll_query_until('postgres', q(SELECT sum(rows_recorded) = 499 FROM sla.restamp_progress)), 'under way');
$three->send_sql(q(SELECT sla.detach('ended')));
ok($three->blocked, 'detaching waits for the batch');
$one->ask('COMMIT');
is($three->reply, '', 'not for the end');
like($two->reply, qr/55000/, 'which does not come');
is(query('SELECT progress()'), '', 'nothing is under way');
is(query(q(SELECT count(*) FROM sla.clock c JOIN sla.ticket t ON t.id = ticket_id JOIN sla.attachment a ON a.id = attachment_id
	WHERE ticket_table = 'ended'::regclass AND outcome IS NULL)), 0, 'no clock runs');

$_->quit for $one, $two, $three;
$node->stop;
done_testing();
