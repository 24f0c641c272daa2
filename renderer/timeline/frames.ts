import { busy } from '../state/idle.ts';

/** One animation frame for all painters: each runs at most once per frame, however often it was asked for. */
const waiting = new Set<() => void>();
let frameDone: (() => void) | null = null;

/**
 * Runs `paint` in the next animation frame; in this one, where a frame is being painted and `paint` had no turn yet,
 * so that what moves the view and what draws it share a frame.
 */
export function paintSoon(paint: () => void): void {
  waiting.add(paint);
  if (!frameDone) requestFrame();
}

/** Takes a painter out, for one that goes away. */
export function forgetPaint(paint: () => void): void {
  waiting.delete(paint);
}

function requestFrame(): void {
  frameDone = busy();
  requestAnimationFrame(runFrame);
}

function runFrame(): void {
  const done = frameDone;
  const ran = new Set<() => void>();
  try {
    // A set's iteration meets what is added on the way, and what ran and was added again: that waits for the next frame.
    for (const paint of waiting) {
      if (ran.has(paint)) continue;
      waiting.delete(paint);
      ran.add(paint);
      paint();
    }
  } finally {
    frameDone = null;
    if (waiting.size > 0) requestFrame();
    done?.();
  }
}
