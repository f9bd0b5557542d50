-- Instants are microseconds since 1970-01-01 UTC, durations are microseconds.

CREATE TABLE migrations (
    version    INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT;

-- AUTOINCREMENT: the id of an action that was pruned is never another's.
CREATE TABLE actions (
    id                      INTEGER PRIMARY KEY AUTOINCREMENT,
    instance                TEXT NOT NULL,
    kind                    TEXT NOT NULL CHECK (kind IN ('transfer', 'routing', 'warn')),
    state                   TEXT NOT NULL CHECK (state IN ('intended', 'acted', 'refused', 'never_sent')),
    observed                INTEGER NOT NULL CHECK (observed IN (0, 1)),
    case_id                 TEXT NOT NULL,
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
    CHECK ((flow_id IS NULL) = (to_queue_id IS NULL AND to_agent_id IS NULL)),
    CHECK (to_queue_id IS NULL OR to_agent_id IS NULL),
    CHECK (state <> 'intended' OR observed = 0)
) STRICT;

-- Never two open intents for one chain.
CREATE UNIQUE INDEX actions_open ON actions (instance, chain_id) WHERE state = 'intended';

-- Never twice the same step of the same case; what was refused or never sent may be tried again.
CREATE UNIQUE INDEX actions_once ON actions (instance, case_id, began_at, rule, kind, at, observed)
    WHERE state IN ('intended', 'acted');

CREATE INDEX actions_chain ON actions (instance, chain_id);
CREATE INDEX actions_decided ON actions (instance, decided_at);
CREATE INDEX actions_landing ON actions (instance, landing)
    WHERE kind = 'transfer' AND state = 'acted' AND observed = 0;

-- Which chain a contact id belongs to, by the router's own moves. Every id that an action names is here, so that a
-- contact is found by any of them; a chain that turns out to be the rest of another is joined to it here.
CREATE TABLE segments (
    instance   TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    chain_id   TEXT NOT NULL,
    PRIMARY KEY (instance, contact_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX segments_chain ON segments (instance, chain_id);
