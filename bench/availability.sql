-- The measurements of bench/enforcement about availability. psql variable:
-- rounds.
--
-- A year of 1,000 services with 750 outages each, of which some overlap; a part
-- of them is excused and a part unknown. The same with twice as many.

\ir measure.sql
SET timezone = 'UTC';
SET work_mem = '256MB';

\set period '''[2025-01-01 00:00+00, 2026-01-01 00:00+00)'''
\set office '''Europe/Amsterdam Mo-Fr 09:00-17:00'''

CREATE FUNCTION make_outages(name text, each int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %I AS
		SELECT service, tstzrange(since, since + random() ^ 4 * interval ''30 h'') AS during,
			(''{down,down,down,down,down,down,down,unknown,excluded,excluded}''::text[])[1 + floor(random() * 10)::int] AS kind
		FROM (SELECT service, timestamptz ''2025-01-01 00:00+00'' + random() * interval ''364 days'' AS since
			FROM generate_series(1, 1000) service, generate_series(1, $1) n ORDER BY since) s', name) USING each;
	EXECUTE format('CREATE TABLE %I AS
		SELECT service, coalesce(range_agg(during) FILTER (WHERE kind = ''down''), ''{}'') AS down,
			coalesce(range_agg(during) FILTER (WHERE kind = ''excluded''), ''{}'') AS excluded,
			coalesce(range_agg(during) FILTER (WHERE kind = ''unknown''), ''{}'') AS unknown
		FROM %I GROUP BY service', name || '_ranges', name) USING each;
END
$$;
SELECT make_outages('outage', 750), make_outages('twice', 1500) \g /dev/null
-- held in the row, so that reading them is not what is measured
CREATE TABLE office AS SELECT sla.open_time(:office, :period) AS open;
VACUUM ANALYZE;

-- What one would write with core's ranges: less what is excused, and of what is
-- unknown less what is known to be down. hours is a multirange.
CREATE FUNCTION in_sql(source text, hours text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT format($sql$
		SELECT service, down, unknown, excluded,
			trunc(100 - 100 * extract(epoch FROM down) / extract(epoch FROM total - excluded - unknown), 6) AS percent
		FROM (
			SELECT service,
				(SELECT coalesce(sum(upper(r) - lower(r)), '0') FROM unnest((f.down - f.excluded) * h.hours) r) AS down,
				(SELECT coalesce(sum(upper(r) - lower(r)), '0') FROM unnest((f.unknown - f.excluded - f.down) * h.hours) r) AS unknown,
				(SELECT coalesce(sum(upper(r) - lower(r)), '0') FROM unnest(f.excluded * h.hours) r) AS excluded,
				h.total
			FROM %s f, (SELECT h.hours, (SELECT sum(upper(r) - lower(r)) FROM unnest(h.hours) r) AS total FROM (%s) h (hours)) h) a
		$sql$, source, hours)
$$;
CREATE FUNCTION of_rows(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT format($sql$(SELECT service, coalesce(range_agg(during) FILTER (WHERE kind = 'down'), '{}') AS down,
		coalesce(range_agg(during) FILTER (WHERE kind = 'excluded'), '{}') AS excluded,
		coalesce(range_agg(during) FILTER (WHERE kind = 'unknown'), '{}') AS unknown FROM %I GROUP BY service)$sql$, name)
$$;

INSERT INTO probe (name, n, sql)
SELECT p.name, 1000, format('SELECT service, (a).down, (a).unknown, (a).excluded, (a).percent FROM (%s OFFSET 0) x', p.sql)
FROM (VALUES
	('rows', format('SELECT service, sla.availability_of(%L, during, kind) AS a FROM outage GROUP BY service', :period)),
	('rows, twice', format('SELECT service, sla.availability_of(%L, during, kind) AS a FROM twice GROUP BY service', :period)),
	('ranges', format('SELECT service, sla.availability(%L, down, excluded, unknown) AS a FROM outage_ranges', :period)),
	('ranges, twice', format('SELECT service, sla.availability(%L, down, excluded, unknown) AS a FROM twice_ranges', :period)),
	('office', format('SELECT service, sla.availability(%L, down, excluded, unknown, %L) AS a FROM outage_ranges', :period, :office))) p (name, sql);
INSERT INTO probe (name, n, sql) VALUES
	('rows by hand', 1000, in_sql(of_rows('outage'), format('SELECT tstzmultirange(%L::tstzrange)', :period))),
	('ranges by hand', 1000, in_sql('outage_ranges', format('SELECT tstzmultirange(%L::tstzrange)', :period))),
	('office by hand', 1000, in_sql('outage_ranges', 'SELECT open FROM office')),
	('bare', 1000, 'SELECT service, count(during), count(kind) FROM outage GROUP BY service'),
	('bare, twice', 1000, 'SELECT service, count(during), count(kind) FROM twice GROUP BY service'),
	('bare ranges', 1000, 'SELECT service, isempty(down), isempty(excluded), isempty(unknown) FROM outage_ranges'),
	('bare ranges, twice', 1000, 'SELECT service, isempty(down), isempty(excluded), isempty(unknown) FROM twice_ranges');

-- Before anything is measured: both give the same?
DO $$
DECLARE
	pair record;
	differing bigint;
BEGIN
	FOR pair IN SELECT a.sql AS ours, b.sql AS theirs, a.name FROM probe a JOIN probe b ON b.name = a.name || ' by hand' LOOP
		EXECUTE format('SELECT count(*) FROM (%s) a FULL JOIN (%s) b USING (service)
			WHERE (a.down, a.unknown, a.excluded) IS DISTINCT FROM (b.down, b.unknown, b.excluded)
				OR (abs(a.percent - b.percent) <= 0.000001) IS NOT TRUE', pair.ours, pair.theirs) INTO differing;
		IF differing > 0 THEN
			RAISE '%: % services differ', pair.name, differing;
		END IF;
	END LOOP;
END
$$;

CALL run_probes(:rounds);

\pset footer off
\qecho Medians of :rounds rounds over 1,000 services with 750 outages each.
SELECT what, to_char(ours / 1e6, '9990.00') AS seconds,
	against, to_char(theirs / 1e6, '9990.00') AS "their seconds",
	to_char(ratio, '990.00') AS ratio, goal
FROM (VALUES
	('availability_of, from rows', cost('rows'), 'range_agg and differences in SQL', cost('rows by hand'), cost('rows by hand') / cost('rows'), '>= 5 times faster'),
	('the same, less scanning and grouping', cost('rows', 'bare'), 'the same', cost('rows by hand', 'bare'), cost('rows by hand', 'bare') / cost('rows', 'bare'), ''),
	('availability, of multiranges', cost('ranges'), 'differences in SQL', cost('ranges by hand'), cost('ranges by hand') / cost('ranges'), '>= 5 times faster'),
	('the same inside office hours', cost('office'), 'the same with open_time', cost('office by hand'), cost('office by hand') / cost('office'), ''),
	('availability_of, twice the outages', cost('rows, twice'), 'once', cost('rows'), cost('rows, twice') / cost('rows'), 'about 2'),
	('the same, less scanning and grouping', cost('rows, twice', 'bare, twice'), 'the same', cost('rows', 'bare'),
		cost('rows, twice', 'bare, twice') / cost('rows', 'bare'), ''),
	('availability, twice the outages', cost('ranges, twice'), 'once', cost('ranges'), cost('ranges, twice') / cost('ranges'), 'about 2'),
	('the same, less reading them', cost('ranges, twice', 'bare ranges, twice'), 'the same', cost('ranges', 'bare ranges'),
		cost('ranges, twice', 'bare ranges, twice') / cost('ranges', 'bare ranges'), '')
) r (what, ours, against, theirs, ratio, goal);
