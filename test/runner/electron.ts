import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Found } from './browser.ts';

/** Path of the Electron executable that is already here (it is never downloaded for the tests), or null. */
function executable(root: string): string | null {
  const file = process.platform === 'win32' ? 'electron.exe' : 'electron';
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (override) return existsSync(join(override, file)) ? join(override, file) : null;
  const folder = join(root, 'node_modules/electron');
  if (!existsSync(join(folder, 'path.txt'))) return null;
  const path = join(folder, 'dist', readFileSync(join(folder, 'path.txt'), 'utf8').trim());
  return existsSync(path) ? path : null;
}

/** How to run the tests in a real window: which Electron, and on which display. */
export function findElectron(root: string): Found {
  const path = executable(root);
  if (path === null) {
    const where = process.env.ELECTRON_OVERRIDE_DIST_PATH
      ? 'in ELECTRON_OVERRIDE_DIST_PATH'
      : 'in node_modules/electron';
    return { path: null, reason: `no Electron runtime ${where}` };
  }
  if (process.platform !== 'linux') return { path, prefix: [] };
  // A virtual screen of a known size is preferred to whatever display happens to be there.
  if (spawnSync('xvfb-run', ['--help'], { stdio: 'ignore' }).status === 0) {
    return { path, prefix: ['xvfb-run', '-a', '-s', '-screen 0 1600x1000x24'] };
  }
  if (process.env.DISPLAY || process.env.WAYLAND_DISPLAY) return { path, prefix: [] };
  return { path: null, reason: 'no display, and no xvfb-run to make one' };
}
