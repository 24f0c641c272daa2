import type { BinnedSamples } from '../../shared/api.ts';

/**
 * Samples `first` to `end` (ascending time) in bins of `binNs` from `fromNs`. Values of `limit` and above are left out.
 */
export function binSamples(
  time: Float64Array,
  value: Float64Array,
  first: number,
  end: number,
  fromNs: number,
  binNs: number,
  limit: number,
): BinnedSamples {
  const most = end - first;
  const tNs: number[] = [];
  const min: number[] = [];
  const max: number[] = [];
  const mean: number[] = [];
  const last: number[] = [];
  const count: number[] = [];
  let bin = -1;
  let k = -1;
  let sum = 0;
  for (let i = first; i < first + most; i++) {
    const v = value[i] as number;
    if (v >= limit) continue;
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
  return {
    mode: 'bins',
    tNs: Float64Array.from(tNs),
    min: Float64Array.from(min),
    max: Float64Array.from(max),
    mean: Float64Array.from(mean),
    last: Float64Array.from(last),
    count: Uint32Array.from(count),
  };
}
