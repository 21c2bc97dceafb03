/*
 * Our keys and tokens held against jose: what we make it reads, what it makes we read, and what one
 * refuses the other refuses. Where we are the stricter one, the table says why.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import * as jose from 'jose';

import { b64, Speaker, unb64 } from './speaker.mjs';

const algorithms = ['HS256', 'RS256', 'ES256', 'EdDSA'];
const claims = { iss: 'https://id.example.org', sub: 'a', 'né': ['<&>', 1, null, { deep: true }] };
const text = JSON.stringify(claims);

let ours;

before(() => {
	ours = Speaker.open();
});
after(() => ours.close());

/* One key of ours for each algorithm, as the two sides hold it. */
async function pair(alg) {
	await ours.ask('generate', alg, alg, `${alg}-key`);
	const secret = JSON.parse(unb64(await ours.ask('private', alg)));
	const open = alg === 'HS256' ? secret : JSON.parse(unb64(await ours.ask('public', alg)));

	return { secret, open, signer: await jose.importJWK(secret, alg), judge: await jose.importJWK(open, alg) };
}

const joseAccepts = (token, key, alg) =>
	jose.jwtVerify(token, key, { algorithms: [alg], currentDate: new Date(0) }).then(() => true, () => false);

for (const alg of algorithms) {
	describe(`jose and we, ${alg}`, () => {
		let key;

		before(async () => {
			key = await pair(alg);
		});

		test('our token is read by jose', async () => {
			const token = await ours.ask('sign', alg, b64(text));
			const { payload, protectedHeader } = await jose.jwtVerify(token, key.judge, { algorithms: [alg] });

			assert.deepEqual(payload, claims);
			assert.deepEqual(protectedHeader, { alg, kid: `${alg}-key`, typ: 'JWT' });
		});

		test('its token is read by us, byte for byte', async () => {
			const token = await new jose.CompactSign(Buffer.from(text)).setProtectedHeader({ alg, kid: `${alg}-key` }).sign(key.signer);

			assert.equal(unb64(await ours.ask('verify', alg, token)), text);
		});

		test('a token of another key is refused by both', async () => {
			const stranger = alg === 'HS256'
				? { privateKey: await jose.generateSecret('HS256') }
				: await jose.generateKeyPair(alg, { extractable: true });
			const token = await new jose.SignJWT(claims).setProtectedHeader({ alg }).sign(stranger.privateKey);

			assert.equal(await joseAccepts(token, key.judge, alg), false);
			assert.equal(await ours.accepts('verify', alg, token), false);
		});

		test('what is changed is judged alike', () => judgedAlike(alg, key.judge));
		test('what is forged is judged alike', () => forgedAlike(alg, key));

		if (alg === 'HS256')
			return;

		test('our thumbprint is its thumbprint', async () => {
			assert.equal(await ours.ask('thumbprint', alg), await jose.calculateJwkThumbprint(key.open));
		});

		test('our public key holds nothing secret', () => {
			for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'])
				assert.ok(!(member in key.open), member);
		});

		test('its keys are read by us, as JWK and as PEM', () => readsTheirKeys(alg));
	});
}

async function readsTheirKeys(alg) {
	const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true, crv: 'Ed25519' });
	const token = await new jose.SignJWT(claims).setProtectedHeader({ alg }).sign(privateKey);
	const forms = {
		privateJwk: ['jwk', 'j1', b64(JSON.stringify(await jose.exportJWK(privateKey)))],
		publicJwk: ['jwk', 'j2', b64(JSON.stringify(await jose.exportJWK(publicKey)))],
		pkcs8: ['pem', 'j3', b64(await jose.exportPKCS8(privateKey)), '-'],
		spki: ['pem', 'j4', b64(await jose.exportSPKI(publicKey)), '-'],
	};

	for (const [form, words] of Object.entries(forms)) {
		await ours.ask(...words);
		assert.equal(unb64(await ours.ask('verify', words[1], token)), JSON.stringify(claims), form);
		assert.equal(await ours.ask('thumbprint', words[1]), await jose.calculateJwkThumbprint(await jose.exportJWK(publicKey)), form);
	}
	for (const label of ['j1', 'j3'])
		await jose.jwtVerify(await ours.ask('sign', label, b64(text)), publicKey, { algorithms: [alg] });
	for (const label of ['j2', 'j4'])
		assert.equal(await ours.accepts('sign', label, b64(text)), false);
}

/* A thousand tokens with one character changed. Two spellings of the same bytes are one to jose. */
async function judgedAlike(alg, judge) {
	const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. ';
	const good = await ours.ask('sign', alg, b64(text));
	const decoded = (token) => token.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex')).join('.');
	let stricter = 0;

	for (let i = 0; i < 1000; i++) {
		const at = (i * 7919) % good.length;
		const to = alphabet[(i * 31 + 17) % alphabet.length];
		const token = `${good.slice(0, at)}${to}${good.slice(at + 1)}`;
		const theirs = await joseAccepts(token, judge, alg);
		const mine = !token.includes(' ') && await ours.accepts('verify', alg, token);

		if (mine !== theirs) {
			assert.ok(theirs, `we accept what jose refuses: ${token}`);
			assert.equal(decoded(token), decoded(good));
			stricter++;
		}
		if (mine)
			assert.equal(token, good);
	}
	assert.ok(stricter < 20, `${stricter} spellings`);
}

