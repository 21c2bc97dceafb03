/*
 * Letters of the dialect: where their links lead, whose words they are in, and what cannot get into them.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';

import { address, item, looksInside, many, readsMail, shared, within } from '../../support/gotrue.mjs';
import { HookServer } from '../../support/hook-server.mjs';
import { temporaryFolder } from '../../support/settings.mjs';

/* The pages of the application, where templates are fetched. */
const pages = await HookServer.open({ path: '/app' });

after(() => pages.close());

const html = (body) => ({ status: 200, type: 'text/html', body });

/* The address that a letter's first link leads to. */
const linkOf = ({ html: text }) => /href="([^"]+)"/.exec(text)[1].replaceAll('&amp;', '&');

const newest = (here, who) => here.mail.letter(who.email);

const sites = shared(many({ settings: { PORTRESS_WEBHOOK_ALLOW_PRIVATE: 'true' } }));

/* ---- links ---- */

const plain = shared({ siteUrl: 'https://t.example/base/', settings: {
	GOTRUE_MAILER_URLPATHS_INVITE: 'welcome?to=us', GOTRUE_MAILER_URLPATHS_CONFIRMATION: '/templates/confirm.html',
	GOTRUE_MAILER_URLPATHS_RECOVERY: '../up' } });

item(119, 'each kind of letter has a link with its own fragment', readsMail, async () => {
	const here = await plain();
	const email = address();
	const invited = address();
	const who = await here.signedUp();
	const token = await here.mailed(who.email, 'confirmation');
	const { access_token: bearer } = (await here.post('/verify', { type: 'signup', token })).json;

	await here.operator('POST', '/invite', { email: invited });
	assert.ok(await here.mailed(invited, 'invite'));
	await here.post('/recover', { email: who.email });
	assert.ok(await here.mailed(who.email, 'recovery', 2));
	await here.put('/user', { email }, { bearer });
	assert.ok(await here.mailed(email, 'email_change'));
});

item(119, 'the old address is told of the new one (ours)', looksInside, async () => {
	const here = await plain();
	const who = await here.confirmed();
	const email = address();

	await here.put('/user', { email }, { bearer: who.access_token });
	const email_change_token = await here.mailed(email, 'email_change');

	assert.equal(here.mail.to(who.email).length, 1);
	assert.equal((await here.put('/user', { email_change_token }, { bearer: who.access_token })).json.email, email);
	const notice = await here.mail.letter(who.email, { count: 2 });

	assert.ok(!notice.html.includes(email_change_token));
	assert.ok(!/_token=/.test(notice.html));
});

item(119, 'without a mail server all goes as if it were sent', looksInside, async () => {
	await within({ mail: false }, async (here) => {
		const { answer, email } = await here.signedUp();

		assert.ok(answer.json.confirmation_sent_at);
		assert.equal((await here.post('/recover', { email })).status, 200);
		const [user] = (await here.operator('GET', '/admin/users')).json.users;

		assert.ok(user.recovery_sent_at);
		assert.equal((await here.operator('POST', '/invite', { email: address() })).status, 200);
	});
});

item(119, 'each kind of letter leads where its path says', looksInside, async () => {
	const here = await plain();
	const invited = { email: address() };
	const who = await here.signedUp();
	const email = address();

	await here.operator('POST', '/invite', invited);
	const confirm = await newest(here, who);
	const invite = await newest(here, invited);
	const { access_token: bearer } = (await here.post('/verify', { type: 'signup', token: await here.mailed(who.email, 'confirmation') })).json;

	await here.post('/recover', { email: who.email });
	const recover = await here.mail.letter(who.email, { count: 2 });

	await here.put('/user', { email }, { bearer });
	const change = await here.mail.letter(email);
	const token = '[A-Za-z0-9_-]{22,}$';

	assert.match(linkOf(confirm), new RegExp(`^https://t\\.example/templates/confirm\\.html#confirmation_token=${token}`));
	assert.match(linkOf(invite), new RegExp(`^https://t\\.example/base/welcome\\?to=us#invite_token=${token}`));
	assert.match(linkOf(recover), new RegExp(`^https://t\\.example/up#recovery_token=${token}`));
	assert.match(linkOf(change), new RegExp(`^https://t\\.example/#email_change_token=${token}`));
	assert.deepEqual([confirm, invite, recover, change].map(({ subject }) => subject),
		['Confirm Your Signup', 'You have been invited', 'Reset Your Password', 'Confirm Email Change']);
	for (const letter of [confirm, invite, recover, change]) {
		assert.equal(letter.sender, 'admin@site.example');
		assert.equal(letter.parsed.from.value[0].address, 'admin@site.example');
		assert.ok(letter.text.includes(linkOf(letter)), letter.text);
	}
	assert.match(invite.text, /t\.example/);
	assert.match(change.text, new RegExp(`${who.email}[^]*${email}|${email}[^]*${who.email}`));
});

