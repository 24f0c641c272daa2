import type { EventFormat, FieldFormat } from '../parse/event-format.ts';
import type { TraceAbi } from '../parse/recording.ts';

/** What is wrong with a record; null: nothing that its format tells. */
export interface RecordProblem {
  message: string;
  expected: string;
  found: string;
}

/**
 * Checks records against their event's format: they must be long enough for its fields, and the data that `__data_loc` and
 * `__rel_loc` words point at must lie inside.
 */
export class RecordCheck {
  readonly #format: EventFormat;
  readonly #littleEndian: boolean;
  readonly #leastBytes: number;
  readonly #dynamic: FieldFormat[];

  constructor(format: EventFormat, { littleEndian }: TraceAbi) {
    this.#format = format;
    this.#littleEndian = littleEndian;
    // The last array of a format may be longer than what is recorded of it: stacks, the text of prints.
    const placed = format.fields.toSorted((a, b) => a.offset - b.offset);
    const last = placed.at(-1);
    const sure = last?.isArray === true && last.location === 'fixed' ? placed.slice(0, -1) : placed;
    this.#leastBytes = Math.max(0, ...sure.map(({ offset, size }) => offset + size));
    this.#dynamic = placed.filter(({ location, size }) => location !== 'fixed' && location !== 'text' && size === 4);
  }

  /** The record is `view[at, at + length)`. */
  problem(view: DataView, at: number, length: number): RecordProblem | null {
    const { name } = this.#format;
    // Records are whole words: a format's last bytes may be padding.
    if (length < this.#leastBytes && length < ((this.#leastBytes + 3) & ~3)) {
      return {
        message: `${name}: a record of ${length} bytes, its fields take ${this.#leastBytes}`,
        expected: `at least ${this.#leastBytes} bytes`,
        found: `${length} bytes`,
      };
    }
    for (const { name: field, offset, size, location } of this.#dynamic) {
      const word = view.getUint32(at + offset, this.#littleEndian);
      const start = (word & 0xffff) + (location === 'rel-loc' ? offset + size : 0);
      const bytes = word >>> 16;
      if (start + bytes <= length) continue;
      return {
        message: `${name}: field ${field} points at bytes ${start} to ${start + bytes} of a record of ${length}`,
        expected: `data within ${length} bytes`,
        found: `bytes ${start} to ${start + bytes}`,
      };
    }
    return null;
  }
}
