/*
 * The GoTrue dialect while something fails: what people and operators ask there, the n-th allocation, the
 * n-th act on the store, a store that is away, and kill -9 while tokens turn over.
 */
import assert from 'node:assert/strict';

import { address, openSite } from '../support/gotrue.mjs';
import { brokenFamilies, readToken } from '../support/refresh-token.mjs';
import { pause } from '../support/settings.mjs';
import { attempt } from './service.mjs';

const MOST = { fail_alloc: 3000, fail_act: 60 };
const AWAY = /^(Database not available|Service unavailable|Server is busy, try again)$/;

const quiet = { PORTRESS_LOG_REQUESTS: 'false', PORTRESS_LIMITS_MAIL_PER_RECIPIENT: '0', PORTRESS_LIMITS_MAIL_PER_HOUR: '0' };
const another = 'another quiet harbour';

async function ok(asking, status = 200) {
	const answer = await asking;

	assert.equal(answer.status, status, answer.text);
	return answer;
}

const member = async (here) => here.loggedIn(await here.made());
const one = async (here, id) => (await here.operator('GET', `/admin/users/${id}`)).status;
const found = async (here, email) => (await here.operator('GET', `/admin/users?filter=${encodeURIComponent(email)}`)).json.users;

/* That token is the LIVE one of its family, and of that many rotations. */
async function assertHeld(here, account, token, { events } = {}) {
	const { family, generation } = readToken(token);
	const [row] = await here.database.query(`SELECT generation, (SELECT count(*) FROM portress_event e
		WHERE e.account = f.account AND kind = 12) AS refreshed FROM portress_family f WHERE id = $1 AND account = $2`, [family, account]);

	assert.equal(row?.generation, generation, 'what was handed out is not the LIVE token');
	if (events !== undefined)
		assert.equal(row.refreshed, events);
}

/*
 *	prepare(here)             what must stand before: the state
 *	ask(here, state)          the request itself
 *	done                      its status when nothing fails
 *	settle(here, state, was)  afterwards, with everything quiet: throws when what came of it is neither all
 *	                          nor nothing; was: it was answered as when nothing fails
 */
