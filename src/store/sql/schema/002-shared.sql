-- Sites that share a store, people whom somebody else vouches for, and what an operator may change.
-- Text that stands in an index has a type of its own.

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
CREATE INDEX portress_event_id ON portress_event (id);

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
