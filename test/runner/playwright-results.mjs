/**
 * Playwright's JSON report as `{ name, state, note }` per test and project. A test that was interrupted, timed out or
 * passed only on a retry counts as failed: nothing here is retried.
 */
export function playwrightTests(report) {
  const tests = [];
  const walk = (suite, titles) => {
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
  for (const error of report.errors ?? []) tests.push({ name: 'playwright', state: 'failed', note: error.message ?? '' });
  return tests;
}
