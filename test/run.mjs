#!/usr/bin/env node
// Starts the checks (runner/run.ts) with the project's own Node, whichever Node runs this file.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const name = process.platform === 'win32' ? 'node.exe' : 'node';
const ownNode = join(here, '../node_modules/node/bin', name);
if (!existsSync(ownNode)) {
  console.error(`${ownNode} is not there: run npm ci first`);
  process.exit(1);
}
const run = spawnSync(ownNode, [join(here, 'runner/run.ts'), ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(run.status ?? 1);
