/*
 * portress import --from gotrue: a whole site moves in, and its people do not notice.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { GotrueSource, kindOf, nobodysInstance, password, person, secret, uuid } from '../support/gotrue-source.mjs';
import { many, openSite, within } from '../support/gotrue.mjs';
import { run } from '../support/server.mjs';
import { pause, program } from '../support/settings.mjs';

const people = 5000;
const opened = {};

/* One source for each wish: nothing here changes it but the test that says so. */
const sourceOf = (options) => (opened[JSON.stringify(options)] ??= GotrueSource.open(options));
const large = () => sourceOf({ people });
const small = () => sourceOf({ people: 300 });

const importing = (site, url, ...words) => run(['import', '--as', 'gotrue', '--from', 'gotrue', url, ...words],
	{ settings: site.settings, folder: site.folder, patience: 400000 });

async function imported(site, url, ...words) {
	const { code, out, err } = await importing(site, url, ...words);

	assert.equal(code, 0, err);
	return { ...counts(out), out, err };
}

/* { people: [added, there, left out], ... } */
const counts = (out) => Object.fromEntries([...out.matchAll(/^(\w+) +(\d+) +(\d+) +(\d+)$/gm)]
	.map(([, name, ...numbers]) => [name, numbers.map(Number)]));

/* Everything that came, in one order. */
async function contents({ query }) {
	const all = {};

	for (const [name, columns] of Object.entries({
		account: 'id, tenant, audience, email, email_key, email_verified_at, role, app_metadata, user_metadata, created_at,'
			+ ' last_signin_at, super_admin, new_email_key, invited_at, password',
		family: 'account, client, started_at, generation, issued_at, expires_at, purge_at',
		loose_token: 'hash, generation', ticket: 'hash, kind, account, email_key, expires_at',
		event: 'id, kind, account, happened_at, tenant, actor, email, actor_email, actor_name' }))
		all[name] = (await query(`SELECT ${columns} FROM portress_${name}`)).map((row) => JSON.stringify(row)).sort();
	return all;
}

const ofKind = (kind, among = people) => Array.from({ length: among }, (_, number) => number).filter((number) => kindOf(number) === kind)
	.map((number) => person(number));

/* Of the audience that is none. */
const ordinaries = (among) => ofKind('ordinary', among).filter(({ aud }) => aud === '');

/* ---- what comes ---- */

const sum = (kinds) => kinds.reduce((total, kind) => total + ofKind(kind).length, 0);

/* As many as the source was made with. */
const stays = sum(['nowhere', 'double']);
const expected = {
	people: [people - stays, 0, stays],
	tickets: [sum(['unconfirmed', 'invited', 'recovering', 'moving']), 0, sum(['late'])],
	tokens: [people - stays, 0, people + people / 20 + stays],
};

for (const kind of ['sqlite', 'postgres', 'mariadb'])
	test(`${people} people move into ${kind} and go on where they were`, { timeout: 1200000 }, async () => {
		const source = await large();
		const before = await source.checksum();

		await within({ kind, start: false }, async (site) => {
			const rehearsed = await imported(site, source.url, '--dry-run');
			const first = await imported(site, source.url);
			const kept = await contents(site.database);
			const again = await imported(site, source.url);

			for (const name of Object.keys(expected))
				assert.deepEqual(first[name], expected[name], `${name}\n${first.out}`);
			assert.equal(first.events[0] + first.events[2], 2 * people);
			assert.equal(kept.account.length, first.people[0]);
			assert.equal(kept.ticket.length, first.tickets[0]);
			assert.equal(kept.family.length, first.tokens[0]);
			assert.equal(kept.loose_token.length, first.tokens[0]);
			assert.equal(kept.event.length, first.events[0]);
			for (const name of ['people', 'tickets', 'tokens', 'events']) {
				assert.deepEqual(rehearsed[name], first[name], `rehearsed ${name}`);
				assert.equal(again[name][0], 0, `${name} came twice`);
			}
			assert.match(rehearsed.out, /nothing was kept/);
			assert.deepEqual(await contents(site.database), kept);
			assert.deepEqual(await source.checksum(), before, 'the source was touched');
			assert.equal(`${first.err}${first.out}`.includes('example.com'), false, 'addresses are not told');

			await site.server.start();
			await goOn(site);
		});
	});

