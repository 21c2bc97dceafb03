/*
 * A forgotten password.
 */
import assert from 'node:assert/strict';

import { address, item, looksInside, readsMail, refuses, shared, within } from '../../support/gotrue.mjs';
import { pause } from '../../support/settings.mjs';

const site = shared();
const patient = shared({ settings: { GOTRUE_SMTP_MAX_FREQUENCY: '15m' } });

const recover = (here, email) => here.post('/recover', { email });
const names = (answer) => answer.rawHeaders.filter((_, i) => i % 2 === 0);
const often = 'Rate limit exceeded, try again later';

function nothing(answer) {
	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.text, '{}');
	assert.equal(answer.headers['content-type'], 'application/json');
}

item(90, 'nobody learns whose address is known', readsMail, async () => {
	const here = await site();
	const who = await here.made();
	const stranger = address();
	const [known, unknown] = [await recover(here, who.email), await recover(here, stranger)];

	nothing(unknown);
	nothing(known);
	assert.deepEqual(names(unknown), names(known));
	await here.mailed(who.email, 'recovery');
	await pause(100);
	assert.equal(here.mail.to(stranger).length, 0);
	nothing(await recover(here, 'no address at all'));
});

item(91, 'who is known gets one letter, and a new password by it', readsMail, async () => {
	const here = await site();
	const who = await here.made();

	nothing(await recover(here, who.email.toUpperCase()));
	const token = await here.mailed(who.email, 'recovery');
	const letter = await here.mail.letter(who.email);

	assert.ok(letter.text.includes(`${here.siteUrl}/#recovery_token=${token}`), letter.text);
	await pause(100);
	assert.equal(here.mail.to(who.email).length, 1);
	const verified = await here.post('/verify', { type: 'recovery', token });
	const changed = await here.put('/user', { password: 'another horse' }, { bearer: verified.json.access_token });

	assert.equal(changed.status, 200, changed.text);
	assert.ok(Date.parse(changed.json.recovery_sent_at));
	await here.loggedIn({ ...who, password: 'another horse' });
	assert.equal((await here.login(who)).status, 400);
});

item(91, 'an account of another audience is another', looksInside, async () => {
	const here = await patient();
	const who = await here.made({}, { 'x-jwt-aud': 'elsewhere' });

	nothing(await recover(here, who.email));
	await pause(100);
	assert.equal(here.mail.to(who.email).length, 0);
	here.control.advance(15 * 60 + 1);
	nothing(await here.post('/recover', { email: who.email }, { headers: { 'x-jwt-aud': 'elsewhere' } }));
	await here.mailed(who.email, 'recovery');
});

item(92, 'whoever asks again at once is told to wait, known or not', looksInside, async () => {
	const here = await patient();
	const who = await here.made();
	const stranger = address();

	for (const email of [who.email, stranger]) {
		nothing(await recover(here, email));
		refuses(await recover(here, email), 429, often);
		refuses(await recover(here, email.toUpperCase()), 429, often);
	}
	await pause(100);
	assert.equal(here.mail.to(who.email).length, 1);
	here.control.advance(15 * 60 + 1);
	nothing(await recover(here, who.email));
	nothing(await recover(here, stranger));
	await here.mailed(who.email, 'recovery', 2);
});

item(92, 'the letter before is good no more', looksInside, async () => {
	const here = await patient();
	const who = await here.made();

	nothing(await recover(here, who.email));
	const first = await here.mailed(who.email, 'recovery');

	here.control.advance(15 * 60 + 1);
	nothing(await recover(here, who.email));
	const second = await here.mailed(who.email, 'recovery', 2);

	refuses(await here.post('/verify', { type: 'recovery', token: first }), 404, 'User not found');
	assert.equal((await here.post('/verify', { type: 'recovery', token: second })).status, 200);
});

item(93, 'an address must be given', async () => {
	const here = await site();

	for (const body of [{}, { email: '' }, { email: ' ' }, { email: null }])
		refuses(await here.post('/recover', body), 422, 'Password recovery requires an email');
	refuses(await here.ask('POST', '/recover'), 400, 'Could not read verification params: EOF');
	refuses(await here.post('/recover', { email: 1 }), 400, 'Could not read verification params:');
});

item(93, 'no letter, no secret', looksInside, async () => {
	await within({ settings: { GOTRUE_SMTP_MAX_FREQUENCY: '0s' } }, async (here) => {
		const who = await here.made();

		await here.mail.down();
		refuses(await recover(here, who.email), 500, 'Error recovering user');
		const { json } = await here.operator('GET', `/admin/users/${who.id}`);

		assert.equal(json.recovery_sent_at, undefined);
		await here.mail.up();
		nothing(await recover(here, who.email));
		await here.mailed(who.email, 'recovery');
	});
});
