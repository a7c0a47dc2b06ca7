-- Each listing was created, published and listed at one price, and sold at most once; a
-- consignor was told so once.
SELECT 'quicklistz_listing' AS table_name, said.fact, item_id AS id, said.detail, 1 AS n
FROM quicklistz_listing
CROSS JOIN LATERAL (VALUES
    ('listing.created', price_cents || ' cents'),
    ('listing.published', price_cents || ' cents'),
    ('item.listed', price_cents || ' cents'),
    ('item.sold', sold_cents || ' cents for ' || order_id),
    ('consignment.item_sold', CASE WHEN consignor_id IS NOT NULL THEN sold_cents || ' cents for ' || order_id END)
) AS said (fact, detail)
WHERE said.detail IS NOT NULL
UNION ALL
SELECT 'quicklistz_listing', event_type, data ->> 'itemId',
       (coalesce(data ->> 'salePrice', data ->> 'price')::numeric * 100)::int || ' cents'
           || coalesce(' for ' || (data ->> 'orderId'), ''), -1
FROM event_store
WHERE event_type IN ('listing.created', 'listing.published', 'item.listed', 'item.sold',
                     'consignment.item_sold')
