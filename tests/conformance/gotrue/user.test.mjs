/*
 * One's own account.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID, sign as signWith } from 'node:crypto';

import { address, declines, decode, inAnHour, item, looksInside, readsMail, refuses, shared, sign,
	within } from '../../support/gotrue.mjs';
import { pause } from '../../support/settings.mjs';

const site = shared();

/* A site whose clock is moved on. */
const aging = shared();

const bearerless = 'This endpoint requires a Bearer token';
const registered = 'Email address already registered by another user';
const unmatched = 'Email Change Token didn\'t match token on file';

async function member(here, fields) {
	return here.loggedIn(await here.made(fields));
}

const get = (here, bearer, options) => here.get('/user', { bearer, ...options });
const put = (here, who, fields, options) => here.put('/user', fields, { bearer: who.access_token, ...options });

async function changed(here, who, fields) {
	const answer = await put(here, who, fields);

	assert.equal(answer.status, 200, answer.text);
	return answer.json;
}

async function opens(here, who, password) {
	const answer = await here.login({ ...who, password });

	assert.ok([200, 400].includes(answer.status), answer.text);
	return answer.status === 200;
}

const clears = (answer) => assert.deepEqual(answer.cookies.map(({ name, value }) => [name, value]), [['nf_jwt', '']]);

/* Asks for another address, and returns what was mailed there. */
async function movedTo(here, who, email) {
	await changed(here, who, { email });
	return here.mailed(email, 'email_change');
}

/* ---- looking ---- */

item(72, 'who shows no token is nobody, and keeps no cookie', async () => {
	const here = await site();

	for (const headers of [{}, { authorization: 'Basic YTpi' }, { authorization: 'Bearer' },
		{ authorization: 'Bearer a b' }])
		for (const method of ['GET', 'PUT']) {
			const answer = await here.ask(method, '/user', { headers });

			refuses(answer, 401, bearerless);
			clears(answer);
		}
	const who = await member(here);
	const answer = await get(here, who.access_token);

	assert.equal(answer.status, 200);
	assert.equal(answer.json.id, who.id);
	assert.ok(Date.parse(answer.json.last_sign_in_at));
	assert.deepEqual(answer.cookies, []);
});

item(73, 'an expired token is told for how long it has been', async () => {
	const here = await site();
	const who = await member(here);
	const [head, claims] = decode(who.access_token);
	const aged = (seconds) => sign({ ...claims, exp: Math.floor(Date.now() / 1000) - seconds }, here.secret, head);
	const answer = await get(here, aged(10));

	refuses(answer, 401, 'Invalid token:');
	assert.match(answer.json.msg, /^Invalid token: token is expired by 1[0-5]s$/);
	clears(answer);
	assert.match((await get(here, aged(3605))).json.msg, /^Invalid token: token is expired by 1h0m[5-9]s$/);
	assert.match((await get(here, aged(65))).json.msg, /^Invalid token: token is expired by 1m[5-9]s$/);
});

item(74, 'only a token that is signed with the secret counts', async () => {
	const here = await site();
	const who = await member(here);
	const [head, claims] = decode(who.access_token);
	const [first, second, third] = who.access_token.split('.');
	const bare = (header) => sign(claims, here.secret, header).split('.').slice(0, 2).join('.');
	const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
	const rs = bare({ alg: 'RS256', typ: 'JWT' });
	const rsa = `${rs}.${signWith('sha256', rs, privateKey).toString('base64url')}`;

	assert.equal((await get(here, sign(claims, here.secret, { alg: 'HS256', typ: 'JWT' }))).status, 200);
	refuses(await get(here, `${bare({ alg: 'none', typ: 'JWT' })}.`), 401, 'Invalid token: signing method none is invalid');
	refuses(await get(here, rsa), 401, 'Invalid token: signing method RS256 is invalid');
	refuses(await get(here, sign(claims, 'x'.repeat(32), head)), 401, 'Invalid token: signature is invalid');
	refuses(await get(here, `${first}.${second}.${third.slice(0, -4)}AAAA`), 401, 'Invalid token: signature is invalid');
	for (const token of ['x', `${first}.${second}`, `${who.access_token}.x`])
		refuses(await get(here, token), 401, 'Invalid token: token contains an invalid number of segments');
	refuses(await get(here, `${first}.${second}.`), 401, 'Invalid token:');
	refuses(await get(here, sign('no claims', here.secret, head)), 401, 'Invalid token:');
});

