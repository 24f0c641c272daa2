// `npm start [-- FILE…]`: builds what is out of date, prints what the files hold (the sample's, without any) and opens
// the workbench. Runs on any Node from 20 on; what follows the build needs the project's own, which npm has installed.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const ownNode = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

if (!existsSync(join(root, 'node_modules'))) {
  console.error('The dependencies are missing: run `npm ci` first.');
  process.exit(1);
}

// better-sqlite3 needs Node-API 10.
if (Number(process.versions.napi) < 10 && existsSync(ownNode)) {
  const child = spawn(ownNode, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl+C reaches the child by itself; it decides when to end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => signal === 'SIGINT' || child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
} else {
  endWithNpm();
  await start();
}

/** A signal sent to npm ends npm and its shell, which pass nothing on: whoever stopped them wants this to end too. */
function endWithNpm() {
  if (process.env.npm_lifecycle_event !== 'start') return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && process.kill(process.pid, 'SIGTERM'), 500).unref();
}

async function start() {
  // In a process of its own: bundlers keep threads and memory that the workbench has no use for.
  const { status } = spawnSync(process.execPath, [join(root, 'build.mjs')], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
  const files = process.argv.slice(2);
  const opened = files.length > 0 ? files : [join(root, 'assets', 'samples', 'throttle.dat')];
  const cli = join(root, 'dist', 'cli.js');
  process.argv = [process.execPath, cli, 'open', '--summary', '--', ...opened];
  await import(pathToFileURL(cli).href);
}
