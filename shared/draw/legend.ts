import { fitText } from './fit-text.ts';
import type { PlotLine } from './plot-lines.ts';
import type { Surface, TextStyle } from './surface.ts';
import type { Theme } from './theme.ts';

/** Something that a reader of a plot has to know: values or groups that are not shown. */
export interface LegendNote {
  text: string;
  severity: 'note' | 'warning';
}

interface Entry {
  text: string;
  width: number;
  line: PlotLine | null;
  style: TextStyle;
}

/** Entries broken into rows that fit a width. */
export interface Legend {
  rows: Entry[][];
  heightPx: number;
}

export const LEGEND_ROW_PX = 17;
const SIZE = 11;
const SWATCH_PX = 18;
const SWATCH_GAP = 5;
const ENTRY_GAP = 16;

/**
 * Breaks the title, the lines' labels and the notes into at most `maxRows` rows. Where they do not fit, labels at the
 * end give way to their number: `+12 more`. Labels name their unit where the lines of the panel differ in it.
 */
export function layoutLegend(
  surface: Pick<Surface, 'measure'>,
  title: string,
  lines: readonly PlotLine[],
  notes: readonly LegendNote[],
  widthPx: number,
  maxRows: number,
  theme: Theme,
): Legend {
  const units = new Set(lines.map((line) => line.unit));
  const bothAxes = new Set(lines.map((line) => line.spec.axis)).size > 1;
  const entry = (text: string, style: TextStyle, line: PlotLine | null): Entry => {
    const swatch = line === null ? 0 : SWATCH_PX + SWATCH_GAP;
    const fitted = fitText(surface, text, widthPx - swatch, style);
    return { text: fitted, width: swatch + surface.measure(fitted, style), line, style };
  };
  const named = lines.map((line) => {
    const about = [...(units.size > 1 && line.unit !== '' ? [line.unit] : []), ...(bothAxes && line.spec.axis === 'right' ? ['right axis'] : [])];
    return entry(line.label + (about.length > 0 ? ` (${about.join(', ')})` : ''), { color: theme.text, sizePx: SIZE }, line);
  });
  const first = entry(title, { color: theme.text, sizePx: SIZE + 1, weight: 600 }, null);
  const last = notes.map((note) => entry(note.text, { color: note.severity === 'warning' ? theme.warning : theme.muted, sizePx: SIZE }, null));
  // A plot of one series whose title says it all needs no label.
  const labels = named.length === 1 && lines[0].label === title ? [] : named;
  for (let shown = labels.length; ; shown--) {
    const hidden = labels.length - shown;
    const more = hidden > 0 ? [entry(`+${hidden} more`, { color: theme.muted, sizePx: SIZE }, null)] : [];
    const rows = breakRows([first, ...labels.slice(0, shown), ...more, ...last], widthPx);
    if (rows.length <= maxRows || shown === 0) return { rows, heightPx: rows.length * LEGEND_ROW_PX };
  }
}

function breakRows(entries: readonly Entry[], widthPx: number): Entry[][] {
  const rows: Entry[][] = [];
  let used = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    if (used + ENTRY_GAP + entry.width > widthPx) {
      rows.push([]);
      used = -ENTRY_GAP;
    }
    rows[rows.length - 1].push(entry);
    used += ENTRY_GAP + entry.width;
  }
  return rows;
}

/** Draws the rows of `layoutLegend` with their upper left corner at (x, y). */
export function drawLegend(surface: Surface, x: number, y: number, legend: Legend): void {
  for (const [row, entries] of legend.rows.entries()) {
    const baseline = y + row * LEGEND_ROW_PX + 12;
    let left = x;
    for (const { text, width, line, style } of entries) {
      if (line) drawSwatch(surface, left, baseline - 4, line);
      surface.text(line ? left + SWATCH_PX + SWATCH_GAP : left, baseline, text, style);
      left += width + ENTRY_GAP;
    }
  }
}

/** A piece of the line as it is drawn: colour, dash and style. */
function drawSwatch(surface: Surface, x: number, y: number, { color, dash, spec }: PlotLine): void {
  const middle = x + SWATCH_PX / 2;
  if (spec.style === 'points') for (const at of [x + 3, middle, x + SWATCH_PX - 3]) surface.circle(at, y, 2, { fill: color });
  else if (spec.style === 'bars') for (const [index, height] of [5, 10, 7].entries()) surface.rect(x + 1 + 6 * index, y + 4 - height, 4, height, { fill: color });
  else {
    if (spec.style === 'area') surface.rect(x, y, SWATCH_PX, 4, { fill: color, fillOpacity: 0.25 });
    surface.line(x, y, x + SWATCH_PX, y, { color, width: 2, dash });
  }
}
