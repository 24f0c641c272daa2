import { RemoraError } from '../../shared/errors.ts';
import { type ByteSource, rangeOf } from './byte-source.ts';

/** Text of the recording as latin1: every byte survives, whatever the encoding; see `decodeText` for display. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/**
 * Where something lies in the recording's file. Of what was packed only its section has a place there: `unpackedAt` is then the
 * position in the section's unpacked bytes, else null.
 */
export interface FilePlace {
  offset: number;
  unpackedAt: number | null;
}

/** The place `further` bytes on, and what is told of it: an offset in the file, and the message with what else is known. */
export function tellAt(place: FilePlace, further: number, message: string): { offset: number; message: string } {
  const { offset, unpackedAt } = place;
  if (unpackedAt === null) return { offset: offset + further, message };
  return { offset, message: `at unpacked byte ${unpackedAt + further}: ${message}` };
}

/** What the source's first byte is in the recording's file. */
export interface CursorOrigin {
  offset: number;
  packed: boolean;
}

/**
 * A read position in a ByteSource, with the byte order of the file. Every read is checked: one that passes the end
 * throws RemoraError `damaged` with file, offset and section, so that callers decide how much of the rest survives.
 */
export class Cursor {
  readonly #source: ByteSource;
  /** A read-ahead window: header parsing makes thousands of tiny reads. */
  #window: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#window.buffer);
  #windowStart = 0;
  offset: number;
  littleEndian = true;
  /** Part of the format being read, for messages. */
  section: string;
  readonly #origin: CursorOrigin;

  /** `origin`: of a source that is a part of the file, unpacked or not. */
  constructor(source: ByteSource, offset = 0, section = 'header', origin: CursorOrigin = { offset: 0, packed: false }) {
    this.#source = source;
    this.offset = offset;
    this.section = section;
    this.#origin = origin;
  }

  /** Where the byte at `at` lies in the file; at most its end. */
  place(at = this.offset): FilePlace {
    const { offset, packed } = this.#origin;
    const within = Math.min(at, this.#source.size);
    return packed ? { offset, unpackedAt: within } : { offset: offset + within, unpackedAt: null };
  }

  get fileName(): string {
    return this.#source.name;
  }
  get remaining(): number {
    return Math.max(0, this.#source.size - this.offset);
  }

  fail(expected: string, found: string, at = this.offset): RemoraError {
    const { offset, unpackedAt } = this.place(at);
    const where = unpackedAt === null ? `byte ${offset}` : `byte ${offset}, unpacked byte ${unpackedAt}`;
    return new RemoraError({
      code: 'damaged',
      message: `${this.#source.name}: ${this.section} at ${where}: expected ${expected}, found ${found}`,
      file: this.#source.name,
      offset,
      section: this.section,
      expected,
      found,
    });
  }

  /** Makes `length` bytes at the position available in the window; returns their index in it. */
  #need(length: number): number {
    const at = this.offset - this.#windowStart;
    if (at >= 0 && at + length <= this.#window.length) return at;
    if (!(length <= this.remaining)) {
      throw this.fail(`${length} bytes`, `${this.remaining} up to the end`);
    }
    this.#windowStart = this.offset;
    const ahead = Math.max(length, Math.min(65_536, this.remaining));
    this.#window = this.#source.borrow?.(this.offset, ahead) ?? this.#source.read(this.offset, ahead);
    this.#view = new DataView(this.#window.buffer, this.#window.byteOffset, this.#window.length);
    if (this.#window.length < length) throw this.fail(`${length} bytes`, `only ${this.#window.length}`);
    return 0;
  }

  u8(): number {
    // Evaluated in two steps: #need may replace the window.
    const at = this.#need(1);
    this.offset += 1;
    return this.#view.getUint8(at);
  }
  u16(): number {
    const at = this.#need(2);
    this.offset += 2;
    return this.#view.getUint16(at, this.littleEndian);
  }
  u32(): number {
    const at = this.#need(4);
    this.offset += 4;
    return this.#view.getUint32(at, this.littleEndian);
  }
  u64(): bigint {
    const at = this.#need(8);
    this.offset += 8;
    return this.#view.getBigUint64(at, this.littleEndian);
  }
  /** A 64-bit size or offset, which must lie inside the file to make sense; larger ones become Infinity. */
  size64(): number {
    const value = this.u64();
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.POSITIVE_INFINITY : Number(value);
  }
  /** A copy of the next `length` bytes. */
  bytes(length: number): Uint8Array {
    if (length > this.remaining) throw this.fail(`${length} bytes`, `${this.remaining} up to the end`);
    const at = this.#need(length);
    this.offset += length;
    return this.#window.slice(at, at + length);
  }
  /** Goes past the next `length` bytes: they are read from what is returned. */
  later(length: number): ByteSource {
    if (length > this.remaining) throw this.fail(`${length} bytes`, `${this.remaining} up to the end`);
    const at = this.offset;
    this.offset += length;
    return rangeOf(this.#source, at, length);
  }
  /** A NUL-terminated string of at most `limit` bytes, as latin1. */
  text(limit = 4096): string {
    const start = this.offset;
    const found = this.#source.read(start, Math.min(limit, this.remaining));
    const end = found.indexOf(0);
    if (end < 0) throw this.fail(`a string that ends within ${limit} bytes`, 'no NUL', start);
    this.offset = start + end + 1;
    return latin1(found.subarray(0, end));
  }
}
