import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenedTrace } from '../../../electron/engine/open.ts';
import { openTrace } from '../../../electron/engine/open.ts';
import { EpisodeQueries } from '../../../electron/query/episodes.ts';
import { Lanes } from '../../../electron/query/lanes.ts';
import { LargeLanes } from '../../../electron/query/large-lanes.ts';
import { LargeSeries } from '../../../electron/query/large-series.ts';
import { reduceSlices } from '../../../electron/query/reduced-slices.ts';
import { Samples } from '../../../electron/query/samples.ts';
import { SlicePyramid } from '../../../electron/query/slice-pyramid.ts';
import type { Trace, TraceCpu, TraceStream } from '../../../electron/query/trace.ts';
import { seriesSpecSchema } from '../../../shared/chart.ts';
import { writeLargeRecording } from '../../build/large.ts';

describe('a pyramid of slices', () => {
  it('has at each level what all slices reduced to its resolution are', () => {
    const steps = fc.array(
      fc.record({
        idle: fc.oneof(fc.constant(0), fc.nat(40)),
        length: fc.integer({ min: 1, max: 90 }),
        pid: fc.nat(4),
      }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: -3000, max: 3000 }), fc.nat(4000), (list, start, width) => {
        const all = {
          n: list.length,
          from: new Float64Array(200),
          to: new Float64Array(200),
          pid: new Int32Array(200),
        };
        const pyramid = new SlicePyramid(4, 6);
        let at = start;
        list.forEach(({ idle, length, pid }, i) => {
          at += idle;
          all.from[i] = at;
          all.to[i] = at + length;
          all.pid[i] = pid + 1;
          pyramid.add(at, at + length, pid + 1);
          at += length;
        });
        pyramid.end();
        for (let level = 0; level < 6; level++) {
          const resolution = 4 * 2 ** level;
          const whole = reduceSlices(all, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, resolution);
          expect(pyramid.window(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, resolution)).toEqual(whole);
          const part = pyramid.window(start, start + width, resolution);
          const [from, to] = [whole.fromNs, whole.toNs];
          expect([...part.fromNs]).toEqual([...from].filter((a, i) => (to[i] as number) > start && a < start + width));
        }
        // Finer and coarser than there is: the nearest.
        expect(pyramid.window(start, at, 1)).toEqual(pyramid.window(start, at, 4));
        expect(pyramid.window(start, at, 2 ** 30)).toEqual(pyramid.window(start, at, 128));
      }),
      { numRuns: 200 },
    );
  });
});

