import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

/**
 * The corpus: real recordings with trace-cmd's own output beside them, in `shared/corpus` next to the checkout.
 * It is too large for the repository; tests that need it are skipped by name where it is absent.
 */
const folder = process.env.REMORA_CORPUS ?? resolve(import.meta.dirname, '../../shared/corpus');

/** Path of a corpus file, or null where the corpus is absent. */
export function corpusFile(name: string): string | null {
  const path = resolve(folder, name);
  return existsSync(path) ? path : null;
}

/** Text of a (gzipped) corpus file as latin1, so that every byte survives; null where it is absent. */
export function corpusText(name: string): string | null {
  const path = corpusFile(name);
  if (path === null) return null;
  const bytes = readFileSync(path);
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
}
