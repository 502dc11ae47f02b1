import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Tests run through the runtime's own type stripping, so that "no build step" is tested too.
    pool: 'forks',
    // Two also on two cores: most tests wait for a socket, a disk or a child more than they compute.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Nothing is mocked, and with the hooks for it Deno cannot `require` a JSON file (Koa does).
    experimental: { viteModuleRunner: false, nodeLoader: false },
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
