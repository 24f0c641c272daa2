import { identityColors, textOn } from '../colors.ts';
import type { Episode } from '../model.ts';
import type { RelNs } from '../time.ts';
import { fitText } from './fit-text.ts';
import { type Area, type TimeScale, timeToX } from './ruler.ts';
import type { Surface } from './surface.ts';
import type { Theme } from './theme.ts';

/**
 * The throttle episodes of one cgroup as one strip: the union of its tasks' episodes cut into segments in which the
 * same episodes are under way. Ascending and non-overlapping.
 */
export interface Ribbon {
  /** Stable identity for colours: the cgroup's path, or its inode where no path is known. */
  key: string;
  label: string;
  segments: RibbonSegment[];
}

export interface RibbonSegment {
  fromNs: RelNs;
  toNs: RelNs;
  /** 0..1: the largest share of an episode that its task was told to sleep, among the episodes under way. */
  severity: number;
  tasks: number;
  /** Ids of the episodes under way. */
  episodes: number[];
}

/** Name of a cgroup for people: its path, else its inode number. */
export const cgroupLabel = (cgroup: { ino: string; path: string }): string =>
  cgroup.path || (cgroup.ino ? `cgroup ${cgroup.ino}` : 'no cgroup');

/** Share of an episode that its task was told to sleep, 0..1. */
export function severityOf(episode: Episode): number {
  const wallMs = (episode.toNs - episode.fromNs) / 1e6;
  return wallMs > 0 ? Math.min(1, episode.pauseMs / wallMs) : 1;
}

/** Ribbons per cgroup in order of first episode. Cost grows with episodes × the most that overlap: do it once, not per frame. */
export function ribbonsOf(episodes: Episode[]): Ribbon[] {
  const groups = new Map<string, Episode[]>();
  for (const episode of [...episodes].sort((a, b) => a.fromNs - b.fromNs)) {
    const label = cgroupLabel(episode.cgroup);
    const group = groups.get(label);
    if (group) group.push(episode);
    else groups.set(label, [episode]);
  }
  return [...groups].map(([label, group]) => ({ key: label, label, segments: segmentsOf(group) }));
}

/** Sweeps over the starts and ends of `episodes` (ascending by start). */
function segmentsOf(episodes: Episode[]): RibbonSegment[] {
  const edges = [...new Set(episodes.flatMap((episode) => [episode.fromNs, episode.toNs]))].sort((a, b) => a - b);
  const segments: RibbonSegment[] = [];
  let active: Episode[] = [];
  let next = 0;
  for (let edge = 0; edge + 1 < edges.length; edge++) {
    const fromNs = edges[edge];
    active = active.filter((episode) => episode.toNs > fromNs);
    while (next < episodes.length && episodes[next].fromNs <= fromNs) active.push(episodes[next++]);
    if (active.length === 0) continue;
    segments.push({
      fromNs,
      toNs: edges[edge + 1],
      severity: Math.max(...active.map(severityOf)),
      tasks: new Set(active.map((episode) => episode.task.pid)).size,
      episodes: active.map((episode) => episode.id),
    });
  }
  return segments;
}

/** Colours of ribbons: those that a plot grouped by cgroup gives the same keys. */
export const ribbonColors = (ribbons: Ribbon[], theme: Theme): Map<string, string> =>
  identityColors(
    ribbons.map((ribbon) => ribbon.key),
    theme,
  );

/** The segment under a time, or null. */
export function segmentAt(ribbon: Ribbon, ns: RelNs): RibbonSegment | null {
  const index = firstSegmentAfter(ribbon.segments, ns);
  const segment = ribbon.segments[index];
  return segment && segment.fromNs <= ns ? segment : null;
}

function firstSegmentAfter(segments: RibbonSegment[], ns: RelNs): number {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (segments[middle].toNs > ns) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * One ribbon in `area`: segments in the cgroup's colour, stronger with severity; runs that touch share one label, and
 * an outline keeps mild ones visible. Segments narrower than a pixel melt into one.
 */
export function drawRibbon(
  surface: Surface,
  area: Area,
  scale: TimeScale,
  ribbon: Ribbon,
  color: string,
  theme: Theme,
): void {
  surface.clip(scale.x, area.y, scale.widthPx, area.height, () => {
    const { segments } = ribbon;
    let run: { from: number; to: number; tasks: number; severity: number } | null = null;
    let drawnTo = -Infinity;
    const finishRun = (): void => {
      if (run) drawRun(surface, area, run, ribbon.label, color, theme);
      run = null;
    };
    for (
      let index = firstSegmentAfter(segments, scale.fromNs);
      index < segments.length && segments[index].fromNs < scale.toNs;
      index++
    ) {
      const segment = segments[index];
      const from = Math.max(scale.x - 2, timeToX(scale, segment.fromNs));
      const to = Math.min(scale.x + scale.widthPx + 2, Math.max(from + 1, timeToX(scale, segment.toNs)));
      if (to > drawnTo) {
        const left = Math.max(from, drawnTo);
        surface.rect(left, area.y, to - left, area.height, { fill: color, fillOpacity: 0.25 + 0.6 * segment.severity });
        drawnTo = to;
      }
      if (run && from <= run.to + 0.5) {
        run.to = Math.max(run.to, to);
        run.tasks = Math.max(run.tasks, segment.tasks);
        run.severity = Math.max(run.severity, segment.severity);
      } else {
        finishRun();
        run = { from, to, tasks: segment.tasks, severity: segment.severity };
      }
    }
    finishRun();
  });
}

function drawRun(
  surface: Surface,
  area: Area,
  run: { from: number; to: number; tasks: number; severity: number },
  label: string,
  color: string,
  theme: Theme,
): void {
  surface.rect(run.from, area.y + area.height - 2, run.to - run.from, 2, { fill: color });
  if (run.to - run.from < 40 || area.height < 12) return;
  const style = { color: run.severity > 0.6 ? textOn(color) : theme.text, sizePx: 11, weight: 600 as const };
  const tasks = run.tasks === 1 ? '1 task' : `${run.tasks} tasks`;
  const full = `${label} · ${tasks}`;
  const room = run.to - run.from - 10;
  const text = surface.measure(full, style) <= room ? full : fitText(surface, label, room, style, 'middle');
  if (text) surface.text(run.from + 5, area.y + area.height / 2 + 3.5, text, style);
}
