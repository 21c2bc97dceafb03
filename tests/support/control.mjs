/*
 * The strings of a test build (src/base/hook.h): a file of little-endian 64-bit words that the
 * running server has mapped. A release does not look at it.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const words = ['clock_offset', 'fail_alloc', 'fail_act', 'fail_sticky', 'count_alloc', 'count_act',
	'random_seed', 'break_limiter', 'stall_before_act'];

export class Control {
	constructor(folder) {
		this.path = join(folder, 'control');
		this.file = openSync(this.path, 'w+');
		writeSync(this.file, Buffer.alloc(4096));
	}

	offset(name) {
		const index = words.indexOf(name);

		if (index < 0)
			throw new Error(`no word ${name} in the control file`);
		return index * 8;
	}

	set(name, value) {
		const bytes = Buffer.alloc(8);

		bytes.writeBigInt64LE(BigInt(value));
		writeSync(this.file, bytes, 0, 8, this.offset(name));
	}

	get(name) {
		const bytes = Buffer.alloc(8);

		readSync(this.file, bytes, 0, 8, this.offset(name));
		return Number(bytes.readBigInt64LE());
	}

	/* Moves the server's clock on by so many seconds. */
	advance(seconds) {
		this.set('clock_offset', this.get('clock_offset') + Math.round(seconds * 1e6));
	}

	/* The time the server believes in, in milliseconds. */
	now() {
		return Date.now() + this.get('clock_offset') / 1000;
	}

	/* Every act on the store fails from now on, as if its disk were gone. */
	breakStore() {
		this.set('fail_sticky', 1);
		this.set('fail_act', 1);
	}

	mendStore() {
		this.set('fail_act', 0);
		this.set('fail_sticky', 0);
	}

	close() {
		closeSync(this.file);
	}
}
