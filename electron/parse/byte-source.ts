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
