-- Each unit was received once, under its own qlid.
SELECT 'quickintakez_unit' AS table_name, 'item.received' AS fact, item_id AS id, qlid AS detail, 1 AS n
FROM quickintakez_unit
UNION ALL
SELECT 'quickintakez_unit', event_type, data ->> 'itemId', qlid, -1
FROM event_store
WHERE event_type = 'item.received'
