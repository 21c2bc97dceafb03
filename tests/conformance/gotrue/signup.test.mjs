/*
 * Signing up.
 */
import assert from 'node:assert/strict';

import { address, item, looksInside, readsMail, refuses, shared, within } from '../../support/gotrue.mjs';
import { pause } from '../../support/settings.mjs';

const site = shared();

/* Letters may follow one another at once, or only after a long time. */
const hasty = shared({ settings: { GOTRUE_SMTP_MAX_FREQUENCY: '0s' } });
const patient = shared({ settings: { GOTRUE_SMTP_MAX_FREQUENCY: '15m' } });

const plain = ['app_metadata', 'aud', 'created_at', 'email', 'id', 'role', 'updated_at', 'user_metadata'];
const taken = 'A user with this email address has already been registered';
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/* Whether that password opens the account, which is confirmed. */
async function opens(here, email, password) {
	const answer = await here.login({ email, password });

	assert.ok([200, 400].includes(answer.status), answer.text);
	return answer.status === 200;
}

item(20, 'who signs up is told who he is now', async () => {
	const here = await site();
	const email = address();
	const { status, type, json } = await here.post('/signup', { email, password: 'correct horse', data: { name: 'Ann' } });

	assert.equal(status, 200);
	assert.equal(type, 'application/json');
	assert.deepEqual(Object.keys(json).sort(), [...plain, 'confirmation_sent_at'].sort());
	assert.match(json.id, uuid);
	assert.equal(json.email, email);
	assert.equal(json.role, '');
	assert.deepEqual(json.app_metadata, { provider: 'email' });
	assert.deepEqual(json.user_metadata, { name: 'Ann' });
	for (const at of [json.created_at, json.updated_at, json.confirmation_sent_at])
		assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60000, at);
});

item(21, 'no data is null at first, and an empty object later', readsMail, async () => {
	const here = await site();
	const who = await here.confirmed();

	assert.equal(who.answer.json.user_metadata, null);
	const later = await here.get('/user', { bearer: who.access_token });

	assert.deepEqual(later.json.user_metadata, {});
	assert.deepEqual(later.json.app_metadata, { provider: 'email' });
});

item(22, 'a password must be given', async () => {
	const here = await site();

	for (const body of [{}, { password: '' }, { password: null }])
		refuses(await here.post('/signup', { email: address(), ...body }), 422, 'Signup requires a valid password');
});

item(23, 'an address must be given, and be one', async () => {
	const here = await site();

	for (const body of [{}, { email: '' }, { email: '  ' }, { email: null }])
		refuses(await here.post('/signup', { password: 'correct horse', ...body }), 422, 'An email address is required');
	for (const email of ['ann', 'ann@', '@example.com', 'ann@example', 'a nn@example.com', 'Ann <ann@example.com>',
		'ann@example.com\r\nBcc: eve@example.com', 'ann@example.com, eve@example.com'])
		refuses(await here.post('/signup', { email, password: 'correct horse' }), 422,
			'Unable to validate email address:');
});

item(23, 'spaces around an address are nothing', async () => {
	const here = await site();
	const email = address();
	const answer = await here.post('/signup', { email: ` ${email} `, password: 'correct horse' });

	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.json.email, email);
});

item(24, 'a body that cannot be read is told to be so', async () => {
	const here = await site();
	const send = (body) => here.ask('POST', '/signup', { body, type: 'application/json' });

	refuses(await send(undefined), 400, 'Could not read Signup params: EOF');
	for (const body of ['{"email":"ann@exam', '[]', '"text"', '{"email":1}', '{"data":[]}', 'nothing'])
		refuses(await send(body), 400, 'Could not read Signup params:');
	refuses(await send('null'), 422, 'Signup requires a valid password');
});

item(24, 'a body is JSON whatever it is called, its keys in any case, and what follows is not read', async () => {
	const here = await site();
	const email = address();
	const body = `{"EMAIL":"${email}","Password":"correct horse","unknown":1} and more`;
	const answer = await here.ask('POST', '/signup', { body, type: 'text/plain' });

	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.json.email, email);
});

item(25, 'where nobody may sign up, no body is read', looksInside, async () => {
	await within({ settings: { GOTRUE_DISABLE_SIGNUP: 'true' } }, async (here) => {
		const never = 'Signups not allowed for this instance';

		refuses(await here.ask('POST', '/signup', { body: 'nothing' }), 403, never);
		refuses(await here.post('/signup', { email: address(), password: 'correct horse' }), 403, never);
		/* Who is here already comes in. */
		await here.loggedIn(await here.made());
	});
});

item(26, 'without passwords there is nothing to sign up with', looksInside, async () => {
	await within({ settings: { GOTRUE_EXTERNAL_EMAIL_DISABLED: 'true', GOTRUE_DISABLE_SIGNUP: 'true' } }, async (here) => {
		const body = { email: address(), password: 'correct horse' };
		const never = 'Unsupported email provider';

		refuses(await here.post('/signup', body), 400, never);
		refuses(await here.post('/recover', body), 400, never);
		refuses(await here.token({ grant_type: 'password' }), 400, never);
		refuses(await here.operator('POST', '/admin/users', body), 400, never);
		assert.equal((await here.operator('POST', '/invite', { email: body.email })).status, 200);
	});
});

item(27, 'a confirmed address is taken', async () => {
	const here = await site();
	const who = await here.made();

	refuses(await here.post('/signup', { email: who.email, password: 'another horse' }), 400, taken);
	assert.ok(await opens(here, who.email, who.password));
	assert.ok(!await opens(here, who.email, 'another horse'));
});

