import type { Progress } from '../../shared/api.ts';
import { RemoraError } from '../../shared/errors.ts';
import type { Filter } from '../../shared/filter/ast.ts';
import { type CompiledFilter, compileFilter } from '../../shared/filter/compile.ts';
import { contains, overlaps } from '../../shared/filter/intervals.ts';
import { type Prefilter, prefilter } from '../../shared/filter/prefilter.ts';
import type { EventRef } from '../../shared/model.ts';
import { SelectionSpace } from '../store/chunk-selection.ts';
import type { ChunkInfo } from '../store/workspace-store.ts';
import { ByteBudgetCache } from './byte-budget-cache.ts';
import { EventReader } from './event-reader.ts';
import { FoundRows } from './found-rows.ts';
import { positionOf } from './payload.ts';
import { filterOf, shapeOf } from './sample-filter.ts';
import { lowerBound, type Trace, type TraceCpu, type TraceStream } from './trace.ts';

const cancelled = (): RemoraError => new RemoraError({ code: 'cancelled', message: 'the filter was cancelled' });

const MOST_LISTS = 8;
/** A scan that nobody waits for any more goes on for this long: the next page of the same list is often asked for. */
const ABANDONED_AFTER_MS = 2000;
/** Chunks are scanned for about this long between two turns of the event loop. */
const TURN_MS = 8;

/** One CPU as the scan sees it. */
interface Source {
  stream: TraceStream;
  cpu: TraceCpu;
  reader: EventReader;
  tests: Tests;
  /** Events that were handed out to be scanned. */
  planned: number;
  /** Matches found but not yet in the list. */
  found: Found;
}

/** Matches of one CPU on their way into the list: taken from `next` on, added behind `n`. Its memory is used again. */
class Found {
  times = new Float64Array(1024);
  indexes = new Float64Array(1024);
  next = 0;
  n = 0;

  add(time: number, index: number): void {
    if (this.n === this.times.length) this.#makeRoom();
    this.times[this.n] = time;
    this.indexes[this.n++] = index;
  }

  /** Time of the next one; Infinity where there is none. */
  get head(): number {
    return this.next < this.n ? (this.times[this.next] as number) : Number.POSITIVE_INFINITY;
  }

  /** Moves those before `limit` into the list, with those at it where `inclusive`. */
  moveTo(rows: FoundRows, source: number, limit: number, inclusive: boolean): void {
    const { times, indexes, n } = this;
    let { next } = this;
    for (; next < n; next++) {
      const time = times[next] as number;
      if (time >= limit && !(inclusive && time === limit)) break;
      rows.push(time, indexes[next] as number, source);
    }
    this.next = next < n ? next : 0;
    if (next === n) this.n = 0;
  }

  #makeRoom(): void {
    const { times, indexes, next, n } = this;
    const room = (n - next) * 2 > times.length ? times.length * 2 : times.length;
    this.times = new Float64Array(room);
    this.indexes = new Float64Array(room);
    this.times.set(times.subarray(next, n));
    this.indexes.set(indexes.subarray(next, n));
    this.n = n - next;
    this.next = 0;
  }
}

/** One chunk to scan, from its event `from` on. `key`: none of its events, nor of the CPU's later ones, sorts before it. */
interface Task {
  source: Source;
  info: ChunkInfo;
  from: number;
  key: number;
}

/**
 * The events that pass a filter, in the list's order, while they are being found: chunks are scanned in the order of time
 * over all CPUs, so that what is found is the final beginning of the list at every moment. Starts by itself.
 */
export class FilteredList {
  readonly #trace: Trace;
  readonly #filter: Filter;
  readonly #sources: Source[] = [];
  readonly #testsOf = new Map<TraceStream, Tests>();
  readonly #space = new SelectionSpace();
  #tasks: Task[] = [];
  readonly #rows = new FoundRows();
  #forgotten = 0;
  complete = false;
  /** Events behind the scan, and in all. */
  scanned = 0;
  total = 0;
  #error: unknown = null;
  #waiting = 0;
  #aloneSince = performance.now();
  #listeners: (() => void)[] = [];

  constructor(trace: Trace, filter: Filter) {
    this.#trace = trace;
    this.#filter = filter;
    this.#plan();
    void this.#run();
  }

