/** What is sold in the development world. `docs/billing.md` explains each setting. */

export interface DemoPrice {
  period: 'month' | 'year';
  lookupKey: string;
  /** In cents. */
  amount: number;
  currency: string;
}

/** As in the configuration (`products.plans`). */
export interface DemoPlan {
  id: string;
  name: string;
  description: string;
  prices: DemoPrice[];
  features: string[];
  trialDays?: number;
  seats?: { min: number; max: number };
}

/** Prices are found at Stripe by these lookup keys: `team_month`. */
const pricesOf = (plan: string, month: number, year: number): DemoPrice[] => [
  { period: 'month', lookupKey: `${plan}_month`, amount: month, currency: 'eur' },
  { period: 'year', lookupKey: `${plan}_year`, amount: year, currency: 'eur' },
];

export const plans: readonly DemoPlan[] = [
  { id: 'free', name: 'Free', description: 'To look around.', prices: [], features: [] },
  {
    id: 'starter',
    name: 'Starter',
    description: 'For one person.',
    prices: pricesOf('starter', 900, 9000),
    features: [],
  },
  {
    id: 'team',
    name: 'Team',
    description: 'For a team, each with a seat.',
    prices: pricesOf('team', 1200, 12_000),
    features: ['reports'],
    trialDays: 14,
    seats: { min: 1, max: 100 },
  },
  {
    id: 'business',
    name: 'Business',
    description: 'For a company, with everything.',
    prices: pricesOf('business', 3000, 30_000),
    features: ['reports', 'audit'],
    seats: { min: 1, max: 1000 },
  },
];
