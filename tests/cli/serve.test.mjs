/* Starting, reloading and ending: each trouble has one line that a person can act on. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import test from 'node:test';

import { Server } from '../support/server.mjs';
import { freePort, pause, program, until } from '../support/settings.mjs';
import { ask, place, refused } from './support.mjs';

async function standing(t, settings = {}) {
	const port = await freePort();
	const where = place({ PORTRESS_LISTEN: `127.0.0.1:${port}`, PORTRESS_LOG_FORMAT: 'json',
		PORTRESS_HTTP_LOOPS: '1', ...settings });
	const server = new Server({ words: ['serve'], port, host: `localhost:${port}`, ...where });

	t.after(() => server.stop());
	return { ...where, server, port };
}

async function running(t, settings) {
	const where = await standing(t, settings);

	await where.server.start();
	return where;
}

const lines = (log, event) => log.split('\n').filter((line) => line.includes(`"event":"${event}"`));

function overSocket(socketPath, path = '/healthz') {
	return new Promise((done) => http.get({ socketPath, path, agent: false, headers: { host: 'localhost' } },
		(message) => { message.resume(); done(message.statusCode); }).on('error', () => done(0)));
}

async function keeps(t, words, code, says, settings) {
	const where = await standing(t, settings);
	const { err } = await refused(['serve', ...words(where)], code, says, where);

	assert.equal(err.split('\n').filter((line) => line.includes('"level":"error"')).length, 1, err);
}

test('an address that cannot be had', async (t) => {
	const other = net.createServer().listen(0, '127.0.0.1');

	await once(other, 'listening');
	const { port } = other.address();

	t.after(() => other.close());
	await keeps(t, () => [`--listen=127.0.0.1:${port}`], 69, /another program does already; end it, or choose another/);
	await keeps(t, () => ['--listen=unix:/nowhere/s', '--url=http://localhost'], 69, /its folder is not there/);
	await keeps(t, ({ folder }) => [`--listen=unix:${folder}/file`, '--url=http://localhost'].concat(
		writeFileSync(join(folder, 'file'), '') ?? []), 69, /a file stands there that is no socket/);
	await keeps(t, () => ['--listen=systemd', '--url=http://localhost'], 69, /no socket was handed over/);
	await keeps(t, () => ['--listen=192.0.2.1:8080', '--dev.mailbox=on'], 69, /this machine has no such address/);
});

test('a key file, a folder or a template that cannot be used', async (t) => {
	const with_ = (make, ...words) => ({ folder }) => { make(folder); return words; };
	const key = (mode) => (folder) => {
		writeFileSync(join(folder, 'key'), 'x');
		chmodSync(join(folder, 'key'), mode);
	};

	await keeps(t, with_(key(0o644), '--keys.file=key'), 78, /others can read the root key; mend it with `chmod 600 key`/);
	await keeps(t, with_(key(0o600), '--keys.file=key'), 78, /no root key in it: 32 bytes in base64/);
	await keeps(t, with_((folder) => symlinkSync('key', join(folder, 'link')), '--keys.file=link'), 78, /links are not followed/);
	await keeps(t, () => ['--keys.file=/nowhere/deep/key'], 78, /cannot make the folder of the root key: .*; make it/);
	await keeps(t, () => ['--ui.dir=none'], 78, /none: there is no such folder of templates/);
	await keeps(t, with_((folder) => {
		mkdirSync(join(folder, 'looks/pages'), { recursive: true });
		writeFileSync(join(folder, 'looks/pages/signin.html'), 'hello\n{{#x}}\n');
	}, '--ui.dir=looks'), 78, /looks\/pages\/signin\.html:2: this block \(x\) is never closed/);
});

test('a database that is none', async (t) => {
	await keeps(t, ({ database }) => { writeFileSync(database, 'no database at all, but long enough to be read '.repeat(9)); return []; },
		78, /portress\.db: .*restore a backup/);
});

/* Root may write everywhere, so somebody else tries. */
test('a database that must not be written', async () => {
	const { folder, database, settings } = place({ PORTRESS_KEYS_ROOT: 'kept0secret0kept0secret0kept0secret0' });
	const nobody = { uid: 65534, gid: 65534 };

	assert.equal((await ask(['migrate', 'up'], { folder, settings })).code, 0);
	chmodSync(database, 0o444);
	chmodSync(folder, 0o555);
	const child = spawn(program, ['serve', `--listen=127.0.0.1:${await freePort()}`], { cwd: folder,
		env: settings, stdio: ['ignore', 'ignore', 'pipe'], ...process.getuid() === 0 ? nobody : {} });
	let said = '';

	child.stderr.on('data', (text) => { said += text; });
	assert.deepEqual(await once(child, 'close'), [78, null], said);
	assert.match(said, /portress\.db: .* writable for this user/);
	assert.equal(said.trim().split('\n').length, 1, said);
	chmodSync(folder, 0o700);
});

