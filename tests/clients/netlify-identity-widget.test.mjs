/*
 * netlify-identity-widget on pages of a site, in a real browser: what people see of it, with the service
 * behind a path of the site, at the address that the widget asks for on localhost, and at another origin.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';

import { visit } from '../support/chromium.mjs';
import { address } from '../support/gotrue.mjs';
import { ann } from '../support/provider-server.mjs';
import { openPlace } from './place.mjs';

const script = readFileSync(createRequire(import.meta.url).resolve('netlify-identity-widget'));
const password = 'correct horse 7';

const html = (options) => `<!doctype html><title>A site</title><div data-netlify-identity-menu></div>
<script src="/widget.js"></script><script>
const told = [];
for (const event of ['init', 'login', 'logout', 'error'])
	netlifyIdentity.on(event, () => told.push(event));
netlifyIdentity.init(${JSON.stringify(options)});
</script>`;

async function openWidget(options) {
	const place = await openPlace(options);

	place.front.script('/widget.js', script);
	place.front.page('/', html(options.apart ? { APIUrl: place.service } : {}));
	return place;
}

/* ---- what people see and do ---- */

/* Opens the page anew; what comes behind # is looked at once it is loaded. */
async function come(page, place, fragment = '') {
	await page.goto('about:blank');
	await page.goto(`${place.front.url}/${fragment}`);
	return page.frameLocator('#netlify-identity-widget');
}

const press = (box, name) => box.getByRole('button', { name, exact: true }).last().click();

async function fill(box, fields, button) {
	for (const [name, value] of Object.entries(fields))
		await box.locator(`input[name="${name}"]`).fill(value);
	await box.locator('button[type="submit"]', { hasText: button }).click();
}

const reads = (box, text) => box.getByText(text).first().waitFor();
const signedInAs = (box, name) => box.locator('.infoTextEmail', { hasText: name }).waitFor();
const menu = (page, name) => page.locator('.netlify-identity-menu').getByRole('button', { name }).click();
const current = (page) => page.evaluate(() => globalThis.netlifyIdentity.currentUser()?.email ?? null);

/* The link in the newest letter to that address. */
async function linked(place, email, kind) {
	const token = await place.site.mailed(email, kind);
	const { html: text } = await place.site.mail.letter(email);

	assert.ok(text.includes(`${place.front.url}/#${kind}_token=${token}`), text);
	return `#${kind}_token=${token}`;
}

/* A page on which the widget may be used; on localhost it wants to know the address of the site first. */
async function start(page, place) {
	const box = await come(page, place);

	if (place.asks) {
		await menu(page, 'Log in');
		await fill(box, { url: place.front.url }, "Set site's URL");
		await reads(box, 'Forgot password?');
	}
	return box;
}

async function login(page, box, email, secret) {
	if (!await box.locator('input[name="email"]').isVisible())
		await menu(page, 'Log in');
	await fill(box, { email, password: secret }, 'Log in');
}

async function logout(box) {
	await press(box, 'Log out');
	await box.locator('input[name="email"]').waitFor();
}

/* ---- stories ---- */

async function signsUp(page, place, email) {
	const box = await start(page, place);

	await page.evaluate(() => globalThis.netlifyIdentity.open('signup'));
	await fill(box, { name: 'Ann Lee', email, password }, 'Sign up');
	await reads(box, 'A confirmation message was sent to your email');
	const link = await linked(place, email, 'confirmation');

	await signedInAs(await come(page, place, link), 'Ann Lee');
	assert.equal(await current(page), email);
	assert.ok(await page.evaluate(() => told.includes('login')));
	return link;
}

async function signsInAndOut(page, place, email) {
	const box = await come(page, place);

	await menu(page, 'Log out');
	await logout(box);
	assert.equal(await current(page), null);
	await login(page, box, email, `${password}?`);
	await reads(box, 'No user found with that email, or password invalid.');
	await fill(box, { email, password }, 'Log in');
	await signedInAs(box, 'Ann Lee');
	await page.reload();
	assert.equal(await current(page), email);
	const refreshToken = () => page.evaluate(() => globalThis.netlifyIdentity.currentUser().token.refresh_token);
	const before = await refreshToken();

	await page.evaluate(() => globalThis.netlifyIdentity.refresh(true));
	assert.notEqual(await refreshToken(), before);
}

async function recovers(page, place, email) {
	let box = await come(page, place);

	await menu(page, 'Log out');
	await logout(box);
	await press(box, 'Forgot password?');
	await fill(box, { email }, 'Send recovery email');
	await reads(box, "We've sent a recovery email to your account");
	const link = await linked(place, email, 'recovery');

	box = await come(page, place, link);
	/* The form is there before the link is found to be good. */
	await page.waitForFunction(() => globalThis.netlifyIdentity.store.recovered_user);
	await fill(box, { password: 'another one 8' }, 'Update password');
	await signedInAs(box, 'Ann Lee');
	await logout(box);
	await login(page, box, email, password);
	await reads(box, 'No user found with that email, or password invalid.');
	await fill(box, { email, password: 'another one 8' }, 'Log in');
	await signedInAs(box, 'Ann Lee');
	return link;
}

