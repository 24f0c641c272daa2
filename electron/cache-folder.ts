import { homedir } from 'node:os';
import { join } from 'node:path';

/** The user's cache folder for workspaces; REMORA_CACHE overrides. */
export function defaultCacheFolder(): string {
  const set = process.env.REMORA_CACHE;
  if (set) return set;
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'remora');
  if (process.platform === 'win32') return join(process.env.LOCALAPPDATA ?? homedir(), 'remora', 'cache');
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'remora');
}
