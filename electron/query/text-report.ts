import type { Chunk } from '../store/chunk-codec.ts';
import type { ChunkInfo } from '../store/workspace-store.ts';
import { PayloadReader, positionOf } from './payload.ts';
import type { RecordView } from './records.ts';
import { chunkOfIndex, type Trace, type TraceCpu, type TraceStream } from './trace.ts';

export interface TextReportRequest {
  /** Those CPUs alone. */
  cpus?: ReadonlySet<number> | undefined;
  /** Events that are left out. */
  keep?: ((event: Pick<RecordView, 'buffer' | 'cpu' | 'index'>) => boolean) | undefined;
}

const BLOCK_BYTES = 1 << 18;
const PIECE_BYTES = 1 << 20;
const NEWLINE = 0x0a;

/**
 * The report of a recording that is text: its lines as they are, in time order, those of one time in the text's. All of a
 * text that is in order already is copied; else the lines before its first event are followed by the events asked for.
 * `write` gets pieces that are borrowed for the call.
 */
export function reportText(trace: Trace, { cpus, keep }: TextReportRequest, write: (piece: Uint8Array) => void): void {
  const recording = trace.recordings[0];
  const sources = trace.streams.flatMap((stream, buffer) =>
    stream.cpus.map((cpu) => new CpuEvents(trace, stream, cpu, buffer)),
  );
  const [any] = sources;
  if (recording?.head.text == null || any === undefined) return;
  const { bytes } = any.cpu;
  const out = new Lines(write);
  if (recording.head.text.ordered && cpus === undefined && keep === undefined) {
    copy(bytes, 0, bytes.size, write);
    return;
  }
  copy(bytes, 0, Math.min(bytes.size, ...sources.map(({ firstPosition }) => firstPosition)), write);
  const live = sources.filter(({ cpu, done }) => !done && (cpus === undefined || cpus.has(cpu.cpu)));
  while (live.length > 0) {
    let first = 0;
    for (let i = 1; i < live.length; i++) if ((live[i] as CpuEvents).isBefore(live[first] as CpuEvents)) first = i;
    const next = live[first] as CpuEvents;
    if (keep === undefined || keep({ buffer: next.buffer, cpu: next.cpu.cpu, index: next.index })) out.add(next.line());
    next.advance();
    if (next.done) live.splice(first, 1);
  }
  out.flush();
}

function copy(bytes: TraceCpu['bytes'], from: number, to: number, write: (piece: Uint8Array) => void): void {
  for (let at = from; at < to; at += PIECE_BYTES) write(bytes.read(at, Math.min(PIECE_BYTES, to - at)));
}

/** Events of one CPU in its order, one at a time. */
class CpuEvents {
  readonly cpu: TraceCpu;
  readonly buffer: number;
  readonly firstPosition: number;
  readonly #trace: Trace;
  readonly #offsetNs: number;
  readonly #payloads: PayloadReader;
  #chunk: Chunk | null = null;
  #info: ChunkInfo | null = null;
  index = 0;
  timeNs = 0;
  position = 0;
  done = false;

  constructor(trace: Trace, stream: TraceStream, cpu: TraceCpu, buffer: number) {
    this.cpu = cpu;
    this.buffer = buffer;
    this.#trace = trace;
    this.#offsetNs = stream.offsetNs;
    this.#payloads = new PayloadReader(stream, cpu, BLOCK_BYTES);
    this.#load();
    this.firstPosition = this.done ? Number.POSITIVE_INFINITY : this.position;
  }

  #load(): void {
    if (this.#info === null || this.index >= this.#info.firstIndex + this.#info.count) {
      const info = chunkOfIndex(this.cpu, this.index);
      if (info === undefined) {
        this.done = true;
        return;
      }
      this.#info = info;
      this.#chunk = this.#trace.chunks.get(info);
    }
    const at = this.index - this.#info.firstIndex;
    const chunk = this.#chunk as Chunk;
    this.timeNs = (chunk.sortTime[at] as number) + this.#offsetNs;
    this.position = positionOf(this.#info, chunk, at);
  }

  isBefore(other: CpuEvents): boolean {
    return this.timeNs < other.timeNs || (this.timeNs === other.timeNs && this.position < other.position);
  }

  advance(): void {
    this.index++;
    this.#load();
  }

  /** The event's lines, borrowed. */
  line(): Uint8Array {
    const { view, at, length } = this.#payloads.read(this.position);
    return new Uint8Array(view.buffer, view.byteOffset + at, length);
  }
}

/** Collects lines into pieces. */
class Lines {
  readonly #write: (piece: Uint8Array) => void;
  #piece = new Uint8Array(PIECE_BYTES);
  #length = 0;

  constructor(write: (piece: Uint8Array) => void) {
    this.#write = write;
  }

  add(line: Uint8Array): void {
    if (this.#length + line.length + 1 > this.#piece.length) {
      this.flush();
      if (line.length + 1 > this.#piece.length) this.#piece = new Uint8Array(line.length + 1);
    }
    this.#piece.set(line, this.#length);
    this.#length += line.length;
    this.#piece[this.#length++] = NEWLINE;
  }

  flush(): void {
    if (this.#length > 0) this.#write(this.#piece.subarray(0, this.#length));
    this.#length = 0;
  }
}
