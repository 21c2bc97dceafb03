/* Items 81 to 89: who am I, and tokens instead of cookies. */
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import http from 'node:http';

import { item, looksInside, says, shared, tells, within } from '../../support/item.mjs';
import { openWorld } from '../../support/world.mjs';

const site = shared();

const accessKey = `access-${randomBytes(24).toString('hex')}`;
const refreshKey = `refresh-${randomBytes(24).toString('hex')}`;
const tokens = shared({ settings: { USE_JWT_AUTH: 'true', JWT_SECRET: accessKey, REFRESH_TOKEN_SECRET: refreshKey } });

const keys = ['UserID', 'Username', 'Password', 'Email', 'Firstname', 'Lastname', 'Verified', 'SigninCount',
	'UnsuccessfulSignins', 'CreatedAt', 'RefreshToken', 'Extensions'];

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = () => Math.floor(Date.now() / 1000);

function make(claims, { key = accessKey, alg = 'HS256', header = { alg, typ: 'JWT' } } = {}) {
	const text = `${part(header)}.${part(claims)}`;
	const hash = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' }[alg];

	return `${text}.${hash ? createHmac(hash, key).update(text).digest('base64url') : ''}`;
}

function read(token, key) {
	const [header, claims, signature] = token.split('.');
	const expected = createHmac('sha256', key).update(`${header}.${claims}`).digest('base64url');

	assert.equal(signature, expected, 'the signature is not of that key');
	return { header: JSON.parse(Buffer.from(header, 'base64url')), claims: JSON.parse(Buffer.from(claims, 'base64url')) };
}

const me = (w, token, options = {}) =>
	w.client().get('/me', { ...options, headers: token === undefined ? {} : { authorization: token } });
const refresh = (w, token) => w.client().post('/refresh', { refresh_token: token });

/* Signs in and returns the pair of tokens. */
async function grant(w, who) {
	const pair = tells(await w.signin(who), 200, 'Signin successful');

	w.keepSecret(pair.token, pair.refresh_token);
	return pair;
}

item(81, '/me signed out is 401', async () => {
	const w = await site();

	says(await w.client().get('/me'), 401, 'Not signed in');
	assert.equal((await w.client().post('/me', {})).status, 405);
});

