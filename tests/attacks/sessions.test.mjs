/*
 * Refresh tokens that come twice, at once, too late, changed or from elsewhere; and what is left of an
 * account that is switched off or gone.
 */
import assert from 'node:assert/strict';

import { attack } from '../support/attack.mjs';
import { declines, many, refuses, shared, within } from '../support/gotrue.mjs';

const DAY = 86400;
const reused = 13; /* PT_EVENT_TOKEN_REUSED */

const site = shared();
const strict = shared({ settings: { PORTRESS_JWT_REFRESH_GRACE: '0s' } });
const sites = shared(many());

const member = async (here, fields) => here.loggedIn(await here.made(fields));
const spent = (answer) => declines(answer, 'invalid_grant', 'Invalid Refresh Token');

async function count(here, text, values) {
	const [row] = await here.database.query(text, values);

	return Number(Object.values(row)[0]);
}

const living = (here, id) => count(here, `SELECT count(*) AS n FROM portress_token t JOIN portress_family f ON t.family = f.id
	WHERE f.account = $1 AND t.spent_at = 0`, [id]);
const events = (here, id, kind) => count(here, 'SELECT count(*) AS n FROM portress_event WHERE account = $1 AND kind = $2', [id, kind]);

async function renewed(here, token) {
	const answer = await here.refresh(token);

	assert.equal(answer.status, 200, answer.text);
	return answer.json.refresh_token;
}

/* ---- twice ---- */

attack('SES-01', 'a spent token that comes back ends everything that came of it', async () => {
	const here = await site();
	const who = await member(here);
	const second = await renewed(here, who.refresh_token);

	assert.equal(await events(here, who.id, reused), 0);
	here.control.advance(11);
	spent(await here.refresh(who.refresh_token));
	spent(await here.refresh(second));
	assert.equal(await living(here, who.id), 0);
	assert.equal(await events(here, who.id, reused), 1);
	const other = await here.loggedIn(who);

	assert.equal((await here.refresh(other.refresh_token)).status, 200);
});

attack('SES-02', 'fifty at once get one successor', async () => {
	const here = await site();
	const who = await member(here);
	const answers = await Promise.all(Array.from({ length: 50 }, () => here.refresh(who.refresh_token)));
	const given = new Set(answers.filter(({ status }) => status === 200).map(({ json }) => json.refresh_token));

	assert.ok(answers.every(({ status }) => status === 200 || status === 400 || status === 503), answers.map(({ status }) => status).join());
	assert.equal(given.size, 1);
	assert.equal(await living(here, who.id), 1);
	assert.equal(await events(here, who.id, reused), 0);
	await renewed(here, [...given][0]);
});

attack('SES-02', 'without a grace one of fifty is first, and the others are an alarm', async () => {
	const here = await strict();
	const who = await member(here);
	const answers = await Promise.all(Array.from({ length: 50 }, () => here.refresh(who.refresh_token)));
	const won = answers.filter(({ status }) => status === 200);

	assert.equal(won.length, 1);
	answers.filter((one) => one !== won[0]).forEach(spent);
	assert.equal(await living(here, who.id), 0);
	spent(await here.refresh(won[0].json.refresh_token));
});

attack('SES-03', 'the grace opens nothing that an alarm has closed', async () => {
	const here = await site();
	const who = await member(here);
	const second = await renewed(here, who.refresh_token);

	here.control.advance(11);
	const third = await renewed(here, second);

	spent(await here.refresh(who.refresh_token));
	/* second was spent this very moment. */
	spent(await here.refresh(second));
	spent(await here.refresh(third));
	assert.equal(await living(here, who.id), 0);
});

/* ---- other tokens ---- */

attack('SES-04', 'a token that was changed is nobody\'s, and hurts nobody', async () => {
	const here = await site();
	const who = await member(here);
	const token = who.refresh_token;
	const flipped = token.replace(/[A-Za-z]/g, (c) => (c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase()));

	assert.notEqual(flipped, token);
	for (const changed of [flipped, token.toLowerCase(), token.toUpperCase(), `${token} `, ` ${token}`, `${token}\n`,
		token.slice(0, -1), `${token}A`, `${token}=`, who.access_token, '%', '_', 'null', '0', who.id])
		spent(await here.refresh(changed));
	for (const ending of ['\0', '\0x', '\uD800', 'x'.repeat(10240)])
		assert.equal((await here.refresh(`${token}${ending}`)).status, 400);
	assert.equal(await events(here, who.id, reused), 0);
	await renewed(here, token);
});

attack('SES-04', 'a token of one site is no token of another', async () => {
	const here = await sites();
	const a = await here.instance({ mailer: { autoconfirm: true } });
	const b = await here.instance({ mailer: { autoconfirm: true }, jwt: { secret: a.secret } });
	const who = await here.loggedIn(await here.signedUp({}, a.options), a.options);

	spent(await here.refresh(who.refresh_token, b.options));
	assert.equal((await here.refresh(who.refresh_token, { headers: { ...a.options.headers, 'x-jwt-aud': 'elsewhere' } })).status, 200);
	assert.equal(await living(here, who.id), 1);
});

/* ---- in time ---- */

attack('SES-05', 'where a sign-in has an end, turning tokens over does not put it off', async () => {
	await within({ settings: { PORTRESS_JWT_REFRESH_FAMILY_LIFE: '90d' } }, async (here) => {
		const who = await member(here);
		let token = who.refresh_token;

		for (let day = 0; day < 80; day += 20) {
			here.control.advance(20 * DAY);
			token = await renewed(here, token);
		}
		here.control.advance(11 * DAY);
		assert.equal((await here.refresh(token)).status, 400);
		assert.equal((await here.login(who)).status, 200);
	});
});

