/* Items 1 to 16: which page, which method, which format. */
import assert from 'node:assert/strict';
import http from 'node:http';

import { Client } from '../../support/client.mjs';
import * as html from '../../support/html.mjs';
import { item, looksInside, refuses, says, shared, tells, within } from '../../support/item.mjs';
import { person } from '../../support/world.mjs';

const site = shared();

const endpoints = ['/signup', '/signin', '/signout', '/forgot', '/reset', '/verify', '/me', '/refresh'];
const usernameRule = 'Username must be 3-20 characters long and contain only letters, numbers, and underscores';

/* Titles may be followed by the name of the application. */
function assertTitle(answer, words) {
	assert.match(answer.title, new RegExp(`^${words}( - .+)?$`));
}

function assertPage(answer, status) {
	assert.equal(answer.status, status, answer.text);
	assert.equal(answer.type, 'text/html');
	assert.match(answer.text, /^<!doctype html>/i);
}

item(1, 'GET / as a browser shows Home', async () => {
	const answer = await (await site()).browser().get('/');

	assertPage(answer, 200);
	assertTitle(answer, 'Home');
	assert.equal(html.heading(answer.text), 'Welcome');
	assert.ok(html.text(answer.text).includes('You are not signed in.'), html.text(answer.text));
	for (const path of endpoints.filter((one) => one !== '/refresh'))
		assert.ok(html.links(answer.text).includes(path), `no link to ${path}`);
});

item(2, 'GET /home as a program lists the eight endpoints', async () => {
	const w = await site();
	const empty = { Endpoints: endpoints, SignedIn: false, Username: '' };

	says(await w.client().get('/home'), 200, 'Home', empty);
	says(await w.client().get('/'), 200, 'Home', empty);
});

const pages = [
	{ path: '/signup', title: 'Sign Up', links: ['/signin'],
		fields: { username: 'text', email: 'email', password: 'password' } },
	{ path: '/signin', title: 'Sign In', links: ['/signup', '/forgot'],
		fields: { username: 'text', password: 'password' } },
	{ path: '/forgot', title: 'Forgot Password', links: ['/signin'], fields: { email: 'email' } },
	{ path: '/reset', title: 'Reset Password', links: ['/signin'],
		fields: { token: 'hidden', new_password: 'password' } },
];

item(3, 'GET /signup, /signin, /forgot and /reset as a browser show their pages', async () => {
	const w = await site();

	for (const page of pages) {
		const answer = await w.browser().get(page.path);

		assertPage(answer, 200);
		assertTitle(answer, page.title);
		assert.equal(html.heading(answer.text), page.title);
		const form = html.form(answer.text, page.path);

		assert.equal(form.method, 'post');
		for (const [name, type] of Object.entries(page.fields))
			assert.equal(html.input(form, name)?.type, type, `${name} on ${page.path}`);
		for (const link of page.links)
			assert.ok(html.links(answer.text).some((one) => one.split('?')[0] === link), `${page.path} to ${link}`);
	}
});

item(4, 'An unknown path is 404; profile g1 shows home, profile g2 has no /', looksInside, async () => {
	const w = await site();

	says(await w.client().get('/nowhere'), 404, '404 page not found');
	assertPage(await w.browser().get('/nowhere'), 404);
	await within({ settings: { IDENTORO_PROFILE: 'g1' } }, async (g1) => {
		const answer = await g1.browser().get('/nowhere');

		assertPage(answer, 200);
		assertTitle(answer, 'Home');
	});
	await within({ settings: { IDENTORO_PROFILE: 'g2' } }, async (g2) => {
		assert.equal((await g2.client().get('/')).status, 404);
		assert.equal((await g2.client().get('/home')).status, 200);
	});
});

