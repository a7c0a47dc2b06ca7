-- A database made by hand from the tables as they were printed, completed the way somebody would, with
-- rows in every table and rights given to a role.

CREATE TABLE event_store (
    sequence_number BIGSERIAL PRIMARY KEY,
    event_id UUID NOT NULL UNIQUE,
    event_type VARCHAR(255) NOT NULL,
    source VARCHAR(255) NOT NULL,
    subject VARCHAR(255),
    qlid VARCHAR(9),
    correlation_id UUID,
    causation_id UUID,
    user_id VARCHAR(255),
    warehouse_id VARCHAR(255),
    version INTEGER NOT NULL DEFAULT 1,
    data JSONB NOT NULL,
    metadata JSONB,
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW()
);
CREATE INDEX idx_event_store_event_type ON event_store (event_type);
CREATE INDEX idx_event_store_qlid ON event_store (qlid);
CREATE INDEX idx_event_store_correlation_id ON event_store (correlation_id);
CREATE INDEX idx_event_store_subject ON event_store (subject);
CREATE INDEX idx_event_store_created_at ON event_store (created_at);
CREATE INDEX idx_event_store_source ON event_store (source);

CREATE TABLE saga_state (
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

CREATE TABLE event_dlq (
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

CREATE TABLE idempotency_keys (
    idempotency_key VARCHAR(255) PRIMARY KEY,
    operation VARCHAR(255) NOT NULL,
    status VARCHAR(50) NOT NULL,
    result JSONB,
    error TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

CREATE VIEW recent_events AS SELECT * FROM event_store WHERE created_at > NOW() - INTERVAL '24 hours';
CREATE VIEW event_type_stats AS SELECT event_type, COUNT(*) AS total FROM event_store GROUP BY event_type;
CREATE VIEW active_sagas AS SELECT * FROM saga_state WHERE status = 'running';
CREATE VIEW dlq_summary AS SELECT status, COUNT(*) AS total FROM event_dlq GROUP BY status;

CREATE FUNCTION get_item_lifecycle(p_qlid VARCHAR) RETURNS TABLE (event_id UUID, event_type VARCHAR)
LANGUAGE sql AS $$ SELECT e.event_id, e.event_type FROM event_store e WHERE e.qlid = p_qlid $$;
CREATE FUNCTION get_saga_trace(p_correlation_id UUID) RETURNS TABLE (event_id UUID, event_type VARCHAR)
LANGUAGE sql AS $$ SELECT e.event_id, e.event_type FROM event_store e WHERE e.correlation_id = p_correlation_id $$;
CREATE FUNCTION get_saga_trace(p_correlation_id UUID, p_limit INTEGER) RETURNS SETOF event_store
LANGUAGE sql AS $$ SELECT * FROM event_store e WHERE e.correlation_id = p_correlation_id LIMIT p_limit $$;
CREATE FUNCTION cleanup_expired_idempotency_keys() RETURNS VOID
LANGUAGE sql AS $$ DELETE FROM idempotency_keys WHERE expires_at < NOW() $$;

INSERT INTO event_store (event_id, event_type, source, subject, qlid, correlation_id, causation_id, user_id, warehouse_id, version, data, metadata, created_at)
SELECT ('00000000-0000-4000-8000-' || lpad(n::TEXT, 12, '0'))::UUID, 'item.graded', 'quickgradez', 'item-' || n,
       lpad(n::TEXT, 9, '0'), '11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222',
       'user-1', 'wh-1', 2, jsonb_build_object('grade', 'B', 'n', n), '{"retryCount": 0, "environment": "production"}',
       '2026-02-03T04:05:06.789Z'
FROM generate_series(1, 50) n;
DELETE FROM event_store WHERE sequence_number = 50;

INSERT INTO saga_state (saga_id, saga_type, status, current_step, current_step_name, correlation_id, user_id, context_data, started_at)
VALUES ('33333333-3333-4333-8333-333333333333', 'order-fulfillment', 'running', 1, 'reserve',
        '11111111-1111-4111-8111-111111111111', 'user-1', '{"orderId": "o-1"}', '2026-02-03T04:05:06Z');
INSERT INTO event_dlq (original_event_id, event_type, event_data, failure_reason, entered_dlq_at)
VALUES ('00000000-0000-4000-8000-000000000007', 'item.graded', '{"n": 7}', 'scanner on fire', '2026-02-03T04:05:06Z');
INSERT INTO idempotency_keys VALUES
    ('done', 'reserve', 'completed', '{"ok": true}', NULL, NOW(), NOW() + INTERVAL '1 day'),
    ('running', 'reserve', 'processing', NULL, NULL, NOW(), NOW() + INTERVAL '1 day'),
    ('old', 'reserve', 'completed', NULL, NULL, NOW() - INTERVAL '2 days', NOW() - INTERVAL '1 day');
