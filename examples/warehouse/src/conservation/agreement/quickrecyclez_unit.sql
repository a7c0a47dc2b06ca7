-- Each recycled unit was marked once, and each full container was certified once.
SELECT 'quickrecyclez_unit' AS table_name, 'item.marked_for_recycling' AS fact, item_id AS id,
       batch_id AS detail, 1 AS n
FROM quickrecyclez_unit
UNION ALL
SELECT 'quickrecyclez_unit', event_type, data ->> 'itemId', data ->> 'batchId', -1
FROM event_store
WHERE event_type = 'item.marked_for_recycling'
UNION ALL
SELECT 'quickrecyclez_unit', 'recycling.certificate_received', batch_id, '', 1
FROM quickrecyclez_unit
WHERE fills_batch
UNION ALL
SELECT 'quickrecyclez_unit', event_type, data ->> 'batchId', '', -1
FROM event_store
WHERE event_type = 'recycling.certificate_received'
