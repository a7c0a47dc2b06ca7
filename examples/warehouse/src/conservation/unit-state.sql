-- Where each unit has ended. There are eight final states, and no unit may be in two.
SELECT item_id, 'delivered' AS state FROM quickfulfillment_order WHERE status = 'delivered'
UNION ALL
SELECT item_id, 'on offer' FROM quicklistz_listing WHERE order_id IS NULL
UNION ALL
SELECT item_id, 'salvaged' FROM quicksalvage_unit
UNION ALL
SELECT item_id, 'recycled' FROM quickrecyclez_unit
UNION ALL
SELECT item_id, 'discarded' FROM quickdiscardz_unit
UNION ALL
SELECT item_id, 'returned' FROM quickfulfillment_return
UNION ALL
SELECT item_id, CASE WHEN order_id IS NULL THEN 'stored' ELSE 'released' END FROM quick3plz_unit
