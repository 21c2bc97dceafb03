/*
 * Guessing, flooding, and ways around being counted.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

import { attack } from '../support/attack.mjs';
import { address, declines, refuses, shared, within } from '../support/gotrue.mjs';

const off = { PORTRESS_LIMITS_SIGNIN_PER_ACCOUNT: '0', PORTRESS_LIMITS_SIGNIN_PER_CLIENT: '0', PORTRESS_LIMITS_MAIL_PER_CLIENT: '0',
	PORTRESS_LIMITS_MAIL_PER_RECIPIENT: '0' };
const limited = (settings) => ({ settings: { ...off, ...settings } });

const perAccount = shared(limited({ PORTRESS_LIMITS_SIGNIN_PER_ACCOUNT: '5' }));
const proxied = { PORTRESS_TRUSTED_PROXIES: '127.0.0.1' };
const perClient = shared(limited({ PORTRESS_LIMITS_SIGNIN_PER_CLIENT: '10', ...proxied }));

const generic = 'No user found with that email, or password invalid.';
const tooMany = 'Rate limit exceeded';
const guess = (here, who, headers) => here.login({ ...who, password: randomBytes(6).toString('hex') }, { headers });

async function guessUntilRefused(here, who, most = 30) {
	for (let n = 0; n < most; n++) {
		const answer = await guess(here, who);

		if (answer.status === 429)
			return { n, answer };
		declines(answer, 'invalid_grant', generic);
	}
	throw new Error(`nobody was refused in ${most} tries`);
}

attack('RL-01', 'whoever guesses is refused, with the right password too, and strangers\' names the same', async () => {
	const here = await perAccount();
	const who = await here.made();
	const { n, answer } = await guessUntilRefused(here, who);

	assert.equal(n, 5);
	const right = await here.login(who);

	refuses(right, 429, tooMany);
	assert.equal(right.text, answer.text);
	assert.ok(Number(right.headers['retry-after']) > 0);
	/* However it is spelt, it is one account. */
	refuses(await guess(here, { email: who.email.toUpperCase() }), 429, tooMany);
	refuses(await guess(here, { email: ` ${who.email}` }), 429, tooMany);
	const unknown = await guessUntilRefused(here, { email: address() });

	assert.equal(unknown.n, 5);
	assert.equal(unknown.answer.text, answer.text);
	await here.loggedIn(await here.made());
});

const spoofed = ['x-real-ip', 'forwarded', 'cf-connecting-ip', 'true-client-ip', 'sb-forwarded-for', 'x-client-ip', 'client-ip', 'x-forwarded-host', 'via',
	'x-originating-ip', 'x-forwarded', 'forwarded-for'];
const saying = (said) => Object.fromEntries(spoofed.map((name) => [name, name === 'forwarded' ? `for=${said}` : said]));

attack('RL-02', 'who says where he comes from is not believed', async () => {
	const here = await perAccount();
	const who = await here.made();
	let refused = 0;

	for (let n = 0; n < 100; n++) {
		const said = `198.51.100.${n}`;

		refused += (await guess(here, who, { ...saying(said), 'x-forwarded-for': said })).status === 429 ? 1 : 0;
	}
	assert.equal(refused, 95);
});

attack('RL-02', 'behind a proxy only what the proxy wrote is believed', async () => {
	const here = await perClient();
	let refused = 0;

	for (let n = 0; n < 100; n++) {
		const said = `198.51.100.${n}`;

		refused += (await guess(here, { email: address() }, { ...saying(said), 'x-forwarded-for': `${said}, 192.0.2.77` })).status === 429 ? 1 : 0;
	}
	assert.equal(refused, 90);
	assert.equal((await guess(here, { email: address() }, { 'x-forwarded-for': '192.0.2.77, 192.0.2.78' })).status, 400);
});

attack('RL-03', 'a network of one house is one asker, behind a proxy that is trusted', async () => {
	await within(limited({ PORTRESS_LIMITS_SIGNIN_PER_CLIENT: '10', ...proxied }), async (here) => {
		const from = (said) => guess(here, { email: address() }, { 'x-forwarded-for': said });
		const host = () => randomBytes(8).toString('hex').replace(/(.{4})(?=.)/g, '$1:');
		let refused = 0;

		for (let n = 0; n < 40; n++)
			refused += (await from(`2001:db8:0:7:${host()}`)).status === 429 ? 1 : 0;
		assert.equal(refused, 30);
		for (const said of ['2001:DB8:0:7::1', '2001:db8::7:0:0:0:9', '2001:0db8:0000:0007:ffff:ffff:ffff:ffff'])
			assert.equal((await from(said)).status, 429, said);
		assert.equal((await from('2001:db8:0:8::1')).status, 400);
		for (let n = 0; n < 12; n++)
			await from(n % 2 ? '192.0.2.1' : '::ffff:192.0.2.1');
		assert.equal((await from('192.0.2.1')).status, 429);
		assert.equal((await from('::ffff:192.0.2.1')).status, 429);
		assert.equal((await from('192.0.2.2')).status, 400);
		/* What was written by the asker stands before what the proxy wrote. */
		assert.equal((await from('203.0.113.9, 192.0.2.1')).status, 429);
		/* What is no address exempts nobody: it counts as the proxy's own. */
		for (let n = 0; n < 12; n++)
			await from('unknown, x');
		assert.equal((await from('garbage')).status, 429);
	});
});

