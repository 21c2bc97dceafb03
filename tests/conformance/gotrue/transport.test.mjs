/*
 * What every answer of the dialect looks like, and what never reaches a handler.
 */
import assert from 'node:assert/strict';

import { item, looksInside, many, refuses, shared, within } from '../../support/gotrue.mjs';

const site = shared();

const preflight = (method, headers, origin = 'https://app.example') => ({ headers: { origin,
	'access-control-request-method': method, 'access-control-request-headers': headers } });

item(1, 'health says who it is', async () => {
	const answer = await (await site()).get('/health');

	assert.equal(answer.status, 200);
	assert.deepEqual(Object.keys(answer.json).sort(), ['description', 'name', 'version']);
	assert.equal(answer.json.name, 'GoTrue');
});

item(2, 'among many sites health is everybody\'s', looksInside, async () => {
	await within(many(), async (here) => {
		const answer = await here.get('/health');

		assert.equal(answer.status, 200);
		assert.equal(answer.json.name, 'GoTrue');
		refuses(await here.get('/settings'), 400, 'Operator microservice headers missing');
	});
});

item(3, 'an unknown path is told in plain text', async () => {
	const answer = await (await site()).get('/nothing');

	assert.equal(answer.status, 404);
	assert.equal(answer.text, '404 page not found\n');
	assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
	assert.equal(answer.headers['x-content-type-options'], 'nosniff');
});

item(4, 'a wrong method is told which one is right', async () => {
	const answer = await (await site()).get('/verify');

	assert.equal(answer.status, 405);
	assert.equal(answer.text, '');
	assert.equal(answer.headers.allow, 'POST');
});

item(5, 'HEAD does not follow from GET', async () => {
	const here = await site();

	assert.equal((await here.ask('HEAD', '/settings')).status, 405);
	assert.equal((await here.get('/settings')).status, 200);
});

item(6, 'a trailing slash counts where it counts', async () => {
	const here = await site();

	assert.equal((await here.get('/settings/')).status, 404);
	assert.equal((await here.get('/token/')).status, 404);
	refuses(await here.get('/user/'), 401, 'This endpoint requires a Bearer token');
	assert.equal((await here.operator('GET', '/admin/users/')).status, 200);
});

item(7, 'a guard speaks before a path is known to be none', async () => {
	const here = await site();

	refuses(await here.get('/admin/nothing'), 401, 'This endpoint requires a Bearer token');
	assert.equal((await here.operator('GET', '/admin/nothing')).status, 404);
	refuses(await here.get('/user/nothing'), 401, 'This endpoint requires a Bearer token');
	refuses(await here.get('/callback/nothing'), 400, 'OAuth state parameter missing');
});

item(8, 'every JSON answer says that it is JSON', async () => {
	const here = await site();
	const answers = [await here.get('/settings'), await here.get('/health'), await here.get('/user'),
		await here.post('/signup', {}), await here.token({ grant_type: 'nothing' })];

	for (const answer of answers) {
		assert.equal(answer.headers['content-type'], 'application/json');
		assert.ok(!answer.text.endsWith('\n'));
	}
});

item(9, 'a refusal has exactly a code and a message', async () => {
	refuses(await (await site()).post('/signup', {}), 422, 'Signup requires a valid password');
});

item(10, 'trouble of ours carries the id of the request', looksInside, async () => {
	await within({ settings: { GOTRUE_API_REQUEST_ID_HEADER: 'X-Trace' } }, async (here) => {
		here.control.breakStore();
		const answer = await here.post('/recover', { email: 'ann@example.com' }, { headers: { 'x-trace': 'abc-123' } });

		here.control.mendStore();
		assert.ok(answer.status >= 500, answer.text);
		assert.deepEqual(Object.keys(answer.json), ['code', 'msg', 'error_id']);
		assert.equal(answer.json.error_id, 'abc-123');
		assert.equal(answer.headers['x-request-id'], 'abc-123');
	});
});

item(10, 'nobody names a request where that was not asked for', async () => {
	const here = await site();
	const names = ['x-trace', 'x-request-id', 'request-id'];
	const headers = Object.fromEntries(names.map((name) => [name, 'abc-123']));

	assert.match((await here.get('/settings', { headers })).headers['x-request-id'], /^[0-9a-f]{16}$/);
});

item(10, 'a name that could do harm is none', looksInside, async () => {
	await within({ settings: { GOTRUE_API_REQUEST_ID_HEADER: 'X-Trace' } }, async (here) => {
		for (const name of ['a b', 'a\tb', 'é', 'x'.repeat(129)])
			assert.match((await here.get('/settings', { headers: { 'x-trace': name } })).headers['x-request-id'],
				/^[0-9a-f]{16}$/);
	});
});

item(11, 'a browser may ask from elsewhere', async () => {
	const answer = await (await site()).ask('OPTIONS', '/token', preflight('POST', 'content-type,x-jwt-aud'));

	assert.equal(answer.status, 204);
	assert.equal(answer.text, '');
	assert.ok(['*', 'https://app.example'].includes(answer.headers['access-control-allow-origin']));
	assert.equal(answer.headers['access-control-allow-methods'], 'POST');
	assert.equal(answer.headers['access-control-allow-headers'], 'content-type,x-jwt-aud');
	assert.equal(answer.headers['access-control-max-age'], undefined);
});

item(12, 'the name that newer clients send is allowed', async () => {
	const answer = await (await site()).ask('OPTIONS', '/user', preflight('GET', 'authorization,x-nf-client'));

	assert.equal(answer.status, 204);
	assert.ok(answer.headers['access-control-allow-origin']);
	assert.equal(answer.headers['access-control-allow-headers'], 'authorization,x-nf-client');
});

item(13, 'a header or method that nobody needs is not allowed', async () => {
	const here = await site();

	for (const asked of [preflight('POST', 'content-type,x-evil'), preflight('PATCH', 'content-type')]) {
		const answer = await here.ask('OPTIONS', '/token', asked);

		assert.equal(answer.status, 204);
		assert.deepEqual(Object.keys(answer.headers).filter((name) => name.startsWith('access-control')), []);
	}
});

item(14, 'an answer from elsewhere shows its paging', async () => {
	const here = await site();
	const answer = await here.operator('GET', '/admin/users', undefined, { origin: 'https://app.example' });
	const plain = await here.operator('GET', '/admin/users');

	assert.match(answer.headers['access-control-expose-headers'], /Link/);
	assert.match(answer.headers['access-control-expose-headers'], /X-Total-Count/);
	assert.match(answer.headers.vary, /Origin/);
	assert.equal(plain.headers['access-control-allow-origin'], undefined);
	assert.match(plain.headers.vary, /Origin/);
});

item(15, 'bearer is spelled in two ways, not in three', async () => {
	const here = await site();
	const as = (scheme) => here.get('/admin/users', { headers: { authorization: `${scheme} ${here.operatorToken}` } });

	assert.equal((await as('Bearer')).status, 200);
	assert.equal((await as('bearer')).status, 200);
	refuses(await as('BEARER'), 401, 'This endpoint requires a Bearer token');
});

item(16, 'a body that is too large is refused unread', async () => {
	const here = await site();
	const large = { email: 'ann@example.com', password: 'x', data: { text: 'y'.repeat(1 << 20) } };

	assert.equal((await here.post('/signup', large)).status, 413);
});
