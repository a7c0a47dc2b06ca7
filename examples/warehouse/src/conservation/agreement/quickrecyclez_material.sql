-- Each material counts the units that were marked for it.
SELECT 'quickrecyclez_material' AS table_name, 'item.marked_for_recycling' AS fact, material AS id,
       units || ' units' AS detail, 1 AS n
FROM quickrecyclez_material
UNION ALL
SELECT 'quickrecyclez_material', event_type, data ->> 'materialType', count(*) || ' units', -1
FROM event_store
WHERE event_type = 'item.marked_for_recycling'
GROUP BY event_type, data ->> 'materialType'
