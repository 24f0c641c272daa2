import type { BinnedSamples, SeriesResult } from '../../shared/api.ts';
import type { SeriesSpec } from '../../shared/chart.ts';
import { RemoraError } from '../../shared/errors.ts';
import { coarserBins, sliceBins } from './bins.ts';
import { ByteBudgetCache } from './byte-budget-cache.ts';
import { isLevel } from './levels.ts';
import { countOfType, traceOfWindow } from './live-window.ts';
import { Samples } from './samples.ts';
import { isStateful, keyOf, SeriesQueries, typeOfSeries } from './series.ts';
import { type PrepareOptions, SharedWork } from './shared-work.ts';
import { binsInPieces, type SeriesBins } from './streamed-series.ts';
import { lowerBound, type Trace, upperBound } from './trace.ts';

/** What one sample takes while a series is made of it. */
const SAMPLE_BYTES = 64;
/** Bins over all of a recording that are made at once: those of any coarser window follow from them. */
const FINEST_BINS = 1 << 18;
const FINEST_BINS_OF_GROUPS = 1 << 14;

/** Several plots are asked for at a time. */
const MOST_ODD_WINDOWS = 8;

interface Window {
  fromNs: number;
  toNs: number;
  binNs: number;
}

/**
 * Series of a recording of any size. Of a kind of event of which there are more than memory should hold, what is around the window is
 * evaluated, and wide windows are made of bins: `prepare` makes those, piece by piece; once for all windows of the usual resolutions.
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
  #last: { window: string; queries: SeriesQueries } | null = null;

  /** `most`: events that are evaluated at once; default: as many as the workspace's memory has room for. */
  constructor(trace: Trace, samples: Samples, most?: number) {
    this.#trace = trace;
    this.#whole = new SeriesQueries(trace, samples);
    this.#most = most ?? Object.values(trace.budgets).reduce((sum, bytes) => sum + bytes, 0) / SAMPLE_BYTES;
    this.#levels = new ByteBudgetCache(trace.budgets.series, ({ bytes }) => bytes);
  }

  firstLook(spec: SeriesSpec, fromNs: number, toNs: number, bins: number): SeriesResult | null {
    return this.#isMuch(spec) ? null : this.#whole.firstLook(spec, fromNs, toNs, bins);
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
    if (!this.#isWide(spec, fromNs, toNs)) return;
    if (mode === 'raw' || isStateful(spec)) throw this.#tooMany(spec, fromNs, toNs);
    const window = { fromNs, toNs, binNs: Math.max(1, (toNs - fromNs) / bins) };
    if (this.#isUsual(spec, window)) {
      const key = keyOf(spec);
      if (this.#levels.has(key)) return;
      const binNs = this.#finest(spec);
      const bins = await this.#make(key, spec, { fromNs: 0, toNs: this.#trace.durationNs, binNs }, options);
      this.#levels.get(key, () => new Levels(bins, binNs));
    } else {
      const key = oddKey(spec, window);
      if (this.#odd.has(key)) return;
      const bins = await this.#make(key, spec, window, options);
      this.#odd.get(key, () => bins);
    }
  }

  /** Makes bins, or waits for those that somebody else has begun to make. */
  async #make(key: string, spec: SeriesSpec, window: Window, options: PrepareOptions): Promise<SeriesBins> {
    const { type } = typeOfSeries(this.#trace, spec);
    let work = this.#making.get(key);
    if (work === undefined) {
      for (const [other, { isIdle }] of this.#making) if (isIdle) this.#making.delete(other);
      work = new SharedWork((nextTurn, onProgress) =>
        binsInPieces(this.#trace, type, spec, window, nextTurn, onProgress),
      );
      this.#making.set(key, work);
    }
    const bins = await work.wait(options);
    this.#making.delete(key);
    return bins;
  }

  /** Throws `limit` where a wide window was not prepared. */
  window(spec: SeriesSpec, fromNs: number, toNs: number, bins: number, mode: 'auto' | 'raw' | 'bins'): SeriesResult {
    if (!this.#isMuch(spec)) return this.#whole.window(spec, fromNs, toNs, bins, mode);
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

  /** Whether bins of a window are some of those that are made for all windows. */
  #isUsual(spec: SeriesSpec, { fromNs, binNs }: Window): boolean {
    return isLevel(binNs) && Number.isInteger(fromNs / binNs) && fromNs >= 0 && binNs >= this.#finest(spec);
  }

  #finest({ groupBy }: SeriesSpec): number {
    const bins = groupBy === '' ? FINEST_BINS : FINEST_BINS_OF_GROUPS;
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
