/*
 * Refresh tokens that come twice, at once, too late, changed or from elsewhere; and what is left of an
 * account that is switched off or gone.
 */
import assert from 'node:assert/strict';
import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { after } from 'node:test';

import { attack } from '../support/attack.mjs';
import { Client } from '../support/client.mjs';
import { decode, declines, many, refuses, shared, sign, within } from '../support/gotrue.mjs';
import { newcomer, openPlain } from '../support/plain.mjs';
import { readToken, writeToken } from '../support/refresh-token.mjs';
import { query } from '../support/sqlite.mjs';

const DAY = 86400;
/* enum pt_event_kind */
const refreshed = 12;
const reused = 13;

const site = shared();
const strict = shared({ settings: { PORTRESS_JWT_REFRESH_GRACE: '0s' } });
const sites = shared(many());

const member = async (here, fields) => here.loggedIn(await here.made(fields));
const spent = (answer) => declines(answer, 'invalid_grant', 'Invalid Refresh Token');

async function count(here, text, values) {
	const [row] = await here.database.query(text, values);

	return Number(Object.values(row)[0]);
}

/* The number of the LIVE token of each family: 1, and one more for each rotation. */
async function living(here, id) {
	const rows = await here.database.query('SELECT generation FROM portress_family WHERE account = $1 ORDER BY started_at, id', [id]);

	return rows.map(({ generation }) => Number(generation));
}

const events = (here, id, kind) => count(here, 'SELECT count(*) AS n FROM portress_event WHERE account = $1 AND kind = $2', [id, kind]);

async function renewed(here, token) {
	const answer = await here.refresh(token);

	assert.equal(answer.status, 200, answer.text);
	return answer.json.refresh_token;
}

/* ---- twice ---- */

attack('SES-01', 'a spent token that comes back ends everything that came of it', async () => {
	const here = await site();
	const who = await member(here);
	const second = await renewed(here, who.refresh_token);

	assert.equal(await events(here, who.id, reused), 0);
	here.control.advance(11);
	spent(await here.refresh(who.refresh_token));
	spent(await here.refresh(second));
	assert.deepEqual(await living(here, who.id), []);
	assert.equal(await events(here, who.id, reused), 1);
	const other = await here.loggedIn(who);

	assert.equal((await here.refresh(other.refresh_token)).status, 200);
});

attack('SES-01', 'the grace of a spent token is its own, and no later rotation renews it', async () => {
	const here = await site();
	const who = await member(here);
	const second = await renewed(here, who.refresh_token);

	here.control.advance(6);
	const third = await renewed(here, second);

	for (const token of [who.refresh_token, second])
		assert.equal(await renewed(here, token), third);
	here.control.advance(5);
	assert.equal(await renewed(here, second), third);
	assert.deepEqual(await living(here, who.id), [3]);
	spent(await here.refresh(who.refresh_token));
	assert.deepEqual(await living(here, who.id), []);
	assert.equal(await events(here, who.id, reused), 1);
});

attack('SES-01', 'a token further back than a family remembers ends it, however young', async () => {
	const here = await site();
	const who = await member(here);
	const tokens = [who.refresh_token];

	while (tokens.length < 18)
		tokens.push(await renewed(here, tokens.at(-1)));
	for (const token of tokens.slice(1, -1))
		assert.equal(await renewed(here, token), tokens.at(-1));
	assert.equal(await events(here, who.id, reused), 0);
	spent(await here.refresh(tokens[0]));
	assert.deepEqual(await living(here, who.id), []);
	assert.equal(await events(here, who.id, reused), 1);
	spent(await here.refresh(tokens.at(-1)));
});

attack('SES-02', 'fifty at once get one successor', async () => {
	const here = await site();
	const who = await member(here);
	const answers = await Promise.all(Array.from({ length: 50 }, () => here.refresh(who.refresh_token)));
	const given = new Set(answers.filter(({ status }) => status === 200).map(({ json }) => json.refresh_token));

	assert.ok(answers.every(({ status }) => status === 200 || status === 400 || status === 503), answers.map(({ status }) => status).join());
	assert.equal(given.size, 1);
	assert.equal(readToken([...given][0]).generation, 2);
	assert.deepEqual(await living(here, who.id), [2]);
	assert.equal(await events(here, who.id, refreshed), 1);
	assert.equal(await events(here, who.id, reused), 0);
	await renewed(here, [...given][0]);
	assert.deepEqual(await living(here, who.id), [3]);
});

