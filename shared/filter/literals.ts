import type { NumberValue, TimeValue } from './ast.ts';

/** Numbers and times in filters, without their positions. */

/** Decimal, hexadecimal (0x1f), octal (0755, 0o755), with a sign; fractions. Null where the word is no number. */
export function parseNumber(word: string): Omit<NumberValue, 'start' | 'end'> | null {
  const found = /^([-+]?)(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)$/.exec(word);
  if (found === null) return null;
  const [, sign, digits] = found;
  const octal = /^0[oO]?([0-7]+)$/.exec(digits);
  const magnitude = octal === null ? Number(digits) : Number.parseInt(octal[1], 8);
  return { kind: 'number', value: sign === '-' ? -magnitude : magnitude, text: word };
}

/** The exact value of an integer as typed; null for a fraction. */
export function exactInteger(text: string): bigint | null {
  const found = /^([-+]?)(?:(0[xX][0-9a-fA-F]+)|0[oO]?([0-7]+)|(\d+))$/.exec(text);
  if (found === null) return null;
  const [, sign, hex, octal, decimal] = found;
  const magnitude = BigInt(hex ?? (octal === undefined ? decimal : `0o${octal}`));
  return sign === '-' ? -magnitude : magnitude;
}

const nsPer: Record<string, bigint> = { s: 1_000_000_000n, ms: 1_000_000n, us: 1_000n, µs: 1_000n, ns: 1n };

/**
 * A time: seconds as the trace prints them (`56.410032`), or with a unit (`56410032000ns`, `1.5ms`); with a plus, counted
 * from the start (`+1.5s`). Without a unit a number is seconds. Null where the word is no time.
 */
export function parseTime(word: string): Omit<TimeValue, 'start' | 'end'> | null {
  const found = /^(\+?)(\d+)(?:\.(\d*))?(s|ms|us|\u00b5s|ns)?$/.exec(word);
  if (found === null) return null;
  const [, plus, whole, fraction = '', unit = 's'] = found;
  const perUnit = nsPer[unit];
  const digits = fraction.slice(0, 18);
  const ns = BigInt(whole) * perUnit + (BigInt(`0${digits}`) * perUnit) / 10n ** BigInt(digits.length);
  return { kind: 'time', text: word, ns, relative: plus === '+' };
}
