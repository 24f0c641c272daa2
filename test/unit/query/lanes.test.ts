import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RunSlices, runSlices } from '../../../electron/derive/schedule.ts';
import { binSamples, coarserBins } from '../../../electron/query/bins.ts';
import { coarserDensity, densityWindow } from '../../../electron/query/levels.ts';
import { reduceSlices } from '../../../electron/query/reduced-slices.ts';

/** Slices drawn as text: one character is 10 ns, a letter a task, a space idle. */
function drawn(text: string): RunSlices {
  const found = [...text.matchAll(/([a-z])\1*/g)];
  return {
    n: found.length,
    from: Float64Array.from(found, ({ index }) => index * 10),
    to: Float64Array.from(found, ({ index, 0: run }) => (index + run.length) * 10),
    pid: Int32Array.from(found, ({ 1: letter }) => (letter as string).charCodeAt(0)),
  };
}

const draw = ({ fromNs, toNs, pid, merged }: ReturnType<typeof reduceSlices>): string[] =>
  Array.from(pid, (p, i) => `${fromNs[i]}-${toNs[i]} ${String.fromCharCode(p)}${merged[i] === 1 ? '+' : ''}`);

describe('slices of a window', () => {
  const lane = drawn('aaaaaaaaaa  bcb      dddddddddddd  e');

  it('are themselves where they are as long as a bucket', () => {
    expect(draw(reduceSlices(lane, 0, 400, 10))).toEqual([
      '0-100 a',
      '120-130 b',
      '130-140 c',
      '140-150 b',
      '210-330 d',
      '350-360 e',
    ]);
  });
  it('that share a bucket are one entry of the task that ran longest', () => {
    expect(draw(reduceSlices(lane, 0, 400, 100))).toEqual(['0-100 a', '120-150 b+', '210-330 d', '350-360 e']);
  });
  it('are those that reach into the window', () => {
    expect(draw(reduceSlices(lane, 325, 355, 10))).toEqual(['210-330 d', '350-360 e']);
    expect(draw(reduceSlices(lane, 330, 350, 10))).toEqual([]);
  });
  it('say how busy a merged entry is', () => {
    const [entry] = [...reduceSlices(drawn('a b'), 0, 100, 100).busy];
    expect(entry).toBeCloseTo(2 / 3);
  });
  it('never overlap, ascend, and keep the time run, for any lane, window and resolution', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-d ]{0,60}$/), fc.integer({ min: 1, max: 300 }), (text, resolution) => {
        const all = drawn(text);
        const reduced = reduceSlices(all, 0, 10_000, resolution);
        for (let i = 0; i < reduced.pid.length; i++) {
          expect(reduced.toNs[i]).toBeGreaterThan(reduced.fromNs[i] as number);
          if (i > 0) expect(reduced.fromNs[i]).toBeGreaterThanOrEqual(reduced.toNs[i - 1] as number);
        }
        const ran = all.from.reduce((sum, from, i) => sum + (all.to[i] as number) - from, 0);
        const kept = reduced.fromNs.reduce(
          (sum, from, i) => sum + ((reduced.toNs[i] as number) - from) * (reduced.busy[i] as number),
          0,
        );
        expect(kept).toBeCloseTo(ran, 2);
      }),
    );
  });
});

describe('who ran, from switches', () => {
  const switches = (list: [number, number, number][]) => ({
    n: list.length,
    time: Float64Array.from(list, ([t]) => t),
    prevPid: list.map(([, prev]) => prev),
    nextPid: list.map(([, , next]) => next),
  });
  const text = ({ n, from, to, pid }: RunSlices): string[] =>
    Array.from({ length: n }, (_, i) => `${from[i]}-${to[i]} ${pid[i]}`);

  it('a task runs from the switch to it to the switch away; idle does not', () => {
    expect(
      text(
        runSlices(
          switches([
            [10, 0, 5],
            [20, 5, 0],
            [30, 0, 7],
          ]),
          0,
          50,
        ),
      ),
    ).toEqual(['10-20 5', '30-50 7']);
  });
  it('the first switch tells who ran since the first event', () => {
    expect(text(runSlices(switches([[10, 3, 0]]), 2, 50))).toEqual(['2-10 3']);
  });
  it('a gap ends what was known, and the next switch tells who ran since', () => {
    expect(
      text(
        runSlices(
          switches([
            [10, 0, 5],
            [40, 6, 0],
          ]),
          0,
          50,
          [25],
        ),
      ),
    ).toEqual(['10-25 5', '25-40 6']);
    expect(text(runSlices(switches([[10, 0, 5]]), 0, 50, [25]))).toEqual(['10-25 5']);
  });
});

describe('levels', () => {
  it('coarser densities count the same, and a window is a part of them', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 40 }), fc.integer({ min: -20, max: 20 }), (counts, first) => {
        const fine = { resolutionNs: 4, first, counts: Uint32Array.from(counts) };
        const coarse = coarserDensity(fine);
        const direct = new Map<number, number>();
        counts.forEach((count, i) => {
          const bucket = Math.floor((first + i) / 2);
          direct.set(bucket, (direct.get(bucket) ?? 0) + count);
        });
        for (let bucket = -30; bucket < 40; bucket++) {
          expect(densityWindow(coarse, bucket * 8, 1)[0]).toBe(direct.get(bucket) ?? 0);
        }
      }),
    );
  });

  const samples = fc.array(fc.tuple(fc.nat(500), fc.integer({ min: -99, max: 99 })), { maxLength: 60 }).map((list) => {
    list.sort((a, b) => a[0] - b[0]);
    return {
      time: Float64Array.from(list, ([t]) => t),
      value: Float64Array.from(list, ([, v]) => v),
      outliers: new Uint32Array(0),
    };
  });

  it('coarser bins are what binning the samples gives', () => {
    fc.assert(
      fc.property(samples, (all) => {
        const n = all.time.length;
        const fine = binSamples(all, 0, n, 0, 8);
        const coarse = coarserBins(fine, 8);
        const direct = binSamples(all, 0, n, 0, 16);
        for (const key of ['tNs', 'min', 'max', 'last', 'count'] as const)
          expect([...coarse[key]]).toEqual([...direct[key]]);
        coarse.mean.forEach((mean, i) => {
          expect(mean).toBeCloseTo(direct.mean[i] as number, 9);
        });
      }),
    );
  });

  it('bins hold what brute force finds, without the outliers', () => {
    fc.assert(
      fc.property(samples, fc.integer({ min: 1, max: 90 }), fc.nat(3), (all, binNs, skip) => {
        const outliers = Uint32Array.from(all.value.keys()).filter((i) => i % 4 === skip);
        const bins = binSamples({ ...all, outliers }, 0, all.time.length, 0, binNs);
        const kept = [...all.time].flatMap((t, i) =>
          i % 4 === skip ? [] : [[Math.floor(t / binNs), all.value[i] as number] as const],
        );
        const expected = [...new Set(kept.map(([bin]) => bin))];
        expect([...bins.tNs]).toEqual(expected.map((bin) => bin * binNs));
        expected.forEach((bin, k) => {
          const values = kept.filter(([own]) => own === bin).map(([, value]) => value);
          expect(bins.min[k]).toBe(Math.min(...values));
          expect(bins.max[k]).toBe(Math.max(...values));
          expect(bins.last[k]).toBe(values.at(-1));
          expect(bins.count[k]).toBe(values.length);
        });
      }),
    );
  });
});
