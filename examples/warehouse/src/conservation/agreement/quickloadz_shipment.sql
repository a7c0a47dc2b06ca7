-- Each shipment was dispatched once, with the parcel that was handed over.
SELECT 'quickloadz_shipment' AS table_name, 'shipment.dispatched' AS fact, shipment_id AS id,
       tracking_number AS detail, 1 AS n
FROM quickloadz_shipment
UNION ALL
SELECT 'quickloadz_shipment', event_type, data ->> 'shipmentId', data ->> 'trackingNumber', -1
FROM event_store
WHERE event_type = 'shipment.dispatched'
