import { type LanesResult, type SeriesResult, type TaskLanesResult, WAIT_PREEMPTED, WAIT_WAKEUP } from '../api.ts';
import type { PanelSpec } from '../chart.ts';
import { identityColor } from '../colors.ts';
import type { Episode, WorkspaceSummary } from '../model.ts';
import type { TimeRange } from '../time.ts';
import { fitText } from './fit-text.ts';
import { cpuLaneLabel, drawCpuLane, taskKey, taskLabel } from './lanes.ts';
import { drawRibbon, type Ribbon, ribbonColors, ribbonsOf } from './ribbons.ts';
import { type Area, drawTimeGrid, type TimeScale } from './ruler.ts';
import { streamLabel } from './stream-label.ts';
import type { Surface, TextStyle } from './surface.ts';
import { cpuColor, drawTaskLane } from './task-lanes.ts';
import type { Theme } from './theme.ts';

/** The data of one panel of a chart, in the order of the spec's panels. */
export type PanelData =
  | { kind: 'cpu'; lanes: LanesResult }
  | { kind: 'task'; lanes: TaskLanesResult }
  | { kind: 'episodes'; episodes: Episode[] }
  /** One result per series of the panel, in its order. */
  | { kind: 'plot'; results: SeriesResult[] };

/** Strips of equal height with a label in the gutter: CPU lanes, task lanes or episode ribbons. */
export interface StripPanel {
  kind: 'strips';
  heading: string;
  strips: Strip[];
  /** How to read the strips, most important first: colours with what they stand for, or words alone. */
  key: KeyEntry[];
  /** What stands in place of strips where there are none. */
  empty: string;
}

interface KeyEntry {
  label: string;
  color: string | null;
  /** The colour is that of a hollow box's edge. */
  edge?: 'solid' | 'dashed';
}

export interface Strip {
  label: string;
  draw(surface: Surface, area: Area, scale: TimeScale): void;
}

/** Height of one strip where the spec says nothing. */
export const stripHeight = (panel: Extract<PanelSpec, { kind: 'lanes' }>, strips: number): number => {
  if (panel.heightPx !== undefined) return Math.max(MIN_STRIP_PX, (panel.heightPx - HEADING_PX) / Math.max(1, strips));
  return panel.by === 'episodes' ? 24 : strips > 16 ? 20 : panel.by === 'task' ? 26 : 32;
};
/** Below this neither a label nor the parts of a lane can be told apart. */
export const MIN_STRIP_PX = 12;
export const HEADING_PX = 18;
const LABEL_PX = 11;
const MAX_KEY_TASKS = 24;

type Streams = Pick<WorkspaceSummary, 'streams' | 'recordings'>;

export function cpuPanel(lanes: LanesResult, summary: Streams, window: TimeRange, theme: Theme): StripPanel {
  const several = summary.streams.length > 1;
  return {
    kind: 'strips',
    heading: lanes.lanes.some((lane) => lane.slices !== null) ? 'CPUs: running task, events below' : 'CPUs: events',
    empty: 'no CPU has events',
    strips: lanes.lanes.map((lane) => ({
      label: cpuLaneLabel(lane.cpu, several ? streamLabel(summary, lane.stream) : ''),
      draw: (surface, area, scale) => drawCpuLane(surface, area, scale, lane, lanes, theme),
    })),
    key: busiestTasks(lanes, window).map(({ pid, comm }) => ({
      label: taskLabel(comm, pid),
      color: identityColor(taskKey(comm, pid), theme),
    })),
  };
}

/** Tasks that ran in the window, longest first. */
function busiestTasks(lanes: LanesResult, window: TimeRange): { pid: number; comm: string }[] {
  const busyNs = new Map<number, number>();
  for (const { slices } of lanes.lanes) {
    if (slices === null) continue;
    for (let i = 0; i < slices.pid.length; i++) {
      const inWindow = Math.min(slices.toNs[i], window.toNs) - Math.max(slices.fromNs[i], window.fromNs);
      if (inWindow <= 0) continue;
      const share = slices.merged[i] ? slices.busy[i] : 1;
      busyNs.set(slices.pid[i], (busyNs.get(slices.pid[i]) ?? 0) + inWindow * share);
    }
  }
  return [...busyNs]
    .sort(([pidA, a], [pidB, b]) => b - a || pidA - pidB)
    .slice(0, MAX_KEY_TASKS)
    .map(([pid]) => ({ pid, comm: lanes.comms[pid] ?? '' }));
}

