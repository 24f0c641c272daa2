import fc from 'fast-check';
import { type BuiltField, type BuiltFormat, type BuiltValue, type CommonFields, payloadOf } from './formats.ts';
import type { BufferEvent, RingAbi } from './sub-buffer.ts';
import type { BuiltRecording } from './trace-dat.ts';

/** Random recordings, with what a reader must find in them. */
export interface ExpectedEvent {
  time: bigint;
  format: BuiltFormat;
  common: CommonFields;
  values: BuiltValue[];
  payload: Uint8Array;
  lostBefore: number;
}

export interface Case {
  recording: BuiltRecording;
  /** Per buffer, per CPU: the events that are there for a reader, without the discarded ones. */
  expected: ExpectedEvent[][][];
}

const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,11}$/);
/** Latin-1 text without NUL, as a kernel string may hold. */
const text = fc
  .array(fc.integer({ min: 1, max: 255 }), { maxLength: 40 })
  .map((codes) => String.fromCharCode(...codes));

const numberTypes: [declaration: string, bytes: number, signed: boolean][] = [
  ['u8', 1, false],
  ['s8', 1, true],
  ['unsigned short', 2, false],
  ['short', 2, true],
  ['u32', 4, false],
  ['int', 4, true],
  ['u64', 8, false],
  ['s64', 8, true],
];

const field: fc.Arbitrary<Omit<BuiltField, 'name'>> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .constantFrom(...numberTypes)
      .map(([declaration, bytes, signed]) => ({ declaration, bytes, signed, kind: 'number' as const })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(1, 8, 16, 32)
      .map((n) => ({ declaration: `char[${n}]`, bytes: n, signed: true, kind: 'chars' as const })),
  },
  {
    weight: 1,
    arbitrary: fc.constant({ declaration: '__data_loc char[]', bytes: 4, signed: true, kind: 'data-loc' as const }),
  },
);

const fields = fc
  .array(fc.tuple(word, field), { maxLength: 8 })
  .map((all) => all.map(([name, rest], i): BuiltField => ({ name: `${name}_${i}`, ...rest })));

