import { RemoraError } from './errors.ts';

export { fieldUnit } from './field-units.ts';

/**
 * The catalogue of units and the one place where a unit is converted. A unit is its key (`pages`, `KiB/s`, `µs`), the
 * text that is shown; a bare number has the empty key. What unit a field of an event has: shared/field-units.ts.
 */

export type Dimension = 'size' | 'rate' | 'time' | 'count' | 'count rate' | 'ratio' | 'frequency' | 'jiffies';

interface Unit {
  dimension: Dimension;
  /** Value of one unit in the base of its dimension (B, B/s, ns, 1, 1/s, 1, Hz); of one page-sized unit in pages. */
  factor: number;
  /** Multiples of the traced machine's page, whose size a trace need not tell. */
  paged?: boolean;
  /** Other spellings that are understood. */
  aliases?: string[];
}

const KIB = 1024;
const units: Record<string, Unit> = {
  B: { dimension: 'size', factor: 1, aliases: ['bytes', 'byte'] },
  KiB: { dimension: 'size', factor: KIB },
  MiB: { dimension: 'size', factor: KIB ** 2 },
  GiB: { dimension: 'size', factor: KIB ** 3 },
  TiB: { dimension: 'size', factor: KIB ** 4 },
  kB: { dimension: 'size', factor: 1e3 },
  MB: { dimension: 'size', factor: 1e6 },
  GB: { dimension: 'size', factor: 1e9 },
  // A sector of the block layer is 512 bytes whatever the device's own is (include/linux/blk_types.h: SECTOR_SHIFT).
  sectors: { dimension: 'size', factor: 512, aliases: ['sector'] },
  pages: { dimension: 'size', factor: 1, paged: true, aliases: ['page'] },
  'B/s': { dimension: 'rate', factor: 1 },
  'KiB/s': { dimension: 'rate', factor: KIB, aliases: ['KiBps'] },
  'MiB/s': { dimension: 'rate', factor: KIB ** 2, aliases: ['MiBps'] },
  'GiB/s': { dimension: 'rate', factor: KIB ** 3, aliases: ['GiBps'] },
  'kB/s': { dimension: 'rate', factor: 1e3, aliases: ['kBps'] },
  'MB/s': { dimension: 'rate', factor: 1e6, aliases: ['MBps'] },
  'GB/s': { dimension: 'rate', factor: 1e9, aliases: ['GBps'] },
  'sectors/s': { dimension: 'rate', factor: 512 },
  'pages/s': { dimension: 'rate', factor: 1, paged: true },
  ns: { dimension: 'time', factor: 1, aliases: ['nsec'] },
  µs: { dimension: 'time', factor: 1e3, aliases: ['us', 'usec', '\u03bcs'] },
  ms: { dimension: 'time', factor: 1e6, aliases: ['msec'] },
  s: { dimension: 'time', factor: 1e9, aliases: ['sec', 'seconds'] },
  min: { dimension: 'time', factor: 60e9, aliases: ['minutes'] },
  h: { dimension: 'time', factor: 3600e9, aliases: ['hours'] },
  count: { dimension: 'count', factor: 1 },
  '1/s': { dimension: 'count rate', factor: 1, aliases: ['/s', 'count/s'] },
  'k/s': { dimension: 'count rate', factor: 1e3 },
  'M/s': { dimension: 'count rate', factor: 1e6 },
  ratio: { dimension: 'ratio', factor: 1 },
  '%': { dimension: 'ratio', factor: 0.01, aliases: ['percent'] },
  Hz: { dimension: 'frequency', factor: 1 },
  kHz: { dimension: 'frequency', factor: 1e3 },
  MHz: { dimension: 'frequency', factor: 1e6 },
  GHz: { dimension: 'frequency', factor: 1e9 },
  // Length 1/HZ s, which a trace does not tell: converts to nothing.
  jiffies: { dimension: 'jiffies', factor: 1 },
};

const spellings = new Map<string, string>();
for (const [name, unit] of Object.entries(units)) {
  for (const alias of unit.aliases ?? []) spellings.set(alias, name);
}
for (const name of Object.keys(units)) spellings.set(name, name);
/** By lower-case spelling, for those who write `mib`; null where two units differ by case alone. */
const lowerCase = new Map<string, string | null>();
for (const [spelling, name] of spellings) {
  const key = spelling.toLowerCase();
  const known = lowerCase.get(key);
  lowerCase.set(key, known === undefined || known === name ? name : null);
}

/** The key of a unit as a person wrote it (`us`, `mib/s`, `page`), or null where there is none. */
export function findUnit(text: string): string | null {
  const spelling = text.trim();
  return spellings.get(spelling) ?? lowerCase.get(spelling.toLowerCase()) ?? null;
}

/** Every unit of the catalogue, in the order in which a list should show them. */
export const allUnits: readonly string[] = Object.keys(units);

/** Dimension of a unit; null for the empty unit and for one that is not in the catalogue. */
export const dimensionOf = (unit: string): Dimension | null =>
  Object.hasOwn(units, unit) ? units[unit].dimension : null;

/** Units that values in `unit` can be shown in, itself included, in catalogue order; empty for a bare number. */
export function unitsOfSameDimension(unit: string): string[] {
  const dimension = dimensionOf(unit);
  return dimension === null ? [] : allUnits.filter((other) => units[other].dimension === dimension);
}

