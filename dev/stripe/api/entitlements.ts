import type { Route } from './route.ts';
export const entitlementRoutes: Route[] = [];
