/** All endpoints that the simulator has. */

import { accountRoutes } from './account.ts';
import { checkoutSessionRoutes } from './checkout_sessions.ts';
import { couponRoutes } from './coupons.ts';
import { customerRoutes } from './customers.ts';
import { entitlementRoutes } from './entitlements.ts';
import { eventDestinationRoutes } from './event_destinations.ts';
import { eventRoutes } from './events.ts';
import { invoiceRoutes } from './invoices.ts';
import { meterRoutes } from './meters.ts';
import { paymentRoutes } from './payments.ts';
import { portalRoutes } from './portal.ts';
import { priceRoutes } from './prices.ts';
import { productRoutes } from './products.ts';
import type { Route } from './route.ts';
import { subscriptionRoutes } from './subscriptions.ts';
import { testClockRoutes } from './test_clocks.ts';
import { webhookEndpointRoutes } from './webhook_endpoints.ts';

export const routes: readonly Route[] = [
  ...accountRoutes,
  ...checkoutSessionRoutes,
  ...couponRoutes,
  ...customerRoutes,
  ...entitlementRoutes,
  ...eventDestinationRoutes,
  ...eventRoutes,
  ...invoiceRoutes,
  ...meterRoutes,
  ...paymentRoutes,
  ...portalRoutes,
  ...priceRoutes,
  ...productRoutes,
  ...subscriptionRoutes,
  ...testClockRoutes,
  ...webhookEndpointRoutes,
];
