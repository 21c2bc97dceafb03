/* gotrue-js 1. */
import GoTrue from 'gotrue-js';

import { tell } from './gotrue-js.mjs';

tell(GoTrue, { pages: false, checks: true });
