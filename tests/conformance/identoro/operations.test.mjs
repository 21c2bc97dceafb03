/* Items 100 to 108: the command line, the jail, the end, the log, templates, mounts. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { certificates } from '../../support/certificates.mjs';
import { cookieName } from '../../support/csrf.mjs';
import * as html from '../../support/html.mjs';
import { item, looksInside, says, shared, tells, within } from '../../support/item.mjs';
import { Cluster } from '../../support/postgres.mjs';
import { Recaptcha } from '../../support/recaptcha.mjs';
import { run } from '../../support/server.mjs';
import { pause, temporaryFolder, until } from '../../support/settings.mjs';
import { linkIn, tokenIn } from '../../support/smtp.mjs';
import { openWorld, person } from '../../support/world.mjs';

const site = shared();

const variables = ['DB_TYPE', 'DATABASE_URL', 'SECRET_KEY', 'HASH_KEY', 'EMAIL_SENDER', 'EMAIL_REPLY_TO',
	'EMAIL_PASSWORD', 'SMTP_USERNAME', 'SMTP_PASSWORD', 'SMTP_HOST', 'SMTP_PORT', 'WEB_SERVER_ADDRESS',
	'LISTEN_ADDRESS', 'RECAPTCHA_SITE_KEY', 'RECAPTCHA_SECRET_KEY', 'USE_RECAPTCHA', 'RECAPTCHA_VERIFY_URL', 'USER',
	'GROUP', 'RUN_AS_USERNAME_OR_ID', 'RUN_AS_GROUPNAME_OR_ID', 'REQUIRE_FIRST_AND_LAST_NAME', 'USE_JWT_AUTH',
	'JWT_SECRET', 'JWT_EXPIRATION_HOURS', 'REFRESH_TOKEN_SECRET', 'REFRESH_TOKEN_EXPIRATION_HOURS', 'USE_CSRF',
	'IDENTORO_PROFILE', 'SIGNIN_MAX_PER_HOUR', 'SIGNIN_DELAY_MS', 'EMAIL_MAX_PER_RECIPIENT_HOUR',
	'EMAIL_MAX_PER_IP_HOUR', 'EMAIL_MAX_GLOBAL_HOUR', 'TRUSTED_PROXIES', 'INSECURE_COOKIES', 'PASSWORD_MIN_LENGTH',
	'PASSWORD_HASH', 'TEMPLATES_DIR', 'JAIL', 'JAIL_DIR', 'SHUTDOWN_GRACE_SECONDS', 'IDENTORO_USERS_TABLE'];

const serve = (words, w = { settings: {}, folder: temporaryFolder() }) =>
	run(['serve', '--as', 'identoro', ...words], { settings: w.settings, folder: w.folder });

item(100, '--help lists every variable, an unknown flag ends with 2', looksInside, async () => {
	for (const flag of ['--help', '-help']) {
		const { code, out } = await serve([flag]);

		assert.equal(code, 0, flag);
		for (const name of variables)
			assert.match(out, new RegExp(`(^|\\s)${name}\\b`, 'm'), `${flag} is silent about ${name}`);
		assert.match(out, /dd if=\/dev\/urandom bs=32 count=1 \| base64/);
	}
	const unknown = await serve(['--nonsense']);

	assert.equal(unknown.code, 2, unknown.err);
	assert.match(unknown.err, /--nonsense/);
});

const numberOf = (flag, name) => Number(execFileSync('id', [flag, name]).toString());

function groupNumber(name) {
	return Number(execFileSync('getent', ['group', name]).toString().split(':')[2]);
}

/* A folder that root alone may write, with room inside for the target user. */
function makeJail(user = 'nobody', group = 'nogroup') {
	const jail = temporaryFolder('portress-jail-');
	const data = join(jail, 'data');

	chmodSync(jail, 0o755);
	mkdirSync(data, { mode: 0o700 });
	chownSync(data, numberOf('-u', user), groupNumber(group));
	return { jail, data };
}

function jailed({ jail, data }, settings = {}) {
	return { JAIL: 'require', JAIL_DIR: jail, RUN_AS_USERNAME_OR_ID: 'nobody', RUN_AS_GROUPNAME_OR_ID: 'nogroup',
		...(data ? { DATABASE_URL: join(data, 'identoro.db') } : {}), ...settings };
}

/* A world whose SQLite file lies in the jail. */
function jailedWorld(place, { settings, ...options } = {}) {
	return { kind: 'sqlite', shape: 'g2', folder: place.data, settings: jailed(place, settings), ...options };
}

