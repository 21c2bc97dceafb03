/*
 * As much HTML as the tests need: tags with their attributes, forms with their fields, text.
 */
const tagPattern = /<(\/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[^\s=>/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]+))?)*)\s*\/?>/g;
const attributePattern = /([^\s=>/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?/g;
const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

export function unescape(text) {
	return text.replace(/&(#x[0-9a-f]+|#[0-9]+|[a-z]+);/gi, (whole, name) => {
		if (name[0] !== '#')
			return entities[name] ?? whole;
		return String.fromCodePoint(
			name[1] === 'x' ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10));
	});
}

function readAttributes(text) {
	const attributes = {};

	for (const [, name, double, single, bare] of text.matchAll(attributePattern))
		attributes[name.toLowerCase()] = unescape(double ?? single ?? bare ?? '');
	return attributes;
}

/* Every tag in order: { name, closing, attributes, start, end }. */
export function tags(html) {
	return [...html.matchAll(tagPattern)].map((match) => ({
		name: match[2].toLowerCase(),
		closing: match[1] === '/',
		attributes: readAttributes(match[3]),
		start: match.index,
		end: match.index + match[0].length,
	}));
}

export function text(html) {
	const visible = html.replace(/<(script|style)\b[\s\S]*?<\/\1>/gi, ' ');

	return unescape(visible.replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ').trim();
}

function inner(html, name) {
	const match = new RegExp(`<${name}\\b[^>]*>([\\s\\S]*?)</${name}>`, 'i').exec(html);

	return match ? text(match[1]) : '';
}

export const title = (html) => inner(html, 'title');
export const heading = (html) => inner(html, 'h1');

export function links(html) {
	return tags(html).filter((tag) => tag.name === 'a' && !tag.closing && 'href' in tag.attributes)
		.map((tag) => tag.attributes.href);
}

/* { action, method, id, inputs: [attributes], hidden: { name: value } } for each form. */
export function forms(html) {
	const found = [];
	let open = null;

	for (const tag of tags(html)) {
		if (tag.name === 'form' && !tag.closing) {
			open = { action: '', method: 'get', id: '', ...tag.attributes, inputs: [], hidden: {} };
			open.method = open.method.toLowerCase();
			found.push(open);
		} else if (tag.name === 'form') {
			open = null;
		} else if (tag.name === 'input' && open) {
			open.inputs.push(tag.attributes);
			if (tag.attributes.type === 'hidden')
				open.hidden[tag.attributes.name] = tag.attributes.value ?? '';
		}
	}
	return found;
}

/* The form whose action ends in that path; throws when the page has none. */
export function form(html, path) {
	const match = forms(html).find((one) => one.action.split('?')[0].endsWith(path));

	if (!match)
		throw new Error(`no form for ${path} in: ${text(html).slice(0, 300)}`);
	return match;
}

export function input(aForm, name) {
	return aForm.inputs.find((one) => one.name === name);
}
