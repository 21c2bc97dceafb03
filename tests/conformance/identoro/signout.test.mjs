/* Items 65 to 68: leaving. */
import assert from 'node:assert/strict';

import * as html from '../../support/html.mjs';
import { item, looksInside, readsMail, says, shared, tells, within } from '../../support/item.mjs';
import { Cluster } from '../../support/postgres.mjs';
import { Relay } from '../../support/relay.mjs';

const site = shared();

function assertExpired(answer) {
	const cookie = answer.cookie('session');

	assert.ok(cookie, 'the cookie is not taken back');
	assert.equal(cookie.attributes['max-age'], '0');
	assert.equal(cookie.value, '');
}

item(65, 'GET as a program ends the session, also for whoever kept the cookie', readsMail, async () => {
	const w = await site();
	const client = await w.signedIn(await w.verified());
	const kept = client.clone();
	const answer = await client.get('/signout');

	says(answer, 200, 'Signout successful');
	assertExpired(answer);
	tells(await kept.get('/me'), 401, 'Not signed in');
	says(await client.get('/signout'), 200, 'Signout successful');
});

item(66, 'GET as a browser leads to /', readsMail, async () => {
	const w = await site();
	const browser = await w.signedIn(await w.verified(), w.browser({ headers: { accept: 'application/json' } }));

	browser.headers = {};
	assert.ok((await browser.get('/')).text.includes('You are signed in.'));
	const answer = await browser.get('/signout');

	assert.equal(answer.status, 303);
	assert.equal(answer.location, '/');
	assertExpired(answer);
	assert.ok((await browser.get('/')).text.includes('You are not signed in.'));
});

item(67, 'A GET from another site signs nobody out', looksInside, async () => {
	const w = await site();
	const client = await w.signedIn(await w.verified());
	const crossSite = { 'sec-fetch-site': 'cross-site' };

	says(await client.get('/signout', { headers: crossSite }), 403, 'Cross-site signout refused');
	assert.equal((await client.get('/me')).status, 200);

	const browser = w.browser();

	browser.jar = client.jar;
	const page = await browser.get('/signout', { headers: crossSite });

	assert.equal(page.status, 200);
	assert.equal(html.form(page.text, '/signout').method, 'post');
	assert.equal((await client.get('/me')).status, 200);

	const answer = await browser.submit('/signout', {}, { page });

	assert.equal(answer.status, 303);
	assert.equal(answer.location, '/');
	tells(await client.get('/me'), 401, 'Not signed in');
});

/* What is said while the store is away: nobody is let in, but leaving works. */
async function assertLeavingWorks(client) {
	const me = await client.get('/me');

	says(me, 503, 'Database not available');
	assert.equal(me.headers['retry-after'], '5');
	const answer = await client.get('/signout');

	says(answer, 200, 'Signout successful');
	assertExpired(answer);
}

item(68, 'Signing out works while SQLite fails', looksInside, async () => {
	await within({ kind: 'sqlite', shape: 'g2' }, async (w) => {
		const client = await w.signedIn(await w.verified());

		w.control.breakStore();
		await assertLeavingWorks(client);
		w.control.mendStore();
		assert.equal((await client.get('/home')).json.data.SignedIn, false);
	});
});

item(68, 'Signing out works while PostgreSQL is away', looksInside, async () => {
	const cluster = await Cluster.shared();
	const relay = await Relay.open('127.0.0.1', cluster.port);
	const through = { host: '127.0.0.1', port: relay.port };

	try {
		await within({ kind: 'postgres', shape: 'g2', cluster, through }, async (w) => {
			const client = await w.signedIn(await w.verified());

			await relay.down();
			await assertLeavingWorks(client);
			await relay.up();
		});
	} finally {
		await relay.close();
		await cluster.close();
	}
});
