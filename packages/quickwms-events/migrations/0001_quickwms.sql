-- What the warehouse adds to the event store: the item and the warehouse that an event is about.

SELECT pg_temp.waybill_drop_function(:'schema', 'get_item_lifecycle');

ALTER TABLE :"event_store"
    ADD COLUMN IF NOT EXISTS qlid VARCHAR(9),
    ADD COLUMN IF NOT EXISTS warehouse_id VARCHAR(255);

CREATE INDEX IF NOT EXISTS idx_event_store_qlid ON :"event_store" (qlid);

-- The engine's columns first, in its order: a view can only be extended at the end.
CREATE OR REPLACE VIEW recent_events AS
SELECT sequence_number, event_id, event_type, source, subject, correlation_id, causation_id, user_id,
       version, data, metadata, created_at, qlid, warehouse_id
FROM :"event_store"
WHERE created_at > NOW() - INTERVAL '24 hours'
ORDER BY sequence_number DESC;

-- Everything that has happened to one item, oldest first.
CREATE FUNCTION get_item_lifecycle(p_qlid TEXT)
RETURNS SETOF :"event_store" LANGUAGE sql STABLE AS $$
    SELECT * FROM :"schema".:"event_store" WHERE qlid = p_qlid ORDER BY sequence_number
$$;
