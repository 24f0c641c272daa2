import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { SlabIndexer } from '../../electron/engine/index-slab.ts';
import { KeptEvents } from '../../electron/engine/kept-events.ts';
import { printByKernel } from '../../electron/engine/print-by-kernel.ts';
import { openRawFolder, type RawFolder, rawFolderAt, readRawHead } from '../../electron/engine/raw-folder.ts';
import { SlabKernel } from '../../electron/engine/slab-kernel.ts';
import { type ByteSource, bytesSource } from '../../electron/parse/byte-source.ts';
import { openCpuBytes } from '../../electron/parse/cpu-data.ts';
import { parseEventFormat } from '../../electron/parse/event-format.ts';
import { LazyEventFormat } from '../../electron/parse/event-formats.ts';
import { subBufferLayout } from '../../electron/parse/layout.ts';
import { Printer } from '../../electron/parse/print-format/printer.ts';
import { PrintRecord } from '../../electron/parse/print-format/record.ts';
import { TextSink } from '../../electron/parse/print-format/text-sink.ts';
import type { RecordingHead } from '../../electron/parse/recording.ts';
import { DIALECT_BYTES, readDialect } from '../../electron/parse/text-trace/dialect.ts';
import { textHead } from '../../electron/parse/text-trace/head.ts';
import { TextSurveyor } from '../../electron/parse/text-trace/survey.ts';
import { readTraceDat } from '../../electron/parse/trace-dat.ts';
import { headProblems } from '../../electron/query/head-check.ts';
import { visitRecords } from '../../electron/query/records.ts';
import { type PrintRecords, printEach, reportRecording } from '../../electron/query/report-recording.ts';
import { decodeChunk } from '../../electron/store/chunk-codec.ts';
import { ChunkEncoder } from '../../electron/store/chunk-encoder.ts';
import { RemoraError, type TraceWarning } from '../../shared/errors.ts';
import { headOf } from '../unit/parse/print-record.ts';
import type { Place } from './mutate.ts';
import { ABIS, formats, formatsWithRecords, rawFolders, recordings, rings, texts, unpackFolder } from './seeds.ts';

/** What an input of some kind goes through, and what must hold of it whatever its bytes are. */
export interface FuzzTarget {
  /** Share of the inputs. */
  weight: number;
  seeds: () => Uint8Array[];
  /** Where damage is most telling. */
  place: Place;
  /** Throws anything where an invariant does not hold; a RemoraError is an answer, and no finding. */
  run: (bytes: Uint8Array) => void;
}

class Broken extends Error {}

function must(holds: boolean, what: () => string): void {
  if (!holds) throw new Broken(what());
}

const NAME = 'fuzzed';
/** Every record has at least 8 bytes; its line has a bounded number of conversions, each with bounded padding. */
const MOST_READ_TIMES = 64;
const SMALL_BYTES = 1 << 20;

/** Bytes that count how often they are read: the work must stay in proportion to the input. */
function counted(bytes: Uint8Array): { source: ByteSource; check: () => void } {
  const source = bytesSource(bytes, NAME);
  let read = 0;
  let calls = 0;
  return {
    source: {
      ...source,
      read(offset, length, into) {
        must(offset >= 0 && length >= 0, () => `a read of ${length} bytes at ${offset}`);
        const found = source.read(offset, length, into);
        read += found.length;
        calls++;
        return found;
      },
    },
    check() {
      must(read <= SMALL_BYTES + bytes.length * MOST_READ_TIMES, () => `${read} bytes were read of ${bytes.length}`);
      must(calls <= 10_000 + bytes.length * 4, () => `${calls} reads of ${bytes.length} bytes`);
    },
  };
}

function checkWarnings(warnings: readonly TraceWarning[], size: number): void {
  must(warnings.length <= 1000 + size, () => `${warnings.length} warnings of ${size} bytes`);
  for (const warning of warnings) {
    const { file, offset, section, message } = warning;
    const told = file === NAME && section !== '' && message !== '';
    must(
      told && Number.isInteger(offset) && offset >= 0 && offset <= size,
      () => `a warning without a place: ${JSON.stringify(warning)}`,
    );
  }
}

/** Keeps the payloads of every second kind of event, whatever it is called. */
const kinds = { always: Array.from({ length: 1 << 15 }, (_, i) => 2 * i), taskSwitch: 1, named: Int32Array.of(0) };
const kernel = new SlabKernel();
const indexer = new SlabIndexer(new ChunkEncoder(), new KeptEvents(kinds, kernel), kernel);
/** The measure of it. */
const general = new SlabIndexer(new ChunkEncoder(), new KeptEvents(kinds), null);

