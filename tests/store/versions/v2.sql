-- A store as the second version of Holdwater wrote it (sqlite3's .dump, and its two marks), with two exports in it:
-- one knows people by fingerprints of their addresses and names, the other by numbers.
PRAGMA application_id = 1213156420;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE activity (connection TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, direction TEXT, occurred_at TEXT NOT NULL, updated_at TEXT NOT NULL, lead_id TEXT, deal_id TEXT, owner_id TEXT, PRIMARY KEY (connection, id)) WITHOUT ROWID;
INSERT INTO "activity" VALUES('test:1','1','call','out','2026-03-01T12:00:00.000000Z','2026-03-01T12:00:00.000000Z','1',NULL,NULL);
CREATE TABLE consent (connection TEXT NOT NULL, id TEXT NOT NULL, lead_id TEXT NOT NULL, channel TEXT NOT NULL, status TEXT NOT NULL, updated_at TEXT NOT NULL, recorded_at TEXT, legal_basis TEXT, PRIMARY KEY (connection, id)) WITHOUT ROWID;
CREATE TABLE customer (connection TEXT NOT NULL, id TEXT NOT NULL, started_at TEXT NOT NULL, updated_at TEXT NOT NULL, lead_id TEXT, ended_at TEXT, person TEXT, PRIMARY KEY (connection, id)) WITHOUT ROWID;
INSERT INTO "customer" VALUES('exports:shop','sha256:13d855ce931073d4924ac377cda0e9a5','2024-02-20T00:00:00.000000Z','2026-11-22T08:38:15.468937Z','sha256:13d855ce931073d4924ac377cda0e9a5',NULL,NULL);
CREATE TABLE deal (connection TEXT NOT NULL, id TEXT NOT NULL, status TEXT NOT NULL, created_at TEXT, updated_at TEXT NOT NULL, lead_id TEXT, closed_at TEXT, amount_minor INTEGER, amount_currency TEXT, amount_text TEXT, pipeline_id TEXT, stage_id TEXT, owner_id TEXT, lost_reason TEXT, lost_reason_raw TEXT, PRIMARY KEY (connection, id)) WITHOUT ROWID;
INSERT INTO "deal" VALUES('exports:shop','D-1','won',NULL,'2026-11-22T08:38:15.468904Z','sha256:13d855ce931073d4924ac377cda0e9a5','2024-02-20T00:00:00.000000Z',1250,'EUR','12.50',NULL,NULL,'sha256:2b08e434f3df3d49964d0abdc9bb5500',NULL,NULL);
INSERT INTO "deal" VALUES('test:1','1','won','2026-03-01T12:00:00.000000Z','2026-03-01T12:00:00.000000Z','1','2026-03-01T12:00:00.000000Z',1250,'EUR','12,50 €',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE gone (connection TEXT NOT NULL, stream TEXT NOT NULL, id TEXT NOT NULL, how TEXT NOT NULL, merged_into TEXT, seen_at TEXT NOT NULL, PRIMARY KEY (connection, stream, id)) WITHOUT ROWID;
INSERT INTO "gone" VALUES('exports:shop','leads','sha256:623465a03597bc5e82ec2293361902ff','missing',NULL,'2026-11-22T08:38:15.675087Z');
CREATE TABLE invoice (connection TEXT NOT NULL, id TEXT NOT NULL, customer_id TEXT NOT NULL, status TEXT NOT NULL, issued_at TEXT NOT NULL, updated_at TEXT NOT NULL, subscription_id TEXT, paid_at TEXT, period_start TEXT, period_end TEXT, total_minor INTEGER, total_currency TEXT, total_text TEXT, refunded_minor INTEGER, refunded_currency TEXT, refunded_text TEXT, PRIMARY KEY (connection, id)) WITHOUT ROWID;
CREATE TABLE issue (connection TEXT NOT NULL, stream TEXT NOT NULL, id TEXT NOT NULL, problem TEXT NOT NULL, PRIMARY KEY (connection, stream, id)) WITHOUT ROWID;
CREATE TABLE lead (connection TEXT NOT NULL, id TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, source TEXT, source_raw TEXT, owner_id TEXT, person TEXT, PRIMARY KEY (connection, id)) WITHOUT ROWID;
INSERT INTO "lead" VALUES('exports:codes','1','2024-01-31T00:00:00.000000Z','2026-11-22T08:38:15.469055Z',NULL,NULL,NULL,NULL);
INSERT INTO "lead" VALUES('exports:shop','4711','2024-02-02T00:00:00.000000Z','2026-11-22T08:38:15.659936Z',NULL,NULL,NULL,NULL);
INSERT INTO "lead" VALUES('exports:shop','sha256:13d855ce931073d4924ac377cda0e9a5','2024-01-31T00:00:00.000000Z','2026-11-22T08:38:15.659936Z','ads','Ads','sha256:2b08e434f3df3d49964d0abdc9bb5500',NULL);
INSERT INTO "lead" VALUES('exports:shop','sha256:b5fb79bc07fa24049f99f456f8f530af','2024-02-01T00:00:00.000000Z','2026-11-22T08:38:15.659936Z','ads','Ads','7',NULL);
INSERT INTO "lead" VALUES('test:1','1','2026-03-01T12:00:00.000000Z','2026-03-01T12:00:00.000000Z','email',NULL,NULL,NULL);
INSERT INTO "lead" VALUES('test:1','2','2026-03-01T12:00:00.000000Z','2026-03-01T12:00:00.000000Z',NULL,NULL,NULL,NULL);
CREATE TABLE owner (connection TEXT NOT NULL, id TEXT NOT NULL, updated_at TEXT NOT NULL, archived INTEGER NOT NULL, PRIMARY KEY (connection, id)) WITHOUT ROWID;
INSERT INTO "owner" VALUES('test:1','1','2026-03-01T12:00:00.000000Z',1);
CREATE TABLE spend (connection TEXT NOT NULL, id TEXT NOT NULL, day TEXT NOT NULL, amount_minor INTEGER NOT NULL, amount_currency TEXT NOT NULL, amount_text TEXT NOT NULL, updated_at TEXT NOT NULL, source TEXT, source_raw TEXT, PRIMARY KEY (connection, id)) WITHOUT ROWID;
INSERT INTO "spend" VALUES('exports:shop','["2024-02-01", null, "a", 1]','2024-02-01',1050,'EUR','10.50','2026-11-22T08:38:15.468968Z',NULL,NULL);
CREATE TABLE stage (connection TEXT NOT NULL, id TEXT NOT NULL, pipeline_id TEXT NOT NULL, label TEXT NOT NULL, position INTEGER NOT NULL, closed INTEGER NOT NULL, won INTEGER NOT NULL, updated_at TEXT NOT NULL, PRIMARY KEY (connection, id)) WITHOUT ROWID;
INSERT INTO "stage" VALUES('test:1','1','p','New',0,0,0,'2026-03-01T12:00:00.000000Z');
CREATE TABLE stage_event (connection TEXT NOT NULL, id TEXT NOT NULL, deal_id TEXT NOT NULL, stage_id TEXT NOT NULL, entered_at TEXT NOT NULL, updated_at TEXT NOT NULL, pipeline_id TEXT, PRIMARY KEY (connection, id)) WITHOUT ROWID;
INSERT INTO "stage_event" VALUES('test:1','1','1','1','2026-03-01T12:00:00.000000Z','2026-03-01T12:00:00.000000Z',NULL);
CREATE TABLE subscription (connection TEXT NOT NULL, id TEXT NOT NULL, customer_id TEXT NOT NULL, status TEXT NOT NULL, started_at TEXT NOT NULL, updated_at TEXT NOT NULL, ended_at TEXT, monthly_minor INTEGER, monthly_currency TEXT, monthly_text TEXT, PRIMARY KEY (connection, id)) WITHOUT ROWID;
CREATE TABLE sync_run (connection TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT, status TEXT NOT NULL, streams TEXT NOT NULL, pages INTEGER NOT NULL, rows_read INTEGER NOT NULL, rows_written INTEGER NOT NULL, rows_gone INTEGER NOT NULL, issues INTEGER NOT NULL, requests INTEGER NOT NULL, retries INTEGER NOT NULL, throttled_seconds REAL NOT NULL, error TEXT, PRIMARY KEY (connection, started_at)) WITHOUT ROWID;
INSERT INTO "sync_run" VALUES('exports:codes','2026-11-22T08:38:15.533749Z','2026-11-22T08:38:15.626601Z','done','{"leads": 1}',1,1,1,0,0,0,0,0.0,NULL);
INSERT INTO "sync_run" VALUES('exports:shop','2026-11-22T08:38:15.627892Z','2026-11-22T08:38:15.651191Z','done','{"leads": 4, "deals": 1, "customers": 1, "spend": 1}',4,7,7,0,0,0,0,0.0,NULL);
INSERT INTO "sync_run" VALUES('exports:shop','2026-11-22T08:38:15.660899Z','2026-11-22T08:38:15.688147Z','done','{"leads": 3, "deals": 1, "customers": 1, "spend": 1}',4,6,3,1,0,0,0,0.0,NULL);
INSERT INTO "sync_run" VALUES('test:1','2026-11-22T08:38:15.524693Z','2026-11-22T08:38:15.525954Z','done','{"mixed": 5, "leads": 2}',2,7,7,0,0,3,2,1.5,NULL);
CREATE TABLE sync_state (
    connection TEXT NOT NULL, stream TEXT NOT NULL, watermark TEXT NOT NULL, PRIMARY KEY (connection, stream)
) WITHOUT ROWID;
INSERT INTO "sync_state" VALUES('test:1','leads','2026-03-01T12:00:00.000000Z');
CREATE INDEX deal_by_lead_id ON deal (connection, lead_id);
CREATE INDEX customer_by_lead_id ON customer (connection, lead_id);
CREATE INDEX activity_by_lead_id ON activity (connection, lead_id);
CREATE INDEX consent_by_lead_id ON consent (connection, lead_id);
COMMIT;
