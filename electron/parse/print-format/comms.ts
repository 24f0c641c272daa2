import { latin1Bytes } from './text-sink.ts';

/** Task names by pid: those the recording saved, and those that scheduler events add for pids that have none. */
export class Comms {
  readonly #names = new Map<number, Uint8Array>();
  /** Names learnt so far: as long as it stays, so does every name. */
  learnt = 0;

  constructor(saved: ReadonlyMap<number, string>) {
    for (const [pid, comm] of saved) this.#names.set(pid, latin1Bytes(comm));
  }

  /** Bytes of the name; `<idle>` for pid 0, `<...>` where none is known. Borrowed. */
  name(pid: number): Uint8Array {
    return pid === 0 ? IDLE : (this.#names.get(pid) ?? UNKNOWN);
  }

  /** Learns a name up to its NUL; the first one that a pid had stays. */
  learn(pid: number, source: Uint8Array, from: number, to: number): void {
    if (pid === 0 || this.#names.has(pid)) return;
    let end = from;
    while (end < to && source[end] !== 0) end++;
    this.#names.set(pid, source.slice(from, end));
    this.learnt++;
  }
}

const IDLE = latin1Bytes('<idle>');
const UNKNOWN = latin1Bytes('<...>');
