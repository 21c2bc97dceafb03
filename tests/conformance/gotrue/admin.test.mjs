/*
 * The accounts of an audience, for who administers it.
 */
import assert from 'node:assert/strict';

import { address, declines, inAnHour, item, looksInside, randomUUID, refuses, shared, sign,
	within } from '../../support/gotrue.mjs';
import { HookServer } from '../../support/hook-server.mjs';
import { pause } from '../../support/settings.mjs';

const site = shared();

const nobody = '00000000-0000-0000-0000-000000000000';
const bearerless = 'This endpoint requires a Bearer token';
const registered = 'Email address already registered by another user';
const refused = 'User not allowed';

let audiences = 0;

/* An audience of its own, so that lists hold only what one test put there. */
const audience = () => ({ 'x-jwt-aud': `audience-${process.pid}-${audiences++}` });

async function member(here, fields, headers) {
	return here.loggedIn(await here.made(fields, headers), { headers });
}

const users = async (here, query = '', headers = undefined) => {
	const answer = await here.operator('GET', `/admin/users${query}`, undefined, headers);

	assert.equal(answer.status, 200, answer.text);
	return answer;
};

const emails = async (...asked) => (await users(...asked)).json.users.map((user) => user.email);

/* As many people as that, oldest first, in an audience of their own. */
async function crowd(here, n, fields = () => ({})) {
	const headers = audience();
	const people = [];

	for (let i = 0; i < n; i++)
		people.push(await here.made(fields(i), headers));
	return { headers, people, emails: people.map((one) => one.email) };
}

/* ---- who may ---- */

item(94, 'who has the operator\'s token is asked for nothing else', async () => {
	const here = await site();

	assert.equal((await here.operator('GET', '/admin/users')).status, 200);
	assert.equal((await here.operator('GET', '/admin/audit')).status, 200);
	assert.equal((await here.operator('POST', '/invite', { email: address() })).status, 200);
	for (const path of ['/admin/users', '/admin/audit']) {
		refuses(await here.get(path), 401, bearerless);
		refuses(await here.get(path, { bearer: `${here.operatorToken}x` }), 401, 'Invalid token:');
		refuses(await here.get(path, { bearer: here.operatorToken.slice(1) }), 401, 'Invalid token:');
	}
	refuses(await here.post('/invite', { email: address() }), 401, bearerless);
});

item(95, 'administrators have their own audience, plain people none', async () => {
	const here = await site();
	const headers = audience();
	const [admin, plain] = [await member(here, { role: 'admin' }, headers), await member(here, {}, headers)];
	const stranger = await here.made();

	assert.equal((await here.get('/admin/users', { bearer: admin.access_token })).json.users.length, 2);
	assert.equal((await here.get(`/admin/users/${plain.id}`, { bearer: admin.access_token })).status, 200);
	refuses(await here.get('/admin/users', { bearer: plain.access_token }), 401, refused);
	refuses(await here.post('/invite', { email: address() }, { bearer: plain.access_token }), 401, refused);
	/* Elsewhere he is nobody, and who is elsewhere is nobody to him. */
	refuses(await here.get('/admin/users', { bearer: admin.access_token, headers: audience() }), 401, refused);
	for (const method of ['GET', 'PUT', 'DELETE'])
		refuses(await here.ask(method, `/admin/users/${stranger.id}`, { bearer: admin.access_token,
			...(method === 'PUT' ? { json: { role: 'admin' } } : {}) }), 404, 'User not found');
	await here.loggedIn(stranger);
});

item(95, 'who is above all administers every audience', looksInside, async () => {
	const here = await site();
	const who = await member(here);
	const other = await here.made({}, audience());

	refuses(await here.get('/admin/users', { bearer: who.access_token }), 401, refused);
	await here.database.query('UPDATE portress_account SET super_admin = 1 WHERE id = $1', [who.id]);
	assert.equal((await here.get('/admin/users', { bearer: who.access_token })).status, 200);
	assert.equal((await here.get('/admin/users', { bearer: who.access_token, headers: audience() })).status, 200);
	assert.equal((await here.get(`/admin/users/${other.id}`, { bearer: who.access_token })).json.id, other.id);
});

