import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KernelMemory } from '../../electron/engine/kernel-cursor.ts';
import { KernelSymbols, SYMBOL_BYTES } from '../../electron/engine/kernel-symbols.ts';
import { printByKernel } from '../../electron/engine/print-by-kernel.ts';
import { newReportKernel } from '../../electron/engine/report-kernel.ts';
import { bytesSource } from '../../electron/parse/byte-source.ts';
import { readKallsyms } from '../../electron/parse/print-format/symbols.ts';
import { readTraceDat } from '../../electron/parse/trace-dat.ts';
import {
  type PrintRecords,
  printEach,
  type ReportRequest,
  reportRecording,
} from '../../electron/query/report-recording.ts';
import { RemoraError } from '../../shared/errors.ts';
import { recordingsOf } from '../build/arbitrary.ts';
import { type BuiltField, type BuiltFormat, payloadOf } from '../build/formats.ts';
import { type BuiltRecording, buildTraceDat } from '../build/trace-dat.ts';
import { corpusFile } from '../corpus.ts';

/** The compiled loop of `report` prints what the general code prints, byte for byte, and warns of the same damage. */

const machine = fc.record({
  littleEndian: fc.constant(true),
  longBytes: fc.constantFrom(4 as const, 8 as const),
  subBufferBytes: fc.constantFrom(1024, 4096),
});

const numbers = fc.constantFrom(
  '0',
  '1',
  '7',
  '31',
  '32',
  '64',
  '0x10',
  '0xff',
  '1000',
  '4294967295',
  '0x8000000000000000',
);

/** An expression over the fields. */
function expression(fields: readonly BuiltField[]): fc.Arbitrary<string> {
  const ofFields = fields.map(({ name, kind }) =>
    kind === 'data-loc' ? `__get_dynamic_array_len(${name})` : `REC->${name}`,
  );
  const leaf = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('REC->common_pid', ...ofFields) },
    { weight: 1, arbitrary: numbers },
  );
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc
        .tuple(fc.constantFrom('u8', 's16', 'u32', 'unsigned int', 'u64', 'char', 'void *'), tie('tree'))
        .map(([type, of]) => `(${type})(${of})`),
      fc.tuple(fc.constantFrom('!', '~', '-'), tie('tree')).map(([sign, of]) => `${sign}(${of})`),
      fc
        .tuple(tie('tree'), fc.constantFrom(...'+ - * / % << >> < > <= >= == != & | && || ^'.split(' ')), tie('tree'))
        .map(([left, operator, right]) => `((${left}) ${operator} (${right}))`),
      fc
        .tuple(tie('tree'), tie('tree'), tie('tree'))
        .map(([condition, yes, no]) => `((${condition}) ? (${yes}) : (${no}))`),
    ),
  }));
  return tree;
}

const conversions = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('%d', '%u', '%x', '%lld', '%llu', '%llx', '%ld', '%lu', '%lx', '%i', '%c') },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom('', '-', '0', '+', '#', '-#', '0#', '+0'),
        fc.constantFrom('', '3', '8', '20', '600'),
        fc.constantFrom('', '.0', '.5', '.'),
        fc.constantFrom('', 'l', 'll', 'h', 'hh', 'z', 'L'),
        fc.constantFrom('d', 'i', 'u', 'x', 'X', 'o', 'c'),
      )
      .map((parts) => `%${parts.join('')}`),
  },
  { weight: 1, arbitrary: fc.constantFrom('%p', '%pS', '%ps', '%pF', '%pM', '%pI4', '%q', '%%') },
);

const width = fc.constantFrom('', '-', '5', '-12', '.3', '10.2', '-9.4');

/** One conversion and its argument; some are beyond what programs express. */
function part(fields: readonly BuiltField[]): fc.Arbitrary<[format: string, arg: string | null]> {
  const number = expression(fields);
  const strings = fields.flatMap(({ name, kind }) =>
    kind === 'chars' ? [`REC->${name}`] : kind === 'data-loc' ? [`__get_str(${name})`] : [],
  );
  const text = fc.oneof(
    fc.constantFrom('"const"', '"<>"', 'REC->common_pid', ...strings),
    number.map((of) => `__print_symbolic(${of}, { 0, "none" }, { 1, "one" }, { 0x10, "sixteen" }, { -1, "all" })`),
    number.map((of) => `__print_flags(${of}, "|", { 1, "A" }, { 2, "B" }, { 0x10, "long name" }, { 0x80, "" })`),
    number.map((of) => `__print_hex(REC->common_pid, ${of} & 3)`),
    number.map((of) => `jbd2_dev_to_name(${of})`),
  );
  const either = fc.tuple(number, text, text).map(([condition, yes, no]) => `(${condition}) ? ${yes} : ${no}`);
  return fc.oneof(
    {
      weight: 5,
      arbitrary: fc
        .tuple(conversions, number)
        .map(([format, arg]): [string, string | null] => [format, format === '%%' ? null : arg]),
    },
    {
      weight: 4,
      arbitrary: fc.tuple(width, fc.oneof(text, either)).map(([size, arg]): [string, string] => [`%${size}s`, arg]),
    },
    { weight: 1, arbitrary: number.map((arg): [string, string] => ['%*d', `4, ${arg}`]) },
  );
}

