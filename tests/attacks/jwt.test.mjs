/*
 * Access tokens that somebody else made, changed, borrowed or grew.
 */
import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign as signWith } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after } from 'node:test';

import { attack } from '../support/attack.mjs';
import { decode, inAnHour, many, openSite, refuses, shared, sign } from '../support/gotrue.mjs';
import { until } from '../support/settings.mjs';

const site = shared();
const sites = shared(many());

const base64url = (value) => Buffer.from(typeof value === 'object' && !Buffer.isBuffer(value) ? JSON.stringify(value) : value).toString('base64url');

async function member(here, fields, options) {
	return here.loggedIn(await here.made(fields), options);
}

const ask = (here, token) => here.get('/user', { bearer: token });

async function assertRefused(here, token, what) {
	const answer = await ask(here, token);

	assert.equal(answer.status, 401, `${what ?? token}: ${answer.status} ${answer.text}`);
	refuses(answer, 401, 'Invalid token:');
	assert.ok(answer.milliseconds < 2000);
}

async function assertGood(here, token, what) {
	const answer = await ask(here, token);

	assert.equal(answer.status, 200, `${what ?? token}: ${answer.text}`);
}

/* ---- a site whose tokens are signed by keys of all kinds ---- */

const kinds = {
	ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
	RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
	EdDSA: () => generateKeyPairSync('ed25519'),
};
const keys = Object.fromEntries(Object.entries(kinds).map(([alg, make]) => [alg, { ...make(), kid: `${alg}-key` }]));

const jwkOf = (alg, status) => ({ ...keys[alg].privateKey.export({ format: 'jwk' }), kid: keys[alg].kid, alg, use: 'sig', ...status });

const signature = { ES256: (text) => signWith('sha256', text, { key: keys.ES256.privateKey, dsaEncoding: 'ieee-p1363' }),
	RS256: (text) => signWith('sha256', text, keys.RS256.privateKey), EdDSA: (text) => signWith(null, text, keys.EdDSA.privateKey) };

function signed(alg, claims, header = {}) {
	const text = `${base64url({ alg, kid: keys[alg].kid, typ: 'JWT', ...header })}.${base64url(claims)}`;

	return `${text}.${signature[alg](Buffer.from(text)).toString('base64url')}`;
}

let opening = null;

/* The keys are there before the server starts. */
function keyed() {
	opening ??= openSite({ start: false }).then(async (here) => {
		const file = join(here.folder, 'keys.json');
		const until = inAnHour() + 86400;

		writeFileSync(file, JSON.stringify({ keys: [jwkOf('ES256', { status: 'current' }), jwkOf('RS256', { status: 'retired', until }),
			jwkOf('EdDSA', { status: 'retired', until })] }), { mode: 0o600 });
		here.server.settings.PORTRESS_KEYS_SIGNING = file;
		await here.server.start();
		return here;
	});
	return opening;
}

after(async () => (await opening?.catch(() => null))?.close());

/* ---- keys that are turned over ---- */

