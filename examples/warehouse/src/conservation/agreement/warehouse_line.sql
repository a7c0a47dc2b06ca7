-- Each line of the manifest brought as many units as it says, and the run counts the lines of both files.
SELECT 'warehouse_line' AS table_name, 'line of the manifest' AS fact, manifest_line::text AS id,
       count(*) || ' units' AS detail, 1 AS n
FROM quickintakez_unit
GROUP BY manifest_line
UNION ALL
SELECT 'warehouse_line', 'line of the manifest', line::text, quantity || ' units', -1
FROM warehouse_line
WHERE kind = 'product'
