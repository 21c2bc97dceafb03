/* Items 43 to 51: the letter after sign-up and its link. */
import assert from 'node:assert/strict';
import http from 'node:http';

import { item, looksInside, readsMail, says, shared, tells, within } from '../../support/item.mjs';
import { pause } from '../../support/settings.mjs';
import { linkIn, tokenIn } from '../../support/smtp.mjs';
import { person } from '../../support/world.mjs';

const site = shared();

const verify = (client, token) => client.get(`/verify?token=${encodeURIComponent(token)}`);

/* Somebody signed up, and the token mailed to them. */
async function newcomer(w) {
	const who = await w.signedUp();

	return { who, token: tokenIn(await w.verifyLetter(who)) };
}

/* The same text with one character changed to another of the same alphabet. */
function altered(token, at) {
	const other = token[at] === 'A' ? 'B' : 'A';

	return token.slice(0, at) + other + token.slice(at + 1);
}

item(43, 'The letter says what it is for and links to WEB_SERVER_ADDRESS', readsMail, async () => {
	const w = await site();
	const who = await w.signedUp();
	const letter = await w.verifyLetter(who);
	const link = linkIn(letter);

	assert.equal(letter.subject, 'Verify your account');
	assert.ok(link.startsWith(`${w.base.replace(/\/$/, '')}/verify?token=`), link);
	assert.ok(letter.text.startsWith(`Please click the following link to verify your account: ${link}`), letter.text);
});

item(43, 'The HTML part carries the same link and says how long it lasts', looksInside, async () => {
	const w = await site();
	const letter = await w.verifyLetter(await w.signedUp());
	const hrefs = [...letter.html.matchAll(/href="([^"]*)"/g)].map((match) => match[1].replaceAll('&amp;', '&'));

	assert.ok(hrefs.includes(linkIn(letter)), letter.html);
	assert.match(letter.text, /15 minutes/);
	assert.equal(letter.parsed.headers.get('content-type').value, 'multipart/alternative');
});

item(44, 'From, To and Reply-To are as configured, the charset is UTF-8', looksInside, async () => {
	const w = await site();
	const who = await w.signedUp();
	const letter = await w.verifyLetter(who);
	const { headers } = letter;

	assert.equal(headers.get('from').value[0].address, w.settings.EMAIL_SENDER);
	assert.equal(letter.sender, w.settings.EMAIL_SENDER);
	assert.deepEqual(headers.get('to').value.map((one) => one.address), [who.email]);
	assert.deepEqual(letter.recipients, [who.email]);
	assert.equal(headers.get('reply-to').value[0].address, w.settings.EMAIL_REPLY_TO);
	assert.match(letter.raw, /^content-type: text\/plain; *charset="?utf-8"?/im);
	assert.equal(headers.get('auto-submitted'), 'auto-generated');
	assert.match(headers.get('message-id'), /^<[^<>@\s]+@[^<>@\s]+>$/);
	assert.ok(Math.abs(headers.get('date') - w.control.now()) < 60e3);
	for (const line of letter.raw.split('\r\n'))
		assert.ok(line.length <= 998, 'a line is too long for SMTP');
});

item(45, 'Opening the link as a program verifies the row', looksInside, async () => {
	const w = await site();
	const { who, token } = await newcomer(w);

	assert.equal((await w.store.one(who.username)).verified, false);
	says(await verify(w.client(), token), 303, 'Account verified');
	assert.equal((await w.store.one(who.username)).verified, true);
});

item(46, 'Opening the link as a browser leads to /signin', readsMail, async () => {
	const w = await site();
	const { who, token } = await newcomer(w);
	const answer = await verify(w.browser(), token);

	assert.equal(answer.status, 303);
	assert.equal(answer.location, '/signin');
	tells(await w.signin(who), 303, 'Signin successful');
});

item(47, 'Opening the link again succeeds again', readsMail, async () => {
	const w = await site();
	const { token } = await newcomer(w);

	says(await verify(w.client(), token), 303, 'Account verified');
	says(await verify(w.client(), token), 303, 'Account verified');
});

item(48, 'An old, altered or missing token is 400', looksInside, async () => {
	await within({}, async (w) => {
		const client = w.client();
		const { who, token } = await newcomer(w);

		for (const at of [4, Math.floor(token.length / 2), token.length - 2])
			says(await verify(client, altered(token, at)), 400, 'Invalid token');
		for (const path of ['/verify', '/verify?token=', '/verify?token=v1.x.y', `/verify?token=${token}x`])
			says(await client.get(path), 400, 'Invalid token');
		assert.equal((await w.store.one(who.username)).verified, false);
		assert.equal((await verify(w.browser(), altered(token, 4))).status, 400);

		w.control.advance(901);
		says(await verify(client, token), 400, 'Invalid token');
		assert.equal((await w.store.one(who.username)).verified, false);

		const late = await newcomer(w);

		w.control.advance(890);
		says(await verify(client, late.token), 303, 'Account verified');
	});
});

/* Which has no unique index of ours. */
const customersTable = process.env.ID_STORE === 'postgres' ? { kind: 'postgres', shape: 'readme-view' } :
	{ kind: 'sqlite', shape: 'readme' };

item(49, 'Of two users with one address only the one of the token is verified', looksInside, async () => {
	await within(customersTable, async (w) => {
		const { who, token } = await newcomer(w);
		const twin = person({ email: who.email, verified: false });

		await w.store.insert({ ...twin, password: '!' });
		says(await verify(w.client(), token), 303, 'Account verified');
		assert.equal((await w.store.one(who.username)).verified, true);
		assert.equal((await w.store.one(twin.username)).verified, false);
	});
});

/* Asks twice over one connection, and tells whether it was one. */
async function sameConnection(w, path) {
	const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

	try {
		const first = await w.client().get(path, { agent });
		const second = await w.client().get('/home', { agent });

		return { first, intact: second.reused && second.status === 200 };
	} finally {
		agent.destroy();
	}
}

item(50, 'A reset token is no verification token, and the connection stays', readsMail, async () => {
	const w = await site();
	const { who } = await newcomer(w);
	const token = await w.resetToken(who);
	const { first, intact } = await sameConnection(w, `/verify?token=${encodeURIComponent(token)}`);

	says(first, 400, 'Invalid token');
	assert.ok(intact, 'the connection was closed');
	says(await w.signin(who), 401, 'Account not verified');
});

item(51, 'POST /resend answers alike for known and unknown addresses', looksInside, async () => {
	const w = await site();
	const { who } = await newcomer(w);
	const stranger = person();
	const known = await w.client().post('/resend', { email: who.email });
	const unknown = await w.client().post('/resend', { email: stranger.email });
	const names = (answer) => answer.rawHeaders.filter((_, i) => i % 2 === 0);

	says(known, 303, 'Verification email sent');
	says(unknown, 303, 'Verification email sent');
	assert.deepEqual(names(known), names(unknown));
	says(await verify(w.client(), tokenIn(await w.verifyLetter(who, 2))), 303, 'Account verified');
	await pause(300);
	assert.equal(w.mail.to(stranger.email).length, 0);
});
