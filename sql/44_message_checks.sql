-- What sla.attach_messages checks of its arguments, with what would do.

CREATE FUNCTION sla.check_messages_table(messages_table regclass, ticket_table regclass)
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    other regclass;
BEGIN
    PERFORM sla.check_own_table('messages_table', messages_table);
    PERFORM sla.check_own_table('ticket_table', ticket_table);
    IF messages_table = ticket_table THEN
        RAISE EXCEPTION 'table % cannot have the messages about its own rows', messages_table
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF NOT EXISTS (SELECT FROM sla.attachment a WHERE a.ticket_table = check_messages_table.ticket_table AND a.detached_at IS NULL) THEN
        RAISE EXCEPTION 'table % is not attached', ticket_table
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Call sla.attach for the table of tickets first; of a partitioned one for the table itself.';
    END IF;
    SELECT m.messages_table INTO other FROM sla.message_attachment m
        WHERE m.detached_at IS NULL
            AND (m.messages_table = check_messages_table.messages_table
                OR m.messages_table IN (SELECT p.relid FROM pg_partition_ancestors(check_messages_table.messages_table) p)
                OR m.messages_table IN (SELECT p.relid FROM pg_partition_tree(check_messages_table.messages_table) p));
    IF FOUND THEN
        RAISE EXCEPTION 'table % is attached already', other
            USING ERRCODE = 'duplicate_object',
                HINT = 'Call sla.detach_messages first to attach it in another way.';
    END IF;
END
$$;
COMMENT ON FUNCTION sla.check_messages_table(regclass, regclass) IS 'Internal, a check of sla.attach_messages: raises 42809 for what is no table, 42501 for one that the caller does not own, 55000 when the table of tickets is not attached, 42710 when that of messages is.';

CREATE FUNCTION sla.check_message_column(messages_table regclass, role text, column_name text, timestamps_in text)
    RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    type constant regtype := sla.role_column_type(messages_table, column_name);
    category "char";
BEGIN
    IF column_name IS NULL THEN
        RETURN;
    ELSIF type IS NULL THEN
        RAISE EXCEPTION 'column "%" of table % does not exist', column_name, messages_table
            USING ERRCODE = 'undefined_column',
                HINT = format('It was named as %s.', role);
    ELSIF EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = messages_table AND a.attname = column_name
        AND a.attgenerated NOT IN ('', 's'))
    THEN
        RAISE EXCEPTION 'column "%" of table % has no stored value and cannot be %', column_name, messages_table, role
            USING ERRCODE = 'generated_always',
                HINT = 'Name a column it is generated from.';
    ELSIF role = 'at' THEN
        IF type = 'timestamptz'::regtype OR type = 'timestamp'::regtype AND timestamps_in IS NOT NULL THEN
            RETURN;
        END IF;
        RAISE EXCEPTION 'column "%" of table % has type %, which cannot be %', column_name, messages_table, type, role
            USING ERRCODE = 'datatype_mismatch',
                HINT = CASE WHEN type = 'timestamp'::regtype
                    THEN 'Say what zone its times are in, as in timestamps_in => ''UTC'', or make it timestamp with time zone.'
                    ELSE 'It must be timestamp with time zone, or timestamp without time zone and timestamps_in say what zone it is in.' END;
    ELSIF role = 'internal' THEN
        SELECT t.typcategory INTO category FROM pg_type t WHERE t.oid = type;
        IF category NOT IN ('B', 'S') AND type NOT IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) THEN
            RAISE EXCEPTION 'column "%" of table % has type %, which cannot be %', column_name, messages_table, type, role
                USING ERRCODE = 'datatype_mismatch',
                    HINT = 'Boolean, integer and text types can. For anything else tell what a public message has there: only_when => ''{"column": ["text"]}''.';
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION sla.check_message_column(regclass, text, text, text) IS 'Internal, a check of sla.attach_messages: raises 42703 when the table has no such column, 428C9 when it has no value of its own, 42804 when its type does not fit the role. NULL names are no columns and pass.';

