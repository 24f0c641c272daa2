import { setImmediate as nextTurn } from 'node:timers/promises';
import { RemoraError } from '../../shared/errors.ts';
import type { ByteSource } from '../parse/byte-source.ts';
import { type CpuBytes, openCpuBytes } from '../parse/cpu-data.ts';
import type { RecordingHead } from '../parse/recording.ts';
import { CHUNK_EVENTS, type EventColumns, newColumns } from '../parse/sub-buffer.ts';
import type { TextBody } from '../parse/text-trace/body.ts';
import type { TextRecords } from '../parse/text-trace/head.ts';
import type { TraceLine } from '../parse/text-trace/line.ts';
import { TextScanner, type TextSink } from '../parse/text-trace/scanner.ts';
import { ChunkEncoder } from '../store/chunk-encoder.ts';
import type { ImportWriter } from '../store/import-writer.ts';
import type { Coverage, ImportOptions, ResumableImport } from './import.ts';
import { anyOf } from './signals.ts';

/** Bytes scanned between two turns of the event loop. */
const BATCH_BYTES = 1 << 22;
/** Columns of a CPU begin small: a text can name thousands of CPUs. */
const FIRST_EVENTS = 16;
/** Positions are 32 bits from a chunk's first event. */
const MOST_SPAN = 2 ** 32 - 1;

interface TextScanOptions {
  /** Where to begin: where another scan ended. */
  from?: number;
  signal?: AbortSignal | undefined;
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Feeds a text, to its last byte, to `scan` (TextScanner.scan), with turns of the event loop between. */
export async function scanText(
  source: Pick<ByteSource, 'size' | 'read'>,
  scan: (bytes: Uint8Array, position: number, last: boolean) => number,
  { from = 0, signal, onProgress }: TextScanOptions,
): Promise<void> {
  const batch = new Uint8Array(Math.min(BATCH_BYTES, source.size));
  for (let position = from; position < source.size; ) {
    if (signal?.aborted) throw new RemoraError({ code: 'cancelled', message: 'the import was cancelled' });
    const bytes = source.read(position, batch.length, batch);
    if (bytes.length === 0) break;
    position += scan(bytes, position, position + bytes.length >= source.size);
    onProgress?.(position, source.size);
    await nextTurn();
  }
}

/** Events of one CPU that wait to be written. */
interface CpuColumns {
  cpu: number;
  columns: EventColumns;
  count: number;
  /** Where the first one lies in the text. */
  base: number;
  /** Events written before. */
  written: number;
  lastNs: number;
}

interface StreamColumns {
  /** The store's id. */
  stream: number;
  seconds: number;
  nanoseconds: number;
  cpus: Map<number, CpuColumns>;
  fromNs: number;
  toNs: number;
  eventTotals: Map<number, number>;
}

/**
 * Writes the index of a recording that is text: one pass, in which every CPU of every stream collects its chunk. Memory is
 * a chunk's columns per CPU. What is there when it is stopped is the text's beginning, of all CPUs.
 */
export class TextImport implements ResumableImport {
  readonly #index: TextIndex;
  readonly #scanner: TextScanner;
  /** The text; null where no line of it is an event. */
  readonly #text: CpuBytes | null;
  #done = 0;

  constructor(source: ByteSource, head: RecordingHead, writer: ImportWriter) {
    const text = head.text as TextRecords;
    for (const warning of head.warnings) writer.addWarning(warning);
    this.#index = new TextIndex(head, text, writer);
    this.#scanner = new TextScanner(text.dialect, text.names, [...text.streamNames], this.#index);
    // All CPUs of all streams lie in the same text.
    const data = head.buffers.flatMap(({ cpus }) => cpus)[0];
    this.#text = data === undefined ? null : openCpuBytes(source, data, head.compression);
  }

  get events(): number {
    return this.#index.events;
  }

  coverage(): Coverage[] {
    return [{ stream: this.#index.firstStream, cpu: null, bytes: this.#done, totalBytes: this.#text?.size ?? 0 }];
  }

  async run({ signal, stop, onProgress }: ImportOptions): Promise<boolean> {
    if (this.#text !== null) {
      const scan = (bytes: Uint8Array, position: number, last: boolean): number =>
        this.#scanner.scan(bytes, position, last);
      try {
        await scanText(this.#text, scan, {
          from: this.#done,
          signal: anyOf(signal, stop),
          onProgress: (done, total) => {
            this.#done = done;
            onProgress?.({
              stage: 'Indexing',
              unit: 'bytes',
              done,
              total,
              events: this.events,
              stoppable: this.events > 0,
            });
          },
        });
      } catch (error) {
        if (!signal?.aborted && !stop?.aborted) throw error;
        this.pause();
        if (signal?.aborted) throw error;
        return false;
      }
    }
    this.#index.finish();
    return true;
  }

  pause(): void {
    this.#index.pause();
  }
}

class TextIndex implements TextSink {
  readonly #writer: ImportWriter;
  readonly #encoder = new ChunkEncoder();
  readonly #streams: (StreamColumns | null)[];
  readonly #pidTotals = new Map<number, number>();
  events = 0;

