import type { ByteSource } from '../parse/byte-source.ts';
import { subBufferLayout } from '../parse/layout.ts';
import type { RecordingBuffer, RecordingHead } from '../parse/recording.ts';
import {
  CHUNK_EVENTS,
  type EventColumns,
  newColumns,
  type SubBufferLayout,
  SubBufferScanner,
  swapWords,
} from '../parse/sub-buffer.ts';
import { type Chunk, decodeEventCounts, isOrdered } from '../store/chunk-codec.ts';
import { ChunkEncoder } from '../store/chunk-encoder.ts';
import type { ImportWriter } from '../store/import-writer.ts';
import type { ChunkInfo, StoredLost } from '../store/workspace-store.ts';

/** Where a CPU's data is in the recording by now: what a live capture reports. */
export interface GrownCpu {
  cpu: number;
  offset: number;
  bytes: number;
}

/** What is indexed of one CPU by now. The arrays change with the next `advance`. */
export interface GrowingCpu {
  cpu: number;
  /** Where its data begins in the recording, what was given up included, and how much of it has been scanned. */
  dataOffset: number;
  dataBytes: number;
  /** Events at the beginning that were given up. Those that are there go on from this index. */
  dropped: number;
  /** Chunks that are in the store, in the buffer's order. */
  chunks: readonly ChunkInfo[];
  lost: readonly StoredLost[];
  /** Columns of the last chunks, that were closed since `cpus` was called before; positions are from the chunk's own base. */
  closed: { info: ChunkInfo; columns: EventColumns }[];
  /** The events behind them, which do not fill a chunk yet. */
  open: OpenChunk;
}

/** Events that are not in the store: the first `count` of the columns, which stay as they are. Positions are from `basePosition`. */
export interface OpenChunk {
  firstIndex: number;
  count: number;
  columns: EventColumns;
  basePosition: number;
}

/** Of a recording whose oldest data is given up: chunks are small against what is kept, as they go as a whole. */
export interface GiveUp {
  mostBytes: number;
  /** In units of the clock. */
  mostTime: number;
  /** A chunk that is in the store, to be taken out of the totals. */
  chunkOf(info: ChunkInfo): Chunk;
}

interface CpuIndex {
  cpu: number;
  scanner: SubBufferScanner;
  /** In the CPU's data: scanned up to here. */
  position: number;
  columns: EventColumns;
  count: number;
  basePosition: number;
  /** Events in chunks that were written. */
  written: number;
  lostDone: number;
  damageDone: number;
  /** Where the CPU's data began in the recording; -1 before there was any. */
  dataOffset: number;
  /** Events that were given up. */
  dropped: number;
  chunks: ChunkInfo[];
  lost: StoredLost[];
  /** Somebody looks at the columns: they are not used again for the next chunk. */
  lent: boolean;
  closed: GrowingCpu['closed'];
}

/** Bytes read and scanned at a time: what was read is still in the processor's cache when it is scanned. */
const BATCH_BYTES = 1 << 19;

/**
 * Indexes a recording while it is written: every `advance` reads what has been added and writes the chunks that are full, so that
 * memory stays that of one chunk a CPU, and in the end the workspace holds what an import of the finished recording would have
 * made. Positions are those in a CPU's own data: they hold when the recording is completed and its data moves in the file.
 * One stream, on a clock that needs no correction. Where the oldest data is given up while it grows (`GiveUp`), chunks are given up
 * with their first event, and the index is of no use for the finished recording, whose positions count from elsewhere.
 */
export class GrowingIndex {
  readonly #source: ByteSource;
  readonly #buffer: RecordingBuffer;
  readonly #layout: SubBufferLayout;
  readonly #writer: ImportWriter;
  readonly #encoder = new ChunkEncoder();
  readonly #counts = new CountsOfChunks();
  readonly #cpus = new Map<number, CpuIndex>();
  readonly #batch: Uint8Array;
  #stream = -1;
  #origin: bigint | null = null;
  #sawData = false;
  #fromNs = Number.POSITIVE_INFINITY;
  #toNs = Number.NEGATIVE_INFINITY;
  readonly #giveUp: GiveUp | null;