/* Their clients and letters, over HTTP. */
async function goOn(site) {
	const ordinary = ordinaries()[11];
	const answer = await site.login({ email: ordinary.email.toUpperCase(), password });

	assert.equal(answer.status, 200, answer.text);
	assert.equal((await site.login({ email: ordinary.email, password: 'another' })).status, 400);
	const user = (await site.get('/user', { bearer: answer.json.access_token })).json;

	assert.equal(user.id, ordinary.id);
	assert.deepEqual(user.user_metadata, JSON.parse(ordinary.raw_user_meta_data));
	assert.deepEqual(user.app_metadata, JSON.parse(ordinary.raw_app_meta_data));
	assert.equal(user.role, ordinary.role);

	const fresh = await site.refresh(ordinary.refresh);

	assert.equal(fresh.status, 200, fresh.text);
	assert.equal((await site.refresh(fresh.json.refresh_token)).status, 200);
	assert.equal((await site.refresh(secret(`spent ${ordinary.id}`))).status, 400);
	await goOnWithLetters(site);
	await goOnAsOperator(site, ordinary);
}

async function goOnWithLetters(site) {
	const [unconfirmed, invited, recovering, moving, late] = ['unconfirmed', 'invited', 'recovering', 'moving', 'late']
		.map((kind) => ofKind(kind)[3]);
	const verify = (type, token, more) => site.post('/verify', { type, token, ...more });

	assert.equal((await site.login({ email: unconfirmed.email, password })).status, 400);
	assert.equal((await verify('recovery', unconfirmed.confirmation_token)).status, 404);
	assert.equal((await verify('signup', unconfirmed.confirmation_token)).status, 200);
	assert.equal((await verify('signup', unconfirmed.confirmation_token)).status, 404);
	assert.equal((await site.login({ email: unconfirmed.email, password })).status, 200);
	assert.equal((await verify('signup', invited.confirmation_token)).status, 422);
	assert.equal((await verify('signup', invited.confirmation_token, { password: 'chosen today' })).status, 200);
	assert.equal((await verify('recovery', recovering.recovery_token)).status, 200);
	assert.notEqual((await verify('signup', late.confirmation_token)).status, 200);

	const { json: { access_token: bearer } } = await site.login({ email: moving.email, password });
	const moved = await site.put('/user', { email_change_token: moving.email_change_token }, { bearer });

	assert.equal(moved.status, 200, moved.text);
	assert.equal(moved.json.email, moving.email_change);
}

async function goOnAsOperator(site, ordinary) {
	const deleted = ordinaries().find(({ number }) => number % 9 === 0);
	const { json: { access_token: bearer } } = await site.login({ email: person(0).email, password }, { headers: { 'x-jwt-aud': 'app' } });
	const log = await site.audit('action:user_deleted');

	assert.equal((await site.get('/admin/users?per_page=1', { bearer, headers: { 'x-jwt-aud': 'app' } })).status, 200);
	assert.equal((await site.operator('GET', `/admin/users/${ordinary.id}`)).json.created_at, `${ordinary.created_at.replace(' ', 'T')}Z`);
	assert.ok(log.some(({ payload }) => payload.traits.user_email === 'gone@example.com'));
	const one = (await site.database.query('SELECT account, actor, actor_email FROM portress_event WHERE id = $1',
		[uuid(`two ${deleted.id}`)]))[0];

	assert.deepEqual({ ...one }, { account: uuid(`gone ${deleted.number}`), actor: deleted.id, actor_email: deleted.email });
}

/* ---- what happens on the way ---- */

test('killed at any moment and run again, everybody comes once', { timeout: 1200000 }, async () => {
	const source = await large();
	const whole = await openSite({ start: false });
	const broken = await openSite({ start: false });
	const marks = new Set();

	await imported(whole, source.url);
	/* A little later each time, however fast the machine is: before the first batch, between some, at the end. */
	for (let last = null, patience = 30; last?.code !== 0; patience *= 1.1 + Math.random() / 5) {
		last = await run(['import', '--as', 'gotrue', '--from', 'gotrue', source.url], { settings: broken.settings, folder: broken.folder,
			patience });
		assert.ok(last.signal === 'SIGKILL' || last.code === 0, last.err);
		assert.equal(/Went on behind/.test(last.out), last.code === 0 && /^(people|events)/.test([...marks].at(-1)));
		const [row] = last.signal ? await broken.database.query('SELECT mark FROM portress_import').catch(() => []) : [];

		marks.add(row?.mark ?? '');
	}
	assert.ok([...marks].some((mark) => /^(people|events) /.test(mark)), `stopped at ${[...marks]}`);
	assert.deepEqual(await contents(broken.database), await contents(whole.database));
	await whole.close();
	await broken.close();
});

