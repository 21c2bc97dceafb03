/*
 * What the engine promises beyond the grammar: lanes, caps, deadlines, proxies, a graceful end. These
 * stories need a server of their own, so they always play with the echo server.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { EchoServer, footprint } from './target.mjs';
import { Wire, ask, parse, pause } from './wire.mjs';

const get = (path, ...lines) => [`GET ${path} HTTP/1.1`, 'Host: a', ...lines, '', ''].join('\r\n');
const post = (body) => `POST /signup HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/* A server for one story. It must end well, with nothing open. */
function story(name, words, play, files = 0) {
	test(name, { timeout: 60000 }, async () => {
		const server = await EchoServer.start(words, files);
		let failure = null;

		try {
			await play(server);
		} catch (error) {
			failure = error;
		}
		const end = await server.stop();

		if (failure)
			throw failure;
		assert.equal(end.code, 0, server.log);
		assert.equal(end.open, 0, 'connections are left');
	});
}

story('a call on a worker does not hold up the loop', ['--call-ms', 300], async (server) => {
	const slow = ask(server, get('/slow'), { n: 1 });

	await pause(50);
	assert.ok((await ask(server, get('/healthz'), { n: 1 })).ms < 150);
	assert.equal((await slow).first.status, 200);
});

story('a full lane answers 503 at once, and the wire stays', ['--call-ms', 500, '--workers', 1, '--queue', 1], async (server) => {
	const first = ask(server, get('/slow'), { n: 1 });

	await pause(100);
	const second = ask(server, get('/slow'), { n: 1 });

	await pause(100);
	const third = await ask(server, get('/slow') + get('/healthz'), { n: 2 });

	assert.equal(third.first.status, 503);
	assert.equal(third.first.headers['retry-after'], '1');
	assert.equal(third.first.headers.connection, undefined);
	assert.equal(third.answers[1].status, 200);
	assert.ok(third.ms < 300);
	assert.equal((await first).first.status, 200);
	assert.equal((await second).first.status, 200);
});

story('held answers hold no thread', ['--call-ms', 300, '--workers', 1], async (server) => {
	const began = performance.now();
	const all = await Promise.all(Array.from({ length: 50 }, () => ask(server, get('/held') + get('/who'), { n: 2 })));

	for (const said of all) {
		assert.equal(said.answers[0].status, 200);
		assert.ok(said.ms >= 290, `after ${said.ms} ms`);
		assert.equal(said.answers.length, 2);
	}
	assert.ok(performance.now() - began < 1500);
});

story('answers of one wire keep their order over all lanes', ['--call-ms', 20, '--loops', 2], async (server) => {
	const round = post('one') + get('/healthz') + get('/slow') + get('/held') + post('two') + get('/who');

	await Promise.all(Array.from({ length: 20 }, async () => {
		const said = await ask(server, round.repeat(5), { n: 30, patience: 20000 });

		assert.equal(said.answers.length, 30);
		for (let i = 0; i < 30; i += 6) {
			assert.equal(said.answers[i].body, 'one');
			assert.equal(said.answers[i + 1].body.length, 100);
			assert.equal(said.answers[i + 4].body, 'two');
			assert.match(said.answers[i + 5].body, / \/who /);
		}
	}));
});

story('who leaves while the call runs is not missed', ['--call-ms', 200], async (server) => {
	for (const path of ['/slow', '/held']) {
		const wires = await Promise.all(Array.from({ length: 20 }, () => Wire.open(server)));

		wires.forEach((wire) => wire.say(get(path)));
		await pause(50);
		wires.forEach((wire) => wire.close());
	}
	assert.equal((await ask(server, get('/healthz'), { n: 1 })).first.status, 200);
});

story('who is done speaking still hears the answers', [], async (server) => {
	const wire = await Wire.open(server);

	wire.socket.end(get('/healthz') + post('x'));
	await wire.answers(1);
	assert.equal(parse(wire.text)[0].status, 200);
	wire.close();
});

