-- Each order was created and, step by step, paid, picked, shipped and delivered, each once.
SELECT 'quickfulfillment_order' AS table_name, said.fact, order_id AS id, said.detail, 1 AS n
FROM quickfulfillment_order
CROSS JOIN LATERAL (VALUES
    ('order.created', 'created', total_cents || ' cents'),
    ('order.payment_received', 'shipped', total_cents || ' cents'),
    ('order.picking_started', 'shipped', ''),
    ('order.shipped', 'shipped', ''),
    ('order.delivered', 'delivered', '')
) AS said (fact, since, detail)
WHERE array_position(ARRAY['created', 'shipped', 'delivered'], said.since)
   <= array_position(ARRAY['created', 'shipped', 'delivered'], status)
UNION ALL
SELECT 'quickfulfillment_order', event_type, data ->> 'orderId',
       coalesce((coalesce(data ->> 'total', data ->> 'amount')::numeric * 100)::int || ' cents', ''), -1
FROM event_store
WHERE event_type IN ('order.created', 'order.payment_received', 'order.picking_started',
                     'order.shipped', 'order.delivered')