const formats: fc.Arbitrary<BuiltFormat[]> = fc
  .array(fc.record({ system: fc.constantFrom('writeback', 'sched', 'block'), name: word, fields }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((all) =>
    all.map(({ system, name, fields: own }, i) => ({
      system,
      name: `${name}_${i}`,
      id: 20 + i * 7,
      fields: own,
      printFmt: '""',
    })),
  );

function arbitraryValue({ kind, bytes, signed }: BuiltField): fc.Arbitrary<BuiltValue> {
  if (kind === 'chars') return text.map((value) => value.slice(0, bytes));
  if (kind === 'data-loc') return text;
  const bits = BigInt(bytes * 8);
  return signed
    ? fc.bigInt({ min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n })
    : fc.bigInt({ min: 0n, max: (1n << bits) - 1n });
}

const common: fc.Arbitrary<CommonFields> = fc.record({
  flags: fc.integer({ min: 0, max: 255 }),
  preemptCount: fc.integer({ min: 0, max: 255 }),
  pid: fc.integer({ min: 0, max: 4_194_303 }),
});

/** Steps that stay small, that need a time extend, and none at all. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.bigInt({ min: 0n, max: 100_000n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: 1n << 27n, max: 1n << 36n }) },
  { weight: 1, arbitrary: fc.constant(0n) },
);

interface RawEvent {
  step: bigint;
  format: number;
  common: CommonFields;
  seed: BuiltValue[][];
  stamp: 'extend' | 'absolute' | undefined;
  discarded: boolean;
  lostBefore: number | undefined;
}

function rawEvent(known: BuiltFormat[]): fc.Arbitrary<RawEvent> {
  return fc.record({
    step,
    format: fc.nat({ max: known.length - 1 }),
    common,
    seed: fc.tuple(
      ...known.map((format) => fc.tuple(...format.fields.map(arbitraryValue)) as fc.Arbitrary<BuiltValue[]>),
    ),
    stamp: fc.oneof(
      { weight: 8, arbitrary: fc.constant(undefined) },
      fc.constant('extend' as const),
      fc.constant('absolute' as const),
    ),
    discarded: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
    lostBefore: fc.oneof(
      { weight: 30, arbitrary: fc.constant(undefined) },
      fc.constant(-1),
      fc.integer({ min: 1, max: 1_000_000 }),
    ),
  });
}

/** The events of one CPU: what is written and what a reader finds. Times of all CPUs start near each other. */
function cpu(
  known: BuiltFormat[],
  startNs: bigint,
  littleEndian: boolean,
): fc.Arbitrary<{ events: BufferEvent[]; expected: ExpectedEvent[] }> {
  return fc.array(rawEvent(known), { maxLength: 60, size: 'max' }).map((raws) => {
    const events: BufferEvent[] = [];
    const expected: ExpectedEvent[] = [];
    let time = startNs;
    let lost = 0;
    for (const raw of raws) {
      const format = known[raw.format] as BuiltFormat;
      const values = raw.seed[raw.format] as BuiltValue[];
      const payload = payloadOf(format, raw.common, values, littleEndian);
      time += raw.step;
      // A discarded event moves the clock by at least 1, as the kernel's does: keep the sequence simple by agreeing.
      if (raw.discarded) time += 1n;
      events.push({ time, payload, stamp: raw.stamp, discarded: raw.discarded, lostBefore: raw.lostBefore });
      if (raw.discarded && raw.stamp !== undefined) time += 1n;
      lost = raw.lostBefore ?? lost;
      if (raw.discarded) continue;
      expected.push({ time, format, common: raw.common, values, payload, lostBefore: lost });
      lost = 0;
    }
    return { events, expected };
  });
}

export const abi: fc.Arbitrary<RingAbi> = fc.record({
  littleEndian: fc.boolean(),
  longBytes: fc.constantFrom(4 as const, 8 as const),
  subBufferBytes: fc.constantFrom(1024, 4096, 16_384),
});

const container = fc.constantFrom(
  { version: 6 as const, compression: 'none' as const },
  { version: 7 as const, compression: 'none' as const },
  { version: 7 as const, compression: 'zlib' as const },
  { version: 7 as const, compression: 'zstd' as const },
);

/** A whole recording of such a machine: any version, up to three CPUs and two instances. */
export const recordingsOf = (machine: fc.Arbitrary<RingAbi>): fc.Arbitrary<Case> =>
  fc
    .record({
      abi: machine,
      container,
      formats,
      startNs: fc.bigInt({ min: 1n, max: 1n << 50n }),
      comm: text.map((name) => name.replace(/[\n\r]/g, ' ').slice(0, 15)),
    })
    .chain(({ abi: ring, container: outer, formats: known, startNs, comm }) =>
      fc
        .array(fc.array(cpu(known, startNs, ring.littleEndian), { minLength: 1, maxLength: 3 }), {
          minLength: 1,
          maxLength: 3,
        })
        .map((buffers) => {
          // Version 6 has one CPU count for all buffers.
          const cpus = Math.max(...buffers.map((buffer) => buffer.length));
          const filled = buffers.map((buffer) =>
            Array.from({ length: cpus }, (_, i) => buffer[i] ?? { events: [], expected: [] }),
          );
          return {
            recording: {
              ...outer,
              abi: ring,
              formats: known,
              buffers: filled.map((buffer, i) => ({
                name: i === 0 ? '' : `instance-${i}`,
                clock: 'local',
                cpus: buffer.map(({ events }) => events),
              })),
              comms: [[1, `x${comm}`]] as [number, string][],
              uname: 'Linux built 1.0',
              kallsyms: 'ffffffff81000000 T _text\n',
              printkFormats: '0xffffffff82000000 : "text"\n',
              options: [],
            },
            expected: filled.map((buffer) => buffer.map(({ expected }) => expected)),
          };
        }),
    );

/** Of any byte order, long and sub-buffer size. */
export const recordings: fc.Arbitrary<Case> = recordingsOf(abi);
