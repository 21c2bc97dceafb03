/*
 * A connection that is ready before it begins: everything of a request has gone out but its last byte.
 * Whoever holds many of these lets them all go in one turn of the loop.
 */
import { once } from 'node:events';
import net from 'node:net';

function text({ method = 'POST', path, headers = {}, body }) {
	const lines = Object.entries({ host: 'localhost', ...headers, 'content-length': Buffer.byteLength(body) });

	return `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}

export class Wire {
	static async open(port) {
		const wire = new Wire();

		wire.socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
		wire.got = Buffer.alloc(0);
		await once(wire.socket, 'connect');
		wire.socket.on('data', (bytes) => wire.take(bytes));
		for (const end of ['error', 'close'])
			wire.socket.on(end, () => {
				wire.ended = true;
				wire.waiting?.fail(new Error('the connection ended'));
			});
		return wire;
	}

	/* All but the last byte, on its way. */
	load(request) {
		const bytes = Buffer.from(text(request));

		this.last = bytes.subarray(-1);
		return new Promise((done) => this.socket.write(bytes.subarray(0, -1), done));
	}

	/* { status, headers, text }: headers as one text. */
	fire() {
		if (this.ended)
			throw new Error('the connection has ended');
		const answer = new Promise((done, fail) => {
			this.waiting = { done, fail };
		});

		this.socket.write(this.last);
		return answer;
	}

	take(bytes) {
		this.got = Buffer.concat([this.got, bytes]);
		const end = this.got.indexOf('\r\n\r\n');

		if (end < 0)
			return;
		const head = this.got.subarray(0, end).toString('latin1');
		const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);

		if (this.got.length < end + 4 + length)
			return;
		const body = this.got.subarray(end + 4, end + 4 + length).toString();

		this.got = this.got.subarray(end + 4 + length);
		this.waiting.done({ status: Number(head.split(' ')[1]), headers: head, text: body });
	}

	close() {
		this.socket.removeAllListeners();
		this.socket.on('error', () => {});
		this.socket.destroy();
	}
}