  /** Where the trace has grown, what was added is scanned and takes its places in the list. Does nothing while a scan runs. */
  grow(): void {
    if (!this.complete || this.#error !== null) return;
    const from = this.#plan();
    if (this.#tasks.length === 0) return;
    this.#takeBack(from);
    this.complete = false;
    this.#aloneSince = performance.now();
    void this.#run();
  }

  /** Ends the scan; whoever waits for it is told that it was cancelled. */
  stop(): void {
    this.#error ??= cancelled();
    this.#tell();
  }

  /** What is there and was not planned yet becomes the tasks, in the order of time. Returns the time of the first. */
  #plan(): number {
    this.#tasks = [];
    for (const stream of this.#trace.streams) {
      for (const cpu of stream.cpus) {
        const source = this.#sourceOf(stream, cpu);
        let first = cpu.chunks.length;
        while (first > 0 && endOf(cpu.chunks[first - 1] as ChunkInfo) > source.planned) first--;
        for (const info of cpu.chunks.slice(first)) {
          const from = Math.max(0, source.planned - info.firstIndex);
          const startNs = from === 0 ? info.fromNs : (this.#trace.chunks.get(info).sortTime[from] as number);
          this.#tasks.push({ source, info, from, key: Math.max(startNs, info.floorNs) + stream.offsetNs });
          source.planned = endOf(info);
          this.total += info.count - from;
        }
      }
    }
    // Stable, and keys ascend within a CPU: each CPU's chunks stay in their order.
    this.#tasks.sort((a, b) => a.key - b.key);
    return this.#tasks[0]?.key ?? Number.POSITIVE_INFINITY;
  }

  #sourceOf(stream: TraceStream, cpu: TraceCpu): Source {
    const known = this.#sources.find((source) => source.cpu === cpu);
    if (known !== undefined) return known;
    let tests = this.#testsOf.get(stream);
    if (tests === undefined) {
      tests = testsOf(this.#trace, stream, this.#filter);
      this.#testsOf.set(stream, tests);
    }
    const reader = new EventReader(this.#trace, stream, cpu);
    const source = { stream, cpu, reader, tests, planned: 0, found: new Found() };
    this.#sources.push(source);
    return source;
  }

  /** Rows from a time on leave the list and wait to be merged again: others may come between them. */
  #takeBack(from: number): void {
    const first = this.#rows.firstFrom(from);
    for (let row = first; row < this.n; row++) {
      const source = this.#sources[this.#rows.source(row)] as Source;
      source.found.add(this.timeOf(row), this.#rows.index(row));
    }
    this.#rows.n = first;
  }

  /** Row behind the last that was found so far. */
  get n(): number {
    return this.#rows.n;
  }

  /** First row that is there: those before were given up with their events. */
  get firstRow(): number {
    return this.#rows.first;
  }

  get bytes(): number {
    return this.#rows.bytes;
  }

  /** Gives up the rows whose events a flight recorder has given up. Rows that stay keep their numbers, from the first that all keep. */
  forget(): void {
    const gone = this.#sources.reduce((sum, { cpu }) => sum + cpu.dropped, 0);
    if (gone === this.#forgotten) return;
    this.#forgotten = gone;
    // From here on nothing was given up, on any CPU.
    const kept = this.#sources.map(({ cpu, stream }) => {
      const first = cpu.chunks[0];
      return first === undefined
        ? Number.POSITIVE_INFINITY
        : Math.max(first.fromNs, first.floorNs + 1) + stream.offsetNs;
    });
    this.#rows.forget(this.#rows.firstFrom(Math.max(...kept)), (index, source) => {
      const { cpu } = this.#sources[source] as Source;
      return index < cpu.dropped;
    });
  }

  get failed(): boolean {
    return this.#error !== null;
  }