/* What the kernel knows of the process. */
function statusOf(pid) {
	const lines = readFileSync(`/proc/${pid}/status`, 'utf8').trim().split('\n');

	return Object.fromEntries(lines.map((line) => {
		const [name, ...value] = line.split(':');

		return [name, value.join(':').trim().split(/\s+/)];
	}));
}

/* Stories about root need root. */
function asRoot() {
	assert.equal(process.getuid(), 0, 'this test must run as root');
}

item(101, '--user and --group are accepted, and root is refused', looksInside, async () => {
	asRoot();
	const place = makeJail();
	const options = jailedWorld(place, { words: ['--user', 'nobody', '--group', 'nogroup'],
		settings: { RUN_AS_USERNAME_OR_ID: undefined, RUN_AS_GROUPNAME_OR_ID: undefined } });

	await within(options, async (w) => {
		assert.deepEqual(statusOf(w.server.pid).Uid, Array(4).fill(String(numberOf('-u', 'nobody'))));

		for (const [flag, value, words] of [['--user', '0', 'User ID cannot be root (0)!'],
			['--user', 'root', 'User ID cannot be root (0)!'], ['--group', '0', 'Group ID cannot be root (0)!']]) {
			const pair = { '--user': 'nobody', '--group': 'nogroup', [flag]: value };
			const ended = await serve(Object.entries(pair).flat(), w);

			assert.equal(ended.code, 1, ended.err);
			assert.ok(ended.err.includes(words), ended.err);
		}
		const none = await serve([], w);

		assert.equal(none.code, 1);
		assert.ok(none.err.includes('RUN_AS_USERNAME_OR_ID and RUN_AS_GROUPNAME_OR_ID must be provided!'), none.err);
	});
});

item(102, 'Started as root it is the target user, alone, in its jail', looksInside, async () => {
	asRoot();
	const place = makeJail();

	await within(jailedWorld(place), async (w) => {
		const status = statusOf(w.server.pid);
		const [uid, gid] = [String(numberOf('-u', 'nobody')), String(groupNumber('nogroup'))];

		assert.deepEqual(status.Uid, [uid, uid, uid, uid]);
		assert.deepEqual(status.Gid, [gid, gid, gid, gid]);
		assert.deepEqual(status.Groups, [gid]);
		assert.deepEqual(status.NoNewPrivs, ['1']);
		for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
			assert.match(status[set][0], /^0+$/, set);
		assert.equal(readlinkSync(`/proc/${w.server.pid}/root`), place.jail);
		assert.equal(readlinkSync(`/proc/${w.server.pid}/cwd`), place.jail);
		assert.match(readFileSync(`/proc/${w.server.pid}/limits`, 'utf8'), /Max core file size +0 +0 /);
		await w.verified();
	});
});

item(102, 'A jail that others may write is refused', looksInside, async () => {
	asRoot();
	const place = makeJail();

	chmodSync(place.jail, 0o777);
	const w = await openWorld(jailedWorld(place, { start: false, shape: 'readme' }));

	const ended = await serve([], w);

	await w.close();
	assert.equal(ended.code, 1, ended.err);
	assert.ok(ended.err.includes(place.jail), ended.err);
});

/* Mail by STARTTLS and reCAPTCHA by TLS, both vouched for by our own authority alone. */
async function behindTls(options, story) {
	const stub = await Recaptcha.open({ tls: true });

	options.mail = { host: 'localhost', starttls: true };
	Object.assign(options.settings, { SMTP_TLS: 'require', PORTRESS_CA_FILE: certificates().caFile,
		USE_RECAPTCHA: 'true', RECAPTCHA_SITE_KEY: 'site-key', RECAPTCHA_SECRET_KEY: 'recaptcha-secret',
		RECAPTCHA_VERIFY_URL: stub.url });
	try {
		await within(options, (w) => story(w, stub));
	} finally {
		await stub.close();
	}
}

item(103, 'In the jail: STARTTLS and reCAPTCHA with a private authority, SQLite', looksInside, async () => {
	asRoot();
	await behindTls(jailedWorld(makeJail()), async (w, stub) => {
		const who = await w.verified({ 'g-recaptcha-response': 'human' });

		assert.equal(stub.calls.length, 1);
		assert.equal((await w.verifyLetter(who)).secure, true);
		assert.equal((await w.signin(who)).status, 303);
		assert.equal((await w.store.one(who.username)).signins, 1);
	});
});