  constructor(head: RecordingHead, text: TextRecords, writer: ImportWriter) {
    this.#writer = writer;
    this.#streams = text.streams.map(() => null);
    head.buffers.forEach((buffer, index) => {
      const place = text.streams.findIndex((stream) => stream?.buffer === index);
      const { seconds, nanoseconds } = text.streams[place] as { seconds: number; nanoseconds: number };
      const origin = String(BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds));
      const stream = writer.addStream({ buffer: index, name: buffer.name, clock: buffer.clock, origin });
      const cpus = new Map(buffer.cpus.map(({ cpu }) => [cpu, newCpu(cpu)]));
      this.#streams[place] = {
        stream,
        seconds,
        nanoseconds,
        cpus,
        fromNs: Infinity,
        toNs: -Infinity,
        eventTotals: new Map(),
      };
    });
  }

  event(_: Uint8Array, line: TraceLine, _body: TextBody, id: number, index: number, position: number): void {
    const stream = this.#streams[index];
    const cpu = stream?.cpus.get(line.cpu);
    if (stream == null || cpu === undefined) return;
    if (cpu.count === CHUNK_EVENTS || (cpu.count > 0 && position - cpu.base > MOST_SPAN)) this.#flush(stream, cpu);
    if (cpu.count === 0) cpu.base = position;
    if (cpu.count === cpu.columns.time.length) cpu.columns = grown(cpu.columns);
    const { columns, count } = cpu;
    const time = (line.seconds - stream.seconds) * 1e9 + (line.nanoseconds - stream.nanoseconds);
    columns.time[count] = time;
    columns.id[count] = id;
    columns.pid[count] = line.pid;
    columns.position[count] = position - cpu.base;
    cpu.count++;
    cpu.lastNs = time;
    this.events++;
  }

  lost(index: number, number: number, count: number): void {
    const stream = this.#streams[index];
    const cpu = stream?.cpus.get(number);
    if (stream == null || cpu === undefined) return;
    this.#writer.addLost(stream.stream, number, { beforeIndex: cpu.written + cpu.count, atNs: cpu.lastNs, count });
  }

  #flush(stream: StreamColumns, cpu: CpuColumns): void {
    if (cpu.count === 0) return;
    this.#encoder.reset();
    const chunk = this.#encoder.encode(cpu.columns, cpu.count);
    this.#writer.addChunk(stream.stream, cpu.cpu, cpu.written, cpu.base, chunk);
    addTo(stream.eventTotals, this.#encoder.eventTotals);
    addTo(this.#pidTotals, this.#encoder.pidTotals);
    stream.fromNs = Math.min(stream.fromNs, chunk.fromNs);
    stream.toNs = Math.max(stream.toNs, chunk.toNs);
    cpu.written += cpu.count;
    cpu.count = 0;
  }

  /** The store's id of the stream that is named first; -1 where there is none. */
  get firstStream(): number {
    return this.#streams.find((stream) => stream !== null)?.stream ?? -1;
  }

  finish(): void {
    this.#writeTotals();
    this.#writer.finish(this.#pidTotals);
  }

  /** Writes what was found so far; more may follow, in chunks of its own. */
  pause(): void {
    this.#writeTotals();
    this.#writer.pause(this.#pidTotals);
  }

  #writeTotals(): void {
    for (const stream of this.#streams) {
      if (stream === null) continue;
      for (const cpu of stream.cpus.values()) {
        this.#flush(stream, cpu);
        this.#writer.finishCpu(stream.stream, cpu.cpu, cpu.written);
      }
      const some = Number.isFinite(stream.fromNs);
      this.#writer.finishStream(stream.stream, some ? stream.fromNs : 0, some ? stream.toNs : 0, stream.eventTotals);
    }
  }
}

const newCpu = (cpu: number): CpuColumns => ({
  cpu,
  columns: newColumns(FIRST_EVENTS),
  count: 0,
  base: 0,
  written: 0,
  lastNs: 0,
});

/** Columns of twice the length that begin with the same events. */
function grown(columns: EventColumns): EventColumns {
  const larger = newColumns(Math.min(CHUNK_EVENTS, columns.time.length * 2));
  larger.time.set(columns.time);
  larger.id.set(columns.id);
  larger.pid.set(columns.pid);
  larger.position.set(columns.position);
  return larger;
}

function addTo(totals: Map<number, number>, more: ReadonlyMap<number, number>): void {
  for (const [key, count] of more) totals.set(key, (totals.get(key) ?? 0) + count);
}
