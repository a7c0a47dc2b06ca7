-- Each part was put on the shelf once.
SELECT 'quickrefurbz_part' AS table_name, 'parts.received' AS fact, part_id AS id, source_item AS detail,
       1 AS n
FROM quickrefurbz_part
UNION ALL
SELECT 'quickrefurbz_part', event_type, data ->> 'partId', data ->> 'sourceItemId', -1
FROM event_store
WHERE event_type = 'parts.received'
