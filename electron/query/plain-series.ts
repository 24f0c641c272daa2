import type { SeriesLine, SeriesResult } from '../../shared/api.ts';
import type { SeriesSpec } from '../../shared/chart.ts';
import { SelectionSpace } from '../store/chunk-selection.ts';
import { binSamples } from './bins.ts';
import type { PlainSource } from './direct-bins.ts';
import { isOfBins } from './series.ts';
import { lowerBound, type Trace, upperBound } from './trace.ts';

/** Bytes of a sample that is kept. */
export const PLAIN_SAMPLE_BYTES = 16;

/** Samples of a window in the list's order: time, then stream, CPU, and their order there. */
interface Merged {
  time: Float64Array;
  value: Float64Array;
  /** Where each comes from: its source, and its place there. */
  source: Uint16Array;
  place: Uint32Array;
}

/**
 * Samples of a plain series (see isPlain), CPU by CPU as they were read: a window is a search in each and a merge of what lies in it, which
 * is soon done for windows that are narrow enough not to be made of bins.
 */
export class PlainSeries {
  readonly #trace: Trace;
  readonly #sources: readonly PlainSource[];
  readonly #unit: string;
  readonly #limit: number;

  /** `limit`: values from here on are left out of bins. */
  constructor(trace: Trace, sources: readonly PlainSource[], unit: string, limit: number) {
    this.#trace = trace;
    this.#sources = sources;
    this.#unit = unit;
    this.#limit = limit;
  }

  window(spec: SeriesSpec, fromNs: number, toNs: number, bins: number, mode: 'auto' | 'raw' | 'bins'): SeriesResult {
    const binNs = Math.max(1, (toNs - fromNs) / bins);
    const merged = this.#merge((time) => [lowerBound(time, fromNs), upperBound(time, toNs)]);
    const { time, value } = merged;
    const outliers = placesFrom(value, this.#limit);
    const raw = mode === 'raw' || (mode === 'auto' && !isOfBins(spec) && time.length <= bins * 2);
    const head = { group: '', key: '', samples: time.length };
    const line: SeriesLine = raw
      ? { ...head, ...this.#raw(fromNs, toNs) }
      : { ...head, ...binSamples({ time, value, outliers }, 0, time.length, fromNs, binNs) };
    return { spec, fromNs, toNs, binNs, unit: this.#unit, lines: [line], moreGroups: 0, outliers: outliers.length };
  }

  /** Samples of the window and one neighbour on either side, with the events they come from. */
  #raw(fromNs: number, toNs: number) {
    // A neighbour is the nearest over all CPUs: each gives one that is a number, and of these the others are cut off.
    const merged = this.#merge((time, value) => {
      let first = lowerBound(time, fromNs) - 1;
      while (first > 0 && Number.isNaN(value[first])) first--;
      let end = upperBound(time, toNs) + 1;
      while (end < time.length && Number.isNaN(value[end - 1])) end++;
      return [Math.max(0, first), Math.min(time.length, end)];
    });
    const from = Math.max(0, lowerBound(merged.time, fromNs) - 1);
    const to = Math.min(merged.time.length, upperBound(merged.time, toNs) + 1);
    const stream = new Uint16Array(to - from);
    const cpu = new Uint16Array(to - from);
    const index = new Float64Array(to - from);
    const indexes = this.#sources.map((source) => new Indexes(this.#trace, source));
    for (let i = from; i < to; i++) {
      const s = merged.source[i] as number;
      const source = this.#sources[s] as PlainSource;
      stream[i - from] = source.stream.info.index;
      cpu[i - from] = source.cpu.cpu;
      index[i - from] = (indexes[s] as Indexes).of(merged.place[i] as number);
    }
    return {
      mode: 'raw' as const,
      tNs: merged.time.slice(from, to),
      value: merged.value.slice(from, to),
      event: { stream, cpu, index },
    };
  }

  /** Numbers of the ranges that `range` gives of each source. */
  #merge(range: (time: Float64Array, value: Float64Array) => [first: number, end: number]): Merged {
    const ranges = this.#sources.map(({ time, value }) => range(time, value));
    const most = ranges.reduce((sum, [first, end]) => sum + Math.max(0, end - first), 0);
    const out: Merged = {
      time: new Float64Array(most),
      value: new Float64Array(most),
      source: new Uint16Array(most),
      place: new Uint32Array(most),
    };
    let n = 0;
    for (;;) {
      let chosen = -1;
      let best = Number.POSITIVE_INFINITY;
      for (const [s, [next, end]] of ranges.entries()) {
        if (next >= end) continue;
        const at = (this.#sources[s] as PlainSource).time[next] as number;
        if (chosen < 0 || at < best) {
          best = at;
          chosen = s;
        }
      }
      if (chosen < 0) break;
      const own = ranges[chosen] as [number, number];
      const place = own[0]++;
      const value = (this.#sources[chosen] as PlainSource).value[place] as number;
      if (Number.isNaN(value)) continue;
      out.time[n] = best;
      out.value[n] = value;
      out.source[n] = chosen;
      out.place[n++] = place;
    }
    return {
      time: out.time.subarray(0, n),
      value: out.value.subarray(0, n),
      source: out.source.subarray(0, n),
      place: out.place.subarray(0, n),
    };
  }
}

/** Which of its CPU's events a sample is. The chunk looked at last is kept: samples are asked for in order. */
class Indexes {
  readonly #trace: Trace;
  readonly #source: PlainSource;
  #first = 0;
  #firstIndex = 0;
  #at: Uint32Array = new Uint32Array(0);

  constructor(trace: Trace, source: PlainSource) {
    this.#trace = trace;
    this.#source = source;
  }

  of(place: number): number {
    if (place < this.#first || place >= this.#first + this.#at.length) this.#load(place);
    return this.#firstIndex + (this.#at[place - this.#first] as number);
  }

  #load(place: number): void {
    const { parts, id } = this.#source;
    let low = 0;
    let high = parts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((parts[middle] as PlainSource['parts'][number]).first <= place) low = middle;
      else high = middle - 1;
    }
    const { info, first } = parts[low] as PlainSource['parts'][number];
    this.#first = first;
    this.#firstIndex = info.firstIndex;
    this.#at = this.#trace.chunks.select(info, id, new SelectionSpace()).at;
  }
}

/** Places of values that are `limit` or more, ascending. */
function placesFrom(value: Float64Array, limit: number): Uint32Array {
  const places: number[] = [];
  for (let i = 0; i < value.length; i++) if ((value[i] as number) >= limit) places.push(i);
  return Uint32Array.from(places);
}
