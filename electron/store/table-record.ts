import type { SqlInput } from './sql-connection.ts';

/**
 * Rows in SQLite's record format (https://www.sqlite.org/fileformat2.html, section 2.1): varint bytes of the header, itself
 * included; a varint for each column; then the values. Integers are big-endian, in as few bytes as hold them.
 *
 *   0 NULL · 1 to 6 integer of 1, 2, 3, 4, 6, 8 bytes · 7 float · 8, 9 the integers 0 and 1
 *   12 + 2n bytes · 13 + 2n text of n bytes in UTF-8
 */

/** Bytes that an integer of each serial type takes, and a float. */
const WIDTHS = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];
const FLOAT = 7;
const INT_8 = 6;

/** Texts that come again and again (names of tasks and events) are turned into bytes once. */
const KNOWN_TEXTS = 20_000;
const LONGEST_KNOWN = 64;
/** Texts for which writing byte by byte is quicker than a call. */
const SHORT_BYTES = 24;

/** One row at a time: `set`, then `write`. */
export class RecordWriter {
  /** Length of the record. */
  bytes = 0;
  #row: SqlInput[] = [];
  #columns = 0;
  #headerBytes = 0;
  #types: Float64Array = new Float64Array(16);
  #blobs: (Uint8Array | null)[] = [];
  readonly #texts = new Map<string, Uint8Array>();
  #textColumns: boolean[] = [];

  /** Whether any row had text in this column. */
  hadText(column: number): boolean {
    return this.#textColumns[column] ?? false;
  }

  /** Takes a row: the array must not change until it is written. */
  set(row: SqlInput[]): void {
    const columns = row.length;
    if (columns > this.#types.length) this.#types = new Float64Array(columns * 2);
    this.#row = row;
    this.#columns = columns;
    const types = this.#types;
    let header = 0;
    let body = 0;
    for (let k = 0; k < columns; k++) {
      const value = row[k] as SqlInput;
      let type = 0;
      if (typeof value === 'number') {
        type = Number.isSafeInteger(value) ? integerType(value) : FLOAT;
        body += WIDTHS[type] as number;
        header++;
      } else if (typeof value === 'bigint') {
        type = INT_8;
        body += 8;
        header++;
      } else if (value === null) {
        header++;
      } else {
        const isText = typeof value === 'string';
        if (isText) this.#textColumns[k] = true;
        const bytes = isText ? this.#encoded(value) : value;
        this.#blobs[k] = bytes;
        type = (isText ? 13 : 12) + 2 * bytes.length;
        body += bytes.length;
        header += varintBytes(type);
      }
      types[k] = type;
    }
    // The header's own length counts into it.
    this.#headerBytes = header + (header < 127 ? 1 : header < 16_382 ? 2 : 3);
    this.bytes = this.#headerBytes + body;
  }

  /** Writes the cell's lengths and the first `local` bytes of the record to `at`; returns where they end. */
  write(page: Buffer, at: number, rowid: number, local: number): number {
    let p = writeVarint(page, at, this.bytes);
    p = writeVarint(page, p, rowid);
    if (local === this.bytes) return this.#writeRecord(page, p);
    this.#whole().copy(page, p, 0, local);
    return p + local;
  }

  /** What is behind the first `local` bytes. */
  rest(local: number): Buffer {
    return this.#whole().subarray(local);
  }

  #whole(): Buffer {
    const whole = Buffer.alloc(this.bytes);
    this.#writeRecord(whole, 0);
    return whole;
  }

  #writeRecord(page: Buffer, at: number): number {
    const types = this.#types;
    let p = writeVarint(page, at, this.#headerBytes);
    for (let k = 0; k < this.#columns; k++) {
      const type = types[k] as number;
      if (type < 128) page[p++] = type;
      else p = writeVarint(page, p, type);
    }
    for (let k = 0; k < this.#columns; k++) {
      const type = types[k] as number;
      if (type >= 12) {
        const bytes = this.#blobs[k] as Uint8Array;
        if (bytes.length > SHORT_BYTES) page.set(bytes, p);
        else for (let i = 0; i < bytes.length; i++) page[p + i] = bytes[i] as number;
        p += bytes.length;
      } else if (WIDTHS[type] !== 0) {
        p = writeNumber(page, p, type, this.#row[k] as number | bigint);
      }
    }
    return p;
  }

  #encoded(text: string): Uint8Array {
    if (text.length > LONGEST_KNOWN) return Buffer.from(text, 'utf8');
    let bytes = this.#texts.get(text);
    if (bytes === undefined) {
      bytes = Buffer.from(text, 'utf8');
      if (this.#texts.size >= KNOWN_TEXTS) this.#texts.clear();
      this.#texts.set(text, bytes);
    }
    return bytes;
  }
}

function integerType(value: number): number {
  if (value === 0) return 8;
  if (value === 1) return 9;
  const magnitude = value < 0 ? -value - 1 : value;
  if (magnitude < 2 ** 7) return 1;
  if (magnitude < 2 ** 15) return 2;
  if (magnitude < 2 ** 23) return 3;
  if (magnitude < 2 ** 31) return 4;
  return magnitude < 2 ** 47 ? 5 : INT_8;
}

function writeNumber(page: Buffer, at: number, type: number, value: number | bigint): number {
  if (typeof value === 'bigint') return page.writeBigInt64BE(value, at);
  if (type === FLOAT) return page.writeDoubleBE(value, at);
  const bytes = WIDTHS[type] as number;
  let low = value | 0;
  let p = at;
  if (bytes > 4) {
    const high = Math.floor(value / 2 ** 32);
    low = (value - high * 2 ** 32) | 0;
    for (let shift = (bytes - 5) * 8; shift >= 0; shift -= 8) page[p++] = high >> shift;
  }
  for (let shift = (Math.min(bytes, 4) - 1) * 8; shift >= 0; shift -= 8) page[p++] = low >> shift;
  return p;
}

/** Bytes of a non-negative integer as a varint: seven bits each, the most significant first. Exact up to 2^53. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let limit = 128; value >= limit; limit *= 128) bytes++;
  return bytes;
}

/** Returns where it ends. */
export function writeVarint(page: Buffer, at: number, value: number): number {
  if (value < 128) {
    page[at] = value;
    return at + 1;
  }
  const bytes = varintBytes(value);
  let left = value;
  for (let i = bytes - 1; i >= 0; i--) {
    page[at + i] = (left % 128) | (i === bytes - 1 ? 0 : 0x80);
    left = Math.floor(left / 128);
  }
  return at + bytes;
}

/** Bytes in front of a record: its length and the rowid. */
export const cellBytes = (recordBytes: number, rowid: number): number => varintBytes(recordBytes) + varintBytes(rowid);
