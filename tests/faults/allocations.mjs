/*
 * The n-th allocation fails, for every n, once and from there on: nobody is let in, nothing is half
 * done, and afterwards everything is as if it had never been.
 */
import { askArmed, assertJoinedOnce, formRequests, requests, tokenRequests } from './requests.mjs';
import { openService } from './service.mjs';

const MOST = 2000;

function arm(service, n, sticky) {
	service.control.set('fail_sticky', sticky ? 1 : 0);
	service.control.set('fail_alloc', n);
}

/* Returns how many allocations the request takes. */
async function failEach(service, request, { sticky, step }) {
	for (let n = 1; n <= MOST; n += step) {
		try {
			const state = await request.prepare(service);
			const answer = await askArmed(service, request, state, () => arm(service, n, sticky));
			const done = answer !== null && request.isUntouched(answer);

			if (!service.struck && !done)
				throw new Error('nothing failed, and yet it did not answer as usual');
			await request.settle(service, state, done);
			if (!service.struck)
				return n - 1;
		} catch (error) {
			error.message = `allocation ${n}: ${error.message}`;
			throw error;
		}
	}
	throw new Error(`more than ${MOST} allocations`);
}

async function failAll(report, request, settings) {
	const service = await openService(settings);
	const log = () => service.server.log;

	await report.check(`${request.name} while one allocation fails`, async () =>
		`${await failEach(service, request, { sticky: false, step: 1 })} allocations`, log);
	await report.check(`${request.name} while memory is out`, async () => {
		await failEach(service, request, { sticky: true, step: 7 });
	}, log);
	await report.check(`the file afterwards (${request.name})`, async () => {
		await assertJoinedOnce(service);
		await service.assertSound();
	}, log);
	await service.close();
}

export async function allocations(report) {
	const { signUp, signInRight, signInWrong, reset, signOut, home } = requests;
	const asked = [signUp, signInRight, signInWrong, reset, signOut, home, ...Object.values(formRequests)];

	await Promise.all([...asked.map((request) => failAll(report, request, {})),
		...Object.values(tokenRequests).map((request) => failAll(report, request, { PORTRESS_JWT_ON: 'true' }))]);
}
