/* Each page in each of its states: what people, screen readers and password managers find there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { focused, send, violations, visit } from '../support/chromium.mjs';
import { cookieName } from '../support/csrf.mjs';
import * as html from '../support/html.mjs';
import { shared } from '../support/item.mjs';
import { linkIn } from '../support/smtp.mjs';
import { person } from '../support/world.mjs';

const site = shared({ kind: 'sqlite', shape: 'g2' });

/* People made once: the pages only look at them. */
let casting = null;

function cast() {
	casting ??= site().then(async (w) => {
		const verified = await w.verified();
		const waiting = await w.signedUp();
		const forgetful = await w.verified();
		const limited = await w.verified();

		await w.forgot(forgetful);
		for (let i = 0; i < 15; i++)
			await w.signin({ ...limited, password: 'not the password' });
		return { w, verified, waiting, limited, resetLink: linkIn(await w.resetLetter(forgetful)) };
	});
	return casting;
}

/* Every state that issue 2 knows: how to get there, and whether it is a failed submit. */
const states = {
	home: (page, { w }) => page.goto(`${w.base}/`),
	'sign in': (page, { w }) => page.goto(`${w.base}/signin`),
	'sign up': (page, { w }) => page.goto(`${w.base}/signup`),
	forgot: (page, { w }) => page.goto(`${w.base}/forgot`),
	reset: (page, { resetLink }) => page.goto(resetLink),
	'not found': (page, { w }) => page.goto(`${w.base}/nowhere`),
	'link expired': (page, { w }) => page.goto(`${w.base}/reset?token=v1.x.y`),
	'bad verify link': (page, { w }) => page.goto(`${w.base}/verify?token=v1.x.y`),
	'home signed in': async (page, { w, verified }) => {
		await page.goto(`${w.base}/signin`);
		await send(page, '/signin', { username: verified.username, password: verified.password });
	},
	'sign in with notice': async (page, { w }) => {
		await page.goto(`${w.base}/forgot`);
		await send(page, '/forgot', { email: 'nobody@example.com' });
	},
	'sign out asked from elsewhere': async (page, { w }) => {
		await page.route('http://elsewhere.example/', (route) =>
			route.fulfill({ contentType: 'text/html', body: `<a href="${w.base}/signout">a trap</a>` }));
		await page.goto('http://elsewhere.example/');
		await page.getByText('a trap').click();
		await page.locator('form[action$="/signout"]').waitFor();
	},
};

/* Forms have their own validation by the browser, which hides ours: switch it off. */
async function sendAnyhow(page, path, fields) {
	await page.locator(`form[action$="${path}"]`).evaluateAll((forms) => forms.forEach((one) => { one.noValidate = true; }));
	return send(page, path, fields);
}

const failures = {
	'sign in refused': { status: 401, path: '/signin', fields: () => ({ username: person().username, password: 'not it at all' }) },
	'sign in misspelt': { status: 400, path: '/signin', fields: () => ({ username: 'a-b', password: 'not it at all' }) },
	'sign in unverified': { status: 401, path: '/signin',
		fields: ({ waiting }) => ({ username: waiting.username, password: waiting.password }) },
	'sign in limited': { status: 429, path: '/signin',
		fields: ({ limited }) => ({ username: limited.username, password: limited.password }) },
	'sign up: name': { status: 400, path: '/signup', fields: () => person({ username: 'ab' }) },
	'sign up: address': { status: 400, path: '/signup', fields: () => person({ email: 'nobody' }) },
	'sign up: password': { status: 400, path: '/signup', fields: () => person({ password: '12345' }) },
	'sign up: taken': { status: 400, path: '/signup', fields: ({ verified }) => person({ username: verified.username }) },
	'forgot: address': { status: 400, path: '/forgot', fields: () => ({ email: 'nobody' }) },
	'reset: password': { status: 400, path: '/reset', fields: () => ({ new_password: '12345' }) },
};

async function fail(page, crew, { path, fields }) {
	await page.goto(path === '/reset' ? crew.resetLink : crew.w.base + path);
	return sendAnyhow(page, path, fields(crew));
}

