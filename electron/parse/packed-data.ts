import { RemoraError, type TraceWarning } from '../../shared/errors.ts';
import type { ByteSource } from './byte-source.ts';
import type { CpuBytes } from './cpu-data.ts';
import { type Compression, mostUnpacked, unpack, unpackInto } from './decompress.ts';
import type { CpuData } from './recording.ts';

/** Where the chunks of one CPU's compressed data lie. */
interface Directory {
  /** Where chunk i lies in the file, its packed length, and where it starts in the unpacked data; of the last also where it ends. */
  fileOffsets: number[];
  packedBytes: number[];
  starts: number[];
  warnings: readonly TraceWarning[];
}

/** What those who read the same source have in common. */
class PackedSource {
  static readonly #known = new WeakMap<ByteSource, PackedSource>();
  readonly #directories = new Map<string, Directory>();
  readonly ahead: ReadAhead;

  static of(source: ByteSource): PackedSource {
    const known = PackedSource.#known.get(source) ?? new PackedSource(source);
    PackedSource.#known.set(source, known);
    return known;
  }
  private constructor(source: ByteSource) {
    this.ahead = new ReadAhead(source);
  }

  /** A directory is spread over all of the data, and asked for by everyone who opens it: read once. */
  directory(source: ByteSource, data: CpuData): Directory {
    const key = `${data.cpu}:${data.offset}:${data.bytes}`;
    let directory = this.#directories.get(key);
    if (directory === undefined) {
      directory = readDirectory(source, data, this.ahead);
      this.#directories.set(key, directory);
    }
    return directory;
  }
}

const NOTHING = new Uint8Array(0);
const AHEAD_BYTES = 256 * 1024;
/** A read this near behind the one before it goes on: what lies between costs less than another call. */
const NEAR_BYTES = 32 * 1024;

