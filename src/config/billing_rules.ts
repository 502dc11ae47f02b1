/** What has to hold for what is sold: within a product, between plans and Stripe, and who may come in by paying. */

import { inRange, parseAddress, parseRange } from '../base/addresses.ts';
import { isLoopback, shown } from './fields.ts';
import type { ConfigProblem } from './problems.ts';
import type { NamedSecret } from './secrets_rules.ts';
import type { Config, PlanConfig, PriceConfig, ProductConfig } from './schema.ts';
import type { Sound } from './sound.ts';

type Plan = Sound<PlanConfig>;
type Price = Sound<PriceConfig>;

interface Place<T> {
  /** The key, such as `products[0].plans[1]`. */
  key: string;
  value: T;
}

/** @param broken keys that are wrong by themselves: nothing is concluded from their absence */
export function checkBilling(config: Sound<Config>, broken: ReadonlySet<string>): ConfigProblem[] {
  const products = placed('products', config.products);
  const plans = products.flatMap(({ key, value }) => placed(`${key}.plans`, value.plans));
  return [
    ...checkRegistration(config, broken),
    ...checkStripe(config),
    ...checkSignup(config),
    ...(isSound('stripe', broken) ? checkSelling(config, plans) : []),
    ...products.flatMap(checkProduct),
    ...plans.flatMap((plan) => checkPlan(plan, broken)),
    ...checkSharedPrices(plans),
  ];
}

/** Whether what the configuration says at this key, and below it, is what was meant. */
function isSound(key: string, broken: ReadonlySet<string>): boolean {
  return ![...broken].some((one) => one === key || one.startsWith(`${key}.`));
}

function placed<T>(key: string, list: readonly (T | undefined)[] | undefined): Place<T>[] {
  return (list ?? []).flatMap((value, index) =>
    value === undefined ? [] : [{ key: `${key}[${index}]`, value }],
  );
}

/** Whoever is new would be sent to a page that has nothing to choose. */
function checkRegistration(config: Sound<Config>, broken: ReadonlySet<string>): ConfigProblem[] {
  if (config.registration !== 'checkout') return [];
  const key = 'registration';
  const problems: ConfigProblem[] = [];
  if (config.stripe === undefined && isSound('stripe', broken)) {
    const remedy = 'Set TOLLGATE_STRIPE_SECRET_KEY, or use `open` or `invitation`.';
    problems.push({ key, message: '`checkout` needs `stripe`.', remedy });
  }
  const offered = (config.products ?? []).some((product) =>
    product?.plans?.some((plan) => plan?.offered === true),
  );
  if (!offered && isSound('products', broken)) {
    const remedy = 'Add one to a product (`products[].plans`), or use `open` or `invitation`.';
    problems.push({ key, message: '`checkout` needs a plan that is offered.', remedy });
  }
  return problems;
}

const stripeItself = /(^|\.)stripe\.com$/;

function checkStripe({ stripe, outgoing }: Sound<Config>): ConfigProblem[] {
  if (stripe?.apiBase === undefined) return [];
  const { hostname } = new URL(stripe.apiBase);
  const problems: ConfigProblem[] = [];
  if (/^.k_live_/.test(stripe.secretKey ?? '') && !stripeItself.test(hostname)) {
    const message = `A live key would be sent to ${shown(hostname)}, which is not Stripe.`;
    const remedy = 'Remove it, or set a test key (`sk_test_…`).';
    problems.push({ key: 'stripe.apiBase', message, remedy });
  }
  const allowed = (outgoing?.allowPrivate ?? []).flatMap((text) => parseRange(text ?? '') ?? []);
  const isOpen = allowed.some((range) => loopback.some((address) => inRange(address, range)));
  if (isLoopback(hostname) && !isOpen) {
    const message = '`stripe.apiBase` is on this machine, which requests may not go to.';
    const remedy = "For a development machine: allowPrivate: ['127.0.0.0/8', '::1'].";
    problems.push({ key: 'outgoing.allowPrivate', message, remedy });
  }
  return problems;
}

const loopback = ['127.0.0.1', '::1'].flatMap((text) => parseAddress(text) ?? []);

/** Our own page of plans sends the browser there, which would send it back. */
function checkSignup({ signup, issuer }: Sound<Config>): ConfigProblem[] {
  const plans = signup?.plans === undefined ? undefined : new URL(signup.plans);
  const isOurs = plans?.origin === issuer && /^\/signup(\/|$)/.test(plans?.pathname ?? '');
  if (!isOurs) return [];
  const message = 'It is the page of ours that sends people there.';
  const remedy = 'Remove it to have that page, or name your own.';
  return [{ key: 'signup.plans', message, remedy }];
}

function checkSelling({ stripe }: Sound<Config>, plans: readonly Place<Plan>[]): ConfigProblem[] {
  const sold = plans.find(({ value }) => (value.prices ?? []).length > 0);
  if (stripe !== undefined || sold === undefined) return [];
  const remedy =
    'Set TOLLGATE_STRIPE_SECRET_KEY (`sk_test_…` to begin with), or remove the prices.';
  return [{ key: `${sold.key}.prices`, message: 'A price needs `stripe`.', remedy }];
}

function checkProduct({ key, value: product }: Place<Sound<ProductConfig>>): ConfigProblem[] {
  const plans = placed(`${key}.plans`, product.plans);
  const problems = plans.flatMap((plan, index) => {
    const id = plan.value.id?.toLowerCase();
    const before = plans.slice(0, index).find((one) => one.value.id?.toLowerCase() === id);
    if (id === undefined || before === undefined) return [];
    const message = `${before.key} has the same id.`;
    return [{ key: `${plan.key}.id`, message, remedy: 'Give it another one.' }];
  });
  const free = product.access?.freePlan;
  if (free === undefined) return problems;
  const at = `${key}.access.freePlan`;
  const named = plans.find(({ value }) => value.id === free);
  const remedy = 'Name a plan of this product that has no prices.';
  if (named === undefined) {
    problems.push({ key: at, message: `There is no plan ${shown(free)}.`, remedy });
  } else if ((named.value.prices ?? []).length > 0) {
    problems.push({ key: at, message: `The plan ${shown(free)} has prices.`, remedy });
  }
  return problems;
}