const everyState = {
	...states,
	...Object.fromEntries(Object.entries(failures).map(([name, one]) => [name, (page, crew) => fail(page, crew, one)])),
};

/* look(page, name) in every state, each in a profile of its own. */
async function inEveryState(options, look) {
	const crew = await cast();

	for (const [name, go] of Object.entries(everyState))
		await visit(options, async (page, seen) => {
			await go(page, crew);
			await look(page, name, seen);
		});
}

for (const colorScheme of ['light', 'dark'])
	test(`PAGE-001 axe finds nothing in any state, ${colorScheme}`, { timeout: 300000 }, async () => {
		const found = [];

		await inEveryState({ colorScheme, reducedMotion: 'reduce', bypassCSP: true }, async (page, name) => {
			found.push(...(await violations(page)).map((one) => `${name}: ${one}`));
		});
		assert.deepEqual(found, []);
	});

test('PAGE-002 titles are unique, and say Error: exactly after a failed submit', async () => {
	const titles = new Map();

	await inEveryState({}, async (page, name) => {
		const title = await page.title();

		assert.equal(/^Error: /.test(title), name in failures, `${name}: ${title}`);
		titles.set(name, title.replace(/^Error: /, ''));
	});
	const plain = ['home', 'sign in', 'sign up', 'forgot', 'reset', 'not found'].map((name) => titles.get(name));

	assert.equal(new Set(plain).size, plain.length, plain.join(', '));
});

test('PAGE-004 no state violates its policy, or holds inline style, script or data', { timeout: 300000 }, async () => {
	await inEveryState({}, async (page, name, seen) => {
		const source = await (await page.request.get(page.url())).text();

		assert.deepEqual(seen.complaints, [], name);
		for (const text of [source, await page.content()])
			for (const tag of html.tags(text).filter((one) => !one.closing)) {
				const names = Object.keys(tag.attributes);

				assert.ok(!names.some((one) => one === 'style' || one.startsWith('on')), `${name}: ${JSON.stringify(tag)}`);
				assert.ok(!Object.values(tag.attributes).some((one) => /^(data|javascript):/i.test(one)),
					`${name}: ${JSON.stringify(tag)}`);
				assert.ok(tag.name !== 'style' && (tag.name !== 'script' || tag.attributes.src), `${name}: ${JSON.stringify(tag)}`);
			}
	});
});

test('PAGE-006 the sign-in form speaks to password managers', async () => {
	const crew = await cast();

	await visit({}, async (page) => {
		await states['sign in'](page, crew);
		const fields = await page.locator('form[action$="/signin"] input:not([type=hidden])').evaluateAll((inputs) =>
			inputs.map((one) => [one.name, one.id, one.type, one.autocomplete, one.maxLength]));

		assert.equal(await page.locator('form[action$="/signin"]').count(), 1);
		assert.deepEqual(fields.map(([name, , type]) => [name, type]), [['username', 'text'], ['password', 'password']]);
		assert.match(fields[0][3], /^username( webauthn)?$/);
		assert.equal(fields[1][3], 'current-password');
		assert.equal(fields[1][4], -1);
		assert.ok(fields.every(([, id]) => id));

		await sendAnyhow(page, '/signin', { username: 'a-b', password: 'not it at all' });
		const again = await page.locator('form[action$="/signin"] input:not([type=hidden])').evaluateAll((inputs) =>
			inputs.map((one) => one.id));

		assert.deepEqual(again, fields.map(([, id]) => id));
	});
});

test('PAGE-007 sign-up and reset ask for one new password, reset names the account', async () => {
	const crew = await cast();

	await visit({}, async (page) => {
		for (const name of ['sign up', 'reset']) {
			await states[name](page, crew);
			assert.equal(await page.locator('[autocomplete="new-password"]').count(), 1, name);
			assert.equal(await page.locator('input[type="password"]').count(), 1, name);
		}
		const account = page.locator('form[action$="/reset"] input[autocomplete="username"]');

		assert.equal(await account.count(), 1);
		assert.notEqual(await account.inputValue(), '');
		assert.notEqual(await account.evaluate((one) => getComputedStyle(one).display), 'none');
	});
});

