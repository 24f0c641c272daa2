import type { CpuLane, LaneSlices, LanesResult } from '../../shared/api.ts';
import { type RunSlices, runSlices } from '../derive/schedule.ts';
import { ByteBudgetCache } from './byte-budget-cache.ts';
import type { FilteredList } from './filtered-list.ts';
import { LargeLanes } from './large-lanes.ts';
import { coarserDensity, type DensityLevel, densityWindow, isLevel, wholeBuckets } from './levels.ts';
import { ReducedSlices } from './reduced-slices.ts';
import type { Samples } from './samples.ts';
import type { PrepareOptions } from './shared-work.ts';
import { lostIn, lowerBound, type Trace, type TraceCpu, type TraceStream } from './trace.ts';

/** Buckets of the finest density level, over all CPUs: finer windows hold few enough events to be counted. */
const MOST_BUCKETS = 1 << 21;

/** Lanes of a window at a resolution: who ran and how many events, per CPU. */
export class Lanes {
  readonly #trace: Trace;
  readonly #samples: Samples;
  readonly #finestNs: number;
  readonly #slices: ByteBudgetCache<TraceCpu, RunSlices | null>;
  readonly #reduced: ReducedSlices;
  readonly #densityLevels: ByteBudgetCache<string, DensityLevel>;
  /** Where there are more slices than may be kept. */
  readonly #large: LargeLanes | null;

  constructor(trace: Trace, samples: Samples) {
    this.#trace = trace;
    this.#samples = samples;
    const { slices, levels } = trace.budgets;
    this.#large = LargeLanes.isNeededFor(trace) ? new LargeLanes(trace) : null;
    this.#slices = new ByteBudgetCache(slices, (lane) => (lane === null ? 0 : lane.from.length * 20));
    this.#reduced = new ReducedSlices(levels / 2);
    this.#densityLevels = new ByteBudgetCache(levels / 2, ({ counts }) => counts.byteLength);
    const lanes = trace.streams.reduce((sum, { cpus }) => sum + cpus.length, 0);
    const perCpu = Math.max(1 << 14, Math.min(1 << 18, MOST_BUCKETS / Math.max(1, lanes)));
    this.#finestNs = 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(1, trace.durationNs) / perCpu)));
  }

  /** Until `window` has all that it needs: what takes long is done in turns. Throws `cancelled`. */
  async prepare(fromNs: number, toNs: number, options: PrepareOptions): Promise<void> {
    await this.#large?.prepare(fromNs, toNs, options);
  }

  /**
   * The window is widened to whole buckets of `resolutionNs`, so that neighbouring answers line up. With a `filter`, the
   * density is of what passes; slices stay what they are. `wanted`: whether slices are.
   */
  window(
    fromNs: number,
    toNs: number,
    resolutionNs: number,
    filter: FilteredList | null = null,
    wanted = true,
  ): LanesResult {
    const { from, to, buckets } = wholeBuckets(fromNs, toNs, resolutionNs);
    const comms: Record<number, string> = {};
    const lanes: CpuLane[] = [];
    const passing = filter?.density(from, resolutionNs, buckets);
    for (const stream of this.#trace.streams) {
      for (const cpu of stream.cpus) {
        const slices = !wanted ? null : this.#sliceWindow(stream, cpu, from, to, resolutionNs);
        if (slices !== null) for (const pid of slices.pid) comms[pid] ??= stream.recording.commOf(pid);
        lanes.push({
          stream: stream.info.index,
          cpu: cpu.cpu,
          slices,
          density:
            passing === undefined
              ? this.#densityWindow(stream, cpu, from, resolutionNs, buckets)
              : (passing.get(cpu) ?? new Uint32Array(buckets)),
          lost: lostIn(stream, cpu, from, to),
        });
      }
    }
    return { fromNs: from, toNs: to, resolutionNs, lanes, comms };
  }

  #sliceWindow(stream: TraceStream, cpu: TraceCpu, from: number, to: number, resolutionNs: number): LaneSlices | null {
    if (this.#large !== null) return this.#large.slices(stream, cpu, from, to, resolutionNs);
    const all = this.slicesOf(stream, cpu);
    return all && this.#reduced.window(`${stream.info.index}:${cpu.cpu}`, all, from, to, resolutionNs);
  }

