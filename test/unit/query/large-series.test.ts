import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { openTrace } from '../../../electron/engine/open.ts';
import type { CpuBytes } from '../../../electron/parse/cpu-data.ts';
import { memoryBudgets } from '../../../electron/query/budgets.ts';
import { LargeSeries } from '../../../electron/query/large-series.ts';
import { RowQueries } from '../../../electron/query/rows.ts';
import { Samples } from '../../../electron/query/samples.ts';
import { SeriesQueries } from '../../../electron/query/series.ts';
import { type SeriesSizes, USUAL_SIZES } from '../../../electron/query/series-sizes.ts';
import type { PrepareOptions } from '../../../electron/query/shared-work.ts';
import type { ChunkSource, Trace } from '../../../electron/query/trace.ts';
import type { ChunkInfo } from '../../../electron/store/workspace-store.ts';
import type { SeriesLine, SeriesResult } from '../../../shared/api.ts';
import { type SeriesSpec, seriesSpecSchema } from '../../../shared/chart.ts';
import { type BuiltFormat, payloadOf } from '../../build/formats.ts';
import { writeLargeRecording } from '../../build/large.ts';
import { oneOf, type Random, randomFrom } from '../../build/random.ts';
import type { BufferEvent, RingAbi } from '../../build/sub-buffer.ts';
import { buildTraceDat } from '../../build/trace-dat.ts';

const folder = mkdtempSync(join(tmpdir(), 'remora-large-series-'));
afterAll(() => rmSync(folder, { recursive: true }));

const abi: RingAbi = { littleEndian: true, longBytes: 8, subBufferBytes: 4096 };
const u64 = { declaration: 'u64', bytes: 8, signed: false, kind: 'number' as const };
/** The last field is missing from records that are cut. */
const pages: BuiltFormat = {
  system: 'writeback',
  name: 'balance_dirty_pages',
  id: 70,
  fields: [
    { name: 'bdi', declaration: 'char[8]', bytes: 8, signed: true, kind: 'chars' },
    { name: 'cgroup_ino', ...u64 },
    { name: 'dirty', ...u64 },
    { name: 'limit', ...u64 },
  ],
  printFmt: '"x"',
};
const other: BuiltFormat = {
  system: 'writeback',
  name: 'other',
  id: 71,
  fields: [{ name: 'x', ...u64 }],
  printFmt: '"x"',
};

interface Shape {
  seed: number;
  events: number;
  cpus: number;
  /** Clocks go backward now and then. */
  backward: boolean;
}

function eventsOf(random: Random, { events, backward }: Shape): BufferEvent[] {
  let time = 1_000_000_000n + BigInt(random(50));
  return Array.from({ length: events }, (_, i): BufferEvent => {
    const back = backward && random(12) === 0;
    time += back ? -BigInt(random(400)) : BigInt(oneOf(random, [0, 1, 3, 40, 900]));
    const common = { flags: 0, preemptCount: 0, pid: 1 + random(4) };
    const stamp = back ? { stamp: 'absolute' as const } : {};
    if (i > 0 && random(4) === 0) return { time, payload: payloadOf(other, common, [1n], true), ...stamp };
    // Now and then a counter that went below zero.
    const dirty = random(25) === 0 ? 2n ** 64n - 5n : BigInt(random(1000));
    const values = [`dev${random(3)}`, BigInt(100 + random(90) * random(2)), dirty, BigInt(1 + random(50))];
    const payload = payloadOf(pages, common, values, true);
    return { time, payload: random(9) === 0 ? payload.subarray(0, payload.length - 8) : payload, ...stamp };
  });
}

let files = 0;
function recorded(shape: Shape): Promise<{ trace: Trace; close(): void }> {
  const random = randomFrom(shape.seed);
  return opened(Array.from({ length: shape.cpus }, () => eventsOf(random, shape)));
}

/** A recording of these events of each CPU. */
async function opened(cpus: BufferEvent[][], formats = [pages, other]): Promise<{ trace: Trace; close(): void }> {
  const { trace, close } = await openTrace({ paths: [written(cpus, formats)], cacheFolder: folder });
  return { trace, close };
}

