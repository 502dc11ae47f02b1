import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Tests run through the runtime's own type stripping, so that "no build step" is tested too.
    pool: 'forks',
    experimental: { viteModuleRunner: false },
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
