/*
 * Showing what was mailed.
 */
import assert from 'node:assert/strict';

import { address, decode, item, looksInside, readsMail, refuses, shared, sign, within } from '../../support/gotrue.mjs';

const site = shared();

/* A site whose clock is moved on. */
const aging = shared();

const day = 24 * 3600;
const nobody = 'User not found';

const verify = (here, type, token, password, options) => here.post('/verify', { type, token, password }, options);

/* The first letters in the other case. */
const swapped = (token) => token.replace(/[a-zA-Z]/, (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase()));

async function asked(here, who, count) {
	const answer = await here.post('/recover', { email: who.email });

	assert.equal(answer.status, 200, answer.text);
	return here.mailed(who.email, 'recovery', count);
}

async function invited(here, fields = {}) {
	const who = { email: address(), ...fields };
	const answer = await here.operator('POST', '/invite', who);

	assert.equal(answer.status, 200, answer.text);
	return { ...who, id: answer.json.id, token: await here.mailed(who.email, 'invite') };
}

const opens = async (here, who, password) => (await here.login({ ...who, password })).status === 200;

item(37, 'a mailed secret is good once', readsMail, async () => {
	const here = await site();
	const who = await here.signedUp();
	const token = await here.mailed(who.email, 'confirmation');

	assert.equal((await verify(here, 'signup', token)).status, 200);
	refuses(await verify(here, 'signup', token), 404, nobody);
	await here.loggedIn(who);
	const recovery = await asked(here, who);

	assert.equal((await verify(here, 'recovery', recovery)).status, 200);
	refuses(await verify(here, 'recovery', recovery), 404, nobody);
});

item(37, 'a secret that nobody was mailed is nobody\'s', async () => {
	const here = await site();

	for (const token of ['AAAAAAAAAAAAAAAAAAAAAA', 'x', 'x'.repeat(2000), '%00', '../..'])
		for (const type of ['signup', 'recovery'])
			refuses(await verify(here, type, token), 404, nobody);
});

item(38, 'a secret must be shown', async () => {
	const here = await site();

	for (const token of [undefined, null, '', ' ', '\t\n '])
		refuses(await verify(here, 'signup', token), 422, 'Verify requires a token');
});

item(39, 'what it is for must be said', async () => {
	const here = await site();

	for (const type of [undefined, '', 'invite', 'SIGNUP', 'email_change'])
		refuses(await verify(here, type, 'AAAAAAAAAAAAAAAAAAAAAA'), 422, 'Verify requires a verification type');
	refuses(await here.ask('POST', '/verify', { body: '{' }), 400, 'Could not read verification params:');
});

item(40, 'a confirmation is good for a day', looksInside, async () => {
	const here = await aging();
	const late = await here.signedUp();

	here.control.advance(day / 2);
	const early = await here.signedUp();

	here.control.advance(day / 2 + 60);
	refuses(await verify(here, 'signup', await here.mailed(late.email, 'confirmation')), 422, 'Confirmation token expired');
	assert.equal((await verify(here, 'signup', await here.mailed(early.email, 'confirmation'))).status, 200);
});

item(41, 'a recovery is good for a day', looksInside, async () => {
	const here = await aging();
	const [late, early] = [await here.made(), await here.made()];
	const first = await asked(here, late);

	here.control.advance(day / 2);
	const second = await asked(here, early);

	here.control.advance(day / 2 + 60);
	refuses(await verify(here, 'recovery', first), 422, 'Recovery token expired');
	assert.equal((await verify(here, 'recovery', second)).status, 200);
});

item(41, 'the operator says for how long mail is good', looksInside, async () => {
	await within({ settings: { GOTRUE_MAILER_CONFIRMATION_MAX_AGE: '1m', GOTRUE_MAILER_RECOVERY_MAX_AGE: '1m',
		GOTRUE_MAILER_INVITE_MAX_AGE: '1m' } }, async (here) => {
		const someone = await here.signedUp();
		const known = await here.made();
		const recovery = await asked(here, known);
		const guest = await invited(here);

		here.control.advance(61);
		refuses(await verify(here, 'signup', await here.mailed(someone.email, 'confirmation')), 422,
			'Confirmation token expired');
		refuses(await verify(here, 'recovery', recovery), 422, 'Recovery token expired');
		refuses(await verify(here, 'signup', guest.token, 'my own words'), 422, 'Confirmation token expired');
	});
});

item(42, 'who was invited chooses a password', readsMail, async () => {
	const here = await site();
	const who = await invited(here);

	refuses(await verify(here, 'signup', who.token), 422, 'Invited users must specify a password');
	refuses(await verify(here, 'signup', who.token, 'x'.repeat(73)), 422, 'Password is too long');
	assert.equal((await verify(here, 'signup', who.token, 'my own words')).status, 200);
	const { access_token } = await here.loggedIn({ ...who, password: 'my own words' });
	const { json } = await here.get('/user', { bearer: access_token });

	assert.ok(json.confirmed_at && json.invited_at);
	refuses(await verify(here, 'signup', who.token, 'other words'), 404, nobody);
});

