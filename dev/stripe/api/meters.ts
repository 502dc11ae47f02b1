import type { Route } from './route.ts';
export const meterRoutes: Route[] = [];
