import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { exitCode } from './exit-code.ts';

/** What better-sqlite3's ready-made addon asks for; older versions of Node end without a word when they load it. */
const NODE_API = 10;

export const isTooOld = (): boolean => Number(process.versions.napi) < NODE_API && !process.env.SQLITE_NATIVE_BINDING;

/** Runs this same command with the Node that was installed beside Remora. Returns its exit code, or null without one. */
export async function runWithOwnNode(): Promise<number | null> {
  let node: string;
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('node/package.json'));
    node = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  } catch {
    return null;
  }
  if (!existsSync(node)) return null;
  // Only here: it would cost every start some milliseconds.
  const { spawn } = await import('node:child_process');
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  // Ctrl+C reaches the child by itself; it decides when to end.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.once('error', () => resolve(null));
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? exitCode.interrupted : 1)));
  });
}
