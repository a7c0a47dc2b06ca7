-- Each client's unit was received once; one that left was asked for and sent once.
SELECT 'quick3plz_unit' AS table_name, said.fact, item_id AS id, said.detail, 1 AS n
FROM quick3plz_unit
CROSS JOIN LATERAL (VALUES
    ('item.received', client_id),
    ('threepl.order_submitted', order_id),
    ('threepl.order_fulfilled', order_id)
) AS said (fact, detail)
WHERE said.detail IS NOT NULL
UNION ALL
SELECT 'quick3plz_unit', event_type, subject, coalesce(data ->> 'orderId', data ->> 'clientId'), -1
FROM event_store
WHERE event_type IN ('threepl.order_submitted', 'threepl.order_fulfilled')
   OR (event_type = 'item.received' AND data ? 'clientId')
