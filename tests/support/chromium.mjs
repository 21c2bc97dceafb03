/*
 * Debian's Chromium, one a file, and what a test wants to know of a visit: which requests went out
 * and what the page's own policy forbade.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after } from 'node:test';

import { chromium } from 'playwright-core';

const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
	'--disable-background-networking', '--disable-component-update', '--disable-sync'];

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let launching = null;

function launch() {
	launching ??= chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: flags });
	return launching;
}

after(async () => (await launching?.catch(() => null))?.close());

/* Runs in the page before its own scripts. */
function watchPolicy() {
	document.addEventListener('securitypolicyviolation', (event) => {
		console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
	});
}

/*
 * A fresh browser profile for one story: story(page, seen), where seen.requests are the addresses
 * asked for and seen.complaints what the console had to say about policies and errors.
 */
export async function visit(options, story) {
	const context = await (await launch()).newContext({ viewport: { width: 1280, height: 800 }, ...options });
	const page = await context.newPage();
	const seen = { requests: [], complaints: [] };

	page.setDefaultTimeout(15000);
	page.on('request', (request) => seen.requests.push(request));
	page.on('pageerror', (error) => seen.complaints.push(String(error)));
	page.on('console', (message) => {
		const words = message.text();

		/* Chromium reports every answer from 400 on as an error of the page. */
		if (message.type() === 'error' && !words.startsWith('Failed to load resource'))
			seen.complaints.push(words);
	});
	if (options.javaScriptEnabled !== false)
		await context.addInitScript(watchPolicy);
	try {
		await story(page, seen);
	} finally {
		await context.close();
	}
}

/* What axe has to say about the page, one line a violation. The context must allow bypassCSP. */
export async function violations(page) {
	await page.evaluate(axeSource);
	const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));

	return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' | ')}`);
}

/*
 * Does what leads to another page, and waits until that page has come in the old one's place: an
 * answer may be there before its page is, and the old page has long been loaded.
 */
async function leaving(page, act) {
	const [, result] = await Promise.all([
		page.waitForEvent('framenavigated', (frame) => frame === page.mainFrame()),
		act(),
	]);

	await page.waitForLoadState('load');
	return result;
}

/* Follows a link to another page. */
export const follow = (page, link) => leaving(page, () => link.click());

/* Fills in the fields by name and sends the form that goes to that path; returns the first answer. */
export async function send(page, path, fields) {
	const form = page.locator(`form[action$="${path}"]`).first();

	for (const [name, value] of Object.entries(fields))
		await form.locator(`[name="${name}"]`).fill(value);
	return leaving(page, async () => {
		const [answer] = await Promise.all([
			page.waitForResponse((one) => one.request().method() === 'POST'),
			form.locator('button[type="submit"], button:not([type])').first().click(),
		]);

		return answer;
	});
}

/* Waits until that element has the focus, which the browser gives when it first draws a page. */
export async function focused(page, selector) {
	await page.waitForFunction((one) => document.activeElement?.matches(one), selector);
}