function checkPlan({ key, value: plan }: Place<Plan>, broken: ReadonlySet<string>) {
  const { seats, meter, trialDays, trialWithoutCard } = plan;
  const prices = placed(`${key}.prices`, plan.prices);
  const problems: ConfigProblem[] = prices.flatMap((price) => checkPrice(price, broken));
  const complain = (at: string, message: string, remedy: string) =>
    problems.push({ key: `${key}.${at}`, message, remedy });
  const isFree = prices.length === 0 && isSound(`${key}.prices`, broken);

  const periods = new Map<string, string>();
  for (const { key: at, value } of prices) {
    if (value.period === undefined) continue;
    const before = periods.get(value.period);
    if (before === undefined) periods.set(value.period, at);
    else {
      const remedy = 'A plan has one price for a period: make another plan of it, or remove it.';
      problems.push({ key: `${at}.period`, message: `${before} has the same period.`, remedy });
    }
  }
  if (isFree && trialDays !== undefined) {
    complain('trialDays', 'A plan without prices is free for ever.', 'Remove it, or add a price.');
  }
  if (trialWithoutCard === true && trialDays === undefined && isSound(`${key}.trialDays`, broken)) {
    complain('trialWithoutCard', 'There is no trial.', 'Set `trialDays`, or remove it.');
  }
  if (isFree && meter !== undefined) {
    complain('meter', 'A plan without prices counts nothing.', 'Add the price that it counts for.');
  }
  if (meter !== undefined && seats !== undefined) {
    const message = 'Stripe takes no quantity for a metered price, so nobody could pay for seats.';
    complain('meter', message, 'Set `seats` or `meter`, and make two plans where both are sold.');
  }
  if (seats?.min !== undefined && seats.max !== undefined && seats.min > seats.max) {
    complain('seats.min', `It is more than max (${seats.max}).`, 'Lower it, or raise that.');
  }
  if (isFree && seats?.whenFull === 'raise') {
    const message = 'There is no quantity to raise in a plan without prices.';
    complain('seats.whenFull', message, 'Use `refuse`.');
  }
  return problems;
}

function checkPrice({ key, value }: Place<Price>, broken: ReadonlySet<string>): ConfigProblem[] {
  const { price, lookupKey, amount, currency } = value;
  const problems: ConfigProblem[] = [];
  if (price !== undefined && lookupKey !== undefined) {
    const message = 'It has both `price` and `lookupKey`.';
    const remedy =
      'Remove one: `price` for that very price, `lookupKey` for whichever has the key.';
    problems.push({ key, message, remedy });
  } else if (price === undefined && lookupKey === undefined && isSound(key, broken)) {
    const message = 'It does not say which price of Stripe it is.';
    const remedy =
      'Set `lookupKey`, which `tollgate stripe push` can make, or `price` (`price_…`).';
    problems.push({ key, message, remedy });
  }
  if (amount !== undefined && currency === undefined && isSound(`${key}.currency`, broken)) {
    const remedy = 'Set it, such as eur.';
    problems.push({ key: `${key}.currency`, message: 'It is missing beside `amount`.', remedy });
  }
  return problems;
}

/** By its price a subscription is known: of two plans one would never be found. */
function checkSharedPrices(plans: readonly Place<Plan>[]): ConfigProblem[] {
  const first = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  for (const plan of plans) {
    for (const { key, value } of placed(`${plan.key}.prices`, plan.value.prices)) {
      for (const name of ['price', 'lookupKey'] as const) {
        const said = value[name];
        if (said === undefined) continue;
        const before = first.get(`${name} ${said}`);
        if (before === undefined) first.set(`${name} ${said}`, key);
        else {
          const remedy = 'Give each its own: a subscription is known by its price.';
          problems.push({ key: `${key}.${name}`, message: `It is that of ${before}.`, remedy });
        }
      }
    }
  }
  return problems;
}

/** Stripe made them, so they are as strong as it makes them; but no two may be the same. */
export function webhookSecretsOf({ stripe }: Sound<Config>): NamedSecret[] {
  return (stripe?.webhookSecrets ?? []).flatMap((value, index) =>
    value === undefined ? [] : [{ key: `stripe.webhookSecrets[${index}]`, value }],
  );
}

/**
 * What is good for a beginning and bad for customers: said at start and by `tollgate check`, and no reason not to
 * start.
 */
export function billingWarnings({ stripe, issuer }: Pick<Config, 'stripe' | 'issuer'>): string[] {
  if (stripe === undefined) return [];
  const warnings: string[] = [];
  if (stripe.webhookSecrets.length === 0) {
    warnings.push(
      'Nothing is heard from Stripe: `stripe.webhookSecrets` is empty. Make the endpoint with `tollgate stripe push`, and set TOLLGATE_STRIPE_WEBHOOK_SECRETS to the secret that it shows.',
    );
  }
  const { hostname, protocol } = new URL(issuer);
  if (/^.k_test_/.test(stripe.secretKey) && protocol === 'https:' && !isLoopback(hostname)) {
    warnings.push(
      'The key of Stripe is one for tests, and the issuer is public: nobody pays real money. For customers set a live key, see docs/billing.md.',
    );
  }
  return warnings;
}
