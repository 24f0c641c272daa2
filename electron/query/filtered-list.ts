import { RemoraError } from '../../shared/errors.ts';
import type { Filter } from '../../shared/filter/ast.ts';
import { type CompiledFilter, compileFilter } from '../../shared/filter/compile.ts';
import type { FieldReader } from '../../shared/filter/evaluate.ts';
import { contains, overlaps } from '../../shared/filter/intervals.ts';
import { type Prefilter, prefilter } from '../../shared/filter/prefilter.ts';
import type { EventRef } from '../../shared/model.ts';
import { bigintReader, isNumeric, numberReader, textReader } from '../parse/field-access.ts';
import { ByteBudgetCache } from './byte-budget-cache.ts';
import { cgroupFieldOf } from './groups.ts';
import { PayloadReader, positionOf } from './payload.ts';
import { parseFilterOrThrow, shapeOf } from './sample-filter.ts';
import { lowerBound, type Trace, type TraceCpu, type TraceStream } from './trace.ts';

const LISTS_BUDGET_BYTES = 128 * 1024 * 1024;
const BLOCK_BYTES = 1 << 18;

/** The events that pass a filter, in the list's order. */
export interface FilteredList {
  n: number;
  timeOf(row: number): number;
  refOf(row: number): EventRef;
  /** Counts matches per CPU and bucket: `buckets` of `resolutionNs` from `fromNs`. CPUs without a match have no entry. */
  density(fromNs: number, resolutionNs: number, buckets: number): Map<TraceCpu, Uint32Array>;
  /** Row of an event, or of the first match at or after its time. */
  rowAt(timeNs: number, event: { cpu: TraceCpu; index: number } | null): number;
}

/** Builds and keeps filtered lists; a scan gives the event loop a turn after every chunk and can be cancelled. */
export class FilteredLists {
  readonly #trace: Trace;
  readonly #lists = new ByteBudgetCache<string, Promise<FilteredList>>(
    LISTS_BUDGET_BYTES,
    () => LISTS_BUDGET_BYTES / 8,
  );

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  async get(text: string, signal: AbortSignal): Promise<FilteredList> {
    // A scan that was cancelled by one caller starts again for the next.
    for (;;) {
      const list = this.#lists.get(text, () => scan(this.#trace, parseFilterOrThrow(text), signal));
      try {
        return await list;
      } catch (error) {
        this.#lists.delete(text);
        if (signal.aborted || !(error instanceof RemoraError) || error.code !== 'cancelled') throw error;
      }
    }
  }
}

interface Matches {
  stream: TraceStream;
  cpu: TraceCpu;
  time: Float64Array;
  index: Float64Array;
}

async function scan(trace: Trace, filter: Filter, signal: AbortSignal): Promise<FilteredList> {
  const perCpu: Matches[] = [];
  for (const stream of trace.streams) {
    const tests = testsOf(trace, stream, filter);
    for (const cpu of stream.cpus) perCpu.push(await scanCpu(trace, stream, cpu, tests, signal));
  }
  return merged(perCpu);
}

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

async function scanCpu(
  trace: Trace,
  stream: TraceStream,
  cpu: TraceCpu,
  tests: Tests,
  signal: AbortSignal,
): Promise<Matches> {
  const times: number[] = [];
  const indexes: number[] = [];
  const event = new EventReader(trace, stream, cpu);
  for (const info of cpu.chunks) {
    if (signal.aborted) throw new RemoraError({ code: 'cancelled', message: 'the filter was cancelled' });
    const wanted = new Map<number, true | CompiledFilter>();
    for (let i = 0; i < info.events.length; i += 2) {
      const id = info.events[i] as number;
      const test = tests.get(id);
      if (test === undefined) continue;
      const { cpus, times: range } = test.bounds;
      if (contains(cpus, cpu.cpu) && overlaps(range, info.fromNs + stream.offsetNs, info.toNs + stream.offsetNs))
        wanted.set(id, test.compiled);
    }
    if (wanted.size === 0) continue;
    const chunk = trace.chunks.get(info);
    for (let i = 0; i < chunk.count; i++) {
      const id = chunk.id[i] as number;
      const test = wanted.get(id);
      if (test === undefined) continue;
      if (test !== true) {
        event.place(
          id,
          chunk.pid[i] as number,
          (chunk.time[i] as number) + stream.offsetNs,
          positionOf(info, chunk, i),
        );
        if (!test.test(event)) continue;
      }
      times.push((chunk.sortTime[i] as number) + stream.offsetNs);
      indexes.push(info.firstIndex + i);
    }
    await new Promise(setImmediate);
  }
  return { stream, cpu, time: Float64Array.from(times), index: Float64Array.from(indexes) };
}

