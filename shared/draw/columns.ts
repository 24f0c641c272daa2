import type { TimeScale } from './ruler.ts';
import type { Surface } from './surface.ts';

/**
 * Lines and bands as one rectangle per column of pixels. A canvas takes a hundred times longer for a polyline that
 * zigzags within each pixel, or for one that is dashed, and shows much the same.
 */
export interface ColumnGrid {
  /** Width of a column: a device pixel in the surface's px. */
  widthPx: number;
  /** Where a column begins, so that columns are whole device pixels. */
  phasePx: number;
  /** There are so many points in all that every line is drawn in columns, however few points it has. */
  crowded?: boolean;
}

/** From this many points for each of them on, columns are drawn. */
const DENSE = 1 / 3;

export const isDense = (points: number, scale: TimeScale, { widthPx, crowded = false }: ColumnGrid): boolean =>
  crowded || points > (scale.widthPx / widthPx) * DENSE;

/** Taken by one `Columns` after the other: dozens of lines are drawn in every frame. */
let lows = new Float64Array(0);
let highs = new Float64Array(0);

/**
 * What is covered in each visible column, from `low` to `high` (y grows down); nothing where `low` is above `high`. Only
 * the one made last may be used.
 */
export class Columns {
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly #grid: ColumnGrid;
  readonly #first: number;

  constructor(scale: TimeScale, grid: ColumnGrid) {
    this.#grid = grid;
    this.#first = this.#at(scale.x);
    const count = this.#at(scale.x + scale.widthPx) - this.#first + 1;
    if (count > lows.length) {
      lows = new Float64Array(count);
      highs = new Float64Array(count);
    }
    this.low = lows.subarray(0, count).fill(Number.POSITIVE_INFINITY);
    this.high = highs.subarray(0, count).fill(Number.NEGATIVE_INFINITY);
  }

  /** Adds a straight line from left to right; NaN lifts the pen. */
  line(x1: number, y1: number, x2: number, y2: number): void {
    if (Number.isNaN(y1) || Number.isNaN(y2)) return;
    const from = this.#at(x1) - this.#first;
    const to = this.#at(x2) - this.#first;
    if (from === to || y1 === y2) {
      this.#cover(from, to, Math.min(y1, y2), Math.max(y1, y2));
      return;
    }
    const slope = (y2 - y1) / (x2 - x1);
    const end = Math.min(to, this.low.length - 1);
    for (let index = Math.max(from, 0); index <= end; index++) {
      const left = y1 + (Math.max(x1, this.#left(index)) - x1) * slope;
      const right = y1 + (Math.min(x2, this.#left(index + 1)) - x1) * slope;
      this.#cover(index, index, Math.min(left, right), Math.max(left, right));
    }
  }

  /** Adds all of a rectangle. */
  block(x1: number, x2: number, low: number, high: number): void {
    this.#cover(this.#at(x1) - this.#first, this.#at(x2) - this.#first, low, high);
  }

  /** Makes every column that has something reach to a height. */
  extendTo(y: number): void {
    for (let index = 0; index < this.low.length; index++) {
      if (this.low[index] > this.high[index]) continue;
      this.low[index] = Math.min(this.low[index], y);
      this.high[index] = Math.max(this.high[index], y);
    }
  }

  /**
   * Draws what is covered, `padPx` more at both ends. A dash leaves out columns, counted along x, where they are not
   * higher than `flatPx`: gaps in what jumps would hide values.
   */
  draw(surface: Surface, color: string, { opacity = 1, padPx = 0, dash = [], flatPx = 0 }: ColumnLook = {}): void {
    const { low, high } = this;
    const shown = (index: number): boolean =>
      low[index] <= high[index] &&
      (dash.length === 0 || high[index] - low[index] > flatPx || isDashOn(this.#left(index), dash));
    const paint = { fill: color, fillOpacity: opacity };
    for (let index = 0; index < low.length; index++) {
      if (!shown(index)) continue;
      // Columns that are the same are one rectangle.
      let end = index + 1;
      while (end < low.length && low[end] === low[index] && high[end] === high[index] && shown(end)) end++;
      const left = this.#left(index);
      const height = high[index] - low[index] + 2 * padPx;
      surface.rect(left, low[index] - padPx, this.#left(end) - left, height, paint);
      index = end - 1;
    }
  }

  #cover(from: number, to: number, low: number, high: number): void {
    const end = Math.min(to, this.low.length - 1);
    for (let index = Math.max(from, 0); index <= end; index++) {
      if (low < this.low[index]) this.low[index] = low;
      if (high > this.high[index]) this.high[index] = high;
    }
  }

  #at(x: number): number {
    return Math.floor((x - this.#grid.phasePx) / this.#grid.widthPx);
  }

  #left(index: number): number {
    return this.#grid.phasePx + (this.#first + index) * this.#grid.widthPx;
  }
}

interface ColumnLook {
  opacity?: number;
  padPx?: number;
  dash?: readonly number[];
  flatPx?: number;
}

function isDashOn(x: number, dash: readonly number[]): boolean {
  let period = 0;
  for (const length of dash) period += length;
  if (period === 0) return true;
  let rest = ((x % period) + period) % period;
  for (let index = 0; index < dash.length; index++) {
    if (rest < dash[index]) return index % 2 === 0;
    rest -= dash[index];
  }
  return true;
}
