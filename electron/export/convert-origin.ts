import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { Trace, TraceRecording, TraceStream } from '../query/trace.ts';

/** Where and when a recording was made, as far as it says so: what tells it apart among those of a fleet. */

const UNKNOWN = 'unknown';
const SAMPLE_BYTES = 65_536;

/**
 * Name of the traced machine: the node name in the recording's uname, `Linux NODE RELEASE …`. A machine that was never given one
 * says `(none)` (include/linux/uts.h: UTS_NODENAME).
 */
export function hostOf({ head }: TraceRecording): string {
  const [system, node] = head.uname.trim().split(/\s+/);
  return system === 'Linux' && node !== undefined && node !== '(none)' ? node : UNKNOWN;
}

/**
 * A name for a recording that no other one has: its file's, and a hash of its size, its first and its last 64 KiB. The same
 * bytes have the same name wherever they lie.
 */
export function recordingKey({ source }: TraceRecording): string {
  const hash = createHash('sha256').update(String(source.size));
  hash.update(source.read(0, SAMPLE_BYTES));
  hash.update(source.read(Math.max(0, source.size - SAMPLE_BYTES), SAMPLE_BYTES));
  const name = basename(source.name)
    .replace(/\.(dat|txt)$/i, '')
    .replaceAll(/[^\w.-]+/g, '_')
    .slice(0, 80);
  return `${name}-${hash.digest('hex').slice(0, KEY_DIGITS)}`;
}
const KEY_DIGITS = 12;

/** What of a key depends on the contents alone. */
export const contentsOfKey = (key: string): string => key.slice(-KEY_DIGITS);

/**
 * Do a stream's absolute times count from 1970? They do with `trace-cmd record --date` (the DATE option), and with the clock
 * `tai`, which is ahead of UTC by the leap seconds where the machine was told of them. All other clocks count from the boot.
 */
export function isWallClock({ recording, info }: TraceStream): boolean {
  return recording.head.options.some(({ name }) => name === 'date') || info.clock === 'tai';
}

const DAY_NS = 86_400_000_000_000;
const DAY_MS = 86_400_000;

/** The day in UTC of times of a stream, `2026-03-01`; `unknown` where its clock is none of the wall. */
export class Days {
  readonly #trace: Trace;
  readonly #fixed: string | null;
  readonly #wall = new Map<TraceStream, boolean>();
  #fromNs = 0;
  #toNs = 0;
  #day = UNKNOWN;

  /** `fixed`: what a person said, for all. */
  constructor(trace: Trace, fixed: string | null) {
    this.#trace = trace;
    this.#fixed = fixed;
  }

  /** `timeNs`: on the workspace axis. */
  of(stream: TraceStream, timeNs: number): string {
    if (this.#fixed !== null) return this.#fixed;
    let wall = this.#wall.get(stream);
    if (wall === undefined) {
      wall = isWallClock(stream);
      this.#wall.set(stream, wall);
    }
    if (!wall) return UNKNOWN;
    // Nearly all events are of the day of the one before.
    if (timeNs < this.#fromNs || timeNs >= this.#toNs) {
      const absNs = this.#trace.originNs + BigInt(Math.round(timeNs));
      const day = absNs / BigInt(DAY_NS);
      this.#fromNs = Number(day * BigInt(DAY_NS) - this.#trace.originNs);
      this.#toNs = this.#fromNs + DAY_NS;
      this.#day = dayName(Number(day));
    }
    return this.#day;
  }
}

/** A damaged time can lie anywhere: beyond the years that have four digits it tells no day. */
function dayName(day: number): string {
  const date = new Date(day * DAY_MS);
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999 ? UNKNOWN : date.toISOString().slice(0, 10);
}

/** Where each recording begins on the workspace axis: at its earliest stream that has events. */
export function recordingOrigins(trace: Trace): number[] {
  return trace.recordings.map((_, index) => {
    const own = trace.streams.filter(({ info }) => info.recording === index && info.events > 0);
    return own.length === 0 ? 0 : Math.min(...own.map(({ offsetNs }) => offsetNs));
  });
}

/** A value as a folder's name in Hive's notation: bytes that are not plain are a percent sign and two digits. */
export function partition(key: string, value: string): string {
  const escaped = (char: string): string => Buffer.from(char).toString('hex').replaceAll(/../g, '%$&').toUpperCase();
  return `${key}=${value.replaceAll(/[^\w.-]/gu, escaped) || UNKNOWN}`;
}
