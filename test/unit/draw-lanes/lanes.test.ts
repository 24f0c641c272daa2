import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CpuLane } from '../../../shared/api.ts';
import { identityColor } from '../../../shared/colors.ts';
import { drawCpuLane, type LaneData, taskKey } from '../../../shared/draw/lanes.ts';
import { themes } from '../../../shared/draw/theme.ts';
import { RecordingSurface } from './recording-surface.ts';

const theme = themes.light;
const scale = { fromNs: 0, toNs: 1000, x: 0, widthPx: 1000 }; // 1 ns is 1 px
const area = { x: 0, y: 0, width: 1000, height: 28 };
const data: LaneData = { fromNs: 0, resolutionNs: 10, comms: { 7: 'dd', 8: 'kworker/u16:3' } };

function lane(
  slices: [from: number, to: number, pid: number, busy?: number][] | null,
  density: number[] = [],
  lost: CpuLane['lost'] = [],
): CpuLane {
  return {
    stream: 0,
    cpu: 0,
    slices: slices && {
      fromNs: Float64Array.from(slices, ([from]) => from),
      toNs: Float64Array.from(slices, ([, to]) => to),
      pid: Int32Array.from(slices, ([, , pid]) => pid),
      merged: Uint8Array.from(slices, ([, , , busy]) => (busy === undefined ? 0 : 1)),
      busy: Float32Array.from(slices, ([, , , busy]) => busy ?? 1),
    },
    density: Uint32Array.from(density),
    lost,
  };
}

function draw(what: CpuLane, at = scale): RecordingSurface {
  const surface = new RecordingSurface();
  drawCpuLane(surface, area, at, what, data, theme);
  return surface;
}
const colorOf = (comm: string, pid: number) => identityColor(taskKey(comm, pid), theme);

describe('slices', () => {
  it('lie where their times are, in the colour of their task', () => {
    const rects = draw(
      lane([
        [100, 300, 7],
        [300, 302, 8],
      ]),
    ).of('rect');
    expect(rects[0]).toMatchObject({ x: 100, paint: { fill: colorOf('dd', 7) } });
    expect(rects[0].width).toBeCloseTo(199.5);
    expect(rects[1]).toMatchObject({ x: 300, width: 2, paint: { fill: colorOf('kworker/u16:3', 8) } });
    expect(colorOf('dd', 7)).not.toBe(colorOf('dd', 8));
  });

  it('are labelled with pid where that fits, by name where not, cut where even that does not, else not at all', () => {
    const wide = RecordingSurface.LETTER_PX * 'kworker/u16:3 8'.length + 8;
    expect(draw(lane([[0, wide, 8]])).texts).toEqual(['kworker/u16:3 8']);
    expect(draw(lane([[0, wide - 1, 8]])).texts).toEqual(['kworker/u16:3']);
    expect(draw(lane([[0, 50, 8]])).texts).toEqual(['kworke…']);
    expect(draw(lane([[0, 20, 8]])).texts).toEqual([]);
    expect(draw(lane([[0, 200, 99]])).texts).toEqual(['pid 99 99']);
  });

  it('keep their label in view when they begin before it', () => {
    const [text] = draw(lane([[-5000, 500, 7]])).of('text');
    expect(text.x).toBeGreaterThanOrEqual(0);
    expect(text.x).toBeLessThan(20);
  });

  it('that are merged are as high as their bucket was busy, and have no label', () => {
    const surface = draw(lane([[0, 100, 7, 0.5]]));
    const [bucket] = surface.of('rect');
    const full = draw(lane([[0, 100, 7]])).of('rect')[0];
    expect(bucket.height).toBeCloseTo(full.height / 2);
    expect(bucket.y + bucket.height).toBeCloseTo(full.y + full.height);
    expect(surface.texts).toEqual([]);
  });

  it('outside of the window cost nothing', () => {
    const many = Array.from({ length: 10_000 }, (_, i): [number, number, number] => [
      i * 100 - 500_000,
      i * 100 - 500_000 + 50,
      7,
    ]);
    expect(draw(lane(many)).of('rect').length).toBeLessThanOrEqual(12);
  });
});

describe('density', () => {
  it('stands alone without sched_switch and below the slices with it', () => {
    const alone = draw(lane(null, [0, 1, 1000])).of('rect');
    expect(alone.map((rect) => rect.x)).toEqual([10, 20]);
    expect(alone[1].height).toBeCloseTo(area.height);
    expect(alone[0].height).toBeGreaterThan(2);
    expect(alone[0].height).toBeLessThan(alone[1].height / 2);
    const below = draw(lane([], [0, 1, 1000])).of('rect');
    expect(below[1].height).toBeLessThan(area.height / 3);
  });

  it('is drawn where its own data lies when the view has moved on', () => {
    const [bar] = draw(lane(null, [0, 0, 5]), { fromNs: 0, toNs: 100, x: 0, widthPx: 1000 }).of('rect');
    expect(bar.x).toBe(200);
  });
});

describe('lost events', () => {
  it('say how many were lost, or that nobody knows', () => {
    const lost = [
      { atNs: 100, count: 12_345 },
      { atNs: 500, count: -1 },
    ];
    expect(draw(lane(null, [], lost)).texts).toEqual(['12,345 lost', 'lost']);
  });

  it('that fall together are one bar, and counted together', () => {
    const lost = [
      { atNs: 100, count: 12 },
      { atNs: 103, count: 30 },
      { atNs: 106, count: -1 },
      { atNs: 300, count: 5 },
    ];
    const surface = draw(lane(null, [], lost));
    expect(surface.texts).toEqual(['≥ 42 lost', '5 lost']);
    expect(surface.of('rect').filter((rect) => rect.paint.stroke?.color === theme.lost)).toHaveLength(2);
  });

  it('leave the lane visible where they are everywhere', () => {
    const lost = Array.from({ length: 150 }, (_, i) => ({ atNs: i * 6, count: 1 }));
    const [band] = draw(lane(null, [], lost)).of('rect');
    expect(band.width).toBeGreaterThan(800);
    expect(band.height).toBeLessThan(area.height / 3);
  });

  it('never write over each other or over a bar', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 60 }), (times) => {
        const surface = draw(
          lane(
            null,
            [],
            times.sort((a, b) => a - b).map((atNs) => ({ atNs, count: 1000 })),
          ),
        );
        const texts = surface
          .of('text')
          .map((text) => [text.x, text.x + text.text.length * RecordingSurface.LETTER_PX]);
        const bars = surface
          .of('rect')
          .filter((rect) => rect.paint.stroke)
          .map((rect) => [rect.x, rect.x + rect.width]);
        const all = [...texts, ...bars].sort((a, b) => a[0] - b[0]);
        for (let i = 1; i < all.length; i++) expect(all[i][0]).toBeGreaterThanOrEqual(all[i - 1][1]);
      }),
    );
  });
});