item(28, 'an address in other letters is the same one', async () => {
	const here = await site();
	const who = await here.made();

	refuses(await here.post('/signup', { email: who.email.toUpperCase(), password: 'another horse' }), 400, taken);
	assert.ok(await opens(here, who.email.toUpperCase(), who.password));
});

item(29, 'another audience has accounts of its own', async () => {
	const here = await site();
	const who = await here.made();
	const headers = { 'x-jwt-aud': 'elsewhere' };
	const other = await here.signedUp({ email: who.email, password: 'another horse' }, { headers });

	assert.notEqual(other.id, who.id);
	assert.equal(other.answer.json.aud, 'elsewhere');
	assert.equal(who.answer.json.aud, '');
	assert.ok(await opens(here, who.email, who.password));
	assert.ok(!await opens(here, who.email, 'another horse'));
});

item(30, 'who signs up again too soon gets no second letter, and his data are merged', readsMail, async () => {
	const here = await patient();
	const who = await here.signedUp({ data: { name: 'Ann', town: 'Bern', gone: 1 } });
	const token = await here.mailed(who.email, 'confirmation');
	const again = await here.post('/signup', { email: who.email, password: who.password,
		data: { town: 'Basel', gone: null } });

	assert.equal(again.status, 200, again.text);
	assert.equal(again.json.id, who.id);
	assert.deepEqual(again.json.user_metadata, { name: 'Ann', town: 'Basel' });
	assert.equal(Date.parse(again.json.confirmation_sent_at), Date.parse(who.answer.json.confirmation_sent_at));
	await pause(100);
	assert.equal(here.mail.to(who.email).length, 1);
	/* The first letter's link is good. */
	assert.equal((await here.post('/verify', { type: 'signup', token })).status, 200);
});

item(31, 'who signs up again later gets a letter whose link alone is good', { ...looksInside }, async () => {
	const here = await patient();
	const who = await here.signedUp();
	const first = await here.mailed(who.email, 'confirmation');

	here.control.advance(16 * 60);
	assert.equal((await here.post('/signup', { email: who.email, password: who.password })).status, 200);
	const second = await here.mailed(who.email, 'confirmation', 2);

	assert.notEqual(second, first);
	refuses(await here.post('/verify', { type: 'signup', token: first }), 404, 'User not found');
	assert.equal((await here.post('/verify', { type: 'signup', token: second })).status, 200);
});

item(32, 'the password of who signed up last is the one', looksInside, async () => {
	for (const [here, letters] of [[await patient(), 1], [await hasty(), 2]]) {
		const who = await here.signedUp({ password: 'the thief came first' });

		await here.signedUp({ email: who.email, password: 'the owner came later' });
		const token = await here.mailed(who.email, 'confirmation', letters);

		assert.equal((await here.post('/verify', { type: 'signup', token })).status, 200);
		assert.ok(await opens(here, who.email, 'the owner came later'));
		assert.ok(!await opens(here, who.email, 'the thief came first'));
	}
});

item(33, 'where nothing is to be confirmed, signing in works at once', looksInside, async () => {
	await within({ settings: { GOTRUE_MAILER_AUTOCONFIRM: 'true' } }, async (here) => {
		const who = await here.signedUp();

		assert.ok(Date.parse(who.answer.json.confirmed_at));
		assert.equal(who.answer.json.confirmation_sent_at, undefined);
		assert.equal(who.answer.json.access_token, undefined);
		await here.loggedIn(who);
		refuses(await here.post('/signup', { email: who.email, password: 'another horse' }), 400, taken);
		assert.equal(here.mail.letters.length, 0);
		const [login, signup] = (await here.audit()).map((one) => one.payload.action);

		assert.deepEqual([login, signup], ['login', 'user_signedup']);
	});
});

item(34, 'who is new belongs to the group of the new', looksInside, async () => {
	await within({ settings: { GOTRUE_JWT_DEFAULT_GROUP_NAME: 'reader' } }, async (here) => {
		const who = await here.confirmed();

		assert.equal(who.answer.json.role, 'reader');
		assert.equal((await here.get('/user', { bearer: who.access_token })).json.role, 'reader');
		assert.equal((await here.made()).answer.json.role, 'reader');
		assert.equal((await here.operator('POST', '/invite', { email: address() })).json.role, 'reader');
	});
});

item(35, 'no letter, no account', looksInside, async () => {
	await within({}, async (here) => {
		const email = address();

		await here.mail.down();
		refuses(await here.post('/signup', { email, password: 'correct horse' }), 500, 'Error sending confirmation mail');
		assert.deepEqual((await here.operator('GET', '/admin/users')).json.users, []);
		assert.deepEqual(await here.audit(), []);
		await here.mail.up();
		await here.confirmed({ email });
	});
});

item(36, 'a password is never cut short', async () => {
	const here = await site();
	const long = 'x'.repeat(72);
	const email = address();

	refuses(await here.post('/signup', { email, password: `${long}y` }), 422, 'Password is too long');
	refuses(await here.post('/signup', { email, password: 'é'.repeat(37) }), 422, 'Password is too long');
	refuses(await here.operator('POST', '/admin/users', { email, password: `${long}y` }), 422, 'Password is too long');
	await here.made({ email, password: long });
	assert.ok(await opens(here, email, long));
	assert.ok(!await opens(here, email, `${long}y`));
	assert.ok(!await opens(here, email, long.slice(1)));
});

item(36, 'data of a size that a token can carry are kept, larger ones are refused', async () => {
	const here = await site();
	const sized = (n) => ({ text: 'x'.repeat(n - '{"text":""}'.length) });
	const send = (data) => here.post('/signup', { email: address(), password: 'correct horse', data });

	assert.equal((await send(sized(4096))).status, 200);
	refuses(await send(sized(4097)), 422, 'Metadata must be an object that is not too large');
});
