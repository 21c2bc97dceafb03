/*
 * Many sites in one server: each request says whose it is, signed by the operator.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { address, declines, inAnHour, item, looksInside, many, randomUUID, refuses, shared, sign, within } from '../../support/gotrue.mjs';
import { HookServer } from '../../support/hook-server.mjs';
import { freePort } from '../../support/settings.mjs';
import { Sink } from '../../support/smtp.mjs';

const unreachable = { enabled: true, client_id: 'our-id', secret: 'our-secret', redirect_uri: 'https://auth.example/callback' };

const site = shared(many({ settings: { PORTRESS_WEBHOOK_ALLOW_PRIVATE: 'true', GOTRUE_API_ENDPOINT: 'https://api.example' } }));

const at = (here, one, method, path, options) => here.ask(method, path, { ...options, headers: { ...one.options.headers, ...options?.headers } });

item(2, 'health is told without a signature', looksInside, async () => {
	const here = await site();
	const answer = await here.get('/health');

	assert.equal(answer.status, 200);
	assert.equal(answer.json.name, 'GoTrue');
	refuses(await here.get('/settings'), 400, 'Operator microservice headers missing');
	assert.equal((await here.operator('GET', '/')).json.name, 'GoTrue');
	refuses(await here.get('/'), 401, 'This endpoint requires a Bearer token');
});

item(154, 'a request without a good signature means no site', looksInside, async () => {
	const here = await site();
	const one = await here.instance();
	const by = (headers) => here.get('/settings', { headers });
	const signed = (claims, secret = here.operatorToken) => by({ 'x-nf-sign': sign(claims, secret) });

	assert.equal((await signed({ id: one.id })).status, 200);
	assert.equal((await signed({ id: one.id, exp: inAnHour() })).status, 200);
	refuses(await by({}), 400, 'Operator microservice headers missing');
	refuses(await by({ 'x-nf-sign': 'nonsense' }), 400, 'Operator microservice signature is invalid:');
	refuses(await signed({ id: one.id }, 'another key of some length, not the right one'), 400, 'Operator microservice signature is invalid:');
	refuses(await signed({ id: one.id, exp: inAnHour() - 7200 }), 400, 'Operator microservice signature is invalid:');
	refuses(await signed({}), 400, 'Instance ID is missing');
	refuses(await signed({ id: '' }), 400, 'Instance ID is missing');
	refuses(await signed({ id: 'one' }), 400, 'Instance ID is not a valid UUID');
	refuses(await signed({ id: randomUUID() }), 404, 'Unable to locate site configuration');
	refuses(await by({ 'x-nf-sign': sign({ id: one.id }, '', { alg: 'none', typ: 'JWT' }) }), 400,
		'Operator microservice signature is invalid:');
});

item(154, 'without a signature not even a path is known to be none', looksInside, async () => {
	const here = await site();
	const one = await here.instance();

	for (const path of ['/nothing', '/verify', '/admin/users', '/saml/metadata'])
		refuses(await here.get(path), 400, 'Operator microservice headers missing');
	assert.equal((await here.get('/nothing', one.options)).text, '404 page not found\n');
	assert.equal((await here.get('/verify', one.options)).status, 405);
	refuses(await here.operator('GET', '/admin/users'), 400, 'Operator microservice headers missing');
	refuses(await here.get('/callback'), 400, 'OAuth state parameter missing');
});

item(154, 'where there is one site, nobody looks at a signature', looksInside, async () => {
	await within({}, async (here) => {
		assert.equal((await here.get('/settings', { headers: { 'x-nf-sign': 'nonsense' } })).status, 200);
		assert.equal((await here.get('/settings', { headers: here.signedFor({ id: randomUUID() }) })).status, 200);
		assert.equal((await here.operator('POST', '/instances', { uuid: randomUUID(), config: {} })).status, 404);
		assert.equal((await here.operator('GET', '/')).status, 404);
	});
});

item(154, 'a configuration that cannot be used opens nothing', looksInside, async () => {
	const here = await site();
	const made = async (config) => (await here.operator('POST', '/instances', { uuid: randomUUID(), config })).json;
	const asked = async (config) => here.get('/settings', { headers: here.signedFor({ id: (await made(config)).id }) });

	assert.equal((await asked({ jwt: { secret: 'of some length' } })).status, 200);
	for (const config of [undefined, {}, { jwt: { secret: '' } }, { jwt: { secret: 7 } }, { jwt: 'secret' },
		{ jwt: { secret: 'of some length' }, disable_signup: 'yes' }])
		refuses(await asked(config), 500, 'Error loading environment config');
});

item(155, 'an instance is made once', looksInside, async () => {
	const here = await site();
	const uuid = randomUUID();
	const answer = await here.operator('POST', '/instances', { uuid, config: { site_url: 'https://one.example' } });

	assert.equal(answer.status, 201, answer.text);
	assert.deepEqual(Object.keys(answer.json), ['id', 'uuid', 'config', 'created_at', 'updated_at', 'endpoint', 'state']);
	assert.equal(answer.json.uuid, uuid);
	assert.equal(answer.json.state, 'active');
	assert.equal(answer.json.endpoint, 'https://api.example');
	assert.equal(answer.json.config.site_url, 'https://one.example');
	refuses(await here.operator('POST', '/instances', { uuid, config: {} }), 400, 'An instance with that UUID already exists');
	refuses(await here.operator('POST', '/instances', { uuid: 'x', config: {} }), 400, 'Error decoding params:');
	refuses(await here.ask('POST', '/instances', { body: '{', bearer: here.operatorToken }), 400, 'Error decoding params:');
	refuses(await here.post('/instances', { uuid: randomUUID(), config: {} }), 401, 'This endpoint requires a Bearer token');
	refuses(await here.post('/instances', { uuid: randomUUID(), config: {} }, { bearer: 'x' }), 401, 'Request does not include an Operator token');
});

item(155, 'an instance is shown to the operator alone', looksInside, async () => {
	const here = await site();
	const one = await here.instance({ disable_signup: true });
	const answer = await here.operator('GET', `/instances/${one.id}`);

	assert.equal(answer.status, 200);
	assert.deepEqual(Object.keys(answer.json), ['id', 'uuid', 'config', 'created_at', 'updated_at']);
	assert.equal(answer.json.config.disable_signup, true);
	assert.deepEqual((await here.operator('GET', `/instances/${one.id}/`)).json, answer.json);
	refuses(await here.operator('GET', '/instances/x'), 400, 'Invalid instance ID');
	refuses(await here.operator('GET', `/instances/${randomUUID()}`), 404, 'Instance not found');
	refuses(await here.get(`/instances/${one.id}`), 401, 'This endpoint requires a Bearer token');
	refuses(await here.get(`/instances/${one.id}`, { bearer: one.secret }), 401, 'Request does not include an Operator token');
});

item(156, 'what a change leaves out is kept, and what it empties is cleared', looksInside, async () => {
	const here = await site();
	const hooks = await HookServer.open({ secret: 'of the hook' });

	try {
		const one = await here.instance({ mailer: { autoconfirm: true }, smtp: { host: 'mail.example', pass: 'of the mail server' },
			webhook: { url: hooks.url, secret: 'of the hook', events: ['signup', 'login'] } });
		const change = (config) => here.operator('PUT', `/instances/${one.id}`, { config });
		const asked = async () => {
			hooks.forget();
			await here.signedUp({}, one.options);
			return hooks.calls;
		};

		assert.ok((await asked())[0].signature.isGenuine);
		const changed = await change({ webhook: { retries: 1 }, smtp: { port: 25 } });

		assert.equal(changed.status, 200, changed.text);
		assert.deepEqual(changed.json.config.smtp, { host: 'mail.example', port: 25 });
		assert.ok((await asked())[0].signature.isGenuine);
		await change({ webhook: { secret: '', events: ['login'] } });
		assert.deepEqual(await asked(), []);
		await change({ webhook: { events: ['signup'] } });
		assert.equal((await asked())[0].signature, null);

		assert.equal((await here.operator('PUT', `/instances/${one.id}`, { uuid: randomUUID() })).json.uuid, one.uuid);
		assert.equal((await at(here, one, 'GET', '/settings')).status, 200);
		await change({ jwt: { secret: '' } });
		refuses(await at(here, one, 'GET', '/settings'), 500, 'Error loading environment config');
		refuses(await here.operator('PUT', `/instances/${randomUUID()}`, { config: {} }), 404, 'Instance not found');
		refuses(await here.ask('PUT', `/instances/${one.id}`, { body: '[', bearer: here.operatorToken }), 400, 'Error decoding params:');
	} finally {
		await hooks.close();
	}
});

/* A mail server that somebody else runs, and what an instance says of it. */
async function mailServer(here, options = {}) {
	const pass = randomUUID();
	const sink = await Sink.open({ starttls: true, auth: { user: 'of the site', pass }, ...options });

	here.secrets.add(pass);
	return { sink, pass, smtp: { host: 'localhost', port: sink.port, user: 'of the site', pass, admin_email: `${randomUUID()}@sites.example` } };
}

