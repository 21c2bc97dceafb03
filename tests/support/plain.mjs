/*
 * Portress as a newcomer starts it: nothing set but where to listen and where to keep its file.
 * Letters are read at /dev/mailbox.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { Server } from './server.mjs';
import { freePort, temporaryFolder } from './settings.mjs';

export async function openPlain(settings = {}) {
	const folder = temporaryFolder('portress-plain-');
	const port = await freePort();
	const base = `http://localhost:${port}`;
	const server = new Server({ words: ['serve'], folder, port, host: `localhost:${port}`, settings: {
		PORTRESS_LISTEN: `127.0.0.1:${port}`, PORTRESS_URL: base,
		PORTRESS_DATABASE: `sqlite:${join(folder, 'portress.db')}`, ...settings } });

	await server.start();
	return { base, server };
}

/* Long enough for whatever policy a newcomer meets. */
export function newcomer() {
	const username = `p${randomBytes(5).toString('hex')}`;

	return { username, email: `${username}@example.com`, password: `a long way ${randomBytes(8).toString('hex')}` };
}

const asLink = (html, path) => new RegExp(`https?://[^\\s"'<>]*${path}\\?token=[^\\s"'<>&]+`).exec(html)?.[0];

/* The newest link of that kind in the mailbox page, or in the newest letter behind it. */
export async function mailedLink(page, base, path, email) {
	for (let tries = 0; tries < 50; tries++) {
		await page.goto(`${base}/dev/mailbox`);
		const here = await page.content();

		if (here.includes(email) && asLink(here, path))
			return asLink(here, path);
		for (const letter of await page.locator('main a[href*="/dev/mailbox/"]').all()) {
			const inside = await (await page.request.get(new URL(await letter.getAttribute('href'), base).href)).text();

			if (inside.includes(email) && asLink(inside, path))
				return asLink(inside, path);
		}
		await page.waitForTimeout(100);
	}
	throw new Error(`no ${path} link for ${email} in the mailbox`);
}
