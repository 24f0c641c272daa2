import { describe, expect, test } from 'vitest';
import {
  type LostEvents,
  newColumns,
  type SubBufferLayout,
  SubBufferScanner,
  swapWords,
} from '../../../electron/parse/sub-buffer.ts';
import { Losses } from '../../../electron/query/records.ts';

/** Sub-buffers written out in words, as a machine has them in memory; see the head of sub-buffer.ts. */

const little: SubBufferLayout = {
  abi: { littleEndian: true, longBytes: 8 },
  subBufferBytes: 128,
  commitBytes: 8,
  dataOffset: 16,
  typeOffset: 0,
  pidOffset: 4,
};
const bigLayout = (commitBytes: 4 | 8): SubBufferLayout => ({
  ...little,
  abi: { littleEndian: false, longBytes: commitBytes },
  commitBytes,
  dataOffset: 8 + commitBytes,
});

/** The words of one sub-buffer: time, commit, data; padded to its size. `delta` and `type` share a record's first word. */
function page(
  time: bigint,
  data: number[],
  { flags = 0, behind = [] as number[], size = data.length * 4 } = {},
): number[] {
  const words = [Number(time & 0xffff_ffffn), Number(time >> 32n), (size | flags) >>> 0, 0, ...data, ...behind];
  return [...words, ...Array<number>(32 - words.length).fill(0)];
}
const word = (type: number, delta: number): number => ((delta << 5) | type) >>> 0;
/** A record of 8 bytes: event 0x123, pid 7. */
const event = (delta: number, id = 0x123, pid = 7): number[] => [word(2, delta), id, pid];

function scan(words: number[], layout = little, origin = 1000n): { events: number[][]; scanner: SubBufferScanner } {
  const columns = newColumns(64);
  const scanner = new SubBufferScanner(layout, origin);
  const { count } = scanner.scan(Uint32Array.from(words), 0, 0, columns, 0, 0);
  const events = Array.from({ length: count }, (_, i) => [
    columns.time[i],
    columns.id[i],
    columns.pid[i],
    columns.position[i],
  ]);
  return { events: events as number[][], scanner };
}

describe('records', () => {
  test('deltas add up; id, pid and place are the record’s', () => {
    expect(scan(page(1000n, [...event(5), ...event(7, 0x456, -1)])).events).toEqual([
      [5, 0x123, 7, 16],
      [12, 0x456, -1, 28],
    ]);
  });
  test('a length word of its own counts itself', () => {
    const { events, scanner } = scan(page(1000n, [word(0, 3), 12, 0x123, 9, ...event(1)]));
    expect(events.map(([time, , pid]) => [time, pid])).toEqual([
      [3, 9],
      [4, 7],
    ]);
    expect(scanner.damage).toEqual([]);
  });
  test('a time extend is the upper bits of a delta', () => {
    expect(scan(page(1000n, [word(30, 9), 2, ...event(1)])).events[0]?.[0]).toBe(2 * 2 ** 27 + 10);
  });
  test('an absolute time stamp stands for itself', () => {
    const absolute = 5_000_000_000n;
    const low = Number(absolute & 0x7ff_ffffn);
    expect(scan(page(1000n, [word(31, low), Number(absolute >> 27n), ...event(1)])).events[0]?.[0]).toBe(4_999_999_001);
  });
  test('beyond 59 bits it is completed from the sub-buffer’s time, and goes on where it wraps', () => {
    const top = 1n << 59n;
    const stamp = (time: bigint): number[] => [
      word(31, Number(time & 0x7ff_ffffn)),
      Number((time >> 27n) & 0xffff_ffffn),
    ];
    expect(scan(page(top + 100n, [...stamp(top + 4000n), ...event(0)]), little, top).events[0]?.[0]).toBe(4000);
    // The page began just below the next multiple of 2^59; the stamp lies behind it.
    const before = 2n * top - 10n;
    expect(scan(page(before, [...stamp(2n * top + 5n), ...event(0)]), little, before).events[0]?.[0]).toBe(15);
  });
  test('time may go back, and its order is kept', () => {
    const { events, scanner } = scan([...page(5000n, event(0)), ...page(2000n, event(0))]);
    expect(events.map(([time]) => time)).toEqual([4000, 1000]);
    expect(scanner.damage).toEqual([]);
  });
  test('a discarded event moves the clock and is none', () => {
    expect(scan(page(1000n, [word(29, 4), 8, 0, ...event(1)])).events.map(([time]) => time)).toEqual([5]);
  });
  test('padding without a delta ends the sub-buffer; nothing may follow it', () => {
    expect(scan(page(1000n, [...event(1), word(29, 0)])).scanner.damage).toEqual([]);
    expect(scan(page(1000n, [word(29, 0), ...event(1)])).scanner.damage[0]?.found).toBe('12 bytes behind it');
  });
  test('empty and never-written sub-buffers hold nothing', () => {
    const { events, scanner } = scan([...page(0n, []), ...page(1000n, []), ...page(1000n, event(2))]);
    expect(events).toHaveLength(1);
    expect(scanner.subBuffers).toBe(3);
    expect(scanner.damage).toEqual([]);
  });
});

