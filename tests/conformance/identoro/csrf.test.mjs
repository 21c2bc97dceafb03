/* Items 17 to 28: the double-submit token. */
import assert from 'node:assert/strict';

import { cookieName, makeCookie, mask, readCookie, sign, unmask } from '../../support/csrf.mjs';
import * as html from '../../support/html.mjs';
import { item, looksInside, says, shared, tells, within } from '../../support/item.mjs';
import { dropIn } from '../../support/settings.mjs';
import { person } from '../../support/world.mjs';

const site = shared();
const original = shared(dropIn);

const missing = 'Forbidden - CSRF token not found in request';
const invalid = 'Forbidden - CSRF token invalid';
const signedUp = 'Signup successful, please verify your email';

/* The bytes 00..1f under a pad of aa (section 5.2). */
const vector = 'qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq6iprq+sraKjoKGmp6Sluru4ub6/vL2ys7Cxtre0tQ==';
const counting = Buffer.from(Array.from({ length: 32 }, (_, i) => i));

/* Sends a sign-up that only the token can spoil. */
function knock(client, options) {
	return client.post('/signup', person(), options);
}

item(17, 'The first GET sets the cookie, HttpOnly and Lax, for twelve hours', async () => {
	const cookie = (await (await site()).client().get('/home')).cookie(cookieName);

	assert.ok(cookie, 'no cookie');
	assert.equal(cookie.attributes.httponly, true);
	assert.equal(cookie.attributes.samesite, 'Lax');
	assert.equal(cookie.attributes['max-age'], '43200');
	assert.ok(Math.abs(Date.parse(cookie.attributes.expires) - Date.now() - 43200e3) < 60e3, cookie.attributes.expires);
	assert.equal(readCookie(cookie.value).token.length, 32);
});

item(17, 'The cookie is signed with HASH_KEY as the original does', looksInside, async () => {
	const w = await original();
	const cookie = (await w.client().get('/home')).cookie(cookieName);
	const { stamp, encoded, signature } = readCookie(cookie.value);

	assert.deepEqual(signature, sign(w.settings.HASH_KEY, stamp, encoded));
	assert.ok(Math.abs(stamp - w.control.now() / 1000) < 5, `stamp ${stamp}`);
	assert.equal(cookie.attributes.path, '/');
	assert.equal((await w.client().get('/healthz')).cookie(cookieName), undefined);
});

item(18, 'A second GET with the cookie does not set it again', async () => {
	const client = (await site()).client();
	const first = await client.get('/home');
	const second = await client.get('/home');

	assert.ok(first.cookie(cookieName));
	assert.equal(second.cookie(cookieName), undefined);
	const spoilt = client.jar.get(cookieName);

	spoilt.value = spoilt.value.replace(/^.../, 'AAA');
	assert.ok((await client.get('/home')).cookie(cookieName), 'a spoilt cookie is not replaced');
});

item(19, 'A POST without a token is 403', async () => {
	const client = (await site()).client();

	await client.get('/home');
	says(await knock(client, { csrf: false }), 403, missing);
	says(await knock(client), 303, signedUp);
});

item(20, 'A POST with the token of another cookie is 403', async () => {
	const w = await site();
	const [mine, other] = [w.client(), w.client()];

	await mine.get('/home');
	says(await knock(mine, { csrf: await other.csrfToken() }), 403, invalid);
	says(await knock(mine, { csrf: 'not a token' }), 403, invalid);
	says(await knock(mine, { csrf: await mine.csrfToken(), cookies: false }), 403, invalid);
});

item(21, 'The token is taken from two headers and one field', async () => {
	const client = (await site()).client();
	const token = await client.csrfToken();

	says(await knock(client, { csrf: token }), 303, signedUp);
	says(await client.post('/signup', undefined, { csrf: false, form: { ...person(), 'gorilla.csrf.Token': token } }),
		303, signedUp);
	says(await client.post('/signup', undefined, { csrf: false, multipart: { ...person(), 'gorilla.csrf.Token': token } }),
		303, signedUp);
});

item(21, 'The token is also taken from CSRF-Token and from two JSON members', looksInside, async () => {
	const client = (await site()).client();
	const token = await client.csrfToken();

	says(await knock(client, { csrf: false, headers: { 'csrf-token': token } }), 303, signedUp);
	for (const name of ['gorilla.csrf.Token', 'csrf_token']) {
		says(await client.post('/signup', { ...person(), [name]: token }, { csrf: false }), 303, signedUp);
		says(await client.post('/signup', { ...person(), [name]: 'x' }, { csrf: false }), 403, invalid);
	}
});

