import { NS_PER_MS, NS_PER_S, NS_PER_US, type TimeUnit } from '../time.ts';

/** Where an axis has its marks, and what stands beside them. */
export interface Ticks {
  /** Distance of two marks; 0 on a log axis. */
  step: number;
  /** Ascending. Minor marks have no label. */
  marks: { value: number; label: string }[];
}

export interface TimeTicks extends Ticks {
  /**
   * Deep in a long recording, marks are labelled as distances (`+250 µs`) from this time, which the axis has to show
   * once; null where labels are whole times.
   */
  base: { ns: number; label: string } | null;
}

/** Smallest 1, 2 or 5 × 10^n of which at most `maxCount` steps fit into `span`. */
export function niceStep(span: number, maxCount: number): number {
  const least = span / Math.max(1, maxCount);
  if (!(least > 0) || !Number.isFinite(least)) return 1;
  const exponent = Math.floor(Math.log10(least));
  for (const factor of [1, 2, 5]) {
    const step = powerOfTen(exponent, factor);
    if (step >= least * (1 - 1e-9)) return step;
  }
  return powerOfTen(exponent + 1, 1);
}

/** `factor`·10^exponent with the rounding of a literal: 3e-7, not 3 × 1.0000000000000001e-7. */
const powerOfTen = (exponent: number, factor: number): number => Number(`${factor}e${exponent}`);

/** Part of a step by which a value that was rounded may miss a mark; a division of large values is off by 1e-8. */
const SLACK = 1e-6;

/** Multiples of `step` within [from, to], without accumulating rounding errors. */
function multiples(from: number, to: number, step: number): number[] {
  const first = Math.ceil(from / step - SLACK);
  const last = Math.floor(to / step + SLACK);
  const values: number[] = [];
  // Where `from` is too large for `step` to change it, first === last or they are apart by no visible distance.
  for (let index = first; index <= last && values.length < 1000; index++) values.push(cleanProduct(index, step));
  return values;
}

/** index × step, rounded to the digits that the step has: 3 × 0.1 is 0.3. */
function cleanProduct(index: number, step: number): number {
  if (index === 0) return 0; // never -0
  if (step >= 1) return index * step;
  return Number((index * step).toFixed(Math.min(100, decimals(step))));
}

/** Digits after the point that `step` needs. */
const decimals = (step: number): number => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));

/** Marks of a linear axis: at most `maxCount` + 1 of them within [min, max]. */
export function linearTicks(min: number, max: number, maxCount: number): Ticks {
  const step = niceStep(max - min, maxCount);
  const values = multiples(min, max, step);
  const largest = Math.max(Math.abs(min), Math.abs(max));
  return { step, marks: values.map((value) => ({ value, label: formatValue(value, step, largest) })) };
}

/**
 * An axis over whole steps that holds [min, max], at least one: its first and last mark are its ends. Widening to whole
 * steps adds up to two of them to `maxCount`.
 */
export function niceAxis(min: number, max: number, maxCount: number): { min: number; max: number; ticks: Ticks } {
  if (min === max) {
    const around = min === 0 ? 1 : Math.abs(min) / 2;
    return niceAxis(min - around, max + around, maxCount);
  }
  const step = niceStep(max - min, maxCount);
  // Index by index: taken from the ends again, marks of large values would miss them by rounding.
  const first = Math.floor(min / step + SLACK);
  const last = Math.max(first + 1, Math.ceil(max / step - SLACK));
  const values = Array.from({ length: last - first + 1 }, (_, index) => cleanProduct(first + index, step));
  const ends = { min: values[0], max: values[values.length - 1] };
  const largest = Math.max(Math.abs(ends.min), Math.abs(ends.max));
  return {
    ...ends,
    ticks: { step, marks: values.map((value) => ({ value, label: formatValue(value, step, largest) })) },
  };
}

/**
 * Marks of a log axis over [min, max], both positive: every decade labelled, or every second, third …, where they are
 * many; with few decades also 2 and 5, and the other digits as minor marks.
 */
