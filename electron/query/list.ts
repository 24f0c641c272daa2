import type { Chunk } from '../store/chunk-codec.ts';
import type { ChunkInfo } from '../store/workspace-store.ts';
import { chunkOfIndex, lowerBound, type Trace, type TraceCpu, upperBound } from './trace.ts';

/**
 * The event list: all events of all CPUs and streams in time order, of any length, without ever holding it. Each CPU's
 * chunks are sorted already; a row number is found by counting, in each CPU, the events before a time.
 *
 * Order: by time; equal times by stream, then CPU, then the buffer's own order. Where a clock went backward in one CPU's
 * buffer its events keep the buffer's order, as if none were earlier than the one before (see Chunk.sortTime).
 *
 * Where a flight recorder has given up what is oldest, rows keep their numbers: those that are there go on from `firstRow`.
 */

/** A place in one CPU's events: the next one to list. */
interface Cursor {
  /** Place in the list's order of CPUs. */
  order: number;
  cpu: TraceCpu;
  /** Added to the CPU's times to get workspace time. */
  offsetNs: number;
  index: number;
  info: ChunkInfo | undefined;
  chunk: Chunk | undefined;
  timeNs: number;
}

export interface ListedEvent {
  row: number;
  stream: number;
  cpu: TraceCpu;
  index: number;
  info: ChunkInfo;
  chunk: Chunk;
  /** Index in the chunk. */
  at: number;
  /** Workspace time. */
  timeNs: number;
}

function cpusOf(trace: Trace): { cpu: TraceCpu; offsetNs: number }[] {
  return trace.streams.flatMap((stream) => stream.cpus.map((cpu) => ({ cpu, offsetNs: stream.offsetNs })));
}

/** Sort key of one event: what `chunk.sortTime` has, on the workspace axis. */
function sortTimeAt(trace: Trace, cpu: TraceCpu, offsetNs: number, index: number): number {
  const info = chunkOfIndex(cpu, index) as ChunkInfo;
  return (trace.chunks.get(info).sortTime[index - info.firstIndex] as number) + offsetNs;
}

/** Events of one CPU whose sort time is below `timeNs` (or not above it, with `inclusive`). */
function countBefore(trace: Trace, cpu: TraceCpu, offsetNs: number, timeNs: number, inclusive: boolean): number {
  const limit = timeNs - offsetNs;
  let low = 0;
  let high = cpu.chunks.length;
  // First chunk that reaches the limit: sort times end at the larger of the chunk's last and the floor.
  while (low < high) {
    const middle = (low + high) >>> 1;
    const info = cpu.chunks[middle] as ChunkInfo;
    const end = Math.max(info.toNs, info.floorNs);
    if (inclusive ? end <= limit : end < limit) low = middle + 1;
    else high = middle;
  }
  const info = cpu.chunks[low];
  if (info === undefined) return cpu.events;
  if (Math.max(info.fromNs, info.floorNs) > limit) return info.firstIndex;
  const { sortTime } = trace.chunks.get(info);
  return info.firstIndex + (inclusive ? upperBound(sortTime, limit) : lowerBound(sortTime, limit));
}

/** Rows from the first that is there to behind the last. */
export function rowRange(trace: Trace): { firstRow: number; endRow: number } {
  const range = { firstRow: 0, endRow: 0 };
  for (const { cpus } of trace.streams) {
    for (const { dropped, events } of cpus) {
      range.firstRow += dropped;
      range.endRow += events;
    }
  }
  return range;
}

/** Number of events of the whole workspace before a time: the row of the first event at or after it. */
export function rowAtTime(trace: Trace, timeNs: number): number {
  let row = 0;
  for (const { cpu, offsetNs } of cpusOf(trace)) row += countBefore(trace, cpu, offsetNs, timeNs, false);
  return row;
}

/** Row of a given event. */
export function rowOfEvent(trace: Trace, cpu: TraceCpu, index: number): number {
  const cpus = cpusOf(trace);
  const own = cpus.findIndex((candidate) => candidate.cpu === cpu);
  const timeNs = sortTimeAt(trace, cpu, (cpus[own] as { offsetNs: number }).offsetNs, index);
  let row = index;
  cpus.forEach((other, order) => {
    if (order !== own) row += countBefore(trace, other.cpu, other.offsetNs, timeNs, order < own);
  });
  return row;
}

