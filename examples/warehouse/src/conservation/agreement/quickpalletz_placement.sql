-- Each unit was put on one pallet.
SELECT 'quickpalletz_placement' AS table_name, 'item.assigned_to_pallet' AS fact, item_id AS id,
       pallet_id AS detail, 1 AS n
FROM quickpalletz_placement
UNION ALL
SELECT 'quickpalletz_placement', event_type, data ->> 'itemId', data ->> 'palletId', -1
FROM event_store
WHERE event_type = 'item.assigned_to_pallet'
