/*
 * Going out.
 */
import assert from 'node:assert/strict';

import { declines, decode, inAnHour, item, randomUUID, refuses, shared, sign } from '../../support/gotrue.mjs';

const site = shared();

const out = (here, bearer, options) => here.post('/logout', undefined, { bearer, ...options });
const dead = (answer) => declines(answer, 'invalid_grant', 'Invalid Refresh Token');

async function member(here) {
	return here.loggedIn(await here.made());
}

function clears(answer) {
	const { value, attributes } = answer.cookie('nf_jwt');

	assert.equal(value, '');
	assert.equal(attributes['max-age'], '0');
	assert.ok(Date.parse(attributes.expires) < Date.now());
	assert.ok(attributes.httponly && attributes.secure);
	assert.equal(attributes.path, '/');
	assert.equal(attributes.samesite, 'Lax');
}

item(87, 'going out leaves nothing, and no cookie', async () => {
	const here = await site();
	const who = await member(here);
	const answer = await out(here, who.access_token);

	assert.equal(answer.status, 204);
	assert.equal(answer.text, '');
	clears(answer);
	const second = await here.loggedIn(who);

	assert.equal((await out(here, second.access_token, { body: 'whatever' })).status, 204);
});

item(87, 'who is not here cannot go', async () => {
	const here = await site();
	const who = await member(here);
	const [head, claims] = decode(who.access_token);
	const refusals = [
		[await out(here), 'This endpoint requires a Bearer token'],
		[await out(here, 'x'), 'Invalid token:'],
		[await out(here, sign({ sub: 'somebody', exp: inAnHour() }, here.secret)), 'Invalid user'],
		[await out(here, sign({ sub: randomUUID(), exp: inAnHour() }, here.secret)), 'Invalid user'],
		[await out(here, sign({ ...claims, exp: 1 }, here.secret, head)), 'Invalid token:'],
	];

	for (const [answer, words] of refusals) {
		refuses(answer, 401, words);
		clears(answer);
	}
	assert.equal((await here.refresh(who.refresh_token)).status, 200);
});

item(88, 'whoever goes has gone everywhere, and nobody else', async () => {
	const here = await site();
	const [who, other] = [await member(here), await member(here)];
	const elsewhere = await here.loggedIn(who);
	const renewed = await here.refresh(elsewhere.refresh_token);

	assert.equal((await out(here, who.access_token)).status, 204);
	for (const token of [who.refresh_token, elsewhere.refresh_token, renewed.json.refresh_token])
		dead(await here.refresh(token));
	assert.equal((await here.refresh(other.refresh_token)).status, 200);
	/* And may come again. */
	const again = await here.loggedIn(who);

	assert.equal((await here.refresh(again.refresh_token)).status, 200);
});

item(89, 'an access token stays good until its time', async () => {
	const here = await site();
	const who = await member(here);

	assert.equal((await out(here, who.access_token)).status, 204);
	assert.equal((await here.get('/user', { bearer: who.access_token })).json.id, who.id);
});
