import { readFileSync, writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import { corpusFile } from '../corpus.ts';
import type { Outcome } from './playwright-results.ts';

/**
 * Why a test was skipped that does not say so itself: what its name says it needs, or the corpus, where its file uses
 * it and it is not there.
 */
function whySkipped(name: string, file: string): string {
  const needs = /\((needs [^)]+)\)/.exec(name)?.[1];
  if (needs) return needs;
  const usesCorpus = /from '[./]*\/corpus\.ts'/.test(readFileSync(file, 'utf8'));
  return usesCorpus && corpusFile('README.md') === null
    ? 'needs the corpus of recordings (REMORA_CORPUS names its folder)'
    : '';
}

/** A vitest reporter: every test's name and outcome as JSON into the file named by VITEST_RESULTS, for the summary. */
export default class ResultsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const tests: Outcome[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const result = test.result();
        const state = result.state === 'pending' ? 'failed' : result.state;
        const name = `${module.relativeModuleId} > ${test.fullName}`;
        const said = 'note' in result ? (result.note ?? '') : '';
        const note = said || (state === 'skipped' ? whySkipped(name, module.moduleId) : '');
        tests.push({ name, state, note });
      }
      for (const error of module.errors())
        tests.push({ name: module.relativeModuleId, state: 'failed', note: error.message });
    }
    for (const error of unhandledErrors) tests.push({ name: 'unhandled error', state: 'failed', note: error.message });
    const path = process.env.VITEST_RESULTS;
    if (path) writeFileSync(path, JSON.stringify(tests));
  }
}
