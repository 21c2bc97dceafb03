/*
 * The OAuth houses that people come from, all at one address of this machine, each in its own words:
 * what it is asked, what it answers, what it refuses. Codes are bound to client, redirect URI and
 * challenge, and are good once, as RFC 6749 and RFC 7636 want it.
 *
 *	const there = await ProviderServer.open({ clientId, secret });
 *	there.person = { ...ann, emails: [{ email: 'ann@example.org', verified: true, primary: true }] };
 *	const back = await there.visit(addressThatWeWereSentTo);     the redirect URI with its query
 *	there.script('/o/oauth2/token', { status: 500, body: 'oops' });
 *
 * Settings that take `there.url` as the provider's URL reach it. `calls` keeps each request.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';

export const ann = {
	id: 583231, login: 'annlee', name: 'Ann Lee', first: 'Ann', last: 'Lee', avatar: 'https://pictures.example/ann.png',
	emails: [{ email: 'ann@example.org', verified: true, primary: true }],
};

const primary = ({ emails }) => emails.find((one) => one.primary) ?? emails[0];
const others = (person) => person.emails.filter((one) => one !== primary(person));
const without = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

/* Where each is asked, and what its profile calls say of a person. */
const houses = {
	github: {
		authorize: '/login/oauth/authorize',
		token: '/login/oauth/access_token',
		pkce: true,
		says: {
			'/api/v3/user': (one) => ({ login: one.login, id: one.id, type: 'User', name: one.name ?? null, avatar_url: one.avatar,
				email: null, created_at: '2011-01-25T18:44:36Z' }),
			'/api/v3/user/emails': (one) => one.emails.map(({ email, verified, primary: first }) => (
				{ email, verified, primary: first ?? false, visibility: first ? 'public' : null })),
		},
	},
	gitlab: {
		authorize: '/oauth/authorize',
		token: '/oauth/token',
		pkce: true,
		says: {
			'/api/v4/user': (one) => ({ id: one.id, username: one.login, name: one.name, state: 'active', avatar_url: one.avatar ?? null,
				email: primary(one)?.email, confirmed_at: primary(one)?.verified ? '2012-05-23T09:05:22Z' : null }),
			'/api/v4/user/emails': (one) => others(one).map(({ email, verified }, at) => (
				{ id: at + 1, email, confirmed_at: verified ? '2021-03-26T19:07:56Z' : null })),
		},
	},
	bitbucket: {
		authorize: '/site/oauth2/authorize',
		token: '/site/oauth2/access_token',
		says: {
			'/2.0/user': (one) => ({ type: 'user', uuid: `{${one.id}}`, nickname: one.login, display_name: one.name,
				links: { avatar: { href: one.avatar }, self: { href: 'https://api.bitbucket.org/2.0/user' } } }),
			'/2.0/user/emails': (one) => ({ pagelen: 10, page: 1, size: one.emails.length,
				values: one.emails.map(({ email, verified, primary: first }) => (
					{ type: 'email', email, is_confirmed: verified, is_primary: first ?? false })) }),
		},
	},
	google: {
		authorize: '/o/oauth2/auth',
		token: '/o/oauth2/token',
		pkce: true,
		says: {
			'/userinfo/v2/me': (one) => without({ id: String(one.id), email: primary(one)?.email, verified_email: primary(one)?.verified,
				name: one.name, given_name: one.first, family_name: one.last, picture: one.avatar }),
		},
	},
	facebook: {
		authorize: '/dialog/oauth',
		token: '/oauth/access_token',
		proof: true,
		says: {
			'/me': (one) => without({ id: String(one.id), email: primary(one)?.email, first_name: one.first, last_name: one.last,
				name: one.name, picture: { data: { height: 50, is_silhouette: false, url: one.avatar, width: 50 } } }),
		},
	},
};

const secret = () => randomBytes(16).toString('hex');
const json = (body, status = 200) => ({ status, type: 'application/json; charset=utf-8', body: JSON.stringify(body) });
const form = (fields, status = 200) => ({ status, type: 'application/x-www-form-urlencoded; charset=utf-8',
	body: new URLSearchParams(fields).toString() });
const found = (location) => ({ status: 302, location });

