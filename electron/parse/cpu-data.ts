import { RemoraError, type TraceWarning } from '../../shared/errors.ts';
import type { ByteSource } from './byte-source.ts';
import { type Compression, mostUnpacked, unpack } from './decompress.ts';
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

/** Where the chunks of one CPU's compressed data lie. */
interface Directory {
  /** Where chunk i lies in the file, its packed length, and where it starts in the unpacked data; of the last also where it ends. */
  fileOffsets: number[];
  packedBytes: number[];
  starts: number[];
  warnings: readonly TraceWarning[];
}

/** A directory is spread over all of the data, and asked for by everyone who opens it: read once for each source. */
const directories = new WeakMap<ByteSource, Map<string, Directory>>();

function directoryOf(source: ByteSource, data: CpuData): Directory {
  let known = directories.get(source);
  if (known === undefined) {
    known = new Map();
    directories.set(source, known);
  }
  const key = `${data.cpu}:${data.offset}:${data.bytes}`;
  let directory = known.get(key);
  if (directory === undefined) {
    directory = readDirectory(source, data);
    known.set(key, directory);
  }
  return directory;
}

/** `u32 count`, then per chunk `u32 packed, u32 unpacked, packed bytes`. Ends where something is wrong, with a warning. */
function readDirectory(source: ByteSource, data: CpuData): Directory {
  const warnings: TraceWarning[] = [];
  const directory: Directory = { fileOffsets: [], packedBytes: [], starts: [0], warnings };
  const warn = (offset: number, message: string, expected: string, found: string): void => {
    warnings.push({ file: source.name, offset, section: sectionOf(data.cpu), message, expected, found });
  };
  if (data.offset + data.bytes > source.size) {
    const found = Math.max(0, source.size - data.offset);
    const message = `expected ${data.bytes} bytes, found ${found}: the file was cut`;
    warn(source.size, message, `${data.bytes} bytes`, `${found} bytes`);
  }
  // Some versions of trace-cmd leave the count word out of the size that they state.
  const end = Math.min(data.offset + data.bytes + 4, source.size);
  if (data.offset + 4 > end) return directory;
  const { littleEndian } = data;
  const word = new Uint8Array(8);
  const view = new DataView(word.buffer);
  source.read(data.offset, 4, word);
  const count = view.getUint32(0, littleEndian);
  let at = data.offset + 4;
  let start = 0;
  for (let i = 0; i < count; i++) {
    if (at + 8 > end) {
      warn(at, `expected ${count} chunks, found ${i}`, `${count} chunks`, `${i} chunks`);
      break;
    }
    source.read(at, 8, word);
    const packed = view.getUint32(0, littleEndian);
    let unpacked = view.getUint32(4, littleEndian);
    if (at + 8 + packed > end) {
      const left = end - at - 8;
      const message = `chunk ${i} of ${count} claims ${packed} bytes, ${left} are left`;
      warn(at, message, `at most ${left} bytes`, `${packed} bytes`);
      break;
    }
    if (unpacked > mostUnpacked(packed)) {
      const message = `chunk ${i} of ${packed} bytes claims to hold ${unpacked}: left out`;
      warn(at, message, `at most ${mostUnpacked(packed)} bytes`, `${unpacked} bytes`);
      unpacked = 0;
    }
    directory.fileOffsets.push(at + 8);
    directory.packedBytes.push(packed);
    start += unpacked;
    directory.starts.push(start);
    at += 8 + packed;
  }
  return directory;
}

const sectionOf = (cpu: number): string => `cpu ${cpu} data`;

/** Chunked compressed data: trace-cmd.dat.v7(5), "Compression format of the trace data". */
class PackedCpuBytes implements CpuBytes {
  readonly #source: ByteSource;
  readonly #compression: Compression;
  readonly cpu: number;
  readonly size: number;
  readonly warnings: TraceWarning[];
  readonly #fileOffsets: readonly number[];
  readonly #packedBytes: readonly number[];
  readonly #starts: readonly number[];
  #current = -1;
  #unpacked: Uint8Array = new Uint8Array(0);

  constructor(source: ByteSource, data: CpuData, compression: Compression) {
    const { fileOffsets, packedBytes, starts, warnings } = directoryOf(source, data);
    this.#source = source;
    this.#compression = compression;
    this.cpu = data.cpu;
    this.#fileOffsets = fileOffsets;
    this.#packedBytes = packedBytes;
    this.#starts = starts;
    this.size = starts[starts.length - 1] as number;
    this.warnings = [...warnings];
  }

  #chunkAt(position: number): number {
    let low = 0;
    let high = this.#fileOffsets.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#starts[middle] as number) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #unpack(chunk: number): Uint8Array {
    if (chunk === this.#current) return this.#unpacked;
    const offset = this.#fileOffsets[chunk] as number;
    const size = (this.#starts[chunk + 1] as number) - (this.#starts[chunk] as number);
    const packed = this.#source.read(offset, this.#packedBytes[chunk] as number);
    try {
      this.#unpacked = unpack(this.#compression, packed, size);
    } catch (error) {
      if (!(error instanceof RemoraError)) throw error;
      if (!this.warnings.some((warning) => warning.offset === offset)) {
        const expected = `${this.#compression} data of ${size} bytes`;
        const message = `chunk ${chunk}: ${error.message}`;
        const found = error.message;
        this.warnings.push({ file: this.#source.name, offset, section: sectionOf(this.cpu), message, expected, found });
      }
      this.#unpacked = new Uint8Array(0);
    }
    this.#current = chunk;
    return this.#unpacked;
  }

  read(position: number, length: number, into?: Uint8Array): Uint8Array {
    const wanted = Math.max(0, Math.min(length, this.size - position));
    const out = into === undefined ? new Uint8Array(wanted) : into.subarray(0, wanted);
    let done = 0;
    if (wanted === 0) return out;
    for (let chunk = this.#chunkAt(position); done < wanted; chunk++) {
      const start = this.#starts[chunk] as number;
      const from = position + done - start;
      const count = Math.min((this.#starts[chunk + 1] as number) - start - from, wanted - done);
      const piece = this.#unpack(chunk).subarray(from, from + count);
      out.set(piece, done);
      if (piece.length < count) out.fill(0, done + piece.length, done + count);
      done += count;
    }
    return out;
  }
  fileOffset(): number {
    return -1;
  }
}
