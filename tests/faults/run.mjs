#!/usr/bin/env node
/*
 * Breaks things on purpose and looks whether the promises hold:
 *
 *	node tests/faults/run.mjs                     everything
 *	node tests/faults/run.mjs allocations kill    only these parts
 *	KILLS=200 node tests/faults/run.mjs kill      more of the same
 *
 * Needs a program built with -Dtest_hooks=true, PORTRESS_BIN. Ends with one line
 * `N passed, N failed`, and with 1 if anything failed or nothing ran.
 */
import { acts, limiter } from './acts.mjs';
import { allocations } from './allocations.mjs';
import { gotrue } from './gotrue.mjs';
import { kill } from './kill.mjs';
import { Report } from './report.mjs';
import { sqlite } from './sqlite.mjs';

const parts = { allocations, acts, limiter, sqlite, kill, gotrue };

function choose(names) {
	const unknown = names.filter((name) => !(name in parts));

	if (unknown.length) {
		process.stderr.write(`no part ${unknown}; there are ${Object.keys(parts).join(', ')}\n`);
		process.exit(64);
	}
	return names.length ? names : Object.keys(parts);
}

/* Each temporary folder is removed at the end by a listener of its own. */
process.setMaxListeners(0);

const report = new Report();

for (const name of choose(process.argv.slice(2)))
	await report.check(`${name}: to the end`, () => parts[name](report));
process.stdout.write(`${report.passed} passed, ${report.failed} failed\n`);
process.exit(report.failed || !report.passed ? 1 : 0);
