import type { Progress } from '../../shared/api.ts';
import type { ByteSource } from '../parse/byte-source.ts';
import { type CpuBytes, openCpuBytes } from '../parse/cpu-data.ts';
import { placeDamage } from '../parse/damage.ts';
import { subBufferLayout } from '../parse/layout.ts';
import type { CpuData, RecordingBuffer, RecordingHead } from '../parse/recording.ts';
import { CHUNK_EVENTS, newColumns, type SubBufferLayout, SubBufferScanner, swapWords } from '../parse/sub-buffer.ts';
import { correctTime } from '../parse/time-correction.ts';
import type { ImportWriter } from '../store/import-writer.ts';
import { type KeptEvent, type KeptKinds, keptKinds } from './kept-events.ts';
import { previewOf } from './preview.ts';
import { anyOf } from './signals.ts';
import { indexSlabs, threadsFor } from './slab-pool.ts';
import type { SlabAnswer, SlabOrder } from './slab-thread.ts';
import { TextImport } from './text-import.ts';

/** Unpacked bytes of one CPU that are indexed at a time: what progress, cancel and threads work in. */
const SLAB_BYTES = 1 << 24;

export interface ImportOptions {
  signal?: AbortSignal | undefined;
  /** Ends indexing with what is there by then. */
  stop?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Progress begins with what the recording looks like. */
  preview?: boolean | undefined;
  /** Threads to index with; default: by the amount of data. */
  threads?: number | undefined;
}

/** How far indexing is in unpacked bytes. `stream`: the store's id; `cpu`: null for a text, where all of them lie mixed. */
export interface Coverage {
  stream: number;
  cpu: number | null;
  bytes: number;
  totalBytes: number;
}

/** Indexing of one recording that may be stopped and go on; between, the store holds totals of what is there. */
export interface ResumableImport {
  /** Events indexed so far. */
  readonly events: number;
  coverage(): Coverage[];
  /**
   * Indexes what is left. True: the index is complete. False: `stop` came first. On cancel throws RemoraError `cancelled`;
   * then the caller aborts the writer, or calls again.
   */
  run(options: ImportOptions): Promise<boolean>;
  /** Makes what is written so far readable, as an index that is not complete. */
  pause(): void;
}

/** Indexing of a recording of any kind; nothing but its head is read before it runs. */
export function startImport(source: ByteSource, head: RecordingHead, writer: ImportWriter): ResumableImport {
  return head.text === null ? new RecordingImport(source, head, writer) : new TextImport(source, head, writer);
}

/** One CPU of one buffer while it is imported. */
interface CpuImport {
  stream: number;
  data: CpuData;
  bytes: CpuBytes;
  /** Slabs not yet written. */
  left: number;
  events: number;
  doneBytes: number;
}

/** One buffer while it is imported. */
interface StreamImport {
  stream: number;
  left: number;
  fromNs: number;
  toNs: number;
  eventTotals: Map<number, number>;
}

/**
 * Reads every sub-buffer of a recording once and writes its index: per buffer and CPU, chunks of columns. Reading,
 * scanning and encoding run in several threads where there is enough to do, writing in this one. Memory is a few slabs' columns and what
 * SQLite caches.
 *
 * `run` may be stopped and called again: what is written is the beginning of each CPU, as far in all of them, and the
 * rest follows. Between, the store holds totals of what is there, and the recording counts as not indexed.
 */
class RecordingImport implements ResumableImport {
  readonly #source: ByteSource;
  readonly #head: RecordingHead;
  readonly #writer: ImportWriter;
  readonly #streams: StreamImport[] = [];
  readonly #cpus: CpuImport[] = [];
  readonly #orders: (Omit<SlabOrder, 'slab'> & { cpu: CpuImport; streamImport: StreamImport })[] = [];
  readonly #pidTotals = new Map<number, number>();
  readonly #kept: KeptKinds;
  readonly #keeper: Keeper;
  readonly #totalBytes: number;
  /** Slabs that are written: the first of all. */
  #written = 0;
  #doneBytes = 0;
  events = 0;

  constructor(source: ByteSource, head: RecordingHead, writer: ImportWriter) {
    this.#source = source;
    this.#head = head;
    this.#writer = writer;
    this.#kept = keptKinds(head);
    this.#keeper = new Keeper(writer, this.#kept);
    // Read late where they are packed: whether they can be belongs to what the index knows.
    if (head.compression !== 'none') head.kallsyms();
    for (const warning of head.warnings) writer.addWarning(warning);
    head.buffers.forEach((buffer, index) => {
      this.#addStream(buffer, index);
    });
    // What is there when it is stopped is the beginning of all CPUs, as far as that can be told without reading them.
    this.#orders.sort((a, b) => partBefore(a) - partBefore(b));
    this.#totalBytes = this.#orders.reduce((sum, { job }) => sum + job.to - job.from, 0);
  }

