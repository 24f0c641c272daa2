import type { RecordAccess } from '../parse/record-access.ts';
import type { Chunk } from '../store/chunk-codec.ts';
import type { ChunkInfo } from '../store/workspace-store.ts';
import type { TraceCpu, TraceStream } from './trace.ts';

/** Reading this much costs about as much as reading once more. */
const GAP_BYTES = 16_384;
/** Most lines of a text are shorter; longer ones are read again. */
const LINE_BYTES = 1024;

/** Where a record's payload is, for the readers of parse/field-access.ts. The view is shared: copy to keep. */
export interface Payload {
  view: DataView;
  at: number;
  length: number;
  /** Bytes between the record's first word and its payload: 4, or 8 for long records. */
  headerBytes: number;
}

/** A payload that was kept by itself, as the readers of parse/field-access.ts want it. Borrowed. */
export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Payload bytes of one CPU, block by block: the last block read is kept, so that records in order cost one read per
 * block. Payloads never leave the recording for the store.
 *
 * Who knows which records come next may say so (`expect`): then a block ends where a larger gap begins, and what lies in
 * gaps is not read.
 */
export class PayloadReader {
  readonly #cpu: TraceCpu;
  readonly #access: RecordAccess;
  readonly #blockBytes: number;
  #block: Uint8Array;
  #view: DataView;
  #start = -1;
  #end = -1;
  #expected: ArrayLike<number> = [];
  /** Adds to what is expected; and the first of it that may still be asked for. */
  #expectedBase = 0;
  #next = 0;

  /** `blockBytes`: read at a time; small for single events, large for scans of whole columns. */
  constructor(stream: TraceStream, cpu: TraceCpu, blockBytes: number) {
    this.#cpu = cpu;
    this.#access = stream.access;
    this.#blockBytes = this.#inUnits(blockBytes);
    this.#block = new Uint8Array(this.#blockBytes);
    this.#view = new DataView(this.#block.buffer);
  }

  /** What will be read next, as far as anything is: ascending, relative to `base`. Borrowed until all is read, or the next call. */
  expect(positions: ArrayLike<number>, base: number): void {
    this.#expected = positions;
    this.#expectedBase = base;
    this.#next = 0;
  }

  /** Payload of the record at `position` in the unpacked CPU data. Valid until the next call. */
  read(position: number): Payload {
    if (position < this.#start || position >= this.#end) this.#load(position, this.#expectedBytes(position));
    for (let bytes = this.#blockBytes; ; bytes *= 2) {
      const first = position - this.#start;
      const place = this.#access.payload(this.#view, first, this.#end - this.#start, this.#end >= this.#cpu.bytes.size);
      if (place !== null)
        return { view: this.#view, at: place.at, length: place.length, headerBytes: place.at - first };
      this.#load(position, bytes);
    }
  }

  #load(position: number, bytes: number): void {
    if (this.#block.length < bytes) {
      this.#block = new Uint8Array(this.#inUnits(bytes));
      this.#view = new DataView(this.#block.buffer);
    }
    const unit = this.#access.blockUnit;
    this.#start = Math.floor(position / unit) * unit;
    const wanted = this.#inUnits(bytes);
    const got = this.#cpu.bytes.read(this.#start, wanted, this.#block).length;
    this.#block.fill(0, got, wanted);
    // A last sub-buffer that the file cuts is read as if it were whole.
    this.#end = this.#start + Math.ceil(got / unit) * unit;
  }

  /** How much to read from the unit of a record on. */
  #expectedBytes(position: number): number {
    const expected = this.#expected;
    const from = position - this.#expectedBase;
    let next = this.#next;
    while (next < expected.length && (expected[next] as number) < from) next++;
    this.#next = next;
    // Not one of those that were expected.
    if (expected[next] !== from) return this.#blockBytes;
    const unit = this.#access.blockUnit;
    const start = Math.floor(position / unit) * unit;
    // A sub-buffer holds its records whole; how long a line is, nobody knows.
    const tail = unit > 1 ? 1 : LINE_BYTES;
    let bytes = this.#inUnits(tail);
    for (; next < expected.length; next++) {
      const at = (expected[next] as number) + this.#expectedBase - start;
      if (at > bytes + GAP_BYTES) return Math.min(bytes, this.#blockBytes);
      if (at >= this.#blockBytes) break;
      bytes = this.#inUnits(at + tail);
    }
    return Math.min(bytes, this.#blockBytes);
  }

  #inUnits(bytes: number): number {
    return Math.max(1, Math.ceil(bytes / this.#access.blockUnit)) * this.#access.blockUnit;
  }
}

/** Position of event `i` of a chunk in the CPU's unpacked data. */
export const positionOf = (info: ChunkInfo, chunk: Chunk, i: number): number =>
  info.basePosition + (chunk.position[i] as number);