export function logTicks(min: number, max: number, maxCount: number): Ticks {
  const first = Math.floor(Math.log10(min) + 1e-9);
  const last = Math.ceil(Math.log10(max) - 1e-9);
  const decades = Math.max(1, last - first);
  if (decades === 1 && max / min < 3) return linearTicks(min, max, maxCount);
  const every = Math.max(1, Math.ceil(decades / Math.max(1, maxCount)));
  const labelled = decades * 3 <= maxCount ? [1, 2, 5] : [1];
  const marks: Ticks['marks'] = [];
  for (let exponent = first; exponent <= last; exponent++) {
    for (let digit = 1; digit < 10; digit++) {
      const value = powerOfTen(exponent, digit);
      if (value < min * (1 - 1e-9) || value > max * (1 + 1e-9)) continue;
      const whole = (exponent - first) % every === 0;
      if (every > 1 && !(whole && digit === 1)) continue;
      marks.push({ value, label: whole && labelled.includes(digit) ? withPrefix(value, value, value, 1000) : '' });
    }
  }
  return { step: 0, marks };
}

/** Prefixes of bare numbers; `k` as in SI. */
const prefixes: readonly (readonly [number, string])[] = [
  [1e15, 'P'],
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/**
 * A value of an axis with the precision that `step` calls for. Where `largest`, the axis' largest magnitude, has more
 * than five digits, all of its values carry one prefix: `0`, `250k`, `500k`.
 */
export const formatValue = (value: number, step: number, largest: number): string =>
  withPrefix(value, step, largest, 100_000);

function withPrefix(value: number, step: number, largest: number, prefixFrom: number): string {
  if (value === 0) return '0';
  const sign = value < 0 ? '−' : '';
  const magnitude = Math.abs(value);
  if (largest >= 1e18 || largest < 1e-6) return sign + magnitude.toExponential().replace('e+', 'e').replace('e-', 'e−');
  const [scale, prefix] =
    largest < prefixFrom ? [1, ''] : (prefixes.find(([size]) => largest >= size) as readonly [number, string]);
  return sign + (magnitude / scale).toFixed(Math.min(20, decimals(step / scale))) + prefix;
}

/** Units of time, largest first, a thousand apart; prefixes where the clock counts something else. */
const timeSizes = [NS_PER_S, NS_PER_MS, NS_PER_US, 1] as const;
const timeNames = ['s', 'ms', 'µs', 'ns'] as const;
const countNames = ['G', 'M', 'k', ''] as const;

/**
 * Marks of a time axis over [fromNs, toNs], ns on the workspace axis; steps are never below 1 ns. Labels carry their
 * unit and all digits of the step: `12.5 s`, `340 µs`, or `340 k` of a clock that counts something else; deep in a
 * recording they count from `base`.
 */
export function timeTicks(fromNs: number, toNs: number, maxCount: number, clock: TimeUnit = 'ns'): TimeTicks {
  const names = clock === 'ns' ? timeNames : countNames;
  const step = Math.max(1, niceStep(toNs - fromNs, maxCount));
  const values = multiples(fromNs, toNs, step);
  const farthest = Math.max(Math.abs(fromNs), Math.abs(toNs));
  // The largest unit whose labels need at most three decimals.
  const found = timeSizes.findIndex((size) => step >= size / 1000 && farthest >= size);
  const [scale, unit] = found < 0 ? [1, names[3]] : [timeSizes[found], names[found]];
  if (farthest < scale * 10_000 || scale === NS_PER_S) {
    const digits = decimals(step / scale);
    return {
      step,
      base: null,
      marks: values.map((value) => ({ value, label: timeLabel(value / scale, digits, unit) })),
    };
  }
  const quantum = step >= NS_PER_US ? NS_PER_MS : NS_PER_US;
  const baseNs = Math.floor(fromNs / quantum) * quantum;
  const [deltaScale, deltaUnit] =
    step * maxCount >= quantum
      ? [quantum, quantum === NS_PER_MS ? names[1] : names[2]]
      : [quantum / 1000, quantum === NS_PER_MS ? names[2] : names[3]];
  const digits = decimals(step / deltaScale);
  return {
    step,
    base: { ns: baseNs, label: timeLabel(baseNs / NS_PER_S, decimals(quantum / NS_PER_S), names[0]) },
    marks: values.map((value) => ({ value, label: `+${timeLabel((value - baseNs) / deltaScale, digits, deltaUnit)}` })),
  };
}

function timeLabel(value: number, digits: number, unit: string): string {
  const text = Math.abs(value).toFixed(digits);
  return `${value < 0 && Number(text) !== 0 ? '−' : ''}${text} ${unit}`.trimEnd();
}
