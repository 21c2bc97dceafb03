/*
 * react-netlify-identity in an application of a page: what its hook gives, and what the page makes of
 * the fragments that letters and providers lead to.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { visit } from '../support/chromium.mjs';
import { address } from '../support/gotrue.mjs';
import { ann } from '../support/provider-server.mjs';
import { bundled, openPlace } from './place.mjs';

const prefix = '/.netlify/identity';
const password = 'correct horse 7';

/* Shows who is signed in, and keeps what the newest rendering was given. */
const application = `
import { createElement } from 'react';
import { render } from 'react-dom';
import { IdentityContextProvider, useIdentityContext } from 'react-netlify-identity';

function Visitor() {
	globalThis.identity = useIdentityContext();
	const { isLoggedIn, user, param } = globalThis.identity;
	return createElement('p', { id: 'who' }, isLoggedIn ? user.email : param.type ?? 'nobody');
}

render(createElement(IdentityContextProvider, { url: location.origin }, createElement(Visitor)), document.querySelector('main'));
`;

let place;

before(async () => {
	place = await openPlace();
	place.front.script('/application.js', await bundled(application));
	place.front.page('/', '<!doctype html><title>A site</title><main></main><script src="/application.js"></script>');
});
after(() => place?.close());

async function come(page, fragment = '') {
	await page.goto('about:blank');
	await page.goto(`${place.front.url}/${fragment}`);
	await page.locator('#who').waitFor();
}

const shows = (page, who) => page.locator('#who', { hasText: new RegExp(`^${who}$`) }).waitFor();

/* A function of the hook with that, in the page; what it throws comes back as { status, message }. */
const does = (page, name, ...given) => page.evaluate(async ([path, words]) => {
	const [holder, method] = path.includes('.') ? path.split('.') : [null, path];
	const { identity } = globalThis;
	const on = holder ? identity[holder] : identity;

	try {
		const result = await on[method](...words);
		return result === undefined ? null : JSON.parse(JSON.stringify(result, (key, value) => (key === 'api' ? undefined : value)));
	} catch (error) {
		return { status: error.status, message: error.message ?? error };
	}
}, [name, given]);

async function refuses(answer, status, message) {
	const { status: was, message: said } = await answer;

	assert.deepEqual([was, said], [status, message]);
}

const wrong = 'invalid_grant: No user found with that email, or password invalid.';

test('settings, signing up, in and out', async () => {
	await visit({}, async (page, seen) => {
		const email = address();

		await come(page);
		await page.waitForFunction(() => globalThis.identity.settings.external.github);
		assert.equal((await does(page, 'signupUser', email, password, { full_name: 'Ann' }, false)).email, email);
		await shows(page, 'nobody');
		await refuses(does(page, 'loginUser', email, password), 400, 'invalid_grant: Email not confirmed');
		await refuses(does(page, 'signupUser', email, ''), 422, 'Signup requires a valid password');

		await come(page, `#confirmation_token=${await place.site.mailed(email, 'confirmation')}`);
		await shows(page, email);
		assert.equal(await page.evaluate(() => globalThis.identity.isConfirmedUser), true);
		await page.reload();
		await shows(page, email);

		await does(page, 'logoutUser');
		await shows(page, 'nobody');
		await refuses(does(page, 'loginUser', email, `${password}?`), 400, wrong);
		await does(page, 'loginUser', email, password);
		await shows(page, email);
		const [cookie] = await page.context().cookies(place.front.url);

		assert.deepEqual([cookie.name, cookie.httpOnly], ['nf_jwt', true]);
		assert.deepEqual(seen.complaints, []);
	});
});

test('a link that was used signs nobody in', async () => {
	await visit({}, async (page, seen) => {
		const email = address();

		await place.site.post('/signup', { email, password });
		const token = await place.site.mailed(email, 'confirmation');

		assert.equal((await place.site.post('/verify', { type: 'signup', token })).status, 200);
		await come(page, `#confirmation_token=${token}`);
		await page.waitForLoadState('networkidle');
		await shows(page, 'nobody');
		assert.match(seen.complaints.join(), /User not found/);
	});
});

