/** The stores that the tests run on. */
export const storeNames = ['sqlite', 'mongodb', 'redis+mongodb', 'redis+sqlite'] as const;
export type StoreName = (typeof storeNames)[number];
