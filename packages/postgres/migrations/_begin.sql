-- Helpers for the migrations of one run. They live in the session's temporary schema and are gone
-- after it. The migrations' own objects are made in the schema that is first on the search path.

SET LOCAL search_path TO :"schema";

-- Who may do what with the objects that are dropped to be created again.
CREATE TEMPORARY TABLE waybill_saved_grants (
    kind TEXT NOT NULL,  -- TABLE (a view), SEQUENCE or ROUTINE
    schema_name TEXT NOT NULL,
    object_name TEXT NOT NULL,
    owner OID NOT NULL,
    acl ACLITEM[] NOT NULL
) ON COMMIT DROP;

-- Stops the run with the names of what is in the way.
CREATE OR REPLACE FUNCTION pg_temp.waybill_refuse(p_message TEXT, p_objects TEXT[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(p_objects) > 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'WB001',
            MESSAGE = p_message || ': ' || array_to_string(p_objects, ', '),
            DETAIL = array_to_json(p_objects)::TEXT;
    END IF;
END $$;

-- Names the views that use a relation, or one of the given columns of it.
CREATE OR REPLACE FUNCTION pg_temp.waybill_views_on(p_relation REGCLASS, p_columns TEXT[])
RETURNS TEXT[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(DISTINCT format('%I.%I', n.nspname, v.relname)), '{}')
    FROM pg_depend d
    JOIN pg_rewrite r ON r.oid = d.objid
    JOIN pg_class v ON v.oid = r.ev_class
    JOIN pg_namespace n ON n.oid = v.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_rewrite'::REGCLASS
      AND d.refclassid = 'pg_class'::REGCLASS
      AND d.refobjid = p_relation
      AND v.oid <> p_relation
      AND (p_columns IS NULL OR a.attname = ANY (p_columns))
$$;

-- Stops when somebody else's views or foreign keys hold on to columns whose type must change.
CREATE OR REPLACE FUNCTION pg_temp.waybill_assert_free(p_table REGCLASS, p_columns TEXT[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.waybill_refuse(
        format('columns of %s change their type, and these depend on them; drop them, migrate, create them again', p_table),
        pg_temp.waybill_views_on(p_table, p_columns) || ARRAY(
            SELECT format('%s.%I', c.conrelid::REGCLASS, c.conname)
            FROM pg_constraint c
            WHERE c.contype = 'f'
              AND c.confrelid = p_table
              AND EXISTS (
                  SELECT FROM pg_attribute a
                  WHERE a.attrelid = p_table AND a.attnum = ANY (c.confkey) AND a.attname = ANY (p_columns)
              )
        )
    );
END $$;

-- Keeps the grants of a view or sequence that is about to be dropped.
CREATE OR REPLACE FUNCTION pg_temp.waybill_save_grants(p_kind TEXT, p_relation REGCLASS)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO pg_temp.waybill_saved_grants
    SELECT p_kind, n.nspname, c.relname, c.relowner, c.relacl
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = p_relation AND c.relacl IS NOT NULL
$$;

-- Drops a view of ours, if it is there, and keeps its grants.
CREATE OR REPLACE FUNCTION pg_temp.waybill_drop_view(p_schema TEXT, p_view TEXT)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_name TEXT := format('%I.%I', p_schema, p_view);
    v_class pg_class;
BEGIN
    SELECT c.* INTO v_class FROM pg_class c WHERE c.oid = to_regclass(v_name) AND c.relkind = 'v';
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM pg_temp.waybill_refuse(
        format('the view %s is replaced, and these depend on it; drop them, migrate, create them again', v_name),
        pg_temp.waybill_views_on(v_class.oid, NULL)
    );
    PERFORM pg_temp.waybill_save_grants('TABLE', v_class.oid);
    EXECUTE format('DROP VIEW %s', v_name);
END $$;

-- Drops every overload of a function of ours and keeps the grants of each for its successors.
CREATE OR REPLACE FUNCTION pg_temp.waybill_drop_function(p_schema TEXT, p_function TEXT)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_function RECORD;
BEGIN
    FOR v_function IN
        SELECT p.oid::REGPROCEDURE AS signature, p.proowner, p.proacl
        FROM pg_proc p
        JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = p_schema AND p.proname = p_function
    LOOP
        IF v_function.proacl IS NOT NULL THEN
            INSERT INTO pg_temp.waybill_saved_grants
            VALUES ('ROUTINE', p_schema, p_function, v_function.proowner, v_function.proacl);
        END IF;
        EXECUTE format('DROP ROUTINE %s', v_function.signature);
    END LOOP;
END $$;
