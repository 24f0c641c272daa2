// Builds dist/: the bundles of main process, preload script, engine and command line with esbuild, the window with
// vite, the kernels of indexing and of report with AssemblyScript. A part whose inputs are as they were at its last build is left alone; `--force` builds all the
// same. Names of parts as arguments build those only.
import { isAscii } from 'node:buffer';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));
const dist = join(root, 'dist');
const stampFile = join(dist, 'build-inputs.json');

/** Loaded when needed: the second start of a checkout builds nothing, and should not wait for bundlers. */
const esbuild = async (options) => (await import('esbuild')).build(options);

// The sources are ES modules and the bundles CommonJS: they start in half the time, because Node loads and links the latter
// without promises, and a built-in module that is imported by an ES module has all of its lazy parts loaded at once.
const moduleUrl = "const bundleUrl = require('node:url').pathToFileURL(__filename).href;";
/** zod brings its messages in some fifty languages, a quarter of the bundle: one is used. */
const oneLanguage = {
  name: 'zod messages in English only',
  setup(build) {
    build.onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
      loader: 'js',
    }));
  },
};

/** commander brings what runs processes, for subcommands that are programs of their own: Remora has none, and loading it takes a while. */
const commanderWithoutProcesses = {
  name: 'commander without processes',
  setup(build) {
    build.onLoad({ filter: /commander[\\/]lib[\\/]command\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(
        "import childProcess from 'node:child_process';",
        'const childProcess = {};',
      ),
      loader: 'js',
    }));
  },
};

const nodeBundle = (entry, outfile, extra = {}) => ({
  entryPoints: [join(root, entry)],
  outfile: join(dist, outfile),
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  define: { 'import.meta.url': 'bundleUrl', 'import.meta.dirname': '__dirname' },
  sourcemap: true,
  // Less text to read at every start; names stay, for stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  plugins: [oneLanguage, commanderWithoutProcesses],
  logLevel: 'warning',
  legalComments: 'none',
  // Native addons, and what Electron itself provides.
  external: ['better-sqlite3', '@resvg/resvg-js', 'electron'],
  banner: { js: moduleUrl },
  ...extra,
});

/** A bundle for each command; `electron/cli.ts` has them all. */
const commands = [
  'info',
  'report',
  'series',
  'episodes',
  'sql',
  'chart',
  'convert',
  'check',
  'record',
  'serve',
  'open',
];

function commandBundle(name) {
  const add = `add${name[0].toUpperCase()}${name.slice(1)}`;
  const contents = `import { runCommandLine } from './cli/run.ts';
    import { ${add} } from './cli/${name}.ts';
    runCommandLine([${add}]);`;
  const stdin = { contents, resolveDir: join(root, 'electron'), sourcefile: `command-${name}.ts`, loader: 'ts' };
  const { entryPoints: _, ...options } = nodeBundle('', `command-${name}.js`, { stdin });
  return options;
}

/** Every part names the folders and files that it is made of, and the file that shows it was built. */
const parts = [
  {
    name: 'engine, command line and desktop shell',
    inputs: ['electron', 'shared', 'build.mjs', 'package-lock.json'],
    outputs: [
      'engine.js',
      'slab-worker.js',
      'sql-process.js',
      'capture.js',
      'cli.js',
      'commands.js',
      ...commands.map((name) => `command-${name}.js`),
      'package.json',
      'main.js',
      'preload.cjs',
    ],
    async build() {
      // V8's code of what was built before: see electron/code-cache.ts.
      rmSync(join(dist, 'code'), { recursive: true, force: true });
      // Nearer than the checkout's own package.json, which says that sources are ES modules.
      writeFileSync(join(dist, 'package.json'), '{ "type": "commonjs" }\n');
      await Promise.all([
        esbuild(nodeBundle('electron/cli.ts', 'commands.js')),
        ...commands.map((name) => esbuild(commandBundle(name))),
        esbuild(nodeBundle('electron/engine/entry.ts', 'engine.js')),
        esbuild(nodeBundle('electron/engine/slab-worker.ts', 'slab-worker.js')),
        esbuild(nodeBundle('electron/engine/sql-process.ts', 'sql-process.js')),
        esbuild(nodeBundle('electron/live/capture.ts', 'capture.js')),
        esbuild(nodeBundle('electron/cli-start.ts', 'cli.js', { banner: { js: `#!/usr/bin/env node\n${moduleUrl}` } })),
        esbuild(nodeBundle('electron/app/main.ts', 'main.js')),
        // A sandboxed preload script can load nothing but electron.
        esbuild(nodeBundle('electron/app/preload.ts', 'preload.cjs', { banner: {} })),
      ]);
      // One letter that is none makes V8 hold the whole text in twice the memory. esbuild escapes those of strings, not of regular expressions.
      for (const bundle of this.outputs)
        if (!isAscii(readFileSync(join(dist, bundle)))) throw new Error(`${bundle} is not ASCII: escape it`);
    },
  },
  {
    name: 'kernel',
    inputs: ['electron/kernel', 'build.mjs', 'package-lock.json'],
    outputs: ['slab-kernel.wasm', 'report-kernel.wasm'],
    async build() {
      const { default: asc } = await import('assemblyscript/asc');
      const compile = async (name, ...memory) => {
        const target = ['--outFile', `dist/${name}.wasm`, '--runtime', 'stub', '--noAssert', '-O3', ...memory];
        const { error, stderr } = await asc.main([`electron/kernel/${name}.ts`, '--baseDir', root, ...target]);
        if (error !== null) throw new Error(`${stderr}`, { cause: error });
      };
      // Memory in pages of 64 KiB, which the sources divide up by themselves: of a fixed size, and of one that is enlarged once.
      await compile('slab-kernel', '--initialMemory', '450', '--maximumMemory', '450');
      await compile('report-kernel', '--initialMemory', '20');
    },
  },
  {
    name: 'window',
    inputs: ['renderer', 'shared', 'assets', 'build.mjs', 'package-lock.json'],
    outputs: ['renderer/index.html'],
    async build() {
      const vite = await import('vite');
      await vite.build({ configFile: join(root, 'renderer/vite.config.ts'), logLevel: 'warn' });
    },
  },
];

/** One hash over names and contents of all inputs. Reading some hundred source files takes milliseconds. */
function hashInputs(inputs) {
  const hash = createHash('sha256');
  const add = (path) => {
    const bytes = readFileSync(path);
    hash.update(`${relative(root, path)}\0${bytes.length}\0`).update(bytes);
  };
  for (const input of inputs) {
    const path = join(root, input);
    if (input.includes('.')) {
      if (existsSync(path)) add(path);
      continue;
    }
    const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    for (const file of files.map((entry) => join(entry.parentPath, entry.name)).sort()) add(file);
  }
  return hash.digest('hex');
}

function readStamps() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    return {};
  }
}

const force = process.argv.includes('--force');
const named = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
mkdirSync(dist, { recursive: true });
const stamps = readStamps();
for (const part of parts) {
  if (named.length > 0 && !named.includes(part.name)) continue;
  const stamp = hashInputs(part.inputs);
  const complete = part.outputs.every((output) => existsSync(join(dist, output)));
  if (!force && complete && stamps[part.name] === stamp) continue;
  console.error(`Building ${part.name} …`);
  // Until it is complete, the part counts as never built.
  delete stamps[part.name];
  writeFileSync(stampFile, JSON.stringify(stamps));
  await part.build();
  stamps[part.name] = stamp;
  writeFileSync(stampFile, JSON.stringify(stamps));
}
