/*
 * One item of the checklist as one test. Against a foreign service the items that must look inside
 * (rows, clock, log, restart, settings) or read mail are reported as skipped, by name; against our
 * own server nothing is ever skipped.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { baseUrl, foreignMail } from './settings.mjs';
import { openWorld } from './world.mjs';

const inside = 'inside';
const mail = 'mail';

export const looksInside = { needs: inside };
export const readsMail = { needs: mail };

function missing({ needs }) {
	if (!baseUrl)
		return false;
	if (needs === inside)
		return 'must look inside the service';
	return needs === mail && !foreignMail ? 'must read the mail of the service' : false;
}

/* item(29, 'Valid POST ...', looksInside, async () => { ... }) */
export function item(number, title, ...rest) {
	const body = rest.pop();
	const options = rest.pop() ?? {};
	const name = `ID-${String(number).padStart(3, '0')} ${title}`;

	test(name, { skip: missing(options), timeout: options.timeout ?? 120000 }, body);
}

/* A world for a whole file, opened by the first who asks, renewed if its server has died. */
export function shared(options) {
	let opening = null;

	after(async () => {
		const world = await opening?.catch(() => null);

		await world?.close();
	});
	return async () => {
		const world = await opening;

		if (!opening || (world.server && world.server.ended))
			opening = openWorld(options);
		return opening;
	};
}

/* A world for one story. */
export async function within(options, story) {
	const world = await openWorld(options);

	try {
		await story(world);
	} catch (error) {
		if (world.server)
			world.server.expendable = true;
		error.message += `\n--- end of the server's log ---\n${world.server?.log.slice(-3000)}`;
		throw error;
	} finally {
		await world.close();
	}
}

/* The JSON envelope, to the byte: members in order, one line, the status said twice alike. */
export function says(answer, status, message, data = null) {
	const expected = JSON.stringify({ data, message, status }) + '\n';

	assert.equal(answer.status, status, answer.text);
	assert.equal(answer.headers['content-type'], 'application/json');
	assert.equal(answer.text, expected);
}

/* The same without a word about data, and with room for additive members. */
export function tells(answer, status, message) {
	assert.equal(answer.status, status, answer.text);
	assert.equal(answer.type, 'application/json');
	assert.equal(answer.json.message, message);
	assert.equal(answer.json.status, status);
	assert.ok('data' in answer.json, 'no data member');
	return answer.json.data;
}

/* A refusal over a field: what is wrong, and in which field. */
export function refuses(answer, field, message) {
	says(answer, 400, message, { field });
}
