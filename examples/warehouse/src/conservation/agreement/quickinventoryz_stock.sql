-- Each unit came into the stock once, and left it at most once, for one reason.
SELECT 'quickinventoryz_stock' AS table_name, said.fact, item_id AS id, said.detail, 1 AS n
FROM quickinventoryz_stock
CROSS JOIN LATERAL (VALUES
    ('inventory.item_added', sku),
    ('inventory.item_removed', removed_reason)
) AS said (fact, detail)
WHERE said.detail IS NOT NULL
UNION ALL
SELECT 'quickinventoryz_stock', event_type, data ->> 'itemId',
       coalesce(data ->> 'reason', data ->> 'sku'), -1
FROM event_store
WHERE event_type IN ('inventory.item_added', 'inventory.item_removed')