attack('SES-02', 'without a grace one of fifty is first, and the others are an alarm', async () => {
	const here = await strict();
	const who = await member(here);
	const answers = await Promise.all(Array.from({ length: 50 }, () => here.refresh(who.refresh_token)));
	const won = answers.filter(({ status }) => status === 200);

	assert.equal(won.length, 1);
	answers.filter((one) => one !== won[0]).forEach(spent);
	assert.deepEqual(await living(here, who.id), []);
	spent(await here.refresh(won[0].json.refresh_token));
});

attack('SES-03', 'the grace opens nothing that an alarm has closed', async () => {
	const here = await site();
	const who = await member(here);
	const second = await renewed(here, who.refresh_token);

	here.control.advance(11);
	const third = await renewed(here, second);

	spent(await here.refresh(who.refresh_token));
	/* second was spent this very moment. */
	spent(await here.refresh(second));
	spent(await here.refresh(third));
	assert.deepEqual(await living(here, who.id), []);
});

/* ---- other tokens ---- */

attack('SES-04', 'a token that was changed is nobody\'s, and hurts nobody', async () => {
	const here = await site();
	const who = await member(here);
	const token = who.refresh_token;
	const flipped = token.replace(/[A-Za-z]/g, (c) => (c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase()));

	assert.notEqual(flipped, token);
	for (const changed of [flipped, token.toLowerCase(), token.toUpperCase(), `${token} `, ` ${token}`, `${token}\n`,
		token.slice(0, -1), `${token}A`, `${token}=`, who.access_token, '%', '_', 'null', '0', who.id])
		spent(await here.refresh(changed));
	for (const ending of ['\0', '\0x', '\uD800', 'x'.repeat(10240)])
		assert.equal((await here.refresh(`${token}${ending}`)).status, 400);
	assert.equal(await events(here, who.id, reused), 0);
	await renewed(here, token);
});

attack('SES-04', 'a token of one site is no token of another', async () => {
	const here = await sites();
	const a = await here.instance({ mailer: { autoconfirm: true } });
	const b = await here.instance({ mailer: { autoconfirm: true }, jwt: { secret: a.secret } });
	const who = await here.loggedIn(await here.signedUp({}, a.options), a.options);

	spent(await here.refresh(who.refresh_token, b.options));
	assert.equal((await here.refresh(who.refresh_token, { headers: { ...a.options.headers, 'x-jwt-aud': 'elsewhere' } })).status, 200);
	assert.deepEqual(await living(here, who.id), [2]);
});

/* What there was is there, nothing was spent, and nobody was alarmed. */
async function assertUnhurt(here, id, generations) {
	assert.deepEqual(await living(here, id), generations);
	assert.equal(await events(here, id, refreshed), generations.reduce((sum, generation) => sum + generation - 1, 0));
	assert.equal(await events(here, id, reused), 0);
}

attack('SES-04', 'a token of which one byte is another is nobody\'s, and hurts nobody', async () => {
	const here = await site();
	const who = await member(here);
	const live = await renewed(here, await renewed(here, who.refresh_token));

	here.control.advance(11);
	/* Of a spent one, too: only whoever had it may raise the alarm. */
	for (const token of [live, who.refresh_token]) {
		const bytes = Buffer.from(token, 'base64url');

		for (let at = 0; at < bytes.length; at++)
			for (const bits of [0x01, 0x80]) {
				const changed = Buffer.from(bytes);

				changed[at] ^= bits;
				spent(await here.refresh(changed.toString('base64url')));
			}
	}
	await assertUnhurt(here, who.id, [3]);
	await renewed(here, live);
});

