import { setImmediate as nextTurn } from 'node:timers/promises';
import { RemoraError, type TraceWarning } from '../../shared/errors.ts';
import type { ByteSource } from '../parse/byte-source.ts';
import { type CpuBytes, openCpuBytes } from '../parse/cpu-data.ts';
import { placeDamage } from '../parse/damage.ts';
import { subBufferLayout } from '../parse/layout.ts';
import type { CpuData, RecordingBuffer, RecordingHead } from '../parse/recording.ts';
import {
  CHUNK_EVENTS,
  newColumns,
  payloadOf,
  type SubBufferLayout,
  SubBufferScanner,
  swapWords,
} from '../parse/sub-buffer.ts';
import type { TextRecords } from '../parse/text-trace/head.ts';
import { TextScanner } from '../parse/text-trace/scanner.ts';
import { headProblems } from '../query/head-check.ts';
import { RecordCheck } from '../query/record-check.ts';
import { firstTimestamp } from '../query/records.ts';
import { scanText } from './text-import.ts';

/** What reading every byte of a recording told. */
export interface CheckedRecording {
  streams: CheckedStream[];
  /** Damage, each with the place where it was met: the head's first, then that of each CPU's data in order. */
  problems: TraceWarning[];
  /** Records of events that the recording has no format of: they are there, and cannot be told. */
  undecodable: { id: number; events: number }[];
}

export interface CheckedStream {
  name: string;
  clock: string;
  cpus: CheckedCpu[];
}

export interface CheckedCpu {
  cpu: number;
  /** Of event data, unpacked. */
  bytes: number;
  subBuffers: number;
  events: number;
  /** Events that the kernel dropped, where it said how many, and places where it did not. */
  lost: number;
  gaps: number;
  undecodable: number;
  /** How many of the problems are this CPU's. */
  damage: number;
}

export interface CheckOptions {
  signal?: AbortSignal | undefined;
  /** Bytes read so far, and in all. */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

const BATCH_BYTES = 1 << 20;
/** Problems of one CPU that are told each by itself; a file full of noise has one in every sub-buffer. */
const MOST_OF_A_CPU = 10_000;

/** Reads all of a recording. Nothing is written and no index is needed. Throws `cancelled` by the signal. */
export async function checkRecording(
  source: ByteSource,
  head: RecordingHead,
  options: CheckOptions = {},
): Promise<CheckedRecording> {
  const checked: CheckedRecording = { streams: [], problems: headProblems(head, source.name), undecodable: [] };
  if (head.text !== null) {
    checked.streams = await checkText(source, head, head.text, options);
    return checked;
  }
  const open = head.buffers.map((buffer) =>
    [...buffer.cpus]
      .sort((a, b) => a.cpu - b.cpu)
      .map((data) => ({ data, bytes: openCpuBytes(source, data, head.compression) })),
  );
  const total = open.flat().reduce((sum, { bytes }) => sum + bytes.size, 0);
  let before = 0;
  const undecodable = new Map<number, number>();
  const checks = new Map(head.formats.map((format) => [format.id, new RecordCheck(format, head.abi)]));
  for (const [index, buffer] of head.buffers.entries()) {
    const stream: CheckedStream = { name: buffer.name, clock: buffer.clock, cpus: [] };
    checked.streams.push(stream);
    for (const { data, bytes } of open[index] ?? []) {
      const check = new CpuCheck(source, head, buffer, data, bytes, checks, undecodable);
      while (check.step()) {
        if (options.signal?.aborted) throw new RemoraError({ code: 'cancelled', message: 'the check was cancelled' });
        options.onProgress?.(before + check.done, total);
        await nextTurn();
      }
      before += bytes.size;
      stream.cpus.push(check.result);
      checked.problems.push(...check.problems);
    }
  }
  checked.undecodable = [...undecodable].map(([id, events]) => ({ id, events })).sort((a, b) => a.id - b.id);
  return checked;
}

/** One CPU's data, batch by batch. */
class CpuCheck {
  readonly #source: ByteSource;
  readonly #data: CpuData;
  readonly #bytes: CpuBytes;
  readonly #layout: SubBufferLayout;
  readonly #scanner: SubBufferScanner;
  readonly #columns: ReturnType<typeof newColumns>;
  readonly #checks: ReadonlyMap<number, RecordCheck>;
  readonly #undecodable: Map<number, number>;
  readonly #batch: Uint8Array;
  readonly #view: DataView;
  readonly #origin: bigint;
  /** The latest time met, and what was said of the scanner's damage. */
  #latest = Number.NEGATIVE_INFINITY;
  #damageTold = 0;
  #untold = 0;
  readonly #met: { position: number; problem: TraceWarning }[] = [];
  readonly result: CheckedCpu;
  done = 0;

