import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { type CpuStats, parseStats } from './instance.ts';

/** Sub-buffers that are read before the next CPU has its turn, unless one is about to overflow. */
const MOST_IN_A_TURN = 4096;

/**
 * One CPU's end of the ring buffer: `per_cpu/cpuN/trace_pipe_raw`, read without blocking. A read takes a whole sub-buffer when
 * the writer has left it, and else a copy of what it has so far, which costs a sub-buffer in the recording for few events. So
 * whole ones are taken as they come, told by `stats`, and the last, partial one only when somebody waits for it.
 */
export class CpuReader {
  readonly cpu: number;
  readonly #subBufferBytes: number;
  readonly #dataBytes: number;
  readonly #raw: number;
  readonly #stats: number;
  readonly #text = Buffer.alloc(1024);
  /** The kernel's counts when they were last read. */
  stats: CpuStats = { entries: 0, bytes: 0, lost: 0, read: 0 };
  /** The text of `stats` that they are of. */
  statsText = '';

  constructor(instance: string, cpu: number, subBufferBytes: number, dataBytes: number) {
    this.cpu = cpu;
    this.#subBufferBytes = subBufferBytes;
    this.#dataBytes = dataBytes;
    const folder = join(instance, 'per_cpu', `cpu${cpu}`);
    this.#raw = openSync(join(folder, 'trace_pipe_raw'), constants.O_RDONLY | constants.O_NONBLOCK);
    this.#stats = openSync(join(folder, 'stats'), 'r');
  }

  readStats(): void {
    this.statsText = this.#text.toString('latin1', 0, readSync(this.#stats, this.#text, 0, this.#text.length, 0));
    this.stats = parseStats(this.statsText);
  }

  /**
   * Reads what there is into `batch` and hands it over piece by piece, borrowed until `take` returns; `partial`: with the
   * sub-buffer that the kernel is still filling. Returns the number of sub-buffers.
   */
  drain(batch: Buffer, partial: boolean, take: (bytes: Buffer) => void): number {
    let wanted = this.#waiting() + (partial ? 1 : 0);
    let total = 0;
    let filled = 0;
    while (wanted > 0) {
      const got = this.#read(batch, filled);
      if (got === 0) break;
      filled += got;
      total++;
      if (filled + this.#subBufferBytes > batch.length) {
        take(batch.subarray(0, filled));
        filled = 0;
      }
      // The events since `stats` was read: more whole sub-buffers if many were there to be read.
      if (--wanted === 0 && total >= 8 && total < MOST_IN_A_TURN) {
        wanted = Math.min(this.#waiting(), MOST_IN_A_TURN - total);
      }
    }
    if (filled > 0) take(batch.subarray(0, filled));
    return total;
  }

  /** Sub-buffers that the writer has left by now. */
  #waiting(): number {
    this.readStats();
    return Math.min(Math.floor(this.stats.bytes / this.#dataBytes), MOST_IN_A_TURN);
  }

  /** One sub-buffer at `at`; 0 where there is none, or none with an event in it. */
  #read(batch: Buffer, at: number): number {
    try {
      const got = readSync(this.#raw, batch, at, this.#subBufferBytes, null);
      if (got < this.#subBufferBytes) {
        if (got === 0) return 0;
        batch.fill(0, at + got, at + this.#subBufferBytes);
      }
      return this.#subBufferBytes;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN' || code === 'EINTR') return 0;
      throw error;
    }
  }

  close(): void {
    closeSync(this.#raw);
    closeSync(this.#stats);
  }
}
