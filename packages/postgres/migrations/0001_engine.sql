-- Event store, saga state and idempotency keys.
--
-- Each table is first created as it was printed for "migration 006" and then altered to what it is
-- now, so that an empty database and one that has rows in the printed tables end up the same.
--
-- The schema is first on the search path. Bodies of functions name it, because they run under the path
-- of whoever calls them.

-- The views and functions below are replaced: they depend on the columns that change.
SELECT pg_temp.waybill_drop_view(:'schema', v) FROM unnest(ARRAY['recent_events', 'event_type_stats', 'active_sagas']) v;
SELECT pg_temp.waybill_drop_function(:'schema', f) FROM unnest(ARRAY['get_saga_trace', 'cleanup_expired_idempotency_keys']) f;

----------------------------------------------------------------------------------------------------
-- event_store: every event, for good

CREATE TABLE IF NOT EXISTS :"event_store" (
    sequence_number BIGSERIAL PRIMARY KEY,
    event_id UUID NOT NULL UNIQUE,
    event_type VARCHAR(255) NOT NULL,
    source VARCHAR(255) NOT NULL,
    subject VARCHAR(255),
    correlation_id UUID,
    causation_id UUID,
    user_id VARCHAR(255),
    version INTEGER NOT NULL DEFAULT 1,
    data JSONB NOT NULL,
    metadata JSONB,
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW()
);

SELECT pg_temp.waybill_assert_free(
    to_regclass(quote_ident(:'event_store')),
    ARRAY['event_id', 'correlation_id', 'causation_id']
);

-- An event is known by its source and id together, so the id alone is not unique any more.
DO $$
DECLARE
    v_constraint NAME;
BEGIN
    FOR v_constraint IN
        SELECT c.conname
        FROM pg_constraint c
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum]
        WHERE c.conrelid = to_regclass(quote_ident(:'event_store'))
          AND c.contype = 'u'
          AND a.attname = 'event_id'
    LOOP
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', :'event_store', v_constraint);
    END LOOP;
END $$;

-- One ALTER, so that a table with rows is rewritten once. Ids of other systems are often no UUIDs.
ALTER TABLE :"event_store"
    ALTER COLUMN event_id TYPE TEXT USING event_id::TEXT,
    ALTER COLUMN correlation_id TYPE TEXT USING correlation_id::TEXT,
    ALTER COLUMN causation_id TYPE TEXT USING causation_id::TEXT,
    ADD CONSTRAINT event_store_event_id_bounds CHECK (char_length(event_id) BETWEEN 1 AND 255),
    ADD CONSTRAINT event_store_correlation_id_bounds CHECK (char_length(correlation_id) <= 255),
    ADD CONSTRAINT event_store_causation_id_bounds CHECK (char_length(causation_id) <= 255),
    ADD CONSTRAINT event_store_event_id_source_key UNIQUE (event_id, source),
    -- As the publisher wrote it; created_at is the same instant. Absent in rows older than this column.
    ADD COLUMN IF NOT EXISTS time TEXT,
    ADD COLUMN IF NOT EXISTS datacontenttype TEXT,
    ADD COLUMN IF NOT EXISTS dataschema TEXT,
    ADD COLUMN IF NOT EXISTS traceparent TEXT,
    ADD COLUMN IF NOT EXISTS tracestate TEXT,
    -- CloudEvents attributes that nothing here knows, by their wire name.
    ADD COLUMN IF NOT EXISTS extensions JSONB,
    -- When the row was written, by the database's clock. Absent in rows older than this column.
    ADD COLUMN IF NOT EXISTS stored_at TIMESTAMPTZ;

ALTER TABLE :"event_store" ALTER COLUMN stored_at SET DEFAULT clock_timestamp();

-- Numbers come from the sequence alone: one that was drawn or made up beforehand could appear behind
-- a reader that has passed it. CACHE 1 keeps a session from hoarding numbers for later.
DO $$
DECLARE
    v_table TEXT := quote_ident(:'event_store');
    v_sequence TEXT := pg_get_serial_sequence(v_table, 'sequence_number');
    v_next BIGINT;
BEGIN
    EXECUTE format('SELECT CASE WHEN is_called THEN last_value + 1 ELSE last_value END FROM %s', v_sequence) INTO v_next;
    EXECUTE format('SELECT greatest($1, max(sequence_number) + 1) FROM %s', v_table) INTO v_next USING v_next;
    PERFORM pg_temp.waybill_save_grants('SEQUENCE', v_sequence::REGCLASS);
    EXECUTE format('ALTER TABLE %s ALTER COLUMN sequence_number DROP DEFAULT', v_table);
    EXECUTE format('DROP SEQUENCE %s', v_sequence);
    EXECUTE format(
        'ALTER TABLE %s ALTER COLUMN sequence_number ADD GENERATED ALWAYS AS IDENTITY (START WITH %s CACHE 1)',
        v_table, v_next
    );
END $$;

-- A transaction must have its id before it draws a number: then every number up to the sequence's
-- last value belongs to a transaction that a later snapshot can tell to be over. The trigger of a
-- statement runs before the defaults of its rows.
CREATE OR REPLACE FUNCTION event_store_take_transaction_id()
RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_current_xact_id();
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER event_store_take_transaction_id
    BEFORE INSERT ON :"event_store"
    FOR EACH STATEMENT EXECUTE FUNCTION event_store_take_transaction_id();

