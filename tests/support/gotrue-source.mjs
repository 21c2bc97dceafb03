/*
 * A database as GoTrue leaves it (MySQL 5.7's tables, on MariaDB), with as many people as a test wants:
 * most of them ordinary, and some of each kind that is not.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';

import { MariaDb } from './mariadb.mjs';
import { literal } from './sqlite.mjs';

export const nobodysInstance = '00000000-0000-0000-0000-000000000000';
export const password = 'a quiet harbour';

/* bcrypt of it, as Go writes it */
const hash = '$2a$10$GoTrueFixtureSaltXXXXObO1jYbf2kbe/UMSDQj0wMQgJODQNVly';

const table = 'ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci';

const schema = (space) => `
CREATE TABLE ${space}users (
	instance_id varchar(255) DEFAULT NULL,
	id varchar(255) NOT NULL PRIMARY KEY,
	aud varchar(255) DEFAULT NULL,
	role varchar(255) DEFAULT NULL,
	email varchar(255) DEFAULT NULL,
	encrypted_password varchar(255) DEFAULT NULL,
	confirmed_at timestamp NULL DEFAULT NULL,
	invited_at timestamp NULL DEFAULT NULL,
	confirmation_token varchar(255) DEFAULT NULL,
	confirmation_sent_at timestamp NULL DEFAULT NULL,
	recovery_token varchar(255) DEFAULT NULL,
	recovery_sent_at timestamp NULL DEFAULT NULL,
	email_change_token varchar(255) DEFAULT NULL,
	email_change varchar(255) DEFAULT NULL,
	email_change_sent_at timestamp NULL DEFAULT NULL,
	last_sign_in_at timestamp NULL DEFAULT NULL,
	raw_app_meta_data json DEFAULT NULL,
	raw_user_meta_data json DEFAULT NULL,
	is_super_admin tinyint(1) DEFAULT NULL,
	created_at timestamp NULL DEFAULT NULL,
	updated_at timestamp NULL DEFAULT NULL,
	KEY users_instance_id_idx (instance_id),
	KEY users_instance_id_email_idx (instance_id, email)
) ${table};
CREATE TABLE ${space}refresh_tokens (
	instance_id varchar(255) DEFAULT NULL,
	id bigint(20) NOT NULL AUTO_INCREMENT PRIMARY KEY,
	token varchar(255) DEFAULT NULL,
	user_id varchar(255) DEFAULT NULL,
	revoked tinyint(1) DEFAULT NULL,
	created_at timestamp NULL DEFAULT NULL,
	updated_at timestamp NULL DEFAULT NULL,
	KEY refresh_tokens_instance_id_idx (instance_id),
	KEY refresh_tokens_instance_id_user_id_idx (instance_id, user_id),
	KEY refresh_tokens_token_idx (token)
) ${table};
CREATE TABLE ${space}instances (
	id varchar(255) NOT NULL PRIMARY KEY,
	uuid varchar(255) DEFAULT NULL,
	raw_base_config longtext,
	created_at timestamp NULL DEFAULT NULL,
	updated_at timestamp NULL DEFAULT NULL
) ${table};
CREATE TABLE ${space}audit_log_entries (
	instance_id varchar(255) DEFAULT NULL,
	id varchar(255) NOT NULL PRIMARY KEY,
	payload json DEFAULT NULL,
	created_at timestamp NULL DEFAULT NULL,
	KEY audit_logs_instance_id_idx (instance_id)
) ${table};
CREATE TABLE ${space}schema_migration (version varchar(14) NOT NULL UNIQUE) ${table};
INSERT INTO ${space}schema_migration VALUES ('20171026211738'), ('20171026211808'), ('20171026211834'),
	('20180103212743'), ('20180108183307'), ('20180119214651'), ('20180125194653');
`;

const digest = (text) => createHash('sha256').update(text).digest();

