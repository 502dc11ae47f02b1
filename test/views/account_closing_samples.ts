/** The pages for closing an account, in each state. */

import type { Html } from '../../src/web/html.ts';
import { accountClosedPage, closePage, closingPage } from '../../views/account/closing.ts';
import type { CloseView } from '../../views/account/closing.ts';
import { closingTexts } from '../../views/account/closing_texts.ts';
import type { Brand } from '../../views/layout.ts';

const at = Date.UTC(2026, 8, 30);
const account = { id: 'acc_acme', name: 'Acme Rocket Company & Söhne' };
const rights = new Set(['members', 'settings', 'activity', 'billing'] as const);
const frame = {
  tab: 'settings',
  sells: true,
  account: { ...account, rights, isOwner: true },
} as const;
const shared = { frame, account, csrf: 'v1.mac' };

export function closingSamples(brand: Brand): [string, () => Html][] {
  const page = (view: Partial<CloseView>) => () =>
    closePage(
      {
        ...shared,
        plans: [{ plan: 'Team', product: 'Analytics', endsAt: at }],
        others: { count: 4, isMore: false },
        endsAt: at,
        ...view,
      },
      brand,
    );
  const problems = new Map([
    ['when', closingTexts.when.problem],
    ['feedback', closingTexts.why.problem],
    ['reason', closingTexts.reason.problem],
    ['name', closingTexts.name.problem(account.name)],
  ]);
  const typed = { when: 'now', feedback: 'unused', reason: 'No\ntime <b>', name: 'Acme' };
  const many = [1, 2, 3].map((one) => ({
    plan: 'Business',
    product: `Vermögensverwaltung ${one}`,
    endsAt: one === 3 ? undefined : at,
  }));
  return [
    ['close an account', page({})],
    [
      'close an account of one',
      page({ plans: [], others: { count: 0, isMore: false }, endsAt: undefined }),
    ],
    ['close an account of many', page({ plans: many, others: { count: 500, isMore: true } })],
    ['close an account, problems', page({ frame: { ...frame, problems }, typed })],
    [
      'account will be closed',
      () => closingPage({ ...shared, endsAt: at, by: 'Ada Lovelace' }, brand),
    ],
    [
      'account will be closed, problem',
      () =>
        closingPage(
          {
            ...shared,
            frame: {
              ...frame,
              done: 'The account will be closed.',
              problems: new Map([['name', closingTexts.name.problem(account.name)]]),
            },
            endsAt: at,
            by: undefined,
            typed: { name: 'Acme' },
          },
          brand,
        ),
    ],
    ['account closed', () => accountClosedPage({ account: account.name }, brand)],
  ];
}
