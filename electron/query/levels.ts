/**
 * Answers in pixels from precomputed levels: time is cut into buckets of 2^k ns that begin at multiples of their length, so
 * that every coarser level follows from a finer one, and a window's answer is a slice of its level. Requests whose
 * resolution is no power of two are answered by scanning.
 */
export function isLevel(resolutionNs: number): boolean {
  const exponent = Math.log2(resolutionNs);
  return Number.isInteger(exponent) && exponent >= 0;
}

/** A window widened to whole buckets, so that neighbouring answers line up. At least one. */
export function wholeBuckets(
  fromNs: number,
  toNs: number,
  resolutionNs: number,
): { from: number; to: number; buckets: number } {
  const from = Math.floor(fromNs / resolutionNs) * resolutionNs;
  const buckets = Math.max(1, Math.ceil((toNs - from) / resolutionNs));
  return { from, to: from + buckets * resolutionNs, buckets };
}

/** Counts per bucket, from the bucket with index `first` on. */
export interface DensityLevel {
  resolutionNs: number;
  first: number;
  counts: Uint32Array;
}

/** The next coarser level. */
export function coarserDensity({ resolutionNs, first, counts }: DensityLevel): DensityLevel {
  const coarserFirst = Math.floor(first / 2);
  const n = counts.length === 0 ? 0 : Math.floor((first + counts.length - 1) / 2) - coarserFirst + 1;
  const out = new Uint32Array(n);
  for (let i = 0; i < counts.length; i++) {
    const bucket = Math.floor((first + i) / 2) - coarserFirst;
    out[bucket] = (out[bucket] as number) + (counts[i] as number);
  }
  return { resolutionNs: resolutionNs * 2, first: coarserFirst, counts: out };
}

/** `buckets` counts from time `fromNs`, a multiple of the level's resolution; 0 outside of the level. A fresh array. */
export function densityWindow(level: DensityLevel, fromNs: number, buckets: number): Uint32Array {
  const out = new Uint32Array(buckets);
  const start = Math.round(fromNs / level.resolutionNs) - level.first;
  const from = Math.max(0, start);
  const to = Math.min(level.counts.length, start + buckets);
  if (to > from) out.set(level.counts.subarray(from, to), from - start);
  return out;
}
