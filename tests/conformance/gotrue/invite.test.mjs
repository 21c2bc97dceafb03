/*
 * Inviting.
 */
import assert from 'node:assert/strict';

import { address, item, looksInside, readsMail, refuses, shared, within } from '../../support/gotrue.mjs';

const site = shared();

const registered = 'Email address already registered by another user';

const invite = (here, fields, headers) => here.operator('POST', '/invite', fields, headers);

item(113, 'who is invited is told of, and has no password yet', async () => {
	const here = await site();
	const email = address();
	const { status, text, json } = await invite(here, { email, data: { full_name: 'Ann' } });

	assert.equal(status, 200, text);
	assert.deepEqual(Object.keys(json).sort(), ['app_metadata', 'aud', 'created_at', 'email', 'id', 'invited_at', 'role',
		'updated_at', 'user_metadata']);
	assert.ok(Math.abs(Date.parse(json.invited_at) - Date.now()) < 60000);
	assert.deepEqual(json.app_metadata, { provider: 'email' });
	assert.deepEqual(json.user_metadata, { full_name: 'Ann' });
	assert.equal((await invite(here, { email: address() })).json.user_metadata, null);
	assert.equal((await here.login({ email, password: 'x' })).status, 400);
});

item(113, 'the audience is that of the request', async () => {
	const here = await site();
	const email = address();

	assert.equal((await invite(here, { email, aud: 'ignored' }, { 'x-jwt-aud': 'elsewhere' })).json.aud, 'elsewhere');
	assert.equal((await invite(here, { email })).json.aud, '');
});

item(114, 'nobody is invited who is here, confirmed or not', async () => {
	const here = await site();
	const [member, newcomer] = [await here.made(), await here.signedUp()];
	const guest = address();

	assert.equal((await invite(here, { email: guest })).status, 200);
	for (const email of [member.email, newcomer.email, guest, member.email.toUpperCase()])
		refuses(await invite(here, { email }), 422, registered);
});

item(114, 'only who may invite invites', async () => {
	const here = await site();
	const email = address();
	const plain = await here.loggedIn(await here.made());
	const admin = await here.loggedIn(await here.made({ role: 'admin' }));

	refuses(await here.post('/invite', { email }), 401, 'This endpoint requires a Bearer token');
	refuses(await here.post('/invite', { email }, { bearer: plain.access_token }), 401, 'User not allowed');
	refuses(await here.post('/invite', { email }, { bearer: 'x' }), 401, 'Invalid token:');
	refuses(await here.ask('POST', '/invite', { bearer: here.operatorToken }), 400, 'Could not read Invite params: EOF');
	refuses(await invite(here, {}), 422, 'An email address is required');
	refuses(await invite(here, { email: 'nothing' }), 422, 'Unable to validate email address:');
	assert.equal((await here.post('/invite', { email }, { bearer: admin.access_token })).status, 200);
});

item(114, 'where nobody may sign up, guests are invited', looksInside, async () => {
	await within({ settings: { GOTRUE_DISABLE_SIGNUP: 'true', GOTRUE_EXTERNAL_EMAIL_DISABLED: 'true' } }, async (here) => {
		const email = address();

		assert.equal((await invite(here, { email })).status, 200);
		const token = await here.mailed(email, 'invite');

		assert.equal((await here.post('/verify', { type: 'signup', token, password: 'my own words' })).status, 200);
	});
});

item(115, 'the letter links to the site, with a secret', readsMail, async () => {
	const here = await site();
	const email = address();

	await invite(here, { email });
	const token = await here.mailed(email, 'invite');
	const letter = await here.mail.letter(email);

	assert.ok(letter.text.includes(`${here.siteUrl}/#invite_token=${token}`), letter.text);
	assert.equal(letter.subject, 'You have been invited');
	assert.match(token, /^[A-Za-z0-9_-]{22,}$/);
	assert.deepEqual(letter.recipients, [email]);
});

item(115, 'no letter, no guest', looksInside, async () => {
	await within({}, async (here) => {
		const email = address();

		await here.mail.down();
		refuses(await invite(here, { email }), 500, 'Error inviting user');
		assert.deepEqual((await here.operator('GET', '/admin/users')).json.users, []);
		await here.mail.up();
		assert.equal((await invite(here, { email })).status, 200);
	});
});