attack('RL-05', 'one who signs in takes back nobody else\'s count', async () => {
	await within(limited({ PORTRESS_LIMITS_SIGNIN_PER_ACCOUNT: '5', PORTRESS_LIMITS_SIGNIN_PER_CLIENT: '12', ...proxied }), async (here) => {
		const from = { 'x-forwarded-for': '192.0.2.5' };
		const [mallory, ann] = [await here.made(), await here.made()];

		for (let n = 0; n < 4; n++)
			await guess(here, ann, from);
		await here.loggedIn(mallory, { headers: from });
		await here.loggedIn(mallory, { headers: from });
		declines(await guess(here, ann, from), 'invalid_grant', generic);
		refuses(await here.login(ann, { headers: from }), 429, tooMany);
		for (let n = 0; n < 6; n++)
			await guess(here, { email: address() }, from);
		refuses(await here.login(mallory, { headers: from }), 429, tooMany);
		await here.loggedIn(mallory, { headers: { 'x-forwarded-for': '192.0.2.6' } });
	});
});

attack('RL-06', 'a restart forgets nothing', async () => {
	await within(limited({ PORTRESS_LIMITS_SIGNIN_PER_ACCOUNT: '5' }), async (here) => {
		const who = await here.made();

		await guessUntilRefused(here, who);
		await here.server.kill();
		await here.server.start();
		refuses(await here.login(who), 429, tooMany);
		here.control.advance(3601);
		assert.equal((await here.login(who)).status, 200);
	});
});

const from = { headers: { 'x-forwarded-for': '192.0.2.9' } };

attack('RL-08', 'one asker signs up, asks for letters and for recovery so often and no more', async () => {
	await within(limited({ PORTRESS_LIMITS_MAIL_PER_CLIENT: '10', GOTRUE_SMTP_MAX_FREQUENCY: '1h', ...proxied }), async (here) => {
		const counts = {};

		for (const ask of [() => here.post('/signup', { email: address(), password: 'a quiet harbour' }, from), () => here.post('/recover', { email: address() }, from)])
			for (let n = 0; n < 12; n++) {
				const { status } = await ask();

				counts[status] = (counts[status] ?? 0) + 1;
			}
		assert.deepEqual(counts, { 200: 10, 429: 14 });
		assert.ok(here.mail.letters.length <= 10);
	});
});

attack('RL-08', 'where nobody has to confirm, signing up is counted all the same', async () => {
	await within(limited({ PORTRESS_LIMITS_MAIL_PER_CLIENT: '10', GOTRUE_MAILER_AUTOCONFIRM: 'true', ...proxied }), async (here) => {
		const answers = [];

		for (let n = 0; n < 14; n++)
			answers.push((await here.post('/signup', { email: address(), password: 'a quiet harbour' }, from)).status);
		assert.equal(answers.filter((status) => status === 200).length, 10);
		assert.equal(answers.filter((status) => status === 429).length, 4);
	});
});

attack('RL-10', 'Retry-After says when, and no spelling of the question is earlier', async () => {
	const here = await perAccount();
	const who = await here.made();
	const { answer } = await guessUntilRefused(here, who);
	const wait = Number(answer.headers['retry-after']);
	const form = { grant_type: 'password', username: who.email, password: who.password };

	assert.ok(wait > 0 && wait <= 3600, `Retry-After: ${wait}`);
	for (const [method, path, options] of [['POST', '/token?x=1', { form }], ['POST', '/token?grant_type=password', { form }],
		['POST', '/token', { multipart: form }], ['POST', '/token', { form, headers: { 'x-use-cookie': '1', 'x-http-method-override': 'GET' } }]])
		assert.equal((await here.ask(method, path, options)).status, 429, path);
	for (const [method, path] of [['POST', '/TOKEN'], ['POST', '/token/'], ['POST', '//token'], ['POST', '/%74oken/'], ['POST', '/token;x'], ['POST', '/./token'],
		['HEAD', '/token'], ['GET', '/token'], ['PUT', '/token']])
		assert.notEqual((await here.ask(method, path, method === 'HEAD' || method === 'GET' ? {} : { form })).status, 200, `${method} ${path}`);
	here.control.advance(wait);
	assert.equal((await here.login(who)).status, 200);
});

attack('RL-10', 'the header that GoTrue counts by counts by its value alone', async () => {
	await within(limited({ GOTRUE_RATE_LIMIT_HEADER: 'x-rate' }), async (here) => {
		const ask = (value, headers) => here.token({ grant_type: 'password', username: 'a@example.com', password: 'x' },
			{ headers: { ...(value === undefined ? {} : { 'x-rate': value }), ...headers } });
		const statuses = [];

		for (let n = 0; n < 31; n++)
			statuses.push((await ask('one', { 'x-forwarded-for': `198.51.100.${n}` })).status);
		assert.equal(statuses.filter((status) => status === 429).length, 1);
		assert.equal(statuses[30], 429);
		assert.equal((await ask('two')).status, 400);
		assert.equal((await ask('one', { 'x-real-ip': '198.51.100.77' })).status, 429);
	});
});
