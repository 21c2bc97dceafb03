/*
 * A document of docs/openapi as a reader of values: what it says is where, and what is wrong with a
 * value that should be as it says.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import Ajv from 'ajv/dist/2020.js';
import { parse } from 'yaml';

import { root } from './tables.mjs';

export const readDocument = (name) => parse(readFileSync(join(root, `docs/openapi/${name}.yaml`), 'utf8'));

/* Headers that say something: who sends one has to have said so. */
const telling = ['location', 'retry-after', 'allow', 'www-authenticate', 'clear-site-data', 'set-cookie',
	'x-csrf-token', 'csrf-token', 'link', 'x-total-count'];

const isUri = (text) => URL.canParse(text);
const escape = (step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'));
const asPattern = (template) => new RegExp(`^${template.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
const asTyped = (schema, text) => (schema.type === 'integer' ? Number(text) : text);

export class Document {
	/* moment: what it calls a date-time. */
	constructor(name, moment, document = readDocument(name)) {
		this.name = name;
		this.document = document;
		this.ajv = new Ajv({ strict: true, strictTypes: false,
			formats: { uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'date-time': moment, uri: isUri } });
		this.ajv.addVocabulary(Object.keys(document));
		this.ajv.addSchema(document, name);
	}

	/* The steps to a part, with references followed. */
	follow(steps) {
		const found = steps.reduce((part, step) => part?.[step], this.document);

		return found?.$ref ? this.follow(found.$ref.slice(2).split('/')) : { steps, found };
	}

	/* A strict reader's opinion of the schema there; throws where it takes it not. */
	schema(steps) {
		return this.ajv.getSchema(`${this.name}#/${steps.map(escape).join('/')}`);
	}

	/* What is wrong with a value, '' for nothing. */
	wrong(steps, value) {
		const check = this.schema(steps);

		return check(value) ? '' : this.ajv.errorsText(check.errors);
	}

	operations() {
		return Object.entries(this.document.paths).flatMap(([path, item]) => Object.keys(item)
			.filter((key) => !['servers', 'parameters'].includes(key))
			.map((method) => ({ method: method.toUpperCase(), path, operation: item[method] })));
	}

	template(path) {
		const exact = path.split('?')[0];
		const { paths } = this.document;

		return paths[exact] ? exact : Object.keys(paths).find((one) => asPattern(one).test(exact));
	}

	judgeHeaders(steps, response, headers) {
		const described = Object.keys(response.headers ?? {});
		const names = described.map((name) => name.toLowerCase());

		for (const name of telling)
			assert.ok(!headers[name] || names.includes(name), `${name}: ${headers[name]} is not described`);
		for (const name of described) {
			const { steps: at, found } = this.follow([...steps, 'headers', name]);
			const lines = [headers[name.toLowerCase()] ?? []].flat();

			assert.ok(lines.length || !found.required, `no ${name}`);
			for (const line of lines)
				assert.equal(this.wrong([...at, 'schema'], asTyped(found.schema, line)), '', `${name}: ${line}`);
		}
	}

	/* What was taken has to be what the description asks for. */
	judgeRequest(method, path, { json, form, multipart }) {
		const body = json ?? form ?? multipart;
		const type = json ? 'application/json' : form ? 'application/x-www-form-urlencoded' : 'multipart/form-data';
		const { steps } = this.follow(['paths', this.template(path), method.toLowerCase(), 'requestBody']);

		if (body)
			assert.equal(this.wrong([...steps, 'content', type, 'schema'], body), '', 'the request');
	}
}