  /** `head`: of the recording when it was begun. `source` reads beyond the size that it had then. */
  constructor(source: ByteSource, head: RecordingHead, writer: ImportWriter, giveUp: GiveUp | null = null) {
    this.#source = source;
    this.#giveUp = giveUp;
    this.#buffer = head.buffers[0] as RecordingBuffer;
    this.#layout = subBufferLayout(head, this.#buffer);
    this.#writer = writer;
    const { subBufferBytes } = this.#layout;
    this.#batch = new Uint8Array(Math.floor(BATCH_BYTES / subBufferBytes) * subBufferBytes);
  }

  /** Absolute time of the first event; null until some time after there was one. */
  get origin(): bigint | null {
    return this.#origin;
  }

  get events(): number {
    let events = 0;
    for (const cpu of this.#cpus.values()) events += cpu.written + cpu.count;
    return events;
  }

  /** The stream's id in the store; -1 before there is an event. */
  get stream(): number {
    return this.#stream;
  }

  /** Events in the store by kernel id. */
  get eventTotals(): ReadonlyMap<number, number> {
    return this.#encoder.eventTotals;
  }

  /** Events in the store by pid. */
  get pidTotals(): ReadonlyMap<number, number> {
    return this.#encoder.pidTotals;
  }

  cpus(): GrowingCpu[] {
    return [...this.#cpus.values()].map((index) => {
      index.lent = true;
      const { cpu, dataOffset, position, chunks, lost, closed, written, count, columns, basePosition } = index;
      index.closed = [];
      const open = { firstIndex: written, count, columns, basePosition };
      const { dropped } = index;
      return { cpu, dataOffset, dataBytes: position, dropped, chunks, lost, closed, open };
    });
  }

