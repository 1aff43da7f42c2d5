-- A database of version 0.1.0 at schema 0001, as its bot left it; its ledger is sealed with the key
-- 0c406ed28fe02406ba04c0ca4a1d7f5f7ac79bf84e810582f0c32b278f154d51
PRAGMA application_id=1483042409;
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'xenia','0001_requests_ledger_outbox','2026-11-23 07:34:57.705765+00:00');
CREATE TABLE "calls" (
   "request_id" TEXT REFERENCES "requests"("id"),
   "undo" INTEGER,
   "step" INTEGER,
   "call" TEXT NOT NULL,
   "mark" TEXT NOT NULL,
   "state" TEXT NOT NULL,
   "intended_at" TEXT NOT NULL,
   "task_uuid" TEXT NOT NULL,
   "error" TEXT NOT NULL,
   "ledger_seq" INTEGER NOT NULL,
   PRIMARY KEY ("request_id", "undo", "step")
) STRICT;
INSERT INTO "calls" VALUES('X-1',0,0,'VM.pool_migrate','{"at":1795419298.347759,"coordinator":"af45de76-18fc-5a8d-9649-bf21c3f77bed/1791877107.","tasks":[],"operations":[],"held":false}','done','2026-11-23T07:34:58.348238+00:00','b1308034-fda1-4ee9-bb07-0c6ec05c1d84','[]',6);
CREATE TABLE "deliveries" (
   "number" INTEGER PRIMARY KEY,
   "id" TEXT NOT NULL,
   "kind" TEXT NOT NULL,
   "request_id" TEXT NOT NULL REFERENCES "requests"("id"),
   "place" TEXT NOT NULL,
   "body" TEXT,
   "revision" INTEGER NOT NULL,
   "shown" INTEGER NOT NULL,
   "ts" TEXT NOT NULL,
   "attempts" INTEGER NOT NULL,
   "in_doubt" INTEGER NOT NULL,
   "claim" INTEGER NOT NULL,
   "due_at" TEXT NOT NULL,
   "given_up" INTEGER NOT NULL,
   "error" TEXT NOT NULL
) STRICT;
INSERT INTO "deliveries" VALUES(1,'166bd4fa60c44d21902eb30e3ba7d2e8','card','X-1','{"kind":"slack","team":"T0EXAMPLE","channel":"C0INFRA","thread_ts":"","private":false}',NULL,7,7,'1795419298.266271',0,0,8,'2026-11-23T07:34:59.792907+00:00',0,'');
INSERT INTO "deliveries" VALUES(2,'fda965feefe1409e954b2015adfc7c92','note','X-1','{"kind":"slack","team":"T0EXAMPLE","channel":"C0INFRA","thread_ts":"","private":false}','{"title":"lab: move web-1 from xs1 to xs2 \u2013 succeeded","level":"ok","summary":"Done in 0.7 s, and read back to be sure.","parts":[{"heading":"","lines":[{"text":"web-1: resident on is xs2","level":"none","detail":""},{"text":"web-1: power state is Running","level":"none","detail":""}],"kind":"lines"}],"suggestions":[{"label":"Go back","command":"vm migrate web-1 to xs1 in lab"}]}',1,1,'1795419299.283164',0,0,2,'2026-11-23T07:34:59.284858+00:00',0,'');
INSERT INTO "deliveries" VALUES(3,'27c29949b89346c2b7c04f71df477f18','card','X-2','{"kind":"slack","team":"T0EXAMPLE","channel":"C0INFRA","thread_ts":"","private":false}',NULL,1,1,'1795419300.300644',0,0,4,'2026-11-23T07:35:00.302438+00:00',0,'');
CREATE TABLE "leases" (
   "request_id" TEXT PRIMARY KEY REFERENCES "requests"("id"),
   "owner" TEXT NOT NULL,
   "expires_at" TEXT NOT NULL
) STRICT;
CREATE TABLE "ledger" (
   "seq" INTEGER PRIMARY KEY,
   "at" TEXT NOT NULL,
   "kind" TEXT NOT NULL,
   "actor_kind" TEXT NOT NULL,
   "actor_id" TEXT NOT NULL,
   "actor_name" TEXT NOT NULL,
   "pool" TEXT NOT NULL,
   "request_id" TEXT NOT NULL,
   "body" TEXT NOT NULL,
   "mode" TEXT NOT NULL,
   "prev" TEXT NOT NULL,
   "hash" TEXT NOT NULL
) STRICT;
INSERT INTO "ledger" VALUES(1,'2026-11-23T07:34:57.754732+00:00','started','bot','xenia','Xenia','','','{"version":"0.1.0"}','hmac-sha256/6f9de098','0000000000000000000000000000000000000000000000000000000000000000','b88931bc9927a7372182c4dbf6fcdd57af362f18aed4100b69a3ae99d6adfd98');
INSERT INTO "ledger" VALUES(2,'2026-11-23T07:34:57.965061+00:00','asked','slack','T0EXAMPLE/U0OLGA','olga','lab','X-1','{"approvals":1,"digest":"fe62a3c955c70400038c1a672d11d01b517e2eec15ba5a7bfba7f693a72ffe98","risk":"disruptive","text":"vm migrate web-1 to xs2","title":"move web-1 from xs1 to xs2"}','hmac-sha256/6f9de098','b88931bc9927a7372182c4dbf6fcdd57af362f18aed4100b69a3ae99d6adfd98','e7f19c26432b76ed46c7bbf561149e4660b022307d9b499a35ab2d9e99e569dc');
INSERT INTO "ledger" VALUES(3,'2026-11-23T07:34:58.320115+00:00','vote','slack','T0EXAMPLE/U0ANA','ana','lab','X-1','{"ballot":"approve","digest":"fe62a3c955c70400038c1a672d11d01b517e2eec15ba5a7bfba7f693a72ffe98","reason":""}','hmac-sha256/6f9de098','e7f19c26432b76ed46c7bbf561149e4660b022307d9b499a35ab2d9e99e569dc','eb047bef7994093f4b395df33940b6256145f95522fbf39044a12ea35eaf4e4f');
INSERT INTO "ledger" VALUES(4,'2026-11-23T07:34:58.323190+00:00','approved','slack','T0EXAMPLE/U0ANA','ana','lab','X-1','{"digest":"fe62a3c955c70400038c1a672d11d01b517e2eec15ba5a7bfba7f693a72ffe98"}','hmac-sha256/6f9de098','eb047bef7994093f4b395df33940b6256145f95522fbf39044a12ea35eaf4e4f','1d2c46bd7ab2bcffb8520b21b9eeb59999afaab94520ce115503858000b62b83');
INSERT INTO "ledger" VALUES(5,'2026-11-23T07:34:58.340702+00:00','running','bot','xenia','Xenia','lab','X-1','{"digest":"fe62a3c955c70400038c1a672d11d01b517e2eec15ba5a7bfba7f693a72ffe98"}','hmac-sha256/6f9de098','1d2c46bd7ab2bcffb8520b21b9eeb59999afaab94520ce115503858000b62b83','509f28a6398db0ff8ec8d7633551ec85d2afd72c2fd3627648d93f778152abe9');
INSERT INTO "ledger" VALUES(6,'2026-11-23T07:34:58.348238+00:00','call intended','bot','xenia','Xenia','lab','X-1','{"arguments":[{"kind":"object","object":{"cls":"VM","name":"web-1","uuid":"3b5a0751-1fed-535a-981b-2f45ee3725e8"}},{"kind":"object","object":{"cls":"host","name":"xs2","uuid":"6c4cbf04-7b28-5444-90fe-5577f63ab230"}},{"kind":"value","value":{"live":"true"}}],"call":"VM.pool_migrate","step":0,"title":"Migrate web-1 live from xs1 to xs2","undo":false}','hmac-sha256/6f9de098','509f28a6398db0ff8ec8d7633551ec85d2afd72c2fd3627648d93f778152abe9','096b9477bbf34d9ee50fcb19440a712d7450f0e3fd4ecc5b79ff6b716e70da8d');
INSERT INTO "ledger" VALUES(7,'2026-11-23T07:34:58.987369+00:00','call done','bot','xenia','Xenia','lab','X-1','{"call":"VM.pool_migrate","step":0,"title":"Migrate web-1 live from xs1 to xs2","undo":false}','hmac-sha256/6f9de098','096b9477bbf34d9ee50fcb19440a712d7450f0e3fd4ecc5b79ff6b716e70da8d','585dd464c06b657f21a66074164929e8ea29a3ac0a035d77d1706fa91fc07de4');
INSERT INTO "ledger" VALUES(8,'2026-11-23T07:34:58.998007+00:00','succeeded','bot','xenia','Xenia','lab','X-1','{"lines":["web-1: resident on is xs2","web-1: power state is Running"],"seconds":0.655,"summary":"Done in 0.7 s, and read back to be sure."}','hmac-sha256/6f9de098','585dd464c06b657f21a66074164929e8ea29a3ac0a035d77d1706fa91fc07de4','03fa3f412636366a6cfcaa2cbbd7e4ba914249eb6267f8b790cf1f5eedfc104f');
INSERT INTO "ledger" VALUES(9,'2026-11-23T07:34:59.062533+00:00','asked','slack','T0EXAMPLE/U0OLGA','olga','lab','X-2','{"approvals":1,"digest":"d75734c11411032c3805a78087b6ee7158405eef3c9c1a0cd890b19522f847ea","risk":"disruptive","text":"vm migrate web-1 to xs1","title":"move web-1 from xs2 to xs1"}','hmac-sha256/6f9de098','03fa3f412636366a6cfcaa2cbbd7e4ba914249eb6267f8b790cf1f5eedfc104f','94019f76b0fdba1829a025ee2cd10a9380d73396ad1e0ea32c67d27f74ab173a');
INSERT INTO "ledger" VALUES(10,'2026-11-23T07:35:05.064821+00:00','stopped','bot','xenia','Xenia','','','{"running":0}','hmac-sha256/6f9de098','94019f76b0fdba1829a025ee2cd10a9380d73396ad1e0ea32c67d27f74ab173a','417ddfb8976c62088fee37d91573b8e92fe4e8f349be82f83ccd71f4a1e15eb5');
CREATE TABLE "locks" (
   "key" TEXT PRIMARY KEY,
   "pool" TEXT NOT NULL,
   "request_id" TEXT NOT NULL REFERENCES "leases"("request_id")
) STRICT;
CREATE TABLE "requests" (
   "id" TEXT PRIMARY KEY,
   "number" INTEGER NOT NULL,
   "fingerprint" TEXT NOT NULL,
   "state" TEXT NOT NULL,
   "pool" TEXT,
   "text" TEXT,
   "actor" TEXT,
   "place" TEXT,
   "plan" TEXT NOT NULL,
   "digest" TEXT NOT NULL,
   "requirement" TEXT,
   "opened_at" TEXT NOT NULL,
   "expires_at" TEXT NOT NULL,
   "started_at" TEXT,
   "ended_at" TEXT,
   "progress" TEXT,
   "result" TEXT,
   "successor" TEXT,
   "predecessor" TEXT,
   "ledger_seq" INTEGER NOT NULL
) STRICT;
INSERT INTO "requests" VALUES('X-1',1,'fb87d993fa2894024c1b99ffc3bcac1ae2e8aaa3811023fc2c746bb9fceb0e7b','succeeded','lab','vm migrate web-1 to xs2','{"kind":"slack","id":"T0EXAMPLE/U0OLGA","name":"olga"}','{"kind":"slack","team":"T0EXAMPLE","channel":"C0INFRA","thread_ts":"","private":false}','{"command":"vm migrate","arguments":[["vm","3b5a0751-1fed-535a-981b-2f45ee3725e8"],["host","6c4cbf04-7b28-5444-90fe-5577f63ab230"]],"pool":{"cls":"pool","uuid":"a75d5d10-eec7-5d1a-aaa5-5240d12866df","name":"lab"},"risk":"disruptive","findings":[{"id":"vm.blocked","verdict":"pass","subject":{"cls":"VM","uuid":"3b5a0751-1fed-535a-981b-2f45ee3725e8","name":"web-1"},"title":"moving it is not forbidden by its owner","evidence":"","remedy":""},{"id":"vm.busy","verdict":"pass","subject":{"cls":"VM","uuid":"3b5a0751-1fed-535a-981b-2f45ee3725e8","name":"web-1"},"title":"nothing else is being done with it","evidence":"","remedy":""},{"id":"host.live","verdict":"pass","subject":{"cls":"host","uuid":"6c4cbf04-7b28-5444-90fe-5577f63ab230","name":"xs2"},"title":"xs2 is alive","evidence":"","remedy":""},{"id":"host.enabled","verdict":"pass","subject":{"cls":"host","uuid":"6c4cbf04-7b28-5444-90fe-5577f63ab230","name":"xs2"},"title":"xs2 takes VMs","evidence":"","remedy":""},{"id":"host.version","verdict":"pass","subject":{"cls":"host","uuid":"6c4cbf04-7b28-5444-90fe-5577f63ab230","name":"xs2"},"title":"xs2 is not older than xs1","evidence":"","remedy":""},{"id":"vm.cpu","verdict":"pass","subject":{"cls":"host","uuid":"6c4cbf04-7b28-5444-90fe-5577f63ab230","name":"xs2"},"title":"the CPU of xs2 suits it","evidence":"","remedy":""},{"id":"vm.storage","verdict":"pass","subject":{"cls":"host","uuid":"6c4cbf04-7b28-5444-90fe-5577f63ab230","name":"xs2"},"title":"xs2 sees all its disks","evidence":"","remedy":""},{"id":"vm.network","verdict":"pass","subject":{"cls":"host","uuid":"6c4cbf04-7b28-5444-90fe-5577f63ab230","name":"xs2"},"title":"xs2 has all its networks","evidence":"","remedy":""},{"id":"host.memory","verdict":"pass","subject":{"cls":"host","uuid":"6c4cbf04-7b28-5444-90fe-5577f63ab230","name":"xs2"},"title":"xs2 has the memory","evidence":"2.0 GiB needed, 37.2 GiB can be freed","remedy":""},{"id":"vm.operation","verdict":"pass","subject":{"cls":"VM","uuid":"3b5a0751-1fed-535a-981b-2f45ee3725e8","name":"web-1"},"title":"the toolstack would let it move","evidence":"","remedy":""},{"id":"vm.boot-here","verdict":"pass","subject":{"cls":"host","uuid":"6c4cbf04-7b28-5444-90fe-5577f63ab230","name":"xs2"},"title":"the toolstack would run it on xs2","evidence":"","remedy":""}],"steps":[{"title":"Migrate web-1 live from xs1 to xs2","target":{"pool_uuid":"a75d5d10-eec7-5d1a-aaa5-5240d12866df","kind":"pool"},"call":"VM.pool_migrate","arguments":[{"object":{"cls":"VM","uuid":"3b5a0751-1fed-535a-981b-2f45ee3725e8","name":"web-1"},"kind":"object"},{"object":{"cls":"host","uuid":"6c4cbf04-7b28-5444-90fe-5577f63ab230","name":"xs2"},"kind":"object"},{"value":{"live":"true"},"kind":"value"}],"asynchronous":true,"trace":{"object":{"cls":"VM","uuid":"3b5a0751-1fed-535a-981b-2f45ee3725e8","name":"web-1"},"operation":"pool_migrate"},"expect":[{"object":{"cls":"VM","uuid":"3b5a0751-1fed-535a-981b-2f45ee3725e8","name":"web-1"},"field":"resident_on","equals":{"object":{"cls":"host","uuid":"6c4cbf04-7b28-5444-90fe-5577f63ab230","name":"xs2"},"kind":"object"}},{"object":{"cls":"VM","uuid":"3b5a0751-1fed-535a-981b-2f45ee3725e8","name":"web-1"},"field":"power_state","equals":{"value":"Running","kind":"value"}}],"limit_seconds":7200,"undo":[]}],"touches":[{"cls":"VM","uuid":"3b5a0751-1fed-535a-981b-2f45ee3725e8","name":"web-1"}],"whole_pool":false,"tags":[],"facts":[["web-1 runs on","xs1"]],"window":{"not_before":null,"not_after":null},"title":"move web-1 from xs1 to xs2","impact":["web-1 keeps running; at the end it stands still for about a second.","2 GiB of memory are copied over the network."],"reasons":[],"go_back":"vm migrate web-1 to xs1 in lab"}','fe62a3c955c70400038c1a672d11d01b517e2eec15ba5a7bfba7f693a72ffe98','{"approvals":1,"who":"an approver other than the person who asks","expires_seconds":3600,"rule":"","type_name":false,"one_time_code":false,"overrides":[]}','2026-11-23T07:34:57.965061+00:00','2026-11-23T08:34:57.965061+00:00','2026-11-23T07:34:58.340702+00:00','2026-11-23T07:34:58.998007+00:00','{"step":0,"steps":1,"fraction":0.5455,"text":"Migrate web-1 live from xs1 to xs2"}','{"summary":"Done in 0.7 s, and read back to be sure.","lines":["web-1: resident on is xs2","web-1: power state is Running"],"remedy":"","seconds":0.654826}','','',8);
INSERT INTO "requests" VALUES('X-2',2,'273f1ada16d0f8185ef2b374089b1b8ce3f24b03fe62b7197a6a1eb12a9ed337','waiting for votes','lab','vm migrate web-1 to xs1','{"kind":"slack","id":"T0EXAMPLE/U0OLGA","name":"olga"}','{"kind":"slack","team":"T0EXAMPLE","channel":"C0INFRA","thread_ts":"","private":false}','{"command":"vm migrate","arguments":[["vm","3b5a0751-1fed-535a-981b-2f45ee3725e8"],["host","af45de76-18fc-5a8d-9649-bf21c3f77bed"]],"pool":{"cls":"pool","uuid":"a75d5d10-eec7-5d1a-aaa5-5240d12866df","name":"lab"},"risk":"disruptive","findings":[{"id":"vm.blocked","verdict":"pass","subject":{"cls":"VM","uuid":"3b5a0751-1fed-535a-981b-2f45ee3725e8","name":"web-1"},"title":"moving it is not forbidden by its owner","evidence":"","remedy":""},{"id":"vm.busy","verdict":"pass","subject":{"cls":"VM","uuid":"3b5a0751-1fed-535a-981b-2f45ee3725e8","name":"web-1"},"title":"nothing else is being done with it","evidence":"","remedy":""},{"id":"host.live","verdict":"pass","subject":{"cls":"host","uuid":"af45de76-18fc-5a8d-9649-bf21c3f77bed","name":"xs1"},"title":"xs1 is alive","evidence":"","remedy":""},{"id":"host.enabled","verdict":"pass","subject":{"cls":"host","uuid":"af45de76-18fc-5a8d-9649-bf21c3f77bed","name":"xs1"},"title":"xs1 takes VMs","evidence":"","remedy":""},{"id":"host.version","verdict":"pass","subject":{"cls":"host","uuid":"af45de76-18fc-5a8d-9649-bf21c3f77bed","name":"xs1"},"title":"xs1 is not older than xs2","evidence":"","remedy":""},{"id":"vm.cpu","verdict":"pass","subject":{"cls":"host","uuid":"af45de76-18fc-5a8d-9649-bf21c3f77bed","name":"xs1"},"title":"the CPU of xs1 suits it","evidence":"","remedy":""},{"id":"vm.storage","verdict":"pass","subject":{"cls":"host","uuid":"af45de76-18fc-5a8d-9649-bf21c3f77bed","name":"xs1"},"title":"xs1 sees all its disks","evidence":"","remedy":""},{"id":"vm.network","verdict":"pass","subject":{"cls":"host","uuid":"af45de76-18fc-5a8d-9649-bf21c3f77bed","name":"xs1"},"title":"xs1 has all its networks","evidence":"","remedy":""},{"id":"host.memory","verdict":"pass","subject":{"cls":"host","uuid":"af45de76-18fc-5a8d-9649-bf21c3f77bed","name":"xs1"},"title":"xs1 has the memory","evidence":"2.0 GiB needed, 33.2 GiB can be freed","remedy":""},{"id":"vm.operation","verdict":"pass","subject":{"cls":"VM","uuid":"3b5a0751-1fed-535a-981b-2f45ee3725e8","name":"web-1"},"title":"the toolstack would let it move","evidence":"","remedy":""},{"id":"vm.boot-here","verdict":"pass","subject":{"cls":"host","uuid":"af45de76-18fc-5a8d-9649-bf21c3f77bed","name":"xs1"},"title":"the toolstack would run it on xs1","evidence":"","remedy":""}],"steps":[{"title":"Migrate web-1 live from xs2 to xs1","target":{"pool_uuid":"a75d5d10-eec7-5d1a-aaa5-5240d12866df","kind":"pool"},"call":"VM.pool_migrate","arguments":[{"object":{"cls":"VM","uuid":"3b5a0751-1fed-535a-981b-2f45ee3725e8","name":"web-1"},"kind":"object"},{"object":{"cls":"host","uuid":"af45de76-18fc-5a8d-9649-bf21c3f77bed","name":"xs1"},"kind":"object"},{"value":{"live":"true"},"kind":"value"}],"asynchronous":true,"trace":{"object":{"cls":"VM","uuid":"3b5a0751-1fed-535a-981b-2f45ee3725e8","name":"web-1"},"operation":"pool_migrate"},"expect":[{"object":{"cls":"VM","uuid":"3b5a0751-1fed-535a-981b-2f45ee3725e8","name":"web-1"},"field":"resident_on","equals":{"object":{"cls":"host","uuid":"af45de76-18fc-5a8d-9649-bf21c3f77bed","name":"xs1"},"kind":"object"}},{"object":{"cls":"VM","uuid":"3b5a0751-1fed-535a-981b-2f45ee3725e8","name":"web-1"},"field":"power_state","equals":{"value":"Running","kind":"value"}}],"limit_seconds":7200,"undo":[]}],"touches":[{"cls":"VM","uuid":"3b5a0751-1fed-535a-981b-2f45ee3725e8","name":"web-1"}],"whole_pool":false,"tags":[],"facts":[["web-1 runs on","xs2"]],"window":{"not_before":null,"not_after":null},"title":"move web-1 from xs2 to xs1","impact":["web-1 keeps running; at the end it stands still for about a second.","2 GiB of memory are copied over the network."],"reasons":[],"go_back":"vm migrate web-1 to xs2 in lab"}','d75734c11411032c3805a78087b6ee7158405eef3c9c1a0cd890b19522f847ea','{"approvals":1,"who":"an approver other than the person who asks","expires_seconds":3600,"rule":"","type_name":false,"one_time_code":false,"overrides":[]}','2026-11-23T07:34:59.062533+00:00','2026-11-23T08:34:59.062533+00:00',NULL,NULL,NULL,NULL,'','',9);
CREATE TABLE "sightings" (
   "key" TEXT PRIMARY KEY,
   "at" TEXT NOT NULL
) STRICT;
INSERT INTO "sightings" VALUES('slack:1480269637.1186509785.f3f7450f04e7b77b2a12b961765f60fc','2026-11-23T07:34:57.858107+00:00');
INSERT INTO "sightings" VALUES('slack:1480269638.1198943957.1de4303bb0257f2be64e2978c43ac194','2026-11-23T07:34:57.955136+00:00');
INSERT INTO "sightings" VALUES('slack:1480269639.1354277151.826e93355f9cda097088a235f88f211e','2026-11-23T07:34:58.313262+00:00');
INSERT INTO "sightings" VALUES('slack:1480269640.1887429010.09b70081799e9cb2a178b3b4d8577824','2026-11-23T07:34:59.040692+00:00');
CREATE TABLE "votes" (
   "request_id" TEXT REFERENCES "requests"("id"),
   "actor_key" TEXT,
   "actor" TEXT NOT NULL,
   "ballot" TEXT NOT NULL,
   "digest" TEXT NOT NULL,
   "reason" TEXT,
   "at" TEXT NOT NULL,
   "ledger_seq" INTEGER NOT NULL,
   PRIMARY KEY ("request_id", "actor_key")
) STRICT;
INSERT INTO "votes" VALUES('X-1','slack:T0EXAMPLE/U0ANA','{"kind":"slack","id":"T0EXAMPLE/U0ANA","name":"ana"}','approve','fe62a3c955c70400038c1a672d11d01b517e2eec15ba5a7bfba7f693a72ffe98','','2026-11-23T07:34:58.320115+00:00',3);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE UNIQUE INDEX "idx_requests_number"
    ON "requests" ("number");
CREATE INDEX "idx_requests_state"
    ON "requests" ("state");
CREATE UNIQUE INDEX requests_one_open ON requests (fingerprint) WHERE ended_at IS NULL;
CREATE INDEX "idx_locks_pool"
    ON "locks" ("pool");
CREATE INDEX "idx_locks_request_id"
    ON "locks" ("request_id");
CREATE UNIQUE INDEX "idx_deliveries_id"
    ON "deliveries" ("id");
CREATE INDEX "idx_deliveries_request_id_kind_number"
    ON "deliveries" ("request_id", "kind", "number");
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE given_up = 0 AND shown < revision;
CREATE INDEX "idx_sightings_at"
    ON "sightings" ("at");
CREATE INDEX "idx_ledger_pool_seq"
    ON "ledger" ("pool", "seq");
CREATE INDEX "idx_ledger_request_id"
    ON "ledger" ("request_id");
CREATE TRIGGER ledger_refuses_update BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_refuses_delete BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_refuses_gaps BEFORE INSERT ON ledger WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM ledger) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
COMMIT;
