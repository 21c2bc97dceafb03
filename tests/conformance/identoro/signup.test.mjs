/* Items 29 to 42: making an account. */
import assert from 'node:assert/strict';

import * as html from '../../support/html.mjs';
import { item, looksInside, refuses, says, shared, tells, within } from '../../support/item.mjs';
import { Recaptcha } from '../../support/recaptcha.mjs';
import { dropIn, pause } from '../../support/settings.mjs';
import { person } from '../../support/world.mjs';

const site = shared();
const original = shared(dropIn);

const success = 'Signup successful, please verify your email';
const usernameRule = 'Username must be 3-20 characters long and contain only letters, numbers, and underscores';
const emailRule = 'Invalid email address';
const shortRule = 'Password must be at least 6 characters long';
const taken = 'Username or email already exists';

async function tries(fields) {
	return (await site()).client().post('/signup', person(fields));
}

async function passes(fields) {
	says(await tries(fields), 303, success);
}

item(29, 'A valid POST makes one unverified row and its event', looksInside, async () => {
	const w = await site();
	const who = person({ firstname: 'Ada', lastname: 'Lovelace' });

	says(await w.client().post('/signup', who), 303, success);
	const user = await w.store.one(who.username);

	assert.equal(user.email, who.email);
	assert.equal(user.verified, false);
	assert.equal(user.signins, 0);
	assert.equal(user.failures, 0);
	assert.match(user.password, /^\$2[aby]\$10\$.{53}$/);
	assert.match(user.id, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
	assert.equal((await w.store.events('signup', user.id)).length, 1);
	assert.ok((await w.store.events('signup', user.id)).every((event) => !event.processed));
});

item(30, 'A browser POST leads to /signin', async () => {
	const w = await site();
	const answer = await w.browser().submit('/signup', person());

	assert.equal(answer.status, 303);
	assert.equal(answer.location, '/signin');
});

item(30, 'The sign-in page shows the notice once, and a failed form comes back filled', looksInside, async () => {
	const browser = (await site()).browser();

	await browser.submit('/signup', person());
	assert.ok(html.text((await browser.get('/signin')).text).includes(success));
	assert.ok(!html.text((await browser.get('/signin')).text).includes(success), 'the notice stays');

	const who = person({ email: 'a"<b>@y', firstname: 'Ada' });
	const failed = await browser.submit('/signup', who);
	const form = html.form(failed.text, '/signup');

	assert.equal(failed.status, 400);
	assert.equal(html.input(form, 'username').value, who.username);
	assert.equal(html.input(form, 'email').value, who.email);
	assert.equal(html.input(form, 'password').value ?? '', '');
	assert.ok(!failed.text.includes(who.password), 'the password is in the page');
	assert.ok(!failed.text.includes('<b>'), 'the address is not escaped');
});

item(31, 'A user name has 3 to 20 letters, digits or underscores', async () => {
	const unique = person().username.padEnd(20, '_').slice(0, 20);

	for (const username of ['', 'ab', unique + 'x', 'a-b', 'a b', 'ünicode', 'abc\n'])
		refuses(await tries({ username }), 'username', usernameRule);
	await passes({ username: Math.random().toString(36).slice(2, 5) });
	await passes({ username: unique });
	await passes({ username: person().username.toUpperCase() });
});

item(32, 'An address has to look like one', async () => {
	for (const email of ['', 'x', 'x@y', 'x@y.z', '@example.com', 'a b@example.com', 'a@b@example.com'])
		refuses(await tries({ email }), 'email', emailRule);
});

item(32, 'An address is stored in lower case, and odd ones are refused', looksInside, async () => {
	const w = await original();
	const who = person();

	who.email = `A.${who.username.toUpperCase()}@B.io`;
	says(await w.client().post('/signup', who), 303, success);
	assert.equal((await w.store.one(who.username)).email, who.email.toLowerCase());
	for (const email of ['.a@example.com', 'a.@example.com', 'a..b@example.com', 'a@example.com\r\nBcc: b@example.com',
		`${'a'.repeat(90)}@example.com`, 'a@-example.com', 'a@exa..mple.com'])
		refuses(await tries({ email }), 'email', emailRule);
	await passes({ email: `${person().username}@example.technology` });
});

item(33, 'A password has at least 6 bytes', async () => {
	refuses(await tries({ password: '12345' }), 'password', shortRule);
	refuses(await tries({ password: '' }), 'password', shortRule);
	await passes({ password: 'k7#pQz' });
});

item(33, 'The least length is counted in bytes', looksInside, async () => {
	const w = await original();

	says(await w.client().post('/signup', person({ password: 'äöü' })), 303, success);
	refuses(await w.client().post('/signup', person({ password: 'äö' })), 'password', shortRule);
});

item(33, 'A password that bcrypt would cut is refused', looksInside, async () => {
	const long = 'Tr0ub4dor-'.repeat(8).slice(0, 73);

	refuses(await tries({ password: long }), 'password', 'Password must be no more than 72 bytes long');
	await passes({ password: long.slice(0, 72) });
});

item(34, 'Names have at most 50 bytes', async () => {
	refuses(await tries({ firstname: 'x'.repeat(51) }), 'firstname', 'Firstname must be no more than 50 characters');
	refuses(await tries({ lastname: 'x'.repeat(51) }), 'lastname', 'Lastname must be no more than 50 characters');
	await passes({ firstname: 'x'.repeat(50), lastname: 'y'.repeat(50) });
});

item(35, 'REQUIRE_FIRST_AND_LAST_NAME wants both names', looksInside, async () => {
	await within({ settings: { REQUIRE_FIRST_AND_LAST_NAME: 'true' } }, async (w) => {
		const client = w.client();

		for (const names of [{}, { firstname: 'Ada' }, { lastname: 'Lovelace' }, { firstname: '', lastname: '' }])
			tells(await client.post('/signup', person(names)), 400, 'Firstname and lastname are required');
		says(await client.post('/signup', person({ firstname: 'Ada', lastname: 'Lovelace' })), 303, success);
	});
	await passes({});
});

item(36, 'Of several bad fields the first in order is named', async () => {
	refuses(await tries({ username: 'ab', email: 'x', password: '1' }), 'username', usernameRule);
	refuses(await tries({ email: 'x', password: '1', firstname: 'x'.repeat(51) }), 'email', emailRule);
	refuses(await tries({ password: '1', firstname: 'x'.repeat(51) }), 'password', shortRule);
});

item(37, 'A taken name or address is refused, in any letter case', looksInside, async () => {
	const w = await site();
	const who = await w.signedUp();
	const before = (await w.store.users()).length;
	const other = person();

	await w.verifyLetter(who);
	for (const fields of [{ username: who.username }, { username: who.username.toUpperCase() },
		{ email: who.email }, { email: who.email.toUpperCase() }, { username: who.username, email: who.email }])
		tells(await w.client().post('/signup', { ...other, ...fields }), 400, taken);
	assert.equal((await w.store.users()).length, before);
	await pause(300);
	assert.equal(w.mail.to(who.email).length, 1);
	assert.equal(w.mail.to(other.email).length, 0);
});

item(38, 'Of 50 sign-ups of one name at the same time exactly one succeeds', looksInside, async () => {
	const w = await site();
	const { username, password } = person();
	const client = w.client();

	await client.csrfToken();
	const answers = await Promise.all(Array.from({ length: 50 }, () =>
		client.post('/signup', { ...person(), username, password })));
	const count = (status) => answers.filter((one) => one.status === status).length;

	assert.equal(count(303), 1, JSON.stringify(answers.map((one) => one.status)));
	assert.equal(count(303) + count(400) + count(503), 50, JSON.stringify(answers.map((one) => one.status)));
	for (const answer of answers.filter((one) => one.status === 400))
		tells(answer, 400, taken);
	assert.equal((await w.store.users('username', username)).length, 1);
});

async function withRecaptcha(story) {
	const stub = await Recaptcha.open();
	const settings = { USE_RECAPTCHA: 'true', RECAPTCHA_SITE_KEY: 'site-key', RECAPTCHA_SECRET_KEY: 'recaptcha-secret',
		RECAPTCHA_VERIFY_URL: stub.url };

	try {
		await within({ settings }, async (w) => {
			w.keepSecret('recaptcha-secret');
			await story(w, stub);
		});
	} finally {
		await stub.close();
	}
}

item(39, 'Whatever reCAPTCHA does but say true is a refusal', looksInside, async () => {
	await withRecaptcha(async (w, stub) => {
		const knock = (response) => w.client().post('/signup', person({ 'g-recaptcha-response': response }));

		for (const mood of ['false', 'garbage', 'string', 'foreign']) {
			stub.mood = mood;
			tells(await knock('an answer'), 400, 'Invalid reCAPTCHA');
		}
		assert.equal(stub.calls.length, 4);
		stub.mood = 'true';
		tells(await knock(''), 400, 'Invalid reCAPTCHA');
		tells(await w.client().post('/signup', person()), 400, 'Invalid reCAPTCHA');
		refuses(await w.client().post('/signup', person({ username: 'ab', 'g-recaptcha-response': 'x' })), 'username',
			usernameRule);
		assert.equal(stub.calls.length, 4, 'a call was made without need');
		await stub.down();
		tells(await knock('an answer'), 400, 'Invalid reCAPTCHA');
		assert.equal((await w.store.users()).length, 0);
	});
});

item(40, 'reCAPTCHA is asked with secret and response, and true lets pass', looksInside, async () => {
	await withRecaptcha(async (w, stub) => {
		const who = person({ 'g-recaptcha-response': 'the answer of a human' });

		says(await w.client().post('/signup', who), 303, success);
		assert.equal(stub.calls.length, 1);
		assert.equal(stub.calls[0].method, 'POST');
		assert.match(stub.calls[0].type, /^application\/x-www-form-urlencoded/);
		assert.equal(stub.calls[0].fields.secret, 'recaptcha-secret');
		assert.equal(stub.calls[0].fields.response, 'the answer of a human');

		const page = await w.browser().get('/signup');

		assert.match(page.text, /data-sitekey="site-key"/);
		assert.match(page.headers['content-security-policy'], /script-src[^;]*https:\/\/www\.google\.com\/recaptcha\//);
		assert.doesNotMatch((await w.browser().get('/signin')).headers['content-security-policy'], /google/);
	});
});

item(41, 'With the mail server down sign-up still succeeds, and the letter comes later', looksInside, async () => {
	await within({}, async (w) => {
		const who = person();

		await w.mail.down();
		says(await w.client().post('/signup', who), 303, success);
		await pause(1000);
		assert.equal(w.mail.to(who.email).length, 0);
		await w.mail.up();
		w.control.advance(11);
		await w.mail.letter(who.email, { subject: 'Verify your account', patience: 30000 });
		await pause(500);
		assert.equal(w.mail.to(who.email).length, 1);
	});
});

item(42, 'Sign-up does not sign in', async () => {
	const w = await site();
	const client = w.client();
	const answer = await client.post('/signup', person());

	assert.equal(answer.status, 303);
	assert.equal(answer.cookie('session'), undefined);
	assert.equal((await client.get('/home')).json.data.SignedIn, false);
	tells(await client.get('/me'), 401, 'Not signed in');
});
