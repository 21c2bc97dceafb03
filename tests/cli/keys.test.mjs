/* Keys that sign: turned over while the server runs, and judged by other programs from the public list. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import * as jose from 'jose';

import { Server } from '../support/server.mjs';
import { freePort, until } from '../support/settings.mjs';
import { ask, place, refused } from './support.mjs';

const password = 'a long way to nowhere 7';
const algorithms = ['ES256', 'EdDSA', 'RS256'];

function keysPlace(settings = {}) {
	const where = place(settings);

	where.file = join(where.folder, 'keys.json');
	where.settings.PORTRESS_KEYS_SIGNING = where.file;
	return where;
}

async function keys(where, ...words) {
	const { code, out, err } = await ask(['keys', ...words], where);

	assert.equal(code, 0, `${words}: ${err}`);
	return out.trimEnd();
}

const listed = async (where) => JSON.parse(await keys(where, 'list', '--json'));
const states = async (where) => Object.fromEntries((await listed(where)).map(({ kid, status }) => [kid, status]));

/* A running server with one account, whose tokens are signed by the file. */
async function issuer(t) {
	const port = await freePort();
	const where = keysPlace({ PORTRESS_LISTEN: `127.0.0.1:${port}`, PORTRESS_LOG_FORMAT: 'json', PORTRESS_JWT_ON: 'true',
		PORTRESS_CSRF: 'false', PORTRESS_HTTP_LOOPS: '1' });
	const server = new Server({ words: ['serve'], port, host: `localhost:${port}`, ...where });
	const secret = join(where.folder, 'pw');

	writeFileSync(secret, `${password}\n`);
	await ask(['migrate', 'up'], where);
	const made = await ask(['user', 'create', '--username=bobby', '--email=bobby@example.com', '--verified',
		`--password-file=${secret}`], where);

	assert.equal(made.code, 0, made.err);
	await server.start();
	t.after(() => server.stop());
	return { ...where, server,
		url: new URL(`http://127.0.0.1:${port}/.well-known/jwks.json`),
		token: async () => {
			const answer = await fetch(`http://127.0.0.1:${port}/signin`, { method: 'POST',
				headers: { accept: 'application/json', 'content-type': 'application/json' },
				body: JSON.stringify({ username: 'bobby', password }) });

			assert.equal(answer.status, 200);
			return (await answer.json()).data.token;
		},
		serves: async (token) => (await fetch(`http://127.0.0.1:${port}/me`,
			{ headers: { accept: 'application/json', authorization: `Bearer ${token}` } })).status,
		reload: async () => {
			const before = server.log.split('"keys.').length;

			process.kill(server.pid, 'SIGHUP');
			await until('the keys to be read again', () => server.log.split('"keys.').length > before);
		} };
}

const kidOf = (token) => jose.decodeProtectedHeader(token).kid;

/* What another program makes of it, from nothing but the public list. */
async function judgedByJose({ url }, token) {
	const { protectedHeader } = await jose.jwtVerify(token, jose.createRemoteJWKSet(url), { algorithms });

	return protectedHeader.kid;
}

const jwcrypto = `
import sys
from jwcrypto import jwk, jwt
keys, token = sys.stdin.read().split("\\n")
print(jwt.JWT(jwt=token, key=jwk.JWKSet.from_json(keys), algs=["ES256", "EdDSA", "RS256"]).token.jose_header["kid"])
`;

async function judgedByJwcrypto({ url }, token) {
	const list = await (await fetch(url)).text();

	return execFileSync('/usr/bin/python3', ['-c', jwcrypto], { input: `${list}\n${token}`, encoding: 'utf8' }).trim();
}

test('keys are turned over while the server runs, and no good token is refused', async (t) => {
	const site = await issuer(t);
	const [{ kid: first, alg, status }] = await listed(site);
	const tokens = [await site.token()];

	assert.deepEqual([alg, status, statSync(site.file).mode & 0o777], ['ES256', 'current', 0o600]);
	assert.equal(kidOf(tokens[0]), first);
	for (const next of ['EdDSA', 'RS256']) {
		const kid = await keys(site, 'add', `--alg=${next}`);

		await site.reload();
		assert.notEqual(kidOf(await site.token()), kid, 'a next key signs nothing yet');
		await keys(site, 'rotate', '--now');
		await site.reload();
		tokens.push(await site.token());
		assert.equal(kidOf(tokens.at(-1)), kid);
		for (const token of tokens) {
			/* The second time it is remembered. */
			assert.deepEqual([await site.serves(token), await site.serves(token)], [200, 200]);
			assert.equal(await judgedByJose(site, token), kidOf(token));
			assert.equal(await judgedByJwcrypto(site, token), kidOf(token));
		}
	}
	await keys(site, 'retire', first);
	await site.reload();
	assert.deepEqual([await site.serves(tokens[0]), await site.serves(tokens[1])], [401, 200]);
	await assert.rejects(judgedByJose(site, tokens[0]));
});

