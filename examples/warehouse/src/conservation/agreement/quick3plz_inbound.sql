-- Each delivery of a client was announced once, and received and billed once when it was complete.
SELECT 'quick3plz_inbound' AS table_name, said.fact, manifest_id AS id, said.detail, 1 AS n
FROM quick3plz_inbound
CROSS JOIN LATERAL (VALUES
    ('threepl.inbound_announced', expected_units || ' units'),
    ('threepl.inbound_received', received_units || ' units'),
    ('threepl.charges_billed', billed_cents || ' cents')
) AS said (fact, detail)
WHERE said.detail IS NOT NULL
UNION ALL
SELECT 'quick3plz_inbound', event_type, subject,
       coalesce(coalesce(data ->> 'expectedItems', data ->> 'receivedItems') || ' units',
                ((data ->> 'amount')::numeric * 100)::int || ' cents'), -1
FROM event_store
WHERE event_type IN
    ('threepl.inbound_announced', 'threepl.inbound_received', 'threepl.charges_billed')
