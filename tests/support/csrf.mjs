/*
 * The double-submit tokens of gorilla/csrf 1.7, from the outside: a signed cookie that holds 32
 * bytes, and a submitted value of 32 bytes of pad followed by the pad XOR those bytes.
 */
import { createHmac, randomBytes } from 'node:crypto';

export const cookieName = '_gorilla_csrf';

function xor(left, right) {
	return Buffer.from(left.map((byte, i) => byte ^ right[i]));
}

export function mask(token, pad = randomBytes(32)) {
	return Buffer.concat([pad, xor(token, pad)]).toString('base64');
}

export function unmask(submitted) {
	const bytes = Buffer.from(submitted, 'base64');

	return xor(bytes.subarray(0, 32), bytes.subarray(32, 64));
}

/* Splits at the first two bars only: the signature is raw bytes and may hold any. */
export function readCookie(value) {
	const bytes = Buffer.from(value, 'base64url');
	const first = bytes.indexOf('|');
	const second = bytes.indexOf('|', first + 1);
	const stamp = bytes.subarray(0, first).toString();
	const encoded = bytes.subarray(first + 1, second).toString();
	const token = JSON.parse(Buffer.from(encoded, 'base64url').toString());

	return { stamp: Number(stamp), token: Buffer.from(token, 'base64'), encoded,
		signature: bytes.subarray(second + 1) };
}

export function sign(key, stamp, encoded) {
	return createHmac('sha256', key).update(`${cookieName}|${stamp}|${encoded}`).digest();
}

export function makeCookie(key, token, stamp = Math.floor(Date.now() / 1000)) {
	const json = JSON.stringify(token.toString('base64')) + '\n';
	const encoded = padded(Buffer.from(json));
	const head = Buffer.from(`${stamp}|${encoded}|`);

	return padded(Buffer.concat([head, sign(key, stamp, encoded)]));
}

/* Go's URLEncoding keeps the padding. */
function padded(bytes) {
	return bytes.toString('base64').replace(/\+/g, '-').replace(/\//g, '_');
}