describe('lanes of more slices than may be kept', () => {
  const folder = mkdtempSync(join(tmpdir(), 'remora-large-'));
  let opened: OpenedTrace;
  let trace: Trace;
  let exact: Lanes;
  beforeAll(async () => {
    const sample = resolve(import.meta.dirname, '../../../assets/samples/throttle.dat');
    opened = await openTrace({ paths: [sample], cacheFolder: folder });
    trace = opened.trace;
    exact = new Lanes(trace, new Samples(trace));
  });
  afterAll(() => {
    opened.close();
    rmSync(folder, { recursive: true });
  });

  const eachCpu = (body: (stream: TraceStream, cpu: TraceCpu) => void): void => {
    for (const stream of trace.streams) for (const cpu of stream.cpus) body(stream, cpu);
  };

  it('are those of any others in a window that is not wide', () => {
    const large = new LargeLanes(trace, Number.POSITIVE_INFINITY);
    const { durationNs } = trace;
    for (const [from, to] of [
      [0, durationNs],
      [-1e9, durationNs / 7],
      [durationNs * 0.4, durationNs * 0.41],
      [durationNs * 0.9999, durationNs * 2],
    ] as const) {
      eachCpu((stream, cpu) => {
        const all = exact.slicesOf(stream, cpu);
        expect(all?.n).toBeGreaterThan(100);
        expect(large.slices(stream, cpu, from, to, 2 ** 20)).toEqual(all && reduceSlices(all, from, to, 2 ** 20));
      });
    }
  });

  it('are in a wide window those of the level, once it is prepared', async () => {
    const large = new LargeLanes(trace, 100);
    const { durationNs } = trace;
    eachCpu((stream, cpu) => expect(large.slices(stream, cpu, 0, durationNs, 2 ** 24)).toBeNull());
    const steps: number[] = [];
    await Promise.all([
      large.prepare(0, durationNs, { onProgress: ({ done }) => steps.push(done) }),
      expect(large.prepare(0, durationNs, { signal: AbortSignal.abort() })).rejects.toMatchObject({
        code: 'cancelled',
      }),
    ]);
    eachCpu((stream, cpu) => {
      const all = exact.slicesOf(stream, cpu);
      const reduced = all && reduceSlices(all, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 2 ** 24);
      expect(large.slices(stream, cpu, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 2 ** 24)).toEqual(reduced);
    });
  });

  it("do not change the episodes, of which only the throttled tasks' switches are kept", () => {
    const small: Trace = { ...trace, budgets: { ...trace.budgets, slices: 1 } };
    expect([LargeLanes.isNeededFor(trace), LargeLanes.isNeededFor(small)]).toEqual([false, true]);
    const found = new EpisodeQueries(small, new Samples(small)).find('cgroup');
    expect(found.episodes.some(({ sleptMs }) => (sleptMs ?? 0) > 0)).toBe(true);
    expect(found).toEqual(new EpisodeQueries(trace, new Samples(trace)).find('cgroup'));
  });

  it('are given up when nobody waits, and prepared when somebody does again', async () => {
    const large = new LargeLanes(trace, 100);
    const cancel = new AbortController();
    const first = large.prepare(0, trace.durationNs, { signal: cancel.signal });
    cancel.abort();
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    await large.prepare(0, trace.durationNs, {});
    eachCpu((stream, cpu) => expect(large.slices(stream, cpu, 0, trace.durationNs, 2 ** 24)).not.toBeNull());
  });
});

