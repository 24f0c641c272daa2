import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { printByKernel } from '../../electron/engine/print-by-kernel.ts';
import { bytesSource } from '../../electron/parse/byte-source.ts';
import { LazyEventFormat } from '../../electron/parse/event-formats.ts';
import { readTraceDat } from '../../electron/parse/trace-dat.ts';
import { reportRecording } from '../../electron/query/report-recording.ts';
import { type ForeignKernel, foreignRecording } from '../build/foreign.ts';
import { corpusFile } from '../corpus.ts';
import { noTraceCmd, traceCmdReport } from '../oracle/trace-cmd.ts';

/**
 * Recordings that nobody made: the formats of other kernels and machines, with random records, as 32- and 64-bit, little- and
 * big-endian machines would have written them. What trace-cmd 3.3 printed for each is stored as a hash; where this machine has one
 * (or `REMORA_TRACE_CMD` names one), it prints them again and the lines are compared. `REMORA_WRITE_GOLDEN=1` then stores its hashes.
 */

/** libtraceevent divides by what the record says (`REC->load * 100 / REC->total`): a zero kills it. */
const CRASHES_TRACE_CMD = /name: (?:thermal_power_devfreq_get_power|devfreq_\w+)\n/;

/** The public formats of kernels 3.4 to 5.15: `system__event.format`, of one kernel without the system. */
function publicKernels(): ForeignKernel[] {
  const folder = corpusFile('../formats');
  if (folder === null) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const files = readdirSync(join(folder, name)).filter((file) => file.endsWith('.format'));
      const formats = files.map((file) => ({
        system: file.includes('__') ? (file.split('__')[0] as string) : 'writeback',
        text: readFileSync(join(folder, name, file), 'latin1'),
      }));
      return { name, formats };
    });
}

/** Every event of two kernels, a hundred at a time. */
function corpusKernels(): ForeignKernel[] {
  return ['host-all-events.dat', 'vm612-all-events.dat'].flatMap((name) => {
    const path = corpusFile(name);
    return path === null ? [] : cut(name, formatsOf(path));
  });
}

function formatsOf(path: string): ForeignKernel['formats'] {
  const { formats } = readTraceDat(bytesSource(readFileSync(path), path));
  return formats
    .filter((format) => format instanceof LazyEventFormat)
    .map(({ system, text }) => ({ system, text }))
    .filter(({ text }) => !CRASHES_TRACE_CMD.test(text));
}

const AT_ONCE = 400;

function cut(name: string, formats: ForeignKernel['formats']): ForeignKernel[] {
  const parts = Array.from({ length: Math.ceil(formats.length / AT_ONCE) }, (_, i) => i * AT_ONCE);
  return parts.map((from) => ({
    name: `${name}, formats from ${from} on`,
    formats: formats.slice(from, from + AT_ONCE),
  }));
}

const SAMPLE = join(import.meta.dirname, '../../assets/samples/throttle.dat');
const kernels: ForeignKernel[] = [
  { name: 'the sample', formats: formatsOf(SAMPLE) },
  ...publicKernels(),
  ...corpusKernels(),
];

const MACHINES = [
  { littleEndian: true, longBytes: 8 },
  { littleEndian: false, longBytes: 8 },
  { littleEndian: true, longBytes: 4 },
  { littleEndian: false, longBytes: 4 },
] as const;

const CONTAINERS = [
  { version: 6, compression: 'none' },
  { version: 7, compression: 'none' },
  { version: 7, compression: 'zstd' },
  { version: 7, compression: 'zlib' },
] as const;

const COMMANDS = [
  { options: [], request: {} },
  { options: ['-R'], request: { raw: true } },
  { options: ['-l', '-t'], request: { latency: true, nanoseconds: true } },
];

function remoraReport(bytes: Uint8Array, request: (typeof COMMANDS)[number]['request']): Buffer {
  const source = bytesSource(bytes, 'foreign.dat');
  const pieces: Buffer[] = [];
  const head = readTraceDat(source);
  const damage = reportRecording(source, head, request, (piece) => pieces.push(Buffer.from(piece)), printByKernel);
  expect([...head.warnings, ...damage]).toEqual([]);
  return Buffer.concat(pieces);
}

/** Of each kernel on each machine: the reports that trace-cmd 3.3 printed, as hashes, one for each of COMMANDS. */
const STORED = join(import.meta.dirname, '../fixtures/foreign-reports.json');
const stored = JSON.parse(readFileSync(STORED, 'utf8')) as Record<string, string[]>;
const hashOf = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

const keyOf = (kernel: ForeignKernel, { littleEndian, longBytes }: (typeof MACHINES)[number]): string =>
  `${kernel.name}: ${littleEndian ? 'little' : 'big'}-endian, ${longBytes * 8} bits`;

function recordingOf(kernel: ForeignKernel, machine: (typeof MACHINES)[number]): Uint8Array {
  const container = CONTAINERS[MACHINES.indexOf(machine)] as (typeof CONTAINERS)[number];
  const abi = { ...machine, subBufferBytes: 4096 };
  return foreignRecording(kernel, { abi, container, perFormat: 4, seed: 11 });
}

const cases = kernels.flatMap((kernel) =>
  MACHINES.map((machine) => ({ name: keyOf(kernel, machine), kernel, machine })),
);

test.each(cases)('as trace-cmd 3.3 printed it: $name', ({ name, kernel, machine }) => {
  const bytes = recordingOf(kernel, machine);
  expect(COMMANDS.map(({ request }) => hashOf(remoraReport(bytes, request)))).toEqual(stored[name]);
});

const lacks = noTraceCmd === null ? '' : `: ${noTraceCmd}`;

describe.skipIf(noTraceCmd !== null)(`beside this machine's own (needs trace-cmd 3.3 or later${lacks})`, () => {
  test.each(cases)('$name', ({ name, kernel, machine }) => {
    const bytes = recordingOf(kernel, machine);
    const reports = COMMANDS.map(({ options }) => traceCmdReport(bytes, ...options));
    COMMANDS.forEach(({ options, request }, command) => {
      const expected = (reports[command] as Buffer).toString('latin1').split('\n');
      const found = remoraReport(bytes, request).toString('latin1').split('\n');
      const differing = found.findIndex((line, i) => line !== expected[i]);
      expect(found[differing], `${options.join(' ')}: line ${differing + 1}`).toBe(expected[differing]);
      expect(found.length).toBe(expected.length);
    });
    if (process.env.REMORA_WRITE_GOLDEN === undefined) expect(reports.map(hashOf)).toEqual(stored[name]);
    else stored[name] = reports.map(hashOf);
  });
  afterAll(() => {
    if (process.env.REMORA_WRITE_GOLDEN !== undefined) writeFileSync(STORED, `${JSON.stringify(stored, null, 2)}\n`);
  });
});