item(95, 'the operator names the group', looksInside, async () => {
	await within({ settings: { GOTRUE_JWT_ADMIN_GROUP_NAME: 'stewards' } }, async (here) => {
		const [steward, admin] = [await member(here, { role: 'stewards' }), await member(here, { role: 'admin' })];

		assert.equal((await here.get('/admin/users', { bearer: steward.access_token })).status, 200);
		refuses(await here.get('/admin/users', { bearer: admin.access_token }), 401, refused);
	});
});

item(96, 'the system is above all', async () => {
	const here = await site();
	const headers = audience();

	await here.made({}, headers);
	for (const sub of ['0', nobody]) {
		const token = sign({ sub, exp: inAnHour(), aud: headers['x-jwt-aud'] }, here.secret);
		const answer = await here.get('/admin/users', { bearer: token });

		assert.equal(answer.status, 200, answer.text);
		assert.equal(answer.json.aud, headers['x-jwt-aud']);
		assert.equal(answer.json.users.length, 1);
		refuses(await here.get('/admin/users', { bearer: sign({ sub, exp: inAnHour() }, 'x'.repeat(32)) }), 401,
			'Invalid token:');
		refuses(await here.get('/admin/users', { bearer: sign({ sub, exp: 1 }, here.secret) }), 401, 'Invalid token:');
	}
	for (const sub of [randomUUID(), 'somebody', '', '1', '00'])
		refuses(await here.get('/admin/users', { bearer: sign({ sub, exp: inAnHour() }, here.secret) }), 401,
			'Invalid admin user');
});

item(97, 'a body that names another audience asks for rights there', async () => {
	const here = await site();
	const headers = audience();
	const admin = await member(here, { role: 'admin' }, headers);
	const create = (aud) => here.post('/admin/users', { email: address(), password: 'correct horse', aud },
		{ bearer: admin.access_token });

	refuses(await create('another'), 401, refused);
	assert.equal((await create(headers['x-jwt-aud'])).json.aud, headers['x-jwt-aud']);
	assert.equal((await create(undefined)).json.aud, headers['x-jwt-aud']);
	/* Naming one's own lends nothing elsewhere. */
	refuses(await here.ask('GET', '/admin/users', { bearer: admin.access_token, headers: audience(),
		json: { aud: headers['x-jwt-aud'] } }), 401, refused);
});

item(98, 'what an administrator sends must be JSON', async () => {
	const here = await site();
	const admin = await member(here, { role: 'admin' });
	const send = (bearer, body) => here.ask('POST', '/admin/users', { bearer, body, type: 'application/json' });

	for (const body of ['{', '{"email":', '[]', '{"aud":1}'])
		refuses(await send(admin.access_token, body), 400, 'Could not decode admin user params:');
	refuses(await send(here.operatorToken, undefined), 400, 'Could not decode admin user params: EOF');
	refuses(await send(here.operatorToken, '{"confirm":"yes"}'), 400, 'Could not decode admin user params:');
});

item(99, 'who looks may bring a body', async () => {
	const here = await site();
	const admin = await member(here, { role: 'admin' });

	for (const bearer of [admin.access_token, here.operatorToken])
		for (const path of ['/admin/users', '/admin/audit', `/admin/users/${admin.id}`])
			assert.equal((await here.ask('GET', path, { bearer, json: { aud: '' } })).status, 200);
	refuses(await here.ask('GET', '/admin/users', { bearer: admin.access_token, body: '{' }), 400,
		'Could not decode admin user params:');
});

/* ---- lists ---- */

item(100, 'a list has the newest first', async () => {
	const here = await site();
	const { headers, emails: all } = await crowd(here, 3);
	const { json } = await users(here, '', headers);

	assert.deepEqual(Object.keys(json).sort(), ['aud', 'users']);
	assert.equal(json.aud, headers['x-jwt-aud']);
	assert.deepEqual(json.users.map((user) => user.email), [...all].reverse());
	for (const user of json.users)
		assert.deepEqual(Object.keys(user).filter((name) => /password|token|instance|super/.test(name)), []);
	assert.deepEqual((await users(here, '', audience())).json.users, []);
});

