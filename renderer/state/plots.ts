import { type SeriesSpec, seriesSpecSchema } from '../../shared/chart.ts';
import { type PlotPanel, plotsStore } from './stores.ts';

/** Adding to and taking from the plots under the lanes. */

let lastKey = 0;

/** A key that no plot of this window has. */
export function newPlotKey(): string {
  lastKey += 1;
  return `plot-${Date.now().toString(36)}-${lastKey}`;
}

export interface FieldPlot {
  /** `system:name` of the event type. */
  event: string;
  field: string;
  /** A field of the same event, or `cpu`, `task`, `pid`, `cgroup`; empty: one line. */
  groupBy?: string;
  /** Key of the plot to add to; a new plot without it. */
  into?: string;
}

/** Plots a field of an event, in a plot of its own or beside the series of another. Returns the plot's key. */
export function addFieldPlot({ event, field, groupBy = '', into }: FieldPlot): string {
  const series: SeriesSpec = seriesSpecSchema.parse({ expr: `${event}.${field}`, groupBy });
  return addSeries(series, into);
}

export function addSeries(series: SeriesSpec, into?: string): string {
  const { plots } = plotsStore.getState();
  const target = plots.find((plot) => plot.key === into);
  if (target) {
    const known = target.spec.series.some(
      (other) => other.expr === series.expr && other.groupBy === series.groupBy && other.where === series.where,
    );
    if (!known) updatePlot(target.key, { ...target.spec, series: [...target.spec.series, series] });
    return target.key;
  }
  const key = newPlotKey();
  const plot: PlotPanel = { key, spec: { kind: 'plot', title: '', series: [series], scale: 'linear' } };
  plotsStore.setState({ plots: [...plots, plot] });
  return key;
}

export function updatePlot(key: string, spec: PlotPanel['spec']): void {
  plotsStore.setState({
    plots: plotsStore.getState().plots.map((plot) => (plot.key === key ? { key, spec } : plot)),
  });
}

export function removePlot(key: string): void {
  plotsStore.setState({ plots: plotsStore.getState().plots.filter((plot) => plot.key !== key) });
}
