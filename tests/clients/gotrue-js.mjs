/*
 * gotrue-js as an application uses it, told alike for each version that is about: every call it has,
 * what goes over the wire for it, and beside each "works" what the application hears of a refusal.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { address, openSite } from '../support/gotrue.mjs';
import { ProviderServer } from '../support/provider-server.mjs';
import './timer.mjs';

const password = 'correct horse 7';

/* Every request that went out, newest last: { line, headers, body, status, cookies }. */
const wire = [];
const send = globalThis.fetch;

globalThis.fetch = async (target, options = {}) => {
	const answer = await send(target, options);

	wire.push({ line: `${options.method ?? 'GET'} ${new URL(target).pathname}`, headers: new Headers(options.headers),
		body: options.body, status: answer.status, cookies: answer.headers.getSetCookie() });
	return answer;
};

/* The lines that a call sends. */
async function sends(call, ...lines) {
	const from = wire.length;
	const result = await call();

	assert.deepEqual(wire.slice(from).map(({ line }) => line), lines);
	return result;
}

const refuses = (call, status, message) => assert.rejects(call, { status, message });
const wrongPassword = 'invalid_grant: No user found with that email, or password invalid.';

/* A browser's way to the provider and back: what the site finds in its fragment. */
async function abroad(there, url) {
	const away = await send(url, { redirect: 'manual' });

	assert.equal(away.status, 302, await away.text());
	const back = await there.visit(away.headers.get('location'));
	const cookie = away.headers.getSetCookie().map((one) => one.split(';')[0]).join('; ');
	const home = await send(back, { redirect: 'manual', headers: { cookie } });

	return Object.fromEntries(new URLSearchParams(new URL(home.headers.get('location')).hash.slice(1)));
}

