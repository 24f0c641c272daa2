import { conversionFactor, type Dimension, dimensionOf } from './units.ts';

/** The finest unit of each dimension in which quantities of the kernel are counted; null where none has a bound. */
const finest: Record<Dimension, string | null> = {
  size: 'B',
  rate: 'B/s',
  time: 'ns',
  count: 'count',
  'count rate': '1/s',
  frequency: 'Hz',
  jiffies: 'jiffies',
  ratio: null,
};

/**
 * From here on, a quantity in `unit` is impossible: 2^63 bytes, bytes per second, ns, … An unsigned counter that went below
 * zero is larger still, in whatever unit it is shown. Infinity for bare numbers, which may be anything (hashes, flags).
 */
export function impossibleFrom(unit: string): number {
  const dimension = dimensionOf(unit);
  const base = dimension === null ? null : finest[dimension];
  // Any page size that a kernel has makes the same of values that are 2^50 times too large.
  return base === null ? Number.POSITIVE_INFINITY : 2 ** 63 * conversionFactor(base, unit, { memoryPageBytes: 4096 });
}
