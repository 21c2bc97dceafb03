/* @netlify/identity in pages: sessions in cookies that it writes itself, and what it makes of fragments. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { visit } from '../support/chromium.mjs';
import { address } from '../support/gotrue.mjs';
import { ann } from '../support/provider-server.mjs';
import { bundled, openPlace } from './place.mjs';

const password = 'correct horse 7';

let place;

before(async () => {
	place = await openPlace();
	place.front.script('/application.js', await bundled("import * as identity from '@netlify/identity';\nglobalThis.identity = identity;"));
	place.front.page('/', '<!doctype html><title>A site</title><script src="/application.js"></script>');
});
after(() => place?.close());

async function come(page, fragment = '') {
	await page.goto('about:blank');
	await page.goto(`${place.front.url}/${fragment}`);
}

/* What a function of it gives in the page; what it throws is { status, message }. */
const does = (page, name, ...given) => page.evaluate(([call, words]) => Promise.resolve()
	.then(() => globalThis.identity[call](...words))
	.catch(({ status, message }) => ({ status, message })), [name, given]);

async function refuses(answer, message, status) {
	assert.deepEqual(await answer, { status, message });
}

/* Comes by a link, and what the page makes of it. */
async function arrives(page, kind, token) {
	await come(page, `#${kind}_token=${token}`);
	return does(page, 'handleAuthCallback');
}

async function cookies(page) {
	const kept = await page.context().cookies(place.front.url);

	return kept.map(({ name }) => name).sort();
}

test('signing up, in and out', async () => {
	await visit({}, async (page, seen) => {
		const email = address();

		await come(page);
		assert.equal((await does(page, 'getSettings')).providers.github, true);
		assert.equal((await does(page, 'signup', email, password, { full_name: 'Ann' })).name, 'Ann');
		await refuses(does(page, 'login', email, password), 'invalid_grant: Email not confirmed');
		const token = await place.site.mailed(email, 'confirmation');
		const { type, user } = await arrives(page, 'confirmation', token);

		assert.deepEqual([type, user.email], ['confirmation', email]);
		assert.deepEqual(await cookies(page), ['nf_jwt', 'nf_refresh']);
		await page.evaluate(() => localStorage.clear());
		await page.reload();
		assert.equal((await does(page, 'hydrateSession')).email, email);
		assert.equal(await does(page, 'refreshSession'), null);
		await does(page, 'logout');
		assert.deepEqual(await cookies(page), []);
		assert.equal(await does(page, 'getUser'), null);
		await refuses(arrives(page, 'confirmation', token), 'User not found');
		await refuses(does(page, 'login', email, `${password}?`),
			'invalid_grant: No user found with that email, or password invalid.');
		assert.equal((await does(page, 'login', email, password)).email, email);
		assert.deepEqual(seen.complaints, []);
	});
});

test('a forgotten password, and another address', async () => {
	await visit({}, async (page) => {
		const { email } = await place.site.made({ password });
		const next = address();

		await come(page);
		await does(page, 'requestPasswordRecovery', email);
		await refuses(does(page, 'requestPasswordRecovery', email), 'Rate limit exceeded, try again later');
		const token = await place.site.mailed(email, 'recovery');

		assert.equal((await arrives(page, 'recovery', token)).user.email, email);
		await does(page, 'updateUser', { password: 'another one 8' });
		await refuses(arrives(page, 'recovery', token), 'User not found');

		assert.equal((await does(page, 'updateUser', { email: next })).pendingEmail, next);
		await refuses(arrives(page, 'email_change', 'x'), "Email Change Token didn't match token on file", 401);
		const changed = await arrives(page, 'email_change', await place.site.mailed(next, 'email_change'));

		assert.deepEqual([changed.type, changed.user.email], ['email_change', next]);
		await does(page, 'logout');
		await refuses(does(page, 'login', next, password), 'invalid_grant: No user found with that email, or password invalid.');
		assert.equal((await does(page, 'login', next, 'another one 8')).email, next);
	});
});

test('an invitation', async () => {
	await visit({}, async (page) => {
		const email = address();

		await place.site.operator('POST', '/invite', { email });
		const { type, token } = await arrives(page, 'invite', await place.site.mailed(email, 'invite'));

		assert.equal(type, 'invite');
		await refuses(does(page, 'acceptInvite', token, ''), 'Invited users must specify a password');
		assert.equal((await does(page, 'acceptInvite', token, password)).email, email);
		await refuses(does(page, 'acceptInvite', token, password), 'User not found');
	});
});

test('signing in elsewhere', async () => {
	await visit({}, async (page) => {
		const email = address();
		const away = async () => {
			await come(page);
			await page.evaluate(() => {
				try {
					globalThis.identity.oauthLogin('github');
				} catch {
					/* It says so, and leaves. */
				}
			});
			await page.waitForURL((url) => url.hash.length > 1);
		};

		place.there.person = { ...ann, emails: [{ email, verified: true, primary: true }] };
		await away();
		const { type, user } = await does(page, 'handleAuthCallback');

		assert.deepEqual([type, user.email, user.provider, user.name], ['oauth', email, 'github', 'Ann Lee']);
		assert.deepEqual(await cookies(page), ['nf_jwt', 'nf_refresh']);
		await does(page, 'logout');

		place.there.mood = 'deny';
		await away();
		assert.match(page.url(), /#error=access_denied/);
		assert.equal(await does(page, 'handleAuthCallback'), null);
		assert.equal(await does(page, 'getUser'), null);
	});
});
