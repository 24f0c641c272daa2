import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import type { Outcome } from './playwright-results.ts';

/** A vitest reporter: every test's name and outcome as JSON into the file named by VITEST_RESULTS, for the summary. */
export default class ResultsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const tests: Outcome[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const result = test.result();
        const note = 'note' in result ? (result.note ?? '') : '';
        const state = result.state === 'pending' ? 'failed' : result.state;
        tests.push({ name: `${module.relativeModuleId} > ${test.fullName}`, state, note });
      }
      for (const error of module.errors()) tests.push({ name: module.relativeModuleId, state: 'failed', note: error.message });
    }
    for (const error of unhandledErrors) tests.push({ name: 'unhandled error', state: 'failed', note: error.message });
    const path = process.env['VITEST_RESULTS'];
    if (path) writeFileSync(path, JSON.stringify(tests));
  }
}
