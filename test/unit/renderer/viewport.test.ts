import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { viewportStore } from '../../../renderer/state/stores.ts';
import {
  followEnd,
  growBounds,
  limitRange,
  panBy,
  previousView,
  resetViewport,
  revealTime,
  showRange,
  startFollowing,
  zoomBy,
  zoomToRange,
} from '../../../renderer/state/viewport.ts';

const view = () => {
  const { fromNs, toNs } = viewportStore.getState();
  return { fromNs, toNs };
};

beforeEach(() => resetViewport(1_000_000));

describe('viewport', () => {
  it('stays inside the data and its margin, and is never empty', () => {
    const time = fc.double({ min: -1e15, max: 1e15, noNaN: true });
    fc.assert(
      fc.property(time, time, (a, b) => {
        const bounds = { fromNs: 0, toNs: 1_000_000 };
        const { fromNs, toNs } = limitRange({ fromNs: a, toNs: b }, bounds);
        expect(toNs - fromNs).toBeGreaterThan(9);
        expect(fromNs).toBeGreaterThanOrEqual(-20_000.01);
        expect(toNs).toBeLessThanOrEqual(1_020_000.01);
      }),
    );
  });

  it('zooms at a time that stays where it is on screen', () => {
    showRange({ fromNs: 0, toNs: 100_000 });
    zoomBy(0.5, 25_000);
    expect(view()).toEqual({ fromNs: 12_500, toNs: 62_500 });
  });

  it('keeps its length when it is panned against an end', () => {
    showRange({ fromNs: 900_000, toNs: 1_000_000 });
    panBy(5);
    expect(view()).toEqual({ fromNs: 920_000, toNs: 1_020_000 });
  });

  it('goes back view by view', () => {
    const all = view();
    zoomToRange({ fromNs: 1000, toNs: 2000 });
    const first = view();
    zoomToRange({ fromNs: 1100, toNs: 1200 });
    previousView();
    expect(view()).toEqual(first);
    previousView();
    expect(view()).toEqual(all);
    previousView();
    expect(view()).toEqual(all);
  });

  it('goes back over a whole gesture at once', () => {
    const all = view();
    for (let step = 0; step < 20; step++)
      showRange({ fromNs: step * 100, toNs: 500_000 }, { gesture: true, nowMs: step * 16 });
    expect(viewportStore.getState().history).toHaveLength(1);
    // A pause ends the gesture.
    showRange({ fromNs: 0, toNs: 1000 }, { gesture: true, nowMs: 5000 });
    expect(viewportStore.getState().history).toHaveLength(2);
    previousView();
    previousView();
    expect(view()).toEqual(all);
  });

  it('moves to a time that is off screen only', () => {
    showRange({ fromNs: 0, toNs: 100_000 });
    revealTime(90_000);
    expect(view()).toEqual({ fromNs: 0, toNs: 100_000 });
    revealTime(500_000);
    expect(view()).toEqual({ fromNs: 450_000, toNs: 550_000 });
  });

  it('follows the end of data that grows, until somebody looks back', () => {
    startFollowing(100_000);
    growBounds(0, 1_500_000);
    followEnd();
    expect(view()).toEqual({ fromNs: 1_400_000, toNs: 1_500_000 });
    // While it follows, the end is what holds still.
    zoomBy(0.5, 1_420_000);
    expect(view()).toEqual({ fromNs: 1_450_000, toNs: 1_500_000 });
    expect(viewportStore.getState().follow).toBe(true);
    panBy(-0.5);
    expect(viewportStore.getState().follow).toBe(false);
    growBounds(0, 2_000_000);
    expect(view()).toEqual({ fromNs: 1_425_000, toNs: 1_475_000 });
  });
});