test('whoever comes to the source later comes with the next run, and what was spent here stays spent', { timeout: 120000 }, async () => {
	const source = await GotrueSource.open({ people: 60 });

	await within({ start: false }, async (site) => {
		await imported(site, source.url);
		await site.server.start();
		const recovering = ofKind('recovering', 60)[0];

		assert.equal((await site.post('/verify', { type: 'recovery', token: recovering.recovery_token })).status, 200);
		const holder = ordinaries(60)[0];
		const first = await site.refresh(holder.refresh);

		assert.equal(first.status, 200, first.text);
		const second = await site.refresh(first.json.refresh_token);

		await source.add([person(60), person(61)]);
		const next = await imported(site, source.url);

		assert.deepEqual(next.people, [2, 58, 2]);
		assert.equal((await site.post('/verify', { type: 'recovery', token: recovering.recovery_token })).status, 404);
		assert.equal((await site.login({ email: person(61).email, password })).status, 200);
		/* Their family is the one that went on, and they are its past. */
		site.control.advance(11);
		assert.equal((await site.refresh(holder.refresh)).status, 400);
		assert.equal((await site.refresh(second.json.refresh_token)).status, 400);
		assert.equal((await imported(site, source.url)).tokens[0], 0);
		assert.equal((await site.refresh(holder.refresh)).status, 400);
	});
});

