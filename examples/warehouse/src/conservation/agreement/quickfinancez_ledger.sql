-- Each document that says that money moved is booked once on two accounts, cent by cent.
SELECT 'quickfinancez_ledger' AS table_name, booked_for AS fact, document_id AS id,
       account || ' ' || amount_cents || ' cents' AS detail, 1 AS n
FROM quickfinancez_ledger
UNION ALL
SELECT 'quickfinancez_ledger', document.event_type, document.id,
       booked.account || ' ' || (booked.sign * document.amount * 100)::int || ' cents', -1
FROM (
    SELECT event_type, data ->> 'invoiceId' AS id, (data ->> 'amount')::numeric AS amount,
           'receivables' AS debit, CASE WHEN data ? 'orderId' THEN 'sales' ELSE 'fees' END AS credit
    FROM event_store WHERE event_type = 'invoice.generated'
    UNION ALL
    SELECT event_type, data ->> 'paymentId', (data ->> 'amount')::numeric, 'cash', 'receivables'
    FROM event_store WHERE event_type = 'payment.received'
    UNION ALL
    SELECT event_type, data ->> 'payoutId', (data ->> 'amount')::numeric, 'sales', 'cash'
    FROM event_store WHERE event_type = 'payout.processed'
    UNION ALL
    SELECT event_type, data ->> 'writeoffId', (data ->> 'writeoffAmount')::numeric, 'write-offs', 'stock'
    FROM event_store WHERE event_type = 'discard.writeoff_generated'
) AS document
CROSS JOIN LATERAL (VALUES (debit, 1), (credit, -1)) AS booked (account, sign)
