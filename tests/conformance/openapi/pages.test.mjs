/*
 * docs/openapi/pages.yaml against the program: the document is one, it has the rows and the words of
 * the server's tables, and every answer of a story stands in it. At the end each promise that could
 * be kept has been.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Validator } from '@seriousme/openapi-schema-validator';

import { Client } from '../../support/client.mjs';
import { Control } from '../../support/control.mjs';
import { HookServer } from '../../support/hook-server.mjs';
import { newcomer, openPlain } from '../../support/plain.mjs';
import { temporaryFolder, until } from '../../support/settings.mjs';
import { query } from '../../support/sqlite.mjs';
import { Description } from './description.mjs';
import { readDocument } from './document.mjs';
import { fixedWords, routeRows } from './tables.mjs';

const description = new Description();

/* Programs ask for JSON, browsers for HTML. What both do is told twice. */
const program = { accept: 'application/json', wrap: (fields) => ({ json: fields }) };
const browser = { accept: 'text/html', wrap: (fields) => ({ form: fields }) };
const kinds = [program, browser];

/* A client whose every answer is judged. `said` is which of the described ones the last was. */
class Judged extends Client {
	async request(method, path, options = {}) {
		const answer = await super.request(method, path, options);

		answer.said = description.judge(method, path, options, answer);
		return answer;
	}
}

const client = (site, kind = program, options = {}) => new Judged({ base: site.base,
	connect: site.connect ?? site.base, accept: kind.accept, headers: site.headers, ...options });

async function send(site, kind, path, fields, options = {}) {
	const who = options.client ?? client(site, kind);

	return who.post(path, undefined, { ...kind.wrap(fields), ...options });
}

const raw = (body, type) => ({ json: undefined, form: undefined, body, type });

/* Both kinds are refused, a program in these words; a browser too, where only programs are expected. */
async function refused(site, path, fields, status, words, options) {
	for (const kind of kinds) {
		const answer = await send(site, kind, path, fields, options);

		assert.equal(answer.status, status, answer.text);
		assert.equal(answer.said, kind === browser && answer.type === 'text/html' ? 'text/html' : words);
	}
}

async function mailed(site, email, path) {
	return until(`a letter to ${email}`, async () => {
		const letters = (await client(site).get('/dev/mailbox')).json.data;

		return letters.find((one) => one.to === email && one.link.includes(path));
	});
}

async function linkTo(site, email, path) {
	const { pathname, search } = new URL((await mailed(site, email, path)).link);

	return pathname + search;
}

async function signedUp(site, kind = program) {
	const who = newcomer();
	const answer = await send(site, kind, '/signup', who);

	assert.equal(answer.status, 303, answer.text);
	return who;
}

async function verified(site, kind = program) {
	const who = await signedUp(site, kind);
	const answer = await client(site, kind).get(await linkTo(site, who.email, '/verify'));

	assert.equal(answer.status, 303, answer.text);
	return who;
}

async function signedIn(site, who, kind = program) {
	const visitor = client(site, kind);
	const answer = await send(site, kind, '/signin', who, { client: visitor });

	assert.ok([200, 303].includes(answer.status), answer.text);
	return { visitor, answer };
}

const secrets = { access: 'an access key of more than 32 bytes', refresh: 'a refresh key of more than 32 bytes' };

