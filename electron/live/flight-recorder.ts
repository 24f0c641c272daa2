import { spawn } from 'node:child_process';
import type { RecordingFile } from './recording-file.ts';

/** Room is given back to the disk in pieces of at least this size. */
const PIECE_BYTES = 16 << 20;
/** And this long after it was given up: who reads along hears of it first. */
const GRACE_MS = 3000;

const MOST_STEPS = 512;

export interface Keep {
  ms?: number | undefined;
  bytes?: number | undefined;
}

interface Step {
  atMs: number;
  /** Bytes of a CPU that were written up to then. */
  bytes: number;
}

/** A range of the file whose room is not given back yet, and when the last of it was given up. */
interface Dropped {
  offset: number;
  length: number;
  atMs: number;
}

/** Keeps only the last of a capture: each CPU's oldest sub-buffers leave the recording, and their room goes back to the disk. */
export class FlightRecorder {
  readonly #file: RecordingFile;
  readonly #keep: Keep;
  /** Per CPU: how far it had come at what time, oldest first. */
  readonly #steps: Step[][];
  readonly #written: number[];
  readonly #dropped: number[];
  #waiting: Dropped[] = [];

  constructor(file: RecordingFile, cpus: number, keep: Keep) {
    this.#file = file;
    this.#keep = keep;
    this.#steps = Array.from({ length: cpus }, () => []);
    this.#written = new Array<number>(cpus).fill(0);
    this.#dropped = new Array<number>(cpus).fill(0);
  }

  wrote(index: number, bytes: number): void {
    this.#written[index] = (this.#written[index] as number) + bytes;
  }

  /** Drops what is too old at `nowMs` (monotonic). The caller publishes the table, then calls `release`, which gives room back a while later. */
  drop(nowMs: number): void {
    const { ms, bytes } = this.#keep;
    this.#steps.forEach((steps, index) => {
      // Time is kept to a few thousandths: a step a turn would be a million of them in an hour.
      if (nowMs - (steps.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) >= (ms ?? 0) / MOST_STEPS)
        steps.push({ atMs: nowMs, bytes: this.#written[index] as number });
      let target = this.#dropped[index] as number;
      while (ms !== undefined && steps.length > 1 && (steps[0] as Step).atMs < nowMs - ms) {
        target = Math.max(target, (steps.shift() as Step).bytes);
      }
      this.#dropUpTo(index, target, nowMs);
    });
    if (bytes === undefined) return;
    const excess = this.#file.dataBytes - bytes;
    if (excess <= 0) return;
    // In proportion to what each CPU has, so that all keep about the same time.
    const share = excess / this.#file.dataBytes;
    this.#written.forEach((written, index) => {
      const dropped = this.#dropped[index] as number;
      this.#dropUpTo(index, dropped + (written - dropped) * share, nowMs);
    });
  }

  #dropUpTo(index: number, target: number, atMs: number): void {
    const more = target - (this.#dropped[index] as number);
    if (more <= 0) return;
    const range = this.#file.dropOldest(index, Math.floor(more));
    if (range.length === 0) return;
    this.#dropped[index] = (this.#dropped[index] as number) + range.length;
    const last = this.#waiting.find(({ offset, length }) => offset + length === range.offset);
    if (last !== undefined && last.length < PIECE_BYTES)
      Object.assign(last, { length: last.length + range.length, atMs });
    else this.#waiting.push({ ...range, atMs });
  }

  /** Gives the dropped ranges' room back, outside of this process, as holes are punched at the disk's pace. */
  release(nowMs: number): void {
    const unit = 4096;
    const due = ({ length, atMs }: Dropped): boolean => length >= PIECE_BYTES && atMs < nowMs - GRACE_MS;
    for (const range of this.#waiting.filter(due)) {
      const offset = Math.ceil(range.offset / unit) * unit;
      const length = Math.floor((range.offset + range.length) / unit) * unit - offset;
      const args = ['--punch-hole', '--offset', String(offset), '--length', String(length), this.#file.path];
      spawn('fallocate', args, { stdio: 'ignore' }).on('error', () => {});
    }
    this.#waiting = this.#waiting.filter((range) => !due(range));
  }
}
