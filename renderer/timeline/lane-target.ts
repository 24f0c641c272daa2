import { identityColor } from '../../shared/colors.ts';
import { lostText, taskKey, taskLabel } from '../../shared/draw/lanes.ts';
import type { Episode } from '../../shared/model.ts';
import { formatDuration, formatLength } from '../../shared/time.ts';
import { workspaceStore } from '../state/stores.ts';
import { hasTaskLane, hideTaskLane, showTaskLane } from '../state/task-lanes.ts';
import { themeStore } from '../state/theme.ts';
import type { MenuSection } from '../ui/menu.tsx';
import { countOf } from '../ui/text.ts';
import { currentTimeUnit } from '../ui/use-time-unit.ts';
import { currentScale } from './geometry.ts';
import { episodesAt, eventNear, selectEpisode, selectNear } from './lane-actions.ts';
import { lanesStore } from './lanes-data.ts';
import { type LaneBlock, type LaneRow, laneKey, rowAt, type SliceAt, sliceAt } from './layout.ts';
import type { PointTarget, Tip } from './pointing.ts';
import { describeTask, eventOfTask, selectInTask, taskMenu } from './task-target.ts';
import { onlyInTable, zoomTo } from './time-menu.tsx';
import { timeText } from './time-text.ts';

/** A block of lanes as something to point at. */
export function laneTarget(block: LaneBlock, colors: Map<string, string>): PointTarget {
  return {
    describe(ns, y) {
      const row = rowAt(block, y);
      if (!row) return null;
      if (row.kind === 'task') return describeTask(row, ns);
      return row.kind === 'cpu' ? describeCpu(row, ns) : describeRibbon(row, ns, colors.get(row.ribbon.key));
    },
    click(ns, y) {
      const row = rowAt(block, y);
      if (row?.kind === 'cpu') void selectNear(row, ns);
      else if (row?.kind === 'task') void selectInTask(row, ns);
      else if (row) {
        const episode = worst(episodesAt(row, ns));
        if (episode) selectEpisode(episode);
      }
    },
    menu(ns, y) {
      const row = rowAt(block, y);
      if (!row) return [];
      if (row.kind === 'task') return taskMenu(row, ns);
      return row.kind === 'cpu' ? cpuMenu(row, ns) : ribbonMenu(row, ns);
    },
    async markAt(ns, y) {
      const row = rowAt(block, y);
      if (row?.kind === 'task') return (await eventOfTask(row, ns))?.timeNs ?? ns;
      if (row?.kind !== 'cpu') return ns;
      return (await eventNear(row, ns))?.timeNs ?? ns;
    },
  };
}

function cpuMenu(row: Extract<LaneRow, { kind: 'cpu' }>, ns: number): MenuSection[] {
  if (!workspaceStore.getState().summary) return [];
  const { result, lanes } = lanesStore.getState();
  const slices = lanes.get(laneKey(row.stream, row.cpu))?.slices;
  const slice = slices && sliceAt(slices, ns);
  const sections: MenuSection[] = [
    { title: row.label, items: [onlyInTable(`Only CPU ${row.cpu} in the table`, `cpu == ${row.cpu}`)] },
  ];
  if (!slice || !result) return sections;
  const comm = result.comms[slice.pid] ?? '';
  const task = taskLabel(comm, slice.pid);
  const shown = { stream: row.stream, pid: slice.pid, comm };
  const items = [
    hasTaskLane(shown)
      ? { label: 'Remove its task lane', run: () => hideTaskLane(shown) }
      : { label: 'Show task lane', run: () => showTaskLane(shown) },
    onlyInTable('Only its events in the table', `pid == ${slice.pid}`),
  ];
  if (slice.busy === null) items.unshift(zoomTo('Zoom to this slice', slice));
  return [{ title: task, items }, ...sections];
}

function ribbonMenu(row: Extract<LaneRow, { kind: 'ribbon' }>, ns: number): MenuSection[] {
  return episodesAt(row, ns).map((episode) => {
    const task = taskLabel(episode.task.comm, episode.task.pid);
    return {
      title: `${row.label}: ${task}`,
      items: [
        zoomTo(`Zoom to the episode of ${task}`, episode),
        onlyInTable(`Only ${task} in the table`, `pid == ${episode.task.pid}`),
      ],
    };
  });
}