/* header, claims, and whether jose, unlike us, lets it pass: it has no opinion there. */
const forgeries = (alg, open) => [
	['none', { alg: 'none' }],
	['None', { alg: 'None' }],
	['NONE', { alg: 'NONE' }],
	['nOnE', { alg: 'nOnE' }],
	['no algorithm', {}],
	['an empty algorithm', { alg: '' }],
	['another algorithm', { alg: alg === 'HS256' ? 'HS512' : 'HS256' }],
	['lower case', { alg: alg.toLowerCase() }],
	['crit', { alg, crit: ['exp'], exp: 1 }],
	['empty crit', { alg, crit: [] }],
	['b64 false', { alg, crit: ['b64'], b64: false }],
	['jku', { alg, jku: 'http://127.0.0.1:9/jwks.json' }, 'it is not asked to fetch'],
	['x5u', { alg, x5u: 'http://127.0.0.1:9/cert.pem' }, 'it is not asked to fetch'],
	['jwk', { alg, jwk: open }, 'it is not asked to read it'],
	['x5c', { alg, x5c: ['AAAA'] }, 'it is not asked to read it'],
	['a kid that is a path', { alg, kid: '../../dev/null' }, 'a name is any text'],
	['a kid that is SQL', { alg, kid: '\' OR 1=1--' }, 'a name is any text'],
	['a kid of 10 KiB', { alg, kid: 'k'.repeat(10240) }, 'a name is any text'],
	['another kid', { alg, kid: 'other' }, 'it was given the key'],
	['two kids', `{"alg":"${alg}","kid":"a","kid":"b"}`, 'JSON.parse takes the last'],
	['two algorithms', `{"alg":"none","alg":"${alg}"}`, 'JSON.parse takes the last'],
	['another type', { alg, typ: 'at+jwt' }, 'it was not asked for a type'],
	['a header that is a list', [alg]],
	['a header that is no JSON', '{'],
];

async function forgedAlike(alg, { judge, open }) {
	for (const [what, header, onlyOurs] of forgeries(alg, open)) {
		const token = await ours.ask('raw', alg, b64(typeof header === 'string' ? header : JSON.stringify(header)), b64(text));

		assert.equal(await ours.accepts('verify', alg, token), false, `we accept ${what}`);
		assert.equal(await joseAccepts(token, judge, alg), onlyOurs !== undefined, `jose and ${what}`);
		for (const signature of ['', 'AAAA'])
			assert.equal(await ours.accepts('verify', alg, token.replace(/[^.]*$/, signature)), false, `${what}, not signed`);
	}
}

test('a public key is no secret to either of us', async () => {
	const { open } = await pair('RS256');
	const pem = await jose.exportSPKI(await jose.importJWK(open, 'RS256'));
	const secrets = [pem, pem.trim(), Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64'), open.n, Buffer.from(open.n, 'base64url'), JSON.stringify(open)];

	for (const secret of secrets) {
		const token = await new jose.SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(secret));

		assert.equal(await ours.accepts('verify', 'RS256', token), false);
	}
	assert.equal(await ours.accepts('secret', 'x', b64(pem), '-'), false);
});

test('our key list is one to jose, and the name finds the key', async () => {
	const open = [];

	for (const alg of algorithms.slice(1))
		open.push((await pair(alg)).open);
	const list = jose.createLocalJWKSet({ keys: open });

	for (const alg of algorithms.slice(1)) {
		const { protectedHeader } = await jose.jwtVerify(await ours.ask('sign', alg, b64(text)), list);

		assert.equal(protectedHeader.kid, `${alg}-key`);
	}
});

test('dates are judged alike', async () => {
	const now = 1_800_000_000;
	const { signer, judge } = await pair('HS256');
	const dates = [now + 1, now, now - 1, now - 31, '1900000000', 1900000000.5, -1, 0, null, true, 1e308];

	for (const exp of dates) {
		const token = await new jose.CompactSign(Buffer.from(JSON.stringify({ exp }))).setProtectedHeader({ alg: 'HS256' }).sign(signer);
		const theirs = await jose.jwtVerify(token, judge, { requiredClaims: ['exp'], currentDate: new Date(now * 1000) }).then(() => true, () => false);
		/* To jose a date may have a fraction. */
		const expected = theirs && Number.isSafeInteger(exp);

		assert.equal(await ours.accepts('times', now, b64(JSON.stringify({ exp }))), expected, String(exp));
	}
	for (const nbf of [now, now + 30, now + 31, now + 1e6, '1', null, 1.5]) {
		const body = { exp: now + 1e7, nbf };
		const token = await new jose.CompactSign(Buffer.from(JSON.stringify(body))).setProtectedHeader({ alg: 'HS256' }).sign(signer);
		const theirs = await jose.jwtVerify(token, judge, { clockTolerance: 30, currentDate: new Date(now * 1000) }).then(() => true, () => false);
		const expected = theirs && Number.isSafeInteger(nbf);

		assert.equal(await ours.accepts('times', now, b64(JSON.stringify(body))), expected, String(nbf));
	}
	assert.equal(await ours.accepts('times', now, b64('{}')), false);
	assert.equal(await ours.accepts('times', now, b64('{"exp":9223372036854775808}')), false);
});
