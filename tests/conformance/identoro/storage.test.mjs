/* Items 90 to 99: the users tables that people already have. */
import assert from 'node:assert/strict';
import { after } from 'node:test';

import { item, looksInside, says, tells, within } from '../../support/item.mjs';
import { Cluster } from '../../support/postgres.mjs';
import { run } from '../../support/server.mjs';
import { until } from '../../support/settings.mjs';
import { linkIn } from '../../support/smtp.mjs';
import { openWorld, person } from '../../support/world.mjs';

let opening = null;

/* One cluster for this file, opened by the first who needs it. */
function cluster() {
	opening ??= Cluster.shared();
	return opening;
}

after(async () => (await opening)?.close());

async function onPostgres(shape, story) {
	await within({ kind: 'postgres', shape, cluster: await cluster() }, story);
}

/*
 * From sign-up to a changed password, with what the customer's table and the event table must show
 * after each step.
 */
async function journey(w) {
	const who = await w.signedUp({ firstname: 'Ada', lastname: 'Lovelace' });
	const row = () => w.store.one(who.username);
	const { id } = await row();

	assert.match((await row()).password, /^\$2[aby]\$10\$/);
	assert.deepEqual((await w.store.events('signup')).map((event) => String(event.user_id)), [id]);
	tells(await w.client().post('/signup', { ...person(), username: who.username.toUpperCase() }), 400,
		'Username or email already exists');
	tells(await w.client().post('/signup', { ...person(), email: who.email }), 400, 'Username or email already exists');
	assert.equal((await w.store.users()).length, 1);

	says(await w.signin(who), 401, 'Account not verified');
	says(await w.open(linkIn(await w.verifyLetter(who))), 303, 'Account verified');
	assert.equal((await row()).verified, true);

	says(await w.signin({ ...who, password: 'not the password' }), 401, 'Invalid credentials');
	assert.equal((await row()).failures, 1);
	const client = await w.signedIn(who);

	assert.deepEqual([(await row()).signins, (await row()).failures], [1, 0]);
	for (const type of ['signin', 'failed_signin'])
		assert.deepEqual((await w.store.events(type)).map((event) => String(event.user_id)), [id], type);
	const data = tells(await client.get('/me'), 200, 'User info');

	assert.deepEqual([data.UserID, data.Firstname, data.Lastname, data.SigninCount], [id, 'Ada', 'Lovelace', 1]);
	assert.ok(Math.abs(Date.parse(data.CreatedAt) - Date.now()) < 60e3, data.CreatedAt);

	const { password } = person();
	const token = await w.resetToken(who);

	says(await w.client().post('/reset', { token, new_password: password }), 303, 'Password reset successful');
	says(await w.client().post('/reset', { token, new_password: password }), 400, 'Invalid token');
	tells(await client.get('/me'), 401, 'Not signed in');
	says(await w.signin(who), 401, 'Invalid credentials');
	assert.equal((await w.signin({ ...who, password })).status, 303);
	assert.equal((await row()).signins, 2);
	return who;
}

/* An account that another program made before us comes in as it is. */
async function oldAccount(w, fields = {}) {
	const who = person({ password: 'correct horse battery' });
	const stored = '$2a$10$abcdefghijklmnopqrstuuCj7fyLDJytXL.TfOiOeiv0fQvSOK1/2';
	const id = await w.store.insert({ ...who, ...fields, password: stored });
	const data = tells(await (await w.signedIn(who)).get('/me'), 200, 'User info');

	assert.equal(data.Username, who.username);
	return { who, id, data, stored };
}

item(90, 'PostgreSQL: the README table, view and rules, with true ids in the events', looksInside, async () => {
	await onPostgres('readme-view', async (w) => {
		await journey(w);
		const { id, data } = await oldAccount(w);

		assert.equal(data.UserID, id);
	});
});

item(90, 'PostgreSQL: ten sign-ups of one name through the view make one row', looksInside, async () => {
	await onPostgres('readme-view', async (w) => {
		const { username } = person();
		const client = w.client();

		await client.csrfToken();
		const answers = await Promise.all(Array.from({ length: 10 }, () =>
			client.post('/signup', { ...person(), username })));

		assert.equal(answers.filter((one) => one.status === 303).length, 1, answers.map((one) => one.text).join());
		assert.equal((await w.store.users('username', username)).length, 1);
	});
});

item(91, 'PostgreSQL: the README create-table', looksInside, async () => {
	await onPostgres('readme-create', async (w) => {
		await journey(w);
		await oldAccount(w);
	});
});

item(92, 'PostgreSQL: a G2 table, with its event table', looksInside, async () => {
	await onPostgres('g2-own', async (w) => {
		const { username } = await journey(w);
		const { row } = await w.store.one(username);

		assert.equal(row.firstname, 'Ada');
		assert.equal(row.refresh_token, '');
		assert.equal(row.extensions, null);
		assert.equal((await w.store.query('SELECT extensions::text AS text FROM identoro_users'))[0].text, 'null');
	});
});

