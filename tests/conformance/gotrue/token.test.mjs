/*
 * Tokens: got for a password, got for a token, and what they say.
 */
import assert from 'node:assert/strict';

import { address, declines, decode, item, looksInside, readsMail, refuses, shared, sign, within } from '../../support/gotrue.mjs';

const site = shared();

/* Where a spent token is spent at once; and a site whose clock is moved on. */
const strict = shared({ settings: { PORTRESS_JWT_REFRESH_GRACE: '0s' } });
const aging = shared();

const generic = 'No user found with that email, or password invalid.';
const seconds = () => Math.floor(Date.now() / 1000);
const names = (answer) => answer.rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());

async function member(here, fields) {
	return here.loggedIn(await here.made(fields));
}

function clears(answer, name = 'nf_jwt') {
	const cookie = answer.cookie(name);

	assert.equal(cookie?.value, '');
	assert.equal(cookie.attributes['max-age'], '0');
	assert.ok(Date.parse(cookie.attributes.expires) < Date.now());
	assert.ok(cookie.attributes.httponly && cookie.attributes.secure);
	assert.equal(cookie.attributes.path, '/');
}

const spent = (answer) => declines(answer, 'invalid_grant', 'Invalid Refresh Token');

/* ---- what is asked ---- */

item(49, 'a grant that is none is declined without more words', async () => {
	const here = await site();

	for (const form of [{ grant_type: 'nothing' }, {}, { grant_type: '' }, { grant_type: 'authorization_code', code: 'x' }]) {
		const answer = await here.token(form);

		declines(answer, 'unsupported_grant_type');
		assert.equal(answer.text, '{"error":"unsupported_grant_type"}');
	}
});

item(50, 'a form is wanted, not JSON', async () => {
	const here = await site();
	const who = await here.made();
	const fields = { grant_type: 'password', username: who.email, password: who.password };

	declines(await here.post('/token', fields), 'unsupported_grant_type');
	assert.equal((await here.token(fields)).status, 200);
	assert.equal((await here.ask('POST', '/token', { multipart: fields })).status, 200);
});

item(51, 'the grant may be named in the address, where credentials have no business', async () => {
	const here = await site();
	const who = await here.made();
	const credentials = { username: who.email, password: who.password };
	const query = new URLSearchParams({ grant_type: 'password', ...credentials });

	assert.equal((await here.ask('POST', '/token?grant_type=password', { form: credentials })).status, 200);
	assert.equal((await here.ask('POST', '/token?grant_type=nothing',
		{ form: { ...credentials, grant_type: 'password' } })).status, 200);
	declines(await here.ask('POST', `/token?${query}`), 'invalid_grant', generic);
});

/* ---- by password ---- */

item(52, 'a wrong password and a stranger are told the same', async () => {
	const here = await site();
	const who = await here.made();
	const wrong = await here.login({ ...who, password: 'wrong' });
	const unknown = await here.login({ email: address(), password: 'wrong' });
	const nameless = await here.token({ grant_type: 'password' });

	declines(wrong, 'invalid_grant', generic);
	assert.equal(unknown.text, wrong.text);
	assert.deepEqual(names(unknown), names(wrong));
	assert.equal(nameless.text, wrong.text);
	await here.loggedIn(who);
});

item(53, 'only who knows the password hears that the address is not confirmed', async () => {
	const here = await site();
	const who = await here.signedUp();

	declines(await here.login(who), 'invalid_grant', 'Email not confirmed');
	declines(await here.login({ ...who, password: 'wrong' }), 'invalid_grant', generic);
});

item(54, 'tokens come in four fields', async () => {
	const { json } = await (await site()).login(await (await site()).made());

	assert.deepEqual(Object.keys(json), ['access_token', 'token_type', 'expires_in', 'refresh_token']);
	assert.equal(json.token_type, 'bearer');
	assert.equal(json.expires_in, 3600);
});

/* ---- what an access token says ---- */

