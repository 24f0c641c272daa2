import type { ChartSpec } from '../chart.ts';
import { RemoraError } from '../errors.ts';
import type { Annotation, WorkspaceSummary } from '../model.ts';
import { formatLength, formatSeconds, type TimeRange, timeUnitOf, toAbsNs } from '../time.ts';
import {
  cpuPanel,
  drawStrips,
  episodesPanel,
  HEADING_PX,
  MIN_STRIP_PX,
  type PanelData,
  type StripPanel,
  stripHeight,
  taskPanel,
} from './chart-rows.ts';
import { fitText } from './fit-text.ts';
import { drawNoteList, layoutNoteList, type NoteList } from './note-list.ts';
import { drawNoteBands, drawNotes, layoutNotes, NOTE_ROW_PX, type PlacedNote } from './notes.ts';
import { drawPlot, layoutPlot, type PlotLayout } from './plot.ts';
import { drawRuler, type TimeScale } from './ruler.ts';
import { fileName } from './stream-label.ts';
import type { Surface, TextStyle } from './surface.ts';
import type { Theme } from './theme.ts';

/** All that a chart shows, already at the resolution it is drawn in. */
export interface ChartData {
  summary: Pick<WorkspaceSummary, 'recordings' | 'streams' | 'originNs' | 'durationNs' | 'events' | 'partial'>;
  window: TimeRange;
  /** Parallel to the spec's panels. */
  panels: PanelData[];
  /** Drawn if the spec says so. */
  annotations: Annotation[];
}

/** A chart laid out for a size; `heightPx` is that of the surface to draw it on. */
export interface ChartLayout {
  title: string;
  widthPx: number;
  heightPx: number;
  scale: TimeScale;
  panels: PlacedPanel[];
  rulerY: number;
  notes: PlacedNote[];
  noteRows: number;
  /** Notes whose text did not fit beside their mark. */
  noteList: NoteList;
  annotations: Annotation[];
  footer: string[];
}

type PlacedPanel = { y: number; heightPx: number } & (
  | { kind: 'plot'; plot: PlotLayout }
  | { kind: 'strips'; strips: StripPanel }
);

const MARGIN = 14;
const PANEL_GAP = 12;
const RULER_PX = 24;
const FOOTER_ROW_PX = 15;
/** More than a window has: a picture has no tooltip, and no note may cover another. */
const MAX_NOTE_ROWS = 8;
const MIN_PLOT_PX = 72;
const DEFAULT_PLOT_PX = 190;
const titleStyle = (theme: Theme): TextStyle => ({ color: theme.text, sizePx: 16, weight: 600 });
const labelStyle = (color: string): TextStyle => ({ color, sizePx: 11 });

/**
 * Lays a chart out for a width and, if given, a height: then plots take the room that is left, and panels shrink
 * together where it is short. Nothing is drawn: the surface measures text. Throws `bad-request` where they do not fit at all, saying what would do.
 */
export function layoutChart(
  surface: Surface,
  spec: ChartSpec,
  data: ChartData,
  size: { widthPx: number; heightPx?: number },
  theme: Theme,
): ChartLayout {
  const { window } = data;
  const unit = timeUnitOf(data.summary);
  const strips = data.panels.map((panel) =>
    panel.kind === 'cpu'
      ? cpuPanel(panel.lanes, data.summary, window, theme)
      : panel.kind === 'task'
        ? taskPanel(panel.lanes, data.summary, theme)
        : panel.kind === 'episodes'
          ? episodesPanel(panel.episodes, theme)
          : null,
  );
  const scale = timeScale(surface, spec, data, strips, size.widthPx, theme);
  const annotations = spec.annotations
    ? data.annotations.filter((note) => note.toNs >= window.fromNs && note.fromNs <= window.toNs)
    : [];
  const notes = layoutNotes(surface, scale, annotations, MAX_NOTE_ROWS, theme);
  const noteRows = notes.reduce((rows, note) => Math.max(rows, note.row + 1), 0);
  const width = size.widthPx - 2 * MARGIN;
  const noteList = layoutNoteList(surface, notes, width, unit, theme);
  const footer = wrapParts(surface, footerParts(data), width);
  const title = spec.title || data.summary.recordings.map((recording) => fileName(recording.path)).join(' + ');

  const titlePx = title === '' ? 0 : 26;
  const rulerY = MARGIN + titlePx;
  const above = rulerY + RULER_PX + noteRows * NOTE_ROW_PX + 6;
  const below = noteList.heightPx + footer.length * FOOTER_ROW_PX + MARGIN;
  const heights = panelHeights(
    spec,
    strips,
    size.heightPx === undefined ? undefined : size.heightPx - above - below - PANEL_GAP * data.panels.length,
  );
  if (heights.missingPx > 0) {
    throw new RemoraError({
      code: 'bad-request',
      message: `${data.panels.length} panels do not fit into ${size.heightPx} px: this chart needs a height of at least ${Math.ceil((size.heightPx ?? 0) + heights.missingPx)} px`,
    });
  }
  let y = above;
  const panels = data.panels.map((panel, index): PlacedPanel => {
    const at = { y, heightPx: heights.px[index] };
    y += at.heightPx + PANEL_GAP;
    const panelSpec = spec.panels[index];
    if (panel.kind === 'plot' && panelSpec.kind === 'plot') {
      return {
        ...at,
        kind: 'plot',
        plot: layoutPlot(surface, panelSpec, panel.results, { ...window, unit }, scale.widthPx, at.heightPx, theme),
      };
    }
    return { ...at, kind: 'strips', strips: strips[index] as StripPanel };
  });
  return {
    title,
    widthPx: size.widthPx,
    heightPx: size.heightPx ?? Math.ceil(y + below),
    scale,
    panels,
    rulerY,
    notes,
    noteRows,
    noteList,
    annotations,
    footer,
  };
}

