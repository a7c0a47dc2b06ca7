-- Each auction was created and started once, took every bid that was placed, and knows who won it.
SELECT 'quickauctionz_auction' AS table_name, said.fact, auction_id AS id, said.detail, 1 AS n
FROM quickauctionz_auction
CROSS JOIN LATERAL (VALUES
    ('auction.created', reserve_cents || ' cents'),
    ('auction.started', reserve_cents || ' cents'),
    ('bid.placed', bids || ' bids'),
    ('bid.won', winning_bid)
) AS said (fact, detail)
WHERE said.detail IS NOT NULL
UNION ALL
SELECT 'quickauctionz_auction', event_type, data ->> 'auctionId',
       coalesce(data ->> 'bidId', ((data ->> 'reservePrice')::numeric * 100)::int || ' cents'), -1
FROM event_store
WHERE event_type IN ('auction.created', 'auction.started', 'bid.won')
UNION ALL
SELECT 'quickauctionz_auction', event_type, data ->> 'auctionId', count(*) || ' bids', -1
FROM event_store
WHERE event_type = 'bid.placed'
GROUP BY event_type, data ->> 'auctionId'
