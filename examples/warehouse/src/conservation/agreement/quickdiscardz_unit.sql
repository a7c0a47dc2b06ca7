-- Each discarded unit was disposed of once, and written off once.
SELECT 'quickdiscardz_unit' AS table_name, said.fact, item_id AS id, said.detail, 1 AS n
FROM quickdiscardz_unit
CROSS JOIN LATERAL (VALUES
    ('item.disposed', ''),
    ('discard.writeoff_generated', writeoff_cents || ' cents')
) AS said (fact, detail)
UNION ALL
SELECT 'quickdiscardz_unit', event_type, data ->> 'itemId',
       coalesce(((data ->> 'writeoffAmount')::numeric * 100)::int || ' cents', ''), -1
FROM event_store
WHERE event_type IN ('item.disposed', 'discard.writeoff_generated')
