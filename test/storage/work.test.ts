import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqlite } from '../../src/storage/sqlite.ts';
import type { Store } from '../../src/storage/store.ts';
import { createUnitOfWork } from '../../src/storage/work.ts';
import type { Operation } from '../../src/storage/work.ts';
import type { MetaDocument } from '../../src/storage/documents.ts';

let store: Store;

beforeEach(async () => {
  store = await openSqlite({ path: ':memory:', clock: Date.now });
});

afterEach(() => store.close());

const add = (word: string, evenWhenRefused = false): Operation<MetaDocument> => ({
  evenWhenRefused,
  apply: (document) => ({ document: { value: [...((document?.value ?? []) as string[]), word] } }),
});

const value = async () => (await store.get('meta', 'list'))?.document.value;

describe('the unit of work of a request', () => {
  test('reads see what was recorded, and nothing is written before the flush', async () => {
    const work = createUnitOfWork(store);
    await work.open(async (current) => {
      current.record('meta', 'list', add('a'));
      current.record('meta', 'list', add('b'));
      expect(await current.read('meta', 'list')).toEqual({ value: ['a', 'b'] });
      expect(await value()).toBeUndefined();
      await current.flush('success');
      expect(await value()).toEqual(['a', 'b']);
    });
  });

  test('two requests that change one document at once both get their way', async () => {
    const work = createUnitOfWork(store);
    const words = Array.from({ length: 6 }, (_, index) => `word ${index}`);
    await Promise.all(
      words.map((word) =>
        work.run(async (current) => {
          await current.read('meta', 'list');
          current.record('meta', 'list', add(word));
        }),
      ),
    );
    expect(((await value()) as string[]).toSorted()).toEqual(words);
  });

  test('a 4xx keeps tombstones only, a 5xx keeps nothing', async () => {
    const work = createUnitOfWork(store);
    await work.open(async (current) => {
      current.record('meta', 'list', add('rotated'));
      current.record('meta', 'list', add('ended', true));
      await current.flush('refused');
    });
    expect(await value()).toEqual(['ended']);
    await work.open(async (current) => {
      current.record('meta', 'list', add('again', true));
      await current.flush('failed');
    });
    expect(await value()).toEqual(['ended']);
  });

  test('a refusal of a gate leaves everything behind it unwritten', async () => {
    const work = createUnitOfWork(store);
    const refusal = new Error('used already');
    const flushed = work.run(async (current) => {
      await current.read('meta', 'list');
      current.record('meta', 'list', add('behind'));
      current.record('interaction', 'gate', {
        apply() {
          throw refusal;
        },
      });
    });
    await expect(flushed).rejects.toBe(refusal);
    expect(await value()).toBeUndefined();
  });

  test('what shall happen afterwards happens behind the writes, and not after a failure', async () => {
    const work = createUnitOfWork(store);
    const seen: unknown[] = [];
    await work.run(async (current) => {
      current.record('meta', 'list', add('a'));
      current.afterwards(async () => {
        seen.push(await value());
      });
    });
    await work.open(async (current) => {
      current.afterwards(() => Promise.reject(new Error('not after a failure')));
      await current.flush('failed');
    });
    expect(seen).toEqual([['a']]);
  });

  test('a document that never stops changing is given up with a clear answer', async () => {
    const restless: Store = new Proxy(store, {
      get(target, name: keyof Store) {
        if (name !== 'get') return target[name].bind(target);
        // Somebody writes behind each read.
        return async (kind: 'meta', id: string) => {
          const stored = await target.get(kind, id);
          await target.write(kind, id, { value: [String(Math.random())] }, { expect: 'any' });
          return stored;
        };
      },
    });
    const flushed = createUnitOfWork(restless).run((current) => {
      current.record('meta', 'list', add('a'));
      return Promise.resolve();
    });
    await expect(flushed).rejects.toMatchObject({ code: 'busy', status: 503 });
  });
});
