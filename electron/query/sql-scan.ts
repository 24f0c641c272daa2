import { SelectionSpace } from '../store/chunk-selection.ts';
import type { SqlInput } from '../store/sql-connection.ts';
import type { ChunkInfo } from '../store/workspace-store.ts';
import { PayloadReader } from './payload.ts';
import type { ColumnSource, ScanColumn, ValueReader } from './sql-columns.ts';
import type { Condition } from './sql-conditions.ts';
import { type EventFilter, eventFilter } from './sql-filter.ts';
import { countInChunk, type Trace, type TraceCpu } from './trace.ts';

/**
 * Rows of the tables of events, in the event list's order, read chunk by chunk: a scan holds one chunk and one block of
 * payload per CPU, and makes only the columns that are asked for. Chunks and events that no condition lets through are left out.
 */
export interface ScanRequest {
  trace: Trace;
  /** Events of one type: an index into `Trace.eventTypes`, or NO_EVENTS; null: all events. */
  type: number | null;
  /** All columns of the table. */
  columns: readonly ScanColumn[];
  /** What rows are made of: columns that are read, in order; see `rawNames`. */
  wanted: readonly ScanColumn[];
  /** Large values of `unsigned` columns have a place of their own, and the other one is null where they have a value. */
  split: boolean;
  /** Alternatives, see tableConditions; null: everything. */
  conditions: readonly (readonly Condition[])[] | null;
}

/** A type that occurs in no event has no index. */
export const NO_EVENTS = -1;

/** The column of a scan whose rows are only counted: a table has one column at least. */
export const NOTHING = 'no column';

/** Places of a row: a column each, and with `split` a second one for the large values of `unsigned` columns. */
export function rawNames({ wanted, split }: Pick<ScanRequest, 'wanted' | 'split'>): string[] {
  const names = wanted.flatMap(({ name, big }) => (split && big !== undefined ? [name, bigName(name)] : [name]));
  return names.length === 0 ? [NOTHING] : names;
}

/** No column of a trace has a space in its name. */
export const bigName = (name: string): string => `${name} big`;

/** Payload blocks of all CPUs together, at most and each. */
const BLOCKS_BYTES = 32 << 20;
const LARGEST_BLOCK = 1 << 20;
const SMALLEST_BLOCK = 1 << 16;

/** The next row each time, and null at the end. The row is one array, used again and again. */
export type NextRow = () => SqlInput[] | null;

/** A scan that is taken row by row. */
export function openScan(request: ScanRequest): NextRow {
  const heap = new CursorHeap(openCursors(request).filter((cursor) => cursor.advance()));
  const row: SqlInput[] = rawNames(request).map(() => null);
  let taken: EventCursor | undefined;
  return () => {
    // The cursor moves on only when its row is done with: it may be read from until then.
    if (taken !== undefined) {
      if (taken.advance()) heap.sink();
      else heap.remove();
    }
    taken = heap.first;
    if (taken === undefined) return null;
    taken.fill(row);
    return row;
  };
}

/** A scan, as often as it is called, for who wants a generator: slower by a tenth of a microsecond a row. */
export function scanRows(request: ScanRequest): () => Generator<SqlInput[]> {
  return function* () {
    const next = openScan(request);
    for (let row = next(); row !== null; row = next()) yield row;
  };
}

function openCursors(request: ScanRequest): EventCursor[] {
  const { trace, type } = request;
  const cursors: EventCursor[] = [];
  if (type === NO_EVENTS) return cursors;
  const cpus = trace.streams.reduce((sum, stream) => sum + stream.cpus.length, 0);
  const blockBytes = Math.max(SMALLEST_BLOCK, Math.min(LARGEST_BLOCK, BLOCKS_BYTES / Math.max(1, cpus)));
  for (const stream of trace.streams) {
    const { typeOfId, formatOfId } = stream.recording;
    const ids = type === null ? [null] : [...typeOfId.keys()].filter((id) => typeOfId[id] === type);
    for (const id of ids) {
      const format = id === null ? undefined : formatOfId.get(id);
      for (const cpu of stream.cpus) {
        const source = { trace, stream, cpu: cpu.cpu, format };
        cursors.push(new EventCursor(request, source, cpu, id, cursors.length, blockBytes));
      }
    }
  }
  return cursors;
}

/** Events of one chunk as columns: all of them, or with `at` those of one kernel id and their places in the chunk. */
interface Batch {
  n: number;
  firstIndex: number;
  basePosition: number;
  at: ArrayLike<number> | null;
  time: ArrayLike<number>;
  sortTime: ArrayLike<number>;
  pid: ArrayLike<number>;
  id: ArrayLike<number> | null;
  position: ArrayLike<number>;
}

const none = new Float64Array(0);
const NO_BATCH: Batch = {
  n: 0,
  firstIndex: 0,
  basePosition: 0,
  at: null,
  time: none,
  sortTime: none,
  pid: none,
  id: null,
  position: none,
};

