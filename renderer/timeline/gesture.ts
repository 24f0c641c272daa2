import type { TimeScale } from '../../shared/draw/ruler.ts';
import { xToTime } from '../../shared/draw/ruler.ts';
import type { TimeRange } from '../../shared/time.ts';

/** What a drag does. The settled habits: drag zooms, Shift+drag selects, Space+drag and middle drag pan. */
export type DragKind = 'zoom' | 'select' | 'pan';

/** Movement below this is a click. */
export const DRAG_THRESHOLD_PX = 4;

export interface Press {
  button: number;
  shift: boolean;
  space: boolean;
}

/** Null: this button starts no drag. */
export function dragKind({ button, shift, space }: Press): DragKind | null {
  if (button === 1) return 'pan';
  if (button !== 0) return null;
  if (space) return 'pan';
  return shift ? 'select' : 'zoom';
}

/** Times between two x positions in either order, cut to the scale. */
export function rangeBetween(scale: TimeScale, x1: number, x2: number): TimeRange {
  const cut = (x: number): number => Math.min(Math.max(x, scale.x), scale.x + scale.widthPx);
  const [left, right] = x1 < x2 ? [x1, x2] : [x2, x1];
  return { fromNs: xToTime(scale, cut(left)), toNs: xToTime(scale, cut(right)) };
}

/** The view that a pan shows: `start` moved by `dx` px to the right means earlier times come in. */
export function pannedBy(start: TimeRange, dx: number, widthPx: number): TimeRange {
  const shift = (-dx / widthPx) * (start.toNs - start.fromNs);
  return { fromNs: start.fromNs + shift, toNs: start.toNs + shift };
}

/** What the wheel was asked to do. Lengths in px or zoom factor (below 1 zooms in). */
export type WheelAction =
  | { kind: 'zoom'; factor: number }
  | { kind: 'pan'; px: number }
  | { kind: 'scroll'; px: number };

export interface WheelTurn {
  deltaX: number;
  deltaY: number;
  /** `WheelEvent.deltaMode`: 0 pixels, 1 lines, 2 pages. */
  deltaMode: number;
  /** Ctrl or Cmd; a pinch on a touchpad sets it too. */
  chord: boolean;
  shift: boolean;
}

const LINE_PX = 33;
const PAGE_PX = 400;
const ZOOM_PER_PX = 0.0022;

/**
 * Wheel scrolls, Ctrl+wheel zooms; with `wheelZooms` the other way round. Shift+wheel and sideways turns pan. One turn
 * zooms by at most 2, so that a coarse wheel is no catapult.
 */
export function wheelAction(turn: WheelTurn, wheelZooms: boolean): WheelAction {
  const unit = [1, LINE_PX, PAGE_PX][turn.deltaMode] ?? 1;
  const x = turn.deltaX * unit;
  const y = turn.deltaY * unit;
  if (turn.shift) return { kind: 'pan', px: Math.abs(x) > Math.abs(y) ? x : y };
  if (Math.abs(x) > Math.abs(y)) return { kind: 'pan', px: x };
  if (turn.chord !== wheelZooms) return { kind: 'zoom', factor: Math.min(2, Math.max(0.5, Math.exp(y * ZOOM_PER_PX))) };
  return { kind: 'scroll', px: y };
}
