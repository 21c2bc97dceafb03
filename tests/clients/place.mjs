/*
 * A place where a client is used in a browser: the site of an application, the service behind a path of
 * it or at an origin of its own, mail, and GitHub's stand-in to sign in with.
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { openSite } from '../support/gotrue.mjs';
import { ProviderServer } from '../support/provider-server.mjs';
import { SiteServer } from '../support/site-server.mjs';

const prefix = '/.netlify/identity';

/* One script for pages, of a module with its packages. */
export async function bundled(contents) {
	const { outputFiles: [bundle] } = await build({ bundle: true, write: false, define: { 'process.env.NODE_ENV': '"production"' },
		stdin: { contents, resolveDir: dirname(fileURLToPath(import.meta.url)) } });

	return bundle.text;
}

/* name: of the site's host; apart: the service has an origin of its own. `service` is the address to call it by. */
export async function openPlace({ name = 'site.localhost', apart = false, settings } = {}) {
	const front = await SiteServer.open(name);
	const there = await ProviderServer.open();
	const site = await openSite({ start: false, siteUrl: front.url, settings: { PORTRESS_SURFACES: `gotrue=${prefix}`, ...settings } });
	const service = `${apart ? site.base : front.url}${prefix}`;

	Object.assign(site.settings, there.settings('github', `${service}/callback`));
	await site.server.start();
	if (!apart)
		front.behind(prefix, site.base);
	site.base += prefix;
	return { front, there, site, service, async close() {
		await site.close();
		await front.close();
		await there.close();
	} };
}
