import type { BinnedSamples, SeriesResult } from '../../shared/api.ts';
import type { SeriesSpec } from '../../shared/chart.ts';
import { RemoraError } from '../../shared/errors.ts';
import { coarserBins, sliceBins } from './bins.ts';
import { ByteBudgetCache } from './byte-budget-cache.ts';
import { binsDirectly, isPlain, type PlainSource } from './direct-bins.ts';
import { isLevel } from './levels.ts';
import { countOfType, traceOfWindow } from './live-window.ts';
import { PLAIN_SAMPLE_BYTES, PlainSeries } from './plain-series.ts';
import { Samples } from './samples.ts';
import { FEW_SAMPLES, isOfBins, keyOf, MANY_SAMPLES, SeriesQueries, seriesPlan, thin, typeOfSeries } from './series.ts';
import { type PrepareOptions, SharedWork } from './shared-work.ts';
import { binsInPieces, type SeriesBins } from './streamed-series.ts';
import { lowerBound, type Trace, upperBound } from './trace.ts';

/** What one sample takes while a series is made of it. */
const SAMPLE_BYTES = 64;
/** Bins over all of a recording that are made at once: those of any coarser window follow from them. */
const FINEST_BINS = 1 << 17;
const FINEST_BINS_OF_GROUPS = 1 << 14;

/** Finer bins would take as much memory as the samples. */
const SAMPLES_A_BIN = 16;
/** Several plots are asked for at a time. */
const MOST_ODD_WINDOWS = 8;

/** A plain series: its samples, and bins for wide windows. */
interface Plain {
  levels: Levels;
  samples: PlainSeries;
  bytes: number;
}

interface Window {
  fromNs: number;
  toNs: number;
  binNs: number;
}

/**
 * Series of a recording of any size. Of a kind of event of which there are more than memory should hold, what is around the window is
 * evaluated, and wide windows are made of bins: `prepare` makes those, piece by piece; once for all windows of the usual resolutions. Of a
 * plain series of many events that do fit into memory, it keeps the samples beside the bins.
 */
export class LargeSeries {
  readonly #trace: Trace;
  readonly #whole: SeriesQueries;
  readonly #most: number;
  readonly #levels: ByteBudgetCache<string, Levels>;
  /** Windows of another resolution. */
  readonly #odd = new ByteBudgetCache<string, SeriesBins>(MOST_ODD_WINDOWS, () => 1);
  /** What is being made, by what it is of. */
  readonly #making = new Map<string, SharedWork<SeriesBins>>();
  readonly #plain: ByteBudgetCache<string, Plain>;
  readonly #makingPlain = new Map<string, SharedWork<Plain>>();
  #last: { window: string; queries: SeriesQueries } | null = null;

  /** `most`: events that are evaluated at once; default: as many as the workspace's memory has room for. */
  constructor(trace: Trace, samples: Samples, most?: number) {
    this.#trace = trace;
    this.#whole = new SeriesQueries(trace, samples);
    this.#most = most ?? Object.values(trace.budgets).reduce((sum, bytes) => sum + bytes, 0) / SAMPLE_BYTES;
    this.#levels = new ByteBudgetCache(trace.budgets.series, ({ bytes }) => bytes);
    this.#plain = new ByteBudgetCache(trace.budgets.series, ({ bytes }) => bytes);
  }