CREATE FUNCTION sla.message_ticket_columns(messages_table regclass, ticket_table regclass, ticket text)
    RETURNS text[]
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    key constant text[] := (SELECT array_agg(k.name ORDER BY k.ord)
        FROM sla.attachment a CROSS JOIN LATERAL jsonb_array_elements_text(a.roles -> 'key') WITH ORDINALITY k(name, ord)
        WHERE a.ticket_table = message_ticket_columns.ticket_table AND a.detached_at IS NULL);
    columns text[];
    here record;
    there record;
BEGIN
    IF ticket IS NULL THEN
        RAISE EXCEPTION 'ticket must not be null'
            USING ERRCODE = 'null_value_not_allowed',
                HINT = 'Name the column that tells which ticket a message is about.';
    END IF;
    IF cardinality(key) = 1 THEN
        columns := ARRAY[ticket];
    ELSIF sla.input_problem(ticket, 'text[]') IS NULL THEN
        columns := ticket;
    END IF;
    IF columns IS NULL OR cardinality(columns) <> cardinality(key) OR array_position(columns, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'the key of table % has % columns', ticket_table, cardinality(key)
            USING ERRCODE = 'invalid_parameter_value',
                HINT = format('Name the columns for %s as an array: ticket => ''{..., ...}''.', array_to_string(key, ', '));
    END IF;
    FOR i IN 1 .. cardinality(key) LOOP
        PERFORM sla.check_message_column(messages_table, 'ticket', columns[i], NULL);
        SELECT t.oid::regtype AS type, t.typcategory = 'S' AS is_text,
               t.oid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) AS is_integer,
               (SELECT a.atttypmod FROM pg_attribute a WHERE a.attrelid = messages_table AND a.attname = columns[i]) AS length
            INTO here FROM pg_type t WHERE t.oid = sla.role_column_type(messages_table, columns[i]);
        SELECT t.oid::regtype AS type, t.typcategory = 'S' AS is_text,
               t.oid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) AS is_integer,
               (SELECT a.atttypmod FROM pg_attribute a WHERE a.attrelid = ticket_table AND a.attname = key[i]) AS length
            INTO there FROM pg_type t WHERE t.oid = sla.role_column_type(ticket_table, key[i]);
        -- they are compared by their texts; character(n) has blanks at the end
        IF NOT (here.type = there.type OR here.is_text OR there.is_text OR here.is_integer AND there.is_integer)
            OR 'bpchar'::regtype IN (here.type, there.type) AND (here.type, here.length) IS DISTINCT FROM (there.type, there.length)
        THEN
            RAISE EXCEPTION 'column "%" of table % cannot tell the "%" of a ticket', columns[i], messages_table, key[i]
                USING ERRCODE = 'datatype_mismatch',
                    HINT = format('One has type %s, the other %s.', format_type(here.type, here.length), format_type(there.type, there.length));
        END IF;
    END LOOP;
    RETURN columns;
END
$$;
COMMENT ON FUNCTION sla.message_ticket_columns(regclass, regclass, text) IS 'Internal, a check of sla.attach_messages: the columns with the key of the ticket, in the order of its key. Raises 42703, 22023 and 42804.';

CREATE FUNCTION sla.canonical_author_list(messages_table regclass, author text, argument text, texts text[])
    RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
AS $$
BEGIN
    IF texts IS NULL THEN
        RETURN NULL;
    ELSIF array_position(texts, NULL) IS NOT NULL THEN
        RAISE EXCEPTION '% must not list NULL', argument
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'A message without author counts for nothing.';
    END IF;
    RETURN coalesce((SELECT jsonb_agg(DISTINCT sla.column_text(messages_table, author, t.value, argument)) FROM unnest(texts) t(value)), '[]');
END
$$;
COMMENT ON FUNCTION sla.canonical_author_list(regclass, text, text, text[]) IS 'Internal, a check of sla.attach_messages: agent_when or customer_when as it is recorded. Raises 22023 when it is none.';

CREATE FUNCTION sla.canonical_message_filter(messages_table regclass, only_when jsonb)
    RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    entry record;
    texts jsonb;
    result jsonb := '{}';
