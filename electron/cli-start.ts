import * as module from 'node:module';
import { codeCacheFolder } from './cache-folder.ts';
import { exitCode } from './cli/exit-code.ts';
import { isTooOld, runWithOwnNode } from './cli/own-node.ts';

/**
 * What `remora` runs: hands over to the Node beside Remora where this one is too old, turns on the cache of compiled code,
 * which saves a third of the start, and loads the rest. That is a bundle of its own, because code is cached from then on only.
 */

if (isTooOld()) {
  void runWithOwnNode().then((code) => {
    if (code === null)
      process.stderr.write(`remora: Node.js 22.14 or newer is needed, and this is ${process.version}.\n`);
    process.exit(code ?? exitCode.failed);
  });
} else {
  const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown };
  const named = process.argv[2] ?? '';
  const folder = codeCacheFolder(/^[a-z]+$/.test(named) ? named : 'help');
  if (folder !== null) enableCompileCache?.(folder);
  module.createRequire(import.meta.url)('./cli-main.js');
}
