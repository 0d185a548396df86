-- Holidays: dates on which calendars are closed, by region.
--
-- A region is part of those that its name begins with: DE-BY of DE. What
-- calendars make of the holidays of their regions is written next to them
-- (sla.calendar.hours_id), anew when either changes.

CREATE FUNCTION sla.is_region(name text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$ SELECT octet_length(name) <= 63 AND name ~ '^[A-Z0-9]+(-[A-Z0-9]+)*$' $$;
COMMENT ON FUNCTION sla.is_region(text) IS 'May this name a region of holidays? Parts of capital letters and digits joined by "-", as in ISO 3166-2: DE, DE-BY; at most 63 bytes.';

CREATE FUNCTION sla.refuse_region(region text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO pg_catalog, pg_temp
    AS $$
BEGIN
    IF region IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'null_value_not_allowed',
            MESSAGE = 'a region must not be NULL';
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        MESSAGE = format('"%s" is not a name of a region', region),
        HINT = 'Names of regions are parts of capital letters and digits joined by "-", as in "DE" and "DE-BY", of at most 63 bytes.';
END
$$;
COMMENT ON FUNCTION sla.refuse_region(text) IS 'Internal: says what is wrong with the name of a region.';

CREATE FUNCTION sla.canonical_regions(regions text[]) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$ SELECT ARRAY(SELECT DISTINCT r COLLATE "C" FROM unnest(regions) AS r ORDER BY 1) $$;
COMMENT ON FUNCTION sla.canonical_regions(text[]) IS 'Internal: the regions in order, each once.';

CREATE FUNCTION sla.regions_around(regions text[]) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path TO pg_catalog, pg_temp
    AS $$
    SELECT ARRAY(SELECT DISTINCT array_to_string(parts[:n], '-') COLLATE "C"
                 FROM unnest(regions) AS r,
                      string_to_array(r, '-') AS parts,
                      generate_series(1, cardinality(parts)) AS n
                 ORDER BY 1)
$$;
COMMENT ON FUNCTION sla.regions_around(text[]) IS 'The regions whose holidays count in these: they themselves and all that they are parts of. DE-BY gives DE and DE-BY.';

CREATE TABLE sla.holiday (
    region  text,
    day     date,
    name    text,
    PRIMARY KEY (region, day),
    CONSTRAINT holiday_region_check CHECK (sla.is_region(region)),
    CONSTRAINT holiday_day_check CHECK (day BETWEEN '0001-01-01' AND '9999-12-31')
);
COMMENT ON TABLE sla.holiday IS 'Holidays by region. A change here changes at once the hours of the calendars with that region, for tickets from now on; clocks that exist keep the hours they were made with.';
COMMENT ON COLUMN sla.holiday.region IS 'Where: capital letters and digits, parts joined by "-", after ISO 3166-2. A holiday of DE is one of DE-BY too.';
COMMENT ON COLUMN sla.holiday.day IS 'When.';
COMMENT ON COLUMN sla.holiday.name IS 'Name for people; NULL: not said.';

-- Two transactions, one adding a holiday and one a calendar, cannot see each
-- other: this row makes the second wait for the first, or, where its snapshot
-- is older than that, fail.
CREATE TABLE sla.holiday_revision (
    id          boolean PRIMARY KEY DEFAULT true CHECK (id),
    revision    bigint NOT NULL DEFAULT 1
);
COMMENT ON TABLE sla.holiday_revision IS 'Internal: the one row that changes of holidays, and of calendars that may depend on them, update first.';
COMMENT ON COLUMN sla.holiday_revision.id IS 'True, so that there is one row.';
COMMENT ON COLUMN sla.holiday_revision.revision IS 'Counts these changes.';

GRANT SELECT ON sla.holiday, sla.holiday_revision TO PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('sla.holiday', '');

CREATE FUNCTION sla.lock_holidays() RETURNS void
    LANGUAGE plpgsql VOLATILE
    SET search_path TO pg_catalog, pg_temp
    AS $$
BEGIN
    -- TRUNCATE has locked the table before it comes here: keep that order.
    LOCK TABLE sla.holiday IN ACCESS SHARE MODE;
    INSERT INTO sla.holiday_revision AS r DEFAULT VALUES
        ON CONFLICT (id) DO UPDATE SET revision = r.revision + 1;
END
$$;
COMMENT ON FUNCTION sla.lock_holidays() IS 'Internal: waits for other transactions that change holidays, or calendars that depend on them, and keeps them waiting until the end of this one.';
REVOKE EXECUTE ON FUNCTION sla.lock_holidays() FROM PUBLIC;

CREATE FUNCTION sla.hours_in_regions(hours sla.business_hours, regions text[]) RETURNS sla.business_hours
    LANGUAGE plpgsql STABLE STRICT
    SET search_path TO pg_catalog, pg_temp
    AS $$
BEGIN
    -- hours that cannot have holidays are refused before there are any
    PERFORM sla.with_holidays(hours, '{2000-01-01}');
    RETURN sla.with_holidays(hours, ARRAY(SELECT h.day FROM sla.holiday h WHERE h.region = ANY (sla.regions_around(regions))));
END
$$;
COMMENT ON FUNCTION sla.hours_in_regions(sla.business_hours, text[]) IS 'Internal: the hours, closed on the holidays of regions; a date for which the hours say something themselves keeps it.';

CREATE FUNCTION sla.holiday_refused() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO pg_catalog, pg_temp
    AS $$
BEGIN
    IF NOT sla.is_region(NEW.region) THEN
        PERFORM sla.refuse_region(NEW.region);
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'datetime_field_overflow',
        MESSAGE = 'holiday out of range',
        DETAIL = 'Holidays lie in the years 0001 to 9999.';
END
$$;
COMMENT ON FUNCTION sla.holiday_refused() IS 'Internal: says what is wrong with a holiday.';
REVOKE EXECUTE ON FUNCTION sla.holiday_refused() FROM PUBLIC;

CREATE TRIGGER holiday_refused BEFORE INSERT OR UPDATE ON sla.holiday
    FOR EACH ROW WHEN (NOT sla.is_region(NEW.region) OR NEW.day NOT BETWEEN '0001-01-01' AND '9999-12-31')
    EXECUTE FUNCTION sla.holiday_refused();

-- By statement, so that a set is loaded at once, and only the calendars that
-- it concerns.
CREATE FUNCTION sla.holidays_written() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    changed text[];
BEGIN
    -- The calendars of a dump come with the hours they had.
    IF sla.is_restoring() THEN
        RETURN NULL;
    END IF;
    CASE TG_OP
    WHEN 'INSERT' THEN
        changed := ARRAY(SELECT DISTINCT a.region FROM added a);
    WHEN 'DELETE' THEN
        changed := ARRAY(SELECT DISTINCT r.region FROM removed r);
    WHEN 'UPDATE' THEN
        changed := ARRAY(SELECT coalesce(a.region, r.region)
                         FROM added a FULL JOIN removed r ON r.region = a.region AND r.day = a.day
                         WHERE a.day IS NULL OR r.day IS NULL);
    ELSE
        NULL;                   -- TRUNCATE: all
    END CASE;
    IF changed = '{}' THEN
        RETURN NULL;
    END IF;
    PERFORM sla.lock_holidays();
    UPDATE sla.calendar c SET hours = c.hours
        WHERE c.regions <> '{}' AND (changed IS NULL OR sla.regions_around(c.regions) && changed);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION sla.holidays_written() IS 'Internal: brings calendars up to date with the holidays of their regions.';
REVOKE EXECUTE ON FUNCTION sla.holidays_written() FROM PUBLIC;

CREATE TRIGGER holidays_inserted AFTER INSERT ON sla.holiday REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION sla.holidays_written();
CREATE TRIGGER holidays_updated AFTER UPDATE ON sla.holiday REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION sla.holidays_written();
CREATE TRIGGER holidays_deleted AFTER DELETE ON sla.holiday REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION sla.holidays_written();
CREATE TRIGGER holidays_truncated AFTER TRUNCATE ON sla.holiday
    FOR EACH STATEMENT EXECUTE FUNCTION sla.holidays_written();
