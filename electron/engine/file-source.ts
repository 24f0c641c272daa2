import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { RemoraError } from '../../shared/errors.ts';
import type { ByteSource } from '../parse/byte-source.ts';

/** What the operating system's refusals mean for somebody who wanted to open a recording. */
const reasons: Record<string, string> = {
  ENOENT: 'there is no such file: check the path',
  EACCES: 'permission denied: recordings made as root are often readable by root only; copy it or change its mode',
  EPERM: 'not permitted',
  EISDIR: 'this is a folder: name the recording inside it',
  EMFILE: 'too many open files',
  EIO: 'the disk cannot read it',
};

export function fileError(path: string, error: unknown): RemoraError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const reason = reasons[code] ?? (error instanceof Error ? error.message : String(error));
  return new RemoraError({ code: 'file', message: `${path}: ${reason}`, file: path }, { cause: error });
}

/** A recording on disk, opened read-only and read by position. Close it when done. */
export interface FileSource extends ByteSource {
  /** Modification time in ms, part of the recording's identity. */
  readonly modifiedMs: number;
  close(): void;
}

/** Reads are looked after at most this often. */
const CHECK_MS = 50;
/** Places in the file, and bytes before each, by which one recording is told from another. */
const SAMPLES = 16;
const SAMPLE_BYTES = 512;

/** Throws RemoraError `file` for everything that is no readable regular file, and `not-a-trace` for an empty one. */
export function openFile(path: string): FileSource {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    throw fileError(path, error);
  }
  const stat = fstatSync(fd);
  if (!stat.isFile() || stat.size === 0) {
    closeSync(fd);
    if (stat.isDirectory()) throw fileError(path, { code: 'EISDIR' });
    const message = stat.isFile()
      ? `${path}: the file is empty (0 bytes): record again`
      : `${path}: not a regular file`;
    throw new RemoraError({ code: stat.isFile() ? 'not-a-trace' : 'file', message, file: path, offset: 0 });
  }
  const { size } = stat;
  let open = true;
  const sampled = sampleOf(fd, size);
  let modifiedMs = stat.mtimeMs;
  let checkedMs = performance.now();
  const cutAt = (end: number): RemoraError => {
    const message = `${path}: the recording was cut while it was open: it had ${size} bytes, now it ends at ${end}; open it again`;
    return new RemoraError({ code: 'file', message, file: path, offset: end });
  };
  /** What was read belongs to what was opened: not to another recording that was written over it. One that grows is the same. */
  const check = (): void => {
    if (performance.now() - checkedMs < CHECK_MS) return;
    const now = fstatSync(fd);
    if (now.size < size) throw cutAt(now.size);
    if (now.mtimeMs !== modifiedMs && !sampleOf(fd, size).equals(sampled)) {
      const message = `${path}: the recording was changed while it was open, so that its index is not of what is in it now; open it again`;
      throw new RemoraError({ code: 'file', message, file: path });
    }
    modifiedMs = now.mtimeMs;
    checkedMs = performance.now();
  };
  return {
    name: path,
    size,
    modifiedMs: stat.mtimeMs,
    read(offset, length, into) {
      const wanted = Math.max(0, Math.min(length, size - offset));
      const out = into === undefined ? new Uint8Array(wanted) : into.subarray(0, wanted);
      let done = 0;
      while (done < wanted) {
        let got: number;
        try {
          got = readSync(fd, out, done, wanted - done, offset + done);
        } catch (error) {
          throw fileError(path, error);
        }
        if (got === 0) throw cutAt(offset + done);
        done += got;
      }
      check();
      return out;
    },
    close() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

/** Some bytes from all over the file's first `size`: the data of two recordings differ in them, where their heads may not. */
function sampleOf(fd: number, size: number): Buffer {
  const bytes = Buffer.alloc(SAMPLES * SAMPLE_BYTES);
  for (let k = 0; k < SAMPLES; k++) {
    const end = Math.floor((size * (k + 1)) / SAMPLES);
    const start = Math.max(0, end - SAMPLE_BYTES);
    readSync(fd, bytes, k * SAMPLE_BYTES, end - start, start);
  }
  return bytes;
}