/** Path of such a recording. `name`: what its tasks are called, before their pids. */
function written(cpus: BufferEvent[][], formats = [pages, other], name = 'task'): string {
  const path = join(folder, `${files++}.dat`);
  writeFileSync(
    path,
    buildTraceDat({
      version: 6,
      compression: 'none',
      abi,
      formats,
      buffers: [{ name: '', clock: 'local', cpus }],
      comms: [1, 2, 3, 4].map((pid) => [pid, `${name}${pid}`]),
      uname: 'Linux built 1.0',
      kallsyms: '',
      printkFormats: '',
      options: [],
    }),
  );
  return path;
}

/** The same trace in chunks of a few events each. */
function inSmallChunks(whole: Trace, events: number): Trace {
  const from = new Map<ChunkInfo, { info: ChunkInfo; first: number }>();
  const cut = (info: ChunkInfo): ChunkInfo[] => {
    const chunk = whole.chunks.get(info);
    const pieces: ChunkInfo[] = [];
    for (let first = 0; first < info.count; first += events) {
      const count = Math.min(events, info.count - first);
      const time = chunk.time.subarray(first, first + count);
      const counts = new Map<number, number>();
      for (const id of chunk.id.subarray(first, first + count)) counts.set(id, (counts.get(id) ?? 0) + 1);
      const [fromNs, toNs] = [Math.min(...time), Math.max(...time)];
      const floorNs = Math.max(info.floorNs, ...pieces.map((piece) => piece.toNs));
      const ordered = fromNs >= floorNs && time.every((t, i) => i === 0 || t >= (time[i - 1] as number));
      const dictionary = Uint32Array.from([...counts].flat());
      const own = { firstIndex: info.firstIndex + first, count, fromNs, toNs, ordered, floorNs, events: dictionary };
      pieces.push({ ...info, ...own });
      from.set(pieces.at(-1) as ChunkInfo, { info, first });
    }
    return pieces;
  };
  const chunks: ChunkSource = {
    get: (info) => whole.chunks.get((from.get(info) as { info: ChunkInfo }).info),
    select(info, id) {
      const { info: parent, first } = from.get(info) as { info: ChunkInfo; first: number };
      const chunk = whole.chunks.get(parent);
      const places = Array.from({ length: info.count }, (_, i) => first + i).filter((i) => chunk.id[i] === id);
      return {
        n: places.length,
        at: Uint32Array.from(places, (i) => i - first),
        time: Float64Array.from(places, (i) => chunk.time[i] as number),
        pid: Int32Array.from(places, (i) => chunk.pid[i] as number),
        position: Uint32Array.from(places, (i) => chunk.position[i] as number),
      };
    },
  };
  const streams = whole.streams.map((stream) => ({
    ...stream,
    cpus: stream.cpus.map((cpu) => ({ ...cpu, chunks: cpu.chunks.flatMap(cut) })),
  }));
  return { ...whole, chunks, streams };
}

/** A trace's chunks, which take so long to read that there is time for others' turns however fast the machine is. */
class SlowChunks implements ChunkSource {
  readonly #trace: Trace;
  readonly #ms: number;
  /** How often one was read. */
  selected = 0;

  constructor(trace: Trace, ms: number) {
    this.#trace = trace;
    this.#ms = ms;
  }

  get all(): number {
    return this.#trace.streams.flatMap(({ cpus }) => cpus.flatMap(({ chunks }) => chunks)).length;
  }

  get: ChunkSource['get'] = (info) => this.#trace.chunks.get(info);

