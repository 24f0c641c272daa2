import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef } from 'react';
import { useStore } from 'zustand';
import { lineKey, type PlotLine, plotLines, plotTitle } from '../../shared/draw/plot-lines.ts';
import { annotationsStore, type PlotPanel, viewportStore, workspaceStore } from '../state/stores.ts';
import { themeStore } from '../state/theme.ts';
import { forgetPaint, paintSoon } from '../timeline/frames.ts';
import { AXIS_PX, currentScale, GUTTER_PX, geometryStore, rightPx, timeWidthPx } from '../timeline/geometry.ts';
import { setPointTarget } from '../timeline/pointing.ts';
import { changePlot } from './actions.ts';
import { PlotControls } from './plot-controls.tsx';
import { usePlotData, withLooks } from './plot-data.ts';
import { PlotLegend } from './plot-legend.tsx';
import { plotTarget } from './plot-target.ts';
import { type PlotFrame, PlotView } from './plot-view.ts';

const DEFAULT_PX = 168;
const MIN_PX = 96;
const MAX_PX = 900;

/** One plot: settings in the gutter, legend above, the uPlot canvas on the timeline's own axis. */
export function PlotPanelView({ plot }: { plot: PlotPanel }) {
  const summary = useStore(workspaceStore, (state) => state.summary);
  const theme = useStore(themeStore, (state) => state.theme);
  const store = usePlotData(plot.spec.series);
  const { results, errors } = useStore(store);
  const hidden = useMemo(() => new Set(plot.spec.hidden), [plot.spec.hidden]);
  const all = useMemo(
    () => plotLines(withLooks(results ?? [], plot.spec.series), theme),
    [results, plot.spec.series, theme],
  );
  const shown = useMemo(() => all.filter((line) => !hidden.has(lineKey(line))), [all, hidden]);
  const heightPx = plot.spec.heightPx ?? DEFAULT_PX;

  const toggle = (line: PlotLine) => {
    const next = new Set(hidden);
    if (!next.delete(lineKey(line))) next.add(lineKey(line));
    changePlot(plot, { hidden: next.size === 0 ? undefined : [...next] });
  };
  if (!summary) return null;
  return (
    <section className="plot" aria-label={`Plot ${plotTitle(plot.spec.title, plot.spec.series)}`}>
      <PlotControls plot={plot} summary={summary} />
      <div className="plot-body">
        <UnitLabel lines={all} side="left" />
        <UnitLabel lines={all} side="right" />
        <PlotLegend lines={all} hidden={hidden} onToggle={toggle} />
        <PlotCanvas lines={shown} scaleKind={plot.spec.scale} heightPx={heightPx} />
        <PlotState loading={results === null} empty={all.length === 0} errors={errors} />
        <PlotNotes results={results ?? []} />
      </div>
      <HeightHandle plot={plot} heightPx={heightPx} />
    </section>
  );
}

/** The uPlot canvas. It follows view and geometry by subscription; React gives it lines and size. */
function PlotCanvas({
  lines,
  scaleKind,
  heightPx,
}: {
  lines: readonly PlotLine[];
  scaleKind: PlotFrame['scaleKind'];
  heightPx: number;
}) {
  const host = useRef<HTMLDivElement>(null);
  const given = useRef({ lines, scaleKind, heightPx });
  const repaint = useRef<(() => void) | null>(null);

  useEffect(() => {
    given.current = { lines, scaleKind, heightPx };
    repaint.current?.();
  }, [lines, scaleKind, heightPx]);

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    let view: PlotView | null = null;
    let visible = true;
    const draw = () => {
      const geometry = geometryStore.getState();
      if (!visible || timeWidthPx(geometry) <= 0) return;
      const frame: PlotFrame = {
        ...given.current,
        scale: currentScale(),
        rightPx: rightPx(geometry),
        theme: themeStore.getState().theme,
        annotations: annotationsStore.getState().annotations,
      };
      if (view) view.draw(frame);
      else view = new PlotView(element, frame);
    };
    const ask = () => paintSoon(draw);
    repaint.current = ask;
    const stops = [viewportStore, geometryStore, themeStore, annotationsStore].map((store) => store.subscribe(ask));
    const observer = new IntersectionObserver(([entry]) => {
      visible = entry.isIntersecting;
      if (visible) ask();
    });
    observer.observe(element);
    setPointTarget(
      element,
      plotTarget(() => view),
    );
    ask();
    return () => {
      for (const stop of stops) stop();
      observer.disconnect();
      forgetPaint(draw);
      repaint.current = null;
      view?.destroy();
    };
  }, []);

  return (
    <div ref={host} className="plot-canvas" data-point-target style={{ height: heightPx, marginLeft: -AXIS_PX }} />
  );
}

