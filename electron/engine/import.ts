import type { Progress } from '../../shared/api.ts';
import { RemoraError } from '../../shared/errors.ts';
import type { ByteSource } from '../parse/byte-source.ts';
import { type CpuBytes, openCpuBytes } from '../parse/cpu-data.ts';
import { subBufferLayout } from '../parse/layout.ts';
import type { CpuData, RecordingBuffer, RecordingHead } from '../parse/recording.ts';
import { newColumns, type SubBufferLayout, SubBufferScanner, swapWords } from '../parse/sub-buffer.ts';
import { correctTime, isPlainOffset } from '../parse/time-correction.ts';
import { ChunkEncoder } from '../store/chunk-codec.ts';
import type { ImportWriter } from '../store/workspace-store.ts';

/** Bytes read and scanned at a time; also how often progress is told and cancel looked at. */
const BATCH_BYTES = 1 << 22;

export interface ImportOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * Reads every sub-buffer of a recording once and writes its index: per buffer and CPU, chunks of columns. Memory is a
 * batch, a chunk's columns and what SQLite caches. Gives the event loop a turn after every batch. On cancel throws
 * RemoraError `cancelled`; the caller aborts the writer.
 */
export async function importRecording(
  source: ByteSource,
  head: RecordingHead,
  writer: ImportWriter,
  options: ImportOptions = {},
): Promise<void> {
  const encoder = new ChunkEncoder();
  const total = head.buffers.reduce((sum, { cpus }) => sum + cpus.reduce((bytes, cpu) => bytes + cpu.bytes, 0), 0);
  const progress = { done: 0, total, events: 0 };
  for (const warning of head.warnings) writer.addWarning(warning);
  for (const [index, buffer] of head.buffers.entries()) {
    const layout = subBufferLayout(head, buffer);
    const cpus = [...buffer.cpus].sort((a, b) => a.cpu - b.cpu).map((data) => ({ data, bytes: openCpuBytes(source, data, head.compression) }));
    const firsts = cpus.flatMap(({ data, bytes }) => firstEvent(bytes, layout, buffer, data) ?? []);
    const rawOrigin = firsts.reduce<bigint | null>((least, { raw }) => (least === null || raw < least ? raw : least), null) ?? 0n;
    const origin = firsts.reduce<bigint | null>((least, { time }) => (least === null || time < least ? time : least), null) ?? 0n;
    const stream = writer.addStream({ buffer: index, name: buffer.name, clock: buffer.clock, origin: String(origin) });
    encoder.eventTotals = new Map();
    let fromNs = Number.POSITIVE_INFINITY;
    let toNs = Number.NEGATIVE_INFINITY;
    for (const { data, bytes } of cpus) {
      const found = await importCpu({ source, buffer, data, bytes, layout, rawOrigin, origin, stream, writer, encoder, progress, options });
      fromNs = Math.min(fromNs, found.fromNs);
      toNs = Math.max(toNs, found.toNs);
    }
    writer.finishStream(stream, Number.isFinite(fromNs) ? fromNs : 0, Number.isFinite(toNs) ? toNs : 0, encoder.eventTotals);
  }
  writer.finish(encoder.pidTotals);
}

/** Raw and corrected time of a CPU's first event; null where it has none. */
function firstEvent(
  bytes: CpuBytes,
  layout: SubBufferLayout,
  buffer: RecordingBuffer,
  data: CpuData,
): { raw: bigint; time: bigint } | null {
  const columns = newColumns(Math.ceil(layout.subBufferBytes / 8));
  for (let position = 0; position < bytes.size; position += layout.subBufferBytes) {
    const page = new Uint8Array(layout.subBufferBytes);
    bytes.read(position, page.length, page);
    const origin = new DataView(page.buffer).getBigUint64(0, layout.abi.littleEndian);
    if (!layout.abi.littleEndian) swapWords(page);
    const { count } = new SubBufferScanner(layout, origin).scan(new Uint32Array(page.buffer), 0, 0, columns, 0, 0);
    if (count > 0) {
      const raw = origin + BigInt(columns.time[0] as number);
      return { raw, time: correctTime(raw, buffer.time, data.cpu) };
    }
  }
  return null;
}