item(101, 'a list says how long it is, and where the rest is', async () => {
	const here = await site();
	const say = async (n, query, link) => {
		const { headers } = await crowd(here, n);
		const answer = await users(here, query, headers);

		assert.equal(answer.headers['x-total-count'], String(n));
		assert.equal(answer.headers.link, link);
	};

	await say(1, '', '</admin/users?page=1>; rel="last"');
	await say(3, '?per_page=1',
		'</admin/users?page=2&per_page=1>; rel="next", </admin/users?page=3&per_page=1>; rel="last"');
	await say(0, '', '</admin/users?page=0>; rel="last"');
});

item(102, 'pages follow one another, in the order that is asked for', async () => {
	const here = await site();
	const { headers, emails: all } = await crowd(here, 3);
	const second = await users(here, '?per_page=1&page=2', headers);

	assert.deepEqual(second.json.users.map((user) => user.email), [all[1]]);
	assert.equal(second.headers.link, '</admin/users?page=3&per_page=1>; rel="next", ' +
		'</admin/users?page=1&per_page=1>; rel="prev", </admin/users?page=3&per_page=1>; rel="last"');
	assert.deepEqual(await emails(here, '?per_page=2&page=2', headers), [all[0]]);
	assert.deepEqual(await emails(here, '?per_page=2&page=3', headers), []);
	for (const sort of ['created_at asc', 'created_at ASC'])
		assert.deepEqual(await emails(here, `?sort=${encodeURIComponent(sort)}`, headers), all);
	for (const sort of ['created_at', 'created_at desc', 'created_at Desc'])
		assert.deepEqual(await emails(here, `?sort=${encodeURIComponent(sort)}`, headers), [...all].reverse());
	const sorted = await users(here, '?sort=created_at+asc&per_page=2&filter=a+b', headers);

	assert.equal(sorted.headers.link, '</admin/users?filter=a+b&page=0&per_page=2&sort=created_at+asc>; rel="last"');
});

item(102, 'an order that is none is refused', async () => {
	const here = await site();

	refuses(await here.operator('GET', '/admin/users?sort=email'), 400,
		'Bad Sort Parameters: bad field for sort \'email\'');
	refuses(await here.operator('GET', '/admin/users?sort=created_at%20up'), 400,
		'Bad Sort Parameters: bad direction for sort \'up\', only \'asc\' and \'desc\' allowed');
	refuses(await here.operator('GET', '/admin/users?sort=created_at&sort=id'), 400,
		'Bad Sort Parameters: bad field for sort \'id\'');
});

item(103, 'a list is searched by part of an address or a full name', async () => {
	const here = await site();
	const names = ['Ann Álvarez', 'Bob Ross', '100% Real_Name', undefined];
	const { headers, emails: all } = await crowd(here, 4, (i) => ({ user_metadata: { full_name: names[i], other: 'zebra' } }));
	const find = (part) => emails(here, `?filter=${encodeURIComponent(part)}`, headers);

	assert.deepEqual(await find('ROSS'), [all[1]]);
	assert.deepEqual(await find('ann'), [all[0]]);
	assert.deepEqual(await find(all[3].slice(0, 8).toUpperCase()), [all[3]]);
	assert.deepEqual(await find('%'), [all[2]]);
	assert.deepEqual(await find('l_n'), [all[2]]);
	assert.deepEqual(await find('zebra'), []);
	assert.deepEqual(await find('\' OR 1=1 --'), []);
	assert.equal((await find('example.com')).length, 4);
	assert.equal((await users(here, '?filter=ross', headers)).headers['x-total-count'], '1');
});

item(104, 'a page that is none is refused', async () => {
	const here = await site();

	for (const query of ['page=x', 'page=-1', 'page=1.5', 'page=99999999999999999999', 'per_page=0', 'per_page=x',
		'per_page=-1'])
		for (const path of ['/admin/users', '/admin/audit'])
			refuses(await here.operator('GET', `${path}?${query}`), 400, 'Bad Pagination Parameters:');
	assert.equal((await here.operator('GET', '/admin/users?page=0')).status, 200);
	assert.equal((await here.operator('GET', '/admin/users?page=2000000000&per_page=1000')).status, 200);
});

/* ---- making one ---- */

