/**
 * A service that is told by logout tokens (OpenID Connect Back-Channel Logout): the oldest of the three standards, with
 * nothing to configure but an address at the client. It hears of sessions at that app and of nothing else: neither
 * of plans and roles, nor of other apps.
 */

import { startService } from '../service.ts';
import type { Service, ServiceOptions } from '../service.ts';

export interface LogoutServiceOptions extends Omit<ServiceOptions, 'name' | 'about'> {
  /** The app, whose `backchannelLogoutUri` is `/events` here. */
  clientId: string;
}

export function startLogoutService({
  clientId,
  ...options
}: LogoutServiceOptions): Promise<Service> {
  const name = 'Service with logout tokens';
  const about = 'It hears of the end of sessions at one app (OpenID Connect Back-Channel Logout).';
  return startService({ ...options, name, about }, { clientId });
}
