import type { SeriesLine } from '../../shared/api.ts';
import { type PlotLine, valueAt } from '../../shared/draw/plot-lines.ts';
import { type TimeScale, timeToX } from '../../shared/draw/ruler.ts';
import { type ValueAxis, valueToY } from '../../shared/draw/value-axis.ts';
import type { EventRef } from '../../shared/model.ts';
import type { TimeRange } from '../../shared/time.ts';

/** Looking up samples of plotted lines. Lines ascend in time, so everything here searches instead of walking. */

/** Index of the last sample or bin that starts at or before a time; -1: none. */
export function indexAt(tNs: Float64Array, ns: number): number {
  let low = 0;
  let high = tNs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (tNs[middle] <= ns) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The part of a line that a window shows, and its neighbours on both sides, as views on the same memory. */
export function cropLine(plotLine: PlotLine, window: TimeRange): PlotLine {
  const { line } = plotLine;
  const from = Math.max(0, indexAt(line.tNs, window.fromNs));
  const to = Math.min(line.tNs.length, indexAt(line.tNs, window.toNs) + 2);
  return { ...plotLine, line: slice(line, from, to) };
}

function slice(line: SeriesLine, from: number, to: number): SeriesLine {
  const tNs = line.tNs.subarray(from, to);
  if (line.mode === 'raw') {
    const { stream, cpu, index } = line.event;
    const event = { stream: stream.subarray(from, to), cpu: cpu.subarray(from, to), index: index.subarray(from, to) };
    return { ...line, tNs, value: line.value.subarray(from, to), event };
  }
  return {
    ...line,
    tNs,
    min: line.min.subarray(from, to),
    max: line.max.subarray(from, to),
    mean: line.mean.subarray(from, to),
    last: line.last.subarray(from, to),
    count: line.count.subarray(from, to),
  };
}

/** What a line shows at a time: the latest sample or bin at or before it; -1 where it has not begun. */
export const shownIndex = (plotLine: PlotLine, ns: number): number => indexAt(plotLine.line.tNs, ns);

export interface NearSample {
  line: PlotLine;
  index: number;
  distancePx: number;
}

/** Farther than this from the pointer, nothing is meant. */
const REACH_PX = 24;

/**
 * The sample whose mark is nearest to a place, at most REACH_PX away: the marks of `lines` within that reach sideways are
 * compared, of which there are at most as many as pixels where the lines are binned.
 */
export function nearestSample(
  lines: readonly PlotLine[],
  scale: TimeScale,
  axisOf: (line: PlotLine) => ValueAxis | null,
  x: number,
  y: number,
): NearSample | null {
  const nsPerPx = (scale.toNs - scale.fromNs) / scale.widthPx;
  const centre = scale.fromNs + (x - scale.x) * nsPerPx;
  let best: NearSample | null = null;
  for (const line of lines) {
    const axis = axisOf(line);
    if (!axis) continue;
    const last = indexAt(line.line.tNs, centre + REACH_PX * nsPerPx);
    for (let index = last; index >= 0 && line.line.tNs[index] >= centre - REACH_PX * nsPerPx; index--) {
      const distancePx = Math.hypot(
        timeToX(scale, line.line.tNs[index] + line.binNs / 2) - x,
        valueToY(axis, valueAt(line, index)) - y,
      );
      if (distancePx <= REACH_PX && (!best || distancePx < best.distancePx)) best = { line, index, distancePx };
    }
  }
  return best;
}

/** The line that passes nearest above or below a place, with what it shows there; null where none has begun. */
export function lineUnder(
  lines: readonly PlotLine[],
  axisOf: (line: PlotLine) => ValueAxis | null,
  ns: number,
  y: number,
): NearSample | null {
  let best: NearSample | null = null;
  for (const line of lines) {
    const axis = axisOf(line);
    const index = shownIndex(line, ns);
    if (!axis || index < 0) continue;
    const distancePx = Math.abs(valueToY(axis, valueAt(line, index)) - y);
    if (!best || distancePx < best.distancePx) best = { line, index, distancePx };
  }
  return best;
}

/** The event that a raw sample was read from; null for a bin. */
export function eventOf({ line }: PlotLine, index: number): EventRef | null {
  if (line.mode !== 'raw') return null;
  return { stream: line.event.stream[index], cpu: line.event.cpu[index], index: line.event.index[index] };
}
