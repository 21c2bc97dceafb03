/*
 * What an operator types in GoTrue's place, while the server runs or before it ever did.
 */
import assert from 'node:assert/strict';

import { address, decode, declines, item, looksInside, many, randomUUID, shared, within } from '../../support/gotrue.mjs';
import { run } from '../../support/server.mjs';

const nobody = '00000000-0000-0000-0000-000000000000';

const site = shared({ settings: { GOTRUE_JWT_DEFAULT_GROUP_NAME: 'reader', GOTRUE_JWT_ADMIN_GROUP_NAME: 'boss',
	GOTRUE_JWT_AUD: 'site.example' } });

const ask = (here, words, settings = {}) =>
	run(['admin', ...words, '--as', 'gotrue'], { folder: here.folder, settings: { ...here.settings, ...settings } });

async function done(here, words, settings) {
	const answer = await ask(here, words, settings);

	assert.equal(answer.code, 0, answer.err);
	return answer;
}

async function refused(here, words, code, says) {
	const answer = await ask(here, words);

	assert.equal(answer.code, code, answer.err + answer.out);
	assert.match(answer.err, says);
	assert.ok(!answer.err.includes('correct horse'), answer.err);
}

const found = async (here, email, headers) =>
	(await here.operator('GET', `/admin/users?filter=${encodeURIComponent(email)}`, undefined, headers)).json.users;

item(161, 'createuser and deleteuser work without -i', looksInside, async () => {
	const here = await site();
	const who = { email: address(), password: 'correct horse' };

	await done(here, ['createuser', who.email, who.password]);
	const [user] = await found(here, who.email);

	assert.deepEqual([user.email, user.aud, user.role], [who.email, 'site.example', 'reader']);
	assert.deepEqual([user.app_metadata, user.user_metadata], [{}, {}]);
	assert.equal(user.confirmed_at, undefined);
	assert.deepEqual(here.mail.to(who.email), []);
	declines(await here.login(who), 'invalid_grant', 'Email not confirmed');
	await done(here, ['deleteuser', who.email]);
	assert.deepEqual(await found(here, who.email), []);
	await refused(here, ['deleteuser', who.email], 1, /there is no such account/);
});

item(161, 'createuser and deleteuser work with -i', looksInside, async () => {
	const here = await site();
	const who = { email: address(), password: 'correct horse' };

	await done(here, ['createuser', who.email, who.password, '--confirm', '-i', nobody]);
	const { access_token: bearer } = await here.loggedIn(who);

	assert.equal((await here.get('/user', { bearer })).json.email, who.email);
	await done(here, ['deleteuser', decode(bearer)[1].sub, `--instance_id=${nobody}`]);
	assert.equal((await here.get('/user', { bearer })).status, 404);
	assert.equal((await here.login(who)).status, 400);
	await refused(here, ['createuser', who.email, who.password, '-i', randomUUID()], 78, /there is one site/);
});

item(161, 'of many sites -i says which', looksInside, async () => {
	await within(many(), async (here) => {
		const one = await here.instance({ jwt: { default_group_name: 'reader', aud: 'one.example' }, mailer: { autoconfirm: true } });
		const two = await here.instance();
		const who = { email: address(), password: 'correct horse' };
		const own = { GOTRUE_MULTIINSTANCEMODE: 'true' };

		await done(here, ['createuser', who.email, who.password, '-i', one.id], own);
		const { access_token: token } = await here.loggedIn(who, one.options);
		const [, claims] = decode(token);

		assert.equal(claims.aud, 'one.example');
		assert.equal((await found(here, who.email, one.options.headers))[0].role, 'reader');
		assert.equal((await here.login(who, two.options)).status, 400);

		await done(here, ['createuser', who.email, 'another horse', '--confirm', '-i', two.id], own);
		assert.equal((await here.login(who, two.options)).status, 400);
		assert.equal((await here.login({ ...who, password: 'another horse' }, two.options)).status, 200);
		await done(here, ['deleteuser', who.email, '-i', one.id], own);
		assert.deepEqual(await found(here, who.email, one.options.headers), []);
		assert.equal((await found(here, who.email, two.options.headers)).length, 1);

		const { sub } = decode((await here.login({ ...who, password: 'another horse' }, two.options)).json.access_token)[1];
		const stranger = await ask(here, ['deleteuser', sub, '-i', one.id], own);

		assert.equal(stranger.code, 1, stranger.err);
		const none = await ask(here, ['createuser', who.email, who.password, '-i', randomUUID()], own);

		assert.equal(none.code, 1);
		assert.match(none.err, /there is no such instance/);
	});
});

