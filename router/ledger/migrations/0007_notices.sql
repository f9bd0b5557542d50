-- Messages for people that are to be sent, and those of recent days, so that none is sent again. Instants are
-- microseconds. A notice that is not waiting has no text.

CREATE TABLE notices (
    instance   TEXT NOT NULL,
    key        TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'counted', 'refused')),
    at         INTEGER NOT NULL,
    settled_at INTEGER,
    event      TEXT NOT NULL,
    level      TEXT NOT NULL,
    rule       TEXT,
    queue      TEXT,
    subject    TEXT NOT NULL,
    body       TEXT NOT NULL,
    repeats    INTEGER NOT NULL CHECK (repeats IN (0, 1)),
    PRIMARY KEY (instance, key),
    CHECK ((state = 'waiting') = (settled_at IS NULL))
) STRICT;

CREATE INDEX notices_state ON notices (instance, state, settled_at);
