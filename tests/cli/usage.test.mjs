/* What is asked for is answered, what is not understood is refused with a hint. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { ask, place, refused } from './support.mjs';

const secret = 'kept0secret0kept0secret0kept0secret0';

test('--help is answered at every level, on stdout', async () => {
	for (const words of [[], ['serve'], ['migrate'], ['user'], ['user', 'list'], ['admin'], ['admin', 'createuser'], ['config'], ['version']]) {
		const { code, out, err } = await ask([...words, '--help']);

		assert.equal(code, 0, words.join(' '));
		assert.match(out, /^usage: portress/);
		assert.equal(err, '');
	}
});

test('unknown words and flags are refused with the nearest name', async () => {
	await refused(['mirgate'], 64, /no such command: mirgate; did you mean migrate\?/);
	await refused(['user', 'lst'], 64, /user lst; did you mean user list\?/);
	await refused(['config', 'prnt'], 64, /did you mean config print\?/);
	await refused(['migrate', 'statu'], 64, /did you mean migrate status\?/);
	await refused(['serve', '--lisen=x'], 64, /--lisen: no such setting; did you mean --listen\?/);
	await refused(['--lisen=x'], 64, /did you mean --listen\?/);
	await refused(['version', '--bogus'], 64, /--bogus: no such setting/);
	await refused(['version', '--json'], 64, /it takes no --json/);
	await refused(['serve', 'twice'], 64, /a word too many/);
	await refused([], 64, /^usage: portress/);
});

test('a secret is no argument, and is not said again', async () => {
	for (const words of [['serve', `--smtp.password=${secret}`], ['user', 'password', 'bob', secret],
		['user', 'create', `--password=${secret}`, '--username=bobby', '--email=bobby@example.com']]) {
		const { err, out } = await refused(words, 64, /./);

		assert.ok(!(err + out).includes(secret), err);
	}
});

test('all that is wrong with the settings is told in one go', async () => {
	const { err } = await refused(['config', 'check'], 78, /./, place({ PORTRESS_LISTN: 'x', PORTRESS_XYZZY: '1',
		PORTRESS_LOG_LEVEL: 'loud', PORTRESS_HTTP_LOOPS: '99', PORTRESS_SESSION_LIFE: '1y', PORTRESS_URL: 'foo',
		PORTRESS_KEYS_ROOT: 'supersecretvalue' }));

	for (const says of [/LISTN: no such setting; did you mean PORTRESS_LISTEN\?/, /XYZZY: no such setting; `/,
		/LOG_LEVEL: must be one of error\|warn/, /HTTP_LOOPS: must be a number from 0 to 64/,
		/SESSION_LIFE: must be a time/, /URL: must be an address/, /KEYS_ROOT must have at least 32 bytes/])
		assert.match(err, says);
	assert.equal(err.trim().split('\n').length, 7, err);
	assert.ok(!err.includes('supersecretvalue'), err);
});

test('a flag counts more than the environment, that more than the file, that more than the default', async () => {
	const where = place({ PORTRESS_HTTP_QUEUE: '12', PORTRESS_HTTP_WORKERS: '12', PORTRESS_KEYS_ROOT: secret });
	const file = join(where.folder, 'portress.conf');

	writeFileSync(file, 'PORTRESS_HTTP_QUEUE=11\nPORTRESS_HTTP_WORKERS=11\nPORTRESS_HASH_QUEUE=11\n');
	const { code, out } = await ask(['config', 'print', '--config', file, '--http.queue=13'], where);

	assert.equal(code, 0);
	assert.match(out, /^PORTRESS_HTTP_QUEUE=13 {2}# flag$/m);
	assert.match(out, /^PORTRESS_HTTP_WORKERS=12 {2}# environment$/m);
	assert.match(out, /^PORTRESS_HASH_QUEUE=11 {2}# file, .*portress\.conf line 3/m);
	assert.match(out, /^PORTRESS_HASH_PARALLEL=0 {2}# default$/m);
	assert.match(out, /^PORTRESS_KEYS_ROOT=set {2}# environment$/m);
	assert.match(out, /^PORTRESS_PEPPER=unset {2}# default$/m);
	assert.ok(!out.includes(secret));
});

test('secrets come from a file of their owner, and from the service manager', async () => {
	const where = place();
	const file = join(where.folder, 'pw');
	const named = { ...where, settings: { ...where.settings, PORTRESS_SMTP_PASSWORD_FILE: file } };

	await refused(['config', 'check'], 78, /cannot read the file .*pw: No such file/, named);
	writeFileSync(file, `${secret}\n`, { mode: 0o644 });
	chmodSync(file, 0o644);
	await refused(['config', 'check'], 78, /others can read .*pw; mend it with `chmod 600/, named);
	chmodSync(file, 0o600);
	assert.match((await ask(['config', 'print'], named)).out, /^PORTRESS_SMTP_PASSWORD=set {2}# environment$/m);

	mkdirSync(join(where.folder, 'credentials'));
	writeFileSync(join(where.folder, 'credentials/smtp.password'), secret);
	const { out } = await ask(['config', 'print'], { ...where,
		settings: { ...where.settings, CREDENTIALS_DIRECTORY: join(where.folder, 'credentials') } });

	assert.match(out, /^PORTRESS_SMTP_PASSWORD=set {2}# credential, .*smtp\.password$/m);
	assert.ok(!out.includes(secret));
});

test('config check finds broken templates by file and line', async () => {
	const where = place();

	mkdirSync(join(where.folder, 'looks/pages'), { recursive: true });
	assert.equal((await ask(['config', 'check', '--ui.dir=looks'], where)).code, 0);
	writeFileSync(join(where.folder, 'looks/pages/signin.html'), 'hello\n{{#x}}\n');
	await refused(['config', 'check', '--ui.dir=looks'], 78, /looks\/pages\/signin\.html:2: /, where);
	await refused(['config', 'check', '--ui.dir=none'], 78, /none: there is no such folder/, where);
});

test('the manual pages are what the program prints', async () => {
	for (const page of ['portress.1', 'portress.conf.5']) {
		const kept = readFileSync(new URL(`../../docs/man/${page}`, import.meta.url), 'utf8');

		assert.equal((await ask(['config', '--mdoc', page])).out, kept, page);
	}
});
