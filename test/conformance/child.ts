/**
 * Another process at the same store: `child.ts <location> <task> <name> <count>`. It prints a line
 * for everything that was acknowledged, after it was.
 */

import { Conflict, Duplicate } from '../../src/storage/store.ts';
import type { Store } from '../../src/storage/store.ts';
import { dyingStore } from '../kit/dying_store.ts';
import { openAt } from './places.ts';
import { account, event, user } from './samples.ts';

const [location = '', task = '', name = '', count = '0'] = process.argv.slice(2);

const print = (line: string) => void process.stdout.write(`${line}\n`);

/** Adds to one number with conditional writes, as often as `count` says. */
async function increment(store: Store): Promise<void> {
  for (let done = 0; done < Number(count);) {
    const read = await store.get('meta', 'sum');
    const value = Number(read?.document.value ?? 0) + 1;
    const events = [event(`${name}-${done}`, { data: { value } })];
    try {
      await store.write('meta', 'sum', { value }, { expect: read?.version ?? 'absent', events });
      done += 1;
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    }
  }
}

/** Claims unique values, each of them under an id of its own. */
async function claim(store: Store): Promise<void> {
  for (let number = 0; number < Number(count); number += 1) {
    try {
      await store.write('user', `${name}-${number}`, user([`${number}`]), { expect: 'absent' });
      print(`${number}`);
    } catch (error) {
      if (!(error instanceof Duplicate)) throw error;
    }
  }
}

/** Writes until it is killed, several at a time: new documents and one that many writes change. */
async function writeOn(store: Store): Promise<void> {
  const lane = async (laneName: string) => {
    for (let number = 1; ; number += 1) {
      const id = `${laneName}-${number}`;
      const document = account({ name: id, customer: id });
      await store.write('account', id, document, { expect: 'absent', events: [event(id)] });
      await store.write('meta', laneName, { value: number }, { expect: 'any' });
      print(`${laneName} ${number}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, index) => lane(`${name}${index}`)));
}

const tasks: Record<string, (store: Store) => Promise<void>> = { increment, claim, writeOn };

const store = dyingStore(await openAt(location, Date.now));
print('open');
await tasks[task]?.(store);
await store.close();
print('done');
