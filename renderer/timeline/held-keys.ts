import { selectionStore, viewportStore } from '../state/stores.ts';
import { panBy, zoomBy } from '../state/viewport.ts';
import { forgetPaint, paintSoon } from './frames.ts';

/**
 * W, S, A and D by position move the view smoothly while they are held; a tap moves it by one step. The same commands
 * in the palette jump by a step. Rates per second: zoom in natural logarithms, pan in windows.
 */
const ZOOM_RATE = 2.2;
const PAN_RATE = 1;
/** A tap acts for this long, however short it was. */
const TAP_MS = 160;

const keys: Record<string, { zoom?: number; pan?: number }> = {
  KeyW: { zoom: -1 },
  KeyS: { zoom: 1 },
  KeyA: { pan: -1 },
  KeyD: { pan: 1 },
};

/** How far the keys that acted from `fromMs` to `toMs` move the view. */
export function movement(active: Iterable<string>, elapsedMs: number): { zoomFactor: number; panShare: number } {
  let zoom = 0;
  let pan = 0;
  for (const code of active) {
    zoom += keys[code]?.zoom ?? 0;
    pan += keys[code]?.pan ?? 0;
  }
  const seconds = elapsedMs / 1000;
  return { zoomFactor: Math.exp(zoom * ZOOM_RATE * seconds), panShare: pan * PAN_RATE * seconds };
}

const ELSEWHERE = 'input, textarea, select, [contenteditable=true], dialog, [role=dialog], [role=menu]';

/** Listens on the window until the returned function is called. */
export function attachHeldKeys(): () => void {
  const aborted = new AbortController();
  const { signal } = aborted;
  /** Pressed keys: since when, and whether they are still down. */
  const pressed = new Map<string, { sinceMs: number; down: boolean }>();
  let lastMs = 0;

  function step(): void {
    const nowMs = performance.now();
    const { zoomFactor, panShare } = movement(pressed.keys(), Math.min(100, nowMs - lastMs));
    lastMs = nowMs;
    if (panShare !== 0) panBy(panShare);
    if (zoomFactor !== 1) zoomBy(zoomFactor, anchorNs());
    for (const [code, key] of pressed) if (!key.down && nowMs - key.sinceMs >= TAP_MS) pressed.delete(code);
    if (pressed.size > 0) paintSoon(step);
  }

  function press(event: KeyboardEvent): void {
    if (!(event.code in keys) || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.isComposing)
      return;
    if (event.target instanceof Element && event.target.closest(ELSEWHERE)) return;
    event.preventDefault();
    if (event.repeat) return;
    const nowMs = performance.now();
    if (pressed.size === 0) lastMs = nowMs;
    pressed.set(event.code, { sinceMs: nowMs, down: true });
    paintSoon(step);
  }

  function release(event: KeyboardEvent): void {
    const key = pressed.get(event.code);
    if (key) key.down = false;
  }

  window.addEventListener('keydown', press, { signal, capture: true });
  window.addEventListener('keyup', release, { signal, capture: true });
  // Keys released while another window has the focus are never heard of.
  window.addEventListener('blur', () => pressed.clear(), { signal });
  return () => {
    aborted.abort();
    pressed.clear();
    forgetPaint(step);
  };
}

/** Zoom holds still under the pointer, else at the selected event if it is visible, else in the middle. */
function anchorNs(): number {
  const { fromNs, toNs } = viewportStore.getState();
  const { hoverNs, eventTimeNs } = selectionStore.getState();
  for (const ns of [hoverNs, eventTimeNs]) if (ns !== null && ns >= fromNs && ns <= toNs) return ns;
  return (fromNs + toNs) / 2;
}
