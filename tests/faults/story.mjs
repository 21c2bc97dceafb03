/*
 * One person's way through the service, and what the service has promised on it. Before a request
 * goes out its outcome is "maybe"; only an answer makes it sure. A server that is killed leaves maybes,
 * and whatever comes of those must be one thing or the other.
 */
import { newcomer } from '../support/plain.mjs';
import { attempt } from './service.mjs';

const maybe = 'maybe';
const yes = 'yes';

/* What somebody holds after signing in, and whether it still opens anything. */
class Session {
	constructor(client) {
		this.client = client;
	}

	async opens() {
		return this.client.clone().get('/me');
	}
}

class Tokens {
	constructor(token) {
		this.token = token;
	}

	/* A token that was spent without our hearing of it is good once more: the answer was lost. */
	async opens(service) {
		const answer = await service.guest().post('/refresh', { refresh_token: this.token });

		if (answer.status === 200)
			this.token = answer.json.data.refresh_token;
		return answer;
	}
}

export class Story {
	constructor() {
		this.who = newcomer();
		this.joined = null;
		this.verified = null;
		this.wanted = null;	/* a new password that may be in force */
		this.spending = null;	/* the token that it was asked with */
		this.former = [];	/* passwords that are not in force any more */
		this.taken = [];	/* tokens that are spent */
		this.live = [];		/* sessions and tokens that are good */
		this.unsure = [];	/* ... that may have ended */
		this.dead = [];		/* ... that have ended */
		this.resets = 0;
		this.promises = 0;
	}

	/* One request. Null: the server is gone. Another status than these is no way to answer. */
	async ask(asking, status, what) {
		const answer = await attempt(asking);

		if (answer && answer.status !== status)
			throw new Error(`${what} of ${this.who.username}: ${answer.status} ${answer.text.slice(0, 200)}`);
		this.promises += answer ? 1 : 0;
		return answer;
	}

	async join(service) {
		this.joined = maybe;
		if (!await this.ask(service.guest().post('/signup', this.who), 303, 'sign-up'))
			return false;
		this.joined = yes;
		return true;
	}

	async mailed(service, path) {
		const token = await attempt(service.token(this.who, path));

		if (token === undefined)
			throw new Error(`no letter with ${path} for ${this.who.username}`);
		return token;
	}

	async confirm(service) {
		const token = await this.mailed(service, '/verify');

		if (!token)
			return false;
		this.verified = maybe;
		if (!await this.ask(service.confirm(token), 303, 'confirmation'))
			return false;
		this.verified = yes;
		return true;
	}

	async signIn(service) {
		const client = service.guest();

		if (!await this.ask(service.signInByForm(this.who, client), 303, 'sign-in'))
			return false;
		this.live.push(new Session(client));
		return true;
	}

	async takeTokens(service) {
		const answer = await this.ask(service.signIn(this.who), 200, 'sign-in for tokens');

		if (answer)
			this.live.push(new Tokens(answer.json.data.refresh_token));
		return Boolean(answer);
	}

	async renew(service, tokens) {
		return Boolean(await this.ask(tokens.opens(service), 200, 'renewal'));
	}

	async signOut(session) {
		const kept = new Session(session.client.clone());

		this.live.splice(this.live.indexOf(session), 1);
		this.unsure.push(kept);
		if (!await this.ask(session.client.post('/signout'), 200, 'sign-out'))
			return false;
		this.unsure.pop();
		this.dead.push(kept);
		return true;
	}

	async reset(service) {
		if (!await this.ask(service.forgot(this.who), 303, 'forgot'))
			return false;
		const token = await this.mailed(service, '/reset');

		if (!token)
			return false;
		this.wanted = newcomer().password;
		this.spending = token;
		this.unsure.push(...this.live.splice(0));
		if (!await this.ask(service.reset(token, this.wanted), 303, 'reset'))
			return false;
		this.hasReset();
		return true;
	}

	/* The wanted password is in force, and everything that it ends has ended. */
	hasReset() {
		this.former.push(this.who.password);
		this.taken.push(this.spending);
		this.dead.push(...this.unsure.splice(0));
		this.who.password = this.wanted;
		this.wanted = null;
		this.spending = null;
		this.verified = yes;
		this.resets += 1;
	}

	/* Through the door, or in again for whoever has been here before, and then about for a while. */
	async run(service) {
		if (this.verified !== yes && !(await this.join(service) && await this.confirm(service)))
			return false;
		for (let turns = 1 + Math.floor(Math.random() * 6); turns > 0; turns--)
			if (!await this.turn(service))
				return false;
		return true;
	}

	turn(service) {
		const held = this.live.at(Math.floor(Math.random() * this.live.length));
		const dice = Math.random();

		if (dice < 0.4 && held instanceof Session)
			return this.signOut(held);
		if (dice < 0.4 && held instanceof Tokens)
			return this.renew(service, held);
		if (dice < 0.6)
			return this.reset(service);
		return dice < 0.8 ? this.signIn(service) : this.takeTokens(service);
	}
}

/* ---- afterwards ---- */

function must(truth, story, what) {
	if (!truth)
		throw new Error(`${story.who.username}: ${what}`);
}

const status = async (asking) => (await asking).status;

/* row: what the file knows of this person, or undefined. */
export function assertRow(story, row) {
	const { username } = story.who;

	if (!row) {
		must(story.joined !== yes, story, 'an acknowledged sign-up is gone');
		return;
	}
	must(story.joined !== null, story, 'nobody has asked for this account');
	must(row.accounts === 1, story, 'the account stands there twice');
	must(row.letters === 1, story, `${row.letters} letters with a link`);
	must(row.signups === 1, story, `${row.signups} events of signing up`);
	must(story.verified !== yes || row.verified, story, 'an acknowledged confirmation is gone');
	must(story.verified || !row.verified, story, `nobody has confirmed ${username}`);
	must(row.resets === row.notices, story, `${row.resets} resets and ${row.notices} notices`);
	must(row.resets === story.resets || (story.wanted && row.resets === story.resets + 1), story,
		`${row.resets} resets, ${story.resets} acknowledged`);
	if (row.resets > story.resets)
		story.hasReset();
	story.wanted = null;
	story.verified = row.verified ? yes : null;
	story.joined = yes;
}

/* Asks the service itself. Only for people whose row was looked at before. */
export async function assertKept(service, story) {
	if (story.joined !== yes)
		return;
	must(await status(service.guest().post('/signup', story.who)) === 400, story, 'can sign up again');
	must(await status(service.signInByForm(story.who)) === (story.verified === yes ? 303 : 401), story,
		'the password in force is not the acknowledged one');
	for (const password of story.former.slice(-1))
		must(await status(service.signInByForm({ ...story.who, password })) === 401, story, 'a former password is good');
	for (const token of story.taken.slice(-1))
		must(await status(service.reset(token, 'another quiet harbour')) === 400, story, 'a spent link is good');
	for (const held of story.dead.slice(-3))
		must(await status(held.opens(service)) === 401, story, 'what has ended is good again');
	for (const held of story.live)
		must(await status(held.opens(service)) === 200, story, 'what was handed out is no good');
}
