/** People who have signed up and paid, and their colleagues, in the world of `signup_world.ts`. */

import { cards } from '../../dev/stripe/cards.ts';
import type { Browser, Page } from '../../dev/walk.ts';
import { follow, newcomer, sessionOf, signInAt, tokenAt } from './signup_world.ts';
import type { SignupWorld } from './signup_world.ts';

export interface Subscriber {
  browser: Browser;
  account: string;
  user: string;
  someone: { subject: string; name: string; email: string };
  subscription: string;
  customer: string;
}

let count = 0;

/** Signs up and pays. */
export async function subscriber(
  world: SignupWorld,
  query: Record<string, string> = {},
): Promise<Subscriber> {
  count += 1;
  const browser = world.browser();
  const someone = newcomer(`subscriber${count}`);
  const wish = { product: 'api', plan: 'team', period: 'month', quantity: '3', ...query };
  const page = await follow(browser, world.issuer, wish, { someone });
  const outcome = await world.stripe.checkout.pay(sessionOf(page.url), { card: cards.pays });
  if (outcome.kind !== 'completed') throw new Error(outcome.kind);
  await browser.get(outcome.redirect);
  const { claims } = await tokenAt(browser, world.issuer);
  const { account, sub: user, subscription, customer } = claims as Record<string, string>;
  if (!account || !user || !subscription || !customer) throw new Error('not signed up');
  return { browser, account, user, someone, subscription, customer };
}

/** Somebody who was not here before, as a member with this role, signed in by the links. */
export async function colleague(
  world: SignupWorld,
  account: string,
  role: string,
): Promise<Browser> {
  count += 1;
  const someone = newcomer(`colleague${count}`);
  const { directory } = world.server;
  const identity = {
    provider: 'upstream',
    issuer: world.upstream.issuer,
    subject: someone.subject,
  };
  const { id } = await directory.createUser({ name: someone.name, identities: [identity] });
  await directory.addMember(account, id, [role]);
  const browser = world.browser();
  await signInAt(browser, await browser.get(`${world.issuer}/signin`), { someone });
  return browser;
}

/** The id of the portal's session that the browser was sent to. */
export function portalSession({ url }: Page): string {
  const id = /\/p\/session\/(bps_\w+)$/.exec(url)?.[1];
  if (id === undefined) throw new Error(`this is no portal: ${url}`);
  return id;
}
