/*
 * What people ask while something fails. Each request begins with somebody fresh, knows its answer
 * when nothing fails, and finds out afterwards, with everything quiet, whether the world is whole:
 * the act happened, or it did not and can be done now.
 *
 *	prepare(service)         what must stand before: the state
 *	ask(service, state)      the request itself, one
 *	isUntouched(answer)      the answer when nothing failed
 *	settle(service, state, done)   throws when what came of it is neither all nor nothing; done:
 *	                         the answer was the untouched one
 *	grows                    how many rows more there are when it is done
 *	needsNoStore             it may be answered as usual while the store is away, and is then done
 *	                         as soon as the store is back
 */
import { newcomer } from '../support/plain.mjs';
import { attempt, expect } from './service.mjs';

const TAKEN = 'Username or email already exists';

const isSession = (answer) => Boolean(answer.cookie('session')?.value);

const signUp = {
	name: 'sign-up',
	grows: { accounts: 1, passwords: 1, tickets: 1, letters: 1, events: 1 },
	async prepare() {
		return { who: newcomer() };
	},
	ask: (service, { who }) => service.guest().post('/signup', who),
	isUntouched: (answer) => answer.status === 303,
	async settle(service, { who }, done) {
		const again = await service.guest().post('/signup', who);

		if (again.status === 400 && again.json.message === TAKEN)
			return;
		if (done || again.status !== 303)
			throw new Error(`a second sign-up is answered ${again.status} ${again.text}`);
	},
};

/* Whoever joined has one account, one letter with its link and one event. */
export async function assertJoinedOnce(service) {
	const wrong = await service.rows(`
		SELECT username,
			(SELECT count(*) FROM portress_letter WHERE account = a.id AND kind = 1) AS letters,
			(SELECT count(*) FROM portress_event WHERE account = a.id AND kind = 1) AS events
		FROM portress_account a WHERE letters <> 1 OR events <> 1`);

	if (wrong.length)
		throw new Error(`not joined exactly once: ${JSON.stringify(wrong.slice(0, 5))}`);
}

const signInRight = {
	name: 'sign-in',
	grows: { sessions: 1, events: 1, signins: 1 },
	async prepare(service) {
		service.regular ??= await service.join();
		return { who: service.regular };
	},
	ask: (service, { who }) => service.signIn(who),
	isUntouched: (answer) => answer.status === 303 && isSession(answer),
	async settle(service, { who }) {
		await service.enter(who);
	},
};

const signInWrong = {
	name: 'sign-in with a wrong password',
	grows: { events: 1, failures: 1 },
	async prepare(service) {
		service.regular ??= await service.join();
		return { who: { ...service.regular, password: 'not the password at all' } };
	},
	ask: (service, { who }) => service.signIn(who),
	isUntouched: (answer) => answer.status === 401 && !isSession(answer),
	async settle(service, { who }) {
		expect(await service.signIn(who), 401, 'a wrong password afterwards');
	},
};

const confirm = {
	name: 'confirmation',
	grows: { events: 1, verified: 1 },
	async prepare(service) {
		const who = await service.signUp();

		return { who, token: await service.token(who, '/verify') };
	},
	ask: (service, { token }) => service.confirm(token),
	isUntouched: (answer) => answer.status === 303,
	async settle(service, { who, token }) {
		expect(await service.confirm(token), 303, 'the link afterwards');
		await service.enter(who);
	},
};

const forgot = {
	name: 'forgot',
	grows: { letters: 1, tickets: 1, events: 1 },
	async prepare(service) {
		return { who: await service.join() };
	},
	ask: (service, { who }) => service.forgot(who),
	isUntouched: (answer) => answer.status === 303,
	async settle(service, { who }) {
		const token = await service.resetToken(who);

		expect(await service.reset(token, 'another quiet harbour'), 303, 'a fresh link');
	},
};

const reset = {
	name: 'reset',
	grows: { letters: 1, tickets: -1, sessions: -1, events: 1, passwords: 1 },
	async prepare(service) {
		const who = service.forgetful ??= await service.join();

		who.client ??= await service.enter(who);

		return { who, token: await service.resetToken(who), password: newcomer().password };
	},
	ask: (service, { token, password }) => service.reset(token, password),
	isUntouched: (answer) => answer.status === 303,
	async settle(service, { who, token, password }, done) {
		const again = await service.reset(token, password);
		const old = who.password;

		/* done already, or now */
		if (again.status !== 400 && (done || again.status !== 303))
			throw new Error(`the link is answered ${again.status} ${again.text} afterwards`);
		expect(await service.signIn({ ...who, password: old }), 401, 'the old password');
		who.password = password;
		who.client = await service.enter(who);
	},
};

