import type { LaneSlices, Progress } from '../../shared/api.ts';
import { type RunSlices, ScheduleRun, type SwitchColumns } from '../derive/schedule.ts';
import { numberReader } from '../parse/field-access.ts';
import { SelectionSpace } from '../store/chunk-selection.ts';
import type { ChunkInfo } from '../store/workspace-store.ts';
import { ByteBudgetCache } from './byte-budget-cache.ts';
import { PayloadReader } from './payload.ts';
import { reduceSlices } from './reduced-slices.ts';
import { type PrepareOptions, SharedWork } from './shared-work.ts';
import { SlicePyramid } from './slice-pyramid.ts';
import { countInChunk, switchId, type Trace, type TraceCpu, type TraceStream } from './trace.ts';

/** What a slice takes in memory when it is kept. */
const SLICE_BYTES = 20;
/** Switches in a window, over all CPUs, up to which its slices are made of the chunks around it; beyond, of the pyramid. */
export const MOST_IN_WINDOW = 4_000_000;
const BLOCK_BYTES = 1 << 18;
/** Chunks are read for about this long between two turns of the event loop. */
const TURN_MS = 8;
/** The coarsest level of the pyramid has about as many buckets as this for the whole recording. */
const COARSEST_BUCKETS = 64;
/** Levels together take twice what the finest takes, which has at most two entries of 25 bytes a bucket. */
const BUCKET_BYTES = 100;

/**
 * Slices of recordings that have more of them than may be kept: narrow windows are put together from the chunks around them,
 * wide ones come from a pyramid, which one pass over all switches builds, once and in turns (`prepare`); when it is there, all come
 * from it that are as coarse as one of its levels.
 */
export class LargeLanes {
  readonly #trace: Trace;
  readonly #switches: ByteBudgetCache<string, SwitchColumns>;
  readonly #space = new SelectionSpace();
  readonly #most: number;
  #pyramids: Map<TraceCpu, SlicePyramid> | null = null;
  readonly #building = new SharedWork((turn, onProgress) => this.#build(turn, onProgress));

  /** `most`: for tests. */
  constructor(trace: Trace, most = MOST_IN_WINDOW) {
    this.#trace = trace;
    this.#most = most;
    this.#switches = new ByteBudgetCache(trace.budgets.slices, ({ n }) => 64 + n * 16);
  }

  static isNeededFor(trace: Trace): boolean {
    const switches = trace.streams.reduce(
      (sum, stream) => sum + switchesIn(stream, Number.NEGATIVE_INFINITY, Infinity),
      0,
    );
    return switches * SLICE_BYTES > trace.budgets.slices;
  }

