import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,golden,property,live}/**/*.test.ts'],
    // Against what hangs: a busy machine takes minutes for what takes seconds.
    testTimeout: 400_000,
    hookTimeout: 400_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