  /**
   * Takes in what has been added since the last time. The origin is that of the earliest event; as CPUs are read one after the other,
   * it is settled when all were read once more since the first event was seen: when `settled` says so, else one call later.
   */
  advance(grown: readonly GrownCpu[], settled = false): void {
    const withData = grown.filter(({ bytes }) => bytes > 0);
    if (this.#origin === null) {
      if (withData.length === 0) return;
      if (this.#sawData || settled) this.#begin(withData);
      this.#sawData = true;
      if (this.#origin === null) return;
    }
    for (const cpu of withData) this.#scan(this.#cpuOf(cpu.cpu), cpu);
    if (this.#giveUp === null) return;
    for (const { cpu, bytes } of grown) {
      const index = this.#cpus.get(cpu);
      // A CPU that sleeps has nothing left.
      if (bytes === 0 && index !== undefined) this.#drop(index, index.position);
    }
  }

  #begin(grown: readonly GrownCpu[]): void {
    const firsts = grown.map((cpu) => this.#firstTime(cpu)).filter((time) => time !== null);
    const [first, ...others] = firsts;
    if (first === undefined) return;
    this.#origin = others.reduce((least, time) => (time < least ? time : least), first);
    const { name, clock } = this.#buffer;
    this.#stream = this.#writer.addStream({ buffer: 0, name, clock, origin: String(this.#origin) });
  }

  /** Time of a CPU's first event; null where its sub-buffers hold none. */
  #firstTime({ offset, bytes }: GrownCpu): bigint | null {
    const { subBufferBytes, abi } = this.#layout;
    const columns = newColumns(Math.ceil(subBufferBytes / 8));
    for (let position = 0; position + subBufferBytes <= bytes; position += subBufferBytes) {
      const page = this.#source.read(offset + position, subBufferBytes).slice();
      const start = new DataView(page.buffer).getBigUint64(0, abi.littleEndian);
      if (!abi.littleEndian) swapWords(page);
      const { count } = new SubBufferScanner(this.#layout, start).scan(
        new Uint32Array(page.buffer),
        0,
        0,
        columns,
        0,
        0,
      );
      if (count > 0) return start + BigInt(columns.time[0] as number);
    }
    return null;
  }

  #cpuOf(cpu: number): CpuIndex {
    const known = this.#cpus.get(cpu);
    if (known !== undefined) return known;
    const made: CpuIndex = {
      cpu,
      scanner: new SubBufferScanner(this.#layout, this.#origin as bigint),
      position: 0,
      columns: newColumns(CHUNK_EVENTS),
      count: 0,
      basePosition: 0,
      written: 0,
      lostDone: 0,
      damageDone: 0,
      dataOffset: -1,
      dropped: 0,
      chunks: [],
      lost: [],
      lent: false,
      closed: [],
    };
    this.#cpus.set(cpu, made);
    return made;
  }

  #scan(index: CpuIndex, { offset, bytes }: GrownCpu): void {
    const { subBufferBytes, abi } = this.#layout;
    // Data that is complete may have been moved; while it grows it stays where it is, and less and less of it may be there.
    if (index.dataOffset < 0 || this.#giveUp === null) index.dataOffset = offset;
    const start = offset - index.dataOffset;
    if (start > 0) this.#drop(index, start);
    const end = start + bytes - (bytes % subBufferBytes);
    while (index.position < end) {
      const length = Math.min(this.#batch.length, end - index.position);
      const got = this.#source.read(index.dataOffset + index.position, length, this.#batch).length;
      const whole = got - (got % subBufferBytes);
      if (whole === 0) return;
      if (!abi.littleEndian) swapWords(this.#batch.subarray(0, whole));
      const words = new Uint32Array(this.#batch.buffer, 0, whole >>> 2);
      for (let byte = 0; ; ) {
        if (index.count === 0) index.basePosition = index.position + byte;
        const { scanner, columns, basePosition } = index;
        const scanned = scanner.scan(words, index.position, byte, columns, index.count, basePosition);
        byte = scanned.nextByte;
        index.count = scanned.count;
        if (byte + subBufferBytes > whole) break;
        this.#flush(index);
      }
      index.position += whole;
      if (this.#giveUp !== null && isLong(index, this.#giveUp)) this.#flush(index);
    }
    this.#tellLost(index);
  }

  /** The CPU's data begins at `start` by now. */
  #drop(index: CpuIndex, start: number): void {
    const gone = index.chunks.findIndex(({ basePosition }) => basePosition >= start);
    for (const info of index.chunks.splice(0, gone < 0 ? index.chunks.length : gone)) {
      const chunk = this.#giveUp?.chunkOf(info);
      if (chunk !== undefined) this.#encoder.discount(info.events, chunk.pid);
      this.#writer.dropChunk(info.id);
      index.dropped = info.firstIndex + info.count;
    }
    if (index.chunks.length === 0 && index.count > 0 && index.basePosition < start) {
      index.written += index.count;
      index.count = 0;
      index.dropped = index.written;
      if (index.lent) index.columns = newColumns(CHUNK_EVENTS);
    }
    // What was given up before it was read is not known at all.
    index.position = Math.max(index.position, start);
    const before = index.lost.findIndex(({ beforeIndex }) => beforeIndex >= index.dropped);
    index.lost.splice(0, before < 0 ? index.lost.length : before);
  }

  /** Writes the open chunk. */
  #flush(index: CpuIndex): void {
    this.#tellLost(index);
    if (index.count === 0) return;
    const chunk = this.#encoder.encode(index.columns, index.count);
    const { cpu, written, count, basePosition, chunks } = index;
    const id = this.#writer.addChunk(this.#stream, cpu, written, basePosition, chunk);
    this.#encoder.recycle([chunk.columns.buffer as ArrayBuffer]);
    const { fromNs, toNs, firstPosition } = chunk;
    const before = chunks.at(-1);
    const floorNs = before === undefined ? Number.NEGATIVE_INFINITY : Math.max(before.floorNs, before.toNs);
    const ordered = isOrdered(chunk.flags) && floorNs <= fromNs;
    const place = { id, stream: this.#stream, cpu, firstIndex: written, count, fromNs, toNs };
    const info = {
      ...place,
      ordered,
      basePosition: basePosition + firstPosition,
      floorNs,
      events: this.#counts.keep(decodeEventCounts(chunk.events)),
      rareBelow: chunk.rare.below,
    };
    chunks.push(info);
    index.written += count;
    index.count = 0;
    if (index.lent) {
      // Whoever looked once goes on looking: need not read this one back, and new columns for every chunk from then on.
      index.closed.push({ info, columns: rebased(index.columns, count, firstPosition) });
      index.columns = newColumns(CHUNK_EVENTS);
    }
    this.#fromNs = Math.min(this.#fromNs, chunk.fromNs);
    this.#toNs = Math.max(this.#toNs, chunk.toNs);
  }

  #tellLost(index: CpuIndex): void {
    const { scanner, columns, count, written, cpu } = index;
    for (; index.lostDone < scanner.lost.length; index.lostDone++) {
      const lost = scanner.lost[index.lostDone] as (typeof scanner.lost)[number];
      const at = Math.max(0, Math.min(lost.beforeIndex - written, count - 1));
      const atNs = count > 0 ? (columns.time[at] as number) : Math.max(0, this.#toNs);
      this.#writer.addLost(this.#stream, cpu, { ...lost, atNs });
      index.lost.push({ stream: this.#stream, cpu, ...lost, atNs });
    }
    for (; index.damageDone < scanner.damage.length; index.damageDone++) {
      const { position, message } = scanner.damage[index.damageDone] as (typeof scanner.damage)[number];
      this.#writer.addWarning({ offset: index.dataOffset + position, section: `cpu ${cpu} data`, message });
    }
  }

  /** The recording is complete: writes what is left. Call `advance` with the last extents before. */
  finish(): void {
    for (const index of this.#cpus.values()) this.#flush(index);
    if (this.#stream >= 0) {
      for (const { cpu, written } of this.#cpus.values()) this.#writer.finishCpu(this.#stream, cpu, written);
      const some = Number.isFinite(this.#fromNs);
      const { eventTotals } = this.#encoder;
      this.#writer.finishStream(this.#stream, some ? this.#fromNs : 0, some ? this.#toNs : 0, eventTotals);
    }
    this.#writer.finish(this.#encoder.pidTotals);
  }
}

/** Words for the counts of some hundreds of chunks. */
const COUNTS_WORDS = 1 << 12;

/**
 * What the directory of chunks has of their kinds. A capture of hours has tens of thousands of chunks, most with a handful of kinds, and memory of
 * its own for each of them is a kilobyte.
 */
class CountsOfChunks {
  #words = new Uint32Array(0);
  #used = 0;

  /** A copy, for as long as anybody has it. */
  keep(counts: Uint32Array): Uint32Array {
    if (this.#used + counts.length > this.#words.length) {
      this.#words = new Uint32Array(Math.max(COUNTS_WORDS, counts.length));
      this.#used = 0;
    }
    const kept = this.#words.subarray(this.#used, this.#used + counts.length);
    this.#used += counts.length;
    kept.set(counts);
    return kept;
  }
}

/** The first `count` events with positions from `base`. Positions are a copy: who borrowed the columns reads the old ones. */
function rebased({ time, id, pid, position }: EventColumns, count: number, base: number): EventColumns {
  const moved = new Uint32Array(count);
  for (let i = 0; i < count; i++) moved[i] = (position[i] as number) - base;
  return { time: time.subarray(0, count), id: id.subarray(0, count), pid: pid.subarray(0, count), position: moved };
}

function isLong({ count, columns, position, basePosition }: CpuIndex, { mostBytes, mostTime }: GiveUp): boolean {
  if (count === 0) return false;
  const time = (columns.time[count - 1] as number) - (columns.time[0] as number);
  return position - basePosition >= mostBytes || time >= mostTime;
}