  constructor(
    source: ByteSource,
    head: RecordingHead,
    buffer: RecordingBuffer,
    data: CpuData,
    bytes: CpuBytes,
    checks: ReadonlyMap<number, RecordCheck>,
    undecodable: Map<number, number>,
  ) {
    this.#source = data.part === undefined ? source : (source.part?.(data.part) ?? source);
    this.#data = data;
    this.#bytes = bytes;
    this.#checks = checks;
    this.#undecodable = undecodable;
    this.#layout = subBufferLayout(head, buffer);
    this.#origin = firstTimestamp(bytes, head.abi.littleEndian);
    this.#scanner = new SubBufferScanner(this.#layout, this.#origin);
    const unit = this.#layout.subBufferBytes;
    const most = Math.ceil(Math.min(BATCH_BYTES, Math.max(1, bytes.size)) / unit);
    this.#batch = new Uint8Array(most * unit);
    this.#view = new DataView(this.#batch.buffer);
    this.#columns = newColumns(Math.min(CHUNK_EVENTS, Math.ceil(this.#batch.length / 8)));
    this.result = {
      cpu: data.cpu,
      bytes: bytes.size,
      subBuffers: 0,
      events: 0,
      lost: 0,
      gaps: 0,
      undecodable: 0,
      damage: 0,
    };
  }

  /** Checks the next batch; false when there is none. */
  step(): boolean {
    if (this.done >= this.#bytes.size) {
      this.#finish();
      return false;
    }
    const unit = this.#layout.subBufferBytes;
    const got = this.#bytes.read(this.done, this.#batch.length, this.#batch).length;
    // A last sub-buffer that the file cuts is read as far as it goes.
    const whole = Math.ceil(got / unit) * unit;
    this.#batch.fill(0, got, whole);
    let words = new Uint32Array(this.#batch.buffer, 0, whole >>> 2);
    if (!this.#layout.abi.littleEndian) {
      const swapped = this.#batch.slice(0, whole);
      swapWords(swapped);
      words = new Uint32Array(swapped.buffer);
    }
    for (let byte = 0; byte + unit <= whole; byte += unit) this.#subBuffer(words, byte);
    for (let byte = 0; byte + unit <= whole; ) {
      const { nextByte, count } = this.#scanner.scan(words, this.done, byte, this.#columns, 0, this.done);
      for (let i = 0; i < count; i++) this.#record(i);
      byte = nextByte;
    }
    const { damage } = this.#scanner;
    for (; this.#damageTold < damage.length; this.#damageTold++) {
      const { position, message, expected, found } = damage[this.#damageTold] as (typeof damage)[number];
      this.#tell(position, { message, expected, found });
    }
    this.done += got;
    return true;
  }

  /** The kernel hands over no sub-buffer without a time or a record. */
  #subBuffer(words: Uint32Array, byte: number): void {
    const at = byte >>> 2;
    if ((words[at] as number) !== 0 || (words[at + 1] as number) !== 0) return;
    if ((words[at + 2] as number) !== 0 || (words[at + 3] as number) !== 0) return;
    // Chunks that do not unpack read as zeros, and are told as what they are.
    if (this.#data.compressed && this.#bytes.warnings.length > 0) return;
    this.#tell(this.done + byte, {
      message: 'a sub-buffer without a time and without records',
      expected: 'a time stamp and records',
      found: 'zeros',
    });
  }

