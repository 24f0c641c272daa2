import { CHART_SPEC_VERSION, type ChartSpec, type PanelSpec } from '../../shared/chart.ts';
import type { TimeRange } from '../../shared/time.ts';
import type { PlotPanel, ShownTask } from '../state/stores.ts';

interface WindowContents {
  title: string;
  viewport: TimeRange;
  hasCpus: boolean;
  hasEpisodes: boolean;
  tasks: readonly ShownTask[];
  plots: readonly PlotPanel[];
}

/** The chart spec of what is on screen: the visible time, the ribbons, the lanes, the plots and the notes, in the timeline's order. */
export function chartOfWindow({ title, viewport, hasCpus, hasEpisodes, tasks, plots }: WindowContents): ChartSpec {
  const panels: PanelSpec[] = [];
  if (hasEpisodes) panels.push({ kind: 'lanes', by: 'episodes' });
  if (hasCpus) panels.push({ kind: 'lanes', by: 'cpu' });
  if (tasks.length > 0)
    panels.push({ kind: 'lanes', by: 'task', tasks: tasks.map(({ stream, pid }) => ({ stream, pid })) });
  for (const plot of plots) panels.push(plot.spec);
  return {
    version: CHART_SPEC_VERSION,
    title,
    window: { fromNs: viewport.fromNs, toNs: viewport.toNs },
    panels,
    annotations: true,
  };
}

/** A file name made of a title: no characters that a file system or a shell trips over. */
export function chartFileName(title: string, format: 'svg' | 'png'): string {
  const stem = title
    .normalize('NFKD')
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 80);
  return `${stem || 'chart'}.${format}`;
}
