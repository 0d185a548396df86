-- How far accounts are cut off, and what that forbids.

CREATE FUNCTION sla.restriction(account text, service text DEFAULT NULL, as_of timestamptz DEFAULT now(), known_at timestamptz DEFAULT 'infinity')
    RETURNS sla.restriction_level
    LANGUAGE c STABLE PARALLEL UNSAFE COST 500
    AS 'MODULE_PATHNAME', 'slapolicy_restriction';
COMMENT ON FUNCTION sla.restriction(text, text, timestamptz, timestamptz) IS 'The level of an account at as_of, as far as known at known_at: that of the earliest bill that was overdue and unsettled then, by the rule of its policy in force at as_of, or that of an override. service: what is asked about, where the rule goes by service; NULL: the account as a whole. An account that is NULL or has no bills is not restricted. known_at is about bills and overrides: versions of policies and calendars do not tell when they were recorded, so that one loaded into the past counts at any known_at. Needs no rights on the ledger, so EXECUTE is for whom the owner grants it. Raises 22008 when as_of is not finite.';
REVOKE EXECUTE ON FUNCTION sla.restriction(text, text, timestamptz, timestamptz) FROM PUBLIC;

CREATE FUNCTION sla.restriction_history(account text, service text DEFAULT NULL, from_at timestamptz DEFAULT '-infinity',
        to_at timestamptz DEFAULT now(), known_at timestamptz DEFAULT 'infinity')
    RETURNS TABLE (level sla.restriction_level, since timestamptz, until timestamptz, policy text, invoice_table sla.attached_table,
        invoice text, invoice_service text, due date, lasting boolean, override_id int)
    LANGUAGE c STABLE PARALLEL UNSAFE COST 5000
    AS 'MODULE_PATHNAME', 'slapolicy_restriction_history';
COMMENT ON FUNCTION sla.restriction_history(text, text, timestamptz, timestamptz, timestamptz) IS 'The levels that an account had between two instants, as far as known at known_at, computed from its bills: each with the instant since when, and until when (NULL: still so at to_at), the policy whose rule it is, the earliest overdue bill, whether it is a termination that lasts until all is settled, and the override if it is one. The first may have begun before from_at. sla.restriction says the same of each instant. After now it says what becomes of an account that pays nothing. Raises 22008 when to_at is not finite.';
REVOKE EXECUTE ON FUNCTION sla.restriction_history(text, text, timestamptz, timestamptz, timestamptz) FROM PUBLIC;

CREATE FUNCTION sla.explain_restriction(account text, service text DEFAULT NULL, as_of timestamptz DEFAULT now(), known_at timestamptz DEFAULT 'infinity')
    RETURNS TABLE (step int, kind text, level sla.restriction_level, since timestamptz, policy text, invoice_table sla.attached_table,
        invoice text, invoice_service text, due date, days int, open numeric, note text)
    LANGUAGE c STABLE PARALLEL UNSAFE COST 5000
    AS 'MODULE_PATHNAME', 'slapolicy_explain_restriction';
COMMENT ON FUNCTION sla.explain_restriction(text, text, timestamptz, timestamptz) IS 'Why an account has its level at as_of, as far as known at known_at. First a row of kind level, with the rule; if there is a level, one of kind lifted by, which says what would lift it; then the bills open at that instant, of kind invoice, in the order in which they were due: the level each has by itself and since when, the days it is overdue and what is open of it. Raises 22008 when as_of is not finite.';
REVOKE EXECUTE ON FUNCTION sla.explain_restriction(text, text, timestamptz, timestamptz) FROM PUBLIC;

CREATE FUNCTION sla.is_allowed(account text, action text, as_of timestamptz DEFAULT now(), security_release boolean DEFAULT false, service text DEFAULT NULL)
    RETURNS boolean
    LANGUAGE c STABLE PARALLEL UNSAFE COST 500
    AS 'MODULE_PATHNAME', 'slapolicy_is_allowed';
