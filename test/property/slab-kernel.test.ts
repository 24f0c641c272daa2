import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SlabIndexer, type SlabJob, type SlabResult } from '../../electron/engine/index-slab.ts';
import { KeptEvents } from '../../electron/engine/kept-events.ts';
import { SlabKernel } from '../../electron/engine/slab-kernel.ts';
import { bytesSource } from '../../electron/parse/byte-source.ts';
import { openCpuBytes } from '../../electron/parse/cpu-data.ts';
import { type SubBufferLayout, SubBufferScanner } from '../../electron/parse/sub-buffer.ts';
import { ChunkEncoder } from '../../electron/store/chunk-encoder.ts';

/**
 * The kernel of indexing against the general code that it is a shortcut of: byte for byte the same chunks, losses, damage and
 * kept events, on sub-buffers put together word by word, sound and unsound.
 */

const KINDS = { always: [3, 300], taskSwitch: 7, named: Int32Array.of(0, 9) };

interface Words {
  time: bigint;
  /** Added to the bytes of data that the sub-buffer says it has. */
  more: number;
  missed: 'none' | 'some' | 'counted';
  records: number[][];
}

/** Sub-buffers as a kernel of 64 bits would write them, little-endian; records that do not fit are left out. */
function subBuffers(list: readonly Words[], bytes: number, dataOffset: number): Uint8Array {
  const out = Buffer.alloc(list.length * bytes);
  list.forEach(({ time, more, missed, records }, index) => {
    const start = index * bytes;
    let at = start + dataOffset;
    for (const record of records) {
      if (at + record.length * 4 > start + bytes) break;
      for (const word of record) at = out.writeUInt32LE(word >>> 0, at);
    }
    const size = at - start - dataOffset;
    out.writeBigUInt64LE(BigInt.asUintN(64, time), start);
    const flags = missed === 'none' ? 0 : missed === 'some' ? 0x8000_0000 : 0xc000_0000;
    out.writeUInt32LE((flags | Math.max(0, size + more)) >>> 0, start + 8);
    if (missed === 'counted' && at + 8 <= start + bytes) out.writeBigUInt64LE(77n, at);
  });
  return out;
}

const event = (id: number, pid: number, delta: number, extra: readonly number[]): number[] => {
  const payload = [id | 0x5a5a_0000, pid, ...extra];
  return [(delta << 5) | payload.length, ...payload];
};
const longEvent = (id: number, pid: number, delta: number, extra: readonly number[]): number[] => {
  const payload = [id, pid, ...extra];
  return [delta << 5, payload.length * 4 + 4, ...payload];
};

const some = (most: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: most });
const word = some(0xffff_ffff);
const id = fc.oneof(some(9), some(400), some(0xffff));
const pid = fc.oneof(some(12), some(1000), some((1 << 22) - 1));
const delta = fc.oneof(some(1000), some(0x07ff_ffff));
const extra = fc.array(word, { maxLength: 6 });
const sound: fc.Arbitrary<number[]> = fc.oneof(
  { weight: 12, arbitrary: fc.tuple(id, pid, delta, extra).map((parts) => event(...parts)) },
  { weight: 2, arbitrary: fc.tuple(id, pid, delta, extra).map((parts) => longEvent(...parts)) },
  { weight: 2, arbitrary: fc.tuple(delta, some(1 << 10)).map(([low, high]) => [(low << 5) | 30, high]) },
  { weight: 1, arbitrary: fc.tuple(delta, word).map(([low, high]) => [(low << 5) | 31, high]) },
  {
    weight: 1,
    arbitrary: fc.tuple(delta, some(3)).map(([low, n]) => [((low | 1) << 5) | 29, n * 4 + 4, ...Array(n).fill(1)]),
  },
);
const unsound: fc.Arbitrary<number[]> = fc.oneof(
  fc.array(word, { minLength: 1, maxLength: 4 }),
  fc.constant<number[]>([29]),
  fc.tuple(id, word, delta).map(([kind, task, step]) => event(kind, task, step, [])),
  fc.tuple(delta, word).map(([low, high]) => [(low << 5) | 30, high]),
);
const buffers = (record: fc.Arbitrary<number[]>, more: fc.Arbitrary<number>): fc.Arbitrary<Words[]> =>
  fc.array(
    fc.record({
      time: fc.oneof(fc.bigInt(0n, 1n << 34n), fc.bigInt(0n, 1n << 52n), fc.bigInt(0n, (1n << 64n) - 1n)),
      more,
      missed: fc.constantFrom('none' as const, 'none' as const, 'some' as const, 'counted' as const),
      records: fc.array(record, { maxLength: 40 }),
    }),
    { maxLength: 30 },
  );

