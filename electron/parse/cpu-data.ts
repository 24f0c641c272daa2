import type { TraceWarning } from '../../shared/errors.ts';
import type { ByteSource } from './byte-source.ts';
import type { Compression } from './decompress.ts';
import { PackedCpuBytes } from './packed-data.ts';
import type { CpuData } from './recording.ts';

/**
 * Random access to one CPU's ring-buffer data, compressed or not. A position is a byte offset in the unpacked data.
 * Reads are synchronous and positional; nothing of the recording is kept beyond the last unpacked chunk, callers
 * that want a cache keep one.
 */
export interface CpuBytes {
  readonly cpu: number;
  /** Unpacked length in bytes. */
  readonly size: number;
  /** Bytes from `position`, fewer at the end; into `into` where given. The caller owns the result. */
  read(position: number, length: number, into?: Uint8Array): Uint8Array;
  /** Offset in the file of the byte at `position`; -1 where it lies inside a compressed chunk. */
  fileOffset(position: number): number;
  /** Damage met so far: chunks that do not unpack read as zeros, which is an empty sub-buffer. */
  readonly warnings: readonly TraceWarning[];
}

export function openCpuBytes(recording: ByteSource, data: CpuData, compression: Compression): CpuBytes {
  const source = data.part === undefined ? recording : partOf(recording, data.part);
  return data.compressed ? new PackedCpuBytes(source, data, compression) : new PlainCpuBytes(source, data);
}

function partOf(recording: ByteSource, part: string): ByteSource {
  if (recording.part === undefined) throw new RangeError(`${recording.name} has no part ${part}`);
  return recording.part(part);
}

class PlainCpuBytes implements CpuBytes {
  readonly #source: ByteSource;
  readonly #offset: number;
  readonly cpu: number;
  readonly size: number;
  readonly warnings: TraceWarning[] = [];

  constructor(source: ByteSource, data: CpuData) {
    this.#source = source;
    this.#offset = data.offset;
    this.cpu = data.cpu;
    this.size = Math.max(0, Math.min(data.bytes, source.size - data.offset));
    if (this.size < data.bytes) {
      this.warnings.push({
        file: source.name,
        offset: Math.min(data.offset, source.size),
        section: `cpu ${data.cpu} data`,
        message: `expected ${data.bytes} bytes, found ${this.size} up to the end of the file: the file was cut`,
        expected: `${data.bytes} bytes`,
        found: `${this.size} bytes`,
      });
    }
  }
  read(position: number, length: number, into?: Uint8Array): Uint8Array {
    return this.#source.read(this.#offset + position, Math.max(0, Math.min(length, this.size - position)), into);
  }
  fileOffset(position: number): number {
    // Padding stands in for what the file's end cuts off: it has no place behind it.
    return this.#offset + Math.min(position, this.size);
  }
}
