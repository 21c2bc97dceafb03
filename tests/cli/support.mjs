/*
 * The program as a person at a terminal meets it: one folder, words, an answer.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';

import { run } from '../support/server.mjs';
import { temporaryFolder } from '../support/settings.mjs';

export function place(settings = {}) {
	const folder = temporaryFolder('portress-cli-');
	const database = join(folder, 'portress.db');

	return { folder, database, settings: { PORTRESS_DATABASE: `sqlite:${database}`, ...settings } };
}

export const ask = (words, { folder, settings } = place()) => run(words, { folder, settings });

/* One sentence on stderr that holds `says`, nothing on stdout, this exit code. */
export async function refused(words, code, says, where = place()) {
	const answer = await ask(words, where);

	assert.equal(answer.code, code, `${words}: ${answer.err}${answer.out}`);
	assert.match(answer.err, says);
	return answer;
}