item(119, 'a link is the site resolved with the path', looksInside, async () => {
	const here = await sites();
	const rows = [
		['https://t.example', '/templates/confirm.html', 'https://t.example/templates/confirm.html'],
		['https://t.example/removed', '/x', 'https://t.example/x'],
		['https://t.example/base/', 'c', 'https://t.example/base/c'],
		['https://t.example/base/page', 'c', 'https://t.example/base/c'],
		['https://t.example?z=1', '/', 'https://t.example/'],
		['https://t.example', '', 'https://t.example/'],
		['https://t.example:8443/a', '/b?c=d', 'https://t.example:8443/b?c=d'],
	];

	for (const [site_url, path, expected] of rows) {
		const one = await here.instance({ site_url, mailer: { url_paths: { confirmation: path } } });
		const [where, fragment] = linkOf(await newest(here, await here.signedUp({}, one.options))).split('#');

		assert.equal(where, expected, `${site_url} ${path}`);
		assert.match(fragment, /^confirmation_token=[\w-]{22,}$/);
	}
	const one = await here.instance({}, { site_url: 'https://claimed.example/app/' });

	assert.match(linkOf(await newest(here, await here.signedUp({}, one.options))), /^https:\/\/claimed\.example\/#/);
});

/* ---- templates ---- */

const withTemplates = (settings) => ({ siteUrl: `http://127.0.0.1:${pages.port}/app/`, settings: {
	PORTRESS_WEBHOOK_ALLOW_PRIVATE: 'true', GOTRUE_MAILER_TEMPLATES_CONFIRMATION: '/mail/confirm.html',
	GOTRUE_MAILER_TEMPLATES_INVITE: '/mail/invite.html', GOTRUE_MAILER_TEMPLATES_RECOVERY: 'https://elsewhere.example/mail/recover.html',
	GOTRUE_MAILER_TEMPLATES_EMAIL_CHANGE: 'mail/change.html', ...settings } });

/* Letters of one kind, each by a template of its own. */
async function letterBy(template, fields, mailer) {
	const here = await sites();
	const confirmation = `/mail/${pages.calls.length}-${address()}.html`;
	const one = await here.instance({ site_url: `http://127.0.0.1:${pages.port}/app/`, mailer: { templates: { confirmation }, ...mailer } });

	pages.forget();
	pages.otherwise = template;
	return newest(here, await here.signedUp(fields, one.options));
}

/* The same of a server with settings of its own. */
async function letterOf(template, settings) {
	let letter;

	pages.forget();
	pages.otherwise = template;
	await within(withTemplates(settings), async (here) => {
		letter = await newest(here, await here.signedUp());
	});
	return letter;
}

const isBuiltIn = (letter) => letter.html.startsWith('<!doctype html>') && /#confirmation_token=/.test(letter.html);

item(120, 'templates of the site are fetched below it', looksInside, async () => {
	pages.forget();
	pages.otherwise = (call) => html(`<p>${call.path}|{{ .SiteURL }}|{{ .Email }}|{{ .NewEmail }}|{{ .Token }}|{{ .Data.full_name }}|</p>
<a href="{{ .ConfirmationURL }}">go</a>`);
	await within(withTemplates(), async (here) => {
		const invited = { email: address(), data: { full_name: 'Ann' } };
		const who = await here.signedUp({ data: { full_name: 'Bob' } });
		const parts = async (email, count) => (await here.mail.letter(email, { count })).html.split('|');
		const confirm = await parts(who.email);
		const token = await here.mailed(who.email, 'confirmation');

		assert.deepEqual(confirm.slice(0, 6), ['<p>/app/mail/confirm.html', here.siteUrl, who.email, '', token, 'Bob']);
		await here.operator('POST', '/invite', invited);
		assert.deepEqual((await parts(invited.email)).slice(0, 3), ['<p>/app/mail/invite.html', here.siteUrl, invited.email]);
		const { access_token: bearer } = (await here.post('/verify', { type: 'signup', token })).json;

		await here.post('/recover', { email: who.email });
		assert.equal((await parts(who.email, 2))[0], '<p>/app/mail/recover.html');
		const email = address();

		await here.put('/user', { email }, { bearer });
		const change = await parts(email);

		assert.deepEqual([change[0], change[2], change[3]], ['<p>/app/mail/change.html', who.email, email]);
		assert.ok(pages.calls.every(({ method }) => method === 'GET'));
	});
});

item(120, 'a template is kept for a while', looksInside, async () => {
	pages.forget();
	pages.otherwise = html('<p>kept {{ .ConfirmationURL }}</p>');
	const here = await sites();
	const one = await here.instance({ site_url: `http://127.0.0.1:${pages.port}/kept`, mailer: { templates: { confirmation: '/x' } } });

	for (let i = 0; i < 3; i++)
		assert.match((await newest(here, await here.signedUp({}, one.options))).html, /kept/);
	assert.equal(pages.calls.length, 1);
});

item(120, 'what Go templates say is understood', looksInside, async () => {
	const source = `{{/* not seen */}}<p>{{ if .Data.vip }}dear{{ else }}hello{{ end }} {{- " " -}}</p>`;

	assert.ok(isBuiltIn(await letterBy(html(source))), 'a constant is not understood, and is not sent as it stands');
	const letter = await letterBy(html(`{{/* not seen */}}<p>{{ if .Data.vip }}dear{{ else }}hello{{ end }}
{{- with .Data.address }} of {{ .city }}{{ end }}{{ range .Data.tags }}, {{ . }}{{ end }}{{ .Data.nothing.here }}</p>`),
	{ data: { vip: true, address: { city: 'Ghent' }, tags: ['a', 'b'] } });

	assert.equal(letter.html.trim(), '<p>dear of Ghent, a, b</p>');
});

item(120, 'a template that cannot be had or used is replaced by ours', looksInside, async () => {
	assert.ok(isBuiltIn(await letterBy({ status: 404, body: 'nothing here' })));
	assert.equal(pages.calls.length, 4);
	for (const bad of [html('{{ if .Email }}never closed'), html('{{ printf "%s" .Email }}'), html('{{ .Email'), html(Buffer.from([0xff, 0xfe])),
		{ status: 301, headers: { location: '/mail/other.html' } }, html('x'.repeat(70000))])
		assert.ok(isBuiltIn(await letterBy(bad)), JSON.stringify(bad).slice(0, 80));
});

item(120, 'a template is not fetched from a private address', looksInside, async () => {
	assert.ok(isBuiltIn(await letterOf(html('<p>private</p>'), { PORTRESS_WEBHOOK_ALLOW_PRIVATE: 'false' })));
	assert.deepEqual(pages.calls, []);
});

item(120, 'who runs the server may keep a template in a file', looksInside, async () => {
	const file = join(temporaryFolder(), 'confirm.html');

	writeFileSync(file, '<p>of a file: {{ .Email }}</p>');
	assert.match((await letterOf(html('<p>a page</p>'), { GOTRUE_MAILER_TEMPLATES_CONFIRMATION: `file://${file}` })).html, /of a file: p/);
	assert.deepEqual(pages.calls, []);
	assert.ok(isBuiltIn(await letterOf(html(''), { GOTRUE_MAILER_TEMPLATES_CONFIRMATION: `file://${file}.not` })));
});

/* ---- what people type ---- */

item(121, 'what people type is text in a body', looksInside, async () => {
	const name = '<img src=x onerror="alert(1)"> & \'Ann\'';
	const source = '<p title="{{ .Data.full_name }}">{{ .Data.full_name }}</p><a href="/x?n={{ .Data.full_name }}&e={{ .Email }}">x</a>';
	const letter = await letterBy(html(source), { data: { full_name: name } });

	assert.ok(!letter.html.includes('<img'), letter.html);
	assert.ok(!/title="[^"]*"alert/.test(letter.html), letter.html);
	const [, title, text, href] = /<p title="([^"]*)">([^<]*)<\/p><a href="([^"]*)">/.exec(letter.html);

	for (const part of [title, text])
		assert.match(part, /^&lt;img src=x onerror=&(#34|quot);alert\(1\)&(#34|quot);&gt; &amp; &(#39|apos);Ann&(#39|apos);$/);
	assert.equal(new URL(href.replaceAll('&amp;', '&'), 'https://t.example').searchParams.get('n'), name);
});

item(121, 'an address of the script kind is no link', looksInside, async () => {
	const letter = await letterBy(html('<a href="{{ .Data.url }}">x</a>'), { data: { url: 'javascript:alert(1)' } });

	assert.ok(!/href="javascript:/i.test(letter.html), letter.html);
});

item(121, 'a line break never reaches a header', looksInside, async () => {
	const subjects = { subjects: { confirmation: "{{ .Data.full_name }}'s account" }, templates: {} };
	const letter = await letterBy({ status: 404 }, { data: { full_name: 'Ann\r\nBcc: evil@example.org\r\n\r\n<b>body</b>\u2028' } }, subjects);
	const head = letter.raw.slice(0, letter.raw.indexOf('\r\n\r\n'));

	assert.ok(!/^bcc:/im.test(head), head);
	assert.equal(letter.recipients.length, 1);
	assert.ok(!/[\r\n\u2028]/.test(letter.subject));
	assert.match(letter.subject, /^Ann ?Bcc: evil@example\.org.*'s account$/);

	const plainSubject = await letterBy({ status: 404 }, { data: { full_name: "Zoë O'Neil & Sons <x>" } }, subjects);

	assert.equal(plainSubject.subject, "Zoë O'Neil & Sons <x>'s account");
});

item(121, 'a subject that is no template is replaced by ours', looksInside, async () => {
	for (const subject of ['{{ .Email', '{{ .Data.nobody }}', '{{ if }}'])
		assert.equal((await letterBy({ status: 404 }, {}, { subjects: { confirmation: subject }, templates: {} })).subject, 'Verify your account');
});

item(121, 'a line break in an address is no address', looksInside, async () => {
	const here = await plain();

	for (const email of ['a@example.com\r\nBcc: b@example.com', 'a@example.com\nX: y', 'Ann <a@example.com>', 'a@example.com, b@example.com'])
		for (const path of ['/signup', '/recover'])
			assert.ok([200, 422].includes((await here.post(path, { email, password: 'x' })).status));
	assert.ok(!here.mail.letters.some(({ recipients }) => recipients.some((one) => /^[ab]@example\.com/.test(one))));
});
