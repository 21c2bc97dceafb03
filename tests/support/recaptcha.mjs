/*
 * Stands in for Google's siteverify: a form POST of secret and response, a JSON answer. `mood`
 * decides: true, false, garbage, string (success is the text "true"), foreign (another host name).
 */
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';

import { certificates } from './certificates.mjs';
import { freePort } from './settings.mjs';

const moods = {
	true: (host) => JSON.stringify({ success: true, challenge_ts: '2024-06-01T00:00:00Z', hostname: host }),
	false: () => JSON.stringify({ success: false, 'error-codes': ['invalid-input-response'] }),
	string: () => JSON.stringify({ success: 'true' }),
	foreign: () => JSON.stringify({ success: true, hostname: 'elsewhere.example' }),
	garbage: () => '<html>success: true</html>',
};

export class Recaptcha {
	static async open({ tls = false, hostname = 'localhost' } = {}) {
		const stub = new Recaptcha();

		stub.mood = 'true';
		stub.calls = [];
		stub.hostname = hostname;
		stub.tls = tls;
		stub.port = await freePort();
		stub.url = `${tls ? 'https' : 'http'}://localhost:${stub.port}/recaptcha/api/siteverify`;
		await stub.up();
		return stub;
	}

	async up() {
		const answer = (request, response) => this.answer(request, response);

		this.server = this.tls ? https.createServer(certificates(), answer) : http.createServer(answer);
		this.server.listen(this.port, '127.0.0.1');
		await once(this.server, 'listening');
	}

	async answer(request, response) {
		const chunks = [];

		for await (const chunk of request)
			chunks.push(chunk);
		this.calls.push({ method: request.method, path: request.url, type: request.headers['content-type'],
			fields: Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString())) });
		response.setHeader('content-type', 'application/json');
		response.end(moods[this.mood](this.hostname));
	}

	async down() {
		this.server.closeAllConnections();
		await new Promise((done) => this.server.close(done));
	}

	async close() {
		if (this.server.listening)
			await this.down();
	}
}
