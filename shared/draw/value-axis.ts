import type { SeriesSpec } from '../chart.ts';
import type { ValueRange } from './plot-lines.ts';
import { logTicks, niceAxis, type Ticks } from './ticks.ts';

/** Room that a tick of a value axis needs, in px. */
const TICK_GAP_PX = 34;

/** Maps values to y px: `min` at `bottom`, `max` at `top`, both ends of the axis at marks where it is linear. */
export interface ValueAxis {
  scale: 'linear' | 'log';
  min: number;
  max: number;
  top: number;
  bottom: number;
  ticks: Ticks;
}

/**
 * An axis that holds `range` between two heights. Linear ones start at 0 where that costs less than half of the height, for
 * a single value, and always below bars and areas, whose size is what is read. A log axis over values that are all ≤ 0 is linear.
 */
export function valueAxis(
  range: ValueRange,
  scale: 'linear' | 'log',
  styles: readonly SeriesSpec['style'][],
  top: number,
  bottom: number,
): ValueAxis {
  const maxCount = Math.max(2, Math.floor((bottom - top) / TICK_GAP_PX));
  if (scale === 'log' && range.minPositive !== Number.POSITIVE_INFINITY) {
    const [min, max] = logEnds(range.minPositive, range.max);
    return { scale, min, max, top, bottom, ticks: logTicks(min, max, maxCount) };
  }
  const fromZero = styles.some((style) => style === 'bars' || style === 'area');
  let { min, max } = range;
  const constant = min === max;
  if (min > 0 && (fromZero || constant || min <= max / 2)) min = 0;
  else if (max < 0 && (fromZero || constant || max >= min / 2)) max = 0;
  return { scale: 'linear', ...niceAxis(min, max, maxCount), top, bottom };
}

/** Whole decades, or nice values where all lies within one. */
function logEnds(min: number, max: number): [number, number] {
  const low = 10 ** Math.floor(Math.log10(min) + 1e-9);
  const high = 10 ** Math.ceil(Math.log10(max) - 1e-9);
  return low < high ? [low, high] : [low / 10, low * 10];
}

/** y of a value; NaN where the axis cannot show it, which lifts the pen of a path. */
export function valueToY(axis: ValueAxis, value: number): number {
  if (axis.scale === 'log') {
    if (!(value > 0)) return Number.NaN;
    return axis.bottom - (Math.log(value / axis.min) / Math.log(axis.max / axis.min)) * (axis.bottom - axis.top);
  }
  return axis.bottom - ((value - axis.min) / (axis.max - axis.min)) * (axis.bottom - axis.top);
}

/** y from which bars and areas grow: 0, or the end of the axis that is nearest to it. */
export function baselineY(axis: ValueAxis): number {
  if (axis.scale === 'log') return axis.bottom;
  return valueToY(axis, Math.min(axis.max, Math.max(axis.min, 0)));
}
