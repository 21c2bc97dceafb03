#!/usr/bin/env node
/*
 * Runs the black-box suites, one after another, and adds up what they say:
 *
 *   node tests/run-node.mjs                 everything
 *   node tests/run-node.mjs sqlite browser  only those suites
 *
 * The Identoro stories are told once for each kind of users table, GoTrue's once for each store. Ends with one line
 * `N passed, N failed, N skipped`, and with 1 if anything failed or nothing ran.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { MariaDb } from './support/mariadb.mjs';
import { Cluster } from './support/postgres.mjs';
import { baseUrl } from './support/settings.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const identoro = join(here, 'conformance/identoro');

const stories = ['csrf', 'signup', 'verify', 'signin', 'signout', 'reset', 'jwt'];
const once = ['routing', 'storage', 'operations'];

const named = (names) => names.map((name) => join(identoro, `${name}.test.mjs`));

function inFolder(name) {
	const folder = join(here, name);
	const files = existsSync(folder) ? readdirSync(folder).sort() : [];

	return files.filter((file) => file.endsWith('.test.mjs')).map((file) => join(folder, file));
}

const gotrue = inFolder('conformance/gotrue');

/* What a store decides about: the rest of the attacks is the same on each. */
const attacksOnStores = inFolder('attacks').filter((file) => /(sessions|admin|limits)\.test\.mjs$/.test(file));

const suites = {
	sqlite: { files: named([...once, ...stories]), env: { ID_STORE: 'sqlite', ID_SHAPE: 'g2' } },
	postgres: { files: named(stories), env: { ID_STORE: 'postgres', ID_SHAPE: 'g2' } },
	view: { files: named(stories), env: { ID_STORE: 'postgres', ID_SHAPE: 'readme-view' } },
	native: { files: named(stories), env: { ID_STORE: 'native', ID_SHAPE: 'own' } },
	mariadb: { files: named(stories), env: { ID_STORE: 'mariadb', ID_SHAPE: 'own' } },
	readme: { files: named(stories), env: { ID_STORE: 'sqlite', ID_SHAPE: 'readme' } },
	gotrue: { files: gotrue, env: { GT_STORE: 'sqlite' } },
	'gotrue-postgres': { files: gotrue, env: { GT_STORE: 'postgres' } },
	'gotrue-mariadb': { files: gotrue, env: { GT_STORE: 'mariadb' } },
	attacks: { files: inFolder('attacks'), env: { GT_STORE: 'sqlite' } },
	'attacks-postgres': { files: attacksOnStores, env: { GT_STORE: 'postgres' } },
	'attacks-mariadb': { files: attacksOnStores, env: { GT_STORE: 'mariadb' } },
	openapi: { files: inFolder('conformance/openapi'), env: {} },
	cli: { files: inFolder('cli'), env: {} },
	browser: { files: inFolder('browser'), env: {} },
	oracles: { files: inFolder('oracles'), env: {} },
	import: { files: inFolder('import'), env: {} },
	clients: { files: inFolder('clients'), env: {} },
};

/* Told to a service that somebody else started. */
const foreign = baseUrl ? { foreign: { files: named([...once, ...stories]), env: {} } } : { foreign: { files: gotrue, env: {} } };
const isForeign = Boolean(baseUrl || process.env.GT_BASE_URL);

/* Runs one suite, prints its TAP as it comes, and returns its totals. */
function play(name, { files, env }) {
	const words = ['--test', `--test-concurrency=${isForeign ? 1 : 2}`, '--test-reporter=tap', ...files];
	const child = spawn(process.execPath, words, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
	const totals = { pass: 0, fail: 0, skipped: 0, cancelled: 0 };

	process.stdout.write(`# suite ${name}\n`);
	createInterface({ input: child.stdout }).on('line', (line) => {
		const [, what, count] = /^# (pass|fail|skipped|cancelled) (\d+)$/.exec(line) ?? [];

		if (what)
			totals[what] = Number(count);
		process.stdout.write(`${line}\n`);
	});
	return new Promise((done) => child.on('close', (code) => {
		const { pass, skipped } = totals;
		const fail = totals.fail + totals.cancelled;

		/* A runner that ends badly without a failed test has failed all the same. */
		done({ name, pass, skipped, fail: fail || (code !== 0 || pass + skipped === 0 ? 1 : 0) });
	}));
}

function choose(names) {
	const all = isForeign ? foreign : suites;
	const unknown = names.filter((name) => !(name in all));

	if (unknown.length) {
		process.stderr.write(`no suite ${unknown}; there are ${Object.keys(all).join(', ')}\n`);
		process.exit(64);
	}
	return Object.entries(all).filter(([name]) => names.length === 0 || names.includes(name));
}

async function main() {
	const chosen = choose(process.argv.slice(2));
	const wants = (store) => chosen.some(([, { env }]) => [env.ID_STORE, env.GT_STORE].includes(store));
	const cluster = isForeign ? null : await Cluster.open();
	const mariadb = wants('mariadb') ? await MariaDb.open() : null;
	const results = [];

	if (mariadb)
		process.env.ID_MARIADB = mariadb.description;
	if (cluster) {
		const { host, port, log, folder, data } = cluster;

		process.env.ID_PG = JSON.stringify({ host, port, log, folder, data });
	}
	for (const [name, suite] of chosen)
		results.push(await play(name, suite));
	await cluster?.close();
	await mariadb?.close();

	const sum = (key) => results.reduce((total, one) => total + one[key], 0);

	for (const { name, pass, fail, skipped } of results)
		process.stdout.write(`# ${name}: ${pass} passed, ${fail} failed, ${skipped} skipped\n`);
	process.stdout.write(`${sum('pass')} passed, ${sum('fail')} failed, ${sum('skipped')} skipped\n`);
	process.exitCode = sum('fail') ? 1 : 0;
}

await main();
