/** `tollgate stripe sync`: accounts compared with Stripe, and made what it says. Beside the running processes. */

import { randomToken } from './base/ids.ts';
import { createLog } from './base/log.ts';
import { noMeasures } from './base/measures.ts';
import { openBilling } from './billing/billing.ts';
import type { AccountDifference, ReconcileReport } from './billing/reconcile.ts';
import type { SellingConfig } from './billing/setup/setup.ts';
import { json, table, withStores } from './command_store.ts';
import { createDirectory } from './directory/directory.ts';

/** @throws {Problem} `account_unknown` (404), `customer_missing` (409), `stripe_unavailable` (503) */
export async function syncAccounts(
  config: SellingConfig,
  asked: { account: string | undefined; json: boolean },
): Promise<{ text: string; isGood: boolean }> {
  // Accounts are among what is kept.
  return withStores({ ...config, hot: undefined }, async ({ store, clock }) => {
    // The report says all of it.
    const log = createLog({ level: 'error', clock, write: (line) => process.stderr.write(line) });
    const { registration } = config;
    const billing = await openBilling({
      config: () => config,
      first: config,
      store,
      fetch: undefined,
      clock,
      log,
      measures: noMeasures,
      owner: randomToken(),
      directory: createDirectory({ store, clock, log, registration }),
    });
    if (billing === undefined) throw new Error('there is no billing');
    try {
      const { account } = asked;
      // A wrong key is told once, and not for each account.
      await billing.stripe.call('subscriptions.list', (api) =>
        api.subscriptions.list({ limit: 1 }),
      );
      const report = await billing.reconcile(account === undefined ? {} : { account });
      const isGood = report.differing.length + report.failed.length === 0;
      return { text: asked.json ? json(report) : printed(report), isGood };
    } finally {
      await billing.stop();
    }
  });
}

function printed({ accounts, differing, failed }: ReconcileReport): string {
  const repaired = differing.some(({ differences }) => Object.keys(differences).length > 0);
  const first = [
    `${differing.length} of ${accounts} accounts differ.`,
    ...(repaired ? ['Their documents are now as Stripe says.'] : []),
    ...(failed.length > 0 ? [`${failed.length} could not be compared.`] : []),
  ].join(' ');
  const rows = [
    ...differing.flatMap(rowsOf),
    ...failed.map(({ account, problem }) => [account, '', `not compared: ${problem}`]),
  ];
  if (rows.length === 0) return `${first}\n`;
  return `${first}\n\n${table([['ACCOUNT', 'PRODUCT', 'DIFFERENT'], ...rows])}`;
}

function rowsOf({ account, differences, strays = [] }: AccountDifference): string[][] {
  return [
    ...Object.entries(differences).map(([product, fields]) => [
      account,
      product,
      fields.join(', '),
    ]),
    ...strays.map(({ subscription, why, product }) => [
      account,
      product ?? '',
      why === 'duplicate'
        ? `${subscription} is a second live subscription: end one of them at Stripe`
        : `${subscription} has a price of no plan: configure it, or end it at Stripe`,
    ]),
  ];
}
