import { createStore } from 'zustand/vanilla';
import type { TimeScale } from '../../shared/draw/ruler.ts';
import type { TimeRange } from '../../shared/time.ts';
import { viewportStore } from '../state/stores.ts';
import { currentTimeUnit } from '../ui/use-time-unit.ts';

/**
 * The time axis that ruler, lanes and plots share: headers and value axes lie in a gutter of this width, time starts
 * right of it. Everything that draws or points takes its scale from here, so that one time is one x everywhere.
 */
export const GUTTER_PX = 184;
/** Right part of the gutter that a plot's value axis takes. */
export const AXIS_PX = 62;
/** Free space right of the time axis, and what a second value axis takes instead. */
const RIGHT_PX = 12;

export interface Geometry {
  /** Width of the timeline's content, gutter included, vertical scroll bar excluded. */
  contentPx: number;
  /** True while a plot has a right axis. */
  rightAxis: boolean;
}
export const geometryStore = createStore<Geometry>(() => ({ contentPx: 0, rightAxis: false }));

export const rightPx = (geometry: Geometry): number => (geometry.rightAxis ? AXIS_PX : RIGHT_PX);

/** Width of the time axis. */
export const timeWidthPx = (geometry: Geometry): number =>
  Math.max(0, geometry.contentPx - GUTTER_PX - rightPx(geometry));

/** The visible window on the time axis; x counts from the end of the gutter. */
export function currentScale(x = 0): TimeScale {
  const { fromNs, toNs } = viewportStore.getState();
  return { ...scaleFor({ fromNs, toNs }, timeWidthPx(geometryStore.getState()), x), unit: currentTimeUnit() };
}

export const scaleFor = (view: TimeRange, widthPx: number, x = 0): TimeScale => ({
  fromNs: view.fromNs,
  toNs: view.toNs,
  x,
  widthPx,
});
