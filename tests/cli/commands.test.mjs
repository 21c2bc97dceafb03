/* migrate and user, with their exit codes. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { program } from '../support/settings.mjs';
import { query } from '../support/sqlite.mjs';
import { ask, place, refused } from './support.mjs';

const password = 'a long way to nowhere 7';

test('migrate tells a fresh, a current, a newer and an altered schema apart', async () => {
	const where = place();
	const migrate = (word) => ask(['migrate', word], where);

	assert.match((await refused(['migrate', 'status'], 1, /`portress migrate up`/, where)).out, /^at step 0 of \d+$/m);
	assert.match((await migrate('up')).out, /^applied 001 /);
	for (const word of ['up', 'status', 'verify']) {
		const { code, out, err } = await migrate(word);

		assert.deepEqual([code, err], [0, ''], word);
		assert.match(out, /^at step (\d+) of \1\n$/);
	}
	await query(where.database, "INSERT INTO portress_schema VALUES (999, '999-x.sql', 'x', 1)");
	await refused(['migrate', 'status'], 1, /a newer program made this database/, where);
	await refused(['migrate', 'verify'], 1, /a newer program made this database/, where);
	await refused(['migrate', 'up'], 78, /run the newer program/, where);
	await refused(['user', 'list'], 78, /run the newer program/, where);
	await query(where.database, 'DELETE FROM portress_schema WHERE number = 999');
	await query(where.database, "UPDATE portress_schema SET checksum = 'x' WHERE number = 1");
	await refused(['migrate', 'verify'], 78, /001-\S+ was applied in another form/, where);
});

test('accounts are made, shown, changed and removed', async () => {
	const where = place();
	const file = join(where.folder, 'pw');
	const fine = async (...words) => {
		const answer = await ask(['user', ...words], where);

		assert.equal(answer.code, 0, `${words}: ${answer.err}`);
		assert.ok(!(answer.out + answer.err).includes(password));
		return answer.out;
	};
	const create = ['create', '--username=bobby', '--email=bobby@example.com', `--password-file=${file}`];

	writeFileSync(file, `${password}\n`);
	const made = JSON.parse(await fine(...create, '--json'));

	assert.deepEqual([made.username, made.verified, made.disabled], ['bobby', false, false]);
	await refused(['user', ...create], 1, /belongs to an account already/, where);
	assert.equal(JSON.parse(await fine('list', '--json')).length, 1);
	assert.match(await fine('list'), /\tbobby\tbobby@example\.com\tunverified\n$/);
	await fine('verify', 'bobby');
	await fine('disable', 'bobby@example.com');
	const shown = JSON.parse(await fine('show', made.id, '--json'));

	assert.deepEqual([shown.verified, shown.disabled], [true, true]);
	await fine('enable', 'bobby');
	await fine('verify', 'bobby', '--undo');
	await fine('password', 'bobby', `--password-file=${file}`);
	assert.match(await fine('show', 'bobby'), /^verified +no$/m);
	assert.ok(JSON.parse(await fine('events', 'bobby', '--json')).some((e) => e.event === 'account_created'));
	await refused(['user', 'delete', 'bobby'], 64, /say --yes/, where);
	await refused(['user', 'delete', 'bobby', '--yes=false'], 64, /say --yes/, where);
	await fine('delete', 'bobby', '--yes');
	for (const verb of ['show', 'disable', 'enable', 'verify', 'password', 'events'])
		await refused(['user', verb, 'bobby'], 1, /there is no such account/, where);
});

test('what cannot be done with accounts is refused in a sentence', async () => {
	const where = place();
	const create = ['user', 'create', '--username=bobby', '--email=bobby@example.com'];

	writeFileSync(join(where.folder, 'short'), 'x\n');
	writeFileSync(join(where.folder, 'common'), 'password1\n');
	await refused([...create, '--password-file=short'], 65, /too short/, where);
	await refused([...create, '--password-file=none'], 65, /cannot read a password from none: No such file/, where);
	await refused([...create, '--password-file=.'], 65, /cannot read a password from \.: Is a directory/, where);
	await refused(create, 65, /no password was given/, where);
	await refused(['user', 'create', '--no-password'], 64, /it needs --username/, where);
	await refused(['user', 'create', '--no-password', '--username=bobby', '--email=b'], 65, /no e-mail address/, where);
	await refused(['user', 'show'], 64, /whom\?/, where);
	await refused(['user', 'show', 'bobby', '--yes'], 64, /it takes no --yes/, where);
	await refused(['user', 'list', '--max=abc'], 64, /--max must be a number from 1 to 1000/, where);
});

/* Types at a terminal; prints what was shown there, and how the program ended. */
const typist = `
import json, os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], ['portress', 'user', 'create', '--username=bobby', '--email=bobby@example.com'])
shown = b''
try:
    for prompt, answer in json.loads(sys.argv[2]):
        while prompt.encode() not in shown:
            shown += os.read(fd, 1000)
        os.write(fd, answer.encode())
    while True:
        shown += os.read(fd, 1000)
except OSError:
    pass
print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()]))`;

test('a password is asked for twice, without echo', () => {
	const where = place();
	const type = (...steps) => JSON.parse(execFileSync('python3', ['-c', typist, program, JSON.stringify(steps)],
		{ cwd: where.folder, env: { PATH: process.env.PATH, ...where.settings }, timeout: 20000 }).toString());
	const first = ['New password: ', `${password}\n`];
	const says = (steps, code, words) => {
		const [ended, shown] = type(...steps);

		assert.equal(ended, code, shown);
		assert.match(shown, words);
		assert.ok(!shown.includes(password), shown);
	};

	says([first, ['Again: ', 'something else\n']], 65, /not the same; nothing was changed/);
	says([['New password: ', '\n']], 65, /no password was given/);
	says([['New password: ', 'half\x03']], -2, /New password: /);
	says([first, ['Again: ', `${password}\n`]], 0, /username +bobby/);
});
