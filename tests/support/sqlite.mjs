/*
 * A look into an SQLite file through the sqlite3 program, so that no native module is needed.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export function literal(value) {
	if (value === null || value === undefined)
		return 'NULL';
	if (typeof value === 'number')
		return String(value);
	if (typeof value === 'boolean')
		return value ? '1' : '0';
	return `'${String(value).replaceAll("'", "''")}'`;
}

/* Replaces $1, $2 ... as PostgreSQL numbers them. */
export function bind(text, values) {
	return text.replace(/\$(\d+)/g, (_, number) => literal(values[number - 1]));
}

export async function query(path, text, values = []) {
	const { stdout } = await run('sqlite3', ['-json', '-cmd', '.timeout 5000', path, bind(text, values)],
		{ maxBuffer: 64 * 1024 * 1024 });

	return stdout.trim() ? JSON.parse(stdout) : [];
}
