import { formatLength, NS_PER_S, type TimeUnit } from '../../shared/time.ts';

/** Times on the workspace axis as text. */

const integers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/**
 * Seconds from the start with the digits that a pixel of `nsPerPx` can tell apart, three at least: `3.482 s`; whole counts
 * of a clock that does not count time: `3,482 cycles`.
 */
export function timeText(ns: number, nsPerPx: number, unit: TimeUnit): string {
  if (unit !== 'ns') return `${integers.format(ns).replace('-', '−')} ${unit}`;
  const digits = Math.min(9, Math.max(3, Math.ceil(-Math.log10(Math.max(nsPerPx, 1) / NS_PER_S))));
  return `${(ns / NS_PER_S).toFixed(digits).replace('-', '−')} s`;
}

/** A distance of two times with its sign: `+12.5 ms`, `−3 µs`. */
export function differenceText(ns: number, unit: TimeUnit): string {
  return `${ns < 0 ? '−' : '+'}${formatLength(Math.abs(ns), unit)}`;
}
