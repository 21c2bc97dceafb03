/*
 * A cable between the server and its database that can be pulled and put back.
 */
import { once } from 'node:events';
import net from 'node:net';

import { freePort } from './settings.mjs';

export class Relay {
	static async open(host, port) {
		const relay = new Relay();

		relay.target = { host, port };
		relay.port = await freePort();
		relay.sockets = new Set();
		await relay.up();
		return relay;
	}

	async up() {
		this.server = net.createServer((near) => this.join(near));
		this.server.listen(this.port, '127.0.0.1');
		await once(this.server, 'listening');
	}

	join(near) {
		const far = net.connect(this.target);

		for (const [socket, other] of [[near, far], [far, near]]) {
			this.sockets.add(socket);
			socket.on('error', () => other.destroy());
			socket.on('close', () => { this.sockets.delete(socket); other.destroy(); });
			socket.pipe(other);
		}
	}

	async down() {
		const closed = new Promise((done) => this.server.close(done));

		for (const socket of this.sockets)
			socket.destroy();
		await closed;
	}

	async close() {
		if (this.server.listening)
			await this.down();
	}
}