story('large answers arrive whole, however slowly they are read', ['--loops', 2], async (server) => {
	await Promise.all(Array.from({ length: 10 }, async () => {
		const wire = await Wire.open(server);

		wire.socket.pause();
		wire.say(get('/large?900000').repeat(5) + get('/healthz'));
		await pause(200);
		wire.socket.resume();
		const answers = await wire.answers(6, 20000);

		assert.deepEqual(answers.map((answer) => answer.body.length), [900000, 900000, 900000, 900000, 900000, 100]);
		wire.close();
	}));
});

story('who does not take the answer is cut off', ['--write-ms', 500], async (server) => {
	await ask(server, get('/healthz'), { n: 1 });
	await pause(50);
	const before = footprint(server.pid).files;
	const wire = await Wire.open(server);

	wire.socket.pause();
	wire.say(get('/large?1000000').repeat(20));
	await pause(300);
	assert.equal(footprint(server.pid).files, before + 1);
	await pause(1200);
	assert.equal(footprint(server.pid).files, before);
	wire.close();
});

story('idle wires end in silence', ['--idle-ms', 300], async (server) => {
	const fresh = await Wire.open(server);
	const used = await Wire.open(server);

	used.say(get('/healthz'));
	await used.answers(1);
	await Promise.all([fresh.ending(1500), used.ending(1500)]);
	assert.equal(fresh.text, '');
	assert.equal(parse(used.text).length, 1);
});

story('a wire that keeps asking is not idle', ['--idle-ms', 300, '--header-ms', 300], async (server) => {
	const wire = await Wire.open(server);

	for (let i = 1; i <= 8; i++) {
		wire.say(get('/healthz'));
		await wire.answers(i);
		await pause(100);
	}
	assert.equal(wire.ended, false);
	wire.close();
});

story('the header deadline begins anew with each request', ['--header-ms', 400], async (server) => {
	const wire = await Wire.open(server);

	wire.say('GET /heal');
	for (let i = 1; i <= 6; i++) {
		await pause(150);
		/* The end of one request and the beginning of the next in one packet. */
		wire.say('thz HTTP/1.1\r\nHost: a\r\n\r\nGET /heal');
		await wire.answers(i);
	}
	assert.equal(wire.ended, false);
	await wire.ending(1000);
	assert.equal(parse(wire.text).at(-1).status, 408);
});

story('over the cap a connection is told 503 and closed', ['--connections', 5], async (server) => {
	const wires = await Promise.all(Array.from({ length: 5 }, () => Wire.open(server)));

	wires.forEach((wire) => wire.say(get('/healthz')));
	await Promise.all(wires.map((wire) => wire.answers(1)));
	const said = await ask(server, get('/healthz'));

	assert.equal(said.first.status, 503);
	assert.equal(said.first.headers['retry-after'], '1');
	assert.equal(said.first.headers.connection, 'close');
	wires[0].close();
	await pause(100);
	assert.equal((await ask(server, get('/healthz'), { n: 1 })).first.status, 200);
	wires.forEach((wire) => wire.close());
});

const ticks = (pid) => {
	const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ');

	return Number(fields[13]) + Number(fields[14]);
};

story('out of descriptors it rests, says so once, and goes on', [], async (server) => {
	const wires = await Promise.all(Array.from({ length: 60 }, () => Wire.open(server)));
	const answered = () => wires.filter((wire) => parse(wire.text).length === 1).length;

	wires.forEach((wire) => wire.say(get('/healthz')));
	await pause(300);
	const first = answered();

	assert.ok(first > 10 && first < 40, `${first} answers`);
	const before = ticks(server.pid);

	await pause(1000);
	assert.ok(ticks(server.pid) - before < 10, 'it spins');
	wires.slice(0, 30).forEach((wire) => wire.close());
	await pause(500);
	assert.equal(answered(), 60);
	assert.equal(server.log.match(/cannot accept/g).length, 1, server.log);
	wires.forEach((wire) => wire.close());
}, 40);

const proxied = ['--proxy', 1, '--trusted', '127.0.0.1', '--per-client', 3];
const from = (address) => `PROXY TCP4 ${address} 192.0.2.1 4711 80\r\n`;

