import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkRecording } from '../../../electron/engine/check.ts';
import { bytesSource } from '../../../electron/parse/byte-source.ts';
import { readTraceDat } from '../../../electron/parse/trace-dat.ts';
import { recordings } from '../../build/arbitrary.ts';
import { type BuiltFormat, payloadOf } from '../../build/formats.ts';
import { type BuiltRecording, buildTraceDat } from '../../build/trace-dat.ts';

async function check(bytes: Uint8Array) {
  const source = bytesSource(bytes, 'built.dat');
  return checkRecording(source, readTraceDat(source));
}

const format: BuiltFormat = {
  system: 'writeback',
  name: 'dirty',
  id: 40,
  fields: [
    { name: 'pages', declaration: 'u64', bytes: 8, signed: false, kind: 'number' },
    { name: 'name', declaration: '__data_loc char[]', bytes: 4, signed: true, kind: 'data-loc' },
  ],
  printFmt: '"%llu %s", REC->pages, __get_str(name)',
};
const payload = (i: number): Uint8Array =>
  payloadOf(format, { flags: 0, preemptCount: 0, pid: 7 }, [BigInt(i), `page ${i}`], true);

function built(more: Partial<BuiltRecording> = {}): BuiltRecording {
  const events = Array.from({ length: 200 }, (_, i) => ({ time: 5_000_000n + BigInt(i) * 1000n, payload: payload(i) }));
  return {
    version: 6,
    compression: 'none',
    abi: { littleEndian: true, longBytes: 8, subBufferBytes: 1024 },
    formats: [format],
    buffers: [{ name: '', clock: 'local', cpus: [events, events.slice(0, 3)] }],
    comms: [[7, 'writer']],
    uname: 'Linux built 1.0',
    kallsyms: 'ffffffff81000000 T _text\nffffffffc0000000 t init\t[ext4]\n',
    printkFormats: '0xffffffff82000000 : "text"\n',
    options: [],
    ...more,
  };
}

test('any intact recording has no problem, and its events and losses are counted', async () => {
  await fc.assert(
    fc.asyncProperty(recordings, async ({ recording, expected }) => {
      const { streams, problems, undecodable } = await check(buildTraceDat(recording));
      expect(problems).toEqual([]);
      expect(undecodable).toEqual([]);
      expect(streams.map(({ name }) => name)).toEqual(recording.buffers.map(({ name }) => name));
      for (const [index, cpus] of expected.entries()) {
        for (const { cpu, events, damage } of streams[index]?.cpus ?? []) {
          expect(events).toBe(cpus[cpu]?.length);
          expect(damage).toBe(0);
        }
      }
    }),
    { numRuns: 150 },
  );
});

test('losses with and without a count', async () => {
  const events = [0, 5, -1, 7].map((lostBefore, i) => ({
    time: 1000n + BigInt(i),
    payload: payload(i),
    ...(lostBefore === 0 ? {} : { lostBefore }),
  }));
  const recording = built({ buffers: [{ name: '', clock: 'local', cpus: [events] }] });
  const { streams } = await check(buildTraceDat(recording));
  expect(streams[0]?.cpus).toMatchObject([{ cpu: 0, events: 4, lost: 12, gaps: 1, damage: 0 }]);
});