item(105, 'an account is made as it is asked for', async () => {
	const here = await site();
	const email = address();
	const answer = await here.operator('POST', '/admin/users',
		{ email, password: 'correct horse', aud: 'made-for', role: ' editor ', confirm: true });

	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.json.aud, 'made-for');
	assert.equal(answer.json.role, 'editor');
	assert.ok(Date.parse(answer.json.confirmed_at));
	await here.loggedIn({ email, password: 'correct horse' }, { headers: { 'x-jwt-aud': 'made-for' } });
	refuses(await here.operator('POST', '/admin/users', { email: email.toUpperCase(), aud: 'made-for' }), 422, registered);
	assert.equal((await here.operator('POST', '/admin/users', { email })).json.aud, '');
});

item(105, 'unconfirmed unless that is asked for too', async () => {
	const here = await site();
	const who = await here.made({ confirm: false });

	assert.equal(who.answer.json.confirmed_at, undefined);
	assert.equal(who.answer.json.confirmation_sent_at, undefined);
	declines(await here.login(who), 'invalid_grant', 'Email not confirmed');
	refuses(await here.operator('POST', '/admin/users', { password: 'x' }), 422, 'An email address is required');
	refuses(await here.operator('POST', '/admin/users', { email: 'nothing' }), 422, 'Unable to validate email address:');
});

item(106, 'what is kept of a new account is what was sent', async () => {
	const here = await site();
	const who = await here.made({ app_metadata: { roles: ['editor'] }, user_metadata: { full_name: 'Ann' } });
	const { json } = await here.operator('GET', `/admin/users/${who.id}`);

	for (const user of [who.answer.json, json]) {
		assert.deepEqual(user.app_metadata, { provider: 'email', roles: ['editor'] });
		assert.deepEqual(user.user_metadata, { full_name: 'Ann' });
	}
	refuses(await here.operator('POST', '/admin/users', { email: address(), app_metadata: { text: 'x'.repeat(4096) } }),
		422, 'Metadata must be an object that is not too large');
});

item(107, 'an account is made without a word to anybody', looksInside, async () => {
	const hook = await HookServer.open();

	try {
		await within({ settings: { GOTRUE_WEBHOOK_URL: hook.url, GOTRUE_WEBHOOK_SECRET: 'x'.repeat(32),
			GOTRUE_WEBHOOK_EVENTS: 'validate,signup,login,userdeleted,usermodified',
			PORTRESS_WEBHOOK_ALLOW_PRIVATE: 'true' } }, async (here) => {
			const who = await here.made();

			await here.made({ confirm: false });
			await pause(300);
			assert.equal(hook.calls.length, 0);
			assert.equal(here.mail.letters.length, 0);
			/* It would have heard of others. */
			await here.loggedIn(who);
			assert.equal(hook.calls.length, 1);
		});
	} finally {
		await hook.close();
	}
});

/* ---- one ---- */

item(108, 'one account is looked at by its id', async () => {
	const here = await site();
	const who = await here.made();

	for (const path of [`/admin/users/${who.id}`, `/admin/users/${who.id}/`]) {
		const answer = await here.operator('GET', path);

		assert.equal(answer.status, 200);
		assert.equal(answer.json.email, who.email);
	}
	for (const id of ['x', who.email, `${who.id}0`, '%00'])
		for (const method of ['GET', 'DELETE'])
			assert.equal((await here.operator(method, `/admin/users/${id}`)).status, 400);
	refuses(await here.operator('GET', '/admin/users/x'), 400, 'user_id must be an UUID');
	refuses(await here.operator('GET', `/admin/users/${randomUUID()}`), 404, 'User not found');
	refuses(await here.operator('PUT', `/admin/users/${randomUUID()}`, {}), 404, 'User not found');
});

item(109, 'one account is changed in what is sent, and in nothing else', async () => {
	const here = await site();
	const who = await here.made({ role: 'reader', confirm: false, app_metadata: { a: 1, b: 2 }, user_metadata: { c: 3 } });
	const put = async (fields) => {
		const answer = await here.operator('PUT', `/admin/users/${who.id}`, fields);

		assert.equal(answer.status, 200, answer.text);
		return answer.json;
	};
	const first = await put({ role: 'editor', app_metadata: { a: null, d: 4 }, user_metadata: { c: null } });

	assert.equal(first.role, 'editor');
	assert.deepEqual(first.app_metadata, { provider: 'email', b: 2, d: 4 });
	assert.deepEqual(first.user_metadata, {});
	assert.equal(first.confirmed_at, undefined);
	const second = await put({ confirm: true, aud: 'elsewhere', role: '', email: '' });

	assert.ok(second.confirmed_at);
	assert.equal(second.role, 'editor');
	assert.equal(second.aud, '');
	assert.equal(second.email, who.email);
	await here.loggedIn(who);
	const email = address();

	await put({ password: 'another horse', email, confirm: false });
	await here.loggedIn({ email, password: 'another horse' });
	assert.equal((await here.login(who)).status, 400);
});

