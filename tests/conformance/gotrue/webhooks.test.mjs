/*
 * Programs that are asked before something happens, and told after it did.
 */
import assert from 'node:assert/strict';
import { after } from 'node:test';

import { address, decode, item, looksInside, many, refuses, shared, within } from '../../support/gotrue.mjs';
import { HookServer, signatureOf } from '../../support/hook-server.mjs';
import { ProviderServer } from '../../support/provider-server.mjs';
import { freePort, pause } from '../../support/settings.mjs';

const secret = 'the secret of hooks';
const noInstance = '00000000-0000-0000-0000-000000000000';
const hooks = await HookServer.open({ secret });
const there = await ProviderServer.open();

after(() => Promise.all([hooks.close(), there.close()]));

const settings = {
	GOTRUE_WEBHOOK_URL: hooks.url, GOTRUE_WEBHOOK_SECRET: secret, GOTRUE_WEBHOOK_TIMEOUT_SEC: '1',
	GOTRUE_WEBHOOK_EVENTS: 'validate,signup,login,usermodified,userdeleted', PORTRESS_WEBHOOK_ALLOW_PRIVATE: 'true',
	GOTRUE_EXTERNAL_GITHUB_ENABLED: 'true', GOTRUE_EXTERNAL_GITHUB_CLIENT_ID: there.clientId,
	GOTRUE_EXTERNAL_GITHUB_SECRET: there.clientSecret, GOTRUE_EXTERNAL_GITHUB_URL: there.url,
	GOTRUE_EXTERNAL_GITHUB_REDIRECT_URI: 'https://auth.example/callback', PORTRESS_PROVIDER_ALLOW_PRIVATE: 'true',
};

const mailing = shared({ settings });
const trusting = shared({ settings: { ...settings, GOTRUE_MAILER_AUTOCONFIRM: 'true' } });

const sites = shared(many({ settings: { PORTRESS_WEBHOOK_ALLOW_PRIVATE: 'true' } }));

/* One of many sites that asks otherwise: { here, options }. */
async function asking(webhook, config) {
	const here = await fresh(sites);
	const { options } = await here.instance({ webhook: { url: hooks.url, secret, events: ['validate', 'signup', 'login'], ...webhook },
		mailer: { autoconfirm: true }, ...config });

	return { here, options };
}

/* Nothing is left of the story before. */
async function fresh(open) {
	const here = await open();

	hooks.forget();
	return here;
}

const events = () => hooks.calls.map(({ body }) => body.event);
const signUp = (here, fields, options) => here.post('/signup', { email: address(), password: 'correct horse', ...fields }, options);
const isThere = async (here, email, options) =>
	(await here.operator('GET', `/admin/users?filter=${encodeURIComponent(email)}`, undefined, options?.headers)).json.users.length > 0;

item(122, 'a call says what happens to whom, and is signed', looksInside, async () => {
	const here = await fresh(mailing);
	const email = address();
	const answer = await signUp(here, { email, data: { full_name: 'Zoë <&>' } });
	const [call] = hooks.calls;

	assert.equal(answer.status, 200);
	assert.equal(call.method, 'POST');
	assert.equal(call.headers['content-type'], 'application/json');
	assert.deepEqual(Object.keys(call.body), ['event', 'instance_id', 'user']);
	assert.equal(call.body.event, 'validate');
	assert.equal(call.body.instance_id, noInstance);
	assert.equal(call.body.user.id, answer.json.id);
	assert.equal(call.body.user.email, email);
	assert.deepEqual(call.body.user.user_metadata, { full_name: 'Zoë <&>' });
	assert.deepEqual(call.body.user.app_metadata, { provider: 'email' });
	assert.deepEqual(call.signature.header, { alg: 'HS256', typ: 'JWT' });
	assert.deepEqual(Object.keys(call.signature.claims), ['iss', 'sub', 'iat', 'sha256']);
	assert.equal(call.signature.claims.iss, 'gotrue');
	assert.equal(call.signature.claims.sub, noInstance);
	assert.ok(Math.abs(call.signature.claims.iat - Date.now() / 1000) < 5);
	assert.ok(call.signature.isGenuine);
	assert.ok(call.signature.isOfBody);
	const other = signatureOf(call.headers['x-webhook-signature'], 'another secret', Buffer.concat([call.raw, Buffer.from(' ')]));

	assert.ok(!other.isGenuine);
	assert.ok(!other.isOfBody);
});