  /** See SeriesQueries. */
  async firstLook(spec: SeriesSpec, fromNs: number, toNs: number, bins: number): Promise<SeriesResult | null> {
    if (this.#isMuch(spec)) return null;
    if (isOfBins(spec) || !this.#isPlainOfMany(spec)) return this.#whole.firstLook(spec, fromNs, toNs, bins);
    if (this.#levels.has(keyOf(spec)) || this.#plain.has(keyOf(spec))) return null;
    const window = { fromNs, toNs, binNs: Math.max(1, (toNs - fromNs) / bins) };
    const found = await binsDirectly(
      thin(this.#trace),
      spec,
      window,
      async () => {},
      () => {},
    );
    return windowOf(found, spec, window, true);
  }

  /**
   * Makes what `window` will need of a wide window. Throws `limit` for what cannot be made of bins: single samples, and values that
   * depend on those before them; and `cancelled`.
   */
  async prepare(
    spec: SeriesSpec,
    fromNs: number,
    toNs: number,
    bins: number,
    mode: 'auto' | 'raw' | 'bins',
    options: PrepareOptions,
  ): Promise<void> {
    if (!this.#isWide(spec, fromNs, toNs)) {
      if (!this.#isPlainOfMany(spec) || this.#plain.has(keyOf(spec))) return;
      const window = { fromNs, toNs, binNs: (toNs - fromNs) / bins };
      if (mode !== 'raw' && this.#isUsual(spec, window)) {
        await this.#prepareLevels(spec, options);
        if (this.#fromLevels(spec, window, bins, mode) !== null) return;
      }
      await this.#preparePlain(spec, options);
      return;
    }
    if (mode === 'raw' || seriesPlan(this.#trace, spec).compiled.stateful) throw this.#tooMany(spec, fromNs, toNs);
    const window = { fromNs, toNs, binNs: Math.max(1, (toNs - fromNs) / bins) };
    if (this.#isUsual(spec, window)) await this.#prepareLevels(spec, options);
    else {
      const key = oddKey(spec, window);
      if (this.#odd.has(key)) return;
      const bins = await this.#make(key, spec, window, options);
      this.#odd.get(key, () => bins);
    }
  }

  async #prepareLevels(spec: SeriesSpec, options: PrepareOptions): Promise<void> {
    const key = keyOf(spec);
    if (this.#levels.has(key)) return;
    const binNs = this.#finest(spec);
    const bins = await this.#make(key, spec, { fromNs: 0, toNs: this.#trace.durationNs, binNs }, options);
    this.#levels.get(key, () => new Levels(bins, binNs));
  }

  /** Makes bins, or waits for those that somebody else has begun to make. */
  async #make(key: string, spec: SeriesSpec, window: Window, options: PrepareOptions): Promise<SeriesBins> {
    const plan = seriesPlan(this.#trace, spec);
    return shared(this.#making, key, options, (nextTurn, onProgress) =>
      isPlain(spec, plan)
        ? binsDirectly(this.#trace, spec, window, nextTurn, onProgress)
        : binsInPieces(this.#trace, plan.type.type, spec, window, nextTurn, onProgress),
    );
  }

  /** Throws `limit` where a wide window was not prepared. */
  window(spec: SeriesSpec, fromNs: number, toNs: number, bins: number, mode: 'auto' | 'raw' | 'bins'): SeriesResult {
    if (!this.#isMuch(spec)) {
      if (!this.#isPlainOfMany(spec)) return this.#whole.window(spec, fromNs, toNs, bins, mode);
      const window = { fromNs, toNs, binNs: (toNs - fromNs) / bins };
      const plain = this.#plain.peek(keyOf(spec));
      const found = mode !== 'raw' && this.#isUsual(spec, window) ? this.#fromLevels(spec, window, bins, mode) : null;
      const many = found?.lines.every(({ samples }) => samples > FEW_SAMPLES) ?? false;
      if (found !== null && (many || plain === undefined)) return found;
      return (plain?.samples ?? this.#whole).window(spec, fromNs, toNs, bins, mode);
    }
    if (!this.#isWide(spec, fromNs, toNs)) return this.#around(fromNs, toNs).window(spec, fromNs, toNs, bins, mode);
    const window = { fromNs, toNs, binNs: Math.max(1, (toNs - fromNs) / bins) };
    const usual = this.#isUsual(spec, window);
    const made = usual ? this.#levels.peek(keyOf(spec))?.at(window.binNs) : this.#odd.peek(oddKey(spec, window));
    if (made === undefined || mode === 'raw') throw this.#tooMany(spec, fromNs, toNs);
    // What begins at the window's end is in it where that is all there is: where the recording ends.
    return windowOf(made, spec, window, !usual || toNs >= this.#trace.durationNs);
  }

  #around(fromNs: number, toNs: number): SeriesQueries {
    const window = `${fromNs} ${toNs}`;
    if (this.#last?.window !== window) {
      const part = traceOfWindow(this.#trace, fromNs, toNs);
      this.#last = { window, queries: new SeriesQueries(part, new Samples(part)) };
    }
    return this.#last.queries;
  }

  #isMuch(spec: SeriesSpec): boolean {
    return typeOfSeries(this.#trace, spec).count > this.#most;
  }

  /** Whether a window has more samples than are evaluated at once. */
  #isWide(spec: SeriesSpec, fromNs: number, toNs: number): boolean {
    return this.#isMuch(spec) && this.#samplesIn(spec, fromNs, toNs) > this.#most;
  }

  #samplesIn(spec: SeriesSpec, fromNs: number, toNs: number): number {
    return countOfType(traceOfWindow(this.#trace, fromNs, toNs), typeOfSeries(this.#trace, spec).type);
  }

  /** A usual window; null where there are no bins yet, and where samples are so few that they are shown one by one. */
  #fromLevels(spec: SeriesSpec, window: Window, bins: number, mode: 'auto' | 'bins'): SeriesResult | null {
    const key = keyOf(spec);
    const levels = this.#plain.peek(key)?.levels ?? this.#levels.peek(key);
    if (levels === undefined) return null;
    const found = windowOf(levels.at(window.binNs), spec, window, window.toNs >= this.#trace.durationNs);
    return mode === 'bins' || isOfBins(spec) || found.lines.every(({ samples }) => samples > bins * 2) ? found : null;
  }

  /** Whether a series is kept as PlainSeries. One that was evaluated before, as of a filter, is not. */
  #isPlainOfMany(spec: SeriesSpec): boolean {
    const plan = seriesPlan(this.#trace, spec);
    const { count, type } = plan.type;
    if (count < MANY_SAMPLES || count * PLAIN_SAMPLE_BYTES > this.#trace.budgets.series) return false;
    return isPlain(spec, plan) && this.#isInOrder(type) && !this.#whole.isEvaluated(spec);
  }

  /** Whether times of a type never go backward on a CPU. */
  #isInOrder(type: number): boolean {
    return this.#trace.streams.every(
      ({ recording, cpus }) =>
        !recording.typeOfId.includes(type) || cpus.every(({ chunks }) => chunks.every(({ ordered }) => ordered)),
    );
  }

  async #preparePlain(spec: SeriesSpec, options: PrepareOptions): Promise<void> {
    const key = keyOf(spec);
    const plain = await shared(this.#makingPlain, key, options, async (nextTurn, onProgress) => {
      const binNs = this.#finest(spec);
      const all = { fromNs: 0, toNs: this.#trace.durationNs, binNs };
      const sources: PlainSource[] = [];
      const bins = await binsDirectly(this.#trace, spec, all, nextTurn, onProgress, sources);
      const { unit, limit, type } = seriesPlan(this.#trace, spec);
      const levels = new Levels(bins, binNs);
      const samples = new PlainSeries(this.#trace, sources, unit, limit);
      return { levels, samples, bytes: levels.bytes + type.count * PLAIN_SAMPLE_BYTES };
    });
    this.#plain.get(key, () => plain);
  }

  /** Whether bins of a window are some of those that are made for all windows. */
  #isUsual(spec: SeriesSpec, { fromNs, binNs }: Window): boolean {
    return isLevel(binNs) && Number.isInteger(fromNs / binNs) && fromNs >= 0 && binNs >= this.#finest(spec);
  }

  #finest(spec: SeriesSpec): number {
    const enough = typeOfSeries(this.#trace, spec).count / SAMPLES_A_BIN;
    const bins = Math.max(1, Math.min(enough, spec.groupBy === '' ? FINEST_BINS : FINEST_BINS_OF_GROUPS));
    return 2 ** Math.max(0, Math.ceil(Math.log2(this.#trace.durationNs / bins)));
  }

  #tooMany(spec: SeriesSpec, fromNs: number, toNs: number): RemoraError {
    const { system, name } = typeOfSeries(this.#trace, spec);
    const n = this.#samplesIn(spec, fromNs, toNs);
    return new RemoraError({
      code: 'limit',
      message: `the window has ${millions(n)} ${system}:${name} events, and memory is set aside for ${millions(this.#most)} at once, which single samples and values that depend on the one before (delta, rate) need: choose a shorter time, or set REMORA_MEMORY_MIB to more`,
    });
  }
}

/** What `make` gives, or what somebody else has begun to make under the same key. */
async function shared<T>(
  making: Map<string, SharedWork<T>>,
  key: string,
  options: PrepareOptions,
  make: ConstructorParameters<typeof SharedWork<T>>[0],
): Promise<T> {
  let work = making.get(key);
  if (work === undefined) {
    for (const [other, { isIdle }] of making) if (isIdle) making.delete(other);
    work = new SharedWork(make);
    making.set(key, work);
  }
  const made = await work.wait(options);
  making.delete(key);
  return made;
}

const oddKey = (spec: SeriesSpec, { fromNs, toNs, binNs }: Window): string =>
  `${keyOf(spec)} ${fromNs} ${toNs} ${binNs}`;

const millions = (n: number): string => `${(n / 1e6).toFixed(1)} million`;

/** Bins over a whole recording, and those of twice, four times … the length, made when they are asked for. */
class Levels {
  readonly #made = new Map<number, SeriesBins>();
  readonly #finestNs: number;
  /** All levels together. */
  readonly bytes: number;

  constructor(bins: SeriesBins, binNs: number) {
    this.#made.set(binNs, bins);
    this.#finestNs = binNs;
    this.bytes = bins.bytes * 2;
  }

  /** `binNs`: the finest one's, or a power of two times that. */
  at(binNs: number): SeriesBins {
    const known = this.#made.get(binNs);
    if (known !== undefined || binNs <= this.#finestNs) return known as SeriesBins;
    const finer = this.at(binNs / 2);
    const groups = finer.groups.map((group) => ({ ...group, bins: coarserBins(group.bins, binNs / 2) }));
    const coarser = { ...finer, groups };
    this.#made.set(binNs, coarser);
    return coarser;
  }
}

function windowOf(
  { unit, groups, moreGroups }: SeriesBins,
  spec: SeriesSpec,
  window: Window,
  withEnd: boolean,
): SeriesResult {
  const { fromNs, toNs, binNs } = window;
  let outliers = 0;
  const lines = groups.map(({ label, key, bins, outliers: times }) => {
    const end = withEnd ? upperBound(bins.tNs, toNs) : lowerBound(bins.tNs, toNs);
    const part = sliceBins(bins, lowerBound(bins.tNs, fromNs), end);
    const left = upperBound(times, toNs) - lowerBound(times, fromNs);
    outliers += left;
    return { group: label, key, samples: countOf(part) + left, ...part };
  });
  return { spec, fromNs, toNs, binNs, unit, lines, moreGroups, outliers };
}

function countOf({ count }: BinnedSamples): number {
  let sum = 0;
  for (let i = 0; i < count.length; i++) sum += count[i] as number;
  return sum;
}
