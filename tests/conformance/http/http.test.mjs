/*
 * HTTP-01 to HTTP-16: what the engine refuses, and how, seen from the wire.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { footprint, openTarget } from './target.mjs';
import { Wire, ask, parse, pause } from './wire.mjs';

const cheap = '/healthz';
const taking = '/signup';
let target;

before(async () => { target = await openTarget(); });
after(async () => {
	const end = await target.close();

	assert.equal(end.code, 0, 'the server ended badly');
});

const get = (path = cheap, ...lines) => [`GET ${path} HTTP/1.1`, `Host: ${target.name}`, ...lines, '', ''].join('\r\n');
const post = (...lines) => [`POST ${taking} HTTP/1.1`, `Host: ${target.name}`, 'Content-Type: application/json', ...lines, '', ''].join('\r\n');

/* One refusal, no second answer, and the end of the wire, all within a second. */
async function refused(bytes, ...statuses) {
	const said = await ask(target, bytes + get(), { patience: 3000 });

	assert.equal(said.answers.length, 1, JSON.stringify({ bytes: bytes.slice(0, 200), text: said.text.slice(0, 2000) }));
	assert.ok(statuses.includes(said.first.status), `${said.first.status} for ${JSON.stringify(bytes.slice(0, 300))}`);
	assert.equal(said.first.headers.connection, 'close');
	assert.ok(said.ended, 'the wire is still open');
	assert.ok(said.ms < 2000, `after ${said.ms} ms`);
	return said.first;
}

async function healthy() {
	const said = await ask(target, get(), { n: 1 });

	assert.equal(said.first?.status, 200, said.text);
	return said;
}

test('HTTP-01 Content-Length together with Transfer-Encoding', async () => {
	await refused(post('Content-Length: 5', 'Transfer-Encoding: chunked') + '0\r\n\r\n', 400);
	await refused(post('Transfer-Encoding: chunked', 'Content-Length: 5') + '5\r\nhello\r\n0\r\n\r\n', 400);
	await healthy();
});

test('HTTP-02 two Content-Length fields, or a list of them', async () => {
	await refused(post('Content-Length: 5', 'Content-Length: 5') + 'hello', 400);
	await refused(post('Content-Length: 5', 'Content-Length: 6') + 'hello!', 400);
	await refused(post('Content-Length: 5, 5') + 'hello', 400);
});

test('HTTP-03 Content-Length that is no number', async () => {
	for (const value of ['+5', '-1', '0x5', '5 ', ' 5;', '18446744073709551616', '1e3', ''])
		await refused(post(`Content-Length: ${value}`) + 'hello', 400);
});

test('HTTP-04 transfer codings that could be read as no body', async () => {
	for (const line of ['Transfer-Encoding: xchunked', 'Transfer-Encoding: chunked, identity', 'Transfer-Encoding: identity',
		'Transfer-Encoding:\r\n chunked', 'Transfer-Encoding : chunked',
		'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'])
		await refused(post(line) + '0\r\n\r\n', 400, 501);
});

