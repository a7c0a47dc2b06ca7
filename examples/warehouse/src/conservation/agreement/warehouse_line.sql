-- Each line of the manifest brought as many units as it says; each line of the orders is with a service.
SELECT 'warehouse_line' AS table_name, 'line of the manifest' AS fact, manifest_line::text AS id,
       count(*) || ' units' AS detail, 1 AS n
FROM quickintakez_unit
GROUP BY manifest_line
UNION ALL
SELECT 'warehouse_line', 'line of the manifest', line::text, quantity || ' units', -1
FROM warehouse_line
WHERE kind = 'product'
UNION ALL
SELECT 'warehouse_line', 'line of the orders', taken.reference, taken.kind, 1
FROM (
    SELECT order_id, 'order' FROM quickfulfillment_wish
    UNION ALL
    SELECT bid_id, 'bid' FROM quickbidz_bid
    UNION ALL
    SELECT order_id, 'release' FROM quick3plz_release
) AS taken (reference, kind)
UNION ALL
SELECT 'warehouse_line', 'line of the orders', reference, kind, -1
FROM warehouse_line
WHERE kind <> 'product'
