/*
 * A private MariaDB: made fresh, on loopback and a socket of its own. The runner starts one for all
 * files and names it in ID_MARIADB; a file run alone makes its own. It is looked into through the
 * mariadb program, so that no further module is needed.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { freePort, temporaryFolder, until } from './settings.mjs';
import { bind } from './sqlite.mjs';

const run = promisify(execFile);

const path = `${process.env.PATH}:/usr/sbin`;

/* One statement a line: the server reads no other. */
const beginning = "CREATE USER IF NOT EXISTS portress@'%';\nGRANT ALL ON *.* TO portress@'%';\n";

/* MariaDB refuses to run as root. */
function asNobody(command) {
	if (process.getuid() !== 0)
		return command;
	return ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', ...command];
}

function nobodysIds() {
	const id = (flag) => Number(execFileSync('id', [flag, 'nobody']).toString());

	return [id('-u'), id('-g')];
}

const references = { lt: '<', gt: '>', amp: '&', quot: '"' };
const plain = (xml) => xml.replace(/&(lt|gt|amp|quot);/g, (_, name) => references[name]);

/* Whole numbers as numbers: the tests count small things. */
const asValue = (text) => (/^-?\d{1,16}$/.test(text) ? Number(text) : text);

/* The rows of `mariadb --xml`. */
function readRows(xml) {
	const field = /<field name="([^"]*)"(?:\s+xsi:nil="true" \/>|>([^<]*)<\/field>)/g;

	return [...xml.matchAll(/<row>([^]*?)<\/row>/g)].map(([, row]) =>
		Object.fromEntries([...row.matchAll(field)].map(([, name, text]) =>
			[name, text === undefined ? null : asValue(plain(text))])));
}

export class MariaDb {
	static async open() {
		const server = new MariaDb();

		server.folder = temporaryFolder('portress-my-');
		server.host = 'localhost';
		server.port = await freePort();
		server.data = join(server.folder, 'data');
		server.log = join(server.folder, 'log');
		server.socket = join(server.folder, 'socket');
		mkdirSync(server.data, { mode: 0o700 });
		writeFileSync(join(server.folder, 'beginning.sql'), beginning);
		if (process.getuid() === 0)
			for (const folder of [server.folder, server.data])
				chownSync(folder, ...nobodysIds());
		server.install();
		await server.start();
		return server;
	}

	/* The server that the runner started, or one for this whole process: it ends with it. */
	static async shared() {
		if (!process.env.ID_MARIADB) {
			MariaDb.own ??= MariaDb.open().then((server) => {
				server.process.unref();
				return Object.assign(server, { borrowed: true });
			});
			return MariaDb.own;
		}
		return Object.assign(new MariaDb(), JSON.parse(process.env.ID_MARIADB), { borrowed: true });
	}

	/* What another process needs to know of it. */
	get description() {
		const { host, port, log, folder, data, socket } = this;

		return JSON.stringify({ host, port, log, folder, data, socket });
	}

	install() {
		const [file, ...words] = asNobody(['mariadb-install-db', '--no-defaults', `--datadir=${this.data}`,
			'--auth-root-authentication-method=normal', '--skip-test-db']);

		execFileSync(file, words, { stdio: 'pipe', cwd: this.folder, env: this.environment });
	}

	/* A MariaDB that starts clears away the temporary tables of every other in the same folder. */
	get environment() {
		return { ...process.env, PATH: path, TMPDIR: this.folder };
	}

	async start() {
		const settings = { datadir: this.data, socket: this.socket, port: this.port, 'bind-address': '127.0.0.1',
			'pid-file': join(this.data, 'pid'), 'init-file': join(this.folder, 'beginning.sql'),
			'innodb-flush-log-at-trx-commit': 0, 'innodb-doublewrite': 0, 'innodb-buffer-pool-size': '64M',
			'innodb-log-file-size': '16M', 'max-connections': 300 };
		const words = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
		const [file, ...rest] = asNobody(['mariadbd', '--no-defaults', ...words]);
		const log = openSync(this.log, 'a');

		this.process = spawn(file, rest, { stdio: ['ignore', log, log], cwd: this.folder, env: this.environment });
		closeSync(log);
		this.ended = once(this.process, 'exit');
		this.atExit ??= process.on('exit', () => this.process?.kill('SIGKILL'));
		await until('MariaDB to answer', () => this.answers(), 30000);
	}

	async answers() {
		if (this.process.exitCode !== null)
			throw new Error(`MariaDB ended: ${readFileSync(this.log, 'utf8').slice(-2000)}`);
		try {
			await this.query('mysql', 'SELECT 1');
			return true;
		} catch {
			return false;
		}
	}

	async stop() {
		if (!this.process)
			return;
		this.process.kill('SIGTERM');
		await this.ended;
		this.process = null;
	}

	/* Values stand for $1, $2 ... as PostgreSQL numbers them; a backslash in one is a backslash. */
	async query(database, text, values = []) {
		const words = ['--no-defaults', `--socket=${this.socket}`, '--user=portress', '--xml',
			'--default-character-set=utf8mb4', "--init-command=SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
			database, `--execute=${bind(text, values)}`];
		const { stdout } = await run('mariadb', words, { maxBuffer: 64 * 1024 * 1024 });

		return readRows(stdout);
	}

	async createDatabase() {
		const name = `id_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;

		await this.query('mysql', `CREATE DATABASE ${name}`);
		return name;
	}

	url(database) {
		return `mysql://portress@${this.host}:${this.port}/${database}`;
	}

	async close() {
		if (!this.borrowed)
			await this.stop();
	}
}
