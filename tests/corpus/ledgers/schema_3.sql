PRAGMA application_id = 1129469010;
PRAGMA user_version = 3;
BEGIN TRANSACTION;
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
    landed_enqueued_at      INTEGER, routing_priority INTEGER, routing_age INTEGER, before_priority INTEGER, before_age INTEGER, place TEXT CHECK (place IN ('due', 'intended', 'given', 'refused', 'gone')), place_at INTEGER,
    CHECK ((flow_id IS NULL) = (to_queue_id IS NULL AND to_agent_id IS NULL)),
    CHECK (to_queue_id IS NULL OR to_agent_id IS NULL),
    CHECK (state <> 'intended' OR observed = 0)
) STRICT;
INSERT INTO "actions" VALUES(1,'instance-1','transfer','acted',0,'given',1795419000000000,'given','given','billing',1795419000000000,'late',1,3600000000,1795419000000000,'billing',3600000000,NULL,NULL,NULL,'r1','f1',41,1795425600000000,1795425660000000,'flow-1','overflow',NULL,'token of given',0,1795425630000000,1,'request',NULL,'given-2','queued',1795425720000000,'overflow',1795425719000000,NULL,7200000000,5,0,'given',1795425780000000);
INSERT INTO "actions" VALUES(2,'instance-1','transfer','acted',0,'due',1795419000000000,'due','due','billing',1795419000000000,'late',1,3600000000,1795419000000000,'billing',3600000000,NULL,NULL,NULL,'r1','f1',41,1795425600000000,1795425660000000,'flow-1','overflow',NULL,'token of due',0,1795425630000000,1,'request',NULL,'due-2','queued',1795425720000000,'overflow',1795425719000000,NULL,NULL,5,0,'due',NULL);
INSERT INTO "actions" VALUES(3,'instance-1','transfer','acted',0,'sent',1795419000000000,'sent','sent','billing',1795419000000000,'late',1,3600000000,1795419000000000,'billing',3600000000,NULL,NULL,NULL,'r1','f1',41,1795425600000000,1795425660000000,'flow-1','overflow',NULL,'token of sent',0,1795425630000000,1,'request',NULL,'sent-2','queued',1795425720000000,'overflow',1795425719000000,NULL,7200000000,5,0,'intended',1795425840000000);
INSERT INTO "actions" VALUES(4,'instance-1','transfer','acted',0,'refused',1795419000000000,'refused','refused','billing',1795419000000000,'late',1,3600000000,1795419000000000,'billing',3600000000,NULL,NULL,NULL,'r1','f1',41,1795425600000000,1795425660000000,'flow-1','overflow',NULL,'token of refused',0,1795425630000000,1,'request',NULL,'refused-2','queued',1795425720000000,'overflow',1795425719000000,NULL,7200000000,5,0,'refused',1795425780000000);
INSERT INTO "actions" VALUES(5,'instance-1','transfer','acted',0,'gone',1795419000000000,'gone','gone','billing',1795419000000000,'late',1,3600000000,1795419000000000,'billing',3600000000,NULL,NULL,NULL,'r1','f1',41,1795425600000000,1795425660000000,'flow-1','overflow',NULL,'token of gone',0,1795425630000000,1,'request',NULL,'gone-2','queued',1795425720000000,'overflow',1795425719000000,NULL,NULL,5,0,'gone',NULL);
INSERT INTO "actions" VALUES(6,'instance-1','transfer','acted',0,'nothing',1795419000000000,'nothing','nothing','billing',1795419000000000,'late',1,3600000000,1795419000000000,'billing',3600000000,NULL,NULL,NULL,'r1','f1',41,1795425600000000,1795425660000000,'flow-1','overflow',NULL,'token of nothing',0,1795425630000000,1,'request',NULL,'nothing-2','queued',1795425720000000,'overflow',1795425719000000,NULL,NULL,5,0,NULL,NULL);
INSERT INTO "actions" VALUES(7,'instance-1','transfer','acted',0,'pending',1795419000000000,'pending','pending','billing',1795419000000000,'late',1,3600000000,1795419000000000,'billing',3600000000,NULL,NULL,NULL,'r1','f1',41,1795425600000000,1795425660000000,'flow-1','overflow',NULL,'token of pending',0,1795425630000000,1,'request',NULL,'pending-2','pending',NULL,NULL,NULL,NULL,NULL,5,0,NULL,NULL);
INSERT INTO "actions" VALUES(8,'instance-1','transfer','acted',0,'stray',1795419000000000,'stray','stray','billing',1795419000000000,'late',1,3600000000,1795419000000000,'billing',3600000000,NULL,NULL,NULL,'r1','f1',41,1795425600000000,1795425660000000,'flow-1','overflow',NULL,'token of stray',0,1795425630000000,1,'request',NULL,'stray-2','stray',1795425720000000,'overflow',1795425719000000,NULL,NULL,5,0,NULL,NULL);
INSERT INTO "actions" VALUES(9,'instance-1','warn','acted',0,'warned',1795419000000000,'warned','warned','billing',1795419000000000,'late',1,3600000000,1795419000000000,'billing',3600000000,NULL,NULL,NULL,'r1','f1',41,1795425600000000,1795426200000000,NULL,NULL,NULL,NULL,0,1795425630000000,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,5,0,NULL,NULL);
INSERT INTO "actions" VALUES(10,'instance-1','routing','acted',0,'bumped',1795419000000000,'bumped','bumped','billing',1795419000000000,'bump',1,3600000000,1795419000000000,'billing',3600000000,NULL,NULL,NULL,'r1','f1',41,1795425600000000,1795425900000000,NULL,NULL,NULL,NULL,0,1795425630000000,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,2,NULL,5,0,NULL,NULL);
INSERT INTO "actions" VALUES(11,'instance-1','transfer','refused',0,'twelve',1795419000000000,'twelve','twelve','billing',1795419000000000,'late',1,3600000000,1795419000000000,'billing',3600000000,NULL,NULL,NULL,'r1','f1',41,1795425600000000,1795425900000000,'flow-1','overflow',NULL,'token of twelve',0,1795425630000000,1,NULL,'Full',NULL,NULL,NULL,NULL,NULL,NULL,NULL,5,0,NULL,NULL);
INSERT INTO "actions" VALUES(12,'instance-1','transfer','intended',0,'open',1795419000000000,'open','open','billing',1795419000000000,'late',1,3600000000,1795419000000000,'billing',3600000000,NULL,NULL,NULL,'r1','f1',41,1795425600000000,NULL,'flow-1','overflow',NULL,'token of open',0,1795425630000000,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,5,0,NULL,NULL);
INSERT INTO "actions" VALUES(13,'instance-1','routing','intended',0,'bump-open',1795419000000000,'bump-open','bump-open','billing',1795419000000000,'bump',1,3600000000,1795419000000000,'billing',3600000000,NULL,NULL,NULL,'r1','f1',41,1795425600000000,NULL,NULL,NULL,NULL,NULL,0,1795425630000000,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,2,NULL,5,0,NULL,NULL);
INSERT INTO "actions" VALUES(14,'instance-1','transfer','acted',0,'both',1795419000000000,'both','both','billing',1795419000000000,'late',1,3600000000,1795419000000000,'billing',3600000000,NULL,NULL,NULL,'r1','f1',41,1795425600000000,1795425660000000,'flow-1','overflow',NULL,'token of both',0,1795425630000000,1,'request',NULL,'both-2','queued',1795425720000000,'overflow',1795425719000000,NULL,7200000000,5,0,'intended',1795425840000000);
INSERT INTO "actions" VALUES(15,'instance-1','routing','intended',0,'both-2',1795419000000000,'both-2','both-2','billing',1795419000000000,'bump',1,3600000000,1795419000000000,'billing',3600000000,NULL,NULL,NULL,'r1','f1',44,1795426140000000,NULL,NULL,NULL,NULL,NULL,0,1795425630000000,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,2,NULL,5,0,NULL,NULL);
INSERT INTO "actions" VALUES(16,'instance-1','transfer','acted',0,'same',1795419000000000,'same','same','billing',1795419000000000,'late',1,3600000000,1795419000000000,'billing',3600000000,NULL,NULL,NULL,'r1','f1',41,1795425600000000,1795425660000000,'flow-1','overflow',NULL,'token of same',0,1795425630000000,1,'request',NULL,'same','queued',1795425720000000,'overflow',1795425719000000,NULL,7200000000,5,0,'intended',1795425840000000);
INSERT INTO "actions" VALUES(17,'instance-1','transfer','acted',0,'same',1795419000000000,'same','same','billing',1795419000000000,'late',1,7200000000,1795419000000000,'billing',3600000000,NULL,NULL,NULL,'r1','f1',41,1795425600000000,1795425660000000,'flow-1','overflow',NULL,'token of same',0,1795425630000000,1,'request',NULL,'same','queued',1795425720000000,'overflow',1795425719000000,NULL,7200000000,5,0,'intended',1795425900000000);
CREATE TABLE migrations (
    version    INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT;
INSERT INTO "migrations" VALUES(1,'0001_actions',1795426200000000);
INSERT INTO "migrations" VALUES(2,'0002_routing',1795426200000000);
INSERT INTO "migrations" VALUES(3,'0003_pauses',1795426200000000);
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
INSERT INTO "pauses" VALUES('instance-1','rule','late','late',1795429800000000,'','me',1795426200000000);
CREATE TABLE resumed_flows (
    instance TEXT NOT NULL,
    flow_id TEXT NOT NULL,
    resumed_at INTEGER NOT NULL,
    PRIMARY KEY (instance, flow_id)
) STRICT;
CREATE TABLE segments (
    instance   TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    chain_id   TEXT NOT NULL,
    PRIMARY KEY (instance, contact_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "segments" VALUES('instance-1','both','both');
INSERT INTO "segments" VALUES('instance-1','both-2','both');
INSERT INTO "segments" VALUES('instance-1','bump-open','bump-open');
INSERT INTO "segments" VALUES('instance-1','bumped','bumped');
INSERT INTO "segments" VALUES('instance-1','due','due');
INSERT INTO "segments" VALUES('instance-1','due-2','due');
INSERT INTO "segments" VALUES('instance-1','given','given');
INSERT INTO "segments" VALUES('instance-1','given-2','given');
INSERT INTO "segments" VALUES('instance-1','gone','gone');
INSERT INTO "segments" VALUES('instance-1','gone-2','gone');
INSERT INTO "segments" VALUES('instance-1','nothing','nothing');
INSERT INTO "segments" VALUES('instance-1','nothing-2','nothing');
INSERT INTO "segments" VALUES('instance-1','open','open');
INSERT INTO "segments" VALUES('instance-1','pending','pending');
INSERT INTO "segments" VALUES('instance-1','pending-2','pending');
INSERT INTO "segments" VALUES('instance-1','refused','refused');
INSERT INTO "segments" VALUES('instance-1','refused-2','refused');
INSERT INTO "segments" VALUES('instance-1','same','same');
INSERT INTO "segments" VALUES('instance-1','sent','sent');
INSERT INTO "segments" VALUES('instance-1','sent-2','sent');
INSERT INTO "segments" VALUES('instance-1','stray','stray');
INSERT INTO "segments" VALUES('instance-1','stray-2','stray');
INSERT INTO "segments" VALUES('instance-1','twelve','twelve');
INSERT INTO "segments" VALUES('instance-1','warned','warned');
CREATE UNIQUE INDEX actions_open ON actions (instance, chain_id) WHERE state = 'intended';
CREATE UNIQUE INDEX actions_once ON actions (instance, case_id, began_at, rule, kind, at, observed)
    WHERE state IN ('intended', 'acted');
CREATE INDEX actions_chain ON actions (instance, chain_id);
CREATE INDEX actions_decided ON actions (instance, decided_at);
CREATE INDEX actions_landing ON actions (instance, landing)
    WHERE kind = 'transfer' AND state = 'acted' AND observed = 0;
CREATE INDEX segments_chain ON segments (instance, chain_id);
CREATE INDEX actions_place ON actions (instance, place) WHERE place IN ('due', 'intended');
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('actions',17);
COMMIT;
