import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { importsOf, sourceFiles, violations } from '../architecture.ts';

const root = resolve(import.meta.dirname, '../..');
const files = sourceFiles(root);

/** The name that the preload script exposes, read from it so that the rule follows a rename. */
function bridgeGlobal(): string | null {
  const preload = files.find((file) => file.path.startsWith('electron/app/preload'));
  return /exposeInMainWorld\(\s*['"](\w+)['"]/.exec(preload?.text ?? '')?.[1] ?? null;
}

test('the product keeps the boundaries of the design', () => {
  expect(files.length).toBeGreaterThan(10);
  expect(violations(files, bridgeGlobal())).toEqual([]);
});

test('the preload script names the bridge', () => {
  expect(bridgeGlobal()).toMatch(/^\w+$/);
});

test('imports are found in every form', () => {
  const text = `
    import a from 'one';
    import type { B } from "two";
    import 'three';
    export { c } from 'four';
    const d = await import('five');
    const e = require('six');
    const f = new Worker(new URL('./seven.ts', import.meta.url));
    import {
      g,
    } from 'eight';
    // import h from 'commented';
    /* import i from 'commented'; */
  `;
  expect(importsOf(text)).toEqual(['one', 'two', 'three', 'four', 'five', 'six', './seven.ts', 'eight']);
});

const broken: [string, string, string, RegExp][] = [
  ['electron outside app', 'electron/engine/x.ts', `import { app } from 'electron';`, /only electron\/app/],
  ['electron in the renderer', 'renderer/x.ts', `import { ipcRenderer } from 'electron';`, /only electron\/app/],
  ['SQLite outside store', 'electron/query/x.ts', `import D from 'better-sqlite3';`, /only electron\/store/],
  ['a dynamic import of SQLite', 'electron/app/x.ts', `await import('better-sqlite3');`, /only electron\/store/],
  ['parse reads files', 'electron/parse/x.ts', `import { openSync } from 'node:fs';`, /knows no files/],
  ['derive reads files', 'electron/derive/x.ts', `import { open } from 'node:fs/promises';`, /knows no files/],
  ['parse uses the store', 'electron/parse/x.ts', `import { a } from '../store/a.ts';`, /electron\/parse imports/],
  [
    'derive uses the store',
    'electron/derive/x.ts',
    `import type { A } from '../store/a.ts';`,
    /electron\/derive imports/,
  ],
  ['store uses the engine', 'electron/store/x.ts', `import { a } from '../engine/a.ts';`, /electron\/store imports/],
  ['query uses the command line', 'electron/query/x.ts', `import { a } from '../cli.ts';`, /electron\/query imports/],
  ['shared uses electron', 'shared/draw/x.ts', `import { a } from '../../electron/parse/a.ts';`, /shared imports/],
  ['shared uses the renderer', 'shared/x.ts', `import { a } from '../renderer/a.ts';`, /shared imports/],
  ['shared uses Node', 'shared/x.ts', `import { join } from 'node:path';`, /has no Node/],
  [
    'the renderer uses electron',
    'renderer/ui/x.tsx',
    `import { a } from '../../electron/app/a.ts';`,
    /renderer imports/,
  ],
  ['electron uses the renderer', 'electron/app/x.ts', `import { a } from '../../renderer/a.ts';`, /electron imports/],
  ['the renderer uses Node', 'renderer/x.ts', `import { join } from 'node:path';`, /has no Node/],
  ['the product uses the tests', 'electron/x.ts', `import { a } from '../test/corpus.ts';`, /imports the tests/],
  ['an import without extension', 'shared/x.ts', `import { a } from './time';`, /without extension/],
  ['the bridge outside bridge.ts', 'renderer/ui/x.tsx', `window.host.call()`, /only renderer\/bridge/],
  ['a module that is too long', 'shared/x.ts', '\n'.repeat(700), /longer than/],
];
test.each(broken)('a broken rule is found: %s', (_name, path, text, message) => {
  const found = violations([{ path, text }], 'host');
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(message);
});

/** What the linter says about every broken file at once, in a folder with the project's own configuration. */
function lint(cases: { path: string; text: string }[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'remora-lint-'));
  try {
    const configuration = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8')) as Record<string, unknown>;
    writeFileSync(
      join(folder, 'biome.json'),
      JSON.stringify({ ...configuration, $schema: undefined, vcs: { enabled: false } }),
    );
    for (const { path, text } of cases) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
    return spawnSync(process.execPath, [biome, 'lint', '--reporter=github', '--max-diagnostics=none', '.'], {
      cwd: folder,
      encoding: 'utf8',
    }).stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// Imports within electron upwards, file extensions and lengths are beyond the linter: the check above has them.
const linted = broken
  .filter(([name]) => !/store uses|query uses|the product uses|without extension|bridge|too long/.test(name))
  .map(([name, path, text], index) => ({ name, path: path.replace('x.ts', `x${index}.ts`), text }));

test('the linter finds the broken imports too, in the editor', () => {
  const output = lint([
    ...linted,
    { path: 'electron/store/fine.ts', text: `import D from 'better-sqlite3';\nnew D('');\n` },
  ]);
  const hit = (path: string): boolean =>
    output.split('\n').some((line) => line.includes('noRestrictedImports') && line.includes(path));
  expect(linted.length).toBeGreaterThan(10);
  expect(linted.filter(({ path }) => !hit(path))).toEqual([]);
  expect(hit('fine.ts')).toBe(false);
});

test('every dependency has an exact version', () => {
  const json = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const versions = Object.entries({ ...json.dependencies, ...json.devDependencies });
  expect(versions.length).toBeGreaterThan(5);
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
});

test('every dependency earns its place in a line of CONTRIBUTING', () => {
  const json = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const names = Object.keys({ ...json.dependencies, ...json.devDependencies });
  const lines = readFileSync(resolve(root, 'CONTRIBUTING.md'), 'utf8').split('\n');
  const listed = lines.flatMap((line) => /^\| ([^|]+) \| [^|]{10,} \|$/.exec(line)?.[1]?.split(', ') ?? []);
  const isListed = (name: string): boolean => listed.includes(name.startsWith('@types/') ? '@types/*' : name);
  expect(names.filter((name) => !isListed(name))).toEqual([]);
});

test('every folder says what lives in it, in at most 20 lines', () => {
  const folders = new Set(files.map(({ path }) => dirname(path)).filter((folder) => folder.split('/').length <= 2));
  const length = (folder: string): number => {
    const path = join(root, folder, 'README.md');
    return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').length : 0;
  };
  const without = [...folders].filter((folder) => folder.split('/')[0] !== 'renderer' || folder === 'renderer');
  expect(without.filter((folder) => length(folder) === 0 || length(folder) > 20)).toEqual([]);
});
