/*
 * What may happen once, asked for by many at the same moment.
 *
 *	site            which of the servers it is played on
 *	prepare(here)   somebody fresh: { id, ... }
 *	request(who)    what all of them send, or request(who, n) the n-th of them
 *	judge(answers)  throws when the answers do not fit together
 *	leaves          what there is afterwards: families of the account, the number of their LIVE token, how many
 *	                they remember to be spent, tickets, letters in its mailboxes, and how many events of a kind
 *	                there are more than when it was prepared
 */
import assert from 'node:assert/strict';

import { address } from '../support/gotrue.mjs';
import { readToken } from '../support/refresh-token.mjs';

/* enum pt_event_kind */
const SIGNUP = 1;
const CONFIRMED = 7;
const RECOVER_ASKED = 9;
const TOKEN_REFRESHED = 12;
const TOKEN_REUSED = 13;
const TOKEN_REVOKED = 23;
const EMAIL_CHANGED = 25;

const json = (path, object, more = {}) => ({ path, headers: { 'content-type': 'application/json', ...more.headers }, body: JSON.stringify(object), method: more.method });
const form = (path, fields) => ({ path, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(fields).toString() });
const refreshing = ({ refresh_token }) => form('/token', { grant_type: 'refresh_token', refresh_token });

async function ok(asking) {
	const answer = await asking;

	assert.equal(answer.status, 200, answer.text);
	return answer.json;
}

async function member(here) {
	const who = await here.made();

	return { ...who, ...await ok(here.login(who)) };
}

/* What those who were answered hold now, each once. */
const granted = (answers) => [...new Set(answers.map((answer) => JSON.parse(answer.text).refresh_token))].map(readToken);

/* What is left of tokens: the LIVE one of one family after so many rotations, or nothing. */
const turned = (rotations) => ({ families: 1, generation: 1 + rotations, spent: rotations });
const nobody = { families: 0, generation: 0, spent: 0 };

/* One success, and all others told this. */
function once(answers, otherwise) {
	const [won, ...others] = [...answers].sort((a, b) => a.status - b.status);

	assert.equal(won.status, 200, won.text);
	for (const answer of others)
		assert.equal(answer.status, otherwise, answer.text);
	return won;
}

export const stories = {
	refresh: {
		site: 'lenient',
		prepare: member,
		request: refreshing,
		judge(answers) {
			for (const answer of answers)
				assert.equal(answer.status, 200, answer.text);
			assert.deepEqual(granted(answers).map(({ generation }) => generation), [2]);
		},
		leaves: { ...turned(1), tickets: 0, letters: 0, events: { [TOKEN_REFRESHED]: 1, [TOKEN_REVOKED]: 1, [TOKEN_REUSED]: 0 } },
	},
	/* A tab that is behind and one that is not: the one is given the LIVE token, whichever it is by then. */
	'refresh with two tokens': {
		site: 'lenient',
		async prepare(here) {
			const who = await member(here);
			const { refresh_token } = await ok(here.refresh(who.refresh_token));

			return { ...who, tokens: [who.refresh_token, refresh_token] };
		},
		request: ({ tokens }, n) => refreshing({ refresh_token: tokens[n % 2] }),
		judge(answers) {
			for (const answer of answers)
				assert.equal(answer.status, 200, answer.text);
			assert.deepEqual(granted(answers.filter((_, n) => n % 2)).map(({ generation }) => generation), [3]);
			for (const { generation } of granted(answers))
				assert.ok(generation === 2 || generation === 3, `number ${generation}`);
		},
		leaves: { ...turned(2), tickets: 0, letters: 0, events: { [TOKEN_REFRESHED]: 1, [TOKEN_REVOKED]: 1, [TOKEN_REUSED]: 0 } },
	},
	'refresh without a grace': {
		site: 'strict',
		prepare: member,
		request: refreshing,
		judge: (answers) => once(answers, 400),
		/* Whoever came second has raised the alarm. */
		leaves: { ...nobody, tickets: 0, letters: 0, events: { [TOKEN_REFRESHED]: 1, [TOKEN_REVOKED]: 1, [TOKEN_REUSED]: 1 } },
	},
	verify: {
		site: 'lenient',
		async prepare(here) {
			const who = await here.signedUp();

			return { ...who, token: await here.mailed(who.email, 'confirmation') };
		},
		request: ({ token }) => json('/verify', { type: 'signup', token }),
		judge: (answers) => once(answers, 404),
		leaves: { ...turned(0), tickets: 0, letters: 1, events: { [CONFIRMED]: 1 } },
	},
	recover: {
		site: 'lenient',
		async prepare(here) {
			const who = await here.made();

			await ok(here.post('/recover', { email: who.email }));
			return { ...who, token: await here.mailed(who.email, 'recovery') };
		},
		request: ({ token }) => json('/verify', { type: 'recovery', token }),
		judge: (answers) => once(answers, 404),
		leaves: { ...turned(0), tickets: 0, letters: 1, events: { [RECOVER_ASKED]: 0 } },
	},
	'recover, asked for': {
		site: 'lenient',
		prepare: (here) => here.made(),
		request: ({ email }) => json('/recover', { email }),
		judge: (answers) => once(answers, 429),
		leaves: { ...nobody, tickets: 1, letters: 1, events: { [RECOVER_ASKED]: 1 } },
	},
	'e-mail change': {
		site: 'lenient',
		async prepare(here) {
			const who = await member(here);
			const email = address();

			await ok(here.put('/user', { email }, { bearer: who.access_token }));
			return { ...who, other: email, token: await here.mailed(email, 'email_change') };
		},
		request: ({ token, access_token }) => json('/user', { email_change_token: token },
			{ method: 'PUT', headers: { authorization: `Bearer ${access_token}` } }),
		judge: (answers) => once(answers, 401),
		/* The letter to the new address, and the notice to the old one. */
		leaves: { ...turned(0), tickets: 0, letters: 2, events: { [EMAIL_CHANGED]: 1 } },
	},
	invite: {
		site: 'lenient',
		async prepare(here) {
			const email = address();
			const { id } = await ok(here.operator('POST', '/invite', { email }));

			return { id, email, token: await here.mailed(email, 'invite') };
		},
		request: ({ token }, n) => json('/verify', { type: 'signup', token, password: `harbour number ${n}` }),
		judge: (answers) => once(answers, 404),
		leaves: { ...turned(0), tickets: 0, letters: 1, events: { [CONFIRMED]: 1 } },
	},
	'sign-up': {
		site: 'lenient',
		prepare: async () => ({ email: address() }),
		request: ({ email }, n) => json('/signup', { email, password: `harbour number ${n}` }),
		judge(answers, who) {
			const told = answers.filter(({ status }) => status === 200);
			const ids = new Set(told.map((answer) => JSON.parse(answer.text).id));

			/* Who would send the same letter in the same moment is told to wait. */
			for (const answer of answers)
				assert.ok(answer.status === 200 || answer.status === 429, answer.text);
			assert.equal(ids.size, 1, 'two accounts, or none');
			[who.id] = ids;
			who.told = told.length;
		},
		leaves: { ...nobody, tickets: 1, letters: 1, events: { [SIGNUP]: 'each told' } },
	},
};
