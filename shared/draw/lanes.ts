import type { CpuLane, LaneSlices } from '../api.ts';
import { identityColor, textOn } from '../colors.ts';
import { formatCount, type RelNs } from '../time.ts';
import { fitText } from './fit-text.ts';
import { type Area, type TimeScale, timeToX } from './ruler.ts';
import type { Surface } from './surface.ts';
import type { Theme } from './theme.ts';

/** What a lane's painter needs of the `LanesResult` that the lane came in. */
export interface LaneData {
  fromNs: RelNs;
  resolutionNs: number;
  comms: Record<number, string>;
}

/** Height of the strip of event ticks below the slices. */
export const EVENTS_STRIP_PX = 6;
const LABEL_SIZE = 11;
/** Narrower slices have no label, nor do those that would show fewer letters than say something. */
const MIN_LABEL_PX = 24;
const MIN_LETTERS = 3;

/** Identity of a task for colours: that of the same task in a plot grouped by task. */
export const taskKey = (comm: string, pid: number): string => `task:${comm}:${pid}`;

/** A task as trace-cmd writes it. */
export const taskLabel = (comm: string, pid: number): string => (comm === '' ? `pid ${pid}` : `${comm}-${pid}`);

/** The name of the lane of one CPU, for headers, exports and assistive technology. */
export const cpuLaneLabel = (cpu: number, streamName: string): string =>
  streamName ? `${streamName} · CPU ${cpu}` : `CPU ${cpu}`;

/**
 * One CPU lane in `area`: slices coloured by task over a strip of event density, or density alone where there is no
 * sched_switch; gaps of lost events on top. What lies outside `scale` is skipped by search, so the cost is that of
 * what is visible. The lane's data may be coarser, finer or narrower than the scale: it is drawn where it belongs.
 */
export function drawCpuLane(
  surface: Surface,
  area: Area,
  scale: TimeScale,
  lane: CpuLane,
  data: LaneData,
  theme: Theme,
): void {
  surface.clip(scale.x, area.y, scale.widthPx, area.height, () => {
    if (lane.slices) {
      const strip = { ...area, y: area.y + area.height - EVENTS_STRIP_PX, height: EVENTS_STRIP_PX };
      drawSlices(surface, { ...area, height: area.height - EVENTS_STRIP_PX - 1 }, scale, lane.slices, data, theme);
      drawDensity(surface, strip, scale, lane.density, data, theme);
    } else drawDensity(surface, area, scale, lane.density, data, theme);
    surface.later(() => drawLost(surface, area, scale, lane.lost, theme));
  });
}

/** Index of the first slice that ends after `ns`. */
export function firstSliceAfter(slices: Pick<LaneSlices, 'toNs'>, ns: RelNs): number {
  let low = 0;
  let high = slices.toNs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (slices.toNs[middle] > ns) high = middle;
    else low = middle + 1;
  }
  return low;
}

function drawSlices(
  surface: Surface,
  area: Area,
  scale: TimeScale,
  slices: LaneSlices,
  data: LaneData,
  theme: Theme,
): void {
  const fills = new Map<number, string>();
  const fillOf = (pid: number): string => {
    let fill = fills.get(pid);
    if (fill === undefined) {
      fill = identityColor(taskKey(data.comms[pid] ?? '', pid), theme);
      fills.set(pid, fill);
    }
    return fill;
  };
  for (let index = firstSliceAfter(slices, scale.fromNs); index < slices.pid.length; index++) {
    if (slices.fromNs[index] >= scale.toNs) break;
    const pid = slices.pid[index];
    const left = Math.max(scale.x - 1, timeToX(scale, slices.fromNs[index]));
    const right = Math.min(scale.x + scale.widthPx + 1, timeToX(scale, slices.toNs[index]));
    if (slices.merged[index]) {
      // A bucket of many slices: as high as it was busy, in the colour of its longest runner, paler than a true slice.
      const height = Math.max(1, area.height * slices.busy[index]);
      surface.rect(left, area.y + area.height - height, Math.max(0.75, right - left), height, {
        fill: fillOf(pid),
        fillOpacity: 0.7,
      });
      continue;
    }
    const width = right - left;
    surface.rect(left, area.y, Math.max(0.75, width > 4 ? width - 0.5 : width), area.height, { fill: fillOf(pid) });
    if (width >= MIN_LABEL_PX) {
      const [name, color] = [data.comms[pid] || `pid ${pid}`, textOn(fillOf(pid))];
      surface.later(() => drawTaskName(surface, area, left, width, name, pid, color));
    }
  }
}

