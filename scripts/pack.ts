/**
 * `npm pack` runs this first: JavaScript and types of `tollgate/verify`, in `dist/`. The repository runs
 * without a build step, but Node runs no TypeScript inside `node_modules`.
 */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { onThisRuntime, root, run } from './tools.ts';

// What was renamed since must not be packed.
await rm(join(root, 'dist'), { recursive: true, force: true });
const compiler = onThisRuntime(join(root, 'node_modules/typescript/bin/tsc'));
const { ok, note, output } = await run([...compiler, '-p', 'tsconfig.build.json'], {
  limitMs: 2 * 60_000,
  output: 'kept',
});
if (!ok) {
  // npm's own answer goes to the standard output.
  process.stderr.write(`${output}\n${note ?? 'The library does not compile.'}\n`);
  process.exitCode = 1;
}