/** The time scale between gutters that hold the widest label of all panels, within reason. */
function timeScale(
  surface: Pick<Surface, 'measure'>,
  spec: ChartSpec,
  data: ChartData,
  strips: (StripPanel | null)[],
  widthPx: number,
  theme: Theme,
): TimeScale {
  const unit = timeUnitOf(data.summary);
  let left = 64;
  let right = 0;
  for (const [index, panel] of data.panels.entries()) {
    for (const strip of strips[index]?.strips ?? [])
      left = Math.max(left, surface.measure(strip.label, labelStyle('')) + 12);
    const panelSpec = spec.panels[index];
    if (panel.kind !== 'plot' || panelSpec.kind !== 'plot') continue;
    const plot = layoutPlot(
      surface,
      panelSpec,
      panel.results,
      { ...data.window, unit },
      widthPx,
      panelSpec.heightPx ?? DEFAULT_PLOT_PX,
      theme,
    );
    left = Math.max(left, plot.left?.widthPx ?? 0);
    right = Math.max(right, plot.right?.widthPx ?? 0);
  }
  const gutter = MARGIN + Math.ceil(Math.min(left, Math.max(64, widthPx * 0.22)));
  const scalePx = Math.max(40, widthPx - gutter - MARGIN - Math.ceil(right));
  return { ...data.window, x: gutter, widthPx: scalePx, unit };
}

/** Heights of the panels in `availablePx`, or their natural ones; `missingPx` is what they lack at their least. */
function panelHeights(
  spec: ChartSpec,
  strips: (StripPanel | null)[],
  availablePx: number | undefined,
): { px: number[]; missingPx: number } {
  const natural = spec.panels.map((panel, index) => {
    if (panel.kind === 'plot') return Math.max(MIN_PLOT_PX, panel.heightPx ?? DEFAULT_PLOT_PX);
    const count = Math.max(1, strips[index]?.strips.length ?? 0);
    return HEADING_PX + count * stripHeight(panel, count);
  });
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  if (availablePx === undefined) return { px: natural.map(Math.round), missingPx: 0 };
  const least = spec.panels.map((panel, index) =>
    panel.kind === 'plot' ? MIN_PLOT_PX : HEADING_PX + Math.max(1, strips[index]?.strips.length ?? 0) * MIN_STRIP_PX,
  );
  if (sum(least) > availablePx) return { px: least, missingPx: sum(least) - availablePx };
  const spare = availablePx - sum(natural);
  if (spare < 0) {
    const shrink = (sum(natural) - availablePx) / (sum(natural) - sum(least));
    return { px: natural.map((height, index) => Math.floor(height - (height - least[index]) * shrink)), missingPx: 0 };
  }
  const plots = spec.panels.filter((panel) => panel.kind === 'plot').length;
  return {
    px: natural.map((height, index) =>
      Math.floor(
        height + (plots === 0 ? spare / natural.length : spec.panels[index].kind === 'plot' ? spare / plots : 0),
      ),
    ),
    missingPx: 0,
  };
}

