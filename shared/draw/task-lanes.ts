import { type TaskLane, type TaskLaneSlices, type TaskLanesResult, type TaskLaneWaits, WAIT_WAKEUP } from '../api.ts';
import { identityColor, textOn } from '../colors.ts';
import { drawDensity, drawLost, EVENTS_STRIP_PX, firstSliceAfter } from './lanes.ts';
import { type Area, type TimeScale, timeToX } from './ruler.ts';
import type { Surface } from './surface.ts';
import type { Theme } from './theme.ts';

const LABEL_SIZE = 11;
/** Narrower waits are ticks: a frame around nothing is no hollow box. */
const MIN_BOX_PX = 3;

/** Colour of a CPU, that of the same CPU in a plot grouped by cpu. */
export const cpuColor = (cpu: number, theme: Theme): string => identityColor(`cpu:${cpu}`, theme);

/**
 * One task's lane in `area`, as KernelShark has it: slices coloured by CPU where it ran, hollow boxes where it waited for a
 * CPU (woken up: green; preempted: red and dashed), its events below. Without sched_switch, its events alone. What lies
 * outside `scale` is skipped by search, so the cost is that of what is visible.
 */
export function drawTaskLane(
  surface: Surface,
  area: Area,
  scale: TimeScale,
  lane: TaskLane,
  data: Pick<TaskLanesResult, 'fromNs' | 'resolutionNs' | 'lost'>,
  theme: Theme,
): void {
  surface.clip(scale.x, area.y, scale.widthPx, area.height, () => {
    if (lane.slices === null) drawDensity(surface, area, scale, lane.density, data, theme);
    else {
      const upper = { ...area, height: area.height - EVENTS_STRIP_PX - 1 };
      const strip = { ...area, y: area.y + area.height - EVENTS_STRIP_PX, height: EVENTS_STRIP_PX };
      drawRunning(surface, upper, scale, lane.slices, theme);
      if (lane.waits) drawWaits(surface, upper, scale, lane.waits, theme);
      drawDensity(surface, strip, scale, lane.density, data, theme);
    }
    surface.later(() => drawLost(surface, area, scale, data.lost[lane.stream] ?? [], theme));
  });
}

function drawRunning(surface: Surface, area: Area, scale: TimeScale, slices: TaskLaneSlices, theme: Theme): void {
  const fills = new Map<number, string>();
  const fillOf = (cpu: number): string => {
    const known = fills.get(cpu) ?? cpuColor(cpu, theme);
    fills.set(cpu, known);
    return known;
  };
  for (let index = firstSliceAfter(slices, scale.fromNs); index < slices.cpu.length; index++) {
    if (slices.fromNs[index] >= scale.toNs) break;
    const fill = fillOf(slices.cpu[index]);
    const left = Math.max(scale.x - 1, timeToX(scale, slices.fromNs[index]));
    const right = Math.min(scale.x + scale.widthPx + 1, timeToX(scale, slices.toNs[index]));
    const width = right - left;
    if (slices.merged[index]) {
      // A bucket of many slices: as high as the task ran in it, in the colour of the CPU it was longest on.
      const height = Math.max(1, area.height * slices.busy[index]);
      surface.rect(left, area.y + area.height - height, Math.max(0.75, width), height, { fill, fillOpacity: 0.7 });
      continue;
    }
    surface.rect(left, area.y, Math.max(0.75, width > 4 ? width - 0.5 : width), area.height, { fill });
    const label = `CPU ${slices.cpu[index]}`;
    const style = { color: textOn(fill), sizePx: LABEL_SIZE };
    if (area.height >= LABEL_SIZE && surface.measure(label, style) <= width - 8)
      surface.later(() => surface.text(left + 4, area.y + area.height / 2 + LABEL_SIZE * 0.36, label, style));
  }
}

/**
 * Hollow boxes. Those too narrow to be hollow are ticks, one a pixel at most: wake-ups hang from the upper edge, preemptions
 * stand on the lower one, so that neither hides the other or the slices between them.
 */
function drawWaits(surface: Surface, area: Area, scale: TimeScale, waits: TaskLaneWaits, theme: Theme): void {
  const tickPx = Math.max(2, Math.round(area.height / 5));
  /** The pixel that the last tick of each kind stands in. */
  const ticked = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let index = firstSliceAfter(waits, scale.fromNs); index < waits.kind.length; index++) {
    if (waits.fromNs[index] >= scale.toNs) break;
    const kind = waits.kind[index];
    const woken = kind === WAIT_WAKEUP;
    const color = woken ? theme.wakeup : theme.preempted;
    const left = Math.max(scale.x - 2, timeToX(scale, waits.fromNs[index]));
    const width = Math.min(scale.x + scale.widthPx + 2, timeToX(scale, waits.toNs[index])) - left;
    if (width >= MIN_BOX_PX && !waits.merged[index]) {
      const stroke = woken ? { color, width: 1 } : { color, width: 1, dash: [3, 2] };
      surface.later(() => surface.rect(left + 0.5, area.y + 0.5, width - 1, area.height - 1, { stroke }));
    } else if (Math.floor(left) > ticked[kind]) {
      ticked[kind] = Math.floor(left);
      // A line of the panel's colour keeps it apart from a slice that is as green or as red.
      const y = woken ? area.y : area.y + area.height - tickPx;
      surface.rect(left, woken ? y : y - 1, 1, tickPx + 1, { fill: theme.panel });
      surface.rect(left, y, 1, tickPx, { fill: color });
    }
  }
}