item(122, 'without a secret nothing is signed', looksInside, async () => {
	const { here, options } = await asking({ secret: '' });

	assert.equal((await signUp(here, {}, options)).status, 200);
	assert.equal(hooks.calls[0].headers['x-webhook-signature'], undefined);
});

item(123, 'a header names the event', looksInside, async () => {
	const here = await fresh(trusting);
	const who = await here.signedUp();

	await here.loggedIn(who);
	await here.operator('PUT', `/admin/users/${who.id}`, { role: 'editor' });
	await hooks.called('usermodified');
	await here.operator('DELETE', `/admin/users/${who.id}`);
	await hooks.called('userdeleted');
	assert.deepEqual(hooks.calls.map(({ event }) => event), ['identity_validate', 'identity_signup', 'identity_login',
		'identity_usermodified', 'identity_userdeleted']);
	assert.deepEqual(events(), ['validate', 'signup', 'login', 'usermodified', 'userdeleted']);
	assert.ok(hooks.calls.every(({ body }) => body.user.id === who.id));
	assert.equal(hooks.about('usermodified')[0].body.user.role, 'editor');
});

item(124, 'an event that is not listed is not sent', looksInside, async () => {
	await within({ settings: { ...settings, GOTRUE_WEBHOOK_EVENTS: ' login , nonsense', GOTRUE_MAILER_AUTOCONFIRM: 'true' } }, async (here) => {
		hooks.forget();
		await here.loggedIn(await here.signedUp());
		assert.deepEqual(events(), ['login']);
	});
	for (const listed of [[], undefined, ['login ', 'nonsense']]) {
		const { here, options } = await asking({ events: listed });

		await here.loggedIn(await here.signedUp({}, options), options);
		assert.deepEqual(events(), listed?.length ? ['login'] : []);
	}
});

item(125, 'who says no is asked three times in all', looksInside, async () => {
	const here = await fresh(mailing);

	hooks.script = [{ status: 400 }, { status: 400 }, { status: 200 }];
	assert.equal((await signUp(here)).status, 200);
	assert.equal(hooks.calls.length, 3);
	assert.deepEqual(new Set(hooks.calls.map(({ raw }) => raw.toString())).size, 1);

	hooks.forget();
	hooks.script = [{ status: 400 }, { status: 500 }, { status: 302, headers: { location: hooks.url } }];
	const email = address();

	refuses(await signUp(here, { email }), 422, 'Failed to handle signup webhook');
	assert.equal(hooks.calls.length, 3);
	assert.ok(!await isThere(here, email));
	assert.equal(here.mail.to(email).length, 0);
});

item(125, 'as many times as is set', looksInside, async () => {
	for (const [retries, calls] of [[1, 1], [2, 2], [0, 3]]) {
		const { here, options } = await asking({ retries });

		hooks.otherwise = { status: 400 };
		refuses(await signUp(here, {}, options), 422, 'Failed to handle signup webhook');
		assert.equal(hooks.calls.length, calls);
	}
});

item(126, 'who never answers is asked as often, and then 504', looksInside, async () => {
	const here = await fresh(mailing);
	const email = address();

	hooks.otherwise = { silent: true };
	refuses(await signUp(here, { email }), 504, 'Failed to perform webhook in time frame (1 seconds)');
	assert.equal(hooks.calls.length, 3);
	assert.ok(!await isThere(here, email));

	hooks.forget();
	hooks.script = [{ silent: true }];
	assert.equal((await signUp(here, { email })).status, 200);
	assert.equal(hooks.calls.length, 2);
});

item(126, 'while somebody is asked, others are served', looksInside, async () => {
	const here = await fresh(trusting);
	const who = await here.signedUp();
	const login = await here.loggedIn(who);

	hooks.otherwise = { delay: 800 };
	const slow = Promise.all([1, 2, 3].map(() => signUp(here)));

	await hooks.called('validate', 4);
	const begun = Date.now();

	assert.equal((await here.put('/user', { data: { seen: true } }, { bearer: login.access_token })).status, 200);
	assert.equal((await here.refresh(login.refresh_token)).status, 200);
	assert.equal((await here.made()).answer.status, 200);
	assert.ok(Date.now() - begun < 700, 'a write waited for a hook');
	assert.ok((await slow).every(({ status }) => status === 200));
});

