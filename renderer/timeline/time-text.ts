import { formatDuration, NS_PER_S } from '../../shared/time.ts';

/** Times on the workspace axis as text. */

/** Seconds from the start with the digits that a pixel of `nsPerPx` can tell apart, three at least: `3.482 s`. */
export function timeText(ns: number, nsPerPx: number): string {
  const digits = Math.min(9, Math.max(3, Math.ceil(-Math.log10(Math.max(nsPerPx, 1) / NS_PER_S))));
  return `${(ns / NS_PER_S).toFixed(digits).replace('-', '−')} s`;
}

/** A distance of two times with its sign: `+12.5 ms`, `−3 µs`. */
export function differenceText(ns: number): string {
  return `${ns < 0 ? '−' : '+'}${formatDuration(Math.abs(ns))}`;
}
