import type { RefObject } from 'react';
import { useStore } from 'zustand';
import { drawMarkers, type TimeScale, timeToX } from '../../shared/draw/ruler.ts';
import type { Theme } from '../../shared/draw/theme.ts';
import { formatLength } from '../../shared/time.ts';
import { selectionStore, viewportStore } from '../state/stores.ts';
import { themeStore } from '../state/theme.ts';
import { currentTimeUnit } from '../ui/use-time-unit.ts';
import { Canvas } from './canvas.tsx';
import type { CanvasSurface } from './canvas-surface.ts';
import { currentScale, geometryStore, timeWidthPx } from './geometry.ts';
import { rangeBetween } from './gesture.ts';
import { RULER_PX } from './head.tsx';
import { OVERVIEW_PX } from './overview.tsx';
import { dragStore, scrollStore } from './pointing.ts';
import { differenceText, timeText } from './time-text.ts';

const watch = [viewportStore, geometryStore, selectionStore, dragStore, scrollStore];

/**
 * What lies over ruler, lanes and plots alike: the pointer's time, the selected event and range, the markers, the
 * rubber band. On a canvas of its own, so that moving the pointer redraws nothing else.
 */
export function Overlay({ heightPx, root }: { heightPx: number; root: RefObject<HTMLElement | null> }) {
  const widthPx = useStore(geometryStore, timeWidthPx);
  const theme = useStore(themeStore, (state) => state.theme);
  return (
    <Canvas
      className="timeline-overlay"
      widthPx={widthPx}
      heightPx={heightPx - OVERVIEW_PX}
      watch={watch}
      paint={(surface) => paintOverlay(surface, currentScale(), theme, root.current)}
    />
  );
}

function paintOverlay(surface: CanvasSurface, scale: TimeScale, theme: Theme, root: HTMLElement | null): void {
  const { range, hoverNs, event, eventTimeNs, markerA, markerB } = selectionStore.getState();
  const { drag } = dragStore.getState();
  const height = surface.heightPx;
  const nsPerPx = (scale.toNs - scale.fromNs) / scale.widthPx;
  if (range) drawBand(surface, scale, range, theme.accent, RULER_PX);
  const dragged = drag && drag.kind !== 'pan' ? rangeBetween(scale, drag.fromX, drag.toX) : null;
  if (dragged && drag?.kind === 'zoom') drawBand(surface, scale, dragged, theme.text, RULER_PX);
  if (eventTimeNs !== null) {
    const x = Math.round(timeToX(scale, eventTimeNs)) + 0.5;
    surface.line(x, RULER_PX, x, height, { color: theme.accent, width: 1.5 });
    if (event && root) drawEventMark(surface, x, root, theme);
  }
  drawMarkers(surface, { x: 0, y: 0, width: scale.widthPx, height }, scale, { a: markerA, b: markerB }, theme);
  if (markerA !== null && markerB !== null) drawDistance(surface, scale, markerA, markerB, theme);
  if (dragged) {
    const middle = (timeToX(scale, dragged.fromNs) + timeToX(scale, dragged.toNs)) / 2;
    drawPill(
      surface,
      middle,
      8,
      formatLength(dragged.toNs - dragged.fromNs, currentTimeUnit()),
      theme.accent,
      theme.accentText,
      scale.widthPx,
    );
  } else if (hoverNs !== null && hoverNs >= scale.fromNs && hoverNs <= scale.toNs) {
    const x = Math.round(timeToX(scale, hoverNs)) + 0.5;
    surface.line(x, 16, x, height, { color: theme.cursor, width: 1, opacity: 0.7 });
    drawPill(surface, x, 8, timeText(hoverNs, nsPerPx, currentTimeUnit()), theme.text, theme.panel, scale.widthPx);
  }
}

/** A range of time, tinted below the ruler. */
function drawBand(
  surface: CanvasSurface,
  scale: TimeScale,
  range: { fromNs: number; toNs: number },
  color: string,
  top: number,
): void {
  const from = Math.max(-1, timeToX(scale, range.fromNs));
  const to = Math.min(scale.widthPx + 1, timeToX(scale, range.toNs));
  if (to <= 0 || from >= scale.widthPx) return;
  surface.rect(from, top, to - from, surface.heightPx - top, { fill: color, fillOpacity: 0.1 });
  for (const x of [from, to])
    surface.line(Math.round(x) + 0.5, top, Math.round(x) + 0.5, surface.heightPx, { color, width: 1, opacity: 0.8 });
}

/** The selected event on its lane, if that is in view: a small diamond. */
function drawEventMark(surface: CanvasSurface, x: number, root: HTMLElement, theme: Theme): void {
  const lane = root.querySelector('[data-selected] .lane-name')?.getBoundingClientRect();
  const head = root.querySelector('.timeline-head')?.getBoundingClientRect();
  if (!lane || !head) return;
  const middle = lane.top + lane.height / 2;
  if (middle < head.bottom) return;
  const y = middle - root.getBoundingClientRect().top - OVERVIEW_PX;
  const diamond = [x, y - 5, x + 5, y, x, y + 5, x - 5, y];
  surface.path(diamond, 4, { closed: true, fill: theme.accent, stroke: { color: theme.panel, width: 1 } });
}

/** B−A between the markers' flags, where there is room. */
function drawDistance(surface: CanvasSurface, scale: TimeScale, a: number, b: number, theme: Theme): void {
  const from = Math.max(0, timeToX(scale, Math.min(a, b)));
  const to = Math.min(scale.widthPx, timeToX(scale, Math.max(a, b)));
  const text = `B−A ${differenceText(b - a, currentTimeUnit())}`;
  if (to - from < surface.measure(text, PILL) + 48) return;
  surface.line(from + 16, 7.5, to - 16, 7.5, { color: theme.muted, width: 1 });
  drawPill(surface, (from + to) / 2, 7, text, theme.muted, theme.panel, scale.widthPx);
}

const PILL = { color: '', sizePx: 11, weight: 600 as const };

/** Text on a filled box centred at a place, kept inside the time axis. */
function drawPill(
  surface: CanvasSurface,
  x: number,
  y: number,
  text: string,
  fill: string,
  ink: string,
  widthPx: number,
): void {
  const width = surface.measure(text, PILL) + 10;
  const left = Math.max(0, Math.min(x - width / 2, widthPx - width));
  surface.rect(left, y - 8, width, 16, { fill });
  surface.text(left + width / 2, y + 4, text, { ...PILL, color: ink, anchor: 'middle' });
}
