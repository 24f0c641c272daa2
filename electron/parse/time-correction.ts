import type { TimeCorrection, TimeShift } from './recording.ts';

/**
 * Raw clock ticks to trace time, in the order in which trace-cmd's reader applies the file's corrections: the guest's
 * time shift, then ticks to nanoseconds, then the fixed offset. Unsigned 64-bit arithmetic throughout.
 */

const U32 = (1n << 32n) - 1n;
const U64 = (1n << 64n) - 1n;

/** True when trace time is raw time plus `offsetNs`, so that whole columns need no touch. */
export function isPlainOffset(time: TimeCorrection, cpu: number): boolean {
  return time.ticks === null && (time.shifts.get(cpu)?.length ?? 0) === 0;
}

/** Trace time of one raw time stamp. `ticks` conversion is for clocks that count cycles. */
export function correctTime(raw: bigint, time: TimeCorrection, cpu: number): bigint {
  let value = raw;
  const shifts = time.shifts.get(cpu);
  if (shifts !== undefined && shifts.length > 0) value = shifted(value, shifts, time.interpolateShifts);
  if (time.ticks !== null && time.ticks.multiplier !== 0) {
    value = toNanoseconds(value, time.ticks.multiplier, time.ticks.shift);
  }
  return (value + time.offsetNs) & U64;
}

/**
 * Ticks times `multiplier`, shifted to the right, as trace-cmd computes it: the halves of the ticks each by themselves, in 64 bits, the
 * multiplier signed. The option's offset is what the clock of the host was ahead, and moves no event.
 */
function toNanoseconds(ticks: bigint, multiplier: number, shift: number): bigint {
  const factor = BigInt(multiplier | 0);
  const low = ((ticks & U32) * factor) & U64;
  const high = (ticks >> 32n) * factor;
  return ((low >> BigInt(shift & 63)) + (high << BigInt((32 - shift) & 63))) & U64;
}

/** Piecewise linear: the samples around `raw`, or the first or last pair beyond them; a single one has no scale. 64 bits, as in trace-cmd. */
function shifted(raw: bigint, shifts: readonly TimeShift[], interpolate: boolean): bigint {
  const last = shifts.length - 1;
  const first = shifts[0] as TimeShift;
  if (last === 0) return (raw + first.offset) & U64;
  let low = 0;
  let high = last - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((shifts[middle] as TimeShift).time <= raw) low = middle;
    else high = middle - 1;
  }
  const from = shifts[low] as TimeShift;
  const to = shifts[low + 1] as TimeShift;
  let offset = from.offset;
  if (interpolate) {
    const span = to.time - from.time;
    const moved = BigInt.asIntN(64, (raw - from.time) * (to.offset - from.offset));
    offset += BigInt.asIntN(64, moved + span / 2n) / span;
  }
  return ((((raw * from.scaling) & U64) >> (from.fraction & 63n)) + offset) & U64;
}
