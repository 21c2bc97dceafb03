/* gotrue-js 0.9, made for browsers: it needs a window with atob and a storage. */
import GoTrue from 'gotrue-js-0.9';

import { tell } from './gotrue-js.mjs';

const kept = new Map();

globalThis.localStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value),
	removeItem: (key) => kept.delete(key) };
globalThis.window = { atob };

tell(GoTrue.default, { pages: true, checks: false });
