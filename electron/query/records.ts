import type { TraceWarning } from '../../shared/errors.ts';
import type { ByteSource } from '../parse/byte-source.ts';
import { type CpuBytes, openCpuBytes } from '../parse/cpu-data.ts';
import { placeDamage } from '../parse/damage.ts';
import { subBufferLayout } from '../parse/layout.ts';
import type { CpuData, RecordingBuffer, RecordingHead } from '../parse/recording.ts';
import {
  type EventColumns,
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
  /** Events lost just before this one on this CPU: 0 none, -1 some, else how many. */
  missed: number;
}

/** Small: memory that was not touched before costs more than another read. */
const BATCH_BYTES = 1 << 16;
/** Of all CPUs together: of thousands, each reads less at a time. */
const ALL_BATCH_BYTES = 1 << 26;
const TWO_32 = 4_294_967_296;

/** Reads one CPU's records in the buffer's order. */
class CpuCursor {
  readonly bufferIndex: number;
  readonly order: number;
  readonly bytes: CpuBytes;
  readonly #file: string;
  readonly #data: CpuData;
  readonly #layout: SubBufferLayout;
  readonly #scanner: SubBufferScanner;
  readonly #columns: EventColumns;
  readonly #buffer: RecordingBuffer;
  readonly #plain: boolean;
  readonly #batch: Uint8Array;
  readonly #words: Uint32Array;
  readonly #originHigh: number;
  readonly #originLow: number;
  readonly #offset: bigint;
  /** The batch's payload bytes in the machine's own byte order. */
  view: DataView;
  #batchPosition = 0;
  #batchLength = 0;
  #scanned = 0;
  #count = 0;
  #next = 0;
  #nextIndex = 0;
  #lostAt = 0;
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
  constructor(
    { source, head, buffer }: RecordSource,
    data: CpuData,
    bufferIndex: number,
    order: number,
    batchBytes: number,
  ) {
    this.bufferIndex = bufferIndex;
    this.order = order;
    this.#buffer = buffer;
    this.#file = source.name;
    this.#data = data;
    this.bytes = openCpuBytes(source, data, head.compression);
    this.#layout = subBufferLayout(head, buffer);
    const step = Math.max(
      buffer.subBufferBytes,
      Math.floor(batchBytes / buffer.subBufferBytes) * buffer.subBufferBytes,
    );
    this.#batch = new Uint8Array(
      Math.min(step, Math.ceil(this.bytes.size / buffer.subBufferBytes) * buffer.subBufferBytes),
    );
    this.#words = head.abi.littleEndian
      ? new Uint32Array(this.#batch.buffer, 0, this.#batch.length >>> 2)
      : new Uint32Array(this.#batch.length >>> 2);
    this.view = new DataView(this.#batch.buffer);
    this.#columns = newColumns(
      Math.min(65_536, Math.max(Math.ceil(buffer.subBufferBytes / 8), this.#batch.length >>> 3)),
    );
    const origin = firstTimestamp(this.bytes, head.abi.littleEndian);
    this.#originHigh = Number(origin >> 32n);
    this.#originLow = Number(origin & 0xffff_ffffn);
    this.#plain = isPlainOffset(buffer.time, data.cpu);
    this.#offset = buffer.time.offsetNs;
    this.#scanner = new SubBufferScanner(this.#layout, origin);
    this.advance();
  }

  get cpu(): number {
    return this.bytes.cpu;
  }
  /** Damage met so far. */
  get warnings(): TraceWarning[] {
    const damage = this.#scanner.damage.map((each) => placeDamage(this.#data, this.bytes, each));
    return [...this.bytes.warnings, ...damage.map((each) => ({ file: this.#file, ...each }))];
  }

  /** Fills the columns with the next events; false at the end. */
  #refill(): boolean {
    for (;;) {
      if (this.#scanned + this.#layout.subBufferBytes > this.#batchLength) {
        this.#batchPosition += this.#batchLength;
        if (this.#batchPosition >= this.bytes.size) return false;
        const got = this.bytes.read(this.#batchPosition, this.#batch.length, this.#batch).length;
        // A last sub-buffer that the file cuts is padded: its records are read as far as they go.
        const whole = Math.ceil(got / this.#layout.subBufferBytes) * this.#layout.subBufferBytes;
        this.#batch.fill(0, got, whole);
        this.#batchLength = whole;
        this.#scanned = 0;
        if (!this.#layout.abi.littleEndian) {
          const words = new Uint8Array(this.#words.buffer);
          words.set(this.#batch);
          swapWords(words);
        }
      }
      const words =
        this.#batchLength < this.#batch.length ? this.#words.subarray(0, this.#batchLength >>> 2) : this.#words;
      const { nextByte, count } = this.#scanner.scan(
        words,
        this.#batchPosition,
        this.#scanned,
        this.#columns,
        0,
        this.#batchPosition,
      );
      this.#scanned = nextByte;
      this.#count = count;
      this.#next = 0;
      if (count > 0) return true;
      if (nextByte + this.#layout.subBufferBytes <= this.#batchLength) return false;
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
    const { lost } = this.#scanner;
    this.missed = 0;
    while (this.#lostAt < lost.length && (lost[this.#lostAt] as { beforeIndex: number }).beforeIndex <= this.index) {
      this.missed = (lost[this.#lostAt++] as { count: number }).count;
    }
    let low = this.#originLow + (columns.time[i] as number);
    let high = this.#originHigh + Math.floor(low / TWO_32);
    low -= Math.floor(low / TWO_32) * TWO_32;
    if (!this.#plain || this.#offset !== 0n) {
      const time = correctTime((BigInt(high) << 32n) | BigInt(low), this.#buffer.time, this.cpu);
      high = Number(time >> 32n);
      low = Number(time & 0xffff_ffffn);
    }
    this.timeHigh = high;
    this.timeLow = low;
  }
}

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
  readonly #cursors: CpuCursor[] = [];
  /** A binary heap: the cursor whose record is next comes first. */
  readonly #live: CpuCursor[];
  readonly #littleEndian: boolean[];
  readonly #record: RecordView = {
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
  };

  constructor(buffers: readonly RecordSource[], keepCpu: (cpu: number) => boolean = () => true) {
    const kept = buffers.map(({ buffer }) =>
      buffer.cpus.filter(({ cpu }) => keepCpu(cpu)).sort((a, b) => a.cpu - b.cpu),
    );
    const cpus = kept.reduce((sum, { length }) => sum + length, 0);
    const batchBytes = Math.min(BATCH_BYTES, Math.floor(ALL_BATCH_BYTES / Math.max(1, cpus)));
    buffers.forEach((source, bufferIndex) => {
      for (const data of kept[bufferIndex] ?? []) {
        this.#cursors.push(new CpuCursor(source, data, bufferIndex, this.#cursors.length, batchBytes));
      }
    });
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
    return this.#cursors.flatMap(({ warnings }) => warnings);
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
