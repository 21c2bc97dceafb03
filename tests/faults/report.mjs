/*
 * Counts what held and what did not, and says so in one line each.
 */
export class Report {
	constructor() {
		this.passed = 0;
		this.failed = 0;
	}

	/* story() returns what there is to say about it, if anything. */
	async check(name, story, log = () => '') {
		const began = performance.now();

		try {
			const said = await story();
			const seconds = ((performance.now() - began) / 1000).toFixed(1);

			this.passed += 1;
			process.stdout.write(`ok - ${name}${said ? `: ${said}` : ''} (${seconds} s)\n`);
		} catch (error) {
			this.failed += 1;
			process.stdout.write(`not ok - ${name}\n    ${String(error.stack).replaceAll('\n', '\n    ')}\n`);
			process.stdout.write(log().slice(-1500).replace(/^/gm, '    | ') + '\n');
		}
	}
}
