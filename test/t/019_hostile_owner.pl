# Whoever owns the tickets and the database, but not the extension, gains
# nothing from the worker: nothing of his making runs as anyone else, and none
# of his settings keeps breaches from being flagged.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

my $node = new_node('hostile', 1, 'fsync' => 'off');

$node->safe_psql('postgres', q{
	CREATE ROLE mallory LOGIN;
	CREATE DATABASE den OWNER mallory;});
$node->safe_psql('den', q{
	CREATE EXTENSION slapolicy;
	GRANT ALL ON SCHEMA public TO mallory;
	SELECT sla.load_policy('{"policy": "quick", "time_zone": "UTC",
		"calendars": {"always": {"hours": "24/7"}},
		"targets": [{"severity": "S1", "metric": "response", "goal": "1s",
			"calendar": "always", "alerts": [0.5, 1]}]}', '2026-01-01');});

sub as_mallory
{
	my ($sql, %option) = @_;

	return $node->safe_psql('den', $sql, extra_params => [ '-U', 'mallory' ], %option);
}

# What he may try says who ran it; all of it stands in front of pg_catalog.
as_mallory(q{
	CREATE SCHEMA trap;
	CREATE TABLE trap.seen (who name, session name, pid int, kind text, what text);
	GRANT USAGE ON SCHEMA trap TO PUBLIC;
	GRANT INSERT ON trap.seen TO PUBLIC;
	CREATE FUNCTION trap.spring(what text) RETURNS boolean LANGUAGE plpgsql AS $$
	BEGIN
		INSERT INTO trap.seen SELECT current_user, session_user, pg_backend_pid(), a.backend_type, what
			FROM pg_catalog.pg_stat_activity a WHERE a.pid = pg_catalog.pg_backend_pid();
		RETURN true;
	END $$;

	-- operators, functions, a type and tables of the names that count
	CREATE FUNCTION trap.before(timestamptz, timestamptz) RETURNS boolean LANGUAGE plpgsql AS
		$$ BEGIN PERFORM trap.spring('operator'); RETURN false; END $$;
	CREATE OPERATOR trap.< (FUNCTION = trap.before, LEFTARG = timestamptz, RIGHTARG = timestamptz);
	CREATE OPERATOR trap.> (FUNCTION = trap.before, LEFTARG = timestamptz, RIGHTARG = timestamptz);
	CREATE FUNCTION trap.same(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS
		$$ BEGIN PERFORM trap.spring('operator'); RETURN true; END $$;
	CREATE OPERATOR trap.= (FUNCTION = trap.same, LEFTARG = bigint, RIGHTARG = bigint);
	CREATE FUNCTION trap.now() RETURNS timestamptz LANGUAGE plpgsql AS
		$$ BEGIN PERFORM trap.spring('now'); RETURN '-infinity'; END $$;
	CREATE FUNCTION trap.nextval(regclass) RETURNS bigint LANGUAGE plpgsql AS
		$$ BEGIN PERFORM trap.spring('nextval'); RETURN 1; END $$;
	CREATE FUNCTION trap.pg_notify(text, text) RETURNS void LANGUAGE plpgsql AS
		$$ BEGIN PERFORM trap.spring('pg_notify'); END $$;
	CREATE DOMAIN trap.text AS pg_catalog.text CHECK (trap.spring('domain'));
	CREATE FUNCTION trap.to_text(boolean) RETURNS trap.text LANGUAGE sql AS
		$$ SELECT trap.spring('cast')::pg_catalog.text::trap.text $$;
	CREATE TABLE trap.clock (LIKE sla.attachment);
	CREATE VIEW trap.alert AS SELECT trap.spring('view');
	CREATE RULE trap AS ON INSERT TO trap.alert DO INSTEAD SELECT trap.spring('rule');

	-- a table of tickets full of it
	CREATE TABLE ticket (
		id int PRIMARY KEY CHECK (trap.spring('check')),
		severity trap.text,
		received_at timestamptz,
		responded_at timestamptz,
		spied boolean GENERATED ALWAYS AS (true) STORED);
	CREATE FUNCTION trap.fire() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN PERFORM trap.spring('trigger ' || TG_WHEN || ' ' || TG_OP); RETURN coalesce(NEW, OLD); END $$;
	CREATE TRIGGER a BEFORE INSERT OR UPDATE OR DELETE ON ticket FOR EACH ROW EXECUTE FUNCTION trap.fire();
	CREATE CONSTRAINT TRIGGER z AFTER INSERT OR UPDATE OR DELETE ON ticket DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION trap.fire();
	ALTER TABLE ticket ENABLE ALWAYS TRIGGER a;
	ALTER TABLE ticket ENABLE ALWAYS TRIGGER z;
	CREATE RULE also AS ON UPDATE TO ticket DO ALSO SELECT trap.spring('rule');
	ALTER TABLE ticket ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
	CREATE POLICY p ON ticket USING (trap.spring('row security')) WITH CHECK (trap.spring('row security'));
	SELECT sla.attach('ticket', 'quick', severity => 'severity', received_at => 'received_at', responded_at => 'responded_at');});

# What he may not do
foreach (
	'CREATE TRIGGER t BEFORE INSERT ON sla.alert FOR EACH ROW EXECUTE FUNCTION trap.fire()',
	'CREATE RULE r AS ON UPDATE TO sla.clock DO INSTEAD NOTHING',
	'CREATE INDEX ON sla.clock ((trap.spring(metric)))',
	'CREATE FUNCTION sla.f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
	'BEGIN; LOCK TABLE sla.clock',
	'SELECT FROM sla.clock FOR UPDATE',
	'INSERT INTO sla.alert (clock_id) VALUES (1)',
	'UPDATE sla.clock SET next_alert_at = NULL',
	'SELECT sla.flag_due(now())',
	'SELECT sla.wake_worker()')
{
	my ($ret, $out, $err) = $node->psql('den', $_, extra_params => [ '-U', 'mallory' ]);
	like($err, qr/ERROR:  (permission denied|must be owner)/, "refused: $_");
}

# Settings that the owner of a database may give it; this session keeps its own.
my %mine = (
	'statement_timeout' => '0',
	'lock_timeout' => '0',
	'idle_session_timeout' => '0',
	'idle_in_transaction_session_timeout' => '0',
	'default_transaction_isolation' => "read\\ committed",
	'default_transaction_deferrable' => 'off',
	'local_preload_libraries' => '',
	'client_min_messages' => 'error',
	'search_path' => 'pg_catalog',
	'default_tablespace' => '',
	'enable_indexscan' => 'on',
	'row_security' => 'on');
$ENV{PGOPTIONS} = join ' ', map { "-c $_=$mine{$_}" } sort keys %mine;
as_mallory(join '', map { "ALTER DATABASE den SET $_;\n" } (
	'search_path = trap, pg_catalog, sla, public',
	q{statement_timeout = '1ms'},
	q{lock_timeout = '1ms'},
	q{idle_session_timeout = '1ms'},
	q{idle_in_transaction_session_timeout = '1ms'},
	q{default_transaction_isolation = 'serializable'},
	'default_transaction_deferrable = on',
	q{work_mem = '64kB'},
	q{maintenance_work_mem = '1MB'},
	q{temp_buffers = '800kB'},
	q{default_tablespace = 'no_such'},
	q{default_table_access_method = 'heap'},
	q{client_encoding = 'LATIN1'},
	q{datestyle = 'SQL, DMY'},
	q{intervalstyle = 'sql_standard'},
	q{timezone = 'Pacific/Chatham'},
	q{bytea_output = 'escape'},
	q{extra_float_digits = '-15'},
	'enable_indexscan = off',
	'enable_seqscan = off',
	'enable_sort = off',
	'row_security = off',
	'synchronous_commit = off',
	'quote_all_identifiers = on',
	q{local_preload_libraries = '$libdir/plugins/no_such'},
	q{application_name = 'mallory'}));
foreach ('session_replication_role = replica', q{session_preload_libraries = 'x'}, q{log_min_messages = 'panic'})
{
	my ($ret, $out, $err) = $node->psql('den', "ALTER DATABASE den SET $_", extra_params => [ '-U', 'mallory' ]);
	like($err, qr/ERROR:  permission denied to set parameter/, "refused: $_");
}
foreach ('slapolicy.batch_size = 1', 'slapolicy.notify = off', q{slapolicy.databases = 'x'}, q{slapolicy.max_sleep = '1d'})
{
	my ($ret, $out, $err) = $node->psql('den', "ALTER DATABASE den SET $_", extra_params => [ '-U', 'mallory' ]);
	like($err, qr/ERROR: .*cannot be changed now/, "refused: $_");
}

# And now let it fall due: warnings, breaches, and one that is withdrawn
as_mallory("INSERT INTO public.ticket (id, severity, received_at) SELECT g, 'S1', clock_timestamp() FROM generate_series(1, 20) g");
ok($node->poll_query_until('den', "SELECT count(*) = 40 FROM sla.alert"), 'warnings and breaches are flagged');
as_mallory("UPDATE public.ticket SET responded_at = received_at + interval '0.7 s' WHERE id = 7; DELETE FROM public.ticket WHERE id = 8");
is($node->safe_psql('den', "SELECT count(*) FROM sla.alert WHERE kind = 'withdrawal'"), '1', 'one breach is undone');
as_mallory("INSERT INTO public.ticket (id, severity, received_at) SELECT g, 'S1', clock_timestamp() FROM generate_series(21, 40) g");
ok($node->poll_query_until('den', "SELECT count(*) = 80 FROM sla.alert WHERE kind <> 'withdrawal'"), 'also those that come later');
cmp_ok($node->safe_psql('den', "SELECT extract(epoch FROM max(flagged_at - due_at) FILTER (WHERE kind <> 'withdrawal')) FROM sla.alert"),
	'<', 5, 'in time');
is($node->safe_psql('den', "SET search_path = sla, pg_catalog; SELECT 'alerts of the worker: ' || count(*) FROM alert WHERE kind <> 'withdrawal'"),
	'alerts of the worker: 80', 'in the real table');

# Who ran what of his
isnt(as_mallory("SELECT count(*) FROM trap.seen WHERE what ~ 'trigger|check|row|domain'"), '0', 'his own statements sprang the traps');
is( as_mallory("SELECT DISTINCT who, session, kind FROM trap.seen"),
	'mallory|mallory|client backend',
	'and nothing else did, nobody but himself');

# A ticket that he keeps locked is passed over, and costs a few looks a second.
my $holder = session($node, 'den');
ask($holder, "BEGIN; INSERT INTO public.ticket (id, severity, received_at) VALUES (50, 'S1', clock_timestamp()); COMMIT;");
ask($holder, 'BEGIN; UPDATE public.ticket SET responded_at = NULL, received_at = received_at - interval $$1 ms$$ WHERE id = 50;');
as_mallory("INSERT INTO public.ticket (id, severity, received_at) VALUES (51, 'S1', clock_timestamp())");
my $flagged = sub { "SELECT count(*) = 2 FROM sla.alert a JOIN sla.ticket t ON t.id = a.ticket_id WHERE t.key = '$_[0]'" };
ok($node->poll_query_until('den', $flagged->(51)), 'others are flagged meanwhile');
ask($holder, 'COMMIT;');
finish($holder);
ok($node->poll_query_until('den', $flagged->(50)), 'and that one when he lets go');

unlike(slurp_file($node->logfile), qr/PANIC|TRAP:|terminated by signal/, 'nothing crashed');
$node->stop('fast');
done_testing();
