import type { FilePlace } from './cursor.ts';
import { type EventFormat, formatIdentity, parseEventFormat } from './event-format.ts';
import type { TraceAbi } from './recording.ts';

/**
 * An event format that is parsed when it is first looked into: a recording holds some 2,000 of them and uses a few
 * dozen, and opening must not wait for the others. `name` and `id` come from the text's first lines.
 */
export class LazyEventFormat implements EventFormat {
  readonly system: string;
  readonly name: string;
  readonly id: number;
  /** The format text as recorded, latin1. */
  readonly text: string;
  /** Where its record begins. */
  readonly at: FilePlace;
  readonly #abi: TraceAbi;
  #parsed: EventFormat | null = null;

  constructor(system: string, text: string, abi: TraceAbi, at: FilePlace = { offset: 0, unpackedAt: null }) {
    const identity = formatIdentity(text);
    if (identity === null) throw new TypeError('an event format without name or ID');
    this.system = system;
    this.name = identity.name;
    this.id = identity.id;
    this.text = text;
    this.at = at;
    this.#abi = abi;
  }

  get #format(): EventFormat {
    this.#parsed ??= parseEventFormat(this.text, this.system, this.#abi);
    return this.#parsed;
  }
  get fields(): EventFormat['fields'] {
    return this.#format.fields;
  }
  get printFmt(): string {
    return this.#format.printFmt;
  }
  get unreadLines(): string[] {
    return this.#format.unreadLines;
  }
}
