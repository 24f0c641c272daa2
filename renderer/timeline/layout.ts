import type { CpuLane, LaneSlices, LanesResult } from '../../shared/api.ts';
import { cpuLaneLabel, firstSliceAfter, taskLabel } from '../../shared/draw/lanes.ts';
import type { Ribbon } from '../../shared/draw/ribbons.ts';
import { streamLabel } from '../../shared/draw/stream-label.ts';
import type { WorkspaceSummary } from '../../shared/model.ts';
import type { Estimate } from '../state/estimate.ts';
import type { ShownTask } from '../state/stores.ts';

/** One horizontal strip of the timeline. */
export type LaneRow = { key: string; label: string; y: number; heightPx: number } & (
  | { kind: 'cpu'; stream: number; cpu: number }
  | { kind: 'task'; stream: number; pid: number; comm: string }
  | { kind: 'ribbon'; ribbon: Ribbon }
);

/** Rows that share a canvas: a canvas per row would be many, one for all would be taller than browsers allow. */
export interface LaneBlock {
  key: string;
  rows: LaneRow[];
  heightPx: number;
}

export interface LaneSection {
  key: 'episodes' | 'cpus' | 'tasks';
  title: string;
  blocks: LaneBlock[];
  rows: number;
}

const RIBBON_PX = 26;
const CPU_PX = 34;
const TASK_PX = 30;
/** Lanes are lower where there are many. */
const MANY_CPUS = 16;
const LOW_CPU_PX = 24;
const ROWS_PER_BLOCK = 16;

/**
 * Sections of the timeline from top to bottom: throttled cgroups, the CPUs of each stream, the tasks that were chosen. Empty
 * ones are left out.
 */
export function layoutLanes(
  summary: WorkspaceSummary,
  ribbons: Ribbon[],
  tasks: readonly ShownTask[] = [],
): LaneSection[] {
  const several = summary.streams.length > 1;
  const cpus = summary.streams.flatMap(({ index, cpus }) =>
    cpus.map((cpu) => ({ stream: index, streamName: several ? streamLabel(summary, index) : '', cpu })),
  );
  const rows = tasks.map(({ stream, pid, comm }): LaneRow => {
    const label = taskLabel(comm, pid);
    return {
      kind: 'task',
      key: `task ${stream} ${pid}`,
      label: several ? `${streamLabel(summary, stream)} · ${label}` : label,
      y: 0,
      heightPx: TASK_PX,
      stream,
      pid,
      comm,
    };
  });
  return [...sectionsOf(cpus, ribbons), ...(rows.length > 0 ? [section('tasks', 'Tasks', rows)] : [])];
}

/** What of a summary decides how its lanes are laid out. */
export const lanesOf = (summary: WorkspaceSummary): string =>
  JSON.stringify(summary.streams.map(({ index, cpus }) => [index, streamLabel(summary, index), cpus]));

/** The same for what is being opened: its CPUs, where they will be when it is indexed. */
export function layoutEstimate({ lanes }: Estimate): LaneSection[] {
  const several = lanes.some((lane) => lane.stream !== lanes[0].stream);
  return sectionsOf(
    lanes.map(({ stream, streamName, cpu }) => ({ stream, streamName: several ? streamName || 'top' : '', cpu })),
    [],
  );
}

function sectionsOf(cpus: { stream: number; streamName: string; cpu: number }[], ribbons: Ribbon[]): LaneSection[] {
  const cpuPx = cpus.length > MANY_CPUS ? LOW_CPU_PX : CPU_PX;
  const sections: LaneSection[] = [
    section(
      'episodes',
      'Throttled cgroups',
      ribbons.map((ribbon) => ({
        kind: 'ribbon',
        key: `ribbon ${ribbon.key}`,
        label: ribbon.label,
        y: 0,
        heightPx: RIBBON_PX,
        ribbon,
      })),
    ),
    section(
      'cpus',
      'CPUs',
      cpus.map(({ stream, streamName, cpu }) => ({
        kind: 'cpu',
        key: `cpu ${stream} ${cpu}`,
        label: cpuLaneLabel(cpu, streamName),
        y: 0,
        heightPx: cpuPx,
        stream,
        cpu,
      })),
    ),
  ];
  return sections.filter((entry) => entry.rows > 0);
}

function section(key: LaneSection['key'], title: string, rows: LaneRow[]): LaneSection {
  const blocks: LaneBlock[] = [];
  for (let first = 0; first < rows.length; first += ROWS_PER_BLOCK) {
    let y = 0;
    const placed = rows.slice(first, first + ROWS_PER_BLOCK).map((row) => {
      const at = { ...row, y };
      y += row.heightPx;
      return at;
    });
    blocks.push({ key: placed[0].key, rows: placed, heightPx: y });
  }
  return { key, title, blocks, rows: rows.length };
}

/** The row of a block at a height, or null. */
export const rowAt = (block: LaneBlock, y: number): LaneRow | null =>
  block.rows.find((row) => y >= row.y && y < row.y + row.heightPx) ?? null;

/** Lanes of a result by `laneKey`. */
export const lanesByKey = (result: LanesResult): Map<string, CpuLane> =>
  new Map(result.lanes.map((lane) => [laneKey(lane.stream, lane.cpu), lane]));
export const laneKey = (stream: number, cpu: number): string => `${stream} ${cpu}`;

export interface SliceAt {
  pid: number;
  fromNs: number;
  toNs: number;
  /** Share of a merged bucket that any task ran; null for a true slice. */
  busy: number | null;
}

/** The slice that covers a time, or null. */
export function sliceAt(slices: LaneSlices, ns: number): SliceAt | null {
  const index = firstSliceAfter(slices, ns);
  if (index >= slices.pid.length || slices.fromNs[index] > ns) return null;
  return {
    pid: slices.pid[index],
    fromNs: slices.fromNs[index],
    toNs: slices.toNs[index],
    busy: slices.merged[index] ? slices.busy[index] : null,
  };
}