BEGIN
    IF only_when IS NULL OR only_when = '{}' THEN
        RETURN NULL;
    ELSIF jsonb_typeof(only_when) <> 'object' THEN
        RAISE EXCEPTION 'only_when is no JSON object'
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Tell what columns of a message have: {"kind": ["reply", "note"], "deleted_at": [null]}.';
    END IF;
    FOR entry IN SELECT m.key, m.value FROM jsonb_each(only_when) m LOOP
        PERFORM sla.check_message_column(messages_table, 'only_when', entry.key, NULL);
        IF jsonb_typeof(entry.value) <> 'array' OR entry.value = '[]'
            OR EXISTS (SELECT FROM jsonb_array_elements(entry.value) e(v) WHERE jsonb_typeof(e.v) NOT IN ('string', 'null'))
        THEN
            RAISE EXCEPTION 'only_when must list texts of column "%"', entry.key
                USING ERRCODE = 'invalid_parameter_value',
                    HINT = 'As in {"kind": ["reply", "note"], "deleted_at": [null]}.';
        END IF;
        SELECT jsonb_agg(DISTINCT CASE WHEN e.v = 'null' THEN e.v
                ELSE to_jsonb(sla.column_text(messages_table, entry.key, e.v #>> '{}', 'only_when')) END)
            INTO texts FROM jsonb_array_elements(entry.value) e(v);
        result := result || jsonb_build_object(entry.key, texts);
    END LOOP;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sla.canonical_message_filter(regclass, jsonb) IS 'Internal, a check of sla.attach_messages: only_when as it is recorded. Raises 42703 and 22023 when it is none.';

CREATE FUNCTION sla.canonical_message_options(
    messages_table regclass,
    author text,
    agent_when text[],
    customer_when text[],
    customer text,
    only_when jsonb,
    timestamps_in text)
    RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO pg_catalog, pg_temp
AS $$
DECLARE
    options jsonb;
    twice text;
BEGIN
    IF customer IS NOT NULL AND (agent_when IS NOT NULL OR customer_when IS NOT NULL) THEN
        RAISE EXCEPTION 'customer and lists of authors exclude each other'
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Either the ticket names its customer, or agent_when and customer_when tell who is what.';
    ELSIF customer IS NULL AND agent_when IS NULL AND customer_when IS NULL THEN
        RAISE EXCEPTION 'agent_when, customer_when and customer must not all be null'
            USING ERRCODE = 'null_value_not_allowed',
                HINT = 'Tell which authors are agents or customers, or name the column of the ticket that has its customer. customer_when => ''{}'' makes all authors agents.';
    ELSIF cardinality(agent_when) = 0 AND coalesce(cardinality(customer_when), 1) = 0 THEN
        RAISE EXCEPTION 'agent_when and customer_when must not both be empty'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    options := jsonb_strip_nulls(jsonb_build_object(
        'agent_when', sla.canonical_author_list(messages_table, author, 'agent_when', agent_when),
        'customer_when', sla.canonical_author_list(messages_table, author, 'customer_when', customer_when)));
    SELECT min(t.value) INTO twice
    FROM jsonb_array_elements_text(options -> 'agent_when') t(value)
    WHERE options -> 'customer_when' ? t.value;
    IF twice IS NOT NULL THEN
        RAISE EXCEPTION 'author "%" cannot be both agent and customer', twice
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    only_when := sla.canonical_message_filter(messages_table, only_when);
    RETURN options
        || CASE WHEN only_when IS NULL THEN '{}' ELSE jsonb_build_object('only_when', only_when) END
        || sla.canonical_options(messages_table, NULL, NULL, NULL, NULL, NULL, timestamps_in, NULL);
END
$$;
COMMENT ON FUNCTION sla.canonical_message_options(regclass, text, text[], text[], text, jsonb, text) IS 'Internal, a check of sla.attach_messages: what sla.message_attachment.options is to be. Raises 22004 and 22023 when an argument is wrong.';
