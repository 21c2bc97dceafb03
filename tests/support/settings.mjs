/*
 * What a run is about, read once from the environment: which program, which store, or which
 * foreign service. Everything else in the harness asks here.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/* The build with hooks when there is one: moving the clock needs it. */
function findProgram() {
	const built = [join(root, 'build-test/portress'), join(root, 'build/portress')];

	return process.env.PORTRESS_BIN || built.find(existsSync) || built[0];
}

export const program = findProgram();

/* Set: play to that service, and look at nothing but its answers. */
export const baseUrl = process.env.ID_BASE_URL || '';

/* With a foreign service: where its letters come in, as host:port for us to listen on. */
export const foreignMail = process.env.ID_SMTP_LISTEN || '';

export const storeKind = process.env.ID_STORE || 'sqlite';

/* Portress's own tables, as a plain start makes them. */
export const isPlain = (kind) => kind === 'native' || kind === 'mariadb';

export const storeShape = process.env.ID_SHAPE || (isPlain(storeKind) ? 'own' : 'g2');

/* Where only the drop-in keeps to the original's letter: a plain start is stricter, or keeps more. */
export const dropIn = isPlain(storeKind) ? { kind: 'sqlite', shape: 'g2' } : {};

/* A file of tests opens many folders, each of which cleans up at the end. */
process.setMaxListeners(0);

export function temporaryFolder(prefix = 'portress-') {
	const folder = mkdtempSync(join(tmpdir(), prefix));

	process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
	return folder;
}

function portIsFree(port) {
	return new Promise((done) => {
		const probe = createServer();

		probe.once('error', () => done(false));
		probe.listen(port, '127.0.0.1', () => probe.close(() => done(true)));
	});
}

/* Below the range that the kernel hands out to outgoing connections, so nobody takes it meanwhile. */
export async function freePort() {
	for (;;) {
		const port = 12000 + Math.floor(Math.random() * 20000);

		if (await portIsFree(port))
			return port;
	}
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/* Asks until the answer is truthy, and returns it; throws after the patience is over. */
export async function until(what, ask, patience = 10000) {
	const end = Date.now() + patience;

	for (;;) {
		const answer = await ask();

		if (answer)
			return answer;
		if (Date.now() > end)
			throw new Error(`waited ${patience} ms in vain for ${what}`);
		await pause(20);
	}
}
