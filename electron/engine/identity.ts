import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import type { FileSource } from './file-source.ts';

const SAMPLE_BYTES = 65_536;

/** What a recording is known by, wherever it lies: size, mtime, and a hash of its first and last 64 KiB. */
export function recordingIdentity(source: FileSource): string {
  const hash = createHash('sha256');
  hash.update(source.read(0, SAMPLE_BYTES));
  hash.update(source.read(Math.max(0, source.size - SAMPLE_BYTES), SAMPLE_BYTES));
  return `${source.size}:${Math.floor(source.modifiedMs)}:${hash.digest('hex').slice(0, 32)}`;
}

/** Where the workspace of these recordings is kept. The order of the files does not matter. */
export function cachedWorkspacePath(folder: string, paths: readonly string[], identities: readonly string[]): string {
  const key = createHash('sha256')
    .update([...identities].sort().join('\n'))
    .digest('hex')
    .slice(0, 16);
  const name = basename(paths[0] ?? 'workspace')
    .replace(/[^\w.-]+/g, '_')
    .slice(0, 60);
  return join(folder, `${name}-${key}.remora`);
}

/** Where the index of a recording is kept while it is captured: the same for every capture into this path. */
export function liveWorkspacePath(folder: string, recording: string): string {
  const key = createHash('sha256').update(recording).digest('hex').slice(0, 16);
  return join(folder, `live-${key}.remora`);
}
