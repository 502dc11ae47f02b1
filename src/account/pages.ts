/** All pages of `/account`, and `/apps`, in one list: the test of who may use what goes through it. */

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Secrets } from '../base/secrets.ts';
import type { Billing } from '../billing/billing.ts';
import type { Config } from '../config.ts';
import type { Directory } from '../directory/directory.ts';
import type { Federation } from '../federation/federation.ts';
import type { LinkOidc } from '../oidc/links.ts';
import type { OwnSessions } from '../oidc/own_sessions.ts';
import type { Cookies } from '../web/cookies.ts';
import type { Csrf } from '../web/csrf.ts';
import type { Limits } from '../web/limits.ts';
import { appPages } from './apps.ts';
import { closingPages } from './closing.ts';
import { dataPages } from './data.ts';
import { identityPages } from './identities.ts';
import { memberPages } from './members.ts';
import { profilePages } from './profile.ts';
import { sessionPages } from './sessions.ts';
import { accountsPages } from './accounts.ts';
import { activityPages } from './activity.ts';
import { settingsPages } from './settings.ts';
import { launchPages } from './launch.ts';
import type { AccountRoute } from './visit.ts';

export interface AccountPages {
  config: Config;
  oidc: LinkOidc;
  directory: Directory;
  /** What people are signed in to. */
  sessions: OwnSessions;
  federation: Pick<Federation, 'providers' | 'start'>;
  /** Absent where nothing is sold by Stripe. */
  billing: Billing | undefined;
  secrets: Secrets;
  cookies: Cookies;
  csrf: Csrf;
  clock: Clock;
  log: Log;
  limits: Limits;
}

export function accountPages(deps: AccountPages): AccountRoute[] {
  return [
    ...launchPages(deps),
    ...profilePages(deps),
    ...identityPages(deps),
    ...sessionPages(deps),
    ...appPages(deps),
    ...memberPages(deps),
    ...closingPages(deps),
    ...dataPages(deps),
    ...accountsPages(deps),
    ...settingsPages(deps),
    ...activityPages(deps),
  ];
}
