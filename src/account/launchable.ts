/** Which apps the list of apps shows. */

import type { ClientConfig, Config } from '../config.ts';

/** Those that the list shows: with somewhere to lead to, and not left out by the operator. */
export function launchable({ clients }: Pick<Config, 'clients'>): ClientConfig[] {
  return clients.filter(
    ({ listed, initiateLoginUri, launchUrl }) =>
      listed && (initiateLoginUri ?? launchUrl) !== undefined,
  );
}
