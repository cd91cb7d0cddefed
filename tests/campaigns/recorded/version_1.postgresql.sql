-- A ledger of schema version 1, as the code of commit 3a7e20c wrote it; recorded, never edited.
-- Its clock stood at 1800001100: the lease of campaign 'spring' has ended, that of 'autumn' goes on for 600 s.
-- Written by pg_dump --inserts; the schema's name is left out.
CREATE TABLE wa_campaign (
    id bigint NOT NULL,
    campaign_id character varying(200) NOT NULL,
    fingerprint character varying(64) NOT NULL,
    template character varying(64) NOT NULL,
    shared text NOT NULL,
    channel character varying(200) NOT NULL,
    state character varying(16) NOT NULL,
    reason character varying(500),
    skipped text,
    created_at double precision NOT NULL,
    updated_at double precision NOT NULL
);
CREATE SEQUENCE wa_campaign_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE wa_campaign_id_seq OWNED BY wa_campaign.id;
CREATE TABLE wa_channel (
    channel character varying(200) NOT NULL
);
CREATE TABLE wa_channel_claim (
    account character varying(100) NOT NULL,
    name character varying(200) NOT NULL,
    owner character varying(800) NOT NULL,
    until double precision NOT NULL
);
CREATE TABLE wa_delivery (
    id bigint NOT NULL,
    campaign bigint NOT NULL,
    seq integer NOT NULL,
    recipient character varying(100) NOT NULL,
    address character varying(100) NOT NULL,
    variables text,
    body_hash character varying(64),
    state character varying(16) NOT NULL,
    runner bigint,
    attempt integer NOT NULL,
    postponed integer NOT NULL,
    permit bigint,
    not_before double precision,
    message_id character varying(200),
    code character varying(80),
    reason character varying(500),
    updated_at double precision NOT NULL
);
CREATE SEQUENCE wa_delivery_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE wa_delivery_id_seq OWNED BY wa_delivery.id;
CREATE TABLE wa_permit (
    id bigint NOT NULL,
    channel character varying(200) NOT NULL,
    taken_at double precision NOT NULL,
    count integer NOT NULL
);
CREATE SEQUENCE wa_permit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE wa_permit_id_seq OWNED BY wa_permit.id;
CREATE TABLE wa_runner (
    id bigint NOT NULL,
    campaign bigint NOT NULL,
    label character varying(250) NOT NULL,
    lease_until double precision NOT NULL,
    ended integer NOT NULL
);
CREATE SEQUENCE wa_runner_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE wa_runner_id_seq OWNED BY wa_runner.id;
CREATE TABLE wa_version (
    version integer NOT NULL
);
CREATE SEQUENCE wa_version_version_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE wa_version_version_seq OWNED BY wa_version.version;
ALTER TABLE ONLY wa_campaign ALTER COLUMN id SET DEFAULT nextval('wa_campaign_id_seq'::regclass);
ALTER TABLE ONLY wa_delivery ALTER COLUMN id SET DEFAULT nextval('wa_delivery_id_seq'::regclass);
ALTER TABLE ONLY wa_permit ALTER COLUMN id SET DEFAULT nextval('wa_permit_id_seq'::regclass);
ALTER TABLE ONLY wa_runner ALTER COLUMN id SET DEFAULT nextval('wa_runner_id_seq'::regclass);
ALTER TABLE ONLY wa_version ALTER COLUMN version SET DEFAULT nextval('wa_version_version_seq'::regclass);
INSERT INTO wa_campaign VALUES (1, 'done', '8188b9e186dc05758fb73ce97df446e3a4d7f90fe57ea59904eeefebb307cee0', '8e6ab87228094c69c7bdeb28c58e65db5f01d6a4aa974eaae2b841936a26d783', '{}', 'whapi/TESTER-1', 'finished', NULL, '{}', 1800001000, 1800001000);
INSERT INTO wa_campaign VALUES (2, 'message/order-1', '59b541958c9b3615b40b06ab2c16b63cf7606b58435c6e274546dfe1d081b612', 'aba626c479d59e5c967848eb774983e34036accb4be9960f83b6bc4161a3de56', '{}', 'whapi/TESTER-1', 'finished', NULL, '{}', 1800001000, 1800001000);
INSERT INTO wa_campaign VALUES (3, 'halted', '8188b9e186dc05758fb73ce97df446e3a4d7f90fe57ea59904eeefebb307cee0', '8e6ab87228094c69c7bdeb28c58e65db5f01d6a4aa974eaae2b841936a26d783', '{}', 'whapi/TESTER-1', 'paused', 'The token is wrong.', '{}', 1800001000, 1800001000);
INSERT INTO wa_campaign VALUES (4, 'spring', 'a4b28da8318b05841490d39e73c1329a110b190be2202d4fb48f09df2bbfa787', '8e6ab87228094c69c7bdeb28c58e65db5f01d6a4aa974eaae2b841936a26d783', '{}', 'whapi/TESTER-1', 'running', NULL, '{}', 1800001000, 1800001000);
INSERT INTO wa_campaign VALUES (5, 'autumn', '7b0ffaff5c9940fadc73726969b932c3c220d2b0c3ccf7dfd266e21243a1e1d7', '8e6ab87228094c69c7bdeb28c58e65db5f01d6a4aa974eaae2b841936a26d783', '{}', 'whapi/TESTER-1', 'running', NULL, '{}', 1800001100, 1800001100);
INSERT INTO wa_channel VALUES ('whapi/TESTER-1');
INSERT INTO wa_channel_claim VALUES ('account', 'Tester', 'dag/create/run', 1800001400);
INSERT INTO wa_delivery VALUES (1, 1, 0, '15550000000', '15550000000', '{"name": "N0", "phone": "15550000000"}', '47b8bce8a17b7b259521307697c1540aa953341bccfedcc819c90769d63ea12c', 'accepted', 1, 1, 0, 1, NULL, 'id-15550000000-1', NULL, NULL, 1800001000);
INSERT INTO wa_delivery VALUES (2, 1, 1, '15550000001', '15550000001', '{"name": "N1", "phone": "15550000001"}', '848c05b0454ab30fc5459ec7bec8bd6e56446acad01830d76831edac05772df2', 'accepted', 1, 1, 0, 1, NULL, 'id-15550000001-1', NULL, NULL, 1800001000);
INSERT INTO wa_delivery VALUES (3, 1, 2, '15550000002', '15550000002', '{"name": "N2", "phone": "15550000002"}', 'c08bc7b4e84c114771c7aea20becc748e4ddca642e67fe942bf1209247b14883', 'accepted', 1, 1, 0, 1, NULL, 'id-15550000002-1', NULL, NULL, 1800001000);
INSERT INTO wa_delivery VALUES (4, 2, 0, '15550000000', '15550000000', '{}', '47b8bce8a17b7b259521307697c1540aa953341bccfedcc819c90769d63ea12c', 'accepted', 2, 1, 0, 2, NULL, 'id-15550000000-2', NULL, NULL, 1800001000);
INSERT INTO wa_delivery VALUES (5, 3, 0, '15550000000', '15550000000', '{"name": "N0", "phone": "15550000000"}', '47b8bce8a17b7b259521307697c1540aa953341bccfedcc819c90769d63ea12c', 'planned', 3, 1, 0, 3, NULL, NULL, 'http_401', 'The token is wrong.', 1800001000);
INSERT INTO wa_delivery VALUES (6, 3, 1, '15550000001', '15550000001', '{"name": "N1", "phone": "15550000001"}', '848c05b0454ab30fc5459ec7bec8bd6e56446acad01830d76831edac05772df2', 'planned', 3, 1, 0, 3, NULL, NULL, 'http_401', 'The token is wrong.', 1800001000);
INSERT INTO wa_delivery VALUES (7, 3, 2, '15550000002', '15550000002', '{"name": "N2", "phone": "15550000002"}', 'c08bc7b4e84c114771c7aea20becc748e4ddca642e67fe942bf1209247b14883', 'planned', 3, 1, 0, 3, NULL, NULL, 'http_401', 'The token is wrong.', 1800001000);
INSERT INTO wa_delivery VALUES (14, 4, 6, '15550000006', '15550000006', '{"name": "N6", "phone": "15550000006"}', '56bf2ecaa6b52c3af893c4a9343381abfca9e074b8acdbc21227c2ece14f1798', 'planned', NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, 1800001000);
INSERT INTO wa_delivery VALUES (15, 4, 7, '15550000007', '15550000007', '{"name": "N7", "phone": "15550000007"}', '3597f18fa01e71ff5b8f8ab22f3d1b85370e47240737c6e7faaa5e2b622f78a2', 'planned', NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, 1800001000);
INSERT INTO wa_delivery VALUES (16, 4, 8, '15550000008', '15550000008', '{"name": "N8", "phone": "15550000008"}', '23b6df969c78c95ce2786c4a4d7b1717b714ae5cfe8c2002ffb7933b2e60a307', 'planned', NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, 1800001000);
INSERT INTO wa_delivery VALUES (17, 4, 9, '15550000009', '15550000009', '{"name": "N9", "phone": "15550000009"}', '39c8af7dc4a7507eb7a63d390dcc6b99c57da4596e2ccbf85443162ea17b156e', 'planned', NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, 1800001000);
INSERT INTO wa_delivery VALUES (12, 4, 4, '15550000004', '15550000004', '{"name": "N4", "phone": "15550000004"}', '08b9f5766ffeda5c492d05f98b2ffa4932da80c060fd18abe44c7ff2a876bf69', 'sending', 4, 1, 0, 4, NULL, NULL, NULL, NULL, 1800001000);
INSERT INTO wa_delivery VALUES (8, 4, 0, '15550000000', '15550000000', '{"name": "N0", "phone": "15550000000"}', '47b8bce8a17b7b259521307697c1540aa953341bccfedcc819c90769d63ea12c', 'accepted', 4, 1, 0, 4, NULL, 'id-15550000000-3', NULL, NULL, 1800001000);
INSERT INTO wa_delivery VALUES (9, 4, 1, '15550000001', '15550000001', '{"name": "N1", "phone": "15550000001"}', '848c05b0454ab30fc5459ec7bec8bd6e56446acad01830d76831edac05772df2', 'rejected', 4, 1, 0, 4, NULL, NULL, 'not_on_whatsapp', 'Not on WhatsApp.', 1800001000);
INSERT INTO wa_delivery VALUES (10, 4, 2, '15550000002', '15550000002', '{"name": "N2", "phone": "15550000002"}', 'c08bc7b4e84c114771c7aea20becc748e4ddca642e67fe942bf1209247b14883', 'in_doubt', 4, 1, 0, 4, NULL, NULL, 'ReadTimeout', 'The line went dead.', 1800001000);
INSERT INTO wa_delivery VALUES (11, 4, 3, '15550000003', '15550000003', '{"name": "N3", "phone": "15550000003"}', '1cca8cd5add2c8a80af0e9eb373145c0c43d41862c960de287b55076b0914e40', 'postponed', 4, 1, 1, 4, 1800001030, NULL, 'ConnectError', 'Connection refused.', 1800001000);
INSERT INTO wa_delivery VALUES (13, 4, 5, '15550000005', '15550000005', '{"name": "N5", "phone": "15550000005"}', '04f4f0230f14a18c5d34d65843282a85b6ce45a7bd05e802ca03345ae7156571', 'sending', 4, 1, 0, 4, NULL, NULL, NULL, NULL, 1800001000);
INSERT INTO wa_delivery VALUES (20, 5, 2, '15550000002', '15550000002', '{"name": "N2", "phone": "15550000002"}', 'c08bc7b4e84c114771c7aea20becc748e4ddca642e67fe942bf1209247b14883', 'planned', NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, 1800001100);
INSERT INTO wa_delivery VALUES (21, 5, 3, '15550000003', '15550000003', '{"name": "N3", "phone": "15550000003"}', '1cca8cd5add2c8a80af0e9eb373145c0c43d41862c960de287b55076b0914e40', 'planned', NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, 1800001100);
INSERT INTO wa_delivery VALUES (18, 5, 0, '15550000000', '15550000000', '{"name": "N0", "phone": "15550000000"}', '47b8bce8a17b7b259521307697c1540aa953341bccfedcc819c90769d63ea12c', 'sending', 5, 1, 0, 5, NULL, NULL, NULL, NULL, 1800001100);
INSERT INTO wa_delivery VALUES (19, 5, 1, '15550000001', '15550000001', '{"name": "N1", "phone": "15550000001"}', '848c05b0454ab30fc5459ec7bec8bd6e56446acad01830d76831edac05772df2', 'sending', 5, 1, 0, 5, NULL, NULL, NULL, NULL, 1800001100);
INSERT INTO wa_permit VALUES (1, 'whapi/TESTER-1', 1800001000, 3);
INSERT INTO wa_permit VALUES (2, 'whapi/TESTER-1', 1800001000, 1);
INSERT INTO wa_permit VALUES (3, 'whapi/TESTER-1', 1800001000, 0);
INSERT INTO wa_permit VALUES (4, 'whapi/TESTER-1', 1800001000, 6);
INSERT INTO wa_permit VALUES (5, 'whapi/TESTER-1', 1800001100, 2);
INSERT INTO wa_runner VALUES (1, 1, '', 1800001050, 1);
INSERT INTO wa_runner VALUES (2, 2, '', 1800001050, 1);
INSERT INTO wa_runner VALUES (3, 3, '', 1800001050, 1);
INSERT INTO wa_runner VALUES (4, 4, 'dead', 1800001060, 0);
INSERT INTO wa_runner VALUES (5, 5, 'alive', 1800001700, 0);
INSERT INTO wa_version VALUES (1);
SELECT pg_catalog.setval('wa_campaign_id_seq', 5, true);
SELECT pg_catalog.setval('wa_delivery_id_seq', 21, true);
SELECT pg_catalog.setval('wa_permit_id_seq', 5, true);
SELECT pg_catalog.setval('wa_runner_id_seq', 5, true);
SELECT pg_catalog.setval('wa_version_version_seq', 1, false);
ALTER TABLE ONLY wa_campaign
    ADD CONSTRAINT wa_campaign_campaign_id_key UNIQUE (campaign_id);
