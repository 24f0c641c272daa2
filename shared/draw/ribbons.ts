import { identityColors } from '../colors.ts';
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
  /** Stable identity for colours: that of the same cgroup in a plot grouped by cgroup. */
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
  return [...groups].map(([label, group]) => ({ key: `cgroup:${label}`, label, segments: segmentsOf(group) }));
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

/** Stretch of a ribbon in px. */
interface Stretch {
  from: number;
  to: number;
  severity: number;
  tasks: number;
}

/** Kept low enough for the theme's text to be read on every colour of the palette. */
const opacityOf = (severity: number): number => 0.16 + 0.36 * severity;

/**
 * One ribbon in `area`: segments in the cgroup's colour, stronger with severity, over a solid base line that keeps mild
 * ones visible. Segments that touch share one label. Those narrower than a pixel melt into one, so that there are never
 * more rectangles than pixels, and none is painted over another.
 */
export function drawRibbon(
  surface: Surface,
  area: Area,
  scale: TimeScale,
  ribbon: Ribbon,
  color: string,
  theme: Theme,
): void {
  const paint = ({ from, to, severity }: Stretch): void =>
    surface.rect(from, area.y, to - from, area.height, { fill: color, fillOpacity: opacityOf(severity) });
  surface.clip(scale.x, area.y, scale.widthPx, area.height, () => {
    let drawnTo = Number.NEGATIVE_INFINITY;
    /** A pixel of short segments that is not painted yet. */
    let pixel: Stretch | null = null;
    const runs: Stretch[] = [];
    for (const segment of visibleSegments(ribbon, scale)) {
      const { severity, tasks } = segment;
      const from = Math.max(drawnTo, scale.x - 2, timeToX(scale, segment.fromNs));
      const to = Math.min(scale.x + scale.widthPx + 2, timeToX(scale, segment.toNs));
      const stretch = { from, to: Math.max(to, from + 1), severity, tasks };
      extendRuns(runs, stretch);
      if (pixel && (to <= pixel.to || from < pixel.to)) pixel.severity = Math.max(pixel.severity, severity);
      if (pixel && to > pixel.to) {
        paint(pixel);
        drawnTo = pixel.to;
        stretch.from = Math.max(from, drawnTo);
        pixel = null;
      }
      if (pixel) continue;
      if (to - stretch.from < 1) pixel = { ...stretch, to: stretch.from + 1 };
      else {
        paint(stretch);
        drawnTo = stretch.to;
      }
    }
    if (pixel) paint(pixel);
    for (const run of runs) drawRun(surface, area, run, ribbon.label, color, theme);
  });
}

function visibleSegments({ segments }: Ribbon, scale: TimeScale): RibbonSegment[] {
  const first = firstSegmentAfter(segments, scale.fromNs);
  let end = first;
  while (end < segments.length && segments[end].fromNs < scale.toNs) end++;
  return segments.slice(first, end);
}

/** Adds a stretch to the last run if they touch, else begins another. */
function extendRuns(runs: Stretch[], stretch: Stretch): void {
  const last = runs.at(-1);
  if (!last || stretch.from > last.to + 0.5) {
    runs.push({ ...stretch });
    return;
  }
  last.to = Math.max(last.to, stretch.to);
  last.tasks = Math.max(last.tasks, stretch.tasks);
}

/** The base line of a run and its label, where there is room for one. */
function drawRun(surface: Surface, area: Area, run: Stretch, label: string, color: string, theme: Theme): void {
  surface.rect(run.from, area.y + area.height - 2, run.to - run.from, 2, { fill: color });
  if (run.to - run.from < 40 || area.height < 12) return;
  const style = { color: theme.text, sizePx: 11, weight: 600 as const };
  const full = `${label} · ${run.tasks === 1 ? '1 task' : `${run.tasks} tasks`}`;
  const room = run.to - run.from - 10;
  const text = surface.measure(full, style) <= room ? full : fitText(surface, label, room, style, 'middle');
  if (text) surface.later(() => surface.text(run.from + 5, area.y + area.height / 2 + 3.5, text, style));
}
