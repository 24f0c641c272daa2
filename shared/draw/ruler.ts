import type { RelNs, TimeRange, TimeUnit } from '../time.ts';
import type { Surface, TextStyle } from './surface.ts';
import type { Theme } from './theme.ts';
import { timeTicks } from './ticks.ts';

/** A rectangle of a surface, in px. */
export interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where time lies on a surface: `fromNs` at `x`, `toNs` at `x + widthPx`. */
export interface TimeScale extends TimeRange {
  x: number;
  widthPx: number;
  /** What its clock counts; ns if not said. */
  unit?: TimeUnit;
}

export const timeToX = (scale: TimeScale, ns: RelNs): number =>
  scale.x + ((ns - scale.fromNs) / (scale.toNs - scale.fromNs)) * scale.widthPx;

export const xToTime = (scale: TimeScale, x: number): RelNs =>
  scale.fromNs + ((x - scale.x) / scale.widthPx) * (scale.toNs - scale.fromNs);

/** Room that a tick's label needs: `+340.5 µs` and some air. */
const TICK_GAP_PX = 96;
const LABEL_SIZE = 11;

/** The marks of a scale that ruler and grid share, so that lines stand under their labels. */
const ticksOf = (scale: TimeScale) =>
  timeTicks(scale.fromNs, scale.toNs, Math.max(1, Math.floor(scale.widthPx / TICK_GAP_PX)), scale.unit);

/**
 * The time ruler of `area`: ticks growing up from its lower edge, labels beside them. Where labels count from a base
 * (`+340 µs`), the base is written once: in the gutter left of `scale.x` if there is one, else above the first tick. So is
 * what a clock counts, if it is not time.
 */
export function drawRuler(surface: Surface, area: Area, scale: TimeScale, theme: Theme): void {
  if (!(scale.toNs > scale.fromNs) || scale.widthPx <= 0) return;
  const { base, marks, step } = ticksOf(scale);
  const bottom = area.y + area.height;
  const style: TextStyle = { color: theme.muted, sizePx: LABEL_SIZE };
  surface.clip(scale.x, area.y, scale.widthPx, area.height, () => {
    drawMinorTicks(surface, bottom, scale, step, theme);
    // The mark before the window may have a label that reaches into it.
    for (const mark of marks) {
      const x = Math.round(timeToX(scale, mark.value)) + 0.5;
      surface.line(x, bottom - 9, x, bottom, { color: theme.muted, width: 1 });
      // Half a label is a wrong one: `14` for `14 s`.
      const fits = x + 4 + surface.measure(mark.label, style) <= scale.x + scale.widthPx;
      if (fits) surface.text(x + 4, bottom - 6, mark.label, style);
    }
  });
  surface.line(area.x, bottom - 0.5, area.x + area.width, bottom - 0.5, { color: theme.border, width: 1 });
  const counted = scale.unit === undefined || scale.unit === 'ns' ? '' : scale.unit;
  const text = [base?.label ?? '', counted].filter((part) => part !== '').join(' ');
  if (text === '') return;
  const inGutter = scale.x - area.x >= 60;
  surface.text(inGutter ? scale.x - 8 : scale.x + 4, inGutter ? bottom - 6 : bottom - 18, text, {
    color: theme.text,
    sizePx: LABEL_SIZE,
    weight: 600,
    anchor: inGutter ? 'end' : 'start',
  });
}

/** Fifths of a step, or quarters where the step is a 2: they fall on round numbers then. */
function drawMinorTicks(surface: Surface, bottom: number, scale: TimeScale, step: number, theme: Theme): void {
  const leading = Math.round(step / 10 ** Math.floor(Math.log10(step) + 1e-9));
  const minor = step / (leading === 2 ? 4 : 5);
  for (let index = Math.ceil(scale.fromNs / minor); index * minor <= scale.toNs; index++) {
    const x = Math.round(timeToX(scale, index * minor)) + 0.5;
    surface.line(x, bottom - 4, x, bottom, { color: theme.border, width: 1 });
  }
}

/** Vertical grid lines at the ruler's labelled ticks, to be drawn behind lanes and plots. */
export function drawTimeGrid(surface: Surface, area: Area, scale: TimeScale, theme: Theme): void {
  if (!(scale.toNs > scale.fromNs) || scale.widthPx <= 0) return;
  for (const mark of ticksOf(scale).marks) {
    const x = Math.round(timeToX(scale, mark.value)) + 0.5;
    surface.line(x, area.y, x, area.y + area.height, { color: theme.grid, width: 1 });
  }
}

/** Markers A and B: a line through `area` with a flag at its top. Both sit on whole pixels. */
export function drawMarkers(
  surface: Surface,
  area: Area,
  scale: TimeScale,
  markers: { a: RelNs | null; b: RelNs | null },
  theme: Theme,
): void {
  surface.clip(scale.x, area.y, scale.widthPx, area.height, () => {
    for (const [name, ns, color] of [
      ['A', markers.a, theme.markerA],
      ['B', markers.b, theme.markerB],
    ] as const) {
      if (ns === null) continue;
      const x = Math.round(timeToX(scale, ns)) + 0.5;
      surface.line(x, area.y, x, area.y + area.height, { color, width: 1, dash: name === 'A' ? [] : [5, 3] });
      // A's flag points left and B's right: they never cover each other where both markers meet.
      const flag = name === 'A' ? x - 14 : x;
      surface.rect(flag, area.y, 14, 14, { fill: color });
      surface.text(flag + 7, area.y + 11, name, { color: theme.panel, sizePx: 10, weight: 600, anchor: 'middle' });
    }
  });
}
