import { deflateSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { bytesSource, wholeOf } from '../../../electron/parse/byte-source.ts';
import { openCpuBytes } from '../../../electron/parse/cpu-data.ts';
import { latin1 } from '../../../electron/parse/cursor.ts';
import { mostUnpacked, unpack } from '../../../electron/parse/decompress.ts';
import type { RecordingHead } from '../../../electron/parse/recording.ts';
import { correctTime } from '../../../electron/parse/time-correction.ts';
import { readTraceDat } from '../../../electron/parse/trace-dat.ts';
import { visitRecords } from '../../../electron/query/records.ts';
import { ByteWriter } from '../../build/bytes.ts';
import { headerPageText } from '../../build/formats.ts';
import { buildSubBuffers, type RingAbi } from '../../build/sub-buffer.ts';
import { type BuiltRecording, buildTraceDat } from '../../build/trace-dat.ts';

const NAME = 'built.dat';
const abi: RingAbi = { littleEndian: true, longBytes: 8, subBufferBytes: 1024 };
const read = (bytes: Uint8Array): RecordingHead => readTraceDat(bytesSource(bytes, NAME));
const messages = (head: RecordingHead): string[] => head.warnings.map(({ message }) => message);

const payload = Uint8Array.of(9, 0, 0, 0, 7, 0, 0, 0);
function built(parts: Partial<BuiltRecording> = {}): BuiltRecording {
  const cpu = [
    { time: 1000n, payload },
    { time: 1010n, payload },
  ];
  return {
    version: 7,
    compression: 'none',
    abi,
    formats: [],
    buffers: [{ name: '', clock: 'local', cpus: [cpu] }],
    comms: [],
    uname: '',
    kallsyms: '',
    printkFormats: '',
    options: [],
    ...parts,
  };
}

function countOf(bytes: Uint8Array): number {
  const source = bytesSource(bytes, NAME);
  const head = readTraceDat(source);
  let count = 0;
  visitRecords(
    head.buffers.map((buffer) => ({ source, head, buffer })),
    () => count++,
  );
  return count;
}

/** A version 6 file, each byte of its head written out. */
function literal6(): ByteWriter {
  return new ByteWriter(true)
    .raw(Uint8Array.of(0x17, 0x08, 0x44)) // magic
    .text('tracing')
    .raw(Uint8Array.of(0x36, 0)) // version "6"
    .raw(Uint8Array.of(0)) // little-endian
    .raw(Uint8Array.of(8)) // bytes of a long
    .raw(Uint8Array.of(0, 4, 0, 0)) // page size 1024
    .cstring('header_page')
    .u64(3)
    .text('abc')
    .cstring('header_event')
    .u64(2)
    .text('de')
    .u32(1) // one format of the ftrace system
    .u64(20)
    .text('name: print\nID: 5\nfo')
    .u32(1) // one system
    .cstring('sched')
    .u32(1)
    .u64(16)
    .text('name: wake\nID: 9')
    .u32(4) // kallsyms
    .text('syms')
    .u32(5) // printk formats
    .text('print')
    .u64(9) // saved_cmdlines
    .text('7 a task\n')
    .u32(2); // CPUs
}

describe('version 6, byte by byte', () => {
  test('sections, options, the table of CPUs', () => {
    const file = literal6()
      .cstring('options  ')
      .raw(Uint8Array.of(5, 0, 2, 0, 0, 0)) // uname, 2 bytes
      .cstring('u')
      .u16(0)
      .cstring('flyrecord')
      .u64(1024)
      .u64(1024)
      .u64(2048)
      .u64(0)
      .padTo(1024)
      .raw(buildSubBuffers([{ time: 1000n, payload }], abi));
    const head = read(file.done());
    expect(head).toMatchObject({ version: 6, pageBytes: 1024, uname: 'u', headerPage: 'abc', headerEvent: 'de' });
    expect(head).toMatchObject({ printkFormats: 'print', cpuCount: 2, warnings: [] });
    expect(latin1(wholeOf(head.kallsyms()))).toBe('syms');
    expect(head.formats.map(({ system, name, id }) => [system, name, id])).toEqual([
      ['ftrace', 'print', 5],
      ['sched', 'wake', 9],
    ]);
    expect(head.comms.get(7)).toBe('a task');
    // The second CPU's data has no bytes.
    expect(head.buffers[0]?.cpus).toMatchObject([{ cpu: 0, offset: 1024, bytes: 1024 }]);
    expect(countOf(file.done())).toBe(1);
  });
  test('without options; a latency tracer’s text in place of data', () => {
    const file = literal6().cstring('latency  ').text('# tracer: wakeup\n');
    const head = read(file.done());
    expect(head.latencyText).toEqual({ offset: file.length - 17, bytes: 17 });
    expect(head.warnings).toEqual([]);
  });
  test('something else in place of the table', () => {
    const file = literal6().cstring('nonsense!');
    expect(read(file.done()).warnings).toMatchObject([
      {
        file: NAME,
        offset: file.length - 10,
        section: 'cpu table',
        expected: '"flyrecord" or "latency"',
        found: '"nonsense!"',
      },
    ]);
  });
});

describe('a damaged fixed part is mended by what follows', () => {
  const change = (version: 6 | 7, at: number, value: number): RecordingHead => {
    const bytes = buildTraceDat(built({ version }));
    bytes[at] = value;
    expect(countOf(bytes)).toBe(2);
    return read(bytes);
  };
  test.each([6, 7] as const)('version %i', (version) => {
    expect(change(version, 10, 0x78)).toMatchObject({ version, warnings: [{ offset: 10, found: '"x"' }] });
    expect(change(version, 12, 1)).toMatchObject({
      abi: { littleEndian: true },
      warnings: [{ offset: 12, found: '1' }],
    });
    expect(change(version, 12, 200)).toMatchObject({
      abi: { littleEndian: true },
      warnings: [{ offset: 12, found: '200' }],
    });
    expect(change(version, 13, 255)).toMatchObject({ abi: { longBytes: 8 }, warnings: [{ offset: 13 }] });
    expect(change(version, 15, 3)).toMatchObject({ pageBytes: 1024, warnings: [{ offset: 14 }] });
  });
  test('a version to come is not guessed at', () => {
    const bytes = buildTraceDat(built());
    bytes[10] = 0x38;
    expect(() => read(bytes)).toThrow('version "8"');
  });
});

describe('options', () => {
  const withOptions = (...options: BuiltRecording['options']): RecordingHead => read(buildTraceDat(built({ options })));
  test('unknown ones are kept as they are', () => {
    const head = withOptions({ id: 777, data: Buffer.from('vendor') });
    expect(head.options.find(({ id }) => id === 777)).toMatchObject({
      name: 'unknown-777',
      data: Uint8Array.from(Buffer.from('vendor')),
    });
    expect(head.warnings).toEqual([]);
  });
  test('of a size that is not theirs they are kept and not used', () => {
    const head = withOptions(
      { id: 14, data: new Uint8Array(15).fill(1) }, // tsc2nsec has 16 bytes
      { id: 8, data: new Uint8Array(3).fill(9) }, // cpucount has 4
      { id: 16, data: new Uint8Array(4) }, // a section's offset has 8
      { id: 12, data: new Uint8Array(3) }, // time_shift begins with 16
    );
    expect(head.buffers[0]?.time).toEqual({ offsetNs: 0n, ticks: null, shifts: new Map(), interpolateShifts: false });
    expect(head.cpuCount).toBe(1);
    expect(head.options.filter(({ id }) => [14, 8, 16, 12].includes(id)).length).toBeGreaterThanOrEqual(4);
    expect(messages(head)).toEqual([expect.stringContaining('3 bytes do not hold what this option should')]);
  });
  test('a count that the option has no room for', () => {
    const data = new ByteWriter(true).u64(1).u32(0).u32(1).u32(0xffff_ffff).done();
    expect(messages(withOptions({ id: 12, data }))[0]).toContain('4294967295 corrections');
  });
  test.each([
    ['1', 7, '-0x10\0', 1000n - 16n],
    ['a date counts microseconds', 1, '5', 1000n + 5000n],
    ['no number', 7, 'x', 1000n],
  ])('time offsets: %s', (_, id, text, expected) => {
    const head = withOptions({ id, data: Buffer.from(text) });
    expect(correctTime(1000n, (head.buffers[0] as RecordingHead['buffers'][number]).time, 0)).toBe(expected);
  });
  test('ticks to nanoseconds, and a guest’s shift before it', () => {
    const ticks = new ByteWriter(true).u32(3).u32(1).u64(100).done();
    const shift = new ByteWriter(true).u64(1).u32(0).u32(1).u32(1).u64(0).u64(50).u64(1).done();
    const head = withOptions({ id: 14, data: ticks }, { id: 12, data: shift });
    // (1000 + 50) · 3 >> 1; the option's offset moves nothing
    expect(correctTime(1000n, (head.buffers[0] as RecordingHead['buffers'][number]).time, 0)).toBe(1575n);
  });
  /** TIME_SHIFT: of each CPU times, offsets and scalings; then of each fraction bits. */
  const shiftOf = (flags: number, cpus: bigint[][][], fractions: bigint[][] = []): { id: number; data: Uint8Array } => {
    const data = new ByteWriter(true).u64(7).u32(flags).u32(cpus.length);
    for (const [times = [], ...columns] of cpus) {
      data.u32(times.length);
      for (const value of [times, ...columns].flat()) data.u64(BigInt.asUintN(64, value));
    }
    for (const bits of fractions.flat()) data.u64(bits);
    return { id: 12, data: data.done() };
  };
  const RAW = 3_007_794_383_949n;
  const ONE = [[1n], [5n], [3n]];
  // As trace-cmd 3.1.6 prints the first event of CPU 0 of host-lost.dat in the corpus, given such options.
  test.each<[string, ReturnType<typeof shiftOf>[], bigint]>([
    [
      'out of order, and twice at one time',
      [
        shiftOf(1, [
          [
            [RAW + 1_000_001n, RAW - 2_000_000n, RAW - 2_000_000n],
            [-500_000_003n, 70_000n, 9n],
            [1n, 1n, 5n],
          ],
          ONE,
        ]),
      ],
      3_007_461_074_059n,
    ],
    [
      'fractions of a scale',
      [
        shiftOf(
          0,
          [
            [
              [RAW - 100n, RAW + 100n, RAW + 200n],
              [-5n, -6n, -7n],
              [3n << 31n, 1n, 1n],
            ],
            ONE,
          ],
          [[32n, 0n, 0n], [9n]],
        ),
      ],
      1_975_915_118n,
    ],
    [
      'more than 64 bits hold',
      [
        shiftOf(1, [
          [
            [1n, RAW + 1n],
            [0n, 1n << 61n],
            [1n << 40n, 1n],
          ],
          ONE,
        ]),
      ],
      9_515_064_775_119_287_687n,
    ],
    ['the last of two', [shiftOf(0, [ONE, ONE]), shiftOf(0, [[[1n], [-1n], [9n]]])], RAW - 1n],
  ])('a guest’s shift as trace-cmd computes it: %s', (_, options, expected) => {
    const { time } = withOptions(...options).buffers[0] as RecordingHead['buffers'][number];
    expect(correctTime(RAW, time, 0)).toBe(expected);
    // The second CPU has one sample, or none.
    expect(correctTime(RAW, time, 1)).toBe(options.length === 1 ? RAW + 5n : RAW);
  });
  test('a guest’s shift that is cut is not used', () => {
    const { data } = shiftOf(0, [ONE, ONE]);
    const head = withOptions({ id: 12, data: data.subarray(0, -1) });
    expect(head.buffers[0]?.time.shifts.size).toBe(0);
    expect(messages(head)).toEqual([expect.stringContaining('kept, not used')]);
  });
  // What trace-cmd 3.1.6 prints for an event of host-lost.dat in the corpus, given such an option.
  test.each([
    [1_234_567, 21, 1_770_650_715_450n],
    // It takes multipliers as signed.
    [3_000_000_000, 31, 18_446_742_268_550_932_670n],
    [0x7fff_ffff, 32, 1_503_897_191_274n],
    [123_456_789, 40, 7_782_220_156_096_364_996n],
    [99, 63, 595_282_467_225_600n],
    [1000, 64, 3_007_794_383_949_000n],
    [0, 5, 3_007_794_383_949n],
  ])('ticks · %i >> %i, as trace-cmd computes it', (multiplier, shift, expected) => {
    const head = withOptions({ id: 14, data: new ByteWriter(true).u32(multiplier).u32(shift).u64(1_000_000).done() });
    const { time } = head.buffers[0] as RecordingHead['buffers'][number];
    expect(correctTime(3_007_794_383_949n, time, 0)).toBe(expected);
  });
});

/** A version 7 file of these sections and buffers; `next` of the options leads to `loopTo`. */
function sections7(
  options: (into: ByteWriter, at: number) => void,
  body: (into: ByteWriter) => void = () => {},
): Uint8Array {
  const out = new ByteWriter(true)
    .raw(Uint8Array.of(0x17, 0x08, 0x44))
    .text('tracing')
    .cstring('7');
  out.u8(0).u8(8).u32(1024).cstring('zlib').cstring('1');
  const firstAt = out.length;
  out.u64(0);
  body(out);
  const at = out.length;
  out.patch64(firstAt, at);
  out.u16(0).u16(0).u32(0);
  const sizeAt = out.length;
  out.u64(0);
  options(out, at);
  out.patch64(sizeAt, out.length - sizeAt - 8);
  return out.done();
}
const end = (out: ByteWriter, next: number): void => void out.u16(0).u32(8).u64(next);

describe('sections of version 7', () => {
  test('a chain of options that comes back to itself', () => {
    const bytes = sections7((out, at) => end(out, at));
    expect(read(bytes).warnings).toMatchObject([{ file: NAME, section: 'options', found: 'a loop' }]);
  });
  test('none of them is there', () => {
    const head = read(sections7((out) => end(out, 0)));
    expect(head).toMatchObject({ formats: [], buffers: [], warnings: [] });
    expect(head.kallsyms().size).toBe(0);
  });
  test('an offset outside the file, and one to another section', () => {
    const head = read(
      sections7((out, at) => {
        out.u16(16).u32(8).u64(10_000_000);
        out.u16(19).u32(8).u64(at);
        end(out, 0);
      }),
    );
    expect(head.warnings).toMatchObject([
      { section: 'header info', file: NAME },
      { section: 'kallsyms', expected: 'section 19', found: 'section 0' },
    ]);
  });
  /** A recording whose symbols are packed, and claim to be of `unpacked` bytes. */
  const withSymbols = (packed: Uint8Array, unpacked: number): RecordingHead => {
    let at = 0;
    return read(
      sections7(
        (out) => {
          out.u16(19).u32(8).u64(at);
          end(out, 0);
        },
        (out) => {
          at = out.length;
          out
            .u16(19)
            .u16(1)
            .u32(0)
            .u64(packed.length + 8)
            .u32(packed.length)
            .u32(unpacked)
            .raw(packed);
        },
      ),
    );
  };
  test('a section that claims gigabytes is not unpacked', () => {
    expect(withSymbols(deflateSync(new Uint8Array(100)), 0xf000_0000).warnings).toMatchObject([
      { section: 'kallsyms', found: expect.stringContaining('claims to hold 4026531840') },
    ]);
  });
  test('packed symbols are unpacked when they are asked for, and what is wrong with them is told then, once', () => {
    const text = 'ffffffff81000000 T _text\n';
    const whole = Buffer.alloc(4 + text.length);
    whole.writeUInt32LE(text.length);
    whole.write(text, 4, 'latin1');
    const sound = withSymbols(deflateSync(whole), whole.length);
    expect(latin1(wholeOf(sound.kallsyms()))).toBe(text);
    expect(sound.warnings).toEqual([]);
    const spoilt = withSymbols(deflateSync(whole).fill(0xff, 5), whole.length);
    expect(spoilt.warnings).toEqual([]);
    for (let time = 0; time < 2; time++) {
      expect(spoilt.kallsyms().size).toBe(0);
      expect(spoilt.warnings).toMatchObject([{ section: 'kallsyms', expected: 'packed data' }]);
    }
  });
  test('a buffer has sub-buffers of its own size; what cannot be one is not believed', () => {
    const withPage = (pageBytes: number): RecordingHead =>
      read(
        sections7((out) => {
          const name = new ByteWriter(true).u64(0).cstring('b').cstring('mono').u32(pageBytes).u32(0).done();
          out.u16(3).u32(name.length).raw(name);
          end(out, 0);
        }),
      );
    expect(withPage(65_536).buffers[0]).toMatchObject({ name: 'b', clock: 'mono', subBufferBytes: 65_536 });
    expect(withPage(0).buffers[0]?.subBufferBytes).toBe(1024);
    expect(withPage(0x8000_0400).buffers[0]?.subBufferBytes).toBe(1024);
    expect(messages(withPage(0x8000_0400)).join()).toContain('no sub-buffer is of 2147484672 bytes');
  });
  test('a table of more CPUs than the option holds', () => {
    const head = read(
      sections7((out) => {
        const option = new ByteWriter(true).u64(0).cstring('').cstring('').u32(1024).u32(10_000).done();
        out.u16(3).u32(option.length).raw(option);
        end(out, 0);
      }),
    );
    expect(messages(head)[0]).toContain('10000 CPUs');
  });
});

describe('chunks of packed data', () => {
  const chunked = (...chunks: [claimed: number, packed: Uint8Array][]): ReturnType<typeof openCpuBytes> => {
    const out = new ByteWriter(true).u32(chunks.length);
    for (const [claimed, packed] of chunks) out.u32(packed.length).u32(claimed).raw(packed);
    const data = { cpu: 3, offset: 0, bytes: out.length, compressed: true, littleEndian: true };
    return openCpuBytes(bytesSource(out.done(), NAME), data, 'zstd');
  };
  const zeros = zstdCompressSync(new Uint8Array(2048).fill(1));
  test('one that claims gigabytes is left out, the next is read', () => {
    const cpu = chunked([0xf000_0000, zeros], [2048, zeros]);
    expect(cpu.size).toBe(2048);
    expect(cpu.read(0, 4)).toEqual(Uint8Array.of(1, 1, 1, 1));
    expect(cpu.warnings).toMatchObject([{ offset: 4, section: 'cpu 3 data', found: '4026531840 bytes' }]);
  });
  test('one that does not unpack reads as zeros', () => {
    const cpu = chunked([2048, new Uint8Array(9).fill(5)], [2048, zeros]);
    expect(cpu.read(2046, 4)).toEqual(Uint8Array.of(0, 0, 1, 1));
    expect(cpu.warnings).toHaveLength(1);
  });
  test('a bomb that keeps its claim small is stopped there', () => {
    const bomb = deflateSync(new Uint8Array(64 << 20));
    expect(() => unpack('zlib', bomb, 4096)).toThrow('does not unpack');
    expect(mostUnpacked(1000)).toBeLessThanOrEqual(1000 * 2048);
  });
});

describe('many CPUs', () => {
  const manyCpus = (
    cpus: number,
    place: (cpu: number, dataAt: number) => [offset: number, bytes: number],
  ): Uint8Array => {
    const out = new ByteWriter(true)
      .raw(Uint8Array.of(0x17, 0x08, 0x44))
      .text('tracing')
      .cstring('6');
    out.u8(0).u8(8).u32(1024).cstring('header_page');
    const page = headerPageText(abi);
    out.u64(page.length).text(page).cstring('header_event').u64(0);
    out.u32(0).u32(0).u32(0).u32(0).u64(0).u32(cpus).cstring('flyrecord');
    const tableAt = out.length;
    out.raw(new Uint8Array(16 * cpus)).padTo(1024);
    const dataAt = out.length;
    for (let cpu = 0; cpu < cpus; cpu++) {
      const [offset, bytes] = place(cpu, dataAt);
      out.patch64(tableAt + 16 * cpu, offset);
      out.patch64(tableAt + 16 * cpu + 8, bytes);
    }
    for (let cpu = 0; cpu < cpus; cpu++) out.raw(buildSubBuffers([{ time: BigInt(10_000 - cpu), payload }], abi));
    return out.done();
  };
  test('ten thousand of them are read in time order', () => {
    const bytes = manyCpus(10_000, (cpu, dataAt) => [dataAt + cpu * 1024, 1024]);
    const source = bytesSource(bytes, NAME);
    const head = readTraceDat(source);
    const cpus: number[] = [];
    visitRecords(
      head.buffers.map((buffer) => ({ source, head, buffer })),
      ({ cpu }) => cpus.push(cpu),
    );
    expect(head.warnings).toEqual([]);
    expect(cpus).toEqual(Array.from({ length: 10_000 }, (_, i) => 9999 - i));
  });
  test('ten thousand that all claim the whole file are two readings of it', () => {
    const bytes = manyCpus(10_000, (_, dataAt) => [dataAt, 10_000 * 1024]);
    const head = read(bytes);
    const claimed = head.buffers.flatMap(({ cpus }) => cpus).reduce((sum, { bytes: size }) => sum + size, 0);
    expect(claimed).toBeLessThanOrEqual(2 * bytes.length);
    expect(head.warnings).toHaveLength(9999);
    expect(head.warnings.at(-1)?.message).toContain('left out');
  });
  test('two that overlap are both read, and told of', () => {
    const bytes = manyCpus(2, (cpu, dataAt) => [dataAt, cpu === 0 ? 2048 : 1024]);
    expect(countOf(bytes)).toBe(3);
    expect(messages(read(bytes))).toEqual(["these 1024 bytes are another CPU's too"]);
  });
  test('data behind the end of the file, and beyond any file', () => {
    const bytes = manyCpus(2, (cpu) => (cpu === 0 ? [1 << 30, 1024] : [2 ** 60, 1024]));
    const source = bytesSource(bytes, NAME);
    const head = readTraceDat(source);
    expect(messages(head).join()).toContain('cpu 1: an offset or size beyond any file');
    const damage = visitRecords(
      head.buffers.map((buffer) => ({ source, head, buffer })),
      () => {},
    );
    expect(damage).toMatchObject([{ offset: bytes.length, section: 'cpu 0 data', found: '0 bytes' }]);
  });
});

test('sub-buffers of 64 KiB', () => {
  const large: RingAbi = { ...abi, subBufferBytes: 65_536 };
  const cpu = Array.from({ length: 9000 }, (_, i) => ({ time: BigInt(1000 + i), payload }));
  const bytes = buildTraceDat(built({ abi: large, buffers: [{ name: '', clock: 'local', cpus: [cpu] }] }));
  expect(countOf(bytes)).toBe(9000);
});
