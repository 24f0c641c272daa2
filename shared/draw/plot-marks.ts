import { type ColumnGrid, Columns, isDense } from './columns.ts';
import { hasEnvelope, isTotal, type PlotLine, valueAt } from './plot-lines.ts';
import { type TimeScale, timeToX } from './ruler.ts';
import type { Surface } from './surface.ts';
import type { Theme } from './theme.ts';
import { baselineY, type ValueAxis, valueToY } from './value-axis.ts';

const LINE_PX = 1.5;
const DOT_PX = 1.8;
const SPECK_PX = 2;
/** The end of a bin belongs to the next one. */
const EDGE_PX = 1e-6;
const MAX_BAR_PX = 8;
/** Samples farther apart than this, in px, on average, are marked with dots, so that one sees where data are. */
const DOT_SPACING_PX = 14;
const AREA_OPACITY = 0.25;
const ENVELOPE_OPACITY = 0.22;

/**
 * Draws one line of a plot in its style, the min–max envelope of its bins behind it. The caller clips. On a surface of
 * pixels, `grid` says where its columns are, for lines with about as many points.
 */
export function drawLineMarks(
  surface: Surface,
  line: PlotLine,
  scale: TimeScale,
  axis: ValueAxis,
  theme: Theme,
  grid: ColumnGrid | null = null,
): void {
  if (line.line.tNs.length === 0) return;
  const { style } = line.spec;
  const dense = grid && isDense(line.line.tNs.length, scale, grid) ? grid : null;
  // The ends of a bin are points like any other.
  if (style === 'points') {
    const draw = dense ? drawSpecks : drawDots;
    draw(surface, line, scale, axis, (i) => valueAt(line, i));
    if (hasEnvelope(line) && line.line.mode === 'bins')
      for (const ends of [line.line.min, line.line.max]) draw(surface, line, scale, axis, (i) => ends[i]);
    return;
  }
  if (hasEnvelope(line)) drawEnvelope(surface, line, scale, axis, dense);
  if (style === 'bars') drawBars(surface, line, scale, axis);
  else {
    const points = style === 'line' ? straight(line, scale, axis) : steps(line, scale, axis);
    if (grid && (dense || line.dash.length > 0)) drawColumns(surface, points, line, scale, axis, grid);
    else {
      if (style === 'area') drawArea(surface, points, axis, line.color);
      surface.path(points.xy, points.count, { stroke: { color: line.color, width: LINE_PX, dash: line.dash } });
    }
    if (line.line.mode === 'raw' && line.line.tNs.length * DOT_SPACING_PX < scale.widthPx)
      surface.later(() => drawDots(surface, line, scale, axis, (i) => valueAt(line, i)));
  }
  if (style === 'bars') drawBaseline(surface, scale, axis, theme);
}

const xOf = (line: PlotLine, scale: TimeScale, i: number): number => timeToX(scale, line.line.tNs[i]);

/** Corners of a polyline: x0, y0, x1, y1, …; a NaN lifts the pen. */
class Points {
  xy = new Float64Array(1024);
  count = 0;

  add(x: number, y: number): void {
    const at = 2 * this.count++;
    if (at === this.xy.length) {
      const larger = new Float64Array(2 * at);
      larger.set(this.xy);
      this.xy = larger;
    }
    this.xy[at] = x;
    this.xy[at + 1] = y;
  }
}

/** Taken by one line after the other: dozens are drawn in every frame. */
const shared = new Points();

/** Points joined by straight lines, at the middle of bins. Borrowed, until the next line. */
function straight(line: PlotLine, scale: TimeScale, axis: ValueAxis): Points {
  shared.count = 0;
  const half = ((line.binNs / 2) * scale.widthPx) / (scale.toNs - scale.fromNs);
  for (let i = 0; i < line.line.tNs.length; i++)
    shared.add(xOf(line, scale, i) + half, valueToY(axis, valueAt(line, i)));
  return shared;
}

/** Each value holds until the next one, totals and the last one until the end of their bin. Borrowed, until the next line. */
function steps(line: PlotLine, scale: TimeScale, axis: ValueAxis): Points {
  shared.count = 0;
  const { tNs } = line.line;
  const total = isTotal(line.spec);
  let x = tNs.length > 0 ? xOf(line, scale, 0) : 0;
  for (let i = 0; i < tNs.length; i++) {
    let y = valueToY(axis, valueAt(line, i));
    shared.add(x, y);
    const last = i + 1 === tNs.length;
    const ends = tNs[i] + line.binNs;
    if (line.binNs > 0 && (last || (total && tNs[i + 1] - ends > line.binNs / 2))) {
      shared.add(timeToX(scale, ends), y);
      if (total) {
        y = valueToY(axis, 0);
        shared.add(timeToX(scale, ends), y);
      }
    }
    if (last) break;
    x = xOf(line, scale, i + 1);
    shared.add(x, y);
  }
  return shared;
}

/** A line, and the fill below it if its style has one, column by column. */
function drawColumns(
  surface: Surface,
  { xy, count }: Points,
  { color, dash, spec }: PlotLine,
  scale: TimeScale,
  axis: ValueAxis,
  grid: ColumnGrid,
): void {
  const columns = new Columns(scale, grid);
  for (let at = 2; at < 2 * count; at += 2) columns.line(xy[at - 2], xy[at - 1], xy[at], xy[at + 1]);
  columns.draw(surface, color, { padPx: LINE_PX / 2, dash, flatPx: LINE_PX });
  if (spec.style !== 'area') return;
  columns.extendTo(baselineY(axis));
  columns.draw(surface, color, { opacity: AREA_OPACITY });
}

