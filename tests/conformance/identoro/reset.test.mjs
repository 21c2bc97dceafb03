/* Items 69 to 80: the forgotten password. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';

import * as html from '../../support/html.mjs';
import { item, looksInside, readsMail, refuses, says, shared, tells, within } from '../../support/item.mjs';
import { pause } from '../../support/settings.mjs';
import { linkIn } from '../../support/smtp.mjs';
import { person } from '../../support/world.mjs';

const site = shared();

const sent = 'Password reset email sent';
const done = 'Password reset successful';
const fresh = () => person().password;

const reset = (client, token, password) => client.post('/reset', { token, new_password: password });

/* True when that password opens the account. */
async function opens(w, who, password) {
	const answer = await w.signin({ ...who, password });

	assert.ok([303, 401].includes(answer.status), answer.text);
	return answer.status === 303;
}

item(69, 'Known and unknown addresses are answered alike, and only the known gets mail', readsMail, async () => {
	const w = await site();
	const who = await w.verified();
	const stranger = person();
	const known = await w.forgot(who);
	const unknown = await w.forgot(stranger);
	const names = (answer) => answer.rawHeaders.filter((_, i) => i % 2 === 0);

	says(known, 303, sent);
	says(unknown, 303, sent);
	assert.deepEqual(names(known), names(unknown));
	await w.resetLetter(who);
	await pause(300);
	assert.equal(w.mail.to(stranger.email).length, 0);
	says(await w.forgot({ email: who.email.toUpperCase() }), 303, sent);
	await w.resetLetter(who, 2);
});

item(70, 'A bad address is 400 Invalid email', async () => {
	const w = await site();

	for (const email of ['', 'x', 'x@y', 'x@y.z'])
		tells(await w.client().post('/forgot', { email }), 400, 'Invalid email');
	tells(await w.client().post('/forgot', {}), 400, 'Invalid email');
});

item(70, 'Profile g2 says Invalid email address', looksInside, async () => {
	await within({ settings: { IDENTORO_PROFILE: 'g2' } }, async (w) => {
		tells(await w.client().post('/forgot', { email: 'x' }), 400, 'Invalid email address');
	});
});

item(71, 'The letter says what it is for and links to WEB_SERVER_ADDRESS', readsMail, async () => {
	const w = await site();
	const who = await w.verified();

	await w.forgot(who);
	const letter = await w.resetLetter(who);
	const link = linkIn(letter);

	assert.equal(letter.subject, 'Reset your password');
	assert.ok(link.startsWith(`${w.base.replace(/\/$/, '')}/reset?token=`), link);
	assert.ok(letter.text.startsWith(`Click the link to reset your password: ${link}`), letter.text);
});

item(72, 'The mailed link opens a form that holds the token', looksInside, async () => {
	await within({}, async (w) => {
		const who = await w.verified();
		const token = await w.resetToken(who);
		const path = `/reset?token=${encodeURIComponent(token)}`;
		const page = await w.browser().get(path);

		assert.equal(page.status, 200);
		assert.equal(html.form(page.text, '/reset').hidden.token, token);

		const password = fresh();
		const answer = await w.browser().submit(path, { new_password: password });

		assert.equal(answer.status, 303);
		assert.equal(answer.location, '/signin');
		assert.ok(await opens(w, who, password));

		for (const bad of [path, '/reset?token=v1.x.y']) {
			const expired = await w.browser().get(bad);

			assert.equal(expired.status, 400);
			assert.equal(expired.type, 'text/html');
			assert.ok(html.links(expired.text).includes('/forgot'), html.text(expired.text));
		}
	});
});

item(73, 'A valid POST changes the password and verifies the user', looksInside, async () => {
	const w = await site();
	const who = await w.signedUp();
	const password = fresh();
	const { password: before } = await w.store.one(who.username);

	says(await reset(w.client(), await w.resetToken(who), password), 303, done);
	const user = await w.store.one(who.username);

	assert.equal(user.verified, true);
	assert.notEqual(user.password, before);
	assert.ok(!await opens(w, who, who.password), 'the old password still opens');
	assert.ok(await opens(w, who, password));
	w.keepSecret(password);
});

item(73, 'A reset does not sign in, and tells the owner', readsMail, async () => {
	const w = await site();
	const who = await w.verified();
	const client = w.client();
	const answer = await reset(client, await w.resetToken(who), fresh());

	says(answer, 303, done);
	assert.equal(answer.cookie('session'), undefined);
	tells(await client.get('/me'), 401, 'Not signed in');
	const notice = await w.mail.letter(who.email, { count: 3 });

	assert.match(notice.subject, /password/i);
	assert.notEqual(notice.subject, 'Reset your password');
	assert.ok(!notice.text.includes('token='), notice.text);
});

item(74, 'The same token again is 400 Invalid token', readsMail, async () => {
	const w = await site();
	const who = await w.verified();
	const token = await w.resetToken(who);
	const password = fresh();

	says(await reset(w.client(), token, password), 303, done);
	says(await reset(w.client(), token, fresh()), 400, 'Invalid token');
	says(await reset(w.client(), '', fresh()), 400, 'Invalid token');
	assert.ok(await opens(w, who, password));
});

