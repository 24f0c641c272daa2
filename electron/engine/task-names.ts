import { readFileSync } from 'node:fs';
import { readSideFile } from '../live/side-file.ts';
import type { ByteSource } from '../parse/byte-source.ts';

/** The recording's names are read again this long after the last time, where one is missing. */
const READ_AGAIN_MS = 2000;
const MOST_BYTES = 1 << 21;

/**
 * Names of tasks while they are captured: what the recording's head says so far (the capture collects saved_cmdlines there), else
 * what the machine says of a task that still runs.
 */
export class LiveTaskNames {
  readonly #recording: ByteSource;
  readonly #names = new Map<number, string>();
  readonly #namesAt: number | null;
  /** Nobody knows them, until the head is read again. */
  readonly #nameless = new Set<number>();
  #readMs = Number.NEGATIVE_INFINITY;

  constructor(recording: ByteSource, known: ReadonlyMap<number, string>) {
    this.#recording = recording;
    for (const [pid, comm] of known) this.#names.set(pid, comm);
    this.#namesAt = readSideFile(recording.name)?.variableAt ?? null;
  }

  nameOf(pid: number): string {
    if (pid === 0) return '<idle>';
    const known = this.#names.get(pid);
    if (known !== undefined) return known;
    this.#readAgain();
    if (this.#nameless.has(pid)) return '<...>';
    const name = this.#names.get(pid) ?? ofRunningTask(pid);
    if (name === null) this.#nameless.add(pid);
    else this.#names.set(pid, name);
    return name ?? '<...>';
  }

  /** The head's variable part begins with saved_cmdlines: u64 size, lines `pid comm`. */
  #readAgain(): void {
    const now = performance.now();
    if (this.#namesAt === null || now - this.#readMs < READ_AGAIN_MS) return;
    this.#readMs = now;
    this.#nameless.clear();
    const size = this.#recording.read(this.#namesAt, 8);
    if (size.length < 8) return;
    const bytes = Number(new DataView(size.buffer, size.byteOffset, 8).getBigUint64(0, true));
    const text = Buffer.from(this.#recording.read(this.#namesAt + 8, Math.min(bytes, MOST_BYTES))).toString('latin1');
    for (const line of text.split('\n')) {
      const space = line.indexOf(' ');
      if (space > 0) this.#names.set(Number(line.slice(0, space)), line.slice(space + 1));
    }
  }
}

function ofRunningTask(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'latin1').trimEnd();
  } catch {
    return null;
  }
}
