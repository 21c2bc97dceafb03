/*
 * The database under a server, seen from the side: where it is, and what is in its users and event
 * tables, in one spelling whatever the shape.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { MariaDb } from './mariadb.mjs';
import { Cluster } from './postgres.mjs';
import { shapes } from './shapes.mjs';
import * as sqlite from './sqlite.mjs';

class Store {
	/* A logical user from a row of the shape's table. */
	user(row) {
		const columns = Object.entries(this.shape.columns);
		const user = Object.fromEntries(columns.map(([field, column]) => [field, row[column]]));

		return { ...user, id: String(user.id), verified: user.verified === true || user.verified === 1, row };
	}

	/* Users by one logical field, letter case ignored; all of them without a field. */
	async users(field, value) {
		const { table, columns } = this.shape;
		const where = field ? `WHERE lower(CAST(${columns[field]} AS ${this.textType ?? 'text'})) = lower($1)` : '';
		const rows = await this.query(`SELECT * FROM ${table} ${where}`, field ? [String(value)] : []);

		return rows.map((row) => this.user(row));
	}

	async one(username) {
		const found = await this.users('username', username);

		if (found.length !== 1)
			throw new Error(`${found.length} users are called ${username}`);
		return found[0];
	}

	/* Puts a user there as another program would. */
	async insert({ username, email, password, verified = true, id = randomUUID() }) {
		const { table, columns } = this.shape;
		const fields = { id, username, email, password, verified, signins: 0, failures: 0,
			created: '2024-06-01 12:00:00' };
		const names = Object.keys(fields).map((field) => columns[field]);
		const marks = names.map((_, i) => `$${i + 1}`);

		await this.query(`INSERT INTO ${table} (${names}) VALUES (${marks})`, Object.values(fields));
		return id;
	}

	async setPassword(id, hash) {
		const { table, columns } = this.shape;

		await this.query(`UPDATE ${table} SET ${columns.password} = $1 WHERE ${columns.id} = $2`, [hash, id]);
	}

	/* Events of a kind, oldest first; with an id, that user's only. */
	async events(type, id) {
		const rows = await this.query('SELECT * FROM identoro_message_queue ORDER BY created_at');

		return rows.filter((row) => row.event_type === type && (id === undefined || String(row.user_id) === id));
	}
}

class SqliteStore extends Store {
	constructor(folder, shape) {
		super();
		this.kind = 'sqlite';
		this.shape = shape;
		this.url = join(folder, 'identoro.db');
	}

	async prepare() {
		if (this.shape.sql)
			await this.query(this.shape.sql);
	}

	query(text, values) {
		return sqlite.query(this.url, text, values);
	}

	exists() {
		return existsSync(this.url);
	}

	async close() {}
}

class PostgresStore extends Store {
	/* owned: nobody else will stop the cluster. */
	constructor(cluster, shape, owned) {
		super();
		this.kind = 'postgres';
		this.cluster = cluster;
		this.shape = shape;
		this.owned = owned;
	}

	/* host and port: another way in, such as a cable that can be pulled. */
	async prepare({ host = this.cluster.host, port = this.cluster.port } = {}) {
		this.database = await this.cluster.createDatabase();
		this.url = `postgres://postgres@${host}:${port}/${this.database}?sslmode=disable`;
		if (this.shape.sql)
			await this.query(this.shape.sql);
	}

	query(text, values) {
		return this.cluster.query(this.database, text, values);
	}

	statements() {
		return this.cluster.statements(this.database);
	}

	async close() {
		if (this.owned)
			await this.cluster.close();
	}
}

/* Portress's own tables, as a plain start makes them. */
const nativeTables = (Base) => class extends Base {
	user(row) {
		return { ...super.user(row), verified: row.email_verified_at > 0 };
	}

	async insert({ username, email, password, verified = true, id = randomUUID() }) {
		const now = Date.now() * 1000;

		await this.query(`INSERT INTO portress_account (id, tenant, audience, username, username_key, email,
			email_key, email_verified_at, phone_verified_at, created_at, updated_at, last_signin_at, disabled_at,
			signin_count, failed_signins, password)
			VALUES ($1, '', '', $2, lower($2), $3, lower($3), $4, 0, $5, $5, 0, 0, 0, 0, $6)`,
		[id, username, email, verified ? now : 0, now, password]);
		return id;
	}

	/* In the words of the dialect; the numbers are those of portress/event.h. */
	async events(type, id) {
		const kind = { signup: 1, signin: 3, failed_signin: 4 }[type];
		const rows = await this.query('SELECT * FROM portress_event WHERE kind = $1 ORDER BY seq', [kind]);

		return rows.map((row) => ({ event_type: type, user_id: row.account || null, processed: false }))
			.filter((event) => id === undefined || event.user_id === id);
	}
};

class MariaDbStore extends Store {
	constructor(folder, shape) {
		super();
		this.kind = 'mariadb';
		this.textType = 'char';
		this.shape = shape;
	}

	async prepare() {
		this.server = await MariaDb.shared();
		this.database = await this.server.createDatabase();
		this.url = this.server.url(this.database);
	}

	query(text, values) {
		return this.server.query(this.database, text, values);
	}

	async close() {}
}

const inFolder = { sqlite: SqliteStore, native: nativeTables(SqliteStore), mariadb: nativeTables(MariaDbStore) };

function findShape(kind, name) {
	const shape = shapes[kind]?.[name];

	if (!shape)
		throw new Error(`no shape ${name} for ${kind}`);
	return shape;
}

/* through: { host, port } that the server shall connect to instead of the cluster itself. */
export async function openStore({ kind, shape, folder, cluster, through }) {
	const found = findShape(kind, shape);
	const store = kind === 'postgres' ? new PostgresStore(cluster ?? await Cluster.shared(), found, !cluster) :
		new inFolder[kind](folder, found);

	await store.prepare(through);
	return store;
}