test('an address that somebody has here already stays his', { timeout: 120000 }, async () => {
	const source = await small();

	await within({}, async (site) => {
		const taken = ordinaries(300)[1];
		const owner = await site.made({ email: taken.email });
		const report = join(site.folder, 'report');
		const { people: [added, , left], out } = await imported(site, source.url, '--report', report);
		const lines = readFileSync(report, 'utf8').trimEnd().split('\n');

		assert.equal(added + left, 300);
		assert.match(out, /people: the address is another account's/);
		assert.ok(lines.includes(['people', taken.id, 'the address is another account\'s'].join('\t')));
		assert.equal(lines.filter((line) => line.startsWith('people\t')).length, left);
		assert.equal((await site.login({ email: taken.email, password })).status, 400);
		assert.equal((await site.loggedIn(owner)).email, taken.email);
		assert.equal((await site.refresh(taken.refresh)).status, 400);
	});
});

test('a namespace stands before the names of tables', { timeout: 120000 }, async () => {
	const source = await GotrueSource.open({ people: 20, space: 'auth' });

	await within({ start: false }, async (site) => {
		const without = await importing(site, source.url);

		assert.equal(without.code, 69, without.err);
		assert.deepEqual((await imported(site, source.url, '--namespace', 'auth')).people, [18, 0, 2]);
		assert.equal((await importing(site, source.url, '--namespace', 'a`b')).code, 78);
	});
});

test('where the source is may be said on standard input', { timeout: 120000 }, async () => {
	const source = await small();

	await within({ start: false }, async (site) => {
		const { status, stdout, stderr } = spawnSync(program, ['import', '--as', 'gotrue', '--from', 'gotrue', '-', '--dry-run'],
			{ cwd: site.folder, env: { PATH: process.env.PATH, ...site.settings }, input: `${source.url}\n`, encoding: 'utf8' });

		assert.equal(status, 0, stderr);
		assert.equal(counts(stdout).people[1], 0);
	});
});

test('each of many instances becomes a site of its own', { timeout: 120000 }, async () => {
	const [one, other] = [uuid('one'), uuid('other')];
	const config = (name) => ({ site_url: `https://${name}.example`, jwt: { secret: `the secret of ${name}, of some length` } });
	const source = await GotrueSource.open({ people: 10, instances: {
		[one]: { uuid: uuid('name of one'), config: config('one'), people: 12 },
		[other]: { uuid: uuid('name of other'), config: config('other'), people: 14 } } });

	await within(many({ start: false }), async (site) => {
		const all = await imported(site, source.url, '--gotrue.multi', '--instances');
		const again = await imported(site, source.url, '--gotrue.multi', '--instances');

		assert.deepEqual(all.sites, [2, 0, 0]);
		assert.deepEqual(again.sites, [0, 2, 0]);
		assert.equal(all.people[0] + all.people[2], 36);
		assert.equal(again.people[0], 0);
		await site.server.start();
		const who = person(8, one);
		const options = { headers: site.signedFor({ id: one }) };
		const elsewhere = { headers: site.signedFor({ id: other }) };
		const answer = await site.login({ email: who.email, password }, options);

		assert.equal(answer.status, 200, answer.text);
		assert.equal((await site.get('/user', { bearer: answer.json.access_token, ...options })).json.id, who.id);
		assert.equal((await site.refresh(who.refresh, elsewhere)).status, 400);
		assert.equal((await site.refresh(who.refresh, options)).status, 200);
		assert.equal((await site.operator('GET', `/instances/${one}`)).json.uuid, uuid('name of one'));
	});
});

test('one of many instances moves into a site of its own', { timeout: 120000 }, async () => {
	const one = uuid('one');
	const source = await GotrueSource.open({ people: 10, instances: { [one]: { uuid: uuid('name'), config: {}, people: 12 } } });

	await within({ start: false }, async (site) => {
		const moved = await imported(site, source.url, '--instance', one);

		assert.equal(moved.people[0] + moved.people[2], 12);
		await site.server.start();
		const answer = await site.login({ email: person(8, one).email, password });

		assert.equal(answer.status, 200, answer.text);
		assert.equal((await site.operator('GET', `/admin/users/${person(8, nobodysInstance).id}`)).status, 404);
	});
});

/* ---- what does not go ---- */

test('what cannot be read is told without its secrets', { timeout: 120000 }, async () => {
	await within({ start: false }, async (site) => {
		const refused = async (code, says, ...words) => {
			const answer = await run(['import', '--as', 'gotrue', ...words], { settings: site.settings, folder: site.folder });

			assert.equal(answer.code, code, `${words}: ${answer.err}`);
			assert.match(answer.err, says);
			assert.equal(answer.err.includes('hunter2'), false, answer.err);
			assert.equal(answer.out, '');
		};

		await refused(64, /--from must be gotrue/, 'mysql://somewhere/db');
		await refused(64, /--from must be gotrue/, '--from', 'elsewhere', 'mysql://somewhere/db');
		await refused(64, /from where/, '--from', 'gotrue');
		await refused(64, /nothing on standard input/, '--from', 'gotrue', '-');
		await refused(64, /must be a UUID/, '--from', 'gotrue', '--instance', 'one', 'mysql://somewhere/db');
		await refused(64, /a word too many/, '--from', 'gotrue', 'mysql://somewhere/db', 'hunter2');
		await refused(78, /USER:PASSWORD@HOST/, '--from', 'gotrue', 'postgres:hunter2');
		await refused(69, /cannot be reached/, '--from', 'gotrue', 'mysql://root:hunter2@127.0.0.1:1/db');
		await refused(74, /nowhere/, '--from', 'gotrue', '--report', '/nowhere/report', 'mysql://root:hunter2@127.0.0.1:1/db');
	});
});

test('whoever keeps the source sees one transaction that only reads', { timeout: 120000 }, async () => {
	const source = await small();

	await source.query("SET GLOBAL log_output = 'TABLE', GLOBAL general_log = 'ON'");
	try {
		await within({ start: false }, async (site) => {
			await imported(site, source.url, '--dry-run');
		});
		await pause(100);
		const said = (await source.server.query('mysql', `SELECT argument FROM general_log WHERE thread_id IN
			(SELECT thread_id FROM general_log WHERE argument LIKE 'START TRANSACTION WITH CONSISTENT%')
			AND command_type IN ('Query', 'Execute', 'Prepare')`)).map(({ argument }) => String(argument));

		assert.ok(said.length > 10);
		assert.deepEqual(said.filter((text) => !/^(SELECT|SET SESSION|START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY)/.test(text)), []);
	} finally {
		await source.query("SET GLOBAL general_log = 'OFF'");
	}
});