test('a forgotten password', async () => {
	await visit({}, async (page) => {
		const { email } = await place.site.made({ password });

		await come(page);
		await refuses(does(page, 'recoverAccount'), undefined, 'either no token found or invalid for this purpose');
		assert.deepEqual(await does(page, 'requestPasswordRecovery', email), {});
		await refuses(does(page, 'requestPasswordRecovery', email), 429, 'Rate limit exceeded, try again later');
		const token = await place.site.mailed(email, 'recovery');

		await come(page, `#recovery_token=${token}`);
		await shows(page, 'recovery');
		await does(page, 'recoverAccount', true);
		await shows(page, email);
		await does(page, 'updateUser', { password: 'another one 8' });
		await does(page, 'logoutUser');
		await refuses(does(page, 'loginUser', email, password), 400, wrong);
		assert.equal((await does(page, 'loginUser', email, 'another one 8')).email, email);

		await does(page, 'logoutUser');
		await come(page, `#recovery_token=${token}`);
		await shows(page, 'recovery');
		await refuses(does(page, 'verifyToken'), 404, 'User not found');
	});
});

test('changing what is theirs', async () => {
	await visit({}, async (page) => {
		const { email } = await place.site.made({ password });
		const next = address();

		await come(page);
		await does(page, 'loginUser', email, password);
		await shows(page, email);
		assert.deepEqual((await does(page, 'updateUser', { data: { full_name: 'Bo' } })).user_metadata, { full_name: 'Bo' });
		assert.equal((await does(page, 'updateUser', { email: next })).new_email, next);
		await refuses(does(page, 'updateUser', { email_change_token: 'x' }), 401,
			"Email Change Token didn't match token on file");
		await refuses(does(page, 'updateUser', { app_metadata: { a: 1 } }), 401,
			'Updating app_metadata requires admin privileges');
		const token = await place.site.mailed(next, 'email_change');

		assert.equal((await does(page, 'updateUser', { email_change_token: token })).email, next);

		assert.match(await does(page, 'getFreshJWT'), /^ey/);
		assert.equal((await does(page, 'authedFetch.get', `${prefix}/user`)).email, next);
		assert.equal((await does(page, 'authedFetch.get', `${prefix}/admin/users`)).msg, 'User not allowed');
		await does(page, 'logoutUser');
		await shows(page, 'nobody');
		await refuses(does(page, 'authedFetch.get', `${prefix}/user`), undefined, 'no user token found');
	});
});

test('an invitation', async () => {
	await visit({}, async (page) => {
		const email = address();

		await place.site.operator('POST', '/invite', { email });
		const token = await place.site.mailed(email, 'invite');

		await come(page, `#invite_token=${token}`);
		await shows(page, 'invite');
		await refuses(does(page, '_goTrueInstance.acceptInvite', token, ''), 422, 'Invited users must specify a password');
		assert.equal((await does(page, '_goTrueInstance.acceptInvite', token, password)).email, email);
		await refuses(does(page, '_goTrueInstance.acceptInvite', token, password), 404, 'User not found');
	});
});

test('signing in elsewhere, and there with an invitation', async () => {
	const { there, site } = place;

	await visit({}, async (page, seen) => {
		const email = address();

		there.person = { ...ann, emails: [{ email, verified: true, primary: true }] };
		await come(page);
		await page.evaluate(() => globalThis.identity.loginProvider('github'));
		await shows(page, email);
		assert.equal(await page.evaluate(() => globalThis.identity.user.app_metadata.provider), 'github');
		assert.deepEqual(seen.complaints, []);
	});
	await visit({}, async (page) => {
		const email = address();

		there.person = { ...ann, id: 8, emails: [{ email, verified: true, primary: true }] };
		await site.operator('POST', '/invite', { email });
		const token = await site.mailed(email, 'invite');

		await come(page, `#invite_token=${token}`);
		await shows(page, 'invite');
		await page.evaluate(() => void globalThis.identity.acceptInviteExternalUrl('github'));
		await shows(page, email);
	});
	await visit({}, async (page) => {
		there.mood = 'deny';
		await come(page);
		await page.evaluate(() => globalThis.identity.loginProvider('github'));
		await page.waitForURL((url) => url.pathname === '/');
		await shows(page, 'nobody');
		there.mood = 'consent';
	});
});