/** The events of one CPU that meet the conditions, one after the other. Readers of columns look at its public fields. */
export class EventCursor {
  /** The event: workspace time, its place among the CPU's events, kernel id and task. */
  time = 0;
  index = 0;
  id = 0;
  pid = 0;
  /** After `load`: the payload is `view[at, end)`. */
  view: DataView = new DataView(new ArrayBuffer(0));
  at = 0;
  end = 0;
  /** What scans are ordered by: times that never decrease, and then the order of the CPUs. */
  sortTime = Number.NEGATIVE_INFINITY;
  readonly order: number;

  readonly #source: ColumnSource;
  readonly #cpu: TraceCpu;
  readonly #onlyId: number | null;
  readonly #payload: PayloadReader;
  readonly #filter: EventFilter | null;
  readonly #values: ValueReader[];
  readonly #bigs: (ValueReader | null)[];
  readonly #split: boolean;
  readonly #space = new SelectionSpace();
  #nextChunk = 0;
  #batch: Batch = NO_BATCH;
  #i = 0;
  #position = 0;
  #loaded = false;

  constructor(
    request: ScanRequest,
    source: ColumnSource,
    cpu: TraceCpu,
    onlyId: number | null,
    order: number,
    blockBytes: number,
  ) {
    this.#source = source;
    this.#cpu = cpu;
    this.#onlyId = onlyId;
    this.order = order;
    this.#payload = new PayloadReader(source.stream, cpu, blockBytes);
    this.#values = request.wanted.map(({ read }) => read?.(source) ?? (() => null));
    this.#split = request.split;
    this.#bigs = request.wanted.map(({ big }) => big?.(source) ?? null);
    this.#filter = request.conditions === null ? null : eventFilter(request.conditions, request.columns, source);
    if (onlyId !== null) this.id = onlyId;
  }

  /** Makes the payload readable. */
  load(): void {
    if (this.#loaded) return;
    const { view, at, length } = this.#payload.read(this.#position);
    this.view = view;
    this.at = at;
    this.end = at + length;
    this.#loaded = true;
  }

  /** Goes to the next event that meets the conditions; false at the end. */
  advance(): boolean {
    const { offsetNs } = this.#source.stream;
    for (;;) {
      const batch = this.#batch;
      const i = this.#i++;
      if (i >= batch.n) {
        if (!this.#nextBatch()) return false;
        continue;
      }
      this.time = (batch.time[i] as number) + offsetNs;
      this.pid = batch.pid[i] as number;
      this.index = batch.firstIndex + (batch.at === null ? i : (batch.at[i] as number));
      if (batch.id !== null) this.id = batch.id[i] as number;
      this.#position = batch.basePosition + (batch.position[i] as number);
      this.#loaded = false;
      if (this.#filter !== null && !this.#filter.passes(this)) continue;
      this.sortTime = Math.max(this.sortTime, (batch.sortTime[i] as number) + offsetNs);
      return true;
    }
  }

  #nextBatch(): boolean {
    const { chunks } = this.#cpu;
    const { store } = this.#source.trace;
    while (this.#nextChunk < chunks.length) {
      const info = chunks[this.#nextChunk++] as ChunkInfo;
      if (this.#onlyId !== null && countInChunk(info, this.#onlyId) === 0) continue;
      if (this.#filter !== null && !this.#filter.mayHold(info)) continue;
      const { firstIndex, basePosition } = info;
      const events = this.#onlyId === null ? store.chunk(info) : store.select(info, this.#onlyId, this.#space);
      this.#batch =
        'at' in events
          ? { ...events, firstIndex, basePosition, sortTime: events.time, id: null }
          : { ...events, n: events.count, firstIndex, basePosition, at: null };
      this.#i = 0;
      this.#payload.expect(this.#batch.position, basePosition);
      return true;
    }
    return false;
  }

  fill(row: SqlInput[]): void {
    let place = 0;
    for (let k = 0; k < this.#values.length; k++) {
      const value = (this.#values[k] as ValueReader)(this);
      const big = this.#bigs[k] as ValueReader | null;
      if (big === null) row[place++] = value;
      else if (this.#split) {
        row[place++] = value;
        row[place++] = value === null ? big(this) : null;
      } else row[place++] = value ?? big(this);
    }
  }
}

/** The cursors by their next event: the first is the root of a binary heap. */
class CursorHeap {
  readonly #heap: EventCursor[];

  constructor(cursors: EventCursor[]) {
    this.#heap = cursors;
    for (let i = (cursors.length >>> 1) - 1; i >= 0; i--) this.sink(i);
  }

  get first(): EventCursor | undefined {
    return this.#heap[0];
  }

  remove(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.sink();
  }

  /** Puts a cursor that has moved on where it belongs. */
  sink(from = 0): void {
    const heap = this.#heap;
    const moved = heap[from];
    if (moved === undefined) return;
    let i = from;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as EventCursor, heap[child] as EventCursor)) child++;
      if (!before(heap[child] as EventCursor, moved)) break;
      heap[i] = heap[child] as EventCursor;
      i = child;
    }
    heap[i] = moved;
  }
}

const before = (a: EventCursor, b: EventCursor): boolean =>
  a.sortTime < b.sortTime || (a.sortTime === b.sortTime && a.order < b.order);