describe('lost events', () => {
  const missed = 0x8000_0000;
  const stored = 0x4000_0000;
  test('before the first one of the sub-buffer, with and without a count', () => {
    const words = [
      ...page(1000n, event(0)),
      ...page(1000n, event(0), { flags: missed }),
      ...page(1000n, event(0), { flags: missed + stored, behind: [300, 1] }),
    ];
    expect(scan(words).scanner.lost).toEqual([
      { beforeIndex: 1, count: -1, beforeRecord: true },
      { beforeIndex: 2, count: 2 ** 32 + 300, beforeRecord: true },
    ]);
  });
  test.each([
    ['a longer step', [word(30, 1), 1]],
    ['a whole time', [word(31, 2000), 0]],
    ['a discarded event', [word(29, 1), 8, 0]],
  ])('before %s, which comes before the first event', (_, before) => {
    expect(scan(page(1000n, [...before, ...event(0)], { flags: missed })).scanner.lost).toEqual([
      { beforeIndex: 0, count: -1, beforeRecord: false },
    ]);
  });
  test('in a sub-buffer without an event', () => {
    const words = [...page(1000n, [], { flags: missed }), ...page(1000n, event(0))];
    expect(scan(words).scanner.lost).toEqual([{ beforeIndex: 0, count: -1, beforeRecord: false }]);
  });
  test('are told of as trace-cmd does: with the record that they were lost before, in 32 bits', () => {
    const lost: LostEvents[] = [
      { beforeIndex: 1, count: 12, beforeRecord: true },
      { beforeIndex: 3, count: 5, beforeRecord: true },
      { beforeIndex: 3, count: 6, beforeRecord: false },
      { beforeIndex: 4, count: -1, beforeRecord: true },
      { beforeIndex: 5, count: 2 ** 32 + 300, beforeRecord: true },
    ];
    const losses = new Losses(lost);
    expect(losses.waits).toBe(true);
    expect([0, 1, 2, 3, 4, 5].map((index) => losses.before(index))).toEqual([0, 12, 0, 0, -1, 300]);
    expect(losses.waits).toBe(false);
    lost.push({ beforeIndex: 6, count: 1, beforeRecord: true });
    expect(losses.waits).toBe(true);
  });
  test('no room for the count: none is read', () => {
    const full = [word(0, 0), 108, ...Array<number>(26).fill(1)];
    expect(scan(page(1000n, full, { flags: missed + stored })).scanner.lost).toEqual([
      { beforeIndex: 0, count: -1, beforeRecord: true },
    ]);
  });
});

describe('damage ends its sub-buffer and no other', () => {
  const rest = page(1000n, event(1));
  test.each([
    ['a commit beyond the sub-buffer', page(1000n, event(0), { size: 113 * 4 }), 'at most 112 bytes', '452 bytes'],
    ['a commit of no whole words', page(1000n, event(0), { size: 1 }), 'a multiple of 4 bytes', '1 bytes'],
    [
      'a record beyond the data',
      page(1000n, [word(9, 0), 1, 2]),
      'a record of at most 8 bytes',
      'a record of 36 bytes, 8 are left',
    ],
    ['a length below its own', page(1000n, [word(0, 0), 3, 0]), 'a record of 4 bytes or more', 'a record of 3 bytes'],
    ['a time extend that is cut', page(1000n, [word(30, 0)]), 'a time extend of 8 bytes', 'a time extend that is cut'],
    ['a time stamp that is cut', page(1000n, [word(31, 0)]), 'a time stamp of 8 bytes', 'a time stamp that is cut'],
    [
      'padding of gigabytes',
      page(1000n, [word(29, 1), 0x7fff_ffff]),
      'a discarded event of at most 128 bytes',
      'a discarded event of 2147483647 bytes',
    ],
  ])('%s', (_, words, expected, found) => {
    const { events, scanner } = scan([...words, ...rest]);
    expect(scanner.damage).toHaveLength(1);
    expect(scanner.damage[0]).toMatchObject({ expected, found });
    expect(events.at(-1)).toEqual([1, 0x123, 7, 128 + 16]);
  });
});

describe.each([4, 8] as const)('a big-endian machine with longs of %i bytes', (commitBytes) => {
  test('type and delta, ids and halves of numbers lie the other way round', () => {
    const bytes = Buffer.alloc(128);
    bytes.writeBigUInt64BE(1000n, 0);
    if (commitBytes === 8) bytes.writeBigUInt64BE(0x8000_0000n + 12n, 8);
    else bytes.writeUInt32BE(0x8000_0000 + 12, 8);
    const at = 8 + commitBytes;
    bytes.writeUInt32BE(2 * 2 ** 27 + 5, at);
    bytes.writeUInt16BE(0x123, at + 4);
    bytes.writeInt32BE(7, at + 8);
    const words = Uint8Array.from(bytes);
    swapWords(words);
    const { events, scanner } = scan([...new Uint32Array(words.buffer)], bigLayout(commitBytes));
    expect(events).toEqual([[5, 0x123, 7, at]]);
    expect(scanner.lost).toEqual([{ beforeIndex: 0, count: -1, beforeRecord: true }]);
  });
});

test('what does not fit the columns waits for empty ones', () => {
  const columns = newColumns(3);
  const words = Uint32Array.from([
    ...page(1000n, [...event(1), ...event(1)]),
    ...page(2000n, [...event(1), ...event(1)]),
  ]);
  const scanner = new SubBufferScanner(little, 0n);
  const first = scanner.scan(words, 0, 0, columns, 0, 0);
  expect(first).toEqual({ nextByte: 128, count: 2 });
  expect(scanner.scan(words, 0, first.nextByte, columns, 0, 0)).toEqual({ nextByte: 256, count: 2 });
  expect(scanner.eventIndex).toBe(4);
});
