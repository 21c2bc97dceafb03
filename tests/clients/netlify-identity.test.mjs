/*
 * @netlify/identity in functions on a server: the site's address and the visitor's cookies come from a
 * context, and sessions are kept in cookies of its own.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';

import * as identity from '@netlify/identity';

import { address, openSite, randomUUID } from '../support/gotrue.mjs';

const password = 'correct horse 7';
const prefix = '/.netlify/identity';

let site;
let cookies;

async function openIdentity(settings) {
	const opened = await openSite({ settings: { PORTRESS_SURFACES: `gotrue=${prefix}`, ...settings } });

	opened.origin = opened.base;
	opened.base += prefix;
	return opened;
}

/* What a function gets to see when somebody comes. */
function visit(where = site) {
	const jar = new Map();

	cookies = { get: (name) => jar.get(name), set: ({ name, value }) => jar.set(name, value), delete: (name) => jar.delete(name) };
	globalThis.Netlify = { context: { url: where.origin, cookies } };
	delete globalThis.netlifyIdentityContext;
}

const refuses = (call, message, status) => assert.rejects(call, { name: 'AuthError', message, ...status && { status } });

before(async () => {
	site = await openIdentity();
});
after(() => site?.close());
beforeEach(() => visit());

async function someone() {
	const who = await site.made({ password });

	return { ...who, ...await identity.login(who.email, password) };
}

describe('visitors', () => {
	test('settings', async () => {
		const providers = { google: false, github: false, gitlab: false, bitbucket: false, facebook: false, email: true };

		assert.deepEqual(await identity.getSettings(), { autoconfirm: false, disableSignup: false, providers });
	});

	test('signing up', async () => {
		const email = address();
		const made = await identity.signup(email, password, { full_name: 'Ann Lee' });

		assert.deepEqual([made.email, made.name, made.provider, made.confirmedAt], [email, 'Ann Lee', 'email', undefined]);
		assert.equal(cookies.get('nf_jwt'), undefined);
		await refuses(identity.login(email, password), 'Email not confirmed', 400);
		const token = await site.mailed(email, 'confirmation');
		const user = await identity.confirmEmail(token);

		assert.equal(user.id, made.id);
		assert.ok(user.confirmedAt);
		await refuses(identity.confirmEmail(token), 'User not found');
		await refuses(identity.signup(email, password), 'A user with this email address has already been registered', 400);
		await refuses(identity.signup(address(), ''), 'Signup requires a valid password', 422);
	});

	test('signing in and out', async () => {
		const user = await someone();
		const refresh = cookies.get('nf_refresh');

		assert.equal((await identity.getUser()).id, user.id);
		assert.equal(await identity.isAuthenticated(), true);
		assert.equal(await identity.refreshSession(), null);
		await identity.logout();
		assert.deepEqual([cookies.get('nf_jwt'), cookies.get('nf_refresh')], [undefined, undefined]);
		assert.equal(await identity.getUser(), null);
		assert.equal((await site.refresh(refresh)).status, 400);
		await refuses(identity.login(user.email, 'wrong'), 'No user found with that email, or password invalid.', 400);
		await refuses(identity.login(address(), password), 'No user found with that email, or password invalid.', 400);
	});

	test('a token that nobody signed makes nobody', async () => {
		cookies.set({ name: 'nf_jwt', value: 'e30.e30.e30' });
		assert.equal(await identity.getUser(), null);
	});

	test('a session that is about to end is renewed, and one that has ended is not', async () => {
		const brief = await openIdentity({ GOTRUE_JWT_EXP: '30', PORTRESS_JWT_REFRESH_GRACE: '0s' });

		try {
			const { email } = await brief.made({ password });

			visit(brief);
			await identity.login(email, password);
			const before = cookies.get('nf_refresh');
			const token = await identity.refreshSession();

			assert.equal(token, cookies.get('nf_jwt'));
			assert.notEqual(cookies.get('nf_refresh'), before);
			assert.equal((await identity.getUser()).email, email);
			cookies.set({ name: 'nf_refresh', value: before });
			assert.equal(await identity.refreshSession(), null);
			assert.equal(cookies.get('nf_jwt'), undefined);
		} finally {
			await brief.close();
		}
	});

	test('where addresses are believed, who signs up signs in at once', async () => {
		const trusting = await openIdentity({ GOTRUE_MAILER_AUTOCONFIRM: 'true' });

		try {
			const email = address();

			visit(trusting);
			assert.ok((await identity.signup(email, password)).confirmedAt);
			assert.equal(cookies.get('nf_jwt'), undefined);
			assert.equal((await identity.login(email, password)).email, email);
		} finally {
			await trusting.close();
		}
	});

	test('a forgotten password', async () => {
		const { email, id } = await site.made({ password });

		await identity.requestPasswordRecovery(address());
		await identity.requestPasswordRecovery(email);
		await refuses(identity.requestPasswordRecovery(email), 'Rate limit exceeded, try again later');
		const token = await site.mailed(email, 'recovery');

		assert.equal((await identity.recoverPassword(token, 'another one 8')).id, id);
		await refuses(identity.recoverPassword(token, 'and one more 9'), 'User not found');
		assert.equal((await identity.login(email, 'another one 8')).id, id);
	});

	test('an invitation', async () => {
		const email = address();

		await site.operator('POST', '/invite', { email });
		const token = await site.mailed(email, 'invite');

		await refuses(identity.acceptInvite(token, ''), 'Invited users must specify a password');
		const user = await identity.acceptInvite(token, password);

		assert.ok(user.invitedAt);
		assert.equal((await identity.login(email, password)).id, user.id);
		await refuses(identity.acceptInvite(token, password), 'User not found');
	});

	test('changing what is theirs', async () => {
		const { email } = await site.made({ password });

		await identity.requestPasswordRecovery(email);
		await identity.recoverPassword(await site.mailed(email, 'recovery'), password);
		const waiting = address();
		const user = await identity.updateUser({ data: { full_name: 'Ann' }, email: waiting });

		assert.deepEqual([user.name, user.email, user.pendingEmail], ['Ann', email, waiting]);
		await refuses(identity.updateUser({ app_metadata: { roles: ['admin'] } }),
			'Updating app_metadata requires admin privileges');
	});
});

