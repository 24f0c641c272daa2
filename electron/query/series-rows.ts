import type { RawSamples } from '../../shared/api.ts';
import { lowerBound } from './trace.ts';

/** Samples that have a value, in the list's order. */
export interface SeriesRows {
  n: number;
  time: Float64Array;
  value: Float64Array;
  /** Group of each: its place among those of the series. */
  slot: Uint8Array;
  /** Where it comes from: index into the stream's sources, and place among the CPU's events. */
  source: Uint16Array;
  index: Float64Array;
  /** Times never go backward. */
  ordered: boolean;
}

export const ROW_BYTES = 27;

/** Place of a stream in the workspace, and a CPU of it. */
export interface SampleOrigin {
  stream: number;
  cpu: number;
}

/** One sample. */
export interface Row {
  time: number;
  value: number;
  source: number;
  index: number;
}

/** Samples on their way into columns, whose memory is used again. */
export class RowsBuffer {
  #rows: SeriesRows = makeRows(1024);

  get n(): number {
    return this.#rows.n;
  }

  clear(): void {
    this.#rows.n = 0;
    this.#rows.ordered = true;
  }

  add(slot: number, time: number, value: number, source: number, index: number): void {
    if (this.#rows.n === this.#rows.time.length) this.#rows = copyRows(this.#rows, this.#rows.n * 2);
    const rows = this.#rows;
    const { n } = rows;
    if (n > 0 && (rows.time[n - 1] as number) > time) rows.ordered = false;
    rows.time[n] = time;
    rows.value[n] = value;
    rows.slot[n] = slot;
    rows.source[n] = source;
    rows.index[n] = index;
    rows.n = n + 1;
  }

  addFrom({ slot, time, value, source, index }: SeriesRows, i: number): void {
    this.add(slot[i] as number, time[i] as number, value[i] as number, source[i] as number, index[i] as number);
  }

  /** What is there. Borrowed, until something is added. */
  get rows(): SeriesRows {
    return this.#rows;
  }

  /** A copy of what is there. */
  copy(): SeriesRows {
    return copyRows(this.#rows, this.#rows.n);
  }
}

const makeRows = (room: number): SeriesRows => ({
  n: 0,
  time: new Float64Array(room),
  value: new Float64Array(room),
  slot: new Uint8Array(room),
  source: new Uint16Array(room),
  index: new Float64Array(room),
  ordered: true,
});

function copyRows(rows: SeriesRows, room: number): SeriesRows {
  const copy = makeRows(room);
  const { n } = rows;
  copy.time.set(rows.time.subarray(0, n));
  copy.value.set(rows.value.subarray(0, n));
  copy.slot.set(rows.slot.subarray(0, n));
  copy.source.set(rows.source.subarray(0, n));
  copy.index.set(rows.index.subarray(0, n));
  return Object.assign(copy, { n, ordered: rows.ordered });
}

/** The same in the order of time; those of one time in the order they are in. */
export function sortedRows(rows: SeriesRows): SeriesRows {
  if (rows.ordered) return rows;
  const { n, time } = rows;
  const order = Uint32Array.from({ length: n }, (_, i) => i).sort(
    (a, b) => (time[a] as number) - (time[b] as number) || a - b,
  );
  const sorted = makeRows(n);
  for (let i = 0; i < n; i++) {
    const from = order[i] as number;
    for (const column of ['time', 'value', 'slot', 'source', 'index'] as const)
      sorted[column][i] = rows[column][from] as number;
  }
  return Object.assign(sorted, { n });
}

export const rowOf = ({ time, value, source, index }: SeriesRows, i: number): Row => ({
  time: time[i] as number,
  value: value[i] as number,
  source: source[i] as number,
  index: index[i] as number,
});

/** A group's last sample before a time; null: there is none. */
export function lastBefore(rows: SeriesRows, slot: number, timeNs: number): Row | null {
  const { n, time, ordered } = rows;
  let found = -1;
  for (let i = (ordered ? lowerBound(time, timeNs, 0, n) : n) - 1; i >= 0; i--) {
    if (rows.slot[i] !== slot || (time[i] as number) >= timeNs) continue;
    if (found < 0 || (time[i] as number) > (time[found] as number)) found = i;
    if (ordered) break;
  }
  return found < 0 ? null : rowOf(rows, found);
}

/** A group's first sample after a time; null: there is none. */
export function firstAfter(rows: SeriesRows, slot: number, timeNs: number): Row | null {
  const { n, time, ordered } = rows;
  let found = -1;
  for (let i = ordered ? lowerBound(time, timeNs, 0, n) : 0; i < n; i++) {
    if (rows.slot[i] !== slot || (time[i] as number) <= timeNs) continue;
    if (found < 0 || (time[i] as number) < (time[found] as number)) found = i;
    if (ordered) break;
  }
  return found < 0 ? null : rowOf(rows, found);
}

/** Samples `first` to `end` as the contract has them, with a neighbour on either side where there is one. */
export function rawSamples(
  origins: readonly SampleOrigin[],
  rows: SeriesRows,
  [first, end]: [first: number, end: number],
  before: Row | null,
  after: Row | null,
): RawSamples {
  const n = end - first + (before === null ? 0 : 1) + (after === null ? 0 : 1);
  const tNs = new Float64Array(n);
  const value = new Float64Array(n);
  const event = { stream: new Uint16Array(n), cpu: new Uint16Array(n), index: new Float64Array(n) };
  let k = 0;
  const put = (time: number, own: number, source: number, index: number): void => {
    const { stream, cpu } = origins[source] as SampleOrigin;
    tNs[k] = time;
    value[k] = own;
    event.stream[k] = stream;
    event.cpu[k] = cpu;
    event.index[k++] = index;
  };
  if (before !== null) put(before.time, before.value, before.source, before.index);
  for (let i = first; i < end; i++)
    put(rows.time[i] as number, rows.value[i] as number, rows.source[i] as number, rows.index[i] as number);
  if (after !== null) put(after.time, after.value, after.source, after.index);
  return { mode: 'raw', tNs, value, event };
}
