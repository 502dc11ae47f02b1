/** Metrics as an operator sees them: at an address of their own, of a process and of what people do in it. */

import { expect, test } from 'vitest';
import { createMetrics } from '../../src/base/metrics.ts';
import { openEvents } from '../kit/event_source.ts';
import { goThrough, refresh, signIn, startWorld } from '../kit/world.ts';
import { config, inConfigured, run, start } from './program.ts';

async function metricsAt(port: unknown, path = '/metrics', method = 'GET'): Promise<Response> {
  return fetch(`http://127.0.0.1:${String(port)}${path}`, { method });
}

test('they are served at an address of their own until the process is gone', async () => {
  await inConfigured({ metrics: { port: 0 } }, async (folder) => {
    const program = start({ folder, parameters: config });
    const { origin, port } = await program.listening();
    const { metrics_port: at, metrics_address: address } =
      await program.logged('metrics can be fetched');
    expect([address, at]).toEqual(['127.0.0.1', expect.any(Number)]);
    expect(at).not.toBe(port);
    await fetch(`${origin}/health/live`);
    await fetch(`${origin}/oauth2/token`, { method: 'POST', body: new URLSearchParams() });
    const answer = await metricsAt(at);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching('text/plain'),
    ]);
    const text = await answer.text();
    expect(text).toMatch(
      /^tollgate_build_info\{version="\d+\.\d+\.\d+",runtime="(node|deno) .+"\} 1$/m,
    );
    // `fetch` itself asks a second time where the host is another one.
    expect(text).toMatch(
      /^tollgate_http_request_seconds_count\{route="token",status="4xx"\} [12]$/m,
    );
    expect(text).toMatch(/^tollgate_http_request_seconds_count\{route="health",status="2xx"\} 1$/m);
    expect((await metricsAt(at, '/')).status).toBe(404);
    expect((await metricsAt(at, '/metrics', 'POST')).status).toBe(405);
    program.signal('SIGTERM');
    expect((await program.ended).code).toBe(0);
    await expect(metricsAt(at)).rejects.toThrow();
  });
});

test('without the key nothing is measured', async () => {
  await inConfigured({}, async (folder) => {
    const program = start({ folder, parameters: config });
    await program.listening();
    program.signal('SIGTERM');
    expect((await program.ended).output).not.toContain('metrics');
  });
});

test('an address that is taken is told by the key that names it', async () => {
  await inConfigured({ metrics: { port: 0 } }, async (folder) => {
    const program = start({ folder, parameters: config });
    await program.listening();
    const { metrics_port: at } = await program.logged('metrics can be fetched');
    await inConfigured({ metrics: { port: at } }, async (other) => {
      const { code, errors } = await run({ folder: other, parameters: config });
      expect(code).toBe(1);
      expect(errors).toContain('metrics.port');
      expect(errors).not.toMatch(/^\s+at .+:\d+/m);
    });
    program.signal('SIGTERM');
    expect((await program.ended).code).toBe(0);
  });
});

test('what people do is counted, and who they are is not', async () => {
  const metrics = createMetrics();
  const app = 'http://127.0.0.1:1';
  const settings = { signin: { success: `${app}/` }, signout: { success: `${app}/bye` } };
  const world = await startWorld({ measures: metrics, config: settings });
  try {
    const { issuer } = world;
    const tokens = await signIn(issuer, world.browser());
    await refresh(issuer, 'app', tokens.refresh_token);
    await refresh(issuer, 'app', 'tgr.nonsense');
    await signIn(issuer, world.browser(), { person: 'nora' }).catch(() => undefined);
    const browser = world.browser({ stopAt: (url) => url.origin === app });
    await goThrough(browser, await browser.get(`${issuer}/signin`));
    const page = await openEvents(issuer, { browser, headers: { origin: app } });
    await page.said(/^id: /m);
    const count = (line: string) =>
      expect.poll(() => metrics.text(), { timeout: 5000 }).toMatch(new RegExp(`^${line}$`, 'm'));
    const tokenCount = (of: string) => `tollgate_token_requests_total\\{grant_type=${of}\\}`;
    await count(`${tokenCount('"authorization_code",outcome="issued"')} 2`);
    await count(`${tokenCount('"refresh_token",outcome="issued"')} 1`);
    await count(`${tokenCount('"refresh_token",outcome="invalid_grant"')} 1`);
    await count('tollgate_sign_ins_total\\{provider="upstream",outcome="signed_in"\\} 2');
    await count('tollgate_sign_ins_total\\{provider="upstream",outcome="refused"\\} 1');
    await count('tollgate_session_event_connections 1');
    expect((await fetch(`${issuer}/metrics`)).status).toBe(404);
    await count('tollgate_outbox_oldest_seconds \\d.*');
    await count('tollgate_events_handled_total\\{handler="audit",outcome="done"\\} [1-9].*');
    await count('tollgate_store_seconds_count\\{operation="write"\\} [1-9].*');
    world.server.reconfigure(world.config);
    await count('tollgate_reloads_total\\{what="clients"\\} 1');
    const own = (await metrics.text()).split('\n').filter((line) => line.startsWith('tollgate_'));
    expect(own.join('\n')).not.toMatch(/usr_|acc_|ada|acme|127\.0\.0|nonsense|tgr|@/i);
    page.close();
    await count('tollgate_session_event_connections 0');
  } finally {
    await world.close();
  }
});
