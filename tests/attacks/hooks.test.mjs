/*
 * Programs that are asked and told: where they may be, what they may answer, and what is theirs to know.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after } from 'node:test';
import { gzipSync } from 'node:zlib';

import { attack } from '../support/attack.mjs';
import { address, decode, many, refuses, shared, within } from '../support/gotrue.mjs';
import { HookServer } from '../support/hook-server.mjs';
import { pause, until } from '../support/settings.mjs';

const secret = 'the secret of hooks';
const hooks = await HookServer.open({ secret });
const all = 'validate,signup,login,usermodified,userdeleted';

after(() => hooks.close());

const asking = (events = all, more = {}) => ({ settings: { GOTRUE_WEBHOOK_URL: hooks.url, GOTRUE_WEBHOOK_SECRET: secret, GOTRUE_WEBHOOK_EVENTS: events,
	GOTRUE_WEBHOOK_RETRIES: '1', GOTRUE_WEBHOOK_TIMEOUT_SEC: '1', PORTRESS_WEBHOOK_ALLOW_PRIVATE: 'true', GOTRUE_MAILER_AUTOCONFIRM: 'true', ...more } });

const sites = shared(many());
const site = shared(asking());
const trying = shared(asking('validate'));

const signUp = (here, options) => here.post('/signup', { email: address(), password: 'a quiet harbour' }, options);

/* What nobody is ever to reach: each connection counts. */
async function trap(t, host = '127.0.0.1') {
	const seen = { connections: 0 };
	const server = net.createServer((socket) => { seen.connections += 1; socket.destroy(); }).listen(0, host);

	await once(server, 'listening');
	t.after(() => server.close());
	seen.port = server.address().port;
	return seen;
}

/* ---- where ---- */

attack('HOOK-01', 'no spelling of a private address is asked', async (t) => {
	const here = await sites();
	const seen = await trap(t);
	const hosts = ['127.0.0.1', 'localhost', 'LOCALHOST', 'localhost.', '0.0.0.0', '[::]', '[::1]', '169.254.169.254', '10.0.0.1', '172.16.0.1', '192.168.0.1',
		'100.64.0.1', '192.0.2.1', '198.18.0.1', '224.0.0.1', '255.255.255.255', '[fd00::1]', '[fe80::1]', '2130706433', '0x7f000001', '0177.0.0.1', '127.1', '0',
		'[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[::127.0.0.1]', '127.0.0.1.', 'user:pass@127.0.0.1', 'ip6-localhost',
		'[ff02::1]', '127.000.000.001', '%31%32%37.0.0.1'];
	const one = await here.instance({ mailer: { autoconfirm: true } });

	for (const host of hosts)
		for (const scheme of ['http', 'https']) {
			const url = `${scheme}://${host}:${seen.port}/hook`;
			const saved = await here.operator('PUT', `/instances/${one.id}`, { config: { webhook: { url, secret, retries: 1, timeout_sec: 1, events: ['validate'] } } });

			assert.ok([200, 400].includes(saved.status), `${url}: ${saved.text}`);
			if (saved.status === 400)
				continue;
			const answer = await signUp(here, one.options);

			assert.ok([500, 502].includes(answer.status), `${url}: ${answer.status} ${answer.text}`);
			assert.ok(!answer.text.includes('pass@'), answer.text);
		}
	assert.equal(seen.connections, 0);
	await here.operator('PUT', `/instances/${one.id}`, { config: { webhook: { url: '', secret: '', events: [] } } });
	assert.equal((await signUp(here, one.options)).status, 200);
});

attack('HOOK-01', 'nor by what a request brings along, nor by a redirect', async (t) => {
	const here = await sites();
	const seen = await trap(t);
	const one = await here.instance({ mailer: { autoconfirm: true } }, { function_hooks: { validate: [`http://localhost:${seen.port}/x`] } });

	assert.equal((await signUp(here, one.options)).status, 502);
	const asked = await trying();

	hooks.forget();
	hooks.otherwise = { status: 307, headers: { location: `http://127.0.0.1:${seen.port}/` } };
	refuses(await signUp(asked), 422, 'Failed to handle signup webhook');
	assert.equal(seen.connections, 0);
});

attack('HOOK-10', 'no line break gets into what is asked', async () => {
	const here = await sites();

	for (const url of ['http://example.com/\r\nX-Evil: 1', 'http://example.com\r\n/x', 'http://exa mple.com/', 'http://example.com/ x', 'gopher://example.com/', 'file:///etc/passwd',
		'ftp://example.com', 'http://', 'javascript:alert(1)', 'unix:/x']) {
		const answer = await here.operator('POST', '/instances', { uuid: crypto.randomUUID(), config: { site_url: 'https://a.example', jwt: { secret: 'x'.repeat(32) },
			webhook: { url, events: ['validate'] } } });

		if (answer.status === 201)
			assert.equal((await signUp(here, { headers: here.signedFor({ id: answer.json.id }) })).status >= 400, true, url);
	}
	const asked = await trying();

	hooks.forget();
	await asked.post('/signup', { email: address(), password: 'a quiet harbour', data: { a: 'x\r\nX-Evil: 1' } }, { headers: { 'x-request-id': 'a', 'x-nf-client': 'b c' } });
	const [call] = hooks.calls;

	assert.deepEqual(Object.keys(call.headers).filter((name) => !['host', 'user-agent', 'accept', 'content-type', 'content-length', 'x-netlify-event',
		'x-webhook-signature', 'connection', 'accept-encoding'].includes(name)), []);
	assert.equal(call.body.user.user_metadata.a, 'x\r\nX-Evil: 1');
});

