/*
 * Everything one story needs: a server on a fresh store, a mail server, a clock to move, and people
 * with names of their own. In a run against a foreign service only the people are ours.
 */
import { randomBytes } from 'node:crypto';

import { Browser, Client } from './client.mjs';
import { Control } from './control.mjs';
import { plainSettings } from './plain-settings.mjs';
import { run, Server } from './server.mjs';
import { baseUrl, foreignMail, freePort, isPlain, storeKind, storeShape, temporaryFolder } from './settings.mjs';
import { linkIn, Sink, tokenIn } from './smtp.mjs';
import { openStore } from './store.mjs';

const word = (prefix, bytes = 18) => prefix + randomBytes(bytes).toString('hex');

let people = 0;

/* A person nobody has met before. */
export function person(fields = {}) {
	const username = `u${(people++).toString(36)}_${randomBytes(4).toString('hex')}`;

	return { username, email: `${username}@example.com`, password: word('pw-', 8), ...fields };
}

class World {
	client(options) {
		return new Client({ base: this.base, connect: this.connect, headers: this.headers, ...options });
	}

	browser(options) {
		return new Browser({ base: this.base, connect: this.connect, headers: this.headers, ...options });
	}

	/* A value that must never show up in a log. */
	keepSecret(...values) {
		for (const value of values)
			if (value)
				this.secrets.add(value);
		return values[0];
	}

	/* Signs somebody up and returns who it is; fails unless the service agrees. */
	async signedUp(fields = {}) {
		const who = person(fields);
		const answer = await this.client().post('/signup', who);

		this.keepSecret(who.password);
		if (answer.status !== 303)
			throw new Error(`sign-up answered ${answer.status}: ${answer.text}`);
		return who;
	}

	async letter(who, subject, count) {
		const letter = await this.mail.letter(who.email, { subject, count });

		if (letter.text.includes('token='))
			this.keepSecret(tokenIn(letter));
		return letter;
	}

	verifyLetter(who, count) {
		return this.letter(who, 'Verify your account', count);
	}

	resetLetter(who, count) {
		return this.letter(who, 'Reset your password', count);
	}

	/* Follows the mailed link as a program would. */
	async open(link, client = this.client()) {
		const { pathname, search } = new URL(link);

		return client.get(pathname.slice(client.prefix.length) + search);
	}

	async verified(fields) {
		const who = await this.signedUp(fields);
		const answer = await this.open(linkIn(await this.verifyLetter(who)));

		if (answer.status !== 303)
			throw new Error(`verification answered ${answer.status}: ${answer.text}`);
		return who;
	}

	signin(who, client = this.client()) {
		return client.post('/signin', { username: who.username, password: who.password });
	}

	/* A client with a live session. */
	async signedIn(who, client = this.client()) {
		const answer = await this.signin(who, client);

		if (answer.status !== 303 && answer.status !== 200)
			throw new Error(`sign-in answered ${answer.status}: ${answer.text}`);
		this.keepSecret(client.jar.get('session')?.value);
		return client;
	}

	async forgot(who, client = this.client()) {
		return client.post('/forgot', { email: who.email });
	}

	/* Asks for a reset and reads the token from the letter. */
	async resetToken(who, count) {
		await this.forgot(who);
		return tokenIn(await this.resetLetter(who, count));
	}

	leaks() {
		const log = this.server.log;

		return [...this.secrets].filter((secret) => secret.length >= 6 && log.includes(secret));
	}

	/* Stops everything, and complains about what no test asked for but nobody may do. */
	async close() {
		const ended = this.server && (this.server.ended ?? await this.server.stop());

		await this.mail?.close();
		await this.store?.close();
		this.control?.close();
		if (!ended || this.server.expendable)
			return;
		if (ended.code !== 0)
			throw new Error(`the server ended with ${JSON.stringify(ended)}:\n${this.server.log.slice(-6000)}`);
		if (this.leaks().length)
			throw new Error(`secrets in the log: ${this.leaks().join(', ')}`);
	}
}

function mailSettings(sink) {
	return { SMTP_HOST: sink.host === '127.0.0.1' ? 'localhost' : sink.host, SMTP_PORT: String(sink.port),
		EMAIL_SENDER: 'noreply@identoro.example', EMAIL_REPLY_TO: 'help@identoro.example' };
}

/* Small costs and no waiting, so that a test's time goes into what it tests. */
const quick = { BCRYPT_COST: '10', SIGNIN_DELAY_MS: '0', JAIL: 'off' };

async function openForeign(world) {
	const [host, port] = foreignMail.split(':');

	world.base = baseUrl;
	world.connect = baseUrl;
	world.mail = foreignMail ? await Sink.open({ host, port: Number(port) }) : null;
	return world;
}

/*
 * settings: environment over the usual one (undefined takes a name away); kind, shape, cluster,
 * through: the store, see there; mail: options of the sink; prefix: where the surface is mounted;
 * tables, start: false leaves making the tables, or starting the server, to the test; words: more
 * words for the command line; publicUrl: the address in mails, when it is not where we listen.
 */
export async function openWorld(options = {}) {
	const world = new World();

	world.secrets = new Set();
	try {
		return baseUrl ? await openForeign(world) : await openOwn(world, options);
	} catch (error) {
		if (world.server)
			world.server.expendable = true;
		await world.close();
		throw error;
	}
}

async function openOwn(world, { settings = {}, kind = storeKind, shape = storeShape, mail, cluster, through,
	prefix = '', tables = true, start = true, words = [], ready, publicUrl, folder } = {}) {
	world.folder = folder ?? temporaryFolder('portress-id-');
	world.control = new Control(world.folder);
	world.mail = await Sink.open(mail);
	world.store = await openStore({ kind, shape, folder: world.folder, cluster, through });

	const port = await freePort();
	const origin = publicUrl ?? `http://localhost:${port}`;

	/* Behind https a program has to say where it comes from. */
	world.headers = origin.startsWith('https:') ? { origin } : {};
	world.base = origin + prefix;
	world.connect = `http://127.0.0.1:${port}${prefix}`;
	world.settings = {
		DB_TYPE: kind, DATABASE_URL: world.store.url,
		SECRET_KEY: world.keepSecret(word('sk')), HASH_KEY: world.keepSecret(word('hk')),
		WEB_SERVER_ADDRESS: origin, LISTEN_ADDRESS: `127.0.0.1:${port}`,
		PORTRESS_TEST_CONTROL: world.control.path,
		...mailSettings(world.mail), ...quick, ...settings,
	};
	for (const [name, value] of Object.entries(world.settings))
		if (value === undefined)
			delete world.settings[name];
	world.server = new Server({ folder: world.folder, port, host: new URL(origin).host, ready,
		...(isPlain(kind) ? { words: ['serve', ...words], settings: plainSettings(world.settings) } :
			{ words: ['serve', '--as', 'identoro', ...words], settings: world.settings }) });
	if (tables && !isPlain(kind) && !world.store.shape.sql)
		await createTables(world, words);
	if (start)
		await world.server.start();
	return world;
}

async function createTables(world, words) {
	const made = await run(['serve', '--as', 'identoro', '--createtables', ...words],
		{ settings: world.settings, folder: world.folder });

	if (made.code !== 0)
		throw new Error(`--createtables ended with ${made.code}: ${made.out}${made.err}`);
}

export { linkIn, tokenIn };