  select: ChunkSource['select'] = (info, id, space) => {
    this.selected++;
    for (const untilMs = performance.now() + this.#ms; performance.now() < untilMs; );
    return this.#trace.chunks.select(info, id, space);
  };
}

const field = 'writeback:balance_dirty_pages';
const specs: Partial<SeriesSpec>[] = [
  { expr: `${field}.dirty` },
  { expr: `${field}.limit * 3 - ${field}.cgroup_ino`, aggregate: 'min' },
  { expr: `${field}.dirty`, groupBy: 'cpu', aggregate: 'sum' },
  { expr: `${field}.limit`, groupBy: 'task', where: 'limit < 30' },
  { expr: `${field}.dirty`, groupBy: 'bdi', unit: 'MiB' },
  { expr: `${field}.limit`, groupBy: 'cgroup_ino' },
  { expr: `${field}.dirty`, where: 'bdi == "dev1" || task ~ "*3"', aggregate: 'count' },
  { expr: `delta(${field}.limit)` },
  { expr: `rate(${field}.limit)`, groupBy: 'bdi' },
  { expr: `delta(${field}.limit) + max(rate(${field}.cgroup_ino), 0)`, groupBy: 'pid', where: 'cpu != 1' },
  { expr: `rate(delta(${field}.limit))`, groupBy: 'cgroup_ino' },
];

/**
 * Compares an answer with the one from all samples at once. `loose`: where a line has few samples among many others, they may be bins
 * all the same. `backward`: clocks go backward, and which samples are next to a window is not said.
 */
function check(found: SeriesResult, expected: SeriesResult, { loose = false, backward = false }): void {
  expect(found.unit).toBe(expected.unit);
  expect(found.moreGroups).toBe(expected.moreGroups);
  expect(found.lines.map(({ group, key }) => [group, key])).toEqual(
    expected.lines.map(({ group, key }) => [group, key]),
  );
  for (const [i, line] of expected.lines.entries()) {
    const other = found.lines[i] as SeriesLine;
    if (line.mode === 'raw' && other.mode === 'raw')
      expect(backward ? inside(other, found) : other).toEqual(backward ? inside(line, found) : line);
    else if (line.mode === 'bins' && other.mode === 'bins') checkBins(other, line, found.toNs);
    // Whether what lies at the window's end counts for the choice is nothing that anybody sees.
    else if (!loose) expect(Math.abs(other.samples - line.samples)).toBe(1);
    else expect(other.mode).toBe('bins');
  }
  if (found.lines.every((line, i) => line.samples === expected.lines[i]?.samples))
    expect(found.outliers).toBe(expected.outliers);
}

/** A line without the samples next to the window. */
function inside(line: SeriesLine & { mode: 'raw' }, { fromNs, toNs }: SeriesResult): SeriesLine {
  const first = line.tNs.findIndex((t) => t >= fromNs);
  const end = line.tNs.findLastIndex((t) => t <= toNs) + 1;
  const cut = <T extends Float64Array | Uint16Array>(column: T): T => column.slice(first < 0 ? end : first, end) as T;
  const { stream, cpu, index } = line.event;
  const event = { stream: cut(stream), cpu: cut(cpu), index: cut(index) };
  return { ...line, tNs: cut(line.tNs), value: cut(line.value), event };
}

/** Which of 0 and -0 is the smaller one depends on the order. */
const unsigned = (value: number): number => value + 0;

/** Where bins are of a level, what begins where the window ends is not among them. */
function checkBins(line: SeriesLine & { mode: 'bins' }, expected: SeriesLine & { mode: 'bins' }, toNs: number): void {
  const n = expected.tNs.filter((at) => at < toNs).length;
  expect(line.tNs.filter((at) => at < toNs)).toHaveLength(n);
  for (const column of ['tNs', 'min', 'max', 'last', 'count'] as const)
    expect(Array.from(line[column].subarray(0, n), unsigned)).toEqual(
      Array.from(expected[column].subarray(0, n), unsigned),
    );
  // Sums are added in another order.
  for (let k = 0; k < n; k++) {
    const [a, b] = [line.mean[k] as number, expected.mean[k] as number];
    expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(b)));
  }
}

