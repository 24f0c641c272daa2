/**
 * Text under construction, as bytes: what comes from a recording (task names, strings) need not be valid UTF-8 and must
 * leave as it came. Grows as needed; `bytes[0, length)` is the text. One sink is reused for many records, so that
 * printing allocates nothing per event.
 */
export class TextSink {
  bytes: Uint8Array;
  length = 0;
  /** A NUL was written with `byte`: C would end the text there. Whoever looks at it resets it. */
  hasNul = false;

  constructor(capacity = 1 << 16) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Makes room for `more` bytes behind `length`. */
  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    if (value === 0) this.hasNul = true;
    this.bytes[this.length++] = value;
  }

  /** Bytes that were prepared once, such as the text between two conversions. */
  literal(text: Uint8Array): void {
    const size = text.length;
    this.reserve(size);
    const { bytes } = this;
    let at = this.length;
    this.length += size;
    // The engine's own copy takes as long as a dozen steps of a loop, whatever the size.
    if (size > 12) bytes.set(text, at);
    else for (let i = 0; i < size; i++) bytes[at++] = text[i];
  }

  /** A string whose code units are bytes (latin1). */
  text(latin1: string): void {
    const size = latin1.length;
    this.reserve(size);
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < size; i++) bytes[at++] = latin1.charCodeAt(i);
    this.length = at;
  }

  fill(value: number, count: number): void {
    if (count <= 0) return;
    this.reserve(count);
    this.bytes.fill(value, this.length, this.length + count);
    this.length += count;
  }

  /** Bytes `from` up to the first NUL before `to`; at most `most`. Returns how many were written. */
  cString(source: Uint8Array, from: number, to: number, most = Number.POSITIVE_INFINITY): number {
    const stop = Math.min(to, from + most);
    this.reserve(Math.max(0, stop - from));
    const { bytes } = this;
    let at = this.length;
    for (let i = from; i < stop; i++) {
      const value = source[i];
      if (value === 0) break;
      bytes[at++] = value;
    }
    const written = at - this.length;
    this.length = at;
    return written;
  }

  /** An unsigned 32-bit number in decimal. */
  decimal(value: number): void {
    if (value < 10) {
      this.byte(48 + value);
      return;
    }
    this.reserve(10);
    const { bytes } = this;
    let rest = value;
    const size = decimalDigits(rest);
    let at = this.length + size;
    this.length = at;
    while (rest >= 100) {
      const next = (rest / 100) >>> 0;
      const pair = rest - next * 100;
      const tens = (pair * 205) >>> 11;
      bytes[--at] = 48 + pair - tens * 10;
      bytes[--at] = 48 + tens;
      rest = next;
    }
    if (rest >= 10) {
      const tens = (rest * 205) >>> 11;
      bytes[--at] = 48 + rest - tens * 10;
      bytes[--at] = 48 + tens;
    } else bytes[--at] = 48 + rest;
  }

  /** `value`, below 10^digits and 2^32, in decimal with leading zeros. */
  decimalPadded(value: number, digits: number): void {
    this.reserve(digits);
    const { bytes } = this;
    let rest = value >>> 0;
    const start = this.length;
    let at = start + digits;
    this.length = at;
    while (at > start) {
      const next = (rest / 10) >>> 0;
      bytes[--at] = 48 + rest - next * 10;
      rest = next;
    }
  }

  /** A 64-bit unsigned number, as two 32-bit halves, in decimal. */
  decimal64(high: number, low: number): void {
    if (high === 0) {
      this.decimal(low >>> 0);
      return;
    }
    const value = (high >>> 0) * 4_294_967_296 + (low >>> 0);
    if (high >>> 0 < 0x20_0000) {
      const upper = Math.floor(value / 1e9);
      const lower = value - upper * 1e9;
      if (upper > 0) {
        this.decimal(upper);
        this.decimalPadded(lower, 9);
      } else this.decimal(lower);
      return;
    }
    this.text(((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toString());
  }

  /** A 64-bit number in lower-case hexadecimal without leading zeros. */
  hex64(high: number, low: number): void {
    this.reserve(16);
    let digits = hexDigits(high, low);
    const { bytes } = this;
    let at = this.length + digits;
    this.length = at;
    let rest = low;
    for (let i = 0; digits > 0; digits--, i++) {
      if (i === 8) rest = high;
      const digit = rest & 15;
      bytes[--at] = digit < 10 ? 48 + digit : 87 + digit;
      rest >>>= 4;
    }
  }

  /** One byte as two hexadecimal digits. */
  hexByte(value: number, upper = false): void {
    const letter = upper ? 55 : 87;
    const high = value >>> 4;
    const low = value & 15;
    this.byte(high < 10 ? 48 + high : letter + high);
    this.byte(low < 10 ? 48 + low : letter + low);
  }

  /** The text from `from` on, one code unit per byte. */
  latin1(from = 0): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + from, this.length - from).toString('latin1');
  }

  /** The text from `from` on for people: UTF-8, invalid bytes replaced. */
  utf8(from = 0): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + from, this.length - from).toString('utf8');
  }
}

/** Decimal digits of an unsigned 32-bit number. */
export function decimalDigits(value: number): number {
  if (value < 1e5) return value < 100 ? (value < 10 ? 1 : 2) : value < 1e3 ? 3 : value < 1e4 ? 4 : 5;
  return value < 1e7 ? (value < 1e6 ? 6 : 7) : value < 1e8 ? 8 : value < 1e9 ? 9 : 10;
}

/** Hexadecimal digits of a 64-bit number; 1 for zero. */
export function hexDigits(high: number, low: number): number {
  if (high !== 0) return 16 - (Math.clz32(high) >>> 2);
  return low === 0 ? 1 : 8 - (Math.clz32(low) >>> 2);
}

/** Text whose code units are bytes, as bytes. No Buffer: of one kind of array, reading is compiled better. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
