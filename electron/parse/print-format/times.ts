import type { RecordingHead } from '../recording.ts';
import { TextSink } from './text-sink.ts';

/** How a recording's times print: seconds with 6 or 9 decimals, or, for clocks that do not count ns, the bare number. */
export type TimeUnit = 'microseconds' | 'nanoseconds' | 'ticks';

/** Clocks that trace-cmd takes to count nanoseconds; a conversion of ticks in the file makes any clock one. */
export function timeUnit(head: RecordingHead, nanoseconds: boolean): TimeUnit {
  const clock = head.traceClock || (head.buffers[0]?.clock ?? '');
  const converted = head.buffers.some((buffer) => buffer.time.ticks !== null);
  const known = /^(local|global|uptime|perf|tai|tsc2nsec|mono.*)$/.test(clock);
  if (clock !== '' && !known && !converted) return 'ticks';
  return nanoseconds ? 'nanoseconds' : 'microseconds';
}

const GIGA = 1_000_000_000;
const TWO_32 = 4_294_967_296;

/**
 * Writes unsigned 64-bit times, given as two unsigned halves; microseconds are rounded half up. Remembers the second
 * it was in, as the next time is most often in the same one.
 */
export class TimePrinter {
  readonly unit: TimeUnit;
  readonly #round: number;
  /** Start of the second last met, as halves, and that second as text with its point. */
  #high = -1;
  #low = 0;
  readonly #second = new TextSink(32);

  constructor(unit: TimeUnit) {
    this.unit = unit;
    this.#round = unit === 'microseconds' ? 500 : 0;
  }

  print(out: TextSink, high: number, low: number): void {
    if (this.unit === 'ticks') {
      const from = out.length;
      out.decimal64(high | 0, low | 0);
      padLeft(out, from, 12);
      return;
    }
    let ns = (high - this.#high) * TWO_32 + (low - this.#low) + this.#round;
    if (ns < 0 || ns >= GIGA || this.#high < 0) ns = this.#enter(high, low);
    const second = this.#second;
    out.reserve(second.length + 9);
    for (let i = 0; i < second.length; i++) out.bytes[out.length++] = second.bytes[i];
    if (this.unit === 'microseconds') out.decimalPadded((ns / 1000) >>> 0, 6);
    else out.decimalPadded(ns, 9);
  }

  /** Makes the second that the (rounded) time lies in the current one; returns the ns within it. */
  #enter(high: number, low: number): number {
    let lower = low + this.#round;
    let upper = high;
    if (lower >= TWO_32) {
      lower -= TWO_32;
      upper++;
    }
    // Seconds by division in doubles, which may be off by one; the remainder, exact in 32 bits, tells.
    let seconds = Math.floor((upper * TWO_32 + lower) / GIGA);
    let ns = (lower - Math.imul((seconds % TWO_32) | 0, GIGA)) | 0;
    while (ns < 0) {
      seconds--;
      ns += GIGA;
    }
    while (ns >= GIGA) {
      seconds++;
      ns -= GIGA;
    }
    this.#low = lower - ns;
    this.#high = upper;
    if (this.#low < 0) {
      this.#low += TWO_32;
      this.#high--;
    }
    this.#second.length = 0;
    this.#second.text(`${String(seconds).padStart(5)}.`);
    return ns;
  }
}

/** Moves what was written since `from` to the right, so that it is `width` wide. */
export function padLeft(out: TextSink, from: number, width: number): void {
  const missing = width - (out.length - from);
  if (missing <= 0) return;
  const end = out.length;
  out.fill(32, missing);
  out.bytes.copyWithin(from + missing, from, end);
  out.bytes.fill(32, from, from + missing);
}