/** A window anywhere, of any width; half of them of a resolution that bins are made of for all; some empty, or beyond the ends. */
function anyWindow(random: Random, durationNs: number): [fromNs: number, toNs: number, bins: number] {
  if (random(6) === 0) {
    const at = random(Math.ceil(durationNs) + 1);
    return oneOf(random, [
      [at, at, 1 + random(9)],
      [at, at - 1 - random(99), 1 + random(9)],
      [-64, -32, 8],
      [-64, durationNs * 2 + 64, 1 + random(9)],
      [durationNs, durationNs + 64, 8],
      [durationNs + 32, durationNs + 96, 16],
      [0, 2 ** Math.ceil(Math.log2(durationNs + 2)) * 4, 64],
    ]);
  }
  const width = Math.max(1, durationNs / 2 ** random(9));
  const from = Math.floor(random(Math.max(1, Math.ceil(durationNs - width))));
  const bins = 1 + random(30);
  if (random(2) === 0) return [from - random(3), from + Math.floor(width), bins];
  const binNs = 2 ** Math.max(0, Math.floor(Math.log2(width / bins)));
  const start = Math.floor(from / binNs) * binNs;
  return [start, start + bins * binNs, bins];
}

describe('series of many events', () => {
  it('are what all samples at once say, in windows of any width', async () => {
    const shapes = fc.record({
      seed: fc.nat(1e6),
      events: fc.integer({ min: 1, max: 300 }),
      cpus: fc.integer({ min: 1, max: 4 }),
      backward: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(shapes, fc.integer({ min: 3, max: 90 }), async (shape, chunkEvents) => {
        const random = randomFrom(shape.seed + 1);
        const { trace, close } = await recorded(shape);
        try {
          const exact = new SeriesQueries(trace, new Samples(trace));
          const sizes: SeriesSizes = {
            atOnce: 0,
            finestBins: oneOf(random, [8, 64, 1 << 12]),
            finestBinsOfGroups: oneOf(random, [4, 64, 1 << 12]),
            samplesABin: oneOf(random, [0.1, 16]),
            manyEvents: oneOf(random, [40, 1e9]),
            segmentEvents: 1 + random(60),
            fewOfGroup: oneOf(random, [0, 12, 1e9]),
            stateBytes: oneOf(random, [64, 1e9]),
          };
          const small = inSmallChunks(trace, chunkEvents);
          const budgets = { ...trace.budgets, series: oneOf(random, [1, 4000, 1e9]) };
          const large = new LargeSeries({ ...small, budgets }, new Samples(small), sizes);
          for (const given of specs) {
            const spec = seriesSpecSchema.parse(given);
            for (let k = 0; k < 6; k++) {
              const [from, to, bins] = k === 0 ? [0, trace.durationNs, 7] : anyWindow(random, trace.durationNs);
              const mode = oneOf(random, ['auto', 'auto', 'bins', 'raw'] as const);
              const expected = exact.window(spec, from, to, bins, mode);
              const found = await large.window(spec, from, to, bins, mode);
              const loose = sizes.manyEvents === 40 && mode === 'auto';
              // Nor is it where the window itself ends before it begins.
              check(found, expected, { loose, backward: shape.backward || to < from });
            }
          }
        } finally {
          close();
        }
      }),
      { numRuns: 40 },
    );
  }, 120_000);

  /** Sizes at which every few events are many. */
  const tiny: SeriesSizes = {
    atOnce: 0,
    finestBins: 8,
    finestBinsOfGroups: 8,
    samplesABin: 1,
    manyEvents: 1e9,
    segmentEvents: 2,
    fewOfGroup: 0,
    stateBytes: 1e9,
  };
  const common = { flags: 0, preemptCount: 0, pid: 1 };
  const page = (time: number, bdi: string, limit: number): BufferEvent => ({
    time: 1_000_000_000n + BigInt(time),
    payload: payloadOf(pages, common, [bdi, 1n, 1n, BigInt(limit)], true),
  });

  it('are in the order of the list where times are the same', async () => {
    const times = [
      [0, 10, 10, 20, 20],
      [0, 0, 10, 10, 20],
      [5, 10, 10, 20, 20],
    ];
    const { trace, close } = await opened(
      times.map((own, cpu) => own.map((time, i) => page(time, 'x', 1 + cpu * 10 + i * i))),
    );
    const exact = new SeriesQueries(trace, new Samples(trace));
    const small = inSmallChunks(trace, 2);
    const large = new LargeSeries(small, new Samples(small), tiny);
    for (const given of [{ expr: `delta(${field}.limit)` }, { expr: `${field}.limit`, where: 'limit > 0' }]) {
      const spec = seriesSpecSchema.parse(given);
      const expected = exact.window(spec, 0, 20, 1, 'raw');
      expect(expected.lines[0]?.samples).toBeGreaterThan(13);
      expect(await large.window(spec, 0, 20, 1, 'raw')).toEqual(expected);
    }
    close();
  });

  it('have the samples next to a window, of groups that come seldom, however segments were joined', async () => {
    const events = Array.from({ length: 600 }, (_, i) =>
      page(i * 10, i % 23 === 5 ? 'dev1' : i % 61 === 9 ? 'dev2' : 'dev0', i * i),
    );
    const { trace, close } = await opened([events]);
    const exact = new SeriesQueries(trace, new Samples(trace));
    const small = inSmallChunks(trace, 4);
    const spec = seriesSpecSchema.parse({ expr: `delta(${field}.limit)`, groupBy: 'bdi' });
    for (const stateBytes of [500, 900, 1e9]) {
      const large = new LargeSeries(small, new Samples(small), { ...tiny, stateBytes });
      for (let at = 0; at < 6000; at += 10)
        expect(await large.window(spec, at, at, 1, 'raw')).toEqual(exact.window(spec, at, at, 1, 'raw'));
    }
    close();
  });

  it('are called after the first of their samples that counts', async () => {
    const paths = [
      written([[page(0, 'x', 1), page(30, 'x', 1)]], undefined, 'first'),
      written([[page(10, 'x', 5)]], undefined, 'second'),
    ];
    const { trace, close } = await openTrace({ paths, cacheFolder: folder });
    const samples = new Samples(trace);
    for (const [where, group] of [
      ['limit > 2', 'second1-1'],
      ['', 'first1-1'],
    ] as const) {
      const spec = seriesSpecSchema.parse({ expr: `${field}.limit`, groupBy: 'task', where });
      for (const series of [new SeriesQueries(trace, samples), new LargeSeries(trace, samples, tiny)])
        expect(await series.window(spec, 0, trace.durationNs, 1, 'raw')).toMatchObject({ lines: [{ group }] });
    }
    close();
  });

  it('mean by a filter what the list means, whatever their number', async () => {
    const place: BuiltFormat = {
      system: 'sample',
      name: 'place',
      id: 72,
      fields: [
        { name: 'at', declaration: 'void *', bytes: 8, signed: false, kind: 'number' },
        { name: 'slots', declaration: 'u32[2]', bytes: 8, signed: false, kind: 'chars' },
        { name: 'value', ...u64 },
      ],
      printFmt: '"x"',
    };
    const events = Array.from({ length: 40 }, (_, i): BufferEvent => {
      const values = [i % 3 === 0 ? 4096n : 2n ** 63n + BigInt(i), i % 2 === 0 ? 'AAAABBBB' : 'CCCC', BigInt(i)];
      return { time: BigInt(i * 10), payload: payloadOf(place, common, values, true) };
    });
    const { trace, close } = await opened([events], [place]);
    const exact = new SeriesQueries(trace, new Samples(trace));
    const rows = new RowQueries(trace);
    const large = new LargeSeries(trace, new Samples(trace), tiny);
    const counts: Record<string, number> = {};
    for (const where of [
      'at == 4096',
      'at == 0x1000',
      'at == "4096"',
      'at =~ "^9223372036854775"',
      'at ~ "0x*"',
      'at == 9223372036854775809',
      'slots == 1094795585',
      'slots > 0',
      'slots =~ "1094795585, "',
      'slots != 5',
    ]) {
      const spec = seriesSpecSchema.parse({ expr: 'sample:place.value', where });
      const { total } = await rows.page(where, 0, 1, { signal: new AbortController().signal });
      counts[where] = total;
      for (const found of [
        exact.window(spec, 0, trace.durationNs, 1, 'raw'),
        await large.window(spec, 0, trace.durationNs, 1, 'raw'),
      ])
        expect([where, found.lines.reduce((sum, { samples }) => sum + samples, 0)]).toEqual([where, total]);
    }
    expect(counts).toMatchObject({ 'at == "4096"': 14, 'at ~ "0x*"': 0, 'slots == 1094795585': 0 });
    close();
  });

  /** 600,000 events on one CPU, of seven tasks. */
  async function ticks(): Promise<{ trace: Trace; close(): void }> {
    const path = join(folder, 'ticks.dat');
    writeLargeRecording(path, 600_000);
    const { trace, close } = await openTrace({ paths: [path], cacheFolder: folder });
    return { trace, close };
  }
  const tick = (given: Partial<SeriesSpec> = {}): SeriesSpec =>
    seriesSpecSchema.parse({ expr: 'sample:tick.value', ...given });

  it.each([{}, { groupBy: 'task' }, { expr: 'delta(sample:tick.value)', where: 'value < 900' }])(
    'are made once for all who wait, while others have their turn: %j',
    async (given) => {
      const { trace, close } = await ticks();
      const chunks = new SlowChunks(trace, 15);
      const large = new LargeSeries({ ...trace, chunks }, new Samples(trace));
      const cancel = new AbortController();
      const ask = (options: PrepareOptions) => large.window(tick(given), 0, trace.durationNs, 100, 'bins', options);
      let turns = 0;
      let done = false;
      const turn = (): void => {
        turns++;
        if (!done) setImmediate(turn);
      };
      setImmediate(turn);
      const steps: number[] = [];
      const onProgress = (progress: { done: number; total: number }): void => {
        steps.push(progress.done / progress.total);
        cancel.abort();
      };
      const [first, second, third] = await Promise.allSettled([
        ask({ signal: cancel.signal }),
        ask({ onProgress }),
        ask({}),
      ]);
      done = true;
      expect(first).toMatchObject({ status: 'rejected', reason: { detail: { code: 'cancelled' } } });
      if (second.status !== 'fulfilled' || third.status !== 'fulfilled') throw new Error('failed');
      expect(second.value).toEqual(third.value);
      expect(second.value.lines[0]?.samples).toBeGreaterThan(10_000);
      expect(chunks.selected).toBe(chunks.all);
      expect(turns).toBeGreaterThan(2);
      expect(steps.length).toBeGreaterThan(1);
      expect(steps.every((step, i) => step >= (steps[i - 1] ?? 0) && step <= 1)).toBe(true);
      close();
    },
  );

  it('are kept, too, where nobody waits for them any more', async () => {
    const { trace, close } = await ticks();
    const chunks = new SlowChunks(trace, 15);
    const large = new LargeSeries({ ...trace, chunks }, new Samples(trace));
    const cancel = new AbortController();
    const ask = (options: PrepareOptions) => large.window(tick(), 0, trace.durationNs, 100, 'bins', options);
    const first = ask({ signal: cancel.signal, onProgress: () => cancel.abort() });
    await expect(first).rejects.toMatchObject({ detail: { code: 'cancelled' } });
    expect(chunks.selected).toBeLessThan(chunks.all);
    await vi.waitFor(() => expect(chunks.selected).toBe(chunks.all));
    await new Promise(setImmediate);
    await ask({});
    expect(chunks.selected).toBe(chunks.all);
    close();
  });

  it('are not looked at in part any more once that is cancelled', async () => {
    const { trace, close } = await ticks();
    const small = inSmallChunks(trace, 5000);
    const cancel = new AbortController();
    const chunks = new SlowChunks(small, 30);
    const large = new LargeSeries({ ...small, chunks }, new Samples(small));
    for (const given of [{}, { groupBy: 'task' }]) {
      chunks.selected = 0;
      const look = large.firstLook(tick(given), 0, trace.durationNs, 100, { signal: cancel.signal });
      cancel.abort();
      await expect(look).rejects.toMatchObject({ detail: { code: 'cancelled' } });
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(chunks.selected).toBe(1);
    }
    close();
  });

  it('say the same after a read that failed', async () => {
    const { trace, close } = await ticks();
    let readsUntilFailure = Number.POSITIVE_INFINITY;
    const failing = (bytes: CpuBytes): CpuBytes => ({
      ...{ cpu: bytes.cpu, size: bytes.size, warnings: bytes.warnings },
      fileOffset: (position) => bytes.fileOffset(position),
      read(position, length, into) {
        if (--readsUntilFailure < 0) throw new Error('the disk is gone');
        return bytes.read(position, length, into);
      },
    });
    const streams = trace.streams.map((stream) => ({
      ...stream,
      cpus: stream.cpus.map((cpu) => ({ ...cpu, bytes: failing(cpu.bytes) })),
    }));
    // Room for two plots, and for samples of two segments.
    const budgets = { ...trace.budgets, series: 16e6 };
    // Each chunk is a segment.
    const sizes = { ...USUAL_SIZES, segmentEvents: 1000 };
    const large = new LargeSeries({ ...trace, streams, budgets }, new Samples(trace), sizes);
    const ask = (part: number, groupBy: string) => {
      const from = Math.floor(trace.durationNs * part);
      return large.window(tick({ groupBy, expr: 'delta(sample:tick.value)' }), from, from + 50_000, 100, 'auto');
    };
    // At the beginning of a chunk.
    const before = await ask(0.12, '');
    // It has begun to decode when that fails.
    readsUntilFailure = 2;
    await expect(ask(0.7, '')).rejects.toThrow('the disk is gone');
    readsUntilFailure = Number.POSITIVE_INFINITY;
    // Their samples take the place of those that are kept.
    for (const part of [0.2, 0.4, 0.6, 0.8]) await ask(part, 'cpu');
    expect(await ask(0.12, '')).toEqual(before);
    close();
  });

  it('read in a narrow window what lies around it, once', async () => {
    const { trace, close } = await ticks();
    let selected = 0;
    const chunks: ChunkSource = {
      get: (info) => trace.chunks.get(info),
      select(info, id, space) {
        selected++;
        return trace.chunks.select(info, id, space);
      },
    };
    const large = new LargeSeries({ ...trace, chunks }, new Samples(trace));
    for (const given of [{}, { groupBy: 'cpu' }, { expr: 'rate(sample:tick.value)' }]) {
      await large.window(tick(given), 0, trace.durationNs, 100, 'auto');
      const from = Math.floor(trace.durationNs * 0.00055) * 1000;
      selected = 0;
      const found = await large.window(tick(given), from, from + 50_000, 100, 'auto');
      expect(found.lines[0]).toMatchObject({ mode: 'raw', samples: 51 });
      expect(selected).toBeGreaterThan(0);
      // A segment, and what is next to it.
      expect(selected).toBeLessThanOrEqual(3);
      selected = 0;
      await large.window(tick(given), from + 1000, from + 90_000, 100, 'auto');
      expect(selected).toBe(0);
    }
    close();
  });

  it.each(['delta(sample:tick.value)', 'rate(sample:tick.value) * 2', 'sample:tick.value + 1'])(
    'say the same with little memory as with much: %s',
    async (expr) => {
      const { trace, close } = await ticks();
      const { durationNs } = trace;
      const small = { ...trace, budgets: memoryBudgets(2) };
      const windows = [
        [0, durationNs, 77, 'bins'],
        [durationNs * 0.3, durationNs * 0.8, 100, 'bins'],
        [durationNs * 0.5, durationNs * 0.5001, 100, 'auto'],
        [Math.floor(durationNs * 0.7), Math.floor(durationNs * 0.71), 1, 'raw'],
      ] as const;
      for (const groupBy of ['', 'task']) {
        const spec = tick({ expr, groupBy });
        const [much, little] = [trace, small].map((each) => new LargeSeries(each, new Samples(each)));
        for (const [from, to, bins, mode] of windows) {
          const found = await little?.window(spec, from, to, bins, mode);
          expect(found?.lines.length).toBe(groupBy === '' ? 1 : 7);
          expect(found).toEqual(await much?.window(spec, from, to, bins, mode));
        }
        // Only what is one by one as much as the answer says is refused.
        const refused = /0\.\d million sample:tick events.*shorter time/;
        await expect(little?.window(spec, 0, durationNs, 1, 'raw')).rejects.toThrow(refused);
        const all = await much?.window(spec, 0, durationNs, 1, 'raw');
        expect(all?.lines.reduce((sum, { samples }) => sum + samples, 0)).toBeGreaterThan(599_000);
      }
      close();
    },
    60_000,
  );
});