const signOut = {
	name: 'sign-out',
	needsNoStore: true,
	grows: { sessions: -1, events: 1 },
	async prepare(service) {
		service.regular ??= await service.join();

		const client = await service.enter(service.regular);

		return { client, kept: client.clone() };
	},
	ask: (service, { client }) => client.post('/signout'),
	isUntouched: (answer) => answer.status === 200,
	async settle(service, { kept }, done) {
		if (done)
			expect(await kept.clone().get('/me'), 401, 'the cookie of who signed out');
		expect(await kept.clone().post('/signout'), 200, 'signing out afterwards');
		expect(await kept.get('/me'), 401, 'the cookie after signing out');
	},
};

const home = {
	name: 'home, signed in',
	grows: {},
	async prepare(service) {
		service.regular ??= await service.join();
		service.member ??= await service.enter(service.regular);
		return { client: service.member, who: service.regular };
	},
	ask: (service, { client }) => client.get('/', { headers: { accept: 'text/html' } }),
	isUntouched: (answer) => answer.status === 200 && answer.text.includes('You are signed in.'),
	async settle(service, { client }) {
		expect(await client.get('/me'), 200, 'who am I, afterwards');
	},
};

/* ---- the same by the forms of a browser ---- */

const page = { accept: 'text/html' };

function byForm(request, path, fields) {
	return { ...request, name: `${request.name} by form`,
		ask: (service, state) => service.guest().post(path, undefined, { form: fields(state), headers: page }),
	};
}

const credentials = ({ who }) => ({ username: who.username, password: who.password });

const forms = {
	signUpForm: byForm(signUp, '/signup', ({ who }) => who),
	signInForm: byForm(signInRight, '/signin', credentials),
	signInWrongForm: byForm(signInWrong, '/signin', credentials),
	resetForm: byForm(reset, '/reset', ({ token, password }) => ({ token, new_password: password })),
};

/* ---- programs with tokens: on a service with jwt.on ---- */

async function tokensOf(service, who) {
	return expect(await service.signIn(who), 200, 'sign-in for tokens').json.data;
}

function renew(service, token) {
	return service.guest().post('/refresh', { refresh_token: token });
}

const refresh = {
	name: 'renewal of a token',
	grows: { events: 1 },
	async prepare(service) {
		service.regular ??= await service.join();
		return tokensOf(service, service.regular);
	},
	ask: (service, tokens) => renew(service, tokens.refresh_token),
	isUntouched: (answer) => answer.status === 200,
	/* An answer that was lost is given again, and its successor is as good. */
	async settle(service, tokens) {
		const again = expect(await renew(service, tokens.refresh_token), 200, 'the same token again');

		expect(await renew(service, again.json.data.refresh_token), 200, 'its successor');
		await service.assertSound();
	},
};

const bearer = {
	name: 'who am I, by token',
	grows: {},
	async prepare(service) {
		service.regular ??= await service.join();
		service.tokens ??= await tokensOf(service, service.regular);
		return service.tokens;
	},
	ask: (service, { token }) => service.guest().get('/me', { headers: { authorization: `Bearer ${token}` } }),
	isUntouched: (answer) => answer.status === 200,
	async settle(service, { token }) {
		expect(await service.guest().get('/me', { headers: { authorization: `Bearer ${token}` } }), 200, 'the token afterwards');
	},
};

export const tokenRequests = { refresh, bearer };
export const formRequests = forms;
export const requests = { signUp, signInRight, signInWrong, confirm, forgot, reset, signOut, home };

/* What may be answered while something fails; throws at anything else. */
export function judge(request, answer) {
	if (answer === null || request.isUntouched(answer))
		return;
	if (answer.status !== 500 && answer.status !== 503)
		throw new Error(`answered ${answer.status}: ${answer.text.slice(0, 300)}`);
	if (answer.status === 503 && !answer.headers['retry-after'])
		throw new Error('503 without Retry-After');
	if (isSession(answer))
		throw new Error('a session was handed out with a refusal');
}

/* Makes one request while `arm` has set what fails. */
export async function askArmed(service, request, state, arm) {
	const pid = service.server.pid;
	let answer;

	arm();
	try {
		answer = await attempt(request.ask(service, state));
	} finally {
		service.struck = service.control.get('fail_alloc') <= 0 && service.control.get('fail_act') <= 0;
		service.quiet();
	}
	service.assertAlive(pid);
	judge(request, answer);
	return answer;
}