item(82, '/me signed in tells twelve things, and no secret', looksInside, async () => {
	const w = await site();
	const who = await w.verified({ firstname: 'Ada', lastname: 'Lovelace' });
	const answer = await (await w.signedIn(who)).get('/me');
	const data = tells(answer, 200, 'User info');
	const user = await w.store.one(who.username);

	assert.deepEqual(Object.keys(data), keys);
	const { CreatedAt, ...rest } = data;

	assert.deepEqual(rest, { UserID: user.id, Username: who.username, Password: '', Email: who.email,
		Firstname: 'Ada', Lastname: 'Lovelace', Verified: true, SigninCount: 1, UnsuccessfulSignins: 0,
		RefreshToken: '', Extensions: 'null' });
	assert.match(CreatedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
	assert.ok(Math.abs(Date.parse(CreatedAt) - w.control.now()) < 60e3, CreatedAt);
	assert.equal(answer.json.username, who.username);
	assert.equal(answer.json.name, 'Ada Lovelace');
});

item(83, 'JWT mode: sign-in gives an access and a refresh token', looksInside, async () => {
	const w = await tokens();
	const who = await w.verified();
	const answer = await w.signin(who);
	const data = tells(answer, 200, 'Signin successful');
	const { id } = await w.store.one(who.username);

	assert.deepEqual(Object.keys(data), ['refresh_token', 'token']);
	const access = read(data.token, accessKey);
	const renewal = read(data.refresh_token, refreshKey);

	assert.deepEqual(access.header, { alg: 'HS256', typ: 'JWT' });
	assert.equal(access.claims.user_id, id);
	assert.ok(Math.abs(access.claims.exp - now() - 24 * 3600) < 60, access.claims.exp);
	assert.equal(access.claims.token_use, 'access');
	assert.equal(renewal.claims.user_id, id);
	assert.ok(Math.abs(renewal.claims.exp - now() - 720 * 3600) < 60, renewal.claims.exp);
	assert.equal(renewal.claims.token_use, 'refresh');

	const again = tells(await w.signin(who), 200, 'Signin successful');

	assert.notEqual(again.token, data.token);
	for (const row of await w.store.query(`SELECT * FROM ${w.store.shape.table}`))
		assert.ok(!JSON.stringify(row).includes(data.refresh_token), 'the refresh token is stored in plain text');
});

item(83, 'JWT mode wants keys of 32 bytes', looksInside, async () => {
	for (const name of ['JWT_SECRET', 'REFRESH_TOKEN_SECRET']) {
		const settings = { USE_JWT_AUTH: 'true', JWT_SECRET: accessKey, REFRESH_TOKEN_SECRET: refreshKey, [name]: 'k'.repeat(31) };
		const w = await openWorld({ kind: 'sqlite', shape: 'readme', settings, start: false });

		w.server.expendable = true;
		await assert.rejects(w.server.start(), (error) => {
			assert.match(error.message, new RegExp(name));
			assert.equal(w.server.ended.code, 1);
			return true;
		});
		await w.close();
	}
});

item(84, 'JWT mode: /me wants the Authorization header', looksInside, async () => {
	const w = await tokens();
	const who = await w.verified();
	const { token } = await grant(w, who);

	says(await me(w, undefined), 401, 'Authorization header is required');
	says(await me(w, 'garbage'), 401, 'Invalid token');
	says(await me(w, 'Bearer garbage'), 401, 'Invalid token');
	says(await me(w, `Bearer ${token}x`), 401, 'Invalid token');
	for (const value of [token, `Bearer ${token}`])
		assert.equal(tells(await me(w, value), 200, 'User info').Username, who.username);
});

item(85, 'JWT mode: tokens of another make are 401, and the connection stays', looksInside, async () => {
	const w = await tokens();
	const who = await w.verified();
	const { id } = await w.store.one(who.username);
	const exp = now() + 3600;
	const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
	const bad = {
		'alg none': make({ user_id: id, exp }, { alg: 'none' }),
		'alg None': make({ user_id: id, exp }, { header: { alg: 'None', typ: 'JWT' } }),
		HS384: make({ user_id: id, exp }, { alg: 'HS384' }),
		HS512: make({ user_id: id, exp }, { alg: 'HS512' }),
		'no exp': make({ user_id: id }),
		'text exp': make({ user_id: id, exp: String(exp) }),
		'exp over': make({ user_id: id, exp: now() - 1 }),
		'numeric user_id': make({ user_id: 5, exp }),
		'no user_id': make({ exp }),
		'email claim': make({ user_id: id, email: who.email, exp }),
		'iat ahead': make({ user_id: id, exp, iat: now() + 300 }),
		'another key': make({ user_id: id, exp }, { key: 'unused' }),
		nobody: make({ user_id: '00000000-0000-4000-8000-000000000000', exp }),
	};

	for (const [what, token] of Object.entries(bad)) {
		const answer = await me(w, `Bearer ${token}`, { agent });

		assert.equal(answer.status, 401, what);
		assert.match(answer.json.message, /^Invalid token( claims)?$/, what);
	}
	const good = await me(w, `Bearer ${make({ user_id: id, exp })}`, { agent });

	agent.destroy();
	assert.ok(good.reused, 'the connection was closed');
	assert.equal(tells(good, 200, 'User info').UserID, id);
});

item(86, 'A refresh token works once; shown again it ends its family', looksInside, async () => {
	const w = await tokens();
	const who = await w.verified();
	const first = await grant(w, who);
	const second = tells(await refresh(w, first.refresh_token), 200, 'Token refreshed');

	w.keepSecret(second.token, second.refresh_token);
	assert.deepEqual(Object.keys(second), ['refresh_token', 'token']);
	assert.equal(tells(await me(w, second.token), 200, 'User info').Username, who.username);
	says(await refresh(w, first.refresh_token), 401, 'Invalid refresh token');
	says(await refresh(w, second.refresh_token), 401, 'Invalid refresh token');
	for (const token of ['', 'garbage'])
		says(await refresh(w, token), 401, 'Invalid refresh token');
});

item(86, 'In cookie mode /refresh has nothing to give', async () => {
	const w = await site();

	says(await w.client().post('/refresh', { refresh_token: 'x' }), 401, 'Invalid refresh token');
});

item(87, 'Two devices refresh independently', looksInside, async () => {
	const w = await tokens();
	const who = await w.verified();
	let [phone, laptop] = [await grant(w, who), await grant(w, who)];

	for (let i = 0; i < 3; i++) {
		phone = tells(await refresh(w, phone.refresh_token), 200, 'Token refreshed');
		laptop = tells(await refresh(w, laptop.refresh_token), 200, 'Token refreshed');
	}
	const out = await w.client().get('/signout', { headers: { authorization: `Bearer ${phone.token}` } });

	says(out, 200, 'Signout successful');
	says(await refresh(w, phone.refresh_token), 401, 'Invalid refresh token');
	tells(await refresh(w, laptop.refresh_token), 200, 'Token refreshed');
});

item(88, 'A refresh token is no access token, nor the reverse', looksInside, async () => {
	const w = await tokens();
	const pair = await grant(w, await w.verified());
	const { claims } = read(pair.refresh_token, refreshKey);

	says(await me(w, `Bearer ${pair.refresh_token}`), 401, 'Invalid token');
	says(await refresh(w, pair.token), 401, 'Invalid refresh token');

	/* Also where the keys would allow it. */
	says(await me(w, `Bearer ${make(claims)}`), 401, 'Invalid token');
	says(await refresh(w, make(read(pair.token, accessKey).claims, { key: refreshKey })), 401, 'Invalid refresh token');
	tells(await me(w, `Bearer ${make({ ...claims, token_use: 'access' })}`), 200, 'User info');
	tells(await refresh(w, pair.refresh_token), 200, 'Token refreshed');
});

item(89, 'A mailed token is no bearer token', looksInside, async () => {
	const w = await tokens();
	const who = await w.verified();
	const letter = await w.verifyLetter(who);
	const token = new URL(/https?:\S+/.exec(letter.text)[0]).searchParams.get('token');

	says(await me(w, `Bearer ${token}`), 401, 'Invalid token');
	says(await me(w, `Bearer ${await w.resetToken(who)}`), 401, 'Invalid token');
});
