import type { CpuLane, LaneSlices, LanesResult } from '../../shared/api.ts';
import { type RunSlices, runSlices } from '../derive/schedule.ts';
import { ByteBudgetCache } from './byte-budget-cache.ts';
import type { Samples } from './samples.ts';
import { lowerBound, type Trace, type TraceCpu, type TraceStream, upperBound } from './trace.ts';

const SLICES_BUDGET_BYTES = 256 * 1024 * 1024;

/** Lanes of a window at a resolution: who ran and how many events, per CPU. */
export class Lanes {
  readonly #trace: Trace;
  readonly #samples: Samples;
  readonly #slices = new ByteBudgetCache<TraceCpu, RunSlices | null>(SLICES_BUDGET_BYTES, (slices) =>
    slices === null ? 0 : slices.from.length * 20,
  );

  constructor(trace: Trace, samples: Samples) {
    this.#trace = trace;
    this.#samples = samples;
  }

  /** The window is widened to whole buckets of `resolutionNs`, so that neighbouring answers line up. */
  window(fromNs: number, toNs: number, resolutionNs: number): LanesResult {
    const from = Math.floor(fromNs / resolutionNs) * resolutionNs;
    const buckets = Math.max(1, Math.ceil((toNs - from) / resolutionNs));
    const to = from + buckets * resolutionNs;
    const comms: Record<number, string> = {};
    const lanes: CpuLane[] = [];
    for (const stream of this.#trace.streams) {
      for (const cpu of stream.cpus) {
        const all = this.#slicesOf(stream, cpu);
        const slices = all === null ? null : reduceSlices(all, from, to, resolutionNs);
        if (slices !== null) for (const pid of slices.pid) comms[pid] ??= stream.recording.commOf(pid);
        lanes.push({
          stream: stream.info.index,
          cpu: cpu.cpu,
          slices,
          density: eventDensity(this.#trace, stream, cpu, from, resolutionNs, buckets),
          lost: cpu.lost
            .map(({ atNs, count }) => ({ atNs: atNs + stream.offsetNs, count }))
            .filter(({ atNs }) => atNs >= from && atNs < to),
        });
      }
    }
    return { fromNs: from, toNs: to, resolutionNs, lanes, comms };
  }

  /** Slices of a CPU on the workspace axis; null where its stream records no sched_switch on it. */
  #slicesOf(stream: TraceStream, cpu: TraceCpu): RunSlices | null {
    return this.#slices.get(cpu, () => {
      const type = this.#trace.eventTypes.find(({ system, name }) => system === 'sched' && name === 'sched_switch');
      if (type === undefined) return null;
      const samples = this.#samples.ofType(type.type);
      const mine: number[] = [];
      for (let i = 0; i < samples.n; i++) {
        if (samples.cpu[i] === cpu.cpu && samples.stream[i] === stream.info.index) mine.push(i);
      }
      if (mine.length === 0) return null;
      const prev = this.#samples.numbers(type.type, 'prev_pid');
      const next = this.#samples.numbers(type.type, 'next_pid');
      const first = cpu.chunks[0];
      const last = cpu.chunks.at(-1);
      return runSlices(
        {
          n: mine.length,
          time: Float64Array.from(mine, (i) => samples.time[i] as number),
          prevPid: Int32Array.from(mine, (i) => prev[i] as number),
          nextPid: Int32Array.from(mine, (i) => next[i] as number),
        },
        (first?.fromNs ?? 0) + stream.offsetNs,
        Math.max(last?.toNs ?? 0, last?.floorNs ?? 0) + stream.offsetNs,
        cpu.lost.map(({ atNs }) => atNs + stream.offsetNs),
      );
    });
  }
}

/**
 * Slices of a window for drawing: those as long as a bucket stay themselves; shorter ones that share a bucket become one
 * entry with the task that ran longest. At most two entries a bucket, whatever the number of slices.
 */
export function reduceSlices(all: RunSlices, from: number, to: number, resolutionNs: number): LaneSlices {
  const first = upperBound(all.to, from, 0, all.n);
  const last = lowerBound(all.from, to, 0, all.n);
  const most = Math.max(0, last - first);
  const out = {
    fromNs: new Float64Array(most),
    toNs: new Float64Array(most),
    pid: new Int32Array(most),
    merged: new Uint8Array(most),
    busy: new Float32Array(most),
  };
  let n = 0;
  // The open bucket: tasks seen in it and how long each ran.
  let bucket = Number.NaN;
  let members = 0;
  let start = 0;
  let end = 0;
  let busy = 0;
  const pids: number[] = [];
  const ran: number[] = [];
  const flush = (): void => {
    if (members === 0) return;
    let longest = 0;
    for (let k = 1; k < pids.length; k++) if ((ran[k] as number) > (ran[longest] as number)) longest = k;
    out.fromNs[n] = start;
    out.toNs[n] = end;
    out.pid[n] = pids[longest] as number;
    out.merged[n] = members > 1 ? 1 : 0;
    out.busy[n] = busy / (end - start);
    n++;
    members = 0;
    pids.length = 0;
    ran.length = 0;
    busy = 0;
  };
  for (let i = first; i < last; i++) {
    const a = all.from[i] as number;
    const b = all.to[i] as number;
    const length = b - a;
    if (length >= resolutionNs) {
      flush();
      bucket = Number.NaN;
      out.fromNs[n] = a;
      out.toNs[n] = b;
      out.pid[n] = all.pid[i] as number;
      out.busy[n] = 1;
      n++;
      continue;
    }
    const mine = Math.floor(a / resolutionNs);
    if (mine !== bucket) {
      flush();
      bucket = mine;
      start = a;
    }
    const pid = all.pid[i] as number;
    const known = pids.indexOf(pid);
    if (known >= 0) ran[known] = (ran[known] as number) + length;
    else {
      pids.push(pid);
      ran.push(length);
    }
    members++;
    busy += length;
    end = b;
  }
  flush();
  return {
    fromNs: out.fromNs.slice(0, n),
    toNs: out.toNs.slice(0, n),
    pid: out.pid.slice(0, n),
    merged: out.merged.slice(0, n),
    busy: out.busy.slice(0, n),
  };
}

/** Events of a CPU per bucket. Chunks that fall into one bucket are counted whole. */
function eventDensity(
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
