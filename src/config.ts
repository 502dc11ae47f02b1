/**
 * The configuration: one file, checked as a whole before anything starts. `src/config/` has the
 * parts; other rooms import from here. It imports nothing of the rooms that it configures.
 */

import type { ConfigInput } from './config/schema.ts';

export { loadConfig } from './config/load.ts';
export { ConfigProblems } from './config/problems.ts';
export { complainOfPlace, receiverSecrets } from './config/receiver_rules.ts';
export { providerSchema, receiverSchema } from './config/list_schemas.ts';
export { configSchema } from './config/schema.ts';
export type {
  ClientConfig,
  Config,
  ConfigInput,
  PlanConfig,
  PriceConfig,
  ProductConfig,
  ProviderConfig,
  MailConfig,
  ReceiverConfig,
  StripeConfig,
} from './config/schema.ts';

/** What a file may leave to the environment. */
export type ConfigFile = Omit<ConfigInput, 'secrets'> & { secrets?: string[] };

/** Types a TypeScript configuration. `secrets` comes from TOLLGATE_SECRET when it is left out. */
export function defineConfig<T extends ConfigFile>(config: T): T {
  return config;
}
