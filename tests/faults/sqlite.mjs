/*
 * What happens to files: read-only, moved away, locked, out of room, garbage. Each time 503 and a line
 * that says what to do, nobody is let in, and all is well by itself when the trouble is over.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, renameSync, rmSync, statSync, truncateSync,
	writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { newcomer } from '../support/plain.mjs';
import { run } from '../support/server.mjs';
import { pause, temporaryFolder, until } from '../support/settings.mjs';
import { expect, openService } from './service.mjs';

const ROOM = 200 * 1024;
const isRoot = process.getuid() === 0;

/* ---- what is promised of every trouble ---- */

/* 503 and Retry-After to whoever would write, in time; nobody is let in. */
async function assertRefusing(service, who) {
	for (const asking of [service.guest().post('/signup', newcomer()), service.signIn(who), service.forgot(who)]) {
		const answer = expect(await asking, 503, 'in trouble');

		assert.ok(answer.headers['retry-after'], 'no Retry-After');
		assert.equal(answer.json.message, 'Database not available');
		assert.equal(answer.cookie('session'), undefined);
		assert.ok(answer.milliseconds < 4000, `answered after ${Math.round(answer.milliseconds)} ms`);
	}
	expect(await service.guest().get('/healthz'), 200, 'life in trouble');
}

async function assertUnready(service) {
	expect(await service.guest().get('/readyz'), 503, 'readiness in trouble');
}

async function assertWell(service, who) {
	await service.enter(who);
	await service.join();
	expect(await service.guest().get('/readyz'), 200, 'readiness');
	await service.assertSound();
}

function assertLogged(text, words) {
	const lines = text.split('\n').filter((line) => words.test(line));

	assert.ok(lines.length, `no line says ${words}:\n${text}`);
	assert.ok(lines[0].includes('portress.db'), `which file? ${lines[0]}`);
}

/* ---- files that move ---- */

async function movedAway(service) {
	const who = await service.join();
	const aside = join(service.folder, 'aside');

	renameSync(join(service.folder, 'data'), aside);
	await assertRefusing(service, who);
	await assertUnready(service);
	mkdirSync(join(service.folder, 'data'));
	await assertRefusing(service, who);
	rmSync(join(service.folder, 'data'), { recursive: true });
	renameSync(aside, join(service.folder, 'data'));
	await assertWell(service, who);
	assertLogged(service.server.log, /moved or replaced underneath/);
}

async function replaced(service) {
	const who = await service.join();
	const aside = `${service.file}.aside`;

	renameSync(service.file, aside);
	writeFileSync(service.file, randomBytes(16384));
	await assertRefusing(service, who);
	await assertUnready(service);
	renameSync(aside, service.file);
	await assertWell(service, who);
}

/* ---- somebody else's lock ---- */

/* Another program that holds the file; ends when its input does. */
async function lockedBy(file) {
	const shell = spawn('sqlite3', [file], { stdio: ['pipe', 'pipe', 'inherit'] });

	shell.stdin.write('BEGIN EXCLUSIVE; SELECT \'locked\';\n');
	await once(shell.stdout, 'data');
	return shell;
}

async function locked(service) {
	const who = await service.join();
	const member = await service.enter(who);
	const shell = await lockedBy(service.file);
	const began = performance.now();
	const writing = Promise.all([service.guest().post('/signup', newcomer()), service.signIn(who)]);

	/* who only reads does not notice */
	assert.ok(expect(await member.get('/me'), 200, 'reading').milliseconds < 1000);
	for (const answer of await writing)
		assert.equal(expect(answer, 503, 'in trouble').cookie('session'), undefined);
	await pause(3000 - (performance.now() - began));
	shell.stdin.end();
	await once(shell, 'close');
	await assertWell(service, who);
	assertLogged(service.server.log, /database is locked|busy/);
	return `refused after ${Math.round(Math.max(...(await writing).map((one) => one.milliseconds)))} ms`;
}

/* ---- no room ---- */

/* A file system of its own of one MiB. Only root may do that. */
function mountSmall(folder) {
	mkdirSync(folder);
	execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
	/* before the folder itself is removed */
	process.prependListener('exit', () => unmount(folder));
}

function unmount(folder) {
	try {
		execFileSync('umount', ['-l', folder], { stdio: 'ignore' });
	} catch {
		/* gone already */
	}
}

function canMount() {
	const folder = join(temporaryFolder('portress-mount-'), 'small');

	try {
		mountSmall(folder);
		unmount(folder);
		return true;
	} catch {
		return false;
	}
}

