import type { SeriesResult } from '../api.ts';
import type { PlotPanelSpec } from '../chart.ts';
import { formatLength, type TimeRange, type TimeUnit } from '../time.ts';
import { drawLegend, LEGEND_ROW_PX, type Legend, type LegendNote, layoutLegend } from './legend.ts';
import { isTotal, lineKey, type PlotLine, plotLines, plotTitle, valueRange } from './plot-lines.ts';
import { drawLineMarks } from './plot-marks.ts';
import { type Area, drawTimeGrid, type TimeScale } from './ruler.ts';
import type { Surface, TextStyle } from './surface.ts';
import type { Theme } from './theme.ts';
import { type ValueAxis, valueAxis, valueToY } from './value-axis.ts';

/** A window of time on an axis that counts this. */
type TimeWindow = TimeRange & { unit: TimeUnit };

/** A plot panel laid out for a size: what `drawPlot` draws. */
export interface PlotLayout {
  title: string;
  lines: PlotLine[];
  left: PlotAxis | null;
  right: PlotAxis | null;
  legend: Legend;
  /** From the panel's top to the plot's. */
  top: number;
  /** All of the panel, legend included. */
  heightPx: number;
}

interface PlotAxis {
  axis: ValueAxis;
  /** Units of its lines: `pages`, `pages, ms`. */
  unit: string;
  /** Room for its labels beside the plot. */
  widthPx: number;
}

const LABEL: Omit<TextStyle, 'color'> = { sizePx: 11 };
/** From a plot's edge to its labels. */
const LABEL_GAP = 6;
const MAX_LEGEND_ROWS = 3;
/** Between the legend and the top of the plot, so that the topmost axis label clears it. */
const HEADER_GAP = 5;
/** Between the frame and the ends of the axes: a line along the limit is seen whole. */
const PADDING = 3;

/**
 * Lays a plot out: colours, legend and axes. `plotWidthPx` is the width of the time scale, `heightPx` that of the whole
 * panel. Axes hold the values in `window`; y coordinates are relative to the panel's top.
 */
export function layoutPlot(
  surface: Pick<Surface, 'measure'>,
  spec: PlotPanelSpec,
  results: readonly SeriesResult[],
  window: TimeWindow,
  plotWidthPx: number,
  heightPx: number,
  theme: Theme,
): PlotLayout {
  const hidden = new Set(spec.hidden);
  const all = plotLines(results, theme);
  const lines = all.filter((line) => !hidden.has(lineKey(line)));
  const title = plotTitle(spec.title, spec.series);
  const notes = legendNotes(spec, lines, all.length - lines.length, results, window);
  // Small panels keep at least half of their height for the data.
  const rows = Math.max(1, Math.min(MAX_LEGEND_ROWS, Math.floor(heightPx / 2 / LEGEND_ROW_PX)));
  // A workspace may have more groups than a window.
  const visible = lines.filter((line) => valueRange([line], window) !== null);
  const legend = layoutLegend(surface, title, visible, notes, plotWidthPx, rows, theme);
  const top = legend.heightPx + HEADER_GAP;
  const axisOf = (side: 'left' | 'right'): PlotAxis | null => {
    const own = lines.filter((line) => line.spec.axis === side);
    const range = valueRange(own, window);
    if (range === null) return null;
    const styles = own.map((line) => line.spec.style);
    const axis = valueAxis(range, spec.scale, styles, top + PADDING, heightPx - PADDING);
    const unit = [...new Set(own.map((line) => line.unit).filter((name) => name !== ''))].join(', ');
    const widest = Math.max(
      ...[unit, ...axis.ticks.marks.map((mark) => mark.label)].map((text) =>
        surface.measure(text, { ...LABEL, color: '' }),
      ),
    );
    return { axis, unit, widthPx: Math.ceil(widest) + LABEL_GAP };
  };
  return { title, lines, left: axisOf('left'), right: axisOf('right'), legend, top, heightPx };
}

