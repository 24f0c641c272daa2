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
import { indexSlabs, threadsFor } from './slab-pool.ts';
import type { SlabAnswer, SlabOrder } from './slab-thread.ts';
import { importText } from './text-import.ts';

/** Unpacked bytes of one CPU that are indexed at a time: what progress, cancel and threads work in. */
const SLAB_BYTES = 1 << 24;

export interface ImportOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Progress begins with what the recording looks like. */
  preview?: boolean | undefined;
  /** Threads to index with; default: by the amount of data. */
  threads?: number | undefined;
}

/** One CPU of one buffer while it is imported. */
interface CpuImport {
  stream: number;
  data: CpuData;
  bytes: CpuBytes;
  /** Slabs not yet written. */
  left: number;
  events: number;
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
 * SQLite caches. On cancel throws RemoraError `cancelled`; the caller aborts the writer.
 */
export async function importRecording(
  source: ByteSource,
  head: RecordingHead,
  writer: ImportWriter,
  options: ImportOptions = {},
): Promise<void> {
  if (head.text !== null) {
    await importText(source, head, writer, options);
    return;
  }
  for (const warning of head.warnings) writer.addWarning(warning);
  const streams: StreamImport[] = [];
  const orders: (SlabOrder & { cpu: CpuImport; streamImport: StreamImport })[] = [];
  const pidTotals = new Map<number, number>();
  const kept = keptKinds(head);
  const keeper = new Keeper(writer, kept);
  head.buffers.forEach((buffer, index) => {
    const layout = subBufferLayout(head, buffer);
    const cpus = [...buffer.cpus]
      .sort((a, b) => a.cpu - b.cpu)
      .map((data) => ({ data, bytes: openCpuBytes(source, data, head.compression) }));
    const { rawOrigin, origin } = originOf(cpus, layout, buffer);
    const stream = writer.addStream({ buffer: index, name: buffer.name, clock: buffer.clock, origin: String(origin) });
    const streamImport: StreamImport = { stream, left: 0, fromNs: Infinity, toNs: -Infinity, eventTotals: new Map() };
    streams.push(streamImport);
    const step = Math.max(1, Math.floor(SLAB_BYTES / layout.subBufferBytes)) * layout.subBufferBytes;
    for (const { data, bytes } of cpus) {
      for (const warning of bytes.warnings) writer.addWarning(warning);
      const cpu: CpuImport = { stream, data, bytes, left: 0, events: 0 };
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
        orders.push({ slab: orders.length, data, job, cpu, streamImport });
        cpu.left++;
        streamImport.left++;
      }
      if (cpu.left === 0) writer.finishCpu(stream, data.cpu, 0);
    }
    if (streamImport.left === 0) writer.finishStream(stream, 0, 0, streamImport.eventTotals);
  });

  const preview = options.preview ? previewOf(source, head) : null;
  if (preview !== null) options.onProgress?.({ stage: 'Indexing', unit: 'bytes', done: 0, total: 0, preview });
  const total = orders.reduce((sum, { job }) => sum + job.to - job.from, 0);
  const progress: Progress = { stage: 'Indexing', unit: 'bytes', done: 0, total, events: 0 };
  const collect = (answer: SlabAnswer): void => {
    const { job, cpu, streamImport } = orders[answer.slab] as (typeof orders)[number];
    keeper.write(streamImport.stream, job.cpu, cpu.events, answer.result.kept);
    writeSlab(writer, cpu, streamImport, answer);
    addTo(pidTotals, answer.pidTotals);
    progress.done += job.to - job.from;
    progress.events = (progress.events ?? 0) + answer.result.events;
    options.onProgress?.({ ...progress });
  };
  const plainOrders = orders.map(({ slab, data, job }) => ({ slab, data, job }));
  const threads = options.threads ?? threadsFor(total);
  const work = { compression: head.compression, kept };
  await indexSlabs(source, work, plainOrders, threads, collect, options.signal);
  writer.finish(pidTotals, keeper.complete);
}

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
  if (--stream.left === 0) {
    const some = Number.isFinite(stream.fromNs);
    writer.finishStream(stream.stream, some ? stream.fromNs : 0, some ? stream.toNs : 0, stream.eventTotals);
  }
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
