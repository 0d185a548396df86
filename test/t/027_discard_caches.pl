# Tickets are recorded also where each look-up in the catalogs makes the server
# forget what it keeps of them. Only servers built with assertions can do that.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaSession;
use SlaTest ();
use Test::More;

my $node = SlaTest::new_node('discard', 0);

if ($node->safe_psql('postgres', q(SELECT max_val FROM pg_settings WHERE name = 'debug_discard_caches')) eq '0')
{
	$node->stop;
	plan skip_all => 'the server was built without assertions';
}
$node->safe_psql('postgres', q(CREATE EXTENSION slapolicy;
	SELECT sla.load_policy('{"policy": "p", "time_zone": "UTC", "calendars": {"always": {"hours": "24/7"}},
		"targets": [{"severity": "S1", "metric": "response", "goal": "1h", "calendar": "always"}]}');
	CREATE TABLE ticket (id int PRIMARY KEY, severity text, at timestamptz, replied timestamptz);
	SELECT sla.attach('ticket', 'p', 'severity', 'at', 'replied')));

my $s = SlaSession->new($node);

$s->ask(q(SET statement_timeout = '60s'; SET debug_discard_caches = 1));
is($s->ask(q(INSERT INTO ticket VALUES (1, 'S1', '2026-03-02 09:00'))), '', 'INSERT');
is($s->ask(q(UPDATE ticket SET replied = '2026-03-02 09:30')), '', 'UPDATE');
is($s->ask(q(SELECT sla.record_event('ticket', '1', 'paused', '2026-03-02 09:10', 'lunch'))), '3', 'an event');
is($s->ask(q(DELETE FROM ticket)), '', 'DELETE');
is($node->safe_psql('postgres', q(SELECT string_agg(kind, ' ' ORDER BY seq) FROM sla.event)), 'opened replied paused deleted',
	'all is recorded');
$node->stop;

done_testing();
