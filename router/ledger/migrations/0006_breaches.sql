-- The broken promises that were logged, so that each is logged once for a wait and rule, also after a restart. Instants are
-- microseconds.

CREATE TABLE breaches (
    instance TEXT NOT NULL,
    wait_id TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    rule TEXT NOT NULL,
    logged_at INTEGER NOT NULL,
    PRIMARY KEY (instance, wait_id, began_at, rule)
) STRICT;