/** What is not shown, in words. */
function legendNotes(
  spec: PlotPanelSpec,
  lines: readonly PlotLine[],
  off: number,
  results: readonly SeriesResult[],
  window: TimeWindow,
): LegendNote[] {
  const notes: LegendNote[] = [];
  if (off > 0) notes.push({ text: `${off} ${off === 1 ? 'line' : 'lines'} switched off`, severity: 'note' });
  const totals = [
    ...new Set(
      results
        .map(({ spec: own }) => own)
        .filter(isTotal)
        .map((own) => own.aggregate),
    ),
  ];
  if (totals.length > 0)
    notes.push({
      text: `${totals.join(' and ')} per ${formatLength(results[0].binNs, window.unit, 3)}`,
      severity: 'note',
    });
  const moreGroups = results.reduce((sum, result) => sum + result.moreGroups, 0);
  if (moreGroups > 0)
    notes.push({ text: `${moreGroups} more ${moreGroups === 1 ? 'group' : 'groups'} not shown`, severity: 'warning' });
  const outliers = results.reduce((sum, result) => sum + result.outliers, 0);
  if (outliers > 0)
    notes.push({
      text: `${outliers} impossible ${outliers === 1 ? 'value' : 'values'} left out (counter underflow)`,
      severity: 'warning',
    });
  if (spec.scale === 'log') {
    const hidden = valueRange(lines, window)?.notPositive ?? 0;
    if (hidden > 0)
      notes.push({
        text: `${hidden} ${hidden === 1 ? 'point' : 'points'} ≤ 0 not on the log scale`,
        severity: 'warning',
      });
  }
  return notes;
}

/** Draws a plot into `area`: axis labels left of the scale and right of it, the legend above, the lines between. */
export function drawPlot(surface: Surface, area: Area, scale: TimeScale, plot: PlotLayout, theme: Theme): void {
  surface.group(plot.title, () => {
    const inner: Area = { x: scale.x, y: area.y + plot.top, width: scale.widthPx, height: area.height - plot.top };
    drawTimeGrid(surface, inner, scale, theme);
    const right = scale.x + scale.widthPx;
    if (plot.left) drawAxis(surface, plot.left, area.y, scale.x, 'left', inner, true, theme);
    if (plot.right) drawAxis(surface, plot.right, area.y, right, 'right', inner, plot.left === null, theme);
    surface.rect(inner.x + 0.5, inner.y + 0.5, inner.width - 1, inner.height - 1, {
      stroke: { color: theme.border, width: 1 },
    });
    if (!plot.left && !plot.right) {
      surface.text(inner.x + inner.width / 2, inner.y + inner.height / 2 + 4, 'no samples in this window', {
        ...LABEL,
        color: theme.muted,
        anchor: 'middle',
      });
    }
    surface.clip(inner.x, inner.y, inner.width, inner.height, () => {
      for (const line of plot.lines) {
        const axis = (line.spec.axis === 'left' ? plot.left : plot.right)?.axis;
        if (axis)
          drawLineMarks(surface, line, scale, { ...axis, top: area.y + axis.top, bottom: area.y + axis.bottom }, theme);
      }
    });
    drawLegend(surface, scale.x, area.y, plot.legend);
  });
}

/** Labels and unit beside the plot, and grid lines where this axis has them. */
function drawAxis(
  surface: Surface,
  { axis, unit }: PlotAxis,
  panelY: number,
  x: number,
  side: 'left' | 'right',
  inner: Area,
  grid: boolean,
  theme: Theme,
): void {
  const style: TextStyle = { ...LABEL, color: theme.muted, anchor: side === 'left' ? 'end' : 'start' };
  const labelX = side === 'left' ? x - LABEL_GAP : x + LABEL_GAP;
  for (const { value, label } of axis.ticks.marks) {
    const y = Math.round(panelY + valueToY(axis, value)) + 0.5;
    if (grid)
      surface.line(inner.x, y, inner.x + inner.width, y, {
        color: theme.grid,
        width: 1,
        opacity: label === '' ? 0.5 : 1,
      });
    if (label !== '') surface.text(labelX, y + 3.5, label, style);
  }
  if (unit !== '') surface.text(labelX, inner.y - HEADER_GAP - 5, unit, { ...style, color: theme.text });
}