item(74, 'and only one whose dates are there and fit', async () => {
	const here = await site();
	const { id, access_token } = await member(here);
	const [head, claims] = decode(access_token);
	const as = (more) => get(here, sign({ ...claims, ...more }, here.secret, head));
	const later = inAnHour();

	assert.equal((await as({ nbf: 1, iat: 1 })).status, 200);
	refuses(await as({ exp: undefined }), 401, 'Invalid token:');
	refuses(await as({ exp: 'soon' }), 401, 'Invalid token:');
	refuses(await as({ nbf: later }), 401, 'Invalid token: token is not valid yet');
	refuses(await as({ iat: later }), 401, 'Invalid token: token used before issued');
	refuses(await as({ aud: ['api.example'] }), 401, 'Invalid token:');
	refuses(await as({ sub: 'somebody' }), 400, 'Could not read User ID claim');
	refuses(await as({ sub: undefined }), 400, 'Could not read User ID claim');
	assert.equal((await as({ sub: id })).json.id, id);
});

item(75, 'a token for one audience is none for another', async () => {
	const here = await site();
	const headers = { 'x-jwt-aud': 'elsewhere' };
	const who = await here.made({}, headers);
	const { access_token } = await here.loggedIn(who, { headers });
	const plain = await member(here);
	const refusal = 'Token audience doesn\'t match request audience';

	assert.equal((await get(here, access_token, { headers })).json.aud, 'elsewhere');
	assert.equal((await get(here, access_token)).status, 200);
	refuses(await get(here, access_token, { headers: { 'x-jwt-aud': 'nowhere' } }), 400, refusal);
	refuses(await get(here, plain.access_token, { headers }), 400, refusal);
});

item(76, 'who is no more is not found', async () => {
	const here = await site();
	const who = await member(here);

	assert.equal((await here.operator('DELETE', `/admin/users/${who.id}`)).status, 200);
	refuses(await get(here, who.access_token), 404, 'User not found');
	refuses(await put(here, who, { data: { town: 'Bern' } }), 404, 'User not found');
	refuses(await get(here, sign({ sub: randomUUID(), exp: inAnHour() }, here.secret)), 404, 'User not found');
});

/* ---- changing ---- */

item(77, 'a new password opens, the old one does not', async () => {
	const here = await site();
	const who = await member(here);
	const elsewhere = await here.loggedIn(who);

	await changed(here, who, { password: 'another horse' });
	assert.ok(await opens(here, who, 'another horse'));
	assert.ok(!await opens(here, who, who.password));
	/* Here one stays signed in, elsewhere not. */
	assert.equal((await here.refresh(who.refresh_token)).status, 200);
	declines(await here.refresh(elsewhere.refresh_token), 'invalid_grant', 'Invalid Refresh Token');
	refuses(await put(here, who, { password: 'x'.repeat(73) }), 422, 'Password is too long');
	await changed(here, who, { password: '' });
	assert.ok(await opens(here, who, 'another horse'));
});

item(78, 'data are merged, and null deletes', async () => {
	const here = await site();
	const who = await member(here, { user_metadata: { name: 'Ann', town: 'Bern', deep: { a: 1 } } });

	assert.deepEqual((await changed(here, who, { data: { town: null, deep: { b: 2 }, new: false } })).user_metadata,
		{ name: 'Ann', deep: { b: 2 }, new: false });
	assert.deepEqual((await changed(here, who, { data: null })).user_metadata, { name: 'Ann', deep: { b: 2 }, new: false });
	assert.deepEqual((await get(here, who.access_token)).json.user_metadata, { name: 'Ann', deep: { b: 2 }, new: false });
	refuses(await put(here, who, { data: 'text' }), 400, 'Could not read User Update params:');
	refuses(await put(here, who, { data: { text: 'x'.repeat(4096) } }), 422,
		'Metadata must be an object that is not too large');
});

item(79, 'nobody gives himself rights, and with that nothing is changed', async () => {
	const here = await site();
	const who = await member(here);
	const admins = await here.made({ role: 'admin' }, { 'x-jwt-aud': 'elsewhere' });
	const other = await here.loggedIn(admins, { headers: { 'x-jwt-aud': 'elsewhere' } });
	const never = 'Updating app_metadata requires admin privileges';
	const wish = { password: 'another horse', data: { town: 'Bern' }, app_metadata: { roles: ['admin'] } };

	refuses(await put(here, who, wish), 401, never);
	refuses(await put(here, who, { app_metadata: {} }), 401, never);
	/* One who administers another audience has no rights in the usual one. */
	refuses(await put(here, other, wish), 401, never);
	refuses(await put(here, other, wish, { headers: { 'x-jwt-aud': 'elsewhere' } }), 401, never);
	const { json } = await get(here, who.access_token);

	assert.deepEqual(json.user_metadata, {});
	assert.deepEqual(json.app_metadata, { provider: 'email' });
	assert.ok(await opens(here, who, who.password));
	assert.ok(!await opens(here, who, 'another horse'));
});

