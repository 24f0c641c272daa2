import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** The folders whose imports are checked; every path below is relative to the project, with `/`. */
const SOURCE_FOLDERS = ['electron', 'renderer', 'shared'];

export interface SourceFile {
  path: string;
  text: string;
}

/** Every TypeScript module of the product, tests and tools excluded. */
export function sourceFiles(root: string): SourceFile[] {
  return SOURCE_FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('vite.config.ts'))
      .map((name) => {
        const path = join(folder, name).replaceAll('\\', '/');
        return { path, text: readFileSync(join(root, path), 'utf8') };
      }),
  );
}

/** Module specifiers of a file: static, type-only, dynamic, re-exported, required, and URLs of workers. */
export function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
  const pattern = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*|\bnew\s+URL\(\s*)(['"])([^'"\n]+)\1/g;
  return [...code.matchAll(pattern)].map((match) => match[2] as string);
}

/** `electron/parse/x.ts` → `electron/parse`; a file directly in electron belongs to `electron`. */
function area(path: string): string {
  const parts = path.split('/');
  return parts[0] === 'electron' && parts.length > 2 ? `electron/${parts[1]}` : (parts[0] as string);
}

/**
 * Which areas of electron each one may import besides itself and shared. An area that is not listed is the
 * wiring on top (engine, app, serve, cli, live) and may import every other one of electron.
 */
const BELOW: Record<string, string[]> = {
  'electron/parse': [],
  'electron/derive': ['electron/parse'],
  'electron/store': ['electron/parse', 'electron/derive'],
  'electron/query': ['electron/parse', 'electron/derive', 'electron/store'],
  'electron/export': ['electron/parse', 'electron/derive', 'electron/store', 'electron/query'],
};

/** Longest module that is allowed; past 400 lines one wants a reason, past this a split. */
const MAX_LINES = 600;

/** One line per broken rule: `file: what is wrong`. `bridgeGlobal` is the name under which the host reaches the window. */
export function violations(files: SourceFile[], bridgeGlobal: string | null): string[] {
  const found: string[] = [];
  for (const { path, text } of files) {
    const from = area(path);
    const side = path.split('/')[0] as string;
    const say = (what: string): void => void found.push(`${path}: ${what}`);
    if (text.split('\n').length > MAX_LINES) say(`longer than ${MAX_LINES} lines`);
    for (const specifier of importsOf(text)) {
      if (specifier.startsWith('.')) {
        const target = relative('.', resolve(dirname(path), specifier)).replaceAll('\\', '/');
        const to = area(target);
        const toSide = target.split('/')[0] as string;
        // AssemblyScript's compiler adds the extension, and takes a name with one for another module.
        const named = from === 'electron/kernel' || /\.(ts|tsx|css|json|svg|html|js)(\?\w+)?$/.test(specifier);
        if (!named) say(`import without extension: ${specifier}`);
        if (side === 'shared' && toSide !== 'shared') say(`shared imports ${target}`);
        if (side === 'renderer' && toSide === 'electron') say(`renderer imports ${target}`);
        if (side === 'electron' && toSide === 'renderer') say(`electron imports ${target}`);
        if (['electron', 'renderer', 'shared'].includes(side) && toSide === 'test') say(`imports the tests: ${target}`);
        const below = BELOW[from];
        if (below && toSide === 'electron' && to !== from && !below.includes(to)) say(`${from} imports ${target}`);
        continue;
      }
      if (specifier === 'electron' && from !== 'electron/app') say('only electron/app imports electron');
      if (specifier === 'better-sqlite3' && from !== 'electron/store') {
        say('only electron/store imports better-sqlite3');
      }
      if (/^node:fs(\/|$)/.test(specifier) && (from === 'electron/parse' || from === 'electron/derive')) {
        say(`${from} knows no files, but imports ${specifier}`);
      }
      if (specifier.startsWith('node:') && side !== 'electron') say(`${side} has no Node, but imports ${specifier}`);
    }
    if (bridgeGlobal && side === 'renderer' && path !== 'renderer/bridge.ts') {
      const touches = new RegExp(`\\b(window|globalThis|self)\\s*(\\.|\\[\\s*['"])${bridgeGlobal}\\b`);
      if (touches.test(text)) say(`only renderer/bridge.ts touches ${bridgeGlobal}`);
    }
  }
  return found;
}