/** `comm` and, where there is room, its pid, inside the visible part of the slice. */
function drawTaskName(
  surface: Surface,
  area: Area,
  left: number,
  width: number,
  comm: string,
  pid: number,
  color: string,
): void {
  if (area.height < LABEL_SIZE) return;
  const style = { color, sizePx: LABEL_SIZE };
  const full = `${comm} ${pid}`;
  const text = surface.measure(full, style) <= width - 8 ? full : fitText(surface, comm, width - 8, style);
  if (text === full || text === comm || text.length > MIN_LETTERS)
    surface.text(left + 4, area.y + area.height / 2 + LABEL_SIZE * 0.36, text, style);
}

/**
 * Events per bucket as bars. Height grows with the logarithm of the count, so that a single event is still seen beside
 * a burst of thousands; the tallest visible bucket fills the area.
 */
export function drawDensity(
  surface: Surface,
  area: Area,
  scale: TimeScale,
  density: Uint32Array,
  data: Pick<LaneData, 'fromNs' | 'resolutionNs'>,
  theme: Theme,
): void {
  const first = Math.max(0, Math.floor((scale.fromNs - data.fromNs) / data.resolutionNs));
  const last = Math.min(density.length, Math.ceil((scale.toNs - data.fromNs) / data.resolutionNs));
  let most = 0;
  for (let index = first; index < last; index++) if (density[index] > most) most = density[index];
  if (most === 0) return;
  const unit = 1 / Math.log2(1 + most);
  const width = Math.max(1, (data.resolutionNs / (scale.toNs - scale.fromNs)) * scale.widthPx);
  // Buckets may be wider than events: one event far in is a tick, not a block.
  const drawn = Math.min(width, 2);
  for (let index = first; index < last; index++) {
    if (density[index] === 0) continue;
    const height = Math.max(2, area.height * Math.max(0.15, Math.log2(1 + density[index]) * unit));
    surface.rect(
      timeToX(scale, data.fromNs + index * data.resolutionNs),
      area.y + area.height - height,
      drawn,
      height,
      { fill: theme.density },
    );
  }
}

/** Gaps that are nearer than this to each other are one bar. */
const GAP_PX = 8;
/** Bars that would cover more than this share of a lane are a band of this height instead. */
const MOST_COVERED = 0.2;
const BAND_PX = 6;
const GAP_LABEL = { sizePx: 10, weight: 600 as const };

/**
 * Gaps of lost events: hatched red bars over the lane's height, with how many were lost where that fits before the next
 * bar. The counts of gaps that fall together are added up; where many do, a low band leaves the lane itself visible.
 */
export function drawLost(surface: Surface, area: Area, scale: TimeScale, lost: CpuLane['lost'], theme: Theme): void {
  const style = { ...GAP_LABEL, color: theme.lost };
  const gaps = visibleGaps(lost, scale);
  const barWidth = (gap: Gap): number => gap.to - gap.from + 6;
  const covered = gaps.reduce((sum, gap) => sum + barWidth(gap), 0);
  const height = covered > scale.widthPx * MOST_COVERED ? BAND_PX : area.height;
  for (const [index, gap] of gaps.entries()) {
    drawHatch(surface, gap.from - 3, area.y, barWidth(gap), height, theme);
    const label = lostText(gap.count, gap.unknown);
    const left = gap.to + 6;
    const width = surface.measure(label, style) + 6;
    const end = Math.min(scale.x + scale.widthPx, (gaps[index + 1]?.from ?? Number.POSITIVE_INFINITY) - 5);
    if (left + width > end) continue;
    surface.rect(left, area.y + 1, width, 13, { fill: theme.panel, fillOpacity: 0.92 });
    surface.text(left + 3, area.y + 11, label, style);
  }
}

/** `12,345 lost`; `≥ 12,345 lost` where some gaps do not say; `lost` where none does. */
export const lostText = (count: number, unknown: number): string =>
  count === 0 && unknown > 0 ? 'lost' : `${unknown > 0 ? '≥ ' : ''}${formatCount(count)} lost`;

interface Gap {
  from: number;
  to: number;
  count: number;
  /** How many gaps in it have no count. */
  unknown: number;
}

function visibleGaps(lost: CpuLane['lost'], scale: TimeScale): Gap[] {
  const gaps: Gap[] = [];
  for (const { atNs, count } of lost) {
    if (atNs < scale.fromNs || atNs > scale.toNs) continue;
    const x = Math.round(timeToX(scale, atNs));
    let gap = gaps.at(-1);
    if (!gap || x - gap.to >= GAP_PX) {
      gap = { from: x, to: x, count: 0, unknown: 0 };
      gaps.push(gap);
    }
    gap.to = x;
    if (count < 0) gap.unknown++;
    else gap.count += count;
  }
  return gaps;
}

function drawHatch(surface: Surface, x: number, y: number, width: number, height: number, theme: Theme): void {
  const stroke = { color: theme.lost, width: 1 };
  surface.clip(x, y, width, height, () => {
    surface.rect(x, y, width, height, { fill: theme.panel, stroke });
    for (let at = -height; at < width; at += 4) surface.line(x + at, y + height, x + at + height, y, stroke);
  });
}