  #densityWindow(stream: TraceStream, cpu: TraceCpu, from: number, resolutionNs: number, buckets: number): Uint32Array {
    if (!isLevel(resolutionNs) || resolutionNs < this.#finestNs) {
      return eventDensity(this.#trace, stream, cpu, from, resolutionNs, buckets);
    }
    return densityWindow(this.#densityLevel(stream, cpu, resolutionNs), from, buckets);
  }

  #densityLevel(stream: TraceStream, cpu: TraceCpu, resolutionNs: number): DensityLevel {
    return this.#densityLevels.get(`${stream.info.index}:${cpu.cpu}:${resolutionNs}`, () => {
      if (resolutionNs > this.#finestNs) return coarserDensity(this.#densityLevel(stream, cpu, resolutionNs / 2));
      const from = Math.min(0, ...cpu.chunks.map(({ fromNs }) => fromNs)) + stream.offsetNs;
      const to = Math.max(0, ...cpu.chunks.map(({ toNs }) => toNs)) + stream.offsetNs;
      const first = Math.floor(from / resolutionNs);
      const buckets = Math.floor(to / resolutionNs) - first + 1;
      const counts = eventDensity(this.#trace, stream, cpu, first * resolutionNs, resolutionNs, buckets);
      return { resolutionNs, first, counts };
    });
  }

  /** Slices of a CPU on the workspace axis; null where its stream records no sched_switch on it. Shared: not to be written to. */
  slicesOf(stream: TraceStream, cpu: TraceCpu): RunSlices | null {
    return this.#slices.get(cpu, () => {
      const type = this.#trace.eventTypes.find(({ system, name }) => system === 'sched' && name === 'sched_switch');
      if (type === undefined) return null;
      const samples = this.#samples.ofType(type.type);
      const n = samples.sources.reduce((sum, source) => sum + (source.cpu === cpu ? source.n : 0), 0);
      if (n === 0) return null;
      const prev = this.#samples.numbers(type.type, 'prev_pid');
      const next = this.#samples.numbers(type.type, 'next_pid');
      const switches = { n, time: new Float64Array(n), prevPid: new Int32Array(n), nextPid: new Int32Array(n) };
      for (let i = 0, k = 0; i < samples.n; i++) {
        if (samples.cpu[i] !== cpu.cpu || samples.stream[i] !== stream.info.index) continue;
        switches.time[k] = samples.time[i] as number;
        switches.prevPid[k] = prev[i] as number;
        switches.nextPid[k] = next[i] as number;
        k++;
      }
      const first = cpu.chunks[0];
      const last = cpu.chunks.at(-1);
      return runSlices(
        switches,
        (first?.fromNs ?? 0) + stream.offsetNs,
        Math.max(last?.toNs ?? 0, last?.floorNs ?? 0) + stream.offsetNs,
        cpu.lost.map(({ atNs }) => atNs + stream.offsetNs),
      );
    });
  }
}

/** Events of a CPU per bucket. Chunks that fall into one bucket are counted whole. */
export function eventDensity(
  trace: Trace,
  stream: TraceStream,
  cpu: TraceCpu,
  from: number,
  resolutionNs: number,
  buckets: number,
): Uint32Array {
  const density = new Uint32Array(buckets);
  const start = from - stream.offsetNs;
  const end = start + buckets * resolutionNs;
  for (const info of cpu.chunks) {
    if (info.toNs < start || info.fromNs >= end) continue;
    const firstBucket = Math.floor((info.fromNs - start) / resolutionNs);
    if (firstBucket >= 0 && firstBucket === Math.floor((info.toNs - start) / resolutionNs)) {
      density[firstBucket] = (density[firstBucket] as number) + info.count;
      continue;
    }
    const chunk = trace.chunks.get(info);
    const { time, ordered } = chunk;
    let i = ordered ? lowerBound(time, start) : 0;
    const stop = ordered ? lowerBound(time, end, i) : chunk.count;
    for (; i < stop; i++) {
      const bucket = Math.floor(((time[i] as number) - start) / resolutionNs);
      if (bucket >= 0 && bucket < buckets) density[bucket] = (density[bucket] as number) + 1;
    }
  }
  return density;
}
