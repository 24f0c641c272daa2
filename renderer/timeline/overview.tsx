import { type PointerEvent, useMemo, useRef } from 'react';
import { useStore } from 'zustand';
import { drawNoteBands } from '../../shared/draw/notes.ts';
import { timeToX, xToTime } from '../../shared/draw/ruler.ts';
import type { Theme } from '../../shared/draw/theme.ts';
import { annotationsStore, selectionStore, viewportStore, workspaceStore } from '../state/stores.ts';
import { themeStore } from '../state/theme.ts';
import { showRange } from '../state/viewport.ts';
import { Canvas } from './canvas.tsx';
import type { CanvasSurface } from './canvas-surface.ts';
import { overviewOfEstimate } from './estimate.ts';
import { geometryStore, scaleFor, timeWidthPx } from './geometry.ts';
import { type Overview, useOverview } from './overview-data.ts';

export const OVERVIEW_PX = 26;
const watch = [viewportStore, geometryStore, annotationsStore, selectionStore];
/** The visible part is never drawn narrower than this. */
const MIN_WINDOW_PX = 3;

/** The whole recording in a strip, with the visible part marked: it is moved by dragging, or to where one clicks. */
export function OverviewStrip() {
  const summary = useStore(workspaceStore, (state) => state.summary);
  const widthPx = useStore(geometryStore, timeWidthPx);
  const theme = useStore(themeStore, (state) => state.theme);
  const estimate = useStore(workspaceStore, (state) => state.estimate);
  const estimated = useMemo(() => estimate && overviewOfEstimate(estimate.lanes, estimate.durationNs), [estimate]);
  // A flight recorder gives up what is oldest.
  const startNs = Math.max(0, Math.min(...(summary?.streams.map((stream) => stream.fromNs) ?? [0])));
  const loaded = useOverview(summary?.workspaceId ?? '', startNs, summary?.durationNs ?? 0, widthPx);
  const overview = loaded ?? estimated;
  /** Time from the start of the view to where it is held. */
  const held = useRef<number | null>(null);

  const timeAt = (event: PointerEvent<HTMLElement>): number =>
    xToTime(wholeScale(widthPx), event.clientX - event.currentTarget.getBoundingClientRect().left);
  const move = (event: PointerEvent<HTMLElement>) => {
    if (held.current === null) return;
    const { fromNs, toNs } = viewportStore.getState();
    const start = timeAt(event) - held.current;
    showRange({ fromNs: start, toNs: start + toNs - fromNs }, { gesture: true });
  };
  const down = (event: PointerEvent<HTMLElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const { fromNs, toNs } = viewportStore.getState();
    const at = timeAt(event);
    held.current = at >= fromNs && at <= toNs ? at - fromNs : (toNs - fromNs) / 2;
    move(event);
  };
  const up = () => {
    held.current = null;
  };
  return (
    <div className="overview" style={{ height: OVERVIEW_PX }} data-control>
      <div className="overview-title">{summary?.partial ? 'Indexed part' : 'Whole recording'}</div>
      <div className="overview-area" onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerCancel={up}>
        <Canvas
          widthPx={widthPx}
          heightPx={OVERVIEW_PX}
          watch={watch}
          paint={(surface) => paintOverview(surface, overview, theme)}
          label="Overview of the whole recording"
        />
      </div>
    </div>
  );
}

function wholeScale(widthPx: number) {
  return scaleFor(viewportStore.getState().bounds, widthPx);
}

function paintOverview(surface: CanvasSurface, overview: Overview | null, theme: Theme): void {
  const { widthPx: width, heightPx: height } = surface;
  const scale = wholeScale(width);
  if (!(scale.toNs > scale.fromNs)) return;
  if (overview) {
    const step = timeToX(scale, overview.resolutionNs) - timeToX(scale, 0);
    for (let i = 0; i < overview.levels.length; i++) {
      const level = overview.levels[i] * (height - 6);
      if (level > 0)
        surface.rect(
          timeToX(scale, overview.fromNs + i * overview.resolutionNs),
          height - 2 - level,
          Math.max(1, step),
          level,
          {
            fill: theme.density,
            fillOpacity: 0.55,
          },
        );
    }
  }
  drawNoteBands(surface, { x: 0, y: 0, width, height }, scale, annotationsStore.getState().annotations, theme);
  const { fromNs, toNs } = viewportStore.getState();
  const from = Math.max(0, timeToX(scale, fromNs));
  const to = Math.min(width, Math.max(timeToX(scale, toNs), from + MIN_WINDOW_PX));
  const shade = { fill: theme.background, fillOpacity: 0.65 };
  surface.rect(0, 0, from, height, shade);
  surface.rect(to, 0, width - to, height, shade);
  surface.rect(from, 1, to - from, height - 2, {
    fill: theme.accent,
    fillOpacity: 0.08,
    stroke: { color: theme.accent, width: 1 },
  });
  const { markerA, markerB, eventTimeNs } = selectionStore.getState();
  const marks: [number | null, string][] = [
    [markerA, theme.markerA],
    [markerB, theme.markerB],
    [eventTimeNs, theme.accent],
  ];
  for (const [ns, color] of marks)
    if (ns !== null) surface.rect(Math.round(timeToX(scale, ns)) - 1, 0, 2, height, { fill: color });
}