attack('SES-05', 'a token that nobody used for thirty days is over, also after a restart', async () => {
	await within({}, async (here) => {
		const who = await member(here);

		here.control.advance(29 * DAY);
		const second = await renewed(here, who.refresh_token);

		await here.server.restart();
		here.control.advance(30 * DAY + 1);
		declines(await here.refresh(second), 'invalid_grant', 'Refresh token expired');
	});
});

/* ---- the end ---- */

attack('SES-09', 'going out ends every refresh token, for good', async () => {
	const here = await site();
	const who = await member(here);
	const other = await here.loggedIn(who);
	const stranger = await member(here);
	const going = await here.post('/logout', undefined, { bearer: who.access_token });

	assert.equal(going.status, 204);
	for (const token of [who.refresh_token, other.refresh_token])
		spent(await here.refresh(token));
	assert.equal(await living(here, who.id), 0);
	/* Neither the grace nor an old answer brings them back. */
	const again = await here.loggedIn(who);

	await renewed(here, again.refresh_token);
	assert.equal((await here.post('/logout', undefined, { bearer: again.access_token })).status, 204);
	spent(await here.refresh(again.refresh_token));
	await renewed(here, stranger.refresh_token);
});

attack('SES-09', 'a new password ends the sign-ins of everywhere else', async () => {
	const here = await site();
	const who = await member(here);
	const thief = await here.loggedIn(who);

	assert.equal((await here.put('/user', { password: 'another quiet harbour' }, { bearer: who.access_token })).status, 200);
	spent(await here.refresh(thief.refresh_token));
	await renewed(here, who.refresh_token);
});

attack('ACC-09', 'nothing of an account outlives it', async () => {
	const here = await site();
	const who = await member(here, { user_metadata: { full_name: 'Ann' }, app_metadata: { plan: 'gold' } });

	assert.equal((await here.post('/recover', { email: who.email })).status, 200);
	const secret = await here.mailed(who.email, 'recovery');

	assert.equal((await here.operator('DELETE', `/admin/users/${who.id}`)).status, 200);
	spent(await here.refresh(who.refresh_token));
	refuses(await here.get('/user', { bearer: who.access_token }), 404, 'User not found');
	refuses(await here.put('/user', { data: { x: 1 } }, { bearer: who.access_token }), 404, 'User not found');
	refuses(await here.post('/logout', undefined, { bearer: who.access_token }), 401, 'Invalid user');
	refuses(await here.post('/verify', { type: 'recovery', token: secret }), 404, 'User not found');
	declines(await here.login(who), 'invalid_grant', 'No user found with that email, or password invalid.');
	for (const table of ['portress_ticket', 'portress_family', 'portress_session', 'portress_identity'])
		assert.equal(await count(here, `SELECT count(*) AS n FROM ${table} WHERE account = $1`, [who.id]), 0, table);
	const again = await here.confirmed({ email: who.email });

	assert.notEqual(again.id, who.id);
	const { json } = await here.get('/user', { bearer: again.access_token });

	assert.deepEqual(json.user_metadata, {});
	assert.deepEqual(json.app_metadata, { provider: 'email' });
	refuses(await here.get('/user', { bearer: who.access_token }), 404, 'User not found');
});

const off = (here, id) => here.database.query('UPDATE portress_account SET disabled_at = 1 WHERE id = $1', [id]);

attack('ACC-12', 'who is switched off does nothing with a token that is still good', async () => {
	const here = await site();
	const who = await member(here);
	const chief = await member(here, { role: 'admin' });
	const stranger = await member(here);
	const as = (bearer) => [['GET', '/user'], ['PUT', '/user', { data: { x: 1 } }], ['PUT', '/user', { password: 'another quiet harbour' }],
		['PUT', '/user', { email: 'elsewhere@example.com' }]].map(([method, path, json]) => here.ask(method, path, { json, bearer }));

	await here.post('/recover', { email: who.email });
	const secret = await here.mailed(who.email, 'recovery');

	await off(here, who.id);
	await off(here, chief.id);
	for (const asking of [...as(who.access_token), ...as(chief.access_token)])
		refuses(await asking, 403, 'User is disabled');
	for (const [method, path] of [['GET', '/admin/users'], ['GET', '/admin/audit'], ['DELETE', `/admin/users/${stranger.id}`], ['POST', '/invite']])
		refuses(await here.ask(method, path, { bearer: chief.access_token }), 401, 'User not allowed');
	for (const { refresh_token } of [who, chief])
		assert.equal((await here.refresh(refresh_token)).status, 400);
	assert.notEqual((await here.post('/verify', { type: 'recovery', token: secret })).status, 200);
	declines(await here.login(who), 'invalid_grant', 'User is disabled');
	declines(await here.login({ ...who, password: 'wrong' }), 'invalid_grant', 'No user found with that email, or password invalid.');
	assert.equal((await here.post('/logout', undefined, { bearer: who.access_token })).status, 204);
	const [row] = await here.database.query('SELECT user_metadata, email FROM portress_account WHERE id = $1', [who.id]);

	assert.equal(row.email, who.email);
	assert.ok(!String(row.user_metadata ?? '').includes('"x"'));
	assert.equal((await here.get('/user', { bearer: stranger.access_token })).status, 200);
});
