import { describe, expect, it } from 'vitest';
import type { EstimatedLane } from '../../../renderer/state/estimate.ts';
import { drawEstimate, overviewOfEstimate } from '../../../renderer/timeline/estimate.ts';
import { layoutEstimate } from '../../../renderer/timeline/layout.ts';
import { themes } from '../../../shared/draw/theme.ts';
import { RecordingSurface } from '../draw-lanes/recording-surface.ts';

const area = { x: 0, y: 10, width: 100, height: 30 };
const lane = (bytes: number[], fromNs = 0, part: Partial<EstimatedLane> = {}): EstimatedLane => ({
  stream: 0,
  streamName: '',
  cpu: 0,
  fromNs,
  bucketNs: 100,
  bytes: Float64Array.from(bytes),
  ...part,
});
function drawn(estimate: EstimatedLane, fromNs: number, toNs: number) {
  const surface = new RecordingSurface();
  drawEstimate(surface, area, { fromNs, toNs, x: 0, widthPx: 100 }, estimate, themes.light);
  return surface.of('rect');
}

describe('drawEstimate', () => {
  it('draws a bar per bucket that has data, where it is, standing on the floor of the lane', () => {
    const bars = drawn(lane([4000, 0, 400_000, 0]), 0, 400);
    expect(bars.map(({ x, width }) => [x, width])).toEqual([
      [0, 25],
      [50, 25],
    ]);
    for (const bar of bars) expect(bar.y + bar.height).toBe(40);
    expect(bars[1].height).toBe(30);
    expect(bars[0].height).toBeLessThan(30);
  });

  it('draws what is in view only, cut at its edges', () => {
    const bars = drawn(lane([4000, 4000, 4000, 4000], 1000), 1150, 1250);
    expect(bars.map(({ x, width }) => [x, width])).toEqual([
      [0, 50],
      [50, 50],
    ]);
    expect(drawn(lane([4000], 1000), 0, 900)).toEqual([]);
  });

  it('paints no px twice where a px holds many buckets', () => {
    const bars = drawn(lane(Array.from({ length: 50 }, () => 40)), 0, 50_000);
    for (let index = 1; index < bars.length; index++) {
      expect(bars[index].x).toBeGreaterThanOrEqual(bars[index - 1].x + bars[index - 1].width);
    }
    expect(bars.at(-1)?.x).toBeLessThanOrEqual(10);
  });
});

describe('the estimate in the window', () => {
  it('adds all lanes up for the overview', () => {
    const { levels, resolutionNs } = overviewOfEstimate([lane([0, 4000]), lane([0, 4000], 100)], 512);
    expect(resolutionNs).toBe(1);
    expect(levels[150]).toBeCloseTo(1);
    expect(levels[250]).toBeCloseTo(1);
    expect(levels[50]).toBe(0);
  });

  it('has a lane per CPU, named by stream where there are several', () => {
    const one = layoutEstimate({ originNs: '0', durationNs: 1, lanes: [lane([1]), lane([1], 0, { cpu: 3 })] });
    expect(one.flatMap(({ blocks }) => blocks.flatMap(({ rows }) => rows.map(({ label }) => label)))).toEqual([
      'CPU 0',
      'CPU 3',
    ]);
    const two = layoutEstimate({
      originNs: '0',
      durationNs: 1,
      lanes: [lane([1]), lane([1], 0, { stream: 1, streamName: 'guest' })],
    });
    expect(
      two.flatMap(({ blocks }) => blocks.flatMap(({ rows }) => rows.map(({ key, label }) => [key, label]))),
    ).toEqual([
      ['cpu 0 0', 'top · CPU 0'],
      ['cpu 1 0', 'guest · CPU 0'],
    ]);
  });
});