const between = fc.constantFrom('', ' ', ' name=', ': ', '\\n', '0x', '(', ' a longer text between two of them ');

function printFmt(fields: readonly BuiltField[]): fc.Arbitrary<string> {
  return fc.array(fc.tuple(between, part(fields)), { maxLength: 6 }).map((parts) => {
    const format = parts.map(([text, [conversion]]) => text + conversion).join('');
    const args = parts.flatMap(([, [, arg]]) => (arg === null ? [] : [arg]));
    return [`"${format}"`, ...args].join(', ');
  });
}

const option = (id: number, data: Buffer): { id: number; data: Buffer } => ({ id, data });
/** Corrections of time that the kernel does, and one that it does not. */
const options = fc.constantFrom<BuiltRecording['options']>(
  [],
  [],
  [],
  [option(7, Buffer.from('-1200\0'))],
  [option(7, Buffer.from('77000000000\0'))],
  [option(14, Buffer.from('0300000001000000640000000000000000', 'hex'))],
);

const recordings: fc.Arbitrary<BuiltRecording> = recordingsOf(machine)
  .chain(({ recording }) =>
    fc.tuple(
      fc.constant(recording),
      fc.tuple(...recording.formats.map(({ fields }) => printFmt(fields))),
      options,
      fc.constantFrom('local', 'mono', 'counter'),
      fc.infiniteStream(fc.oneof({ weight: 12, arbitrary: fc.constant(0n) }, fc.bigInt({ min: 1n, max: 1n << 33n }))),
      fc.infiniteStream(fc.oneof({ weight: 6, arbitrary: fc.constant(1000) }, fc.integer({ min: 1, max: 40 }))),
    ),
  )
  .map(([recording, printFmts, more, clock, back, most]) => ({
    ...recording,
    options: more,
    kallsyms: 'ffffffff81000000 T _text\n0000000000000010 T sixteen\n',
    formats: recording.formats.map((format, i): BuiltFormat => ({ ...format, printFmt: printFmts[i] as string })),
    buffers: recording.buffers.map((buffer) => ({
      ...buffer,
      clock,
      // Some times go backward; some records end before their fields do, and strings go on behind them.
      cpus: buffer.cpus.map((events) =>
        events.map((event) => {
          const step = back.next().value as bigint;
          const payload = event.payload.subarray(0, most.next().value as number);
          return { ...event, payload, time: step < event.time ? event.time - step : event.time };
        }),
      ),
    })),
  }));

function reportBy(
  print: PrintRecords,
  bytes: Uint8Array,
  request: ReportRequest = {},
): { text: string; warnings: unknown } {
  const source = bytesSource(bytes, 'built.dat');
  const head = readTraceDat(source);
  const pieces: Buffer[] = [];
  const warnings = reportRecording(source, head, request, (piece) => pieces.push(Buffer.from(piece)), print);
  return { text: Buffer.concat(pieces).toString('latin1'), warnings };
}

/** Lines that the kernel printed, of those that it was given. */
let byKernel = 0;
let all = 0;
const counted: PrintRecords = (records) =>
  printByKernel(records, (lines) => {
    byKernel += lines;
  });

function both(bytes: Uint8Array, request: ReportRequest = {}): void {
  const measure = reportBy(printEach, bytes, request);
  all += measure.text.split('\n').length - 2;
  const { text, warnings } = reportBy(counted, bytes, request);
  if (text !== measure.text) expect(text.split('\n')).toEqual(measure.text.split('\n'));
  expect(warnings).toEqual(measure.warnings);
}

/** Lines of kallsyms, most of them as the kernel prints them, over several pieces. */
const kallsyms = fc
  .record({
    lines: fc.array(
      fc.oneof(
        {
          weight: 60,
          arbitrary: fc
            .tuple(
              fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
              fc.constantFrom('T', 't', 'A', 'a', 'd'),
              fc.constantFrom('_text', '$x', 'a_function\t[module]', 'f'),
            )
            .map(([address, kind, name]) => `${address.toString(16).padStart(16, '0')} ${kind} ${name}`),
        },
        { weight: 10, arbitrary: fc.constantFrom('', '1F T upper', '0 t zero') },
      ),
      { minLength: 1, maxLength: 12 },
    ),
    times: fc.constantFrom(1, 900, 1000, 1001, 4000),
    end: fc.constantFrom(
      '',
      '\n',
      '12345',
      '1234567890abcdef0 T long\n1 T x',
      '12 T',
      '12 T ',
      'xyz T name\n1 T x',
      '1 T  \n',
      '1 T\nname',
      '1 \n name',
    ),
  })
  .map(({ lines, times, end }) => Buffer.from(`${lines.join('\n')}\n`.repeat(times) + end));

