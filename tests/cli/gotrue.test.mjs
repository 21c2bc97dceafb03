/* In GoTrue's place: its variables, its files, its words of the command line, and what they lead to. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { Browser, Client } from '../support/client.mjs';
import { HookServer } from '../support/hook-server.mjs';
import { sign, within } from '../support/gotrue.mjs';
import { Server, run } from '../support/server.mjs';
import { freePort, temporaryFolder, until } from '../support/settings.mjs';

const secret = 'an operator token of thirty-two bytes';
const minimal = { GOTRUE_SITE_URL: 'https://t.example', GOTRUE_JWT_SECRET: 'the secret of tokens, of the same size',
	GOTRUE_OPERATOR_TOKEN: secret, GOTRUE_DB_DRIVER: 'sqlite3', GOTRUE_DB_DATABASE_URL: 'gotrue.db' };
const lines = (settings) => Object.entries(settings).map(([name, value]) => `${name}=${value}\n`).join('');

async function started(t, words, { file, settings = {}, name = '.env' } = {}) {
	const folder = temporaryFolder('portress-cli-');
	const port = await freePort();

	if (file)
		writeFileSync(join(folder, name), lines({ GOTRUE_API_PORT: port, GOTRUE_API_HOST: '127.0.0.1', ...file }));
	const server = new Server({ words, port, host: `127.0.0.1:${port}`, folder,
		settings: { PORTRESS_JAIL: 'off', ...settings } });

	t.after(() => server.stop());
	await server.start();
	return { server, folder, base: `http://127.0.0.1:${port}` };
}

test('a .env of GoTrue is all that it takes, and nothing but the database is kept', async (t) => {
	const { server, folder, base } = await started(t, ['--as', 'gotrue'], { file: { ...minimal, GOTRUE_TRACING_ENABLED: 'true' } });
	const health = await fetch(`${base}/health`);

	assert.equal((await health.json()).name, 'GoTrue');
	assert.match(server.log, /GOTRUE_TRACING_ENABLED has no effect: nothing is traced/);
	assert.ok(existsSync(join(folder, 'gotrue.db')));
	assert.ok(!existsSync(join(folder, 'var')));
	assert.ok(!server.log.includes(secret));
});

test('the environment counts more than the file, and -c names another', async (t) => {
	const { base } = await started(t, ['serve', '--as=gotrue', '-c', 'site.conf'],
		{ file: { ...minimal, OTHERS: 'are left alone' }, name: 'site.conf', settings: { GOTRUE_DISABLE_SIGNUP: 'T' } });

	assert.equal((await (await fetch(`${base}/settings`)).json()).disable_signup, true);
});

test('what is missing or cannot be read is named, and nothing starts', async () => {
	const refused = async (settings, says, words = ['--as', 'gotrue']) => {
		const folder = temporaryFolder('portress-cli-');
		const { code, err } = await run(words, { folder, settings });

		assert.equal(code, 78, err);
		assert.match(err, says);
	};
	const { GOTRUE_OPERATOR_TOKEN: _, ...rest } = minimal;

	await refused(rest, /GOTRUE_OPERATOR_TOKEN is required/);
	await refused({ ...minimal, GOTRUE_JWT_SECRET: '' }, /GOTRUE_JWT_SECRET is required/);
	await refused({ ...minimal, GOTRUE_MAILER_AUTOCONFIRM: 'perhaps' }, /GOTRUE_MAILER_AUTOCONFIRM: must be true or false/);
	await refused({ ...minimal, GOTRUE_DB_DRIVER: 'oracle' }, /GOTRUE_DB_DRIVER must be mysql, postgres or sqlite3/);
	await refused(minimal, /nowhere\.conf: cannot read it/, ['--as', 'gotrue', '-c', 'nowhere.conf']);
});

test('migrate brings the database up to date, with or without the word up', async () => {
	const folder = temporaryFolder('portress-cli-');
	const { code, out } = await run(['migrate', '--as', 'gotrue'], { folder, settings: minimal });

	assert.equal(code, 0);
	assert.match(out, /applied 001/);
});

test('help and config speak with its names, and never show a secret', async () => {
	const folder = temporaryFolder('portress-cli-');
	const { out } = await run(['serve', '--as', 'gotrue', '--help'], { folder });
	const printed = await run(['config', 'print', '--as', 'gotrue'], { folder, settings: minimal });

	assert.match(out, /GOTRUE_API_PORT, PORT {2}--listen\.port .*\(8081\)/);
	assert.match(out, /GOTRUE_JWT_SECRET {2}SECRET {2}required/);
	assert.match(printed.out, /^GOTRUE_SITE_URL=https:\/\/t\.example {2}# environment$/m);
	assert.match(printed.out, /^GOTRUE_OPERATOR_TOKEN=set /m);
	assert.ok(!printed.out.includes(secret));
});

test('a plain server has the dialect beside its pages, and one account for both', async (t) => {
	const port = await freePort();
	const folder = temporaryFolder('portress-cli-');
	const server = new Server({ words: ['serve'], port, host: `localhost:${port}`, folder,
		settings: { PORTRESS_LISTEN: `127.0.0.1:${port}`, PORTRESS_JAIL: 'off' } });

	t.after(() => server.stop());
	await server.start();
	const at = (path) => fetch(`http://127.0.0.1:${port}${path}`, { headers: { accept: 'text/html' } });

	assert.equal((await (await at('/gotrue/settings')).json()).external.email, true);

	const browser = new Browser({ base: `http://localhost:${port}`, connect: `http://127.0.0.1:${port}` });
	const who = { email: 'a@example.com', password: 'correct horse battery' };
	const post = (path, json) => browser.request('POST', path, { json });

	assert.equal((await post('/gotrue/signup', who)).status, 200);
	const [letter] = /\/dev\/mailbox\/[^"]+/.exec((await browser.get('/dev/mailbox')).text);
	const [, token] = /\/verify\?token=([A-Za-z0-9_-]+)/.exec((await browser.get(letter)).text);

	assert.equal((await post('/gotrue/verify', { type: 'signup', token })).status, 200);
	const answer = await browser.submit('/signin', { username: who.email, password: who.password });

	assert.equal(answer.status, 303, answer.text);
});

test('where nobody signs up, the pages are closed too', async (t) => {
	const port = await freePort();
	const server = new Server({ words: ['serve', '--gotrue.disable_signup'], port, host: `localhost:${port}`,
		folder: temporaryFolder('portress-cli-'), settings: { PORTRESS_LISTEN: `127.0.0.1:${port}`, PORTRESS_JAIL: 'off', PORTRESS_CSRF: 'false' } });

	t.after(() => server.stop());
	await server.start();
	const client = new Client({ base: `http://localhost:${port}`, connect: `http://127.0.0.1:${port}` });
	const answer = await client.request('POST', '/signup', { json: { username: 'ann', email: 'a@example.com', password: 'correct horse battery' } });

	assert.equal(answer.status, 403, answer.text);
});

test('a webhook is asked before, and told after the fact', async () => {
	const hooks = await HookServer.open({ secret: 'of the hook' });

	try {
		await within({ settings: { GOTRUE_WEBHOOK_URL: hooks.url, GOTRUE_WEBHOOK_SECRET: 'of the hook',
			GOTRUE_WEBHOOK_EVENTS: 'validate, login,usermodified', PORTRESS_WEBHOOK_ALLOW_PRIVATE: 'true',
			GOTRUE_MAILER_AUTOCONFIRM: 'true' } }, async (site) => {
			hooks.script = [{ status: 200 }, { status: 200, body: { app_metadata: { roles: ['seen'] } } }];
			const who = await site.signedUp();

			await site.loggedIn(who);
			assert.deepEqual(hooks.calls.map((call) => call.body.event), ['validate', 'login']);
			assert.ok(hooks.calls.every((call) => call.signature.isGenuine && call.signature.isOfBody));
			await site.operator('PUT', `/admin/users/${who.id}`, { role: 'editor' });
			assert.equal((await hooks.called('usermodified')).body.user.role, 'editor');
		});
	} finally {
		await hooks.close();
	}
});

test('letters lead to the site, go out before the answer, and may look as the site wants', async () => {
	const pages = await HookServer.open();

	pages.otherwise = { status: 200, type: 'text/html', body: '<p>Dear {{ .Email }}: <a href="{{ .ConfirmationURL }}">here</a></p>' };
	try {
		await within({ siteUrl: `http://127.0.0.1:${pages.port}/app/`, settings: { PORTRESS_WEBHOOK_ALLOW_PRIVATE: 'true',
			GOTRUE_MAILER_URLPATHS_CONFIRMATION: 'hello', GOTRUE_MAILER_SUBJECTS_CONFIRMATION: 'For {{ .Email }}',
			GOTRUE_MAILER_TEMPLATES_CONFIRMATION: '/mail/confirm.html' } }, async (site) => {
			const who = await site.confirmed();
			const letter = await site.mail.letter(who.email);

			assert.equal(letter.subject, `For ${who.email}`);
			assert.ok(letter.html.includes(`<p>Dear ${who.email}`), letter.html);
			assert.ok(letter.html.includes(`${site.siteUrl}hello#confirmation_token=`), letter.html);
			assert.equal(pages.calls[0].path, '/app/mail/confirm.html');
		});
	} finally {
		await pages.close();
	}
	await within({ start: false }, async (site) => {
		await site.mail.close();
		await site.server.start();
		const answer = await site.post('/signup', { email: 'nobody@example.com', password: 'x' });

		assert.equal(answer.status, 500);
		assert.equal(answer.json.msg, 'Error sending confirmation mail');
		site.mail = null;
	});
});

test('multi serves each site that the operator signs for', async () => {
	const hooks = await HookServer.open({ secret: 'secret of an instance' });

	try {
		await within({ words: ['multi'], settings: { GOTRUE_SITE_URL: undefined, GOTRUE_JWT_SECRET: undefined,
			PORTRESS_WEBHOOK_ALLOW_PRIVATE: 'true' } }, async (site) => {
			const make = async (config) => (await site.operator('POST', '/instances', { uuid: randomUUID(), config })).json;
			const one = await make({ jwt: { secret: 'secret of an instance', exp: 60 }, mailer: { autoconfirm: true } });
			const as = (claims) => ({ headers: { 'x-nf-sign': sign(claims, site.operatorToken) } });
			const who = { email: 'a@example.com', password: 'correct horse' };
			const functions = { login: [hooks.url], usermodified: hooks.url };
			const asking = as({ id: one.id, site_url: 'https://one.example', function_hooks: functions });

			assert.equal((await site.post('/signup', who, asking)).status, 200);
			const tokens = await site.token({ grant_type: 'password', username: who.email, password: who.password }, asking);

			assert.equal(tokens.json.expires_in, 60, tokens.text);
			assert.deepEqual(hooks.calls.map((call) => [call.event, call.body.instance_id]), [['identity_login', one.id]]);
			assert.ok(hooks.calls[0].signature.isGenuine);

			const two = await make({ site_url: 'https://two.example/app/', jwt: { secret: 'secret of another' },
				mailer: { url_paths: { confirmation: 'hello' } } });
			const stranger = await site.token({ grant_type: 'password', username: who.email, password: who.password }, as({ id: two.id }));

			assert.equal(stranger.status, 400);
			await site.post('/signup', { email: 'b@example.com', password: 'x' }, as({ id: two.id }));
			await site.mailed('b@example.com', 'confirmation');
			assert.match((await site.mail.letter('b@example.com')).html, /https:\/\/two\.example\/app\/hello#/);
			const none = await make({});

			assert.equal((await site.get('/settings', as({ id: none.id }))).status, 500);
			await until('a line that says why', () => site.server.log.includes('jwt.secret is missing'));

			const users = await site.ask('GET', '/admin/users', { bearer: site.operatorToken, ...asking });

			await site.ask('PUT', `/admin/users/${users.json.users[0].id}`, { bearer: site.operatorToken, json: { role: 'r' }, ...asking });
			const told = await hooks.called('usermodified');

			assert.ok(told.signature.isGenuine);
			assert.equal(told.body.user.role, 'r');
		});
	} finally {
		await hooks.close();
	}
});
