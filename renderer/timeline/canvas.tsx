import { useEffect, useLayoutEffect, useRef } from 'react';
import { themeStore } from '../state/theme.ts';
import { type CanvasSurface, fitCanvas } from './canvas-surface.ts';
import { forgetPaint, paintSoon } from './frames.ts';

/** What a canvas needs of a store: to hear of changes. */
export interface Watchable {
  subscribe(listener: () => void): () => void;
}

interface CanvasProps {
  widthPx: number;
  heightPx: number;
  /** Draws everything; called in an animation frame with a cleared surface in CSS px. */
  paint: (surface: CanvasSurface) => void;
  /** Stores whose changes ask for a new frame; the theme always does. Must be the same array in every render. */
  watch: readonly Watchable[];
  /** Accessible name; a canvas without one is decoration. */
  label?: string;
  className?: string;
  /** It is drawn of thousands of narrow rectangles. Must not change. */
  dense?: boolean;
}

/** A canvas that draws itself on animation frames, and only while it is on screen. */
export function Canvas({ widthPx, heightPx, paint, watch, label, className, dense = false }: CanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef({ paint, widthPx, heightPx });
  const visible = useRef(true);
  const repaint = useRef<(() => void) | null>(null);

  // After every render: a new closure may draw something else.
  useLayoutEffect(() => {
    latest.current = { paint, widthPx, heightPx };
    repaint.current?.();
  });

  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const draw = () => {
      const { paint, widthPx, heightPx } = latest.current;
      if (!visible.current || widthPx <= 0 || heightPx <= 0) return;
      const surface = fitCanvas(element, widthPx, heightPx, dense);
      if (!surface) return;
      paint(surface);
      surface.finish();
    };
    const ask = () => paintSoon(draw);
    repaint.current = ask;
    const stops = [...watch, themeStore].map((store) => store.subscribe(ask));
    const observer = new IntersectionObserver(([entry]) => {
      visible.current = entry.isIntersecting;
      if (entry.isIntersecting) ask();
    });
    observer.observe(element);
    window.addEventListener('resize', ask); // also fires when the device pixel ratio changes
    ask();
    return () => {
      for (const stop of stops) stop();
      observer.disconnect();
      window.removeEventListener('resize', ask);
      forgetPaint(draw);
      repaint.current = null;
    };
  }, [watch, dense]);

  const named = label ? { role: 'img', 'aria-label': label } : { 'aria-hidden': true };
  return <canvas ref={canvas} className={className} style={{ width: widthPx, height: heightPx }} {...named} />;
}
