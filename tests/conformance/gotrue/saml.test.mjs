/*
 * SAML is not offered: whatever is set and whatever is sent, it answers as a provider that is switched off.
 */
import assert from 'node:assert/strict';
import { deflateRawSync } from 'node:zlib';

import { address, item, looksInside, randomUUID, refuses, shared } from '../../support/gotrue.mjs';

const base = 'https://auth.example/.netlify/identity';

const site = shared({ settings: { GOTRUE_EXTERNAL_SAML_ENABLED: 'true', GOTRUE_EXTERNAL_SAML_NAME: 'Our House',
	GOTRUE_EXTERNAL_SAML_METADATA_URL: 'https://idp.example/metadata', GOTRUE_EXTERNAL_SAML_API_BASE: base } });

/* A response as RFC 7522 and SAML Core 3.2 want it; a signature is just there, by nobody's key. */
function response(email, { audience = `${base}/saml`, until = Date.now() + 60000, recipient = `${base}/saml/acs`, signature = true } = {}) {
	const id = `_${randomUUID()}`;
	const when = (time) => new Date(time).toISOString();
	const signed = signature ? `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>
<ds:Reference URI="#${id}"/></ds:SignedInfo><ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>` : '';

	return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"
ID="${id}" Version="2.0" IssueInstant="${when(Date.now())}" Destination="${recipient}"><saml:Issuer>https://idp.example</saml:Issuer>${signed}
<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>
<saml:Assertion ID="${id}-a" Version="2.0" IssueInstant="${when(Date.now())}"><saml:Issuer>https://idp.example</saml:Issuer>
<saml:Subject><saml:NameID>${email}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
<saml:SubjectConfirmationData Recipient="${recipient}" NotOnOrAfter="${when(until)}"/></saml:SubjectConfirmation></saml:Subject>
<saml:Conditions NotBefore="${when(Date.now() - 60000)}" NotOnOrAfter="${when(until)}"><saml:AudienceRestriction>
<saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions></saml:Assertion></samlp:Response>`;
}

/* Two assertions, one in the place that a signature vouches for and one in the place that is read. */
const wrapped = (email) => response(email).replace('</samlp:Status>', `</samlp:Status><samlp:Extensions>${
	response('signed@example.org').match(/<saml:Assertion[^]*<\/saml:Assertion>/)[0]}</samlp:Extensions>`);

const post = (here, xml, encode = (text) => Buffer.from(text).toString('base64'), path = '/saml/acs') =>
	here.ask('POST', path, { form: { SAMLResponse: encode(xml), RelayState: 'a state' } });

/* No redirect, no token, nobody new. */
async function opensNothing(here, xml, email, ...rest) {
	const answer = await post(here, xml, ...rest);

	refuses(answer, 400, 'OAuth state is invalid: SAML Provider is not enabled');
	assert.equal(answer.location, undefined);
	assert.equal(answer.cookies.length, 0);
	assert.ok(!answer.text.includes('token'));
	const found = await here.operator('GET', `/admin/users?filter=${encodeURIComponent(email)}`);

	assert.deepEqual(found.json.users, []);
}

item(150, 'metadata: SAML is not offered', looksInside, async () => {
	const here = await site();
	const settings = (await here.get('/settings')).json;

	assert.equal(settings.external.saml, false);
	assert.deepEqual(settings.external_labels, { saml: 'Our House' });
	refuses(await here.get('/saml/metadata'), 500, 'Could not create SAML Provider:');
	assert.equal((await here.get('/saml/metadata/')).status, 404);
	assert.equal((await here.post('/saml/metadata', {})).status, 405);
	assert.match(here.server.log, /GOTRUE_EXTERNAL_SAML_ENABLED has no effect: signing in by SAML is not offered/);
});

item(151, 'a response creates nobody: SAML is not offered', looksInside, async () => {
	const here = await site();
	const email = address();

	for (const provider of ['saml', 'SAML', 'Saml'])
		refuses(await here.get(`/authorize?provider=${provider}`), 400, 'Unsupported provider: SAML Provider is not enabled');
	await opensNothing(here, response(email), email);
	await opensNothing(here, response(email), email, (text) => deflateRawSync(text).toString('base64'));
	await opensNothing(here, response(email), email, undefined, '/saml/acs/');
});

item(152, 'without RelayState 400: SAML is not offered', async () => {
	const here = await site();

	refuses(await here.ask('POST', '/saml/acs', { form: { SAMLResponse: 'x' } }), 400, 'SAML RelayState is missing');
	refuses(await here.get('/saml/acs'), 400, 'SAML RelayState is missing');
});

item(152, 'no flaw makes a redirect: SAML is not offered', looksInside, async () => {
	const here = await site();
	const email = address();

	refuses(await here.get('/saml/acs/deeper'), 400, 'SAML RelayState is missing');
	assert.equal((await here.get('/saml/acs?RelayState=x')).status, 405);
	for (const flaw of [{ signature: false }, { audience: 'https://other.example/saml' }, { until: Date.now() - 1 },
		{ recipient: 'https://other.example/saml/acs' }])
		await opensNothing(here, response(email, flaw), email);
	await opensNothing(here, '', email);
	await opensNothing(here, 'no XML', email);
	await opensNothing(here, response(email), email, () => '!!! no base64');
});

item(153, 'a signature that is wrapped opens nothing: SAML is not offered', looksInside, async () => {
	const here = await site();
	const email = address();

	await opensNothing(here, wrapped(email), email);
	await opensNothing(here, response(`${email}<!-- -->.evil.example`), email);
	await opensNothing(here, `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>${response('&b;')}`, email);
});
