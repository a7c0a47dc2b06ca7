-- There is one run, and it counts the lines of its input.
SELECT 'warehouse_run' AS table_name, 'lines of the input' AS fact, '' AS id, count(*) || ' lines' AS detail,
       1 AS n
FROM warehouse_line
UNION ALL
SELECT 'warehouse_run', 'lines of the input', '', input_lines || ' lines', -1
FROM warehouse_run