function PlotState({
  loading,
  empty,
  errors,
}: {
  loading: boolean;
  empty: boolean;
  errors: { expr: string; message: string }[];
}) {
  if (errors.length > 0) {
    return (
      <div className="plot-state" role="alert">
        {errors.map(({ expr, message }) => (
          <p key={expr}>
            {expr && <code>{expr}</code>} {message}
          </p>
        ))}
      </div>
    );
  }
  if (loading) return <p className="plot-state muted">Loading…</p>;
  return empty ? <p className="plot-state muted">No samples in this recording.</p> : null;
}

/** Units of an axis, above it. */
function UnitLabel({ lines, side }: { lines: readonly PlotLine[]; side: 'left' | 'right' }) {
  const units = [...new Set(lines.filter((line) => line.spec.axis === side && line.unit).map((line) => line.unit))];
  return (
    units.length > 0 && (
      <span className={side === 'left' ? 'plot-unit' : 'plot-unit plot-unit-right'}>{units.join(', ')}</span>
    )
  );
}

/** What is not drawn, in words: nothing is dropped silently. */
function PlotNotes({ results }: { results: readonly { moreGroups: number; outliers: number }[] }) {
  const moreGroups = Math.max(0, ...results.map((result) => result.moreGroups));
  const outliers = results.reduce((sum, result) => sum + result.outliers, 0);
  if (moreGroups === 0 && outliers === 0) return null;
  return (
    <p className="plot-notes">
      {moreGroups > 0 && <span>{moreGroups} more groups not drawn</span>}
      {outliers > 0 && <span>{outliers} impossible values left out (counter underflow)</span>}
    </p>
  );
}

/** Lower edge of a plot, dragged or moved with the arrow keys. */
function HeightHandle({ plot, heightPx }: { plot: PlotPanel; heightPx: number }) {
  const start = useRef<{ y: number; heightPx: number } | null>(null);
  const resize = (px: number) => changePlot(plot, { heightPx: Math.round(Math.min(MAX_PX, Math.max(MIN_PX, px))) });
  const down = (event: PointerEvent<HTMLElement>) => {
    event.preventDefault();
    event.stopPropagation();
    event.currentTarget.setPointerCapture(event.pointerId);
    start.current = { y: event.clientY, heightPx };
  };
  const move = (event: PointerEvent<HTMLElement>) => {
    if (start.current) resize(start.current.heightPx + event.clientY - start.current.y);
  };
  const key = (event: KeyboardEvent) => {
    const step = { ArrowDown: 16, ArrowUp: -16 }[event.key];
    if (!step) return;
    event.preventDefault();
    resize(heightPx + step);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: an <hr> takes no keys
    <div
      role="separator"
      className="plot-handle"
      aria-orientation="horizontal"
      aria-label="Height of the plot"
      aria-valuenow={heightPx}
      aria-valuemin={MIN_PX}
      aria-valuemax={MAX_PX}
      tabIndex={0}
      style={{ left: GUTTER_PX }}
      data-control
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={() => (start.current = null)}
      onKeyDown={key}
    />
  );
}
