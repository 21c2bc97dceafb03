/*
 * The n-th act on the store fails: it is answered 503 in the documented words, nothing of it is
 * there, and letter and event are there exactly when the act is.
 */
import assert from 'node:assert/strict';

import { askArmed, formRequests, requests, tokenRequests } from './requests.mjs';
import { limits, openService } from './service.mjs';

const MOST = 50;
const AWAY = { data: null, message: 'Database not available', status: 503 };

const counted = `
	SELECT (SELECT count(*) FROM portress_account) AS accounts,
		(SELECT count(*) FROM portress_account WHERE email_verified_at <> 0) AS verified,
		(SELECT coalesce(sum(signin_count), 0) FROM portress_account) AS signins,
		(SELECT coalesce(sum(failed_signins), 0) FROM portress_account) AS failures,
		(SELECT count(*) FROM portress_session) AS sessions,
		(SELECT count(*) FROM portress_ticket) AS tickets,
		(SELECT count(*) FROM portress_letter) AS letters,
		(SELECT count(*) FROM portress_event) AS events,
		(SELECT group_concat(password) FROM (SELECT password FROM portress_account ORDER BY id)) AS passwords`;

async function census(service) {
	const [row] = await service.rows(counted);

	return row;
}

/* How the numbers changed; passwords count as one when any of them is another. */
function growth(before, after) {
	const grown = {};

	for (const name of Object.keys(before)) {
		const by = name === 'passwords' ? Number(before[name] !== after[name]) : after[name] - before[name];

		if (by !== 0)
			grown[name] = by;
	}
	return grown;
}

function isWhole(request, grown) {
	const expected = { ...request.grows };

	/* a success sets the count of failures back */
	if (request.grows.signins)
		delete grown.failures;
	assert.deepEqual(grown, expected, 'more or less happened than the act');
}

function isAway(answer) {
	assert.ok(answer, 'no answer');
	assert.equal(answer.status, 503);
	assert.ok(answer.headers['retry-after'], 'no Retry-After');
	if (answer.type === 'application/json')
		assert.equal(answer.text, `${JSON.stringify(AWAY)}\n`);
}

async function failOne(service, request, n) {
	const state = await request.prepare(service);
	const before = await census(service);
	const answer = await askArmed(service, request, state, () => service.control.set('fail_act', n));
	const { struck } = service;
	const promised = request.needsNoStore && request.isUntouched(answer);
	const grown = growth(before, await census(service));

	if (struck && !promised) {
		isAway(answer);
		assert.deepEqual(grown, {}, 'something of a failed act is there');
	} else if (!struck) {
		assert.ok(request.isUntouched(answer));
		isWhole(request, grown);
	}
	await request.settle(service, state, !struck || promised);
	return struck;
}

async function failEach(service, request) {
	for (let n = 1; n <= MOST; n++) {
		try {
			if (!await failOne(service, request, n))
				return n - 1;
		} catch (error) {
			error.message = `act ${n}: ${error.message}`;
			throw error;
		}
	}
	throw new Error(`more than ${MOST} acts`);
}

async function failAll(report, asked, settings) {
	const service = await openService({ ...limits('128'), ...settings });

	for (const request of Object.values(asked))
		await report.check(`${request.name} while one act fails`, async () =>
			`${await failEach(service, request)} acts`, () => service.server.log);
	await report.check('the file after failed acts', () => service.assertSound());
	await service.close();
}

export async function acts(report) {
	await failAll(report, { ...requests, ...formRequests }, {});
	await failAll(report, tokenRequests, { PORTRESS_JWT_ON: 'true' });
}

/* ---- the limiter alone ---- */

export async function limiter(report) {
	const service = await openService(limits('128'));
	const log = () => service.server.log;
	const who = await service.join();

	async function broken(asking) {
		service.control.set('break_limiter', 1);
		try {
			return await asking();
		} finally {
			service.quiet();
		}
	}

	await report.check('nobody signs in past a broken limiter', async () => {
		for (const password of [who.password, 'not the password at all']) {
			const answer = await broken(() => service.signIn({ ...who, password }));

			isAway(answer);
			assert.equal(answer.cookie('session'), undefined);
		}
	}, log);
	await report.check('no letter is asked for past a broken limiter', async () => {
		const before = await census(service);

		isAway(await broken(() => service.forgot(who)));
		isAway(await broken(() => service.forgot({ email: 'nobody@example.org' })));
		isAway(await broken(() => service.guest().post('/resend', { email: who.email })));
		assert.deepEqual(growth(before, await census(service)), {});
	}, log);
	await report.check('a limiter that is mended lets people in', async () => {
		await service.enter(who);
	}, log);
	await service.close();
}
