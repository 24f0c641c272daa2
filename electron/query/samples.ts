import type { EventFormat, FieldFormat } from '../parse/event-format.ts';
import { exactTextReader, scalarReader, type TextReader, textReader } from '../parse/field-access.ts';
import type { TraceAbi } from '../parse/recording.ts';
import { SelectionSpace } from '../store/chunk-selection.ts';
import type { ChunkInfo } from '../store/workspace-store.ts';
import { ByteBudgetCache } from './byte-budget-cache.ts';
import { PayloadReader } from './payload.ts';
import { countInChunk, type Trace, type TraceCpu, type TraceStream } from './trace.ts';

/**
 * All events of one type over the whole workspace, in the list's order (time; then stream, CPU, buffer order), as
 * columns. Shared through the cache: not to be written to.
 */
export interface TypeSamples {
  n: number;
  /** Workspace time, ns. */
  time: Float64Array;
  stream: Uint16Array;
  cpu: Uint16Array;
  /** Position among the CPU's events. */
  index: Float64Array;
  pid: Int32Array;
  /**
   * Where they come from, and how per-source columns merge: entry j of the sources end to end is sample `placeOf[j]`; null
   * where that is the same.
   */
  sources: SampleSource[];
  placeOf: Uint32Array | null;
}

/** One CPU's events of one kernel id. */
interface SampleSource {
  stream: TraceStream;
  cpu: TraceCpu;
  id: number;
  format: EventFormat | undefined;
  n: number;
  /** Position of each record in the CPU's unpacked data. */
  position: Float64Array;
  /** How many of them each chunk holds, in order. */
  parts: { info: ChunkInfo; n: number }[];
}

/** Values of a numeric field of one chunk's events of one kernel id, by `chunk id field`. */
export type NumberParts = ByteBudgetCache<string, Float64Array>;

/** A text field's values: sample i has `values[codes[i]]`. */
export interface TextColumn {
  codes: Uint32Array;
  values: string[];
}

const SCAN_BLOCK_BYTES = 1 << 20;
/** Of events that are far apart, most of a larger block would be read in vain. */
const PART_BLOCK_BYTES = 1 << 14;

/** Columns of event types and their fields, decoded from the recordings on first use and kept up to a budget. */
export class Samples {
  readonly #trace: Trace;
  readonly #types: ByteBudgetCache<number, TypeSamples>;
  readonly #numbers: ByteBudgetCache<string, Float64Array>;
  readonly #texts: ByteBudgetCache<string, TextColumn>;
  readonly #parts: NumberParts | null;

  /** `parts`: of a trace that grows, whose columns are made anew again and again. */
  constructor(trace: Trace, parts: NumberParts | null = null) {
    this.#parts = parts;
    const budgetBytes = trace.budgets.samples;
    this.#trace = trace;
    this.#types = new ByteBudgetCache(budgetBytes * 0.4, (samples) => samples.n * 36);
    this.#numbers = new ByteBudgetCache(budgetBytes * 0.45, (column) => column.byteLength);
    this.#texts = new ByteBudgetCache(budgetBytes * 0.15, (column) => column.codes.byteLength);
  }

  /** Events of a type: index into `Trace.eventTypes`. */
  ofType(type: number): TypeSamples {
    return this.#types.get(type, () => collect(this.#trace, type));
  }

  /**
   * A numeric field of every sample of a type, as Float64 (64-bit values beyond 2^53 are rounded); NaN where a record is
   * too short or its format has no such field, or an array.
   */
  numbers(type: number, field: string): Float64Array {
    return this.#numbers.get(`${type}.${field}`, () => {
      const samples = this.ofType(type);
      if (this.#parts !== null) return numbersByPart(samples, field, this.#parts);
      const column = new Float64Array(samples.n);
      decodeSources(
        samples,
        field,
        (format, source) => {
          const read = scalarReader(format, source.stream.layout.abi);
          return (view, at, end, i) => {
            column[i] = read(view, at, end);
          };
        },
        (i) => {
          column[i] = Number.NaN;
        },
      );
      return column;
    });
  }

  /** A field of every sample as text for people; see textReader. */
  texts(type: number, field: string): TextColumn {
    return this.#texts.get(`${type}.${field}`, () => this.#textColumn(type, field, textReader));
  }

  /** The same as filters mean it; see exactTextReader. */
  exactTexts(type: number, field: string): TextColumn {
    return this.#texts.get(`${type}.${field} exact`, () => this.#textColumn(type, field, exactTextReader));
  }

  #textColumn(type: number, field: string, readerOf: (field: FieldFormat, abi: TraceAbi) => TextReader): TextColumn {
    const samples = this.ofType(type);
    const codes = new Uint32Array(samples.n);
    const values: string[] = [];
    const known = new Map<string, number>();
    const codeOf = (value: string): number => {
      let code = known.get(value);
      if (code === undefined) {
        code = values.push(value) - 1;
        known.set(value, code);
      }
      return code;
    };
    decodeSources(
      samples,
      field,
      (format, source) => {
        const read = readerOf(format, source.stream.layout.abi);
        return (view, at, end, i) => {
          codes[i] = codeOf(read(view, at, end));
        };
      },
      (i) => {
        codes[i] = codeOf('');
      },
    );
    return { codes, values };
  }
}

