import { describe, expect, test } from 'vitest';
import { parseRedisAddress } from '../../src/storage/redis/address.ts';

const parsed = (text: string) => parseRedisAddress(text);

describe('the address of a Redis', () => {
  test('names one server', () => {
    expect(parsed('redis://localhost')).toEqual({
      mode: 'single',
      hosts: [{ host: 'localhost', port: 6379 }],
      database: 0,
      tls: false,
      prefix: 'tollgate',
      wait: 0,
      shown: 'redis://localhost',
    });
    expect(parsed('rediss://[::1]:7000/3?prefix=own&wait=2')).toMatchObject({
      hosts: [{ host: '::1', port: 7000 }],
      database: 3,
      tls: true,
      prefix: 'own',
      wait: 2,
    });
  });

  test('names Sentinels and their master', () => {
    expect(parsed('redis+sentinel://a,b:26380/main/2')).toMatchObject({
      mode: 'sentinel',
      hosts: [
        { host: 'a', port: 26_379 },
        { host: 'b', port: 26_380 },
      ],
      master: 'main',
      database: 2,
    });
  });

  test('names nodes of a cluster', () => {
    expect(parsed('rediss+cluster://a:1,b:2')).toMatchObject({
      mode: 'cluster',
      hosts: [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
      tls: true,
    });
  });

  test('has a user and a password, which are shown nowhere', () => {
    expect(parsed('redis://toll:p%40ss:w@host/1')).toMatchObject({
      username: 'toll',
      password: 'p@ss:w',
      shown: 'redis://host/1',
    });
    const { username, password } = parsed('redis://:secret@host');
    expect([username, password]).toEqual([undefined, 'secret']);
  });

  test.for<readonly [address: string, reason: string]>([
    ['http://host', 'not understood'],
    ['redis://', 'not understood'],
    ['redis://a b', 'a host that is none'],
    ['redis://host:0', 'a host that is none'],
    ['redis://host:70000', 'a host that is none'],
    ['redis://a,b', 'several hosts'],
    ['redis://host/one', 'a database that is no number'],
    ['redis://host/1/2', 'a database that is no number'],
    ['redis+cluster://host/1', 'a cluster has only one'],
    ['redis+sentinel://host', 'the name of the master'],
    ['redis://secret@host', 'a user without a password'],
    ['redis://:%zz-secret@host', '%25'],
    ['redis://:secret@host?password=secret', 'unknown parameter "password"'],
    ['redis://host?prefix=a:b', 'a prefix that is not'],
    ['redis://host?prefix=', 'a prefix that is not'],
    ['redis://host?wait=all', 'a wait that is no number'],
    ['redis://host?wait=17', 'a wait that is no number'],
  ])('%s is refused, and told why', ([address, reason]) => {
    const refusal = () => parsed(address);
    expect(refusal).toThrow(reason);
    expect(refusal).not.toThrow('secret');
    expect(refusal).toThrow(expect.objectContaining({ code: 'store_address', status: 500 }));
  });
});
