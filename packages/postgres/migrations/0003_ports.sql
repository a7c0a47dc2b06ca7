-- Where messages go, which of them are not taken, what may come again, and dead letters that keep the whole
-- message.

----------------------------------------------------------------------------------------------------
-- event_destination: what is known of the places that messages go to
CREATE TABLE event_destination (
    destination TEXT PRIMARY KEY,
    -- The mark of its server. Another one there means another server, and nothing is sent to it until this
    -- is changed by hand.
    marker TEXT,
    -- When a relay last said that it works for it.
    relayed_at TIMESTAMPTZ
)
WITH (fillfactor = 50);

----------------------------------------------------------------------------------------------------
-- outbox: a row knows where it goes, and why it was not taken. A row with retry_at holds back the later
-- ones of its key, and is tried again at that time.
ALTER TABLE outbox
    -- Empty in rows of older versions: whoever relays takes them.
    ADD COLUMN destination TEXT NOT NULL DEFAULT '',
    ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN refused_at TIMESTAMPTZ,
    ADD COLUMN retry_at TIMESTAMPTZ,
    ADD COLUMN retryable BOOLEAN,
    ADD COLUMN error_code TEXT,
    ADD COLUMN failure_reason TEXT,
    DROP CONSTRAINT outbox_pkey,
    ADD PRIMARY KEY (destination, partition, id);

-- Nearly always empty.
CREATE INDEX outbox_refused ON outbox (destination, partition, id) WHERE retry_at IS NOT NULL;

----------------------------------------------------------------------------------------------------
-- event_store: where an event was sent, and by which key, to bring back what a broker has lost
ALTER TABLE :"event_store"
    ADD COLUMN IF NOT EXISTS destination TEXT,
    ADD COLUMN IF NOT EXISTS ordering_key TEXT;

----------------------------------------------------------------------------------------------------
-- event_dlq: id, type, key, content type and headers of the message exactly as it was received; its body is
-- in raw. The columns beside it show them to people, with control characters spelled out. NULL in rows
-- from before, of which the message is put together from those columns.
ALTER TABLE event_dlq ADD COLUMN message_labels JSONB;

----------------------------------------------------------------------------------------------------
-- event_dlq: a message that its destination does not take can be let go. It has no group; until it is
-- resolved or skipped, its key waits.
ALTER TABLE event_dlq
    ADD COLUMN IF NOT EXISTS destination TEXT,
    -- Its old place in the outbox, and its partition there.
    ADD COLUMN IF NOT EXISTS outbox_id BIGINT,
    ADD COLUMN IF NOT EXISTS outbox_partition SMALLINT;

CREATE INDEX event_dlq_let_go ON event_dlq (destination, outbox_partition)
    WHERE outbox_id IS NOT NULL AND status IN ('pending', 'processing');

-- Turns a message that is not taken into a dead letter. Returns the id of that.
CREATE FUNCTION let_go_of_outbox_message(p_id BIGINT)
RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
    v_row :"schema".outbox;
    v_body JSONB;
    v_id BIGINT;
BEGIN
    -- One whose time has come may be on its way just now.
    DELETE FROM :"schema".outbox
    WHERE id = p_id AND destination <> ''
      AND retry_at > clock_timestamp() AND retry_at <= clock_timestamp() + interval '61 seconds'
    RETURNING * INTO v_row;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'WB002',
            MESSAGE = format('message %s of the outbox is not refused, or is being tried right now', p_id),
            HINT = 'SELECT id, event_type, event_id, failure_reason, retry_at FROM outbox WHERE retry_at IS NOT NULL; then run this once more';
    END IF;
    BEGIN
        v_body := v_row.body::JSONB;
    EXCEPTION WHEN OTHERS THEN
        v_body := NULL;
    END;
    INSERT INTO :"schema".event_dlq (
        original_event_id, event_type, event_data, failure_reason, failure_type, total_attempts, key,
        raw, raw_is_text, content_type, message_labels, error_code, destination, outbox_id, outbox_partition
    ) VALUES (
        v_row.event_id, v_row.event_type, v_body, v_row.failure_reason,
        CASE WHEN v_row.retryable THEN 'transient' ELSE 'permanent' END, v_row.attempts, v_row.key,
        coalesce(v_row.body_bytes, convert_to(v_row.body, 'UTF8')), v_row.body IS NOT NULL,
        v_row.content_type,
        jsonb_build_object(
            'id', v_row.event_id, 'type', v_row.event_type, 'key', v_row.key,
            'contentType', v_row.content_type, 'headers', coalesce(v_row.headers, '[]')
        ),
        v_row.error_code,
        v_row.destination, v_row.id, v_row.partition
    ) RETURNING id INTO v_id;
    RETURN v_id;
END $$;

----------------------------------------------------------------------------------------------------
-- event_log_mark: tells this log from others of the same name; it has one row, once somebody publishes
CREATE TABLE event_log_mark (
    marker TEXT NOT NULL,
    only_one BOOLEAN PRIMARY KEY DEFAULT true CHECK (only_one)
);

----------------------------------------------------------------------------------------------------
-- event_log_group: everything below handed_offset may have been handed out to some consumer of the group.
-- Unlike fetched_offset it never falls, so it also knows what was forgotten while suspects were set apart.
-- NULL until the group is claimed next.
ALTER TABLE event_log_group ADD COLUMN handed_offset BIGINT;