item(103, 'A mail server or reCAPTCHA of an unknown authority is not spoken to', looksInside, async () => {
	const options = { kind: 'sqlite', shape: 'g2', settings: {} };

	await behindTls(options, async (w, stub) => {
		await w.server.stop();
		delete w.server.settings.PORTRESS_CA_FILE;
		await w.server.start();
		tells(await w.client().post('/signup', person({ 'g-recaptcha-response': 'human' })), 400, 'Invalid reCAPTCHA');
		assert.equal(stub.calls.length, 0);

		await w.server.stop();
		w.server.settings.USE_RECAPTCHA = 'false';
		await w.server.start();
		const who = await w.signedUp();

		await pause(1500);
		assert.equal(w.mail.to(who.email).length, 0);
	});
});

item(103, 'In the jail: PostgreSQL by host name, also after it was away', looksInside, async () => {
	asRoot();
	const own = await Cluster.open();
	const { jail } = makeJail();

	try {
		await within({ kind: 'postgres', shape: 'g2', cluster: own, settings: jailed({ jail }) }, async (w) => {
			assert.match(w.settings.DATABASE_URL, /@localhost:/);
			const who = await w.verified();

			await own.stop();
			assert.equal((await w.client().get('/home')).status, 503);
			await own.start();
			await until('the server to reconnect', async () => (await w.client().get('/home')).status === 200, 30000);
			assert.equal((await w.signin(who)).status, 303);
		});
	} finally {
		await own.close();
	}
});

item(104, 'SIGTERM lets a slow request end, then the server', looksInside, async () => {
	await within({ settings: { SIGNIN_DELAY_MS: '1500' } }, async (w) => {
		const client = w.client();

		await client.csrfToken();
		const answer = client.post('/signin', { username: person().username, password: 'not the password' });

		await pause(400);
		const started = Date.now();
		const ending = w.server.stop();

		await until('the port to close', () => w.client().get('/healthz').then(() => false, () => true));
		says(await answer, 401, 'Invalid credentials');
		assert.deepEqual(await ending, { code: 0, signal: null });
		assert.ok(Date.now() - started < 8000, 'it took longer than the request');
		assert.match(w.server.log, /Shutting down server\.\.\./);
	});
});

item(104, 'The grace ends, and a second signal ends at once with 1', looksInside, async () => {
	const slow = { SIGNIN_DELAY_MS: '8000', SHUTDOWN_GRACE_SECONDS: '1' };
	const hang = async (w) => {
		const client = w.client();

		await client.csrfToken();
		client.post('/signin', { username: person().username, password: 'not the password' }).catch(() => {});
		await pause(400);
	};

	await within({ settings: slow }, async (w) => {
		await hang(w);
		const started = Date.now();

		assert.equal((await w.server.stop()).signal, null);
		assert.ok(Date.now() - started < 5000, 'the grace is not kept');
	});
	await within({ settings: { ...slow, SHUTDOWN_GRACE_SECONDS: '30' } }, async (w) => {
		await hang(w);
		const started = Date.now();

		w.server.child.kill('SIGTERM');
		await pause(300);
		assert.equal((await w.server.stop()).code, 1);
		assert.ok(Date.now() - started < 5000);
		w.server.expendable = true;
	});
});

/* Everything that handles secrets, well and badly. */
async function wholeStory(w) {
	const who = await w.verified();
	const client = await w.signedIn(who, w.client());

	w.keepSecret(w.settings.DATABASE_URL.match(/:([^:@/]{6,})@/)?.[1]);
	w.keepSecret(client.jar.get(cookieName).value, await client.csrfToken());
	await w.signin({ ...who, password: w.keepSecret('a wrong password here') });
	await w.client().get(`/verify?token=${w.keepSecret('v1.garbage-token-value')}`);
	await w.client().get('/me', { headers: { authorization: `Bearer ${w.keepSecret('bearer-garbage-value')}` } });
	const token = await w.resetToken(who);
	const password = w.keepSecret(person().password);

	await w.client().post('/reset', { token, new_password: password });
	await w.browser().get(`/reset?token=${token}`);
	const pair = (await w.signin({ ...who, password })).json.data;

	if (pair) {
		w.keepSecret(pair.token, pair.refresh_token);
		await w.client().post('/refresh', { refresh_token: pair.refresh_token });
		await w.client().post('/refresh', { refresh_token: pair.refresh_token });
	}
	await client.get('/signout');
	await w.mail.down();
	await w.forgot(who);
	await w.client().post('/signin', undefined, { body: w.keepSecret('{"password":"broken json') });
	await w.mail.up();
}

