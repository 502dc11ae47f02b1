/**
 * Sign-ups: from a plan that somebody chose to an account that has it. The first write settles for which account, which
 * plan and which attempt; all that follows can be derived from it and repeated, by the browser that comes back, by
 * Stripe's events, and by the worker. At most one Checkout Session of a sign-up can be paid at a time.
 */

import { Problem } from '../base/errors.ts';
import { busy, change } from '../directory/change.ts';
import type { SignupDocument } from '../storage/documents.ts';
import { Conflict } from '../storage/store.ts';
import { beneficiaryOf, newAccount } from './beneficiary.ts';
import type { BeneficiaryOptions } from './beneficiary.ts';
import {
  checkoutUnknown,
  expireSession,
  priceUnavailable,
  readSession,
  requireCoupon,
} from './checkout.ts';
import type { StoredSignup } from './checkout.ts';
import { fulfil, ownSession } from './fulfilment.ts';
import { finishDirectly, keepSession, openSession } from './signup_attempt.ts';
import type { AttemptOptions } from './signup_attempt.ts';
import {
  firstAttempt,
  isFresh,
  isSameWish,
  nextAttempt,
  signupId,
  termsOf,
} from './signup_document.ts';
import type { Beneficiary, Terms } from './signup_document.ts';
import { seatsTaken } from './seats_taken.ts';
import { sweepSignups } from './signup_sweep.ts';
import type { Offer, SignupStep, SignupWish, Signups } from './types.ts';

export interface SignupsOptions extends AttemptOptions, BeneficiaryOptions {
  directory: AttemptOptions['directory'] & BeneficiaryOptions['directory'];
}

/** What a sign-up is asked for. */
interface Asked {
  wish: SignupWish;
  beneficiary: Beneficiary;
  offer: Offer;
  terms: Terms;
}

/** Each time another tab, or Stripe, was faster. */
const mostRounds = 8;
/** A second click means the same new account, not another one. */
const secondClickMs = 10 * 60_000;

export function createSignups(options: SignupsOptions): Signups {
  const { store } = options;
  return {
    begin: (wish) => begin(options, wish),
    async unfinished(user) {
      const found = await store.find('signup', 'user', user, { limit: 20 });
      return found
        .filter(({ document }) => document.state !== 'done')
        .map(({ id, document }) => ({ signup: id, document }));
    },
    async pending(account) {
      const found = await store.find('signup', 'account', account, { limit: 20 });
      return found.flatMap(({ document }) => (document.state === 'pending' ? [document] : []));
    },
    returned: (session, user) => returned(options, session, user),
    async canceled(signup, user) {
      const present = (await store.get('signup', signup))?.document;
      if (present?.user !== user) return undefined;
      // They may have paid in another tab.
      if (present.session !== undefined) await fulfil(options, present.session);
      return (await store.get('signup', signup))?.document;
    },
    async fulfil(session) {
      await fulfil(options, session);
    },
    sweep: (goesOn) => sweepSignups(options, (one) => finishDirectly(options, one), goesOn),
  };
}

async function begin(options: SignupsOptions, wish: SignupWish): Promise<SignupStep> {
  const offer = options.catalog.offer(wish);
  requireCoupon(options.config(), wish.coupon);
  const found = await beneficiaryOf(options, wish);
  if ('at' in found) return found.at === 'subscribed' ? concluded(options, wish, found) : found;
  const id = signupId(found, offer.product.id);
  const taken = await seatsTaken(options.store, offer.plan, found.account);
  for (let round = 1; round <= mostRounds; round += 1) {
    const stored = await options.store.get('signup', id);
    const asked = {
      wish,
      beneficiary: found,
      offer,
      terms: termsOf(offer, wish, { ...found, taken }),
    };
    const step =
      stored === undefined ? await first(options, id, asked) : await goOn(options, stored, asked);
    if (step !== 'again') return step;
  }
  throw busy();
}

/** What they have may have come of this very sign-up, which was stopped before its end. */
async function concluded(
  options: SignupsOptions,
  { user }: SignupWish,
  has: Extract<SignupStep, { at: 'subscribed' }>,
): Promise<SignupStep> {
  const { store } = options;
  const { account, product } = has;
  for (const beneficiary of [{ user }, { user, account }]) {
    const id = signupId(beneficiary, product);
    const document = (await store.get('signup', id))?.document;
    if (document?.account !== account || document.user !== user) continue;
    if (document.state === 'done') continue;
    if (document.session !== undefined) await fulfil(options, document.session);
    else if (document.direct === true) await finishDirectly(options, { id, document });
    const now = (await store.get('signup', id))?.document;
    if (now?.state === 'done') return stepOf({ id, document: now });
  }
  return has;
}

/** `again`: somebody else was faster, so all is looked at again. */
type Next = SignupStep | 'again';

async function first(options: SignupsOptions, id: string, asked: Asked): Promise<Next> {
  const { store, clock } = options;
  const { beneficiary, terms } = asked;
  const document = firstAttempt(beneficiary, terms, await priceOf(options, asked), clock());
  try {
    await store.write('signup', id, document, { expect: 'absent' });
  } catch (error) {
    if (error instanceof Conflict) return 'again';
    throw error;
  }
  return proceed(options, { id, document });
}

