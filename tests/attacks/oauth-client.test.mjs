/*
 * Signing in with an account elsewhere: answers that are forged, borrowed or broken, and providers that lie.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after } from 'node:test';

import { attack } from '../support/attack.mjs';
import { address, decode, many, refuses, shared } from '../support/gotrue.mjs';
import { ProviderServer } from '../support/provider-server.mjs';

const redirect = 'https://auth.example/callback';
const names = ['github', 'gitlab', 'google'];
const there = await ProviderServer.open({ secret: `client-${randomBytes(8).toString('hex')}` });
const settings = Object.assign({}, ...names.map((name) => there.settings(name, redirect)));

after(() => there.close());

const sites = shared(many({ settings: { PORTRESS_PROVIDER_ALLOW_PRIVATE: 'true' } }));
const opened = shared({ settings });

/* The client's secret is one that no log shows. */
async function site() {
	const here = await opened();

	here.secrets.add(there.clientSecret);
	return here;
}

let ids = 1000;

const someone = (fields = {}) => ({ id: ids++, login: 'annlee', name: 'Ann Lee', first: 'Ann', last: 'Lee', avatar: 'https://pictures.example/ann.png',
	emails: [{ email: fields.email ?? address(), verified: true, primary: true }], ...fields });
const fragment = (answer) => Object.fromEntries(new URLSearchParams(new URL(answer.location).hash.slice(1)));

async function away(here, name, person = someone(), options = {}) {
	const browser = here.client(options.headers);
	const answer = await browser.get(`/authorize?provider=${name}`);

	assert.equal(answer.status, 302, answer.text);
	Object.assign(there, { person, mood: 'consent' });
	return { browser, answer, back: await there.visit(answer.location) };
}

/* Off and back: what the site is told. */
async function signIn(here, name, person) {
	const { browser, back } = await away(here, name, person);
	const answer = await browser.get(`/callback${back.search}`);

	assert.equal(answer.status, 302, answer.text);
	assert.equal(new URL(answer.location).search, '');
	return { ...fragment(answer), text: answer.location };
}

function comesIn(told) {
	assert.ok(told.access_token, JSON.stringify(told));
	return decode(told.access_token)[1].sub;
}

function staysOut(told, error) {
	assert.equal(told.access_token, undefined, told.text);
	assert.ok(!/access_token|refresh_token/.test(told.text));
	if (error)
		assert.equal(told.error, error, told.text);
}

const accounts = async (here) => Number(Object.values((await here.database.query('SELECT count(*) AS n FROM portress_account'))[0])[0]);
const found = async (here, email) => (await here.operator('GET', `/admin/users?filter=${encodeURIComponent(email)}`)).json.users;

/* ---- the state ---- */

attack('OAC-01', 'who comes back must be who went, with what he was given, in time', async () => {
	const here = await site();
	const { browser, back } = await away(here, 'github');
	const other = await away(here, 'github');
	const before = await accounts(here);
	const state = back.searchParams.get('state');
	const come = (client, query) => client.get(`/callback?${new URLSearchParams({ code: back.searchParams.get('code'), state, ...query })}`);
	const invalid = (answer) => refuses(answer, 400, 'OAuth state is invalid:');
	const changed = (at) => `${state.slice(0, at)}${state[at] === 'A' ? 'B' : 'A'}${state.slice(at + 1)}`;

	invalid(await come(here.client()));
	invalid(await come(other.browser));
	for (const bad of [changed(3), changed(state.length >> 1), changed(state.length - 3), state.slice(1), `${state}A`, `${state}=`, 'x', 'x'.repeat(4000), '%00',
		other.back.searchParams.get('state')])
		invalid(await come(browser.clone(), { state: bad }));
	refuses(await here.get('/callback?code=x'), 400, 'OAuth state parameter missing');
	const kept = browser.clone();

	here.control.advance(301);
	invalid(await come(browser.clone()));
	here.control.advance(-301);
	assert.equal(await accounts(here), before);
	comesIn(fragment(await come(browser)));
	/* Used: the browser has lost its half, and a copy of it finds the code spent. */
	invalid(await come(browser));
	staysOut({ ...fragment(await come(kept)), text: '' }, 'server_error');
	assert.equal(await accounts(here), before + 1);
});

