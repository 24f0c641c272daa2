import type { RecordingHead } from '../recording.ts';
import type { TextSink } from './text-sink.ts';

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

/** Writes an unsigned 64-bit time, as two unsigned halves. Microseconds are rounded half up. */
export function printTime(out: TextSink, unit: TimeUnit, high: number, low: number): void {
  if (unit === 'ticks') {
    const from = out.length;
    out.decimal64(high | 0, low | 0);
    padLeft(out, from, 12);
    return;
  }
  let upper = high;
  let lower = low;
  if (unit === 'microseconds') {
    lower += 500;
    if (lower > 0xffff_ffff) {
      lower -= 4_294_967_296;
      upper++;
    }
  }
  // Seconds by division in doubles, which may be off by one; the remainder, exact in 32 bits, tells.
  let seconds = Math.floor((upper * 4_294_967_296 + lower) / GIGA);
  let ns = (lower - Math.imul(seconds % 4_294_967_296 | 0, GIGA)) | 0;
  while (ns < 0) {
    seconds--;
    ns += GIGA;
  }
  while (ns >= GIGA) {
    seconds++;
    ns -= GIGA;
  }
  const from = out.length;
  if (seconds <= 0xffff_ffff) out.decimal(seconds);
  else out.text(String(seconds));
  padLeft(out, from, 5);
  out.byte(46);
  if (unit === 'microseconds') out.decimalPadded(Math.floor(ns / 1000), 6);
  else out.decimalPadded(ns, 9);
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
