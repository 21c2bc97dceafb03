/*
 * Our keys and tokens held against cjose, a library for C programs: what we make it reads, what it makes
 * we read, and what one refuses the other refuses. It knows no Ed25519.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import * as jose from 'jose';

import { b64, Speaker, unb64 } from './speaker.mjs';

const algorithms = ['HS256', 'RS256', 'ES256'];
const text = JSON.stringify({ iss: 'https://id.example.org', sub: 'a', 'né': ['<&>', 1, null] });

let ours;
let theirs;

before(() => {
	ours = Speaker.open();
	theirs = Speaker.open('cjose');
});
after(() => {
	ours.close();
	theirs.close();
});

/* A new key of ours in both hands: whole, and what everybody may know. */
async function pair(alg) {
	await ours.ask('generate', alg, alg, `${alg}-key`);
	const whole = await ours.ask('private', alg);

	return { whole, open: alg === 'HS256' ? whole : await ours.ask('public', alg) };
}

async function stranger(alg) {
	const key = alg === 'HS256' ? await jose.generateSecret(alg, { extractable: true })
		: (await jose.generateKeyPair(alg, { extractable: true })).privateKey;

	return b64(JSON.stringify(await jose.exportJWK(key)));
}

for (const alg of algorithms)
	describe(`cjose and we, ${alg}`, () => {
		let key;

		before(async () => {
			key = await pair(alg);
		});

		test('our token is read by it', async () => {
			const token = await ours.ask('sign', alg, b64(text));

			assert.equal(unb64(await theirs.ask('verify', key.open, token)), text);
		});

		test('its token is read by us, with our key and with its own', async () => {
			assert.equal(unb64(await ours.ask('verify', alg, await theirs.ask('sign', key.whole, alg, b64(text)))), text);
			const other = await stranger(alg);

			await ours.ask('jwk', 'theirs', other);
			assert.equal(unb64(await ours.ask('verify', 'theirs', await theirs.ask('sign', other, alg, b64(text)))), text);
		});

		test('a token of another key is refused by both', async () => {
			const other = await stranger(alg);
			const token = await theirs.ask('sign', other, alg, b64(text));

			assert.equal(await theirs.accepts('verify', key.open, token), false);
			assert.equal(await ours.accepts('verify', alg, token), false);
			assert.equal(await theirs.accepts('verify', other, await ours.ask('sign', alg, b64(text))), false);
		});

		test('what is forged or changed is refused by both', async () => {
			const good = await ours.ask('sign', alg, b64(text));
			const [header, body, signature] = good.split('.');
			const forged = ['none', 'None', alg.toLowerCase(), alg === 'HS256' ? 'RS256' : 'HS256'].map((name) =>
				[b64(JSON.stringify({ alg: name })), body, signature].join('.'));
			const changed = [[header, b64(text.replace('"a"', '"b"')), signature], [header, body], [header, body, ''],
				[header, body, signature.split('').reverse().join('')]].map((parts) => parts.join('.'));

			for (const token of [...forged, ...changed]) {
				assert.equal(await theirs.accepts('verify', key.open, token), false, `cjose accepts ${token}`);
				assert.equal(await ours.accepts('verify', alg, token), false, `we accept ${token}`);
			}
		});
	});

test('our list of keys is one to it, and the name finds the key', async () => {
	const keys = [];

	for (const alg of ['RS256', 'ES256'])
		keys.push(JSON.parse(unb64((await pair(alg)).open)));
	const list = b64(JSON.stringify({ keys }));

	for (const alg of ['RS256', 'ES256'])
		assert.equal(unb64(await theirs.ask('find', list, await ours.ask('sign', alg, b64(text)))), text);
	await ours.ask('generate', 'unlisted', 'ES256', 'unlisted');
	assert.equal(await theirs.accepts('find', list, await ours.ask('sign', 'unlisted', b64(text))), false);
});