/** Fill between a line and the baseline; where the line has gaps, each part on its own. */
function drawArea(surface: Surface, { xy, count }: Points, axis: ValueAxis, color: string): void {
  const baseline = baselineY(axis);
  const outline: number[] = [];
  let start = 0;
  for (let at = 0; at <= 2 * count; at += 2) {
    if (at < 2 * count && !Number.isNaN(xy[at + 1])) continue;
    if (at > start) {
      outline.push(xy[start], baseline);
      for (let part = start; part < at; part++) outline.push(xy[part]);
      outline.push(xy[at - 2], baseline, Number.NaN, Number.NaN);
    }
    start = at + 2;
  }
  surface.path(outline, outline.length / 2, { fill: color, fillOpacity: AREA_OPACITY, closed: true });
}

/**
 * Min–max of every bin as a band; neighbouring bins share one outline, as the edges of single ones would show. Where min
 * equals max there is nothing to see but the line.
 */
function drawEnvelope(
  surface: Surface,
  { line, binNs, color }: PlotLine,
  scale: TimeScale,
  axis: ValueAxis,
  dense: ColumnGrid | null,
): void {
  if (line.mode !== 'bins') return;
  // A log axis has no place for what is ≤ 0, nor a picture for what is far above it: the band goes to the edge.
  const bandY = (value: number): number =>
    axis.scale === 'log' && !(value > 0) ? axis.bottom : Math.max(axis.top - 2 * MAX_BAR_PX, valueToY(axis, value));
  if (dense) {
    const columns = new Columns(scale, dense);
    for (let i = 0; i < line.tNs.length; i++) {
      if (!(line.max[i] > line.min[i])) continue;
      const to = timeToX(scale, line.tNs[i] + binNs) - EDGE_PX;
      columns.block(timeToX(scale, line.tNs[i]), to, bandY(line.max[i]), bandY(line.min[i]));
    }
    columns.draw(surface, color, { opacity: ENVELOPE_OPACITY });
    return;
  }
  const outline: number[] = [];
  const finish = (first: number, end: number): void => {
    for (let i = first; i < end; i++) pushBin(i, line.max[i]);
    for (let i = end - 1; i >= first; i--) pushBin(i, line.min[i], true);
    outline.push(Number.NaN, Number.NaN);
  };
  const pushBin = (i: number, value: number, backwards = false): void => {
    const y = bandY(value);
    const from = timeToX(scale, line.tNs[i]);
    const to = timeToX(scale, line.tNs[i] + binNs);
    outline.push(backwards ? to : from, y, backwards ? from : to, y);
  };
  const spread = (i: number): boolean => line.max[i] > line.min[i];
  let first = -1;
  for (let i = 0; i <= line.tNs.length; i++) {
    const joins = i < line.tNs.length && spread(i);
    const adjacent = first >= 0 && i < line.tNs.length && line.tNs[i] - line.tNs[i - 1] < binNs * 1.5;
    if (first >= 0 && !(joins && adjacent)) {
      finish(first, i);
      first = -1;
    }
    if (joins && first < 0) first = i;
  }
  surface.path(outline, outline.length / 2, { fill: color, fillOpacity: ENVELOPE_OPACITY, closed: true });
}

/** Dots that touch each other: squares are as good, and much less work. */
function drawSpecks(
  surface: Surface,
  line: PlotLine,
  scale: TimeScale,
  axis: ValueAxis,
  shownAt: (i: number) => number,
): void {
  for (let i = 0; i < line.line.tNs.length; i++) {
    const x = xOf(line, scale, i);
    const y = valueToY(axis, shownAt(i));
    if (!Number.isNaN(y) && x >= scale.x - SPECK_PX && x <= scale.x + scale.widthPx)
      surface.rect(x - SPECK_PX / 2, y - SPECK_PX / 2, SPECK_PX, SPECK_PX, { fill: line.color });
  }
}

function drawDots(
  surface: Surface,
  line: PlotLine,
  scale: TimeScale,
  axis: ValueAxis,
  shownAt: (i: number) => number,
): void {
  for (let i = 0; i < line.line.tNs.length; i++) {
    const x = xOf(line, scale, i);
    const y = valueToY(axis, shownAt(i));
    if (!Number.isNaN(y) && x >= scale.x - DOT_PX && x <= scale.x + scale.widthPx + DOT_PX)
      surface.circle(x, y, DOT_PX, { fill: line.color });
  }
}

/** Bars from the baseline: as wide as their bin, or for samples as the closest two allow. */
function drawBars(surface: Surface, line: PlotLine, scale: TimeScale, axis: ValueAxis): void {
  const baseline = baselineY(axis);
  const pxPerNs = scale.widthPx / (scale.toNs - scale.fromNs);
  let spacing = line.binNs > 0 ? line.binNs * pxPerNs : MAX_BAR_PX;
  for (let i = 1; line.binNs === 0 && i < line.line.tNs.length; i++)
    spacing = Math.min(spacing, (line.line.tNs[i] - line.line.tNs[i - 1]) * pxPerNs);
  const width = Math.max(1, spacing > 4 ? spacing - 1 : spacing);
  for (let i = 0; i < line.line.tNs.length; i++) {
    const y = valueToY(axis, valueAt(line, i));
    if (Number.isNaN(y)) continue;
    surface.rect(xOf(line, scale, i), Math.min(y, baseline), width, Math.max(0.5, Math.abs(y - baseline)), {
      fill: line.color,
    });
  }
}

/** Where values of both signs grow from. */
function drawBaseline(surface: Surface, scale: TimeScale, axis: ValueAxis, theme: Theme): void {
  const y = Math.round(baselineY(axis)) + 0.5;
  surface.line(scale.x, y, scale.x + scale.widthPx, y, { color: theme.border, width: 1 });
}
