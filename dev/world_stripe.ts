/** Stripe in the development world: simulated, filled with what is sold, and shown what the world makes of it. */

import { setTimeout as delay } from 'node:timers/promises';
import { createFetch } from '../src/base/fetch.ts';
import type { Log } from '../src/base/log.ts';
import { createStripe } from '../src/billing/stripe.ts';
import { stripeSchema } from '../src/config/product_schema.ts';
import type { ConfigInput } from '../src/config.ts';
import type { Store } from '../src/storage/store.ts';
import { fillStripeAccount } from './stripe_account.ts';
import { startStripe } from './stripe/simulator.ts';
import type { StripeSimulator } from './stripe/simulator.ts';
import { stripePages } from './stripe/pages/handler.ts';
import type { TokenWords } from './stripe/pages/words.ts';

export interface WorldStripeOptions {
  port: number;
  /** Keeps its state between starts. */
  file: string | undefined;
  clock: () => number;
  log: Log;
  issuer: string;
  /** Whose plans are sold. */
  product: string;
}

export interface WorldStripe {
  simulator: StripeSimulator;
  /** What Tollgate is configured with. */
  config: NonNullable<ConfigInput['stripe']>;
  /** From now on its dashboard tells of this world. */
  show(world: Shown): void;
  close(): Promise<void>;
}

interface Shown {
  store: Store;
  tokens: () => Promise<TokenWords[]>;
}

/** On this machine, and good for nothing outside of it. */
const secretKey = 'sk_test_of_the_development_world';
/** How long a claimed event may be worked on, and more. */
const soonMs = 180_000;

export async function openStripe(options: WorldStripeOptions): Promise<WorldStripe> {
  const { port, file, clock, issuer } = options;
  let shown: Shown | undefined;
  const around = {
    tokens: async () => (await shown?.tokens()) ?? [],
    settled: async () => {
      if (shown !== undefined) await untilHandled(shown.store, clock);
    },
  };
  const simulator = await startStripe({
    port,
    clock,
    secretKey,
    ...(file === undefined ? {} : { file }),
    pages: (own) => stripePages(own, around),
  });
  try {
    const { portalConfiguration, webhookSecret } = await fill(options, simulator);
    return {
      simulator,
      config: {
        secretKey,
        apiBase: simulator.url,
        webhookSecrets: [webhookSecret],
        portalConfiguration,
        promotionCodes: true,
      },
      show(world) {
        shown = world;
      },
      close: () => simulator.close(),
    };
  } catch (error) {
    await simulator.close();
    throw error;
  }

  /** By the API, as anybody would. */
  async function fill({ log, product }: WorldStripeOptions, { url }: StripeSimulator) {
    const config = stripeSchema.parse({ secretKey, apiBase: url });
    const fetch = createFetch({ allowPrivate: ['127.0.0.0/8', '::1/128'] });
    try {
      const { api } = createStripe({ config, fetch, clock, log });
      const webhooks = `${issuer}/integrations/stripe/events`;
      return await fillStripeAccount({ api, product, webhooks });
    } finally {
      await fetch.close();
    }
  }
}

/** Events that have come are worked on. What failed waits longer than anybody looks. */
async function untilHandled(store: Store, clock: () => number): Promise<void> {
  const giveUpAt = performance.now() + 5000;
  while (performance.now() < giveUpAt) {
    const due = await store.due('inbox', clock() + soonMs, 100);
    if (!due.some(({ document }) => document.state === 'waiting')) return;
    await delay(20);
  }
}
