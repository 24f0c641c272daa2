import { closeSync, openSync, readSync } from 'node:fs';
import type { ByteSource } from '../parse/byte-source.ts';
import type { CpuBytes } from '../parse/cpu-data.ts';
import { fileError } from './file-source.ts';

/** A recording while it is written: read however long it has become. What is not there yet reads as fewer bytes. */
export interface GrowingFile extends ByteSource {
  close(): void;
}

export function openGrowingFile(path: string): GrowingFile {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    throw fileError(path, error);
  }
  let open = true;
  return {
    name: path,
    size: Number.MAX_SAFE_INTEGER,
    read(offset, length, into) {
      const bytes = into === undefined ? new Uint8Array(length) : into.subarray(0, length);
      let done = 0;
      while (done < length) {
        const got = readSync(fd, bytes, done, length - done, offset + done);
        if (got === 0) break;
        done += got;
      }
      return bytes.subarray(0, done);
    },
    close() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

/** One CPU's data in it; `offset` and `size` move as it grows. */
export class GrowingCpuBytes implements CpuBytes {
  readonly cpu: number;
  readonly warnings = [];
  readonly #file: ByteSource;
  offset = 0;
  size = 0;

  constructor(file: ByteSource, cpu: number) {
    this.#file = file;
    this.cpu = cpu;
  }

  read(position: number, length: number, into?: Uint8Array): Uint8Array {
    return this.#file.read(this.offset + position, Math.max(0, Math.min(length, this.size - position)), into);
  }

  fileOffset(position: number): number {
    return this.offset + position;
  }
}