test("GoTrue's tokens are signed by them too, and those of its secret go on", async (t) => {
	const port = await freePort();
	const base = `http://127.0.0.1:${port}`;
	const where = keysPlace({ PORTRESS_LISTEN: `127.0.0.1:${port}`, PORTRESS_LOG_FORMAT: 'json', GOTRUE_JWT_SECRET: 'short',
		GOTRUE_SITE_URL: base, GOTRUE_OPERATOR_TOKEN: 'operator', GOTRUE_MAILER_AUTOCONFIRM: 'true' });
	const server = new Server({ words: ['serve', '--as', 'gotrue'], port, host: `localhost:${port}`, ...where });
	const post = (path, body) => fetch(base + path, { method: 'POST', body });
	const who = async (token) => (await fetch(`${base}/user`, { headers: { authorization: `Bearer ${token}` } })).status;

	await server.start();
	t.after(() => server.stop());
	assert.equal((await post('/signup', JSON.stringify({ email: 'a@example.org', password }))).status, 200);
	const answer = await post('/token', new URLSearchParams({ grant_type: 'password', username: 'a@example.org', password }));
	const { access_token: token } = await answer.json();
	const [{ kid }] = await listed(where);

	assert.equal(await judgedByJose({ url: new URL(`${base}/.well-known/jwks.json`) }, token), kid);
	assert.equal(await who(token), 200);
	const older = (secret) => new jose.SignJWT(jose.decodeJwt(token)).setProtectedHeader({ alg: 'HS256' })
		.sign(Buffer.from(secret));

	assert.deepEqual([await who(await older('short')), await who(await older('shorn'))], [200, 401]);
});

test('the public list tells nothing that is secret', async (t) => {
	const site = await issuer(t);
	const answer = await fetch(site.url);
	const list = await answer.json();

	assert.deepEqual([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')],
		[200, 'application/json', 'public, max-age=300']);
	assert.deepEqual(list.keys.map((key) => Object.keys(key).sort()), [['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']]);
	for (const key of JSON.parse(readFileSync(site.file, 'utf8')).keys)
		assert.ok(!site.server.log.includes(key.d));
});

test('a file that cannot be used leaves the server the keys that it has', async (t) => {
	const site = await issuer(t);
	const token = await site.token();
	const fine = readFileSync(site.file);

	for (const spoil of [() => writeFileSync(site.file, '{"keys":['), () => writeFileSync(site.file, '{"keys":[]}'),
		() => { writeFileSync(site.file, fine); chmodSync(site.file, 0o644); }]) {
		spoil();
		await site.reload();
		assert.match(site.server.log, /"event":"keys\.kept"/);
		assert.deepEqual([await site.serves(token), kidOf(await site.token())], [200, kidOf(token)]);
	}
});

test('a key waits until others may know it', async () => {
	const where = keysPlace();

	await refused(['keys', 'list'], 1, /no key file yet; `portress keys add` makes one/, where);
	const first = await keys(where, 'add');

	await refused(['keys', 'rotate'], 1, /there is no next key/, where);
	const second = await keys(where, 'add');

	await refused(['keys', 'add'], 1, /there is a next key already/, where);
	await refused(['keys', 'rotate'], 75, /wait five minutes/, where);
	await refused(['keys', 'retire', first], 1, /this key signs/, where);
	assert.deepEqual(await states(where), { [first]: 'current', [second]: 'next' });
	await keys(where, 'rotate', '--now');
	assert.deepEqual(await states(where), { [first]: 'retired', [second]: 'current' });
	assert.match(await keys(where, 'list'), /^\S+\tES256\t(retired\tuntil \d{4}-\S+Z|current)$/m);
	await keys(where, 'retire', first);
	assert.deepEqual(await states(where), { [second]: 'current' });
	await refused(['keys', 'retire', first], 1, /there is no such key/, where);
});

test('two operators at once do not undo each other', async () => {
	const where = keysPlace();

	await keys(where, 'add');
	const answers = await Promise.all(Array.from({ length: 6 }, () => ask(['keys', 'add'], where)));

	assert.deepEqual(answers.map(({ code }) => code).sort(), [0, 1, 1, 1, 1, 1]);
	assert.equal((await listed(where)).length, 2);
});

test('words that mean nothing', async () => {
	const where = keysPlace();

	await refused(['keys'], 64, /usage: portress keys/, where);
	await refused(['keys', 'lst'], 64, /did you mean keys list\?/, where);
	await refused(['keys', 'retire'], 64, /which\?/, where);
	await refused(['keys', 'list', 'all'], 64, /a word too many/, where);
	await refused(['keys', 'rotate', '--alg=ES256'], 64, /it takes no --alg/, where);
	await refused(['keys', 'add', '--alg=HS256'], 64, /must be ES256, EdDSA or RS256/, where);
	await refused(['keys', 'list'], 78, /names no file/, place());
});