describe('functions of the site', () => {
	beforeEach(() => {
		globalThis.netlifyIdentityContext = { url: site.base, token: site.operatorToken };
	});

	test('everything that administrators do', async () => {
		const { admin } = identity;
		const email = address();
		const made = await admin.createUser({ email, password,
			data: { role: 'editor', app_metadata: { roles: ['a'] }, user_metadata: { full_name: 'Ann' } } });

		assert.ok(made.confirmedAt);
		assert.deepEqual([made.role, made.roles, made.name, made.provider], ['editor', ['a'], 'Ann', 'email']);
		assert.equal((await admin.listUsers())[0].id, made.id);
		await admin.createUser({ email: address(), password });
		assert.deepEqual((await admin.listUsers({ page: 2, perPage: 1 })).map(({ id }) => id), [made.id]);
		assert.equal((await admin.getUser(made.id)).email, email);

		const changed = await admin.updateUser(made.id, { email: `x${email}`, role: 'r', app_metadata: { roles: ['b'] } });

		assert.deepEqual([changed.email, changed.role, changed.roles], [`x${email}`, 'r', ['b']]);
		await admin.deleteUser(made.id);
		await refuses(admin.getUser(made.id), 'User not found', 404);
		await refuses(admin.deleteUser(randomUUID()), 'User not found', 404);
	});

	test('what they are refused', async () => {
		const { admin } = identity;
		const { email, id } = await site.made();

		await refuses(admin.createUser({ email, password }), 'Email address already registered by another user', 422);
		await refuses(admin.updateUser(id, { email: 'nobody' }), /^Unable to validate email address: /, 422);
		await refuses(admin.listUsers({ perPage: 0 }), /^Bad Pagination Parameters: /, 400);
		globalThis.netlifyIdentityContext.token += 'x';
		await refuses(admin.listUsers(), /^Invalid token: /, 401);
		await refuses(admin.deleteUser(id), /^Invalid token: /, 401);
	});
});
