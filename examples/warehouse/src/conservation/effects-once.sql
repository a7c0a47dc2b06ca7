-- No event has had the same effect twice, and each effect has its cause.
SELECT 'event ' || causation_id || ' had its effect ' || count(*) || ' times: ' || event_type || ' of '
       || subject AS problem
FROM event_store
WHERE causation_id IS NOT NULL
GROUP BY causation_id, source, event_type, subject, data
HAVING count(*) > 1
UNION ALL
SELECT event_type || ' of ' || subject || ' was caused by ' || causation_id || ', which is not in event_store'
FROM event_store AS effect
WHERE causation_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM event_store AS cause WHERE cause.event_id = effect.causation_id)