item(5, 'Profile g2 answers GET /signup with 405 Method not allowed', looksInside, async () => {
	await within({ settings: { IDENTORO_PROFILE: 'g2' } }, async (g2) => {
		for (const path of ['/signup', '/signin', '/forgot', '/reset']) {
			const answer = await g2.browser().get(path);

			tells(answer, 405, 'Method not allowed');
			assert.match(answer.headers.allow, /\bPOST\b/);
			assert.doesNotMatch(answer.headers.allow, /\bGET\b/);
		}
	});
	assertPage(await (await site()).browser().get('/signup'), 200);
});

item(6, 'PUT /signup is 405 with Allow, and 403 without a CSRF token', looksInside, async () => {
	const client = (await site()).client();
	const answer = await client.post('/signup', person(), { method: 'PUT' });

	says(answer, 405, 'Method not allowed');
	assert.deepEqual(answer.headers.allow.split(/,\s*/).sort(), ['GET', 'HEAD', 'OPTIONS', 'POST']);
	assert.equal((await client.post('/signup', person(), { method: 'PUT', csrf: false })).status, 403);

	const asked = await client.request('OPTIONS', '/signup');

	assert.equal(asked.status, 204);
	assert.equal(asked.headers.allow, answer.headers.allow);
});

/* One answer of each kind that the surface gives. */
async function answersOfEveryKind(w) {
	const client = w.client();
	const browser = w.browser();

	return {
		home: await browser.get('/'),
		page: await browser.get('/signin'),
		json: await client.get('/home'),
		created: await client.post('/signup', person()),
		moved: await browser.submit('/forgot', { email: 'nobody@example.com' }),
		'bad field': await client.post('/signup', person({ username: 'ab' })),
		'bad page': await browser.submit('/signup', person({ username: 'ab' })),
		'no token': await client.post('/signin', {}, { csrf: false }),
		'not signed in': await client.get('/me'),
		unknown: await client.get('/nowhere'),
		'unknown page': await browser.get('/nowhere'),
		'too large': await client.post('/signin', { username: 'x'.repeat(70000), password: 'x' }),
		method: await client.post('/signin', {}, { method: 'DELETE' }),
		'signed out': await browser.get('/signout'),
		health: await client.get('/healthz'),
	};
}

item(7, 'Every response carries the security headers', async () => {
	for (const [kind, answer] of Object.entries(await answersOfEveryKind(await site()))) {
		assert.equal(answer.headers['x-frame-options'], 'DENY', kind);
		assert.equal(answer.headers['x-content-type-options'], 'nosniff', kind);
		assert.match(answer.headers['content-security-policy'] ?? '', /default-src '(none|self)'/, kind);
	}
});

item(7, 'Every response keeps to the stricter headers of our own', looksInside, async () => {
	const answers = await answersOfEveryKind(await site());

	for (const [kind, answer] of Object.entries(answers)) {
		const policy = answer.headers['content-security-policy'];

		const rules = ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'",
			...(answer.type === 'text/html' ? ["form-action 'self'"] : [])];

		for (const rule of rules)
			assert.ok(policy?.includes(rule), `${kind}: ${policy}`);
		assert.doesNotMatch(policy, /unsafe/, kind);
		assert.equal(answer.headers['x-xss-protection'], '0', kind);
		assert.equal(answer.headers['referrer-policy'], 'same-origin', kind);
		assert.match(answer.headers['cache-control'] ?? '', /no-store/, kind);
		assert.equal(answer.headers['strict-transport-security'], undefined, kind);
	}
	for (const kind of ['home', 'json', 'created', 'bad field', 'unknown'])
		for (const name of ['Accept', 'Content-Type', 'Cookie'])
			assert.ok(answers[kind].headers.vary?.toLowerCase().includes(name.toLowerCase()), `${kind}: Vary ${name}`);
});

