import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { find, findNode, root, run } from '../../scripts/tools.ts';
import { accessToken, audience, clockAt, openIssuer } from './world.ts';
import type { TestIssuer } from './world.ts';

const limitMs = 120_000;

/** A machine that has Deno alone has no npm. Where everything is required that is a failure. */
function npmIsThere(): boolean {
  if (find('npm') !== undefined && findNode() !== undefined) return true;
  if (process.env['TOLLGATE_TEST_REQUIRE'] === 'all') throw new Error('There is no npm.');
  process.stderr.write('\nNOT TESTED: the packed library. There is no npm.\n\n');
  return false;
}

async function command(parameters: string[], folder: string): Promise<string> {
  const { ok, note, output } = await run(parameters, { limitMs, output: 'kept', folder });
  if (!ok) throw new Error(`${parameters.join(' ')}: ${note ?? ''}\n${output}`);
  return output;
}

const script = `
import { allows, may, verifier, VerifyError } from 'tollgate/verify';

const [issuer, audience, token] = process.argv.slice(2);
const tollgate = verifier({ issuer, audience });
const claims = await tollgate.check({ authorization: \`Bearer \${token}\` });
const refused = await tollgate.check('x').catch((error) => error);
console.log(JSON.stringify({
  sub: claims.sub,
  may: may(claims, 'export'),
  allows: allows(claims),
  refused: refused instanceof VerifyError && refused.response().status,
}));
`;

const typed = `
import { allows, guard, koa, may, verifier, VerifyError } from 'tollgate/verify';
import type { AccessClaims, DenylistStore, ReceivedEvent, Verifier } from 'tollgate/verify';

const store: DenylistStore = { set: async () => undefined, getMany: async (keys) => keys.map(() => null) };
const tollgate: Verifier = verifier({
  issuer: ['https://id.example.com'],
  audience: 'https://api.example.com',
  denylist: store,
  onEvent: (event: ReceivedEvent) => event.subject.user?.length,
});
const handler: (request: Request) => Promise<Response> = guard(tollgate, (request, claims: AccessClaims) =>
  Response.json({ plan: claims.plan?.toUpperCase(), roles: claims.roles?.join(), url: request.url }),
);
// @ts-expect-error A claim is what it is.
export const wrong = (claims: AccessClaims): number => claims.sub;
export const code = (error: VerifyError) => error.code === 'token_expired';
// @ts-expect-error There is no such code.
export const other = (error: VerifyError) => error.code === 'token_expird';
export { allows, handler, koa, may };
`;

