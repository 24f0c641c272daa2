import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const projectRoot = resolve(import.meta.dirname, '..');
const entry = join(projectRoot, 'dist/cli.js');

/** An own cache folder per test file, so that nothing is found from before and nothing is left behind. */
export function temporaryCache(): { env: NodeJS.ProcessEnv; folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'remora-test-'));
  const env = { ...process.env, REMORA_CACHE: folder, XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder };
  return { env, folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface CliResult {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the built command line to its end. */
export function remora(args: string[], env: NodeJS.ProcessEnv): CliResult {
  if (!existsSync(entry)) throw new Error(`${entry} is not there: npm run build`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...args], {
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { status, stdout, stderr };
}

/** The document that a command prints with --json; a failed command throws with what it said. */
export function remoraJson<T>(args: string[], env: NodeJS.ProcessEnv): T {
  const { status, stdout, stderr } = remora([...args, '--json'], env);
  if (status !== 0 && status !== 3) throw new Error(`remora ${args.join(' ')}: exit ${status}: ${stderr}`);
  return JSON.parse(stdout) as T;
}