item(74, 'Profiles g1 and g2 answer a bad token with 401', looksInside, async () => {
	for (const profile of ['g1', 'g2'])
		await within({ settings: { IDENTORO_PROFILE: profile } }, async (w) => {
			const answer = await w.client().post('/reset', { token: 'v1.x.y', new_password: fresh() });

			says(answer, 401, 'Invalid token');
		});
});

item(75, 'Of two POSTs of one token at the same time exactly one succeeds', readsMail, async () => {
	const w = await site();

	for (let round = 0; round < 3; round++) {
		const who = await w.verified();
		const token = await w.resetToken(who);
		const client = w.client();
		const passwords = [fresh(), fresh()];

		await client.csrfToken();
		const answers = await Promise.all(passwords.map((one) => reset(client, token, one)));
		const winners = passwords.filter((_, i) => answers[i].status === 303);

		assert.equal(winners.length, 1, JSON.stringify(answers.map((one) => one.text)));
		assert.equal(answers.filter((one) => one.status === 400).length, 1);
		assert.ok(await opens(w, who, winners[0]));
	}
});

item(76, 'A short password with a valid token leaves the token usable', readsMail, async () => {
	const w = await site();
	const who = await w.verified();
	const token = await w.resetToken(who);
	const rule = 'Password must be at least 6 characters long';

	refuses(await reset(w.client(), token, '12345'), 'new_password', rule);
	refuses(await reset(w.client(), 'v1.x.y', '12345'), 'new_password', rule);
	says(await reset(w.client(), token, fresh()), 303, done);
});

item(77, 'A token dies when the password changes otherwise', looksInside, async () => {
	const w = await site();
	const who = await w.verified();
	const first = await w.resetToken(who);
	const second = await w.resetToken(who, 2);

	says(await reset(w.client(), second, fresh()), 303, done);
	says(await reset(w.client(), first, fresh()), 400, 'Invalid token');

	const third = await w.resetToken(who, 3);
	const { id } = await w.store.one(who.username);

	await w.store.setPassword(id, '$2b$10$abcdefghijklmnopqrstuuCj7fyLDJytXL.TfOiOeiv0fQvSOK1/2');
	says(await reset(w.client(), third, fresh()), 400, 'Invalid token');
	assert.ok(await opens(w, who, 'correct horse battery'));
});

item(77, 'A token ends after 15 minutes', looksInside, async () => {
	await within({}, async (w) => {
		const who = await w.verified();
		const old = await w.resetToken(who);

		w.control.advance(901);
		says(await reset(w.client(), old, fresh()), 400, 'Invalid token');
		const token = await w.resetToken(who, 2);

		w.control.advance(890);
		says(await reset(w.client(), token, fresh()), 303, done);
	});
});

item(78, 'Sessions open before the reset are over', readsMail, async () => {
	const w = await site();
	const [who, other] = [await w.verified(), await w.verified()];
	const clients = [await w.signedIn(who), await w.signedIn(who)];
	const bystander = await w.signedIn(other);

	says(await reset(w.client(), await w.resetToken(who), fresh()), 303, done);
	for (const client of clients)
		tells(await client.get('/me'), 401, 'Not signed in');
	assert.equal((await bystander.get('/me')).status, 200);
});

function jwt(key, claims) {
	const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
	const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;

	return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

item(79, 'Tokens forged with the keys of the originals are refused', readsMail, async () => {
	const w = await site();
	const who = await w.verified();
	const exp = Math.floor(Date.now() / 1000) + 900;

	for (const key of ['unused', 'mysecretkey', '']) {
		says(await reset(w.client(), jwt(key, { email: who.email, exp }), fresh()), 400, 'Invalid token');
		says(await w.client().get(`/verify?token=${jwt(key, { user_id: who.username, exp })}`), 400, 'Invalid token');
	}
	assert.ok(await opens(w, who, who.password));
});

item(80, 'The sixth letter to one mailbox in an hour is answered, but not sent', looksInside, async () => {
	const w = await site();
	const who = await w.verified();

	for (let i = 0; i < 6; i++)
		says(await w.forgot(who), 303, sent);
	await w.resetLetter(who, 5);
	await pause(500);
	assert.equal(w.mail.to(who.email, 'Reset your password').length, 5);
});

item(80, 'The 21st from one public address is 429, behind a trusted proxy', looksInside, async () => {
	await within({ settings: { TRUSTED_PROXIES: '127.0.0.0/8' } }, async (w) => {
		const from = (address) => w.client().post('/forgot', { email: person().email },
			{ headers: { 'x-forwarded-for': address } });

		for (let i = 0; i < 20; i++)
			says(await from(`198.51.100.${i}, 203.0.113.7`), 303, sent);
		const answer = await from('203.0.113.7');

		tells(answer, 429, 'Too many emails requested, please try again later');
		assert.ok(Number(answer.headers['retry-after']) > 0, answer.headers['retry-after']);
		says(await from('203.0.113.8'), 303, sent);
		w.control.advance(3601);
		says(await from('203.0.113.7'), 303, sent);
	});
});

item(80, 'The same 21 from loopback without a trusted proxy all pass', looksInside, async () => {
	await within({}, async (w) => {
		for (let i = 0; i < 21; i++)
			says(await w.client().post('/forgot', { email: person().email },
				{ headers: { 'x-forwarded-for': '203.0.113.7' } }), 303, sent);
	});
});