item(161, 'flags say who it is', looksInside, async () => {
	const here = await site();
	const made = async (...words) => {
		const who = { email: address(), password: 'correct horse' };

		await done(here, ['createuser', who.email, who.password, ...words]);
		return who;
	};
	const role = async (who) => (await found(here, who.email))[0].role;

	assert.equal(await role(await made('--admin')), 'boss');
	assert.equal(await role(await made('editor')), 'editor');
	assert.equal(await role(await made('editor', '--admin')), 'editor');

	const listing = async (who) => (await here.get('/admin/users', { bearer: (await here.loggedIn(who)).access_token })).status;
	const other = { 'x-jwt-aud': 'other.example' };

	assert.equal(await listing(await made('--confirm', '--superadmin')), 200);
	assert.equal(await listing(await made('--confirm', '--admin')), 200);
	assert.equal(await listing(await made('--confirm')), 401);
	assert.equal(await listing(await made('--confirm', '--superadmin=false')), 401);

	const elsewhere = await made('--confirm', '-a', 'other.example');

	assert.equal((await here.login(elsewhere)).status, 400);
	assert.equal(decode((await here.loggedIn(elsewhere, { headers: other })).access_token)[1].aud, 'other.example');
	await refused(here, ['deleteuser', elsewhere.email], 1, /there is no such account/);
	await done(here, ['deleteuser', elsewhere.email, '--aud', 'other.example']);
});

item(161, 'what autoconfirm says holds here too, and a database that nobody made is made', looksInside, async () => {
	await within({ settings: { GOTRUE_MAILER_AUTOCONFIRM: 'true' }, start: false }, async (here) => {
		const who = { email: address(), password: 'correct horse' };

		await done(here, ['createuser', who.email, who.password]);
		await here.server.start();
		assert.equal((await here.login(who)).status, 200);
	});
});

item(161, 'what cannot be is refused, and nothing is done', looksInside, async () => {
	const here = await site();
	const who = { email: address(), password: 'correct horse' };

	await done(here, ['createuser', who.email, who.password]);
	await refused(here, ['createuser', who.email.toUpperCase(), who.password], 1, /belongs to an account already/);
	await refused(here, ['createuser', 'no address', who.password], 65, /no e-mail address/);
	await refused(here, ['createuser', address(), 'x'.repeat(73)], 65, /too long/);
	await refused(here, ['createuser', address()], 64, /it takes EMAIL PASSWORD \[ROLE\]/);
	await refused(here, ['createuser'], 64, /it takes EMAIL PASSWORD \[ROLE\]/);
	await refused(here, ['createuser', address(), who.password, 'role', 'more'], 64, /it takes EMAIL PASSWORD \[ROLE\]/);
	await refused(here, ['createuser', address(), who.password, '--yes'], 64, /it takes no --yes/);
	await refused(here, ['deleteuser', who.email, '--confirm'], 64, /it takes no --confirm/);
	await refused(here, ['deleteuser', randomUUID()], 1, /there is no such account/);
	await refused(here, ['createusr', who.email, who.password], 64, /did you mean admin createuser\?/);
	await refused(here, [], 64, /^usage: portress admin/);
	assert.equal((await found(here, who.email)).length, 1);
	const settings = { ...here.settings, PORTRESS_SURFACES: 'pages=/' };
	const elsewhere = await run(['admin', 'deleteuser', who.email], { folder: here.folder, settings });

	assert.equal(elsewhere.code, 78, elsewhere.err);
});

item(162, 'a hash that GoTrue made logs in here', looksInside, async () => {
	const here = await site();
	const who = await here.made({ password: 'not this one' });
	/* Of "allmine", by golang.org/x/crypto/bcrypt. */
	const hash = '$2a$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga';

	await here.database.query('UPDATE portress_account SET password = $1 WHERE id = $2', [hash, who.id]);
	assert.equal((await here.login({ ...who, password: 'not this one' })).status, 400);
	assert.equal((await here.login({ ...who, password: 'allmin' })).status, 400);
	assert.equal((await here.login({ ...who, password: 'Allmine' })).status, 400);
	assert.equal((await here.login({ ...who, password: 'allmine' })).status, 200);
	assert.equal((await here.login({ ...who, password: 'allmine' })).status, 200);
});
