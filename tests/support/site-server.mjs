/*
 * A site as people host one: pages of its own, and behind some of its paths a service at another
 * address, as a reverse proxy has it.
 *
 *	const front = await SiteServer.open();
 *	front.page('/', '<h1>Hello</h1>');
 *	front.behind('/.netlify/identity', 'http://127.0.0.1:8081');
 *
 * It listens on this machine whatever it is called there; Chromium finds *.localhost by itself.
 */
import { once } from 'node:events';
import http from 'node:http';

export class SiteServer {
	static async open(name = 'localhost') {
		const site = new SiteServer();

		site.files = new Map();
		site.services = new Map();
		site.server = http.createServer((request, response) => site.#answer(request, response));
		site.server.listen(0, '127.0.0.1');
		await once(site.server, 'listening');
		site.url = `http://${name}:${site.server.address().port}`;
		return site;
	}

	page(path, body, type = 'text/html; charset=utf-8') {
		this.files.set(path, { body, type });
	}

	script(path, body) {
		this.page(path, body, 'text/javascript; charset=utf-8');
	}

	behind(prefix, target) {
		this.services.set(prefix, target);
	}

	#answer(request, response) {
		const { pathname } = new URL(request.url, this.url);
		const service = [...this.services].find(([prefix]) => pathname.startsWith(`${prefix}/`));
		const file = this.files.get(pathname);

		if (service)
			return this.#pass(request, response, service[1]);
		response.writeHead(file ? 200 : 404, { 'content-type': file?.type ?? 'text/plain' }).end(file?.body);
	}

	#pass(request, response, target) {
		const { hostname, port } = new URL(target);
		const { method, url: path, headers } = request;
		const onward = http.request({ hostname, port, method, path, headers }, (answer) => {
			response.writeHead(answer.statusCode, answer.rawHeaders);
			answer.pipe(response);
		});

		onward.on('error', () => response.destroy());
		request.pipe(onward);
	}

	async close() {
		this.server.closeAllConnections();
		await new Promise((done) => this.server.close(done));
	}
}