attack('SES-04', 'a token with another number, or made of two, is nobody\'s', async () => {
	const here = await site();
	const who = await member(here);
	const first = readToken(who.refresh_token);
	const live = await renewed(here, await renewed(here, who.refresh_token));
	const said = readToken(live);
	const twin = readToken((await here.loggedIn(who)).refresh_token);
	const stranger = readToken((await member(here)).refresh_token);

	here.control.advance(11);
	assert.equal(writeToken(said), live);
	assert.equal(said.generation, 3);
	for (const generation of [0, 1, 2, 4, 5, 0x100, 0x7fffffff, 0x80000000, 0xffffffff])
		spent(await here.refresh(writeToken({ ...said, generation })));
	for (const other of [first, twin, stranger])
		for (const part of ['mac', 'generation', 'secret', 'family'])
			if (String(other[part]) !== String(said[part]))
				spent(await here.refresh(writeToken({ ...said, [part]: other[part] })));
	await assertUnhurt(here, who.id, [3, 1]);
	await renewed(here, live);
	await renewed(here, writeToken(twin));
});

attack('SES-04', 'a token that is shorter, longer or spelt in another way is nobody\'s', async () => {
	const here = await site();
	const who = await member(here);
	const bytes = Buffer.from(who.refresh_token, 'base64url');
	const token = who.refresh_token;

	for (const length of [1, 16, 20, 22, 32, 33, 44, 47])
		for (const part of [bytes.subarray(0, length), bytes.subarray(48 - length)])
			spent(await here.refresh(part.toString('base64url')));
	for (const more of [Buffer.alloc(1), Buffer.alloc(16), bytes.subarray(32), bytes])
		for (const longer of [[bytes, more], [more, bytes]])
			spent(await here.refresh(Buffer.concat(longer).toString('base64url')));
	for (const other of [token.slice(1), token.slice(0, 63), `A${token}`, `${token}A`, `${token}${token}`, `${token.slice(0, 63)}=`,
		`${token.slice(0, 63)}+`, `${token.slice(0, 63)}/`, bytes.toString('hex'), bytes.toString('base64').replace(/[+/]/g, '.')])
		if (other !== token)
			spent(await here.refresh(other));
	await assertUnhurt(here, who.id, [1]);
	await renewed(here, token);
});

attack('SES-04', 'a token of another server is nobody\'s', async () => {
	const [here, there] = [await site(), await strict()];
	const who = await member(here);
	const other = await member(there);

	spent(await there.refresh(who.refresh_token));
	spent(await here.refresh(other.refresh_token));
	/* Not even if its family stands here: the text is another. */
	const said = readToken(who.refresh_token);

	for (const part of ['mac', 'secret', 'generation'])
		spent(await here.refresh(writeToken({ ...readToken(other.refresh_token), family: said.family, [part]: said[part] })));
	await assertUnhurt(here, who.id, [1]);
	await assertUnhurt(there, other.id, [1]);
});

attack('SES-04', 'where the key is another by now, the living token goes on, and nothing else does', async () => {
	await within({}, async (here) => {
		const who = await member(here);
		const second = await renewed(here, who.refresh_token);
		const twin = await here.loggedIn(who);
		const keys = [here.server.settings.GOTRUE_OPERATOR_TOKEN, randomBytes(24).toString('hex')];
		const turn = async (n) => {
			here.server.settings.GOTRUE_OPERATOR_TOKEN = keys[n];
			await here.server.restart();
		};

		await turn(1);
		/* Nobody can tell any more whether that one was ever issued: no token, and no alarm. */
		spent(await here.refresh(who.refresh_token));
		const said = readToken(second);

		for (const forged of [{ generation: 1 }, { generation: 3 }, { mac: Buffer.alloc(16) }, { mac: readToken(twin.refresh_token).mac },
			{ secret: readToken(twin.refresh_token).secret }, { family: readToken(twin.refresh_token).family }])
			spent(await here.refresh(writeToken({ ...said, ...forged })));
		await assertUnhurt(here, who.id, [2, 1]);
		const third = await renewed(here, second);

		spent(await here.refresh(second));
		await assertUnhurt(here, who.id, [3, 1]);
		const fourth = await renewed(here, third);

		await turn(0);
		/* Made under the key of now, and spent: an alarm as ever. */
		here.control.advance(11);
		await renewed(here, fourth);
		await renewed(here, twin.refresh_token);
		assert.deepEqual(await living(here, who.id), [5, 2]);
		spent(await here.refresh(third));
		assert.equal(await events(here, who.id, reused), 0);
		spent(await here.refresh(second));
		assert.equal(await events(here, who.id, reused), 1);
		assert.deepEqual(await living(here, who.id), [2]);
	});
});

