import { defineConfig } from '@playwright/test';
import type { HostOptions } from './test/e2e/host.ts';

/** The same specs in both hosts of the window. `npm test` says which browser and which Electron to use. */
export default defineConfig<HostOptions>({
  testDir: 'test/e2e',
  outputDir: 'test-results/e2e',
  // Each test starts an engine of its own; two at a time starve each other on small machines.
  workers: 1,
  timeout: 90_000,
  expect: { timeout: 20_000 },
  forbidOnly: Boolean(process.env.CI),
  retries: 0,
  use: { actionTimeout: 20_000 },
  reporter: process.env.PLAYWRIGHT_JSON_OUTPUT_FILE ? [['list'], ['json']] : [['list']],
  projects: [
    { name: 'browser', use: { hostKind: 'browser' } },
    { name: 'electron', use: { hostKind: 'electron' } },
  ],
});
