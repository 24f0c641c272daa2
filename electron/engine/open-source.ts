import { statSync } from 'node:fs';
import { type FileSource, fileError, openFile } from './file-source.ts';
import { findRawFolder, openRawFolder } from './raw-folder.ts';

/** A recording's bytes: a file, or a folder of raw buffers. Throws RemoraError `file` or, for what is empty, `not-a-trace`. */
export function openSource(path: string): FileSource {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return openFile(path);
  const folder = findRawFolder(path);
  if (folder === null) throw fileError(path, { code: 'EISDIR' });
  return openRawFolder(folder);
}