item(127, 'who cannot be reached is told at once, and nobody has signed up', looksInside, async () => {
	const nobody = `http://127.0.0.1:${await freePort()}/hook`;
	const told = async (url, status, msg) => {
		const { here, options } = await asking({ url });
		const email = address();

		refuses(await signUp(here, { email }, options), status, msg);
		assert.ok(!await isThere(here, email, options));
	};

	await told('https://nowhere.invalid/hook', 502, 'Failed to connect to https://nowhere.invalid/hook');
	await told(nobody, 502, `Failed to connect to ${nobody}`);
});

item(127, 'a line that breaks off is told at once', looksInside, async () => {
	const here = await fresh(mailing);
	const email = address();

	hooks.otherwise = { cut: 'connection' };
	refuses(await signUp(here, { email }), 500, `Failed to trigger webhook to ${hooks.url}`);
	assert.equal(hooks.calls.length, 1);
	hooks.otherwise = { cut: 'body', body: { user_metadata: { a: 'x'.repeat(1000) } } };
	refuses(await signUp(here, { email }), 500, 'Webhook returned malformed BODY:');
	assert.ok(!await isThere(here, email));
});

item(128, 'a private address is not asked', looksInside, async () => {
	const hosts = ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1', '10.0.0.1', '169.254.169.254', '100.64.0.1',
		'172.16.0.1', '192.168.1.1', '192.0.0.1', '0.0.0.0', '[fe80::1]', '[fc00::1]', '[64:ff9b::7f00:1]'];
	/* Where a connection is made to what speaks no TLS, it is a 500. */
	const urls = [hooks.url, ...hosts.map((host) => `https://${host}:${hooks.port}/hook`)];

	hooks.forget();
	await within(many({ settings: { PORTRESS_WEBHOOK_ALLOW_PRIVATE: undefined } }), async (here) => {
		for (const url of urls) {
			const one = await here.instance({ webhook: { url, events: ['validate'] } });
			const answer = await here.post('/signup', { email: address(), password: 'x' }, one.options);

			assert.equal(answer.status, 502, `${url} ${answer.text}`);
			assert.ok(answer.json.msg.startsWith('Failed to connect to '), answer.text);
		}
	});
	assert.deepEqual(hooks.calls, []);
});

item(129, 'what it answers replaces the metadata, and shows in the next token', looksInside, async () => {
	const here = await fresh(trusting);
	const who = await here.signedUp({ data: { old: true, both: 1 } });

	hooks.script = [{ body: { user_metadata: { both: 2 }, app_metadata: { roles: ['member'] } } }];
	const { access_token: bearer, refresh_token: refresh } = await here.loggedIn(who);
	const [, claims] = decode(bearer);

	assert.deepEqual(claims.user_metadata, { both: 2 });
	assert.deepEqual(claims.app_metadata, { roles: ['member'] });
	const user = (await here.get('/user', { bearer })).json;

	assert.deepEqual([user.user_metadata, user.app_metadata], [{ both: 2 }, { roles: ['member'] }]);
	assert.deepEqual(decode((await here.refresh(refresh)).json.access_token)[1].app_metadata, { roles: ['member'] });

	hooks.script = [{ body: { user_metadata: {} } }];
	const [, later] = decode((await here.loggedIn(who)).access_token);

	assert.deepEqual([later.user_metadata, later.app_metadata], [{}, { roles: ['member'] }]);
});

item(129, 'at sign-up too, before anybody was mailed', looksInside, async () => {
	const here = await fresh(mailing);

	hooks.script = [{ body: { app_metadata: { plan: 'free' }, role: 'admin', is_super_admin: true, email: 'evil@example.com' } }];
	const email = address();
	const { json } = await signUp(here, { email, data: { a: 1 } });

	assert.deepEqual([json.app_metadata, json.user_metadata, json.role, json.email], [{ plan: 'free' }, { a: 1 }, '', email]);
	hooks.script = [{ body: { user_metadata: { b: 2 } } }];
	const verified = await here.post('/verify', { type: 'signup', token: await here.mailed(email, 'confirmation') });

	assert.deepEqual(decode(verified.json.access_token)[1].user_metadata, { b: 2 });
	assert.deepEqual(events(), ['validate', 'signup']);
});

item(130, '200, 202 and 204 are a yes, and so is silence', looksInside, async () => {
	const here = await fresh(mailing);

	for (const status of [200, 202, 204]) {
		hooks.script = [{ status }];
		assert.equal((await signUp(here)).status, 200, status);
	}
	hooks.script = [{ status: 200, body: 'null' }];
	assert.equal((await signUp(here)).status, 200);
	for (const status of [201, 206, 301, 404]) {
		hooks.otherwise = { status };
		refuses(await signUp(here), 422, 'Failed to handle signup webhook');
	}
});

