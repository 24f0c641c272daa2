import type { PlotPanelSpec, SeriesSpec } from '../../shared/chart.ts';
import { parseExpression } from '../../shared/expression/parse.ts';
import { unitOfExpression } from '../../shared/expression/unit.ts';
import type { EventTypeInfo, WorkspaceSummary } from '../../shared/model.ts';
import { unitsOfSameDimension } from '../../shared/units.ts';
import { removePlot, updatePlot } from '../state/plots.ts';
import type { PlotPanel } from '../state/stores.ts';

/** What the controls of a plot change, and what they offer. */

/** The event type that an expression reads; null where the text does not parse or the workspace has no such event. */
export function eventTypeOf(expr: string, summary: WorkspaceSummary): EventTypeInfo | null {
  const parsed = parseExpression(expr);
  if (!parsed.ok) return null;
  const { system, event } = parsed.ast.event;
  return summary.eventTypes.find((type) => type.name === event && (system === null || type.system === system)) ?? null;
}

/** Unit of an expression's own values; empty for a bare number. */
export function ownUnit(expr: string, summary: WorkspaceSummary): string {
  const parsed = parseExpression(expr);
  const type = eventTypeOf(expr, summary);
  if (!parsed.ok || !type) return '';
  return unitOfExpression(parsed.ast, (name) => type.fields.find((field) => field.name === name)?.unit ?? '');
}

/** Units that all series of a plot can be shown in; empty where they have none or differ. */
export function commonUnits(series: readonly SeriesSpec[], summary: WorkspaceSummary): string[] {
  const [first, ...others] = series.map((spec) => unitsOfSameDimension(ownUnit(spec.expr, summary)));
  if (!first) return [];
  return others.every((units) => units[0] === first[0]) ? first : [];
}

/** What the series of a plot can be grouped by: what every event has, then the fields of the one event that they share. */
export function groupChoices(series: readonly SeriesSpec[], summary: WorkspaceSummary): string[] {
  const types = series.map((spec) => eventTypeOf(spec.expr, summary));
  const hasCgroup = types.every((type) => type?.fields.some(({ name }) => name === 'cgroup_ino' || name === 'cgroup'));
  const always = [...(hasCgroup ? ['cgroup'] : []), 'task', 'pid', 'cpu'];
  const [first] = types;
  if (!first || types.some((type) => type !== first)) return always;
  const own = first.fields.filter((field) => !field.common && field.kind !== 'bytes').map((field) => field.name);
  return [...new Set([...always, ...own])];
}

/** Changes every series of a plot alike. */
export function changeSeries(plot: PlotPanel, change: Partial<SeriesSpec>): void {
  updatePlot(plot.key, { ...plot.spec, series: plot.spec.series.map((series) => ({ ...series, ...change })) });
}

export function changeOneSeries(plot: PlotPanel, index: number, change: Partial<SeriesSpec>): void {
  updatePlot(plot.key, {
    ...plot.spec,
    series: plot.spec.series.map((series, at) => (at === index ? { ...series, ...change } : series)),
  });
}

/** Takes one series out; the plot goes with its last one. */
export function removeSeries(plot: PlotPanel, index: number): void {
  const series = plot.spec.series.filter((_, at) => at !== index);
  if (series.length === 0) removePlot(plot.key);
  // Lines are named by the place of their series, which is another one now.
  else updatePlot(plot.key, { ...plot.spec, series, hidden: undefined });
}

export function changePlot(plot: PlotPanel, change: Partial<PlotPanelSpec>): void {
  updatePlot(plot.key, { ...plot.spec, ...change });
}
