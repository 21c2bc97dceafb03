/*
 * Stands in for a program that wants to be asked: records every call and answers by the script.
 *
 * An answer: { status, body, type, headers, delay } as they say (body: text, or an object that
 * becomes JSON); delay in milliseconds before anything is sent; silent: nothing ever is; cut: the
 * line breaks off, 'connection' before the head, 'body' in the middle of it. Or a function that is
 * given the call and returns one. Each call takes the next of `script`; when there is none left,
 * `otherwise` answers.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import https from 'node:https';

import { certificates } from './certificates.mjs';
import { freePort, pause, until } from './settings.mjs';

const decoded = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());

/* What a signature says, and whether it is one by this secret of these bytes. */
export function signatureOf(token, secret, raw) {
	const [head, claims, mac] = (token ?? '').split('.');

	if (mac === undefined)
		return null;
	const wanted = createHmac('sha256', secret).update(`${head}.${claims}`).digest();
	const given = Buffer.from(mac, 'base64url');
	const said = decoded(claims);

	return {
		header: decoded(head),
		claims: said,
		isGenuine: given.length === wanted.length && timingSafeEqual(given, wanted),
		isOfBody: said.sha256 === createHash('sha256').update(raw).digest('hex'),
	};
}

function parsed(raw) {
	try {
		return JSON.parse(raw.toString());
	} catch {
		return undefined;
	}
}

export class HookServer extends EventEmitter {
	/* secret: signatures are judged by it; host: the name in `url`. */
	static async open({ secret = '', tls = false, host = '127.0.0.1', path = '/hook' } = {}) {
		const hooks = new HookServer();

		Object.assign(hooks, { secret, tls, host, calls: [], script: [], otherwise: { status: 200 } });
		hooks.port = await freePort();
		hooks.url = `${tls ? 'https' : 'http'}://${host}:${hooks.port}${path}`;
		await hooks.up();
		return hooks;
	}

	async up() {
		const take = (request, response) => {
			this.take(request, response).catch(() => request.socket.destroy());
		};

		this.server = this.tls ? https.createServer(certificates(), take) : http.createServer(take);
		this.server.listen(this.port, '127.0.0.1');
		await once(this.server, 'listening');
	}

	async take(request, response) {
		const chunks = [];

		for await (const chunk of request)
			chunks.push(chunk);
		const raw = Buffer.concat(chunks);
		const call = {
			at: Date.now(), method: request.method, path: request.url, headers: request.headers,
			event: request.headers['x-netlify-event'], raw, body: parsed(raw),
			signature: signatureOf(request.headers['x-webhook-signature'], this.secret, raw),
		};
		this.calls.push(call);
		this.emit('call', call);
		await this.answer(call, response);
	}

	async answer(call, response) {
		const next = this.script.length > 0 ? this.script.shift() : this.otherwise;
		const answer = typeof next === 'function' ? await next(call) : next;

		if (answer.silent)
			return;
		if (answer.delay)
			await pause(answer.delay);
		if (answer.cut === 'connection') {
			response.socket?.destroy();
			return;
		}
		this.write(answer, response);
	}

	write({ status = 200, body = '', type = 'application/json', headers = {}, cut }, response) {
		const bytes = Buffer.from(typeof body === 'object' && !Buffer.isBuffer(body)
			? JSON.stringify(body) : body);

		response.writeHead(status, { ...(bytes.length > 0 ? { 'content-type': type } : {}),
			...(status === 204 ? {} : { 'content-length': bytes.length }), ...headers });
		if (cut === 'body')
			response.write(bytes.subarray(0, bytes.length / 2), () => response.socket?.destroy());
		else
			response.end(bytes);
	}

	/* The calls about one event, "login". */
	about(event) {
		return this.calls.filter((call) => call.event === `identity_${event}`);
	}

	/* Waits for the n-th call about an event: those after the fact come through the outbox. */
	async called(event, n = 1) {
		await until(`call ${n} about ${event}`, () => this.about(event).length >= n);
		return this.about(event)[n - 1];
	}

	forget() {
		this.calls = [];
		this.script = [];
		this.otherwise = { status: 200 };
	}

	async down() {
		const closed = new Promise((done) => this.server.close(done));

		this.server.closeAllConnections();
		await closed;
	}

	async close() {
		if (this.server.listening)
			await this.down();
	}
}
