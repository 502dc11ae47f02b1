/** A service that is told by webhooks (Standard Webhooks): it hears of everything, and shares a secret with Tollgate. */

import { startService } from '../service.ts';
import type { Service, ServiceOptions } from '../service.ts';

export interface WebhookServiceOptions extends Omit<ServiceOptions, 'name' | 'about'> {
  /** `whsec_…` */
  secret: string;
}

export function startWebhookService({
  secret,
  ...options
}: WebhookServiceOptions): Promise<Service> {
  const name = 'Service with webhooks';
  const about = 'It hears of everything that happens (Standard Webhooks). The sample apps call it.';
  return startService({ ...options, name, about }, { webhook: { secrets: [secret] } });
}
