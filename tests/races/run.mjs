#!/usr/bin/env node
/*
 * Many at once: eight to sixteen connections send the same secret in the same moment, round after round,
 * and each time exactly one of them has it. Judged by the answers, and by what is in the database.
 *
 *	node tests/races/run.mjs                                         60 rounds of each story on SQLite
 *	node tests/races/run.mjs --rounds 2000 --store postgres verify   2,000 of one, on PostgreSQL
 *
 * Needs PORTRESS_BIN. Ends with one line `N passed, N failed`, and with 1 if anything failed.
 */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';

import { openSite } from '../support/gotrue.mjs';
import { until } from '../support/settings.mjs';
import { stories } from './stories.mjs';
import { Wire } from './wire.mjs';

const BATCH = 50;
const LEAST = 8;
const MOST = 16;

const { values, positionals } = parseArgs({ allowPositionals: true,
	options: { rounds: { type: 'string', default: '60' }, store: { type: 'string', default: 'sqlite' } } });
const rounds = Number(values.rounds);
const unknown = positionals.filter((name) => !(name in stories));

if (unknown.length || !(rounds > 0) || !['sqlite', 'postgres', 'mariadb'].includes(values.store)) {
	process.stderr.write(`run.mjs [--rounds N] [--store sqlite|postgres|mariadb] [${Object.keys(stories).join(' | ')}]\n`);
	process.exit(64);
}
process.setMaxListeners(0);

/* ---- the servers ---- */

const quiet = { PORTRESS_LOG_REQUESTS: 'false', PORTRESS_LOG_LEVEL: 'warn', PORTRESS_LIMITS_MAIL_PER_RECIPIENT: '0', PORTRESS_LIMITS_MAIL_PER_HOUR: '0', GOTRUE_SMTP_MAX_FREQUENCY: '15m' };

async function openServers() {
	const open = (settings) => openSite({ kind: values.store, settings: { ...quiet, ...settings } });

	return { lenient: await open({}), strict: await open({ PORTRESS_JWT_REFRESH_GRACE: '0s' }) };
}

async function openWires(here) {
	const { port } = new URL(here.base);

	return Promise.all(Array.from({ length: MOST }, () => Wire.open(Number(port))));
}

/* ---- a round ---- */

/* All of them let go in one turn. */
async function burst(wires, request, who) {
	const racers = wires.slice(0, LEAST + Math.floor(Math.random() * (MOST - LEAST + 1)));

	await Promise.all(racers.map((wire, n) => wire.load(request(who, n))));
	return Promise.all(racers.map((wire) => wire.fire()));
}

/* ---- what is left ---- */

const questions = {
	generation: 'SELECT account, sum(generation) AS n FROM portress_family WHERE account IN (IDS) GROUP BY account',
	spent: 'SELECT account, sum(length(spent)) / 8 AS n FROM portress_family WHERE account IN (IDS) GROUP BY account',
	families: 'SELECT account, count(*) AS n FROM portress_family WHERE account IN (IDS) GROUP BY account',
	tickets: 'SELECT account, count(*) AS n FROM portress_ticket WHERE account IN (IDS) GROUP BY account',
};
const eventsAsked = 'SELECT account, kind, count(*) AS n FROM portress_event WHERE account IN (IDS) GROUP BY account, kind';

const ask = (here, text, people) => here.database.query(text.replace('IDS', people.map(({ id }) => `'${id}'`).join()));

async function eventsOf(here, people) {
	const known = people.filter(({ id }) => id);
	const rows = known.length ? await ask(here, eventsAsked, known) : [];

	return new Map(rows.map(({ account, kind, n }) => [`${account} ${kind}`, Number(n)]));
}

async function assertLeft(here, story, people, before) {
	const { events, letters, ...counted } = story.leaves;

	for (const [what, wanted] of Object.entries(counted)) {
		const found = new Map((await ask(here, questions[what], people)).map(({ account, n }) => [account, Number(n)]));

		for (const { id } of people)
			assert.equal(found.get(id) ?? 0, wanted, `${what} of ${id}`);
	}
	for (const { id, email, other } of people) {
		const mailed = () => here.mail.to(email).length + (other ? here.mail.to(other).length : 0);

		await until(`letters to ${id}`, () => mailed() >= letters);
		assert.equal(mailed(), letters, `letters to ${id}`);
	}
	const after = await eventsOf(here, people);

	for (const [kind, wanted] of Object.entries(events))
		for (const { id, told } of people)
			assert.equal((after.get(`${id} ${kind}`) ?? 0) - (before.get(`${id} ${kind}`) ?? 0), wanted === 'each told' ? told : wanted, `events ${kind} of ${id}`);
}

/* ---- a story ---- */

async function inTurns(n, most, work) {
	const done = [];
	let next = 0;

	await Promise.all(Array.from({ length: most }, async () => {
		while (next < n) {
			const at = next++;

			done[at] = await work(at);
		}
	}));
	return done;
}

async function play(here, story) {
	const wires = await openWires(here);
	let requests = 0;

	for (let left = rounds; left > 0; left -= BATCH) {
		const people = await inTurns(Math.min(BATCH, left), 8, () => story.prepare(here));
		const before = await eventsOf(here, people);

		for (const who of people) {
			const answers = await burst(wires, story.request, who);

			story.judge(answers, who);
			requests += answers.length;
		}
		await assertLeft(here, story, people, before);
		here.mail.letters.length = 0;
	}
	for (const wire of wires)
		wire.close();
	return requests;
}

const servers = await openServers();
let passed = 0;
let failed = 0;

for (const name of positionals.length ? positionals : Object.keys(stories)) {
	const story = stories[name];
	const here = servers[story.site];
	const began = performance.now();

	try {
		const requests = await play(here, story);

		passed += 1;
		process.stdout.write(`ok - ${values.store}: ${name}: ${rounds} rounds, ${requests} requests, no double effect ` +
			`(${((performance.now() - began) / 1000).toFixed(1)} s)\n`);
	} catch (error) {
		failed += 1;
		process.stdout.write(`not ok - ${values.store}: ${name}\n    ${String(error.stack).replaceAll('\n', '\n    ')}\n${here.server.log.slice(-1500)}\n`);
	}
}
for (const here of Object.values(servers)) {
	/* The last ones stand for all: each would be looked for in the whole log. */
	here.secrets = new Set([...here.secrets].slice(-20));
	await here.close();
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed ? 1 : 0);
