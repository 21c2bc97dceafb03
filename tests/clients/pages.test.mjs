/*
 * One account, two doors: a plain server's pages in a browser, and gotrue-js at /gotrue.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import GoTrue from 'gotrue-js';

import { send, visit } from '../support/chromium.mjs';
import { mailedLink, newcomer, openPlain } from '../support/plain.mjs';
import { until } from '../support/settings.mjs';
import './timer.mjs';

let opening = null;

async function doors() {
	opening ??= openPlain({ PORTRESS_SIGNIN_DELAY: '0s' });
	const { base } = await opening;

	return { base, auth: new GoTrue({ APIUrl: `${base}/gotrue` }) };
}

after(async () => {
	const { server } = await opening?.catch(() => ({})) ?? {};

	if (server)
		assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.log.slice(-3000));
});

const refuses = (call, message) => assert.rejects(call, { status: 400, message });
const wrong = 'invalid_grant: No user found with that email, or password invalid.';

/* The secret in the letter that confirms that address. */
async function mailed(base, email) {
	const letter = () => fetch(`${base}/dev/mailbox`).then((answer) => answer.json())
		.then(({ data }) => data.find(({ to }) => to === email));
	const { link } = await until(`a letter to ${email}`, letter);

	return /\/verify\?token=([\w-]{22,})$/.exec(link)[1];
}

async function signsIn(page, base, username, password) {
	await page.context().clearCookies();
	await page.goto(`${base}/signin`);
	return (await send(page, '/signin', { username, password })).status();
}

test('who signed up on the pages signs in through gotrue-js', async () => {
	const { base, auth } = await doors();

	await visit({}, async (page) => {
		const who = newcomer();

		await page.goto(`${base}/signup`);
		await send(page, '/signup', who);
		await refuses(auth.login(who.email, who.password), 'invalid_grant: Email not confirmed');
		await page.goto(await mailedLink(page, base, '/verify', who.email));

		const user = await auth.login(who.email, who.password);

		assert.equal(user.email, who.email);
		assert.ok(user.confirmed_at);
		await refuses(auth.login(who.email, `${who.password}?`), wrong);
		await refuses(auth.signup(who.email, who.password), 'A user with this email address has already been registered');

		const next = `${who.password} again`;

		await user.update({ password: next });
		assert.equal(await signsIn(page, base, who.username, who.password), 401);
		assert.equal(await signsIn(page, base, who.username, next), 303);
	});
});

test('who signed up through gotrue-js signs in on the pages', async () => {
	const { base, auth } = await doors();

	await visit({}, async (page) => {
		const { email: address, password } = newcomer();
		const email = `o'${address}`;

		await auth.signup(email, password, { full_name: "Pat O'Brien" });
		assert.notEqual(await signsIn(page, base, email, password), 303);
		const user = await auth.confirm(await mailed(base, email));

		assert.equal(user.user_metadata.full_name, "Pat O'Brien");
		assert.equal(await signsIn(page, base, email, `${password}?`), 401);
		assert.equal(await signsIn(page, base, email, password), 303);

		const next = `${password} again`;

		await page.goto(`${base}/forgot`);
		await send(page, '/forgot', { email });
		await page.goto(await mailedLink(page, base, '/reset', address));
		await send(page, '/reset', { new_password: next });
		await refuses(auth.login(email, password), wrong);
		assert.equal((await auth.login(email, next)).id, user.id);
		await assert.rejects(user.jwt(true), { status: 400 });
	});
});
