import type { FieldReader } from '../../shared/filter/evaluate.ts';
import { exactTextReader, type NumberReader, scalarReader, type TextReader } from '../parse/field-access.ts';
import { cgroupFieldOf } from './groups.ts';
import { PayloadReader } from './payload.ts';
import type { Trace, TraceCpu, TraceStream } from './trace.ts';

const BLOCK_BYTES = 1 << 18;

/** Reads the fields that a filter asks for from one record at a time, decoding only those. */
export class EventReader implements FieldReader {
  readonly #trace: Trace;
  readonly #stream: TraceStream;
  readonly #cpu: TraceCpu;
  readonly #payloads: PayloadReader;
  /** Readers by kernel id and field, made when a field is first asked for. */
  readonly #numbers = new Map<number, Map<string, NumberReader>>();
  readonly #texts = new Map<number, Map<string, TextReader>>();
  /** The number that was read last: mostly the same is read next, of another event. */
  #lastField = '';
  #lastId = -1;
  #lastNumber: NumberReader = () => Number.NaN;
  #id = 0;
  #pid = 0;
  #timeNs = 0;
  #position = 0;

  /** `payloads`: where the caller reads the same records. */
  constructor(
    trace: Trace,
    stream: TraceStream,
    cpu: TraceCpu,
    payloads: PayloadReader = new PayloadReader(stream, cpu, BLOCK_BYTES),
  ) {
    this.#trace = trace;
    this.#stream = stream;
    this.#cpu = cpu;
    this.#payloads = payloads;
  }

  place(id: number, pid: number, timeNs: number, position: number): void {
    this.#id = id;
    this.#pid = pid;
    this.#timeNs = timeNs;
    this.#position = position;
  }

  /** Records that are placed next; see PayloadReader. */
  expect(positions: ArrayLike<number>, base: number): void {
    this.#payloads.expect(positions, base);
  }

  get #type() {
    return this.#trace.eventTypes[this.#stream.recording.typeOfId[this.#id] as number];
  }
  get #cgroupField(): string | null {
    return this.#type === undefined ? null : cgroupFieldOf(this.#type);
  }

  number(field: string): number {
    switch (field) {
      case '$cpu':
        return this.#cpu.cpu;
      case '$pid':
        return this.#pid;
      case '$time':
        return this.#timeNs;
      case '$cgroup':
        return this.#cgroupField === 'cgroup_ino' ? this.number('cgroup_ino') : Number.NaN;
    }
    if (field !== this.#lastField || this.#id !== this.#lastId) {
      this.#lastNumber = this.#numberReader(field);
      this.#lastField = field;
      this.#lastId = this.#id;
    }
    const { view, at, length } = this.#payloads.read(this.#position);
    return this.#lastNumber(view, at, at + length);
  }

  #numberReader(field: string): NumberReader {
    const readers = readersOf(this.#numbers, this.#id);
    let read = readers.get(field);
    if (read === undefined) {
      const format = this.#stream.recording.formatOfId.get(this.#id)?.fields.find(({ name }) => name === field);
      read = scalarReader(format, this.#stream.layout.abi);
      readers.set(field, read);
    }
    return read;
  }

  text(field: string): string {
    switch (field) {
      case '$cpu':
      case '$pid':
      case '$time':
        return String(this.number(field));
      case '$task':
        return this.#stream.recording.commOf(this.#pid);
      case '$event':
        return this.#type?.name ?? '';
      case '$system':
        return this.#type?.system ?? '';
      case '$info': {
        const { view, at, length } = this.#payloads.read(this.#position);
        return this.#stream.recording.printer.info(this.#id, view, at, length);
      }
      case '$cgroup': {
        const name = this.#cgroupField;
        return name === null ? '' : this.#trace.cgroupLabel(this.text(name));
      }
    }
    const readers = readersOf(this.#texts, this.#id);
    let read = readers.get(field);
    if (read === undefined) {
      const format = this.#stream.recording.formatOfId.get(this.#id)?.fields.find(({ name }) => name === field);
      read = exactTextReader(format, this.#stream.layout.abi);
      readers.set(field, read);
    }
    const { view, at, length } = this.#payloads.read(this.#position);
    return read(view, at, at + length);
  }
}

function readersOf<Reader>(all: Map<number, Map<string, Reader>>, id: number): Map<string, Reader> {
  let readers = all.get(id);
  if (readers === undefined) {
    readers = new Map();
    all.set(id, readers);
  }
  return readers;
}
