-- Each count is the number of events of that type.
SELECT 'quickinsightz_count' AS table_name, event_type AS fact, '' AS id, events || ' events' AS detail,
       1 AS n
FROM quickinsightz_count
UNION ALL
SELECT 'quickinsightz_count', event_type, '', count(*) || ' events', -1
FROM event_store
WHERE event_type LIKE 'item.%'
GROUP BY event_type
