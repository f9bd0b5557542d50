-- A *case* is called a *wait* from this version on. Giving a moved contact its place back is an action of its own,
-- "restore_place", whose parent is the transfer; its columns leave the transfer's row. An open action of this kind is
-- due while send_by is NULL; afterwards its call may have been made. Instants and durations are microseconds.

CREATE TABLE actions_of_waits (
    id                      INTEGER PRIMARY KEY AUTOINCREMENT,
    instance                TEXT NOT NULL,
    kind                    TEXT NOT NULL CHECK (kind IN ('transfer', 'routing', 'warn', 'restore_place')),
    parent                  INTEGER,
    state                   TEXT NOT NULL CHECK (state IN ('intended', 'acted', 'refused', 'never_sent')),
    observed                INTEGER NOT NULL CHECK (observed IN (0, 1)),
    wait_id                 TEXT NOT NULL,
    began_at                INTEGER NOT NULL,
    chain_id                TEXT NOT NULL,
    contact_id              TEXT NOT NULL,
    queue_id                TEXT NOT NULL,
    enqueued_at             INTEGER NOT NULL,
    rule                    TEXT NOT NULL,
    step                    INTEGER NOT NULL,
    at                      INTEGER NOT NULL,
    first_clock_started_at  INTEGER NOT NULL,
    first_queue_id          TEXT NOT NULL,
    first_waited            INTEGER NOT NULL,
    first_initiation_method TEXT,
    first_priority          INTEGER,
    first_transfers         INTEGER,
    revision                TEXT NOT NULL,
    fingerprint             TEXT NOT NULL,
    cycle                   INTEGER NOT NULL,
    decided_at              INTEGER NOT NULL,
    settled_at              INTEGER,
    flow_id                 TEXT,
    to_queue_id             TEXT,
    to_agent_id             TEXT,
    token                   TEXT,
    series                  INTEGER NOT NULL,
    send_by                 INTEGER,
    attempts                INTEGER NOT NULL,
    request_id              TEXT,
    -- a code, never Connect's free text, which may quote what a customer wrote
    error                   TEXT CHECK (length(error) <= 100 AND error NOT GLOB '*[^A-Za-z0-9_.:-]*'),
    new_contact_id          TEXT,
    landing                 TEXT,
    landed_at               INTEGER,
    landed_queue_id         TEXT,
    landed_enqueued_at      INTEGER,
    routing_priority        INTEGER,
    routing_age             INTEGER,
    before_priority         INTEGER,
    before_age              INTEGER,
    CHECK ((flow_id IS NULL) = (to_queue_id IS NULL AND to_agent_id IS NULL)),
    CHECK (to_queue_id IS NULL OR to_agent_id IS NULL),
    CHECK (state <> 'intended' OR observed = 0),
    CHECK ((kind = 'restore_place') = (parent IS NOT NULL))
) STRICT;

-- The id of an action that was pruned stays nobody else's.
INSERT INTO sqlite_sequence (name, seq) SELECT 'actions_of_waits', seq FROM sqlite_sequence WHERE name = 'actions';

INSERT INTO actions_of_waits (
    id, instance, kind, parent, state, observed, wait_id, began_at, chain_id, contact_id, queue_id, enqueued_at, rule,
    step, at, first_clock_started_at, first_queue_id, first_waited, first_initiation_method, first_priority,
    first_transfers, revision, fingerprint, cycle, decided_at, settled_at, flow_id, to_queue_id, to_agent_id, token,
    series, send_by, attempts, request_id, error, new_contact_id, landing, landed_at, landed_queue_id,
    landed_enqueued_at, routing_priority, routing_age, before_priority, before_age)
SELECT
    id, instance, kind, NULL, state, observed, case_id, began_at, chain_id, contact_id, queue_id, enqueued_at, rule,
    step, at, first_clock_started_at, first_queue_id, first_waited, first_initiation_method, first_priority,
    first_transfers, revision, fingerprint, cycle, decided_at, settled_at, flow_id, to_queue_id, to_agent_id, token,
    series, send_by, attempts, request_id, error, new_contact_id, landing, landed_at, landed_queue_id,
    landed_enqueued_at,
    CASE WHEN kind = 'routing' THEN routing_priority END, CASE WHEN kind = 'routing' THEN routing_age END,
    before_priority, before_age
