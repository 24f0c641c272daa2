import { lowerBound, type Trace, type TraceStream } from './trace.ts';

/** Visits the events of a stream from `fromNs` on and before `toNs` (workspace time): pid and time of each, CPU by CPU. */
function visitPids(
  trace: Trace,
  stream: TraceStream,
  fromNs: number,
  toNs: number,
  visit: (pid: number, timeNs: number) => void,
): void {
  const [from, to] = [fromNs - stream.offsetNs, toNs - stream.offsetNs];
  for (const cpu of stream.cpus) {
    for (const info of cpu.chunks) {
      if (info.toNs < from || info.fromNs >= to) continue;
      const { time, pid, ordered, count } = trace.chunks.get(info);
      const first = ordered ? lowerBound(time, from) : 0;
      const end = ordered ? lowerBound(time, to, first) : count;
      for (let i = first; i < end; i++) {
        const at = time[i] as number;
        if (at >= from && at < to) visit(pid[i] as number, at + stream.offsetNs);
      }
    }
  }
}

/** Events of each task per bucket, all tasks in one pass; a fresh array each, also for tasks without events. */
export function taskDensities(
  trace: Trace,
  stream: TraceStream,
  pids: Iterable<number>,
  fromNs: number,
  resolutionNs: number,
  buckets: number,
): Map<number, Uint32Array> {
  const densities = new Map([...pids].map((pid) => [pid, new Uint32Array(buckets)]));
  visitPids(trace, stream, fromNs, fromNs + buckets * resolutionNs, (pid, timeNs) => {
    const density = densities.get(pid);
    if (density === undefined) return;
    const bucket = Math.floor((timeNs - fromNs) / resolutionNs);
    density[bucket] = (density[bucket] as number) + 1;
  });
  return densities;
}

/** How many events each task of a stream has in a window. */
export function taskCounts(trace: Trace, stream: TraceStream, fromNs: number, toNs: number): Map<number, number> {
  const counts = new Map<number, number>();
  visitPids(trace, stream, fromNs, toNs, (pid) => counts.set(pid, (counts.get(pid) ?? 0) + 1));
  return counts;
}
