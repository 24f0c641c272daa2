import type { EpisodesResult, SeriesResult, TaskLanesResult } from '../../shared/api.ts';
import type { SeriesSpec } from '../../shared/chart.ts';
import { RemoraError } from '../../shared/errors.ts';
import type { TotalKey } from '../derive/throttle-totals.ts';
import type { ChunkInfo } from '../store/workspace-store.ts';
import { ByteBudgetCache } from './byte-budget-cache.ts';
import { EpisodeQueries } from './episodes.ts';
import { Lanes } from './lanes.ts';
import { type NumberParts, Samples } from './samples.ts';
import { SeriesQueries } from './series.ts';
import { TaskLanes } from './task-lanes.ts';
import { countInChunk, switchId, type Trace, type TraceStream } from './trace.ts';

/**
 * Queries over a workspace that grows. What is computed over a whole recording and kept, where a recording is complete, is
 * computed here over the chunks around the window that is asked for, so that the work is the window's and not the capture's.
 */

/** The part of a trace whose chunks touch a window, and on each CPU one chunk before and after. Shares all else. */
export function traceOfWindow(trace: Trace, fromNs: number, toNs: number): Trace {
  const streams = trace.streams.map((stream) => ({
    ...stream,
    cpus: stream.cpus.map((cpu) => ({
      ...cpu,
      chunks: chunksAround(cpu.chunks, fromNs - stream.offsetNs, toNs - stream.offsetNs),
    })),
  }));
  return { ...trace, streams };
}

/** Chunks of one CPU that touch a window, with a neighbour on either side: who ran before, and values to start from. */
export function chunksAround(chunks: readonly ChunkInfo[], fromNs: number, toNs: number): ChunkInfo[] {
  let first = 0;
  let end = chunks.length;
  while (first < chunks.length && (chunks[first] as ChunkInfo).toNs < fromNs) first++;
  while (end > first && (chunks[end - 1] as ChunkInfo).fromNs > toNs) end--;
  return chunks.slice(Math.max(0, first - 1), end + 1);
}

/** Switches in a window, over all CPUs, beyond which its lanes do not show who ran: zooming in does. */
export const MOST_SWITCHES = 4_000_000;

/** Switches in the chunks of a part of a stream. */
function countSwitches(stream: TraceStream): number {
  const id = switchId(stream);
  return stream.cpus.reduce((sum, { chunks }) => chunks.reduce((n, info) => n + countInChunk(info, id), sum), 0);
}

/** Events of a type in a trace's chunks. */
export function countOfType({ streams }: Trace, type: number): number {
  let n = 0;
  for (const { recording, cpus } of streams)
    for (const { chunks } of cpus)
      for (const { events } of chunks)
        for (let i = 0; i < events.length; i += 2)
          if (recording.typeOfId[events[i] as number] === type) n += events[i + 1] as number;
  return n;
}

/** Windows are asked for by several plots at a time. */
const MOST_WINDOWS = 4;

/** Decoded fields that live queries share, up to half of what samples may take. */
export const numberParts = (trace: Trace): NumberParts =>
  new ByteBudgetCache(trace.budgets.samples / 2, ({ byteLength }) => byteLength);

/** Values of series around a window. Call `grown` when the trace has. */
export class LiveSeries {
  readonly #trace: Trace;
  readonly #parts: NumberParts;
  readonly #windows = new ByteBudgetCache<string, SeriesQueries>(MOST_WINDOWS, () => 1);

  constructor(trace: Trace, parts: NumberParts) {
    this.#trace = trace;
    this.#parts = parts;
  }

  grown(): void {
    this.#windows.clear();
  }

  /** Of a window's part nobody waits for. */
  async firstLook(): Promise<null> {
    return null;
  }

  /** From what is around the window. */
  async window(
    spec: SeriesSpec,
    fromNs: number,
    toNs: number,
    bins: number,
    mode: 'auto' | 'raw' | 'bins',
  ): Promise<SeriesResult> {
    const queries = this.#windows.get(`${fromNs} ${toNs}`, () => {
      const part = traceOfWindow(this.#trace, fromNs, toNs);
      return new SeriesQueries(part, new Samples(part, this.#parts));
    });
    return queries.window(spec, fromNs, toNs, bins, mode);
  }
}

/** Events in a window beyond which its tasks' lanes are not looked for: each is looked at, every time. */
const MOST_TASK_EVENTS = 1 << 24;

/** Lanes of tasks around a window. */
export class LiveTaskLanes {
  readonly #trace: Trace;
  readonly #parts: NumberParts;

  constructor(trace: Trace, parts: NumberParts) {
    this.#trace = trace;
    this.#parts = parts;
  }

  /** Throws `bad-request` where the window holds too much for an engine that has a capture to keep up with. */
  window(fromNs: number, toNs: number, ...rest: RestOfWindow): TaskLanesResult {
    const part = traceOfWindow(this.#trace, fromNs, toNs);
    const chunks = part.streams.flatMap(({ cpus }) => cpus.flatMap((cpu) => cpu.chunks));
    const switches = part.streams.reduce((sum, stream) => sum + countSwitches(stream), 0);
    const events = chunks.reduce((sum, { count }) => sum + count, 0);
    if (switches > MOST_SWITCHES || events > MOST_TASK_EVENTS) {
      throw new RemoraError({
        code: 'bad-request',
        message: `this window holds ${Math.round(events / 1e6)} million events: zoom in for lanes of tasks, or stop the capture`,
      });
    }
    const samples = new Samples(part, this.#parts);
    return new TaskLanes(part, samples, new Lanes(part, samples)).window(fromNs, toNs, ...rest);
  }
}

type RestOfWindow = Parameters<TaskLanes['window']> extends [number, number, ...infer Rest] ? Rest : never;

/** Episodes are found over all of the capture: at most this share of the time goes into it. */
const SHARE = 0.1;

/** Episodes of all that was captured; between two answers the same ones are given for a while. */
export class LiveEpisodes {
  readonly #trace: Trace;
  readonly #parts: NumberParts;
  #queries: EpisodeQueries | null = null;
  #stale = true;
  #freshUntilMs = 0;

  constructor(trace: Trace, parts: NumberParts) {
    this.#trace = trace;
    this.#parts = parts;
  }

  grown(): void {
    this.#stale = true;
  }

  find(by: TotalKey, gapMs?: number, where?: string): EpisodesResult {
    const startMs = performance.now();
    if (this.#queries === null || (this.#stale && startMs >= this.#freshUntilMs)) {
      // As it is now: what a flight recorder gives up must not go while it is looked at.
      const streams = this.#trace.streams.map((stream) => ({
        ...stream,
        cpus: stream.cpus.map((cpu) => ({ ...cpu, chunks: [...cpu.chunks] })),
      }));
      const part = { ...this.#trace, streams };
      this.#queries = new EpisodeQueries(part, new Samples(part, this.#parts));
      this.#stale = false;
      const found = this.#queries.find(by, gapMs, where);
      this.#freshUntilMs = performance.now() + (performance.now() - startMs) / SHARE;
      return found;
    }
    return this.#queries.find(by, gapMs, where);
  }
}