attack('JWT-12', 'a key that is retired judges until its time, and a stolen one no more', async () => {
	const here = await openSite({ start: false });
	const file = join(here.folder, 'keys.json');
	const write = (list) => writeFileSync(file, JSON.stringify({ keys: list }), { mode: 0o600 });
	const listed = async () => (await here.get('/.well-known/jwks.json')).json.keys.map(({ kid }) => kid).sort();
	const turn = async (list) => {
		write(list);
		process.kill(here.server.pid, 'SIGHUP');
		await until('the public list', async () => (await listed()).length === list.length);
	};

	try {
		write([jwkOf('ES256', { status: 'current' })]);
		here.server.settings.PORTRESS_KEYS_SIGNING = file;
		await here.server.start();
		const who = await member(here);

		assert.equal(decode(who.access_token)[0].kid, keys.ES256.kid);
		await turn([jwkOf('EdDSA', { status: 'current' }), jwkOf('ES256', { status: 'retired', until: inAnHour() })]);
		const now = await here.loggedIn(who);

		assert.equal(decode(now.access_token)[0].kid, keys.EdDSA.kid);
		for (let n = 0; n < 2; n++) {
			await assertGood(here, who.access_token);
			await assertGood(here, now.access_token);
			assert.deepEqual(await listed(), [keys.ES256.kid, keys.EdDSA.kid].sort());
			await here.server.restart();
		}
		await turn([jwkOf('EdDSA', { status: 'current' })]);
		await assertRefused(here, who.access_token);
		await assertGood(here, now.access_token);
		/* Who is signed in stays so: refresh tokens hang on no key. */
		assert.equal((await here.refresh(who.refresh_token)).status, 200);
		assert.ok(!/"(d|p|q|dp|dq|qi|k)":/.test((await here.get('/.well-known/jwks.json')).text));
	} finally {
		await here.close();
	}
});

/* ---- which algorithm ---- */

attack('JWT-01', 'an algorithm of nothing opens nothing', async () => {
	const here = await site();
	const who = await member(here);
	const [head, claims] = decode(who.access_token);
	const mac = who.access_token.split('.')[2];

	for (const alg of ['none', 'None', 'NONE', 'nOnE', '', undefined, null, 'HS384', 'hs256', ['HS256'], 0])
		for (const end of ['', 'AAAA', mac])
			await assertRefused(here, `${base64url({ ...head, alg })}.${base64url(claims)}.${end}`);
	for (const token of [`${base64url({ alg: 'none' })}.${base64url(claims)}`, 'x', '.', '..', '...', who.access_token.slice(0, -1)])
		await assertRefused(here, token);
	await assertGood(here, sign(claims, here.secret, head));
});

attack('JWT-02', 'what is public of a key is no secret to sign with', async () => {
	const here = await keyed();
	const who = await member(here);
	const [, claims] = decode(who.access_token);
	const { body } = await here.get('/.well-known/jwks.json');

	assert.ok(!/"(d|p|q|dp|dq|qi|k)":/.test(body), 'private members in the public list');
	for (const alg of Object.keys(keys)) {
		const shown = keys[alg].publicKey;
		const jwk = shown.export({ format: 'jwk' });
		const texts = [shown.export({ format: 'pem', type: 'spki' }), shown.export({ format: 'pem', type: 'spki' }).trim(),
			shown.export({ format: 'der', type: 'spki' }), jwk.n, jwk.x, JSON.stringify(jwk), '',
			...[jwk.n, jwk.x].filter(Boolean).map((text) => Buffer.from(text, 'base64url'))].filter((text) => text !== undefined);

		for (const secret of texts)
			for (const kid of [keys[alg].kid, 'nf-ident', undefined]) {
				const text = `${base64url({ alg: 'HS256', kid, typ: 'JWT' })}.${base64url(claims)}`;

				await assertRefused(here, `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`);
			}
		await assertGood(here, signed(alg, claims), alg);
	}
});

attack('JWT-02', 'a key judges its own algorithm alone', async () => {
	const here = await keyed();
	const [, claims] = decode((await member(here)).access_token);

	for (const alg of Object.keys(keys))
		for (const other of ['HS256', 'ES256', 'RS256', 'EdDSA', 'ES384', 'PS256', 'RS1', 'none'].filter((name) => name !== alg))
			await assertRefused(here, signed(alg, claims, { alg: other }), `${alg} as ${other}`);
	for (const alg of Object.keys(keys))
		await assertRefused(here, signed(alg, claims, { kid: keys[alg === 'ES256' ? 'RS256' : 'ES256'].kid }), `${alg} under another's name`);
});

/* ---- which key ---- */

