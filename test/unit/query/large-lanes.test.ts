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
import { reduceSlices } from '../../../electron/query/reduced-slices.ts';
import { Samples } from '../../../electron/query/samples.ts';
import { SlicePyramid } from '../../../electron/query/slice-pyramid.ts';
import type { ChunkSource, Trace, TraceCpu, TraceStream } from '../../../electron/query/trace.ts';

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

  it('come from the levels in narrower windows too, once they are there, and are the same', async () => {
    let selected = 0;
    let scanned = 0;
    const chunks: ChunkSource = {
      get: (info) => trace.chunks.get(info),
      select: (info, id, space) => {
        selected++;
        return trace.chunks.select(info, id, space);
      },
    };
    const large = new LargeLanes({ ...trace, chunks }, 15_000);
    const { durationNs } = trace;
    await large.prepare(0, durationNs, {});
    for (const [resolution, fromLevels] of [
      [2 ** 24, true],
      [2 ** 20, true],
      [1e6, false],
    ] as const) {
      for (const at of [0, 0.3, 0.77]) {
        const from = Math.floor((durationNs * at) / resolution) * resolution;
        const to = from + 200 * resolution;
        selected = 0;
        eachCpu((stream, cpu) => {
          const all = exact.slicesOf(stream, cpu);
          const found = large.slices(stream, cpu, from, to, resolution);
          if (!fromLevels || all === null) {
            expect(found).toEqual(all && reduceSlices(all, from, to, resolution));
            return;
          }
          // Those of all slices that touch the window: what began before it has been put together with what lies there.
          const level = reduceSlices(all, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, resolution);
          const touching = Array.from(level.pid.keys()).filter(
            (k) => (level.toNs[k] as number) > from && (level.fromNs[k] as number) < to,
          );
          expect(touching.length).toBeGreaterThan(10);
          for (const column of ['fromNs', 'toNs', 'pid', 'merged', 'busy'] as const)
            expect([...(found?.[column] ?? [])]).toEqual(touching.map((k) => level[column][k]));
        });
        if (fromLevels) expect(selected).toBe(0);
        else scanned += selected;
      }
    }
    expect(scanned).toBeGreaterThan(0);
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
