import { writeFileSync } from 'node:fs';

/** A vitest reporter: every test's name and outcome as JSON into the file named by VITEST_RESULTS, for the summary. */
export default class ResultsReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const tests = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const result = test.result();
        const name = `${module.relativeModuleId} > ${test.fullName}`;
        tests.push({ name, state: result.state === 'pending' ? 'failed' : result.state, note: result.note ?? '' });
      }
      for (const error of module.errors()) tests.push({ name: module.relativeModuleId, state: 'failed', note: error.message });
    }
    for (const error of unhandledErrors) tests.push({ name: 'unhandled error', state: 'failed', note: error.message });
    writeFileSync(process.env.VITEST_RESULTS, JSON.stringify(tests));
  }
}
