-- What operators have paused, and since when the strays of a flow do not count against it any more. Instants are
-- microseconds.

CREATE TABLE pauses (
    instance TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('rule', 'queue', 'flow', 'contact', 'all')),
    subject TEXT NOT NULL,
    name TEXT NOT NULL,
    until INTEGER NOT NULL,
    comment TEXT NOT NULL,
    who TEXT NOT NULL,
    set_at INTEGER NOT NULL,
    PRIMARY KEY (instance, kind, subject)
) STRICT;

CREATE TABLE resumed_flows (
    instance TEXT NOT NULL,
    flow_id TEXT NOT NULL,
    resumed_at INTEGER NOT NULL,
    PRIMARY KEY (instance, flow_id)
) STRICT;
