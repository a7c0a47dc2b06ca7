-- What transports other than ours, and longer processes, need of the tables.

----------------------------------------------------------------------------------------------------
-- event_dlq: id, type, key, content type and headers of the message exactly as it was received; its body is
-- in raw. The columns beside it show them to people, with control characters spelled out. NULL in rows
-- from before, of which the message is put together from those columns.
ALTER TABLE event_dlq ADD COLUMN message_labels JSONB;
