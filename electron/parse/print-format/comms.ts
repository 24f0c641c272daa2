import { latin1Bytes } from './text-sink.ts';

/** Task names by pid: those the recording saved, and those that scheduler events add for pids that have none. */
export class Comms {
  /** Saved names as bytes when first asked for: a recording has thousands, of tasks that did nothing. */
  readonly #saved: ReadonlyMap<number, string>;
  readonly #names = new Map<number, Uint8Array>();
  /** Names learnt so far: as long as it stays, so does every name. */
  learnt = 0;

  constructor(saved: ReadonlyMap<number, string>) {
    this.#saved = saved;
  }

  /** Bytes of the name; `<idle>` for pid 0, `<...>` where none is known. Borrowed. */
  name(pid: number): Uint8Array {
    if (pid === 0) return IDLE;
    const known = this.#names.get(pid);
    if (known !== undefined) return known;
    const saved = this.#saved.get(pid);
    if (saved === undefined) return UNKNOWN;
    const name = latin1Bytes(saved);
    this.#names.set(pid, name);
    return name;
  }

  /** Whether the pid has a name, which then stays. */
  isKnown(pid: number): boolean {
    return pid === 0 || this.#names.has(pid) || this.#saved.has(pid);
  }

  /** Learns a name up to its NUL; the first one that a pid had stays. */
  learn(pid: number, source: Uint8Array, from: number, to: number): void {
    if (this.isKnown(pid)) return;
    let end = from;
    while (end < to && source[end] !== 0) end++;
    this.#names.set(pid, source.slice(from, end));
    this.learnt++;
  }
}

const IDLE = latin1Bytes('<idle>');
const UNKNOWN = latin1Bytes('<...>');
