/* The main job in a real browser, as a newcomer would try it, with script and without. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { follow, send, visit } from '../support/chromium.mjs';
import { mailedLink, newcomer, openPlain } from '../support/plain.mjs';

let opening = null;

function site() {
	opening ??= openPlain();
	return opening;
}

after(async () => {
	const { server } = await opening?.catch(() => ({})) ?? {};

	if (server)
		assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.log.slice(-3000));
});

const path = (page) => new URL(page.url()).pathname;
const visible = (page) => page.locator('body').innerText();

async function wholeStory(page, base, who) {
	await page.goto(`${base}/`);
	assert.match(await visible(page), /You are not signed in\./);

	await page.goto(`${base}/signup`);
	await send(page, '/signup', who);
	assert.equal(path(page), '/signup/sent');
	assert.match(await page.title(), /^Check Your Email/);
	await follow(page, page.getByRole('link', { name: /sign in/i }).first());

	await send(page, '/signin', { username: who.username, password: who.password });
	assert.match(await page.title(), /^Error: /);
	assert.equal(await page.locator('form[action$="/signin"] [name="username"]').inputValue(), who.username);

	await page.goto(await mailedLink(page, base, '/verify', who.email));
	assert.equal(path(page), '/signin');
	assert.match(await page.getByRole('status').first().innerText(), /verified|confirmed/i);
	await send(page, '/signin', { username: who.username, password: who.password });
	assert.equal(path(page), '/');
	assert.ok((await visible(page)).includes(who.username));

	await page.goto(`${base}/signout`);
	assert.match(await visible(page), /You are not signed in\./);

	await page.goto(`${base}/signin`);
	await follow(page, page.getByRole('link', { name: /forgot/i }));
	assert.equal(path(page), '/forgot');
	await send(page, '/forgot', { email: who.email });
	assert.equal(path(page), '/signin');

	const password = `${who.password} again`;

	await page.goto(await mailedLink(page, base, '/reset', who.email));
	await send(page, '/reset', { new_password: password });
	assert.equal(path(page), '/signin');
	assert.equal((await send(page, '/signin', { username: who.username, password: who.password })).status(), 401);
	await send(page, '/signin', { username: who.username, password });
	assert.ok((await visible(page)).includes(who.username));

	/* The sign-out page's own button, for people who come to it from elsewhere. */
	await page.goto(`${base}/signout`);
	assert.equal(path(page), '/');
	assert.match(await visible(page), /You are not signed in\./);
}

test('PAGE-003 the whole story without script', async () => {
	const { base } = await site();

	await visit({ javaScriptEnabled: false }, (page) => wholeStory(page, base, newcomer()));
});

test('PAGE-004 the whole story with script, and no policy is violated', async () => {
	const { base } = await site();

	await visit({}, async (page, seen) => {
		await wholeStory(page, base, newcomer());
		assert.deepEqual(seen.complaints, []);
	});
});

test('PAGE-047 a double click on submit makes one account and one letter', async () => {
	const { base } = await site();

	for (const javaScriptEnabled of [true, false])
		await visit({ javaScriptEnabled }, async (page) => {
			const who = newcomer();

			await page.goto(`${base}/signup`);
			for (const [name, value] of Object.entries(who))
				await page.locator(`form[action$="/signup"] [name="${name}"]`).fill(value);
			await Promise.all([
				page.waitForResponse((one) => one.request().method() === 'POST'),
				page.locator('form[action$="/signup"] button[type="submit"]').dblclick(),
			]);
			await page.waitForTimeout(500);
			await mailedLink(page, base, '/verify', who.email);
			await page.waitForTimeout(500);
			await page.goto(`${base}/dev/mailbox`);
			const text = await visible(page);

			assert.equal(text.split(who.email).length - 1, 1, text);
		});
});

test('PAGE-036 Back after sign-out shows nothing of the account', async () => {
	const { base } = await site();

	await visit({}, async (page) => {
		const who = newcomer();

		await page.goto(`${base}/signup`);
		await send(page, '/signup', who);
		await page.goto(await mailedLink(page, base, '/verify', who.email));
		await send(page, '/signin', { username: who.username, password: who.password });
		assert.ok((await visible(page)).includes(who.username));
		await page.goto(`${base}/signout`);
		await page.goBack();
		await page.waitForLoadState('load');
		assert.ok(!(await page.content()).includes(who.username));
	});
});

test('the mailbox is not there when mail is really sent', async () => {
	const settings = { PORTRESS_SMTP_URL: 'smtp://127.0.0.1:9', PORTRESS_MAIL_FROM: 'noreply@example.com' };
	const { base, server } = await openPlain(settings);

	try {
		assert.equal((await fetch(`${base}/dev/mailbox`)).status, 404);
		assert.equal((await fetch(`${(await site()).base}/dev/mailbox`)).status, 200);
	} finally {
		await server.stop();
	}
});
