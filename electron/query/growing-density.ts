import type { ChunkInfo } from '../store/workspace-store.ts';
import { eventDensity } from './lanes.ts';
import { coarserDensity, type DensityLevel, isLevel } from './levels.ts';
import type { Trace, TraceCpu, TraceStream } from './trace.ts';

/** It starts at this resolution, a power of two, which is halved when there would be more than this many buckets. */
const FIRST_LEVEL_NS = 2 ** 20;
const MOST_BUCKETS = 1 << 16;

/** How many events one CPU of a growing trace has over time: each closed chunk is counted once. */
export class GrowingDensity {
  readonly #trace: Trace;
  readonly #stream: TraceStream;
  /** In the stream's own time. */
  #level: DensityLevel = { resolutionNs: FIRST_LEVEL_NS, first: 0, counts: new Uint32Array(1024) };
  /** Index behind the last event that is counted, and of the first that is there. */
  #counted = 0;
  #dropped = 0;

  constructor(trace: Trace, stream: TraceStream) {
    this.#trace = trace;
    this.#stream = stream;
  }

  /** Counts per bucket from workspace time `from`, a multiple of the resolution. */
  window(cpu: TraceCpu, from: number, resolutionNs: number, buckets: number): Uint32Array {
    if (cpu.dropped !== this.#dropped) this.#forget(cpu);
    const uncounted = this.#uncounted(cpu);
    for (const info of uncounted) if (info.id >= 0) this.#add(info);
    const { resolutionNs: own, first, counts } = this.#level;
    if (this.#stream.offsetNs !== 0 || !isLevel(resolutionNs) || resolutionNs < own)
      return eventDensity(this.#trace, this.#stream, cpu, from, resolutionNs, buckets);
    const open = { ...cpu, chunks: uncounted.filter(({ id }) => id < 0) };
    const density = eventDensity(this.#trace, this.#stream, open, from, resolutionNs, buckets);
    const end = Math.min(counts.length, (from + buckets * resolutionNs) / own - first);
    for (let i = Math.max(0, from / own - first); i < end; i++) {
      const bucket = Math.floor(((first + i) * own - from) / resolutionNs);
      density[bucket] = (density[bucket] as number) + (counts[i] as number);
    }
    return density;
  }

  /** Chunks that were closed since, and the one that is open. */
  #uncounted({ chunks }: TraceCpu): ChunkInfo[] {
    let first = chunks.length;
    while (first > 0 && (chunks[first - 1] as ChunkInfo).firstIndex >= this.#counted) first--;
    return chunks.slice(first);
  }

  #add(info: ChunkInfo): void {
    const bucketOf = (ns: number): number => Math.floor(ns / this.#level.resolutionNs) - this.#level.first;
    while (bucketOf(info.toNs) >= MOST_BUCKETS) this.#level = coarserDensity(this.#level);
    const last = bucketOf(info.toNs);
    if (last >= this.#level.counts.length) {
      const wider = new Uint32Array(Math.min(MOST_BUCKETS, Math.max(last + 1, this.#level.counts.length * 2)));
      wider.set(this.#level.counts);
      this.#level = { ...this.#level, counts: wider };
    }
    const { resolutionNs, first, counts } = this.#level;
    const { time, count } = this.#trace.chunks.get(info);
    for (let i = 0; i < count; i++) {
      const bucket = Math.max(0, Math.floor((time[i] as number) / resolutionNs) - first);
      counts[bucket] = (counts[bucket] as number) + 1;
    }
    this.#counted = info.firstIndex + info.count;
  }

  /** Takes what was given up out of the counts: whole buckets at once, the one at the border is counted again. */
  #forget(cpu: TraceCpu): void {
    this.#dropped = cpu.dropped;
    const held = cpu.chunks.filter(({ id, firstIndex }) => id >= 0 && firstIndex < this.#counted);
    this.#counted = Math.max(this.#counted, cpu.dropped);
    const { resolutionNs, first, counts } = this.#level;
    const start = Math.floor(Math.max(0, (held[0] ?? cpu.chunks[0])?.fromNs ?? 0) / resolutionNs);
    const gone = Math.min(counts.length, Math.max(0, start - first));
    counts.fill(0, 0, held.length === 0 ? counts.length : gone);
    if (held.length > 0 && gone < counts.length) {
      const { offsetNs } = this.#stream;
      const own = { ...cpu, chunks: held };
      const border = eventDensity(this.#trace, this.#stream, own, start * resolutionNs + offsetNs, resolutionNs, 1);
      counts[gone] = border[0] as number;
    }
    if (gone < counts.length / 2) return;
    counts.copyWithin(0, gone);
    counts.fill(0, counts.length - gone);
    this.#level = { resolutionNs, first: first + gone, counts };
  }
}