async function changesAddress(page, place, email) {
	const next = address();

	await page.evaluate((to) => globalThis.netlifyIdentity.currentUser().update({ email: to }), next);
	const link = await linked(place, next, 'email_change');

	assert.equal(await current(page), email);
	await come(page, place, link);
	await page.waitForFunction((to) => globalThis.netlifyIdentity.currentUser()?.email === to, next);
	return next;
}

/* Nobody can be signed in by a link that was used, and the widget says so. */
async function usedLinksAreRefused(page, place, { confirmation, recovery, invitation }) {
	let box = await come(page, place);

	await menu(page, 'Log out');
	await logout(box);
	await reads(await come(page, place, confirmation), 'There was an error verifying your account');
	await reads(await come(page, place, recovery), 'User not found');
	box = await come(page, place, invitation);
	await fill(box, { password }, 'Sign up');
	await reads(box, 'User not found');
	assert.equal(await current(page), null);
}

async function acceptsInvitation(page, place) {
	const email = address();

	await place.site.operator('POST', '/invite', { email, data: { full_name: 'Bo Ek' } });
	const link = await linked(place, email, 'invite');
	const box = await come(page, place, link);

	await fill(box, { password }, 'Sign up');
	await signedInAs(box, 'Bo Ek');
	await logout(box);
	return link;
}

async function signsInElsewhere(page, place) {
	const { there } = place;
	let box = await come(page, place);

	there.mood = 'deny';
	await menu(page, 'Log in');
	await press(box, 'Continue with GitHub');
	await page.waitForURL((url) => url.hash.includes('error=access_denied'));
	assert.equal(await current(page), null);

	there.mood = 'consent';
	there.person = { ...ann, emails: [{ email: address(), verified: true, primary: true }] };
	box = await come(page, place);
	await menu(page, 'Log in');
	await press(box, 'Continue with GitHub');
	await signedInAs(box, 'Ann Lee');
	assert.equal(await current(page), there.person.emails[0].email);
	assert.ok(!page.url().includes('access_token'));
}

async function isForgottenWhenDeleted(page, place) {
	const email = await current(page);
	const { json } = await place.site.operator('GET', '/admin/users');

	await place.site.operator('DELETE', `/admin/users/${json.users.find((one) => one.email === email).id}`);
	await come(page, place);
	await page.locator('.netlify-identity-menu').getByRole('button', { name: 'Log in' }).waitFor();
	assert.equal(await page.evaluate(() => globalThis.netlifyIdentity.store.user), null);
}

const places = [
	{ title: 'behind a path of the site' },
	{ title: 'on localhost, where it asks for the site', name: 'localhost', asks: true },
	{ title: 'at another origin', apart: true },
];

for (const { title, asks, ...options } of places)
	describe(title, () => {
		let place;

		before(async () => {
			place = Object.assign(await openWidget(options), { asks });
		});
		after(() => place?.close());

		test('signing up, in and out, a forgotten password, another address, an invitation', async () => {
			await visit({}, async (page, seen) => {
				const email = address();
				const confirmation = await signsUp(page, place, email);

				await signsInAndOut(page, place, email);
				const recovery = await recovers(page, place, email);
				const next = await changesAddress(page, place, email);

				await page.evaluate(() => globalThis.netlifyIdentity.logout());
				const invitation = await acceptsInvitation(page, place);

				const box = await come(page, place);

				await login(page, box, next, 'another one 8');
				await signedInAs(box, 'Ann Lee');
				assert.deepEqual(seen.complaints, []);
				await usedLinksAreRefused(page, place, { confirmation, recovery, invitation });
			});
		});

		test('signing in elsewhere, and an account that is gone', async () => {
			await visit({}, async (page, seen) => {
				await start(page, place);
				if (asks)
					await page.reload();
				await signsInElsewhere(page, place);
				await isForgottenWhenDeleted(page, place);
				assert.deepEqual(seen.complaints, []);
			});
		});
	});

test('the cookie of a site is kept from scripts', async () => {
	const place = await openWidget({});

	try {
		const { email } = await place.site.made({ password });

		await visit({}, async (page) => {
			const box = await start(page, place);

			await login(page, box, email, password);
			await signedInAs(box, email);
			const [cookie] = await page.context().cookies(place.front.url);
			const token = await page.evaluate(() => globalThis.netlifyIdentity.currentUser().token.access_token);

			assert.deepEqual([cookie.name, cookie.value, cookie.httpOnly, cookie.sameSite], ['nf_jwt', token, true, 'Lax']);
			await logout(box);
			assert.deepEqual(await page.context().cookies(place.front.url), []);
		});
	} finally {
		await place.close();
	}
});

test('where nobody may sign up, the widget says so', async () => {
	const place = await openWidget({ settings: { GOTRUE_DISABLE_SIGNUP: 'true' } });

	try {
		await visit({}, async (page) => {
			const box = await start(page, place);

			await page.evaluate(() => globalThis.netlifyIdentity.open('signup'));
			await reads(box, 'Public signups are disabled.');
			await page.evaluate(() => globalThis.netlifyIdentity.open('login'));
			assert.equal(await box.getByRole('button', { name: 'Sign up' }).count(), 0);
		});
	} finally {
		await place.close();
	}
});