test('a unix socket is for everybody in its folder, and for one server', async (t) => {
	const where = place({ PORTRESS_URL: 'http://localhost', PORTRESS_HTTP_LOOPS: '1' });
	const path = join(where.folder, 's');
	const begin = () => spawn(program, ['serve', `--listen=unix:${path}`],
		{ cwd: where.folder, env: { PATH: process.env.PATH, ...where.settings }, stdio: 'ignore' });
	const first = begin();

	t.after(() => first.kill('SIGKILL'));
	await until('the socket', async () => existsSync(path) && await overSocket(path) === 200);
	assert.equal(statSync(path).mode & 0o777, 0o666);
	await refused(['serve', `--listen=unix:${path}`], 69, /another program does already/, where);
	assert.equal(await overSocket(path), 200);

	/* What a killed server left is no obstacle. */
	first.kill('SIGKILL');
	await once(first, 'exit');
	assert.ok(existsSync(path));
	const second = begin();

	t.after(() => second.kill('SIGKILL'));
	await until('the socket again', async () => await overSocket(path) === 200);
	second.kill('SIGTERM');
	assert.deepEqual(await once(second, 'exit'), [0, null]);
	assert.ok(!existsSync(path));
});

test('sockets are taken over from a service manager', async (t) => {
	const where = place({ PORTRESS_URL: 'http://localhost', PORTRESS_LISTEN: 'systemd', PORTRESS_HTTP_LOOPS: '1' });
	const hand = `
import os, socket, sys
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); print(s.getsockname()[1], flush=True)
os.dup2(s.fileno(), 3, True) if s.fileno() != 3 else os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')
os.execv(sys.argv[1], ['portress', 'serve'])`;
	const child = spawn('python3', ['-c', hand, program],
		{ cwd: where.folder, env: { PATH: process.env.PATH, ...where.settings }, stdio: ['ignore', 'pipe', 'ignore'] });

	t.after(() => child.kill('SIGKILL'));
	const port = Number(String((await once(child.stdout, 'data'))[0]));
	const answer = await fetch(`http://127.0.0.1:${port}/healthz`);

	assert.equal(answer.status, 200);
	child.kill('SIGTERM');
	assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('HUP reads templates again, and keeps the old ones when the new are broken', async (t) => {
	const where = await standing(t, { PORTRESS_UI_DIR: 'looks' });
	const file = join(where.folder, 'looks/pages/signin.html');
	const page = async () => (await fetch(`http://127.0.0.1:${where.port}/signin`, { headers: { accept: 'text/html' } })).text();
	const hup = async (text, event) => {
		writeFileSync(file, text);
		process.kill(where.server.pid, 'SIGHUP');
		await until(event, () => lines(where.server.log, event).length === 1);
	};

	mkdirSync(join(where.folder, 'looks/pages'), { recursive: true });
	writeFileSync(file, 'first look');
	await where.server.start();
	assert.match(await page(), /first look/);
	await hup('second look', 'look.reloaded');
	assert.match(await page(), /second look/);
	await hup('third\n{{#x}}', 'look.kept');
	assert.match(await page(), /second look/);
	assert.equal(lines(where.server.log, 'fault').length, 1, where.server.log);
	assert.match(where.server.log, /signin\.html:2: this block/);
});

/* A request whose body is still to come. */
async function halfAsked(port) {
	const socket = net.connect(port, '127.0.0.1');
	const answer = [];

	socket.on('data', (bytes) => answer.push(bytes)).on('error', () => {});
	await once(socket, 'connect');
	socket.write(`POST /signin HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n{`);
	await pause(100);
	return { socket, text: () => Buffer.concat(answer).toString() };
}

test('TERM lets a request in hand end', async (t) => {
	const { server, port } = await running(t);
	const { socket, text } = await halfAsked(port);
	const ended = server.stop();

	await until('the stopping', () => lines(server.log, 'server.stopping').length === 1);
	await pause(50);
	assert.equal(server.ended, null);
	socket.write('  }');
	assert.deepEqual(await ended, { code: 0, signal: null });
	assert.match(text(), /^HTTP\/1\.1 4\d\d /);
});

test('a second TERM ends it at once', async (t) => {
	const { server, port } = await running(t);
	const { socket } = await halfAsked(port);
	const ended = server.stop();

	await until('the stopping', () => lines(server.log, 'server.stopping').length === 1);
	server.child.kill('SIGTERM');
	assert.deepEqual(await ended, { code: 1, signal: null });
	socket.destroy();
});

test('no secret is logged or printed', async (t) => {
	const secret = 'kept0secret0kept0secret0kept0secret0';
	const where = await running(t, { PORTRESS_KEYS_ROOT: secret, PORTRESS_SMTP_PASSWORD: secret.toUpperCase(),
		PORTRESS_SMTP_URL: 'smtp://someone:hush0hush@127.0.0.1:9', PORTRESS_MAIL_FROM: 'a@b.example', PORTRESS_LOG_LEVEL: 'debug' });
	const said = where.server.log + (await ask(['config', 'print'], where)).out;

	for (const one of [secret, secret.toUpperCase(), 'hush0hush'])
		assert.ok(!said.includes(one), one);
});
