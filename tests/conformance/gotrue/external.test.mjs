/*
 * Signing in with an account elsewhere: off to the provider, and back to the site with a fragment.
 */
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { after } from 'node:test';

import { address, decode, item, looksInside, many, refuses, shared, within } from '../../support/gotrue.mjs';
import { Issuer } from '../../support/issuer.mjs';
import { ProviderServer } from '../../support/provider-server.mjs';

const clientId = 'our-id & more';
const redirect = 'https://auth.example/.netlify/identity/callback';
const names = ['bitbucket', 'github', 'gitlab', 'google', 'facebook'];
const there = await ProviderServer.open({ clientId });

after(() => there.close());

const settingsOf = (name, fields) => Object.fromEntries(Object.entries(fields).map(([field, value]) =>
	[`GOTRUE_EXTERNAL_${name.toUpperCase()}_${field}`, value]));
const provider = (name, fields = {}) => settingsOf(name, { ENABLED: 'true', CLIENT_ID: clientId, SECRET: there.clientSecret,
	REDIRECT_URI: redirect, URL: `${there.url}/`, ...fields });
const all = { PORTRESS_PROVIDER_ALLOW_PRIVATE: 'true', ...Object.assign({}, ...names.map((name) => provider(name))) };

const site = shared({ settings: all });

const sites = shared(many({ settings: { PORTRESS_PROVIDER_ALLOW_PRIVATE: 'true' } }));

/* One of many sites where people come from elsewhere: { here, options }. */
async function instance(config, fields = {}) {
	const here = await sites();
	const each = { enabled: true, client_id: clientId, secret: there.clientSecret, redirect_uri: redirect, url: there.url, ...fields };
	const { external, ...rest } = config;

	return { here, ...await here.instance({ ...rest, external: { ...Object.fromEntries(names.map((name) => [name, each])), ...external } }) };
}

const someone = (fields = {}) => {
	const email = fields.email ?? address();

	return { id: Number.parseInt(randomBytes(6).toString('hex'), 16), login: 'annlee', name: 'Ann Lee', first: 'Ann', last: 'Lee',
		avatar: 'https://pictures.example/ann.png', emails: [{ email, verified: true, primary: true }], ...fields };
};

const fragment = (location) => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

/* Off and back: { browser, away, back, location, fragment }. */
async function signIn(here, name, { person, referer, invite, headers = {}, mood = 'consent', options } = {}) {
	const browser = here.client();
	const query = new URLSearchParams({ provider: name, ...(invite ? { invite_token: invite } : {}) });

	Object.assign(there, { person: person ?? someone(), mood });
	const away = await browser.get(`/authorize?${query}`, { headers: { ...options?.headers, ...(referer ? { referer } : {}) } });

	assert.equal(away.status, 302, away.text);
	const back = await there.visit(away.location);
	const answer = await browser.get(`/callback${back.search}`, { headers });

	assert.equal(answer.status, 302, answer.text);
	const location = new URL(answer.location);

	return { browser, away, back, answer, location, fragment: fragment(location) };
}

const user = async (here, { access_token: bearer }, options) => (await here.get('/user', { bearer, ...options })).json;
const found = async (here, email, options) =>
	(await here.operator('GET', `/admin/users?filter=${encodeURIComponent(email)}`, undefined, options?.headers)).json.users;

item(135, 'nobody is no provider', async () => {
	const here = await site();

	refuses(await here.get('/authorize?provider=nobody'), 400, 'Unsupported provider: Provider nobody could not be found');
	refuses(await here.get('/authorize'), 400, 'Unsupported provider:');
});

