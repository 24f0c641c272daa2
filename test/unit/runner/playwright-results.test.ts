import type { JSONReport } from '@playwright/test/reporter';
import { expect, test } from 'vitest';
import { playwrightTests } from '../../runner/playwright-results.ts';

const one = (status: string, annotations: object[] = []): object => ({ projectName: 'browser', status, annotations });

test('every test of a report has its name, outcome and reason', () => {
  const report = {
    suites: [
      {
        title: 'open.spec.ts',
        file: 'open.spec.ts',
        specs: [{ title: 'works', file: 'open.spec.ts', tests: [one('expected')] }],
        suites: [
          {
            title: 'inner',
            file: 'open.spec.ts',
            specs: [
              { title: 'breaks', file: 'open.spec.ts', tests: [one('unexpected')] },
              { title: 'wavers', file: 'open.spec.ts', tests: [one('flaky')] },
              {
                title: 'waits',
                file: 'open.spec.ts',
                tests: [one('skipped', [{ type: 'skip', description: 'no display' }])],
              },
            ],
          },
        ],
      },
    ],
    errors: [{ message: 'a file does not load' }],
  } as unknown as JSONReport;
  expect(playwrightTests(report)).toEqual([
    { name: 'open.spec.ts (browser) > works', state: 'passed', note: '' },
    { name: 'open.spec.ts (browser) > inner > breaks', state: 'failed', note: '' },
    { name: 'open.spec.ts (browser) > inner > wavers', state: 'failed', note: '' },
    { name: 'open.spec.ts (browser) > inner > waits', state: 'skipped', note: 'no display' },
    { name: 'playwright', state: 'failed', note: 'a file does not load' },
  ]);
});
