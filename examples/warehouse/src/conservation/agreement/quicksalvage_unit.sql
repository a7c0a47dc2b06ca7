-- Each salvaged unit was marked once, and gave its parts once.
SELECT 'quicksalvage_unit' AS table_name, said.fact, item_id AS id, said.detail, 1 AS n
FROM quicksalvage_unit
CROSS JOIN LATERAL (VALUES
    ('item.marked_for_salvage', ''),
    ('item.parts_harvested', array_to_string(parts, ', '))
) AS said (fact, detail)
UNION ALL
SELECT 'quicksalvage_unit', event_type, data ->> 'itemId',
       coalesce((SELECT string_agg(part, ', ' ORDER BY place)
                 FROM jsonb_array_elements_text(data -> 'partsHarvested')
                 WITH ORDINALITY AS harvested (part, place)), ''), -1
FROM event_store
WHERE event_type IN ('item.marked_for_salvage', 'item.parts_harvested')
