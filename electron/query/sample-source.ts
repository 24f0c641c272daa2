import type { CompiledFilter } from '../../shared/filter/compile.ts';
import { type NumberReader, scalarReader } from '../parse/field-access.ts';
import type { SelectionSpace } from '../store/chunk-selection.ts';
import type { ChunkInfo } from '../store/workspace-store.ts';
import { EventReader } from './event-reader.ts';
import type { GroupCoder, GroupCodes } from './group-codes.ts';
import { PayloadReader } from './payload.ts';
import { countInChunk, type Trace, type TraceCpu, type TraceStream } from './trace.ts';

const BLOCK_BYTES = 1 << 18;

/** What samples are made of: which events, which of their numbers, and what they are told apart by. */
export interface SampleQuery {
  trace: Trace;
  /** Numbers to read. */
  fields: readonly string[];
  /** True: of every event. */
  test: true | CompiledFilter;
  codes: GroupCodes;
  /** Memory for all sources, one at a time. */
  space: SelectionSpace;
}

/** One CPU's events of one kernel id, a chunk at a time, as columns in memory that is used again. */
export class SampleSource {
  readonly stream: TraceStream;
  readonly cpu: TraceCpu;
  /** Those with such events. */
  readonly chunks: readonly ChunkInfo[];
  readonly #id: number;
  readonly #query: SampleQuery;
  readonly #payloads: PayloadReader;
  readonly #events: EventReader;
  readonly #readers: NumberReader[];
  readonly #coder: GroupCoder;
  /** Place in `chunks` of the chunk whose samples are there; -1: none. */
  loaded = -1;
  /** Samples of that chunk that pass, in its order: workspace time, place among the CPU's events, group, numbers. */
  n = 0;
  /**
   * When each has its turn among those of other sources: the latest time of the source's events so far, those that do not pass included.
   * That is the order in which whoever always takes the earliest head would have them; it never goes back.
   */
  turn = new Float64Array(0);
  /** The last event's turn. */
  latestNs = Number.NEGATIVE_INFINITY;
  time = new Float64Array(0);
  index = new Float64Array(0);
  code = new Uint32Array(0);
  columns: Float64Array[] = [];

  constructor(query: SampleQuery, stream: TraceStream, cpu: TraceCpu, id: number) {
    this.stream = stream;
    this.cpu = cpu;
    this.#id = id;
    this.#query = query;
    this.chunks = cpu.chunks.filter((info) => countInChunk(info, id) > 0);
    this.#payloads = new PayloadReader(stream, cpu, BLOCK_BYTES);
    this.#events = new EventReader(query.trace, stream, cpu, this.#payloads);
    const fields = stream.recording.formatOfId.get(id)?.fields ?? [];
    this.#readers = query.fields.map((name) =>
      scalarReader(
        fields.find((each) => each.name === name),
        stream.layout.abi,
      ),
    );
    this.#coder = query.codes.coder(stream, cpu, id);
  }

  /** Events of a chunk, whether they pass or not. */
  eventsIn(chunk: number): number {
    return countInChunk(this.chunks[chunk] as ChunkInfo, this.#id);
  }

  /** Makes the columns those of a chunk; `latestNs`: of the one before. What throws leaves none. */
  load(chunk: number, latestNs: number): void {
    this.loaded = -1;
    const info = this.chunks[chunk] as ChunkInfo;
    const { trace, test, space } = this.#query;
    const found = trace.chunks.select(info, this.#id, space);
    this.#reserve(found.n);
    const { time, turn, index, code, columns } = this;
    const { offsetNs } = this.stream;
    const readers = this.#readers;
    const coder = this.#coder;
    this.#payloads.expect(found.position, info.basePosition);
    let k = 0;
    let latest = latestNs;
    for (let i = 0; i < found.n; i++) {
      const timeNs = (found.time[i] as number) + offsetNs;
      if (timeNs > latest) latest = timeNs;
      const pid = found.pid[i] as number;
      const position = info.basePosition + (found.position[i] as number);
      if (test !== true) {
        this.#events.place(this.#id, pid, timeNs, position);
        if (!test.test(this.#events)) continue;
      }
      const { view, at, length } = this.#payloads.read(position);
      const end = at + length;
      for (let c = 0; c < readers.length; c++)
        (columns[c] as Float64Array)[k] = (readers[c] as NumberReader)(view, at, end);
      code[k] = coder(view, at, end, pid);
      time[k] = timeNs;
      turn[k] = latest;
      index[k++] = info.firstIndex + (found.at[i] as number);
    }
    this.n = k;
    this.latestNs = latest;
    this.loaded = chunk;
  }

  #reserve(n: number): void {
    if (this.time.length >= n) return;
    this.time = new Float64Array(n);
    this.turn = new Float64Array(n);
    this.index = new Float64Array(n);
    this.code = new Uint32Array(n);
    this.columns = this.#readers.map(() => new Float64Array(n));
  }
}
