import type { TimeRange } from '../../shared/time.ts';
import { viewportStore } from './stores.ts';

/**
 * The visible window of time. Everything that moves it goes through here, so that its limits and the way back
 * (Alt+Left) hold everywhere.
 */

/** Zooming in stops here: ten nanoseconds across the window. */
const MIN_SPAN_NS = 10;
/** How far the view may leave the data, as a share of the data's length. */
const MARGIN = 0.02;
const HISTORY_LIMIT = 100;
/** Steps of one gesture (wheel turns, key repeats) closer than this are one entry of the history. */
const GESTURE_MS = 500;

let lastGestureMs = Number.NEGATIVE_INFINITY;

/** Shows all of a workspace of this length and forgets the way back. */
export function resetViewport(durationNs: number): void {
  const bounds = { fromNs: 0, toNs: Math.max(durationNs, MIN_SPAN_NS) };
  lastGestureMs = Number.NEGATIVE_INFINITY;
  viewportStore.setState({ ...withMargin(bounds), bounds, history: [], follow: false });
}

/** The data is from here to there by now. Whoever looks at what is not there any more is moved on. */
export function growBounds(fromNs: number, durationNs: number): void {
  const { fromNs: viewFromNs, toNs, follow, bounds: before } = viewportStore.getState();
  const bounds = { fromNs, toNs: Math.max(durationNs, fromNs + MIN_SPAN_NS) };
  const gone = fromNs > before.fromNs && !follow && viewFromNs < withMargin(bounds).fromNs;
  viewportStore.setState({ bounds, ...(gone ? limitRange({ fromNs: viewFromNs, toNs }, bounds) : {}) });
}

/** Moves the view to the end of the data and lets it stay there. */
export function startFollowing(spanNs: number): void {
  const { bounds } = viewportStore.getState();
  viewportStore.setState({ fromNs: bounds.toNs - spanNs, toNs: bounds.toNs, follow: true });
}

/** Moves the view so that it ends where the data ends. */
export function followEnd(): void {
  const { fromNs, toNs, bounds } = viewportStore.getState();
  if (toNs !== bounds.toNs) viewportStore.setState({ fromNs: bounds.toNs - (toNs - fromNs), toNs: bounds.toNs });
}

/** Whether anything but the whole has been looked at since. */
export const hasMoved = (): boolean => viewportStore.getState().history.length > 0;

/** Stays at what is seen while times come to count from another origin and the data to be this long. */
export function moveViewport(shiftNs: number, durationNs: number): void {
  const { fromNs, toNs, history } = viewportStore.getState();
  const bounds = { fromNs: 0, toNs: Math.max(durationNs, MIN_SPAN_NS) };
  const moved = (range: TimeRange): TimeRange =>
    limitRange({ fromNs: range.fromNs + shiftNs, toNs: range.toNs + shiftNs }, bounds);
  viewportStore.setState({ ...moved({ fromNs, toNs }), bounds, history: history.map(moved) });
}

function withMargin(range: TimeRange, share = MARGIN): TimeRange {
  const margin = (range.toNs - range.fromNs) * share;
  return { fromNs: range.fromNs - margin, toNs: range.toNs + margin };
}

/** `range` moved and shrunk until it fits the limits of `bounds`. Its length is kept where it can be. */
export function limitRange(range: TimeRange, bounds: TimeRange): TimeRange {
  const outer = withMargin(bounds);
  const outerSpan = outer.toNs - outer.fromNs;
  const span = Math.min(Math.max(range.toNs - range.fromNs, MIN_SPAN_NS), outerSpan);
  const centre = (range.fromNs + range.toNs) / 2;
  const fromNs = Math.min(Math.max(centre - span / 2, outer.fromNs), outer.toNs - span);
  return { fromNs, toNs: fromNs + span };
}

/**
 * Moves the view. `gesture` steps (wheel, held keys, drags) share one history entry while they follow each other
 * closely; everything else is an entry of its own.
 */
export function showRange(range: TimeRange, { gesture = false, nowMs = performance.now() } = {}): void {
  const { fromNs, toNs, bounds, history, follow } = viewportStore.getState();
  const next = limitRange(range, bounds);
  if (next.fromNs === fromNs && next.toNs === toNs) return;
  const continues = gesture && nowMs - lastGestureMs < GESTURE_MS;
  lastGestureMs = gesture ? nowMs : Number.NEGATIVE_INFINITY;
  viewportStore.setState({
    ...next,
    // Who looks at something earlier wants it to hold still.
    follow: follow && next.toNs >= bounds.toNs,
    history: continues ? history : [...history, { fromNs, toNs }].slice(-HISTORY_LIMIT),
  });
}

export function showAll(): void {
  showRange(withMargin(viewportStore.getState().bounds));
}

/** Shows a range with a little air around it; a point in time gets a thousandth of the data around it. */
export function zoomToRange(range: TimeRange): void {
  const { bounds } = viewportStore.getState();
  const span = range.toNs - range.fromNs;
  const air = span > 0 ? span * 0.1 : (bounds.toNs - bounds.fromNs) / 2000;
  showRange({ fromNs: range.fromNs - air, toNs: range.toNs + air });
}

/** `factor` below 1 zooms in, above 1 out; `atNs` stays where it is on screen. */
export function zoomBy(factor: number, atNs: number): void {
  const { fromNs, toNs, follow } = viewportStore.getState();
  // Where the view moves along, nothing under the pointer holds still: the end does.
  const still = follow ? toNs : atNs;
  showRange({ fromNs: still - (still - fromNs) * factor, toNs: still + (toNs - still) * factor }, { gesture: true });
}

/** Moves the view by a share of its own width; positive is later. */
export function panBy(share: number): void {
  const { fromNs, toNs } = viewportStore.getState();
  const step = (toNs - fromNs) * share;
  showRange({ fromNs: fromNs + step, toNs: toNs + step }, { gesture: true });
}

/** Moves the view so that a time is in its middle, unless it is on screen already. */
export function revealTime(timeNs: number): void {
  const { fromNs, toNs } = viewportStore.getState();
  if (timeNs >= fromNs && timeNs <= toNs) return;
  const half = (toNs - fromNs) / 2;
  showRange({ fromNs: timeNs - half, toNs: timeNs + half });
}

/** Back to the view before the last change. */
export function previousView(): void {
  const { history } = viewportStore.getState();
  const last = history.at(-1);
  if (!last) return;
  lastGestureMs = Number.NEGATIVE_INFINITY;
  viewportStore.setState({ ...last, history: history.slice(0, -1), follow: false });
}
