/*
 * A program of ours as an object, `jws` unless another is named: one question, one answer, in order.
 *
 *	const ours = await Speaker.open();
 *	const token = await ours.ask('sign', 'a', b64(claims));     throws if the answer is `no`
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

function program(name) {
	const folder = process.env.PORTRESS_BIN ? dirname(process.env.PORTRESS_BIN) : join(root, 'build-test');
	const path = process.env[`${name.toUpperCase()}_BIN`] ?? join(folder, 'tests/oracles', name);

	if (!existsSync(path))
		throw new Error(`${path} is not built; ${name.toUpperCase()}_BIN may name another one`);
	return path;
}

export const b64 = (bytes) => (bytes.length ? Buffer.from(bytes).toString('base64url') : '-');
export const unb64 = (text) => Buffer.from(text, 'base64url').toString();

export class Speaker {
	#child;
	#waiting = [];

	constructor(child) {
		this.#child = child;
		createInterface({ input: child.stdout }).on('line', (line) => this.#waiting.shift()(line));
	}

	static open(name = 'jws') {
		return new Speaker(spawn(program(name), { stdio: ['pipe', 'pipe', 'ignore'] }));
	}

	/* The whole answer: { ok, text }. */
	say(...words) {
		return new Promise((done) => {
			this.#waiting.push((line) => done({ ok: line.startsWith('ok'), text: line.slice(3) }));
			this.#child.stdin.write(`${words.join(' ')}\n`);
		});
	}

	async ask(...words) {
		const { ok, text } = await this.say(...words);

		if (!ok)
			throw new Error(`${words[0]}: ${text}`);
		return text;
	}

	async accepts(...words) {
		return (await this.say(...words)).ok;
	}

	close() {
		this.#child.stdin.end();
	}
}