const layoutOf = (subBufferBytes: number, commitBytes: 4 | 8): SubBufferLayout => ({
  abi: { littleEndian: true, longBytes: 8 },
  subBufferBytes,
  commitBytes,
  dataOffset: 8 + commitBytes,
  typeOffset: 0,
  pidOffset: 4,
});

function both(data: Uint8Array, layout: SubBufferLayout, rawOrigin: bigint): [SlabResult, SlabResult] {
  const bytes = openCpuBytes(
    bytesSource(data),
    { cpu: 0, offset: 0, bytes: data.length, compressed: false, littleEndian: true },
    'none',
  );
  const time = { offsetNs: 0n, ticks: null, shifts: new Map(), interpolateShifts: false };
  const job: SlabJob = { cpu: 0, layout, time, rawOrigin, origin: rawOrigin, from: 0, to: data.length };
  const kernel = new SlabKernel();
  const fast = new SlabIndexer(new ChunkEncoder(), new KeptEvents(KINDS, kernel), kernel);
  const general = new SlabIndexer(new ChunkEncoder(), new KeptEvents(KINDS), null);
  // Twice: nothing of the first must be left for the second.
  fast.index(bytes, job);
  general.index(bytes, job);
  return [fast.index(bytes, job), general.index(bytes, job)];
}

describe('the kernel of indexing', () => {
  const shapes = fc.constantFrom(layoutOf(512, 8), layoutOf(1024, 4), layoutOf(4096, 8));
  const origins = fc.oneof(fc.constant(0n), fc.bigInt(0n, 1n << 34n));
  test('makes the chunks of the general code out of sound data', () => {
    fc.assert(
      fc.property(buffers(sound, fc.constant(0)), shapes, origins, (list, layout, origin) => {
        const [fast, general] = both(subBuffers(list, layout.subBufferBytes, layout.dataOffset), layout, origin);
        expect(fast).toEqual(general);
      }),
      { numRuns: 300 },
    );
  });
  test('and out of unsound data', () => {
    const records = fc.oneof({ weight: 6, arbitrary: sound }, { weight: 1, arbitrary: unsound });
    const more = fc.oneof(
      { weight: 6, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: -9, max: 5000 }) },
    );
    fc.assert(
      fc.property(buffers(records, more), shapes, origins, (list, layout, origin) => {
        const [fast, general] = both(subBuffers(list, layout.subBufferBytes, layout.dataOffset), layout, origin);
        expect(fast).toEqual(general);
      }),
      { numRuns: 300 },
    );
  });

  const layout = layoutOf(4096, 8);
  const many = (records: (i: number) => number[], n: number): Words[] => {
    const list: Words[] = [];
    for (let i = 0; i < n; i += 200)
      list.push({
        time: BigInt(i) * 1000n,
        more: 0,
        missed: i === 100_000 ? 'counted' : 'none',
        records: Array.from({ length: Math.min(200, n - i) }, (_, k) => records(i + k)),
      });
    return list;
  };
  test.each<[string, (i: number) => number[]]>([
    ['few kinds and tasks', (i) => event(i % 5, 100 + (i % 7), 3, [])],
    ['more than 256 kinds', (i) => event(i % 400, 1, 3, [])],
    ['more than 256 tasks', (i) => event(1, (i * 7919) % 50_000, 3, [])],
    ['first switches of many tasks', (i) => event(7, i % 3000, 3, [])],
    ['more than are kept', () => event(3, 1, 3, [])],
  ])('fills several chunks: %s', (_name, records) => {
    const data = subBuffers(many(records, 150_000), layout.subBufferBytes, layout.dataOffset);
    const [fast, general] = both(data, layout, 0n);
    expect(general.chunks.length).toBeGreaterThan(2);
    expect(fast).toEqual(general);
  });

  test('does the usual by itself', () => {
    const data = subBuffers(
      many((i) => event(i % 5, 100, 3, []), 70_000),
      layout.subBufferBytes,
      layout.dataOffset,
    );
    const scan = SubBufferScanner.prototype.scan;
    let general = 0;
    SubBufferScanner.prototype.scan = function (...parts) {
      general++;
      return scan.apply(this, parts);
    };
    try {
      const bytes = openCpuBytes(
        bytesSource(data),
        { cpu: 0, offset: 0, bytes: data.length, compressed: false, littleEndian: true },
        'none',
      );
      const time = { offsetNs: 0n, ticks: null, shifts: new Map(), interpolateShifts: false };
      const job: SlabJob = { cpu: 0, layout, time, rawOrigin: 0n, origin: 0n, from: 0, to: data.length };
      const kernel = new SlabKernel();
      const indexer = new SlabIndexer(new ChunkEncoder(), new KeptEvents(KINDS, kernel), kernel);
      expect(indexer.index(bytes, job).events).toBe(70_000);
    } finally {
      SubBufferScanner.prototype.scan = scan;
    }
    expect(general).toBe(0);
  });
});