async function withMailServers(count, story) {
	const here = await site();
	const servers = [];

	try {
		for (let i = 0; i < count; i++)
			servers.push(await mailServer(here));
		await story(here, servers);
	} finally {
		for (const { sink } of servers)
			await sink.close();
	}
}

item(156, 'the password of a mail server is kept where it is left out, and gone where it is empty', looksInside, () =>
	withMailServers(1, async (here, [{ sink, pass, smtp }]) => {
		const one = await here.instance({ smtp });
		const change = (config) => here.operator('PUT', `/instances/${one.id}`, { config: { smtp: config } });
		const asked = async (status) => {
			const answer = await here.post('/signup', { email: address(), password: 'x' }, one.options);

			assert.equal(answer.status, status, answer.text);
			return sink.logins.splice(0).map(({ username, password }) => [username, password]);
		};

		assert.deepEqual(await asked(200), [['of the site', pass]]);
		sink.options.auth.user = 'somebody else';
		assert.ok(!(await change({ user: 'somebody else' })).text.includes(pass));
		assert.deepEqual(await asked(200), [['somebody else', pass]]);
		await change({ pass: '' });
		assert.deepEqual(await asked(500), []);
		assert.equal(sink.letters.length, 2);
	}));

item(158, 'letters of each site go by its own mail server, and else by the one of all', looksInside, () =>
	withMailServers(2, async (here, [first, second]) => {
		const sites = [await here.instance({ smtp: first.smtp }), await here.instance({ smtp: second.smtp }), await here.instance()];
		const sinks = [first.sink, second.sink, here.mail];
		const senders = [first.smtp.admin_email, second.smtp.admin_email, 'admin@site.example'];

		for (const [i, { options }] of sites.entries()) {
			const who = await here.signedUp({}, options);

			for (const [j, sink] of sinks.entries()) {
				const letters = sink.to(who.email);

				assert.equal(letters.length, i === j ? 1 : 0, `site ${i} and mail server ${j}`);
				assert.ok(letters.every((letter) => letter.sender === senders[i] && letter.parsed.from.value[0].address === senders[i]));
			}
		}
		const { id, options } = await here.instance({ smtp: { admin_email: senders[0] } });
		const who = await here.signedUp({}, options);

		assert.equal(here.mail.to(who.email)[0].sender, senders[0]);
		assert.ok(!(await here.operator('GET', `/instances/${id}`)).text.includes('pass'));
	}));

