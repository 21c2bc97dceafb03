/*
 * docs/openapi/gotrue.yaml against the program: the document is one, it has the rows of the server's
 * table, and every answer of a story stands in it. At the end each answer that it names has been given.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { Validator } from '@seriousme/openapi-schema-validator';

import { Client } from '../../support/client.mjs';
import { address, inAnHour, many, openSite, sign } from '../../support/gotrue.mjs';
import { HookServer } from '../../support/hook-server.mjs';
import { Document, readDocument } from './document.mjs';
import { routeRows } from './tables.mjs';

const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,5}[1-9])?Z$/;
const document = new Document('gotrue', moment);
const seen = new Set();

/* Where the answer is described. What is ours to mend is described once for all. */
function place(method, path, status) {
	const responses = ['paths', document.template(path), method.toLowerCase(), 'responses'];
	const { found } = document.follow([...responses, String(status)]);

	return document.follow(found || status < 500 ? [...responses, String(status)] : [...responses, 'default']);
}

function judgeBody(steps, response, answer) {
	if (!response.content) {
		assert.equal(answer.text, '');
		return;
	}
	assert.ok(response.content[answer.type], `${answer.type} is not described`);
	const value = answer.type === 'application/json' ? answer.json : answer.text;

	assert.equal(document.wrong([...steps, 'content', answer.type, 'schema'], value), '', answer.text);
	assert.ok(!answer.text.endsWith('\n') || answer.type !== 'application/json', 'a line end');
}

/* Throws unless the answer stands in the document. */
function judge(method, path, options, answer) {
	const { steps, found } = place(method, path, answer.status);

	try {
		assert.ok(found, 'is not described');
		document.judgeHeaders(steps, found, answer.headers);
		judgeBody(steps, found, answer);
		if (answer.status < 300 && ['POST', 'PUT'].includes(method))
			document.judgeRequest(method, path, options);
		seen.add(`${method} ${document.template(path)} ${answer.status}`);
	} catch (error) {
		error.message = `${method} ${path} ${answer.status}: ${error.message}`;
		throw error;
	}
}

/* A client whose every answer is judged. */
class Judged extends Client {
	async request(method, path, options = {}) {
		const answer = await super.request(method, path, options);

		judge(method, path, options, answer);
		return answer;
	}
}

async function open(options) {
	const site = await openSite(options);

	site.client = (headers = {}) => new Judged({ base: site.base, connect: site.connect, headers });
	return site;
}

/* The statuses of one request after the other. */
async function gives(status, ...asked) {
	for (const answer of asked)
		assert.equal((await answer).status, status, (await answer).text);
}

const large = { body: `{"email":"${'x'.repeat(300 * 1024)}"}`, type: 'application/json' };
const unreadable = { body: '{', type: 'application/json' };

