import type { ChartSpec } from '../../shared/chart.ts';
import { type ChartData, drawChart, layoutChart } from '../../shared/draw/chart.ts';
import { fileName } from '../../shared/draw/stream-label.ts';
import { SvgSurface } from '../../shared/draw/svg-surface.ts';
import type { Theme } from '../../shared/draw/theme.ts';
import { formatLength, timeUnitOf } from '../../shared/time.ts';

/** Size of a chart in px. Without a height, panels take their natural one. */
export interface ChartSize {
  widthPx: number;
  heightPx?: number;
}

/** A chart as an SVG document; the same input gives the same text. Throws `bad-request` where panels do not fit the size. */
export function renderChartSvg(spec: ChartSpec, data: ChartData, size: ChartSize, theme: Theme): string {
  const about = { title: '', description: '', background: theme.background };
  const chart = layoutChart(new SvgSurface(size.widthPx, 0, about), spec, data, size, theme);
  const surface = new SvgSurface(chart.widthPx, chart.heightPx, {
    ...about,
    title: chart.title,
    description: describe(
      data,
      chart.panels.map((panel) => (panel.kind === 'plot' ? panel.plot.title : panel.strips.heading)),
      chart.annotations.map((note) => note.text),
    ),
  });
  drawChart(surface, chart, theme);
  return surface.toSvg();
}

/** What is on the chart, for those who hear it. */
function describe({ summary, window }: ChartData, panels: string[], notes: string[]): string {
  const recordings = summary.recordings.map((recording) => fileName(recording.path)).join(' and ');
  const [from, to] = [window.fromNs, window.toNs].map((ns) => formatLength(ns, timeUnitOf(summary), 6));
  const span = `${from} to ${to} from the start`;
  const parts = [`Kernel trace ${recordings}, ${span}.`, `Panels: ${panels.join('; ')}.`];
  if (notes.length > 0) parts.push(`Notes: ${notes.join('; ')}.`);
  return parts.join(' ');
}