/** Where the chart comes from: recording, window on both time axes, clock, events. */
function footerParts({ summary, window }: ChartData): string[] {
  const originNs = BigInt(summary.originNs);
  const unit = timeUnitOf(summary);
  // A window shows a little air around what was recorded; it is no recorded time.
  const shown = [window.fromNs, window.toNs].map((ns) => Math.min(Math.max(ns, 0), summary.durationNs));
  const absolute = shown.map((ns) => toAbsNs(ns, originNs));
  const traceTime =
    unit === 'ns'
      ? `trace time ${formatSeconds(absolute[0])} to ${formatSeconds(absolute[1])} s`
      : `${unit} ${absolute[0]} to ${absolute[1]}`;
  // On an axis that streams with different clocks share, a count is drawn as if it were a nanosecond.
  const clocks = [
    ...new Set(
      summary.streams.map((stream) =>
        stream.timeUnit === unit ? stream.clock : `${stream.clock} (1 s is 10⁹ ${stream.timeUnit})`,
      ),
    ),
  ];
  return [
    summary.recordings.map((recording) => fileName(recording.path)).join(' + '),
    ...(summary.durationNs > 0
      ? [`${formatLength(shown[1] - shown[0], unit)} of ${formatLength(summary.durationNs, unit)}`, traceTime]
      : []),
    ...(clocks.length > 0 ? [`clock ${clocks.join(', ')}`] : []),
    summary.partial === undefined
      ? `${summary.events.toLocaleString('en-US')} events in all`
      : `${summary.events.toLocaleString('en-US')} events in the part that was indexed: ${Math.floor((100 * summary.partial.bytes) / Math.max(1, summary.partial.totalBytes))} % of the data`,
  ].filter((part) => part !== '');
}

/** Joins parts with a dot into as few rows as the width needs; a part longer than a row is cut. */
function wrapParts(surface: Pick<Surface, 'measure'>, parts: string[], widthPx: number): string[] {
  const rows: string[] = [];
  const style = labelStyle('');
  for (const part of parts) {
    const longer = rows.length > 0 ? `${rows[rows.length - 1]} · ${part}` : part;
    if (rows.length > 0 && surface.measure(longer, style) <= widthPx) rows[rows.length - 1] = longer;
    else rows.push(fitText(surface, part, widthPx, style, 'middle'));
  }
  return rows;
}

/** Draws what `layoutChart` laid out with the same theme, from the upper left corner of the surface. */
export function drawChart(surface: Surface, chart: ChartLayout, theme: Theme): void {
  const { scale } = chart;
  const width = chart.widthPx - 2 * MARGIN;
  const style = titleStyle(theme);
  surface.text(MARGIN, MARGIN + 14, fitText(surface, chart.title, width, style), style);
  const full = { x: MARGIN, width };
  drawRuler(surface, { ...full, y: chart.rulerY, height: RULER_PX }, scale, theme);
  for (const panel of chart.panels) {
    surface.rect(scale.x, panel.y + panelTop(panel), scale.widthPx, panel.heightPx - panelTop(panel), {
      fill: theme.panel,
    });
    const area = { ...full, y: panel.y, height: panel.heightPx };
    if (panel.kind === 'plot') drawPlot(surface, area, scale, panel.plot, theme);
    else drawStrips(surface, area, scale, panel.strips, theme);
  }
  drawAnnotations(surface, chart, theme);
  let y = chart.heightPx - MARGIN - chart.footer.length * FOOTER_ROW_PX;
  drawNoteList(surface, MARGIN, y - chart.noteList.heightPx, chart.noteList, theme);
  for (const row of chart.footer) {
    surface.text(MARGIN, y + 11, row, labelStyle(theme.muted));
    y += FOOTER_ROW_PX;
  }
}

const panelTop = (panel: PlacedPanel): number => (panel.kind === 'plot' ? panel.plot.top : HEADING_PX);

/** Labels below the ruler, and the reach of each note through the panels. */
function drawAnnotations(surface: Surface, chart: ChartLayout, theme: Theme): void {
  if (chart.annotations.length === 0) return;
  surface.group('Notes', () => {
    const y = chart.rulerY + RULER_PX + 2;
    const height = chart.noteRows * NOTE_ROW_PX;
    const area = { x: MARGIN, width: chart.widthPx - 2 * MARGIN };
    // Headings and legends between the panels stay clear of the lines.
    for (const panel of chart.panels) {
      const top = panelTop(panel);
      drawNoteBands(
        surface,
        { ...area, y: panel.y + top, height: panel.heightPx - top },
        chart.scale,
        chart.annotations,
        theme,
      );
    }
    drawNotes(surface, { ...area, y, height }, chart.scale, chart.notes, theme);
  });
}