describe('the GoTrue document', () => {
	test('is OpenAPI 3.1', async () => {
		const validator = new Validator();
		const { valid, errors } = await validator.validate(readDocument('gotrue'));

		assert.ok(valid, JSON.stringify(errors, null, 2));
		assert.equal(validator.version, '3.1');
	});

	test('has schemas that a strict reader takes', () => {
		for (const name of Object.keys(document.document.components.schemas))
			assert.ok(document.schema(['components', 'schemas', name]), name);
	});

	test('has the rows of the server, and no others', () => {
		const rows = document.operations().map(({ method, path }) => `${method} ${path}`).sort();

		assert.deepEqual(rows, routeRows('gotrue').map((row) => row.replace('[/]', '')).sort());
	});

	test('says which paths may end in a slash', () => {
		const slashed = routeRows('gotrue').filter((row) => row.endsWith('[/]'));
		const sentence = document.document.info.description.split(/\smay end in a slash/)[0].split(/\.\s/).at(-1);
		const told = [...sentence.matchAll(/`([^`]+)`/g)].map(([, path]) => path);

		assert.deepEqual([...new Set(slashed.map((row) => row.split(' ')[1].replace('[/]', '')))].sort(), told.sort());
	});

	test('names each answer once', () => {
		const ids = document.operations().map(({ operation }) => operation.operationId);

		assert.equal(new Set(ids).size, ids.length);
	});
});

describe('the judge of the GoTrue document', () => {
	const headers = { 'content-type': 'application/json' };
	const answer = (status, json, more = {}) => ({ status, json, text: JSON.stringify(json), type: 'application/json',
		headers, ...more });
	const error = (code) => ({ code, msg: 'Any words' });

	test('takes what is described', () => {
		judge('POST', '/recover', { json: { email: 'a@example.com' } }, answer(200, {}));
		judge('POST', '/recover', {}, answer(503, { ...error(503), error_id: 'x' }));
	});

	const bad = [
		['a member too many', 'POST', '/recover', answer(200, { sent: true })],
		['a status that the row does not have', 'POST', '/recover', answer(403, error(403))],
		['a refusal without words', 'POST', '/recover', answer(422, { code: 422 })],
		['a header that is not described', 'POST', '/recover', answer(422, error(422), { headers: { ...headers, allow: 'GET' } })],
		['a type that is not described', 'GET', '/health', answer(200, {}, { type: 'text/plain' })],
		['a body where there is none', 'POST', '/logout', answer(204, {})],
		['a redirect that leads nowhere', 'GET', '/callback', answer(302, '', { type: 'text/html' })],
		['a moment with zeros at its end', 'GET', '/admin/audit', answer(200, [{ created_at: '2026-01-01T00:00:00.10Z' }])],
	];

	for (const [what, method, path, one] of bad)
		test(`refuses ${what}`, () => assert.throws(() => judge(method, path, {}, one), { name: 'AssertionError' }));

	after(() => seen.clear());
});

describe('the program as GoTrue', () => {
	const redirect = 'https://auth.example/callback';
	let hooks;
	let site;
	let tight;
	let closed;
	let operator;

	before(async () => {
		hooks = await HookServer.open();
		site = await open({ settings: { GOTRUE_API_EXPORT_SECRET: 'what is exported', GOTRUE_WEBHOOK_URL: hooks.url,
			GOTRUE_WEBHOOK_EVENTS: 'login', GOTRUE_WEBHOOK_RETRIES: '1', PORTRESS_WEBHOOK_ALLOW_PRIVATE: 'true',
			GOTRUE_EXTERNAL_GITHUB_ENABLED: 'true', GOTRUE_EXTERNAL_GITHUB_CLIENT_ID: 'we', GOTRUE_EXTERNAL_GITHUB_SECRET: 'ours',
			GOTRUE_EXTERNAL_GITHUB_REDIRECT_URI: redirect } });
		tight = await open({ settings: { GOTRUE_RATE_LIMIT_HEADER: 'x-who', PORTRESS_LIMITS_MAIL_PER_CLIENT: '1',
			PORTRESS_TRUSTED_PROXIES: '127.0.0.1', GOTRUE_SMTP_MAX_FREQUENCY: '15m' } });
		closed = await open({ mail: false, settings: { GOTRUE_DISABLE_SIGNUP: 'true' } });
		operator = { bearer: site.operatorToken };
	});

	after(async () => {
		for (const one of [site, tight, closed])
			await one?.close();
		await hooks?.close();
	});

	const bearer = ({ access_token }) => ({ bearer: access_token });

	test('tells what is on', async () => {
		await gives(200, site.get('/health'), site.get('/settings'));
		await gives(500, site.get('/saml/metadata'));
		await gives(400, site.post('/saml/acs', undefined, { form: { RelayState: 'x' } }));
		await gives(413, site.post('/saml/acs?RelayState=x', undefined, large));
	});

	test('signs up, in and out as described', async () => {
		const who = await site.confirmed({ data: { full_name: 'Ann Lee' } });
		const again = await site.loggedIn(who);

		await gives(200, site.get('/user', bearer(who)), site.put('/user', { data: { a: 1 } }, bearer(who)),
			site.post('/recover', { email: who.email }), site.refresh(again.refresh_token),
			site.token({ grant_type: 'password', username: who.email, password: who.password }, { headers: { 'x-use-cookie': '1' } }));
		await gives(200, site.post('/verify', { type: 'recovery', token: await site.mailed(who.email, 'recovery') }));
		await gives(204, site.post('/logout', undefined, bearer(who)));
	});

	test('takes the form of /token in both encodings', async () => {
		const { email: username, password } = await site.made();

		for (const encoding of ['form', 'multipart'])
			await gives(200, site.ask('POST', '/token', { [encoding]: { grant_type: 'password', username, password } }));
	});

	test('refuses to sign up', async () => {
		const who = await site.made();

		await gives(400, site.post('/signup', who), site.post('/signup', undefined, unreadable));
		await gives(422, site.post('/signup', { email: 'nowhere', password: 'x' }));
		await gives(413, site.post('/signup', undefined, large));
		await gives(403, closed.post('/signup', { email: address(), password: 'x' }));
		const from = { headers: { 'x-forwarded-for': '203.0.113.9' } };

		await gives(200, tight.post('/signup', { email: address(), password: 'x' }, from));
		await gives(429, tight.post('/signup', { email: address(), password: 'x' }, from));
	});

	test('refuses letters and their secrets', async () => {
		const email = address();

		await gives(400, site.post('/recover', undefined, unreadable), site.post('/verify', undefined, unreadable));
		await gives(422, site.post('/recover', {}), site.post('/verify', {}));
		await gives(413, site.post('/recover', undefined, large), site.post('/verify', undefined, large));
		await gives(404, site.post('/verify', { type: 'signup', token: 'x'.repeat(43) }));
		await gives(200, tight.post('/recover', { email }));
		await gives(429, tight.post('/recover', { email }));
	});

	test('refuses tokens', async () => {
		const who = await site.made();
		const form = { grant_type: 'password', username: 'nobody@example.com', password: 'x' };

		await gives(400, site.token(form), site.token({}), site.refresh('x'));
		await gives(413, site.token({ ...form, password: 'x'.repeat(20000) }));
		hooks.otherwise = { status: 400 };
		await gives(422, site.login(who));
		hooks.otherwise = { status: 200 };
		for (let tries = 0; tries < 30; tries++)
			await tight.token(form, { headers: { 'x-who': 'me' } });
		await gives(429, tight.token(form, { headers: { 'x-who': 'me' } }));
	});

	test('refuses who is not, or no longer, somebody', async () => {
		const who = await site.loggedIn(await site.made());
		const gone = await site.loggedIn(await site.made());
		const nobody = { bearer: sign({ exp: inAnHour(), sub: randomUUID() }, site.secret) };

		await gives(401, site.get('/user'), site.put('/user', {}), site.post('/logout'), site.put('/user', { app_metadata: {} }, bearer(who)));
		await gives(404, site.get('/user', nobody), site.put('/user', {}, nobody));
		await gives(400, site.get('/user', { ...bearer(who), headers: { 'x-jwt-aud': 'other' } }),
			site.put('/user', undefined, { ...unreadable, ...bearer(who), json: undefined }));
		await gives(422, site.put('/user', { email: gone.email }, bearer(who)));
		await gives(413, site.ask('PUT', '/user', { ...large, ...bearer(who) }),
			site.ask('POST', '/logout', { ...large, ...bearer(who) }));
		await site.database.query('UPDATE portress_account SET disabled_at = created_at WHERE email = $1', [gone.email]);
		await gives(403, site.get('/user', bearer(gone)), site.put('/user', {}, bearer(gone)));
	});

	test('refuses a second letter to a new address', async () => {
		const who = await tight.loggedIn(await tight.made());

		await gives(200, tight.put('/user', { email: address() }, bearer(who)));
		await gives(429, tight.put('/user', { email: address() }, bearer(who)));
	});

	test('refuses a switched-off owner of a letter', async () => {
		const who = await site.signedUp();
		const token = await site.mailed(who.email, 'confirmation');

		await site.database.query('UPDATE portress_account SET disabled_at = created_at WHERE email = $1', [who.email]);
		await gives(403, site.post('/verify', { type: 'signup', token }));
	});

	test('sends browsers elsewhere and back', async () => {
		const browser = site.client();
		const away = await browser.get('/authorize?provider=github');
		const state = new URL(away.location).searchParams.get('state');

		await gives(302, browser.get(`/callback?state=${encodeURIComponent(state)}&error=access_denied`));
		await gives(400, browser.get('/callback?state=x'), site.get('/authorize?provider=nowhere'));
		await gives(404, site.get(`/authorize?provider=github&invite_token=${'x'.repeat(43)}`));
	});

	test('lets administrators in', async () => {
		const who = { email: address(), password: 'a quiet harbour', role: 'admin', confirm: true, user_metadata: { a: 1 } };
		const made = (await site.post('/admin/users', who, operator)).json;
		const path = `/admin/users/${made.id}`;

		await gives(200, site.get(path, operator), site.put(path, { role: 'editor' }, operator),
			site.get('/admin/users?page=1&per_page=2&sort=created_at asc&filter=a'.replaceAll(' ', '%20'), operator),
			site.get('/admin/users/export', { ...operator, headers: { 'export-secret': 'what is exported' } }),
			site.get('/admin/audit?query=type:team', operator), site.post('/invite', { email: address() }, operator));
		await gives(200, site.del(path, operator));
	});

	test('refuses administrators', async () => {
		const path = `/admin/users/${randomUUID()}`;
		const made = await site.made();
		const own = `/admin/users/${made.id}`;

		await gives(401, site.get('/admin/users'), site.post('/admin/users', {}), site.get('/admin/audit'), site.post('/invite', {}),
			site.get(path), site.put(path, {}), site.del(path), site.get('/admin/users/export', operator));
		await gives(404, site.get(path, operator), site.put(path, {}, operator), site.del(path, operator));
		await gives(400, site.get('/admin/users?page=x', operator), site.get('/admin/audit?query=x', operator),
			site.get('/admin/users/x', operator), site.put('/admin/users/x', {}, operator), site.del('/admin/users/x', operator),
			site.get('/admin/users/export?page=x', { ...operator, headers: { export_secret: 'what is exported' } }),
			site.post('/admin/users', undefined, { ...unreadable, ...operator }),
			site.post('/invite', undefined, { ...unreadable, ...operator }));
		await gives(422, site.post('/admin/users', { email: made.email }, operator), site.put(own, { email: 'nowhere' }, operator),
			site.post('/invite', { email: made.email }, operator));
		await gives(413, ...['/admin/users', '/invite'].map((one) => site.post(one, undefined, { ...large, ...operator })),
			site.ask('PUT', own, { ...large, ...operator }));
	});

	test('takes operators of many sites at their word', async () => {
		const sites = await open(many({ mail: false }));

		try {
			const { id } = await sites.instance();
			const path = `/instances/${id}`;
			const other = `/instances/${randomUUID()}`;

			await gives(200, sites.operator('GET', '/'), sites.operator('GET', path),
				sites.operator('PUT', path, { config: { jwt: { exp: 60 } } }));
			await gives(400, sites.operator('POST', '/instances', { uuid: 'x' }), sites.operator('GET', '/instances/x'),
				sites.operator('PUT', '/instances/x', {}), sites.operator('DELETE', '/instances/x'));
			await gives(401, sites.get('/'), sites.post('/instances', {}), sites.get(path), sites.put(path, {}), sites.del(path));
			await gives(404, sites.operator('GET', other), sites.operator('PUT', other, {}), sites.operator('DELETE', other));
			await gives(413, sites.post('/instances', undefined, { ...large, bearer: sites.operatorToken }),
				sites.ask('PUT', path, { ...large, bearer: sites.operatorToken }));
			await gives(204, sites.operator('DELETE', path));
		} finally {
			await sites.close();
		}
	});

	test('says when an invitation is too old', async () => {
		const email = address();

		await gives(200, site.post('/invite', { email }, operator));
		const token = await site.mailed(email, 'invite');

		site.control.advance(8 * 86400);
		await gives(422, site.get(`/authorize?provider=github&invite_token=${token}`));
	});

	test('says when its database is away', async () => {
		const who = await tight.loggedIn(await tight.made());

		tight.control.breakStore();
		try {
			await gives(503, tight.login(who), tight.get('/user', bearer(who)), tight.get('/admin/users', { bearer: tight.operatorToken }));
		} finally {
			tight.control.mendStore();
		}
	});

	test('has given every answer of the document', () => {
		const told = document.operations().flatMap(({ method, path, operation }) => Object.keys(operation.responses)
			.filter((status) => status !== 'default').map((status) => `${method} ${path} ${status}`));

		assert.deepEqual(told.filter((one) => !seen.has(one)), []);
	});
});
