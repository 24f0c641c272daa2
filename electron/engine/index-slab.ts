import type { CpuBytes } from '../parse/cpu-data.ts';
import type { TimeCorrection } from '../parse/recording.ts';
import {
  type EventColumns,
  newColumns,
  type SubBufferLayout,
  SubBufferScanner,
  swapWords,
} from '../parse/sub-buffer.ts';
import { correctTime, isPlainOffset } from '../parse/time-correction.ts';
import type { ChunkEncoder, EncodedChunk } from '../store/chunk-encoder.ts';
import type { KeptEvent, KeptEvents } from './kept-events.ts';

/**
 * Indexing works in slabs: ranges of one CPU's unpacked data, of whole sub-buffers. Slabs know nothing of each other, so
 * that any number of threads can work on them; what depends on the order (event indexes) is added by who collects them.
 */
export interface SlabJob {
  cpu: number;
  layout: SubBufferLayout;
  time: TimeCorrection;
  /** Raw ticks that the scan is relative to, and the stream's origin in trace time. */
  rawOrigin: bigint;
  origin: bigint;
  /** In the CPU's unpacked data. */
  from: number;
  to: number;
}

export interface SlabChunk {
  /** What the chunk's `firstPosition` is relative to, in the CPU's unpacked data. */
  basePosition: number;
  chunk: EncodedChunk;
}

export interface SlabResult {
  chunks: SlabChunk[];
  events: number;
  /** `beforeIndex` counts from the slab's first event. */
  lost: { beforeIndex: number; atNs: number; count: number }[];
  damage: { position: number; message: string }[];
  /** See KeptEvents; null: too many to be kept. */
  kept: KeptEvent[] | null;
}

/** Bytes read and scanned at a time: they are still in the processor's cache when they are scanned. */
const BATCH_BYTES = 1 << 19;

/** Buffers that one thread reuses from slab to slab. */
export class SlabIndexer {
  readonly #encoder: ChunkEncoder;
  readonly #kept: KeptEvents;
  readonly #columns: EventColumns = newColumns();
  #batch: Uint8Array = new Uint8Array(0);

  constructor(encoder: ChunkEncoder, kept: KeptEvents) {
    this.#encoder = encoder;
    this.#kept = kept;
  }

  /** Reads, scans and encodes one slab. The chunks' arrays are fresh. */
  index(bytes: CpuBytes, job: SlabJob): SlabResult {
    const { layout } = job;
    const columns = this.#columns;
    const scanner = new SubBufferScanner(layout, job.rawOrigin);
    const plain = isPlainOffset(job.time, job.cpu);
    const result: SlabResult = { chunks: [], events: 0, lost: [], damage: [], kept: null };
    const step = Math.max(1, Math.floor(BATCH_BYTES / layout.subBufferBytes)) * layout.subBufferBytes;
    if (this.#batch.length < step) this.#batch = new Uint8Array(step);
    let count = 0;
    let base = job.from;
    let lostDone = 0;
    let latest = 0;

    const flush = (): void => {
      if (count > 0) {
        if (!plain) correctColumn(columns.time, count, job);
        this.#kept.finishChunk(columns, result.events);
        const chunk = this.#encoder.encode(columns, count);
        result.chunks.push({ basePosition: base, chunk });
        latest = chunk.toNs;
      }
      for (; lostDone < scanner.lost.length; lostDone++) {
        const lost = scanner.lost[lostDone] as { beforeIndex: number; count: number };
        const at = Math.min(lost.beforeIndex - result.events, count - 1);
        result.lost.push({ ...lost, atNs: at >= 0 ? (columns.time[at] as number) : latest });
      }
      result.events += count;
      count = 0;
    };

    for (let position = job.from; position < job.to; position += step) {
      const got = bytes.read(position, Math.min(step, job.to - position), this.#batch.subarray(0, step)).length;
      // A last sub-buffer that the file cuts is read as far as it goes.
      const whole = Math.ceil(got / layout.subBufferBytes) * layout.subBufferBytes;
      this.#batch.fill(0, got, whole);
      if (!layout.abi.littleEndian) swapWords(this.#batch.subarray(0, whole));
      const words = new Uint32Array(this.#batch.buffer, 0, whole >>> 2);
      for (let byte = 0; ; ) {
        if (count === 0) base = position + byte;
        const scanned = scanner.scan(words, position, byte, columns, count, base);
        this.#kept.take(columns, count, scanned.count, this.#batch, position - base, layout);
        byte = scanned.nextByte;
        count = scanned.count;
        if (byte + layout.subBufferBytes > whole) break;
        flush();
      }
    }
    flush();
    result.damage = scanner.damage;
    result.kept = this.#kept.finishSlab();
    return result;
  }
}

/** Turns raw ticks relative to the raw origin into trace time relative to the stream's, in place. */
function correctColumn(time: Float64Array, count: number, { rawOrigin, origin, time: correction, cpu }: SlabJob): void {
  for (let i = 0; i < count; i++) {
    time[i] = Number(correctTime(rawOrigin + BigInt(time[i] as number), correction, cpu) - origin);
  }
}