  /** Until all is scanned, or `enough` says so. Throws what the scan throws, or `cancelled` by the caller's signal. */
  async wait(
    signal: AbortSignal,
    enough: () => boolean = () => false,
    onProgress?: (progress: Progress) => void,
  ): Promise<void> {
    this.#waiting++;
    try {
      while (!this.complete && this.#error === null && !enough()) {
        if (signal.aborted) throw cancelled();
        onProgress?.({ stage: 'Filtering', unit: 'events', done: this.scanned, total: this.total, events: this.n });
        await new Promise<void>((resolve) => this.#listeners.push(resolve));
      }
      if (this.#error !== null) throw this.#error;
    } finally {
      this.#waiting--;
      this.#aloneSince = performance.now();
    }
  }

  async #run(): Promise<void> {
    try {
      let turn = performance.now();
      for (let k = 0; k < this.#tasks.length; k++) {
        if (this.#error !== null) return;
        const { source, info, from } = this.#tasks[k] as Task;
        if (info.firstIndex >= source.cpu.dropped) this.#scanChunk(source, info, from);
        this.scanned += info.count - from;
        this.#merge(k + 1 < this.#tasks.length ? (this.#tasks[k + 1] as Task).key : Number.POSITIVE_INFINITY);
        if (performance.now() - turn < TURN_MS) continue;
        this.#tell();
        await new Promise(setImmediate);
        turn = performance.now();
        if (this.#waiting === 0 && turn - this.#aloneSince > ABANDONED_AFTER_MS) {
          throw cancelled();
        }
      }
      this.complete = true;
    } catch (error) {
      this.#error = error;
    }
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners.splice(0)) listener();
  }

  #scanChunk(source: Source, info: ChunkInfo, from: number): void {
    const { stream, reader } = source;
    const wanted = wantedOf(source, info);
    if (wanted.size === 0) return;
    const [[id, test]] = wanted as unknown as [[number, true | CompiledFilter]];
    if (wanted.size === 1 && info.ordered) {
      this.#scanKind(source, info, from, id, test);
      return;
    }
    const chunk = this.#trace.chunks.get(info);
    for (let i = from; i < info.count; i++) {
      const id = chunk.id[i] as number;
      const test = wanted.get(id);
      if (test === undefined) continue;
      if (test !== true) {
        const timeNs = (chunk.time[i] as number) + stream.offsetNs;
        reader.place(id, chunk.pid[i] as number, timeNs, positionOf(info, chunk, i));
        if (!test.test(reader)) continue;
      }
      source.found.add((chunk.sortTime[i] as number) + stream.offsetNs, info.firstIndex + i);
    }
  }

