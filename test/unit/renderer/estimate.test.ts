import { describe, expect, it } from 'vitest';
import { addPreview, moveOrigin, originShift } from '../../../renderer/state/estimate.ts';
import { moveSelection } from '../../../renderer/state/selection.ts';
import { selectionStore, viewportStore } from '../../../renderer/state/stores.ts';
import { hasMoved, moveViewport, resetViewport, showRange } from '../../../renderer/state/viewport.ts';
import type { OpenPreview } from '../../../shared/api.ts';

const preview = (originNs: string, durationNs: number, ...lanes: [stream: string, cpu: number][]): OpenPreview => ({
  originNs,
  durationNs,
  lanes: lanes.map(([stream, cpu]) => ({ stream, cpu, bytes: new Float64Array([100, 0, 300, 0]) })),
});

describe('the estimate of what is being opened', () => {
  it('is the preview of one recording', () => {
    const estimate = addPreview(null, preview('5000', 400, ['', 0], ['', 1], ['guest', 0]));
    expect(estimate).toMatchObject({ originNs: '5000', durationNs: 400 });
    expect(estimate.lanes.map(({ stream, streamName, cpu }) => [stream, streamName, cpu])).toEqual([
      [0, '', 0],
      [0, '', 1],
      [1, 'guest', 0],
    ]);
    expect(estimate.lanes[0]).toMatchObject({ fromNs: 0, bucketNs: 100 });
  });

  it('puts a second recording on the same axis, whichever began first', () => {
    const later = addPreview(addPreview(null, preview('5000', 400, ['', 0])), preview('5300', 800, ['', 0]));
    expect(later).toMatchObject({ originNs: '5000', durationNs: 1100 });
    expect(later.lanes.map(({ stream, fromNs, bucketNs }) => [stream, fromNs, bucketNs])).toEqual([
      [0, 0, 100],
      [1, 300, 200],
    ]);
    const earlier = addPreview(addPreview(null, preview('5000', 400, ['', 0])), preview('4900', 100, ['', 0]));
    expect(earlier).toMatchObject({ originNs: '4900', durationNs: 500 });
    expect(earlier.lanes.map(({ stream, fromNs }) => [stream, fromNs])).toEqual([
      [0, 100],
      [1, 0],
    ]);
  });

  it('counts from another origin exactly, also where absolute times are larger than doubles hold', () => {
    expect(originShift('9223372036854775807', '9223372036854775800')).toBe(7);
    const moved = moveOrigin(addPreview(null, preview('1700000000000000123', 400, ['', 0])), '1700000000000000100');
    expect(moved.lanes[0].fromNs).toBe(23);
    expect(moved.durationNs).toBe(423);
  });
});

describe('what is seen and selected when the axis of the index replaces that of the estimate', () => {
  it('stays where it is in the trace', () => {
    resetViewport(1_000_000);
    expect(hasMoved()).toBe(false);
    showRange({ fromNs: 1000, toNs: 2000 });
    showRange({ fromNs: 4000, toNs: 5000 });
    expect(hasMoved()).toBe(true);
    moveViewport(-250, 2_000_000);
    expect(viewportStore.getState()).toMatchObject({
      fromNs: 3750,
      toNs: 4750,
      bounds: { fromNs: 0, toNs: 2_000_000 },
    });
    expect(viewportStore.getState().history.at(-1)).toEqual({ fromNs: 750, toNs: 1750 });
  });

  it('is cut to data that turned out shorter', () => {
    resetViewport(1_000_000);
    showRange({ fromNs: 500_000, toNs: 900_000 });
    moveViewport(0, 600_000);
    expect(viewportStore.getState().toNs).toBeLessThanOrEqual(612_000);
    expect(viewportStore.getState().toNs - viewportStore.getState().fromNs).toBeCloseTo(400_000);
  });

  it('moves markers and range, and leaves unset ones unset', () => {
    selectionStore.setState({ markerA: 100, markerB: null, range: { fromNs: 10, toNs: 20 } });
    moveSelection(5);
    expect(selectionStore.getState()).toMatchObject({ markerA: 105, markerB: null, range: { fromNs: 15, toNs: 25 } });
    selectionStore.setState({ markerA: null, range: null });
  });
});
