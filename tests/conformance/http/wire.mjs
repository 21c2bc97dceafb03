/*
 * One TCP connection, byte by byte, and the answers that come over it.
 */
import { once } from 'node:events';
import net from 'node:net';

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class Wire {
	static async open(target) {
		const wire = new Wire();

		wire.socket = net.connect({ host: target.host, port: target.port });
		wire.text = '';
		wire.ended = false;
		wire.socket.setEncoding('latin1');
		wire.socket.on('data', (text) => { wire.text += text; });
		wire.socket.on('end', () => { wire.ended = true; });
		wire.socket.on('error', () => { wire.ended = true; });
		wire.socket.on('close', () => { wire.ended = true; });
		await once(wire.socket, 'connect');
		return wire;
	}

	say(bytes) {
		if (!this.socket.destroyed)
			this.socket.write(bytes, 'latin1');
	}

	close() {
		this.socket.destroy();
	}

	async until(what, ask, patience = 5000) {
		const end = performance.now() + patience;

		while (!ask()) {
			if (performance.now() > end)
				throw new Error(`waited ${patience} ms in vain for ${what}; got ${JSON.stringify(this.text)}`);
			await pause(2);
		}
	}

	ending(patience) {
		return this.until('the end', () => this.ended, patience);
	}

	/* The first n answers, whole. */
	async answers(n, patience) {
		await this.until(`${n} answers`, () => parse(this.text).length >= n || this.ended, patience);
		return parse(this.text);
	}
}

/* Whole answers at the front of a text; HEAD answers are not understood. */
export function parse(text) {
	const found = [];

	for (;;) {
		const end = text.indexOf('\r\n\r\n');

		if (end < 0)
			return found;
		const [first, ...lines] = text.slice(0, end).split('\r\n');
		const headers = {};

		for (const line of lines) {
			const colon = line.indexOf(':');

			headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
		}
		const length = Number(headers['content-length'] ?? 0);
		const body = text.slice(end + 4, end + 4 + length);

		if (body.length < length)
			return found;
		found.push({ status: Number(first.split(' ')[1]), first, headers, body });
		text = text.slice(end + 4 + length);
	}
}

/* Says something on a wire of its own and reads until the server ends it, or answered n times. */
export async function ask(target, bytes, { n = Infinity, patience = 5000 } = {}) {
	const wire = await Wire.open(target);
	const began = performance.now();

	wire.say(bytes);
	const answers = await wire.answers(n, patience);

	wire.close();
	return { answers, first: answers[0], text: wire.text, ended: wire.ended, ms: performance.now() - began };
}

export { pause };