  /** The same for one kind: the others are not decoded, and what is takes no memory of its own. */
  #scanKind(
    { stream, reader, found }: Source,
    info: ChunkInfo,
    from: number,
    id: number,
    test: true | CompiledFilter,
  ): void {
    const { n, at, time, pid, position } = this.#trace.chunks.select(info, id, this.#space);
    reader.expect(position, info.basePosition);
    for (let i = lowerBound(at, from, 0, n); i < n; i++) {
      const timeNs = (time[i] as number) + stream.offsetNs;
      if (test !== true) {
        reader.place(id, pid[i] as number, timeNs, info.basePosition + (position[i] as number));
        if (!test.test(reader)) continue;
      }
      found.add(timeNs, info.firstIndex + (at[i] as number));
    }
  }

  /** Takes over what sorts before `frontier`; ties go by stream and CPU, as in the whole list. */
  #merge(frontier: number): void {
    const rows = this.#rows;
    for (;;) {
      let chosen = -1;
      let best = frontier;
      /** Up to where the chosen one goes on without any other between. */
      let limit = frontier;
      for (let s = 0; s < this.#sources.length; s++) {
        const { head } = (this.#sources[s] as Source).found;
        if (head < best) {
          limit = best;
          best = head;
          chosen = s;
        } else if (head < limit) limit = head;
      }
      if (chosen < 0) break;
      // Where another has the same time, the chosen one has all of its own with that time first.
      (this.#sources[chosen] as Source).found.moveTo(rows, chosen, limit, limit === best);
    }
  }

  timeOf(row: number): number {
    return this.#rows.time(row);
  }

  refOf(row: number): EventRef {
    const { stream, cpu } = this.#sources[this.#rows.source(row)] as Source;
    return { stream: stream.info.index, cpu: cpu.cpu, index: this.#rows.index(row) };
  }

  /** Counts matches per CPU and bucket: `buckets` of `resolutionNs` from `fromNs`. CPUs without a match have no entry. */
  density(fromNs: number, resolutionNs: number, buckets: number): Map<TraceCpu, Uint32Array> {
    const counts = new Map<TraceCpu, Uint32Array>();
    const bySource: (Uint32Array | undefined)[] = [];
    this.forget();
    const end = this.#rows.firstFrom(fromNs + resolutionNs * buckets);
    for (let row = this.#rows.firstFrom(fromNs); row < end; row++) {
      const s = this.#rows.source(row);
      let own = bySource[s];
      if (own === undefined) {
        own = new Uint32Array(buckets);
        bySource[s] = own;
        counts.set((this.#sources[s] as Source).cpu, own);
      }
      const bucket = Math.floor((this.timeOf(row) - fromNs) / resolutionNs);
      own[bucket] = (own[bucket] as number) + 1;
    }
    return counts;
  }

  /** Row of an event, or of the first match at or after its time. */
  rowAt(timeNs: number, event: { cpu: TraceCpu; index: number } | null): number {
    const first = this.#rows.firstFrom(timeNs);
    if (event === null) return first;
    for (let row = first; row < this.n && this.timeOf(row) <= timeNs; row++) {
      if ((this.#sources[this.#rows.source(row)] as Source).cpu === event.cpu && this.#rows.index(row) === event.index)
        return row;
    }
    return first;
  }
}

/** The filtered lists of a workspace; those used last are kept. A scan goes on as long as somebody waits for it. */
export class FilteredLists {
  readonly #trace: Trace;
  readonly #lists = new ByteBudgetCache<string, FilteredList>(MOST_LISTS, () => 1);

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  /** Throws RemoraError `bad-expression`. */
  get(text: string): FilteredList {
    const make = (): FilteredList => new FilteredList(this.#trace, filterOf(this.#trace, text));
    const list = this.#lists.get(text, make);
    this.#dropOthers(list);
    list.grow();
    if (!list.failed) return list;
    // It was given up when nobody waited: it starts again.
    this.#lists.delete(text);
    return this.#lists.get(text, make);
  }

  /** Lists that were used longest ago go, until the budget holds all; the one that is asked for stays, however long. */
  #dropOthers(asked: FilteredList): void {
    let bytes = [...this.#lists.entries()].reduce((sum, [, list]) => sum + list.bytes, 0);
    for (const [text, list] of this.#lists.entries()) {
      if (bytes <= this.#trace.budgets.lists) return;
      if (list === asked || !list.complete) continue;
      this.#lists.delete(text);
      bytes -= list.bytes;
    }
  }

  stop(): void {
    for (const list of this.#lists.values()) list.stop();
  }
}

const endOf = (info: ChunkInfo): number => info.firstIndex + info.count;

type Tests = Map<number, { compiled: true | CompiledFilter; bounds: Prefilter }>;

/** The filter compiled for every event type of a stream that it can let pass, by kernel id. */
function testsOf(trace: Trace, stream: TraceStream, filter: Filter): Tests {
  const tests: Tests = new Map();
  const context = { originNs: trace.originNs };
  stream.recording.typeOfId.forEach((type, id) => {
    const info = trace.eventTypes[type];
    if (info === undefined) return;
    const shape = shapeOf(info);
    const compiled = compileFilter(filter, shape, context);
    if (compiled !== false) tests.set(id, { compiled, bounds: prefilter(filter, shape, context) });
  });
  return tests;
}

/** The kinds of event in a chunk that can pass, with their tests: a chunk without any is not read. */
function wantedOf({ stream, cpu, tests }: Source, info: ChunkInfo): Map<number, true | CompiledFilter> {
  const wanted = new Map<number, true | CompiledFilter>();
  for (let i = 0; i < info.events.length; i += 2) {
    const id = info.events[i] as number;
    const test = tests.get(id);
    if (test === undefined) continue;
    const { cpus, times } = test.bounds;
    const inTime = overlaps(times, info.fromNs + stream.offsetNs, info.toNs + stream.offsetNs);
    if (inTime && contains(cpus, cpu.cpu)) wanted.set(id, test.compiled);
  }
  return wanted;
}
