-- What happens to an event after it is stored: outbox, inbox, dead letters, and the log that is a
-- transport of its own.
--
-- event_dlq is first created as it was printed for "migration 006" and then altered to what it is now,
-- so that an empty database and one that has rows in the printed table end up the same.

-- The view is replaced: it depends on the columns that change.
SELECT pg_temp.waybill_drop_view(:'schema', 'dlq_summary');

----------------------------------------------------------------------------------------------------

-- outbox: messages committed with the business data, published afterwards by a relay. Ids commit out of order.
CREATE TABLE outbox (
    id BIGSERIAL NOT NULL,
    partition SMALLINT NOT NULL,
    key TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    content_type TEXT NOT NULL,
    headers JSONB,
    body TEXT,
    body_bytes BYTEA,
    created_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (partition, id)
)
-- Rows live for milliseconds: the usual share of dead rows would be many times the live ones.
WITH (autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_scale_factor = 0.05);

----------------------------------------------------------------------------------------------------
-- inbox: what each handler has handled, written in the transaction of its effect.
CREATE TABLE inbox (
    group_name TEXT NOT NULL,
    handler TEXT NOT NULL,
    source TEXT NOT NULL,
    event_id TEXT NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (group_name, handler, source, event_id)
);
-- Rows come in the order of time, so the small index serves the pruning and costs nothing to keep.
CREATE INDEX idx_inbox_recorded_at ON inbox USING brin (recorded_at);

----------------------------------------------------------------------------------------------------
-- event_dlq: what could not be handled, until a person or another run ends it

CREATE TABLE IF NOT EXISTS event_dlq (
    id BIGSERIAL PRIMARY KEY,
    original_event_id UUID NOT NULL,
    event_type VARCHAR(255) NOT NULL,
    event_data JSONB NOT NULL,
    failure_reason TEXT NOT NULL,
    failure_type VARCHAR(50),
    total_attempts INTEGER,
    status VARCHAR(50),
    entered_dlq_at TIMESTAMPTZ NOT NULL
);

SELECT pg_temp.waybill_assert_free('event_dlq', ARRAY['original_event_id', 'event_type', 'resolved_by']);

-- What cannot be read has no id, no type and no data; what was published may have ids that are no UUID.
ALTER TABLE event_dlq
    ALTER COLUMN original_event_id DROP NOT NULL,
    ALTER COLUMN original_event_id TYPE TEXT USING original_event_id::text,
    ALTER COLUMN event_type DROP NOT NULL,
    ALTER COLUMN event_type TYPE TEXT,
    ALTER COLUMN event_data DROP NOT NULL,
    ADD COLUMN IF NOT EXISTS resolved_at TIMESTAMPTZ,
    ADD COLUMN IF NOT EXISTS resolved_by TEXT,
    ADD COLUMN IF NOT EXISTS resolution_notes TEXT,
    ADD COLUMN IF NOT EXISTS group_name TEXT,
    ADD COLUMN IF NOT EXISTS handler TEXT,
    ADD COLUMN IF NOT EXISTS source TEXT,
    ADD COLUMN IF NOT EXISTS key TEXT,
    ADD COLUMN IF NOT EXISTS transport TEXT,
    ADD COLUMN IF NOT EXISTS stream TEXT,
    ADD COLUMN IF NOT EXISTS partition INTEGER,
    ADD COLUMN IF NOT EXISTS position TEXT,
    ADD COLUMN IF NOT EXISTS raw BYTEA,
    ADD COLUMN IF NOT EXISTS raw_is_text BOOLEAN,
    ADD COLUMN IF NOT EXISTS content_type TEXT,
    ADD COLUMN IF NOT EXISTS error_code TEXT,
    ADD COLUMN IF NOT EXISTS error_stack TEXT,
    ADD COLUMN IF NOT EXISTS fingerprint TEXT,
    ADD COLUMN IF NOT EXISTS claim_token TEXT,
    ADD COLUMN IF NOT EXISTS claim_until TIMESTAMPTZ,
    ADD COLUMN IF NOT EXISTS claimed_by TEXT;

UPDATE event_dlq
SET status = COALESCE(status, 'pending'),
    failure_type = COALESCE(failure_type, 'unknown'),
    total_attempts = COALESCE(total_attempts, 1)
WHERE status IS NULL OR failure_type IS NULL OR total_attempts IS NULL;

