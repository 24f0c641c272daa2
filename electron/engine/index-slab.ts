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
import { KERNEL_BATCH_BYTES, SlabKernel } from './slab-kernel.ts';

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

/** Chunks of a slab that the kernel may give back before it is left alone: trying costs a third of the general code's time. */
const MOST_UNUSUAL = 4;

/**
 * Indexes slab after slab with the same buffers; one in each thread. `kernel` and `kept` share their tables; without a kernel the
 * general code does all of it, with the same result.
 */
export class SlabIndexer {
  readonly #encoder: ChunkEncoder;
  readonly #kept: KeptEvents;
  readonly #kernel: SlabKernel | null;
  readonly #room: Uint8Array;
  readonly #columns: EventColumns = newColumns();

  constructor(encoder: ChunkEncoder, kept: KeptEvents, kernel: SlabKernel | null) {
    this.#encoder = encoder;
    this.#kept = kept;
    this.#kernel = kernel;
    this.#room = kernel?.batch ?? new Uint8Array(KERNEL_BATCH_BYTES);
  }

  /** Reads, scans and encodes one slab. The chunks' arrays are fresh, or were given back to the encoder. */
  index(bytes: CpuBytes, job: SlabJob): SlabResult {
    const result: SlabResult = { chunks: [], events: 0, lost: [], damage: [], kept: null };
    const batches = new Batches(bytes, job, this.#room);
    let kernel = SlabKernel.handles(job.layout) && isPlainOffset(job.time, job.cpu) ? this.#kernel : null;
    kernel?.begin(job.layout, job.rawOrigin);
    let unusual = 0;
    for (let position = job.from; position < job.to; ) {
      const next = kernel === null ? null : this.#usualChunk(kernel, batches, job, position, result);
      if (next === null && ++unusual === MOST_UNUSUAL) kernel = null;
      position = next ?? this.#generalChunk(batches, job, position, result);
    }
    result.kept = this.#kept.finishSlab();
    return result;
  }

  /** One chunk from `base` on, by the kernel. Returns where the next begins; null where it met something unusual. */
  #usualChunk(kernel: SlabKernel, batches: Batches, job: SlabJob, base: number, result: SlabResult): number | null {
    for (let position = base; ; ) {
      const { from, length } = batches.at(position);
      const end = kernel.scan(position - from, length, from - base);
      this.#kept.takePicked(kernel.picked(), kernel.batch, result.events, job.layout);
      if (kernel.unusual) {
        this.#kept.forgetChunk();
        kernel.reset();
        return null;
      }
      position = from + end;
      if (end === length && position < job.to) continue;
      const { eventTotals, pidTotals } = this.#encoder;
      const { chunk, lost } = kernel.take((size) => this.#encoder.bufferOf(size), eventTotals, pidTotals);
      this.#kept.finishChunk();
      add(result, base, chunk, lost);
      return position;
    }
  }

  /** One chunk from `base` on, whatever is there. Returns where the next begins. */
  #generalChunk(batches: Batches, job: SlabJob, base: number, result: SlabResult): number {
    const { layout } = job;
    const columns = this.#columns;
    const scanner = new SubBufferScanner(layout, job.rawOrigin);
    let count = 0;
    let position = base;
    for (let full = false; !full && position < job.to; ) {
      const { bytes, from, length } = batches.at(position);
      const words = new Uint32Array(bytes.buffer, bytes.byteOffset, length >>> 2);
      const scanned = scanner.scan(words, from, position - from, columns, count, base);
      this.#kept.take(columns, count, scanned.count, bytes, from - base, layout);
      count = scanned.count;
      position = from + scanned.nextByte;
      full = scanned.nextByte < length;
    }
    if (count > 0 && !isPlainOffset(job.time, job.cpu)) correctColumn(columns.time, count, job);
    this.#kept.finishChunk(columns, result.events);
    const lost = scanner.lost.map((gap) => {
      const at = Math.min(gap.beforeIndex, count - 1);
      return { ...gap, atNs: at >= 0 ? (columns.time[at] as number) : null };
    });
    add(result, base, count > 0 ? this.#encoder.encode(columns, count) : null, lost);
    result.damage.push(...scanner.damage);
    return position;
  }
}

/** Adds a chunk; `lost` counts from its first event, and where there is no event that has a time, the last chunk's end serves. */
function add(
  result: SlabResult,
  basePosition: number,
  chunk: EncodedChunk | null,
  lost: readonly { beforeIndex: number; atNs: number | null; count: number }[],
): void {
  if (chunk !== null) result.chunks.push({ basePosition, chunk });
  const latest = result.chunks.at(-1)?.chunk.toNs ?? 0;
  for (const { beforeIndex, atNs, count } of lost)
    result.lost.push({ beforeIndex: result.events + beforeIndex, atNs: atNs ?? latest, count });
  result.events += chunk?.count ?? 0;
}

/** A slab's data by batches, wherever chunks end: none is read twice in a row. In this machine's byte order, word by word. */
class Batches {
  readonly #source: CpuBytes;
  readonly #job: SlabJob;
  readonly #step: number;
  readonly bytes: Uint8Array;
  from = -1;
  /** Of whole sub-buffers: what the data lacks of the last ones is zero. */
  length = 0;

  constructor(source: CpuBytes, job: SlabJob, room: Uint8Array) {
    const { subBufferBytes } = job.layout;
    this.#source = source;
    this.#job = job;
    this.#step = Math.max(1, Math.floor(room.length / subBufferBytes)) * subBufferBytes;
    this.bytes = this.#step > room.length ? new Uint8Array(this.#step) : room;
  }

  /** The batch that `position` lies in. The same object every time. */
  at(position: number): this {
    const { from, to, layout } = this.#job;
    const begin = from + Math.floor((position - from) / this.#step) * this.#step;
    if (begin === this.from) return this;
    const wanted = Math.min(this.#step, to - begin);
    const got = this.#source.read(begin, wanted, this.bytes.subarray(0, this.#step)).length;
    this.from = begin;
    this.length = Math.ceil(wanted / layout.subBufferBytes) * layout.subBufferBytes;
    this.bytes.fill(0, got, this.length);
    if (!layout.abi.littleEndian) swapWords(this.bytes.subarray(0, this.length));
    return this;
  }
}

/** Turns raw ticks relative to the raw origin into trace time relative to the stream's, in place. */
function correctColumn(time: Float64Array, count: number, { rawOrigin, origin, time: correction, cpu }: SlabJob): void {
  for (let i = 0; i < count; i++) {
    time[i] = Number(correctTime(rawOrigin + BigInt(time[i] as number), correction, cpu) - origin);
  }
}
