import type { Progress, RowsResult } from '../../shared/api.ts';
import { RemoraError } from '../../shared/errors.ts';
import type { EventRef, EventRow } from '../../shared/model.ts';
import { type FilteredList, FilteredLists } from './filtered-list.ts';
import { type ListedEvent, rowAtTime, rowOfEvent, rowRange, visitRows } from './list.ts';
import { positionOf } from './payload.ts';
import { chunkOfIndex, findCpu, type Trace } from './trace.ts';

/** How long a page of a filtered list may take before it is answered with what there is. */
const PARTIAL_MS = 100;

/** Who waits for an answer. */
export interface Caller {
  signal: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** Pages of the event list, filtered or not. */
export class RowQueries {
  readonly #trace: Trace;
  readonly #filtered: FilteredLists;

  constructor(trace: Trace) {
    this.#trace = trace;
    this.#filtered = new FilteredLists(trace);
  }

  /**
   * `count` rows from `first`, or the last ones. Of a filtered list waits until all is scanned; with `partial` only until the page
   * is there or `PARTIAL_MS` are over, and then `scan` says how far it is.
   */
  async page(
    filter: string,
    from: number | 'start' | 'end',
    count: number,
    caller: Caller,
    partial = false,
  ): Promise<RowsResult> {
    const list = this.#list(filter);
    const firstOf = (start: number, end: number): number =>
      from === 'end' ? Math.max(start, end - count) : from === 'start' ? start : from;
    if (list === null) {
      const { firstRow, endRow: total } = rowRange(this.#trace);
      const first = firstOf(firstRow, total);
      const rows: EventRow[] = [];
      if (first < total) {
        visitRows(this.#trace, first, (event) => {
          if (event.row < first + count) rows.push(rowOf(this.#trace, event));
          return event.row + 1 < first + count;
        });
      }
      return { total, firstRow, rows, scan: null };
    }
    const until = performance.now() + PARTIAL_MS;
    const enough = (): boolean => {
      const some = from === 'start' ? list.n >= list.firstRow + count : from !== 'end' && list.n >= from + count;
      return partial && (some || performance.now() > until);
    };
    await list.wait(caller.signal, enough, caller.onProgress);
    list.forget();
    const first = firstOf(list.firstRow, list.n);
    const rows: EventRow[] = [];
    for (let row = Math.max(list.firstRow, first); row < Math.min(list.n, first + count); row++)
      rows.push(this.row(list.refOf(row), row));
    return {
      total: list.n,
      firstRow: list.firstRow,
      rows,
      scan: list.complete ? null : { done: list.scanned, total: list.total },
    };
  }

  /** Row of a time (the first at or after it) or of an event; of a filtered list, the nearest that passes. */
  async find(
    filter: string,
    at: { timeNs: number } | { event: EventRef },
    caller: Caller,
  ): Promise<{ row: number; timeNs: number; total: number }> {
    const place = 'event' in at ? this.#place(at.event) : null;
    const timeNs = place === null ? (at as { timeNs: number }).timeNs : place.timeNs;
    const list = await this.filtered(filter, caller);
    if (list !== null) {
      list.forget();
      const row = Math.min(list.n - 1, list.rowAt(timeNs, place));
      return { row: Math.max(list.firstRow, row), timeNs: row < 0 ? timeNs : list.timeOf(row), total: list.n };
    }
    const { firstRow, endRow: total } = rowRange(this.#trace);
    const row = place === null ? rowAtTime(this.#trace, timeNs) : rowOfEvent(this.#trace, place.cpu, place.index);
    return { row: Math.max(firstRow, Math.min(total - 1, row)), timeNs, total };
  }

  /** The whole list of a filter; null for the empty filter, which lets all pass. */
  async filtered(filter: string, caller: Caller): Promise<FilteredList | null> {
    const list = this.#list(filter);
    await list?.wait(caller.signal, undefined, caller.onProgress);
    return list;
  }

  /** Ends what is being filtered. */
  stop(): void {
    this.#filtered.stop();
  }

  #list(filter: string): FilteredList | null {
    return filter.trim() === '' ? null : this.#filtered.get(filter);
  }

  /** One event as a row. */
  row(ref: EventRef, row: number): EventRow {
    const { cpu, info, chunk, at, timeNs } = this.#place(ref);
    return rowOf(this.#trace, { row, stream: ref.stream, cpu, index: ref.index, info, chunk, at, timeNs });
  }

  #place(ref: EventRef): Omit<ListedEvent, 'row' | 'stream'> {
    const cpu = findCpu(this.#trace, ref.stream, ref.cpu);
    const info = cpu === undefined ? undefined : chunkOfIndex(cpu, ref.index);
    if (cpu === undefined || info === undefined) {
      throw new RemoraError({
        code: 'not-found',
        message: `stream ${ref.stream}, CPU ${ref.cpu} has no event ${ref.index}`,
      });
    }
    const chunk = this.#trace.chunks.get(info);
    const at = ref.index - info.firstIndex;
    const offsetNs = this.#trace.streams[ref.stream]?.offsetNs ?? 0;
    return { cpu, index: ref.index, info, chunk, at, timeNs: (chunk.time[at] as number) + offsetNs };
  }
}

function rowOf(trace: Trace, event: ListedEvent): EventRow {
  const { recording } = trace.streams[event.stream] as Trace['streams'][number];
  const id = event.chunk.id[event.at] as number;
  const pid = event.chunk.pid[event.at] as number;
  const type = recording.typeOfId[id] as number;
  const text = trace.text.describe(event.cpu, id, positionOf(event.info, event.chunk, event.at));
  return {
    row: event.row,
    stream: event.stream,
    cpu: event.cpu.cpu,
    index: event.index,
    timeNs: event.timeNs,
    pid,
    comm: recording.commOf(pid),
    flags: text.flags,
    type,
    eventName: trace.eventTypes[type]?.name ?? `event-${id}`,
    info: text.info,
  };
}