const field = (declaration: string, name: string, bytes: number): BuiltField => ({
  declaration,
  name,
  bytes,
  signed: true,
  kind: bytes === 16 ? 'chars' : 'number',
});
const SWITCH: BuiltFormat = {
  system: 'sched',
  name: 'sched_switch',
  id: 300,
  fields: [
    field('char[16]', 'prev_comm', 16),
    field('pid_t', 'prev_pid', 4),
    field('int', 'prev_prio', 4),
    field('long', 'prev_state', 8),
    field('char[16]', 'next_comm', 16),
    field('pid_t', 'next_pid', 4),
    field('int', 'next_prio', 4),
  ],
  printFmt: '"%d", REC->prev_pid',
};
/** Of six tasks, one has a name that was saved. */
const SWITCHES: Omit<BuiltRecording, 'buffers'> = {
  version: 7,
  compression: 'none',
  abi: { littleEndian: true, longBytes: 8, subBufferBytes: 1024 },
  formats: [SWITCH],
  comms: [[1, 'saved']],
  uname: 'Linux built 1.0',
  kallsyms: '',
  printkFormats: '',
  options: [],
};

const requests = fc.record({ latency: fc.boolean(), nanoseconds: fc.boolean() });

describe('the kernel of report', () => {
  test('prints what the general code prints', () => {
    byKernel = all = 0;
    fc.assert(
      fc.property(recordings, requests, (recording, request) => both(buildTraceDat(recording), request)),
      { numRuns: 300 },
    );
    expect(byKernel / all).toBeGreaterThan(0.2);
  });

  test('and of damaged data, too', () => {
    const damage = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 })), {
      maxLength: 12,
    });
    const cut = fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.double({ min: 0.7, max: 1, noNaN: true }));
    fc.assert(
      fc.property(recordings, damage, cut, (recording, changes, end) => {
        const bytes = buildTraceDat({ ...recording, version: 6, compression: 'none' });
        // What is in front of the data decides what is read at all; the data is at the end.
        const from = bytes.length - Math.min(bytes.length, recording.abi.subBufferBytes * 6);
        for (const [where, value] of changes) bytes[from + Math.floor(where * (bytes.length - from - 1))] = value;
        try {
          both(bytes.subarray(0, Math.floor(bytes.length * end)));
        } catch (error) {
          if (!(error instanceof RemoraError)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });

  test('tells names from when they are learnt', () => {
    const pid = fc.integer({ min: 0, max: 6 });
    const name = fc.constantFrom('a', 'b task', 'sixteen letters!', '');
    const switches = fc.array(fc.tuple(pid, pid, pid, name, name), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(switches, switches, (...cpus) =>
        both(
          buildTraceDat({
            ...SWITCHES,
            buffers: [
              {
                name: '',
                clock: 'local',
                cpus: cpus.map((events) =>
                  events.map(([own, prev, next, prevName, nextName], i) => ({
                    time: BigInt(1000 + i),
                    payload: payloadOf(
                      SWITCH,
                      { flags: 0, preemptCount: 0, pid: own },
                      [prevName, BigInt(prev), 120n, BigInt(i), nextName, BigInt(next), 120n],
                      true,
                    ),
                  })),
                ),
              },
            ],
          }),
        ),
      ),
      { numRuns: 100 },
    );
  });

  test('reads symbols as the general code does', () => {
    const kernel = newReportKernel(SYMBOL_BYTES);
    const symbols = new KernelSymbols(kernel, new KernelMemory(kernel));
    fc.assert(
      fc.property(kallsyms, (text) => {
        const [found, expected] = [symbols.index(bytesSource(text)), readKallsyms(text)];
        expect(found?.high).toEqual(expected.high);
        expect(found?.low).toEqual(expected.low);
        expect(found?.nameAt).toEqual(expected.nameAt);
      }),
      { numRuns: 200 },
    );
    // A line longer than what is read at a time is left to the general code.
    expect(symbols.index(bytesSource(Buffer.from(`1 T ${'x'.repeat(1 << 17)}\n`)))).toBeNull();
  });

  const sample = new Uint8Array(readFileSync(new URL('../../assets/samples/throttle.dat', import.meta.url)));
  test('prints the usual by itself', () => {
    byKernel = all = 0;
    both(sample);
    expect(all).toBe(248_749);
    // All but those that tell of a task's name.
    expect(all - byKernel).toBeLessThan(500);
  });

  test.each(['host-lost', 'host-instances-v7', 'host-v6', 'vm612-function_graph'])(
    'several batches, buffers, gaps: %s',
    (name) => {
      const path = corpusFile(`${name}.dat`);
      if (path !== null) both(new Uint8Array(readFileSync(path)));
    },
  );
});
