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

/*
 * What is wrong with the families of a database, as lines. A rotation writes its family and one event in one act, so
 * no family is further on than its account's events say, and the newest time that it remembers is that of its LIVE token.
 */
export async function brokenFamilies(query) {
	const families = await query(`SELECT id, account, generation, secret IS NULL AS loose, length(secret) AS n_secret,
		length(hash) AS n_hash, started_at, issued_at, expires_at, purge_at, hex(spent) AS spent FROM portress_family`);
	const refreshes = new Map((await query(`SELECT account, count(*) AS n FROM portress_event WHERE kind = 12 GROUP BY account`))
		.map(({ account, n }) => [account, n]));
	const strays = await query(`SELECT l.family FROM portress_loose_token l LEFT JOIN portress_family f ON f.id = l.family
		WHERE f.id IS NULL OR l.generation < 1 OR l.generation > f.generation`);
	const rotations = new Map();
	const broken = strays.map(({ family }) => `a loose token of ${family}`);

	for (const family of families) {
		const times = (family.spent ?? '').match(/.{1,16}/g)?.map((hex) => Buffer.from(hex, 'hex')) ?? [];
		const sound = family.generation >= 1 && (family.loose || family.n_secret === 32) && (family.n_hash ?? 32) === 32 &&
			times.length < family.generation && times.length <= 16 && times.every(({ length }) => length === 8) &&
			family.started_at <= family.issued_at && family.issued_at < family.expires_at && family.expires_at <= family.purge_at &&
			(!times.length || Number(times[0].readBigInt64LE()) === family.issued_at);

		if (!sound)
			broken.push(`family ${JSON.stringify(family)}`);
		rotations.set(family.account, (rotations.get(family.account) ?? 0) + family.generation - 1);
	}
	for (const [account, n] of rotations)
		if (n > (refreshes.get(account) ?? 0))
			broken.push(`${n} rotations and ${refreshes.get(account) ?? 0} events of ${account}`);
	return broken;
}