const worst = (episodes: Episode[]): Episode | undefined => [...episodes].sort((a, b) => b.pauseMs - a.pauseMs)[0];

/** Within this many px of a gap of lost events, the gap is meant. */
const GAP_REACH_PX = 5;

function describeCpu(row: Extract<LaneRow, { kind: 'cpu' }>, ns: number): Tip {
  const { result, lanes } = lanesStore.getState();
  const scale = currentScale();
  const nsPerPx = (scale.toNs - scale.fromNs) / scale.widthPx;
  const rows: Tip['rows'] = [['time', timeText(ns, nsPerPx, currentTimeUnit())]];
  const lane = lanes.get(laneKey(row.stream, row.cpu));
  if (!lane || !result) {
    const estimated = workspaceStore.getState().status === 'opening';
    return { title: row.label, rows, text: estimated ? 'How dense events are is an estimate so far.' : undefined };
  }
  const gaps = lane.lost.filter((lost) => Math.abs(lost.atNs - ns) < GAP_REACH_PX * nsPerPx);
  if (gaps.length > 0) {
    const counts = gaps.map((gap) => gap.count).filter((count) => count >= 0);
    const sum = counts.reduce((total, count) => total + count, 0);
    rows.push([
      'events',
      counts.length === 0 ? 'lost; the kernel did not say how many' : lostText(sum, gaps.length - counts.length),
    ]);
  }
  const slice = lane.slices && sliceAt(lane.slices, ns);
  if (slice) rows.push(...describeSlice(slice, nsPerPx));
  const bucket = Math.floor((ns - result.fromNs) / result.resolutionNs);
  const events = countOf(lane.density[bucket] ?? 0, 'event');
  rows.push(['here', `${events} in ${formatLength(result.resolutionNs, currentTimeUnit(), 2)}`]);
  if (!slice) return { title: lane.slices ? `${row.label}: idle` : row.label, rows };
  const comm = result.comms[slice.pid] ?? '';
  const color = identityColor(taskKey(comm, slice.pid), themeStore.getState().theme);
  return { title: comm || 'unknown task', color, rows };
}

function describeSlice(slice: SliceAt, nsPerPx: number): Tip['rows'] {
  const tgid = workspaceStore.getState().summary?.tasks.find((task) => task.pid === slice.pid)?.tgid ?? -1;
  const pid = tgid >= 0 && tgid !== slice.pid ? `${slice.pid} of process ${tgid}` : String(slice.pid);
  const length = slice.toNs - slice.fromNs;
  if (slice.busy !== null) {
    const share = `${Math.round(slice.busy * 100)} % of ${formatLength(length, currentTimeUnit(), 2)}, several slices`;
    return [
      ['pid', pid],
      ['busy', share],
    ];
  }
  return [
    ['pid', pid],
    ['ran for', formatLength(length, currentTimeUnit())],
    ['until', timeText(slice.toNs, nsPerPx, currentTimeUnit())],
  ];
}

function describeRibbon(row: Extract<LaneRow, { kind: 'ribbon' }>, ns: number, color: string | undefined): Tip | null {
  const episodes = episodesAt(row, ns);
  const episode = worst(episodes);
  if (!episode) return null;
  const { pid, comm } = episode.task;
  const rows: Tip['rows'] = [
    ['task', `${comm} ${pid}`],
    ['device', episode.bdi],
    ['paused', `${formatDuration(episode.pauseMs * 1e6)} in ${episode.pauses} pauses`],
    ['episode', formatLength(episode.toNs - episode.fromNs, currentTimeUnit())],
  ];
  if (episode.sleptMs !== null) rows.push(['slept', formatDuration(episode.sleptMs * 1e6)]);
  if (episodes.length > 1)
    rows.push(['and', `${episodes.length - 1} more ${episodes.length === 2 ? 'task' : 'tasks'} at this time`]);
  return { title: `${row.label} throttled`, color, rows, text: episode.cause };
}
