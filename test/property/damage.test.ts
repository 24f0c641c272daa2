import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RemoraError } from '../../shared/errors.ts';
import { recordings } from '../build/arbitrary.ts';
import { type BuiltFormat, payloadOf } from '../build/formats.ts';
import { type BuiltRecording, buildTraceDat } from '../build/trace-dat.ts';
import { type Decoded, decode } from '../decode.ts';

/** A recording of a few kilobytes with two CPUs, two systems, an instance and every kind of section. */
function small(container: Pick<BuiltRecording, 'version' | 'compression'>, littleEndian: boolean): BuiltRecording {
  const field = (name: string): BuiltFormat['fields'][number] => ({
    name,
    declaration: 'u32',
    bytes: 4,
    signed: false,
    kind: 'number',
  });
  const formats: BuiltFormat[] = [
    { system: 'ftrace', name: 'print', id: 5, fields: [field('ip')], printFmt: '"%x", REC->ip' },
    { system: 'writeback', name: 'dirty', id: 40, fields: [field('pages')], printFmt: '"%u", REC->pages' },
    { system: 'sched', name: 'wake', id: 41, fields: [field('target')], printFmt: '"%u", REC->target' },
  ];
  const events = (count: number, start: bigint): BuiltRecording['buffers'][number]['cpus'][number] =>
    Array.from({ length: count }, (_, i) => ({
      time: start + BigInt(i) * 1000n,
      payload: payloadOf(formats[1 + (i % 2)], { flags: 0, preemptCount: 0, pid: 7 }, [BigInt(i)], littleEndian),
    }));
  return {
    ...container,
    abi: { littleEndian, longBytes: 8, subBufferBytes: 1024 },
    formats,
    buffers: [
      { name: '', clock: 'local', cpus: [events(70, 5_000_000n), events(3, 5_000_500n)] },
      { name: 'inner', clock: 'mono', cpus: [events(2, 5_000_900n), []] },
    ],
    comms: [[7, 'writer']],
    uname: 'Linux built 1.0',
    kallsyms: 'ffffffff81000000 T _text\n',
    printkFormats: '0xffffffff82000000 : "text"\n',
    options: [{ id: 7, data: Buffer.from('0\0') }],
  };
}

/** What came of damaged bytes: never anything but a decoded recording or the project's own error. */
function outcome(bytes: Uint8Array): Decoded | RemoraError {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof RemoraError) return error;
    throw error;
  }
}

const eventCount = ({ buffers }: Decoded): number => buffers.flat().reduce((sum, { events }) => sum + events.length, 0);

/** Where the first event data begins: everything before it is headers. */
function firstData({ head }: Decoded): number {
  return Math.min(...head.buffers.flatMap(({ cpus }) => cpus.map(({ offset }) => offset)));
}

const containers = [
  { version: 6, compression: 'none' },
  { version: 7, compression: 'none' },
  { version: 7, compression: 'zlib' },
  { version: 7, compression: 'zstd' },
] as const;

describe.each(containers)('version $version, $compression', (container) => {
  const bytes = buildTraceDat(small(container, true));
  const whole = decode(bytes);

  test('the undamaged recording is read whole', () => {
    expect(eventCount(whole)).toBe(75);
    expect(whole.warnings).toEqual([]);
  });

  test('a cut at every offset is told, and loses only what is behind it', () => {
    // What lies behind the last thing that is read (padding, the table of section names) is missed by nobody.
    let lastNeeded = 0;
    for (let length = 0; length < bytes.length; length++) {
      const cut = outcome(bytes.slice(0, length));
      if (cut instanceof RemoraError) {
        expect(cut.detail.file).toBe('built.dat');
        lastNeeded = length;
      } else if (cut.warnings.length > 0) {
        for (const warning of cut.warnings) expect(warning.offset).toBeLessThanOrEqual(bytes.length);
        lastNeeded = length;
      } else {
        expect(eventCount(cut)).toBe(75);
        expect(length).toBeGreaterThan(lastNeeded);
      }
    }
    expect(lastNeeded).toBeGreaterThan(bytes.length / 2);
  });

  test('a flip of every header byte is an error or a recording, never a crash', () => {
    const headEnd = container.version === 6 ? firstData(whole) : bytes.length;
    let errors = 0;
    let warned = 0;
    for (const flip of [0x01, 0x80, 0xff]) {
      for (let at = 0; at < headEnd; at++) {
        const damaged = bytes.slice();
        damaged[at] ^= flip;
        const found = outcome(damaged);
        if (found instanceof RemoraError) {
          expect(found.message).toContain('built.dat');
          errors++;
        } else if (found.warnings.length > 0) warned++;
      }
    }
    // Nothing is read without the magic; a damaged version or ABI is mended by what follows, or refused.
    expect(errors).toBeGreaterThan(3 * 10);
    expect(warned).toBeGreaterThan(100);
  });

  test.each([...Array(10).keys()])('magic byte %i is looked at', (at) => {
    const damaged = bytes.slice();
    damaged[at] ^= 0x20;
    expect(outcome(damaged)).toMatchObject({ detail: { code: 'not-a-trace', offset: 0 } });
  });
});

test('any bytes may be damaged anywhere, in any recording', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(recordings, damage, fc.double({ min: 0.2, max: 1, noNaN: true }), ({ recording }, flips, kept) => {
      const built = buildTraceDat(recording);
      const damaged = built.slice(0, Math.ceil(built.length * kept));
      for (const [where, flip] of flips) damaged[where % damaged.length] ^= flip;
      const found = outcome(damaged);
      if (found instanceof RemoraError) expect(found.message.length).toBeGreaterThan(20);
    }),
    { numRuns: 500 },
  );
});
