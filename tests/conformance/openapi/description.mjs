/*
 * docs/openapi/pages.yaml as a judge: does this answer, to that request, stand in it? It keeps count of
 * what it has seen, so that a promise which no answer ever kept can be found.
 */
import assert from 'node:assert/strict';

import { Document } from './document.mjs';

export class Description extends Document {
	constructor() {
		super('pages', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
		this.seen = new Set();
	}

	/* The rows as the server's table writes them: whatever ends a path is one star there. */
	rows() {
		return this.operations().map(({ method, path }) => `${method} ${path.replace(/(\/\{\w+\})+$/, '/*')}`).sort();
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