/** All that is done with a recording: its head is checked, its records are printed both ways, indexed and read back. */
function checkHeadAndRecords(source: ByteSource, head: RecordingHead, size: number): void {
  checkWarnings(headProblems(head, NAME), size);
  checkRecords(source, head, size);
}

function checkRecords(source: ByteSource, head: RecordingHead, size: number): void {
  const { printed, warnings } = checkReport(source, head);
  checkWarnings(warnings, size);
  const met = new Map<string, number[]>();
  visitRecords(
    head.buffers.map((buffer) => ({ source, head, buffer })),
    ({ buffer, cpu, id, view, at, length }) => {
      must(
        length >= 0 && at >= 0 && at + length <= view.byteLength,
        () => `a record of ${length} bytes at ${at} of ${view.byteLength}`,
      );
      const key = `${buffer} ${cpu}`;
      const ids = met.get(key);
      if (ids === undefined) met.set(key, [id]);
      else ids.push(id);
    },
  );
  const records = [...met.values()].reduce((sum, ids) => sum + ids.length, 0);
  // Of a plain file, a record takes 8 bytes and each byte may be read for two CPUs; of a packed one, a few bytes become a page.
  const most = head.compression === 'none' ? size / 4 : size * 512;
  must(records <= most, () => `${records} records of ${size} bytes`);
  must(printed <= SMALL_BYTES * 32 + records * 4096, () => `${printed} bytes printed of ${records} records`);
  // Every other input, as it takes as long again.
  if (size % 2 === 0) reportRecording(source, head, { raw: true, latency: true }, () => {});
  checkIndex(source, head, met);
}

/** The kernel must print what the general code prints. */
function checkReport(source: ByteSource, head: RecordingHead): { printed: number; warnings: TraceWarning[] } {
  const reportBy = (print: PrintRecords): { text: Buffer; warnings: TraceWarning[] } => {
    const pieces: Buffer[] = [];
    const warnings = reportRecording(source, head, {}, (piece) => pieces.push(Buffer.from(piece)), print);
    return { text: Buffer.concat(pieces), warnings };
  };
  const [fast, measure] = [reportBy(printByKernel), reportBy(printEach)];
  must(fast.text.equals(measure.text), () => 'the kernel prints otherwise');
  must(isDeepStrictEqual(fast.warnings, measure.warnings), () => 'the kernel warns otherwise');
  return { printed: fast.text.length, warnings: fast.warnings };
}

/** The index must hold the records that reading them one by one finds. */
function checkIndex(source: ByteSource, head: RecordingHead, met: ReadonlyMap<string, readonly number[]>): void {
  const indexed = new Map<string, number[]>();
  head.buffers.forEach((buffer, index) => {
    for (const data of buffer.cpus) {
      const bytes = openCpuBytes(source, data, head.compression);
      const layout = subBufferLayout(head, buffer);
      const job = { cpu: data.cpu, layout, time: buffer.time, rawOrigin: 0n, origin: 0n, from: 0, to: bytes.size };
      const result = indexer.index(bytes, job);
      must(isDeepStrictEqual(result, general.index(bytes, job)), () => `CPU ${data.cpu}: the kernel indexes otherwise`);
      const ids = result.chunks.flatMap(({ chunk }) => [...decodeChunk({ ...chunk, from_ns: chunk.fromNs }).id]);
      const key = `${index} ${data.cpu}`;
      if (ids.length > 0) indexed.set(key, [...(indexed.get(key) ?? []), ...ids]);
    }
  });
  must(indexed.size === met.size, () => `${indexed.size} CPUs with events in the index, ${met.size} without it`);
  for (const [key, ids] of met) {
    // Two entries of one CPU are merged by time where records are read, one behind the other in the index.
    const [found, expected] = [indexed.get(key) ?? [], ids].map((list) => list.toSorted((a, b) => a - b).join());
    must(found === expected, () => `CPU ${key}: other events in the index`);
  }
}

function runRecording(bytes: Uint8Array): void {
  const { source, check } = counted(bytes);
  const head = readTraceDat(source);
  must(
    head.options.every(({ offset }) => offset >= 0),
    () => 'an option without a place',
  );
  checkHeadAndRecords(source, head, bytes.length);
  check();
}

const ringHeads = ABIS.map((abi) =>
  headOf(
    formats.map(({ system, text = '' }) => new LazyEventFormat(system, text, abi)),
    { abi },
  ),
);

function runRing(bytes: Uint8Array): void {
  const { source, check } = counted(bytes.subarray(1));
  const head = ringHeads[(bytes[0] ?? 0) % ABIS.length] as RecordingHead;
  const { subBufferBytes, littleEndian } = ABIS[(bytes[0] ?? 0) % ABIS.length] as (typeof ABIS)[number];
  const cpus = [{ cpu: 0, offset: 0, bytes: source.size, compressed: false, littleEndian }];
  const time = { offsetNs: 0n, ticks: null, shifts: new Map(), interpolateShifts: false };
  checkRecords(source, { ...head, buffers: [{ name: '', clock: 'local', subBufferBytes, cpus, time }] }, source.size);
  check();
}