item(158, "a mail server that is away is its own site's trouble", looksInside, async () => {
	const here = await site();
	const away = { host: '127.0.0.1', port: await freePort(), admin_email: 'admin@one.example' };
	const [one, two] = [await here.instance({ smtp: away }), await here.instance()];

	refuses(await here.post('/signup', { email: address(), password: 'x' }, one.options), 500, 'Error sending confirmation mail');
	await here.signedUp({}, two.options);
	for (const smtp of [{ host: 'http://mail.example/' }, { host: 'a b' }, { port: 70000 }, { admin_email: 'nobody' }])
		refuses(await at(here, await here.instance({ smtp }), 'GET', '/settings'), 500, 'Error loading environment config');
});

item(158, 'letters that wait find the mail server of their site', looksInside, () =>
	within(many({ mail: false, settings: { PORTRESS_MAIL_AT_ONCE: 'false' } }), async (here) => {
		const servers = [await mailServer(here), await mailServer(here)];

		try {
			const [first, second] = servers;

			await first.sink.down();
			const [one, two, none] = [await here.instance({ smtp: first.smtp }), await here.instance({ smtp: second.smtp }), await here.instance()];
			const early = await here.signedUp({}, one.options);
			const late = await here.signedUp({}, two.options);

			await here.signedUp({}, none.options);
			await second.sink.letter(late.email);
			await first.sink.up();
			const letter = await first.sink.letter(early.email, { patience: 20000 });

			assert.equal(letter.sender, first.smtp.admin_email);
			assert.deepEqual([first.sink.letters.length, second.sink.letters.length], [1, 1]);
			assert.ok(!here.server.log.includes('outbox.misconfigured'));
		} finally {
			for (const { sink } of servers)
				await sink.close();
		}
	}));

