import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Against what hangs: a busy machine takes minutes for what takes seconds.
    testTimeout: 400_000,
    hookTimeout: 400_000,
    globalSetup: 'test/runner/build-kernel.ts',
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: { name: 'all', include: ['test/{unit,golden,property}/**/*.test.ts'], sequence: { groupOrder: 0 } },
      },
      // These share the kernel's tracing instances, and look at what is left of them: one file after the other.
      {
        extends: true,
        test: { name: 'live', include: ['test/live/**/*.test.ts'], maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