FROM actions;

-- Places of all states, oldest first. One whose call may have been made 30 seconds before its send_by (place_at) stays
-- so, except where a routing update of the same contact is open, or a later place of it: one update of a contact may be
-- under way. Such a place is due again; what the contact has is read before anything is sent.
INSERT INTO actions_of_waits (
    instance, kind, parent, state, observed, wait_id, began_at, chain_id, contact_id, queue_id, enqueued_at, rule,
    step, at, first_clock_started_at, first_queue_id, first_waited, first_initiation_method, first_priority,
    first_transfers, revision, fingerprint, cycle, decided_at, settled_at, series, send_by, attempts, new_contact_id,
    landed_at, landed_queue_id, landed_enqueued_at, routing_priority, routing_age, before_priority, before_age)
SELECT
    instance, 'restore_place', id,
    CASE place WHEN 'given' THEN 'acted' WHEN 'refused' THEN 'refused' WHEN 'gone' THEN 'never_sent'
        ELSE 'intended' END,
    0, case_id, began_at, chain_id, contact_id, queue_id, enqueued_at, rule, step, at, first_clock_started_at,
    first_queue_id, first_waited, first_initiation_method, first_priority, first_transfers, revision, fingerprint,
    cycle, coalesce(landed_at, decided_at),
    CASE WHEN place IN ('given', 'refused', 'gone') THEN coalesce(place_at, landed_at, decided_at) END,
    0,
    CASE WHEN place = 'intended'
        AND NOT EXISTS (
            SELECT 1 FROM actions AS bump WHERE bump.instance = actions.instance AND bump.kind = 'routing'
            AND bump.state = 'intended' AND bump.contact_id = coalesce(actions.new_contact_id, actions.contact_id))
        AND NOT EXISTS (
            SELECT 1 FROM actions AS later WHERE later.instance = actions.instance AND later.id > actions.id
            AND later.place = 'intended'
            AND coalesce(later.new_contact_id, later.contact_id)
                = coalesce(actions.new_contact_id, actions.contact_id))
        THEN coalesce(place_at, landed_at, decided_at) + 30000000 END,
    CASE WHEN routing_priority IS NULL AND routing_age IS NULL THEN 0 ELSE 1 END,
    coalesce(new_contact_id, contact_id), landed_at, landed_queue_id, landed_enqueued_at, routing_priority, routing_age, before_priority, before_age
FROM actions WHERE place IS NOT NULL ORDER BY id;

DROP TABLE actions;
ALTER TABLE actions_of_waits RENAME TO actions;

-- Never two open moves of one chain. A routing update or a place to give back never stands in the way of a move.
CREATE UNIQUE INDEX actions_open ON actions (instance, chain_id) WHERE state = 'intended' AND kind = 'transfer';

-- Never two routing updates of one contact under way.
CREATE UNIQUE INDEX actions_routing ON actions (instance, coalesce(new_contact_id, contact_id))
    WHERE state = 'intended' AND (kind = 'routing' OR (kind = 'restore_place' AND send_by IS NOT NULL));

-- Never twice the same step of the same wait; what was refused or never sent may be tried again.
CREATE UNIQUE INDEX actions_once ON actions (instance, wait_id, began_at, rule, kind, at, observed)
    WHERE state IN ('intended', 'acted');

-- Never two places given back for one move.
CREATE UNIQUE INDEX actions_parent ON actions (instance, parent, kind) WHERE parent IS NOT NULL;

-- Intents of every kind without a known outcome.
CREATE INDEX actions_intended ON actions (instance, kind) WHERE state = 'intended';
CREATE INDEX actions_chain ON actions (instance, chain_id);
CREATE INDEX actions_decided ON actions (instance, decided_at);
CREATE INDEX actions_landing ON actions (instance, landing)
    WHERE kind = 'transfer' AND state = 'acted' AND observed = 0;
