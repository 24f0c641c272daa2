import type { TraceWarning } from '../../shared/errors.ts';
import type { ByteSource } from '../parse/byte-source.ts';
import { type CpuBytes, openCpuBytes } from '../parse/cpu-data.ts';
import { placeDamage } from '../parse/damage.ts';
import { subBufferLayout } from '../parse/layout.ts';
import type { CpuData, RecordingBuffer, RecordingHead, TimeCorrection } from '../parse/recording.ts';
import {
  type EventColumns,
  type LostEvents,
  newColumns,
  payloadOf,
  type SubBufferLayout,
  SubBufferScanner,
  swapWords,
} from '../parse/sub-buffer.ts';
import { correctTime, isPlainOffset } from '../parse/time-correction.ts';

/**
 * Every record of some buffers in time order, straight from the recording: no index needed. This is what `report`,
 * `check` and the tests' oracle read; the window reads through the store.
 */

/** One record. The object and its view are reused for every record: copy what must outlive the visit. */
export interface RecordView {
  /** Index into the buffers that were passed. */
  buffer: number;
  cpu: number;
  /** 0-based position among this CPU's records. */
  index: number;
  /** Trace time: raw ticks with the file's corrections applied. Exact; see `timeHigh`·2^32 + `timeLow`. */
  timeHigh: number;
  timeLow: number;
  id: number;
  pid: number;
  /** Payload: `length` bytes from `at` in `view`. */
  view: DataView;
  at: number;
  length: number;
  /** Events lost just before this one on this CPU, as trace-cmd tells of it: 0 none, below 0 some, else how many. */
  missed: number;
}

/** Small: memory that was not touched before costs more than another read. */
const BATCH_BYTES = 1 << 16;
/** Of all CPUs together: of thousands, each reads less at a time. */
const ALL_BATCH_BYTES = 1 << 26;
const TWO_32 = 4_294_967_296;

/** One CPU's data, a batch of sub-buffers at a time, and what is met in it. */
export class CpuBatches {
  readonly bytes: CpuBytes;
  readonly layout: SubBufferLayout;
  readonly scanner: SubBufferScanner;
  /** What scanned times are relative to. */
  readonly origin: bigint;
  /** As long as a batch is at most; what a shorter one leaves of it is from the one before, which strings without an end may reach. */
  readonly room: Uint8Array;
  /** Where the batch begins in the CPU's data; its length, of whole sub-buffers. */
  position = 0;
  length = 0;
  readonly #file: string;
  readonly #data: CpuData;

  /** `most`: bytes of a batch, where a sub-buffer is not longer. `roomOf` gives memory that is zero. */
  constructor(
    { source, head, buffer }: RecordSource,
    data: CpuData,
    most: number,
    roomOf: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
  ) {
    this.#file = source.name;
    this.#data = data;
    this.bytes = openCpuBytes(source, data, head.compression);
    this.layout = subBufferLayout(head, buffer);
    const { subBufferBytes } = buffer;
    const step = Math.max(subBufferBytes, Math.floor(most / subBufferBytes) * subBufferBytes);
    this.room = roomOf(Math.min(step, Math.ceil(this.bytes.size / subBufferBytes) * subBufferBytes));
    this.origin = firstTimestamp(this.bytes, head.abi.littleEndian);
    this.scanner = new SubBufferScanner(this.layout, this.origin);
  }

  /** Reads the next batch; false at the end. */
  next(): boolean {
    this.position += this.length;
    if (this.position >= this.bytes.size) return false;
    const { subBufferBytes } = this.layout;
    const got = this.bytes.read(this.position, this.room.length, this.room).length;
    // A last sub-buffer that the file cuts is padded: its records are read as far as they go.
    this.length = Math.ceil(got / subBufferBytes) * subBufferBytes;
    this.room.fill(0, got, this.length);
    return true;
  }

