/*
 * An OpenID Connect issuer: the certified oidc-provider, on this machine. Whoever comes is signed in
 * as `account` at once, and consents to all that is asked.
 *
 *	const issuer = await Issuer.open({ clientId, secret, redirectUri });
 *	const back = await issuer.visit(addressThatWeWereSentTo);     the redirect URI with its query
 */
import { once } from 'node:events';
import http from 'node:http';

import * as jose from 'jose';
import { Provider } from 'oidc-provider';

const account = { sub: 'ann-7', email: 'ann@example.org', email_verified: true, name: 'Ann Lee', preferred_username: 'annlee',
	picture: 'https://pictures.example/ann.png' };

async function key(alg) {
	const { privateKey } = await jose.generateKeyPair(alg, { extractable: true });

	return { ...await jose.exportJWK(privateKey), kid: `${alg}-key`, use: 'sig', alg };
}

/* Grants what is asked without a question. */
async function grant(ctx) {
	const given = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });

	given.addOIDCScope('openid email profile');
	await given.save();
	return given;
}

export class Issuer {
	static async open({ clientId = 'our-id', secret = 'our-secret', redirectUri, alg = 'RS256', method = 'client_secret_basic',
		inToken = false } = {}) {
		const issuer = new Issuer();

		issuer.account = { ...account };
		issuer.server = http.createServer((request, response) => issuer.#answer(request, response));
		issuer.server.listen(0, '127.0.0.1');
		await once(issuer.server, 'listening');
		issuer.url = `http://127.0.0.1:${issuer.server.address().port}`;
		issuer.provider = new Provider(issuer.url, {
			clients: [{ client_id: clientId, client_secret: secret, redirect_uris: [redirectUri], token_endpoint_auth_method: method,
				id_token_signed_response_alg: alg }],
			jwks: { keys: [await key(alg)] },
			cookies: { keys: ['no secret'] },
			claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username', 'picture'] },
			conformIdTokenClaims: !inToken,
			clientAuthMethods: [method],
			enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'] },
			pkce: { required: () => true, methods: ['S256'] },
			ttl: { AccessToken: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
			features: { devInteractions: { enabled: false } },
			interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
			findAccount: (ctx, id) => ({ accountId: id, claims: () => issuer.account }),
			loadExistingGrant: grant,
		});
		return issuer;
	}

	async #answer(request, response) {
		if (request.url.startsWith('/interaction/'))
			return this.provider.interactionFinished(request, response, { login: { accountId: this.account.sub } });
		return this.provider.callback()(request, response);
	}

	/* What a browser does that is sent there: cookies, redirects, and back to the redirect URI. */
	async visit(address) {
		const jar = new Map();
		let url = new URL(address);

		while (url.origin === this.url) {
			const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
			const response = await fetch(url, { redirect: 'manual', headers: { cookie } });

			for (const line of response.headers.getSetCookie()) {
				const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
				jar.set(name, value);
			}
			if (!response.headers.has('location'))
				throw new Error(`${response.status}: ${await response.text()}`);
			url = new URL(response.headers.get('location'), url);
		}
		return url;
	}

	async close() {
		this.server.closeAllConnections();
		await new Promise((done) => this.server.close(done));
	}
}