attack('OAC-01', 'a sign-in that one site began ends at no other', async () => {
	const here = await sites();
	const config = { external: { github: { enabled: true, client_id: there.clientId, secret: there.clientSecret, redirect_uri: redirect, url: there.url } } };
	const [a, b] = [await here.instance(config), await here.instance(config)];
	const { browser, back } = await away(here, 'github', someone(), a.options);
	const answer = await browser.get(`/callback${back.search}`, { headers: b.options.headers });
	const told = fragment(answer);

	/* The state says whose it is; the header of another does not count there. */
	assert.equal((await here.get('/user', { bearer: comesIn(told) && told.access_token, headers: a.options.headers })).status, 200);
	assert.equal((await here.get('/user', { bearer: told.access_token, headers: b.options.headers })).status, 401);
});

/* ---- what the provider says ---- */

attack('OAC-02', 'only what is said to be true is true', async () => {
	const here = await site();
	const owner = await here.made();
	const said = (verified) => someone({ emails: [{ email: owner.email, verified, primary: true }] });

	for (const verified of [false, 'false', 'true', 0, 1, null, undefined, [], ['true'], {}, 'yes'])
		for (const name of ['github', 'google'])
			staysOut(await signIn(here, name, said(verified)));
	assert.equal((await found(here, owner.email)).length, 1);
	assert.equal((await here.database.query('SELECT count(*) AS n FROM portress_identity WHERE account = $1', [owner.id]))[0].n, 0);
	assert.equal(comesIn(await signIn(here, 'github', said(true))), owner.id);
	assert.equal((await here.login(owner)).status, 200);
});

attack('OAC-04', 'a code of one provider is worth nothing with another', async () => {
	const here = await site();
	const github = await away(here, 'github');
	const gitlab = await away(here, 'gitlab');
	const before = await accounts(here);

	there.calls.length = 0;
	const query = new URLSearchParams({ code: gitlab.back.searchParams.get('code'), state: github.back.searchParams.get('state'), iss: 'https://gitlab.com' });

	staysOut({ ...fragment(await github.browser.get(`/callback?${query}`)), text: '' }, 'server_error');
	assert.equal(there.asked('/oauth/token').length, 0);
	assert.equal(there.asked('/login/oauth/access_token').length, 1);
	assert.equal(await accounts(here), before);
});

attack('OAC-05', 'the code is worth nothing without the verifier', async () => {
	const here = await site();
	const { browser, answer, back } = await away(here, 'github');
	const query = new URL(answer.location).searchParams;

	assert.equal(query.get('code_challenge_method'), 'S256');
	assert.match(query.get('code_challenge'), /^[A-Za-z0-9_-]{43}$/);
	assert.ok(!answer.location.includes('code_verifier'));
	there.calls.length = 0;
	comesIn(fragment(await browser.get(`/callback${back.search}`)));
	const [{ fields }] = there.asked('/login/oauth/access_token');

	assert.equal(createHash('sha256').update(fields.code_verifier).digest('base64url'), query.get('code_challenge'));
	const again = await away(here, 'github');

	assert.notEqual(new URL(again.answer.location).searchParams.get('code_challenge'), query.get('code_challenge'));
	assert.notEqual(new URL(again.answer.location).searchParams.get('state'), query.get('state'));
});

attack('OAC-06', 'whatever a provider answers, the site hears it in one clean sentence', async () => {
	const here = await site();
	const before = await accounts(here);
	const token = '/login/oauth/access_token';
	const big = Buffer.alloc(10 << 20, 'x').toString();
	const json = (body) => ({ status: 200, type: 'application/json', body: JSON.stringify(body) });
	const answers = [
		[token, { status: 500, body: '<h1>oops</h1>' }], [token, { status: 200, body: '<html>access_token=x</html>' }], [token, { status: 200, body: big }],
		[token, { status: 302, location: `${there.url}/api/v3/user` }], [token, json({})], [token, json([])], [token, json({ access_token: 7 })],
		[token, json({ access_token: 'a\r\nX-Evil: 1' })], [token, json({ error: '<script>', error_description: 'x'.repeat(1 << 20) })],
		[token, { status: 200, type: 'application/json', body: `{"access_token":${'['.repeat(100000)}` }], [token, { status: 204, body: '' }],
		['/api/v3/user', { status: 200, type: 'application/json', body: 'null' }], ['/api/v3/user', json([1])], ['/api/v3/user', { status: 500, body: '' }],
		['/api/v3/user', { status: 302, location: `${there.url}/elsewhere` }], ['/api/v3/user/emails', json({ email: 'x' })],
		['/api/v3/user/emails', { status: 200, type: 'application/json', body: `[${'{},'.repeat(200000)}{}]` }],
	];

	for (const [path, answer] of answers) {
		there.script(path, answer);
		const began = performance.now();
		const told = await signIn(here, 'github');

		there.script(path, undefined);
		staysOut(told);
		assert.match(told.error, /^(server_error|temporarily_unavailable)$/);
		assert.ok(performance.now() - began < 10000);
		assert.ok(told.text.length < 500, told.text);
		assert.ok(!/<|oops|Evil|xxxx/.test(told.text), told.text);
	}
	assert.equal(await accounts(here), before);
	comesIn(await signIn(here, 'github'));
});