attack('JWT-03', 'a key is found by its name in memory and nowhere else', async () => {
	for (const here of [await site(), await keyed()]) {
		const [, claims] = decode((await member(here)).access_token);
		const kids = ['../../dev/null', '/dev/null', '/proc/self/environ', "' OR 1=1--", 'x'.repeat(10240), '\u0000\u0001\u00ff', 'nf-ident nf-ident',
			'%00', 7, ['nf-ident'], {}, true];

		for (const kid of kids) {
			const header = { alg: 'HS256', kid, typ: 'JWT' };

			await assertRefused(here, sign(claims, '', header), 'the empty key');
			await assertRefused(here, sign(claims, '\0', header), 'a key of nothing');
			if (here === await keyed())
				await assertRefused(here, signed('ES256', claims, { kid }), `kid ${kid}`);
		}
		const twice = `{"alg":"HS256","kid":"nf-ident","kid":"nf-ident","typ":"JWT"}`;

		await assertRefused(here, sign(claims, here.secret, twice), 'a name twice');
		assert.equal((await here.get('/health')).status, 200);
	}
});

attack('JWT-04', 'a key that the token brings along is not looked at', async () => {
	const here = await keyed();
	const [, claims] = decode((await member(here)).access_token);
	let connections = 0;
	const trap = net.createServer((socket) => { connections += 1; socket.destroy(); }).listen(0, '127.0.0.1');

	await once(trap, 'listening');
	const url = `http://127.0.0.1:${trap.address().port}/keys.json`;
	const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
	const jwk = stranger.publicKey.export({ format: 'jwk' });

	for (const more of [{ jku: url }, { x5u: url }, { jwk }, { x5c: ['MIIB'] }, { crit: ['exp'], exp: 1 }, { jwk, kid: undefined }]) {
		const text = `${base64url({ alg: 'ES256', kid: keys.ES256.kid, typ: 'JWT', ...more })}.${base64url(claims)}`;
		const mac = signWith('sha256', Buffer.from(text), { key: stranger.privateKey, dsaEncoding: 'ieee-p1363' });

		await assertRefused(here, `${text}.${mac.toString('base64url')}`, JSON.stringify(more));
	}
	await assertRefused(here, signed('ES256', claims, { crit: ['b64'], b64: true }), 'crit');
	trap.close();
	assert.equal(connections, 0);
	await assertGood(here, signed('ES256', claims));
});

/* ---- how it is written ---- */

attack('JWT-05', 'a signature has one spelling', async () => {
	const here = await keyed();
	const [, claims] = decode((await member(here)).access_token);
	const token = signed('ES256', claims);
	const [head, body, mac] = token.split('.');
	const raw = Buffer.from(mac, 'base64url');
	const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
	const s = BigInt(`0x${raw.subarray(32).toString('hex')}`);
	const otherS = Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex');
	const der = signWith('sha256', Buffer.from(`${head}.${body}`), keys.ES256.privateKey);
	const wrong = [Buffer.alloc(64), Buffer.concat([raw.subarray(0, 32), Buffer.alloc(32)]), Buffer.concat([Buffer.alloc(32), raw.subarray(32)]),
		raw.subarray(0, 63), Buffer.concat([raw, Buffer.alloc(1)]), der, Buffer.alloc(64, 0xff),
		Buffer.concat([raw.subarray(0, 32), Buffer.from(order.toString(16), 'hex')])];

	for (const bytes of wrong)
		await assertRefused(here, `${head}.${body}.${bytes.toString('base64url')}`);
	/* Both halves of s are ECDSA's own; a token is not told apart by its bytes here. */
	await assertGood(here, `${head}.${body}.${Buffer.concat([raw.subarray(0, 32), otherS]).toString('base64url')}`);
	await assertGood(here, token);
});

