import { once } from 'node:events';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { goodInput } from '../config/world.ts';
import { config, inConfigured, run, start } from './program.ts';

const stack = /^\s+at .+:\d+/m;

test('it says where it listens, answers, and ends in order at a signal', async () => {
  await inConfigured({}, async (folder) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const program = start({ folder, parameters: config });
      const { origin } = await program.listening();
      expect((await fetch(`${origin}/health/live`)).status).toBe(200);
      expect((await fetch(`${origin}/health/ready`)).status).toBe(200);
      program.signal(signal);
      const { code, output, errors } = await program.ended;
      expect(code).toBe(0);
      expect(errors).not.toMatch(stack);
      expect(output.trim().split('\n').at(-1)).toContain('"stopped"');
    }
  });
});

test('options win over the configuration', async () => {
  await inConfigured({ port: 1 }, async (folder) => {
    const parameters = ['serve', '--host', '::1', '--port', '0', ...config];
    const program = start({ folder, parameters });
    const listening = await program.listening();
    expect(listening.address).toBe('::1');
    expect(listening.port).not.toBe(1);
    program.signal('SIGTERM');
    expect((await program.ended).code).toBe(0);
  });
});

test('a module that has changed is taken up while it runs', async () => {
  const written = (...products: string[]) =>
    `const products = ${JSON.stringify(products)};
     const good: { [key: string]: unknown } = ${JSON.stringify(goodInput())};
     export default { ...good, issuer: 'http://localhost:4400', port: 0, products: products.map(
       (id: string) => ({ id, name: id, audience: 'https://' + id + '.example.com' })) };`;
  const use = async (folder: string) => {
    const program = start({ folder, parameters: ['--config', 'changing.ts'] });
    await program.listening();
    await writeFile(join(folder, 'next.ts'), written('api'));
    await rename(join(folder, 'next.ts'), join(folder, 'changing.ts'));
    const record = await program.logged('the configuration has changed');
    expect(record['products_added']).toEqual(['api']);
    program.signal('SIGTERM');
    expect((await program.ended).code).toBe(0);
  };
  await inConfigured({}, use, { 'changing.ts': written() });
});

test('a port that is taken is told in plain words', async () => {
  await inConfigured({}, async (folder) => {
    const first = start({ folder, parameters: config });
    const { port } = await first.listening();
    const parameters = ['--port', String(port), ...config];
    const { code, errors } = await run({ folder, parameters });
    expect(code).toBe(1);
    expect(errors).toContain(String(port));
    expect(errors).toContain('--port');
    expect(errors).not.toMatch(stack);
    first.signal('SIGTERM');
    expect((await first.ended).code).toBe(0);
  });
});

test('a store that cannot be used is told in plain words', async () => {
  await inConfigured({ store: 'sqlite:./folder' }, async (folder) => {
    await mkdir(join(folder, 'folder'));
    const { code, errors } = await run({ folder, parameters: config });
    expect(code).toBe(1);
    expect(errors).toContain('folder');
    expect(errors).not.toMatch(stack);
  });
});

test('another secret than the one that the database was made with is told in plain words', async () => {
  await inConfigured({ secrets: undefined }, async (folder) => {
    const [old, newer] = ['8c1f0b7e5a2d49638f70e1c2b3a4d596', 'd41a7c95e0b2386f4a6d1e9c7b5038f2'];
    const serving = async (secret: string) => {
      const program = start({
        folder,
        parameters: config,
        environment: { TOLLGATE_SECRET: secret },
      });
      await program.listening();
      program.signal('SIGTERM');
      expect((await program.ended).code).toBe(0);
    };
    await serving(old);
    const environment = { TOLLGATE_SECRET: newer };
    const { code, errors } = await run({ folder, parameters: config, environment });
    expect(code).toBe(1);
    expect(errors).toContain('TOLLGATE_SECRET=new,old');
    expect(errors).not.toMatch(stack);
    await serving(`${newer},${old}`);
  });
});

/** A request of which the last byte is not sent yet, but which is being answered. */
async function halfSent(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const head = [
    'POST /oauth2/token HTTP/1.1',
    'Host: localhost:4400',
    'Content-Type: application/x-www-form-urlencoded',
    'Content-Length: 24',
    'Expect: 100-continue',
    '',
    '',
  ];
  socket.write(head.join('\r\n'));
  // The answer `100 Continue` says that the request has begun.
  await once(socket, 'data');
  socket.write('grant_type=refresh_toke');
  return socket;
}

test('a request that is under way at the signal is answered; no other is taken', async () => {
  await inConfigured({}, async (folder) => {
    const program = start({ folder, parameters: config });
    const { origin, port } = await program.listening();
    const socket = await halfSent(port);
    program.signal('SIGTERM');
    await program.logged('stopping');
    const taken = () => fetch(`${origin}/health/live`).then(Boolean, () => false);
    await expect.poll(taken, { timeout: 10_000 }).toBe(false);
    socket.write('n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 40[01] /);
    // The client learns from the answer that it has to open another connection.
    expect(answer.toString()).toMatch(/^connection: close\r$/im);
    expect((await program.ended).code).toBe(0);
    socket.destroy();
  });
});

test('a second signal ends it at once', async () => {
  await inConfigured({}, async (folder) => {
    const program = start({ folder, parameters: config });
    const { port } = await program.listening();
    const socket = await halfSent(port);
    socket.on('error', () => undefined);
    program.signal('SIGTERM');
    await program.logged('stopping');
    program.signal('SIGINT');
    const { code, output } = await program.ended;
    expect(code).toBe(1);
    expect(output).toContain('stopped at once');
    socket.destroy();
  });
});

test.each([
  [
    'an exception that nobody caught',
    'setTimeout(() => { throw new Error("planted"); }, 0);',
    'uncaught exception',
  ],
  [
    'a rejection that nobody handled',
    'Promise.reject(new Error("planted"));',
    'unhandled rejection',
  ],
])('after %s it ends, and the log says why', async (_name, defect, message) => {
  const source = `
    import { readFileSync } from 'node:fs';
    process.on('SIGUSR2', () => { ${defect} });
    export default JSON.parse(readFileSync('tollgate.config.json', 'utf8'));`;
  const use = async (folder: string) => {
    const program = start({ folder, parameters: ['--config', 'planted.ts'] });
    await program.listening();
    program.signal('SIGUSR2');
    const record = await program.logged(message);
    expect(record['level']).toBe('error');
    expect(JSON.stringify(record)).toContain('planted');
    expect((await program.ended).code).toBe(1);
  };
  await inConfigured({}, use, { 'planted.ts': source });
});