describe('series of more events than there is memory for', () => {
  const specs = [
    { expr: 'sample:tick.value' },
    { expr: 'sample:tick.value * 3 - sample:tick.common_pid', aggregate: 'min' },
    { expr: 'sample:tick.value', groupBy: 'cpu', aggregate: 'max' },
    { expr: 'sample:tick.value * 2', groupBy: 'task', aggregate: 'sum' },
    { expr: 'sample:tick.value', where: 'value < 500', aggregate: 'mean' },
    { expr: 'sample:tick.value', unit: '', groupBy: 'value', aggregate: 'count' },
  ];

  // A tenth of the events that there are; and more than there are, where the first windows of some are of bins all the same.
  it.each([10, 0.5])(
    'are the same in wide windows as from all samples at once, with %d times too many',
    async (most) => {
      const folder = mkdtempSync(join(tmpdir(), 'remora-large-'));
      const path = join(folder, 'ticks.dat');
      const count = writeLargeRecording(path, 1_200_000);
      const { trace, close } = await openTrace({ paths: [path], cacheFolder: folder });
      const { durationNs } = trace;
      const samples = new Samples(trace);
      const progress: number[] = [];
      const onProgress = ({ done, total }: { done: number; total: number }): void => {
        expect(total).toBeGreaterThanOrEqual(count / 2);
        progress.push(done);
      };
      for (const given of specs) {
        const spec = seriesSpecSchema.parse(given);
        const whole = new LargeSeries(trace, samples);
        const large = new LargeSeries(trace, samples, count / most);
        const binNs = 2 ** Math.ceil(Math.log2(durationNs / 300));
        const windows: [from: number, to: number, bins: number][] = [
          [0, durationNs, 100],
          [durationNs * 0.1, durationNs * 0.7, 333],
          [0, 128 * binNs, 128],
          [16 * binNs, 144 * binNs, 64],
          [0, 256 * binNs, 64],
        ];
        for (const [from, to, bins] of windows) {
          const expected = whole.window(spec, from, to, bins, 'bins');
          await large.prepare(spec, from, to, bins, 'bins', { onProgress });
          const found = large.window(spec, from, to, bins, 'bins');
          expect(found.lines.length).toBeGreaterThan(0);
          expect(found.moreGroups).toBe(expected.moreGroups);
          expect(found.unit).toBe(expected.unit);
          for (const [i, line] of expected.lines.entries()) {
            const other = found.lines[i];
            if (line.mode !== 'bins' || other?.mode !== 'bins') throw new TypeError('no bins');
            expect([other.group, other.key]).toEqual([line.group, line.key]);
            // Where bins are of a level, there may be the one behind the window.
            const n = line.tNs.filter((at) => at < to || to === durationNs).length;
            expect(other.tNs.filter((at) => at < to || to === durationNs)).toHaveLength(n);
            for (const column of ['tNs', 'min', 'max', 'last', 'count'] as const)
              expect(other[column].subarray(0, n)).toEqual(line[column].subarray(0, n));
            // Sums are added in another order.
            for (let k = 0; k < n; k++) expect(other.mean[k]).toBeCloseTo(line.mean[k] as number, 6);
            expect(Math.abs(other.samples - line.samples)).toBeLessThan(2);
          }
        }
      }
      expect(Math.max(0, ...progress)).toBeGreaterThan(0);
      // Single samples with their events, of those that fit into memory.
      if (most < 1) {
        const spec = seriesSpecSchema.parse({ expr: 'sample:tick.value' });
        const whole = new LargeSeries(trace, samples);
        const large = new LargeSeries(trace, samples, count / most);
        const binNs = 2 ** Math.floor(Math.log2(durationNs / 40_000));
        for (const [from, to, bins, mode] of [
          [durationNs * 0.3, durationNs * 0.301, 10, 'raw'],
          [0, durationNs * 0.0001, 300, 'auto'],
          [durationNs * 0.999, durationNs, 20_000, 'auto'],
          [400 * binNs, 440 * binNs, 40, 'auto'],
          [400 * binNs, 2400 * binNs, 2000, 'auto'],
          [-5 * binNs, 100 * binNs, 105, 'bins'],
        ] as const) {
          await large.prepare(spec, from, to, bins, mode, {});
          expect(large.window(spec, from, to, bins, mode)).toEqual(whole.window(spec, from, to, bins, mode));
        }
      }
      close();
      rmSync(folder, { recursive: true });
    },
    120_000,
  );

  it('are evaluated around a narrow window', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'remora-large-'));
    const path = join(folder, 'ticks.dat');
    const count = writeLargeRecording(path, 1_000_000);
    const { trace, close } = await openTrace({ paths: [path], cacheFolder: folder });
    const spec = seriesSpecSchema.parse({ expr: 'sample:tick.value' });
    const whole = new LargeSeries(trace, new Samples(trace));
    const large = new LargeSeries(trace, new Samples(trace), count / 2);
    const { durationNs } = trace;
    expect(await large.firstLook(spec, 0, durationNs, 100)).toBeNull();
    for (const [from, to] of [
      [durationNs * 0.5, durationNs * 0.6],
      [durationNs * 0.95, durationNs],
    ] as const) {
      const expected = whole.window(spec, from, to, 50, 'bins');
      expect(expected.lines[0]?.samples).toBeGreaterThan(1000);
      await large.prepare(spec, from, to, 50, 'bins', {});
      expect(large.window(spec, from, to, 50, 'bins')).toEqual(expected);
    }
    // Single samples, and values that depend on those before them.
    const refused = /1.0 million sample:tick events.*shorter time/;
    await expect(large.prepare(spec, 0, durationNs, 100, 'raw', {})).rejects.toThrow(refused);
    const rate = seriesSpecSchema.parse({ expr: 'rate(sample:tick.value)' });
    await expect(large.prepare(rate, 0, durationNs, 100, 'bins', {})).rejects.toThrow(refused);
    expect(() => large.window(spec, 0, durationNs, 100, 'bins')).toThrow(refused);
    close();
    rmSync(folder, { recursive: true });
  });
});
