/** `npm run docs`: writes the pages, and the parts of pages, that are made from tables in the sources. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configurationReference } from '../src/config/reference.ts';
import { eventsSchema, typesTable } from '../src/events/encodings/reference.ts';
import { root } from './tools.ts';

const page = (name: string) => join(root, 'docs', name);

await writeFile(page('configuration.md'), configurationReference());
await writeFile(page('events.schema.json'), `${JSON.stringify(eventsSchema(), undefined, 2)}\n`);

const [begin, end] = ['<!-- types -->\n', '\n<!-- /types -->'];
const events = await readFile(page('events.md'), 'utf8');
const before = events.slice(0, events.indexOf(begin) + begin.length);
await writeFile(page('events.md'), `${before}${typesTable()}${events.slice(events.indexOf(end))}`);
