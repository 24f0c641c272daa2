import { latin1 } from '../cursor.ts';
import type { Naming, TextBody } from './body.ts';

/** A kernel has some 3,000 events; of text that makes up names without end, the rest share one. */
const MOST_NAMES = 16_384;
const OVERFLOW = 'other';
/** What a line without a name is called where the text's header names no tracer. */
const NO_TRACER = 'unnamed';

interface Entry {
  naming: Naming;
  bytes: Uint8Array;
  hash: number;
  id: number;
}

/**
 * Event names of a text and the small integers that stand for them, in order of first appearance. A lookup hashes the
 * name's bytes in place: lines are many, names few.
 */
export class EventNames {
  /** Name of each id. */
  readonly names: string[] = [];
  readonly #ids = new Map<string, number>();
  readonly #entries: Entry[] = [];
  /** Open addressing: entry index + 1, or 0. */
  #slots = new Int32Array(1024);

  /** `names`: those known already, in the order of their ids. */
  constructor(names: readonly string[] = []) {
    for (const name of names) this.id(name);
  }

  /** Id of a name, a new one where it was not met before. */
  id(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    if (this.names.length >= MOST_NAMES && name !== OVERFLOW) return this.id(OVERFLOW);
    const id = this.names.push(name) - 1;
    this.#ids.set(name, id);
    return id;
  }

  /** Id of the event that a body names; `tracer` is what the text's header names. */
  idOf(bytes: Uint8Array, body: TextBody, tracer: string): number {
    const { naming, nameFrom, nameTo } = body;
    if (naming === 'fixed') return this.id(body.fixed);
    if (naming === 'tracer') return this.id(tracer === '' || tracer === 'nop' ? NO_TRACER : tracer);
    let hash = naming.length;
    for (let i = nameFrom; i < nameTo; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot] as number;
      if (index === 0) break;
      const entry = this.#entries[index - 1] as Entry;
      if (entry.hash === hash && entry.naming === naming && same(entry.bytes, bytes, nameFrom, nameTo)) return entry.id;
    }
    const id = this.id(spelledOut(naming, latin1(bytes.subarray(nameFrom, nameTo))));
    if (this.#entries.length < MOST_NAMES) this.#add({ naming, bytes: bytes.slice(nameFrom, nameTo), hash, id });
    return id;
  }

  #add(entry: Entry): void {
    this.#entries.push(entry);
    if (this.#entries.length * 2 > this.#slots.length) {
      this.#slots = new Int32Array(this.#slots.length * 2);
      for (const [index, known] of this.#entries.entries()) this.#place(known.hash, index);
    } else this.#place(entry.hash, this.#entries.length - 1);
  }

  #place(hash: number, index: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = index + 1;
  }
}

function same(name: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (name.length !== to - from) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[from + i]) return false;
  return true;
}

function spelledOut(naming: Naming, text: string): string {
  if (naming === 'syscall-entry') return text.replace('sys_', 'sys_enter_');
  if (naming === 'syscall-exit') return text.replace('sys_', 'sys_exit_');
  return naming === 'number' ? `event-${text}` : text;
}
