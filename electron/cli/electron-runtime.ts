import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** An Electron that can be started, or in one line why there is none. */
export type ElectronRuntime = { executable: string } | { missing: string };

/** How long the download may take to send its first byte: offline, nobody should wait for it. */
const FIRST_BYTE_MS = 8_000;

/**
 * Finds Electron: the one in ELECTRON_OVERRIDE_DIST_PATH, else that of the installed package, which is downloaded when it
 * is used for the first time. `say` gets a line before that.
 */
export async function findElectron(say: (line: string) => void, signal: AbortSignal): Promise<ElectronRuntime> {
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) {
    return { missing: 'there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)' };
  }
  const overridden = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (overridden) {
    const executable = join(overridden, executableName());
    return existsSync(executable)
      ? { executable }
      : { missing: `ELECTRON_OVERRIDE_DIST_PATH holds no ${executableName()}` };
  }
  let folder: string;
  try {
    folder = dirname(createRequire(import.meta.url).resolve('electron/package.json'));
  } catch {
    return { missing: 'the electron package is not installed' };
  }
  const installed = installedExecutable(folder);
  if (installed !== null) return { executable: installed };
  say('Downloading Electron for the first start …');
  const failure = await download(join(folder, 'install.js'), signal);
  const executable = installedExecutable(folder);
  return executable === null ? { missing: `Electron could not be downloaded (${failure})` } : { executable };
}

function executableName(): string {
  if (process.platform === 'darwin') return 'Electron.app/Contents/MacOS/Electron';
  return process.platform === 'win32' ? 'electron.exe' : 'electron';
}

/** The package writes `path.txt` once its runtime is complete. */
function installedExecutable(folder: string): string | null {
  try {
    const executable = join(folder, 'dist', readFileSync(join(folder, 'path.txt'), 'utf8').trim());
    return existsSync(executable) ? executable : null;
  } catch {
    return null;
  }
}

/** Runs the package's own installer; returns why it failed, if it did. */
async function download(installer: string, signal: AbortSignal): Promise<string> {
  // The installer downloads into the folder for temporary files: in one of its own the first byte can be seen.
  const folder = await mkdtemp(join(tmpdir(), 'remora-electron-'));
  try {
    const env = { ...process.env, TMPDIR: folder, TEMP: folder, TMP: folder };
    const child = spawn(process.execPath, [installer], { env, stdio: ['ignore', 'ignore', 'pipe'], signal });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(0, 2000);
    });
    let silent = false;
    const watch = setTimeout(() => {
      void holdsBytes(folder).then((begun) => {
        silent = !begun;
        if (silent) child.kill('SIGKILL');
      });
    }, FIRST_BYTE_MS);
    await new Promise<void>((resolve) => {
      child.on('error', () => resolve());
      child.on('close', () => resolve());
    });
    clearTimeout(watch);
    if (silent) return 'no answer: offline?';
    const cause = /(?:getaddrinfo|connect|read) E[A-Z_]+(?: [\w.:-]+)?|Response code \d+/.exec(complaint);
    return cause?.[0] ?? (complaint.split('\n')[0]?.trim() || 'the installer failed');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function holdsBytes(folder: string): Promise<boolean> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && (await stat(join(entry.parentPath, entry.name))).size > 0) return true;
  }
  return false;
}
