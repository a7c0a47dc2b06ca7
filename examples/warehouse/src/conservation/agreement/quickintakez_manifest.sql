-- Each manifest was created, received and, with its last unit on a pallet, completed; it counts its units.
SELECT 'quickintakez_manifest' AS table_name, said.fact, manifest_id AS id, said.detail, 1 AS n
FROM quickintakez_manifest
CROSS JOIN LATERAL (VALUES
    ('manifest.created', expected_units || ' units'),
    ('manifest.received', ''),
    ('manifest.completed', CASE WHEN units_put_away = expected_units THEN expected_units || ' units' END),
    ('item.received', expected_units || ' units')
) AS said (fact, detail)
WHERE said.detail IS NOT NULL
UNION ALL
SELECT 'quickintakez_manifest', event_type, data ->> 'manifestId',
       coalesce(coalesce(data ->> 'expectedItems', data ->> 'totalItems') || ' units', ''), -1
FROM event_store
WHERE event_type IN ('manifest.created', 'manifest.received', 'manifest.completed')
UNION ALL
SELECT 'quickintakez_manifest', event_type, data ->> 'manifestId', count(*) || ' units', -1
FROM event_store
WHERE event_type = 'item.received'
GROUP BY event_type, data ->> 'manifestId'
