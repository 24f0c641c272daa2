import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those above it that are missing; returns the topmost that was made, undefined where all was there. In place of
 * Node's `mkdirSync(…, {recursive: true})`, which tries for ever where a folder above answers "no such file" to every attempt
 * to make one in it, as /proc does. Throws the operating system's reason, with the folder that it refused.
 */
export function makeFolder(path: string): string | undefined {
  const missing: string[] = [];
  let at = resolve(path);
  while (!existsSync(at) && dirname(at) !== at) {
    missing.push(at);
    at = dirname(at);
  }
  // A file is in its place: the system's own complaint.
  if (missing.length === 0 && !statSync(at).isDirectory()) mkdirSync(at);
  for (const folder of missing.toReversed()) {
    try {
      mkdirSync(folder);
    } catch (error) {
      // Somebody else made it in the meantime.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isFolder(folder)) throw error;
    }
  }
  return missing.at(-1);
}

const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();