item(109, 'an address that cannot be his is refused', async () => {
	const here = await site();
	const [who, other] = [await here.made(), await here.made()];
	const put = (fields) => here.operator('PUT', `/admin/users/${who.id}`, fields);

	refuses(await put({ email: other.email.toUpperCase(), password: 'another horse' }), 422, registered);
	refuses(await put({ email: 'nothing' }), 422, 'Unable to validate email address:');
	refuses(await put({ password: 'x'.repeat(73) }), 422, 'Password is too long');
	await here.loggedIn(who);
});

item(110, 'the system may change accounts too', async () => {
	const here = await site();
	const who = await here.made();
	const bearer = sign({ sub: nobody, exp: inAnHour() }, here.secret);
	const answer = await here.put(`/admin/users/${who.id}`, { role: 'editor' }, { bearer });

	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.json.role, 'editor');
	const plain = await member(here);

	refuses(await here.put(`/admin/users/${who.id}`, { role: 'admin' }, { bearer: plain.access_token }), 401, refused);
	assert.equal((await here.operator('GET', `/admin/users/${who.id}`)).json.role, 'editor');
});

item(111, 'who is deleted is gone, with all that was his', async () => {
	const here = await site();
	const who = await member(here);
	const answer = await here.operator('DELETE', `/admin/users/${who.id}`);

	assert.equal(answer.status, 200);
	assert.equal(answer.text, '{}');
	refuses(await here.operator('DELETE', `/admin/users/${who.id}`), 404, 'User not found');
	refuses(await here.operator('GET', `/admin/users/${who.id}`), 404, 'User not found');
	declines(await here.refresh(who.refresh_token), 'invalid_grant', 'Invalid Refresh Token');
	assert.equal((await here.login(who)).status, 400);
	/* The address is free again. */
	assert.notEqual((await here.made({ email: who.email })).id, who.id);
});

item(112, 'without a secret for it nothing is exported', async () => {
	const here = await site();

	refuses(await here.operator('GET', '/admin/users/export'), 400, 'user_id must be an UUID');
	refuses(await here.operator('GET', '/admin/users/export', undefined, { 'export-secret': '' }), 400,
		'user_id must be an UUID');
});

item(112, 'with one, hashes leave the house', looksInside, async () => {
	await within({ settings: { GOTRUE_API_EXPORT_SECRET: 'a secret of its own' } }, async (here) => {
		const who = await here.made();
		const empty = await here.made({ password: '' });
		const fetch = (headers, path = '/admin/users/export') => here.operator('GET', path, undefined, headers);

		for (const headers of [{}, { export_secret: 'another' }, { export_secret: '' }])
			refuses(await fetch(headers), 401, 'Invalid export secret');
		refuses(await here.get('/admin/users/export', { headers: { export_secret: 'a secret of its own' } }), 401, bearerless);
		for (const name of ['export_secret', 'EXPORT_SECRET', 'export-secret']) {
			const answer = await fetch({ [name]: 'a secret of its own' });

			assert.equal(answer.status, 200, answer.text);
			assert.deepEqual(answer.json.users.map((user) => user.email), [empty.email, who.email]);
			const [first, second] = answer.json.users;

			assert.equal(first.encrypted_password, '');
			assert.match(second.encrypted_password, /^\$/);
			assert.deepEqual(Object.keys(second).slice(0, 5), ['id', 'aud', 'role', 'email', 'encrypted_password']);
			assert.equal(answer.headers['x-total-count'], '2');
		}
		assert.equal((await fetch({ export_secret: 'a secret of its own' }, '/admin/users/export?per_page=1')).headers.link,
			'</admin/users/export?page=2&per_page=1>; rel="next", </admin/users/export?page=2&per_page=1>; rel="last"');
		assert.ok(!('encrypted_password' in (await users(here)).json.users[0]));
	});
});
