/**
 * Another process at the same store: `child.ts <location> <task> <name> <count> <kept|hot>`. It prints
 * a line for everything that was acknowledged, after it was.
 */

import { Conflict, Duplicate } from '../../src/storage/store.ts';
import type { Store } from '../../src/storage/store.ts';
import { dyingStore } from '../kit/dying_store.ts';
import { openAt } from './places.ts';
import { event, hotTasks, keptTasks, user } from './samples.ts';

const [location = '', task = '', name = '', count = '0', where = 'kept'] = process.argv.slice(2);
const { number: numbers, lane: lanes } = where === 'hot' ? hotTasks : keptTasks;

const print = (line: string) => void process.stdout.write(`${line}\n`);

/** Adds to one number with conditional writes, as often as `count` says. */
async function increment(store: Store): Promise<void> {
  for (let done = 0; done < Number(count);) {
    const read = await store.get(numbers.kind, 'sum');
    const value = (read === undefined ? 0 : numbers.valueOf(read.document)) + 1;
    const events = [event(`${name}-${done}`, { data: { value } })];
    const expect = read?.version ?? 'absent';
    try {
      await store.write(numbers.kind, 'sum', numbers.make(value), { expect, events });
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
      const events = [event(id)];
      await store.write(lanes.kind, id, lanes.make(id), { expect: 'absent', events });
      await store.write(numbers.kind, laneName, numbers.make(number), { expect: 'any' });
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
