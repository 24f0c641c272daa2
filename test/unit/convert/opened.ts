import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTrace } from '../../../electron/engine/open.ts';
import type { EventSelection } from '../../../electron/export/convert-events.ts';
import type { Trace } from '../../../electron/query/trace.ts';
import { type BuiltRecording, buildTraceDat } from '../../build/trace-dat.ts';

/** Opens a built recording, hands it on with a folder for what is made of it, and leaves nothing behind. */
export async function withOpened<T>(
  recording: BuiltRecording,
  work: (trace: Trace, folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'remora-convert-'));
  try {
    const path = join(folder, 'built.dat');
    writeFileSync(path, buildTraceDat(recording));
    const opened = await openTrace({ paths: [path], cacheFolder: folder, noCache: true });
    try {
      return await work(opened.trace, folder);
    } finally {
      opened.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** All events, or those of a filter. */
export const selected = (filter = ''): EventSelection => ({
  filter,
  window: null,
  signal: new AbortController().signal,
});

/** A sink that keeps everything. */
export class Kept {
  readonly #pieces: Buffer[] = [];
  write(bytes: Uint8Array): void {
    this.#pieces.push(Buffer.from(bytes));
  }
  get text(): string {
    return Buffer.concat(this.#pieces).toString('utf8');
  }
}