const requests = {
	'/signup': {
		prepare: async () => ({ email: address(), password: 'a quiet harbour' }),
		ask: (here, who) => here.post('/signup', who),
		done: 200,
		async settle(here, who, was) {
			const users = await found(here, who.email);

			assert.ok(users.length === 1 || (!was && users.length === 0), `${users.length} accounts`);
			here.control.advance(2);
			await ok(here.post('/signup', who));
			await ok(here.post('/verify', { type: 'signup', token: await here.mailed(who.email, 'confirmation') }));
			await ok(here.login(who));
		},
	},
	'/token by password': {
		prepare: (here) => here.made(),
		ask: (here, who) => here.login(who),
		done: 200,
		settle: async (here, who) => ok(here.login(who)),
	},
	'/token by a wrong password': {
		prepare: (here) => here.made(),
		ask: (here, who) => here.login({ ...who, password: 'wrong' }),
		done: 400,
		settle: async (here, who) => ok(here.login(who)),
	},
	'/token by token': {
		prepare: member,
		ask: (here, who) => here.refresh(who.refresh_token),
		done: 200,
		/* An answer that was lost is given again, and its successor is as good: two rotations, whatever failed. */
		async settle(here, who) {
			const second = (await ok(here.refresh(who.refresh_token))).json.refresh_token;
			const third = (await ok(here.refresh(second))).json.refresh_token;

			assert.deepEqual([second, third].map((token) => readToken(token).generation), [2, 3]);
			await assertHeld(here, who.id, third, { events: 2 });
		},
	},
	'/verify': {
		async prepare(here) {
			const who = await here.signedUp();

			return { ...who, token: await here.mailed(who.email, 'confirmation') };
		},
		ask: (here, { token }) => here.post('/verify', { type: 'signup', token }),
		done: 200,
		async settle(here, who, was) {
			const again = await here.post('/verify', { type: 'signup', token: who.token });

			assert.ok(again.status === 404 || (!was && again.status === 200), `the link is answered ${again.status} ${again.text}`);
			await ok(here.login(who));
		},
	},
	'/recover': {
		prepare: (here) => here.made(),
		ask: (here, { email }) => here.post('/recover', { email }),
		done: 200,
		async settle(here, { email }) {
			here.control.advance(2);
			const before = here.mail.to(email).length;

			await ok(here.post('/recover', { email }));
			await ok(here.post('/verify', { type: 'recovery', token: await here.mailed(email, 'recovery', before + 1) }));
		},
	},
	'PUT /user': {
		prepare: member,
		ask: (here, { access_token }) => here.put('/user', { password: another, data: { a: 1 } }, { bearer: access_token }),
		done: 200,
		async settle(here, who, was) {
			const changed = (await here.login({ ...who, password: another })).status === 200;
			const { json } = await ok(here.get('/user', { bearer: who.access_token }));

			assert.ok(changed || !was, 'the new password is no good');
			assert.equal(json.user_metadata.a === 1, changed, 'half of a change');
			assert.equal((await here.login(who)).status, changed ? 400 : 200);
		},
	},
	'GET /user': {
		prepare: member,
		ask: (here, { access_token }) => here.get('/user', { bearer: access_token }),
		done: 200,
		settle: async (here, { access_token }) => ok(here.get('/user', { bearer: access_token })),
	},
	'/logout': {
		prepare: member,
		ask: (here, { access_token }) => here.post('/logout', undefined, { bearer: access_token }),
		done: 204,
		async settle(here, who, was) {
			if (!was)
				await ok(here.post('/logout', undefined, { bearer: who.access_token }), 204);
			assert.equal((await here.refresh(who.refresh_token)).status, 400, 'who went out goes on');
		},
	},
	'POST /admin/users': {
		prepare: async () => ({ email: address(), password: 'a quiet harbour', confirm: true }),
		ask: (here, who) => here.operator('POST', '/admin/users', who),
		done: 200,
		async settle(here, who, was) {
			const users = await found(here, who.email);

			assert.ok(users.length === 1 || (!was && users.length === 0), `${users.length} accounts`);
			if (!users.length)
				await ok(here.operator('POST', '/admin/users', who));
			await ok(here.login(who));
		},
	},
	'DELETE /admin/users': {
		prepare: member,
		ask: (here, { id }) => here.operator('DELETE', `/admin/users/${id}`),
		done: 200,
		async settle(here, who, was) {
			const status = await one(here, who.id);

			assert.ok(status === 404 || (!was && status === 200), `the account is answered ${status}`);
			assert.equal((await here.refresh(who.refresh_token)).status, status === 404 ? 400 : 200, 'half of an account');
		},
	},
};

/* ---- the n-th of them ---- */

function assertHonest(answer, done, what) {
	if (answer === null || answer.status === done)
		return;
	assert.ok(answer.status === 503 || (what === 'fail_alloc' && answer.status === 500), `answered ${answer.status}: ${answer.text}`);
	if (answer.status === 503)
		assert.ok(answer.headers['retry-after'], '503 without Retry-After');
	assert.ok(!answer.text.includes('access_token') && (answer.headers['set-cookie'] ?? []).every((line) => /^nf_jwt=;/.test(line)),
		'a token with a refusal');
	if (what === 'fail_alloc')
		return;
	assert.deepEqual(Object.keys(answer.json), ['code', 'msg', 'error_id']);
	assert.match(answer.json.msg, AWAY);
}

function calm(here) {
	for (const word of ['fail_alloc', 'fail_act', 'fail_sticky'])
		here.control.set(word, 0);
}

async function failEach(here, { prepare, ask, done, settle }, what, { sticky = 0, step = 1 } = {}) {
	const { pid } = here.server;

	for (let n = 1; n <= MOST[what]; n += step) {
		const state = await prepare(here);
		let struck;
		let answer;

		here.control.set('fail_sticky', sticky);
		here.control.set(what, n);
		try {
			answer = await attempt(ask(here, state));
		} finally {
			struck = here.control.get(what) <= 0;
			calm(here);
		}
		try {
			assert.ok(!here.server.ended && here.server.pid === pid, 'the server ended');
			assertHonest(answer, done, what);
			assert.ok(struck || answer?.status === done, `nothing failed, and yet: ${answer?.status} ${answer?.text}`);
			await settle(here, state, answer?.status === done);
		} catch (error) {
			error.message = `${what} ${n}: ${error.message}`;
			throw error;
		}
		if (!struck)
			return `${n - 1} of them`;
	}
	throw new Error(`more than ${MOST[what]}`);
}

