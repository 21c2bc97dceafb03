/*
 * Signing in elsewhere, with houses that others built: the certified oidc-provider as issuer, and the
 * OAuth houses in their own words. We write the address, the browser comes back, we read who it is.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { Issuer } from '../support/issuer.mjs';
import { ann, ProviderServer } from '../support/provider-server.mjs';
import { b64, Speaker } from './speaker.mjs';

const redirectUri = 'http://127.0.0.1:9/callback';
const nothing = '-';

let ours;

before(() => {
	ours = Speaker.open('provider');
});
after(() => ours.close());

const open = (kind, name, url) => ours.ask('open', ...[kind, name, 'our-id', 'our-secret', redirectUri, url].map(b64));

/* One way there and back: what we keep, and the code that was brought. */
async function trip(there) {
	const kept = { state: randomBytes(8).toString('hex'), verifier: randomBytes(32).toString('base64url'),
		nonce: randomBytes(8).toString('hex') };
	const challenge = createHash('sha256').update(kept.verifier).digest('base64url');
	const address = await ours.ask('authorize', b64(kept.state), b64(challenge), b64(kept.nonce));
	const back = await there.visit(address);

	assert.equal(back.origin + back.pathname, redirectUri);
	assert.equal(back.searchParams.get('state'), kept.state);
	return { ...kept, address: new URL(address), code: back.searchParams.get('code') };
}

const words = ({ code, verifier, nonce }) => [b64(code), b64(verifier), b64(nonce)];
const person = async (back) => JSON.parse(await ours.ask('profile', ...words(back)));

async function refuses(back, outcome) {
	const { ok, text } = await ours.say('profile', ...words(back));

	assert.deepEqual({ ok, text }, { ok: false, text: outcome });
}

const theAnn = { subject: 'ann-7', full_name: 'Ann Lee', avatar_url: 'https://pictures.example/ann.png', slug: 'annlee',
	emails: [{ email: 'ann@example.org', verified: true, primary: true }] };

const issuers = [
	{ alg: 'RS256', method: 'client_secret_basic', inToken: false },
	{ alg: 'ES256', method: 'client_secret_post', inToken: true },
	{ alg: 'EdDSA', method: 'client_secret_basic', inToken: true },
];

for (const kind of issuers) {
	describe(`oidc-provider with ${kind.alg}, ${kind.method}, address in the ${kind.inToken ? 'token' : 'userinfo'}`, () => {
		let issuer;

		before(async () => {
			issuer = await Issuer.open({ ...kind, redirectUri });
		});
		after(() => issuer.close());

		test('somebody comes back', async () => {
			await open('oidc', 'house', issuer.url);
			assert.deepEqual(await person(await trip(issuer)), theAnn);
		});

		test('an address that is not proven there is not proven here', async () => {
			await open('oidc', 'house', issuer.url);
			issuer.account.email_verified = false;
			const { emails } = await person(await trip(issuer));

			issuer.account.email_verified = true;
			assert.deepEqual(emails, [{ email: 'ann@example.org', verified: false, primary: true }]);
		});

		test('a code is good once', async () => {
			await open('oidc', 'house', issuer.url);
			const back = await trip(issuer);

			await person(back);
			await refuses(back, 'PT_E_PROVIDER_EXCHANGE');
		});

		test('a code of another sign-in is refused', async () => {
			await open('oidc', 'house', issuer.url);
			const [one, other] = [await trip(issuer), await trip(issuer)];

			await refuses({ ...one, verifier: other.verifier }, 'PT_E_PROVIDER_EXCHANGE');
			await refuses({ ...other, nonce: one.nonce }, 'PT_E_PROVIDER_PROFILE');
		});
	});
}

const served = {
	github: { subject: '583231', slug: '' },
	gitlab: { subject: '583231', slug: '' },
	bitbucket: { subject: '{583231}', slug: '' },
	google: { subject: '583231', slug: '' },
	facebook: { subject: '583231', slug: 'Ann Lee' },
};
const withPkce = ['github', 'gitlab', 'google'];

for (const [name, own] of Object.entries(served)) {
	describe(name, () => {
		let there;

		before(async () => {
			there = await ProviderServer.open();
			await open(name, nothing, there.url);
		});
		after(() => there.close());

		test('somebody comes back', async () => {
			assert.deepEqual(await person(await trip(there)), {
				subject: own.subject, slug: own.slug, full_name: ann.name, avatar_url: ann.avatar,
				emails: [{ email: 'ann@example.org', verified: true, primary: true }],
			});
		});

		test('the question is as the row says, its names in order', async () => {
			const { address, state } = await trip(there);
			const asked = [...address.searchParams.keys()];

			assert.deepEqual(asked, [...asked].sort());
			assert.equal(address.searchParams.get('state'), state);
			assert.equal(address.searchParams.has('code_challenge'), withPkce.includes(name));
			assert.ok(!address.searchParams.has('nonce'));
		});

		test('a form is an answer too', async () => {
			there.answersForms = true;
			const { subject } = await person(await trip(there));

			assert.equal(subject, own.subject);
			await refuses({ ...await trip(there), code: 'another' }, 'PT_E_PROVIDER_EXCHANGE');
			there.answersForms = false;
		});

		test('a code is good once, and with its verifier', async () => {
			const back = await trip(there);

			await person(back);
			await refuses(back, 'PT_E_PROVIDER_EXCHANGE');
			if (withPkce.includes(name))
				await refuses({ ...await trip(there), verifier: back.verifier }, 'PT_E_PROVIDER_EXCHANGE');
		});

		test('an address that is not proven there is not proven here', async () => {
			there.person = { ...ann, emails: [{ email: 'ann@example.org', verified: false, primary: true }] };
			const { emails } = await person(await trip(there));

			there.person = ann;
			assert.equal(emails[0].verified, name === 'facebook');
		});

		test('nobody without an address comes back', async () => {
			there.person = { ...ann, emails: [] };
			await refuses(await trip(there), 'PT_E_PROVIDER_PROFILE');
			there.person = ann;
		});
	});
}