function token(key, claims) {
	const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
	const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;

	return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

/* Rows by what is done with them, from the description itself. */
const gets = description.operations().filter(({ method }) => method === 'GET');
const posts = description.operations().filter(({ method }) => method === 'POST').map(({ path }) => path);
const concrete = (path) =>
	path.replace('{tag}', '0123456789abcdef').replace('{name}', 'a.css').replace('{id}', 'none');

describe('the document', () => {
	test('is OpenAPI 3.1', async () => {
		const validator = new Validator();
		const { valid, errors } = await validator.validate(readDocument('pages'));

		assert.ok(valid, JSON.stringify(errors, null, 2));
		assert.equal(validator.version, '3.1');
	});

	test('is refused as OpenAPI when a member is misspelt', async () => {
		const document = readDocument('pages');

		document.paths['/signup'].post.respones = {};
		assert.equal((await new Validator().validate(document)).valid, false);
	});

	test('has schemas that a strict reader takes', () => {
		for (const name of Object.keys(description.document.components.schemas))
			assert.ok(description.schema(['components', 'schemas', name]), name);
	});

	test('has the rows of the server, and no others', () => {
		assert.deepEqual(description.rows(), routeRows('pages', 'ops'));
	});

	test('has the words of every refusal, and no others', () => {
		const { schemas } = description.document.components;
		const words = Object.values(schemas).map(({ properties }) => properties)
			.filter((one) => one?.status?.const >= 400 && one.message.const)
			.map((one) => `${one.status.const} ${one.message.const}`);

		/* In the profile that is described a bad link is never 401 at /reset, but a bad token is at /me. */
		assert.deepEqual([...new Set(words)].sort(), fixedWords());
	});

	test('names each answer once', () => {
		const ids = description.operations().map(({ operation }) => operation.operationId);

		assert.equal(new Set(ids).size, ids.length);
	});
});

describe('the judge', () => {
	const headers = { 'x-csrf-token': `${'A'.repeat(86)}==` };
	const answer = (status, json, more = {}) => ({ status, type: 'application/json', headers, json,
		text: `${JSON.stringify(json)}\n`, body: Buffer.from('x'), ...more });
	const judge = (one, method = 'POST', path = '/signin') => new Description().judge(method, path, {}, one);
	const good = { data: null, message: 'Invalid credentials', status: 401 };

	test('takes what is described', () => {
		assert.equal(judge(answer(401, good)), 'CredentialsInvalid');
	});

	const bad = [
		['another message', answer(401, { ...good, message: 'Wrong password' })],
		['the message of another row', answer(401, { ...good, message: 'Invalid token' })],
		['a member too many', answer(401, { ...good, hint: 'caps lock?' })],
		['members in another order', answer(401, { message: good.message, data: null, status: 401 })],
		['a status that contradicts the answer', answer(401, { ...good, status: 400 })],
		['a status that the row does not have', answer(404, { data: null, message: '404 page not found', status: 404 })],
		['two lines', answer(401, good, { text: `${JSON.stringify(good, null, 1)}\n` })],
		['a Location beside JSON', answer(401, good, { location: '/', headers: { ...headers, location: '/' } })],
		['a header that is not described', answer(401, good, { headers: { ...headers, 'retry-after': '1' } })],
		['a header that is not as described', answer(401, good, { headers: { 'x-csrf-token': 'short' } })],
		['a header that is missing', answer(429, { data: null, message: 'Too many login attempts', status: 429 })],
		['a type that is not described', answer(401, good, { type: 'text/plain' })],
	];

	for (const [what, one] of bad)
		test(`refuses ${what}`, () => assert.throws(() => judge(one), { name: 'AssertionError' }));

	test('refuses a request that was taken and should not be', () => {
		const done = answer(303, { data: null, message: 'Verification email sent', status: 303 });

		assert.equal(new Description().judge('POST', '/resend', { json: { email: 'a@example.com' } }, done), 'Resent');
		assert.throws(() => new Description().judge('POST', '/resend', { json: { mail: 'a@example.com' } }, done),
			/property 'email'/);
	});
});

describe('the program', () => {
	let control;
	let plain;
	let tokens;
	let strict;
	let hooks;
	let hooked;
	let closed;

	before(async () => {
		control = new Control(temporaryFolder('portress-openapi-'));
		plain = await openPlain({ PORTRESS_SIGNIN_DELAY: '0s', PORTRESS_TRUSTED_PROXIES: '127.0.0.1',
			PORTRESS_LIMITS_MAIL_PER_CLIENT: '2', PORTRESS_TEST_CONTROL: control.path });
		tokens = await openPlain({ PORTRESS_JWT_ON: 'true', PORTRESS_JWT_SECRET: secrets.access,
			PORTRESS_JWT_REFRESH_SECRET: secrets.refresh, PORTRESS_JWT_REFRESH_GRACE: '0s',
			PORTRESS_METRICS_PUBLIC: 'true' });
		strict = await openPlain({ PORTRESS_URL: 'https://id.example.com', PORTRESS_SMTP_URL: 'smtp://127.0.0.1:9',
			PORTRESS_MAIL_FROM: 'noreply@example.com', PORTRESS_DEV_MAILBOX: 'off',
			PORTRESS_SIGNUP_NAMES_REQUIRED: 'true',
			PORTRESS_CAPTCHA_ON: 'true', PORTRESS_CAPTCHA_SITE_KEY: 'site', PORTRESS_CAPTCHA_SECRET: 'secret',
			PORTRESS_HASH_PARALLEL: '1', PORTRESS_HASH_QUEUE: '1', PORTRESS_SIGNIN_DELAY: '0s' });
		hooks = await HookServer.open();
		hooked = await openPlain({ PORTRESS_WEBHOOK_URL: hooks.url, PORTRESS_WEBHOOK_EVENTS: 'validate,signup,login',
			PORTRESS_WEBHOOK_RETRIES: '1', PORTRESS_WEBHOOK_ALLOW_PRIVATE: 'true' });
		closed = await openPlain({ PORTRESS_GOTRUE_DISABLE_SIGNUP: 'true' });
		Object.assign(strict, { connect: strict.base, base: 'https://id.example.com',
			headers: { origin: 'https://id.example.com' } });
	});

	after(async () => {
		for (const site of [plain, tokens, strict, hooked, closed])
			assert.equal((await site?.server.stop())?.code, 0);
		await hooks?.close();
		control?.close();
	});

	const database = (text, values) => query(join(plain.server.folder, 'portress.db'), text, values);

	for (const [name, kind] of Object.entries({ program, browser }))
		test(`answers a ${name} from signing up to a new password as described`, async () => {
			const who = await verified(plain, kind);
			const { visitor } = await signedIn(plain, who, kind);

			for (const path of ['/', '/home', '/me', '/signup', '/signup/sent', '/signin?next=/me', '/forgot',
				'/refresh', '/dev/mailbox'])
				assert.equal((await visitor.get(path)).status, 200, path);
			const { id } = await mailed(plain, who.email, '/verify');

			assert.equal((await visitor.get(`/dev/mailbox/${id}`)).said, 'text/html');
			assert.equal((await send(plain, kind, '/resend', { email: who.email })).status, 303);
			assert.equal((await send(plain, kind, '/forgot', { email: who.email })).status, 303);
			const link = await linkTo(plain, who.email, '/reset');

			assert.equal((await visitor.get(link)).said, 'text/html');
			const fields = { token: link.split('token=')[1], new_password: newcomer().password };

			assert.equal((await send(plain, kind, '/reset', fields)).status, 303);
			assert.equal((await visitor.get('/me')).said, 'NotSignedIn');
			const again = await signedIn(plain, { ...who, password: fields.new_password }, kind);

			assert.ok([200, 303].includes((await again.visitor.get('/signout')).status));
			assert.ok([200, 303].includes((await send(plain, kind, '/signout', {})).status));
		});

	test('takes each form in all three encodings', async () => {
		for (const wrap of ['json', 'form', 'multipart']) {
			const who = await verified(plain);
			const post = (path, fields) => client(plain).post(path, undefined, { [wrap]: fields });

			for (const path of ['/resend', '/forgot'])
				assert.equal((await post(path, { email: who.email })).status, 303, wrap);
			assert.equal((await post('/signup', newcomer())).said, 'SignedUp');
			assert.equal((await post('/signin', { username: who.email, password: who.password })).said, 'SignedIn');
			const link = await linkTo(plain, who.email, '/reset');
			const reset = { token: link.split('token=')[1], new_password: who.password };

			assert.equal((await post('/reset', reset)).said, 'PasswordSet');
			assert.equal((await post('/signout', {})).said, 'SignedOut');
		}
	});

	test('takes the CSRF token from the body', async () => {
		for (const name of ['gorilla.csrf.Token', 'csrf_token']) {
			const who = client(plain);
			const fields = { email: 'nobody@example.com', [name]: await who.csrfToken() };

			assert.equal((await who.post('/resend', fields, { csrf: false })).said, 'Resent');
		}
	});

	test('serves files, and small things', async () => {
		const page = await client(plain, browser).get('/signup');
		const files = [...page.text.matchAll(/\/assets\/[0-9a-f]{16}\/[\w.]+/g)].map(([path]) => path);
		const types = new Set();

		for (const path of files)
			types.add((await client(plain).get(path)).said);
		assert.deepEqual([...types].sort(), ['image/svg+xml', 'text/css', 'text/javascript']);
		for (const path of ['/.well-known/change-password', '/robots.txt', '/healthz', '/readyz', '/.well-known/jwks.json'])
			await client(plain).get(path);
		assert.equal((await client(tokens).get('/metrics')).status, 200);
		assert.equal((await client(plain).get('/metrics')).status, 404);
	});

	test('refuses fields', async () => {
		const who = newcomer();
		const known = await verified(plain);
		const signup = (fields, words) => refused(plain, '/signup', { ...who, ...fields }, 400, words);

		await signup({ username: 'no!' }, 'UsernameInvalid');
		await signup({ email: 'nowhere' }, 'AddressInvalid');
		await signup({ password: 'short' }, 'PasswordShort');
		await signup({ password: 'x'.repeat(300) }, 'PasswordLong');
		await signup({ password: who.username }, 'PasswordCommon');
		await signup({ firstname: 'x'.repeat(51) }, 'FirstnameLong');
		await signup({ lastname: 'x'.repeat(51) }, 'LastnameLong');
		await signup({ username: known.username }, 'Taken');
		await refused(strict, '/signup', who, 400, 'NamesMissing');
		await refused(strict, '/signup', { ...who, firstname: 'A', lastname: 'B' }, 400, 'CaptchaInvalid');
		await refused(plain, '/resend', { email: 'nowhere' }, 400, 'AddressInvalid');
		await refused(plain, '/forgot', { email: 'nowhere' }, 400, 'AddressInvalidInShort');
		await refused(plain, '/signin', { ...known, username: 'no!' }, 400, 'UsernameInvalid');
		await refused(plain, '/signin', { ...known, username: 'no@where' }, 400, 'NameAddressInvalid');
		await refused(plain, '/signin', { ...known, password: 'x' }, 400, 'PasswordShort');
		await refused(plain, '/signin', { ...known, password: 'x'.repeat(1025) }, 400, 'PasswordLong');
	});

	test('refuses new passwords and links', async () => {
		const who = await verified(plain);

		await send(plain, program, '/forgot', { email: who.email });
		const secret = (await linkTo(plain, who.email, '/reset')).split('token=')[1];
		const reset = (new_password, words) => refused(plain, '/reset', { token: secret, new_password }, 400, words);

		await reset('short', 'NewPasswordShort');
		await reset('x'.repeat(300), 'NewPasswordLong');
		await reset(who.username, 'NewPasswordCommon');
		await refused(plain, '/reset', { token: 'x', new_password: who.password }, 400, 'LinkInvalid');
		for (const kind of kinds)
			for (const path of ['/verify?token=x', '/verify?token=%zz', '/reset?token=x', '/reset?token=%zz',
				'/signin?next=%zz'])
				assert.equal((await client(plain, kind).get(path)).status, 400, path);
	});

	test('refuses who it does not know', async () => {
		const who = await signedUp(plain);
		const off = await verified(plain);
		const signin = (fields, words) => refused(plain, '/signin', fields, 401, words);

		await signin({ ...who, password: 'not the password' }, 'CredentialsInvalid');
		await signin(who, 'NotVerified');
		await database('UPDATE portress_account SET disabled_at = created_at WHERE username = $1', [off.username]);
		await signin(off, 'Disabled');
		assert.equal((await client(plain).get('/me')).said, 'NotSignedIn');
		const stale = await client(plain).get('/me', { headers: { cookie: 'session=nothing' } });

		assert.equal(stale.cookie('session').attributes['max-age'], '0');
	});

	test('refuses whom a webhook refuses, and everybody where nobody signs up', async () => {
		const known = await verified(hooked);
		const waiting = await signedUp(hooked);
		const link = await linkTo(hooked, waiting.email, '/verify');

		hooks.otherwise = { status: 400 };
		await refused(hooked, '/signup', newcomer(), 403, 'NotAllowed');
		await refused(hooked, '/signin', known, 403, 'NotAllowed');
		for (const kind of kinds)
			assert.equal((await client(hooked, kind).get(link)).status, 403);
		hooks.otherwise = { status: 200 };
		assert.equal((await client(hooked).get(link)).said, 'Verified');
		await refused(closed, '/signup', newcomer(), 403, 'SignupsOff');
	});

	test('refuses too many', async () => {
		const who = await signedUp(plain);
		const from = (address) => ({ headers: { 'x-forwarded-for': address } });

		for (let tries = 0; tries < 15; tries++)
			await send(plain, program, '/signin', { ...who, password: 'not the password' });
		await refused(plain, '/signin', who, 429, 'TooManySignins');
		for (let tries = 0; tries < 4; tries++)
			await send(plain, program, '/signup', { ...newcomer(), email: who.email });
		await refused(plain, '/signup', { ...newcomer(), email: who.email }, 429, 'TooManyLetters');
		for (let tries = 0; tries < 2; tries++)
			await send(plain, program, '/forgot', { email: 'nobody@example.com' }, from('203.0.113.9'));
		for (const path of ['/forgot', '/resend'])
			await refused(plain, path, { email: 'nobody@example.com' }, 429, 'TooManyLetters', from('203.0.113.9'));
	});

	test('refuses posts that are not proven, not readable or too large', async () => {
		const form = 'application/x-www-form-urlencoded';

		for (const path of posts) {
			const post = (...expected) => refused(plain, path, {}, ...expected);

			await post(403, 'CsrfMissing', { csrf: false });
			await post(403, 'CsrfInvalid', { csrf: 'x' });
			await post(403, 'OriginInvalid', { headers: { origin: 'https://elsewhere.example' } });
			await post(413, 'TooLarge', raw('x'.repeat(70000), form));
			if (path === '/signout')
				continue;
			await post(415, 'MediaTypeUnsupported', raw('<x/>', 'text/xml'));
			await post(400, 'Malformed', raw('a=%zz', form));
			await post(400, 'Malformed', raw('["no object"]', 'application/json'));
		}
	});

	test('refuses posts without a Referer behind https', async () => {
		const without = { origin: undefined };

		for (const path of posts) {
			await refused(strict, path, {}, 403, 'RefererMissing', { headers: without });
			await refused(strict, path, {}, 403, 'RefererInvalid',
				{ headers: { ...without, referer: 'https://elsewhere.example/' } });
		}
	});

	test('refuses bodies where none is taken, other methods and other paths', async () => {
		for (const kind of kinds) {
			for (const { path } of gets) {
				assert.equal((await client(plain, kind).get(concrete(path), { body: 'x' })).status, 413, path);
				assert.equal((await send(plain, kind, concrete(path), {}, { method: 'DELETE' })).status, 405, path);
			}
			for (const path of ['/nowhere', '/assets/0123456789abcdef/a.css', '/dev/mailbox/none'])
				assert.equal((await client(plain, kind).get(path)).status, 404, path);
			assert.equal((await client(strict, kind).get('/dev/mailbox')).status, 404);
		}
	});

	test('answers HEAD as GET, and OPTIONS with Allow', async () => {
		for (const { path } of gets) {
			const { status } = await client(plain).get(concrete(path));

			assert.equal((await client(plain).request('HEAD', concrete(path))).status, status, path);
			const options = await new Client({ base: plain.base }).request('OPTIONS', concrete(path));

			assert.equal(options.status, 204);
			assert.match(options.headers.allow, /^GET, HEAD, (POST, )?OPTIONS$/);
		}
	});

	test('asks before another site signs somebody out', async () => {
		const elsewhere = { headers: { 'sec-fetch-site': 'cross-site' } };

		assert.equal((await client(plain).get('/signout', elsewhere)).said, 'CrossSite');
		assert.equal((await client(plain, browser).get('/signout', elsewhere)).said, 'text/html');
		const cleared = await client(strict).get('/signout');

		assert.ok(cleared.headers['clear-site-data']);
	});

	test('gives and renews tokens', async () => {
		const who = await verified(tokens);
		const { answer } = await signedIn(tokens, who);
		const pair = answer.json.data;
		const numbered = { exp: Math.floor(Date.now() / 1000) + 600, user_id: 1 };
		const me = (authorization) => client(tokens).get('/me', { headers: { authorization } });
		const refresh = (refresh_token) => send(tokens, program, '/refresh', { refresh_token });

		assert.equal(answer.said, 'SignedInByTokens');
		assert.equal((await me(`Bearer ${pair.token}`)).said, 'UserInfo');
		assert.equal((await me()).said, 'TokenMissing');
		assert.equal((await me('Bearer x')).said, 'TokenInvalid');
		assert.equal((await me(`Bearer ${token(secrets.access, numbered)}`)).said, 'TokenClaims');
		assert.equal((await refresh(pair.refresh_token)).said, 'Refreshed');
		assert.equal((await refresh(pair.refresh_token)).said, 'RefreshInvalid');
		assert.equal((await refresh(token(secrets.refresh, { ...numbered, token_use: 'refresh' }))).said, 'TokenClaims');
		const second = (await signedIn(tokens, who)).answer.json.data;

		for (const wrap of ['form', 'multipart'])
			assert.equal((await client(tokens).post('/refresh', undefined, { [wrap]: { refresh_token: 'x' } })).said,
				'RefreshInvalid');
		const out = await client(tokens).request('POST', '/signout', { json: {}, cookies: false,
			headers: { authorization: `Bearer ${second.token}` } });

		assert.equal(out.said, 'SignedOut');
		assert.equal((await refresh(second.refresh_token)).said, 'RefreshInvalid');
		assert.equal((await send(plain, program, '/refresh', { refresh_token: 'x' })).said, 'RefreshInvalid');
	});

	test('says when it is busy', async () => {
		const tries = Array.from({ length: 24 }, () => send(strict, program, '/signin', newcomer()));
		const said = (await Promise.all(tries)).map((answer) => answer.said);

		assert.ok(said.includes('Busy'), String(said));
	});

	test('says when its database is away', async () => {
		const who = await verified(plain);
		const secret = 'A'.repeat(43);
		const forms = { '/signup': newcomer(), '/resend': { email: who.email }, '/signin': who,
			'/forgot': { email: who.email }, '/reset': { token: secret, new_password: who.password } };
		const visitors = [];

		for (const kind of kinds)
			visitors.push([kind, (await signedIn(plain, who, kind)).visitor]);
		control.breakStore();
		try {
			for (const [kind, visitor] of visitors) {
				for (const path of ['/', '/home', '/me', `/verify?token=${secret}`, `/reset?token=${secret}`])
					assert.equal((await visitor.get(path)).status, 503, path);
				for (const [path, fields] of Object.entries(forms))
					assert.equal((await send(plain, kind, path, fields, { client: visitor.clone() })).status, 503, path);
				/* Whoever wants out is let out. */
				assert.notEqual((await send(plain, kind, '/signout', {}, { client: visitor.clone() })).status, 503);
			}
			await client(plain).get('/readyz');
		} finally {
			control.mendStore();
		}
	});

	/* A fault of ours has no cause that a test could be, and not every row touches the store. */
	test('has kept every promise of the document', () => {
		const missing = description.promises()
			.filter(({ status, text }) => status < 500 && !description.seen.has(text)).map(({ text }) => text);

		assert.deepEqual(missing, []);
		for (const kind of ['StoreAway', 'Busy'])
			assert.ok(description.seen.has(kind), kind);
	});
});
