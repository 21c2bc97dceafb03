/*
 * Who is no administrator, or one of somewhere else, at every door that is theirs.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { attack } from '../support/attack.mjs';
import { address, inAnHour, many, randomUUID, refuses, shared, sign } from '../support/gotrue.mjs';

const nobody = '00000000-0000-0000-0000-000000000000';

const site = shared();
const sites = shared(many());
const exporting = shared({ settings: { GOTRUE_API_EXPORT_SECRET: 'the secret of exports' } });

const member = async (here, fields, headers) => here.loggedIn(await here.made(fields, headers), { headers });

/* ---- every route ---- */

/* The rows of the dialect's own table: a route that nobody thought of here is a route that fails. */
function routes() {
	const text = readFileSync(fileURLToPath(new URL('../../src/surface/gotrue/routes.c', import.meta.url)), 'utf8');
	const rows = [...text.matchAll(/^\t\{ HTTP_(\w+),\s+"([^"]+)",\s+(\w+),\s+(\w+),/gm)];

	return rows.map(([, method, path, handler, gates]) => ({ method, handler, gates, path: path.replace('[/]', '').replace('{id}', randomUUID()) }));
}

const open = ['health_show', 'settings_show', 'authorize_show', 'callback_show', 'gotrue_signup_post', 'recover_post', 'token_post', 'verify_post',
	'saml_acs_post', 'saml_metadata_show'];
const owners = ['logout_post', 'user_show', 'user_put'];
const operators = ['health_show', 'instances_post', 'instance_show', 'instance_put', 'instance_delete'];
const isAdmins = ({ gates }) => ['GATE_ADMIN', 'AB', 'AX'].includes(gates);

attack('ADM-01', 'each route says who may ask', async () => {
	const all = routes();

	assert.ok(all.length >= 26, `${all.length} routes`);
	for (const route of all) {
		if (isAdmins(route))
			assert.match(route.path, /^\/(admin|invite)/);
		else if (route.gates === 'GATE_BEARER')
			assert.ok(owners.includes(route.handler), route.handler);
		else if (route.gates === 'GATE_OPERATOR')
			assert.ok(operators.includes(route.handler), route.handler);
		else
			assert.ok(open.includes(route.handler), `${route.method} ${route.path} is open to everybody`);
	}
});

/* What nobody may administer with. */
async function strangersKeys(here) {
	const who = await member(here);
	const head = { alg: 'HS256', kid: 'nf-ident', typ: 'JWT' };
	const claims = { sub: nobody, exp: inAnHour() };

	return { nothing: undefined, garbage: 'x.y.z', user: who.access_token, 'refresh token': who.refresh_token, 'the secret itself': here.secret ?? 'none',
		'part of the operator': here.operatorToken.slice(0, -1), 'more than the operator': `${here.operatorToken}x`,
		'operator in upper case': here.operatorToken.toUpperCase(), 'signed by the operator': sign(claims, here.operatorToken, head),
		'signed by nobody': sign(claims, 'nobody', head), unsigned: `${sign(claims, 'x', { alg: 'none' }).split('.').slice(0, 2).join('.')}.` };
}

attack('ADM-01', 'no door of administrators opens to anybody else', async () => {
	const here = await exporting();
	const target = await here.made();

	for (const [what, bearer] of Object.entries(await strangersKeys(here)))
		for (const { method, path } of routes().filter(isAdmins)) {
			const answer = await here.ask(method, path.replace(/[0-9a-f-]{36}/, target.id), { bearer, ...(method === 'GET' ? {} : { json: { email: address(), role: 'x' } }),
				headers: { 'export-secret': 'the secret of exports' } });

			assert.equal(answer.status, 401, `${what}: ${method} ${path}: ${answer.status} ${answer.text}`);
			assert.deepEqual(Object.keys(answer.json), ['code', 'msg']);
		}
	const { json } = await here.operator('GET', `/admin/users/${target.id}`);

	assert.equal(json.role, '');
});

attack('ADM-01', 'nor do the operator\'s, where there are many sites', async () => {
	const here = await sites();
	const one = await here.instance({ mailer: { autoconfirm: true } });
	const who = await here.loggedIn(await here.signedUp({}, one.options), one.options);
	const keys = [undefined, 'x', who.access_token, who.refresh_token, one.secret, `${here.operatorToken}x`, here.operatorToken.slice(1),
		sign({ id: one.id }, here.operatorToken), sign({ sub: nobody, exp: inAnHour() }, one.secret), one.options.headers['x-nf-sign']];

	for (const bearer of keys)
		for (const { method, path } of routes().filter(({ gates }) => gates === 'GATE_OPERATOR')) {
			const answer = await here.ask(method, path.replace(/[0-9a-f-]{36}/, one.id), { bearer, headers: one.options.headers,
				...(method === 'GET' ? {} : { json: { uuid: randomUUID(), config: {} } }) });

			assert.equal(answer.status, 401, `${bearer?.slice(0, 20)}: ${method} ${path}: ${answer.status} ${answer.text}`);
		}
	assert.equal((await here.operator('GET', `/instances/${one.id}`)).status, 200);
});

/* ---- who says so himself ---- */

const claims = { role: 'admin', aud: '', app_metadata: { roles: ['admin'], role: 'admin' }, is_super_admin: true, super_admin: true, verified: true,
	verified_at: '2001-01-01T00:00:00Z', email_confirmed_at: '2001-01-01T00:00:00Z', confirmed_at: '2001-01-01T00:00:00Z', id: nobody, tenant_id: nobody,
	instance_id: nobody, created_at: '2001-01-01T00:00:00Z', banned_until: '2001-01-01T00:00:00Z', confirm: true, encrypted_password: '$2a$10$x',
	email_verified_at: 1, user_metadata: { roles: ['admin'] } };

attack('ACC-07', 'a form does not make anybody more than he is', async () => {
	const here = await site();
	const { app_metadata, ...rest } = claims;
	const who = await here.signedUp({ ...claims, data: { roles: ['admin'], role: 'admin' } });

	assert.notEqual(who.answer.json.id, nobody);
	assert.equal(who.answer.json.role, '');
	assert.equal(who.answer.json.confirmed_at, undefined);
	assert.deepEqual(who.answer.json.app_metadata, { provider: 'email' });
	assert.ok(Math.abs(Date.parse(who.answer.json.created_at) - Date.now()) < 60000);
	assert.equal((await here.login(who)).status, 400);
	const token = await here.mailed(who.email, 'confirmation');
	const proof = await here.post('/verify', { ...rest, type: 'signup', token });
	const bearer = proof.json.access_token;
	const before = (await here.get('/user', { bearer })).json;

	assert.equal((await here.put('/user', rest, { bearer })).status, 200);
	refuses(await here.put('/user', { app_metadata }, { bearer }), 401, 'Updating app_metadata requires admin privileges');
	const { updated_at, ...after } = (await here.get('/user', { bearer })).json;

	delete before.updated_at;
	assert.deepEqual(after, before);
	const [row] = await here.database.query('SELECT super_admin, role, audience FROM portress_account WHERE id = $1', [before.id]);

	assert.equal(Number(row.super_admin), 0);
});

attack('ADM-02', 'a role in one\'s own metadata is none', async () => {
	const here = await site();
	const who = await member(here, { user_metadata: { roles: ['admin'], role: 'admin' }, app_metadata: { roles: ['admin'] } });

	assert.equal((await here.put('/user', { data: { role: 'admin', roles: ['admin'] } }, { bearer: who.access_token })).status, 200);
	refuses(await here.get('/admin/users', { bearer: (await here.loggedIn(who)).access_token }), 401, 'User not allowed');
	const chief = await member(here, { role: 'admin' });

	assert.equal((await here.get('/admin/users', { bearer: chief.access_token })).status, 200);
});

attack('ADM-03', 'a site is named by what the operator signed, and by no other header', async () => {
	const here = await sites();
	const one = await here.instance({ mailer: { autoconfirm: true } });
	const other = await here.instance({ mailer: { autoconfirm: true } });
	const ask = (headers) => here.get('/settings', { headers });
	const signature = one.options.headers['x-nf-sign'];

	refuses(await ask({}), 400, 'Operator microservice headers missing');
	for (const headers of [{ 'x-tenant-id': one.id }, { 'x-instance-id': one.id }, { 'x-nf-id': one.id }])
		refuses(await ask(headers), 400, 'Operator microservice headers missing');
	for (const bad of ['x', `${signature}x`, sign({ id: one.id }, 'somebody else'), signature.split('.').slice(0, 2).join('.'), 'x'.repeat(10240),
		`${signature},${signature}`, sign({ id: one.id, provider: 'github' }, here.operatorToken)])
		refuses(await ask({ 'x-nf-sign': bad }), 400, 'Operator microservice signature is invalid:');
	refuses(await ask({ 'x-nf-sign': sign({}, here.operatorToken) }), 400, 'Instance ID is missing');
	assert.equal((await ask({ 'x-nf-sign': sign({ id: `${one.id}\0` }, here.operatorToken) })).status, 400);
	for (const id of ["' OR '1'='1", '../..', one.id.slice(1), '%'])
		refuses(await ask({ 'x-nf-sign': sign({ id }, here.operatorToken) }), 400, 'Instance ID is not a valid UUID');
	refuses(await ask({ 'x-nf-sign': sign({ id: randomUUID() }, here.operatorToken) }), 404, 'Unable to locate site configuration');
	const two = await ask({ 'x-nf-sign': [signature, other.options.headers['x-nf-sign']] });

	refuses(two, 400, 'Operator microservice signature is invalid: there are two');
	const who = await here.signedUp({}, { headers: { ...one.options.headers, 'x-tenant-id': other.id } });

	assert.equal((await here.login(who, one.options)).status, 200);
	assert.equal((await here.login(who, other.options)).status, 400);
});

attack('ADM-04', 'a name that looks like the operator\'s is not his', async () => {
	const here = await site();
	const head = { alg: 'HS256', kid: 'nf-ident', typ: 'JWT' };
	const ask = (more) => here.get('/admin/users', { bearer: sign({ exp: inAnHour(), ...more }, here.secret, head) });

	for (const sub of ['', '00', ' 0', '0 ', 'operator@netlify.com', 'operator', nobody.slice(1), `${nobody} `, `{${nobody}}`, randomUUID(), 'null', '-0', '0.0'])
		refuses(await ask({ sub, email: 'operator@netlify.com' }), 401, 'Invalid admin user');
	for (const sub of ['0\0', 0, null, false, [nobody], { 0: 0 }])
		assert.equal((await ask({ sub })).status, 401, JSON.stringify(sub));
	const who = await member(here, { email: 'operator@netlify.com' });

	refuses(await here.get('/admin/users', { bearer: who.access_token }), 401, 'User not allowed');
	/* GoTrue's own: whoever holds the secret that signs for everybody is everybody. */
	assert.equal((await ask({ sub: nobody })).status, 200);
});

/* ---- of somewhere else ---- */

attack('ADM-05', 'an administrator of one audience finds nobody of another', async () => {
	const here = await site();
	const chief = await member(here, { role: 'admin' }, { 'x-jwt-aud': 'one' });
	const other = await here.made({ role: 'editor' }, { 'x-jwt-aud': 'two' });
	const own = await here.made({}, { 'x-jwt-aud': 'one' });
	const ask = (method, id, json, aud) => here.ask(method, `/admin/users/${id}`, { json, bearer: chief.access_token, headers: aud ? { 'x-jwt-aud': aud } : {} });

	for (const method of ['GET', 'PUT', 'DELETE']) {
		const json = method === 'PUT' ? { role: 'admin', password: 'taken over' } : undefined;
		const [unknown, foreign] = [await ask(method, randomUUID(), json), await ask(method, other.id, json)];

		refuses(foreign, 404, 'User not found');
		assert.equal(foreign.text, unknown.text);
		assert.notEqual((await ask(method, other.id, json, 'two')).status, 200);
	}
	refuses(await here.ask('GET', '/admin/users', { bearer: chief.access_token, headers: { 'x-jwt-aud': 'two' } }), 401, 'User not allowed');
	assert.ok(!(await here.ask('GET', '/admin/users', { bearer: chief.access_token })).text.includes(other.id));
	assert.notEqual((await here.ask('POST', '/admin/users', { json: { email: address(), password: 'x', aud: 'two' }, bearer: chief.access_token })).status, 200);
	assert.equal((await here.operator('GET', `/admin/users/${other.id}`)).json.role, 'editor');
	assert.equal((await ask('GET', own.id)).status, 200);
});

attack('ADM-05', 'an administrator of one site is a stranger at another', async () => {
	const here = await sites();
	const a = await here.instance({});
	const b = await here.instance({ jwt: { secret: a.secret } });
	const made = async (one, fields) => {
		const who = { email: address(), password: 'a quiet harbour', confirm: true, ...fields };
		const answer = await here.operator('POST', '/admin/users', who, one.options.headers);

		assert.equal(answer.status, 200, answer.text);
		return { ...who, id: answer.json.id };
	};
	const chief = await here.loggedIn(await made(a, { role: 'admin' }), a.options);
	const target = await made(b);

	for (const method of ['GET', 'PUT', 'DELETE']) {
		const options = { bearer: chief.access_token, ...(method === 'PUT' ? { json: { role: 'admin' } } : {}) };

		refuses(await here.ask(method, `/admin/users/${target.id}`, { ...options, ...a.options }), 404, 'User not found');
		refuses(await here.ask(method, `/admin/users/${target.id}`, { ...options, ...b.options }), 401, 'Invalid admin user');
	}
	assert.equal((await here.ask('GET', `/admin/users/${chief.id}`, { bearer: chief.access_token, ...a.options })).status, 200);
});

attack('ADM-07', 'a list is as long, as sorted and as filtered as it may be', async () => {
	const here = await site();
	const name = address();
	const who = await here.made({ email: `percent_${name}`, user_metadata: { full_name: 'Ann 100% Lee_x' } });
	const list = (query) => here.operator('GET', `/admin/users?${query}`);
	const emails = async (filter) => (await list(`filter=${encodeURIComponent(filter)}`)).json.users.map(({ email }) => email);

	for (const sort of ['password', 'encrypted_password', 'id', 'created_at; DROP TABLE portress_account', 'created_at desc, email', '1', '(SELECT 1)'])
		assert.equal((await list(`sort=${encodeURIComponent(sort)}`)).status, 400, sort);
	for (const filter of ["' OR 1=1 --", '%', '_%', '%%%', '\\', "\\' OR ''='", 'percent%', `percent%${name.slice(3)}`, '*', '?', '[a-z]'])
		assert.ok((await emails(filter)).every((email) => email === who.email && 'Ann 100% Lee_x'.includes(filter)), filter);
	assert.deepEqual(await emails(`percent_${name}`), [who.email]);
	assert.deepEqual(await emails('100% lee_x'), [who.email]);
	for (const per of ['0', '-1', 'x', '1001', '1000000', '18446744073709551616', '1e3', ' 5', '5;'])
		assert.ok([200, 400].includes((await list(`per_page=${encodeURIComponent(per)}`)).status), per);
	const most = await list('per_page=1000000');

	assert.ok(most.status === 400 || most.json.users.length <= 1000);
	assert.equal((await list('per_page=1000')).status, 200);
	for (const page of ['-5', '99999999999999999999', 'x'])
		assert.ok([200, 400].includes((await list(`page=${page}`)).status), page);
});

attack('ADM-08', 'hashes leave only for who knows the second secret', async () => {
	const here = await exporting();
	const who = await member(here, {});
	const chief = await member(here, { role: 'admin' });
	const ask = (bearer, headers) => here.get('/admin/users/export', { bearer, headers });

	for (const headers of [{}, { 'export-secret': '' }, { 'export-secret': 'the secret of export' }, { 'export-secret': 'the secret of exportsx' },
		{ 'export-secret': here.operatorToken }])
		refuses(await ask(here.operatorToken, headers), 401, 'Invalid export secret');
	refuses(await ask(who.access_token, { 'export-secret': 'the secret of exports' }), 401, 'User not allowed');
	assert.equal((await ask(chief.access_token, {})).status, 401);
	assert.ok((await ask(here.operatorToken, { 'export-secret': 'the secret of exports' })).text.includes('encrypted_password'));
	for (const path of ['/admin/users', `/admin/users/${who.id}`, '/admin/audit'])
		assert.ok(!(await here.operator('GET', path)).text.includes('$argon2'), path);
	assert.equal((await (await site()).operator('GET', '/admin/users/export', undefined, { 'export-secret': 'x' })).status, 400);
});

attack('ADM-09', 'who is no administrator any more is none at the next request', async () => {
	const here = await site();
	const chief = await member(here, { role: 'admin' });
	const ask = () => here.get('/admin/users', { bearer: chief.access_token });

	assert.equal((await ask()).status, 200);
	await here.operator('PUT', `/admin/users/${chief.id}`, { role: 'editor' });
	refuses(await ask(), 401, 'User not allowed');
	await here.operator('PUT', `/admin/users/${chief.id}`, { role: 'admin' });
	assert.equal((await ask()).status, 200);
	await here.operator('DELETE', `/admin/users/${chief.id}`);
	refuses(await ask(), 401, 'Invalid admin user');
});

attack('ADM-10', 'what an administrator does is written down with his name', async () => {
	const here = await site();
	const chief = await member(here, { role: 'admin', user_metadata: { full_name: 'Chief' } });
	const asAdmin = (method, path, json) => here.ask(method, path, { json, bearer: chief.access_token });
	const made = await asAdmin('POST', '/admin/users', { email: address(), password: 'a quiet harbour', confirm: true });

	assert.ok(made.json.confirmed_at);
	await asAdmin('PUT', `/admin/users/${made.json.id}`, { role: 'editor' });
	const invited = await asAdmin('POST', '/invite', { email: address(), role: 'admin', app_metadata: { roles: ['admin'] }, is_super_admin: true });

	assert.equal(invited.status, 200);
	assert.equal(invited.json.role, '');
	assert.deepEqual(invited.json.app_metadata, { provider: 'email' });
	await asAdmin('DELETE', `/admin/users/${made.json.id}`);
	const rows = (await here.audit(`author:${chief.email}`)).map(({ payload }) => [payload.action, payload.actor_id, payload.traits?.user_email]);

	for (const action of ['user_signedup', 'user_modified', 'user_deleted'])
		assert.ok(rows.some(([what, actor, target]) => what === action && actor === chief.id && target === made.json.email), action);
	assert.ok(rows.some(([what, actor, target]) => what === 'user_invited' && actor === chief.id && target === invited.json.email));
});

attack('ACC-09', 'who signs up while his site goes away is nobody anywhere', async () => {
	const here = await sites();
	const uuid = randomUUID();
	const open = async () => (await here.operator('POST', '/instances', { uuid, config: { site_url: 'https://a.example', jwt: { secret: uuid.repeat(2) },
		mailer: { autoconfirm: true } } })).json.id;
	const id = await open();
	const options = { headers: here.signedFor({ id }) };
	const people = Array.from({ length: 24 }, () => ({ email: address(), password: 'a quiet harbour' }));
	const joining = people.map((who) => here.post('/signup', who, options));
	const going = here.operator('DELETE', `/instances/${id}`);
	const statuses = (await Promise.all(joining)).map(({ status }) => status);

	assert.equal((await going).status, 204);
	assert.ok(statuses.every((status) => [200, 404, 503].includes(status)), statuses.join());
	for (const who of people.slice(0, 4))
		refuses(await here.login(who, options), 404, 'Unable to locate site configuration');
	const again = await open();

	assert.notEqual(again, id);
	const anew = { headers: here.signedFor({ id: again }) };

	assert.deepEqual((await here.operator('GET', '/admin/users', undefined, anew.headers)).json.users, []);
	assert.equal((await here.login(people[0], anew)).status, 400);
	assert.equal((await here.post('/signup', people[0], anew)).status, 200);
	/* At most who came in that very moment. */
	const [{ n }] = await here.database.query('SELECT count(*) AS n FROM portress_account WHERE tenant = $1', [id]);

	assert.ok(Number(n) <= statuses.filter((status) => status === 200).length);
	assert.equal(Number((await here.database.query('SELECT count(*) AS n FROM portress_tenant WHERE id = $1', [id]))[0].n), 0);
});