/* The same one every time; in no order. */
export function uuid(text) {
	const hex = digest(text).toString('hex');

	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/* 16 bytes, as GoTrue draws them. */
export const secret = (text) => digest(text).subarray(0, 16).toString('base64url');

const now = Date.now();
const minutesAgo = (minutes) => new Date(now - minutes * 60000).toISOString().slice(0, 19).replace('T', ' ');

/* What is different about some; the others are ordinary. */
const odd = {
	unconfirmed: (who) => ({ confirmed_at: null, confirmation_token: secret(`confirm ${who.id}`), confirmation_sent_at: minutesAgo(60) }),
	invited: (who) => ({ confirmed_at: null, encrypted_password: '', invited_at: minutesAgo(3 * 1440),
		confirmation_token: secret(`confirm ${who.id}`) }),
	recovering: (who) => ({ recovery_token: secret(`recover ${who.id}`), recovery_sent_at: minutesAgo(30) }),
	moving: (who) => ({ email_change: `new-${who.email}`, email_change_token: secret(`change ${who.id}`),
		email_change_sent_at: minutesAgo(30) }),
	late: (who) => ({ confirmed_at: null, confirmation_token: secret(`confirm ${who.id}`), confirmation_sent_at: minutesAgo(3 * 1440) }),
	nowhere: () => ({ email: 'nobody at all' }),
	double: (who) => ({ email: `P${who.number + 10}@Example.com` }),
	large: () => ({ raw_user_meta_data: JSON.stringify({ text: 'x'.repeat(5000) }) }),
	unset: () => ({ raw_user_meta_data: 'null', raw_app_meta_data: 'null', last_sign_in_at: null }),
};

const kinds = Object.keys(odd);

/* Each kind twice in a hundred, the ones that cannot come twice in five hundred. */
export function kindOf(number) {
	const rare = ['nowhere', 'double', 'large'];
	const kind = kinds[(number % 50) - 1];

	return !kind || (rare.includes(kind) && number % 250 !== kinds.indexOf(kind) + 1) ? 'ordinary' : kind;
}

export function person(number, instance = nobodysInstance) {
	const id = uuid(`${instance} ${number}`);
	const ordinary = { number, instance_id: instance, id, aud: number % 10 === 0 ? 'app' : '', role: number % 7 ? '' : 'admin',
		email: `p${number}@example.com`, encrypted_password: hash, confirmed_at: minutesAgo(100000), confirmation_token: '',
		recovery_token: '', email_change_token: '', email_change: '', last_sign_in_at: minutesAgo(500),
		raw_app_meta_data: JSON.stringify({ provider: 'email', roles: ['reader'] }),
		raw_user_meta_data: JSON.stringify({ full_name: `Person ${number} Ünï` }), is_super_admin: number === 0,
		created_at: minutesAgo(200000 - number), updated_at: minutesAgo(1000) };

	return { ...ordinary, ...odd[kindOf(number)]?.(ordinary), kind: kindOf(number), refresh: secret(`refresh ${id}`) };
}

const actions = ['login', 'logout', 'user_signedup', 'user_modified', 'token_refreshed', 'token_revoked', 'user_recovery_requested',
	'something_else'];

function eventsOf(who) {
	const entry = (name, more) => ({ instance_id: who.instance_id, id: uuid(`${name} ${who.id}`), created_at: minutesAgo(600 - who.number % 500),
		payload: JSON.stringify({ timestamp: '2026-11-01T00:00:00Z', actor_id: who.id, actor_email: who.email, log_type: 'account',
			actor_name: `Person ${who.number}`, ...more }) });

	return [entry('one', { action: 'login' }),
		entry('two', who.number % 9 ? { action: actions[who.number % actions.length] } :
			{ action: 'user_deleted', traits: { user_id: uuid(`gone ${who.number}`), user_email: 'gone@example.com' } })];
}

const tokensOf = (who) => [
	{ instance_id: who.instance_id, token: who.refresh, user_id: who.id, revoked: 0, created_at: minutesAgo(2000) },
	{ instance_id: who.instance_id, token: secret(`spent ${who.id}`), user_id: who.id, revoked: 1, created_at: minutesAgo(3000) },
	...(who.number % 20 ? [] : [{ instance_id: who.instance_id, token: secret(`old ${who.id}`), user_id: who.id, revoked: 0,
		created_at: minutesAgo(60 * 1440) }]),
];

function* inserts(name, rows) {
	const escape = (value) => literal(value).replaceAll('\\', '\\\\');

	for (let i = 0; i < rows.length; i += 500) {
		const columns = Object.keys(rows[i]);
		const values = rows.slice(i, i + 500).map((row) => `(${columns.map((column) => escape(row[column])).join(',')})`);

		yield `INSERT INTO ${name} (${columns.join(',')}) VALUES ${values.join(',')};\n`;
	}
}

const userColumns = (who) => {
	const { number, kind, refresh, ...row } = who;

	return { ...Object.fromEntries(['invited_at', 'confirmation_sent_at', 'recovery_sent_at', 'email_change_sent_at'].map((name) => [name, null])),
		...row };
};

export class GotrueSource {
	/* instances: { id: { uuid, config, people } } beside the people of the one site. */
	static async open({ people = 100, space = '', instances = {} } = {}) {
		const source = new GotrueSource();

		source.server = await MariaDb.shared();
		source.database = await source.server.createDatabase();
		source.space = space ? `${space}_` : '';
		source.url = source.server.url(source.database);
		source.people = Array.from({ length: people }, (_, number) => person(number));
		await source.load([schema(source.space)]);
		await source.add(source.people);
		for (const [id, { uuid: name, config, people: count }] of Object.entries(instances)) {
			await source.load(inserts(`${source.space}instances`, [{ id, uuid: name, raw_base_config: JSON.stringify(config),
				created_at: minutesAgo(5000), updated_at: minutesAgo(5000) }]));
			await source.add(Array.from({ length: count }, (_, number) => person(number, id)));
		}
		return source;
	}

	async add(people) {
		const { space } = this;

		await this.load([...inserts(`${space}users`, people.map(userColumns)),
			...inserts(`${space}refresh_tokens`, people.flatMap(tokensOf)),
			...inserts(`${space}audit_log_entries`, people.flatMap(eventsOf))]);
	}

	async load(texts) {
		const child = execFile('mariadb', ['--no-defaults', `--socket=${this.server.socket}`, '--user=portress',
			'--default-character-set=utf8mb4', this.database]);
		const said = [];

		child.stderr.on('data', (text) => said.push(text));
		for (const text of texts)
			child.stdin.write(text);
		child.stdin.end();
		const [code] = await once(child, 'close');

		if (code !== 0)
			throw new Error(`the source was not made: ${said.join('')}`);
	}

	query(text, values) {
		return this.server.query(this.database, text, values);
	}

	/* What changes when anything of it does. */
	async checksum() {
		const names = ['users', 'refresh_tokens', 'instances', 'audit_log_entries'].map((name) => this.space + name);

		return this.query(`CHECKSUM TABLE ${names.join(', ')}`);
	}
}