/** Lanes of tasks; the key has the CPUs that they ran on, in the window, and the waits that are there. */
export function taskPanel(lanes: TaskLanesResult, summary: Streams, theme: Theme): StripPanel {
  const several = summary.streams.length > 1;
  const cpus = new Set(lanes.lanes.flatMap(({ slices }) => [...(slices?.cpu ?? [])]));
  const waits = (kind: number): boolean => lanes.lanes.some((lane) => lane.waits?.kind.includes(kind));
  const more = lanes.moreTasks === 0 ? '' : `, ${lanes.moreTasks.toLocaleString('en-US')} more not shown`;
  const switches = lanes.lanes.some(({ slices }) => slices !== null);
  return {
    kind: 'strips',
    heading: `${switches ? 'Tasks: CPU they run on, events below' : 'Tasks: events'}${more}`,
    empty: 'no task has events',
    key: [
      ...(waits(WAIT_WAKEUP)
        ? [{ label: 'woken up, not yet running', color: theme.wakeup, edge: 'solid' as const }]
        : []),
      ...(waits(WAIT_PREEMPTED) ? [{ label: 'preempted', color: theme.preempted, edge: 'dashed' as const }] : []),
      ...[...cpus].sort((a, b) => a - b).map((cpu) => ({ label: `CPU ${cpu}`, color: cpuColor(cpu, theme) })),
    ],
    strips: lanes.lanes.map((lane) => ({
      label: [...(several ? [streamLabel(summary, lane.stream)] : []), taskLabel(lane.comm, lane.pid)].join(' · '),
      draw: (surface, area, scale) => drawTaskLane(surface, area, scale, lane, lanes, theme),
    })),
  };
}

export function episodesPanel(episodes: Episode[], theme: Theme): StripPanel {
  const ribbons: Ribbon[] = ribbonsOf(episodes);
  const colors = ribbonColors(ribbons, theme);
  return {
    kind: 'strips',
    heading: 'Throttle episodes by cgroup',
    empty: 'no throttle episodes',
    key: [{ label: 'stronger: paused for more of the time', color: null }],
    strips: ribbons.map((ribbon) => ({
      label: ribbon.label,
      draw: (surface, area, scale) =>
        drawRibbon(surface, area, scale, ribbon, colors.get(ribbon.key) ?? theme.accent, theme),
    })),
  };
}

/** Draws the heading, the strips and their labels into `area`; the grid of the ruler shows between them. */
export function drawStrips(surface: Surface, area: Area, scale: TimeScale, panel: StripPanel, theme: Theme): void {
  surface.group(panel.heading, () => {
    drawHeading(surface, area, scale, panel, theme);
    const top = area.y + HEADING_PX;
    const height = (area.height - HEADING_PX) / Math.max(1, panel.strips.length);
    const inner = { x: scale.x, y: top, width: scale.widthPx, height: area.height - HEADING_PX };
    drawTimeGrid(surface, inner, scale, theme);
    if (panel.strips.length === 0) {
      surface.text(scale.x + scale.widthPx / 2, top + inner.height / 2 + 4, panel.empty, {
        color: theme.muted,
        sizePx: LABEL_PX,
        anchor: 'middle',
      });
    }
    for (const [index, strip] of panel.strips.entries()) {
      const y = top + index * height;
      const label: TextStyle = { color: theme.text, sizePx: LABEL_PX, anchor: 'end' };
      surface.text(
        scale.x - 8,
        y + height / 2 + 4,
        fitText(surface, strip.label, scale.x - area.x - 8, label, 'middle'),
        label,
      );
      surface.group(strip.label, () =>
        strip.draw(surface, { x: area.x, y: y + 1, width: area.width, height: height - 2 }, scale),
      );
      surface.line(scale.x, y + height, scale.x + scale.widthPx, y + height, { color: theme.grid, width: 1 });
    }
    surface.rect(inner.x + 0.5, inner.y + 0.5, inner.width - 1, inner.height - 1, {
      stroke: { color: theme.border, width: 1 },
    });
  });
}

/** The heading and as much of the colour key as fits behind it on one line. */
function drawHeading(surface: Surface, area: Area, scale: TimeScale, panel: StripPanel, theme: Theme): void {
  const baseline = area.y + 12;
  const style: TextStyle = { color: theme.text, sizePx: LABEL_PX, weight: 600 };
  const right = scale.x + scale.widthPx;
  const heading = fitText(surface, panel.heading, scale.widthPx, style);
  surface.text(scale.x, baseline, heading, style);
  let x = scale.x + surface.measure(heading, style) + 16;
  const label: TextStyle = { color: theme.muted, sizePx: LABEL_PX };
  for (const { label: text, color, edge } of panel.key) {
    const swatch = color === null ? 0 : 14;
    const width = swatch + surface.measure(text, label);
    if (x + width > right) break;
    if (color !== null && edge === undefined) surface.rect(x, baseline - 8, 9, 9, { fill: color });
    if (color !== null && edge !== undefined) {
      const stroke = { color, width: 1, ...(edge === 'dashed' ? { dash: [3, 2] } : {}) };
      surface.rect(x + 0.5, baseline - 7.5, 9, 8, { stroke });
    }
    surface.text(x + swatch, baseline, text, label);
    x += width + 12;
  }
}