/** Merges per-CPU matches by time; ties by stream and CPU, as in the whole list. */
function merged(perCpu: Matches[]): FilteredList {
  const n = perCpu.reduce((sum, { time }) => sum + time.length, 0);
  const time = new Float64Array(n);
  const index = new Float64Array(n);
  const source = new Uint16Array(n);
  const next = perCpu.map(() => 0);
  for (let row = 0; row < n; row++) {
    let chosen = -1;
    let best = Number.POSITIVE_INFINITY;
    for (let s = 0; s < perCpu.length; s++) {
      const at = (perCpu[s] as Matches).time[next[s] as number];
      if (at !== undefined && (chosen < 0 || at < best)) {
        best = at;
        chosen = s;
      }
    }
    const k = next[chosen] as number;
    time[row] = best;
    index[row] = (perCpu[chosen] as Matches).index[k] as number;
    source[row] = chosen;
    next[chosen] = k + 1;
  }
  return {
    n,
    timeOf: (row) => time[row] as number,
    refOf: (row) => {
      const { stream, cpu } = perCpu[source[row] as number] as Matches;
      return { stream: stream.info.index, cpu: cpu.cpu, index: index[row] as number };
    },
    density(fromNs, resolutionNs, buckets) {
      const counts = new Map<TraceCpu, Uint32Array>();
      const bySource = perCpu.map(() => null as Uint32Array | null);
      const end = lowerBound(time, fromNs + resolutionNs * buckets);
      for (let row = lowerBound(time, fromNs); row < end; row++) {
        const s = source[row] as number;
        let own = bySource[s];
        if (own === null || own === undefined) {
          own = new Uint32Array(buckets);
          bySource[s] = own;
          counts.set((perCpu[s] as Matches).cpu, own);
        }
        const bucket = Math.floor(((time[row] as number) - fromNs) / resolutionNs);
        own[bucket] = (own[bucket] as number) + 1;
      }
      return counts;
    },
    rowAt(timeNs, event) {
      const first = lowerBound(time, timeNs);
      if (event === null) return first;
      for (let row = first; row < n && (time[row] as number) <= timeNs; row++) {
        if ((perCpu[source[row] as number] as Matches).cpu === event.cpu && index[row] === event.index) return row;
      }
      return first;
    },
  };
}

/** Reads the fields that a filter asks for from one record at a time, decoding only those. */
class EventReader implements FieldReader {
  readonly #trace: Trace;
  readonly #stream: TraceStream;
  readonly #cpu: TraceCpu;
  readonly #payloads: PayloadReader;
  readonly #numbers = new Map<string, (view: DataView, at: number, end: number) => number>();
  readonly #texts = new Map<string, (view: DataView, at: number, end: number) => string>();
  #id = 0;
  #pid = 0;
  #timeNs = 0;
  #position = 0;

  constructor(trace: Trace, stream: TraceStream, cpu: TraceCpu) {
    this.#trace = trace;
    this.#stream = stream;
    this.#cpu = cpu;
    this.#payloads = new PayloadReader(stream, cpu, BLOCK_BYTES);
  }

  place(id: number, pid: number, timeNs: number, position: number): void {
    this.#id = id;
    this.#pid = pid;
    this.#timeNs = timeNs;
    this.#position = position;
  }

  get #type() {
    return this.#trace.eventTypes[this.#stream.recording.typeOfId[this.#id] as number];
  }
  get #cgroupField(): string | null {
    return this.#type === undefined ? null : cgroupFieldOf(this.#type);
  }

  number(field: string): number {
    switch (field) {
      case '$cpu':
        return this.#cpu.cpu;
      case '$pid':
        return this.#pid;
      case '$time':
        return this.#timeNs;
      case '$cgroup':
        return this.#cgroupField === 'cgroup_ino' ? this.number('cgroup_ino') : Number.NaN;
    }
    const key = `${this.#id}.${field}`;
    let read = this.#numbers.get(key);
    if (read === undefined) {
      const format = this.#stream.recording.formatOfId.get(this.#id)?.fields.find(({ name }) => name === field);
      read =
        format !== undefined && isNumeric(format) && !format.isArray
          ? numberReader(format, this.#stream.layout.abi)
          : () => Number.NaN;
      this.#numbers.set(key, read);
    }
    const { view, at, length } = this.#payloads.read(this.#position);
    return read(view, at, at + length);
  }

  text(field: string): string {
    switch (field) {
      case '$cpu':
      case '$pid':
      case '$time':
        return String(this.number(field));
      case '$task':
        return this.#stream.recording.commOf(this.#pid);
      case '$event':
        return this.#type?.name ?? '';
      case '$system':
        return this.#type?.system ?? '';
      case '$info': {
        const { view, at, length } = this.#payloads.read(this.#position);
        return this.#stream.recording.printer.info(this.#id, view, at, length);
      }
      case '$cgroup': {
        const name = this.#cgroupField;
        return name === null ? '' : this.#trace.cgroupLabel(this.text(name));
      }
    }
    const key = `${this.#id}.${field}`;
    let read = this.#texts.get(key);
    if (read === undefined) {
      const format = this.#stream.recording.formatOfId.get(this.#id)?.fields.find(({ name }) => name === field);
      const { abi } = this.#stream.layout;
      if (format === undefined) read = () => '';
      else if (isNumeric(format) && !format.isArray) {
        const exact = bigintReader(format, abi);
        read = (view, at, end) => exact(view, at, end)?.toString() ?? '';
      } else read = textReader(format, abi);
      this.#texts.set(key, read);
    }
    const { view, at, length } = this.#payloads.read(this.#position);
    return read(view, at, at + length);
  }
}
