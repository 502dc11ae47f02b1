/**
 * Places for requests: so many in all, for each host, and for each receiver. Receivers take turns, so that one with
 * much to send does not keep the others waiting.
 */

export interface SlotsOptions {
  all: number;
  perHost: number;
  limitOf(receiver: string): number;
}

interface Waiter {
  receiver: string;
  host: string;
  enter(isOpen: boolean): void;
}

export class Slots {
  readonly #options: SlotsOptions;
  /** Who waits, by receiver; the one whose turn was longest ago is first. */
  readonly #queues = new Map<string, Waiter[]>();
  readonly #ofReceiver = new Map<string, number>();
  readonly #ofHost = new Map<string, number>();
  #running = 0;
  #waiting = 0;
  #closed = false;

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Waits for a place, and gives it back when the work is over.
   * @returns `undefined`, and nothing is done, where it was closed before there was one
   */
  async use<T>(receiver: string, host: string, work: () => Promise<T>): Promise<T | undefined> {
    if (!(await this.#place(receiver, host))) return undefined;
    try {
      return await work();
    } finally {
      this.#count(receiver, host, -1);
      this.#pump();
    }
  }

  /** Nobody gets a place any more. */
  close(): void {
    this.#closed = true;
    const left = [...this.#queues.values()].flat();
    this.#queues.clear();
    this.#waiting = 0;
    for (const { enter } of left) enter(false);
  }

  #place(receiver: string, host: string): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiter: Waiter = { receiver, host, enter: resolve };
      const queue = this.#queues.get(receiver);
      if (queue === undefined) this.#queues.set(receiver, [waiter]);
      else queue.push(waiter);
      this.#waiting += 1;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#running < this.#options.all) {
      const waiter = this.#next();
      if (waiter === undefined) return;
      this.#count(waiter.receiver, waiter.host, 1);
      waiter.enter(true);
    }
  }

  #next(): Waiter | undefined {
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

  #count(receiver: string, host: string, by: 1 | -1): void {
    this.#running += by;
    add(this.#ofReceiver, receiver, by);
    add(this.#ofHost, host, by);
  }
}

function add(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
