-- Each job was created and completed once; a unit with a new grade was refurbished once.
SELECT 'quickrefurbz_job' AS table_name, said.fact, item_id AS id, said.detail, 1 AS n
FROM quickrefurbz_job
CROSS JOIN LATERAL (VALUES
    ('refurb.job_created', job_id),
    ('refurb.job_completed', labor_minutes || ' minutes'),
    ('item.refurbished', new_grade)
) AS said (fact, detail)
WHERE said.detail IS NOT NULL
UNION ALL
SELECT 'quickrefurbz_job', event_type, data ->> 'itemId',
       CASE event_type
           WHEN 'refurb.job_created' THEN data ->> 'jobId'
           WHEN 'refurb.job_completed' THEN (data ->> 'laborMinutes') || ' minutes'
           ELSE data ->> 'newGrade'
       END, -1
FROM event_store
WHERE event_type IN ('refurb.job_created', 'refurb.job_completed', 'item.refurbished')
