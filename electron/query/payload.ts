import { payloadOf } from '../parse/sub-buffer.ts';
import type { Chunk } from '../store/chunk-codec.ts';
import type { ChunkInfo } from '../store/workspace-store.ts';
import type { TraceCpu, TraceStream } from './trace.ts';

/** Where a record's payload is, for the readers of parse/field-access.ts. The view is shared: copy to keep. */
export interface Payload {
  view: DataView;
  at: number;
  length: number;
  /** Bytes between the record's first word and its payload: 4, or 8 for long records. */
  headerBytes: number;
}

/**
 * Payload bytes of one CPU, block by block: the last block read is kept, so that records in order cost one read per
 * block. Payloads never leave the recording for the store.
 */
export class PayloadReader {
  readonly #cpu: TraceCpu;
  readonly #littleEndian: boolean;
  readonly #blockBytes: number;
  readonly #subBufferBytes: number;
  #block: Uint8Array;
  #view: DataView;
  #start = -1;
  #end = -1;

  /** `blockBytes`: read at a time; small for single events, large for scans of whole columns. */
  constructor(stream: TraceStream, cpu: TraceCpu, blockBytes: number) {
    this.#cpu = cpu;
    this.#littleEndian = stream.layout.abi.littleEndian;
    this.#subBufferBytes = stream.layout.subBufferBytes;
    this.#blockBytes = Math.max(1, Math.ceil(blockBytes / this.#subBufferBytes)) * this.#subBufferBytes;
    this.#block = new Uint8Array(this.#blockBytes);
    this.#view = new DataView(this.#block.buffer);
  }

  /** Payload of the record at `position` in the unpacked CPU data. Valid until the next call. */
  read(position: number): Payload {
    if (position < this.#start || position >= this.#end) this.#load(position);
    const first = position - this.#start;
    const { at, length } = payloadOf(this.#view, first, this.#littleEndian);
    return {
      view: this.#view,
      at,
      length: Math.max(0, Math.min(length, this.#end - this.#start - at)),
      headerBytes: at - first,
    };
  }

  #load(position: number): void {
    // A record never crosses its sub-buffer, so blocks of whole sub-buffers hold whole records.
    this.#start = Math.floor(position / this.#subBufferBytes) * this.#subBufferBytes;
    const got = this.#cpu.bytes.read(this.#start, this.#blockBytes, this.#block).length;
    this.#block.fill(0, got);
    this.#end = this.#start + this.#blockBytes;
  }
}

/** Position of event `i` of a chunk in the CPU's unpacked data. */
export const positionOf = (info: ChunkInfo, chunk: Chunk, i: number): number =>
  info.basePosition + (chunk.position[i] as number);