test('PAGE-009 no field stands in the way of pasting', async () => {
	const crew = await cast();

	await visit({}, async (page) => {
		for (const name of ['sign in', 'sign up', 'forgot', 'reset']) {
			await states[name](page, crew);
			const allowed = await page.locator('input:not([type=hidden])').evaluateAll((inputs) =>
				inputs.map((one) => one.dispatchEvent(new ClipboardEvent('paste', { bubbles: true, cancelable: true }))));

			assert.ok(allowed.length > 0 && allowed.every(Boolean), name);
		}
	});
});

for (const [name, one] of Object.entries(failures))
	test(`PAGE-012 ${name}: the summary has the focus and leads to the field, what was typed is kept`, async () => {
		const crew = await cast();

		await visit({}, async (page) => {
			const typed = one.fields(crew);

			await page.goto(one.path === '/reset' ? crew.resetLink : crew.w.base + one.path);
			const answer = await sendAnyhow(page, one.path, typed);

			assert.equal(answer.status(), one.status);
			const summary = page.locator('[role="alert"]');

			assert.equal(await summary.count(), 1);
			await focused(page, '[role="alert"]');
			assert.notEqual((await summary.innerText()).trim(), '');
			for (const [field, value] of Object.entries(typed)) {
				const input = page.locator(`form[action$="${one.path}"] [name="${field}"]`);

				assert.equal(await input.inputValue(), field.includes('password') ? '' : value, field);
			}
			for (const [field, value] of Object.entries(typed).filter(([field]) => field.includes('password')))
				assert.ok(!(await answer.text()).includes(value), `${field} is in the page`);
			await assertDescriptions(page);
			for (const link of await summary.locator('a[href^="#"]').all()) {
				const id = (await link.getAttribute('href')).slice(1);

				await link.click();
				await focused(page, `#${id}`);
				assert.equal(await page.locator(`#${id}`).getAttribute('aria-invalid'), 'true');
			}
			if (one.status === 400 && name !== 'sign up: taken')
				assert.ok(await summary.locator('a[href^="#"]').count() > 0, 'the summary names no field');
		});
	});

async function assertDescriptions(page) {
	const dangling = await page.locator('[aria-describedby]').evaluateAll((elements) => elements.flatMap((one) =>
		one.getAttribute('aria-describedby').split(/\s+/)).filter((id) => !document.getElementById(id)));

	assert.deepEqual(dangling, []);
	for (const input of await page.locator('[aria-invalid="true"]').all())
		assert.ok((await input.getAttribute('aria-describedby') ?? '').includes('-error'));
}

for (const javaScriptEnabled of [true, false])
	test(`PAGE-014 an expired form comes back filled, and then goes through, script ${javaScriptEnabled ? 'on' : 'off'}`,
		async () => {
			const { w } = await cast();

			await visit({ javaScriptEnabled }, async (page) => {
				const who = person();

				await page.goto(`${w.base}/signup`);
				await page.context().clearCookies({ name: cookieName });
				const refused = await send(page, '/signup', who);

				assert.equal(refused.status(), 403);
				assert.match(await page.getByRole('status').first().innerText(), /expired/i);
				assert.equal(await page.locator('[name="username"]').inputValue(), who.username);
				assert.equal(await page.locator('[name="email"]').inputValue(), who.email);
				await send(page, '/signup', { password: who.password });
				assert.equal(new URL(page.url()).pathname, '/signin');
				assert.equal((await w.store.users('username', who.username)).length, 1);
			});
		});

test('PAGE-015 at 320 px, and with wider text spacing, nothing scrolls sideways', { timeout: 300000 }, async () => {
	const wide = [];

	await inEveryState({ viewport: { width: 320, height: 640 }, bypassCSP: true }, async (page, name) => {
		const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

		if (await overflow() > 0)
			wide.push(name);
		await page.addStyleTag({ content: `* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
			word-spacing: 0.16em !important; } p { margin-bottom: 2em !important; }` });
		if (await overflow() > 0)
			wide.push(`${name}, spaced`);
	});
	assert.deepEqual(wide, []);
});

