import type { SeriesLine, SeriesResult } from '../../shared/api.ts';
import type { SeriesSpec } from '../../shared/chart.ts';
import { RemoraError } from '../../shared/errors.ts';
import type { ChunkInfo } from '../store/workspace-store.ts';
import { binsDirectly, isPlain } from './direct-bins.ts';
import type { BinWindow } from './fill-bins.ts';
import type { GroupCodes } from './group-codes.ts';
import { KeptSeries, type LoadSegment } from './kept-series.ts';
import { isLevel } from './levels.ts';
import { countOfType, traceOfWindow } from './live-window.ts';
import type { Samples } from './samples.ts';
import {
  isOfBins,
  keyOf,
  MANY_SAMPLES,
  type SeriesPlan,
  SeriesQueries,
  seriesPlan,
  thin,
  typeOfSeries,
} from './series.ts';
import { type GroupBins, Levels, type SeriesBins, windowOf } from './series-bins.ts';
import { passOver } from './series-pass.ts';
import { ROW_BYTES, type SeriesRows } from './series-rows.ts';
import { segmentsByTime } from './series-segments.ts';
import { type SeriesSizes, USUAL_SIZES } from './series-sizes.ts';
import { SeriesStream } from './series-stream.ts';
import { SharedCache } from './shared-cache.ts';
import { ownTurns, type PrepareOptions } from './shared-work.ts';
import type { Trace } from './trace.ts';

/** What one sample takes while single samples are answered: where it is collected, and in the answer. */
const SAMPLE_BYTES = 64;
const MOST_DECODERS = 4;

/**
 * Series of a recording of any size, in memory that does not depend on it. What has few events is evaluated at once. Of the rest one pass
 * over all samples, in turns, makes bins for wide windows (once for all windows of the usual resolutions), and notes where samples can be
 * had again; narrow windows are made of samples, which are kept for a while. Who asks for the same waits for the same.
 */
export class LargeSeries {
  readonly #trace: Trace;
  readonly #whole: SeriesQueries;
  /** Single samples that are answered at once: as many as the workspace's memory has room for. */
  readonly #most: number;
  readonly #sizes: SeriesSizes;
  readonly #kept: SharedCache<KeptSeries>;
  /** Samples of segments. */
  readonly #rows: SharedCache<SeriesRows>;
  /** Bins of windows of another resolution. */
  readonly #odd: SharedCache<SeriesBins>;
  /** Series whose samples were decoded last: they keep what they decode with. */
  #decoders: KeptSeries[] = [];

  constructor(trace: Trace, samples: Samples, sizes = USUAL_SIZES) {
    this.#trace = trace;
    this.#sizes = sizes;
    const budget = trace.budgets.series;
    this.#whole = new SeriesQueries(trace, samples, budget / 8);
    this.#most = Object.values(trace.budgets).reduce((sum, bytes) => sum + bytes, 0) / SAMPLE_BYTES;
    this.#kept = new SharedCache(budget / 2, ({ parts }) => parts.bytes);
    this.#rows = new SharedCache((budget * 5) / 16, ({ n }) => n * ROW_BYTES);
    this.#odd = new SharedCache(budget / 16, ({ bytes }) => bytes);
  }

