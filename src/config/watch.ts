/** A running process and the files of its configuration: good changes are taken up, bad ones are told of. */

import { repeat } from '../base/repeat.ts';
import type { Repeated } from '../base/repeat.ts';
import type { Log } from '../base/log.ts';
import { changesBetween } from './changes.ts';
import { ConfigProblems } from './problems.ts';
import type { Config } from './schema.ts';
import type { ConfigSource } from './source.ts';

export interface WatchOptions {
  source: ConfigSource;
  /** What the process began with. */
  config: Config;
  log: Log;
  /** Makes it the present one. Of what may not change at run time it has the old values. */
  take(config: Config): void;
  everyMs?: number;
}

export function watchConfig(options: WatchOptions): Repeated {
  const { source, log, take, everyMs = 1000 } = options;
  const { file } = source;
  let present = options.config;
  return repeat(
    async () => {
      if (!(await source.hasChanged())) return;
      const next = await source.load().catch((error: unknown) => {
        log.error('the configuration is bad, and the old one stays', { file, ...told(error) });
      });
      if (next === undefined) return;
      const { config, taken, left, ids } = changesBetween(present, next);
      if (taken.length > 0) {
        take(config);
        present = config;
        log.info('the configuration has changed', { file, changed: taken, ...ids });
      }
      if (left.length > 0) log.warn('the configuration needs a restart', { file, changed: left });
    },
    { name: 'looking for another configuration', everyMs, log },
  );
}

function told(error: unknown): Record<string, unknown> {
  if (!(error instanceof ConfigProblems)) return { error };
  return {
    problems: error.problems.map(({ key, message }) => `${key || '(the whole)'}: ${message}`),
  };
}
