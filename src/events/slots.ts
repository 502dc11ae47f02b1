/**
 * Places for requests: so many in all, for each host, and for each receiver. Receivers take turns, so that one with
 * much to send does not keep the others waiting.
 */

export interface Work {
  receiver: string;
  host: string;
  run(): Promise<void>;
}

export interface SlotsOptions {
  all: number;
  perHost: number;
  limitOf(receiver: string): number;
}

export class Slots {
  readonly #options: SlotsOptions;
  /** What waits, by receiver; the one whose turn was longest ago is first. */
  readonly #queues = new Map<string, Work[]>();
  readonly #ofReceiver = new Map<string, number>();
  readonly #ofHost = new Map<string, number>();
  #running = 0;
  #waiting = 0;
  #closed = false;
  #waiters: { condition: () => boolean; resolve: () => void }[] = [];

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  queued(receiver: string): number {
    return this.#queues.get(receiver)?.length ?? 0;
  }

  add(work: Work): void {
    const queue = this.#queues.get(work.receiver);
    if (queue === undefined) this.#queues.set(work.receiver, [work]);
    else queue.push(work);
    this.#waiting += 1;
    this.#pump();
  }

  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void> {
    return this.until(() => this.#running === 0 && this.#waiting === 0);
  }

  /** Resolves when it holds; it is asked whenever a request ends. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ condition, resolve }));
  }

  /** Nothing further begins. */
  close(): void {
    this.#closed = true;
    this.#queues.clear();
    this.#waiting = 0;
    this.#notify();
  }

  #pump(): void {
    while (!this.#closed && this.#running < this.#options.all) {
      const work = this.#next();
      if (work === undefined) return;
      this.#count(work, 1);
      // It rejects only by a defect, and then the process should hear of it.
      void work.run().then(() => {
        this.#count(work, -1);
        this.#notify();
        this.#pump();
      });
    }
  }

  #next(): Work | undefined {
    const { perHost, limitOf } = this.#options;
    for (const [receiver, queue] of this.#queues) {
      const [first] = queue;
      if (first === undefined || (this.#ofReceiver.get(receiver) ?? 0) >= limitOf(receiver)) {
        continue;
      }
      if ((this.#ofHost.get(first.host) ?? 0) >= perHost) continue;
      queue.shift();
      this.#queues.delete(receiver);
      if (queue.length > 0) this.#queues.set(receiver, queue);
      this.#waiting -= 1;
      return first;
    }
    return undefined;
  }

  #count({ receiver, host }: Work, by: 1 | -1): void {
    this.#running += by;
    add(this.#ofReceiver, receiver, by);
    add(this.#ofHost, host, by);
  }

  #notify(): void {
    if (this.#waiters.length === 0) return;
    const ready = this.#waiters.filter(({ condition }) => condition());
    if (ready.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const { resolve } of ready) resolve();
  }
}

function add(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
