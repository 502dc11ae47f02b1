/** The files of the configuration as a running process looks at them. */

import { mkdir, rename, rm, symlink, writeFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Config } from '../../src/config.ts';
import { createConfigSource } from '../../src/config/source.ts';
import type { ConfigSource } from '../../src/config/source.ts';
import { watchConfig } from '../../src/config/watch.ts';
import { recordingLog } from '../kit/server.ts';
import type { TestLog } from '../kit/server.ts';
import { clientSecret, goodInput, inFolder, problemsOf, serverSecret } from './world.ts';

const app = goodInput().clients![0]!;
const other = 'another.secret-of.32_characters~ok';

/** A configuration with these clients, as text. */
const jsonOf = (...ids: string[]) =>
  JSON.stringify({ ...goodInput(), clients: ids.map((id) => ({ ...app, id, secret: undefined })) });
const moduleOf = (...ids: string[]) =>
  `const config: object = ${jsonOf(...ids)};\nexport default config;`;
const publicJson = (...ids: string[]) =>
  JSON.stringify({
    ...goodInput(),
    clients: ids.map((id) => ({ ...app, id, secret: undefined, public: true })),
  });
const publicModule = (...ids: string[]) =>
  `const config: object = ${publicJson(...ids)};\nexport default config;`;

const idsOf = ({ clients }: Config) => clients.map(({ id }) => id);

/** A change counts when it is seen twice. */
async function settled(source: ConfigSource): Promise<boolean> {
  await source.hasChanged();
  return source.hasChanged();
}

test.each([
  ['tollgate.config.json', publicJson],
  ['tollgate.config.ts', publicModule],
  ['tollgate.config.js', (...ids: string[]) => `export default ${publicJson(...ids)};`],
])('%s is loaded anew when it has changed', async (name, write) => {
  await inFolder({ [name]: write('one'), 'package.json': '{"type":"module"}' }, async (folder) => {
    const file = join(folder, name);
    const source = createConfigSource({ file, env: {} });
    expect(idsOf(await source.load())).toEqual(['one']);
    expect(await settled(source)).toBe(false);
    for (const ids of [['one', 'two'], ['three'], ['one']]) {
      await writeFile(file, write(...ids));
      expect(await source.hasChanged()).toBe(false);
      expect(await source.hasChanged()).toBe(true);
      expect(idsOf(await source.load())).toEqual(ids);
      expect(await settled(source)).toBe(false);
    }
    // What was broken once is read again as well.
    await writeFile(file, 'export default {{');
    expect(await settled(source)).toBe(true);
    expect(await problemsOf(source.load())).toHaveLength(1);
    expect(await settled(source)).toBe(false);
    await writeFile(file, write('two'));
    expect(await settled(source)).toBe(true);
    expect(idsOf(await source.load())).toEqual(['two']);
  });
});

test('what is still being written waits', async () => {
  await inFolder({ 'c.json': publicJson('one') }, async (folder) => {
    const file = join(folder, 'c.json');
    const source = createConfigSource({ file, env: {} });
    await source.load();
    for (const ids of [['one'], ['one', 'two'], ['one', 'two', 'three']]) {
      await writeFile(file, publicJson(...ids, 'more'));
      expect(await source.hasChanged()).toBe(false);
    }
    expect(await source.hasChanged()).toBe(true);
  });
});

test('a mounted file is a link to a link that is replaced', async () => {
  await inFolder({}, async (folder) => {
    for (const [version, id] of [
      ['v1', 'one'],
      ['v2', 'two'],
    ] as const) {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, 'tollgate.config.json'), publicJson(id));
    }
    await symlink('v1', join(folder, '..data'));
    await symlink('..data/tollgate.config.json', join(folder, 'tollgate.config.json'));
    const source = createConfigSource({ file: join(folder, 'tollgate.config.json'), env: {} });
    expect(idsOf(await source.load())).toEqual(['one']);
    await symlink('v2', join(folder, '..next'));
    await rename(join(folder, '..next'), join(folder, '..data'));
    expect(await settled(source)).toBe(true);
    expect(idsOf(await source.load())).toEqual(['two']);
  });
});

test('files of secrets are looked at, too, and a module is not imported again for them', async () => {
  const counted = `globalThis.loadsOfThisTest = (globalThis.loadsOfThisTest ?? 0) + 1;\n${moduleOf('app')}`;
  await inFolder({ 'c.ts': counted, secret: clientSecret }, async (folder) => {
    const source = createConfigSource({
      file: join(folder, 'c.ts'),
      env: { TOLLGATE_CLIENT_APP_SECRET_FILE: join(folder, 'secret') },
    });
    expect((await source.load()).clients[0]?.secret).toBe(clientSecret);
    await writeFile(join(folder, 'secret'), other);
    expect(await settled(source)).toBe(true);
    expect((await source.load()).clients[0]?.secret).toBe(other);
    expect(Reflect.get(globalThis, 'loadsOfThisTest')).toBe(1);
    Reflect.deleteProperty(globalThis, 'loadsOfThisTest');
  });
});

