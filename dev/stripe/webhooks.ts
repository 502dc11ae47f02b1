/**
 * Sends events to those who asked for them: snapshots to webhook endpoints, thin ones to event
 * destinations. At least once, in no order that is promised; and worse, where a test wants that.
 */

import type { DeliveryAttempt, PendingDelivery, WebhookControl } from './contract.ts';
import { missing } from './errors.ts';
import type { ThinEvent, WebhookEvent } from './objects.ts';
import { signatureHeader } from './signature.ts';
import type { State } from './state.ts';

const timeoutMs = 10_000;
const maxAttempts = 10_000;
const maxAtOnce = 20;

interface Delivery {
  /** Of the snapshot, by which callers name it. */
  eventId: string;
  type: string;
  receiver: string;
  body: string;
  attempts: number;
  /** Between now and then nothing is sent; `flush` does not wait. */
  timer: NodeJS.Timeout | undefined;
  sending: Promise<DeliveryAttempt> | undefined;
}

interface Receiver {
  id: string;
  url: string;
  secret: string;
}

export interface Webhooks extends WebhookControl {
  close(): void;
}

export interface WebhookOptions {
  state: State;
  retries: readonly number[];
}

export function webhooks({ state, retries }: WebhookOptions): Webhooks {
  let waiting: Delivery[] = [];
  let paused = false;
  let closed = false;
  let running = 0;
  const attempts: DeliveryAttempt[] = [];
  const idle: (() => void)[] = [];
  const stop = new AbortController();
  const options = { duplicates: 0, shuffle: false, delayMs: 0 };
  let pumping: NodeJS.Immediate | undefined;

  state.heard.push((event, thin) => {
    for (const delivery of deliveriesOf(state, event, thin)) {
      waiting.push(delivery);
      if (options.delayMs > 0) hold(delivery, options.delayMs);
    }
    pump();
  });

  function hold(delivery: Delivery, ms: number): void {
    delivery.timer = setTimeout(() => {
      delivery.timer = undefined;
      pump();
    }, ms);
    delivery.timer.unref();
  }

  /** After what is being done now: what it causes at one time goes out together. */
  function pump(): void {
    pumping ??= setImmediate(() => {
      pumping = undefined;
      if (paused || closed) return;
      const ready = waiting.filter((one) => one.timer === undefined && one.sending === undefined);
      if (options.shuffle) shuffle(ready, state.random);
      for (const delivery of ready) {
        if (running >= maxAtOnce) return;
        void run(delivery);
      }
    });
  }

  async function run(delivery: Delivery): Promise<void> {
    running += 1;
    delivery.sending = attemptOf(delivery);
    const { status } = await delivery.sending;
    delivery.attempts += 1;
    const taken = status >= 200 && status < 300;
    const wait = retries[delivery.attempts - 1];
    if (taken) {
      for (let copy = 0; copy < options.duplicates; copy += 1) await attemptOf(delivery);
    }
    if (taken || wait === undefined) waiting = waiting.filter((one) => one !== delivery);
    // Somebody who flushes does not wait; what was dropped meanwhile is not sent again.
    else if (!closed && idle.length === 0 && waiting.includes(delivery)) hold(delivery, wait);
    delivery.sending = undefined;
    running -= 1;
    if (waiting.length === 0) for (const tell of idle.splice(0)) tell();
    else pump();
  }

  async function attemptOf(delivery: Delivery): Promise<DeliveryAttempt> {
    const receiver = receiverOf(state, delivery.receiver);
    const attempt: DeliveryAttempt = {
      eventId: delivery.eventId,
      type: delivery.type,
      receiver: delivery.receiver,
      status: receiver === undefined ? 0 : await post(state, receiver, delivery.body, stop.signal),
    };
    attempts.push(attempt);
    if (attempts.length > maxAttempts) attempts.shift();
    return attempt;
  }

  /** To all receivers of an event; what waits of it waits no longer. */
  async function deliverNow(eventId: string): Promise<DeliveryAttempt[]> {
    const event = state.events.get(eventId) ?? snapshotOf(state, eventId);
    if (event === undefined) throw missing('event', eventId);
    const thin = state.thinEvents.of(event.id);
    for (const one of waiting) if (one.eventId === event.id) clearTimeout(one.timer);
    waiting = waiting.filter((one) => one.eventId !== event.id);
    const done: DeliveryAttempt[] = [];
    for (const delivery of deliveriesOf(state, event, thin)) done.push(await attemptOf(delivery));
    return done;
  }

  return {
    options,
    get pending(): PendingDelivery[] {
      return waiting.map((one) => ({
        eventId: one.eventId,
        type: one.type,
        receiver: one.receiver,
        url: receiverOf(state, one.receiver)?.url ?? '',
        attempts: one.attempts,
      }));
    },
    attempts,
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      pump();
    },
    async flush() {
      if (paused) throw new Error('Webhooks are paused: what waits is not sent.');
      if (waiting.length === 0) return;
      for (const delivery of waiting) {
        clearTimeout(delivery.timer);
        delivery.timer = undefined;
      }
      const done = new Promise<void>((resolve) => {
        idle.push(resolve);
      });
      pump();
      await done;
    },
    redeliver: deliverNow,
    async deliver(eventIds) {
      const done: DeliveryAttempt[] = [];
      for (const id of eventIds) done.push(...(await deliverNow(id)));
      return done;
    },
    drop() {
      for (const delivery of waiting) clearTimeout(delivery.timer);
      waiting = [];
      for (const tell of idle.splice(0)) tell();
    },
    close() {
      closed = true;
      for (const delivery of waiting) clearTimeout(delivery.timer);
      if (pumping !== undefined) clearImmediate(pumping);
      stop.abort();
    },
  };
}

