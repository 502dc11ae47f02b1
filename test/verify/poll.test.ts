import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Access } from '../../src/verify/access.ts';
import { Denylist } from '../../src/verify/denylist.ts';
import { Inbox } from '../../src/verify/inbox.ts';
import { pause, poll } from '../../src/verify/poll.ts';
import { Seen } from '../../src/verify/seen.ts';
import { readOptions } from '../../src/verify/settings.ts';
import { Silence } from '../../src/verify/silence.ts';
import { MemoryStore, safeStore } from '../../src/verify/store.ts';
import type { Warning } from '../../src/verify/index.ts';
import {
  accessToken,
  audience,
  caep,
  clientId,
  clientSecret,
  clockAt,
  newId,
  openIssuer,
  openService,
  outcome,
  securityEvent,
  user,
} from './world.ts';
import type { Clock, TestIssuer } from './world.ts';

let world: TestIssuer;
let clock: Clock;
let stop: AbortController;

beforeEach(async () => {
  world = await openIssuer();
  clock = clockAt();
  stop = new AbortController();
  world.routes['/token'] = () => ({ body: { access_token: 'at-1', expires_in: 900 } });
});
afterEach(() => world.close());

interface Report {
  ack: string[];
  setErrs: Record<string, { err: string }>;
  maxEvents: number;
  returnImmediately: boolean;
}

/** A stream of RFC 8936: what was not acknowledged is there still. Ends the client when it is empty. */
function openStream() {
  const sets = new Map<string, string>();
  const reports: Report[] = [];
  const refused = new Map<string, string>();
  const failing: number[] = [];
  world.routes['/poll'] = ({ body, headers }) => {
    const status = failing.shift();
    if (status !== undefined) return { status };
    expect(headers['content-type']).toBe('application/json');
    expect(headers.authorization).toBe('Bearer at-1');
    const report = JSON.parse(body) as Report;
    reports.push(report);
    for (const jti of report.ack) sets.delete(jti);
    for (const [jti, { err }] of Object.entries(report.setErrs)) {
      refused.set(jti, err);
      sets.delete(jti);
    }
    if (sets.size === 0) stop.abort();
    const page = [...sets].slice(0, 2);
    return { body: { sets: Object.fromEntries(page), moreAvailable: sets.size > 2 } };
  };
  const add = async (sub: string, claims: object = {}) => {
    const jti = newId();
    const events = { [`${caep}session-revoked`]: {} };
    const all = { jti, sub_id: user(world, sub), events, ...claims };
    sets.set(jti, await securityEvent(world, clock, all));
    return jti;
  };
  return { sets, reports, refused, failing, add };
}

describe('T68: the poll client', () => {
  test('applies what there is, acknowledges it, and ends when it is told to', async () => {
    const { tollgate, events } = openService(world, clock);
    const stream = openStream();
    for (const sub of ['usr_1', 'usr_2', 'usr_3', 'usr_4', 'usr_5']) await stream.add(sub);
    await tollgate.poll({ url: `${world.issuer}/poll`, signal: stop.signal });
    expect(stream.sets.size).toBe(0);
    expect(events.map(({ subject }) => subject.user)).toEqual([
      'usr_1',
      'usr_2',
      'usr_3',
      'usr_4',
      'usr_5',
    ]);
    expect(await outcome(tollgate.check(await accessToken(world, clock, { sub: 'usr_3' })))).toBe(
      'token_revoked',
    );
    expect(stream.reports[0]).toMatchObject({ ack: [], setErrs: {}, returnImmediately: false });
    expect(stream.reports[1]?.ack).toHaveLength(2);
  });

  test('reports sets that are wrong, in the words of RFC 8936 §2.2', async () => {
    const { tollgate, events } = openService(world, clock);
    const stream = openStream();
    const audienceOf = await stream.add('usr_1', { aud: 'other' });
    const issuerOf = await stream.add('usr_1', { iss: 'https://other.example' });
    stream.sets.set('moved', await securityEvent(world, clock, { sub_id: {}, events: { a: {} } }));
    stream.sets.set('garbage', 'x');
    await stream.add('usr_2');
    await tollgate.poll({ url: `${world.issuer}/poll`, signal: stop.signal });
    expect(Object.fromEntries(stream.refused)).toEqual({
      [audienceOf]: 'invalid_audience',
      [issuerOf]: 'invalid_issuer',
      moved: 'invalid_request',
      garbage: 'invalid_request',
    });
    expect(events).toHaveLength(1);
  });

  test('what this side could not handle is not acknowledged, and comes again', async () => {
    const { tollgate, events, onEvent } = openService(world, clock);
    const stream = openStream();
    await stream.add('usr_1');
    let failures = 1;
    onEvent.run = () => {
      failures -= 1;
      if (failures >= 0) throw new Error('database is gone');
    };
    await tollgate.poll({ url: `${world.issuer}/poll`, signal: stop.signal });
    expect(stream.refused.size).toBe(0);
    expect(events).toHaveLength(2);
  });

  test('what was applied last is acknowledged when it ends', async () => {
    const { tollgate, onEvent } = openService(world, clock);
    const stream = openStream();
    const jti = await stream.add('usr_1');
    onEvent.run = () => stop.abort();
    await tollgate.poll({ url: `${world.issuer}/poll`, signal: stop.signal });
    expect(stream.reports.at(-1)).toMatchObject({
      ack: [jti],
      maxEvents: 0,
      returnImmediately: true,
    });
  });

  test('a signal that was given before it began', async () => {
    const { tollgate } = openService(world, clock);
    stop.abort();
    await tollgate.poll({ url: `${world.issuer}/poll`, signal: stop.signal });
    expect(world.asked).toEqual([]);
  });

  test('a signal ends a request that waits', async () => {
    const { tollgate } = openService(world, clock);
    const never = new Promise<Response>(() => undefined);
    const hanging = openService(world, clock, {
      fetch: (url, init) => {
        if (!url.endsWith('/poll')) return fetch(url, init);
        stop.abort();
        return Promise.race([
          never,
          new Promise<Response>((_resolve, reject) => {
            if (init.signal?.aborted === true) reject(new Error('aborted'));
          }),
        ]);
      },
    });
    expect(tollgate).toBeDefined();
    await hanging.tollgate.poll({ url: `${world.issuer}/poll`, signal: stop.signal });
    expect(hanging.warnings).toEqual([]);
  });
});

