-- Money in is money booked: per order, what was owed, invoiced, paid and sold for is one amount, and so
-- are, over all, the payments less the payouts and the cash in the books, which balance.
WITH amount AS (
    SELECT event_type, data ->> 'orderId' AS order_id,
           (coalesce(data ->> 'total', data ->> 'salePrice', data ->> 'amount')::numeric * 100)::bigint AS cents
    FROM event_store
    WHERE event_type IN ('order.created', 'invoice.generated', 'payment.received', 'payout.processed', 'item.sold')
), booked AS (
    SELECT coalesce(sum(amount_cents), 0) AS balance,
           coalesce(sum(amount_cents) FILTER (WHERE account = 'cash'), 0) AS cash
    FROM quickfinancez_ledger
), moved AS (
    SELECT coalesce(sum(cents) FILTER (WHERE event_type = 'payment.received'), 0)
         - coalesce(sum(cents) FILTER (WHERE event_type = 'payout.processed'), 0) AS cents
    FROM amount
)
SELECT 'order ' || order_id || ' has different amounts: '
       || string_agg(event_type || ' ' || cents || ' cents', ', ' ORDER BY event_type) AS problem
FROM amount
WHERE order_id IS NOT NULL
GROUP BY order_id
HAVING count(*) <> 4 OR min(cents) <> max(cents)
UNION ALL
SELECT 'the books do not balance: ' || balance || ' cents too much' FROM booked WHERE balance <> 0
UNION ALL
SELECT 'payments less payouts are ' || cents || ' cents, and the books hold ' || cash || ' cents in cash'
FROM booked, moved
WHERE cents <> cash