  /** Damage met so far. */
  get warnings(): TraceWarning[] {
    const damage = this.scanner.damage.map((each) => placeDamage(this.#data, this.bytes, each));
    return [...this.bytes.warnings, ...damage.map((each) => ({ file: this.#file, ...each }))];
  }
}

/** A CPU's cursor in the making; in the order that decides between equal times. */
export interface CursorPlan {
  source: RecordSource;
  data: CpuData;
  buffer: number;
  batchBytes: number;
}

export function planCursors(buffers: readonly RecordSource[], keepCpu: (cpu: number) => boolean): CursorPlan[] {
  const kept = buffers.flatMap((source, buffer) =>
    source.buffer.cpus
      .filter(({ cpu }) => keepCpu(cpu))
      .sort((a, b) => a.cpu - b.cpu)
      .map((data) => ({ source, data, buffer })),
  );
  const batchBytes = Math.min(BATCH_BYTES, Math.floor(ALL_BATCH_BYTES / Math.max(1, kept.length)));
  return kept.map((each) => ({ ...each, batchBytes }));
}

/** Turns times of the scan, ticks since the origin, into trace time. */
export class CpuClock {
  readonly #time: TimeCorrection;
  readonly #cpu: number;
  readonly #originHigh: number;
  readonly #originLow: number;
  /** Times are the recorded ones and an offset. */
  readonly isPlain: boolean;
  // The last time that was corrected, as halves.
  high = 0;
  low = 0;

  constructor(time: TimeCorrection, cpu: number, origin: bigint) {
    this.#time = time;
    this.#cpu = cpu;
    this.#originHigh = Number(origin >> 32n);
    this.#originLow = Number(origin & 0xffff_ffffn);
    this.isPlain = isPlainOffset(time, cpu);
  }

  correct(sinceOrigin: number): void {
    const low = this.#originLow + sinceOrigin;
    const upper = Math.floor(low / TWO_32);
    // As C's unsigned 64 bits: what damage makes of a time may be beyond them.
    this.high = (this.#originHigh + upper) >>> 0;
    this.low = low - upper * TWO_32;
    if (this.isPlain && this.#time.offsetNs === 0n) return;
    const time = correctTime((BigInt(this.high) << 32n) | BigInt(this.low), this.#time, this.#cpu);
    this.high = Number(time >> 32n);
    this.low = Number(time & 0xffff_ffffn);
  }
}

/** What was lost before each of a CPU's events, asked for in their order, as trace-cmd tells of it. */
export class Losses {
  readonly #lost: readonly LostEvents[];
  #at = 0;

  /** `lost`: may grow meanwhile. */
  constructor(lost: readonly LostEvents[]) {
    this.#lost = lost;
  }

  /** Whether one is known that has not been told of. */
  get waits(): boolean {
    return this.#at < this.#lost.length;
  }

  /** 0 none, below 0 some, else how many. trace-cmd knows of none but before the first record of a sub-buffer, and counts in 32 bits. */
  before(index: number): number {
    let missed = 0;
    for (
      let lost = this.#lost[this.#at];
      lost !== undefined && lost.beforeIndex <= index;
      lost = this.#lost[++this.#at]
    )
      missed = lost.beforeRecord ? lost.count | 0 : 0;
    return missed;
  }
}

/** Reads one CPU's records in the buffer's order. */
class CpuCursor {
  readonly bufferIndex: number;
  readonly order: number;
  readonly batches: CpuBatches;
  readonly #columns: EventColumns;
  readonly #clock: CpuClock;
  readonly #words: Uint32Array;
  /** The batch's payload bytes in the machine's own byte order. */
  readonly view: DataView;
  #scanned = 0;
  #count = 0;
  #next = 0;
  #nextIndex = 0;
  readonly #losses: Losses;
  done = false;
  // The head of this CPU's queue.
  timeHigh = 0;
  timeLow = 0;
  id = 0;
  pid = 0;
  at = 0;
  index = 0;
  missed = 0;

  /** `order`: of equal times, the cursor with the lower one comes first. */
  constructor({ source, data, buffer, batchBytes }: CursorPlan, order: number) {
    this.bufferIndex = buffer;
    this.order = order;
    this.batches = new CpuBatches(source, data, batchBytes);
    const { room, layout, origin, scanner } = this.batches;
    this.#losses = new Losses(scanner.lost);
    this.#words = layout.abi.littleEndian
      ? new Uint32Array(room.buffer, 0, room.length >>> 2)
      : new Uint32Array(room.length >>> 2);
    this.view = new DataView(room.buffer);
    this.#columns = newColumns(Math.min(65_536, Math.max(Math.ceil(layout.subBufferBytes / 8), room.length >>> 3)));
    this.#clock = new CpuClock(source.buffer.time, data.cpu, origin);
    this.advance();
  }

  get cpu(): number {
    return this.batches.bytes.cpu;
  }

  /** Fills the columns with the next events; false at the end. */
  #refill(): boolean {
    const { batches } = this;
    const { subBufferBytes, abi } = batches.layout;
    for (;;) {
      if (this.#scanned + subBufferBytes > batches.length) {
        if (!batches.next()) return false;
        this.#scanned = 0;
        if (!abi.littleEndian) {
          const words = new Uint8Array(this.#words.buffer);
          words.set(batches.room);
          swapWords(words);
        }
      }
      const { position, length } = batches;
      const words = length < batches.room.length ? this.#words.subarray(0, length >>> 2) : this.#words;
      const { nextByte, count } = batches.scanner.scan(words, position, this.#scanned, this.#columns, 0, position);
      this.#scanned = nextByte;
      this.#count = count;
      this.#next = 0;
      if (count > 0) return true;
      if (nextByte + subBufferBytes <= length) return false;
    }
  }

  advance(): void {
    if (this.#next >= this.#count && !this.#refill()) {
      this.done = true;
      return;
    }
    const i = this.#next++;
    const columns = this.#columns;
    this.id = columns.id[i] as number;
    this.pid = columns.pid[i] as number;
    this.at = columns.position[i] as number;
    this.index = this.#nextIndex++;
    this.missed = this.#losses.before(this.index);
    this.#clock.correct(columns.time[i] as number);
    this.timeHigh = this.#clock.high;
    this.timeLow = this.#clock.low;
  }
}

/** One to be filled again and again. */
export const newRecordView = (): RecordView => ({
  buffer: 0,
  cpu: 0,
  index: 0,
  timeHigh: 0,
  timeLow: 0,
  id: 0,
  pid: 0,
  view: new DataView(new ArrayBuffer(0)),
  at: 0,
  length: 0,
  missed: 0,
});

/** Time stamp of the first sub-buffer that has one; 0 where there is none. */
export function firstTimestamp(bytes: CpuBytes, littleEndian: boolean): bigint {
  const head = bytes.read(0, 8);
  return head.length < 8 ? 0n : new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, littleEndian);
}

export interface RecordSource {
  source: ByteSource;
  head: RecordingHead;
  buffer: RecordingBuffer;
}

/**
 * The records of `buffers` in time order; of equal times the earlier buffer's lower CPU comes first, as in trace-cmd. Where
 * time goes backward in one CPU's buffer, its order is kept.
 */
export class RecordWalk {
  readonly #cursors: CpuCursor[];
  /** A binary heap: the cursor whose record is next comes first. */
  readonly #live: CpuCursor[];
  readonly #littleEndian: boolean[];
  readonly #record = newRecordView();

  constructor(buffers: readonly RecordSource[], keepCpu: (cpu: number) => boolean = () => true) {
    this.#cursors = planCursors(buffers, keepCpu).map((plan, order) => new CpuCursor(plan, order));
    this.#littleEndian = buffers.map(({ head }) => head.abi.littleEndian);
    this.#live = this.#cursors.filter((cursor) => !cursor.done);
    for (let i = (this.#live.length >>> 1) - 1; i >= 0; i--) sink(this.#live, i);
  }

  /** Visits the next records, `most` of them at most, or until `visit` returns false. True where there are more. */
  visit(visit: (record: RecordView) => unknown, most = Number.POSITIVE_INFINITY): boolean {
    const live = this.#live;
    const record = this.#record;
    for (let n = 0; live.length > 0 && n < most; n++) {
      const best = live[0] as CpuCursor;
      record.buffer = best.bufferIndex;
      record.cpu = best.cpu;
      record.index = best.index;
      record.timeHigh = best.timeHigh;
      record.timeLow = best.timeLow;
      record.id = best.id;
      record.pid = best.pid;
      record.view = best.view;
      record.missed = best.missed;
      const payload = payloadOf(best.view, best.at, this.#littleEndian[best.bufferIndex] as boolean);
      record.at = payload.at;
      record.length = payload.length;
      const go = visit(record);
      best.advance();
      if (best.done) {
        const last = live.pop() as CpuCursor;
        if (live.length > 0) live[0] = last;
      }
      sink(live, 0);
      if (go === false) break;
    }
    return live.length > 0;
  }

  /** Damage of the event data met so far; that of the file's head is told by the head. */
  get warnings(): TraceWarning[] {
    return this.#cursors.flatMap(({ batches }) => batches.warnings);
  }
}

function isBefore(a: CpuCursor, b: CpuCursor): boolean {
  if (a.timeHigh !== b.timeHigh) return a.timeHigh < b.timeHigh;
  return a.timeLow !== b.timeLow ? a.timeLow < b.timeLow : a.order < b.order;
}

/** Moves the cursor at `at` down the heap until none below it comes before it. */
function sink(heap: CpuCursor[], at: number): void {
  const moved = heap[at] as CpuCursor;
  let i = at;
  for (let child = 2 * i + 1; child < heap.length; child = 2 * i + 1) {
    if (child + 1 < heap.length && isBefore(heap[child + 1] as CpuCursor, heap[child] as CpuCursor)) child++;
    if (!isBefore(heap[child] as CpuCursor, moved)) break;
    heap[i] = heap[child] as CpuCursor;
    i = child;
  }
  if (i !== at) heap[i] = moved;
}

/** Visits all records in one go, see RecordWalk; `visit` returns false to stop. Returns the damage met. */
export function visitRecords(
  buffers: readonly RecordSource[],
  visit: (record: RecordView) => unknown,
  keepCpu?: (cpu: number) => boolean,
): TraceWarning[] {
  const walk = new RecordWalk(buffers, keepCpu);
  walk.visit(visit);
  return walk.warnings;
}
