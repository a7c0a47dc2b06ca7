-- Each pallet was created once, and moved once its manifest was complete.
SELECT 'quickpalletz_pallet' AS table_name, said.fact, pallet_id AS id, said.detail, 1 AS n
FROM quickpalletz_pallet
CROSS JOIN LATERAL (VALUES
    ('pallet.created', manifest_id),
    ('pallet.location_changed', CASE WHEN location <> 'dock' THEN location END)
) AS said (fact, detail)
WHERE said.detail IS NOT NULL
UNION ALL
SELECT 'quickpalletz_pallet', event_type, data ->> 'palletId',
       coalesce(data ->> 'toLocation', data ->> 'manifestId'), -1
FROM event_store
WHERE event_type IN ('pallet.created', 'pallet.location_changed')