item(80, 'who administers may', async () => {
	const here = await site();
	const who = await member(here, { role: 'admin' });
	const user = await changed(here, who, { app_metadata: { roles: ['editor'] } });

	assert.deepEqual(user.app_metadata, { provider: 'email', roles: ['editor'] });
	assert.deepEqual((await changed(here, who, { app_metadata: { roles: null } })).app_metadata, { provider: 'email' });
});

/* ---- another address ---- */

item(81, 'another address is asked first', readsMail, async () => {
	const here = await site();
	const who = await member(here);
	const email = address();
	const user = await changed(here, who, { email });

	assert.equal(user.email, who.email);
	assert.equal(user.new_email, email);
	assert.ok(Date.parse(user.email_change_sent_at));
	await here.mailed(email, 'email_change');
	assert.equal(here.mail.to(who.email).length, 0);
	await here.loggedIn(who);
	declines(await here.login({ ...who, email }), 'invalid_grant',
		'No user found with that email, or password invalid.');
});

item(81, 'but not often, and not one that is none', looksInside, async () => {
	const here = await aging();
	const who = await member(here);

	refuses(await put(here, who, { email: 'nothing' }), 422, 'Unable to validate email address:');
	await changed(here, who, { email: who.email });
	await changed(here, who, { email: address() });
	refuses(await put(here, who, { email: address() }), 429, 'Rate limit exceeded, try again later');
	here.control.advance(2);
	await changed(here, who, { email: address() });
});

item(82, 'an address that is taken is told to be so', async () => {
	const here = await site();
	const [who, other] = [await member(here), await here.made()];

	refuses(await put(here, who, { email: other.email.toUpperCase() }), 422, registered);
	assert.equal((await get(here, who.access_token)).json.new_email, undefined);
});

item(83, 'whoever shows what was mailed there has moved', readsMail, async () => {
	const here = await site();
	const who = await member(here);
	const email = address();
	const token = await movedTo(here, who, email);
	const user = await changed(here, who, { email_change_token: token });

	assert.equal(user.email, email);
	assert.equal(user.new_email, undefined);
	await here.loggedIn({ ...who, email });
	assert.ok(!await opens(here, who, who.password));
	refuses(await put(here, who, { email_change_token: token }), 401, unmatched);
	/* Whoever reads the old mailbox is told. */
	const notice = await here.mail.letter(who.email);

	assert.match(notice.text, /changed/);
	assert.ok(!notice.text.includes('_token='));
});

item(84, 'a secret of another kind, or of another person, moves nobody', readsMail, async () => {
	const here = await site();
	const [who, other] = [await member(here), await member(here)];
	const token = await movedTo(here, other, address());

	for (const wrong of [token, 'AAAAAAAAAAAAAAAAAAAAAA', 'x'])
		refuses(await put(here, who, { email_change_token: wrong }), 401, unmatched);
	assert.equal((await get(here, who.access_token)).json.email, who.email);
	await changed(here, other, { email_change_token: token });
});

item(84, 'a secret of yesterday moves nobody', looksInside, async () => {
	const here = await aging();
	const who = await member(here);
	const token = await movedTo(here, who, address());

	here.control.advance(24 * 3600 + 60);
	const { access_token } = await here.loggedIn(who);

	refuses(await put(here, { access_token }, { email_change_token: token }), 422, 'Email change token expired');
	assert.equal((await get(here, access_token)).json.email, who.email);
});

item(85, 'who came too late does not get the address', readsMail, async () => {
	const here = await site();
	const who = await member(here);
	const email = address();
	const token = await movedTo(here, who, email);

	await here.made({ email });
	refuses(await put(here, who, { email_change_token: token }), 422, registered);
	assert.equal((await get(here, who.access_token)).json.email, who.email);
	await here.loggedIn(who);
});

item(86, 'who wants nothing gets it', async () => {
	const here = await site();
	const who = await member(here);
	const before = (await get(here, who.access_token)).json;
	const after = await changed(here, who, {});

	for (const name of ['id', 'email', 'role', 'app_metadata', 'user_metadata', 'created_at'])
		assert.deepEqual(after[name], before[name]);
	refuses(await here.ask('PUT', '/user', { bearer: who.access_token }), 400, 'Could not read User Update params: EOF');
});

/* ---- trouble ---- */

item(81, 'no letter, no change', looksInside, async () => {
	await within({}, async (here) => {
		const who = await member(here);

		await here.mail.down();
		refuses(await put(here, who, { email: address(), password: 'another horse' }), 500, 'Error sending change email');
		assert.equal((await get(here, who.access_token)).json.new_email, undefined);
		await here.loggedIn(who);
		await here.mail.up();
		await pause(10);
		await movedTo(here, who, address());
	});
});