/* ---- what it answers ---- */

attack('HOOK-02', 'an answer is as large, as slow and as odd as it may be, and then it is a no', async () => {
	const here = await trying();
	const deep = `{"user_metadata":${'{"a":'.repeat(2000)}1${'}'.repeat(2001)}`;
	const answers = [
		[{ status: 200, body: Buffer.alloc(10 << 20, 'x') }, 500], [{ status: 200, body: gzipSync(Buffer.alloc(100 << 20)), headers: { 'content-encoding': 'gzip' } }, 500],
		[{ status: 200, body: '{', type: 'text/html' }, 500], [{ status: 200, body: deep }, 500], [{ status: 200, body: '[1]' }, 500], [{ status: 200, body: '"x"' }, 500],
		[{ status: 200, body: '{"user_metadata":{"a":1},"user_metadata":{"a":2}}' }, 500], [{ status: 200, body: '{"user_metadata":[]}' }, 500],
		[{ status: 200, body: '{"user_metadata":"x"}' }, 500], [{ status: 200, body: '{"app_metadata":7}' }, 500],
		[{ status: 200, body: `{"user_metadata":{"a":"${'x'.repeat(5000)}"}}` }, 500], [{ status: 200, body: Buffer.from('7b22757365725f6d65746164617461223a7b2261223a22ff227d7d', 'hex') }, 500],
		[{ status: 200, body: '{"user_metadata":{}} {}' }, 500], [{ status: 200, body: 'x'.repeat(1000), cut: 'body' }, 500], [{ silent: true }, 504],
		[{ cut: 'connection' }, 500], [{ status: 199 + 2 }, 422], [{ status: 301, headers: { location: '/x' } }, 422], [{ status: 404 }, 422], [{ status: 500 }, 422],
	];

	for (const [answer, status] of answers) {
		hooks.forget();
		hooks.otherwise = answer;
		const email = address();
		const told = await here.post('/signup', { email, password: 'a quiet harbour' });

		assert.equal(told.status, status, `${JSON.stringify(answer).slice(0, 120)}: ${told.status} ${told.text}`);
		assert.ok(told.text.length < 1000);
		assert.ok(told.milliseconds < 5000);
		assert.equal((await here.operator('GET', `/admin/users?filter=${encodeURIComponent(email)}`)).json.users.length, 0);
	}
	hooks.forget();
	assert.equal((await signUp(here)).status, 200);
});

attack('HOOK-02', 'bytes that come one by one, for ever, or without an end, take no longer than allowed', async (t) => {
	const ways = {
		'one by one': (socket) => { socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n'); return setInterval(() => socket.write('x'), 100); },
		'chunks for ever': (socket) => { socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'); return setInterval(() => socket.write('1000\r\n' + 'x'.repeat(4096) + '\r\n'), 1); },
		'headers for ever': (socket) => { socket.write('HTTP/1.1 200 OK\r\n'); return setInterval(() => socket.write(`x-${Math.random()}: ${'y'.repeat(4096)}\r\n`), 1); },
	};

	for (const [what, way] of Object.entries(ways)) {
		const timers = [];
		const server = net.createServer((socket) => {
			socket.on('error', () => {});
			socket.once('data', () => timers.push(way(socket)));
		}).listen(0, '127.0.0.1');

		await once(server, 'listening');
		t.after(() => { timers.forEach(clearInterval); server.close(); });
		await within(asking('validate', { GOTRUE_WEBHOOK_URL: `http://127.0.0.1:${server.address().port}/` }), async (here) => {
			const told = await signUp(here);

			assert.ok([500, 504].includes(told.status), `${what}: ${told.status} ${told.text}`);
			assert.ok(told.milliseconds < 6000, `${what}: ${told.milliseconds} ms`);
		});
	}
});

attack('HOOK-03', 'a hook that hangs holds up whom it is asked about, and nobody else', async () => {
	await within(asking('validate', { GOTRUE_WEBHOOK_TIMEOUT_SEC: '6' }), async (here) => {
		hooks.forget();
		hooks.otherwise = { silent: true };
		const who = await here.made();
		let { refresh_token } = await here.loggedIn(who);
		const hanging = Array.from({ length: 24 }, () => signUp(here));

		await until('the hooks to be asked', () => hooks.calls.length >= 4);
		const times = [];

		for (let n = 0; n < 20; n++) {
			const answers = [await here.get('/health'), await here.refresh(refresh_token), await here.login(who)];

			assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200]);
			({ refresh_token } = answers[1].json);
			times.push(...answers.map(({ milliseconds }) => milliseconds));
		}
		assert.ok(times.sort((a, b) => a - b).at(-2) < 1000, `${Math.round(times.at(-2))} ms`);
		for (const told of await Promise.all(hanging))
			assert.ok([504, 503].includes(told.status), `${told.status} ${told.text}`);
	});
});