export async function gotrue(report) {
	const here = await openSite({ settings: quiet });
	const log = () => here.server.log;

	for (const [name, request] of Object.entries(requests)) {
		await report.check(`gotrue ${name} while one act fails`, () => failEach(here, request, 'fail_act'), log);
		await report.check(`gotrue ${name} while one allocation fails`, () => failEach(here, request, 'fail_alloc'), log);
		await report.check(`gotrue ${name} while memory is out`, () => failEach(here, request, 'fail_alloc', { sticky: 1, step: 13 }), log);
	}
	await report.check('gotrue while the store is away', () => away(here), log);
	here.secrets = new Set([...here.secrets].slice(-20));
	await here.close();
	await report.check('gotrue: kill -9 while tokens turn over', () => kill());
}

/* ---- nothing but failures ---- */

async function away(here) {
	const states = await Promise.all(Object.values(requests).map(({ prepare }) => prepare(here)));

	here.control.breakStore();
	try {
		for (const [at, { ask }] of Object.values(requests).entries()) {
			const answer = await ask(here, states[at]);

			assert.equal(answer.status, 503, answer.text);
			assertHonest(answer, 0, 'fail_act');
		}
		await ok(here.get('/health'));
		await ok(here.get('/settings'));
	} finally {
		here.control.mendStore();
		calm(here);
	}
	for (const [at, { settle }] of Object.values(requests).entries())
		await settle(here, states[at], false);
}

/* ---- kill -9 ---- */

const KILLS = Number(process.env.KILLS || 20);
const CLIENTS = 16;

/* What one client has been told. `unsure`: what it sent last and heard nothing of. */
class Holder {
	constructor(who) {
		Object.assign(this, { who, held: null, ended: [], unsure: null, told: 0 });
	}

	async hear(asking) {
		const answer = await attempt(asking);

		this.told += answer ? 1 : 0;
		return answer;
	}

	async enter(here) {
		const answer = await this.hear(here.login(this.who));

		if (answer)
			this.held = (await ok(answer)).json;
		return Boolean(answer);
	}

	async renew(here) {
		const answer = await this.hear(here.refresh(this.held.refresh_token));

		if (answer)
			this.held = (await ok(answer)).json;
		return Boolean(answer);
	}

	async leave(here) {
		this.unsure = this.held;
		const answer = await this.hear(here.post('/logout', undefined, { bearer: this.held.access_token }));

		this.held = null;
		if (!answer)
			return false;
		await ok(answer, 204);
		this.ended.push(this.unsure.refresh_token);
		this.unsure = null;
		return true;
	}

	/* One after another until the server is gone. */
	async go(here) {
		for (;;) {
			const turn = !this.held ? this.enter(here) : Math.random() < 0.85 ? this.renew(here) : this.leave(here);

			if (!await turn)
				return;
		}
	}

	/* What was acknowledged holds; what ended stays ended. */
	async judge(here) {
		for (const token of this.ended.slice(-3))
			assert.equal((await here.refresh(token)).status, 400, 'what has ended is good again');
		if (this.unsure) {
			/* Out or not, but one of them. */
			assert.ok([200, 400].includes((await here.refresh(this.unsure.refresh_token)).status));
			this.unsure = null;
		}
		if (!this.held)
			return;
		this.held = (await ok(here.refresh(this.held.refresh_token))).json;
		await assertHeld(here, this.who.id, this.held.refresh_token);
	}
}

async function kill() {
	const here = await openSite({ settings: { ...quiet, PORTRESS_JWT_REFRESH_GRACE: '5m' } });
	const holders = await Promise.all(Array.from({ length: CLIENTS }, async () => new Holder(await here.made())));

	try {
		for (let n = 0; n < KILLS; n++) {
			const going = Promise.all(holders.map((holder) => holder.go(here)));

			await pause(50 + Math.random() * 200);
			await here.server.kill();
			await going;
			await here.server.start();
			await Promise.all(holders.map((holder) => holder.judge(here)));
			assert.deepEqual(await brokenFamilies((text) => here.database.query(text)), []);
		}
	} finally {
		here.secrets = new Set();
		await here.close();
	}
	return `${KILLS} kills, ${holders.reduce((sum, { told }) => sum + told, 0)} acknowledged answers kept`;
}
