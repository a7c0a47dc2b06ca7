-- What the instances of a group handle, and what they leave for each other during a deploy.

----------------------------------------------------------------------------------------------------
-- event_group: the registry of each group of the log. A watermark is written under its version only.
CREATE TABLE event_group (
    group_name TEXT PRIMARY KEY,
    -- Another one after each change of what is registered, and never the same again.
    version UUID NOT NULL DEFAULT gen_random_uuid(),
    -- The service that came first.
    owner TEXT NOT NULL
);

-- event_group_handlers: what one version of a service handles in a group.
CREATE TABLE event_group_handlers (
    group_name TEXT NOT NULL,
    set_id TEXT NOT NULL,
    service TEXT NOT NULL,
    worker TEXT NOT NULL,
    shared_by TEXT,
    handlers JSONB NOT NULL,
    versions JSONB NOT NULL,
    registered_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    seen_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (group_name, set_id)
)
WITH (fillfactor = 50);

----------------------------------------------------------------------------------------------------
-- event_handover: an event that waits for a handler which another instance of the group has. It is no
-- failure. Rows of one group and key are taken oldest first.
CREATE TABLE event_handover (
    id BIGSERIAL PRIMARY KEY,
    group_name TEXT NOT NULL,
    handler TEXT NOT NULL,
    -- The handler's name was made from its patterns.
    derived BOOLEAN NOT NULL,
    source TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    event_version INTEGER NOT NULL,
    key TEXT NOT NULL,
    transport TEXT NOT NULL,
    stream TEXT NOT NULL,
    partition INTEGER,
    position TEXT NOT NULL,
    body BYTEA NOT NULL,
    body_is_text BOOLEAN NOT NULL,
    message_labels JSONB NOT NULL,
    status TEXT NOT NULL DEFAULT 'waiting'
        CONSTRAINT event_handover_status_known CHECK (status IN ('waiting', 'done', 'skipped')),
    entered_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    ended_at TIMESTAMPTZ,
    ended_by TEXT,
    notes TEXT,
    claim_token TEXT,
    claim_until TIMESTAMPTZ,
    claimed_by TEXT,
    UNIQUE (group_name, handler, source, event_id)
);

-- Nearly always empty.
CREATE INDEX event_handover_waiting ON event_handover (group_name, key, id) WHERE status = 'waiting';
CREATE INDEX event_handover_ended ON event_handover USING brin (ended_at);

-- event_handover_retired: handlers that do not come back. What is left for them is skipped at once.
CREATE TABLE event_handover_retired (
    group_name TEXT NOT NULL,
    handler TEXT NOT NULL,
    retired_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    retired_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (group_name, handler)
);

-- event_handover_place: tells this database from others, for services that ask whether they share it.
CREATE TABLE event_handover_place (
    only_one BOOLEAN PRIMARY KEY DEFAULT true CHECK (only_one),
    place UUID NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO event_handover_place DEFAULT VALUES;

-- What waits for whom, and what became of the rest.
CREATE VIEW handover_summary AS
SELECT
    group_name,
    handler,
    event_type,
    status,
    count(*) AS count,
    min(entered_at) AS oldest_entry,
    max(entered_at) AS newest_entry
FROM event_handover
GROUP BY group_name, handler, event_type, status
ORDER BY (status = 'waiting') DESC, count(*) DESC, group_name, handler, event_type;

-- Gives up a handler that does not come back. Returns how many events were waiting for it.
CREATE FUNCTION retire_handler(p_group TEXT, p_handler TEXT, p_by TEXT, p_reason TEXT)
RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
    v_skipped BIGINT;
BEGIN
    IF coalesce(trim(p_by), '') = '' OR coalesce(trim(p_reason), '') = '' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'WB003',
            MESSAGE = 'retire_handler needs to know who decided so, and why',
            HINT = 'SELECT retire_handler(''group'', ''handler'', ''who'', ''why'')';
    END IF;
    INSERT INTO :"schema".event_handover_retired (group_name, handler, retired_by, reason)
    VALUES (p_group, p_handler, p_by, p_reason)
    ON CONFLICT (group_name, handler) DO UPDATE
    SET retired_at = EXCLUDED.retired_at, retired_by = EXCLUDED.retired_by, reason = EXCLUDED.reason;

    -- Before the handlers, in the order in which they are registered.
    UPDATE :"schema".event_group SET version = gen_random_uuid() WHERE group_name = p_group;
    UPDATE :"schema".event_group_handlers AS h
    SET handlers = coalesce((
        SELECT jsonb_agg(each.handler ORDER BY each.at)
        FROM jsonb_array_elements(h.handlers) WITH ORDINALITY AS each (handler, at)
        WHERE p_handler <> CASE h.service
            WHEN g.owner THEN each.handler ->> 'name'
            ELSE h.service || '/' || (each.handler ->> 'name')
        END
    ), '[]')
    FROM :"schema".event_group AS g
    WHERE g.group_name = p_group AND h.group_name = p_group;
    DELETE FROM :"schema".event_group_handlers WHERE group_name = p_group AND handlers = '[]';
    UPDATE :"schema".event_group AS g SET owner = next.service
    FROM (
        SELECT service FROM :"schema".event_group_handlers
        WHERE group_name = p_group ORDER BY registered_at, set_id LIMIT 1
    ) AS next
    WHERE g.group_name = p_group AND NOT EXISTS (
        SELECT FROM :"schema".event_group_handlers WHERE group_name = p_group AND service = g.owner
    );

    UPDATE :"schema".event_handover
    SET status = 'skipped', ended_at = clock_timestamp(), ended_by = p_by, notes = p_reason,
        claim_token = NULL, claim_until = NULL
    WHERE group_name = p_group AND handler = p_handler AND status = 'waiting';
    GET DIAGNOSTICS v_skipped = ROW_COUNT;
    RETURN v_skipped;
END $$;
