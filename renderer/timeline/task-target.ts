import { type TaskLane, WAIT_WAKEUP } from '../../shared/api.ts';
import { firstSliceAfter } from '../../shared/draw/lanes.ts';
import { cpuColor } from '../../shared/draw/task-lanes.ts';
import type { EventRow } from '../../shared/model.ts';
import { formatLength } from '../../shared/time.ts';
import { reportError } from '../state/connection.ts';
import { selectEvent } from '../state/selection.ts';
import { selectionStore, viewportStore } from '../state/stores.ts';
import { hideTaskLane } from '../state/task-lanes.ts';
import { themeStore } from '../state/theme.ts';
import type { MenuSection } from '../ui/menu.tsx';
import { countOf } from '../ui/text.ts';
import { currentTimeUnit } from '../ui/use-time-unit.ts';
import { currentScale } from './geometry.ts';
import { eventNear } from './lane-actions.ts';
import type { LaneRow } from './layout.ts';
import type { Tip } from './pointing.ts';
import { taskDataStore, taskLaneKey } from './task-lanes-data.ts';
import { onlyInTable, zoomTo } from './time-menu.tsx';
import { timeText } from './time-text.ts';

/** What a task's lane says and does under pointer and keys. */

export type TaskRow = Extract<LaneRow, { kind: 'task' }>;

interface Stretch {
  fromNs: number;
  toNs: number;
  index: number;
}

/** The slice or wait that covers a time, or null. */
function stretchAt(stretches: { fromNs: Float64Array; toNs: Float64Array } | null, ns: number): Stretch | null {
  if (!stretches) return null;
  const index = firstSliceAfter(stretches, ns);
  if (index >= stretches.toNs.length || stretches.fromNs[index] > ns) return null;
  return { fromNs: stretches.fromNs[index], toNs: stretches.toNs[index], index };
}

const laneOf = (row: TaskRow): TaskLane | undefined => taskDataStore.getState().lanes.get(taskLaneKey(row));

export function describeTask(row: TaskRow, ns: number): Tip {
  const { result } = taskDataStore.getState();
  const scale = currentScale();
  const rows: Tip['rows'] = [['time', timeText(ns, (scale.toNs - scale.fromNs) / scale.widthPx, currentTimeUnit())]];
  const lane = laneOf(row);
  if (!lane || !result) return { title: row.label, rows };
  const unit = currentTimeUnit();
  const slice = stretchAt(lane.slices, ns);
  const wait = stretchAt(lane.waits, ns);
  let color: string | undefined;
  if (slice && lane.slices) {
    const length = formatLength(slice.toNs - slice.fromNs, unit, lane.slices.merged[slice.index] ? 2 : undefined);
    const cpu = lane.slices.cpu[slice.index];
    color = cpuColor(cpu, themeStore.getState().theme);
    if (lane.slices.merged[slice.index]) {
      const share = Math.round(lane.slices.busy[slice.index] * 100);
      rows.push(['ran', `${share} % of ${length}, several slices, longest on CPU ${cpu}`]);
    } else rows.push(['ran for', `${length} on CPU ${cpu}`]);
  }
  if (wait && lane.waits) {
    const what = lane.waits.kind[wait.index] === WAIT_WAKEUP ? 'woken up, not yet running' : 'preempted';
    const merged = lane.waits.merged[wait.index];
    rows.push([
      'waited',
      merged ? `several times, most of it ${what}` : `${formatLength(wait.toNs - wait.fromNs, unit)}, ${what}`,
    ]);
  }
  const events = lane.density[Math.floor((ns - result.fromNs) / result.resolutionNs)] ?? 0;
  rows.push(['here', `${countOf(events, 'event')} in ${formatLength(result.resolutionNs, unit, 2)}`]);
  return { title: row.label, rows, ...(color === undefined ? {} : { color }) };
}

export function taskMenu(row: TaskRow, ns: number): MenuSection[] {
  const lane = laneOf(row);
  const slice =
    lane?.slices && !lane.slices.merged[stretchAt(lane.slices, ns)?.index ?? -1] && stretchAt(lane.slices, ns);
  return [
    {
      title: row.label,
      items: [
        ...(slice ? [zoomTo('Zoom to this slice', slice)] : []),
        onlyInTable('Only its events in the table', `pid == ${row.pid}`),
        { label: 'Remove this lane', run: () => hideTaskLane(row) },
      ],
    },
  ];
}

/** The event nearest to a time on the CPU that the task was on then, or ran on next; null: not known. */
export async function eventOfTask(row: TaskRow, ns: number): Promise<EventRow | null> {
  const slices = laneOf(row)?.slices;
  if (!slices || slices.cpu.length === 0) return null;
  const index = Math.min(firstSliceAfter(slices, ns), slices.cpu.length - 1);
  const at = Math.min(Math.max(ns, slices.fromNs[index]), slices.toNs[index]);
  return eventNear({ stream: row.stream, cpu: slices.cpu[index] }, at);
}

export async function selectInTask(row: TaskRow, ns: number): Promise<void> {
  try {
    const event = await eventOfTask(row, ns);
    if (event) selectEvent(event, event.timeNs);
  } catch (error) {
    reportError(error);
  }
}

/** Selects where the task began to run: at the middle of the view (0), the next time (1) or the time before (-1). */
export function stepInTask(row: TaskRow, direction: -1 | 0 | 1): void {
  const { fromNs, toNs } = viewportStore.getState();
  const middle = (fromNs + toNs) / 2;
  const slices = laneOf(row)?.slices;
  if (!slices) return;
  const selected = selectionStore.getState().eventTimeNs ?? middle;
  const starts = slices.fromNs;
  const next = starts.findIndex((start) => start > selected);
  const at =
    direction === 0
      ? middle
      : direction === 1
        ? starts[next]
        : starts[starts.findLastIndex((start) => start < selected)];
  if (at !== undefined) void selectInTask(row, at);
}