/* The rest of the file system is taken, but for so many bytes. */
function fillUp(folder, name, room) {
	const filler = join(folder, name);

	try {
		writeFileSync(filler, Buffer.alloc(2 << 20));
	} catch (error) {
		if (error.code !== 'ENOSPC')
			throw error;
	}
	truncateSync(filler, statSync(filler).size - room);
	return filler;
}

/* What is in the file may still grow into pages it has: ask until there is none left. */
async function signUpUntilFull(service) {
	const joined = [];

	for (let n = 0; n < 500; n++) {
		const who = newcomer();
		const answer = await service.guest().post('/signup', who);

		if (answer.status === 503)
			return { joined, refused: who };
		expect(answer, 303, 'sign-up while there is room');
		joined.push(who);
	}
	throw new Error('there is no end of room');
}

async function full() {
	const folder = temporaryFolder('portress-room-');
	const data = join(folder, 'data');

	mountSmall(data);
	try {
		return await withService((service) => outOfRoom(service, data), folder);
	} finally {
		unmount(data);
	}
}

/* Smaller acts fit for a while into what SQLite holds already: those are done, and not refused. */
async function usedUp(asking) {
	await until('the last room to be used', async () => {
		const { status } = await asking();

		assert.ok(status === 303 || status === 503, `answered ${status}`);
		return status === 503;
	});
}

async function outOfRoom(service, data) {
	const who = await service.join();
	const fillers = [fillUp(data, 'much', ROOM)];
	const { joined, refused } = await signUpUntilFull(service);

	fillers.push(fillUp(data, 'rest', 0));
	await usedUp(() => service.forgot(who));
	await usedUp(() => service.signIn(who));
	await assertRefusing(service, who);
	fillers.forEach((filler) => rmSync(filler));
	expect(await service.guest().post('/signup', refused), 303, 'who was refused, when there is room');
	for (const one of joined)
		expect(await service.guest().post('/signup', one), 400, 'who was not refused, again');
	await assertWell(service, who);
	assertLogged(service.server.log, /is full/);
	return `${joined.length} sign-ups fitted`;
}

/* ---- starts that are refused ---- */

/* The start of a server on that file: its end. */
function startOn(file, folder) {
	return run(['serve'], { folder, settings: { PORTRESS_DATABASE: `sqlite:${file}`, PORTRESS_JAIL: 'off',
		PORTRESS_LISTEN: '127.0.0.1:1', PORTRESS_KEYS_FILE: join(folder, 'portress.key') } });
}

function assertRefusedStart({ code, out, err }, words) {
	assert.equal(code, 78, `the start ended with ${code}: ${out}${err}`);
	assertLogged(out + err, words);
	assert.ok(!/server\.ready/.test(out + err));
}

async function garbage() {
	const folder = temporaryFolder('portress-garbage-');
	const file = join(folder, 'portress.db');
	const bytes = randomBytes(16384);

	writeFileSync(file, bytes);
	assertRefusedStart(await startOn(file, folder), /not a database/);
	writeFileSync(file, bytes.subarray(0, 10));
	assertRefusedStart(await startOn(file, folder), /not a database/);
}

/* A sound file in a folder that cannot be written to. Root may write anywhere but where nobody may. */
async function readOnly() {
	const folder = temporaryFolder('portress-ro-');
	const data = join(folder, 'data');
	const first = await openService();
	const file = join(data, 'portress.db');

	await first.close();
	if (isRoot)
		mountSmall(data);
	else
		mkdirSync(data);
	copyFileSync(first.file, file);
	if (isRoot)
		execFileSync('mount', ['-o', 'remount,ro', data]);
	else
		[file, data].forEach((path) => chmodSync(path, path === file ? 0o400 : 0o500));
	try {
		assertRefusedStart(await startOn(file, folder), /writable for this user|for writing/);
	} finally {
		if (isRoot)
			unmount(data);
		else
			chmodSync(data, 0o700);
	}
}

/* ---- the parts ---- */

async function withService(story, folder) {
	const service = await openService({}, folder);

	try {
		return await story(service);
	} finally {
		await service.close();
	}
}

export async function sqlite(report) {
	const mounts = isRoot && canMount();
	const troubles = [
		['the folder is moved away and comes back', () => withService(movedAway)],
		['the file is replaced by garbage and comes back', () => withService(replaced)],
		['another program holds the file for three seconds', () => withService(locked)],
		['a start on garbage', garbage],
		...(mounts || !isRoot ? [['a start on a read-only file', readOnly]] : []),
		...(mounts ? [['the disk is full', full]] : []),
	];

	await Promise.all(troubles.map(([name, story]) => report.check(name, story)));
	if (!mounts)
		process.stdout.write('# the full disk was left out: nothing can be mounted here\n');
}