describe.runIf(npmIsThere())(
  'the packed library, installed without a network',
  { timeout: limitMs },
  () => {
    let world: TestIssuer;
    let folder: string;
    let app: string;
    let parameters: string[];

    beforeAll(async () => {
      world = await openIssuer();
      // The clock of the machine: the library is alone there.
      const token = await accessToken(world, clockAt(Date.now()));
      parameters = [world.issuer, audience, token];
      folder = await mkdtemp(join(tmpdir(), 'tollgate-packed-'));
      app = join(folder, 'app');
      await install(folder, app);
      await writeFile(join(app, 'app.mjs'), script);
      await writeFile(join(app, 'typed.ts'), typed);
    }, limitMs);
    afterAll(async () => {
      await world.close();
      await rm(folder, { recursive: true, force: true });
    });

    test('is JavaScript and types, on jose alone', async () => {
      const installed = join(app, 'node_modules', 'tollgate');
      expect((await readdir(installed)).toSorted()).toEqual([
        'LICENSE',
        'README.md',
        'dist',
        'docs',
        'package.json',
      ]);
      const files = await readdir(join(installed, 'dist', 'verify'));
      const sources = await readdir(join(root, 'src', 'verify'));
      expect(files.filter((file) => file.endsWith('.js')).toSorted()).toEqual(
        sources.map((file) => file.replace(/\.ts$/, '.js')).toSorted(),
      );
      const imported = new Set<string>();
      for (const file of files) {
        const text = await readFile(join(installed, 'dist', 'verify', file), 'utf8');
        for (const [, name = ''] of text.matchAll(/(?:from|import) '([^.'][^']*)'/g))
          imported.add(name);
      }
      expect([...imported]).toEqual(['jose']);
    });

    const right = { sub: 'usr_ada', may: true, allows: true, refused: 401 };

    test('runs on Node', async () => {
      const output = await command([findNode() ?? '', 'app.mjs', ...parameters], app);
      expect(JSON.parse(output)).toEqual(right);
    });

    test.runIf(find('deno'))('runs on Deno, and may use the network and nothing else', async () => {
      const deno = [find('deno') ?? '', 'run', '--quiet', '--no-prompt', '--cached-only'];
      const output = await command([...deno, '--allow-net', 'app.mjs', ...parameters], app);
      expect(JSON.parse(output)).toEqual(right);
    });

    test('has types, for Node and for bundlers, under the strictest rules', async () => {
      const compiler = [findNode() ?? '', join(root, 'node_modules/typescript/bin/tsc')];
      for (const [module, resolution] of [
        ['nodenext', 'nodenext'],
        ['esnext', 'bundler'],
      ]) {
        const options = {
          target: 'es2022',
          lib: ['es2022', 'dom', 'dom.iterable'],
          module,
          moduleResolution: resolution,
          types: [],
          noEmit: true,
          strict: true,
          skipLibCheck: false,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
        };
        const file = join(app, 'tsconfig.json');
        await writeFile(file, JSON.stringify({ compilerOptions: options, include: ['typed.ts'] }));
        await command([...compiler, '-p', file], app);
      }
    });

    test.runIf(find('deno'))('has types for Deno', async () => {
      await rm(join(app, 'tsconfig.json'), { force: true });
      await command([find('deno') ?? '', 'check', '--quiet', '--cached-only', 'typed.ts'], app);
    });
  },
);

/**
 * `npm install` of the packed file, with nothing but what is here. `jose` is packed from where it is
 * installed; everything else that Tollgate needs is an empty package, for the library uses none of it.
 */
async function install(folder: string, app: string): Promise<void> {
  const [npm = 'npm'] = [find('npm')];
  await mkdir(join(folder, 'nothing'));
  await mkdir(app);
  const nothing = JSON.stringify({ name: 'nothing', version: '1.0.0' });
  await writeFile(join(folder, 'nothing', 'package.json'), nothing);
  // npm follows no link.
  await cp(join(root, 'node_modules', 'jose'), join(folder, 'jose'), {
    recursive: true,
    dereference: true,
  });
  const options = ['--offline', '--no-audit', '--no-fund', '--cache', join(folder, 'cache')];
  const pack = async (source: string, name: string) => {
    const output = await command(
      [npm, 'pack', '--json', ...options, '--pack-destination', folder],
      source,
    );
    // What scripts print comes before.
    const packed = /"filename": "(.+?)"/.exec(output)?.[1] ?? '';
    await rename(join(folder, packed), join(folder, name));
  };
  await pack(root, 'tollgate.tgz');
  await pack(join(folder, 'jose'), 'jose.tgz');
  await pack(join(folder, 'nothing'), 'nothing.tgz');
  const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const overrides = Object.fromEntries(
    Object.keys(dependencies).map((name) => [
      name,
      `file:${join(folder, name === 'jose' ? 'jose.tgz' : 'nothing.tgz')}`,
    ]),
  );
  await writeFile(
    join(app, 'package.json'),
    JSON.stringify({
      name: 'app',
      type: 'module',
      private: true,
      dependencies: { tollgate: `file:${join(folder, 'tollgate.tgz')}` },
      overrides,
    }),
  );
  await command([npm, 'install', '--ignore-scripts', ...options], app);
}
