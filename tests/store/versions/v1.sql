-- A store as the first version of Holdwater wrote it (sqlite3's .dump, and its two marks).
PRAGMA application_id = 1213156420;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE customer (connection TEXT NOT NULL, id TEXT NOT NULL, started_at TEXT NOT NULL, updated_at TEXT NOT NULL, lead_id TEXT, ended_at TEXT, PRIMARY KEY (connection, id)) WITHOUT ROWID;
INSERT INTO "customer" VALUES('test:1','1','2026-03-01T12:00:00.000000Z','2026-03-01T12:00:00.000000Z',NULL,NULL);
CREATE TABLE deal (connection TEXT NOT NULL, id TEXT NOT NULL, status TEXT NOT NULL, created_at TEXT, updated_at TEXT NOT NULL, lead_id TEXT, closed_at TEXT, amount_minor INTEGER, amount_currency TEXT, amount_text TEXT, pipeline_id TEXT, stage_id TEXT, owner_id TEXT, PRIMARY KEY (connection, id)) WITHOUT ROWID;
INSERT INTO "deal" VALUES('test:1','1','won','2026-03-01T12:00:00.000000Z','2026-03-01T12:00:00.000000Z','1','2026-03-01T12:00:00.000000Z',1250,'EUR','12,50 €',NULL,NULL,NULL);
CREATE TABLE lead (connection TEXT NOT NULL, id TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, source TEXT, source_raw TEXT, owner_id TEXT, PRIMARY KEY (connection, id)) WITHOUT ROWID;
INSERT INTO "lead" VALUES('test:1','1','2026-03-01T12:00:00.000000Z','2026-03-01T12:00:00.000000Z','email',NULL,NULL);
INSERT INTO "lead" VALUES('test:1','2','2026-03-01T12:00:00.000000Z','2026-03-01T12:00:00.000000Z',NULL,NULL,NULL);
CREATE TABLE owner (connection TEXT NOT NULL, id TEXT NOT NULL, updated_at TEXT NOT NULL, archived INTEGER NOT NULL, PRIMARY KEY (connection, id)) WITHOUT ROWID;
INSERT INTO "owner" VALUES('test:1','1','2026-03-01T12:00:00.000000Z',1);
CREATE TABLE spend (connection TEXT NOT NULL, id TEXT NOT NULL, day TEXT NOT NULL, amount_minor INTEGER NOT NULL, amount_currency TEXT NOT NULL, amount_text TEXT NOT NULL, updated_at TEXT NOT NULL, source TEXT, source_raw TEXT, PRIMARY KEY (connection, id)) WITHOUT ROWID;
INSERT INTO "spend" VALUES('test:1','1','2026-03-01',1250,'EUR','12,50 €','2026-03-01T12:00:00.000000Z',NULL,NULL);
CREATE TABLE stage (connection TEXT NOT NULL, id TEXT NOT NULL, pipeline_id TEXT NOT NULL, label TEXT NOT NULL, position INTEGER NOT NULL, closed INTEGER NOT NULL, won INTEGER NOT NULL, updated_at TEXT NOT NULL, PRIMARY KEY (connection, id)) WITHOUT ROWID;
INSERT INTO "stage" VALUES('test:1','1','p','New',0,0,0,'2026-03-01T12:00:00.000000Z');
CREATE TABLE sync_run (connection TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT, status TEXT NOT NULL, streams TEXT NOT NULL, pages INTEGER NOT NULL, rows_read INTEGER NOT NULL, rows_written INTEGER NOT NULL, requests INTEGER NOT NULL, retries INTEGER NOT NULL, throttled_seconds REAL NOT NULL, error TEXT, PRIMARY KEY (connection, started_at)) WITHOUT ROWID;
INSERT INTO "sync_run" VALUES('test:1','2026-11-22T00:35:13.436675Z','2026-11-22T00:35:13.437980Z','done','{"mixed": 6, "leads": 1}',2,7,7,3,2,1.5,NULL);
CREATE TABLE sync_state (
    connection TEXT NOT NULL, stream TEXT NOT NULL, watermark TEXT NOT NULL, PRIMARY KEY (connection, stream)
) WITHOUT ROWID;
INSERT INTO "sync_state" VALUES('test:1','leads','2026-03-01T12:00:00.000000Z');
COMMIT;
