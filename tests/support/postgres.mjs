/*
 * A private PostgreSQL cluster: made fresh, on loopback and a socket of its own, every statement in
 * its log. The runner starts one for all files and names it in ID_PG; a file run alone makes its own.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import pg from 'pg';

import { freePort, temporaryFolder, until } from './settings.mjs';

/* Count and bigint columns as numbers: the tests count small things. */
pg.types.setTypeParser(20, Number);

function programs() {
	const home = '/usr/lib/postgresql';
	const versions = existsSync(home) ? readdirSync(home).sort((a, b) => b - a) : [];

	if (!versions.length)
		throw new Error('PostgreSQL is not installed: apt-get install postgresql');
	return join(home, versions[0], 'bin');
}

/* PostgreSQL refuses to run as root. */
function asPostgres(command) {
	if (process.getuid() !== 0)
		return command;
	return ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', ...command];
}

function postgresIds() {
	const id = (flag) => Number(execFileSync('id', [flag, 'postgres']).toString());

	return [id('-u'), id('-g')];
}

export class Cluster {
	static async open() {
		const cluster = new Cluster();

		cluster.folder = temporaryFolder('portress-pg-');
		cluster.host = 'localhost';
		cluster.port = await freePort();
		cluster.data = join(cluster.folder, 'data');
		cluster.log = join(cluster.folder, 'log');
		mkdirSync(cluster.data, { mode: 0o700 });
		if (process.getuid() === 0)
			for (const path of [cluster.folder, cluster.data])
				chownSync(path, ...postgresIds());
		cluster.run('initdb', '-D', cluster.data, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8',
			'--no-locale', '--no-sync');
		await cluster.start();
		return cluster;
	}

	/* The cluster that the runner started, or one for this whole process: it ends with it. */
	static async shared() {
		if (!process.env.ID_PG) {
			Cluster.own ??= Cluster.open().then((cluster) => {
				cluster.process.unref();
				return Object.assign(cluster, { borrowed: true });
			});
			return Cluster.own;
		}
		return Object.assign(new Cluster(), JSON.parse(process.env.ID_PG), { borrowed: true });
	}

	run(name, ...words) {
		const [file, ...rest] = asPostgres([join(programs(), name), ...words]);

		execFileSync(file, rest, { stdio: 'pipe', cwd: this.folder });
	}

	async start() {
		const settings = { port: this.port, listen_addresses: this.host, fsync: 'off', max_connections: 200,
			unix_socket_directories: this.folder, log_statement: 'all', log_line_prefix: '%d|%p| ',
			logging_collector: 'off', timezone: 'UTC' };
		const words = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
		const [file, ...rest] = asPostgres([join(programs(), 'postgres'), '-D', this.data, ...words]);
		const log = openSync(this.log, 'a');

		this.process = spawn(file, rest, { stdio: ['ignore', log, log], cwd: this.folder });
		closeSync(log);
		this.ended = once(this.process, 'exit');
		this.atExit ??= process.on('exit', () => this.process?.kill('SIGQUIT'));
		await until('PostgreSQL to answer', () => this.answers(), 30000);
	}

	async answers() {
		if (this.process.exitCode !== null)
			throw new Error(`PostgreSQL ended: ${readFileSync(this.log, 'utf8').slice(-2000)}`);
		try {
			await this.query('postgres', 'SELECT 1');
			return true;
		} catch {
			return false;
		}
	}

	/* Fast shutdown: every session is cut. */
	async stop() {
		if (!this.process)
			return;
		this.process.kill('SIGINT');
		await this.ended;
		this.process = null;
	}

	async query(database, text, values) {
		const client = new pg.Client({ host: '127.0.0.1', port: this.port, user: 'postgres', database });

		client.on('error', () => {});
		await client.connect();
		try {
			return (await client.query(text, values)).rows;
		} finally {
			await client.end();
		}
	}

	async createDatabase() {
		const name = `id_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;

		await this.query('postgres', `CREATE DATABASE ${name}`);
		return name;
	}

	/* Every statement that anybody sent to that database, one an entry. */
	statements(database) {
		const entries = readFileSync(this.log, 'utf8').split(/\n(?=[^\n|]*\|\d+\| )/);
		const said = /^[^|]*\|\d+\| LOG:\s+(?:statement|execute [^:]*):\s*([\s\S]*)$/;

		return entries.filter((entry) => entry.startsWith(`${database}|`))
			.map((entry) => said.exec(entry)?.[1]).filter(Boolean);
	}

	async close() {
		if (!this.borrowed)
			await this.stop();
	}
}