attack('SES-04', 'who knows the name of a family opens nothing with it, and ends nothing', async () => {
	const here = await site();
	const who = await member(here);
	const [, { sid: family }] = decode(who.access_token);
	const secrets = [Buffer.alloc(12), Buffer.alloc(12, 0xff), randomBytes(12)];
	const keys = [here.secret, here.operatorToken, '', Buffer.alloc(32)];

	assert.equal(readToken(who.refresh_token).family, family);
	spent(await here.refresh(family));
	spent(await here.refresh(family.replaceAll('-', '')));
	for (const generation of [0, 1, 2, 0xffffffff])
		for (const secret of secrets) {
			const said = { family, generation, secret, mac: Buffer.alloc(0) };
			const macs = keys.flatMap((key) => ['', 'bearer', 'jti'].map((purpose) =>
				createHmac('sha256', key).update(purpose).update(Buffer.from(writeToken(said), 'base64url')).digest().subarray(0, 16)));

			for (const mac of [Buffer.alloc(16), randomBytes(16), ...macs])
				spent(await here.refresh(writeToken({ ...said, mac })));
		}
	await assertUnhurt(here, who.id, [1]);
	await renewed(here, who.refresh_token);
});

/* ---- tokens of another door ---- */

const refreshKey = randomBytes(24).toString('hex');
let opening = null;

/* A plain server whose pages give out pairs of JWTs, and who has signed in there. */
async function doors() {
	opening ??= openPlain({ PORTRESS_JWT_ON: 'true', PORTRESS_JWT_SECRET: randomBytes(24).toString('hex'),
		PORTRESS_JWT_REFRESH_SECRET: refreshKey, PORTRESS_SIGNIN_DELAY: '0s', PORTRESS_LIMITS_SIGNIN_PER_ACCOUNT: '0',
		PORTRESS_LIMITS_SIGNIN_PER_CLIENT: '0', PORTRESS_HASH_ARGON2_KIB: '8192', PORTRESS_HASH_ARGON2_PASSES: '1' });
	const { base, server } = await opening;
	const pages = new Client({ base });
	const who = newcomer();

	assert.equal((await pages.post('/signup', who)).status, 303);
	const { data } = (await pages.get('/dev/mailbox')).json;
	const { link } = data.find(({ to }) => to === who.email);

	assert.equal((await pages.get(link.slice(base.length))).status, 303);
	const { json } = await pages.post('/signin', { username: who.username, password: who.password });
	const database = { query: (text, values) => query(join(server.folder, 'portress.db'), text, values) };
	const [{ id }] = await database.query('SELECT id FROM portress_account WHERE username = $1', [who.username]);

	return { here: { database }, id, pair: json.data,
		refresh: (refresh_token) => pages.post('/refresh', { refresh_token }),
		gotrue: (refresh_token) => pages.request('POST', '/gotrue/token', { form: { grant_type: 'refresh_token', refresh_token } }),
		login: () => pages.request('POST', '/gotrue/token', { form: { grant_type: 'password', username: who.email, password: who.password } }) };
}

after(async () => {
	const { server } = await opening?.catch(() => ({})) ?? {};

	if (server)
		assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.log.slice(-3000));
});

attack('SES-04', 'what an access token says of its pair is no refresh token', async () => {
	const { here, id, pair, refresh, gotrue } = await doors();
	const [, access] = decode(pair.token);
	const [, renewal] = decode(pair.refresh_token);

	assert.equal(access.jti, renewal.jti);
	for (const token of [access.jti, pair.token, pair.refresh_token])
		spent(await gotrue(token));
	assert.equal(readToken(access.jti).generation, 1);
	await assertUnhurt(here, id, [1]);
	const next = await refresh(pair.refresh_token);

	assert.equal(next.status, 200, next.text);
	const [, { jti }] = decode(next.json.data.token);

	assert.equal(readToken(jti).generation, 2);
	for (const token of [access.jti, jti])
		spent(await gotrue(token));
	await assertUnhurt(here, id, [2]);
	assert.equal((await refresh(next.json.data.refresh_token)).status, 200);
});