/* ---- what it knows ---- */

attack('HOOK-04', 'a signature is no key to anything', async () => {
	const here = await site();
	const told = [];

	hooks.forget();
	assert.equal((await signUp(here)).status, 200);
	told.push(...hooks.calls.map(({ headers }) => headers['x-webhook-signature']));
	assert.ok(told.length >= 2);
	for (const bearer of told)
		for (const path of ['/user', '/admin/users', '/admin/audit'])
			assert.equal((await here.get(path, { bearer })).status, 401);
	assert.ok(hooks.calls.every(({ signature }) => signature.isGenuine && signature.isOfBody));
	assert.ok(hooks.calls.every(({ signature }) => Math.abs(signature.claims.iat - here.control.now() / 1000) < 10));
});

attack('HOOK-04', 'not even where it is made with the secret of tokens', async () => {
	await within(many({ settings: { PORTRESS_WEBHOOK_ALLOW_PRIVATE: 'true' } }), async (here) => {
		const one = await here.instance({ mailer: { autoconfirm: true } }, { function_hooks: { validate: [hooks.url] } });

		hooks.forget();
		assert.equal((await signUp(here, one.options)).status, 200);
		const bearer = hooks.calls[0].headers['x-webhook-signature'];

		assert.equal(decode(bearer)[1].iss, 'gotrue');
		for (const path of ['/user', '/admin/users', '/admin/audit'])
			assert.equal((await here.get(path, { bearer, ...one.options })).status, 401);
	});
});

attack('HOOK-05', 'no secret of anybody is told', async () => {
	const here = await site();
	const password = 'the canary sings at 4711';

	hooks.forget();
	const who = await here.signedUp({ password });
	const first = await here.loggedIn(who);
	const second = (await here.refresh(first.refresh_token)).json;

	await here.operator('PUT', `/admin/users/${who.id}`, { role: 'x', password: `${password}!` });
	await hooks.called('usermodified');
	await here.operator('DELETE', `/admin/users/${who.id}`);
	await hooks.called('userdeleted');
	const allowed = ['id', 'aud', 'role', 'email', 'confirmed_at', 'invited_at', 'confirmation_sent_at', 'recovery_sent_at', 'new_email', 'email_change_sent_at',
		'last_sign_in_at', 'app_metadata', 'user_metadata', 'created_at', 'updated_at'];

	assert.equal(hooks.calls.length, 5);
	for (const { raw, body, headers } of hooks.calls) {
		assert.deepEqual(Object.keys(body), ['event', 'instance_id', 'user']);
		assert.deepEqual(Object.keys(body.user).filter((key) => !allowed.includes(key)), []);
		for (const canary of [password, 'argon2', first.refresh_token, second.refresh_token, first.access_token, here.secret, here.operatorToken, secret, '127.0.0.1'])
			assert.ok(!raw.includes(canary) && (canary === '127.0.0.1' || !JSON.stringify(headers).includes(canary)), canary);
	}
});

/* ---- what is told after the fact ---- */

attack('HOOK-07', 'what did not happen is not told, and what did is told after a crash too', async () => {
	await within(asking('usermodified,userdeleted'), async (here) => {
		const [who, taken] = [await here.made(), await here.made()];

		hooks.forget();
		assert.equal((await here.operator('PUT', `/admin/users/${who.id}`, { email: taken.email })).status, 422);
		assert.equal((await here.operator('PUT', `/admin/users/${who.id}`, { role: 'x', password: 'y'.repeat(73) })).status, 422);
		here.control.set('fail_act', 2);
		assert.equal((await here.operator('PUT', `/admin/users/${who.id}`, { role: 'editor' })).status, 503);
		here.control.mendStore();
		await pause(300);
		assert.equal(hooks.calls.length, 0);
		await hooks.down();
		assert.equal((await here.operator('PUT', `/admin/users/${who.id}`, { role: 'editor' })).status, 200);
		assert.equal((await here.operator('DELETE', `/admin/users/${taken.id}`)).status, 200);
		await here.server.kill();
		await hooks.up();
		await here.server.start();
		here.control.advance(3600);
		assert.equal((await hooks.called('usermodified')).body.user.role, 'editor');
		assert.equal((await hooks.called('userdeleted')).body.user.id, taken.id);
	});
});