item(157, 'no answer holds a secret', looksInside, async () => {
	const here = await site();
	const config = { site_url: 'https://one.example', jwt: { secret: 'hidden-1', exp: 60, aud: 'shown' }, smtp: { pass: 'hidden-2', user: 'shown' },
		webhook: { secret: 'hidden-3', url: 'https://shown.example' },
		external: { github: { ...unreachable, secret: 'hidden-4' }, saml: { signing_key: 'hidden-5', name: 'shown' } } };
	const made = await here.operator('POST', '/instances', { uuid: randomUUID(), config });
	const path = `/instances/${made.json.id}`;
	const answers = [made, await here.operator('GET', path), await here.operator('PUT', path, { config: { disable_signup: true } })];

	for (const { text, json } of answers) {
		assert.ok(!text.includes('hidden'), text);
		assert.deepEqual(json.config.jwt, { exp: 60, aud: 'shown' });
		assert.deepEqual(json.config.smtp, { user: 'shown' });
		assert.deepEqual(json.config.external.saml, { name: 'shown' });
		assert.equal(json.config.external.github.client_id, 'our-id');
	}
	assert.equal((await here.get('/settings', { headers: here.signedFor({ id: made.json.id }) })).json.external.github, true);
});

/* Two sites, and even the key that signs their tokens is one. */
async function twins(here, config) {
	const jwt = { secret: 'one key that two sites of one owner have' };

	return [await here.instance({ ...config, jwt }), await here.instance({ ...config, jwt })];
}

item(158, 'what one site gave opens nothing at another', looksInside, async () => {
	const here = await site();
	const [one, two] = await twins(here, { mailer: { autoconfirm: true } });
	const who = await here.signedUp({}, one.options);
	const { access_token: bearer, refresh_token: refresh } = await here.loggedIn(who, one.options);

	refuses(await at(here, two, 'GET', '/user', { bearer }), 404, 'User not found');
	refuses(await at(here, two, 'PUT', '/user', { bearer, json: { data: { taken: true } } }), 404, 'User not found');
	refuses(await at(here, two, 'POST', '/logout', { bearer }), 401, 'Invalid user');
	declines(await here.login(who, two.options), 'invalid_grant', 'No user found with that email, or password invalid.');
	declines(await here.refresh(refresh, two.options), 'invalid_grant', 'Invalid Refresh Token');
	refuses(await at(here, two, 'GET', `/admin/users/${who.id}`, { bearer: here.operatorToken }), 404, 'User not found');
	refuses(await at(here, two, 'DELETE', `/admin/users/${who.id}`, { bearer: here.operatorToken }), 404, 'User not found');

	assert.deepEqual((await at(here, one, 'GET', '/user', { bearer })).json.user_metadata, {});
	assert.equal((await here.refresh(refresh, one.options)).status, 200);

	const other = await here.instance();

	refuses(await at(here, other, 'GET', '/user', { bearer }), 401, 'Invalid token: signature is invalid');
});

item(158, 'what one site mailed is nothing to another', looksInside, async () => {
	const here = await site();
	const [one, two] = await twins(here);
	const who = await here.signedUp({}, one.options);
	const confirm = { type: 'signup', token: await here.mailed(who.email, 'confirmation') };

	refuses(await here.post('/verify', confirm, two.options), 404, 'User not found');
	const { access_token: bearer } = (await here.post('/verify', confirm, one.options)).json;

	await here.post('/recover', { email: who.email }, one.options);
	const recover = { type: 'recovery', token: await here.mailed(who.email, 'recovery', 2) };

	refuses(await here.post('/verify', recover, two.options), 404, 'User not found');
	assert.equal((await here.post('/verify', recover, one.options)).status, 200);

	const email = address();

	await at(here, one, 'PUT', '/user', { bearer, json: { email } });
	const change = await here.mailed(email, 'email_change');
	const double = await here.confirmed({}, two.options);

	refuses(await at(here, two, 'PUT', '/user', { bearer: double.access_token, json: { email_change_token: change } }), 401,
		"Email Change Token didn't match token on file");
	assert.equal((await at(here, one, 'PUT', '/user', { bearer, json: { email_change_token: change } })).json.email, email);
});

item(158, 'one address is another person at each site', looksInside, async () => {
	const here = await site();
	const [one, two] = await twins(here, { mailer: { autoconfirm: true } });
	const who = await here.signedUp({}, one.options);
	const again = await here.signedUp({ email: who.email, password: 'quite another one' }, two.options);

	assert.notEqual(again.id, who.id);
	assert.equal((await here.login(who, one.options)).status, 200);
	declines(await here.login(who, two.options), 'invalid_grant', 'No user found with that email, or password invalid.');
	assert.deepEqual((await at(here, two, 'GET', '/admin/users', { bearer: here.operatorToken })).json.users.map(({ id }) => id), [again.id]);
});