item(22, 'A token in the query string is not taken', async () => {
	const client = (await site()).client();
	const query = `?gorilla.csrf.Token=${encodeURIComponent(await client.csrfToken())}`;

	says(await client.post(`/signup${query}`, person(), { csrf: false }), 403, missing);
});

item(23, 'Two GETs give two masked tokens, and both are good', looksInside, async () => {
	const client = (await site()).client();
	const first = (await client.get('/home')).headers['x-csrf-token'];
	const answer = await client.get('/home');
	const second = answer.headers['x-csrf-token'];

	assert.notEqual(first, second);
	assert.deepEqual(unmask(first), unmask(second));
	assert.notEqual(answer.headers['csrf-token'], undefined);
	for (const token of [first, second, answer.headers['csrf-token']]) {
		assert.equal(token.length, 88);
		says(await knock(client, { csrf: token }), 303, signedUp);
	}
});

item(24, 'Each HTML form holds one token', looksInside, async () => {
	const w = await site();

	for (const path of ['/signup', '/signin', '/forgot', '/reset']) {
		const browser = w.browser();
		const page = await browser.get(path);
		const cookie = readCookie(browser.jar.get(cookieName).value);
		const posting = html.forms(page.text).filter((one) => one.method === 'post');

		assert.ok(posting.length > 0, `no form on ${path}`);
		for (const form of posting) {
			const fields = form.inputs.filter((one) => one.name === 'gorilla.csrf.Token');

			assert.equal(fields.length, 1, `${path} ${form.action}`);
			assert.equal(fields[0].type, 'hidden');
			assert.deepEqual(unmask(fields[0].value), cookie.token);
		}
	}
});

item(25, 'The vector unmasks to the bytes 00 to 1f', looksInside, async () => {
	const w = await original();
	const client = w.client();
	const keep = (value) => client.jar.set(cookieName, { name: cookieName, value, path: '/' });

	assert.deepEqual(unmask(vector), counting);
	assert.equal(mask(counting, Buffer.alloc(32, 0xaa)), vector);
	keep(makeCookie(w.settings.HASH_KEY, counting));
	says(await knock(client, { csrf: vector }), 303, signedUp);

	const halves = Buffer.from(vector, 'base64');
	const swapped = Buffer.concat([halves.subarray(32), halves.subarray(0, 32)]).toString('base64');

	says(await knock(client, { csrf: swapped }), 303, signedUp);
	says(await knock(client, { csrf: vector.replace('q6ip', 'q6iq') }), 403, invalid);
	keep(makeCookie('another key', counting));
	says(await knock(client, { csrf: vector }), 403, invalid);
	keep(makeCookie(w.settings.HASH_KEY, counting, Math.floor(w.control.now() / 1000) - 43260));
	says(await knock(client, { csrf: vector }), 403, invalid);
});

item(26, 'USE_CSRF=false lets a POST without a token reach the handler', looksInside, async () => {
	await within({ settings: { USE_CSRF: 'false' } }, async (w) => {
		says(await knock(w.client(), { csrf: false }), 303, signedUp);
	});
	await within({ ...dropIn, settings: { USE_CSRF: 'nonsense' } }, async (w) => {
		says(await knock(w.client(), { csrf: false }), 403, missing);
	});
});

item(27, 'A foreign Origin is 403 even with a good token', looksInside, async () => {
	const w = await site();
	const client = w.client();
	const from = (origin) => knock(client, { headers: { origin } });

	for (const origin of ['https://evil.example', 'null', `${w.base}.evil.example`, w.base.replace('http:', 'https:')])
		says(await from(origin), 403, 'Forbidden - origin invalid');
	says(await from(w.base), 303, signedUp);
});

item(27, 'Behind https a Referer of our own is demanded where there is no Origin', looksInside, async () => {
	const publicUrl = 'https://id.example.org';

	await within({ publicUrl }, async (w) => {
		const client = w.client({ headers: {} });

		tells(await knock(client), 403, 'Forbidden - referer not supplied');
		tells(await knock(client, { headers: { referer: 'https://evil.example/signup' } }), 403,
			'Forbidden - referer invalid');
		says(await knock(client, { headers: { referer: `${publicUrl}/signup` } }), 303, signedUp);
		says(await knock(client, { headers: { origin: publicUrl } }), 303, signedUp);
	});
});

item(28, 'GET /refresh gives a usable CSRF-Token header', looksInside, async () => {
	const client = (await site()).client();
	const answer = await client.get('/refresh');

	says(answer, 200, 'CSRF token issued');
	says(await knock(client, { csrf: false, headers: { 'csrf-token': answer.headers['csrf-token'] } }), 303, signedUp);
});
