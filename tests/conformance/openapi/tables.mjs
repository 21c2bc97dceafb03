/*
 * The server's own tables, read from its source: which rows there are, and which refusals have words.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

const surface = join(root, 'src/surface');

const sourcesOf = (folder) => readdirSync(join(surface, folder)).filter((file) => file.endsWith('.c'))
	.map((file) => readFileSync(join(surface, folder, file), 'utf8'));

/* "GET /signup" for each row of each `struct route` table of those dialects. */
export function routeRows(...dialects) {
	const tables = dialects.flatMap(sourcesOf)
		.flatMap((text) => [...text.matchAll(/struct route \w+\[\] = \{(.*?)^\};/gms)]);
	const rows = tables.flatMap(([, table]) => [...table.matchAll(/^\s*\{\s*([A-Z_| ]+),\s*"([^"]+)"/gm)]);

	return rows.flatMap(([, methods, path]) =>
		methods.split('|').map((method) => `${method.trim().replace('HTTP_', '')} ${path}`)).sort();
}

/* C's adjacent string literals as one. */
const literal = (text) => text.split('"').filter((_, i) => i % 2 === 1).join('');

/* What no page asks the library for: words.c has them because each refusal must have some. */
const unsaid = ['400 Signing in elsewhere did not work', '503 The letter could not be sent'];

/* "400 Invalid input" for each refusal of a page whose words are fixed. */
export function fixedWords() {
	const text = readFileSync(join(surface, 'pages/words.c'), 'utf8');
	const words = [...text.matchAll(/WORDS\((\d+),\s*((?:"[^"]*"\s*)+),/g)];

	return [...new Set(words.map(([, status, message]) => `${status} ${literal(message)}`))]
		.filter((one) => /^\d+ ./.test(one) && !unsaid.includes(one)).sort();
}
