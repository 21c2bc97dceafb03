/*
 * What an application does with a token that gotrue-js got it: a function behind it reads the token with
 * a library of its own, by the site's secret or by the list of keys that the site publishes.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import GoTrue from 'gotrue-js';
import * as jose from 'jose';

import { b64, Speaker, unb64 } from '../oracles/speaker.mjs';
import { openSite } from '../support/gotrue.mjs';
import { run } from '../support/server.mjs';
import './timer.mjs';

const password = 'correct horse 7';
const algorithms = ['HS256', 'ES256', 'EdDSA', 'RS256'];

const jwcrypto = `
import sys
from jwcrypto import jwk, jwt
keys, token = sys.stdin.read().split("\\n")
read = jwt.JWT(jwt=token, key=jwk.JWKSet.from_json(keys), algs=["HS256", "ES256", "EdDSA", "RS256"])
print(read.claims)
`;

let cjose;

/* Each reads a token by a list of keys, and throws where it believes nothing. */
const readers = {
	jose: async (token, { keys }) => {
		/* A list has no secrets to it. */
		const key = keys[0].kty === 'oct' ? await jose.importJWK(keys[0]) : jose.createLocalJWKSet({ keys });

		return (await jose.jwtVerify(token, key, { algorithms })).payload;
	},
	jwcrypto: (token, keys) => JSON.parse(execFileSync('/usr/bin/python3', ['-c', jwcrypto],
		{ input: `${JSON.stringify(keys)}\n${token}`, encoding: 'utf8', stdio: 'pipe' })),
	cjose: async (token, keys) => JSON.parse(unb64(await cjose.ask('find', b64(JSON.stringify(keys)), token))),
};

before(() => {
	cjose = Speaker.open('cjose');
});
after(() => cjose.close());

/* The site's keys as its functions know them: what it publishes, or the secret, of which it publishes nothing. */
async function keysOf(site, alg) {
	const published = await (await fetch(`${site.base}/.well-known/jwks.json`)).json();

	assert.equal(published.keys.length, alg === 'HS256' ? 0 : 1);
	if (alg === 'HS256')
		return { keys: [{ kty: 'oct', alg, kid: 'nf-ident', k: Buffer.from(site.secret).toString('base64url') }] };
	return published;
}

async function openSigned(alg) {
	const site = await openSite({ start: false });

	if (alg !== 'HS256') {
		site.settings.PORTRESS_KEYS_SIGNING = join(site.folder, 'keys.json');
		const { code, err } = await run(['keys', 'add', `--alg=${alg}`, '--as', 'gotrue'], site);

		assert.equal(code, 0, err);
	}
	await site.server.start();
	return site;
}

for (const alg of algorithms)
	describe(alg, () => {
		let site;
		let keys;
		let user;

		before(async () => {
			site = await openSigned(alg);
			keys = await keysOf(site, alg);
			const { email } = await site.made({ password, app_metadata: { roles: ['editor'] } });

			user = await new GoTrue({ APIUrl: site.base }).login(email, password);
		});
		after(() => site?.close());

		for (const [name, read] of Object.entries(readers).filter(([reader]) => reader !== 'cjose' || alg !== 'EdDSA'))
			test(`${name} reads it, and none that is not the site's`, async () => {
				const token = await user.jwt(true);
				const claims = await read(token, keys);

				assert.equal(jose.decodeProtectedHeader(token).alg, alg);
				assert.deepEqual([claims.sub, claims.email, claims.app_metadata.roles], [user.id, user.email, ['editor']]);
				assert.ok(claims.exp > Date.now() / 1000);
				const [header, body, signature] = token.split('.');
				const forged = b64(JSON.stringify({ ...claims, app_metadata: { roles: ['admin'] } }));

				await assert.rejects(async () => read([header, forged, signature].join('.'), keys));
				await assert.rejects(async () => read([b64('{"alg":"none"}'), body, ''].join('.'), keys));
			});

		test('the secret goes on to sign for the site, and nothing else does', async () => {
			const signed = (secret) => new jose.SignJWT(jose.decodeJwt(user.token.access_token))
				.setProtectedHeader({ alg: 'HS256', kid: 'nf-ident' }).sign(Buffer.from(secret));

			assert.equal((await site.get('/user', { bearer: await signed(site.secret) })).status, 200);
			assert.equal((await site.get('/user', { bearer: await signed(`${site.secret}x`) })).status, 401);
			assert.equal((await site.get('/user', { bearer: await signed(JSON.stringify(keys.keys[0])) })).status, 401);
		});
	});