/** How many events of each CPU come before row `row`. Bisects time, with the CPUs' own order inside equal times. */
function cutAtRow(trace: Trace, row: number): number[] {
  const cpus = cpusOf(trace);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { cpu, offsetNs } of cpus) {
    for (const info of cpu.chunks) {
      low = Math.min(low, info.fromNs + offsetNs);
      high = Math.max(high, info.toNs + offsetNs);
    }
  }
  // The largest integral time with at most `row` events before it; times are whole ns.
  while (low < high) {
    const middle = Math.floor((low + high + 1) / 2);
    if (rowAtTime(trace, middle) <= row) low = middle;
    else high = middle - 1;
  }
  const cut = cpus.map(({ cpu, offsetNs }) => countBefore(trace, cpu, offsetNs, low, false));
  let left = row - cut.reduce((sum, count) => sum + count, 0);
  cpus.forEach(({ cpu, offsetNs }, order) => {
    const same = countBefore(trace, cpu, offsetNs, low, true) - (cut[order] as number);
    const taken = Math.min(same, Math.max(0, left));
    cut[order] = (cut[order] as number) + taken;
    left -= taken;
  });
  return cut;
}

function load(trace: Trace, cursor: Cursor): boolean {
  if (cursor.info === undefined || cursor.index >= cursor.info.firstIndex + cursor.info.count) {
    cursor.info = chunkOfIndex(cursor.cpu, cursor.index);
    if (cursor.info === undefined) return false;
    cursor.chunk = trace.chunks.get(cursor.info);
  }
  cursor.timeNs = ((cursor.chunk as Chunk).sortTime[cursor.index - cursor.info.firstIndex] as number) + cursor.offsetNs;
  return true;
}

/**
 * Visits events from row `first` on, in order, until `visit` returns false or the list ends. The object passed is
 * reused. Work is proportional to the rows visited, plus a search.
 */
export function visitRows(trace: Trace, from: number, visit: (event: ListedEvent) => unknown): void {
  const first = Math.max(from, rowRange(trace).firstRow);
  const cut = cutAtRow(trace, first);
  const live: Cursor[] = [];
  cpusOf(trace).forEach(({ cpu, offsetNs }, order) => {
    const cursor: Cursor = {
      order,
      cpu,
      offsetNs,
      index: cut[order] as number,
      info: undefined,
      chunk: undefined,
      timeNs: 0,
    };
    if (load(trace, cursor)) live.push(cursor);
  });
  const event = { row: first } as ListedEvent;
  while (live.length > 0) {
    let chosen = 0;
    let best = live[0] as Cursor;
    for (let i = 1; i < live.length; i++) {
      const cursor = live[i] as Cursor;
      if (cursor.timeNs < best.timeNs) {
        best = cursor;
        chosen = i;
      }
    }
    const info = best.info as ChunkInfo;
    event.stream = best.cpu.stream;
    event.cpu = best.cpu;
    event.index = best.index;
    event.info = info;
    event.chunk = best.chunk as Chunk;
    event.at = best.index - info.firstIndex;
    event.timeNs = (event.chunk.time[event.at] as number) + best.offsetNs;
    if (visit(event) === false) return;
    event.row++;
    best.index++;
    if (!load(trace, best)) live.splice(chosen, 1);
  }
}

/** The event of one CPU nearest to a time: `direction` 0 nearest, 1 first after, -1 last before; -1 where none. */
export function nearestIndex(trace: Trace, cpu: TraceCpu, timeNs: number, direction: -1 | 0 | 1): number {
  const { offsetNs } = trace.streams[cpu.stream] as { offsetNs: number };
  const after =
    direction === 1
      ? countBefore(trace, cpu, offsetNs, timeNs, true)
      : countBefore(trace, cpu, offsetNs, timeNs, false);
  if (direction === 1) return after < cpu.events ? after : -1;
  if (direction === -1 || after >= cpu.events) return after > cpu.dropped ? after - 1 : -1;
  if (after === cpu.dropped) return after;
  const next = sortTimeAt(trace, cpu, offsetNs, after) - timeNs;
  const previous = timeNs - sortTimeAt(trace, cpu, offsetNs, after - 1);
  return next < previous ? after : after - 1;
}