describe('damage is told with its place, what was expected and what was found', () => {
  const bytes = buildTraceDat(built());
  const dataAt = readTraceDat(bytesSource(bytes)).buffers[0]?.cpus[0]?.offset ?? 0;
  const damaged = (change: (copy: Buffer) => void): Uint8Array => {
    const copy = Buffer.from(bytes);
    change(copy);
    return copy;
  };
  /** The first record of the second sub-buffer: 8 bytes of time and 8 of commit before it. */
  const second = dataAt + 1024;
  const intact = check(bytes);

  test('the file that is damaged here is intact', async () => {
    expect((await intact).problems).toEqual([]);
    expect((await intact).streams[0]?.cpus.map(({ events }) => events)).toEqual([200, 3]);
  });

  test.each([
    [
      'a commit beyond the sub-buffer',
      (copy: Buffer) => copy.writeUInt32LE(0xfffff, second + 8),
      { offset: second + 8, section: 'cpu 0 data', expected: 'at most 1008 bytes', found: '1048575 bytes' },
    ],
    [
      'a record that is longer than what is left',
      (copy: Buffer) => copy.writeUInt32LE(0, second + 16) && copy.writeUInt32LE(0x7fff, second + 20),
      { offset: second + 16, section: 'cpu 0 data', expected: /^a record of at most \d+ bytes$/ },
    ],
    [
      'a time that goes back',
      (copy: Buffer) => copy.writeBigUInt64LE(5n, second),
      { offset: second + 16, section: 'cpu 0 data', message: /the clock goes back from \d+ to 5$/, found: '5' },
    ],
    [
      'a sub-buffer of zeros',
      (copy: Buffer) => copy.fill(0, second, second + 1024),
      { offset: second, section: 'cpu 0 data', expected: 'a time stamp and records', found: 'zeros' },
    ],
    [
      'a record that is too short for its fields',
      // The length in words, in the low five bits: a payload of 8 bytes in place of 32.
      (copy: Buffer) => copy.writeUInt8((copy.readUInt8(second + 16) & 0xe0) | 2, second + 16),
      { offset: second + 16, section: 'cpu 0 data', expected: 'at least 20 bytes', found: '8 bytes' },
    ],
    [
      'text that lies outside of its record',
      // The `__data_loc` word: common fields, then 8 bytes.
      (copy: Buffer) => copy.writeUInt32LE(0x0100_0014, second + 20 + 16),
      { offset: second + 16, section: 'cpu 0 data', expected: /^data within \d+ bytes$/, found: 'bytes 20 to 276' },
    ],
    [
      'a symbol that is none',
      (copy: Buffer) => copy.fill(0, copy.indexOf('_text'), copy.indexOf('_text') + 3),
      {
        offset: Buffer.from(bytes).indexOf('ffffffff81000000 T _text'),
        section: 'kallsyms',
        expected: 'address type name',
        found: '"ffffffff81000000 T \\x00\\x00\\x00xt"',
      },
    ],
    [
      'a field declaration that is none',
      (copy: Buffer) => copy.write('fie1d', copy.indexOf('field:u64 pages')),
      { section: 'event formats', message: /writeback:dirty: a line that declares no field: "fie1d:u64 pages/ },
    ],
  ])('%s', async (_name, change, problem) => {
    const { problems } = await check(damaged((copy) => void change(copy)));
    expect(problems.length).toBeGreaterThan(0);
    const [first] = problems;
    expect(first?.file).toBe('built.dat');
    for (const [key, value] of Object.entries(problem)) {
      const found = first?.[key as keyof typeof first];
      if (value instanceof RegExp) expect(found).toMatch(value);
      else expect(found).toBe(value);
    }
  });

  test('a cut anywhere in the event data: what is left is counted, and the CPU told', async () => {
    for (let length = dataAt + 40; length < bytes.length - 1; length += 97) {
      const { problems, streams } = await check(bytes.subarray(0, length));
      const events = streams[0]?.cpus.reduce((sum, cpu) => sum + cpu.events, 0) ?? 0;
      expect(events).toBeLessThanOrEqual(203);
      if (problems.length === 0) expect(events).toBe(203);
    }
    const { problems, streams } = await check(bytes.subarray(0, dataAt + 1100));
    expect(problems.map(({ section }) => section)).toContain('cpu 0 data');
    expect(streams[0]?.cpus[0]?.damage).toBeGreaterThan(0);
  });

  test('records of ids that have no format are counted, and are no damage', async () => {
    const other = { ...format, id: 41 };
    const events = [40, 41, 41].map((id, i) => ({
      time: 1000n + BigInt(i),
      payload: payloadOf(id === 40 ? format : other, { flags: 0, preemptCount: 0, pid: 7 }, [0n, ''], true),
    }));
    const recording = built({ buffers: [{ name: '', clock: 'local', cpus: [events] }] });
    const { problems, undecodable, streams } = await check(buildTraceDat(recording));
    expect(problems).toEqual([]);
    expect(undecodable).toEqual([{ id: 41, events: 2 }]);
    expect(streams[0]?.cpus[0]).toMatchObject({ events: 3, undecodable: 2 });
  });
});

describe.each(['zlib', 'zstd'] as const)('%s', (compression) => {
  test('a flip in packed data is damage of that CPU, and the other is whole', async () => {
    const bytes = buildTraceDat(built({ version: 7, compression }));
    const [first, second] = readTraceDat(bytesSource(bytes)).buffers[0]?.cpus ?? [];
    let told = 0;
    const at = (first?.offset ?? 0) + 12;
    for (let i = 0; i < 40; i++) {
      const copy = Buffer.from(bytes);
      copy[at + i] = (copy[at + i] as number) ^ 0x55;
      const { problems, streams } = await check(copy);
      expect(streams[0]?.cpus.find(({ cpu }) => cpu === second?.cpu)).toMatchObject({ events: 3, damage: 0 });
      for (const { section, offset } of problems) {
        expect(section).toBe('cpu 0 data');
        expect(offset).toBeGreaterThanOrEqual(first?.offset ?? 0);
      }
      if (problems.length > 0) told++;
    }
    expect(told).toBeGreaterThan(20);
  });
});

test('a cancel ends it', async () => {
  const bytes = buildTraceDat(built());
  const source = bytesSource(bytes, 'built.dat');
  const signal = AbortSignal.abort();
  await expect(checkRecording(source, readTraceDat(source), { signal })).rejects.toMatchObject({ code: 'cancelled' });
});