item(8, 'The body of every JSON error says its own status', async () => {
	const w = await site();
	const client = w.client();
	const errors = [
		await client.post('/signup', person({ username: 'ab' })),
		await client.post('/signin', {}, { csrf: false }),
		await client.post('/signin', { username: person().username, password: 'wrong password' }),
		await client.post('/forgot', { email: 'x' }),
		await client.post('/reset', { token: 'x', new_password: 'long enough' }),
		await client.get('/verify?token=x'),
		await client.get('/me'),
		await client.get('/nowhere'),
		await client.post('/signin', {}, { method: 'DELETE' }),
		await client.post('/signin', undefined, { body: 'x'.repeat(70000), type: 'application/json' }),
		await client.post('/refresh', { refresh_token: 'x' }),
	];

	assert.deepEqual(errors.map((one) => one.status), [400, 403, 401, 400, 400, 400, 401, 404, 405, 413, 401]);
	for (const answer of errors) {
		assert.equal(answer.json.status, answer.status);
		assert.equal(typeof answer.json.message, 'string');
		assert.notEqual(answer.json.message, '');
		assert.deepEqual(Object.keys(answer.json), ['data', 'message', 'status']);
		assert.ok(answer.text.endsWith('}\n') && answer.text.indexOf('\n') === answer.text.length - 1);
	}
});

item(9, 'A JSON 303 has no Location', async () => {
	const w = await site();
	const client = w.client();
	const who = person();

	for (const answer of [await client.post('/signup', who), await client.post('/forgot', { email: who.email }),
		await client.post('/resend', { email: who.email })]) {
		assert.equal(answer.status, 303);
		assert.equal(answer.json.status, 303);
		assert.equal(answer.location, undefined);
	}
});

item(10, 'A browser 303 has Location and no JSON body', async () => {
	const browser = (await site()).browser();
	const who = person();

	for (const answer of [await browser.submit('/signup', who), await browser.submit('/forgot', { email: who.email })]) {
		assert.equal(answer.status, 303);
		assert.equal(answer.location, '/signin');
		assert.notEqual(answer.type, 'application/json');
		assert.throws(() => answer.json);
	}
});

item(11, 'application/json with parameters gets JSON', async () => {
	const client = (await site()).client({ accept: 'text/html' });

	for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/json;charset="utf-8"'])
		refuses(await client.post('/signup', person({ username: 'ab' }), { type }), 'username', usernameRule);
	assert.equal((await client.post('/signup', undefined, { form: person({ username: 'ab' }) })).type, 'text/html');
});

item(12, 'The Accept of a browser gets HTML', async () => {
	const client = (await site()).client({ accept: 'text/html,application/xhtml+xml,*/*;q=0.8' });

	assertPage(await client.get('/signin'), 200);
	assertPage(await client.post('/signup', undefined, { form: person({ username: 'ab' }) }), 400);
	assert.equal((await client.get('/signin', { headers: { accept: 'application/json, text/html;q=0.9' } })).status, 200);
	assert.equal((await client.get('/home', { headers: { accept: 'application/json, text/html;q=0.9' } })).type,
		'application/json');
	assert.equal((await client.get('/home', { headers: { accept: 'text/html;q=0, */*' } })).type, 'application/json');
});

item(13, 'Accept */* gets JSON from POST and a page from GET /signin', async () => {
	const client = (await site()).client({ accept: '*/*' });

	refuses(await client.post('/signup', undefined, { form: person({ username: 'ab' }) }), 'username', usernameRule);
	for (const path of ['/', '/signup', '/signin', '/forgot', '/reset'])
		assertPage(await client.get(path), 200);
	assert.equal((await client.get('/me')).type, 'application/json');
	assert.equal((await client.get('/signin', { headers: { accept: undefined } })).type, 'text/html');
});

item(13, 'Fetch metadata and X-Requested-With tell a script from a person', looksInside, async () => {
	const client = (await site()).client({ accept: '*/*' });
	const typeOf = async (path, headers) => (await client.get(path, { headers })).type;

	assert.equal(await typeOf('/home', { 'sec-fetch-mode': 'navigate' }), 'text/html');
	assert.equal(await typeOf('/home', { 'sec-fetch-mode': 'cors' }), 'application/json');
	assert.equal(await typeOf('/', { 'sec-fetch-mode': 'cors' }), 'application/json');
	assert.equal(await typeOf('/', { 'x-requested-with': 'XMLHttpRequest' }), 'application/json');
	assert.equal(await typeOf('/home', { accept: 'text/html', 'sec-fetch-mode': 'cors' }), 'text/html');
});

