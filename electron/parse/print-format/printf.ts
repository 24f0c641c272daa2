import { decimalDigits, hexDigits, type TextSink } from './text-sink.ts';

/**
 * C's printf for the conversions that print formats have, on numbers held as two halves and on bytes.
 * One conversion is read once (`parseSpec`) and then applied to every record.
 */
export interface Spec {
  /** d i u o x X c s */
  conversion: string;
  left: boolean;
  zero: boolean;
  plus: boolean;
  alternate: boolean;
  /** −1: none; a star takes it from an argument. */
  width: number;
  precision: number;
  starWidth: boolean;
  starPrecision: boolean;
  /** Length modifier: −2 `hh`, −1 `h`, 0, 1 `l` `z`, 2 `ll` `L`. */
  length: number;
}

/** Damaged formats and arguments must not become gigabytes of spaces. */
const MOST_PADDING = 1 << 16;

/** Reads `%-10.3lu`; the text has been checked to be a conversion. */
export function parseSpec(text: string): Spec {
  const parts = /^%([-+#0]*)(\d+|\*)?(?:\.(\d*|\*)?)?.*?([a-zA-Z])$/.exec(text.replace(/[hlLzZ]+(?=[a-zA-Z]$)/, ''));
  const flags = parts?.[1] ?? '';
  const width = parts?.[2];
  const hasPrecision = text.includes('.');
  const precision = parts?.[3] ?? '';
  return {
    conversion: text.slice(-1),
    left: flags.includes('-'),
    zero: flags.includes('0'),
    plus: flags.includes('+'),
    alternate: flags.includes('#'),
    width: width === undefined || width === '*' ? -1 : Math.min(Number(width), MOST_PADDING),
    precision: !hasPrecision || precision === '*' ? -1 : Math.min(Number(precision || 0), MOST_PADDING),
    starWidth: width === '*',
    starPrecision: precision === '*',
    length: 0,
  };
}

/** The spec with what its star stands for. A negative width means left; a negative precision, none. */
export function withStar(spec: Spec, value: number): Spec {
  const size = Math.min(Math.abs(value), MOST_PADDING);
  if (spec.starPrecision) return { ...spec, precision: value < 0 ? -1 : size };
  if (spec.starWidth) return { ...spec, width: size, left: spec.left || value < 0 };
  return spec;
}

export type NumberPrinter = (out: TextSink, high: number, low: number) => void;

/** Compiles an integer conversion. `length` decides how much of the 64 bits the conversion sees. */
export function numberPrinter(spec: Spec): NumberPrinter {
  const { conversion, length } = spec;
  if (conversion === 'c') return (out, _high, low) => pad(out, spec, () => out.byte(low & 0xff), 1);
  const signed = conversion === 'd' || conversion === 'i';
  const plain = isPlain(spec);
  if (plain && length === 0) {
    if (signed) return signed32;
    if (conversion === 'u') return (out, _high, low) => out.decimal(low >>> 0);
    if (conversion === 'x') return (out, _high, low) => out.hex64(0, low);
  }
  if (plain && length > 0) {
    if (signed) return signed64;
    if (conversion === 'u') return (out, high, low) => out.decimal64(high, low);
    if (conversion === 'x') return (out, high, low) => out.hex64(high, low);
  }
  const general = signed ? decimalWithFlags : unsignedWithFlags;
  const shift = length === -2 ? 24 : length === -1 ? 16 : 0;
  if (length > 0) return (out, high, low) => general(out, spec, high, low);
  if (signed) {
    return (out, _high, low) => {
      const value = (low << shift) >> shift;
      general(out, spec, value >> 31, value);
    };
  }
  return (out, _high, low) => general(out, spec, 0, (low << shift) >>> shift);
}

/** d, i, u or x without flags, width or precision. */
export function isPlain(spec: Spec): boolean {
  return spec.width < 0 && spec.precision < 0 && !spec.plus && !spec.alternate && /[diux]/.test(spec.conversion);
}

function signed32(out: TextSink, _high: number, low: number): void {
  if ((low | 0) < 0) {
    out.byte(45);
    out.decimal(-(low | 0));
  } else out.decimal(low);
}

function signed64(out: TextSink, high: number, low: number): void {
  if ((high | 0) < 0) {
    out.byte(45);
    out.decimal64((~high + (low === 0 ? 1 : 0)) | 0, -low | 0);
  } else out.decimal64(high, low);
}

const digitsOf = (high: number, low: number): number =>
  high === 0 ? decimalDigits(low >>> 0) : ((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toString().length;

function decimalWithFlags(out: TextSink, spec: Spec, high: number, low: number): void {
  const negative = (high | 0) < 0;
  const upper = negative ? (~high + (low === 0 ? 1 : 0)) | 0 : high;
  const lower = negative ? -low | 0 : low;
  number(out, spec, negative ? '-' : spec.plus ? '+' : '', digitsOf(upper, lower), upper, lower, 'u');
}

function unsignedWithFlags(out: TextSink, spec: Spec, high: number, low: number): void {
  const { conversion, alternate } = spec;
  if (conversion === 'u') {
    number(out, spec, '', digitsOf(high, low), high, low, 'u');
  } else if (conversion === 'o') {
    octal(out, spec, high, low);
  } else {
    const zero = high === 0 && low === 0;
    const prefix = alternate && !zero ? (conversion === 'X' ? '0X' : '0x') : '';
    number(out, spec, prefix, hexDigits(high, low), high, low, conversion);
  }
}

function octal(out: TextSink, spec: Spec, high: number, low: number): void {
  const value = ((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toString(8);
  let digits = (value === '0' && spec.precision === 0 ? '' : value).padStart(spec.precision, '0');
  if (spec.alternate && !digits.startsWith('0')) digits = `0${digits}`;
  if (spec.zero && !spec.left && spec.precision < 0) digits = digits.padStart(spec.width, '0');
  out.text(spec.left ? digits.padEnd(spec.width) : digits.padStart(spec.width));
}

/** Sign or prefix, zeros to the precision (or to the width, with the 0 flag), digits; spaces to the width. */
function number(
  out: TextSink,
  spec: Spec,
  prefix: string,
  digits: number,
  high: number,
  low: number,
  base: string,
): void {
  const { width, precision } = spec;
  let zeros = Math.max(0, precision - digits);
  const nothing = precision === 0 && high === 0 && low === 0;
  const shown = nothing ? 0 : digits;
  let spaces = Math.max(0, width - prefix.length - zeros - shown);
  if (spec.zero && !spec.left && precision < 0) {
    zeros += spaces;
    spaces = 0;
  }
  if (!spec.left) out.fill(32, spaces);
  out.text(prefix);
  out.fill(48, zeros);
  if (!nothing) {
    if (base === 'u') out.decimal64(high, low);
    else {
      const from = out.length;
      out.hex64(high, low);
      if (base === 'X') for (let i = from; i < out.length; i++) if (out.bytes[i] > 96) out.bytes[i] -= 32;
    }
  }
  if (spec.left) out.fill(32, spaces);
}

function pad(out: TextSink, spec: Spec, write: () => void, size: number): void {
  if (!spec.left) out.fill(32, spec.width - size);
  write();
  if (spec.left) out.fill(32, spec.width - size);
}

/** `%s` of the bytes from `from` to the first NUL before `to`. */
export function printText(out: TextSink, spec: Spec, source: Uint8Array, from: number, to: number): void {
  const most = spec.precision < 0 ? Number.POSITIVE_INFINITY : spec.precision;
  if (spec.width <= 0) {
    out.cString(source, from, to, most);
    return;
  }
  if (spec.left) {
    out.fill(32, spec.width - out.cString(source, from, to, most));
    return;
  }
  let size = 0;
  while (from + size < to && size < most && source[from + size] !== 0) size++;
  out.fill(32, spec.width - size);
  out.cString(source, from, to, size);
}