item(55, 'an access token is signed as its readers expect', async () => {
	const here = await site();
	const { access_token } = await member(here);
	const [head, claims] = decode(access_token);

	assert.deepEqual(head, { alg: 'HS256', kid: 'nf-ident', typ: 'JWT' });
	assert.equal(access_token, sign(claims, here.secret, head));
});

item(56, 'an audience is a string, or not there', async () => {
	const here = await site();
	const headers = { 'x-jwt-aud': 'elsewhere' };
	const [, without] = decode((await member(here)).access_token);
	const who = await here.made({}, headers);
	const [, named] = decode((await here.loggedIn(who, { headers })).access_token);

	assert.ok(!('aud' in without));
	assert.equal(named.aud, 'elsewhere');
	declines(await here.login(who), 'invalid_grant', generic);
});

item(56, 'the operator names the audience of those who name none', looksInside, async () => {
	await within({ settings: { GOTRUE_JWT_AUD: 'api.example' } }, async (here) => {
		const who = await member(here);

		assert.equal(decode(who.access_token)[1].aud, 'api.example');
		assert.equal((await here.get('/user', { bearer: who.access_token })).json.aud, 'api.example');
		assert.equal((await here.login(who, { headers: { 'x-jwt-aud': 'api.example' } })).status, 200);
		declines(await here.login(who, { headers: { 'x-jwt-aud': 'elsewhere' } }), 'invalid_grant', generic);
	});
});

item(57, 'an access token is good for an hour', async () => {
	const { access_token } = await member(await site());

	assert.ok(Math.abs(decode(access_token)[1].exp - seconds() - 3600) <= 2);
});

item(57, 'or for as long as the operator says', looksInside, async () => {
	await within({ settings: { GOTRUE_JWT_EXP: '60' } }, async (here) => {
		const { access_token, expires_in } = await member(here);

		assert.equal(expires_in, 60);
		assert.ok(Math.abs(decode(access_token)[1].exp - seconds() - 60) <= 2);
		assert.equal((await here.get('/user', { bearer: access_token })).status, 200);
		here.control.advance(61);
		const late = await here.get('/user', { bearer: access_token });

		assert.equal(late.status, 401);
		assert.match(late.json.msg, /^Invalid token: token is expired by \d+s$/);
	});
});

item(58, 'an access token says who it is, and what is kept of him', async () => {
	const who = await member(await site(), { app_metadata: { roles: ['editor'] },
		user_metadata: { name: 'Ann <"&> \u2028 é', nested: { list: [1, 2.5, null, true] } } });
	const [, claims] = decode(who.access_token);

	assert.equal(claims.sub, who.id);
	assert.equal(claims.email, who.email);
	assert.deepEqual(claims.app_metadata, { provider: 'email', roles: ['editor'] });
	assert.deepEqual(claims.user_metadata, who.user_metadata);
});

/* ---- by token ---- */

item(59, 'a refresh token is good once', looksInside, async () => {
	const here = await strict();
	const first = await member(here);
	const second = await here.refresh(first.refresh_token);

	assert.equal(second.status, 200, second.text);
	assert.notEqual(second.json.refresh_token, first.refresh_token);
	spent(await here.refresh(first.refresh_token));
});

item(59, 'a client that lost the answer may ask again, for a moment', looksInside, async () => {
	const here = await aging();
	const first = await member(here);
	const second = await here.refresh(first.refresh_token);
	const again = await here.refresh(first.refresh_token);

	assert.equal(again.status, 200, again.text);
	assert.equal(again.json.refresh_token, second.json.refresh_token);
	here.control.advance(11);
	spent(await here.refresh(first.refresh_token));
	spent(await here.refresh(second.json.refresh_token));
});

