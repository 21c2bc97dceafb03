/*
 * kill -9 at any moment under load, KILLS times: nothing that was acknowledged is lost, nothing that
 * has ended comes back, and the file is whole each time.
 */
import { pause } from '../support/settings.mjs';
import { openService } from './service.mjs';
import { assertKept, assertRow, Story } from './story.mjs';

const KILLS = Number(process.env.KILLS || 20);
const CLIENTS = 16;
const RECALLED = 8; /* people of former rounds that are asked for again each time */

const known = `
	SELECT username, count(*) AS accounts, max(email_verified_at <> 0) AS verified,
		(SELECT count(*) FROM portress_letter WHERE account = a.id AND kind = 1) AS letters,
		(SELECT count(*) FROM portress_letter WHERE account = a.id AND kind = 3) AS notices,
		(SELECT count(*) FROM portress_event WHERE account = a.id AND kind = 1) AS signups,
		(SELECT count(*) FROM portress_event WHERE account = a.id AND kind = 10) AS resets
	FROM portress_account a GROUP BY username_key`;

/* Half of the time somebody new, else somebody who has been here and whom nobody else plays. */
function cast(load) {
	return (Math.random() < 0.5 && load.regulars.pop()) || new Story();
}

async function walk(service, load) {
	while (!load.over) {
		const story = cast(load);

		load.stories.add(story);
		if (!await story.run(service))
			return;
	}
}

/* Who acted until the server was gone. */
async function round(service, former) {
	const load = { over: false, stories: new Set(), regulars: some(former.filter((one) => one.verified), CLIENTS) };
	const walks = Array.from({ length: CLIENTS }, () => walk(service, load));
	const done = Promise.allSettled(walks);

	await pause(50 + Math.random() * 450);
	load.over = true;
	await service.server.kill();
	for (const { reason } of await done)
		if (reason)
			throw reason;
	return load.stories;
}

async function assertRows(service, stories) {
	const rows = new Map((await service.rows(known)).map((row) => [row.username, row]));

	for (const story of stories)
		assertRow(story, rows.get(story.who.username));
	if (rows.size > stories.length)
		throw new Error(`${rows.size} accounts of ${stories.length} people`);
}

/* So many different ones of them, if there are. */
function some(stories, n) {
	const chosen = new Set();

	for (let tries = 0; tries < 2 * n && stories.length; tries++)
		chosen.add(stories[Math.floor(Math.random() * stories.length)]);
	return [...chosen].slice(0, n);
}

/* Restarts, and holds the server to everything it said: those who acted, and some others. Returns how long it took to be ready. */
async function recover(service, acted, stories) {
	const began = performance.now();

	await service.start();
	const took = performance.now() - began;

	await service.assertSound();
	await assertRows(service, stories);
	await Promise.all([...new Set([...acted, ...some(stories, RECALLED)])].map((story) => assertKept(service, story)));
	return took;
}

function percentile(times, share) {
	const sorted = [...times].sort((a, b) => a - b);

	return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]);
}

export async function kill(report) {
	const service = await openService({ PORTRESS_JWT_ON: 'true', PORTRESS_JWT_REFRESH_GRACE: '5m' });
	const people = new Set();
	const times = [];

	await report.check(`${KILLS} times kill -9 under load`, async () => {
		for (let n = 1; n <= KILLS; n++) {
			const acted = await round(service, [...people]);

			acted.forEach((story) => people.add(story));
			times.push(await recover(service, acted, [...people]));
		}
		const sum = (count) => [...people].reduce((total, story) => total + count(story), 0);

		return `${people.size} people, ${sum((story) => story.promises)} acknowledged answers kept, ` +
			`${sum((story) => story.resets)} new passwords, ${sum((story) => story.dead.length)} sessions and tokens ended, ` +
			`ready again in ${percentile(times, 0.5)} ms (p50), ${percentile(times, 0.99)} ms (p99)`;
	}, () => service.server.log);
	await service.close();
}
