import { type FileSource, openFile } from './file-source.ts';
import { openRawFolder, rawFolderAt } from './raw-folder.ts';

/** A recording's bytes, by the name that its source has: a file, or a folder of raw buffers. For threads that read along. */
export function openSource(path: string): FileSource {
  const raw = rawFolderAt(path);
  return raw === null ? openFile(path) : openRawFolder(raw);
}
