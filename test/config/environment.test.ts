import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { clientSecret, complaints, goodInput, load, problemsOf, serverSecret } from './world.ts';

const newer = 'b27e91d04fc8a3560e1d7b92c45f8a60';

function bare() {
  const { secrets: _, ...good } = goodInput();
  return {
    ...good,
    providers: [{ id: 'google', preset: 'google', clientId: 'g' }],
    clients: [{ id: 'my-app', name: 'App', redirectUris: ['https://app.example.com/callback'] }],
  };
}

test('secrets come from the environment', async () => {
  const config = await load(bare(), {
    TOLLGATE_SECRET: ` ${newer}, ${serverSecret} `,
    TOLLGATE_PROVIDER_GOOGLE_SECRET: 'GOCSPX-2',
    TOLLGATE_CLIENT_MY_APP_SECRET: clientSecret,
  });
  expect(config.secrets).toEqual([newer, serverSecret]);
  expect(config.providers[0]?.clientSecret).toBe('GOCSPX-2');
  expect(config.clients[0]?.secret).toBe(clientSecret);
});

test('or from files that it names', async () => {
  const files: Record<string, string> = {
    'tollgate.config.json': JSON.stringify(bare()),
    '/run/server': `${newer}\n${serverSecret}\n`,
    '/run/google': 'GOCSPX-2\n',
    '/run/app': `${clientSecret}\n`,
  };
  const config = await loadConfig({
    file: 'tollgate.config.json',
    readFile: (path) => Promise.resolve(files[path] ?? ''),
    env: {
      TOLLGATE_SECRET_FILE: '/run/server',
      TOLLGATE_PROVIDER_GOOGLE_SECRET_FILE: '/run/google',
      TOLLGATE_CLIENT_MY_APP_SECRET_FILE: '/run/app',
    },
  });
  expect(config.secrets).toEqual([newer, serverSecret]);
  expect(config.providers[0]?.clientSecret).toBe('GOCSPX-2');
  expect(config.clients[0]?.secret).toBe(clientSecret);
});

test('the environment wins over the file', async () => {
  const config = await load(goodInput(), { TOLLGATE_SECRET: newer });
  expect(config.secrets).toEqual([newer]);
});

test('a file that cannot be read, and a secret given twice, are problems', async () => {
  const loading = loadConfig({
    file: 'tollgate.config.json',
    env: { TOLLGATE_SECRET_FILE: '/absent', TOLLGATE_CLIENT_APP_SECRET_FILE: '/absent' },
    readFile: (path) =>
      path === '/absent'
        ? Promise.reject(Object.assign(new Error('no'), { code: 'ENOENT' }))
        : Promise.resolve(JSON.stringify(goodInput())),
  });
  expect(await problemsOf(loading)).toEqual([
    'TOLLGATE_SECRET_FILE: The file "/absent" cannot be read (ENOENT).',
    'TOLLGATE_CLIENT_APP_SECRET_FILE: The file "/absent" cannot be read (ENOENT).',
  ]);
  const twice = { TOLLGATE_SECRET: newer, TOLLGATE_SECRET_FILE: 'secret.txt' };
  expect(await complaints(goodInput(), twice)).toEqual([
    'TOLLGATE_SECRET_FILE: TOLLGATE_SECRET is set as well. Set one of the two.',
  ]);
});

test('a misspelled variable is refused, so that no app is left without its secret', async () => {
  expect(await complaints(goodInput(), { TOLLGATE_CLIENT_APPP_SECRET: clientSecret })).toEqual([
    'TOLLGATE_CLIENT_APPP_SECRET: Nothing is configured by this variable. Did you mean TOLLGATE_CLIENT_APP_SECRET?',
  ]);
});

test('two ids that mean one variable are told apart', async () => {
  const good = goodInput();
  const app = { name: 'App', redirectUris: ['https://app.example.com/'], public: true };
  const clients = [
    { ...app, id: 'my-app' },
    { ...app, id: 'my.app' },
  ];
  expect(await complaints({ ...good, clients })).toEqual([]);
  const problems = await complaints(
    { ...good, clients },
    { TOLLGATE_CLIENT_MY_APP_SECRET: clientSecret },
  );
  expect(problems).toContain(
    'TOLLGATE_CLIENT_MY_APP_SECRET: Two ids of the configuration mean this variable. Give them ids that differ in more than case and punctuation.',
  );
});