story('a client address has its cap, others have theirs', proxied, async (server) => {
	const wires = [];

	for (let i = 0; i < 3; i++) {
		wires.push(await Wire.open(server));
		wires[i].say(from('203.0.113.1') + get('/who'));
		assert.match((await wires[i].answers(1))[0].body, /^203\.0\.113\.1 known http/);
	}
	assert.equal((await ask(server, from('203.0.113.1') + get('/who'))).first.status, 503);
	assert.equal((await ask(server, from('203.0.113.2') + get('/who'), { n: 1 })).first.status, 200);
	wires[0].close();
	await pause(100);
	assert.equal((await ask(server, from('203.0.113.1') + get('/who'), { n: 1 })).first.status, 200);
	wires.forEach((wire) => wire.close());
});

story('a proxied wire must begin with the proxy\'s word', [...proxied, '--header-ms', 300], async (server) => {
	const said = await ask(server, get('/who'));

	assert.equal(said.text, '');
	assert.ok(said.ended);
	const silent = await Wire.open(server);

	await silent.ending(1500);
	assert.equal(silent.text, '');

	const slow = await Wire.open(server);

	for (const byte of from('203.0.113.9') + get('/who'))
		slow.say(byte);
	assert.match((await slow.answers(1))[0].body, /^203\.0\.113\.9 known/);
	slow.close();
});

story('strangers may not name another client', ['--proxy', 1], async (server) => {
	const said = await ask(server, from('203.0.113.1') + get('/who'));

	assert.equal(said.text, '');
	assert.ok(said.ended);
});

story('a trusted proxy names client, scheme and id', ['--trusted', '127.0.0.1'], async (server) => {
	const said = await ask(server, get('/who', 'X-Forwarded-For: 9.9.9.9, 203.0.113.7', 'X-Forwarded-Proto: https',
		'X-Request-Id: from.proxy-1'), { n: 1 });

	assert.equal(said.first.body, '203.0.113.7 known https /who from.proxy-1');
	assert.equal(said.first.headers['x-request-id'], 'from.proxy-1');
});

story('ids are new for each request', [], async (server) => {
	const said = await ask(server, get('/who', 'X-Request-Id: mine').repeat(100), { n: 100 });
	const ids = new Set(said.answers.map((answer) => answer.headers['x-request-id']));

	assert.equal(ids.size, 100);
	for (const id of ids)
		assert.match(id, /^[0-9a-f]{16}$/);
});

test('a graceful end answers what has begun and closes what waits', { timeout: 30000 }, async () => {
	const server = await EchoServer.start(['--call-ms', 500, '--loops', 2]);
	const idle = await Wire.open(server);
	const partial = await Wire.open(server);
	const sending = await Wire.open(server);
	const calls = await Promise.all(Array.from({ length: 2 }, () => Wire.open(server)));
	const held = await Wire.open(server);

	idle.say(get('/healthz'));
	await idle.answers(1);
	partial.say('GET /healthz HT');
	sending.say(post('hello').slice(0, -2));
	calls.forEach((wire) => wire.say(get('/slow')));
	held.say(get('/held'));
	await pause(150);

	const stopping = server.stop();

	await Promise.all([idle.ending(300), partial.ending(300)]);
	sending.say('lo');
	const answered = await Promise.all([sending, ...calls, held].map((wire) => wire.answers(1)));

	for (const [answer] of answered) {
		assert.equal(answer.status, 200);
		assert.equal(answer.headers.connection, 'close');
	}
	assert.equal(answered[0][0].body, 'hello');
	const end = await stopping;

	assert.equal(end.code, 0);
	assert.equal(end.drained, 1);
	assert.equal(end.open, 0);
	await assert.rejects(Wire.open(server));
});

test('a graceful end is over when its time is', { timeout: 30000 }, async () => {
	const server = await EchoServer.start(['--grace-ms', 300]);
	const sending = await Wire.open(server);

	sending.say(post('hello').slice(0, -2));
	await pause(100);
	const began = performance.now();
	const end = await server.stop();

	assert.equal(end.code, 0);
	assert.equal(end.drained, 0);
	assert.ok(performance.now() - began < 1500);
});
