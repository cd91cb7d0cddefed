-- A ledger of schema version 1, as the code of commit 3a7e20c wrote it; recorded, never edited.
-- Its clock stood at 1800001100: the lease of campaign 'spring' has ended, that of 'autumn' goes on for 600 s.
BEGIN TRANSACTION;
CREATE TABLE wa_campaign (
	id INTEGER NOT NULL,
	campaign_id VARCHAR(200) NOT NULL,
	fingerprint VARCHAR(64) NOT NULL,
	template VARCHAR(64) NOT NULL,
	shared TEXT NOT NULL,
	channel VARCHAR(200) NOT NULL,
	state VARCHAR(16) NOT NULL,
	reason VARCHAR(500),
	skipped TEXT,
	created_at DOUBLE NOT NULL,
	updated_at DOUBLE NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (campaign_id)
);
INSERT INTO "wa_campaign" VALUES(1,'done','8188b9e186dc05758fb73ce97df446e3a4d7f90fe57ea59904eeefebb307cee0','8e6ab87228094c69c7bdeb28c58e65db5f01d6a4aa974eaae2b841936a26d783','{}','whapi/TESTER-1','finished',NULL,'{}',1800001000.0,1800001000.0);
INSERT INTO "wa_campaign" VALUES(2,'message/order-1','59b541958c9b3615b40b06ab2c16b63cf7606b58435c6e274546dfe1d081b612','aba626c479d59e5c967848eb774983e34036accb4be9960f83b6bc4161a3de56','{}','whapi/TESTER-1','finished',NULL,'{}',1800001000.0,1800001000.0);
INSERT INTO "wa_campaign" VALUES(3,'halted','8188b9e186dc05758fb73ce97df446e3a4d7f90fe57ea59904eeefebb307cee0','8e6ab87228094c69c7bdeb28c58e65db5f01d6a4aa974eaae2b841936a26d783','{}','whapi/TESTER-1','paused','The token is wrong.','{}',1800001000.0,1800001000.0);
INSERT INTO "wa_campaign" VALUES(4,'spring','a4b28da8318b05841490d39e73c1329a110b190be2202d4fb48f09df2bbfa787','8e6ab87228094c69c7bdeb28c58e65db5f01d6a4aa974eaae2b841936a26d783','{}','whapi/TESTER-1','running',NULL,'{}',1800001000.0,1800001000.0);
INSERT INTO "wa_campaign" VALUES(5,'autumn','7b0ffaff5c9940fadc73726969b932c3c220d2b0c3ccf7dfd266e21243a1e1d7','8e6ab87228094c69c7bdeb28c58e65db5f01d6a4aa974eaae2b841936a26d783','{}','whapi/TESTER-1','running',NULL,'{}',1800001100.0,1800001100.0);
CREATE TABLE wa_channel (
	channel VARCHAR(200) NOT NULL,
	PRIMARY KEY (channel)
);
INSERT INTO "wa_channel" VALUES('whapi/TESTER-1');
CREATE TABLE wa_channel_claim (
	account VARCHAR(100) NOT NULL,
	name VARCHAR(200) NOT NULL,
	owner VARCHAR(800) NOT NULL,
	until DOUBLE NOT NULL,
	PRIMARY KEY (account, name)
);
INSERT INTO "wa_channel_claim" VALUES('account','Tester','dag/create/run',1800001400.0);
CREATE TABLE wa_delivery (
	id INTEGER NOT NULL,
	campaign INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	recipient VARCHAR(100) NOT NULL,
	address VARCHAR(100) NOT NULL,
	variables TEXT,
	body_hash VARCHAR(64),
	state VARCHAR(16) NOT NULL,
	runner INTEGER,
	attempt INTEGER NOT NULL,
	postponed INTEGER NOT NULL,
	permit INTEGER,
	not_before DOUBLE,
	message_id VARCHAR(200),
	code VARCHAR(80),
	reason VARCHAR(500),
	updated_at DOUBLE NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT wa_delivery_once UNIQUE (campaign, recipient),
	FOREIGN KEY(campaign) REFERENCES wa_campaign (id)
);
INSERT INTO "wa_delivery" VALUES(1,1,0,'15550000000','15550000000','{"name": "N0", "phone": "15550000000"}','47b8bce8a17b7b259521307697c1540aa953341bccfedcc819c90769d63ea12c','accepted',1,1,0,1,NULL,'id-15550000000-1',NULL,NULL,1800001000.0);
INSERT INTO "wa_delivery" VALUES(2,1,1,'15550000001','15550000001','{"name": "N1", "phone": "15550000001"}','848c05b0454ab30fc5459ec7bec8bd6e56446acad01830d76831edac05772df2','accepted',1,1,0,1,NULL,'id-15550000001-1',NULL,NULL,1800001000.0);
INSERT INTO "wa_delivery" VALUES(3,1,2,'15550000002','15550000002','{"name": "N2", "phone": "15550000002"}','c08bc7b4e84c114771c7aea20becc748e4ddca642e67fe942bf1209247b14883','accepted',1,1,0,1,NULL,'id-15550000002-1',NULL,NULL,1800001000.0);
INSERT INTO "wa_delivery" VALUES(4,2,0,'15550000000','15550000000','{}','47b8bce8a17b7b259521307697c1540aa953341bccfedcc819c90769d63ea12c','accepted',2,1,0,2,NULL,'id-15550000000-2',NULL,NULL,1800001000.0);
INSERT INTO "wa_delivery" VALUES(5,3,0,'15550000000','15550000000','{"name": "N0", "phone": "15550000000"}','47b8bce8a17b7b259521307697c1540aa953341bccfedcc819c90769d63ea12c','planned',3,1,0,3,NULL,NULL,'http_401','The token is wrong.',1800001000.0);
INSERT INTO "wa_delivery" VALUES(6,3,1,'15550000001','15550000001','{"name": "N1", "phone": "15550000001"}','848c05b0454ab30fc5459ec7bec8bd6e56446acad01830d76831edac05772df2','planned',3,1,0,3,NULL,NULL,'http_401','The token is wrong.',1800001000.0);
INSERT INTO "wa_delivery" VALUES(7,3,2,'15550000002','15550000002','{"name": "N2", "phone": "15550000002"}','c08bc7b4e84c114771c7aea20becc748e4ddca642e67fe942bf1209247b14883','planned',3,1,0,3,NULL,NULL,'http_401','The token is wrong.',1800001000.0);
INSERT INTO "wa_delivery" VALUES(8,4,0,'15550000000','15550000000','{"name": "N0", "phone": "15550000000"}','47b8bce8a17b7b259521307697c1540aa953341bccfedcc819c90769d63ea12c','accepted',4,1,0,4,NULL,'id-15550000000-3',NULL,NULL,1800001000.0);
INSERT INTO "wa_delivery" VALUES(9,4,1,'15550000001','15550000001','{"name": "N1", "phone": "15550000001"}','848c05b0454ab30fc5459ec7bec8bd6e56446acad01830d76831edac05772df2','rejected',4,1,0,4,NULL,NULL,'not_on_whatsapp','Not on WhatsApp.',1800001000.0);
INSERT INTO "wa_delivery" VALUES(10,4,2,'15550000002','15550000002','{"name": "N2", "phone": "15550000002"}','c08bc7b4e84c114771c7aea20becc748e4ddca642e67fe942bf1209247b14883','in_doubt',4,1,0,4,NULL,NULL,'ReadTimeout','The line went dead.',1800001000.0);
INSERT INTO "wa_delivery" VALUES(11,4,3,'15550000003','15550000003','{"name": "N3", "phone": "15550000003"}','1cca8cd5add2c8a80af0e9eb373145c0c43d41862c960de287b55076b0914e40','postponed',4,1,1,4,1800001030.0,NULL,'ConnectError','Connection refused.',1800001000.0);
INSERT INTO "wa_delivery" VALUES(12,4,4,'15550000004','15550000004','{"name": "N4", "phone": "15550000004"}','08b9f5766ffeda5c492d05f98b2ffa4932da80c060fd18abe44c7ff2a876bf69','sending',4,1,0,4,NULL,NULL,NULL,NULL,1800001000.0);
INSERT INTO "wa_delivery" VALUES(13,4,5,'15550000005','15550000005','{"name": "N5", "phone": "15550000005"}','04f4f0230f14a18c5d34d65843282a85b6ce45a7bd05e802ca03345ae7156571','sending',4,1,0,4,NULL,NULL,NULL,NULL,1800001000.0);
INSERT INTO "wa_delivery" VALUES(14,4,6,'15550000006','15550000006','{"name": "N6", "phone": "15550000006"}','56bf2ecaa6b52c3af893c4a9343381abfca9e074b8acdbc21227c2ece14f1798','planned',NULL,0,0,NULL,NULL,NULL,NULL,NULL,1800001000.0);
INSERT INTO "wa_delivery" VALUES(15,4,7,'15550000007','15550000007','{"name": "N7", "phone": "15550000007"}','3597f18fa01e71ff5b8f8ab22f3d1b85370e47240737c6e7faaa5e2b622f78a2','planned',NULL,0,0,NULL,NULL,NULL,NULL,NULL,1800001000.0);
INSERT INTO "wa_delivery" VALUES(16,4,8,'15550000008','15550000008','{"name": "N8", "phone": "15550000008"}','23b6df969c78c95ce2786c4a4d7b1717b714ae5cfe8c2002ffb7933b2e60a307','planned',NULL,0,0,NULL,NULL,NULL,NULL,NULL,1800001000.0);
INSERT INTO "wa_delivery" VALUES(17,4,9,'15550000009','15550000009','{"name": "N9", "phone": "15550000009"}','39c8af7dc4a7507eb7a63d390dcc6b99c57da4596e2ccbf85443162ea17b156e','planned',NULL,0,0,NULL,NULL,NULL,NULL,NULL,1800001000.0);
INSERT INTO "wa_delivery" VALUES(18,5,0,'15550000000','15550000000','{"name": "N0", "phone": "15550000000"}','47b8bce8a17b7b259521307697c1540aa953341bccfedcc819c90769d63ea12c','sending',5,1,0,5,NULL,NULL,NULL,NULL,1800001100.0);
INSERT INTO "wa_delivery" VALUES(19,5,1,'15550000001','15550000001','{"name": "N1", "phone": "15550000001"}','848c05b0454ab30fc5459ec7bec8bd6e56446acad01830d76831edac05772df2','sending',5,1,0,5,NULL,NULL,NULL,NULL,1800001100.0);
INSERT INTO "wa_delivery" VALUES(20,5,2,'15550000002','15550000002','{"name": "N2", "phone": "15550000002"}','c08bc7b4e84c114771c7aea20becc748e4ddca642e67fe942bf1209247b14883','planned',NULL,0,0,NULL,NULL,NULL,NULL,NULL,1800001100.0);
INSERT INTO "wa_delivery" VALUES(21,5,3,'15550000003','15550000003','{"name": "N3", "phone": "15550000003"}','1cca8cd5add2c8a80af0e9eb373145c0c43d41862c960de287b55076b0914e40','planned',NULL,0,0,NULL,NULL,NULL,NULL,NULL,1800001100.0);
CREATE TABLE wa_permit (
	id INTEGER NOT NULL,
	channel VARCHAR(200) NOT NULL,
	taken_at DOUBLE NOT NULL,
	count INTEGER NOT NULL,
	PRIMARY KEY (id)
);
INSERT INTO "wa_permit" VALUES(1,'whapi/TESTER-1',1800001000.0,3);
INSERT INTO "wa_permit" VALUES(2,'whapi/TESTER-1',1800001000.0,1);
INSERT INTO "wa_permit" VALUES(3,'whapi/TESTER-1',1800001000.0,0);
INSERT INTO "wa_permit" VALUES(4,'whapi/TESTER-1',1800001000.0,6);
INSERT INTO "wa_permit" VALUES(5,'whapi/TESTER-1',1800001100.0,2);
CREATE TABLE wa_runner (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	campaign INTEGER NOT NULL,
	label VARCHAR(250) NOT NULL,
	lease_until DOUBLE NOT NULL,
	ended INTEGER NOT NULL,
	FOREIGN KEY(campaign) REFERENCES wa_campaign (id)
);
INSERT INTO "wa_runner" VALUES(1,1,'',1800001050.0,1);
INSERT INTO "wa_runner" VALUES(2,2,'',1800001050.0,1);
INSERT INTO "wa_runner" VALUES(3,3,'',1800001050.0,1);
INSERT INTO "wa_runner" VALUES(4,4,'dead',1800001060.0,0);
INSERT INTO "wa_runner" VALUES(5,5,'alive',1800001700.0,0);
CREATE TABLE wa_version (
	version INTEGER NOT NULL,
	PRIMARY KEY (version)
);
INSERT INTO "wa_version" VALUES(1);
CREATE INDEX wa_permit_by_time ON wa_permit (channel, taken_at);
CREATE INDEX wa_runner_by_campaign ON wa_runner (campaign, ended);
CREATE INDEX wa_delivery_by_state ON wa_delivery (campaign, state, seq);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('wa_runner',5);
COMMIT;