interface CpuImport {
  source: ByteSource;
  buffer: RecordingBuffer;
  data: CpuData;
  bytes: CpuBytes;
  layout: SubBufferLayout;
  rawOrigin: bigint;
  origin: bigint;
  stream: number;
  writer: ImportWriter;
  encoder: ChunkEncoder;
  progress: { done: number; total: number; events: number };
  options: ImportOptions;
}

async function importCpu(job: CpuImport): Promise<{ fromNs: number; toNs: number }> {
  const { bytes, layout, stream, writer, encoder, progress, options, data } = job;
  const cpu = data.cpu;
  const scanner = new SubBufferScanner(layout, job.rawOrigin);
  const columns = newColumns();
  const step = Math.max(1, Math.floor(BATCH_BYTES / layout.subBufferBytes)) * layout.subBufferBytes;
  const batch = new Uint8Array(Math.min(step, Math.ceil(bytes.size / layout.subBufferBytes) * layout.subBufferBytes));
  const plain = isPlainOffset(job.buffer.time, cpu);
  let fromNs = Number.POSITIVE_INFINITY;
  let toNs = Number.NEGATIVE_INFINITY;
  let count = 0;
  let base = 0;
  let firstIndex = 0;
  let lostWritten = 0;

  const flush = (): void => {
    if (count > 0) {
      if (!plain) correctColumn(columns.time, count, job);
      const chunk = encoder.encode(columns, count);
      writer.addChunk(stream, cpu, firstIndex, base, chunk);
      fromNs = Math.min(fromNs, chunk.fromNs);
      toNs = Math.max(toNs, chunk.toNs);
      progress.events += count;
    }
    for (; lostWritten < scanner.lost.length; lostWritten++) {
      const lost = scanner.lost[lostWritten] as { beforeIndex: number; count: number };
      const at = Math.min(lost.beforeIndex - firstIndex, count - 1);
      writer.addLost(stream, cpu, { ...lost, atNs: at >= 0 ? (columns.time[at] as number) : Math.max(0, toNs) });
    }
    firstIndex += count;
    count = 0;
  };

  for (let position = 0; position < bytes.size; position += batch.length) {
    if (options.signal?.aborted) throw new RemoraError({ code: 'cancelled', message: 'the import was cancelled' });
    const got = bytes.read(position, batch.length, batch).length;
    const whole = Math.ceil(got / layout.subBufferBytes) * layout.subBufferBytes;
    batch.fill(0, got, whole);
    if (!layout.abi.littleEndian) swapWords(batch);
    const words = new Uint32Array(batch.buffer, 0, whole >>> 2);
    for (let byte = 0; ; ) {
      if (count === 0) base = position + byte;
      const scanned = scanner.scan(words, position, byte, columns, count, base);
      byte = scanned.nextByte;
      count = scanned.count;
      if (byte + layout.subBufferBytes > whole) break;
      flush();
    }
    progress.done += data.compressed ? (got / bytes.size) * data.bytes : got;
    options.onProgress?.({ stage: 'Indexing', unit: 'bytes', done: progress.done, total: progress.total, events: progress.events + count });
    await new Promise(setImmediate);
  }
  flush();
  writer.finishCpu(stream, cpu, firstIndex);
  for (const { position, message } of scanner.damage) {
    const at = bytes.fileOffset(position);
    writer.addWarning({ offset: at >= 0 ? at : data.offset, section: `cpu ${cpu} data`, message: at >= 0 ? message : `at unpacked byte ${position}: ${message}` });
  }
  for (const warning of bytes.warnings) writer.addWarning(warning);
  return { fromNs, toNs };
}

/** Turns raw ticks relative to the raw origin into trace time relative to the stream's, in place. */
function correctColumn(time: Float64Array, count: number, { rawOrigin, origin, buffer, data }: CpuImport): void {
  for (let i = 0; i < count; i++) {
    time[i] = Number(correctTime(rawOrigin + BigInt(time[i] as number), buffer.time, data.cpu) - origin);
  }
}