test('an app that comes later has its secret in the folder of secrets', async () => {
  await inFolder({ 'c.json': jsonOf() }, async (folder) => {
    const secrets = join(folder, 'secrets');
    await mkdir(secrets);
    await writeFile(join(secrets, 'TOLLGATE_SECRET'), `${serverSecret}\n`);
    await writeFile(join(secrets, 'OF_SOMEBODY_ELSE'), 'x');
    const file = join(folder, 'c.json');
    const source = createConfigSource({ file, env: { TOLLGATE_SECRET_FOLDER: secrets } });
    expect((await source.load()).secrets).toEqual([serverSecret]);

    await writeFile(file, jsonOf('my-app'));
    expect(await settled(source)).toBe(true);
    expect(await problemsOf(source.load())).toEqual([expect.stringContaining('It is missing')]);
    await writeFile(join(secrets, 'TOLLGATE_CLIENT_MY_APP_SECRET'), other);
    expect(await settled(source)).toBe(true);
    expect((await source.load()).clients[0]?.secret).toBe(other);
    await rm(join(secrets, 'TOLLGATE_CLIENT_MY_APP_SECRET'));
    expect(await settled(source)).toBe(true);
  });
});

test('a variable is left over from a client that was removed, but not at a start', async () => {
  await inFolder({ 'c.json': jsonOf('app') }, async (folder) => {
    const file = join(folder, 'c.json');
    const env = { TOLLGATE_CLIENT_APP_SECRET: clientSecret };
    const source = createConfigSource({ file, env });
    await source.load();
    await writeFile(file, publicJson('one'));
    expect(idsOf(await source.load())).toEqual(['one']);
    expect(await problemsOf(createConfigSource({ file, env }).load())).toHaveLength(1);
  });
});

test('what the command line says instead holds for every load', async () => {
  await inFolder({ 'c.json': publicJson('one') }, async (folder) => {
    const source = createConfigSource({
      file: join(folder, 'c.json'),
      env: {},
      overrides: { port: 1234 },
    });
    expect([(await source.load()).port, (await source.load()).port]).toEqual([1234, 1234]);
  });
});

/** Looks every few milliseconds until the test is over. */
async function watched(file: string): Promise<{ taken: Config[]; log: TestLog }> {
  const source = createConfigSource({ file, env: {} });
  const log = recordingLog();
  const taken: Config[] = [];
  const config = await source.load();
  const watch = watchConfig({
    source,
    config,
    log,
    take: (next) => void taken.push(next),
    everyMs: 10,
  });
  watch.start();
  onTestFinished(() => watch.stop());
  return { taken, log };
}

/** In one step: a process that looks all the time must not see half of it. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

test('a running process takes up what is good, and tells of what is bad once', async () => {
  await inFolder({ 'c.json': publicJson('one') }, async (folder) => {
    const file = join(folder, 'c.json');
    const { taken, log } = await watched(file);
    await replace(file, publicJson('one', 'two'));
    await expect.poll(() => taken.map(idsOf)).toEqual([['one', 'two']]);
    expect(log.lines).toEqual([
      {
        level: 'info',
        message: 'the configuration has changed',
        fields: { file, changed: ['clients'], clients_added: ['two'] },
      },
    ]);
    log.lines.length = 0;

    await replace(file, jsonOf('one'));
    await expect.poll(() => log.lines).toHaveLength(1);
    expect(log.lines[0]).toMatchObject({
      level: 'error',
      fields: { problems: ['clients[0].secret: It is missing.'] },
    });
    await rm(file);
    await expect.poll(() => log.lines).toHaveLength(2);
    await replace(file, publicJson('two'));
    await expect.poll(() => log.lines).toHaveLength(3);
    expect(taken.map(idsOf)).toEqual([['one', 'two'], ['two']]);
  });
});

test('a file of the same length and time is another one when it was written', async () => {
  await inFolder({ 'c.json': publicJson('one') }, async (folder) => {
    const file = join(folder, 'c.json');
    // As tools do that keep times, or have none.
    const time = new Date(1_800_000_000_000);
    await utimes(file, time, time);
    const source = createConfigSource({ file, env: {} });
    expect(idsOf(await source.load())).toEqual(['one']);
    // Deno tells the time of a change in whole seconds.
    if ('deno' in process.versions) await delay(1100);
    await writeFile(file, publicJson('two'));
    await utimes(file, time, time);
    expect(await settled(source)).toBe(true);
    expect(idsOf(await source.load())).toEqual(['two']);
  });
});
