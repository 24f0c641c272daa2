import { existsSync } from 'node:fs';
import * as module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitCode } from './cli/exit-code.ts';
import { isTooOld, runWithOwnNode } from './cli/own-node.ts';
import { codeCacheFolder } from './code-cache.ts';

/**
 * What `remora` runs: hands over to the Node beside Remora where this one is too old, turns on the cache of compiled code,
 * which saves a third of the start, and loads the command: from a bundle of its own, as what is loaded is most of a start.
 */

if (isTooOld()) {
  void runWithOwnNode().then((code) => {
    if (code === null)
      process.stderr.write(`remora: Node.js 22.14 or newer is needed, and this is ${process.version}.\n`);
    process.exitCode = code ?? exitCode.failed;
  });
} else {
  const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown };
  const folder = codeCacheFolder();
  if (folder !== null) enableCompileCache?.(folder);
  const named = process.argv[2] ?? '';
  const bundles = dirname(fileURLToPath(import.meta.url));
  const own = join(bundles, `command-${named}.js`);
  const known = /^[a-z]+$/.test(named) && existsSync(own);
  module.createRequire(import.meta.url)(known ? own : join(bundles, 'commands.js'));
}
