import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { storeProjects } from './test/kit/projects.ts';

export default defineConfig({
  test: {
    // Two also on two cores: most tests wait for a socket, a disk or a child more than they compute.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: storeProjects(process.env).map(({ name, include, exclude, globalSetup }) => ({
      test: {
        name,
        include,
        exclude,
        globalSetup,
        env: { TOLLGATE_TEST_STORE: name },
        // Tests run through the runtime's own type stripping, so that "no build step" is tested too.
        pool: 'forks' as const,
        // Nothing is mocked, and with the hooks for it Deno cannot `require` a JSON file (Koa does).
        experimental: { viteModuleRunner: false, nodeLoader: false },
        testTimeout: 20_000,
        hookTimeout: 20_000,
      },
    })),
  },
});