  #record(i: number): void {
    const { id, time, position } = this.#columns;
    const at = position[i] as number;
    const check = this.#checks.get(id[i] as number);
    if (check === undefined) {
      this.result.undecodable++;
      this.#undecodable.set(id[i] as number, (this.#undecodable.get(id[i] as number) ?? 0) + 1);
    } else {
      const place = payloadOf(this.#view, at, this.#layout.abi.littleEndian);
      const problem = check.problem(this.#view, place.at, place.length);
      if (problem !== null) this.#tell(this.done + at, problem);
    }
    const now = time[i] as number;
    if (now < this.#latest) {
      const [expected, found] = [this.#time(this.#latest), this.#time(now)];
      const message = `the clock goes back from ${expected} to ${found}`;
      this.#tell(this.done + at, { message, expected: `a time of ${expected} or later`, found });
    }
    this.#latest = now;
  }

  /** A raw time stamp, as the ring buffer has it. */
  #time(relative: number): string {
    return String(this.#origin + BigInt(relative));
  }

  #tell(position: number, damage: Pick<TraceWarning, 'message' | 'expected' | 'found'>): void {
    this.result.damage++;
    if (this.#met.length >= MOST_OF_A_CPU) {
      this.#untold++;
      return;
    }
    const problem = { file: this.#source.name, ...placeDamage(this.#data, this.#bytes, { position, ...damage }) };
    this.#met.push({ position, problem });
  }

  /** All of them: those of the data's place in the file, then those within, in order. */
  get problems(): TraceWarning[] {
    const within = this.#met.toSorted((a, b) => a.position - b.position).map(({ problem }) => problem);
    const all = [...this.#bytes.warnings, ...within];
    if (this.#untold === 0) return all;
    const message = `${this.#untold} more problems of this CPU`;
    return [
      ...all,
      { file: this.#source.name, offset: this.#data.offset, section: `cpu ${this.#data.cpu} data`, message },
    ];
  }

  #finish(): void {
    const { lost, subBuffers, eventIndex } = this.#scanner;
    this.result.events = eventIndex;
    this.result.subBuffers = subBuffers;
    this.result.lost = lost.reduce((sum, { count }) => sum + Math.max(0, count), 0);
    this.result.gaps = lost.filter(({ count }) => count < 0).length;
    this.result.damage += this.#bytes.warnings.length;
  }
}

/** Every line was read for the head, which has the warnings: here they are counted. */
async function checkText(
  source: ByteSource,
  head: RecordingHead,
  text: TextRecords,
  { signal, onProgress }: CheckOptions,
): Promise<CheckedStream[]> {
  const place = head.buffers.flatMap(({ cpus }) => cpus)[0];
  const bytes = place === undefined ? null : openCpuBytes(source, place, head.compression);
  const streams = head.buffers.map(({ name, clock, cpus }) => ({
    name,
    clock,
    cpus: cpus.map(({ cpu }) => ({
      cpu,
      bytes: 0,
      subBuffers: 0,
      events: 0,
      lost: 0,
      gaps: 0,
      undecodable: 0,
      damage: 0,
    })),
  }));
  const byCpu = streams.map(({ cpus }) => new Map(cpus.map((cpu) => [cpu.cpu, cpu])));
  const found = (stream: number, cpu: number): CheckedCpu | undefined =>
    byCpu[text.streams[stream]?.buffer ?? -1]?.get(cpu);
  const scanner = new TextScanner(text.dialect, text.names, [...text.streamNames], {
    event(_bytes, line, _body, _id, stream) {
      const cpu = found(stream, line.cpu);
      if (cpu === undefined) return;
      cpu.events++;
      cpu.bytes += line.to - line.from;
    },
    lost(stream, number, count) {
      const cpu = found(stream, number);
      if (cpu === undefined) return;
      cpu.lost += Math.max(0, count);
      if (count < 0) cpu.gaps++;
    },
  });
  if (bytes !== null) await scanText(bytes, (batch, at, last) => scanner.scan(batch, at, last), { signal, onProgress });
  return streams;
}