  /** Until `slices` can answer for the window. Throws `cancelled`. */
  async prepare(from: number, to: number, options: PrepareOptions): Promise<void> {
    if (this.#pyramids !== null || !this.#isWide(from, to)) return;
    this.#pyramids = await this.#building.wait(options);
  }

  /** Null where the stream records no sched_switch on the CPU, and for a wide window that is not prepared. */
  slices(stream: TraceStream, cpu: TraceCpu, from: number, to: number, resolutionNs: number): LaneSlices | null {
    const pyramid = this.#pyramids?.get(cpu);
    // Where it is there it answers what it has exactly: a tenth of a recording may be a million switches, which are looked at for each window.
    if (pyramid?.has(resolutionNs) || this.#isWide(from, to)) return pyramid?.window(from, to, resolutionNs) ?? null;
    const around = this.#around(stream, cpu, from, to);
    return around && reduceSlices(around, from, to, resolutionNs);
  }

  #isWide(from: number, to: number): boolean {
    return this.#trace.streams.reduce((sum, stream) => sum + switchesIn(stream, from, to), 0) > this.#most;
  }

  /** Slices of a CPU that are exact within a window. */
  #around(stream: TraceStream, cpu: TraceCpu, from: number, to: number): RunSlices | null {
    const id = switchId(stream);
    const { chunks } = cpu;
    if (!chunks.some((info) => countInChunk(info, id) > 0)) return null;
    // From a chunk before the window that says who ran at its beginning, to one behind that says until when.
    let first = 0;
    let last = chunks.length - 1;
    for (let k = 0; k < chunks.length; k++) {
      const info = chunks[k] as ChunkInfo;
      if (info.toNs + stream.offsetNs < from && countInChunk(info, id) > 0) first = k;
    }
    for (let k = chunks.length - 1; k >= first; k--) {
      const info = chunks[k] as ChunkInfo;
      if (info.fromNs + stream.offsetNs > to && countInChunk(info, id) > 0) last = k;
    }
    const parts = chunks
      .slice(first, last + 1)
      .map((info) => this.#switches.get(`${cpu.stream} ${info.id}`, () => this.#decode(stream, cpu, info, id)));
    const startNs = (chunks[first] as ChunkInfo).fromNs + stream.offsetNs;
    const end = chunks[last] as ChunkInfo;
    const endNs = Math.max(end.toNs, end.floorNs) + stream.offsetNs;
    const lost = lostOf(stream, cpu).filter((ns) => ns >= startNs && ns <= endNs);
    // Every switch ends one slice, or two where one is missing.
    const most = 2 * parts.reduce((sum, { n }) => sum + n, 1) + lost.length;
    const slices: RunSlices = {
      n: 0,
      from: new Float64Array(most),
      to: new Float64Array(most),
      pid: new Int32Array(most),
    };
    const run = new ScheduleRun(startNs, lost, (pid, a, b) => {
      slices.from[slices.n] = a;
      slices.to[slices.n] = b;
      slices.pid[slices.n] = pid;
      slices.n++;
    });
    for (const part of parts) run.take(part);
    run.end(endNs);
    return slices;
  }

  async #build(
    nextTurn: () => Promise<void>,
    onProgress: (progress: Progress) => void,
  ): Promise<Map<TraceCpu, SlicePyramid>> {
    const { streams, durationNs, budgets } = this.#trace;
    const lanes = streams.reduce((sum, { cpus }) => sum + cpus.length, 0);
    const buckets = Math.max(COARSEST_BUCKETS, budgets.levels / BUCKET_BYTES / Math.max(1, lanes));
    const finest = Math.max(0, Math.ceil(Math.log2(Math.max(1, durationNs) / buckets)));
    const coarsest = Math.max(finest, Math.ceil(Math.log2(Math.max(1, durationNs) / COARSEST_BUCKETS)));
    const total = streams.reduce((sum, stream) => sum + switchesIn(stream, Number.NEGATIVE_INFINITY, Infinity), 0);
    const pyramids = new Map<TraceCpu, SlicePyramid>();
    let done = 0;
    let turn = performance.now();
    for (const stream of streams) {
      const id = switchId(stream);
      for (const cpu of stream.cpus) {
        if (!cpu.chunks.some((info) => countInChunk(info, id) > 0)) continue;
        const pyramid = new SlicePyramid(2 ** finest, coarsest - finest + 1);
        const run = new ScheduleRun(
          (cpu.chunks[0] as ChunkInfo).fromNs + stream.offsetNs,
          lostOf(stream, cpu),
          (pid, from, to) => pyramid.add(from, to, pid),
        );
        const reader = new PayloadReader(stream, cpu, BLOCK_BYTES);
        for (const info of cpu.chunks) {
          if (countInChunk(info, id) === 0) continue;
          const switches = this.#decode(stream, cpu, info, id, reader);
          run.take(switches);
          done += switches.n;
          if (performance.now() - turn < TURN_MS) continue;
          onProgress({ stage: 'Reading who ran', unit: 'events', done, total });
          await nextTurn();
          turn = performance.now();
        }
        const last = cpu.chunks.at(-1) as ChunkInfo;
        run.end(Math.max(last.toNs, last.floorNs) + stream.offsetNs);
        pyramid.end();
        pyramids.set(cpu, pyramid);
      }
    }
    return pyramids;
  }

  #decode(
    stream: TraceStream,
    cpu: TraceCpu,
    info: ChunkInfo,
    id: number,
    reader = new PayloadReader(stream, cpu, BLOCK_BYTES),
  ): SwitchColumns {
    const { n, time, position } = this.#trace.chunks.select(info, id, this.#space);
    const fields = stream.recording.formatOfId.get(id)?.fields ?? [];
    const read = (name: string) => {
      const field = fields.find((candidate) => candidate.name === name);
      return field === undefined ? () => 0 : numberReader(field, stream.layout.abi);
    };
    const [prev, next] = [read('prev_pid'), read('next_pid')];
    const switches = { n, time: new Float64Array(n), prevPid: new Int32Array(n), nextPid: new Int32Array(n) };
    reader.expect(position, info.basePosition);
    for (let k = 0; k < n; k++) {
      const { view, at, length } = reader.read(info.basePosition + (position[k] as number));
      switches.time[k] = (time[k] as number) + stream.offsetNs;
      switches.prevPid[k] = prev(view, at, at + length);
      switches.nextPid[k] = next(view, at, at + length);
    }
    return switches;
  }
}

const lostOf = (stream: TraceStream, cpu: TraceCpu): number[] => cpu.lost.map(({ atNs }) => atNs + stream.offsetNs);

/** Switches of a stream's chunks that touch a window. */
function switchesIn(stream: TraceStream, from: number, to: number): number {
  const id = switchId(stream);
  let sum = 0;
  for (const { chunks } of stream.cpus)
    for (const info of chunks)
      if (info.toNs + stream.offsetNs >= from && info.fromNs + stream.offsetNs < to) sum += countInChunk(info, id);
  return sum;
}
