/**
 * `npm run bench -- [refreshes|revoke|billing|import|kills] [options]`. The numbers of one machine mean little; what to compare are
 * ratios, and one's own of before. Linux. Servers are started as the tests start them.
 */

import { parseArgs } from 'node:util';
import { storeNames } from '../test/kit/store_names.ts';
import type { StoreName } from '../test/kit/store_names.ts';
import { measureBilling } from './billing.ts';
import { measureImport } from './imports.ts';
import { playManyKills } from './kills.ts';
import { closeConnections } from './processes.ts';
import { measureRefreshes } from './refreshes.ts';
import { measureRevocations } from './revoke.ts';

const usage = `npm run bench -- [what] [options]

  refreshes (the default)  Refreshes, sign-ins and starts, beside the bare library
  revoke                   How long services go on taking a token that was revoked
    --rate 500             Requests a second with good tokens, over three services
    --revocations 1000     … spread over the run
    --seconds 60           Its length
    --receivers 1000       Receivers in all, of which one never answers
  billing                  From a webhook of Stripe to a true token, and a burst of webhooks
    --changes 300            Changes, one after the other
    --burst 2000             Webhooks at once
    --accounts 200           … about so many customers
  import                   People and accounts from a file: checked, written, read again
    --users 100000           So many people
    --accounts 20000         … in so many accounts (of billing: 200)
  kills                    Kills the process while it revokes and tells of it, and counts
    --count 500            Kills
    --seed N               Repeats a run

  --store NAME             ${storeNames.join(', ')}
  --runtime NAME           node or deno`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    store: { type: 'string', default: 'sqlite' },
    runtime: { type: 'string' },
    rate: { type: 'string', default: '500' },
    revocations: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    receivers: { type: 'string', default: '1000' },
    changes: { type: 'string', default: '300' },
    burst: { type: 'string', default: '2000' },
    accounts: { type: 'string' },
    users: { type: 'string', default: '100000' },
    count: { type: 'string', default: '500' },
    seed: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

function storeNamed(name: string): StoreName {
  const wanted = name === 'redis' ? 'redis+sqlite' : name;
  const found = storeNames.find((one) => one === wanted);
  if (found === undefined) throw new Error(`--store takes ${storeNames.join(', ')}`);
  return found;
}

type Counted =
  | 'rate'
  | 'revocations'
  | 'seconds'
  | 'receivers'
  | 'changes'
  | 'burst'
  | 'accounts'
  | 'users'
  | 'count';

function whole(name: Counted, otherwise?: number): number {
  const number = Number(values[name] ?? otherwise);
  if (!Number.isSafeInteger(number) || number < 1) throw new Error(`--${name} takes a number`);
  return number;
}

const runtimes = (['node', 'deno'] as const).filter((one) => (values.runtime ?? one) === one);
const [what = 'refreshes'] = positionals;
const storeName = storeNamed(values.store);
switch (values.help ? 'help' : what) {
  case 'refreshes':
    await measureRefreshes(storeName, runtimes);
    break;
  case 'revoke':
    await measureRevocations({
      storeName,
      runtime: runtimes[0] ?? 'node',
      rate: whole('rate'),
      revocations: whole('revocations'),
      seconds: whole('seconds'),
      receivers: whole('receivers'),
    });
    break;
  case 'billing':
    await measureBilling({
      storeName,
      runtime: runtimes[0] ?? 'node',
      changes: whole('changes'),
      burst: whole('burst'),
      accounts: whole('accounts', 200),
    });
    break;
  case 'import':
    await measureImport(storeName, { users: whole('users'), accounts: whole('accounts', 20_000) });
    break;
  case 'kills':
    process.exitCode = (await playManyKills(storeName, whole('count'), values.seed)) ? 0 : 1;
    break;
  default:
    console.log(usage);
}
closeConnections();
process.exit();
