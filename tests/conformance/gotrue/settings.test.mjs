/*
 * What a client asks before it shows a form.
 */
import assert from 'node:assert/strict';

import { item, looksInside, shared, within } from '../../support/gotrue.mjs';

const site = shared();

const providers = ['bitbucket', 'facebook', 'github', 'gitlab', 'google'];
const all = ['bitbucket', 'email', 'facebook', 'github', 'gitlab', 'google', 'saml'];

const settingsOf = async (here) => {
	const answer = await here.get('/settings');

	assert.equal(answer.status, 200, answer.text);
	return answer.json;
};

item(17, 'every way in is told of, and whether it is open', async () => {
	const settings = await settingsOf(await site());

	assert.deepEqual(Object.keys(settings).sort(), ['autoconfirm', 'disable_signup', 'external', 'external_labels']);
	assert.deepEqual(Object.keys(settings.external).sort(), all);
	for (const open of [...Object.values(settings.external), settings.disable_signup, settings.autoconfirm])
		assert.equal(typeof open, 'boolean');
});

item(17, 'only those are open that were opened', looksInside, async () => {
	const settings = await settingsOf(await site());

	assert.equal(settings.external.email, true);
	for (const name of providers)
		assert.equal(settings.external[name], false, name);
	await within({ settings: { GOTRUE_EXTERNAL_GITHUB_ENABLED: 'true', GOTRUE_EXTERNAL_GITHUB_CLIENT_ID: 'id',
		GOTRUE_EXTERNAL_GITHUB_SECRET: 'secret',
		GOTRUE_EXTERNAL_GITHUB_REDIRECT_URI: 'https://site.example/callback' } }, async (here) => {
		const { external } = await settingsOf(here);

		assert.deepEqual(all.filter((name) => external[name]), ['email', 'github']);
	});
});

item(18, 'nobody is told a name for SAML where there is none', async () => {
	assert.deepEqual((await settingsOf(await site())).external_labels, {});
});

item(18, 'the name of SAML is told where there is one', looksInside, async () => {
	await within({ settings: { GOTRUE_EXTERNAL_SAML_NAME: 'Our house' } }, async (here) => {
		assert.deepEqual((await settingsOf(here)).external_labels, { saml: 'Our house' });
	});
});

item(19, 'without passwords, e-mail is told to be closed', looksInside, async () => {
	await within({ settings: { GOTRUE_EXTERNAL_EMAIL_DISABLED: 'true', GOTRUE_DISABLE_SIGNUP: 'true',
		GOTRUE_MAILER_AUTOCONFIRM: 'true' } }, async (here) => {
		const settings = await settingsOf(here);

		assert.equal(settings.external.email, false);
		assert.equal(settings.disable_signup, true);
		assert.equal(settings.autoconfirm, true);
	});
});