/* GoTrue: the class under test. pages: whether a list comes with its pages; checks: whether sessions can be validated. */
export function tell(GoTrue, { pages, checks }) {
	let there;
	let site;
	let auth;

	before(async () => {
		there = await ProviderServer.open();
		site = await openSite({ start: false });
		Object.assign(site.settings, there.settings('github', `${site.base}/callback`));
		await site.server.start();
		auth = new GoTrue({ APIUrl: site.base });
	});
	after(async () => {
		await site?.close();
		await there?.close();
	});

	/* Somebody with an account, and their session. */
	async function someone(fields) {
		const who = await site.made({ password, ...fields });

		return auth.login(who.email, password);
	}

	async function validated() {
		const user = await someone();

		assert.equal((await sends(() => auth.validateCurrentSession(), 'GET /user')).id, user.id);
		await site.operator('DELETE', `/admin/users/${user.id}`);
		assert.equal(await auth.validateCurrentSession(), null);
		assert.equal(auth.currentUser(), null);
	}

	describe('signing up and in', () => {
		test('settings', async () => {
			const settings = await sends(() => auth.settings(), 'GET /settings');

			assert.equal(settings.external.github, true);
			assert.equal(settings.external.google, false);
			assert.equal(settings.autoconfirm, false);
			assert.equal(settings.disable_signup, false);
			await assert.rejects(new GoTrue({ APIUrl: `${site.base}/nowhere` }).settings(), { name: 'TextHTTPError', status: 404 });
		});

		test('sign-up, letter, confirmation, sign-in', async () => {
			const email = address();
			const made = await sends(() => auth.signup(email, password, { full_name: 'Ann Lee' }), 'POST /signup');

			assert.match(made.id, /^[0-9a-f-]{36}$/);
			assert.deepEqual([made.email, made.confirmed_at, made.user_metadata], [email, undefined, { full_name: 'Ann Lee' }]);
			await refuses(auth.login(email, password), 400, 'invalid_grant: Email not confirmed');

			const token = await site.mailed(email, 'confirmation');
			const user = await sends(() => auth.confirm(token), 'POST /verify', 'GET /user');

			assert.deepEqual([user.id, user.email, user.app_metadata], [made.id, email, { provider: 'email' }]);
			assert.ok(user.confirmed_at);
			assert.ok(user.tokenDetails().expires_at > Date.now());
			await refuses(auth.confirm(token), 404, 'User not found');

			const again = await sends(() => auth.login(email, password), 'POST /token', 'GET /user');

			assert.equal(again.id, made.id);
			await refuses(auth.login(email, `${password}?`), 400, wrongPassword);
			await refuses(auth.login(address(), password), 400, wrongPassword);
			await refuses(auth.signup(email, password), 400, 'A user with this email address has already been registered');
		});

		test('sign-up without what it needs', async () => {
			await refuses(auth.signup(address(), ''), 422, 'Signup requires a valid password');
			await refuses(auth.signup('', password), 422, 'An email address is required');
			await refuses(auth.signup('nobody', password), 422, /^Unable to validate email address: /);
		});

		test('what people write comes through as they wrote it', async () => {
			const odd = { email: `o'b+c&d=%41${address()}`, password: 'p&ss=w%6Frd + ünï\u2028c😀de', full_name: '<Ann> & Ünï 😀' };

			await auth.signup(odd.email, odd.password, { full_name: odd.full_name });
			await auth.confirm(await site.mailed(odd.email, 'confirmation'));
			const user = await auth.login(odd.email, odd.password);

			assert.deepEqual([user.email, user.user_metadata.full_name], [odd.email, odd.full_name]);
		});

		test('somebody invited', async () => {
			const [email, other] = [address(), address()];

			for (const one of [email, other])
				assert.equal((await site.operator('POST', '/invite', { email: one })).status, 200);
			const token = await site.mailed(email, 'invite');

			await refuses(auth.acceptInvite(token, ''), 422, 'Invited users must specify a password');
			const user = await sends(() => auth.acceptInvite(token, password), 'POST /verify', 'GET /user');

			assert.deepEqual([user.email, typeof user.invited_at], [email, 'string']);
			assert.equal((await auth.login(email, password)).id, user.id);
			await refuses(auth.acceptInvite(token, password), 404, 'User not found');
		});

		test('a forgotten password', async () => {
			const user = await someone();

			assert.deepEqual(await auth.requestPasswordRecovery(address()), {});
			assert.deepEqual(await sends(() => auth.requestPasswordRecovery(user.email), 'POST /recover'), {});
			await refuses(auth.requestPasswordRecovery(user.email), 429, 'Rate limit exceeded, try again later');
			await refuses(auth.requestPasswordRecovery(''), 422, 'Password recovery requires an email');

			const token = await site.mailed(user.email, 'recovery');

			await refuses(auth.confirm(token), 404, 'User not found');
			const back = await sends(() => auth.recover(token), 'POST /verify', 'GET /user');

			await refuses(auth.recover(token), 404, 'User not found');
			await back.update({ password: 'another one 8' });
			assert.equal((await auth.login(user.email, 'another one 8')).id, user.id);
			await refuses(auth.login(user.email, password), 400, wrongPassword);
		});
	});

	describe('signing in elsewhere', () => {
		test('there and back', async () => {
			there.person = { ...there.person, emails: [{ email: address(), verified: true, primary: true }] };
			const found = await abroad(there, auth.loginExternalUrl('github'));
			const user = await sends(() => auth.createUser(found), 'GET /user');

			assert.equal(user.email, there.person.emails[0].email);
			assert.equal(user.app_metadata.provider, 'github');
			assert.equal(user.user_metadata.full_name, 'Ann Lee');
			await sends(() => user.jwt(true), 'POST /token');
			assert.notEqual(user.tokenDetails().refresh_token, found.refresh_token);
			assert.equal((await send(auth.loginExternalUrl('google'))).status, 400);
			await refuses(auth.createUser({ ...found, access_token: `${found.access_token}x` }), 401, /^Invalid token: /);
		});

		test('somebody invited', async () => {
			const email = address();

			there.person = { ...there.person, id: 7, emails: [{ email, verified: true, primary: true }] };
			await site.operator('POST', '/invite', { email });
			const token = await site.mailed(email, 'invite');
			const user = await auth.createUser(await abroad(there, auth.acceptInviteExternalUrl('github', token)));

			assert.deepEqual([user.email, user.app_metadata.provider], [email, 'github']);
			assert.ok(user.confirmed_at);
			assert.equal((await send(auth.acceptInviteExternalUrl('github', token))).status, 404);
		});
	});

	describe('somebody signed in', () => {
		test('data, and what is theirs to change', async () => {
			const user = await someone({ user_metadata: { full_name: 'Ann', city: 'Rome' } });
			const updated = await sends(() => user.update({ data: { city: null, tea: true } }), 'PUT /user');

			assert.deepEqual(updated.user_metadata, { full_name: 'Ann', tea: true });
			await refuses(user.update({ app_metadata: { roles: ['admin'] } }), 401,
				'Updating app_metadata requires admin privileges');
			assert.deepEqual((await auth.login(user.email, password)).app_metadata, { provider: 'email' });
		});

		test('a new password', async () => {
			const user = await someone();

			await user.update({ password: 'another one 8' });
			assert.equal((await auth.login(user.email, 'another one 8')).id, user.id);
			await refuses(auth.login(user.email, password), 400, wrongPassword);
		});

		test('a new address', async () => {
			const user = await someone();
			const [old, taken, email] = [user.email, (await site.made()).email, address()];

			await refuses(user.update({ email: taken }), 422, 'Email address already registered by another user');
			const waiting = await user.update({ email });

			assert.deepEqual([waiting.email, waiting.new_email], [old, email]);
			const token = await site.mailed(email, 'email_change');

			await refuses(user.update({ email_change_token: `${token}x` }), 401, "Email Change Token didn't match token on file");
			assert.equal((await user.update({ email_change_token: token })).email, email);
			assert.equal((await auth.login(email, password)).id, user.id);
			await refuses(auth.login(old, password), 400, wrongPassword);
		});

		test('tokens are turned over, and tell what has changed', async () => {
			const user = await someone();
			const first = { ...user.tokenDetails() };

			assert.equal(await sends(() => user.jwt()), first.access_token);
			await site.operator('PUT', `/admin/users/${user.id}`, { app_metadata: { roles: ['editor'] } });
			const [next, same] = await sends(() => Promise.all([user.jwt(true), user.jwt(true)]), 'POST /token');

			assert.equal(next, same);
			assert.notEqual(user.tokenDetails().refresh_token, first.refresh_token);
			assert.deepEqual(JSON.parse(Buffer.from(next.split('.')[1], 'base64url')).app_metadata.roles, ['editor']);
			assert.equal((await user.getUserData()).id, user.id);
		});

		test('signing out ends every session', async () => {
			const user = await someone();
			const elsewhere = await auth.login(user.email, password);

			await sends(() => user.logout(), 'POST /logout');
			assert.equal(wire.at(-1).status, 204);
			assert.equal(user.tokenDetails(), null);
			await refuses(elsewhere.jwt(true), 400, 'Bad Request');
			assert.equal(elsewhere.tokenDetails(), null);
			await assert.rejects(user.jwt(), /failed getting jwt access token/);
		});

		if (checks)
			test('validating a session', validated);
	});

	describe('administrators', () => {
		test('everything they do', async () => {
			const { admin } = await someone({ role: 'admin' });
			const email = address();
			const made = await sends(() => admin.createUser(email, password, { confirm: true, user_metadata: { a: 1 } }),
				'POST /admin/users');

			assert.equal((await auth.login(email, password)).id, made.id);
			await refuses(admin.createUser(email, password), 422, 'Email address already registered by another user');

			const list = await sends(() => admin.listUsers(''), 'GET /admin/users');
			const { users } = pages ? list.items : list;

			assert.equal(users[0].id, made.id);
			if (pages)
				assert.deepEqual(list.pagination, { last: 1, current: 1, total: users.length });

			const path = `/admin/users/${made.id}`;
			const changed = await sends(() => admin.updateUser(made, { role: 'editor', user_metadata: { a: null, b: 2 } }), `PUT ${path}`);

			assert.deepEqual([changed.role, changed.user_metadata], ['editor', { b: 2 }]);
			assert.equal((await sends(() => admin.getUser(made), `GET ${path}`)).role, 'editor');
			assert.deepEqual(await sends(() => admin.deleteUser(made), `DELETE ${path}`), {});
			await refuses(admin.getUser(made), 404, 'User not found');
			await refuses(admin.getUser({ id: 'me' }), 400, 'user_id must be an UUID');
		});

		test('nobody else does', async () => {
			const { admin, id } = await someone({ role: 'editor' });

			await refuses(admin.listUsers(''), 401, 'User not allowed');
			await refuses(admin.getUser({ id }), 401, 'User not allowed');
			await refuses(admin.createUser(address(), password), 401, 'User not allowed');
			await refuses(admin.updateUser({ id }, { role: 'admin' }), 401, 'User not allowed');
			await refuses(admin.deleteUser({ id }), 401, 'User not allowed');
		});
	});

	test('two audiences, and the cookie that is asked for', async () => {
		const [shop, desk] = ['shop', 'desk'].map((audience) => new GoTrue({ APIUrl: site.base, audience, setCookie: true }));
		const email = address();

		assert.notEqual((await shop.signup(email, password)).id, (await desk.signup(email, password)).id);
		await shop.confirm(await site.mailed(email, 'confirmation', 2).then(() => first(email)));
		const user = await shop.login(email, password, true);
		const { headers, cookies } = wire.at(-2);

		assert.deepEqual([headers.get('x-jwt-aud'), headers.get('x-use-cookie'), user.aud], ['shop', '1', 'shop']);
		assert.match(cookies.join(), new RegExp(`^nf_jwt=${user.token.access_token};.*Max-Age=86400.*HttpOnly`));
		await shop.login(email, password);
		assert.equal(wire.at(-2).headers.get('x-use-cookie'), 'session');
		assert.doesNotMatch(wire.at(-2).cookies.join(), /Max-Age|Expires/i);
		await refuses(desk.login(email, password), 400, 'invalid_grant: Email not confirmed');
		await refuses(auth.login(email, password), 400, wrongPassword);
		await refuses(desk.createUser({ ...user.token }), 400, "Token audience doesn't match request audience");
	});

	/* The token of the oldest letter. */
	async function first(email) {
		const [letter] = site.mail.to(email);

		return /#confirmation_token=([A-Za-z0-9_-]+)/.exec(letter.html)[1];
	}
}
