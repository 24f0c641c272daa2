import type { BinnedSamples } from '../../shared/api.ts';

/** What is binned: ascending times, a value each, and the places of values to leave out, ascending. */
export interface Binnable {
  time: Float64Array;
  value: Float64Array;
  outliers: Uint32Array;
}

/** Room for `n` bins. */
export const newBins = (n: number): BinnedSamples => ({
  mode: 'bins',
  tNs: new Float64Array(n),
  min: new Float64Array(n),
  max: new Float64Array(n),
  mean: new Float64Array(n),
  last: new Float64Array(n),
  count: new Uint32Array(n),
});

/** Samples `first` to `end` in bins of `binNs`, one of which begins at `fromNs`. Two passes: bins are counted first. */
export function binSamples(
  { time, value, outliers }: Binnable,
  first: number,
  end: number,
  fromNs: number,
  binNs: number,
): BinnedSamples {
  let n = 0;
  let bin = Number.NaN;
  for (let i = first; i < end; i++) {
    const mine = Math.floor(((time[i] as number) - fromNs) / binNs);
    if (mine !== bin) n++;
    bin = mine;
  }
  const bins = newBins(n);
  const { tNs, min, max, mean, last, count } = bins;
  let k = -1;
  let sum = 0;
  let skip = 0;
  while (skip < outliers.length && (outliers[skip] as number) < first) skip++;
  bin = Number.NaN;
  for (let i = first; i < end; i++) {
    if (outliers[skip] === i) {
      skip++;
      continue;
    }
    const v = value[i] as number;
    const mine = Math.floor(((time[i] as number) - fromNs) / binNs);
    if (mine !== bin) {
      if (k >= 0) mean[k] = sum / (count[k] as number);
      bin = mine;
      k++;
      tNs[k] = fromNs + mine * binNs;
      min[k] = v;
      max[k] = v;
      last[k] = v;
      count[k] = 1;
      sum = v;
      continue;
    }
    if (v < (min[k] as number)) min[k] = v;
    if (v > (max[k] as number)) max[k] = v;
    last[k] = v;
    count[k] = (count[k] as number) + 1;
    sum += v;
  }
  if (k >= 0) mean[k] = sum / (count[k] as number);
  return sliceBins(bins, 0, k + 1);
}

/** Bins of twice the length from bins that begin at multiples of theirs. Exact: nothing is lost on the way up. */
export function coarserBins(bins: BinnedSamples, binNs: number): BinnedSamples {
  const { tNs, min, max, mean, last, count } = bins;
  const n = tNs.length;
  const out = newBins(n);
  let k = -1;
  for (let i = 0; i < n; i++) {
    const start = Math.floor((tNs[i] as number) / (binNs * 2)) * binNs * 2;
    if (k >= 0 && out.tNs[k] === start) {
      const [a, b] = [out.count[k] as number, count[i] as number];
      out.min[k] = Math.min(out.min[k] as number, min[i] as number);
      out.max[k] = Math.max(out.max[k] as number, max[i] as number);
      out.mean[k] = ((out.mean[k] as number) * a + (mean[i] as number) * b) / (a + b);
      out.last[k] = last[i] as number;
      out.count[k] = a + b;
      continue;
    }
    k++;
    out.tNs[k] = start;
    out.min[k] = min[i] as number;
    out.max[k] = max[i] as number;
    out.mean[k] = mean[i] as number;
    out.last[k] = last[i] as number;
    out.count[k] = count[i] as number;
  }
  return sliceBins(out, 0, k + 1);
}

/** A copy of the bins from index `from` to `to`. */
export function sliceBins(bins: BinnedSamples, from: number, to: number): BinnedSamples {
  return {
    mode: 'bins',
    tNs: bins.tNs.slice(from, to),
    min: bins.min.slice(from, to),
    max: bins.max.slice(from, to),
    mean: bins.mean.slice(from, to),
    last: bins.last.slice(from, to),
    count: bins.count.slice(from, to),
  };
}