ALTER TABLE event_dlq
    ALTER COLUMN status SET DEFAULT 'pending',
    ALTER COLUMN status SET NOT NULL,
    ALTER COLUMN failure_type SET DEFAULT 'unknown',
    ALTER COLUMN failure_type SET NOT NULL,
    ALTER COLUMN total_attempts SET DEFAULT 1,
    ALTER COLUMN total_attempts SET NOT NULL,
    ALTER COLUMN entered_dlq_at SET DEFAULT clock_timestamp(),
    ALTER COLUMN resolved_by TYPE TEXT,
    -- A status that is mistyped would wait for ever. Rows from before may have others.
    ADD CONSTRAINT event_dlq_status_known
        CHECK (status IN ('pending', 'processing', 'resolved', 'skipped')) NOT VALID;

-- One row per failing handling; rows from before have no group and stand aside.
CREATE UNIQUE INDEX event_dlq_handling_key
    ON event_dlq (group_name, handler, source, original_event_id)
    WHERE group_name IS NOT NULL AND source IS NOT NULL;
CREATE UNIQUE INDEX event_dlq_unreadable_key
    ON event_dlq (group_name, transport, stream, partition, position) NULLS NOT DISTINCT
    WHERE group_name IS NOT NULL AND source IS NULL;
CREATE INDEX IF NOT EXISTS idx_event_dlq_status ON event_dlq (status);
CREATE INDEX event_dlq_requested ON event_dlq (group_name, id) WHERE status = 'processing';

-- Whoever changes the status by hand takes the row out of the hands of the worker that has it.
CREATE OR REPLACE FUNCTION event_dlq_end_claim()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.claim_token := NULL;
    NEW.claim_until := NULL;
    NEW.claimed_by := NULL;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER event_dlq_end_claim
    BEFORE UPDATE OF status ON event_dlq
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION event_dlq_end_claim();

CREATE VIEW dlq_summary AS
SELECT status,
       event_type,
       failure_type,
       group_name,
       count(*) AS count,
       sum(total_attempts) AS total_attempts,
       min(entered_dlq_at) AS oldest_entry,
       max(entered_dlq_at) AS newest_entry
FROM event_dlq
GROUP BY status, event_type, failure_type, group_name
ORDER BY count(*) DESC, event_type;

----------------------------------------------------------------------------------------------------
-- event_log and its companions: in each partition offsets are dense and become visible in their order, because whoever
-- appends keeps the partition's head locked until the commit.
CREATE TABLE event_log (
    partition SMALLINT NOT NULL,
    log_offset BIGINT NOT NULL,
    key TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    content_type TEXT NOT NULL,
    headers JSONB,
    body TEXT,
    body_bytes BYTEA,
    appended_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (partition, log_offset)
);

CREATE TABLE event_log_head (
    partition SMALLINT PRIMARY KEY,
    next_offset BIGINT NOT NULL DEFAULT 0
)
-- Room for new versions of a row beside the old ones: these tables are small and change all the time.
WITH (fillfactor = 20);
INSERT INTO event_log_head (partition) SELECT generate_series(0, 15);

-- How far a group is. Everything below committed_offset is finished. Everything below fetched_offset
-- was handed out; below suspect_offset, it was handed out takeovers times and never finished.
CREATE TABLE event_log_group (
    group_name TEXT NOT NULL,
    partition SMALLINT NOT NULL,
    committed_offset BIGINT NOT NULL,
    fetched_offset BIGINT NOT NULL,
    suspect_offset BIGINT NOT NULL,
    takeovers INTEGER NOT NULL DEFAULT 0,
    token TEXT,
    PRIMARY KEY (group_name, partition)
)
WITH (fillfactor = 20);

-- The process that consumes for a group. A new token makes the one before refuse; it is part of a
-- unique key so that it cannot change while a transaction holds the row FOR KEY SHARE.
CREATE TABLE event_log_consumer (
    group_name TEXT PRIMARY KEY,
    token TEXT NOT NULL UNIQUE,
    worker TEXT NOT NULL,
    -- Key of an advisory lock that the process holds for as long as it lives; NULL when it gave up.
    owner_lock BIGINT,
    heartbeat_at TIMESTAMPTZ NOT NULL,
    lease_ms INTEGER NOT NULL
)
WITH (fillfactor = 20);
