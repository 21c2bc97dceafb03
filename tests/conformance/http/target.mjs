/*
 * Whom the checks talk to: HTTP_TARGET when it is set (a base URL), or else the echo server, started
 * here with deadlines short enough to wait for. HTTP_PID names the process behind HTTP_TARGET, if it
 * runs here; HTTP_HEADER_MS and HTTP_BODY_MS are its deadlines.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const built = ['build-test', 'build'].map((name) => join(root, name, 'tests/unit/http/echo_server'));

export const echoServer = process.env.HTTP_ECHO_SERVER || built.find(existsSync) || built[0];

const running = new Set();

process.on('exit', () => {
	for (const child of running)
		child.kill('SIGKILL');
});

export class EchoServer {
	/* The words are its options; `files` is how many descriptors it may have. */
	static async start(words = [], files = 0) {
		const server = new EchoServer();
		const limit = files ? `ulimit -n ${files}; ` : '';
		const child = spawn('sh', ['-c', `${limit}exec "$0" "$@"`, echoServer, '--quiet', '1', ...words.map(String)],
			{ stdio: ['ignore', 'pipe', 'pipe'] });

		running.add(child);
		child.once('exit', () => running.delete(child));
		server.child = child;
		server.out = '';
		server.log = '';
		child.stdout.on('data', (text) => { server.out += text; });
		child.stderr.on('data', (text) => { server.log += text; });
		while (!/listening \d+/.test(server.out)) {
			if (child.exitCode !== null)
				throw new Error(`${echoServer} ended: ${server.log}`);
			await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
		}
		server.host = '127.0.0.1';
		server.port = Number(/listening (\d+)/.exec(server.out)[1]);
		server.pid = child.pid;
		return server;
	}

	/* { code, drained, open, requests ... } */
	async stop() {
		const exit = once(this.child, 'close');

		this.child.kill('SIGTERM');
		const [code, signal] = await exit;
		const counts = Object.fromEntries([...this.out.matchAll(/(\w+) (\d+)/g)].map(([, k, v]) => [k, Number(v)]));

		return { code, signal, ...counts };
	}
}

export async function openTarget() {
	if (!process.env.HTTP_TARGET) {
		const server = await EchoServer.start(['--header-ms', 1200, '--body-ms', 1500, '--idle-ms', 3000, '--loops', 2]);

		return { ...pick(server), headerMs: 1200, bodyMs: 1500, slow: 5, name: 'localhost',
			close: () => server.stop() };
	}
	const url = new URL(process.env.HTTP_TARGET);

	return { host: url.hostname, port: Number(url.port || 80), name: url.host, pid: Number(process.env.HTTP_PID || 0),
		headerMs: Number(process.env.HTTP_HEADER_MS || 15000), bodyMs: Number(process.env.HTTP_BODY_MS || 30000),
		slow: 1, close: async () => ({ code: 0 }) };
}

const pick = ({ host, port, pid }) => ({ host, port, pid });

/* Resident memory in KiB and open descriptors, where the process can be looked at. A sanitizer keeps
 * freed memory for itself, so then its weight says nothing. */
export function footprint(pid) {
	if (!pid)
		return null;
	const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

	const sanitized = /lib[at]san/.test(readFileSync(`/proc/${pid}/maps`, 'utf8'));

	return { rss, weighs: !sanitized, files: readdirSync(`/proc/${pid}/fd`).length };
}