item(42, 'whatever a stranger chose in between', readsMail, async () => {
	const here = await site();
	const who = await invited(here);

	await here.signedUp({ email: who.email, password: 'the thief came first' });
	refuses(await verify(here, 'signup', who.token), 422, 'Invited users must specify a password');
	assert.equal((await verify(here, 'signup', who.token, 'my own words')).status, 200);
	assert.ok(await opens(here, who, 'my own words'));
	assert.ok(!await opens(here, who, 'the thief came first'));
});

item(43, 'who has a password keeps it', readsMail, async () => {
	const here = await site();
	const who = await here.signedUp();
	const token = await here.mailed(who.email, 'confirmation');

	assert.equal((await verify(here, 'signup', token, 'other words')).status, 200);
	assert.ok(await opens(here, who, who.password));
	assert.ok(!await opens(here, who, 'other words'));
	assert.equal((await verify(here, 'recovery', await asked(here, who), 'other words')).status, 200);
	assert.ok(await opens(here, who, who.password));
	assert.ok(!await opens(here, who, 'other words'));
});

item(44, 'a recovery confirms, and nobody is left with the password from before', readsMail, async () => {
	const here = await site();
	const who = await here.signedUp();
	const confirmation = await here.mailed(who.email, 'confirmation');
	const answer = await verify(here, 'recovery', await asked(here, who, 2));

	assert.equal(answer.status, 200, answer.text);
	const bearer = answer.json.access_token;

	assert.ok((await here.get('/user', { bearer })).json.confirmed_at);
	assert.ok(!await opens(here, who, who.password));
	refuses(await verify(here, 'signup', confirmation), 404, nobody);
	assert.equal((await here.put('/user', { password: 'my own words' }, { bearer })).status, 200);
	assert.ok(await opens(here, who, 'my own words'));
});

item(45, 'a secret for one purpose serves no other', readsMail, async () => {
	const here = await site();
	const who = await here.signedUp();
	const confirmation = await here.mailed(who.email, 'confirmation');

	refuses(await verify(here, 'recovery', confirmation), 404, nobody);
	const recovery = await asked(here, who);

	refuses(await verify(here, 'signup', recovery), 404, nobody);
	assert.equal((await verify(here, 'signup', confirmation)).status, 200);
	refuses(await here.put('/user', { email_change_token: recovery }, { bearer: (await here.loggedIn(who)).access_token }),
		401, 'Email Change Token didn\'t match token on file');
	assert.equal((await verify(here, 'recovery', recovery)).status, 200);
});

item(46, 'who showed it is signed in', readsMail, async () => {
	const here = await site();

	for (const headers of [{}, { 'x-use-cookie': '1' }]) {
		const who = await here.signedUp();
		const answer = await verify(here, 'signup', await here.mailed(who.email, 'confirmation'), undefined, { headers });

		assert.equal(answer.status, 200, answer.text);
		assert.deepEqual(Object.keys(answer.json), ['access_token', 'token_type', 'expires_in', 'refresh_token']);
		const [head, claims] = decode(answer.json.access_token);

		assert.equal(answer.json.access_token, sign(claims, here.secret, head));
		assert.equal(claims.sub, who.id);
		assert.equal((await here.get('/user', { bearer: answer.json.access_token })).json.id, who.id);
		assert.equal((await here.refresh(answer.json.refresh_token)).status, 200);
		assert.equal(answer.cookie('nf_jwt')?.value, headers['x-use-cookie'] && answer.json.access_token);
	}
});

item(47, 'a secret is compared letter by letter', readsMail, async () => {
	const here = await site();
	const who = await here.signedUp();
	const token = await here.mailed(who.email, 'confirmation');

	refuses(await verify(here, 'signup', swapped(token)), 404, nobody);
	refuses(await verify(here, 'signup', `${token}A`), 404, nobody);
	refuses(await verify(here, 'signup', token.slice(0, -1)), 404, nobody);
	assert.equal((await verify(here, 'signup', ` ${token}\n`)).status, 200);
});

item(48, 'an invitation is good for a week', looksInside, async () => {
	const here = await aging();
	const late = await invited(here);

	here.control.advance(2 * day);
	const early = await invited(here);

	here.control.advance(5 * day + 60);
	refuses(await verify(here, 'signup', late.token, 'my own words'), 422, 'Confirmation token expired');
	assert.equal((await verify(here, 'signup', early.token, 'my own words')).status, 200);
});
