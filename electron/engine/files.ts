import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { FolderEntry } from '../../shared/api.ts';
import { makeFolder } from '../store/folders.ts';
import { fileError } from './file-source.ts';
import { isRawFolder } from './raw-folder.ts';
import { isWorkspace, looksLikeRecording } from './readers.ts';

/** Entries of a folder of the engine's machine, recordings marked by what they hold. Folders first, then by name. */
export function listFolder(path: string): { path: string; parent: string; entries: FolderEntry[] } {
  const folder = resolve(path === '' ? process.cwd() : path.replace(/^~(?=$|[\\/])/, homedir()));
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    throw fileError(folder, error);
  }
  const entries = names.flatMap((name): FolderEntry[] => {
    if (name.startsWith('.')) return [];
    const full = join(folder, name);
    try {
      const stat = statSync(full);
      const entry = { name, path: full, bytes: stat.size, modifiedMs: stat.mtimeMs };
      if (stat.isDirectory()) return [{ ...entry, kind: isRawFolder(full) ? 'recording' : 'folder' }];
      if (!stat.isFile()) return [];
      return [
        {
          ...entry,
          kind:
            name.endsWith('.remora') || isWorkspace(full)
              ? 'workspace'
              : looksLikeRecording(full)
                ? 'recording'
                : 'file',
        },
      ];
    } catch {
      return []; // gone, or not ours to see
    }
  });
  const rank = (entry: FolderEntry): number => (entry.kind === 'folder' ? 0 : 1);
  entries.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, 'en', { numeric: true }));
  return { path: folder, parent: dirname(folder), entries };
}

/**
 * Keeps bytes dropped onto a browser tab as a file of the cache folder, named after their content, so that the same bytes
 * find the same file, and with it their workspace.
 */
export function storeUpload(cacheFolder: string, name: string, bytes: Uint8Array): string {
  const folder = join(cacheFolder, 'uploads', createHash('sha256').update(bytes).digest('hex').slice(0, 16));
  const path = join(folder, basename(name).replace(/[^\w.() -]+/g, '_') || 'recording');
  if (existsSync(path)) return path;
  try {
    makeFolder(folder);
    const temporary = `${path}.${process.pid}.part`;
    writeFileSync(temporary, bytes);
    renameSync(temporary, path);
  } catch (error) {
    throw fileError(path, error);
  }
  return path;
}

const MOST_RECENT = 20;

/** The files opened last, newest first, kept in the cache folder. Losing the list loses nothing else. */
export class RecentFiles {
  readonly #path: string;

  constructor(cacheFolder: string) {
    this.#path = join(cacheFolder, 'recent.json');
  }

  /** Those that still exist. */
  list(): { path: string; openedMs: number }[] {
    try {
      const known = JSON.parse(readFileSync(this.#path, 'utf8')) as { path: string; openedMs: number }[];
      return known.filter(({ path }) => existsSync(path));
    } catch {
      return [];
    }
  }

  add(paths: readonly string[]): void {
    const added = paths.map((path) => ({ path: resolve(path), openedMs: Date.now() }));
    const kept = this.list().filter(({ path }) => !added.some((entry) => entry.path === path));
    try {
      makeFolder(dirname(this.#path));
      const temporary = `${this.#path}.${process.pid}.part`;
      writeFileSync(temporary, JSON.stringify([...added, ...kept].slice(0, MOST_RECENT), null, 1));
      renameSync(temporary, this.#path);
    } catch {
      // A cache folder that cannot be written is told where it matters: when a workspace is kept in it.
    }
  }
}
