import type { SeriesLine } from '../../shared/api.ts';
import { type PlotLine, valueAt } from '../../shared/draw/plot-lines.ts';
import type { EventRef } from '../../shared/model.ts';
import { formatLength } from '../../shared/time.ts';
import { formatValue } from '../../shared/units.ts';
import { query, reportError } from '../state/connection.ts';
import { selectEvent } from '../state/selection.ts';
import { zoomToRange } from '../state/viewport.ts';
import { currentScale } from '../timeline/geometry.ts';
import type { PointTarget, Tip } from '../timeline/pointing.ts';
import { timeText } from '../timeline/time-text.ts';
import { currentTimeUnit } from '../ui/use-time-unit.ts';
import type { PlotView } from './plot-view.ts';
import { eventOf, indexAt, lineUnder, type NearSample, nearestSample } from './samples.ts';

/** How many bins a bin is asked for again in, to find its events. */
const CLOSER_BINS = 2000;

/** A plot as something to point at: values under the pointer, the event behind a sample. */
export function plotTarget(view: () => PlotView | null): PointTarget {
  const under = (ns: number, y: number): NearSample | null => {
    const plot = view();
    if (!plot) return null;
    const scale = currentScale();
    const x = ((ns - scale.fromNs) / (scale.toNs - scale.fromNs)) * scale.widthPx;
    const axisOf = (line: PlotLine) => plot.axis(line.spec.axis);
    return nearestSample(plot.visible, scale, axisOf, x, y) ?? lineUnder(plot.visible, axisOf, ns, y);
  };
  return {
    describe(ns, y) {
      const near = under(ns, y);
      return near && describeSample(near);
    },
    click(ns, y) {
      const near = under(ns, y);
      if (near) selectSample(near).catch(reportError);
    },
    markAt(ns, y) {
      const near = under(ns, y);
      return near ? near.line.line.tNs[near.index] : ns;
    },
  };
}

function describeSample({ line, index }: NearSample): Tip {
  const scale = currentScale();
  const nsPerPx = (scale.toNs - scale.fromNs) / scale.widthPx;
  const text = (value: number): string => formatValue(value, line.unit, { grouping: true });
  const { line: data, spec } = line;
  const rows: Tip['rows'] = [
    ['time', timeText(data.tNs[index], nsPerPx, currentTimeUnit())],
    [spec.aggregate === 'last' || data.mode === 'raw' ? 'value' : spec.aggregate, text(valueAt(line, index))],
  ];
  if (data.mode === 'bins') {
    if (data.max[index] > data.min[index])
      rows.push(['min – max', `${text(data.min[index])} – ${text(data.max[index])}`]);
    rows.push([
      'samples',
      `${data.count[index].toLocaleString('en-US')} in ${formatLength(line.binNs, currentTimeUnit(), 2)}`,
    ]);
  }
  return { title: line.label, color: line.color, rows };
}

/**
 * Selects the event that a sample was read from. A bin is asked for again, closer, and its last event selected; where its
 * samples are still too dense to be told apart, the view zooms into it.
 */
async function selectSample({ line, index }: NearSample): Promise<void> {
  const at = line.line.tNs[index];
  const event = eventOf(line, index);
  if (event) return selectEvent(event, at);
  const window = { fromNs: at, toNs: at + line.binNs };
  const closer = await query('series', { spec: line.spec, ...window, bins: CLOSER_BINS });
  const found = lastEventIn(
    closer.lines.find((other) => other.key === line.line.key),
    window,
  );
  if (found) selectEvent(found.event, found.timeNs);
  else zoomToRange(window);
}

function lastEventIn(
  line: SeriesLine | undefined,
  window: { fromNs: number; toNs: number },
): { event: EventRef; timeNs: number } | null {
  if (line?.mode !== 'raw') return null;
  const last = indexAt(line.tNs, window.toNs);
  if (last < 0) return null;
  const { stream, cpu, index } = line.event;
  return { event: { stream: stream[last], cpu: cpu[last], index: index[last] }, timeNs: line.tNs[last] };
}