test('HTTP-05 hosts that disagree, lack, or are none', async () => {
	await refused(`GET http://evil.example${cheap} HTTP/1.1\r\nHost: ${target.name}\r\n\r\n`, 400);
	await refused(`GET ${cheap} HTTP/1.1\r\nHost: ${target.name}\r\nHost: ${target.name}\r\n\r\n`, 400);
	await refused(`GET ${cheap} HTTP/1.1\r\nAccept: */*\r\n\r\n`, 400);
	for (const host of ['a@b', 'a b', '[::1', 'a:99999', ''])
		await refused(`GET ${cheap} HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 400);
});

test('HTTP-06 long lines, many fields, large blocks, and little memory for them', async () => {
	const frame = `GET ${cheap}? HTTP/1.1`.length;
	const line = (n) => get(`${cheap}?${'a'.repeat(n - frame)}`);

	assert.equal((await ask(target, line(8192), { n: 1 })).first.status, 200);
	await refused(line(8193), 414);
	const fields = (n) => get(cheap, ...Array.from({ length: n - 1 }, (_, i) => `X-${i}: y`));

	assert.equal((await ask(target, fields(64), { n: 1 })).first.status, 200);
	await refused(fields(65), 431);
	await refused(get(cheap, `X-Long: ${'a'.repeat(17 * 1024)}`), 431);

	/* Blocks that stop just before the cap cost what they weigh, and no more. */
	const before = footprint(target.pid);
	const wires = await Promise.all(Array.from({ length: 100 }, () => Wire.open(target)));

	for (const wire of wires)
		wire.say(get(cheap, `X-Long: ${'a'.repeat(15 * 1024)}`).slice(0, -2));
	await pause(300);
	if (before?.weighs) {
		const grown = (footprint(target.pid).rss - before.rss) / wires.length;

		assert.ok(grown < 64, `${grown} KiB for a connection`);
	}
	wires.forEach((wire) => wire.close());
});

test('HTTP-07 bodies over the cap get no leave to come, other expectations fail', async () => {
	const large = await refused(post('Content-Length: 10000000', 'Expect: 100-continue'), 413);

	assert.equal(large.first.includes('100'), false);
	await refused(post('Content-Length: 10000000'), 413);
	await refused(post('Content-Length: 2', 'Expect: anything') + '{}', 417);

	const wire = await Wire.open(target);

	wire.say(post('Content-Length: 2', 'Expect: 100-continue'));
	await wire.until('leave', () => wire.text.startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
	wire.say('{}');
	await wire.until('an answer', () => parse(wire.text).length === 2);
	wire.close();
});

test('HTTP-08 slow header blocks end in time and slow nobody down', { timeout: 60000 }, async () => {
	const before = footprint(target.pid);
	const wires = await Promise.all(Array.from({ length: 500 }, () => Wire.open(target)));
	const began = performance.now();
	const block = get();
	let at = 0;

	const drip = setInterval(() => {
		const byte = block[Math.min(at++, block.length - 5)];

		wires.forEach((wire) => { if (!wire.ended) wire.say(byte); });
	}, target.headerMs / 3.5);

	wires.forEach((wire) => wire.say(block[at]));
	at++;
	const times = [];

	for (let i = 0; i < 100; i++)
		times.push((await healthy()).ms);
	times.sort((a, b) => a - b);
	assert.ok(times[98] < 50, `the 99th of a hundred took ${times[98]} ms`);

	await Promise.all(wires.map((wire) => wire.ending(target.headerMs + 3000)));
	clearInterval(drip);
	const took = performance.now() - began;

	assert.ok(took > target.headerMs * 0.9 && took < target.headerMs + 2000, `ended after ${took} ms`);
	wires.forEach((wire) => wire.close());
	await pause(1500);
	if (before)
		assert.ok(footprint(target.pid).files <= before.files + 2, 'descriptors are left');
});

test('HTTP-09 a slow body ends in 408', { timeout: 60000 }, async () => {
	const wire = await Wire.open(target);
	const began = performance.now();

	wire.say(post('Content-Length: 1000'));
	const drip = setInterval(() => { if (!wire.ended) wire.say('x'); }, target.bodyMs / 10);

	await wire.ending(target.bodyMs + 3000);
	clearInterval(drip);
	const took = performance.now() - began;

	assert.equal(parse(wire.text)[0].status, 408);
	assert.ok(took > target.bodyMs * 0.9 && took < target.bodyMs + 2000, `ended after ${took} ms`);
	wire.close();
});

test('HTTP-10 paths that need normalising are never routed', async () => {
	for (const path of ['/admin/..;/healthz', '/%2e%2e/healthz', '//healthz', '/healthz;x=1', '/healthz%2f', '/healthz%00',
		'/health\\u007a', '/./healthz', '/a/../healthz', '/healthz/.', '/healthz/..', '/%5chealthz', '/healthz%', '/%ff'])
		await refused(get(path), 400, 404);
	for (const path of ['/HEALTHZ', '/healthz/', '/%2568ealthz', '/user']) {
		const said = await ask(target, get(path), { n: 1 });

		assert.ok([400, 404].includes(said.first.status) || (path.endsWith('/') && said.first.status === 200), path);
	}
});

test('HTTP-11 unknown methods, and methods that are no requests', async () => {
	for (const method of ['BREW', 'PROPFIND', 'DESCRIBE', 'DELETE', 'get']) {
		const said = await ask(target, get().replace('GET', method), { n: 1 });

		assert.equal(said.first.status, 405, method);
		assert.deepEqual(said.first.headers.allow.split(', ').filter((name) => name !== 'OPTIONS'), ['GET', 'HEAD']);
	}
	await refused(get().replace('GET', 'TRACE'), 405, 400);
	await refused(`CONNECT ${target.name} HTTP/1.1\r\nHost: ${target.name}\r\n\r\n`, 405, 400);
	await refused('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 405, 400);
	const server = await ask(target, get('*').replace('GET', 'OPTIONS'), { n: 1 });

	assert.equal(server.first.status, 204);
	assert.equal(server.first.headers.allow, undefined);
	assert.equal(server.first.body, '');
});

test('HTTP-12 a hundred requests in one packet', async () => {
	const said = await ask(target, get().repeat(100), { n: 100 });

	assert.ok(said.answers.length === 100 || said.ended);
	assert.ok(said.answers.every((answer) => answer.status === 200));

	/* A call on a worker in the middle keeps its place. */
	const mixed = await ask(target, get() + post('Content-Length: 2') + '{}' + get('/nowhere') + get(), { n: 4 });

	assert.equal(mixed.answers.length, 4);
	assert.equal(mixed.answers[0].status, 200);
	assert.equal(mixed.answers[2].status, 404);
	assert.equal(mixed.answers[3].status, 200);
});

test('HTTP-13 older and newer versions', async () => {
	const old = await ask(target, `GET ${cheap} HTTP/1.0\r\n\r\n`);

	assert.equal(old.first.status, 200);
	assert.ok(old.ended);
	const oldest = await ask(target, 'GET /\r\n', { patience: 1000 });

	assert.equal(oldest.first.status, 400);
	assert.ok(oldest.ended);
	await refused('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 405);
	await refused(get().replace('HTTP/1.1', 'HTTP/2.0'), 505, 400);
});

test('HTTP-14 no request makes an answer large', async () => {
	const plain = (await healthy()).text.length;

	for (const line of [`Range: bytes=${'0-,'.repeat(200)}0-`, `If-Modified-Since: ${'x'.repeat(64 * 1024)}`,
		`Accept-Encoding: ${'*, '.repeat(99)}*`]) {
		const said = await ask(target, get(cheap, line), { n: 1 });

		assert.ok([200, 431].includes(said.first.status), line.slice(0, 40));
		assert.ok(said.text.length <= 2 * plain);
	}
});

test('HTTP-15 no text becomes a header line', async () => {
	for (const path of ['/redirect?redirect_to=%0d%0aSet-Cookie:x=1', '/redirect%0d%0aSet-Cookie:x=1',
		'/redirect?redirect_to=%E5%98%8D%E5%98%8ASet-Cookie:x=1', '/redirect?a=\rSet-Cookie: x=1']) {
		const said = await ask(target, get(path), { n: 1 });

		assert.equal(/^set-cookie: *x=1/im.test(said.text), false, said.text);
	}
});

test('HTTP-16 other protocols on this port', { timeout: 120000 }, async () => {
	const hello = '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + 'r'.repeat(32) + '\x20' + 's'.repeat(400);
	const knock = async () => {
		const wire = await Wire.open(target);

		wire.say(hello);
		await wire.ending(5000);
		wire.close();
	};
	const knocks = async (n) => {
		for (let i = 0; i < n; i += 50)
			await Promise.all(Array.from({ length: 50 }, knock));
	};

	await knocks(1000);
	const before = footprint(target.pid);

	await knocks(10000);
	if (before) {
		const now = footprint(target.pid);

		assert.ok(!now.weighs || now.rss <= before.rss * 1.05 + 256, `${before.rss} KiB became ${now.rss}`);
		assert.ok(now.files <= before.files + 60);
	}
	await healthy();
});
