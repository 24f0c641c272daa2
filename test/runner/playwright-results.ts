import type { JSONReport, JSONReportSuite } from '@playwright/test/reporter';

export interface Outcome {
  name: string;
  state: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped, where that is known. */
  note: string;
}

/** Playwright's JSON report, test by test. One that was interrupted or passed only on a retry counts as failed. */
export function playwrightTests(report: JSONReport): Outcome[] {
  const tests: Outcome[] = [];
  const walk = (suite: JSONReportSuite, titles: string[]): void => {
    const here = suite.title && suite.title !== suite.file ? [...titles, suite.title] : titles;
    for (const spec of suite.specs ?? []) {
      for (const test of spec.tests) {
        const name = `${spec.file} (${test.projectName}) > ${[...here, spec.title].join(' > ')}`;
        const note = test.annotations.find(({ type }) => type === 'skip' || type === 'fixme')?.description ?? '';
        const state = test.status === 'expected' ? 'passed' : test.status === 'skipped' ? 'skipped' : 'failed';
        tests.push({ name, state, note });
      }
    }
    for (const child of suite.suites ?? []) walk(child, here);
  };
  for (const suite of report.suites ?? []) walk(suite, []);
  for (const error of report.errors ?? [])
    tests.push({ name: 'playwright', state: 'failed', note: error.message ?? '' });
  return tests;
}
