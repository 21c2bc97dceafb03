/*
 * What an attacker would try, one test for each: named after the item of the threat list that it plays.
 * Beside what must be refused stands what must go on working, or a test that refuses everything passes.
 */
import { test } from 'node:test';

/* attack('JWT-01', 'an algorithm of nothing opens nothing', async () => { ... }) */
export function attack(code, title, body) {
	test(`${code} ${title}`, { timeout: 120000 }, body);
}