/** Small reads of a source that mostly go on where the last one was. */
class ReadAhead {
  readonly #source: ByteSource;
  #room = NOTHING;
  /** Where `#bytes` are from. */
  #from = 0;
  #bytes: Uint8Array = NOTHING;
  /** Where the last read ended. */
  #end = -1;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Bytes `[offset, offset + length)`, fewer at the source's end. Valid until the next read. */
  read(offset: number, length: number): Uint8Array {
    if (offset < this.#from || offset + length > this.#from + this.#bytes.length) {
      const goesOn = offset >= this.#end && offset <= this.#end + NEAR_BYTES;
      const wanted = goesOn ? Math.max(length, AHEAD_BYTES) : length;
      if (this.#room.length < wanted) this.#room = new Uint8Array(wanted);
      this.#bytes = NOTHING;
      this.#bytes = this.#source.read(offset, wanted, this.#room);
      this.#from = offset;
    }
    this.#end = offset + length;
    return this.#bytes.subarray(offset - this.#from, offset - this.#from + length);
  }
}

/** `u32 count`, then per chunk `u32 packed, u32 unpacked, packed bytes`. Ends where something is wrong, with a warning. */
function readDirectory(source: ByteSource, data: CpuData, ahead: ReadAhead): Directory {
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
  const wordAt = (offset: number): number => word(ahead.read(offset, 4), data.littleEndian);
  const count = wordAt(data.offset);
  let at = data.offset + 4;
  let start = 0;
  for (let i = 0; i < count; i++) {
    if (at + 8 > end) {
      warn(at, `expected ${count} chunks, found ${i}`, `${count} chunks`, `${i} chunks`);
      break;
    }
    const packed = wordAt(at);
    let unpacked = wordAt(at + 4);
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

function word(bytes: Uint8Array, littleEndian: boolean): number {
  const [a, b, c, d] = bytes as unknown as [number, number, number, number];
  return (littleEndian ? a | (b << 8) | (c << 16) | (d << 24) : d | (c << 8) | (b << 16) | (a << 24)) >>> 0;
}

const sectionOf = (cpu: number): string => `cpu ${cpu} data`;

/** Of larger chunks memory is not set aside before they have proved to be what they claim. */
const USUAL_CHUNK_BYTES = 1 << 20;

/** Chunked compressed data: trace-cmd.dat.v7(5), "Compression format of the trace data". */
export class PackedCpuBytes implements CpuBytes {
  readonly #source: ByteSource;
  readonly #data: CpuData;
  readonly #compression: Compression;
  readonly #shared: PackedSource;
  readonly cpu: number;
  /** Null: not needed yet. */
  #read: { directory: Directory; warnings: TraceWarning[] } | null = null;
  /** What was read last of a chunk that was not wanted as a whole; -1: nothing. */
  #current = -1;
  #unpacked: Uint8Array = NOTHING;
  #room = NOTHING;

  constructor(source: ByteSource, data: CpuData, compression: Compression) {
    this.#source = source;
    this.#data = data;
    this.#compression = compression;
    this.#shared = PackedSource.of(source);
    this.cpu = data.cpu;
  }

  /** A recording that is opened again is not asked for data at once, and often not at all. */
  get #known(): { directory: Directory; warnings: TraceWarning[] } {
    if (this.#read === null) {
      const directory = this.#shared.directory(this.#source, this.#data);
      this.#read = { directory, warnings: [...directory.warnings] };
    }
    return this.#read;
  }
  get #starts(): readonly number[] {
    return this.#known.directory.starts;
  }
  get size(): number {
    return this.#starts[this.#starts.length - 1] as number;
  }
  get warnings(): TraceWarning[] {
    return this.#known.warnings;
  }

  #chunkAt(position: number): number {
    const { starts } = this.#known.directory;
    let low = 0;
    let high = starts.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((starts[middle] as number) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #sizeOf(chunk: number): number {
    return (this.#starts[chunk + 1] as number) - (this.#starts[chunk] as number);
  }

  /** A chunk that is wanted in part: the next read goes on in it. */
  #pieceOf(chunk: number): Uint8Array {
    if (chunk === this.#current) return this.#unpacked;
    this.#current = -1;
    const size = this.#sizeOf(chunk);
    if (size > USUAL_CHUNK_BYTES) {
      const whole = this.#try(chunk, size, (packed) => unpack(this.#compression, packed, size).slice());
      this.#unpacked = whole ?? NOTHING;
    } else {
      if (this.#room.length < size) this.#room = new Uint8Array(size);
      this.#unpacked = this.#room.subarray(0, size);
      this.#unpackInto(chunk, this.#unpacked);
    }
    this.#current = chunk;
    return this.#unpacked;
  }

  /** Zeros where it does not unpack. */
  #unpackInto(chunk: number, into: Uint8Array): void {
    const done = this.#try(chunk, into.length, (packed) => {
      unpackInto(this.#compression, packed, into);
      return true;
    });
    if (done === null) into.fill(0);
  }

  /** Null, and a warning, where the chunk is damaged. */
  #try<T>(chunk: number, size: number, unpacking: (packed: Uint8Array) => T): T | null {
    const { fileOffsets, packedBytes } = this.#known.directory;
    const offset = fileOffsets[chunk] as number;
    const packed = this.#shared.ahead.read(offset, packedBytes[chunk] as number);
    try {
      return unpacking(packed);
    } catch (error) {
      if (!(error instanceof RemoraError)) throw error;
      if (!this.warnings.some((warning) => warning.offset === offset)) {
        const expected = `${this.#compression} data of ${size} bytes`;
        const message = `chunk ${chunk}: ${error.message}`;
        const found = error.message;
        this.warnings.push({ file: this.#source.name, offset, section: sectionOf(this.cpu), message, expected, found });
      }
      return null;
    }
  }

  read(position: number, length: number, into?: Uint8Array): Uint8Array {
    const wanted = Math.max(0, Math.min(length, this.size - position));
    const out = into === undefined ? new Uint8Array(wanted) : into.subarray(0, wanted);
    let done = 0;
    if (wanted === 0) return out;
    for (let chunk = this.#chunkAt(position); done < wanted; chunk++) {
      const start = this.#starts[chunk] as number;
      const from = position + done - start;
      const size = this.#sizeOf(chunk);
      const count = Math.min(size - from, wanted - done);
      const target = out.subarray(done, done + count);
      if (count === size && size > 0 && chunk !== this.#current) this.#unpackInto(chunk, target);
      else {
        const piece = this.#pieceOf(chunk).subarray(from, from + count);
        target.set(piece);
        target.fill(0, piece.length);
      }
      done += count;
    }
    return out;
  }
  fileOffset(): number {
    return -1;
  }
}
