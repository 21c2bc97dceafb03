/*
 * Everything a story of the GoTrue dialect needs: a server that took GoTrue's place on a fresh store, a
 * mail server, a clock to move, tokens of anybody's making. Against a foreign service (GT_BASE_URL) only
 * what goes over the wire is left: GT_JWT_SECRET, GT_OPERATOR_TOKEN, GT_SITE_URL and GT_SMTP_LISTEN say the
 * rest; its files are run one at a time.
 */
import assert from 'node:assert/strict';
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { Client } from './client.mjs';
import { Control } from './control.mjs';
import { MariaDb } from './mariadb.mjs';
import { Cluster } from './postgres.mjs';
import { Server } from './server.mjs';
import { freePort, temporaryFolder } from './settings.mjs';
import { Sink } from './smtp.mjs';

export const foreign = process.env.GT_BASE_URL || '';
export const storeKind = process.env.GT_STORE || 'sqlite';

const foreignMail = process.env.GT_SMTP_LISTEN || '';
const word = (bytes = 24) => randomBytes(bytes).toString('hex');

export const looksInside = { needs: 'inside' };
export const readsMail = { needs: 'mail' };

/* Why an item is not played to a foreign service, or false. Against our own server nothing is skipped. */
function missing({ needs }) {
	if (!foreign || !needs)
		return false;
	return needs === 'mail' && foreignMail ? false : `must see the ${needs} of the service`;
}

/* item(17, 'All seven provider flags ...', looksInside, async () => { ... }) */
export function item(number, title, ...rest) {
	const body = rest.pop();
	const options = rest.pop() ?? {};

	test(`GT-${String(number).padStart(3, '0')} ${title}`, { skip: missing(options), timeout: options.timeout ?? 120000 }, body);
}

