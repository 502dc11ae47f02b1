import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigProblems, loadConfig } from '../../src/config.ts';
import {
  clientSecret,
  complaints,
  goodInput,
  inFolder,
  load,
  problemsOf,
  serverSecret,
} from './world.ts';

const example = new URL('../../tollgate.config.example.ts', import.meta.url).pathname;

test('an app with Google takes at most 25 lines', async () => {
  const lines = (await readFile(example, 'utf8')).trim().split('\n');
  expect(lines.length).toBeLessThanOrEqual(25);
  const config = await loadConfig({
    file: example,
    env: {
      TOLLGATE_SECRET: serverSecret,
      TOLLGATE_PROVIDER_GOOGLE_SECRET: 'GOCSPX-1',
      TOLLGATE_CLIENT_WEB_SECRET: clientSecret,
    },
  });
  expect(config).toMatchObject({
    issuer: 'https://id.example.com',
    port: 4400,
    secrets: [serverSecret],
    providers: [{ id: 'google', clientSecret: 'GOCSPX-1' }],
    clients: [{ id: 'web', secret: clientSecret, refreshGraceSeconds: 30 }],
    lifetimes: { accessToken: 900 },
    limits: { perAddressPerMinute: 300 },
  });
});

test('half of what e-mails need is told with the other half', async () => {
  expect(await complaints({ ...goodInput(), mail: { from: 'id@example.com' } })).toEqual([
    expect.stringMatching(/^mail.server: It is missing. Set TOLLGATE_MAIL_SERVER/),
  ]);
  const env = { TOLLGATE_MAIL_SERVER: 'smtp://127.0.0.1:4411' };
  expect(await complaints(goodInput(), env)).toEqual([
    expect.stringMatching(/^mail.from: It is missing. A mail server needs a sender: mail: {/),
  ]);
});

test('all problems are told at once, each with its key, what was found and what to do', async () => {
  const problems = await complaints({
    ...goodInput(),
    issuer: 'http://id.example.com/',
    prot: 4400,
    port: '4400',
    store: 'mysql://db',
    secrets: undefined,
    defaultProvider: 'gogle',
    providers: [{ id: 'google', preset: 'googel', clientId: 'g', clientSecret: 's' }],
    clients: [
      { id: 'app', name: 'App', redirectUris: ['https://*.example.com'], redirectUri: 'https://x' },
      { id: 'app', name: 'Other', redirectUris: [], public: true },
    ],
    lifetimes: { accessToken: 3600, sessionIdle: 5_000_000 },
  });
  expect(problems).toEqual(
    expect.arrayContaining([
      expect.stringMatching(
        /^issuer: "http:\/\/id.example.com\/" is not secure. Begin it with http/,
      ),
      'prot: There is no such key. Did you mean `port`?',
      'port: "4400" does not fit. It should be a number.',
      expect.stringMatching(/^store: "mysql:\/\/db" is no store. Write sqlite:/),
      expect.stringMatching(/^secrets: It is missing. Set TOLLGATE_SECRET/),
      'defaultProvider: There is no such provider. There are: google.',
      'providers[0].preset: "googel" does not fit. It should be one of google, github.',
      expect.stringMatching(/^clients\[0\].redirectUris\[0\]: .* has a wildcard/),
      'clients[0].redirectUri: There is no such key. Did you mean `redirectUris`?',
      expect.stringMatching(/^clients\[0\].secret: It is missing. Set TOLLGATE_CLIENT_APP_SECRET/),
      'clients[1].id: clients[0] has the same id.',
      expect.stringMatching(/^clients\[1\].redirectUris: An app that people sign in to needs one/),
      'lifetimes.accessToken: 3600 does not fit. It should be at most 900.',
      expect.stringMatching(/^lifetimes.sessionIdle: It is longer than sessionAbsolute/),
    ]),
  );
  expect(problems).toHaveLength(14);
});

test('the message lists them for a terminal', async () => {
  const error = await load({ ...goodInput(), prot: 1, registration: 'opne' }).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConfigProblems);
  expect(String(error)).toBe(
    `ConfigProblems: The configuration in tollgate.config.json has 2 problems:
  registration: "opne" does not fit.
      It should be one of open, checkout, invitation.
  prot: There is no such key.
      Did you mean \`port\`?`,
  );
});

test('a value cannot steer a terminal, nor fill it', async () => {
  const problems = await complaints({ ...goodInput(), issuer: `\u001b[2J${'x'.repeat(5000)}` });
  expect(problems.join('')).not.toContain('\u001b');
  expect(problems.join('').length).toBeLessThan(600);
});

test.each([
  ['nothing', null],
  ['a list', []],
  ['a text', 'issuer'],
  ['an empty object', {}],
])('what is no configuration at all is told so: %s', async (_name, input) => {
  expect((await complaints(input)).length).toBeGreaterThan(0);
});

test('it is read from .ts, .js and .json files', async () => {
  const source = `export default ${JSON.stringify(goodInput())};`;
  const files = {
    'a.ts': `${source}\nexport type Unused = string;`,
    'b.js': source,
    'c.json': JSON.stringify(goodInput()),
  };
  await inFolder(files, async (folder) => {
    for (const name of Object.keys(files)) {
      const config = await loadConfig({ file: join(folder, name), env: {} });
      expect(config.issuer).toBe('https://id.example.com');
    }
  });
});

test('a file that is not there, or is none, is told plainly and without its content', async () => {
  const files = {
    'broken.json': `{ "secrets": ["${serverSecret}" x] }`,
    'broken.ts': 'export default {',
    'empty.ts': 'export const other = 1;',
    'failing.ts': "throw new Error('TOLLGATE_HOST is not set');",
  };
  await inFolder(files, async (folder) => {
    const told = async (name: string) =>
      (await problemsOf(loadConfig({ file: join(folder, name), env: {} }))).join('\n');
    expect(await told('absent.json')).toContain('cannot be read');
    expect(await told('absent.ts')).toContain('no such file');
    expect(await told('broken.json')).toMatch(/^: It is no JSON/);
    expect(await told('broken.json')).not.toContain(serverSecret.slice(0, 6));
    expect(await told('broken.ts')).toContain('cannot be loaded');
    expect(await told('empty.ts')).toContain('no default export');
    expect(await told('failing.ts')).toContain('TOLLGATE_HOST is not set');
    expect(await told('tollgate.yaml')).toContain('no .ts, .js or .json file');
  });
});
