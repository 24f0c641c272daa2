// Everything that is checked, in one command: build, types, lint, unused code, vitest, and Playwright in a browser and
// in a real Electron window. What cannot run here is skipped by name, with the reason, in the summary at the end.
//   npm test                     all
//   npm test -- vitest lint      these steps only
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { JSONReport } from '@playwright/test/reporter';
import { type Found, findBrowser } from './browser.ts';
import { findElectron } from './electron.ts';
import { type Outcome, playwrightTests } from './playwright-results.ts';

const root = resolve(import.meta.dirname, '../..');
process.chdir(root);
const results = join(root, 'test-results');
const node = process.execPath;
const cli = {
  tsc: 'node_modules/typescript/bin/tsc',
  biome: 'node_modules/@biomejs/biome/bin/biome',
  knip: 'node_modules/knip/bin/knip.js',
  vitest: 'node_modules/vitest/vitest.mjs',
  playwright: 'node_modules/@playwright/test/cli.js',
};
const MINUTE = 60_000;

/** Everything that ran, in order. */
const tests: Outcome[] = [];
const say = (text: string): void => console.log(text);

/** Runs a command with its output shown; resolves to its exit code, or to 124 when it was ended for taking too long. */
function run(command: string, args: string[], limitMs: number, env: NodeJS.ProcessEnv = {}): Promise<number> {
  return new Promise((done) => {
    // Its own process group, so that a browser or server that hangs ends with it.
    const child = spawn(command, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: process.platform !== 'win32',
      env: { ...process.env, ...env },
    });
    const end = (): void => {
      if (process.platform === 'win32' || child.pid === undefined) child.kill();
      else process.kill(-child.pid, 'SIGKILL');
    };
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      say(`ended after ${limitMs / MINUTE} minutes: ${args.join(' ')}`);
      end();
    }, limitMs);
    const interrupted = (): void => {
      end();
      process.exit(130);
    };
    process.once('SIGINT', interrupted);
    process.once('SIGTERM', interrupted);
    const finish = (code: number | null): void => {
      clearTimeout(timer);
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', interrupted);
      done(late ? 124 : (code ?? 1));
    };
    child.once('error', () => finish(127));
    child.once('exit', finish);
  });
}

/** A step that is one check: it passes or fails as a whole. */
async function check(name: string, args: string[], limitMs = 5 * MINUTE): Promise<void> {
  say(`\n== ${name}`);
  const code = await run(node, args, limitMs);
  tests.push({ name, state: code === 0 ? 'passed' : 'failed', note: code === 0 ? '' : `exit ${code}` });
}

function readJson<T>(path: string): T | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return null;
  }
}

/** Takes over a runner's own list; a runner that failed without naming a failed test is one failure itself. */
function collect(name: string, list: Outcome[] | null, code: number): void {
  if (list) tests.push(...list);
  const named = list?.some(({ state }) => state === 'failed') ?? false;
  if (list === null || list.length === 0) tests.push({ name, state: 'failed', note: `no results (exit ${code})` });
  else if (code !== 0 && !named) tests.push({ name, state: 'failed', note: `exit ${code}` });
}

async function vitest(): Promise<void> {
  say('\n== vitest');
  const file = join(results, 'vitest.json');
  const args = [cli.vitest, 'run', '--reporter=default', '--reporter=./test/runner/vitest-reporter.ts'];
  const code = await run(node, args, 40 * MINUTE, { VITEST_RESULTS: file });
  collect('vitest', readJson<Outcome[]>(file), code);
}

/** The names of a project's tests, without running them. */
function listed(project: string, reason: string): Outcome[] {
  const list = spawnSync(node, [cli.playwright, 'test', `--project=${project}`, '--list', '--reporter=json'], {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  let names: Outcome[] = [];
  try {
    names = playwrightTests(JSON.parse(list.stdout) as JSONReport);
  } catch {
    // Not a report: told below.
  }
  if (names.length === 0)
    return [{ name: `playwright (${project})`, state: 'failed', note: 'the tests cannot be listed' }];
  return names.map(({ name }) => ({ name, state: 'skipped', note: reason }));
}

async function playwright(project: 'browser' | 'electron', found: Found): Promise<void> {
  say(`\n== playwright (${project})`);
  if (found.path === null) {
    say(`skipped: ${found.reason}`);
    tests.push(...listed(project, found.reason));
    return;
  }
  say(`with ${found.path || "Playwright's own Chromium"}`);
  const file = join(results, `playwright-${project}.json`);
  const [command, ...args] = [...found.prefix, node, cli.playwright, 'test', `--project=${project}`];
  const code = await run(command as string, args, 25 * MINUTE, {
    PLAYWRIGHT_JSON_OUTPUT_FILE: file,
    REMORA_TEST_BROWSER: project === 'browser' ? found.path : '',
  });
  const report = readJson<JSONReport>(file);
  collect(`playwright (${project})`, report && playwrightTests(report), code);
}

const steps: Record<string, () => Promise<void>> = {
  build: () => check('build', ['build.mjs']),
  typecheck: () => check('typecheck', [cli.tsc, '-b']),
  lint: () => check('lint', [cli.biome, 'check', '--error-on-warnings', '.']),
  knip: () => check('knip', [cli.knip]),
  vitest,
  browser: async () => playwright('browser', await findBrowser(cli.playwright, say)),
  electron: () => playwright('electron', findElectron(root)),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in steps));
if (unknown.length > 0) {
  console.error(`no such step: ${unknown.join(', ')}; there are: ${Object.keys(steps).join(', ')}`);
  process.exit(2);
}
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
for (const [name, step] of Object.entries(steps)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const startedMs = Date.now();
  await step();
  say(`   ${name}: ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
}

const of = (state: Outcome['state']): Outcome[] => tests.filter((test) => test.state === state);
say('\n== summary');
for (const { name, note } of of('skipped')) say(`skipped: ${name}: ${note || 'no reason given'}`);
for (const { name, note } of of('failed')) say(`FAILED: ${name}${note ? `: ${note.split('\n')[0]}` : ''}`);
const closing = `${of('passed').length} passed, ${of('failed').length} failed, ${of('skipped').length} skipped`;
writeFileSync(join(results, 'summary.txt'), `${closing}\n`);
say(closing);
process.exit(of('failed').length > 0 || of('passed').length === 0 ? 1 : 0);