item(130, 'an answer that is no JSON is refused', looksInside, async () => {
	const here = await fresh(mailing);

	for (const body of ['{"user_metadata":', 'yes', '[]', '{"user_metadata":7}', '{"user_metadata":{}} }', '{"user_metadata":["a"]}',
		`{"user_metadata":{"a":"${'x'.repeat(5000)}"}}`]) {
		const email = address();

		hooks.forget();
		hooks.script = [{ body }];
		refuses(await signUp(here, { email }), 500, 'Webhook returned malformed JSON:');
		assert.equal(hooks.calls.length, 1);
		assert.ok(!await isThere(here, email));
	}
	hooks.script = [{ body: `"${'x'.repeat(1100000)}"` }];
	assert.equal((await signUp(here)).status, 500);
});

item(131, 'whoever is told after the fact changes nothing of it', looksInside, async () => {
	const here = await fresh(trusting);
	const who = await here.signedUp();
	const path = `/admin/users/${who.id}`;

	hooks.otherwise = { status: 500 };
	assert.equal((await here.operator('PUT', path, { role: 'editor' })).status, 200);
	assert.equal((await hooks.called('usermodified')).body.user.role, 'editor');
	assert.equal((await here.operator('GET', path)).json.role, 'editor');
	await hooks.called('usermodified', 3);

	hooks.otherwise = { body: 'nonsense' };
	assert.equal((await here.operator('PUT', path, { role: 'author' })).status, 200);
	assert.equal((await hooks.called('usermodified', 4)).body.user.role, 'author');
	assert.equal((await here.operator('GET', path)).json.role, 'author');

	hooks.otherwise = { body: { user_metadata: { seen: true } } };
	assert.equal((await here.operator('DELETE', path)).status, 200);
	assert.equal((await hooks.called('userdeleted')).body.user.id, who.id);
	refuses(await here.operator('GET', path), 404, 'User not found');
});

item(131, 'what is answered to a change is kept', looksInside, async () => {
	const here = await fresh(trusting);
	const who = await here.signedUp({ data: { a: 1 } });

	hooks.otherwise = { body: { user_metadata: { counted: 2 } } };
	await here.operator('PUT', `/admin/users/${who.id}`, { role: 'editor' });
	await hooks.called('usermodified');
	for (let i = 0; i < 100; i++) {
		const { json } = await here.operator('GET', `/admin/users/${who.id}`);

		if (json.user_metadata.counted)
			return assert.deepEqual([json.user_metadata, json.role], [{ counted: 2 }, 'editor']);
		await pause(20);
	}
	assert.fail('the answer was not kept');
});

/* Off to the provider and back: where the browser is sent then. */
async function external(here, person) {
	const browser = here.client();

	there.person = { id: Math.floor(Math.random() * 1e9), login: 'x', name: 'Ann Lee', ...person };
	const back = await there.visit((await browser.get('/authorize?provider=github')).location);

	return new URL((await browser.get(`/callback${back.search}`)).location);
}