describe('failures', () => {
  /** The loop itself, with a way of waiting that the test sees. */
  function parts() {
    const warnings: Warning[] = [];
    const waits: number[] = [];
    const settings = readOptions({
      issuer: world.issuer,
      audience,
      clientId,
      clientSecret,
      now: clock.now,
      onWarning: (warning) => warnings.push(warning),
    });
    const store = safeStore(new MemoryStore(1000, clock.now), settings.warn);
    const denylist = new Denylist({ store, now: clock.now, toleranceSeconds: 5 });
    const silence = new Silence({ limitSeconds: Infinity, now: clock.now, warn: settings.warn });
    const inbox = new Inbox({
      settings,
      denylist,
      silence,
      seen: new Seen(store),
      onEvent: undefined,
    });
    const access = new Access(settings, settings.issuers[0]!);
    const wait = (ms: number) => {
      waits.push(ms);
      return Promise.resolve();
    };
    return { warnings, waits, loop: { settings, inbox, silence, access, wait, random: () => 1 } };
  }

  test('are tried again after ever longer pauses, up to a minute; one warning for all', async () => {
    const { warnings, waits, loop } = parts();
    const stream = openStream();
    await stream.add('usr_1');
    stream.failing.push(...Array<number>(9).fill(503));
    await poll(loop, { url: `${world.issuer}/poll`, signal: stop.signal });
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1000));
    expect(warnings.map(({ code }) => code)).toEqual(['poll_failed']);
    expect(stream.sets.size).toBe(0);
  });

  test('with jitter: half of it at least', async () => {
    const { waits, loop } = parts();
    const stream = openStream();
    await stream.add('usr_1');
    stream.failing.push(500, 500);
    await poll({ ...loop, random: () => 0 }, { url: `${world.issuer}/poll`, signal: stop.signal });
    expect(waits).toEqual([500, 1000]);
  });

  test('a token that is refused is asked for anew', async () => {
    const { loop } = parts();
    const stream = openStream();
    await stream.add('usr_1');
    stream.failing.push(401);
    await poll(loop, { url: `${world.issuer}/poll`, signal: stop.signal });
    expect(world.times('/token')).toBe(2);
  });

  test('an issuer that answers at once with nothing is asked once a second', async () => {
    const { waits, loop } = parts();
    let asked = 0;
    world.routes['/poll'] = () => {
      asked += 1;
      if (asked === 3) stop.abort();
      clock.ms += 100;
      return { body: { sets: {} } };
    };
    await poll(loop, { url: `${world.issuer}/poll`, signal: stop.signal });
    expect(waits.slice(0, 2)).toEqual([900, 900]);
  });

  test('a pause ends with the signal', async () => {
    const paused = pause(1_000_000, stop.signal);
    stop.abort();
    await paused;
    await pause(1_000_000, stop.signal);
    await pause(1, new AbortController().signal);
    expect(stop.signal.aborted).toBe(true);
  });
});