/** Looked up before anything is written: a plan that cannot be bought leaves nothing behind. */
async function priceOf({ catalog }: SignupsOptions, { offer }: Asked): Promise<string | undefined> {
  return offer.price === undefined ? undefined : catalog.priceId(offer.price);
}

/** There is a sign-up: what becomes of it, before anything new begins. */
async function goOn(
  options: SignupsOptions,
  stored: StoredSignup & { version: number },
  asked: Asked,
): Promise<Next> {
  const { document } = stored;
  const { wish, terms } = asked;
  const isSame = isSameWish(document, terms);
  switch (document.state) {
    case 'done': {
      const wantsAnother = wish.account === newAccount || !document.isNew;
      const isSecondClick = options.clock() < document.attemptAt + secondClickMs;
      const isMeant = document.isNew && (!wantsAnother || isSecondClick);
      // It may be closed by now, or they have left it.
      if (isMeant && (await belongs(options, document))) return stepOf(stored);
      return again(options, stored, asked);
    }
    case 'pending':
    case 'paying':
      return lookAt(options, stored, asked, isSame);
    case 'open':
      if (document.direct === true) {
        const finished = await finishDirectly(options, stored);
        return finished === 'refused' ? again(options, stored, asked) : stepOf(finished);
      }
      return isSame &&
        isFresh(document, options.clock()) &&
        document.price === (await priceOf(options, asked))
        ? proceed(options, stored)
        : again(options, stored, asked);
    default:
      return again(options, stored, asked);
  }
}

async function belongs(
  { directory }: SignupsOptions,
  { user, account }: SignupDocument,
): Promise<boolean> {
  return (await directory.membership(user, account)) !== undefined;
}

/** A Checkout Session is there: only when nobody can pay it any more another one is made. */
async function lookAt(
  options: SignupsOptions,
  stored: StoredSignup & { version: number },
  asked: Asked,
  isSame: boolean,
): Promise<Next> {
  const { stripe, store } = options;
  const { id, document } = stored;
  const session =
    document.session === undefined ? undefined : await readSession(stripe, document.session);
  if (session?.status === 'complete') {
    await fulfil(options, session.id);
    const now = (await store.get('signup', id))?.document;
    return now === undefined || now.state === 'failed' ? 'again' : stepOf({ id, document: now });
  }
  if (session?.status === 'open') {
    if (isSame && typeof session.url === 'string') {
      await takeReturn(options, stored, asked.terms);
      return { at: 'checkout', signup: id, url: session.url };
    }
    if (!(await expireSession(stripe, session.id))) return 'again';
  }
  return again(options, stored, asked);
}

/** Where to go in the end is no matter of Stripe's: the last link says it. */
async function takeReturn(
  { store }: SignupsOptions,
  { id }: StoredSignup,
  { returnTo }: Terms,
): Promise<void> {
  await change(store, 'signup', id, (present) => {
    if (present.returnTo === returnTo) return undefined;
    const { returnTo: _before, ...rest } = present;
    return { document: returnTo === undefined ? rest : { ...rest, returnTo } };
  });
}

/** The next attempt, if nobody began one meanwhile. */
async function again(
  options: SignupsOptions,
  { id, document, version }: StoredSignup & { version: number },
  asked: Asked,
): Promise<Next> {
  const { store, clock } = options;
  const { beneficiary, terms } = asked;
  const price = await priceOf(options, asked);
  const next = nextAttempt(document, beneficiary, terms, price, clock());
  try {
    await store.write('signup', id, next, { expect: version });
  } catch (error) {
    if (error instanceof Conflict) return 'again';
    throw error;
  }
  return proceed(options, { id, document: next });
}

/** Asks Stripe for what the attempt needs. */
async function proceed(options: SignupsOptions, signup: StoredSignup): Promise<Next> {
  if (signup.document.direct === true) {
    const finished = await finishDirectly(options, signup);
    if (finished !== 'refused') return stepOf(finished);
    throw priceUnavailable();
  }
  const session = await openSession(options, signup);
  return session === 'again' ? 'again' : keepSession(options, signup, session);
}

/** @throws {Problem} `checkout_unknown` (404), `checkout_foreign` (403), `stripe_unavailable` (503) */
async function returned(
  options: SignupsOptions,
  session: string,
  user: string,
): Promise<SignupStep> {
  const { store } = options;
  const known = await ownSession(options, session);
  if (known === undefined) {
    throw checkoutUnknown();
  }
  const { document } = known;
  const theirs =
    document.user === user || (!document.isNew && (await belongs(options, { ...document, user })));
  if (!theirs) {
    throw new Problem('checkout_foreign', 403, 'This payment was made by somebody else.');
  }
  const is = await fulfil(options, session);
  const now = (await store.get('signup', known.id))?.document ?? document;
  if (is === 'expired') return { at: 'failed', signup: known.id, document: now };
  return stepOf({ id: known.id, document: now });
}

function stepOf({ id, document }: StoredSignup): SignupStep {
  const { state, account, product, returnTo } = document;
  switch (state) {
    case 'done':
      return {
        at: 'done',
        signup: id,
        account,
        product,
        ...(returnTo === undefined ? {} : { returnTo }),
      };
    case 'pending':
      return { at: 'pending', signup: id, document };
    case 'failed':
    case 'expired':
      return { at: 'failed', signup: id, document };
    default:
      return { at: 'unpaid', signup: id, document };
  }
}
