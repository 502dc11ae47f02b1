/** The three services of the development world in a process of their own, for `revoke.ts`. They end with it. */

import { startLogoutService } from '../dev/services/logout.ts';
import { startStreamService } from '../dev/services/stream.ts';
import { startWebhookService } from '../dev/services/webhooks.ts';
import type { RevokeServices } from './revoke.ts';

const options = JSON.parse(process.env.BENCH_SERVICES ?? '') as RevokeServices;
const { issuer, audience, ports, secret, stream } = options;
const shared = { issuer, audience, origins: [], clock: Date.now };

await Promise.all([
  startLogoutService({ ...shared, port: ports.logout, clientId: 'app' }),
  startWebhookService({ ...shared, port: ports.webhooks, secret }),
  startStreamService({ ...shared, ...stream, port: ports.stream }),
]);
process.on('SIGTERM', () => process.exit(0));
