/**
 * `npm run demo -- --around ISSUER`: what is around a Tollgate, for one with a configuration of its own: an empty
 * account at the simulated Stripe, and a provider that signs in anybody. It prints what to configure.
 */

import { startUpstreamOidc } from './upstream/oidc.ts';
import { stripePages } from './stripe/pages/handler.ts';
import { startStripe } from './stripe/simulator.ts';

export interface AroundOptions {
  /** Of the Tollgate that is started beside this: `http://localhost:4400`. */
  issuer: string;
  ports: { upstreamOidc: number; stripe: number };
  /** Keeps what Stripe knows between starts. */
  stripeFile: string;
  clock: () => number;
}

export interface Around {
  introduction: string;
  close(): Promise<void>;
}

/** On this machine, and good for nothing outside of it. */
const clientId = 'tollgate';
const clientSecret = 'the-secret-at-example-id-for-development';

export async function startAround(options: AroundOptions): Promise<Around> {
  const { issuer, ports, stripeFile: file, clock } = options;
  const redirectUris = [`${issuer}/integrations/oauth2/callback`];
  const clients = [{ id: clientId, secret: clientSecret, redirectUris }];
  const oidc = await startUpstreamOidc({ port: ports.upstreamOidc, clients, clock });
  try {
    const stripe = await startStripe({ port: ports.stripe, clock, file, pages: stripePages });
    return {
      introduction: introduction({ issuer, provider: oidc.issuer, stripe }),
      async close() {
        await stripe.close();
        await oidc.close();
      },
    };
  } catch (error) {
    await oidc.close();
    throw error;
  }
}

interface Told {
  issuer: string;
  provider: string;
  stripe: { url: string; secretKey: string };
}

const introduction = ({ issuer, provider, stripe }: Told) => `
What is around ${issuer} is running: a Stripe that has nothing yet, and Example ID,
which signs in anybody without a password. No money moves. In your tollgate.config.ts:

  issuer: '${issuer}',
  providers: [{ id: 'example', name: 'Example ID', issuer: '${provider}', clientId: '${clientId}' }],
  stripe: { apiBase: '${stripe.url}' },
  outgoing: { allowPrivate: ['127.0.0.0/8', '::1'] },

and where you start it:

  export TOLLGATE_PROVIDER_EXAMPLE_SECRET=${clientSecret}
  export TOLLGATE_STRIPE_SECRET_KEY=${stripe.secretKey}

\`npm start -- stripe push --yes --thin\` makes there what you sell; docs/billing.md goes on from it.

  ${stripe.url}/dashboard   Stripe: its clock, subscriptions, events

Ctrl-C stops it. What Stripe knows is kept in data/; \`--fresh\` begins anew.
`;
