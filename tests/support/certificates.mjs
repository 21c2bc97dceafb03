/*
 * A private certificate authority and a certificate of its for localhost, made by openssl once a
 * process.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { temporaryFolder } from './settings.mjs';

let made = null;

function openssl(folder, ...words) {
	execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
}

function make() {
	const folder = temporaryFolder('portress-ca-');
	const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

	writeFileSync(join(folder, 'san'),
		'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n');
	openssl(folder, 'req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2',
		'-subj', '/CN=Test authority', '-addext', 'basicConstraints=critical,CA:TRUE');
	openssl(folder, 'req', ...key, '-keyout', 'key.pem', '-out', 'request.pem',
		'-subj', '/CN=localhost');
	openssl(folder, 'x509', '-req', '-in', 'request.pem', '-CA', 'ca.pem', '-CAkey', 'ca.key',
		'-CAcreateserial', '-days', '2', '-extfile', 'san', '-out', 'cert.pem');
	return { caFile: join(folder, 'ca.pem'), key: readFileSync(join(folder, 'key.pem')),
		cert: readFileSync(join(folder, 'cert.pem')) };
}

/* { caFile, key, cert } */
export function certificates() {
	made ??= make();
	return made;
}