export interface UnitContext {
  /** Page size of the traced machine in bytes. */
  memoryPageBytes: number;
}

const inBase = (unit: Unit, context: UnitContext): number =>
  unit.paged ? unit.factor * context.memoryPageBytes : unit.factor;

/**
 * What to multiply a value in `from` by to have it in `to`; hot loops take it once. 1 where the two are the same, even
 * outside the catalogue. Throws `bad-request` where the dimensions differ.
 */
export function conversionFactor(from: string, to: string, context: UnitContext): number {
  if (from === to) return 1;
  const dimension = dimensionOf(from);
  if (dimension === null || dimension !== dimensionOf(to)) {
    const possible = unitsOfSameDimension(from);
    const hint =
      possible.length > 0 ? `possible: ${possible.join(', ')}` : 'the value has no unit that could be converted';
    throw new RemoraError({
      code: 'bad-request',
      message: `${from || 'a bare number'} cannot be shown in ${to}; ${hint}`,
    });
  }
  return inBase(units[from], context) / inBase(units[to], context);
}

/** `value`, given in `from`, in `to`. Throws `bad-request` where the dimensions differ. */
export function convert(value: number, from: string, to: string, context: UnitContext): number {
  return value * conversionFactor(from, to, context);
}

/** Unit of a change per second of values in `unit`: `pages` → `pages/s`; empty where there is none. */
export function ratePerSecond(unit: string): string {
  if (dimensionOf(unit) === 'count') return '1/s';
  const rate = `${unit}/s`;
  return unit !== '' && Object.hasOwn(units, rate) ? rate : '';
}

export interface NumberFormat {
  /** Digits of a number that is no integer; default 4. */
  significant?: number;
  /** Thousands separated by U+202F (narrow no-break space); default off. */
  grouping?: boolean;
}

/**
 * A number for tables and axes. Integers are exact (below 2^53) however long; other numbers have `significant` digits without
 * trailing zeros; outside 1e-4 … 1e15 an exponent that is a multiple of three is used (`18.45e18`, `2.5e-6`). The minus
 * sign is ASCII, so that text can be copied into other tools.
 */
export function formatNumber(value: number, format: NumberFormat = {}): string {
  const significant = format.significant ?? 4;
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value < 0 ? '-∞' : '∞';
  if (Number.isSafeInteger(value)) return group(Object.is(value, -0) ? '0' : value.toString(), format);
  const magnitude = Math.abs(value);
  if (magnitude < 1e-4 || magnitude >= 1e15) return engineering(value, significant);
  // A number with more digits before the point than asked for keeps them all: 20318.4 is 20318, not 20320.
  const whole = Math.floor(Math.log10(magnitude)) + 1;
  return group(Number(value.toPrecision(Math.min(Math.max(significant, whole), 21))).toString(), format);
}

function engineering(value: number, significant: number): string {
  const [digits, exponentText] = value.toExponential(Math.max(significant - 1, 0)).split('e');
  const exponent = Number(exponentText);
  const shift = ((exponent % 3) + 3) % 3;
  const mantissa = Number((Number(digits) * 10 ** shift).toPrecision(significant));
  return `${mantissa}e${exponent - shift}`;
}

function group(digits: string, format: NumberFormat): string {
  if (!format.grouping) return digits;
  const [whole, fraction] = digits.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** A value with its unit: `19869 pages`, `1.07 ratio` as `1.07`, `42 %`, `12 count` as `12`. */
export function formatValue(value: number, unit: string, format: NumberFormat = {}): string {
  const number = formatNumber(value, format);
  return unit === '' || unit === 'count' || unit === 'ratio' ? number : `${number} ${unit}`;
}

/** Units that a value is scaled through for reading; sectors and pages are kept, as users compare them with the trace. */
const ladders: string[][] = [
  ['B', 'KiB', 'MiB', 'GiB', 'TiB'],
  ['B/s', 'KiB/s', 'MiB/s', 'GiB/s'],
  ['kB', 'MB', 'GB'],
  ['kB/s', 'MB/s', 'GB/s'],
  ['ns', 'µs', 'ms', 's'],
  ['Hz', 'kHz', 'MHz', 'GHz'],
  ['1/s', 'k/s', 'M/s'],
];

/**
 * The unit of the same family in which `magnitude` has the fewest digits and is at least 1: (40 000 000, 'ns') → `ms`. The
 * unit itself where it has no family.
 */
export function readableUnit(magnitude: number, unit: string): string {
  const ladder = ladders.find((family) => family.includes(unit));
  if (ladder === undefined || !Number.isFinite(magnitude) || magnitude === 0) return unit;
  const base = Math.abs(magnitude) * units[unit].factor;
  return ladder.findLast((step) => base >= units[step].factor) ?? ladder[0];
}

/** A value in the unit that reads best: `formatReadable(40_800_000, 'ns')` is `40.8 ms`. */
export function formatReadable(value: number, unit: string, format: NumberFormat = {}): string {
  const readable = readableUnit(value, unit);
  const scaled = readable === unit ? value : (value * units[unit].factor) / units[readable].factor;
  return formatValue(scaled, readable, format);
}
