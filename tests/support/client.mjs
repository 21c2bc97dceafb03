/*
 * An HTTP client that hides nothing: redirects are not followed, headers go out as given, and the
 * cookie jar is a Map that a test may read and spoil.
 */
import http from 'node:http';
import https from 'node:https';
import { randomBytes } from 'node:crypto';

import { cookieName, mask, readCookie } from './csrf.mjs';
import * as html from './html.mjs';

export function parseSetCookie(line) {
	const [pair, ...rest] = line.split(/;\s*/);
	const attributes = {};

	for (const part of rest) {
		const [name, ...value] = part.split('=');

		attributes[name.toLowerCase()] = value.length ? value.join('=') : true;
	}
	return { name: pair.slice(0, pair.indexOf('=')), value: pair.slice(pair.indexOf('=') + 1),
		attributes };
}

class Answer {
	constructor(message, body, milliseconds, reused) {
		this.status = message.statusCode;
		this.headers = message.headers;
		this.rawHeaders = message.rawHeaders;
		this.body = body;
		this.milliseconds = milliseconds;
		this.reused = reused;
		this.cookies = (message.headers['set-cookie'] ?? []).map(parseSetCookie);
	}

	get text() {
		return this.body.toString('utf8');
	}

	get json() {
		return JSON.parse(this.text);
	}

	get location() {
		return this.headers.location;
	}

	get type() {
		return (this.headers['content-type'] ?? '').split(';')[0];
	}

	get title() {
		return html.title(this.text);
	}

	cookie(name) {
		return this.cookies.find((one) => one.name === name);
	}
}

function multipartBody(fields) {
	const boundary = `----portress${randomBytes(12).toString('hex')}`;
	const parts = Object.entries(fields).map(([name, value]) =>
		`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);

	return { type: `multipart/form-data; boundary=${boundary}`,
		body: `${parts.join('')}--${boundary}--\r\n` };
}

/* Exactly one of json, form, multipart, body; none is no body. */
function encodeBody({ json, form, multipart, body, type }) {
	if (json !== undefined)
		return { type: type ?? 'application/json', body: JSON.stringify(json) };
	if (form !== undefined)
		return { type: type ?? 'application/x-www-form-urlencoded',
			body: new URLSearchParams(form).toString() };
	if (multipart !== undefined)
		return multipartBody(multipart);
	return { type, body };
}

export class Client {
	/* connect: where the bytes go; base: who they think they talk to. */
	constructor({ base, connect = base, accept = 'application/json', headers = {} }) {
		this.base = new URL(base);
		this.connect = new URL(connect);
		this.prefix = this.base.pathname.replace(/\/$/, '');
		this.accept = accept;
		this.headers = headers;
		this.jar = new Map();
		this.token = '';
	}

	/* A second client that holds the same cookies now, and its own from then on. */
	clone() {
		const twin = new this.constructor({ base: this.base.href, connect: this.connect.href,
			accept: this.accept, headers: this.headers });

		for (const [name, cookie] of this.jar)
			twin.jar.set(name, cookie);
		twin.token = this.token;
		return twin;
	}

	cookieHeader(path) {
		const sent = [...this.jar.values()].filter((one) => path.startsWith(one.path));

		return sent.map((one) => `${one.name}=${one.value}`).join('; ');
	}

	keepCookies(cookies) {
		for (const { name, value, attributes } of cookies) {
			const path = typeof attributes.path === 'string' ? attributes.path : '/';

			if (attributes['max-age'] === '0' || value === '')
				this.jar.delete(name);
			else
				this.jar.set(name, { name, value, path });
		}
	}

	/* How a request goes out. Any header may be set to undefined to leave it away. */
	requestHeaders(path, options, encoded) {
		const headers = { host: this.base.host, accept: this.accept };
		const cookies = this.cookieHeader(path);

		if (cookies && options.cookies !== false)
			headers.cookie = cookies;
		if (encoded.type)
			headers['content-type'] = encoded.type;
		if (encoded.body !== undefined)
			headers['content-length'] = Buffer.byteLength(encoded.body);
		Object.assign(headers, this.headers, options.headers);
		return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
	}

	request(method, path, options = {}) {
		const encoded = encodeBody(options);
		const full = this.prefix + path;
		const module = this.connect.protocol === 'https:' ? https : http;
		const started = performance.now();

		return new Promise((done, fail) => {
			const request = module.request({
				host: this.connect.hostname, port: this.connect.port, method, path: full,
				headers: this.requestHeaders(full, options, encoded),
				agent: options.agent ?? false, setHost: false,
			}, (message) => {
				const chunks = [];

				message.on('data', (chunk) => chunks.push(chunk));
				message.on('error', fail);
				message.on('end', () => {
					const answer = new Answer(message, Buffer.concat(chunks),
						performance.now() - started, request.reusedSocket);

					this.learn(answer, options);
					done(answer);
				});
			});

			request.on('error', fail);
			request.setTimeout(options.timeout ?? 60000,
				() => request.destroy(new Error(`${method} ${full}: no answer in time`)));
			request.end(encoded.body);
		});
	}

	learn(answer, options) {
		if (options.cookies === false)
			return;
		this.keepCookies(answer.cookies);
		if (answer.headers['x-csrf-token'])
			this.token = answer.headers['x-csrf-token'];
	}

	get(path, options) {
		return this.request('GET', path, options);
	}

	/* The originals give their token to nobody, so read it from the cookie where no header came. */
	async csrfToken() {
		if (!this.token)
			await this.get('/home');
		if (!this.token && this.jar.has(cookieName))
			this.token = mask(readCookie(this.jar.get(cookieName).value).token);
		return this.token;
	}

	/* fields are sent as JSON unless the options say form, multipart or body. csrf: false sends none. */
	async post(path, fields, options = {}) {
		const token = options.csrf === false ? undefined : options.csrf ?? await this.csrfToken();
		const body = fields === undefined ? {} : { json: fields };

		return this.request(options.method ?? 'POST', path, { ...body, ...options,
			headers: { 'x-csrf-token': token || undefined, ...options.headers } });
	}
}

const browserAccept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

/* A client that asks for pages, and fills in forms as a browser without script does. */
export class Browser extends Client {
	constructor(options) {
		super({ accept: browserAccept, ...options });
	}

	/* Opens the page, fills in its form and sends it. The answer is not followed. */
	async submit(path, fields, options = {}) {
		const page = options.page ?? await this.get(path);
		const form = html.form(page.text, path.split('?')[0]);
		const action = new URL(form.action, new URL(this.prefix + path, this.base)).pathname;

		return this.request('POST', action.slice(this.prefix.length), {
			form: { ...form.hidden, ...fields },
			headers: { origin: this.base.origin, referer: new URL(this.prefix + path, this.base).href,
				...options.headers },
		});
	}
}
