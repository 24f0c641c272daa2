// `npm start [-- FILE…]`: builds what is out of date, prints what the files hold (the sample's, without any) and opens
// the workbench. Runs on any Node from 20 on; what follows the build needs the project's own, which npm has installed.
import { spawn } from 'node:child_process';
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
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => signal === 'SIGINT' || child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
} else {
  await start();
}

async function start() {
  const { build } = await import('./build.mjs');
  try {
    await build({ say: (line) => console.error(line) });
  } catch (error) {
    console.error(`The build failed: ${error instanceof Error ? error.message : error}`);
    process.exit(1);
  }
  const files = process.argv.slice(2);
  const opened = files.length > 0 ? files : [join(root, 'assets', 'samples', 'throttle.dat')];
  const cli = join(root, 'dist', 'cli.js');
  process.argv = [process.execPath, cli, 'open', '--summary', '--', ...opened];
  await import(pathToFileURL(cli).href);
}
