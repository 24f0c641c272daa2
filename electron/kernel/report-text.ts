import { LIMIT } from './report-memory';

/** Numbers and strings as text. Everything is written at `o`, where there is room for it, and the end of it is returned. */

/** Copies text that is not of a record, word by word: up to seven bytes more, which the next text covers. */
export function copy(o: usize, from: usize, length: usize): usize {
  for (let i: usize = 0; i < length; i += 8) store<u64>(o + i, load<u64>(from + i));
  return o + length;
}

export function fill(o: usize, byte: u8, count: usize): usize {
  for (let i: usize = 0; i < count; i++) store<u8>(o + i, byte);
  return o + count;
}

export function digitsOf(value: u64): u32 {
  let digits: u32 = 1;
  for (let rest = value; rest >= 10; rest /= 10) digits++;
  return digits;
}

/** `value`, below 10^digits, with leading zeros. */
export function zeroPadded(o: usize, value: u32, digits: usize): usize {
  let rest = value;
  for (let at = o + digits; at > o; ) {
    const next = rest / 10;
    store<u8>(--at, <u8>(48 + rest - next * 10));
    rest = next;
  }
  return o + digits;
}

export function decimal(o: usize, value: u64): usize {
  if (value > 0xffff_ffff) {
    const upper = value / 1_000_000_000;
    return zeroPadded(decimal(o, upper), <u32>(value - upper * 1_000_000_000), 9);
  }
  let rest = <u32>value;
  if (rest < 10) {
    store<u8>(o, <u8>(48 + rest));
    return o + 1;
  }
  const digits: usize =
    rest < 100_000
      ? rest < 1000
        ? rest < 100
          ? 2
          : 3
        : rest < 10_000
          ? 4
          : 5
      : rest < 10_000_000
        ? rest < 1_000_000
          ? 6
          : 7
        : rest < 100_000_000
          ? 8
          : rest < 1_000_000_000
            ? 9
            : 10;
  let at = o + digits;
  while (rest >= 10) {
    const next = rest / 10;
    store<u8>(--at, <u8>(48 + rest - next * 10));
    rest = next;
  }
  store<u8>(--at, <u8>(48 + rest));
  return o + digits;
}

/** `letter`: 87 for lower case, 55 for upper. */
export function hex(o: usize, value: u64, letter: u32): usize {
  const digits: usize = value === 0 ? 1 : 16 - (<usize>clz(value) >>> 2);
  let rest = value;
  for (let at = o + digits; at > o; ) {
    const digit = <u32>rest & 15;
    store<u8>(--at, <u8>(digit < 10 ? 48 + digit : letter + digit));
    rest >>>= 4;
  }
  return o + digits;
}

/** A string from `from` up to its NUL before `to`; 0 where there is no room for it. */
export function text(to: usize, from: usize, stop: usize, left: u32, width: i32, precision: i32): usize {
  let o = to;
  let size: usize = stop > from ? stop - from : 0;
  if (precision >= 0) size = min(size, <usize>precision);
  const room = LIMIT + 4096 - o;
  let length: usize = 0;
  if (width <= 0 || left !== 0) {
    // Most strings are short: byte by byte.
    const most = min(size, room);
    for (; length < most; length++) {
      const byte = load<u8>(from + length);
      if (byte === 0) break;
      store<u8>(o + length, byte);
    }
    if (length === room && length < size) return 0;
    o += length;
    return <i32>length < width ? fill(o, 32, <usize>width - length) : o;
  }
  while (length < size && load<u8>(from + length) !== 0) length++;
  if (length > room - 1024) return 0;
  if (<i32>length < width) o = fill(o, 32, <usize>width - length);
  memory.copy(o, from, length);
  return o + length;
}

// How a number prints: bits 0 to 6 its width in bits; then these.
const HOW_SIGNED: u32 = 128;
const HOW_HEX: u32 = 256;
const HOW_UPPER: u32 = 512;
const HOW_OCTAL: u32 = 1024;
const HOW_LEFT: u32 = 2048;
const HOW_ZERO: u32 = 4096;
const HOW_PLUS: u32 = 8192;
const HOW_ALTERNATE: u32 = 16_384;

/** C's integer conversions: see parse/print-format/printf.ts. */
export function number(to: usize, bits: u64, how: u32, width: i32, precision: i32): usize {
  let o = to;
  const unused = <u64>(64 - (how & 127));
  let value: u64;
  let prefix: u32 = 0; // its characters, the first one lowest
  let prefixLength: i32 = 0;
  if ((how & HOW_SIGNED) !== 0) {
    const signed = <i64>(bits << unused) >> <i64>unused;
    value = <u64>(signed < 0 ? -signed : signed);
    prefix = signed < 0 ? 45 : 43;
    prefixLength = signed < 0 || (how & HOW_PLUS) !== 0 ? 1 : 0;
  } else {
    value = (bits << unused) >>> unused;
    if ((how & HOW_HEX) !== 0 && (how & HOW_ALTERNATE) !== 0 && value !== 0) {
      prefix = (how & HOW_UPPER) !== 0 ? 0x5830 : 0x7830;
      prefixLength = 2;
    }
  }
  let digits: i32;
  if (value === 0) digits = precision === 0 ? 0 : 1;
  else if ((how & HOW_HEX) !== 0) digits = 16 - (<i32>clz(value) >>> 2);
  else if ((how & HOW_OCTAL) !== 0) digits = (66 - <i32>clz(value)) / 3;
  else digits = <i32>digitsOf(value);
  let zeros = max(0, precision - digits);
  if ((how & HOW_OCTAL) !== 0 && (how & HOW_ALTERNATE) !== 0 && zeros === 0 && (value !== 0 || digits === 0)) zeros = 1;
  let spaces = max(0, width - prefixLength - zeros - digits);
  if ((how & HOW_ZERO) !== 0 && (how & HOW_LEFT) === 0 && precision < 0) {
    zeros += spaces;
    spaces = 0;
  }
  if ((how & HOW_LEFT) === 0) o = fill(o, 32, spaces);
  if (prefixLength > 0) {
    store<u16>(o, <u16>prefix);
    o += prefixLength;
  }
  o = fill(o, 48, zeros);
  if (digits > 0) {
    if ((how & HOW_HEX) !== 0) o = hex(o, value, (how & HOW_UPPER) !== 0 ? 55 : 87);
    else if ((how & HOW_OCTAL) !== 0) o = octal(o, value, digits);
    else o = decimal(o, value);
  }
  return (how & HOW_LEFT) !== 0 ? fill(o, 32, spaces) : o;
}

function octal(o: usize, value: u64, digits: i32): usize {
  let rest = value;
  for (let at = o + digits; at > o; ) {
    store<u8>(--at, <u8>(48 + (<u32>rest & 7)));
    rest >>>= 3;
  }
  return o + digits;
}
