/*
 * What a refresh token says: base64url( family's UUID 16 | generation 4, big endian | secret 12 | MAC 16 ).
 */
const ends = { family: 16, generation: 20, secret: 32, mac: 48 };

export const tokenParts = Object.keys(ends);

const uuid = (bytes) => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

/* Where a part begins, and where the next one does. */
export function placeOf(part) {
	const [at] = tokenParts.flatMap((name, i) => (name === part ? [i] : []));

	return [at ? ends[tokenParts[at - 1]] : 0, ends[part]];
}

export function readToken(text) {
	const bytes = Buffer.from(text, 'base64url');

	if (bytes.length !== ends.mac || bytes.toString('base64url') !== text)
		throw new Error(`${text} is no refresh token of ours`);
	return { family: uuid(bytes.subarray(0, ends.family)), generation: bytes.readUInt32BE(ends.family),
		secret: bytes.subarray(ends.generation, ends.secret), mac: bytes.subarray(ends.secret) };
}

export function writeToken({ family, generation, secret, mac }) {
	const number = Buffer.alloc(4);

	number.writeUInt32BE(generation);
	return Buffer.concat([Buffer.from(family.replaceAll('-', ''), 'hex'), number, secret, mac]).toString('base64url');
}