item(135, 'a provider that is unknown or switched off is told so', looksInside, async () => {
	await within({ settings: { PORTRESS_PROVIDER_ALLOW_PRIVATE: 'true', ...provider('github'), ...provider('google', { CLIENT_ID: '' }),
		...provider('facebook', { SECRET: undefined }), ...provider('bitbucket', { REDIRECT_URI: '' }) } }, async (here) => {
		const asked = async (query, detail) => refuses(await here.get(`/authorize${query}`), 400, `Unsupported provider: ${detail}`);

		await asked('?provider=nobody', 'Provider nobody could not be found');
		await asked('?provider=', 'Provider  could not be found');
		await asked('', 'Provider  could not be found');
		await asked('?provider=gitlab', 'Provider is not enabled');
		await asked('?provider=google', 'Missing Oauth client ID');
		await asked('?provider=facebook', 'Missing Oauth secret');
		await asked('?provider=bitbucket', 'Missing redirect URI');
		await asked('?provider=email', 'Provider email could not be found');
		assert.equal((await here.get('/authorize?provider=github')).status, 302);
		assert.equal((await here.get('/authorize?provider=GitHub')).status, 302);
		const { external } = (await here.get('/settings')).json;

		assert.deepEqual([external.github, external.gitlab], [true, false]);
	});
});

item(136, 'the browser is sent off with exactly what the provider must know', looksInside, async () => {
	const here = await site();
	const scopes = { bitbucket: 'account email', github: 'user:email', gitlab: 'read_user', google: 'email profile', facebook: 'email' };
	const paths = { bitbucket: '/site/oauth2/authorize', github: '/login/oauth/authorize', gitlab: '/oauth/authorize',
		google: '/o/oauth2/auth', facebook: '/dialog/oauth' };

	for (const name of names) {
		const { location } = await here.get(`/authorize?provider=${name}`);
		const url = new URL(location);
		const { state, code_challenge, code_challenge_method, ...query } = Object.fromEntries(url.searchParams);

		assert.equal(`${url.origin}${url.pathname}`, `${there.url}${paths[name]}`);
		assert.deepEqual(query, { client_id: clientId, redirect_uri: redirect, response_type: 'code', scope: scopes[name] });
		assert.match(state, /^[A-Za-z0-9._-]{40,}$/);
		assert.ok(code_challenge === undefined || (code_challenge_method === 'S256' && /^[\w-]{43}$/.test(code_challenge)));
		const keys = [...url.searchParams.keys()];

		assert.deepEqual(keys, [...keys].sort());
	}
});

item(136, 'the houses themselves are asked where no other is named', looksInside, async () => {
	const { here, options } = await instance({}, { url: '' });
	const where = { bitbucket: 'https://bitbucket.org/site/oauth2/authorize', github: 'https://github.com/login/oauth/authorize',
		gitlab: 'https://gitlab.com/oauth/authorize', google: 'https://accounts.google.com/o/oauth2/auth',
		facebook: 'https://www.facebook.com/dialog/oauth' };

	for (const name of names)
		assert.equal((await here.get(`/authorize?provider=${name}`, options)).location.split('?')[0], where[name]);
});

item(137, 'who comes back must show a state', async () => {
	const here = await site();

	refuses(await here.get('/callback'), 400, 'OAuth state parameter missing');
	refuses(await here.get('/callback?code=x&error=y'), 400, 'OAuth state parameter missing');
	refuses(await here.get('/callback?code=x&state=a.b.c'), 400, 'OAuth state is invalid:');
});

item(137, 'who comes back without our state, or with a spoilt one, is refused unredirected', looksInside, async () => {
	const here = await site();
	const browser = here.client();
	const away = new URL((await browser.get('/authorize?provider=github')).location);
	const state = away.searchParams.get('state');
	const middle = Math.floor(state.length / 2);
	const tampered = `${state.slice(0, middle)}${state[middle] === 'A' ? 'B' : 'A'}${state.slice(middle + 1)}`;
	const back = (query) => browser.get(`/callback${query}`);

	refuses(await back(''), 400, 'OAuth state parameter missing');
	refuses(await back('?code=x'), 400, 'OAuth state parameter missing');
	refuses(await back('?state='), 400, 'OAuth state parameter missing');
	refuses(await back('?error=access_denied'), 400, 'OAuth state parameter missing');
	for (const bad of [tampered, 'x', 'a.b.c', `${state}x`, state.slice(1), here.operatorToken])
		refuses(await back(`?code=x&state=${bad}`), 400, 'OAuth state is invalid:');
	refuses(await here.get(`/callback/?code=x&state=${tampered}`), 400, 'OAuth state is invalid:');
});

