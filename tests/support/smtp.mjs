/*
 * A mail server that keeps what it is given. It can be down, refuse, speak TLS from the first byte
 * or after STARTTLS, and ask for a name and a password.
 */
import { EventEmitter, once } from 'node:events';

import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

import { certificates } from './certificates.mjs';
import { freePort, pause } from './settings.mjs';

export class Sink extends EventEmitter {
	/* starttls: offer it; tls: implicit; auth: { user, pass } is demanded. */
	static async open(options = {}) {
		const sink = new Sink();

		sink.setMaxListeners(0);
		sink.options = options;
		sink.host = options.host ?? '127.0.0.1';
		sink.port = options.port ?? await freePort();
		sink.letters = [];
		sink.logins = [];
		sink.refusing = 0;
		sink.attempts = 0;
		await sink.up();
		return sink;
	}

	serverOptions() {
		const { starttls, tls, auth } = this.options;
		const hidden = ['AUTH', 'STARTTLS'].filter((name) =>
			(name === 'AUTH' && !auth) || (name === 'STARTTLS' && !starttls));

		return {
			name: 'localhost', logger: false, disabledCommands: hidden, authOptional: !auth,
			secure: Boolean(tls), closeTimeout: 100,
			...(tls || starttls ? { key: certificates().key, cert: certificates().cert } : {}),
			onMailFrom: (address, session, done) => this.greet(session, done),
			onAuth: (login, session, done) => this.admit(login, done),
			onData: (stream, session, done) => this.receive(stream, session, done),
		};
	}

	greet(session, done) {
		this.attempts += 1;
		if (this.options.starttls && !session.secure)
			return done(Object.assign(new Error('TLS first'), { responseCode: 530 }));
		if (this.refusing > 0) {
			this.refusing -= 1;
			return done(Object.assign(new Error('not now'), { responseCode: 451 }));
		}
		return done();
	}

	admit(login, done) {
		const { user, pass } = this.options.auth;

		this.logins.push(login);
		if (login.username === user && login.password === pass)
			return done(null, { user });
		return done(new Error('wrong name or password'));
	}

	async receive(stream, session, done) {
		const chunks = [];

		for await (const chunk of stream)
			chunks.push(chunk);
		const raw = Buffer.concat(chunks);
		const parsed = await simpleParser(raw);

		this.letters.push({
			raw: raw.toString('latin1'), secure: session.secure,
			recipients: session.envelope.rcptTo.map((one) => one.address.toLowerCase()),
			sender: session.envelope.mailFrom.address,
			subject: parsed.subject, text: parsed.text ?? '', html: parsed.html || '',
			headers: parsed.headers, parsed, arrived: Date.now(),
		});
		done();
		this.emit('letter');
	}

	async up() {
		this.server = new SMTPServer(this.serverOptions());
		this.server.on('error', () => {});
		this.server.listen(this.port, this.host);
		await once(this.server.server, 'listening');
	}

	async down() {
		await new Promise((done) => this.server.close(done));
	}

	/* Letters to that address, oldest first; with a subject, only those. */
	to(address, subject) {
		return this.letters.filter((one) => one.recipients.includes(address.toLowerCase()) &&
			(!subject || one.subject === subject));
	}

	/* The newest of at least `count` letters, waiting for it if need be. */
	async letter(address, { subject, count = 1, patience = 10000 } = {}) {
		const end = Date.now() + patience;

		while (this.to(address, subject).length < count) {
			if (Date.now() > end)
				throw new Error(`no letter ${subject ?? ''} to ${address}; there are ` +
					JSON.stringify(this.letters.map((one) => [one.recipients, one.subject])));
			await Promise.race([once(this, 'letter'), pause(100)]);
		}
		return this.to(address, subject).at(-1);
	}

	async close() {
		await this.down();
		this.removeAllListeners();
	}
}

/* The first link in the decoded text of a letter. */
export function linkIn(letter) {
	const match = /https?:\/\/[^\s<>"]+/.exec(letter.text);

	if (!match)
		throw new Error(`no link in the letter: ${letter.text}`);
	return match[0];
}

export function tokenIn(letter) {
	return new URL(linkIn(letter)).searchParams.get('token');
}
