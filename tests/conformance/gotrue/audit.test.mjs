/*
 * What is written down.
 */
import assert from 'node:assert/strict';

import { address, decode, item, looksInside, readsMail, refuses, shared } from '../../support/gotrue.mjs';

const site = shared();

const operator = '00000000-0000-0000-0000-000000000000';

/* The newest entries of that action, by or about that person. */
async function entries(here, action, who) {
	const rows = await here.audit(`action:${action}`);

	return rows.map((row) => row.payload).filter(({ action: name, actor_id, traits }) =>
		name === action && [actor_id, traits?.user_id].includes(who.id));
}

async function entry(here, action, who) {
	const [newest] = await entries(here, action, who);

	assert.ok(newest, `nothing of ${action}`);
	return newest;
}

const own = (who) => ({ actor_id: who.id, actor_email: who.email });
const byOperator = (who) => ({ actor_id: operator, actor_email: 'operator@netlify.com',
	traits: { user_id: who.id, user_email: who.email } });

async function written(here, action, log_type, who, actor) {
	const { timestamp, ...rest } = await entry(here, action, who);

	assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
	assert.deepEqual(rest, { action, log_type, ...actor });
}

item(116, 'who was deleted, and by whom', async () => {
	const here = await site();
	const who = await here.made();
	const admin = await here.loggedIn(await here.made({ role: 'admin', user_metadata: { full_name: 'Ann Álvarez' } }));

	assert.equal((await here.del(`/admin/users/${who.id}`, { bearer: admin.access_token })).status, 200);
	await written(here, 'user_deleted', 'team', who, { actor_id: admin.id, actor_email: admin.email,
		actor_name: 'Ann Álvarez', traits: { user_id: who.id, user_email: who.email } });
	const other = await here.made();

	await here.operator('DELETE', `/admin/users/${other.id}`);
	await written(here, 'user_deleted', 'team', other, byOperator(other));
});

item(116, 'what the operator did is written down', async () => {
	const here = await site();
	const who = await here.made();
	const guest = { email: address() };

	await written(here, 'user_signedup', 'team', who, byOperator(who));
	await here.operator('PUT', `/admin/users/${who.id}`, { role: 'editor' });
	await written(here, 'user_modified', 'user', who, byOperator(who));
	guest.id = (await here.operator('POST', '/invite', guest)).json.id;
	await written(here, 'user_invited', 'team', guest, byOperator(guest));
});

item(116, 'what people did is written down', readsMail, async () => {
	const here = await site();
	const who = await here.signedUp();

	assert.deepEqual(await entries(here, 'user_signedup', who), []);
	await here.post('/verify', { type: 'signup', token: await here.mailed(who.email, 'confirmation') });
	await written(here, 'user_signedup', 'team', who, own(who));
	assert.deepEqual(await entries(here, 'login', who), []);
	assert.equal((await here.login({ ...who, password: 'wrong' })).status, 400);
	assert.deepEqual(await entries(here, 'login', who), []);
	const { access_token } = await here.loggedIn(who);

	await written(here, 'login', 'account', who, own(who));
	await here.put('/user', { data: { full_name: 'Bob' } }, { bearer: access_token });
	await written(here, 'user_modified', 'user', who, own(who));
	await here.post('/recover', { email: who.email });
	await written(here, 'user_recovery_requested', 'user', who, { ...own(who), actor_name: 'Bob' });
	await here.post('/logout', undefined, { bearer: access_token });
	await written(here, 'logout', 'account', who, { ...own(who), actor_name: 'Bob' });
});

item(116, 'a refusal is not', async () => {
	const here = await site();
	const who = await here.loggedIn(await here.made());

	refuses(await here.put('/user', { app_metadata: { a: 1 } }, { bearer: who.access_token }), 401,
		'Updating app_metadata requires admin privileges');
	assert.deepEqual(await entries(here, 'user_modified', who), []);
	await here.post('/recover', { email: address() });
	const [newest] = await here.audit();

	assert.equal(newest.payload.action, 'login');
});

item(117, 'the newest is first', async () => {
	const here = await site();
	const who = await here.made();

	await here.loggedIn(who);
	await here.operator('DELETE', `/admin/users/${who.id}`);
	const rows = await here.audit();

	assert.deepEqual(rows.slice(0, 3).map((row) => row.payload.action), ['user_deleted', 'login', 'user_signedup']);
	for (const row of rows) {
		assert.deepEqual(Object.keys(row).sort(), ['created_at', 'id', 'payload']);
		assert.match(row.id, /^[0-9a-f-]{36}$/);
		assert.ok(Date.parse(row.created_at));
	}
});

item(117, 'it is searched by who did what', async () => {
	const here = await site();
	const who = await here.loggedIn(await here.made({ user_metadata: { full_name: 'Zoë Unusual' } }));
	const actions = async (query) => (await here.audit(query)).map((row) => row.payload.action);

	await here.refresh(who.refresh_token);
	await here.operator('DELETE', `/admin/users/${who.id}`);
	assert.deepEqual((await actions(`author:${who.email.toUpperCase()}`)).sort(),
		['login', 'token_refreshed', 'token_revoked']);
	assert.deepEqual((await actions('author:unusual')).sort(), ['login', 'token_refreshed', 'token_revoked']);
	assert.deepEqual(await actions('author:%'), []);
	assert.deepEqual(await actions('author:nobody at all'), []);
	assert.ok((await actions('action:DELETED')).every((action) => action === 'user_deleted'));
	assert.ok((await actions('action:deleted')).length > 0);
	assert.ok((await actions('type:token')).every((action) => action.startsWith('token_')));
	assert.ok((await actions('type:Token')).length >= 2);
	assert.deepEqual(await actions('type:nothing'), []);
	assert.deepEqual(await actions('type:'), await actions());
	assert.ok((await here.audit('author:operator@netlify.com')).length > 0);
});

item(117, 'a search that is none is refused', async () => {
	const here = await site();

	for (const query of ['who:ann', 'ann', 'Author:ann', ' author:ann'])
		refuses(await here.operator('GET', `/admin/audit?query=${encodeURIComponent(query)}`), 400, 'Invalid query scope:');
	assert.equal((await here.operator('GET', '/admin/audit?query=ann')).json.msg, 'Invalid query scope: ann');
});

item(117, 'it comes in pages', looksInside, async () => {
	const here = await site();

	await here.made();
	await here.made();
	const all = await here.audit();
	const { headers, json } = await here.operator('GET', '/admin/audit/?per_page=1&page=2&query=type%3Ateam');
	const team = all.filter((row) => row.payload.log_type === 'team');

	assert.deepEqual(json, [team[1]]);
	assert.match(headers.link, /^<\/admin\/audit\/\?page=3&per_page=1&query=type%3Ateam>; rel="next", /);
	assert.ok(Number(headers['x-total-count']) >= 2);
});

item(118, 'a token that is exchanged is written down twice', async () => {
	const here = await site();
	const who = await here.loggedIn(await here.made());

	assert.deepEqual(await entries(here, 'token_refreshed', who), []);
	const { json } = await here.refresh(who.refresh_token);

	assert.equal(decode(json.access_token)[1].sub, who.id);
	await written(here, 'token_refreshed', 'token', who, own(who));
	await written(here, 'token_revoked', 'token', who, own(who));
	assert.equal((await here.refresh('AAAAAAAAAAAAAAAAAAAAAA')).status, 400);
	assert.equal((await entries(here, 'token_refreshed', who)).length, 1);
	assert.equal((await entries(here, 'token_revoked', who)).length, 1);
});
