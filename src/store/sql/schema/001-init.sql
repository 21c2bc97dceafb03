-- The tables of Portress. @TEXT@ compares as bytes; times are microseconds since 1970, 0 is "not set";
-- hashes are SHA-256 of a secret that only its bearer knows.

-- Who can sign in. Keys are the canonical forms; an unset name or address is NULL and meets nobody.
CREATE TABLE portress_account (
	id @TEXT@ NOT NULL UNIQUE,
	tenant @TEXT@ NOT NULL,
	audience @TEXT@ NOT NULL,
	username @TEXT@,
	username_key @TEXT@,
	email @TEXT@,
	email_key @TEXT@,
	email_verified_at @INT@ NOT NULL,
	phone @TEXT@,
	phone_verified_at @INT@ NOT NULL,
	role @TEXT@,
	given_name @TEXT@,
	family_name @TEXT@,
	app_metadata @TEXT@,
	user_metadata @TEXT@,
	extensions @TEXT@,
	created_at @INT@ NOT NULL,
	updated_at @INT@ NOT NULL,
	last_signin_at @INT@ NOT NULL,
	disabled_at @INT@ NOT NULL,
	locked_until @INT@ NOT NULL DEFAULT 0,
	signin_count @INT@ NOT NULL,
	failed_signins @INT@ NOT NULL,
	password @TEXT@
) @ROWS@;
CREATE UNIQUE INDEX portress_account_username ON portress_account (tenant, username_key)
	WHERE username_key IS NOT NULL;
CREATE UNIQUE INDEX portress_account_email ON portress_account (tenant, audience, email_key)
	WHERE email_key IS NOT NULL;

-- The account of a session, ticket or family may live in somebody else's table: no foreign key.
CREATE TABLE portress_session (
	hash @BYTES@ NOT NULL PRIMARY KEY,
	account @TEXT@ NOT NULL,
	created_at @INT@ NOT NULL,
	expires_at @INT@ NOT NULL,
	methods @INT@ NOT NULL,
	client @TEXT@,
	user_agent @TEXT@
) @KEYED@;
CREATE INDEX portress_session_account ON portress_session (account);
CREATE INDEX portress_session_expiry ON portress_session (expires_at);

-- Spent is gone: a ticket is taken by deleting it.
CREATE TABLE portress_ticket (
	hash @BYTES@ NOT NULL PRIMARY KEY,
	kind @INT@ NOT NULL,
	account @TEXT@ NOT NULL,
	email_key @TEXT@,
	bound @BYTES@ NOT NULL,
	created_at @INT@ NOT NULL,
	expires_at @INT@ NOT NULL
) @KEYED@;
CREATE INDEX portress_ticket_account ON portress_ticket (account);
CREATE INDEX portress_ticket_expiry ON portress_ticket (expires_at);

-- Refresh tokens rotate within a family; a revoked family is gone, and its tokens with it.
CREATE TABLE portress_family (
	id @TEXT@ NOT NULL PRIMARY KEY,
	account @TEXT@ NOT NULL,
	client @TEXT@,
	started_at @INT@ NOT NULL
) @KEYED@;
CREATE INDEX portress_family_account ON portress_family (account);

CREATE TABLE portress_token (
	hash @BYTES@ NOT NULL PRIMARY KEY,
	family @TEXT@ NOT NULL REFERENCES portress_family (id) ON DELETE CASCADE,
	issued_at @INT@ NOT NULL,
	expires_at @INT@ NOT NULL,
	spent_at @INT@ NOT NULL,
	successor @BYTES@
) @KEYED@;
CREATE INDEX portress_token_family ON portress_token (family);
CREATE INDEX portress_token_expiry ON portress_token (expires_at);

-- stamps: the newest tries as 64-bit little-endian times, oldest first. until_at: when the last of them
-- leaves its window.
CREATE TABLE portress_limit (
	subject @BYTES@ NOT NULL PRIMARY KEY,
	stamps @BYTES@ NOT NULL,
	until_at @INT@ NOT NULL
) @KEYED@;
CREATE INDEX portress_limit_until ON portress_limit (until_at);

-- The outbox. state: 0 waiting, 1 sent, 2 dead. due_at: when a waiting letter is due (a lease puts it
-- off), and when one that is done may be forgotten.
CREATE TABLE portress_letter (
	id @TEXT@ NOT NULL PRIMARY KEY,
	kind @INT@ NOT NULL,
	account @TEXT@,
	recipient @TEXT@ NOT NULL,
	sealed @BYTES@ NOT NULL,
	created_at @INT@ NOT NULL,
	not_after @INT@ NOT NULL,
	attempts @INT@ NOT NULL,
	state @INT@ NOT NULL,
	due_at @INT@ NOT NULL,
	detail @TEXT@
) @ROWS@;
CREATE INDEX portress_letter_due ON portress_letter (state, due_at);
CREATE INDEX portress_letter_account ON portress_letter (account);

-- The audit log: rows are added and never changed.
CREATE TABLE portress_event (
	seq @SERIAL@,
	id @TEXT@ NOT NULL,
	kind @INT@ NOT NULL,
	account @TEXT@,
	happened_at @INT@ NOT NULL,
	client @TEXT@,
	request @TEXT@,
	detail @TEXT@
) @ROWS@;
CREATE INDEX portress_event_account ON portress_event (account, seq) WHERE account IS NOT NULL;