item(159, 'an instance goes with its people, and with nobody else', looksInside, async () => {
	const here = await site();
	const [one, two] = await twins(here, { mailer: { autoconfirm: true } });
	const who = await here.signedUp({}, one.options);
	const other = await here.signedUp({}, two.options);
	const rows = async (id) => (await here.database.query('SELECT id FROM portress_account WHERE id = $1', [id])).length;

	await here.loggedIn(who, one.options);
	refuses(await here.del(`/instances/${one.id}`), 401, 'This endpoint requires a Bearer token');
	const answer = await here.operator('DELETE', `/instances/${one.id}`);

	assert.equal(answer.status, 204);
	assert.equal(answer.text, '');
	refuses(await here.operator('GET', `/instances/${one.id}`), 404, 'Instance not found');
	refuses(await here.operator('DELETE', `/instances/${one.id}`), 404, 'Instance not found');
	refuses(await here.login(who, one.options), 404, 'Unable to locate site configuration');
	assert.deepEqual([await rows(who.id), await rows(other.id)], [0, 1]);
	assert.equal((await here.login(other, two.options)).status, 200);
});

item(160, 'the state of a sign-in elsewhere is no signature', looksInside, async () => {
	const here = await site();
	const one = await here.instance({ external: { github: unreachable } });
	const away = await at(here, one, 'GET', '/authorize?provider=github');
	const state = new URL(away.location).searchParams.get('state');

	assert.ok(state);
	refuses(await here.get('/settings', { headers: { 'x-nf-sign': state } }), 400, 'Operator microservice signature is invalid:');
	refuses(await here.get('/settings', { headers: here.signedFor({ id: one.id, provider: 'github' }) }), 400,
		'Operator microservice signature is invalid:');
	refuses(await here.get(`/callback?code=x&state=${sign({ id: one.id, provider: 'github', exp: inAnHour() }, here.operatorToken)}`), 400,
		'OAuth state is invalid:');
});

/* Letters of a site whose templates are told by others than who runs the server. */
item(120, 'an instance never has a file of the server read', looksInside, async () => {
	const here = await site();
	const pages = await HookServer.open();
	const file = join(here.folder, 'letter.html');
	const kinds = (path) => Object.fromEntries(['invite', 'confirmation', 'recovery', 'email_change'].map((kind) => [kind, path]));
	const letterOf = async (config, claims) => {
		const one = await here.instance({ mailer: { templates: kinds(config.path) }, site_url: config.site_url }, claims);
		const who = { email: address(), password: 'x' };
		const answer = await here.post('/signup', who, one.options);

		if (answer.status === 500)
			refuses(answer, 500, 'Error loading environment config');
		return answer.status === 200 ? (await here.mail.letter(who.email)).html : '';
	};

	writeFileSync(file, '<p>a file of the server {{ .ConfirmationURL }}</p>');
	pages.otherwise = { status: 200, type: 'text/html', body: '<p>a page of the site</p>' };
	const base = `http://127.0.0.1:${pages.port}`;

	try {
		assert.match(await letterOf({ site_url: base, path: `file://${file}` }), /a page of the site/);
		assert.equal(pages.calls[0].path, file);
		const ways = [{ site_url: 'file:///', path: file }, { site_url: 'file://', path: file }, { site_url: 'file:', path: `//${file}` },
			{ site_url: `file://${here.folder}`, path: 'letter.html' }, { site_url: 'FILE:///', path: file },
			{ site_url: base, path: `FILE://${file}` }, { site_url: base, path: `https://file://${file}` },
			{ site_url: base, path: `x://y@file://${file}` }, { site_url: base, path: `/..//..//file://${file}` }];

		for (const way of ways)
			assert.ok(!(await letterOf(way)).includes('a file of the server'), JSON.stringify(way));
		for (const url of [`file://${file}`, `file:${file}`, file]) {
			const hooked = await here.instance({ site_url: 'https://site.example', webhook: { url, events: ['validate'] } });
			const asked = await here.post('/signup', { email: address(), password: 'x' }, hooked.options);

			assert.ok(asked.status >= 500 && !asked.text.includes('a file'), `${url} ${asked.text}`);
		}
		for (const { site_url: told } of ways.filter((way) => way.site_url !== base))
			assert.equal(await letterOf({ site_url: base, path: file }, { site_url: told }), '', told);
	} finally {
		await pages.close();
	}
});