item(60, 'who shows a spent token ends what it led to', looksInside, async () => {
	const here = await strict();
	const first = await member(here);
	const elsewhere = await here.loggedIn(first);
	const second = await here.refresh(first.refresh_token);
	const stolen = await here.refresh(first.refresh_token);

	spent(stolen);
	clears(stolen);
	spent(await here.refresh(second.json.refresh_token));
	/* What he opened in another place is another matter. */
	assert.equal((await here.refresh(elsewhere.refresh_token)).status, 200);
});

item(61, 'of many who show one token at once, one is served', looksInside, async () => {
	const here = await strict();

	for (let round = 0; round < 5; round++) {
		const { refresh_token } = await member(here);
		const answers = await Promise.all(Array.from({ length: 4 }, () => here.refresh(refresh_token)));

		assert.equal(answers.filter((one) => one.status === 200).length, 1);
		answers.filter((one) => one.status !== 200).forEach(spent);
	}
});

item(62, 'a refresh token is good for thirty days', looksInside, async () => {
	const here = await aging();
	const [late, early] = [await member(here), await member(here)];

	here.control.advance(29 * 86400);
	const second = await here.refresh(early.refresh_token);

	assert.equal(second.status, 200, second.text);
	here.control.advance(2 * 86400);
	const answer = await here.refresh(late.refresh_token);

	declines(answer, 'invalid_grant', 'Refresh token expired');
	clears(answer);
	assert.equal((await here.refresh(second.json.refresh_token)).status, 200);
});

item(62, 'or for as long as the operator says', looksInside, async () => {
	await within({ settings: { GOTRUE_JWT_REFRESH_TOKEN_LIFETIME: '60' } }, async (here) => {
		const { refresh_token } = await member(here);

		here.control.advance(61);
		declines(await here.refresh(refresh_token), 'invalid_grant', 'Refresh token expired');
	});
});

item(63, 'a token must be shown, and be one of ours', async () => {
	const here = await site();

	declines(await here.token({ grant_type: 'refresh_token' }), 'invalid_request', 'refresh_token required');
	declines(await here.refresh(''), 'invalid_request', 'refresh_token required');
	for (const token of ['x', 'AAAAAAAAAAAAAAAAAAAAAA', 'x'.repeat(2000), 'é'])
		spent(await here.refresh(token));
	declines(await here.refresh('\u0000'), 'invalid_request', 'The form cannot be read');
});

item(64, 'a refreshed token says what is true now', async () => {
	const here = await site();
	const who = await member(here, { user_metadata: { town: 'Bern' } });

	await here.operator('PUT', `/admin/users/${who.id}`, { role: 'editor', user_metadata: { town: 'Basel' },
		app_metadata: { roles: ['editor'] } });
	const { json } = await here.refresh(who.refresh_token);
	const [, claims] = decode(json.access_token);

	assert.deepEqual(claims.user_metadata, { town: 'Basel' });
	assert.deepEqual(claims.app_metadata, { provider: 'email', roles: ['editor'] });
	assert.equal((await here.get('/user', { bearer: json.access_token })).json.role, 'editor');
});

item(65, 'a refresh token passes through a form unescaped', async () => {
	const here = await site();
	const first = await member(here);
	const second = await here.refresh(first.refresh_token);

	for (const token of [first.refresh_token, second.json.refresh_token])
		assert.match(token, /^[A-Za-z0-9_-]{22,}$/);
	const raw = await here.ask('POST', '/token', { type: 'application/x-www-form-urlencoded',
		body: `grant_type=refresh_token&refresh_token=${second.json.refresh_token}` });

	assert.equal(raw.status, 200, raw.text);
});

/* ---- how often ---- */