CREATE INDEX IF NOT EXISTS idx_event_store_event_type ON :"event_store" (event_type);
CREATE INDEX IF NOT EXISTS idx_event_store_correlation_id ON :"event_store" (correlation_id);
CREATE INDEX IF NOT EXISTS idx_event_store_subject ON :"event_store" (subject);
CREATE INDEX IF NOT EXISTS idx_event_store_created_at ON :"event_store" (created_at);
CREATE INDEX IF NOT EXISTS idx_event_store_source ON :"event_store" (source);

CREATE VIEW recent_events AS
SELECT sequence_number, event_id, event_type, source, subject, correlation_id, causation_id, user_id,
       version, data, metadata, created_at
FROM :"event_store"
WHERE created_at > NOW() - INTERVAL '24 hours'
ORDER BY sequence_number DESC;

CREATE VIEW event_type_stats AS
SELECT event_type,
       COUNT(*) AS event_count,
       COUNT(DISTINCT source) AS source_count,
       MIN(created_at) AS first_event_at,
       MAX(created_at) AS last_event_at
FROM :"event_store"
GROUP BY event_type
ORDER BY event_count DESC, event_type;

-- Every event of a saga or other business transaction, oldest first.
CREATE FUNCTION get_saga_trace(p_correlation_id TEXT)
RETURNS SETOF :"event_store" LANGUAGE sql STABLE AS $$
    SELECT * FROM :"schema".:"event_store" WHERE correlation_id = p_correlation_id ORDER BY sequence_number
$$;

-- For callers that still hold a UUID.
CREATE FUNCTION get_saga_trace(p_correlation_id UUID)
RETURNS SETOF :"event_store" LANGUAGE sql STABLE AS $$
    SELECT * FROM :"schema".:"event_store" WHERE correlation_id = p_correlation_id::TEXT ORDER BY sequence_number
$$;

----------------------------------------------------------------------------------------------------
-- saga_state: where each saga stands, and which worker has it

CREATE TABLE IF NOT EXISTS saga_state (
    saga_id UUID PRIMARY KEY,
    saga_type VARCHAR(255) NOT NULL,
    status VARCHAR(50) NOT NULL,
    current_step INTEGER NOT NULL,
    current_step_name VARCHAR(255),
    correlation_id UUID NOT NULL,
    user_id VARCHAR(255),
    context_data JSONB NOT NULL,
    errors JSONB DEFAULT '[]',
    compensation_log JSONB DEFAULT '[]',
    started_at TIMESTAMPTZ NOT NULL,
    completed_at TIMESTAMPTZ,
    timeout_at TIMESTAMPTZ
);

SELECT pg_temp.waybill_assert_free(
    'saga_state', ARRAY['saga_id', 'correlation_id']
);

ALTER TABLE saga_state
    ALTER COLUMN saga_id TYPE TEXT USING saga_id::TEXT,
    ALTER COLUMN correlation_id TYPE TEXT USING correlation_id::TEXT,
    ADD CONSTRAINT saga_state_saga_id_bounds CHECK (char_length(saga_id) BETWEEN 1 AND 255),
    ADD CONSTRAINT saga_state_correlation_id_bounds CHECK (char_length(correlation_id) BETWEEN 1 AND 255),
    -- The worker that has the saga, until lease_until; every write of it carries the token.
    ADD COLUMN IF NOT EXISTS owner TEXT,
    ADD COLUMN IF NOT EXISTS fencing_token BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS lease_until TIMESTAMPTZ,
    -- Counts the writes of the state.
    ADD COLUMN IF NOT EXISTS version INTEGER NOT NULL DEFAULT 0;

CREATE VIEW active_sagas AS
SELECT saga_id, saga_type, status, current_step, current_step_name, correlation_id, user_id, started_at,
       timeout_at, NOW() - started_at AS age, owner, lease_until
FROM saga_state
WHERE status IN ('pending', 'running', 'compensating')
ORDER BY started_at;

----------------------------------------------------------------------------------------------------
-- idempotency_keys: what was claimed, done or given up under a key

CREATE TABLE IF NOT EXISTS idempotency_keys (
    idempotency_key VARCHAR(255) PRIMARY KEY,
    operation VARCHAR(255) NOT NULL,
    status VARCHAR(50) NOT NULL,
    result JSONB,
    error TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

-- A claim has a clock of its own: it must end long before the result may be forgotten.
ALTER TABLE idempotency_keys
    ADD COLUMN IF NOT EXISTS claim_token TEXT,
    ADD COLUMN IF NOT EXISTS claim_until TIMESTAMPTZ;

-- Forgets what has expired, except a claim that is still held. Returns how many keys went.
CREATE FUNCTION cleanup_expired_idempotency_keys()
RETURNS INTEGER LANGUAGE plpgsql AS $$
DECLARE
    v_deleted INTEGER;
BEGIN
    DELETE FROM :"schema".idempotency_keys
    WHERE expires_at < clock_timestamp()
      AND (claim_until IS NULL OR claim_until < clock_timestamp());
    GET DIAGNOSTICS v_deleted = ROW_COUNT;
    RETURN v_deleted;
END $$;
