-- Sites that share a store, people whom somebody else vouches for, what an operator may change, and refresh
-- tokens that say their family. Text that stands in an index has a type of its own.

ALTER TABLE portress_account ADD COLUMN super_admin @INT@ NOT NULL DEFAULT 0;
ALTER TABLE portress_account ADD COLUMN new_email @TEXT@;
ALTER TABLE portress_account ADD COLUMN new_email_key @TEXT@;
ALTER TABLE portress_account ADD COLUMN invited_at @INT@ NOT NULL DEFAULT 0;
ALTER TABLE portress_account ADD COLUMN confirm_sent_at @INT@ NOT NULL DEFAULT 0;
ALTER TABLE portress_account ADD COLUMN recover_sent_at @INT@ NOT NULL DEFAULT 0;
ALTER TABLE portress_account ADD COLUMN email_change_sent_at @INT@ NOT NULL DEFAULT 0;
CREATE INDEX portress_account_page ON portress_account (tenant, audience, created_at, id);
CREATE INDEX portress_account_list ON portress_account (tenant, id);

-- An event of before has no tenant, which is the tenant of a server that has one site.
ALTER TABLE portress_event ADD COLUMN tenant @KEY@ NOT NULL DEFAULT '';
ALTER TABLE portress_event ADD COLUMN actor @TEXT@;
ALTER TABLE portress_event ADD COLUMN email @TEXT@;
ALTER TABLE portress_event ADD COLUMN actor_email @TEXT@;
ALTER TABLE portress_event ADD COLUMN actor_name @TEXT@;
CREATE INDEX portress_event_page ON portress_event (tenant, happened_at, seq, kind);

-- Who somebody is elsewhere. The account may live in somebody else's table: no foreign key.
CREATE TABLE portress_identity (
	tenant @KEY@ NOT NULL,
	provider @KEY@ NOT NULL,
	subject @KEY@ NOT NULL,
	account @KEY@ NOT NULL,
	linked_at @INT@ NOT NULL,
	PRIMARY KEY (tenant, provider, subject)
) @KEYED@;
CREATE INDEX portress_identity_account ON portress_identity (account);

-- config is sealed by whoever puts it there.
CREATE TABLE portress_tenant (
	id @KEY@ NOT NULL PRIMARY KEY,
	name @KEY@ NOT NULL UNIQUE,
	config @BYTES@ NOT NULL,
	created_at @INT@ NOT NULL,
	updated_at @INT@ NOT NULL
) @KEYED@;

-- How far an import came, in its own words.
CREATE TABLE portress_import (
	source @KEY@ NOT NULL PRIMARY KEY,
	mark @TEXT@ NOT NULL,
	updated_at @INT@ NOT NULL
) @KEYED@;

-- A family is one row: its LIVE token. secret: hash of what all its texts carry, hash: of the LIVE one's text; NULL while
-- nobody knows them.
-- spent: when the last few before it were, as 64-bit little-endian times, newest first. purge_at: the end of the
-- day on which it expires, which does not change each time that it rotates.
ALTER TABLE portress_family ADD COLUMN generation @INT@ NOT NULL DEFAULT 0;
ALTER TABLE portress_family ADD COLUMN secret @BYTES@;
ALTER TABLE portress_family ADD COLUMN hash @BYTES@;
ALTER TABLE portress_family ADD COLUMN issued_at @INT@ NOT NULL DEFAULT 0;
ALTER TABLE portress_family ADD COLUMN expires_at @INT@ NOT NULL DEFAULT 0;
ALTER TABLE portress_family ADD COLUMN purge_at @INT@ NOT NULL DEFAULT 0;
ALTER TABLE portress_family ADD COLUMN spent @BYTES@;

-- Tokens that do not say their family: other programs', and those of before. hash is that of the whole text.
CREATE TABLE portress_loose_token (
	hash @BYTES@ NOT NULL PRIMARY KEY,
	family @KEY@ NOT NULL REFERENCES portress_family (id) ON DELETE CASCADE,
	generation @INT@ NOT NULL
) @KEYED@;
CREATE INDEX portress_loose_token_family ON portress_loose_token (family);

-- What there was: the LIVE token is the second of its family, and all that were spent are the first. Where the
-- table is gone, a crash cut this step short just before its record was written, and all has been carried over.
CREATE TABLE IF NOT EXISTS portress_token (
	hash @BYTES@ NOT NULL PRIMARY KEY,
	family @TEXT@ NOT NULL,
	issued_at @INT@ NOT NULL,
	expires_at @INT@ NOT NULL,
	spent_at @INT@ NOT NULL
) @KEYED@;
UPDATE portress_family SET generation = 2,
	issued_at = (SELECT max(t.issued_at) FROM portress_token t
		WHERE t.family = portress_family.id AND t.spent_at = 0),
	expires_at = (SELECT max(t.expires_at) FROM portress_token t
		WHERE t.family = portress_family.id AND t.spent_at = 0)
	WHERE EXISTS (SELECT 1 FROM portress_token t
		WHERE t.family = portress_family.id AND t.spent_at = 0);
DELETE FROM portress_family WHERE generation = 0;
UPDATE portress_family SET purge_at = expires_at + 86400000000 - expires_at % 86400000000;
INSERT INTO portress_loose_token (hash, family, generation)
	SELECT t.hash, t.family, CASE WHEN t.spent_at = 0 THEN 2 ELSE 1 END FROM portress_token t
	WHERE NOT EXISTS (SELECT 1 FROM portress_loose_token l WHERE l.hash = t.hash);
DROP TABLE portress_token;
CREATE INDEX portress_family_purge ON portress_family (purge_at);
