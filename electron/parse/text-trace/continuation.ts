import type { TextBody } from './body.ts';
import { systemOf, UNKNOWN_SYSTEM } from './systems.ts';

/**
 * Which lines belong to the event above them. The kernel prints an event's text as it is, so a stack's frames, and what
 * somebody wrote into trace_marker or a probe's string with a newline in it, stand on lines of their own.
 */
type MultiLine = 'none' | 'stack' | 'text' | 'quote';

const QUOTE = 0x22;
const EQUALS = 0x3d;

/** What an event's name says about its text: anything (a marker), k=v pairs or a print format (known), or nothing. */
function textOf(name: string, naming: TextBody['naming']): 'any' | 'format' | 'unknown' {
  if (name === 'print' || name === 'bprint' || name === 'bputs') return 'any';
  return naming === 'as-is' && systemOf(name) === UNKNOWN_SYSTEM ? 'unknown' : 'format';
}

/** Follows one event and says of each line behind it whether it still belongs to it. */
export class Continuation {
  #kind: MultiLine = 'none';
  #quotes = 0;
  readonly #texts: ReturnType<typeof textOf>[] = [];

  end(): void {
    this.#kind = 'none';
  }

  /** An event begins: its id, name, and first line. */
  begin(id: number, name: string, bytes: Uint8Array, body: TextBody): void {
    if (name === 'kernel_stack' || name === 'user_stack') {
      this.#kind = 'stack';
      return;
    }
    const text = this.#texts[id] ?? textOf(name, body.naming);
    this.#texts[id] = text;
    // An unknown event without k=v pairs is most likely what a trace_printk() wrote, named after its function.
    const pairs = text === 'unknown' && bytes.subarray(body.infoFrom, body.infoTo).includes(EQUALS);
    this.#kind = 'text';
    if (text === 'any' || (text === 'unknown' && !pairs)) return;
    this.#quotes = 0;
    this.#countQuotes(bytes, body.infoFrom, body.infoTo);
  }

  #countQuotes(bytes: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; at++) if (bytes[at] === QUOTE) this.#quotes++;
    this.#kind = (this.#quotes & 1) === 1 ? 'quote' : 'none';
  }

  /** Whether the line `bytes[from, to)`, which is no event's, belongs to the event. Ends the event where it does not. */
  takes(bytes: Uint8Array, from: number, to: number): boolean {
    switch (this.#kind) {
      case 'text':
        return true;
      case 'stack': {
        let at = from;
        while (at < to && bytes[at] === 0x20) at++;
        if (bytes[at] === EQUALS && bytes[at + 1] === 0x3e) return true;
        break;
      }
      case 'quote':
        this.#countQuotes(bytes, from, to);
        return true;
    }
    this.#kind = 'none';
    return false;
  }
}