item(105, 'No secret, token, password or cookie value is in the log', looksInside, async () => {
	const modes = [{}, { USE_JWT_AUTH: 'true', JWT_SECRET: 'j'.repeat(10) + person().password.repeat(2),
		REFRESH_TOKEN_SECRET: 'r'.repeat(10) + person().password.repeat(2) }];

	for (const settings of modes)
		await within({ settings: { ...settings, EMAIL_PASSWORD: 'mail-password-value' } }, async (w) => {
			w.keepSecret('mail-password-value', settings.JWT_SECRET, settings.REFRESH_TOKEN_SECRET);
			await wholeStory(w);
			await w.server.stop();
			assert.ok(w.secrets.size >= 12);
			assert.deepEqual(w.leaks(), []);
			assert.match(w.server.log, /\/signin/, 'nothing was logged at all');
			assert.doesNotMatch(w.server.log, /token=/);
			for (const secret of [w.settings.SECRET_KEY, w.settings.HASH_KEY])
				assert.ok(!w.server.log.includes(`${secret.slice(0, 2)}****`), 'a key is shown in part');
		});
});

/* The six templates in the manner of the originals; none of them prints the CSRF field. */
const templates = {
	'home.html': `<!DOCTYPE html><html lang="en"><head><title>Home</title></head><body><h1>Welcome</h1>
{{if .SignedIn}}<p>Hello, {{.Username}}! You are signed in.</p>{{else}}<p>You are not signed in.</p>{{end}}
<h2>Endpoints</h2><ul>{{range .Endpoints}}<li><a href="{{.}}">{{.}}</a></li>{{end}}</ul></body></html>`,
	'signup.html': `<!DOCTYPE html><html lang="en"><head><title>Sign Up</title></head><body><h1>Our own sign-up</h1>
<form action="/signup" method="POST"><label>Username: <input type="text" name="username" required></label><br>
<label>Email: <input type="email" name="email" required></label><br>
<label>Password: <input type="password" name="password" required></label><br>
<div class="g-recaptcha" data-sitekey="{{.RecaptchaSiteKey}}"></div><br><button type="submit">Sign Up</button></form>
<a href="/signin">Already have an account? Sign In</a></body></html>`,
	'signin.html': `<!DOCTYPE html><html lang="en"><head><title>Sign In</title></head><body><h1>Our own sign-in</h1>
<form action="/signin" method="POST">{{.csrfField}}<label>Username: <input type="text" name="username" required></label>
<label>Password: <input type="password" name="password" required></label><button type="submit">Sign In</button></form>
<a href="/signup">Sign Up</a> <a href="/forgot">Forgot Password?</a></body></html>`,
	'forgot.html': `<!DOCTYPE html><html lang="en"><head><title>Forgot Password</title></head><body>
<form action="/forgot" method="POST"><label>Email: <input type="email" name="email" required></label>
<button type="submit">Reset Password</button></form><a href="/signin">Sign In</a></body></html>`,
	'reset.html': `<!DOCTYPE html><html lang="en"><head><title>Reset Password</title></head><body>
<form action="/reset" method="POST"><input type="hidden" name="token" value="{{.Token}}">
<label>New Password: <input type="password" name="new_password" required></label>
<button type="submit">Reset Password</button></form><a href="/signin">Sign In</a></body></html>`,
	'verify.html': `<!DOCTYPE html><html lang="en"><head><title>Account Verification</title></head><body>
<p>Your account is verified.</p><a href="/signin">Sign In</a></body></html>`,
};

function writeTemplates(changes = {}) {
	const folder = temporaryFolder('portress-templates-');

	for (const [name, body] of Object.entries({ ...templates, ...changes }))
		writeFileSync(join(folder, name), body);
	return folder;
}

item(106, 'Templates in the manner of the originals render, and their forms work with CSRF on', looksInside, async () => {
	await within({ settings: { TEMPLATES_DIR: writeTemplates() } }, async (w) => {
		const who = person();
		const browser = w.browser();

		assert.equal(html.heading((await browser.get('/signup')).text), 'Our own sign-up');
		assert.equal((await browser.submit('/signup', who)).location, '/signin');
		assert.equal((await w.open(linkIn(await w.verifyLetter(who)), browser)).location, '/signin');
		assert.equal((await browser.submit('/forgot', { email: who.email })).location, '/signin');
		const token = tokenIn(await w.resetLetter(who));
		const { password } = person();

		assert.equal((await browser.submit(`/reset?token=${token}`, { new_password: password })).location, '/signin');
		assert.equal((await browser.submit('/signin', { username: who.username, password })).location, '/');
		assert.ok((await browser.get('/')).text.includes(`Hello, ${who.username}! You are signed in.`));
		assert.deepEqual(html.links((await browser.get('/')).text), ['/signup', '/signin', '/signout', '/forgot', '/reset',
			'/verify', '/me', '/refresh']);
		for (const path of ['/signup', '/signin', '/forgot', '/reset']) {
			const form = html.form((await browser.get(path)).text, path);

			assert.equal(form.inputs.filter((one) => one.name === 'gorilla.csrf.Token').length, 1, path);
		}
	});
});