export class ProviderServer {
	static async open({ clientId = 'our-id', secret: clientSecret = 'our-secret' } = {}) {
		const there = new ProviderServer();

		Object.assign(there, { clientId, clientSecret, calls: [], person: ann, mood: 'consent', answersForms: false });
		there.codes = new Map();
		there.tokens = new Map();
		there.scripts = new Map();
		there.server = http.createServer((request, response) => there.#answer(request, response));
		there.server.listen(0, '127.0.0.1');
		await once(there.server, 'listening');
		there.url = `http://127.0.0.1:${there.server.address().port}`;
		return there;
	}

	/* What GoTrue's settings call it. */
	settings(name, redirectUri) {
		const fields = { ENABLED: 'true', CLIENT_ID: this.clientId, SECRET: this.clientSecret, REDIRECT_URI: redirectUri, URL: this.url };
		const named = Object.entries(fields).map(([field, value]) => [`GOTRUE_EXTERNAL_${name.toUpperCase()}_${field}`, value]);

		return { ...Object.fromEntries(named), PORTRESS_PROVIDER_ALLOW_PRIVATE: 'true' };
	}

	/* The next requests of that path get this, or what the function makes of them; undefined ends it. */
	script(path, answer) {
		if (answer === undefined)
			this.scripts.delete(path);
		else
			this.scripts.set(path, typeof answer === 'function' ? answer : () => answer);
	}

	/* What a browser does that is sent there: it comes back to the redirect URI. */
	async visit(address) {
		const response = await fetch(address, { redirect: 'manual' });

		if (response.status !== 302)
			throw new Error(`${response.status}: ${await response.text()}`);
		return new URL(response.headers.get('location'));
	}

	asked(path) {
		return this.calls.filter((call) => call.path === path);
	}

	async close() {
		this.server.closeAllConnections();
		await new Promise((done) => this.server.close(done));
	}

	async #answer(request, response) {
		const { pathname, searchParams, search } = new URL(request.url, this.url);
		const chunks = [];

		for await (const chunk of request)
			chunks.push(chunk);
		const body = Buffer.concat(chunks).toString();
		const call = { method: request.method, path: pathname, query: searchParams, search,
			headers: request.headers, body, fields: Object.fromEntries(new URLSearchParams(body)) };
		this.calls.push(call);
		const answer = this.scripts.get(pathname)?.(call) ?? this.#find(call);
		const headers = { 'content-type': answer.type ?? 'text/html', ...answer.location && { location: answer.location } };
		response.writeHead(answer.status, headers).end(answer.body);
	}

	#find(call) {
		for (const [name, house] of Object.entries(houses)) {
			if (call.path === house.authorize && call.method === 'GET')
				return this.#authorize(name, call);
			if (call.path === house.token && call.method === 'POST')
				return this.#token(name, call);
			if (call.path in house.says && call.method === 'GET')
				return this.#tell(name, call);
		}
		return json({ message: 'Not Found' }, 404);
	}

	#authorize(name, { query }) {
		const back = new URL(query.get('redirect_uri'));

		if (query.get('client_id') !== this.clientId || query.get('response_type') !== 'code' || !query.get('scope'))
			return { status: 400, body: 'client_id, response_type or scope' };
		if (this.mood === 'deny') {
			back.searchParams.set('error', 'access_denied');
			back.searchParams.set('error_description', 'The user has denied your application access.');
		} else {
			const code = secret();

			this.codes.set(code, { name, redirect: query.get('redirect_uri'),
				challenge: houses[name].pkce ? query.get('code_challenge') : null, method: query.get('code_challenge_method') });
			back.searchParams.set('code', code);
		}
		back.searchParams.set('state', query.get('state'));
		return found(back.href);
	}

	/* RFC 6749 5.2, and GitHub, which says no with 200. */
	#refuse(name, error) {
		if (name === 'facebook')
			return json({ error: { message: 'Invalid verification code format.', type: 'OAuthException', code: 100 } }, 400);
		const [word, status] = name === 'github' ? ['bad_verification_code', 200] : [error, 400];
		const fields = { error: word, error_description: 'no' };

		return this.answersForms ? form(fields, status) : json(fields, status);
	}

	#token(name, { fields, headers }) {
		const code = this.codes.get(fields.code);
		const hash = (text) => createHash('sha256').update(text ?? '').digest('base64url');

		this.codes.delete(fields.code);
		if (headers['content-type'] !== 'application/x-www-form-urlencoded' || fields.grant_type !== 'authorization_code')
			return this.#refuse(name, 'invalid_request');
		if (fields.client_id !== this.clientId || fields.client_secret !== this.clientSecret)
			return this.#refuse(name, 'invalid_client');
		if (code?.name !== name || code.redirect !== fields.redirect_uri)
			return this.#refuse(name, 'invalid_grant');
		if (code.challenge && (code.method !== 'S256' || hash(fields.code_verifier) !== code.challenge))
			return this.#refuse(name, 'invalid_grant');

		const token = secret();
		const answer = { access_token: token, ...name !== 'facebook' && { token_type: 'bearer' } };
		this.tokens.set(token, name);
		return this.answersForms ? form({ ...answer, scope: 'user:email' }) : json({ ...answer, expires_in: 7200 });
	}

	#tell(name, { path, headers, query }) {
		const token = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1];
		const proof = createHmac('sha256', this.clientSecret).update(token ?? '').digest('hex');

		if (this.tokens.get(token) !== name)
			return json({ message: 'Bad credentials' }, 401);
		if (name === 'github' && !headers['user-agent'])
			return { status: 403, body: 'Request forbidden by administrative rules.' };
		if (houses[name].proof && query.get('appsecret_proof') !== proof)
			return json({ error: { message: 'Invalid appsecret_proof provided in the API argument', code: 100 } }, 400);
		return json(houses[name].says[path](this.person));
	}
}
