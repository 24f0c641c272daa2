import { fitText } from './fit-text.ts';
import type { PlotLine } from './plot-lines.ts';
import type { Surface, TextStyle } from './surface.ts';
import type { Theme } from './theme.ts';

/** Something that a reader of a plot has to know: values or groups that are not shown. */
export interface LegendNote {
  text: string;
  severity: 'note' | 'warning';
}

/** How a line is drawn. */
type Look = Pick<PlotLine, 'color' | 'dash' | 'spec'>;

interface Entry {
  text: string;
  width: number;
  look: Look | null;
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
  const entry = (text: string, style: TextStyle, look: Look | null): Entry => {
    const swatch = look === null ? 0 : SWATCH_PX + SWATCH_GAP;
    const fitted = fitText(surface, text, widthPx - swatch, style);
    return { text: fitted, width: swatch + surface.measure(fitted, style), look, style };
  };
  const named = legendLabels(lines, theme).map(({ label, look }) =>
    entry(label, { color: theme.text, sizePx: SIZE }, look),
  );
  const first = entry(title, { color: theme.text, sizePx: SIZE + 1, weight: 600 }, null);
  const last = notes.map((note) =>
    entry(note.text, { color: note.severity === 'warning' ? theme.warning : theme.muted, sizePx: SIZE }, null),
  );
  // A plot of one series whose title says it all needs no label.
  const labels = named.length === 1 && named[0].text === title ? [] : named;
  for (let shown = labels.length; ; shown--) {
    const hidden = labels.length - shown;
    const more = hidden > 0 ? [entry(`+${hidden} more`, { color: theme.muted, sizePx: SIZE }, null)] : [];
    const rows = breakRows([first, ...labels.slice(0, shown), ...more, ...last], widthPx);
    if (rows.length <= maxRows || shown === 0) return { rows, heightPx: rows.length * LEGEND_ROW_PX };
  }
}

/**
 * What there is to name: every line; or, where several series are split into the same groups, each group by its colour and
 * each series by its dash: their sum instead of their product.
 */
function legendLabels(lines: readonly PlotLine[], theme: Theme): { label: string; look: Look }[] {
  const units = new Set(lines.map((line) => line.unit));
  const bothAxes = new Set(lines.map((line) => line.spec.axis)).size > 1;
  const about = (line: PlotLine): string => {
    const parts = [
      ...(units.size > 1 && line.unit !== '' ? [line.unit] : []),
      ...(bothAxes && line.spec.axis === 'right' ? ['right axis'] : []),
    ];
    return parts.length > 0 ? ` (${parts.join(', ')})` : '';
  };
  const single = (line: PlotLine): { label: string; look: Look } => ({ label: line.label + about(line), look: line });
  const split = lines.filter((line) => line.group !== '');
  const groups = firstOfEach(split, (line) => line.group);
  const series = firstOfEach(split, (line) => line.series);
  if (groups.length < 2 || series.length < 2) return lines.map(single);
  return [
    ...groups.map((line) => ({
      label: line.group,
      look: { color: line.color, dash: [], spec: { ...line.spec, style: 'area' as const } },
    })),
    ...series.map((line) => ({ label: line.name + about(line), look: { ...line, color: theme.text } })),
    ...lines.filter((line) => line.group === '').map(single),
  ];
}

function firstOfEach<T, K>(items: readonly T[], keyOf: (item: T) => K): T[] {
  const seen = new Set<K>();
  return items.filter((item) => {
    const key = keyOf(item);
    return !seen.has(key) && seen.add(key);
  });
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
    for (const { text, width, look, style } of entries) {
      if (look) drawSwatch(surface, left, baseline - 4, look);
      surface.text(look ? left + SWATCH_PX + SWATCH_GAP : left, baseline, text, style);
      left += width + ENTRY_GAP;
    }
  }
}

/** A piece of the line as it is drawn: colour, dash and style. */
function drawSwatch(surface: Surface, x: number, y: number, { color, dash, spec }: Look): void {
  const middle = x + SWATCH_PX / 2;
  if (spec.style === 'points')
    for (const at of [x + 3, middle, x + SWATCH_PX - 3]) surface.circle(at, y, 2, { fill: color });
  else if (spec.style === 'bars')
    for (const [index, height] of [5, 10, 7].entries())
      surface.rect(x + 1 + 6 * index, y + 4 - height, 4, height, { fill: color });
  else if (spec.style === 'area') surface.rect(x + 4, y - 4, 10, 9, { fill: color });
  else surface.line(x, y, x + SWATCH_PX, y, { color, width: 2, dash });
}