const sink = new TextSink();

function runFormat(bytes: Uint8Array): void {
  const abi = ABIS[(bytes[0] ?? 0) % ABIS.length] as (typeof ABIS)[number];
  const end = Buffer.from(bytes).indexOf('\0\0', 1);
  const text = Buffer.from(bytes.subarray(1, end < 0 ? bytes.length : end)).toString('latin1');
  const payload = end < 0 ? new Uint8Array(0) : bytes.slice(end + 2);
  const format = parseEventFormat(text, 'ftrace', abi);
  for (const system of ['ftrace', 'sched']) {
    const printer = new Printer(headOf([{ ...format, system }], { abi }));
    const view = new DataView(payload.buffer);
    printer.info(format.id, view, 0, payload.length);
    printer.flags(view, 0, payload.length);
    const record = new PrintRecord();
    record.set(view, 0, payload.length, true);
    sink.length = 0;
    printer.event(format.id)?.raw(record, sink);
    printer.event(format.id)?.pretty(record, sink);
    must(sink.length < SMALL_BYTES * 32, () => `${sink.length} bytes printed of one record`);
  }
}

function runText(bytes: Uint8Array): void {
  const dialect = readDialect(bytes.subarray(0, DIALECT_BYTES));
  if (dialect === null) return;
  const surveyor = new TextSurveyor(NAME, dialect);
  for (let position = 0, steps = 0; position < bytes.length; steps++) {
    // Batches of an odd size: lines are cut between them.
    const batch = bytes.slice(position, position + 4099);
    const used = surveyor.scan(batch, position, position + batch.length >= bytes.length);
    must(used > 0 && used <= batch.length && steps <= bytes.length, () => `${used} bytes used of ${batch.length}`);
    position += used;
  }
  const survey = surveyor.finish();
  checkWarnings(survey.warnings, bytes.length);
  const head = textHead(survey, { offset: 0, bytes: bytes.length, compressed: false });
  const events = survey.streams.reduce((sum, stream) => sum + stream.events, 0);
  must(events <= bytes.length, () => `${events} events of ${bytes.length} bytes`);
  const cpus = head.buffers.reduce((sum, buffer) => sum + buffer.cpus.length, 0);
  must(cpus <= bytes.length, () => `${cpus} CPUs of ${bytes.length} bytes`);
}

function runRawFolder(bytes: Uint8Array): void {
  const folder = mkdtempSync(join(tmpdir(), 'remora-fuzz-'));
  try {
    for (const [name, content] of unpackFolder(bytes)) {
      try {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), content);
      } catch {
        // A name that is a folder too: the damage made it so.
      }
    }
    const found = rawFolderAt(folder) as RawFolder;
    const source = openRawFolder(found);
    try {
      const head = readRawHead(found, source);
      visitRecords(
        head.buffers.map((buffer) => ({ source, head, buffer })),
        ({ length }) => must(length >= 0, () => 'a record of less than no bytes'),
      );
      reportRecording(source, head, {}, () => {});
    } finally {
      source.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const anywhere: Place = (random, length) => random(length);
/** Heads and tails hold what counts and points; sub-buffers begin at multiples of 1024. */
const structure: Place = (random, length) => {
  switch (random(8)) {
    case 0:
      return random(Math.min(length, 64));
    case 1:
      return random(Math.min(length, 512));
    case 2:
    case 3:
      return length - 1 - random(Math.min(length, 700));
    case 4:
      return Math.min(length - 1, random(Math.ceil(length / 1024)) * 1024 + random(24));
    default:
      return random(length);
  }
};

export const targets: Record<string, FuzzTarget> = {
  recording: { weight: 50, seeds: recordings, place: structure, run: runRecording },
  ring: { weight: 20, seeds: rings, place: anywhere, run: runRing },
  format: { weight: 80, seeds: formatsWithRecords, place: anywhere, run: runFormat },
  text: { weight: 49, seeds: () => texts, place: anywhere, run: runText },
  raw: { weight: 1, seeds: rawFolders, place: anywhere, run: runRawFolder },
};

/** Runs one input. Returns null, or why it is a finding. */
export function finding(target: FuzzTarget, bytes: Uint8Array): Error | null {
  try {
    target.run(bytes);
    return null;
  } catch (error) {
    if (error instanceof RemoraError) return error.message === '' ? error : null;
    return error instanceof Error ? error : new Error(String(error));
  }
}