item(92, 'PostgreSQL: a view whose first name is NULL', looksInside, async () => {
	await onPostgres('null-view', async (w) => {
		await journey(w);
		const { data } = await oldAccount(w);

		assert.deepEqual([data.Firstname, data.Lastname, data.RefreshToken], ['', '', '']);
	});
});

item(93, 'PostgreSQL: a BIGINT identity behind a view', looksInside, async () => {
	await onPostgres('bigint-view', async (w) => {
		const { username } = await journey(w);

		assert.match((await w.store.one(username)).id, /^\d+$/);
	});
});

item(94, 'PostgreSQL: of username and user_name the canonical one is used', looksInside, async () => {
	await onPostgres('both-spellings', async (w) => {
		const { username } = await journey(w);
		const { row } = await w.store.one(username);

		assert.equal(row.username, username);
		assert.notEqual(row.user_name, username);
	});
});

item(95, 'SQLite: the README schema and the G2 schema', looksInside, async () => {
	for (const shape of ['readme', 'g2-own', 'g2'])
		await within({ kind: 'sqlite', shape }, async (w) => {
			await journey(w);
			const { id, data } = await oldAccount(w);

			assert.equal(data.UserID, id, shape);
			assert.equal((await w.store.query('PRAGMA journal_mode'))[0].journal_mode, 'wal');
		});
});

/* The server on that SQL ends at once; returns what it said. */
async function refusedStart(kind, sql) {
	const w = await openWorld({ kind, shape: kind === 'sqlite' ? 'readme' : 'readme-create', start: false,
		cluster: kind === 'postgres' ? await cluster() : undefined });

	await w.store.query(sql);
	const ended = await run(['serve', '--as', 'identoro'], { settings: w.settings, folder: w.folder });

	await w.close();
	return ended;
}

item(96, 'A missing required column ends the start with its name', looksInside, async () => {
	for (const kind of ['sqlite', 'postgres'])
		for (const [column, field] of [['passwd', 'password'], ['mail', 'email'], ['is_verified', 'verified']]) {
			const ended = await refusedStart(kind, `ALTER TABLE identoro_users DROP COLUMN ${column}`);

			assert.equal(ended.code, 1, ended.err);
			assert.match(ended.err, new RegExp(`identoro_users.*\\b${field}\\b|\\b${field}\\b.*identoro_users`), ended.err);
		}
});

item(97, 'The users relation is never sent what a view with rules cannot do', looksInside, async () => {
	await onPostgres('readme-view', async (w) => {
		await journey(w);
		const touching = w.store.statements().filter((text) => /identoro_users/i.test(text));
		const ours = touching.filter((text) => !/CREATE (VIEW|RULE)/i.test(text));

		for (const verb of ['INSERT INTO', 'UPDATE', 'SELECT'])
			assert.ok(ours.some((text) => new RegExp(`\\b${verb}\\b`, 'i').test(text)), `no ${verb} in the log`);
		for (const text of ours)
			assert.doesNotMatch(text, /RETURNING|ON\s+CONFLICT|ALTER|CREATE\s+(UNIQUE\s+)?INDEX|TRIGGER/i);
	});
});

item(98, '--createtables makes the tables once and says so', looksInside, async () => {
	for (const kind of ['sqlite', 'postgres'])
		await within({ kind, shape: 'g2', tables: false, start: false,
			cluster: kind === 'postgres' ? await cluster() : undefined }, async (w) => {
			const create = () => run(['serve', '--as', 'identoro', '--createtables'],
				{ settings: w.settings, folder: w.folder });
			const first = await create();
			const second = await create();

			assert.equal(first.code, 0, `${kind}: ${first.err}`);
			assert.match(first.out + first.err, /Tables created successfully/);
			assert.equal(second.code, 1, kind);
			assert.match(second.out + second.err, /Tables already exist\. No need to create them\./);
			await w.store.insert({ ...person({ username: 'once_only' }), password: '!' });
			await assert.rejects(w.store.insert({ ...person({ username: 'ONCE_only' }), password: '!' }),
				/unique/i, `${kind}: no unique index`);
		});
});

item(99, 'PostgreSQL stopped at start is 503, and started is served without restart', looksInside, async () => {
	const own = await Cluster.open();

	try {
		await within({ kind: 'postgres', shape: 'g2-own', cluster: own, start: false, ready: '/healthz' }, async (w) => {
			await own.stop();
			await w.server.start();
			const answer = await w.client().get('/home');

			says(answer, 503, 'Database not available');
			assert.equal(answer.headers['retry-after'], '5');
			assert.equal((await w.client().get('/readyz')).status, 503);
			assert.equal((await w.browser().get('/')).status, 503);
			await own.start();
			await until('the server to recover', async () => (await w.client().get('/home')).status === 200, 30000);
			await journey(w);
			await own.stop();
			says(await w.client().get('/home'), 503, 'Database not available');
			await own.start();
			await until('the server to recover', async () => (await w.client().get('/home')).status === 200, 30000);
		});
	} finally {
		await own.close();
	}
});