attack('JWT-05', 'base64url has one spelling', async () => {
	const here = await site();
	const [header, claims] = decode((await member(here)).access_token);
	const token = sign({ ...claims, note: '\u00fb\u00ff\u00fe>>>???' }, here.secret, header);
	const [head, body, mac] = token.split('.');
	const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
	const last = alphabet[alphabet.indexOf(mac.at(-1)) ^ 1];

	await assertGood(here, token);
	for (const end of [`${mac}=`, `${mac}==`, `${mac.slice(0, -1)}${last}`, mac.replace(/[-_]/, '+'), `${mac}A`, `${mac}%3D`]) {
		if (end !== mac)
			await assertRefused(here, `${head}.${body}.${end}`);
	}
	for (const first of [`${head}=`, `${head}==`, head.slice(0, -1)])
		await assertRefused(here, `${first}.${body}.${mac}`);
	assert.equal((await here.get('/user', { headers: { authorization: `Bearer ${head}. ${body}.${mac}` } })).status, 401);
});

/* ---- when ---- */

attack('JWT-06', 'dates are whole seconds that are here', async () => {
	const here = await site();
	const [head, claims] = decode((await member(here)).access_token);
	const now = Math.floor(Date.now() / 1000);
	const text = JSON.stringify({ ...claims, exp: 'EXP' });
	const spelt = (exp) => sign(text.replace('"EXP"', exp), here.secret, head);

	for (const exp of [String(now - 31), String(now - 1), '0', '-1', '"1893456000"', '1893456000.5', '9223372036854775808', '1e308',
		'1e999', 'null', 'true', '[1893456000]', '{}', '99999999999999999999', '0x7fffffff', '""'])
		await assertRefused(here, spelt(exp), `exp ${exp}`);
	const { exp, ...without } = claims;

	await assertRefused(here, sign(without, here.secret, head), 'no exp');
	await assertRefused(here, sign(text.replace('"exp":"EXP"', `"exp":${now - 5},"exp":${exp}`), here.secret, head), 'exp twice');
	for (const more of [{ nbf: now + 31 }, { iat: now + 3600 }, { nbf: 'soon' }, { iat: 1e300 }, { nbf: now + 0.5 + 3600 }])
		await assertRefused(here, sign({ ...claims, ...more }, here.secret, head), JSON.stringify(more));
	await assertGood(here, spelt(String(now + 60)));
	await assertGood(here, sign({ ...claims, nbf: now - 5, iat: now - 5 }, here.secret, head));
});

/* ---- whose, and where ---- */

attack('JWT-07', 'an audience is one text, and the one that is asked for', async () => {
	const here = await site();
	const [head, claims] = decode((await member(here)).access_token);

	for (const aud of [['', 'elsewhere'], [], 7, {}, true])
		await assertRefused(here, sign({ ...claims, aud }, here.secret, head), `aud ${JSON.stringify(aud)}`);
	refuses(await here.get('/user', { bearer: sign(claims, here.secret, head), headers: { 'x-jwt-aud': 'elsewhere' } }), 400,
		"Token audience doesn't match request audience");
	await assertGood(here, sign(claims, here.secret, head));
});

attack('JWT-08', 'a token of one site opens nothing at another', async () => {
	const here = await sites();
	const a = await here.instance({ mailer: { autoconfirm: true } });
	const b = await here.instance({ mailer: { autoconfirm: true } });
	const twin = await here.instance({ mailer: { autoconfirm: true }, jwt: { secret: a.secret } });
	const who = await here.loggedIn(await here.signedUp({}, a.options), a.options);
	const at = (there, method, path, json) => here.ask(method, path, { ...there.options, json, bearer: who.access_token });

	assert.equal((await at(a, 'GET', '/user')).status, 200);
	assert.equal((await at(b, 'GET', '/user')).status, 401);
	/* The very same secret: the account is still another site's. */
	refuses(await at(twin, 'GET', '/user'), 404, 'User not found');
	refuses(await at(twin, 'PUT', '/user', { data: { x: 1 } }), 404, 'User not found');
	refuses(await at(twin, 'POST', '/logout'), 401, 'Invalid user');
	assert.equal((await at(twin, 'GET', '/admin/users')).status, 401);
	assert.equal((await here.refresh(who.refresh_token, b.options)).status, 400);
	assert.equal((await here.refresh(who.refresh_token, a.options)).status, 200);
});

