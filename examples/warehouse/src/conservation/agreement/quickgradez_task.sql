-- Each task was created, completed and graded once; what has a price was released for listing once.
SELECT 'quickgradez_task' AS table_name, said.fact, item_id AS id, said.detail, 1 AS n
FROM quickgradez_task
CROSS JOIN LATERAL (VALUES
    ('grading.task_created', task_id),
    ('grading.task_completed', task_id),
    ('item.graded', grade),
    ('item.ready_for_listing', price_cents || ' cents')
) AS said (fact, detail)
WHERE said.detail IS NOT NULL
UNION ALL
SELECT 'quickgradez_task', event_type, data ->> 'itemId',
       CASE event_type
           WHEN 'item.graded' THEN data ->> 'grade'
           WHEN 'item.ready_for_listing' THEN ((data ->> 'recommendedPrice')::numeric * 100)::int || ' cents'
           ELSE data ->> 'taskId'
       END, -1
FROM event_store
WHERE event_type IN
    ('grading.task_created', 'grading.task_completed', 'item.graded', 'item.ready_for_listing')
