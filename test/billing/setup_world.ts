/** A company that sells two plans, and an empty Stripe account. */

import { onTestFinished } from 'vitest';
import { startStripe } from '../../dev/stripe/simulator.ts';
import { setUpStripe } from '../../src/billing/setup/setup.ts';
import type { Finding, SellingConfig, SetupResult } from '../../src/billing/setup/setup.ts';
import { createStripe } from '../../src/billing/stripe.ts';
import { configSchema } from '../../src/config.ts';
import type { ConfigInput } from '../../src/config.ts';
import { goodInput } from '../config/world.ts';
import { recordingLog } from '../kit/server.ts';

type ProductInput = NonNullable<ConfigInput['products']>[number];
export type PlanInput = NonNullable<ProductInput['plans']>[number];

export const team: PlanInput = {
  id: 'team',
  name: 'Team',
  trialDays: 14,
  seats: { min: 1, max: 50 },
  features: ['export', 'sso'],
  prices: [
    { period: 'month', lookupKey: 'team_monthly', amount: 900, currency: 'eur' },
    { period: 'year', lookupKey: 'team_yearly', amount: 9000, currency: 'eur' },
  ],
};
export const metered: PlanInput = {
  id: 'metered',
  name: 'As you go',
  features: ['export'],
  meter: 'reports',
  prices: [{ period: 'month', lookupKey: 'metered_monthly', amount: 2, currency: 'eur' }],
};
const free: PlanInput = { id: 'free', name: 'Free', features: ['read'] };

export interface Setting {
  plans?: PlanInput[];
  stripe?: Partial<NonNullable<ConfigInput['stripe']>>;
  issuer?: string;
}

function selling(apiBase: string, secretKey: string, setting: Setting = {}): SellingConfig {
  const { plans = [free, team, metered], stripe, issuer = 'https://id.example.com' } = setting;
  const product = { id: 'api', name: 'Example', audience: 'https://api.example.com', plans };
  const config = configSchema.parse({
    ...goodInput(),
    issuer,
    products: [product],
    outgoing: { allowPrivate: ['127.0.0.0/8'] },
    stripe: { secretKey, apiBase, ...stripe },
  });
  if (config.stripe === undefined) throw new Error('nothing is sold');
  return { ...config, stripe: config.stripe };
}

export async function emptyAccount() {
  const simulator = await startStripe({ port: 0 });
  onTestFinished(() => simulator.close());
  const clientOf = (config: SellingConfig) =>
    createStripe({
      config: config.stripe,
      fetch: globalThis.fetch,
      clock: Date.now,
      log: recordingLog(),
      retries: 0,
    });

  let lateMs = 0;
  const clock = () => Date.now() + lateMs;

  async function run(makes: boolean, setting: Setting = {}, thin = false): Promise<SetupResult> {
    const config = selling(simulator.url, simulator.secretKey, setting);
    return setUpStripe({ stripe: clientOf(config), config, clock, makes, thin });
  }

  const { api } = clientOf(selling(simulator.url, simulator.secretKey));
  return {
    simulator,
    /** Stripe's own library, as somebody who changes something at Stripe. */
    api,
    look: (setting?: Setting) => run(false, setting),
    /** Somebody takes a minute before they try again. */
    aMinuteLater: () => {
      lateMs += 60_000;
    },
    push: (setting?: Setting, thin?: boolean) => run(true, setting, thin),
    /** What a configuration has to say after a push: the two things that it tells. */
    afterPush({ findings, secret }: SetupResult): Setting {
      const portalConfiguration = findings.find(({ what }) => what === 'portal')?.id;
      return {
        stripe: {
          ...(portalConfiguration !== undefined && { portalConfiguration }),
          webhookSecrets: secret === undefined ? [] : [secret],
        },
      };
    },
    /** Requests that changed something. */
    changes: () => simulator.calls.filter(({ method }) => method !== 'GET').length,
  };
}

export function statesOf(findings: readonly Finding[]): Record<string, string> {
  return Object.fromEntries(findings.map(({ what, state }) => [what, state]));
}

/** What is not as it should be: `what: says remedy`. */
export function told(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ state }) => state === 'missing' || state === 'different')
    .map(({ what, says, remedy }) => `${what}: ${says} ${remedy}`);
}