item(132, 'validate is asked about whoever comes by himself or is invited, not about whom an administrator makes', looksInside, async () => {
	const here = await fresh(mailing);
	const email = address();

	await signUp(here);
	assert.deepEqual(events(), ['validate']);
	hooks.forget();
	assert.equal((await here.operator('POST', '/invite', { email })).status, 200);
	assert.deepEqual(events(), ['validate']);
	assert.equal(hooks.calls[0].body.user.email, email);
	hooks.forget();
	const person = { emails: [{ email: address(), verified: true, primary: true }] };

	assert.match((await external(here, person)).hash, /^#access_token=/);
	assert.deepEqual(events(), ['validate', 'signup']);
	assert.deepEqual(hooks.calls[0].body.user.app_metadata, { provider: 'github' });
	hooks.forget();
	await here.made();
	assert.deepEqual(events(), []);
});

item(132, 'a no to validate stops each of them', looksInside, async () => {
	const here = await fresh(mailing);
	const [one, two, three] = [address(), address(), address()];

	hooks.otherwise = { status: 403 };
	refuses(await signUp(here, { email: one }), 422, 'Failed to handle signup webhook');
	refuses(await here.operator('POST', '/invite', { email: two }), 422, 'Failed to handle signup webhook');
	assert.equal((await external(here, { emails: [{ email: three, verified: true, primary: true }] })).hash,
		'#error=server_error&error_description=Failed+to+handle+signup+webhook');
	for (const email of [one, two, three])
		assert.ok(!await isThere(here, email));
	assert.equal(here.mail.to(two).length, 0);
});

item(132, 'a no to signup or login leaves all as it was', looksInside, async () => {
	const here = await fresh(mailing);
	const who = await here.signedUp();
	const confirm = { type: 'signup', token: await here.mailed(who.email, 'confirmation') };

	hooks.otherwise = { status: 403 };
	refuses(await here.post('/verify', confirm), 422, 'Failed to handle signup webhook');
	hooks.otherwise = { status: 200 };
	assert.equal((await here.post('/verify', confirm)).status, 200);
	hooks.otherwise = { status: 403 };
	const answer = await here.login(who);

	refuses(answer, 422, 'Failed to handle signup webhook');
	assert.deepEqual(answer.cookies, []);
});

item(133, 'an address without a host is below the site', looksInside, async () => {
	const bySite = async (site_url, url, path, login) => {
		const { here, options } = await asking({ url }, { site_url });

		assert.equal((await signUp(here, {}, options)).status, 200);
		assert.equal(hooks.calls[0].path, path);
		assert.equal(hooks.calls[0].headers.authorization, login);
	};
	const host = `127.0.0.1:${hooks.port}`;

	await bySite(`http://${host}/app/`, '/hooks/x?y=z', '/hooks/x?y=z', undefined);
	await bySite(`http://ann:word@${host}`, '/.netlify/functions/f', '/.netlify/functions/f', `Basic ${Buffer.from('ann:word').toString('base64')}`);
	await bySite('https://site.example', `http://${host}/own`, '/own', undefined);
});

item(134, 'functions are named one by one or in lists, and nothing else', looksInside, async () => {
	const here = await fresh(sites);
	const one = await here.instance({ site_url: `http://127.0.0.1:${hooks.port}`, mailer: { autoconfirm: true } });
	const as = (function_hooks) => ({ headers: here.signedFor({ id: one.id, function_hooks }) });
	const asked = async (function_hooks) => {
		hooks.forget();
		const answer = await here.post('/signup', { email: address(), password: 'x' }, as(function_hooks));

		return [answer.status, hooks.calls.map(({ path }) => path)];
	};

	assert.deepEqual(await asked({ signup: '/one' }), [200, ['/one']]);
	assert.deepEqual(await asked({ signup: ['/one', '/two'], validate: '/first', login: '/never' }), [200, ['/first', '/one', '/two']]);
	assert.deepEqual(await asked({}), [200, []]);
	assert.deepEqual(await asked(undefined), [200, []]);
	assert.deepEqual(await asked({ signup: [] }), [200, []]);
	for (const shape of ['/one', ['/one'], { signup: 7 }, { signup: { a: '/one' } }, { signup: [['/one']] }, { signup: [null] }, 7, true])
		refuses(await here.post('/signup', { email: address(), password: 'x' }, as(shape)), 400,
			'Operator microservice signature is invalid:');
});

item(134, 'the first function that says no is the last that is asked', looksInside, async () => {
	const here = await fresh(sites);
	const one = await here.instance({ site_url: `http://127.0.0.1:${hooks.port}` }, { function_hooks: { validate: ['/no', '/yes'] } });

	hooks.forget();
	hooks.otherwise = ({ path }) => ({ status: path === '/no' ? 400 : 200 });
	refuses(await here.post('/signup', { email: address(), password: 'x' }, one.options), 422, 'Failed to handle signup webhook');
	assert.deepEqual(hooks.calls.map(({ path }) => path), ['/no', '/no', '/no']);
	const { headers, raw, body } = hooks.calls[0];
	const { isGenuine, isOfBody, claims } = signatureOf(headers['x-webhook-signature'], one.secret, raw);

	assert.ok(isGenuine && isOfBody);
	assert.deepEqual([claims.sub, body.instance_id], [one.id, one.id]);
});

item(134, 'a webhook of its own counts more than functions', looksInside, async () => {
	const here = await fresh(sites);
	const own = { url: hooks.url, events: ['login'], secret };
	const one = await here.instance({ webhook: own, mailer: { autoconfirm: true } }, { function_hooks: { validate: `${hooks.url}/never` } });

	hooks.forget();
	await here.loggedIn(await here.signedUp({}, one.options), one.options);
	assert.deepEqual(events(), ['login']);
});