item(106, 'A broken template ends the start with file and line', looksInside, async () => {
	for (const broken of ['<p>\n{{if .SignedIn}}</p>\n', '<p>\n{{template "other"}}</p>\n', '<p>\n{{.Username</p>\n']) {
		const folder = writeTemplates({ 'home.html': broken });
		const w = await openWorld({ kind: 'sqlite', shape: 'readme', start: false, settings: { TEMPLATES_DIR: folder } });

			const ended = await serve([], w);

		await w.close();
		assert.equal(ended.code, 1, ended.err);
		assert.match(ended.err, /home\.html:[234]\b/);
	}
});

item(107, 'Mounted at /auth, links, redirects, cookie paths and forms carry the prefix', looksInside, async () => {
	await within({ prefix: '/auth', settings: { PORTRESS_SURFACES: 'pages=/auth' } }, async (w) => {
		const who = person();
		const browser = w.browser();
		const home = await browser.get('/');

		assert.equal(home.status, 200);
		assert.ok(html.links(home.text).includes('/auth/signin'), html.links(home.text).join());
		assert.match(home.cookie(cookieName).attributes.path, /^\/auth\/?$/);
		for (const path of ['/signup', '/signin', '/forgot', '/reset']) {
			const page = await browser.get(path);

			assert.equal(html.form(page.text, path).action, `/auth${path}`);
			for (const link of html.links(page.text).filter((one) => one.startsWith('/')))
				assert.ok(link.startsWith('/auth/') || link === '/auth', `${path} to ${link}`);
			for (const { attributes } of html.tags(page.text).filter((tag) => ['link', 'script', 'img'].includes(tag.name)))
				for (const address of [attributes.href, attributes.src].filter(Boolean))
					assert.ok(address.startsWith('/auth/'), `${path} loads ${address}`);
		}
		assert.equal((await browser.submit('/signup', who)).location, '/auth/signin');
		const link = linkIn(await w.verifyLetter(who));

		assert.ok(link.startsWith(`${w.base}/verify?token=`), link);
		assert.equal((await w.open(link, browser)).location, '/auth/signin');
		const answer = await browser.submit('/signin', { username: who.username, password: who.password });

		assert.equal(answer.location, '/auth/');
		assert.match(answer.cookie('session').attributes.path, /^\/auth\/?$/);
		assert.ok((await browser.get('/')).text.includes(who.username));
		assert.equal((await browser.get('/signout')).location, '/auth/');

		browser.prefix = '';
		assert.equal((await browser.get('/signin')).status, 404);
	});
});

item(108, 'The requests of the React sample come through', looksInside, async () => {
	const w = await site();
	const who = person();
	const client = w.client({ accept: '*/*', headers: { 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' } });
	const send = async (path, fields) => {
		const token = (await client.get('/refresh')).headers['csrf-token'];

		return client.post(path, fields, { csrf: false, headers: { 'csrf-token': token, origin: w.base } });
	};

	says(await send('/signup', { ...who, firstname: 'Ada', lastname: 'Lovelace', 'g-recaptcha-response': '' }), 303,
		'Signup successful, please verify your email');
	says(await client.get(`/verify?token=${tokenIn(await w.verifyLetter(who))}`), 303, 'Account verified');
	const signedIn = await send('/signin', { username: who.username, password: who.password });

	tells(signedIn, 303, 'Signin successful');
	assert.equal(signedIn.json.userId, (await w.store.one(who.username)).id);
	const me = await client.get('/me');

	tells(me, 200, 'User info');
	assert.equal(me.json.username, who.username);
	assert.equal(me.json.name, 'Ada Lovelace');
	says(await send('/forgot', { email: who.email }), 303, 'Password reset email sent');
	const token = tokenIn(await w.resetLetter(who));

	says(await send('/reset', { token, new_password: person().password }), 303, 'Password reset successful');
	says(await client.get('/signout'), 200, 'Signout successful');
	assert.equal((await client.get('/me')).status, 401);
});