/* ---- tokens of anybody's making ---- */

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/* HS256, or whatever the header says with an empty or wrong signature. */
export function sign(claims, secret, header = { alg: 'HS256', typ: 'JWT' }) {
	const text = `${encode(header)}.${encode(claims)}`;

	return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

export const decode = (token) => token.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')));

export const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;

/* ---- the database ---- */

async function openDatabase(kind, folder) {
	if (kind === 'postgres') {
		const cluster = await Cluster.shared();
		const name = await cluster.createDatabase();

		return { driver: 'postgres', url: `postgres://postgres@${cluster.host}:${cluster.port}/${name}?sslmode=disable`,
			query: (text, values) => cluster.query(name, text, values) };
	}
	if (kind === 'mariadb') {
		const server = await MariaDb.shared();
		const name = await server.createDatabase();

		return { driver: 'mysql', url: server.url(name), query: (text, values) => server.query(name, text, values) };
	}
	const { query } = await import('./sqlite.mjs');
	const path = join(folder, 'gotrue.db');

	return { driver: 'sqlite3', url: `sqlite:${path}`, query: (text, values) => query(path, text, values) };
}

/* ---- a site ---- */

let people = 0;

export const address = () => `p${(people++).toString(36)}${randomBytes(4).toString('hex')}@example.com`;

/* Options of a site that is many: GoTrue's `multi`. */
export const many = (options = {}) => ({ words: ['multi'], ...options,
	settings: { GOTRUE_SITE_URL: undefined, GOTRUE_JWT_SECRET: undefined, ...options.settings } });

class Site {
	/* A client that speaks JSON and keeps no cookies. */
	client(headers = {}) {
		return new Client({ base: this.base, connect: this.connect, headers });
	}

	/* method, path, { json, form, body, bearer, headers } -> answer */
	ask(method, path, { bearer, headers, ...options } = {}) {
		const client = this.client(bearer ? { authorization: `Bearer ${bearer}`, ...headers } : headers);

		return client.request(method, path, { cookies: false, ...options });
	}

	get(path, options) {
		return this.ask('GET', path, options);
	}

	post(path, json, options) {
		return this.ask('POST', path, { ...(json === undefined ? {} : { json }), ...options });
	}

	put(path, json, options) {
		return this.ask('PUT', path, { json, ...options });
	}

	del(path, options) {
		return this.ask('DELETE', path, options);
	}

	token(form, options) {
		return this.ask('POST', '/token', { form, ...options });
	}

	/* Signs up and returns who it is, with `answer`. */
	async signedUp(fields = {}, options) {
		const who = { email: address(), password: word(8), ...fields };
		const answer = await this.post('/signup', who, options);

		assert.equal(answer.status, 200, answer.text);
		return { ...who, id: answer.json.id, answer };
	}

	/* The newest letter to that address, and the secret in it. */
	async mailed(email, kind, count) {
		const letter = await this.mail.letter(email, { count });
		const found = new RegExp(`#${kind}_token=([A-Za-z0-9_-]{22,})`).exec(letter.html || letter.text);

		assert.ok(found, `no ${kind}_token in ${letter.text}`);
		this.secrets.add(found[1]);
		return found[1];
	}

	/* Somebody who signed up and followed the link: { email, password, id, access_token, refresh_token }. */
	async confirmed(fields, options) {
		const who = await this.signedUp(fields, options);
		const answer = await this.post('/verify', { type: 'signup', token: await this.mailed(who.email, 'confirmation') }, options);

		assert.equal(answer.status, 200, answer.text);
		return { ...who, ...answer.json };
	}

	async login(who, options) {
		return this.token({ grant_type: 'password', username: who.email, password: who.password }, options);
	}

	async loggedIn(who, options) {
		const answer = await this.login(who, options);

		assert.equal(answer.status, 200, answer.text);
		return { ...who, ...answer.json };
	}

	refresh(refresh_token, options) {
		return this.token({ grant_type: 'refresh_token', refresh_token }, options);
	}

	/* As the operator. */
	operator(method, path, json, headers) {
		return this.ask(method, path, { ...(json === undefined ? {} : { json }), bearer: this.operatorToken, headers });
	}

	/* Somebody whom the operator made: confirmed at once, no letter. */
	async made(fields = {}, headers) {
		const who = { email: address(), password: word(8), confirm: true, ...fields };
		const answer = await this.operator('POST', '/admin/users', who, headers);

		assert.equal(answer.status, 200, answer.text);
		return { ...who, id: answer.json.id, answer };
	}

	/* Among many sites: what the operator signs for requests to one of them. */
	signedFor(claims) {
		return { 'x-nf-sign': sign(claims, this.operatorToken) };
	}

	/* One of many sites, and as `options` what requests to it bring along. */
	async instance(config = {}, claims = {}) {
		const secret = word();
		const answer = await this.operator('POST', '/instances', { uuid: randomUUID(),
			config: { site_url: this.siteUrl, ...config, jwt: { secret, ...config.jwt } } });

		assert.equal(answer.status, 201, answer.text);
		this.secrets.add(secret);
		return { ...answer.json, secret, options: { headers: this.signedFor({ id: answer.json.id, ...claims }) } };
	}

	/* Rows of the audit log, newest first. */
	async audit(query = '') {
		const answer = await this.operator('GET', `/admin/audit${query ? `?query=${encodeURIComponent(query)}` : ''}`);

		assert.equal(answer.status, 200, answer.text);
		return answer.json;
	}

	async close() {
		const ended = this.server && (this.server.ended ?? await this.server.stop());
		const { mail } = this;

		this.mail = null;
		await mail?.close();
		this.control?.close();
		if (!ended || this.server.expendable)
			return;
		assert.equal(ended.code, 0, `the server ended with ${JSON.stringify(ended)}:\n${this.server.log.slice(-6000)}`);
		const told = [...this.secrets].filter((secret) => this.server.log.includes(secret));

		assert.deepEqual(told, [], 'secrets in the log');
	}
}

async function openForeign() {
	const [host, port] = foreignMail.split(':');
	const site = new Site();

	site.secrets = new Set();
	site.siteUrl = process.env.GT_SITE_URL || 'https://site.example';
	site.base = site.connect = foreign;
	site.secret = process.env.GT_JWT_SECRET;
	site.operatorToken = process.env.GT_OPERATOR_TOKEN;
	site.mail = foreignMail ? await Sink.open({ host, port: Number(port) }) : null;
	return site;
}

/* There is but one, and one mail server for all who ask for it. */
let foreignSite = null;

/*
 * settings: GOTRUE_* and PORTRESS_* over the usual ones (undefined takes a name away); mail: options of the
 * sink, or false for a server without mail; words: of the command line; start: false leaves that to the
 * test; kind: the database; siteUrl.
 */
export async function openSite({ settings = {}, mail, words = ['serve', '--as', 'gotrue'], start = true,
	kind = storeKind, siteUrl = 'https://site.example', ready } = {}) {
	const site = new Site();

	site.secrets = new Set();
	site.siteUrl = siteUrl;
	if (foreign)
		return foreignSite ??= openForeign();
	site.folder = temporaryFolder('portress-gt-');
	site.control = new Control(site.folder);
	site.mail = mail === false ? null : await Sink.open(mail);
	site.database = await openDatabase(kind, site.folder);
	site.secret = word();
	site.operatorToken = word();
	site.secrets.add(site.secret).add(site.operatorToken);

	const port = await freePort();

	site.base = site.connect = `http://127.0.0.1:${port}`;
	site.settings = {
		GOTRUE_SITE_URL: siteUrl, GOTRUE_JWT_SECRET: site.secret, GOTRUE_OPERATOR_TOKEN: site.operatorToken,
		GOTRUE_DB_DRIVER: site.database.driver, GOTRUE_DB_DATABASE_URL: site.database.url,
		GOTRUE_API_HOST: '127.0.0.1', GOTRUE_API_PORT: String(port),
		...(site.mail ? { GOTRUE_SMTP_HOST: 'localhost', GOTRUE_SMTP_PORT: String(site.mail.port),
			GOTRUE_SMTP_ADMIN_EMAIL: 'admin@site.example' } : {}),
		GOTRUE_SMTP_MAX_FREQUENCY: '1s',
		PORTRESS_TEST_CONTROL: site.control.path, PORTRESS_JAIL: 'off',
		/* Small costs, and one address that asks for everything. */
		PORTRESS_HASH_ARGON2_KIB: '64', PORTRESS_HASH_ARGON2_PASSES: '1',
		PORTRESS_LIMITS_SIGNIN_PER_ACCOUNT: '0', PORTRESS_LIMITS_SIGNIN_PER_CLIENT: '0',
		PORTRESS_LIMITS_MAIL_PER_CLIENT: '0',
		...settings,
	};
	for (const [name, value] of Object.entries(site.settings))
		if (value === undefined)
			delete site.settings[name];
	site.server = new Server({ words, folder: site.folder, port, host: `127.0.0.1:${port}`, settings: site.settings,
		ready: ready ?? '/readyz' });
	if (start)
		await site.server.start().catch(async (error) => {
			site.server.expendable = true;
			await site.close();
			throw error;
		});
	return site;
}

/* A site for a whole file, opened by the first who asks, renewed if its server has died. */
export function shared(options) {
	let opening = null;

	after(async () => (await opening?.catch(() => null))?.close());
	return async () => {
		const site = await opening;

		if (!opening || site.server?.ended)
			opening = openSite(options);
		return opening;
	};
}

/* A site for one story. */
export async function within(options, story) {
	const site = await openSite(options);

	try {
		await story(site);
	} catch (error) {
		if (site.server)
			site.server.expendable = true;
		error.message += `\n--- end of the server's log ---\n${site.server?.log.slice(-3000)}`;
		throw error;
	} finally {
		await site.close();
	}
}

/* ---- what answers say ---- */

/* E(c, "m"): exactly code and msg; a prefix ending in ':' matches what begins like it. */
export function refuses(answer, code, msg) {
	assert.equal(answer.status, code, answer.text);
	assert.equal(answer.type, 'application/json');
	assert.deepEqual(Object.keys(answer.json), code >= 500 ? ['code', 'msg', 'error_id'] : ['code', 'msg']);
	assert.equal(answer.json.code, code);
	if (msg.endsWith(':'))
		assert.ok(answer.json.msg.startsWith(msg), `${answer.json.msg} does not begin with ${msg}`);
	else
		assert.equal(answer.json.msg, msg);
}

/* O("e", "d") */
export function declines(answer, error, description) {
	assert.equal(answer.status, 400, answer.text);
	assert.equal(answer.type, 'application/json');
	assert.deepEqual(answer.json, description === undefined ? { error } : { error, error_description: description });
}

export { randomUUID };
