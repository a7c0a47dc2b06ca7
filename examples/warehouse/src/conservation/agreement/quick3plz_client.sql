-- Each client was taken on once.
SELECT 'quick3plz_client' AS table_name, 'threepl.client_onboarded' AS fact, client_id AS id, '' AS detail,
       1 AS n
FROM quick3plz_client
UNION ALL
SELECT 'quick3plz_client', event_type, data ->> 'clientId', '', -1
FROM event_store
WHERE event_type = 'threepl.client_onboarded'
