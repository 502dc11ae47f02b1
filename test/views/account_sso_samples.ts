/** The list of apps, and the question before one is opened. */

import type { Html } from '../../src/web/html.ts';
import { launchPage, openAppPage } from '../../views/account/launch.ts';
import type { Brand } from '../../views/layout.ts';

const frame = { tab: 'launch', sells: true, launches: true } as const;

export function ssoSamples(brand: Brand): [string, () => Html][] {
  const apps = [
    { name: 'Northwind Analytics', href: '/apps/analytics' },
    { name: 'Archiv der Donaudampfschifffahrtsgesellschaft', href: '/apps/archive' },
    { name: 'Orders', href: '/apps/orders' },
  ];
  const account = 'Acme';
  const href = '/apps/orders?account=acc_1';
  return [
    ['apps to open', () => launchPage({ frame, apps }, brand)],
    ['apps to open for an account', () => launchPage({ frame, apps, account }, brand)],
    ['no apps to open', () => launchPage({ frame, apps: [] }, brand)],
    [
      'an app to open?',
      () => openAppPage({ frame, app: 'Orders', account, href, list: '/apps' }, brand),
    ],
  ];
}
