import type { BinnedSamples } from '../../shared/api.ts';
import { newBins } from './bins.ts';

export interface BinWindow {
  fromNs: number;
  toNs: number;
  binNs: number;
}

/** All bins of a window, filled in any order of time. */
export class Bins {
  readonly #fromNs: number;
  readonly #toNs: number;
  readonly #binNs: number;
  readonly #limit: number;
  readonly #min: Float64Array;
  readonly #max: Float64Array;
  readonly #sum: Float64Array;
  readonly #last: Float64Array;
  readonly #lastNs: Float64Array;
  readonly #count: Uint32Array;
  readonly #outliers: number[] = [];

  /** Of `binNs` from `fromNs` on; samples at `toNs` are part of them. `limit`: values from here on are left out. */
  constructor({ fromNs, toNs, binNs }: BinWindow, limit: number) {
    // None of a window that ends before it begins.
    const n = Math.max(0, Math.floor((toNs - fromNs) / binNs) + 1);
    this.#fromNs = fromNs;
    this.#toNs = toNs;
    this.#binNs = binNs;
    this.#limit = limit;
    this.#min = new Float64Array(n);
    this.#max = new Float64Array(n);
    this.#sum = new Float64Array(n);
    this.#last = new Float64Array(n);
    this.#lastNs = new Float64Array(n);
    this.#count = new Uint32Array(n);
  }

  /** Of equal times the one that is added later counts as the later one. */
  add(time: Float64Array, value: Float64Array, n: number, offsetNs: number): void {
    const limit = this.#limit;
    const fromNs = this.#fromNs;
    const toNs = this.#toNs;
    const binNs = this.#binNs;
    // Most are in the bin of the one before: what is known of that stays in registers.
    let bin = -1;
    // Where a time is in it for sure, however its edges are rounded.
    let insideFromNs = Number.POSITIVE_INFINITY;
    let insideToNs = Number.NEGATIVE_INFINITY;
    let [min, max, sum, last, lastNs, count] = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      const v = value[i] as number;
      const t = (time[i] as number) + offsetNs;
      if (Number.isNaN(v) || t < fromNs || t > toNs) continue;
      if (v >= limit) {
        this.#outliers.push(t);
        continue;
      }
      if (t < insideFromNs || t > insideToNs) {
        const own = Math.floor((t - fromNs) / binNs);
        if (own !== bin) {
          if (count > 0) this.#put(bin, min, max, sum, last, lastNs, count);
          bin = own;
          insideFromNs = fromNs + bin * binNs + 1;
          insideToNs = insideFromNs + binNs - 2;
          min = v;
          max = v;
          sum = v;
          last = v;
          lastNs = t;
          count = 1;
          continue;
        }
      }
      if (v < min) min = v;
      if (v > max) max = v;
      sum += v;
      count++;
      if (t >= lastNs) {
        last = v;
        lastNs = t;
      }
    }
    if (count > 0) this.#put(bin, min, max, sum, last, lastNs, count);
  }

  /** Adds samples of one bin; the last of them at `lastNs`. */
  #put(bin: number, min: number, max: number, sum: number, last: number, lastNs: number, count: number): void {
    const known = this.#count[bin] as number;
    this.#min[bin] = known === 0 ? min : Math.min(this.#min[bin] as number, min);
    this.#max[bin] = known === 0 ? max : Math.max(this.#max[bin] as number, max);
    this.#sum[bin] = (this.#sum[bin] as number) + sum;
    this.#count[bin] = known + count;
    if (known > 0 && lastNs < (this.#lastNs[bin] as number)) return;
    this.#last[bin] = last;
    this.#lastNs[bin] = lastNs;
  }

  /** The same of one sample, which is a number of the window. */
  addOne(t: number, v: number): void {
    if (v >= this.#limit) this.#outliers.push(t);
    else this.#put(Math.floor((t - this.#fromNs) / this.#binNs), v, v, v, v, t, 1);
  }

  /** Times of values that were left out, ascending. */
  get outliers(): Float64Array {
    return Float64Array.from(this.#outliers).sort();
  }

  /** Those that have samples, ascending. */
  finish(): BinnedSamples {
    const count = this.#count;
    let n = 0;
    for (let bin = 0; bin < count.length; bin++) if ((count[bin] as number) > 0) n++;
    const out = newBins(n);
    let k = 0;
    for (let bin = 0; bin < count.length; bin++) {
      const own = count[bin] as number;
      if (own === 0) continue;
      out.tNs[k] = this.#fromNs + bin * this.#binNs;
      out.min[k] = this.#min[bin] as number;
      out.max[k] = this.#max[bin] as number;
      out.mean[k] = (this.#sum[bin] as number) / own;
      out.last[k] = this.#last[bin] as number;
      out.count[k] = own;
      k++;
    }
    return out;
  }
}
