import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { defaultCacheFolder } from './cache-folder.ts';
import { makeFolder } from './store/folders.ts';

/**
 * Where V8's code is kept from start to start: beside the bundles that it is of, where they may be written to, so that it outlives
 * a cache that is emptied; else in the user's cache folder. Null where there is no place. Made here: Node would try for ever under /proc.
 */
export function codeCacheFolder(): string | null {
  for (const folder of [join(import.meta.dirname, '../dist/code'), join(defaultCacheFolder(), 'code')]) {
    try {
      makeFolder(folder);
      accessSync(folder, constants.W_OK);
      return folder;
    } catch {
      // The next one.
    }
  }
  return null;
}
