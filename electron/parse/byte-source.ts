/**
 * Where a recording's bytes come from. The parser knows no files: the engine hands it one of these.
 */
export interface ByteSource {
  /** Name for messages: the path. */
  readonly name: string;
  readonly size: number;
  /**
   * Bytes `[offset, offset + length)`, fewer where the source ends. Into the front of `into` where that is given
   * (it must be long enough), else a fresh array; either way the caller owns the result.
   */
  read(offset: number, length: number, into?: Uint8Array): Uint8Array;
  /** The same bytes where the source has them in memory, without a copy: not to be written to. */
  borrow?(offset: number, length: number): Uint8Array;
  /** Of a recording that is more than one file: the part of that name. Closed with the whole. */
  part?(name: string): ByteSource;
}

/** The bytes `[offset, offset + size)` of a source, which must have them. */
export function rangeOf(source: ByteSource, offset: number, size: number): ByteSource {
  const lengthAt = (at: number, length: number): number => Math.max(0, Math.min(length, size - at));
  const borrowed = source.borrow?.bind(source);
  return {
    name: source.name,
    size,
    read: (at, length, into) => source.read(offset + at, lengthAt(at, length), into),
    ...(borrowed && { borrow: (at, length) => borrowed(offset + at, lengthAt(at, length)) }),
  };
}

/** What there is of a text that is absent. */
export const NO_TEXT: ByteSource = bytesSource(new Uint8Array(0));

/** All bytes of a source; not to be written to. */
export function wholeOf(source: ByteSource): Uint8Array {
  return source.borrow?.(0, source.size) ?? source.read(0, source.size);
}

/** A source over bytes in memory; used for decompressed sections and by tests. `read` copies. */
export function bytesSource(bytes: Uint8Array, name = '(memory)'): ByteSource {
  const borrow = (offset: number, length: number): Uint8Array =>
    bytes.subarray(offset, Math.max(offset, Math.min(bytes.length, offset + length)));
  return {
    name,
    size: bytes.length,
    borrow,
    read(offset, length, into) {
      const slice = borrow(offset, length);
      if (into === undefined) return slice.slice();
      into.set(slice);
      return into.subarray(0, slice.length);
    },
  };
}
