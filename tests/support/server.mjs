/*
 * The program under test as a process: its environment, its log, its end.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';

import { pause, program } from './settings.mjs';

/* A server that forgot to end would keep the run alive. */
const running = new Set();

process.on('exit', () => {
	for (const child of running)
		child.kill('SIGKILL');
});

/* A sanitizer's settings are those of the run, not of the world. */
const sanitizer = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(A|L|T|UB)SAN_OPTIONS$/.test(name)));

function start(words, { settings, folder }) {
	const env = { PATH: process.env.PATH, TMPDIR: folder, HOME: folder, ...sanitizer, ...settings };
	const child = spawn(program, words, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });

	running.add(child);
	child.once('error', (error) => child.stderr.push(`${program}: ${error.message}\n`));
	child.once('exit', () => running.delete(child));
	return child;
}

function collect(stream, into) {
	stream.setEncoding('utf8');
	stream.on('data', (text) => into.push(text));
}

/* Runs the program to its end: { code, signal, out, err }. */
export async function run(words, { settings = {}, folder, patience = 20000 }) {
	const child = start(words, { settings, folder });
	const out = [];
	const err = [];
	const timer = setTimeout(() => child.kill('SIGKILL'), patience);

	collect(child.stdout, out);
	collect(child.stderr, err);
	const [code, signal] = await once(child, 'close');

	clearTimeout(timer);
	return { code, signal, out: out.join(''), err: err.join('') };
}

function probe(port, path, host) {
	return new Promise((done) => {
		const request = http.get({ host: '127.0.0.1', port, path, agent: false, headers: { host } },
			(message) => { message.resume(); done(message.statusCode); });

		request.on('error', () => done(0));
		request.setTimeout(2000, () => request.destroy());
	});
}

export class Server {
	/* ready: the path that must answer 200 before it counts as started. */
	constructor({ words = ['serve', '--as', 'identoro'], settings, folder, port, host, ready = '/readyz' }) {
		Object.assign(this, { words, settings, folder, port, host, ready });
		this.output = [];
		this.ended = null;
	}

	get log() {
		return this.output.join('');
	}

	get pid() {
		return this.child.pid;
	}

	async start(patience = 15000) {
		const end = Date.now() + patience;

		this.ended = null;
		this.child = start(this.words, this);
		collect(this.child.stdout, this.output);
		collect(this.child.stderr, this.output);
		this.exit = once(this.child, 'close').then(([code, signal]) => {
			this.ended = { code, signal };
			return this.ended;
		});
		while (await probe(this.port, this.ready, this.host) !== 200) {
			if (this.ended || Date.now() > end)
				throw new Error(`the server did not start (${JSON.stringify(this.ended)}):\n${this.log.slice(-4000)}`);
			await pause(10);
		}
	}

	/* Asks it to end, and tells how it ended; after the patience it is killed. */
	async stop(signal = 'SIGTERM', patience = 20000) {
		if (!this.child)
			return { code: 0, signal: null };
		const timer = setTimeout(() => this.child.kill('SIGKILL'), patience);

		this.child.kill(signal);
		const ended = await this.exit;

		clearTimeout(timer);
		return ended;
	}

	async kill() {
		return this.stop('SIGKILL');
	}

	async restart() {
		await this.stop();
		await this.start();
	}
}
