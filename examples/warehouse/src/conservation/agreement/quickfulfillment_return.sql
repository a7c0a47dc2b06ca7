-- Each unit that went back to its consignor went back once.
SELECT 'quickfulfillment_return' AS table_name, 'consignment.item_returned' AS fact, item_id AS id,
       consignor_id AS detail, 1 AS n
FROM quickfulfillment_return
UNION ALL
SELECT 'quickfulfillment_return', event_type, data ->> 'itemId', data ->> 'consignorId', -1
FROM event_store
WHERE event_type = 'consignment.item_returned'