item(137, 'a state is good for five minutes, in the browser that it was given to', looksInside, async () => {
	const here = await site();
	const browser = here.client();

	there.person = someone();
	const back = await there.visit((await browser.get('/authorize?provider=github')).location);

	refuses(await here.client().get(`/callback${back.search}`), 400, 'OAuth state is invalid:');
	here.control.advance(301);
	refuses(await browser.get(`/callback${back.search}`), 400, 'OAuth state is invalid:');
	assert.deepEqual(await found(here, there.person.emails[0].email), []);
	assert.match((await signIn(here, 'github')).location.hash, /^#access_token=/);
});

item(137, 'a client without cookies needs a setting', looksInside, async () => {
	await within({ settings: { ...all, PORTRESS_GOTRUE_STATE_UNBOUND: 'true' } }, async (here) => {
		there.person = someone();
		const away = await here.get('/authorize?provider=github');
		const back = await there.visit(away.location);
		const answer = await here.get(`/callback${back.search}`);

		assert.deepEqual([away.cookies, answer.cookies], [[], []]);
		assert.match(new URL(answer.location).hash, /^#access_token=/);
	});
});

item(138, 'who was vouched for comes back to the page he left, with tokens', looksInside, async () => {
	const here = await site();
	const referer = 'https://site.example/deep/page?x=1&y=2';
	const { answer, location, fragment: told, away } = await signIn(here, 'github', { referer });

	assert.equal(answer.location.split('#')[0], referer);
	assert.deepEqual([...new URLSearchParams(location.hash.slice(1)).keys()], ['access_token', 'expires_in', 'refresh_token', 'token_type']);
	assert.deepEqual([told.expires_in, told.token_type], ['3600', 'bearer']);
	assert.match(told.refresh_token, /^[A-Za-z0-9_-]{22,}$/);
	assert.equal(answer.cookie('nf_jwt'), undefined);
	const person = await user(here, told);

	assert.equal(person.email, there.person.emails[0].email);
	assert.equal(decode(told.access_token)[1].sub, person.id);
	assert.ok(person.confirmed_at);
	assert.deepEqual(person.app_metadata, { provider: 'github' });
	assert.deepEqual(person.user_metadata, { avatar_url: 'https://pictures.example/ann.png', full_name: 'Ann Lee' });
	assert.equal((await here.refresh(told.refresh_token)).status, 200);

	const cookie = away.cookies[0];

	assert.ok(cookie.attributes.httponly && /^(lax|none)$/i.test(cookie.attributes.samesite), JSON.stringify(cookie));
	assert.equal((await here.login({ email: person.email, password: '' })).status, 400);
});

item(138, 'a fragment of the page he left does not stay', looksInside, async () => {
	const { answer } = await signIn(await site(), 'github', { referer: 'https://site.example/#invite_token=x' });

	assert.match(answer.location, /^https:\/\/site\.example\/#access_token=[^#]*$/);
});

item(139, 'another site gets nothing', looksInside, async () => {
	const here = await site();

	for (const referer of ['https://evil.example/', 'https://site.example.evil.example/', 'https://evil.example/https://site.example/',
		'https://site.example:8443/', 'https://site.example@evil.example/', 'https://evil.example\\@site.example/', 'http://site.example/',
		'javascript://site.example/%0aalert(1)', 'site.example', 'data:text/html,x']) {
		const { answer } = await signIn(here, 'github', { referer });

		assert.match(answer.location, /^https:\/\/site\.example\/?#access_token=/, referer);
	}
});

item(140, 'a set address wins over all', looksInside, async () => {
	const { here, options } = await instance({ external: { redirect_url: 'https://app.example/back?from=us' } });
	const good = await signIn(here, 'github', { referer: 'https://site.example/deep', options });
	const bad = await signIn(here, 'github', { referer: 'https://site.example/deep', mood: 'deny', options });

	assert.match(good.answer.location, /^https:\/\/app\.example\/back\?from=us#access_token=/);
	assert.match(bad.answer.location, /^https:\/\/app\.example\/back\?from=us#error=access_denied&/);
});

const closed = shared({ settings: { ...all, GOTRUE_DISABLE_SIGNUP: 'true' } });

item(141, 'where nobody signs up, a newcomer is sent back', looksInside, async () => {
	const here = await closed();
	const person = someone();
	const { answer } = await signIn(here, 'github', { person });

	assert.match(answer.location, /#error=access_denied&error_description=Signups\+not\+allowed\+for\+this\+instance$/);
	assert.deepEqual(await found(here, person.emails[0].email), []);
});

item(142, 'where nobody signs up, somebody known by a second address comes in', looksInside, async () => {
	const here = await closed();
	const known = await here.made();
	const emails = [{ email: address(), verified: true, primary: true }, { email: known.email.toUpperCase(), verified: true }];
	const { fragment: told } = await signIn(here, 'github', { person: someone({ emails }) });

	assert.equal((await user(here, told)).id, known.id);
	assert.equal((await user(here, told)).email, known.email);
	assert.deepEqual((await user(here, told)).app_metadata, { provider: 'email' });
	assert.equal((await here.login(known)).status, 200);

	const other = await here.made();
	const unverified = [{ email: address(), verified: true, primary: true }, { email: other.email, verified: false }];

	assert.equal((await signIn(here, 'github', { person: someone({ emails: unverified }) })).fragment.error, 'access_denied');
});

item(143, 'a profile without an address is an error', looksInside, async () => {
	const here = await site();

	for (const name of names) {
		const { answer } = await signIn(here, name, { person: someone({ emails: [] }) });

		assert.match(answer.location, /#error=server_error&error_description=Error\+getting\+user\+email\+from\+external\+provider$/, name);
	}
	for (const email of ['', 'no address', 'Ann <ann@example.com>'])
		assert.equal((await signIn(here, 'github', { person: someone({ email }) })).fragment.error, 'server_error', email);
});

item(143, 'a provider that fails is an error, and its words stay with us', looksInside, async () => {
	const here = await site();
	const failing = async (path, answer, description) => {
		there.script(path, answer);
		try {
			const { fragment: told } = await signIn(here, 'google');

			assert.deepEqual(told, { error: 'server_error', error_description: description });
		} finally {
			there.script(path);
		}
	};
	const exchange = 'Unable to exchange external code for google provider';
	const profile = 'Error getting user email from external provider';
	const json = (status, body) => ({ status, type: 'application/json', body: JSON.stringify(body) });

	await failing('/o/oauth2/token', json(500, { error: 'secret words' }), exchange);
	await failing('/o/oauth2/token', json(200, {}), exchange);
	await failing('/o/oauth2/token', { status: 302, location: `${there.url}/o/oauth2/auth` }, exchange);
	await failing('/userinfo/v2/me', json(403, { error: 'secret words' }), profile);
	await failing('/userinfo/v2/me', { status: 200, type: 'application/json', body: '{"email":' }, profile);
	await failing('/userinfo/v2/me', { status: 200, type: 'application/json', body: `{"email":"${'x'.repeat(1100000)}"}` }, profile);
});

item(144, 'what the provider refuses is passed on', looksInside, async () => {
	const here = await site();
	const { answer } = await signIn(here, 'github', { mood: 'deny' });

	assert.ok(answer.location.startsWith('https://site.example'), answer.location);
	assert.ok(answer.location.endsWith('#error=access_denied&error_description=The+user+has+denied+your+application+access.'), answer.location);

	const browser = here.client();
	const state = new URL((await browser.get('/authorize?provider=github')).location).searchParams.get('state');

	assert.match((await browser.get(`/callback?state=${state}`)).location, /#error=invalid_request&error_description=Authorization\+code\+missing$/);
});

item(144, 'a code is good once, and only one of ours', looksInside, async () => {
	const here = await site();
	const { browser, back } = await signIn(here, 'github');

	refuses(await browser.get(`/callback${back.search}`), 400, 'OAuth state is invalid:');
	const other = here.client();
	const state = new URL((await other.get('/authorize?provider=github')).location).searchParams.get('state');

	assert.match((await other.get(`/callback?state=${state}&code=guessed`)).location,
		/#error=server_error&error_description=Unable\+to\+exchange\+external\+code\+for\+github\+provider$/);
});

item(144, 'an address that nobody vouches for takes no account over, and makes no second one', looksInside, async () => {
	const here = await site();
	const known = await here.confirmed();
	const emails = [{ email: known.email, verified: false, primary: true }];
	const { answer } = await signIn(here, 'github', { person: someone({ emails }) });

	assert.match(answer.location, /#error=invalid_request&error_description=A\+user\+with\+this\+email\+address\+has\+already\+been\+registered$/);
	assert.equal((await found(here, known.email)).length, 1);
	const { here: trusting, options } = await instance({ mailer: { autoconfirm: true } });
	const own = await trusting.signedUp({}, options);
	const person = someone({ emails: [{ email: own.email, verified: false, primary: true }] });

	assert.equal((await signIn(trusting, 'github', { person, options })).fragment.error, 'invalid_request');
	assert.equal((await found(trusting, own.email, options)).length, 1);
});

item(144, 'whoever signed up in advance with an address of others loses his password to its owner', looksInside, async () => {
	const here = await site();
	const thief = await here.signedUp();
	const { fragment: told } = await signIn(here, 'github', { person: someone({ email: thief.email }) });

	assert.equal((await user(here, told)).id, thief.id);
	assert.equal((await here.login(thief)).status, 400);
	const link = await here.mailed(thief.email, 'confirmation');

	refuses(await here.post('/verify', { type: 'signup', token: link }), 404, 'User not found');
});

item(145, 'an address that nobody vouches for is mailed first', looksInside, async () => {
	const here = await site();
	const person = someone();

	person.emails[0].verified = false;
	const { answer } = await signIn(here, 'github', { person, referer: 'https://site.example/page' });

	assert.equal(answer.location, 'https://site.example/page');
	const [row] = await found(here, person.emails[0].email);

	assert.equal(row.confirmed_at, undefined);
	const verified = await here.post('/verify', { type: 'signup', token: await here.mailed(row.email, 'confirmation') });

	assert.equal(verified.status, 200, verified.text);
	assert.equal((await user(here, verified.json)).id, row.id);
});

item(145, 'again within the pause nobody is mailed again', looksInside, async () => {
	const { here, options } = await instance({ smtp: { max_frequency: 60e9 } });
	const person = someone();
	const { email } = person.emails[0];

	person.emails[0].verified = false;
	for (let i = 0; i < 3; i++)
		assert.equal((await signIn(here, 'github', { person, options })).location.hash, '');
	assert.equal(here.mail.to(email).length, 1);
	assert.equal((await found(here, email, options)).length, 1);
});

item(145, 'where addresses are believed unseen, so are these', looksInside, async () => {
	const { here, options } = await instance({ mailer: { autoconfirm: true } });
	const person = someone();

	person.emails[0].verified = false;
	const { fragment: told } = await signIn(here, 'github', { person, options });

	assert.ok((await user(here, told, options)).confirmed_at);
	assert.deepEqual(here.mail.to(person.emails[0].email), []);
});

item(146, 'an invitation must be one, and fit', looksInside, async () => {
	const here = await site();

	refuses(await here.get('/authorize?provider=github&invite_token=nothing'), 404, 'User not found');
	const email = address();

	await here.operator('POST', '/invite', { email });
	const invite = await here.mailed(email, 'invite');
	const { answer } = await signIn(here, 'github', { invite });

	assert.match(answer.location, /#error=invalid_request&error_description=Invited\+email\+does\+not\+match\+emails\+from\+external\+provider$/);
	assert.equal((await found(here, email))[0].confirmed_at, undefined);
	assert.deepEqual(await found(here, there.person.emails[0].email), []);
});

item(146, 'an invitation that is old is refused', looksInside, async () => {
	const here = await site();
	const email = address();

	await here.operator('POST', '/invite', { email });
	const invite = await here.mailed(email, 'invite');

	here.control.advance(7 * 86400 + 60);
	refuses(await here.get(`/authorize?provider=github&invite_token=${invite}`), 422, 'Confirmation token expired');
});

item(147, 'an invitation that fits is accepted', looksInside, async () => {
	const here = await closed();
	const email = address();

	await here.operator('POST', '/invite', { email, data: { team: 'blue', full_name: 'A. Lee' } });
	const invite = await here.mailed(email, 'invite');
	const emails = [{ email: address(), verified: true, primary: true }, { email, verified: true }];
	const { fragment: told } = await signIn(here, 'github', { invite, person: someone({ emails }) });
	const person = await user(here, told);

	assert.equal(person.email, email);
	assert.ok(person.confirmed_at);
	assert.deepEqual(person.app_metadata, { provider: 'github' });
	assert.deepEqual(person.user_metadata, { avatar_url: 'https://pictures.example/ann.png', full_name: 'Ann Lee', team: 'blue' });
	assert.ok((await here.audit('action:invite_accepted')).some(({ payload }) => payload.actor_email === email));
	refuses(await here.get(`/authorize?provider=github&invite_token=${invite}`), 404, 'User not found');
	refuses(await here.post('/verify', { type: 'signup', token: invite, password: 'a thief' }), 404, 'User not found');
});

item(148, 'Facebook is asked with a proof that we know its secret', looksInside, async () => {
	const here = await site();

	there.calls.length = 0;
	const { fragment: told } = await signIn(here, 'facebook');
	const [call] = there.asked('/me');
	const token = /^Bearer (\S+)$/.exec(call.headers.authorization)[1];

	assert.ok(told.access_token);
	assert.equal(call.query.get('appsecret_proof'), createHmac('sha256', there.clientSecret).update(token).digest('hex'));
	assert.equal(call.query.get('fields'), 'email,first_name,last_name,name,picture');
	assert.deepEqual((await user(here, told)).user_metadata, { avatar_url: 'https://pictures.example/ann.png', full_name: 'Ann Lee', slug: 'Ann Lee' });
});

item(149, 'a token comes as JSON or as a form', looksInside, async () => {
	const here = await site();

	there.calls.length = 0;
	there.answersForms = true;
	try {
		assert.ok((await signIn(here, 'github')).fragment.access_token);
		there.script('/login/oauth/access_token', { status: 200, type: 'application/x-www-form-urlencoded', body: 'error=bad_verification_code' });
		assert.equal((await signIn(here, 'github')).fragment.error, 'server_error');
	} finally {
		there.answersForms = false;
		there.script('/login/oauth/access_token');
	}
	assert.ok((await signIn(here, 'github')).fragment.access_token);
	const [call] = there.asked('/login/oauth/access_token');

	assert.equal(call.headers.accept, 'application/json');
	assert.deepEqual([call.fields.grant_type, call.fields.redirect_uri, call.fields.client_id], ['authorization_code', redirect, clientId]);
});

item(138, 'each house tells of people in its own words', looksInside, async () => {
	const here = await site();

	for (const name of names) {
		const person = someone();
		const { fragment: told } = await signIn(here, name, { person });
		const { email, app_metadata, user_metadata } = await user(here, told);

		assert.equal(email, person.emails[0].email, name);
		assert.deepEqual(app_metadata, { provider: name });
		assert.deepEqual([user_metadata.full_name, user_metadata.avatar_url], ['Ann Lee', 'https://pictures.example/ann.png']);

		const again = await signIn(here, name, { person: { ...person, name: 'Another' } });

		assert.equal((await user(here, again.fragment)).user_metadata.full_name, 'Ann Lee');
		assert.equal((await found(here, email)).length, 1);
	}
});

item(138, 'the audit log tells who came, and how often', looksInside, async () => {
	const here = await site();
	const person = someone();
	const actions = async () => (await here.audit(`author:${person.emails[0].email}`)).map(({ payload }) => payload.action).reverse();

	await signIn(here, 'github', { person });
	assert.deepEqual(await actions(), ['user_signedup']);
	await signIn(here, 'github', { person });
	assert.deepEqual(await actions(), ['user_signedup', 'login']);
});

item(138, 'who comes twice at once is one', looksInside, async () => {
	const here = await site();
	const person = someone();

	there.person = person;
	const backs = await Promise.all([1, 2, 3, 4].map(async () => {
		const browser = here.client();

		return { browser, back: await there.visit((await browser.get('/authorize?provider=github')).location) };
	}));
	const ends = await Promise.all(backs.map(async ({ browser, back }) => new URL((await browser.get(`/callback${back.search}`)).location)));

	assert.ok(ends.some(({ hash }) => hash.startsWith('#access_token=')), ends.join('\n'));
	assert.ok(ends.every(({ hash }) => /^#(access_token|error)=/.test(hash)), ends.join('\n'));
	assert.equal((await found(here, person.emails[0].email)).length, 1);
});

item(138, 'who changed his address at the provider is still the same', looksInside, async () => {
	const here = await site();
	const person = someone();
	const first = await user(here, (await signIn(here, 'github', { person })).fragment);
	const moved = { ...person, emails: [{ email: address(), verified: true, primary: true }] };
	const second = await user(here, (await signIn(here, 'github', { person: moved })).fragment);

	assert.deepEqual([second.id, second.email], [first.id, first.email]);
});

item(138, 'an audience that the request names has people of its own', looksInside, async () => {
	const here = await site();
	const person = someone();
	const first = await user(here, (await signIn(here, 'github', { person })).fragment);
	const { fragment: told } = await signIn(here, 'github', { person, headers: { 'x-jwt-aud': 'other' } });
	const [, claims] = decode(told.access_token);

	assert.equal(claims.aud, 'other');
	assert.notEqual(claims.sub, first.id);
});

item(138, 'one of many sites has its people from elsewhere for itself', looksInside, async () => {
	const one = await instance({ site_url: 'https://one.example' });
	const two = await instance({ site_url: 'https://two.example' });
	const person = someone();
	const first = await signIn(one.here, 'github', { person, options: one.options, referer: 'https://one.example/x' });
	const second = await signIn(two.here, 'github', { person, options: two.options, referer: 'https://one.example/x' });

	assert.equal(first.location.href.split('#')[0], 'https://one.example/x');
	assert.equal(second.location.href.split('#')[0], 'https://two.example/');
	assert.notEqual((await user(one.here, first.fragment, one.options)).id, (await user(two.here, second.fragment, two.options)).id);
	assert.equal((await one.here.get('/user', { bearer: first.fragment.access_token, ...two.options })).status, 401);
	assert.equal((await one.here.get('/callback')).status, 400);
});

item(138, 'an OpenID Connect issuer vouches too (ours)', looksInside, async () => {
	const issuer = await Issuer.open({ clientId: 'our-id', secret: 'our-secret', redirectUri: redirect });

	try {
		await within({ settings: { PORTRESS_PROVIDER_ALLOW_PRIVATE: 'true', PORTRESS_PROVIDER_OIDC_ENABLED: 'true',
			PORTRESS_PROVIDER_OIDC_ISSUER: issuer.url, PORTRESS_PROVIDER_OIDC_CLIENT_ID: 'our-id', PORTRESS_PROVIDER_OIDC_SECRET: 'our-secret', PORTRESS_PROVIDER_OIDC_REDIRECT_URI: redirect,
			PORTRESS_PROVIDER_OIDC_NAME: 'house' } }, async (here) => {
			const browser = here.client();
			const back = await issuer.visit((await browser.get('/authorize?provider=house')).location);
			const told = fragment(new URL((await browser.get(`/callback${back.search}`)).location));
			const person = await user(here, told);

			assert.equal(person.email, 'ann@example.org');
			assert.deepEqual(person.app_metadata, { provider: 'house' });
			refuses(await here.get('/authorize?provider=oidc'), 400, 'Unsupported provider: Provider oidc could not be found');
		});
	} finally {
		await issuer.close();
	}
});
