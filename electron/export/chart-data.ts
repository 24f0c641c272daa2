import type { Engine, ParsedParams, Result } from '../../shared/api.ts';
import type { ChartSpec, PanelSpec } from '../../shared/chart.ts';
import type { ChartData } from '../../shared/draw/chart.ts';
import type { PanelData } from '../../shared/draw/chart-rows.ts';
import { isTotal } from '../../shared/draw/plot-lines.ts';
import { themes } from '../../shared/draw/theme.ts';
import { RemoraError } from '../../shared/errors.ts';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { NS_PER_MS, type TimeRange } from '../../shared/time.ts';
import { renderPng } from './png.ts';
import { renderChartSvg } from './svg.ts';

type Call = Engine['call'];

/**
 * Draws a chart of an open workspace: the one way to it, for the window's export and the command line. `call` reaches
 * the engine that holds the workspace; `summary` is what `open` returned.
 */
export async function exportChart(
  call: Call,
  summary: WorkspaceSummary,
  params: ParsedParams<'exportChart'>,
): Promise<Result<'exportChart'>> {
  const { spec, format, widthPx, heightPx, theme } = params;
  const data = await chartData(call, summary, spec, widthPx);
  const svg = renderChartSvg(spec, data, { widthPx, heightPx }, themes[theme]);
  if (format === 'svg') return { bytes: new TextEncoder().encode(svg), mime: 'image/svg+xml' };
  return { bytes: renderPng(svg), mime: 'image/png' };
}

/** Asks the engine for all that a chart shows, once for what several panels share, one bin per px of its width. */
export async function chartData(
  call: Call,
  summary: WorkspaceSummary,
  spec: ChartSpec,
  widthPx: number,
): Promise<ChartData> {
  const { workspaceId } = summary;
  const window = chartWindow(spec, summary);
  const once = <T>(ask: () => Promise<T>): (() => Promise<T>) => {
    let answer: Promise<T> | undefined;
    return () => (answer ??= ask());
  };
  const resolutionNs = (window.toNs - window.fromNs) / widthPx;
  const lanes = once(() => call('lanes', { workspaceId, ...window, resolutionNs }));
  const episodes = once(() => call('episodes', { workspaceId }));
  const panelData = async (panel: PanelSpec): Promise<PanelData> => {
    if (panel.kind === 'plot') {
      const results = await Promise.all(
        panel.series.map((series) =>
          // Totals are those of a bin, however few samples there are.
          call('series', {
            workspaceId,
            spec: series,
            ...window,
            bins: widthPx,
            mode: isTotal(series) ? 'bins' : 'auto',
          }),
        ),
      );
      return { kind: 'plot', results };
    }
    if (panel.by === 'task') {
      const { tasks } = panel;
      return { kind: 'task', lanes: await call('taskLanes', { workspaceId, ...window, resolutionNs, tasks }) };
    }
    return panel.by === 'cpu'
      ? { kind: 'cpu', lanes: await lanes() }
      : { kind: 'episodes', episodes: (await episodes()).episodes };
  };
  const panels = await Promise.all(spec.panels.map(panelData));
  const annotations = spec.annotations ? await call('annotations', { workspaceId }) : [];
  return { summary, window, panels, annotations };
}

/** The spec's window, or the whole workspace; never empty, so that a recording of one event has a chart. */
function chartWindow(spec: ChartSpec, summary: WorkspaceSummary): TimeRange {
  if (spec.window === null) return { fromNs: 0, toNs: summary.durationNs > 0 ? summary.durationNs : NS_PER_MS };
  if (spec.window.toNs > spec.window.fromNs) return { ...spec.window };
  throw new RemoraError({
    code: 'bad-request',
    message: `The chart's window is empty: its end (${spec.window.toNs} ns) is not after its start (${spec.window.fromNs} ns)`,
  });
}
