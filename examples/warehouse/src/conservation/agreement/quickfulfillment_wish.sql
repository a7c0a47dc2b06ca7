-- Each wish is a line of the input.
SELECT 'quickfulfillment_wish' AS table_name, 'line of the orders' AS fact, order_id AS id,
       'order' AS detail, 1 AS n
FROM quickfulfillment_wish
UNION ALL
SELECT 'quickfulfillment_wish', 'line of the orders', reference, kind, -1
FROM warehouse_line
WHERE kind = 'order'
