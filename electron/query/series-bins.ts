import type { BinnedSamples, SeriesResult } from '../../shared/api.ts';
import type { SeriesSpec } from '../../shared/chart.ts';
import { coarserBins, sliceBins } from './bins.ts';
import { Bins, type BinWindow } from './fill-bins.ts';
import type { Group } from './groups.ts';
import { lowerBound, upperBound } from './trace.ts';

/** Bins of a series, by group, and where it was out of range. */
export interface SeriesBins {
  unit: string;
  /** At most `MOST_GROUPS`, in order of first appearance. */
  groups: GroupBins[];
  moreGroups: number;
  bytes: number;
}

export interface GroupBins extends Group {
  bins: BinnedSamples;
  /** Times of values that are left out, ascending. */
  outliers: Float64Array;
}

const BIN_BYTES = 44;

/** Bins of a window for each of some groups, filled in the order of the samples. */
export class GroupedBins {
  readonly #window: BinWindow;
  readonly #limit: number;
  /** By place of the group; made with its first sample. */
  readonly #bins: (Bins | undefined)[] = [];

  /** `limit`: values from here on are left out. */
  constructor(window: BinWindow, limit: number) {
    this.#window = window;
    this.#limit = limit;
  }

  of(slot: number): Bins {
    let bins = this.#bins[slot];
    if (bins === undefined) {
      bins = new Bins(this.#window, this.#limit);
      this.#bins[slot] = bins;
    }
    return bins;
  }

  /** One number; nothing where it is not in the window. */
  add(slot: number, timeNs: number, value: number): void {
    const { fromNs, toNs } = this.#window;
    if (timeNs >= fromNs && timeNs <= toNs) this.of(slot).addOne(timeNs, value);
  }

  finish(unit: string, groups: readonly Group[], moreGroups: number): SeriesBins {
    const finished = groups.map(({ label, key }, slot): GroupBins => {
      const own = this.of(slot);
      return { label, key, bins: own.finish(), outliers: own.outliers };
    });
    return seriesBins(unit, finished, moreGroups);
  }
}

export const seriesBins = (unit: string, groups: GroupBins[], moreGroups: number): SeriesBins => ({
  unit,
  groups,
  moreGroups,
  bytes: groups.reduce((sum, { bins, outliers }) => sum + bins.tNs.length * BIN_BYTES + outliers.byteLength, 0),
});

/** Bins over a whole recording, and those of twice, four times … the length, made when they are asked for. */
export class Levels {
  readonly #made = new Map<number, SeriesBins>();
  readonly finestNs: number;
  /** All levels together. */
  readonly bytes: number;

  constructor(bins: SeriesBins, binNs: number) {
    this.#made.set(binNs, bins);
    this.finestNs = binNs;
    this.bytes = bins.bytes * 2;
  }

  /** `binNs`: the finest one's, or a power of two times that. */
  at(binNs: number): SeriesBins {
    const known = this.#made.get(binNs);
    if (known !== undefined || binNs <= this.finestNs) return known as SeriesBins;
    const finer = this.at(binNs / 2);
    const groups = finer.groups.map((group) => ({ ...group, bins: coarserBins(group.bins, binNs / 2) }));
    const coarser = { ...finer, groups };
    this.#made.set(binNs, coarser);
    return coarser;
  }
}

/** A window of bins. `withEnd`: with the one that begins where the window ends. */
export function windowOf(
  { unit, groups, moreGroups }: SeriesBins,
  spec: SeriesSpec,
  { fromNs, toNs, binNs }: BinWindow,
  withEnd: boolean,
): SeriesResult {
  let outliers = 0;
  const lines = groups.map(({ label, key, bins, outliers: times }) => {
    const end = withEnd ? upperBound(bins.tNs, toNs) : lowerBound(bins.tNs, toNs);
    const part = sliceBins(bins, lowerBound(bins.tNs, fromNs), end);
    const firstLeft = lowerBound(times, fromNs);
    const left = upperBound(times, toNs, firstLeft) - firstLeft;
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
