-- Gives back what was granted on the objects that were created again. A function's
-- successors are all its overloads; where PUBLIC had lost its right to call it, it loses it again.
DO $$
DECLARE
    v_target RECORD;
    v_grant RECORD;
BEGIN
    FOR v_target IN
        SELECT s.kind, s.owner, s.acl, c.oid::REGCLASS::TEXT AS name
        FROM pg_temp.waybill_saved_grants s
        JOIN pg_namespace n ON n.nspname = s.schema_name
        JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.object_name AND s.kind <> 'ROUTINE'
        UNION ALL
        SELECT s.kind, s.owner, s.acl, p.oid::REGPROCEDURE::TEXT
        FROM pg_temp.waybill_saved_grants s
        JOIN pg_namespace n ON n.nspname = s.schema_name
        JOIN pg_proc p ON p.pronamespace = n.oid AND p.proname = s.object_name AND s.kind = 'ROUTINE'
    LOOP
        IF v_target.kind = 'ROUTINE' THEN
            EXECUTE format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', v_target.name);
        END IF;
        FOR v_grant IN SELECT * FROM aclexplode(v_target.acl) WHERE grantee <> v_target.owner LOOP
            EXECUTE format(
                'GRANT %s ON %s %s TO %s%s',
                v_grant.privilege_type,
                v_target.kind,
                v_target.name,
                CASE v_grant.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(v_grant.grantee)) END,
                CASE WHEN v_grant.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
            );
        END LOOP;
    END LOOP;
END $$;

DROP TABLE pg_temp.waybill_saved_grants;
DROP FUNCTION pg_temp.waybill_drop_view(TEXT, TEXT);
DROP FUNCTION pg_temp.waybill_drop_function(TEXT, TEXT);
DROP FUNCTION pg_temp.waybill_save_grants(TEXT, REGCLASS);
DROP FUNCTION pg_temp.waybill_assert_free(REGCLASS, TEXT[]);
DROP FUNCTION pg_temp.waybill_views_on(REGCLASS, TEXT[]);
DROP FUNCTION pg_temp.waybill_refuse(TEXT, TEXT[]);