attack('JWT-09', 'a bearer is one word after one word', async () => {
	const here = await site();
	const { access_token: token } = await member(here);
	const asked = async (authorization) => here.get('/user', { headers: { authorization } });

	for (const value of [`Bearer  ${token}`, 'Bearer', 'Bearer ', `Bearer ${token} y`, `Basic ${token}`, `BEARER ${token}`, `bEARER ${token}`, token,
		`Bearer\t${token}`, `Bearer ${token},Bearer ${token}`, `Token ${token}`, 'Bearer x y', `xBearer ${token}`])
		assert.equal((await asked(value)).status, 401, value.slice(0, 30));
	for (const value of [`Bearer ${token}`, `bearer ${token}`])
		assert.equal((await asked(value)).status, 200, value.slice(0, 10));
	const two = await asked([`Bearer ${token}`, `Bearer ${token}`]);

	assert.equal(two.status, 400, 'two headers');
	const large = await asked(`Bearer ${'x'.repeat(15 * 1024)}`);

	assert.ok([400, 401, 431].includes(large.status), `16 KiB: ${large.status}`);
	assert.equal((await here.get(`/user?access_token=${token}`)).status, 401);
	assert.equal((await here.get('/user', { headers: { cookie: `nf_jwt=${token}` } })).status, 401);
});

/* ---- what grows in it ---- */

const forged = { sub: '0', role: 'admin', aud: 'elsewhere', exp: 4102444800, iss: 'us', amr: ['mfa'], is_super_admin: true, email: 'eve@example.com',
	'https://hasura.io/jwt/claims': { 'x-hasura-role': 'admin' }, '","role":"admin': '","role":"admin', roles: ['admin'] };

attack('JWT-10', 'what somebody says of himself stays where he says it', async () => {
	const here = await site();
	const who = await member(here, {});
	const changed = await here.put('/user', { data: forged }, { bearer: who.access_token });

	assert.equal(changed.status, 200, changed.text);
	const [, claims] = decode((await here.loggedIn(who)).access_token);

	assert.deepEqual(Object.keys(claims).filter((name) => !['exp', 'sub', 'email', 'app_metadata', 'user_metadata', 'iat', 'jti', 'sid'].includes(name)), []);
	assert.equal(claims.sub, who.id);
	assert.equal(claims.email, who.email);
	assert.ok(Math.abs(claims.exp - Date.now() / 1000 - 3600) < 5);
	assert.deepEqual(claims.app_metadata, { provider: 'email' });
	assert.deepEqual(claims.user_metadata, forged);
	assert.equal((await here.get('/admin/users', { bearer: (await here.loggedIn(who)).access_token })).status, 401);
});

attack('JWT-11', 'metadata stays small, and so do tokens and cookies', async () => {
	const here = await site();
	const who = await member(here);
	const put = (data) => here.put('/user', { data }, { bearer: who.access_token });

	refuses(await put({ text: 'x'.repeat(15 * 1024) }), 422, 'Metadata must be an object that is not too large');
	assert.equal((await put({ text: 'x'.repeat(4000) })).status, 200);
	await here.operator('PUT', `/admin/users/${who.id}`, { app_metadata: { text: 'y'.repeat(4000) } });
	const answer = await here.login(who, { headers: { 'x-use-cookie': '1' } });

	assert.equal(answer.status, 200);
	for (const line of answer.headers['set-cookie'] ?? [])
		assert.ok(line.split(';')[0].length <= 4096, `a cookie of ${line.length} bytes`);
	await assertGood(here, answer.json.access_token);
	const small = await here.login(await here.made(), { headers: { 'x-use-cookie': '1' } });

	assert.equal(small.cookie('nf_jwt').value, small.json.access_token);
});
