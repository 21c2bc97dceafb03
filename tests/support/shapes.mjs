/*
 * The users tables that people have. Each shape tells how it is made, what its columns are called
 * where the rows really live, and what the server needs to find there.
 */
const canonical = { id: 'user_id', username: 'username', password: 'password', email: 'email',
	verified: 'verified', signins: 'signin_count', failures: 'unsuccessful_signins',
	created: 'created_at' };
const readme = { ...canonical, username: 'user_name', password: 'passwd', email: 'mail',
	verified: 'is_verified' };

const own = { id: 'id', username: 'username', password: 'password', email: 'email',
	verified: 'email_verified_at', signins: 'signin_count', failures: 'failed_signins', created: 'created_at' };

const postgresEvents = `
	CREATE TABLE identoro_message_queue (
		id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
		user_id uuid,
		event_type text NOT NULL,
		processed boolean NOT NULL DEFAULT false,
		created_at timestamp NOT NULL DEFAULT now());`;

const postgresReadmeTable = (name, id = 'uuid PRIMARY KEY DEFAULT gen_random_uuid()') => `
	CREATE TABLE ${name} (
		user_id ${id},
		user_name varchar(50) NOT NULL,
		passwd varchar(100) NOT NULL,
		mail varchar(100) NOT NULL,
		is_verified boolean NOT NULL DEFAULT false,
		signin_count integer NOT NULL DEFAULT 0,
		unsuccessful_signins integer NOT NULL DEFAULT 0,
		created_at timestamp NOT NULL DEFAULT now());`;

const postgresReadmeView = `
	CREATE VIEW identoro_users AS
		SELECT user_id, user_name AS username, passwd AS password, mail AS email,
			is_verified AS verified, signin_count, unsuccessful_signins, created_at
		FROM actual_users_table;
	CREATE RULE insert_identoro_users AS ON INSERT TO identoro_users DO INSTEAD
		INSERT INTO actual_users_table (user_name, passwd, mail, is_verified, signin_count,
			unsuccessful_signins, created_at)
		VALUES (NEW.username, NEW.password, NEW.email, NEW.verified, NEW.signin_count,
			NEW.unsuccessful_signins, NEW.created_at);
	CREATE RULE update_identoro_users AS ON UPDATE TO identoro_users DO INSTEAD
		UPDATE actual_users_table SET user_name = NEW.username, passwd = NEW.password,
			mail = NEW.email, is_verified = NEW.verified, signin_count = NEW.signin_count,
			unsuccessful_signins = NEW.unsuccessful_signins, created_at = NEW.created_at
		WHERE user_id = NEW.user_id;`;

const postgresNullableTable = `
	CREATE TABLE people (
		user_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
		username varchar(50) NOT NULL,
		password varchar(100) NOT NULL,
		email varchar(100) NOT NULL,
		verified boolean NOT NULL,
		firstname varchar(50),
		lastname varchar(50),
		signin_count integer NOT NULL,
		unsuccessful_signins integer NOT NULL,
		created_at timestamp NOT NULL,
		refresh_token text,
		extensions jsonb);
	CREATE VIEW identoro_users AS SELECT * FROM people;`;

const postgresBothSpellings = `
	CREATE TABLE identoro_users (
		user_id uuid PRIMARY KEY,
		user_name varchar(50) DEFAULT 'not this one',
		username varchar(50) NOT NULL,
		password varchar(100) NOT NULL,
		email varchar(100) NOT NULL,
		verified boolean NOT NULL,
		signin_count integer NOT NULL,
		unsuccessful_signins integer NOT NULL,
		created_at timestamp NOT NULL);`;

const sqliteReadme = `
	CREATE TABLE identoro_users (
		user_id TEXT PRIMARY KEY,
		user_name TEXT NOT NULL,
		passwd TEXT NOT NULL,
		mail TEXT NOT NULL,
		is_verified BOOLEAN NOT NULL DEFAULT 0,
		signin_count INTEGER NOT NULL DEFAULT 0,
		unsuccessful_signins INTEGER NOT NULL DEFAULT 0,
		created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);`;

const canonicalSql = (uuid, boolean, json) => `
	CREATE TABLE identoro_users (
		user_id ${uuid} PRIMARY KEY,
		username VARCHAR(50) NOT NULL,
		password VARCHAR(100) NOT NULL,
		email VARCHAR(100) NOT NULL,
		verified ${boolean} NOT NULL,
		firstname VARCHAR(50),
		lastname VARCHAR(50),
		signin_count INTEGER NOT NULL DEFAULT 0,
		unsuccessful_signins INTEGER NOT NULL DEFAULT 0,
		created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
		refresh_token TEXT,
		extensions ${json});`;

/* sql: run before the server starts; without it the server's own --createtables makes the tables. */
export const shapes = {
	sqlite: {
		g2: { table: 'identoro_users', columns: canonical },
		'g2-own': { table: 'identoro_users', columns: canonical, sql: canonicalSql('TEXT', 'BOOLEAN', 'TEXT') },
		readme: { table: 'identoro_users', columns: readme, sql: sqliteReadme },
	},
	native: { own: { table: 'portress_account', columns: own } },
	mariadb: { own: { table: 'portress_account', columns: own } },
	postgres: {
		g2: { table: 'identoro_users', columns: canonical },
		'g2-own': { table: 'identoro_users', columns: canonical,
			sql: canonicalSql('UUID', 'BOOLEAN', 'JSONB') + postgresEvents },
		'readme-view': { table: 'actual_users_table', columns: readme,
			sql: postgresReadmeTable('actual_users_table') + postgresReadmeView },
		'readme-create': { table: 'identoro_users', columns: readme,
			sql: postgresReadmeTable('identoro_users') },
		'null-view': { table: 'people', columns: canonical, sql: postgresNullableTable },
		'bigint-view': { table: 'actual_users_table', columns: readme,
			sql: postgresReadmeTable('actual_users_table', 'bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY') +
				postgresReadmeView },
		'both-spellings': { table: 'identoro_users', columns: canonical, sql: postgresBothSpellings },
	},
};