item(66, 'requests for tokens are counted by the header that the operator names', looksInside, async () => {
	await within({ settings: { GOTRUE_RATE_LIMIT_HEADER: 'X-Limit-By' } }, async (here) => {
		const ask = (name, more) => here.token({ grant_type: 'nothing' }, { headers: { 'x-limit-by': name, ...more } });

		for (let i = 0; i < 30; i++)
			declines(await ask('one', { 'x-forwarded-for': `192.0.2.${i}` }), 'unsupported_grant_type');
		refuses(await ask('one'), 429, 'Rate limit exceeded');
		refuses(await ask('one', { 'x-forwarded-for': '198.51.100.7' }), 429, 'Rate limit exceeded');
		declines(await ask('other'), 'unsupported_grant_type');
		declines(await here.token({ grant_type: 'nothing' }), 'unsupported_grant_type');
		/* One more in ten seconds. */
		here.control.advance(11);
		declines(await ask('one'), 'unsupported_grant_type');
		refuses(await ask('one'), 429, 'Rate limit exceeded');
	});
});

item(66, 'without such a header nobody is counted', async () => {
	const here = await site();

	for (let i = 0; i < 32; i++)
		declines(await here.token({ grant_type: 'nothing' }), 'unsupported_grant_type');
});

/* ---- the cookie ---- */

item(67, 'who asks for a cookie gets one for a day', async () => {
	const here = await site();
	const who = await here.made();
	const answer = await here.login(who, { headers: { 'x-use-cookie': '1' } });
	const { value, attributes } = answer.cookie('nf_jwt');

	assert.equal(value, answer.json.access_token);
	assert.equal(attributes['max-age'], '86400');
	assert.ok(Math.abs(Date.parse(attributes.expires) - Date.now() - 86400000) < 5000);
	assert.ok(attributes.httponly && attributes.secure);
	assert.equal(attributes.path, '/');
	assert.equal(attributes.samesite, 'Lax');
	const refreshed = await here.refresh(answer.json.refresh_token, { headers: { 'x-use-cookie': '1' } });

	assert.equal(refreshed.cookie('nf_jwt').value, refreshed.json.access_token);
});

item(68, 'or one for as long as the browser is open', async () => {
	const here = await site();
	const answer = await here.login(await here.made(), { headers: { 'x-use-cookie': 'session' } });
	const { value, attributes } = answer.cookie('nf_jwt');

	assert.equal(value, answer.json.access_token);
	assert.deepEqual(Object.keys(attributes).sort(), ['httponly', 'path', 'samesite', 'secure']);
});

item(69, 'who asks for none gets none', async () => {
	const here = await site();
	const answer = await here.login(await here.made());

	assert.deepEqual(answer.cookies, []);
	assert.deepEqual((await here.refresh(answer.json.refresh_token)).cookies, []);
	assert.deepEqual((await here.login({ email: address(), password: 'x' },
		{ headers: { 'x-use-cookie': '1' } })).cookies, []);
});

item(70, 'the operator names the cookie, or wants none', looksInside, async () => {
	const headers = { 'x-use-cookie': '1' };

	await within({ settings: { GOTRUE_COOKIE_KEY: 'our_jwt', GOTRUE_COOKIE_DURATION: '60' } }, async (here) => {
		const answer = await here.login(await here.made(), { headers });

		assert.deepEqual(answer.cookies.map((one) => one.name), ['our_jwt']);
		assert.equal(answer.cookie('our_jwt').attributes['max-age'], '60');
		clears(await here.get('/user'), 'our_jwt');
	});
	await within({ settings: { GOTRUE_COOKIE_DURATION: '-1' } }, async (here) => {
		assert.deepEqual((await here.login(await here.made(), { headers })).cookies, []);
	});
});

item(71, 'nobody comes in without a password', readsMail, async () => {
	const here = await site();
	const who = await here.made({ password: '' });
	const guest = { email: address() };

	await here.operator('POST', '/invite', guest);
	for (const { email } of [who, guest])
		for (const password of ['', 'x'])
			declines(await here.login({ email, password }), 'invalid_grant', generic);
	/* He has an account all the same. */
	await here.post('/recover', { email: who.email });
	const answer = await here.post('/verify', { type: 'recovery', token: await here.mailed(who.email, 'recovery') });

	assert.equal(answer.status, 200, answer.text);
});