function snapshotOf(state: State, thinId: string): WebhookEvent | undefined {
  return state.events.get(state.thinEvents.get(thinId)?.snapshot_event ?? '');
}

/** Whom an event goes to, and as what. */
function deliveriesOf(state: State, event: WebhookEvent, thin: readonly ThinEvent[]): Delivery[] {
  const found: Delivery[] = [];
  const add = (receiver: string, type: string, body: object) => {
    found.push({
      eventId: event.id,
      type,
      receiver,
      body: JSON.stringify(body, null, 2),
      attempts: 0,
      timer: undefined,
      sending: undefined,
    });
  };
  for (const endpoint of state.webhookEndpoints.all()) {
    if (endpoint.status === 'enabled' && wants(endpoint.enabled_events, event.type)) {
      add(endpoint.id, event.type, {
        ...event,
        api_version: endpoint.api_version ?? event.api_version,
      });
    }
  }
  for (const destination of state.eventDestinations.all()) {
    if (destination.status !== 'enabled') continue;
    if (destination.event_payload === 'snapshot') {
      if (wants(destination.enabled_events, event.type)) add(destination.id, event.type, event);
      continue;
    }
    for (const one of thin) {
      if (wants(destination.enabled_events, one.type)) add(destination.id, one.type, notified(one));
    }
  }
  return found;
}

/** What is sent of a thin event: what it holds beside is fetched. */
function notified(thin: ThinEvent): object {
  const { data: _, changes: __, ...event } = thin;
  return event;
}

function wants(enabled: readonly string[], type: string): boolean {
  return enabled.includes('*') || enabled.includes(type);
}

/** With the secret, which is shown once and kept here. */
function receiverOf(state: State, id: string): Receiver | undefined {
  const endpoint = state.webhookEndpoints.get(id);
  if (endpoint !== undefined) {
    return { id, url: endpoint.url, secret: endpoint.secret ?? '' };
  }
  const destination = state.eventDestinations.get(id)?.webhook_endpoint;
  if (destination === undefined) return undefined;
  return { id, url: destination.url ?? '', secret: destination.signing_secret ?? '' };
}

/** @returns the status; 0 where there was no answer */
async function post(
  state: State,
  receiver: Receiver,
  body: string,
  stopped: AbortSignal,
): Promise<number> {
  try {
    const response = await fetch(receiver.url, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
        // Dated by the machine's clock: also what happens in a future that was moved to is sent today.
        'stripe-signature': signatureHeader(
          body,
          receiver.secret,
          Math.floor(state.clock() / 1000),
        ),
      },
      body,
      signal: AbortSignal.any([stopped, AbortSignal.timeout(timeoutMs)]),
    });
    await response.body?.cancel();
    return response.status;
  } catch {
    return 0;
  }
}

function shuffle<T>(list: T[], random: () => number): void {
  for (let index = list.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    const [a, b] = [list[index], list[other]];
    if (a === undefined || b === undefined) continue;
    list[index] = b;
    list[other] = a;
  }
}