  #addStream(buffer: RecordingBuffer, index: number): void {
    const writer = this.#writer;
    const layout = subBufferLayout(this.#head, buffer);
    const cpus = [...buffer.cpus]
      .sort((a, b) => a.cpu - b.cpu)
      .map((data) => ({ data, bytes: openCpuBytes(this.#source, data, this.#head.compression) }));
    const { rawOrigin, origin } = originOf(cpus, layout, buffer);
    const stream = writer.addStream({ buffer: index, name: buffer.name, clock: buffer.clock, origin: String(origin) });
    const streamImport: StreamImport = { stream, left: 0, fromNs: Infinity, toNs: -Infinity, eventTotals: new Map() };
    this.#streams.push(streamImport);
    const step = Math.max(1, Math.floor(SLAB_BYTES / layout.subBufferBytes)) * layout.subBufferBytes;
    for (const { data, bytes } of cpus) {
      for (const warning of bytes.warnings) writer.addWarning(warning);
      const cpu: CpuImport = { stream, data, bytes, left: 0, events: 0, doneBytes: 0 };
      this.#cpus.push(cpu);
      for (let from = 0; from < bytes.size; from += step) {
        const job = {
          cpu: data.cpu,
          layout,
          time: buffer.time,
          rawOrigin,
          origin,
          from,
          to: Math.min(from + step, bytes.size),
        };
        this.#orders.push({ data, job, cpu, streamImport });
        cpu.left++;
        streamImport.left++;
      }
      if (cpu.left === 0) writer.finishCpu(stream, data.cpu, 0);
    }
    if (streamImport.left === 0) writer.finishStream(stream, 0, 0, streamImport.eventTotals);
  }

  coverage(): Coverage[] {
    return this.#cpus.map(({ stream, data, bytes, doneBytes }) => ({
      stream,
      cpu: data.cpu,
      bytes: doneBytes,
      totalBytes: bytes.size,
    }));
  }

  async run({ signal, stop, preview: wanted, onProgress, threads }: ImportOptions): Promise<boolean> {
    if (wanted && this.#written === 0) {
      const preview = previewOf(this.#source, this.#head);
      if (preview !== null) onProgress?.({ stage: 'Indexing', unit: 'bytes', done: 0, total: 0, preview });
    }
    const rest = this.#orders.slice(this.#written);
    const collect = (answer: SlabAnswer): void => {
      const { job, cpu, streamImport } = rest[answer.slab] as (typeof rest)[number];
      this.#keeper.write(streamImport.stream, job.cpu, cpu.events, answer.result.kept);
      writeSlab(this.#writer, cpu, streamImport, answer);
      addTo(this.#pidTotals, answer.pidTotals);
      cpu.doneBytes += job.to - job.from;
      this.#doneBytes += job.to - job.from;
      this.events += answer.result.events;
      this.#written++;
      onProgress?.({
        stage: 'Indexing',
        unit: 'bytes',
        done: this.#doneBytes,
        total: this.#totalBytes,
        events: this.events,
        stoppable: this.events > 0,
      });
    };
    const plainOrders = rest.map(({ data, job }, slab) => ({ slab, data, job }));
    const work = { compression: this.#head.compression, kept: this.#kept };
    const either = anyOf(signal, stop);
    try {
      await indexSlabs(
        this.#source,
        work,
        plainOrders,
        threads ?? threadsFor(this.#totalBytes, this.#head.compression),
        collect,
        either,
      );
    } catch (error) {
      if (!either.aborted) throw error;
      this.pause();
      if (signal?.aborted) throw error;
      return false;
    }
    this.#writer.finish(this.#pidTotals, this.#keeper.complete);
    return true;
  }

  pause(): void {
    for (const { stream, data, left, events } of this.#cpus)
      if (left > 0) this.#writer.finishCpu(stream, data.cpu, events);
    for (const stream of this.#streams) if (stream.left > 0) finishStream(this.#writer, stream);
    this.#writer.pause(this.#pidTotals);
  }
}

/** How much of its CPU's data lies before a slab, 0 to 1. */
const partBefore = ({ job, cpu }: { job: { from: number }; cpu: CpuImport }): number => job.from / cpu.bytes.size;

/** More than this would cost more to read at every opening than asking the index when the question comes. */
const MOST_KEPT = 100_000;

/** Writes what slabs kept: of a task only the first of all. */
class Keeper {
  readonly #writer: ImportWriter;
  readonly #kinds: KeptKinds;
  readonly #named = new Set<number>();
  #count = 0;
  /** False once it was too much. */
  complete = true;

  constructor(writer: ImportWriter, kinds: KeptKinds) {
    this.#writer = writer;
    this.#kinds = kinds;
  }

  /** `firstIndex`: of the slab's first event among the CPU's. */
  write(stream: number, cpu: number, firstIndex: number, kept: readonly KeptEvent[] | null): void {
    this.#count += kept?.length ?? 0;
    this.complete &&= kept !== null && this.#count <= MOST_KEPT;
    if (!this.complete) return;
    for (const event of kept ?? []) {
      if (event.id === this.#kinds.taskSwitch) {
        if (this.#named.has(event.pid)) continue;
        this.#named.add(event.pid);
      }
      this.#writer.addKept(stream, cpu, { ...event, index: firstIndex + event.index });
    }
  }
}

function writeSlab(
  writer: ImportWriter,
  cpu: CpuImport,
  stream: StreamImport,
  { result, warnings, eventTotals }: SlabAnswer,
): void {
  const { data, bytes } = cpu;
  let firstIndex = cpu.events;
  for (const { basePosition, chunk } of result.chunks) {
    writer.addChunk(stream.stream, data.cpu, firstIndex, basePosition, chunk);
    firstIndex += chunk.count;
    stream.fromNs = Math.min(stream.fromNs, chunk.fromNs);
    stream.toNs = Math.max(stream.toNs, chunk.toNs);
  }
  for (const lost of result.lost) {
    writer.addLost(stream.stream, data.cpu, { ...lost, beforeIndex: lost.beforeIndex + cpu.events });
  }
  for (const damage of result.damage) writer.addWarning(placeDamage(data, bytes, damage));
  for (const warning of warnings) writer.addWarning(warning);
  addTo(stream.eventTotals, eventTotals);
  cpu.events += result.events;
  if (--cpu.left === 0) writer.finishCpu(stream.stream, data.cpu, cpu.events);
  if (--stream.left === 0) finishStream(writer, stream);
}

function finishStream(writer: ImportWriter, { stream, fromNs, toNs, eventTotals }: StreamImport): void {
  const some = Number.isFinite(fromNs);
  writer.finishStream(stream, some ? fromNs : 0, some ? toNs : 0, eventTotals);
}

function addTo(totals: Map<number, number>, more: ReadonlyMap<number, number>): void {
  for (const [key, count] of more) totals.set(key, (totals.get(key) ?? 0) + count);
}

/** Raw and corrected time of the earliest event of a buffer; 0 where it has none. */
function originOf(
  cpus: readonly { data: CpuData; bytes: CpuBytes }[],
  layout: SubBufferLayout,
  buffer: RecordingBuffer,
): { rawOrigin: bigint; origin: bigint } {
  const raws = cpus.flatMap(({ data, bytes }) => {
    const raw = firstRawTime(bytes, layout);
    return raw === null ? [] : [{ raw, time: correctTime(raw, buffer.time, data.cpu) }];
  });
  const least = (values: bigint[]): bigint => values.reduce((a, b) => (b < a ? b : a), values[0] ?? 0n);
  return { rawOrigin: least(raws.map(({ raw }) => raw)), origin: least(raws.map(({ time }) => time)) };
}

/** Raw time of a CPU's first event; null where it has none. */
function firstRawTime(bytes: CpuBytes, layout: SubBufferLayout): bigint | null {
  const columns = newColumns(Math.min(CHUNK_EVENTS, Math.ceil(layout.subBufferBytes / 8)));
  const page = new Uint8Array(layout.subBufferBytes);
  for (let position = 0; position < bytes.size; position += layout.subBufferBytes) {
    page.fill(0);
    bytes.read(position, page.length, page);
    const origin = new DataView(page.buffer).getBigUint64(0, layout.abi.littleEndian);
    if (!layout.abi.littleEndian) swapWords(page);
    const { count } = new SubBufferScanner(layout, origin).scan(new Uint32Array(page.buffer), 0, 0, columns, 0, 0);
    if (count > 0) return origin + BigInt(columns.time[0] as number);
  }
  return null;
}
