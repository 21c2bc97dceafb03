/*
 * docs/openapi/pages.yaml as a judge: does this answer, to that request, stand in it? It keeps count of
 * what it has seen, so that a promise which no answer ever kept can be found.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import Ajv from 'ajv/dist/2020.js';
import { parse } from 'yaml';

import { root } from './tables.mjs';

export const readDocument = () => parse(readFileSync(join(root, 'docs/openapi/pages.yaml'), 'utf8'));

/* Headers that say something: who sends one has to have said so. */
const telling = ['location', 'retry-after', 'allow', 'www-authenticate', 'clear-site-data', 'set-cookie',
	'x-csrf-token', 'csrf-token'];

const formats = { uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
	'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/ };

const escape = (step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'));

const asPattern = (template) => new RegExp(`^${template.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);

const asTyped = (schema, text) => (schema.type === 'integer' ? Number(text) : text);

export class Description {
	constructor(document = readDocument()) {
		this.document = document;
		this.seen = new Set();
		this.ajv = new Ajv({ strict: true, strictTypes: false, formats });
		this.ajv.addVocabulary(Object.keys(document));
		this.ajv.addSchema(document, 'pages');
	}

	/* The steps to a part, with references followed. */
	follow(steps) {
		const found = steps.reduce((part, step) => part?.[step], this.document);

		return found?.$ref ? this.follow(found.$ref.slice(2).split('/')) : { steps, found };
	}

	/* What is wrong with a value, '' for nothing. */
	wrong(steps, value) {
		const check = this.ajv.getSchema(`pages#/${steps.map(escape).join('/')}`);

		return check(value) ? '' : this.ajv.errorsText(check.errors);
	}

	operations() {
		return Object.entries(this.document.paths).flatMap(([path, item]) => Object.keys(item)
			.filter((key) => key !== 'servers')
			.map((method) => ({ method: method.toUpperCase(), path, operation: item[method] })));
	}

	/* The rows as the server's table writes them: whatever ends a path is one star there. */
	rows() {
		return this.operations().map(({ method, path }) => `${method} ${path.replace(/(\/\{\w+\})+$/, '/*')}`).sort();
	}

	template(path) {
		const exact = path.split('?')[0];

		return Object.keys(this.document.paths).find((one) => asPattern(one).test(exact));
	}

	/* Where the answer is described: in its row, or among those that any path can give. */
	place(method, path, status) {
		const template = this.template(path);
		const item = template && this.document.paths[template];
		const verb = method === 'HEAD' ? 'get' : method.toLowerCase();

		if (!item)
			return ['components', 'responses', 'NotFound'];
		if (item[verb])
			return ['paths', template, verb, 'responses', String(status)];
		return status === 405 ? ['components', 'responses', item.servers ? 'OpsMethodNotAllowed' : 'MethodNotAllowed'] :
			['components', 'responses', 'Forbidden'];
	}

	/* The names of what a schema may be: itself, or one of several. */
	alternatives(steps) {
		const schema = steps.reduce((part, step) => part[step], this.document);

		return (schema.oneOf ?? [schema]).map(({ $ref }) => $ref.split('/').at(-1));
	}

	/* Which of them the value is. */
	alternative(steps, value) {
		return this.alternatives(steps).find((name) => !this.wrong(['components', 'schemas', name], value));
	}

	judgeHeaders(steps, response, headers) {
		const described = Object.entries(response.headers ?? {});
		const names = described.map(([name]) => name.toLowerCase());

		for (const name of telling)
			assert.ok(!headers[name] || names.includes(name), `${name}: ${headers[name]} is not described`);
		for (const [name] of described) {
			const { steps: at, found } = this.follow([...steps, 'headers', name]);
			const lines = [headers[name.toLowerCase()] ?? []].flat();

			assert.ok(lines.length || !found.required, `no ${name}`);
			for (const line of lines)
				assert.equal(this.wrong([...at, 'schema'], asTyped(found.schema, line)), '', `${name}: ${line}`);
		}
	}

	judgeBody(steps, response, answer) {
		if (answer.body.length === 0) {
			assert.ok(answer.location, 'neither a body nor a Location');
			return 'Location';
		}
		assert.ok(response.content?.[answer.type], `${answer.type} is not described`);
		const at = [...steps, 'content', answer.type, 'schema'];
		const value = answer.type === 'application/json' ? answer.json : answer.text;

		assert.equal(this.wrong(at, value), '', answer.text);
		if (answer.type !== 'application/json')
			return answer.type;
		/* Other programs read that one, in the form that RFC 7517 gives it. */
		if (this.alternative(at, value) === 'KeySet')
			return 'KeySet';
		assert.deepEqual(Object.keys(value).slice(0, 3), ['data', 'message', 'status']);
		assert.equal(answer.text.indexOf('\n'), answer.text.length - 1, 'not one line');
		assert.equal(answer.location, undefined, 'a JSON answer with a Location');
		return this.alternative(at, value);
	}

	/* What was taken has to be what the description asks for. */
	judgeRequest(method, path, { json, form, multipart }) {
		const body = json ?? form ?? multipart;
		const type = json ? 'application/json' : form ? 'application/x-www-form-urlencoded' : 'multipart/form-data';
		const { steps } = this.follow(['paths', this.template(path), method.toLowerCase(), 'requestBody']);

		if (body)
			assert.equal(this.wrong([...steps, 'content', type, 'schema'], body), '', 'the request');
	}

	/* Throws unless the answer stands here; says which of the alternatives it is. */
	judge(method, path, options, answer) {
		const { steps, found } = this.follow(this.place(method, path, answer.status));
		const what = `${method} ${path} ${answer.status}`;

		try {
			assert.ok(found, 'is not described');
			this.judgeHeaders(steps, found, answer.headers);
			if (method === 'HEAD')
				return 'HEAD';
			if (method === 'POST' && answer.status < 400)
				this.judgeRequest(method, path, options);
			const alternative = this.judgeBody(steps, found, answer);

			this.seen.add(`${method} ${this.template(path)} ${answer.status} ${alternative}`);
			this.seen.add(alternative);
			return alternative;
		} catch (error) {
			error.message = `${what}: ${error.message}`;
			throw error;
		}
	}

	/* Every answer that a row promises, in the words of `seen`. */
	promises() {
		return this.operations().flatMap(({ method, path, operation }) =>
			Object.keys(operation.responses).flatMap((status) => {
				const { steps, found } = this.follow(['paths', path, method.toLowerCase(), 'responses', status]);
				const bodies = Object.keys(found.content ?? {}).flatMap((type) => (type === 'application/json' ?
					this.alternatives([...steps, 'content', type, 'schema']) : [type]));

				return [...bodies, ...(found.headers?.Location ? ['Location'] : [])]
					.map((one) => ({ status: Number(status), text: `${method} ${path} ${status} ${one}` }));
			}));
	}
}