test('PAGE-017 what is to be touched is 44 px high, links in text excepted', { timeout: 300000 }, async () => {
	const small = [];

	await inEveryState({ viewport: { width: 390, height: 800 } }, async (page, name) => {
		const found = await page.locator('button, select, input:not([type=hidden]), a').evaluateAll((all) => all
			.filter((one) => one.checkVisibility() && getComputedStyle(one).display !== 'inline')
			.map((one) => [one.outerHTML.slice(0, 80), one.closest('label') ?? one])
			.map(([what, target]) => [what, target.getBoundingClientRect()])
			.filter(([, box]) => box.width > 1 && box.height > 1 && (box.width < 24 || box.height < 43.5))
			.map(([what, box]) => `${what} ${Math.round(box.width)}x${Math.round(box.height)}`));

		small.push(...found.map((one) => `${name}: ${one}`));
	});
	assert.deepEqual(small, []);
});

test('PAGE-034 form posts carry our real origin', async () => {
	const { w } = await cast();

	await visit({}, async (page) => {
		const answer = await page.goto(`${w.base}/forgot`);

		assert.equal(answer.headers()['referrer-policy'], 'same-origin');
		const posted = await send(page, '/forgot', { email: 'nobody@example.com' });

		assert.equal((await posted.request().allHeaders()).origin, w.base);
	});
});

test('PAGE-035 the reset page asks nobody else, and takes the token out of the address bar', async () => {
	const crew = await cast();

	await visit({}, async (page, seen) => {
		await states.reset(page, crew);
		await page.waitForFunction(() => !location.search.includes('token'));
		assert.ok(seen.requests.every((one) => new URL(one.url()).origin === crew.w.base));
		assert.notEqual(await page.locator('form[action$="/reset"] [name="token"]').inputValue(), '');
	});
});

const hostile = ['"><script>window.pwned = 1</script>', "'><img src=x onerror=window.pwned=1>", '{{.Username}}',
	'{{if .SignedIn}}', '</textarea></title><b>', '\u202Egnp.exe', 'javascript:alert(1)'];

test('PAGE-041 hostile values stay inert', async () => {
	const { w } = await cast();

	await visit({}, async (page, seen) => {
		for (const value of [...hostile, 'x'.repeat(4000)]) {
			await page.goto(`${w.base}/signup`);
			const answer = await sendAnyhow(page, '/signup', { username: value, email: 'nobody@example.com', password: 'secret word' });

			assert.equal(answer.status(), 400, value);
			assert.equal(await page.locator('form[action$="/signup"] [name="username"]').inputValue(), value);
			assert.equal(await page.evaluate(() => window.pwned), undefined, value);
			assert.equal(await page.locator('main b, main img[src="x"]').count(), 0, value);
		}
		assert.deepEqual(seen.complaints, []);
	});
});

test('PAGE-043 too many attempts: how long to wait, in words and in Retry-After', async () => {
	const crew = await cast();

	await visit({}, async (page) => {
		const answer = await fail(page, crew, failures['sign in limited']);
		const seconds = Number(answer.headers()['retry-after']);
		const words = await page.locator('[role="alert"]').innerText();

		assert.ok(seconds > 3000 && seconds <= 3600, String(seconds));
		assert.match(words, /\b(5\d|60) minutes\b|\b(1|one|an) hour\b/);
	});
});

test('PAGE-045 pages are light: few requests, no third party', async () => {
	const crew = await cast();

	for (const name of ['home', 'sign in', 'sign up', 'forgot', 'reset'])
		await visit({}, async (page, seen) => {
			await states[name](page, crew);
			await page.waitForLoadState('networkidle');
			const size = { document: 0, stylesheet: 0, script: 0 };

			for (const request of seen.requests) {
				assert.equal(new URL(request.url()).origin, crew.w.base, request.url());
				const answer = await request.response();

				if (request.resourceType() in size)
					size[request.resourceType()] += gzipSync(await answer.body()).length;
			}
			assert.ok(seen.requests.length <= 4, `${name}: ${seen.requests.map((one) => one.url())}`);
			assert.ok(size.document > 0 && size.document <= 14 * 1024, `${name}: ${size.document}`);
			assert.ok(size.stylesheet <= 8 * 1024, `${name}: ${size.stylesheet}`);
			assert.ok(size.script <= 12 * 1024, `${name}: ${size.script}`);
		});
});