attack('OAC-06', 'a provider\'s own no is passed on as text', async () => {
	const here = await site();
	const { browser, back } = await away(here, 'github');
	const said = '"><script>alert(1)</script>\r\nSet-Cookie: x=1 & access_token=y#z';
	const answer = await browser.get(`/callback?${new URLSearchParams({ state: back.searchParams.get('state'), error: said, error_description: said })}`);

	assert.equal(answer.status, 302);
	assert.ok(!/[<>"\r\n]/.test(answer.location), answer.location);
	assert.ok(answer.location.startsWith('https://site.example#error='));
	assert.equal(answer.location.split('#').length, 2);
	assert.equal(answer.headers['x'], undefined);
	assert.ok((answer.headers['set-cookie'] ?? []).every((line) => !line.startsWith('x=')));
	staysOut({ ...fragment(answer), text: answer.location.replaceAll(encodeURIComponent('access_token=y'), '') });
});

attack('OAC-07', 'who has no usable name there is nobody, and each house has its own names', async () => {
	const here = await site();
	const before = await accounts(here);

	for (const id of ['x'.repeat(10240), [7], { a: 1 }, true, 1.5e300, 'a\u0000b', 'a\nb'])
		staysOut(await signIn(here, 'github', someone({ id })), 'server_error');
	staysOut(await signIn(here, 'github', someone({ emails: [] })), 'server_error');
	assert.equal(await accounts(here), before);
	const id = ids++;
	const [one, other] = [await signIn(here, 'github', someone({ id })), await signIn(here, 'gitlab', someone({ id }))];

	assert.notEqual(comesIn(one), comesIn(other));
});

attack('OAC-08', 'what somebody calls himself there is text here, and pictures are not fetched', async () => {
	const here = await site();
	const name = '<img src=x onerror=alert(1)> {{.Token}} ${7*7} \'"';
	const person = someone({ name, avatar: 'javascript:alert(1)' });
	const who = comesIn(await signIn(here, 'github', person));
	const { json } = await here.operator('GET', `/admin/users/${who}`);

	assert.equal(json.user_metadata.full_name, name);
	assert.equal(json.user_metadata.avatar_url, undefined);
	there.calls.length = 0;
	const pictured = comesIn(await signIn(here, 'github', someone({ avatar: `${there.url}/picture.png`, name: 'x'.repeat(10000) })));

	assert.equal(there.asked('/picture.png').length, 0);
	assert.ok((await here.operator('GET', `/admin/users/${pictured}`)).text.length < 8192);
});

attack('OAC-09', 'an address that changes there changes nobody here', async () => {
	const here = await site();
	const owner = await here.made();
	const person = someone();
	const first = comesIn(await signIn(here, 'github', person));
	const before = (await here.operator('GET', `/admin/users/${first}`)).json;

	assert.equal(comesIn(await signIn(here, 'github', { ...person, emails: [{ email: owner.email, verified: true, primary: true }] })), first);
	const now = (await here.operator('GET', `/admin/users/${first}`)).json;

	assert.equal(now.email, before.email);
	assert.equal((await found(here, owner.email)).length, 1);
	assert.equal((await here.login(owner)).status, 200);
	/* Whoever gets that address there next is another person. */
	assert.notEqual(comesIn(await signIn(here, 'github', someone())), first);
});

attack('OAC-10', 'the client\'s secret is told to the provider alone', async () => {
	const here = await site();
	const shown = [];
	const { browser, answer, back } = await away(here, 'github');

	shown.push(answer.location, answer.text, JSON.stringify(answer.rawHeaders));
	there.script('/login/oauth/access_token', { status: 400, body: there.clientSecret });
	const failed = await browser.get(`/callback${back.search}`);

	there.script('/login/oauth/access_token', undefined);
	shown.push(failed.location, failed.text);
	for (const path of ['/settings', '/health', '/authorize', '/authorize?provider=x', '/callback?state=x'])
		shown.push((await here.get(path)).text);
	shown.push((await here.operator('GET', '/admin/audit')).text, here.server.log);
	for (const text of shown)
		assert.ok(!text.includes(there.clientSecret), text.slice(0, 200));
	assert.ok(there.asked('/login/oauth/access_token').at(-1).body.includes(there.clientSecret));
});
