import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cgroupLabel, drawRibbon, ribbonsOf, segmentAt } from '../../../shared/draw/ribbons.ts';
import { themes } from '../../../shared/draw/theme.ts';
import type { Episode } from '../../../shared/model.ts';
import { RecordingSurface } from './recording-surface.ts';

let id = 0;
function episode(path: string, pid: number, fromMs: number, toMs: number, pauseMs = toMs - fromMs): Episode {
  return {
    id: id++,
    stream: 0,
    cgroup: { ino: '7', path },
    bdi: '8:0',
    task: { pid, comm: 'dd' },
    fromNs: fromMs * 1e6,
    toNs: toMs * 1e6,
    events: 1,
    pauses: 1,
    pauseMs,
    maxPauseMs: pauseMs,
    sleptMs: null,
    minTaskRatelimitKiBps: 0,
    maxDirtyOverLimit: 1,
    domain: 'memcg',
    cause: '',
  };
}
const inMs = (ribbon: ReturnType<typeof ribbonsOf>[number]) =>
  ribbon.segments.map((segment) => [segment.fromNs / 1e6, segment.toNs / 1e6, segment.tasks]);

describe('ribbonsOf', () => {
  it('cuts the union of overlapping episodes where tasks come and go', () => {
    const [web] = ribbonsOf([episode('web', 1, 0, 100), episode('web', 2, 50, 150), episode('web', 1, 300, 400)]);
    expect(inMs(web)).toEqual([
      [0, 50, 1],
      [50, 100, 2],
      [100, 150, 1],
      [300, 400, 1],
    ]);
  });

  it('has one ribbon per cgroup, in order of first episode, with the worst severity', () => {
    const ribbons = ribbonsOf([episode('b', 1, 10, 20), episode('a', 1, 0, 100, 20), episode('a', 2, 0, 100, 80)]);
    expect(ribbons.map((ribbon) => ribbon.label)).toEqual(['a', 'b']);
    expect(ribbons[0].segments[0].severity).toBeCloseTo(0.8);
  });

  it('is what a look at every moment says', () => {
    const spans = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 4 })),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(spans, (given) => {
        const episodes = given.map(([from, length, pid]) => episode('x', pid, from, from + length));
        const [ribbon] = ribbonsOf(episodes);
        for (let ms = 0.5; ms < 55; ms++) {
          const active = episodes.filter((one) => one.fromNs <= ms * 1e6 && one.toNs > ms * 1e6);
          const segment = ribbon ? segmentAt(ribbon, ms * 1e6) : null;
          expect(new Set(segment?.episodes ?? [])).toEqual(new Set(active.map((one) => one.id)));
        }
      }),
    );
  });
});

it('cgroupLabel says what is known', () => {
  expect(cgroupLabel({ ino: '7', path: 'web' })).toBe('web');
  expect(cgroupLabel({ ino: '7', path: '' })).toBe('cgroup 7');
});

describe('drawRibbon', () => {
  const scale = { fromNs: 0, toNs: 1e9, x: 0, widthPx: 1000 };
  const area = { x: 0, y: 0, width: 1000, height: 20 };
  function draw(...episodes: Episode[]): RecordingSurface {
    const surface = new RecordingSurface();
    drawRibbon(surface, area, scale, ribbonsOf(episodes)[0], '#0a62c4', themes.light);
    return surface;
  }

  it('labels a run of touching segments once, with the most tasks', () => {
    expect(draw(episode('web', 1, 0, 300), episode('web', 2, 100, 300)).texts).toEqual(['web · 2 tasks']);
  });

  it('is stronger where it is worse, and visible where it is mild', () => {
    const opacity = (pauseMs: number) => draw(episode('web', 1, 0, 300, pauseMs)).of('rect')[0].paint.fillOpacity ?? 1;
    expect(opacity(300)).toBeGreaterThan(opacity(30));
    expect(opacity(0)).toBeGreaterThan(0.1);
  });

  it('never paints a pixel twice, so that many short episodes do not look worse than they are', () => {
    const short = Array.from({ length: 2000 }, (_, i) => episode('web', 1, i / 2, i / 2 + 0.2));
    const rects = draw(...short)
      .of('rect')
      .filter((rect) => rect.height === area.height);
    expect(rects.length).toBeLessThanOrEqual(1001);
    for (let i = 1; i < rects.length; i++)
      expect(rects[i].x).toBeGreaterThanOrEqual(rects[i - 1].x + rects[i - 1].width - 1e-6);
  });
});