  /**
   * A first look at a series that takes long to be made, in a fraction of the time: from a part of the chunks, all along the recording. Null
   * where the series is known, is soon made, or cannot be told from a part.
   */
  async firstLook(
    spec: SeriesSpec,
    fromNs: number,
    toNs: number,
    bins: number,
    { signal }: PrepareOptions = {},
  ): Promise<SeriesResult | null> {
    if (this.#kept.has(keyOf(spec)) || isOfBins(spec)) return null;
    const plan = seriesPlan(this.#trace, spec);
    if (plan.type.count < MANY_SAMPLES || plan.compiled.stateful) return null;
    const window = { fromNs, toNs, binNs: binOf(fromNs, toNs, bins) };
    const part = thin(this.#trace);
    const turns = ownTurns({ signal });
    const nextTurn = (): Promise<void> => turns.take();
    const untold = (): void => {};
    const [found] = isPlain(spec, plan)
      ? await binsDirectly(part, spec, [window], nextTurn, untold)
      : (await passOver(new SeriesStream(part, spec, plan), plan, [window], this.#sizes, nextTurn, untold)).bins;
    return windowOf(found as SeriesBins, spec, window, true);
  }

  /**
   * The answer to a `series` request; see shared/api.ts. Throws `bad-expression`, `cancelled`, and `limit` where there are more single
   * samples than memory is set aside for.
   */
  async window(
    spec: SeriesSpec,
    fromNs: number,
    toNs: number,
    bins: number,
    mode: 'auto' | 'raw' | 'bins',
    options: PrepareOptions = {},
  ): Promise<SeriesResult> {
    const plan = seriesPlan(this.#trace, spec);
    if (plan.type.count <= this.#sizes.atOnce) return this.#whole.window(spec, fromNs, toNs, bins, mode);
    const window = { fromNs, toNs, binNs: binOf(fromNs, toNs, bins) };
    const kept = await this.#keep(spec, plan, mode === 'raw' ? null : window, options);
    if (mode !== 'raw') {
      const found = await this.#fromBins(kept, spec, plan, window, bins, mode, options);
      if (found !== null) return found;
    }
    return this.#fromRows(kept, spec, window, bins, mode, options);
  }

  /** The series after its pass. `window`: one that is asked for; bins of it are made on the way where no others hold them. */
  async #keep(spec: SeriesSpec, plan: SeriesPlan, window: BinWindow | null, options: PrepareOptions) {
    return this.#kept.get(keyOf(spec), options, async (nextTurn, onProgress) => {
      const stream = new SeriesStream(this.#trace, spec, plan);
      const newStream = this.#streamsLike(spec, plan, stream.codes);
      const finest = { fromNs: 0, toNs: this.#trace.durationNs, binNs: this.#finestNs(spec, plan) };
      const odd = window === null || this.#isUsual(spec, plan, window) ? [] : [window];
      const keepOdd = (bins: SeriesBins | undefined): void => {
        if (bins !== undefined) this.#odd.put(oddKey(spec, odd[0] as BinWindow), bins);
      };
      if (isPlain(spec, plan) && this.#isInOrder(plan.type.type)) {
        const [found, oddBins] = await binsDirectly(this.#trace, spec, [finest, ...odd], nextTurn, onProgress);
        const { groups: made } = found as SeriesBins;
        const [all] = made as [GroupBins];
        // None of its values is a number.
        const isNone = all.bins.tNs.length === 0 && all.outliers.length === 0;
        const groups = isNone ? [] : made;
        const levels = new Levels({ ...(found as SeriesBins), groups }, finest.binNs);
        if (!isNone) keepOdd(oddBins);
        return new KeptSeries(
          plan,
          {
            groups,
            moreGroups: 0,
            slotOf: Int32Array.of(isNone ? -1 : 0),
            levels,
            segments: segmentsByTime(stream, this.#sizes.segmentEvents),
            edges: null,
            few: [],
            bytes: levels.bytes,
          },
          stream.origins,
          newStream,
        );
      }
      const pass = await passOver(stream, plan, [finest, ...odd], this.#sizes, nextTurn, onProgress);
      const [bins, oddBins] = pass.bins;
      const levels = new Levels(bins as SeriesBins, finest.binNs);
      keepOdd(oddBins);
      return new KeptSeries(plan, { ...pass, levels, bytes: pass.bytes + levels.bytes }, stream.origins, newStream);
    });
  }

  /** Streams over the same samples, with the same groups. Apart from the pass, whose own stream is not kept for it. */
  #streamsLike(spec: SeriesSpec, plan: SeriesPlan, codes: GroupCodes): () => SeriesStream {
    return () => new SeriesStream(this.#trace, spec, plan, codes);
  }

  /** A window of bins; null where samples are shown one by one, and where there are few enough to look at them all. */
  async #fromBins(
    kept: KeptSeries,
    spec: SeriesSpec,
    plan: SeriesPlan,
    window: BinWindow,
    bins: number,
    mode: 'auto' | 'bins',
    options: PrepareOptions,
  ): Promise<SeriesResult | null> {
    const usual = this.#isUsual(spec, plan, window);
    const many = kept.eventsIn(window) > this.#sizes.manyEvents;
    let found: SeriesResult;
    if (usual) {
      // What begins at the window's end is in it where that is all there is: where the recording ends.
      found = windowOf(kept.parts.levels.at(window.binNs), spec, window, window.toNs >= this.#trace.durationNs);
    } else {
      const key = oddKey(spec, window);
      let made = this.#odd.known(key);
      if (made === undefined && many && isPlain(spec, plan) && kept.parts.groups.length > 0) {
        made = await this.#odd.get(key, options, async (nextTurn, onProgress) => {
          const [bins] = await binsDirectly(this.#trace, spec, [window], nextTurn, onProgress);
          return bins as SeriesBins;
        });
      }
      if (made === undefined) return null;
      found = windowOf(made, spec, window, true);
    }
    if (mode === 'bins' || isOfBins(spec)) return found;
    let single = 0;
    const lines = found.lines.map((line, slot): SeriesLine => {
      if (line.samples > bins * 2) return line;
      const few = kept.fewOf(slot, window.fromNs, window.toNs);
      if (few === null) single++;
      return few ?? line;
    });
    // Few of a group that has many elsewhere, among very many of others, stay bins.
    return single === 0 || many ? { ...found, lines } : null;
  }

  async #fromRows(
    kept: KeptSeries,
    spec: SeriesSpec,
    window: BinWindow,
    bins: number,
    mode: 'auto' | 'raw' | 'bins',
    options: PrepareOptions,
  ): Promise<SeriesResult> {
    if (mode === 'raw' && this.#atLeast(spec, window) > this.#most) throw this.#tooMany(spec, window);
    // Those that are not kept any more must not be kept for this.
    const known = new Set(this.#kept.values());
    this.#decoders = [kept, ...this.#decoders.filter((other) => other !== kept && known.has(other))];
    for (const other of this.#decoders.splice(MOST_DECODERS)) other.release();
    const load: LoadSegment = (segment) =>
      this.#rows.get(`${keyOf(spec)} ${segment}`, options, (nextTurn) => kept.decode(segment, nextTurn));
    const found = await kept.window(spec, window, bins, mode, this.#most, load, ownTurns(options));
    if (found === null) throw this.#tooMany(spec, window);
    return found;
  }

  /** Samples of a window that there are for sure. */
  #atLeast(spec: SeriesSpec, { fromNs, toNs }: BinWindow): number {
    if (spec.where !== '') return 0;
    const streams = this.#trace.streams.map((stream) => {
      const isInside = (info: ChunkInfo) =>
        info.fromNs + stream.offsetNs >= fromNs && info.toNs + stream.offsetNs <= toNs;
      return { ...stream, cpus: stream.cpus.map((cpu) => ({ ...cpu, chunks: cpu.chunks.filter(isInside) })) };
    });
    return countOfType({ ...this.#trace, streams }, typeOfSeries(this.#trace, spec).type);
  }

  /** Whether times of a type never go backward on a CPU. */
  #isInOrder(type: number): boolean {
    return this.#trace.streams.every(
      ({ recording, cpus }) =>
        !recording.typeOfId.includes(type) || cpus.every(({ chunks }) => chunks.every(({ ordered }) => ordered)),
    );
  }

  /** Whether bins of a window are some of those that are made for all windows. */
  #isUsual(spec: SeriesSpec, plan: SeriesPlan, { fromNs, binNs }: BinWindow): boolean {
    return isLevel(binNs) && Number.isInteger(fromNs / binNs) && fromNs >= 0 && binNs >= this.#finestNs(spec, plan);
  }

  #finestNs({ groupBy }: SeriesSpec, { type }: SeriesPlan): number {
    const most = groupBy === '' ? this.#sizes.finestBins : this.#sizes.finestBinsOfGroups;
    const bins = Math.max(1, Math.min(type.count / this.#sizes.samplesABin, most));
    return 2 ** Math.max(0, Math.ceil(Math.log2(this.#trace.durationNs / bins)));
  }

  #tooMany(spec: SeriesSpec, { fromNs, toNs }: BinWindow): RemoraError {
    const { system, name, type } = typeOfSeries(this.#trace, spec);
    const n = countOfType(traceOfWindow(this.#trace, fromNs, toNs), type);
    return new RemoraError({
      code: 'limit',
      message: `the window has ${millions(n)} ${system}:${name} events, and memory is set aside for ${millions(this.#most)} single samples at once: choose a shorter time, ask for bins, or set REMORA_MEMORY_MIB to more`,
    });
  }
}

const binOf = (fromNs: number, toNs: number, bins: number): number => Math.max(1, (toNs - fromNs) / bins);

const oddKey = (spec: SeriesSpec, { fromNs, toNs, binNs }: BinWindow): string =>
  `${keyOf(spec)} ${fromNs} ${toNs} ${binNs}`;

const millions = (n: number): string => `${(n / 1e6).toFixed(1)} million`;
