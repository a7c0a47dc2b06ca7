-- Each request to release a unit is a line of the input.
SELECT 'quick3plz_release' AS table_name, 'line of the orders' AS fact, order_id AS id,
       'release' AS detail, 1 AS n
FROM quick3plz_release
UNION ALL
SELECT 'quick3plz_release', 'line of the orders', reference, kind, -1
FROM warehouse_line
WHERE kind = 'release'
