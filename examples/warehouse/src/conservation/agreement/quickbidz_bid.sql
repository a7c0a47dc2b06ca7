-- Each bid is in the input, was placed at most once, and won at most once.
SELECT 'quickbidz_bid' AS table_name, said.fact, bid_id AS id, said.detail, 1 AS n
FROM quickbidz_bid
CROSS JOIN LATERAL (VALUES
    ('line of the orders', 'bid'),
    ('bid.placed', CASE WHEN arrived THEN amount_cents || ' cents' END),
    ('bid.won', CASE WHEN won THEN amount_cents || ' cents' END)
) AS said (fact, detail)
WHERE said.detail IS NOT NULL
UNION ALL
SELECT 'quickbidz_bid', 'line of the orders', reference, kind, -1
FROM warehouse_line
WHERE kind = 'bid'
UNION ALL
SELECT 'quickbidz_bid', event_type, data ->> 'bidId',
       (coalesce(data ->> 'amount', data ->> 'winningAmount')::numeric * 100)::int || ' cents', -1
FROM event_store
WHERE event_type IN ('bid.placed', 'bid.won')