function collect(trace: Trace, type: number): TypeSamples {
  const sources: SampleSource[] = [];
  const times: Float64Array[] = [];
  const indexes: Float64Array[] = [];
  const pids: Int32Array[] = [];
  const space = new SelectionSpace();
  for (const stream of trace.streams) {
    const { typeOfId, formatOfId } = stream.recording;
    for (let id = 0; id < typeOfId.length; id++) {
      if (typeOfId[id] !== type) continue;
      for (const cpu of stream.cpus) {
        const n = cpu.chunks.reduce((sum, info) => sum + countInChunk(info, id), 0);
        if (n === 0) continue;
        const time = new Float64Array(n);
        const index = new Float64Array(n);
        const pid = new Int32Array(n);
        const position = new Float64Array(n);
        let k = 0;
        const parts: SampleSource['parts'] = [];
        for (const info of cpu.chunks) {
          if (countInChunk(info, id) === 0) continue;
          parts.push({ info, n: countInChunk(info, id) });
          const found = trace.chunks.select(info, id, space);
          for (let j = 0; j < found.n; j++, k++) {
            time[k] = (found.time[j] as number) + stream.offsetNs;
            index[k] = info.firstIndex + (found.at[j] as number);
            pid[k] = found.pid[j] as number;
            position[k] = info.basePosition + (found.position[j] as number);
          }
        }
        sources.push({ stream, cpu, id, format: formatOfId.get(id), n, position, parts });
        times.push(time);
        indexes.push(index);
        pids.push(pid);
      }
    }
  }
  const n = sources.reduce((sum, source) => sum + source.n, 0);
  const placeOf = mergeOrder(times, n);
  const samples: TypeSamples = {
    n,
    time: new Float64Array(n),
    stream: new Uint16Array(n),
    cpu: new Uint16Array(n),
    index: new Float64Array(n),
    pid: new Int32Array(n),
    sources,
    placeOf,
  };
  let base = 0;
  sources.forEach((source, s) => {
    const [time, index, pid] = [times[s] as Float64Array, indexes[s] as Float64Array, pids[s] as Int32Array];
    for (let k = 0; k < source.n; k++) {
      const i = placeOf === null ? base + k : (placeOf[base + k] as number);
      samples.time[i] = time[k] as number;
      samples.index[i] = index[k] as number;
      samples.pid[i] = pid[k] as number;
      samples.stream[i] = source.stream.info.index;
      samples.cpu[i] = source.cpu.cpu;
    }
    base += source.n;
  });
  return samples;
}

/** Stable merge of ascending columns: where each entry of the concatenation comes. Null where that is the identity. */
function mergeOrder(times: readonly Float64Array[], n: number): Uint32Array | null {
  if (times.length < 2) return null;
  const placeOf = new Uint32Array(n);
  const bases: number[] = [];
  let base = 0;
  for (const time of times) {
    bases.push(base);
    base += time.length;
  }
  const next = times.map(() => 0);
  for (let i = 0; i < n; i++) {
    let chosen = -1;
    let best = Number.POSITIVE_INFINITY;
    for (let s = 0; s < times.length; s++) {
      const time = times[s] as Float64Array;
      const k = next[s] as number;
      if (k < time.length && (chosen < 0 || (time[k] as number) < best)) {
        best = time[k] as number;
        chosen = s;
      }
    }
    const k = next[chosen] as number;
    placeOf[(bases[chosen] as number) + k] = i;
    next[chosen] = k + 1;
  }
  return placeOf;
}

/** A numeric column whose closed chunks are decoded once, however often the samples are collected again. */
function numbersByPart(samples: TypeSamples, fieldName: string, known: NumberParts): Float64Array {
  const { placeOf } = samples;
  const column = new Float64Array(samples.n);
  let base = 0;
  for (const { stream, cpu, id, format, position, parts } of samples.sources) {
    const field = format?.fields.find((candidate) => candidate.name === fieldName);
    const read = scalarReader(field, stream.layout.abi);
    const reader = new PayloadReader(stream, cpu, PART_BLOCK_BYTES);
    reader.expect(position, 0);
    let from = 0;
    for (const { info, n } of parts) {
      const decode = (): Float64Array =>
        position.subarray(from, from + n).map((at) => {
          const { view, at: start, length } = reader.read(at);
          return read(view, start, start + length);
        });
      const values = info.id < 0 ? decode() : known.get(`${info.id} ${id} ${fieldName}`, decode);
      for (let k = 0; k < n; k++)
        column[placeOf === null ? base + k : (placeOf[base + k] as number)] = values[k] as number;
      from += n;
      base += n;
    }
  }
  return column;
}

type Decode = (view: DataView, at: number, end: number, i: number) => void;

/** Runs a field decoder over every sample, source by source in the recording's own order. */
function decodeSources(
  samples: TypeSamples,
  fieldName: string,
  decoder: (field: FieldFormat, source: SampleSource) => Decode,
  absent: (i: number) => void,
): void {
  const { placeOf } = samples;
  let base = 0;
  for (const source of samples.sources) {
    const field = source.format?.fields.find((candidate) => candidate.name === fieldName);
    const decode = field === undefined ? null : decoder(field, source);
    const reader = new PayloadReader(source.stream, source.cpu, SCAN_BLOCK_BYTES);
    reader.expect(source.position, 0);
    for (let k = 0; k < source.n; k++) {
      const i = placeOf === null ? base + k : (placeOf[base + k] as number);
      if (decode === null) {
        absent(i);
        continue;
      }
      const payload = reader.read(source.position[k] as number);
      decode(payload.view, payload.at, payload.at + payload.length, i);
    }
    base += source.n;
  }
}
