/**
 * Time in Remora. Absolute times are 64-bit and travel as `bigint` or decimal strings; everything hot uses
 * Float64 nanoseconds relative to an origin, which is exact for 2^53 ns = 104 days. All conversions live here.
 */

/** Nanoseconds relative to the origin of the workspace (the earliest stream origin). Float64, integral. */
export type RelNs = number;

/** Absolute time of the trace clock in ns, as a decimal string (JSON has no 64-bit integers). */
export type AbsNsText = string;

/** What one tick of a clock is: ns, or bare counts (`counter`), or CPU cycles (`x86-tsc`). */
export type TimeUnit = 'ns' | 'counts' | 'cycles';

/** What the axis of a workspace counts; ns where its streams differ. */
export function timeUnitOf({ streams }: { streams: readonly { timeUnit: TimeUnit }[] }): TimeUnit {
  const [first, ...others] = streams;
  return first && others.every((stream) => stream.timeUnit === first.timeUnit) ? first.timeUnit : 'ns';
}

export const NS_PER_US = 1_000;
export const NS_PER_MS = 1_000_000;
export const NS_PER_S = 1_000_000_000;

/** Absolute ns to ns relative to `originNs`. Exact while the distance is below 2^53 ns; rounds beyond. */
export const toRelNs = (absNs: bigint, originNs: bigint): RelNs => Number(absNs - originNs);

/** Relative ns back to absolute ns. A fractional part (a pixel position) is rounded to the nearest ns. */
export const toAbsNs = (relNs: RelNs, originNs: bigint): bigint => originNs + BigInt(Math.round(relNs));

/** Closed-open interval of time on the workspace axis, in ns relative to the workspace origin. */
export interface TimeRange {
  fromNs: RelNs;
  toNs: RelNs;
}

/**
 * An absolute time as trace-cmd prints it: seconds with `digits` decimals, rounded half up as trace-cmd rounds
 * microseconds (`digits` 6) and exact with 9.
 */
export function formatSeconds(absNs: bigint, digits: 6 | 9 = 6): string {
  const negative = absNs < 0n;
  let ns = negative ? -absNs : absNs;
  if (digits === 6) ns = ((ns + 500n) / 1000n) * 1000n;
  const seconds = ns / 1_000_000_000n;
  const fraction = (ns % 1_000_000_000n).toString().padStart(9, '0').slice(0, digits);
  return `${negative ? '-' : ''}${seconds}.${fraction}`;
}

/**
 * A duration for people: `12 ns`, `3.42 µs`, `171.8 ms`, `13.53 s`. `significant` digits, trailing zeros kept off.
 */
export function formatDuration(ns: number, significant = 4): string {
  const magnitude = Math.abs(ns);
  const [scale, unit] =
    magnitude < NS_PER_US
      ? [1, 'ns']
      : magnitude < NS_PER_MS
        ? [NS_PER_US, 'µs']
        : magnitude < NS_PER_S
          ? [NS_PER_MS, 'ms']
          : [NS_PER_S, 's'];
  const value = ns / (scale as number);
  const text =
    Math.abs(value) >= 10 ** (significant - 1) ? value.toFixed(0) : Number(value.toPrecision(significant)).toString();
  return `${text} ${unit}`;
}

/**
 * A whole number in groups of three digits: `1,234,567`. Not by Intl, which takes longer to load than most commands to run.
 */
export const formatCount = (count: number): string => String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');

/** A length on a time axis: `18.31 ms`, or `1,234 cycles` where its clock does not count time. */
export function formatLength(length: number, unit: TimeUnit, significant = 4): string {
  if (unit === 'ns') return formatDuration(length, significant);
  const count = Math.round(length);
  return `${formatCount(count)} ${count === 1 ? unit.slice(0, -1) : unit}`;
}