attack('SES-04', 'a refresh token of one door is none of the other', async () => {
	const { here, id, refresh, gotrue, login } = await doors();
	const { json: granted } = await login();
	const exp = Math.floor(Date.now() / 1000) + 3600;
	const families = [1, 1];

	for (const token of [granted.refresh_token, granted.access_token,
		/* Who knows even the key of the pairs. */
		sign({ exp, user_id: id, jti: granted.refresh_token, token_use: 'refresh' }, refreshKey, { alg: 'HS256', typ: 'JWT' })])
		assert.equal((await refresh(token)).status, 401);
	await assertUnhurt(here, id, families);
	const next = await gotrue(granted.refresh_token);

	assert.equal(next.status, 200, next.text);
});

attack('SES-04', 'a pair of an older Portress goes on, and what its access token says is no refresh token', async () => {
	const { here, id, refresh, gotrue } = await doors();
	const jti = randomBytes(18).toString('base64url');
	const family = randomUUID();
	const now = Date.now() * 1000;
	const exp = Math.floor(Date.now() / 1000) + 3600;
	const pair = sign({ exp, user_id: id, jti, token_use: 'refresh' }, refreshKey, { alg: 'HS256', typ: 'JWT' });
	const hash = createHash('sha256').update(jti).digest('hex');

	await here.database.query(`INSERT INTO portress_family (id, account, client, started_at, generation, issued_at, expires_at, purge_at)
		VALUES ($1, $2, '', $3, 2, $3, $4, $4)`, [family, id, now, now + DAY * 1e6]);
	await here.database.query(`INSERT INTO portress_loose_token (hash, family, generation) VALUES (x'${hash}', $1, 2)`, [family]);
	spent(await gotrue(jti));
	assert.deepEqual(await living(here, id), [1, 2]);
	const next = await refresh(pair);

	assert.equal(next.status, 200, next.text);
	assert.deepEqual(await living(here, id), [1, 3]);
	/* Its answer was lost: the same again, and nothing of that at the other door. */
	const again = await refresh(pair);

	assert.equal(decode(again.json.data.refresh_token)[1].jti, decode(next.json.data.refresh_token)[1].jti);
	spent(await gotrue(jti));
	assert.equal((await refresh(next.json.data.refresh_token)).status, 200);
	assert.deepEqual(await living(here, id), [1, 4]);
	assert.equal(await events(here, id, reused), 0);
});

/* ---- in time ---- */

attack('SES-05', 'where a sign-in has an end, turning tokens over does not put it off', async () => {
	await within({ settings: { PORTRESS_JWT_REFRESH_FAMILY_LIFE: '90d' } }, async (here) => {
		const who = await member(here);
		let token = who.refresh_token;

		for (let day = 0; day < 80; day += 20) {
			here.control.advance(20 * DAY);
			token = await renewed(here, token);
		}
		here.control.advance(11 * DAY);
		assert.equal((await here.refresh(token)).status, 400);
		assert.equal((await here.login(who)).status, 200);
	});
});

attack('SES-05', 'a token that nobody used for thirty days is over, also after a restart', async () => {
	await within({}, async (here) => {
		const who = await member(here);

		here.control.advance(29 * DAY);
		const second = await renewed(here, who.refresh_token);

		await here.server.restart();
		here.control.advance(30 * DAY + 1);
		declines(await here.refresh(second), 'invalid_grant', 'Refresh token expired');
	});
});

/* ---- the end ---- */

attack('SES-09', 'going out ends every refresh token, for good', async () => {
	const here = await site();
	const who = await member(here);
	const other = await here.loggedIn(who);
	const stranger = await member(here);
	const going = await here.post('/logout', undefined, { bearer: who.access_token });

	assert.equal(going.status, 204);
	for (const token of [who.refresh_token, other.refresh_token])
		spent(await here.refresh(token));
	assert.deepEqual(await living(here, who.id), []);
	/* Neither the grace nor an old answer brings them back. */
	const again = await here.loggedIn(who);

	await renewed(here, again.refresh_token);
	assert.equal((await here.post('/logout', undefined, { bearer: again.access_token })).status, 204);
	spent(await here.refresh(again.refresh_token));
	await renewed(here, stranger.refresh_token);
});