COMMENT ON FUNCTION sla.is_allowed(text, text, timestamptz, boolean, text) IS 'May an account do something at as_of, as far as known now? The rule of its policy says from which level an action is refused, at termination if it does not list it, and which are allowed below that for a critical security release. True for an account that is NULL or has no bills. Whether tickets are let in is the policy''s restricted_accounts. Needs no rights on the ledger, so EXECUTE is for whom the owner grants it. Raises 22004 without an action, 22008 when as_of is not finite.';
REVOKE EXECUTE ON FUNCTION sla.is_allowed(text, text, timestamptz, boolean, text) FROM PUBLIC;

CREATE FUNCTION sla.override_restriction(account text, service text, level sla.restriction_level, reason text,
        until timestamptz DEFAULT 'infinity', author text DEFAULT current_user, starts timestamptz DEFAULT statement_timestamp(),
        recorded_at timestamptz DEFAULT statement_timestamp()) RETURNS int
    LANGUAGE plpgsql VOLATILE
    SET search_path TO pg_catalog, pg_temp
    AS $$
#variable_conflict use_variable
DECLARE
    new_id int;
    too_long constant text := CASE WHEN octet_length(account) > 1000 THEN 'account' WHEN octet_length(service) > 1000 THEN 'service' END;
BEGIN
    IF too_long IS NOT NULL THEN
        RAISE EXCEPTION '% is longer than 1000 bytes', too_long
            USING ERRCODE = 'check_violation', HINT = 'Bills cannot name one that is.';
    ELSIF account = '' OR service = '' THEN
        RAISE EXCEPTION '% must not be empty', CASE WHEN account = '' THEN 'account' ELSE 'service' END
            USING ERRCODE = 'check_violation';
    ELSIF starts >= until THEN
        RAISE EXCEPTION 'an override must end after it starts'
            USING ERRCODE = 'invalid_parameter_value',
                DETAIL = format('It starts at %s and is until %s.', starts, until),
                HINT = 'starts is now if it is not given, until is infinity: until it is revoked.';
    END IF;
    INSERT INTO sla.restriction_override (account, service, level, reason, author, starts, until, recorded_at, next_change_at)
        VALUES (account, service, level, reason, author, starts, until, recorded_at, greatest(starts, recorded_at))
        RETURNING restriction_override.id INTO new_id;
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION sla.override_restriction(text, text, sla.restriction_level, text, timestamptz, text, timestamptz, timestamptz) IS 'Gives an account a level whatever its bills say, for a service or, if that is NULL, for all, and returns sla.restriction_override.id. For whoever may insert into sla.restriction_override. Raises 23502 without account, level, reason or author, 23514 when one is blank, or account or service is empty or longer than 1000 bytes, 22023 when until is not after starts.';
REVOKE EXECUTE ON FUNCTION sla.override_restriction(text, text, sla.restriction_level, text, timestamptz, text, timestamptz, timestamptz) FROM PUBLIC;

CREATE FUNCTION sla.revoke_override(override_id int, reason text, author text DEFAULT current_user,
        at timestamptz DEFAULT statement_timestamp(), recorded_at timestamptz DEFAULT statement_timestamp()) RETURNS int
    LANGUAGE plpgsql VOLATILE
    SET search_path TO pg_catalog, pg_temp
    AS $$
DECLARE
    new_id int;
BEGIN
    INSERT INTO sla.restriction_override (account, service, reason, author, starts, until, recorded_at, revokes, next_change_at)
        SELECT o.account, o.service, revoke_override.reason, revoke_override.author, at, 'infinity', revoke_override.recorded_at, o.id,
               greatest(at, revoke_override.recorded_at)
        FROM sla.restriction_override o
        WHERE o.id = override_id AND o.revokes IS NULL
        RETURNING id INTO new_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no override %', override_id USING ERRCODE = 'undefined_object';
    END IF;
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION sla.revoke_override(int, text, text, timestamptz, timestamptz) IS 'Ends an override at an instant, with a row of its own whose id is returned. For whoever may read sla.restriction_override and insert into it. Raises 42704 when there is no such override.';
REVOKE EXECUTE ON FUNCTION sla.revoke_override(int, text, text, timestamptz, timestamptz) FROM PUBLIC;
