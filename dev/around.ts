/**
 * `npm run demo -- --around ISSUER`: what is around a Tollgate, for one with a configuration of its own: an empty
 * account at the simulated Stripe, a provider that signs in anybody, and a mail server that keeps what is sent. It
 * prints what to configure.
 */

import { startMailSink } from './mail/sink.ts';
import type { Ports } from './ports.ts';
import { stripePages } from './stripe/pages/handler.ts';
import { startStripe } from './stripe/simulator.ts';
import { startUpstreamOidc } from './upstream/oidc.ts';

export interface AroundOptions {
  /** Of the Tollgate that is started beside this: `http://localhost:4400`. */
  issuer: string;
  ports: Pick<Ports, 'upstreamOidc' | 'stripe' | 'mail' | 'smtp'>;
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
  const running: { close(): Promise<void> }[] = [];
  const close = async () => {
    for (const one of running.toReversed()) await one.close();
  };
  function opened<One extends { close(): Promise<void> }>(one: One): One {
    running.push(one);
    return one;
  }
  try {
    const oidc = opened(await startUpstreamOidc({ port: ports.upstreamOidc, clients, clock }));
    const stripe = opened(
      await startStripe({ port: ports.stripe, clock, file, pages: stripePages }),
    );
    const sinkPorts = { smtp: ports.smtp, pages: ports.mail };
    const mail = opened(await startMailSink({ ports: sinkPorts, clock }));
    return { introduction: introduction({ issuer, provider: oidc.issuer, stripe, mail }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Told {
  issuer: string;
  provider: string;
  stripe: { url: string; secretKey: string };
  mail: { url: string; server: string };
}

const introduction = ({ issuer, provider, stripe, mail }: Told) => `
What is around ${issuer} is running: a Stripe that has nothing yet, Example ID, which
signs in anybody without a password, and a mail server that sends nothing on. No money moves. In your tollgate.config.ts:

  issuer: '${issuer}',
  providers: [{ id: 'example', name: 'Example ID', issuer: '${provider}', clientId: '${clientId}',
    trustEmail: true }],
  stripe: { apiBase: '${stripe.url}' },
  mail: { from: 'Example <id@example.com>' },
  outgoing: { allowPrivate: ['127.0.0.0/8', '::1'] },

and where you start it:

  export TOLLGATE_PROVIDER_EXAMPLE_SECRET=${clientSecret}
  export TOLLGATE_STRIPE_SECRET_KEY=${stripe.secretKey}
  export TOLLGATE_MAIL_SERVER=${mail.server}

\`npm start -- stripe push --yes --thin\` makes there what you sell; docs/billing.md goes on from it.

  ${stripe.url}/dashboard   Stripe: its clock, subscriptions, events
  ${mail.url}   e-mails: whatever is sent ends here

Ctrl-C stops it. What Stripe knows is kept in data/; \`--fresh\` begins anew.
`;
