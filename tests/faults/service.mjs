/*
 * A server with hooks on a SQLite file, cheap to hash for and without limits, and what the tests of
 * faults want to ask it and its file.
 */
import { join } from 'node:path';

import { Client } from '../support/client.mjs';
import { Control } from '../support/control.mjs';
import { newcomer } from '../support/plain.mjs';
import { brokenFamilies } from '../support/refresh-token.mjs';
import { Server } from '../support/server.mjs';
import { freePort, temporaryFolder } from '../support/settings.mjs';
import { query } from '../support/sqlite.mjs';

const cheap = { PORTRESS_HASH_ARGON2_KIB: '8192', PORTRESS_HASH_ARGON2_PASSES: '1',
	PORTRESS_SIGNIN_DELAY: '0s', PORTRESS_JAIL: 'off', PORTRESS_LOG_REQUESTS: 'false' };

/* At most so many of each in an hour; '0' is no limit. */
export function limits(most) {
	return { PORTRESS_LIMITS_SIGNIN_PER_ACCOUNT: most, PORTRESS_LIMITS_SIGNIN_PER_CLIENT: most,
		PORTRESS_LIMITS_MAIL_PER_RECIPIENT: most, PORTRESS_LIMITS_MAIL_PER_CLIENT: most };
}

/* The answer, or null when the connection ended without one. */
export async function attempt(asking) {
	try {
		return await asking;
	} catch (error) {
		if (['ECONNRESET', 'ECONNREFUSED', 'EPIPE'].includes(error.code) || error.message === 'aborted')
			return null;
		throw error;
	}
}

export class Service {
	constructor(folder, port, settings) {
		this.folder = folder;
		this.base = `http://localhost:${port}`;
		this.connect = `http://127.0.0.1:${port}`;
		this.file = join(folder, 'data', 'portress.db');
		this.control = new Control(folder);
		this.server = new Server({ words: ['serve'], folder, port, host: `localhost:${port}`, settings: {
			...cheap, ...limits('0'), PORTRESS_LISTEN: `127.0.0.1:${port}`, PORTRESS_URL: this.base,
			PORTRESS_DATABASE: `sqlite:${this.file}`, PORTRESS_KEYS_FILE: join(folder, 'portress.key'),
			PORTRESS_TEST_CONTROL: this.control.path, ...settings } });
	}

	async start() {
		await this.server.start();
		this.visitor = new Client({ base: this.base, connect: this.connect });
		await this.visitor.csrfToken();
	}

	/* A client with a CSRF token and nothing else. */
	guest() {
		return this.visitor.clone();
	}

	rows(text, values) {
		return query(this.file, text, values);
	}

	async value(text, values) {
		const [row] = await this.rows(text, values);

		return Object.values(row ?? { nothing: undefined })[0];
	}

	/* ---- people ---- */

	async signUp(who = newcomer()) {
		const answer = await this.guest().post('/signup', who);

		expect(answer, 303, 'sign-up');
		return who;
	}

	/* The newest link of a kind ("/verify", "/reset") to that person, as its token. */
	async token(who, path, client = this.guest()) {
		const { data } = (await client.get('/dev/mailbox')).json;
		const letter = data.find((one) => one.to === who.email && one.link.includes(`${path}?token=`));

		return letter && new URL(letter.link).searchParams.get('token');
	}

	async join(who) {
		const joined = await this.signUp(who);

		expect(await this.confirm(await this.token(joined, '/verify')), 303, 'confirmation');
		return joined;
	}

	confirm(token, client = this.guest()) {
		return client.get(`/verify?token=${encodeURIComponent(token)}`);
	}

	signIn(who, client = this.guest()) {
		return client.post('/signin', { username: who.username, password: who.password });
	}

	/* As browsers do it: a session also where programs are given tokens. */
	signInByForm({ username, password }, client = this.guest()) {
		return client.post('/signin', undefined, { form: { username, password }, headers: { accept: 'text/html' } });
	}

	/* A client with a session of that person. */
	async enter(who) {
		const client = this.guest();

		expect(await this.signIn(who, client), 303, 'sign-in');
		return client;
	}

	forgot(who, client = this.guest()) {
		return client.post('/forgot', { email: who.email });
	}

	async resetToken(who) {
		expect(await this.forgot(who), 303, 'forgot');
		return this.token(who, '/reset');
	}

	reset(token, password, client = this.guest()) {
		return client.post('/reset', { token, new_password: password });
	}

	/* ---- strings ---- */

	quiet() {
		this.control.set('fail_alloc', 0);
		this.control.set('fail_act', 0);
		this.control.set('fail_sticky', 0);
		this.control.set('break_limiter', 0);
	}

	/* Still the process that was started? */
	assertAlive(pid) {
		if (this.server.ended || this.server.pid !== pid)
			throw new Error(`the server ended: ${JSON.stringify(this.server.ended)}`);
	}

	/* What is wrong with the file, whatever happened to the server: nothing, one hopes. */
	async damage() {
		const found = (await this.rows('PRAGMA integrity_check')).map((row) => row.integrity_check);
		const orphans = await this.value(`
			SELECT count(*) FROM (
				SELECT account FROM portress_session UNION ALL
				SELECT account FROM portress_ticket UNION ALL
				SELECT account FROM portress_family UNION ALL
				SELECT account FROM portress_letter WHERE account IS NOT NULL)
			WHERE account NOT IN (SELECT id FROM portress_account)`);
		const doubles = await this.value(`
			SELECT count(*) FROM (
				SELECT 1 FROM portress_account GROUP BY username_key HAVING count(*) > 1 UNION ALL
				SELECT 1 FROM portress_account GROUP BY email_key HAVING count(*) > 1)`);

		return [...found.filter((line) => line !== 'ok'), ...(orphans ? [`${orphans} orphans`] : []),
			...(doubles ? [`${doubles} accounts stand there twice`] : []),
			...await brokenFamilies((text) => this.rows(text))];
	}

	async assertSound() {
		const damage = await this.damage();

		if (damage.length)
			throw new Error(`the file is not sound: ${damage.join('; ')}`);
	}

	/* Whatever it went through, it ends in order. */
	async close() {
		const { code, signal } = this.server.ended ?? await this.server.stop();

		this.control.close();
		if (code !== 0)
			throw new Error(`the server ended with ${signal ?? code}:\n${this.server.log.slice(-2000)}`);
	}
}

export function expect(answer, status, what) {
	if (answer?.status !== status)
		throw new Error(`${what}: ${answer ? `${answer.status} ${answer.text.slice(0, 300)}` : 'no answer'}, not ${status}`);
	return answer;
}

export async function openService(settings = {}, folder = temporaryFolder('portress-faults-')) {
	const service = new Service(folder, await freePort(), settings);

	await service.start();
	return service;
}
