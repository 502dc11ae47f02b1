/** `npm run docs`: writes the pages that are made from tables in the sources. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configurationReference } from '../src/config/reference.ts';
import { root } from './tools.ts';

await writeFile(join(root, 'docs', 'configuration.md'), configurationReference());