attack('SES-09', 'a new password ends the sign-ins of everywhere else', async () => {
	const here = await site();
	const who = await member(here);
	const thief = await here.loggedIn(who);

	assert.equal((await here.put('/user', { password: 'another quiet harbour' }, { bearer: who.access_token })).status, 200);
	spent(await here.refresh(thief.refresh_token));
	await renewed(here, who.refresh_token);
});

attack('ACC-09', 'nothing of an account outlives it', async () => {
	const here = await site();
	const who = await member(here, { user_metadata: { full_name: 'Ann' }, app_metadata: { plan: 'gold' } });

	assert.equal((await here.post('/recover', { email: who.email })).status, 200);
	const secret = await here.mailed(who.email, 'recovery');

	assert.equal((await here.operator('DELETE', `/admin/users/${who.id}`)).status, 200);
	spent(await here.refresh(who.refresh_token));
	refuses(await here.get('/user', { bearer: who.access_token }), 404, 'User not found');
	refuses(await here.put('/user', { data: { x: 1 } }, { bearer: who.access_token }), 404, 'User not found');
	refuses(await here.post('/logout', undefined, { bearer: who.access_token }), 401, 'Invalid user');
	refuses(await here.post('/verify', { type: 'recovery', token: secret }), 404, 'User not found');
	declines(await here.login(who), 'invalid_grant', 'No user found with that email, or password invalid.');
	for (const table of ['portress_ticket', 'portress_family', 'portress_session', 'portress_identity'])
		assert.equal(await count(here, `SELECT count(*) AS n FROM ${table} WHERE account = $1`, [who.id]), 0, table);
	const again = await here.confirmed({ email: who.email });

	assert.notEqual(again.id, who.id);
	const { json } = await here.get('/user', { bearer: again.access_token });

	assert.deepEqual(json.user_metadata, {});
	assert.deepEqual(json.app_metadata, { provider: 'email' });
	refuses(await here.get('/user', { bearer: who.access_token }), 404, 'User not found');
});

const off = (here, id) => here.database.query('UPDATE portress_account SET disabled_at = 1 WHERE id = $1', [id]);

attack('ACC-12', 'who is switched off does nothing with a token that is still good', async () => {
	const here = await site();
	const who = await member(here);
	const chief = await member(here, { role: 'admin' });
	const stranger = await member(here);
	const as = (bearer) => [['GET', '/user'], ['PUT', '/user', { data: { x: 1 } }], ['PUT', '/user', { password: 'another quiet harbour' }],
		['PUT', '/user', { email: 'elsewhere@example.com' }]].map(([method, path, json]) => here.ask(method, path, { json, bearer }));

	await here.post('/recover', { email: who.email });
	const secret = await here.mailed(who.email, 'recovery');

	await off(here, who.id);
	await off(here, chief.id);
	for (const asking of [...as(who.access_token), ...as(chief.access_token)])
		refuses(await asking, 403, 'User is disabled');
	for (const [method, path] of [['GET', '/admin/users'], ['GET', '/admin/audit'], ['DELETE', `/admin/users/${stranger.id}`], ['POST', '/invite']])
		refuses(await here.ask(method, path, { bearer: chief.access_token }), 401, 'User not allowed');
	for (const { refresh_token } of [who, chief])
		assert.equal((await here.refresh(refresh_token)).status, 400);
	assert.notEqual((await here.post('/verify', { type: 'recovery', token: secret })).status, 200);
	declines(await here.login(who), 'invalid_grant', 'User is disabled');
	declines(await here.login({ ...who, password: 'wrong' }), 'invalid_grant', 'No user found with that email, or password invalid.');
	assert.equal((await here.post('/logout', undefined, { bearer: who.access_token })).status, 204);
	const [row] = await here.database.query('SELECT user_metadata, email FROM portress_account WHERE id = $1', [who.id]);

	assert.equal(row.email, who.email);
	assert.ok(!String(row.user_metadata ?? '').includes('"x"'));
	assert.equal((await here.get('/user', { bearer: stranger.access_token })).status, 200);
});