item(14, 'The same fields work urlencoded, multipart and as JSON', async () => {
	const client = (await site()).client();

	for (const encoding of ['form', 'multipart', 'json']) {
		const send = (fields) => client.post('/signup', undefined, { [encoding]: fields });

		refuses(await send(person({ username: 'ab' })), 'username', usernameRule);
		says(await send(person({ firstname: 'Zoë', lastname: 'O’Neil & Söhne = 100%' })), 303,
			'Signup successful, please verify your email');
	}
});

item(14, 'Of a field said twice the first counts in forms; in JSON it is refused', looksInside, async () => {
	const client = (await site()).client();
	const { email, password, username } = person();
	const rest = new URLSearchParams({ email, password });
	const send = (body, type) => client.post('/signup', undefined, { body, type });
	const form = 'application/x-www-form-urlencoded';

	refuses(await send(`username=ab&username=${username}&${rest}`, form), 'username', usernameRule);
	says(await send(JSON.stringify({ email, password }).replace('{', `{"username":"${username}","username":"${username}",`),
		'application/json'), 400, 'Invalid input');
	says(await send(`username=${username}&username=ab&${rest}`, form), 303,
		'Signup successful, please verify your email');
});

item(15, 'A body over 64 KiB is 413', async () => {
	const client = (await site()).client();
	const fill = (size) => ({ ...person(), padding: 'x'.repeat(size) });

	for (const encoding of ['form', 'multipart', 'json']) {
		assert.equal((await client.post('/signup', undefined, { [encoding]: fill(65536) })).status, 413, encoding);
		assert.notEqual((await client.post('/signup', undefined, { [encoding]: fill(3000) })).status, 413, encoding);
	}
});

item(15, 'A body that is no object of strings is 400 Invalid input', looksInside, async () => {
	const client = (await site()).client();
	const who = person();
	const send = (body, type = 'application/json') => client.post('/signup', undefined, { body, type });
	const good = JSON.stringify(who);

	for (const body of ['[]', `[${good}]`, '"text"', 'null', '{', good + good, good.replace('{', '{"firstname":5,'),
		good.replace('{', '{"firstname":null,'), good.replace('{', '{"firstname":{},'),
		good.replace('{', '{"firstname":"a\\u0000b",'), good.replace('{', '{"firstname":"\\ud800",')])
		tells(await send(body), 400, 'Invalid input');
	const form = new URLSearchParams(who).toString();

	for (const spoilt of ['&firstname=a%00b', '&firstname=%ff%fe', `&firstname=${'x'.repeat(4097)}`])
		tells(await send(form + spoilt, 'application/x-www-form-urlencoded'), 400, 'Invalid input');
	says(await send(good), 303, 'Signup successful, please verify your email');
});

/* Node's own client hides a body that should not be there, so read the socket. */
function rawHead(w, path) {
	const { hostname, port } = new URL(w.connect);

	return new Promise((done, fail) => {
		const request = http.request({ host: hostname, port, path, method: 'HEAD', agent: false,
			headers: { accept: 'text/html', host: new URL(w.base).host, connection: 'close' } });
		let bytes = '';

		request.on('socket', (socket) => socket.prependListener('data', (chunk) => { bytes += chunk; }));
		request.on('response', (message) => { message.resume(); message.on('close', () => done({ message, bytes })); });
		request.on('error', fail);
		request.end();
	});
}

item(16, 'HEAD /signin is 200 without a body', async () => {
	const w = await site();
	const { message, bytes } = await rawHead(w, `${new Client({ base: w.base }).prefix}/signin`);

	assert.equal(message.statusCode, 200);
	assert.match(message.headers['content-type'], /^text\/html/);
	assert.ok(bytes.endsWith('\r\n\r\n'), 'something follows the header block');
});