ALTER TABLE ONLY wa_campaign
    ADD CONSTRAINT wa_campaign_pkey PRIMARY KEY (id);
ALTER TABLE ONLY wa_channel_claim
    ADD CONSTRAINT wa_channel_claim_pkey PRIMARY KEY (account, name);
ALTER TABLE ONLY wa_channel
    ADD CONSTRAINT wa_channel_pkey PRIMARY KEY (channel);
ALTER TABLE ONLY wa_delivery
    ADD CONSTRAINT wa_delivery_once UNIQUE (campaign, recipient);
ALTER TABLE ONLY wa_delivery
    ADD CONSTRAINT wa_delivery_pkey PRIMARY KEY (id);
ALTER TABLE ONLY wa_permit
    ADD CONSTRAINT wa_permit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY wa_runner
    ADD CONSTRAINT wa_runner_pkey PRIMARY KEY (id);
ALTER TABLE ONLY wa_version
    ADD CONSTRAINT wa_version_pkey PRIMARY KEY (version);
CREATE INDEX wa_delivery_by_state ON wa_delivery USING btree (campaign, state, seq);
CREATE INDEX wa_permit_by_time ON wa_permit USING btree (channel, taken_at);
CREATE INDEX wa_runner_by_campaign ON wa_runner USING btree (campaign, ended);
ALTER TABLE ONLY wa_delivery
    ADD CONSTRAINT wa_delivery_campaign_fkey FOREIGN KEY (campaign) REFERENCES wa_campaign(id);
ALTER TABLE ONLY wa_runner
    ADD CONSTRAINT wa_runner_campaign_fkey FOREIGN KEY (campaign) REFERENCES wa_campaign(id);
