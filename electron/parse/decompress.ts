import * as zlib from 'node:zlib';
import { RemoraError } from '../../shared/errors.ts';
import { inOnePiece, unpackFrame, unpackFrameInto } from './zstd.ts';

/** The compression algorithms that trace-cmd writes. */
export type Compression = 'none' | 'zlib' | 'zstd';

export function compressionOf(name: string): Compression | null {
  return name === 'none' || name === 'zlib' || name === 'zstd' ? name : null;
}

/**
 * No honest block is larger: metadata sections are some megabytes and CPU data comes in chunks of some pages. A block
 * that claims more is damage or a bomb and is never unpacked.
 */
const LARGEST_BLOCK_BYTES = 256 * 1024 * 1024;

/** Nor is one packed tighter: of what claims to be, a small file would become gigabytes. */
const LARGEST_RATIO = 2048;
const SMALL_BLOCK_BYTES = 1 << 20;

/** The most that a block of `packed` bytes may claim to hold. */
export const mostUnpacked = (packed: number): number =>
  Math.min(LARGEST_BLOCK_BYTES, Math.max(SMALL_BLOCK_BYTES, packed * LARGEST_RATIO));

/**
 * Unpacks one block that says it holds `size` bytes. The result has exactly that length. Throws RemoraError
 * `damaged` where the claim is out of proportion, the data is corrupt or the length differs; the caller adds the place.
 */
export function unpack(compression: Compression, packed: Uint8Array, size: number): Uint8Array {
  if (size > mostUnpacked(packed.length)) {
    throw new RemoraError({ code: 'damaged', message: `a block of ${packed.length} bytes claims to hold ${size}` });
  }
  if (size === 0) return new Uint8Array(0);
  let bytes: Uint8Array;
  try {
    if (compression === 'none') bytes = packed;
    else if (compression === 'zlib') bytes = zlib.inflateSync(packed, inOnePiece(size));
    else bytes = unpackFrame(packed, size);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RemoraError(
      { code: 'damaged', message: `${compression} data does not unpack (${reason})` },
      { cause: error },
    );
  }
  if (bytes.length !== size) {
    throw new RemoraError({ code: 'damaged', message: `a block of ${size} bytes unpacks to ${bytes.length}` });
  }
  return bytes;
}

/**
 * The same for a block that is likely what it says, such as a section of a head: its memory is set aside at once, which costs nothing
 * before it is filled.
 */
export function unpackWhole(compression: Compression, packed: Uint8Array, size: number): Uint8Array {
  if (compression !== 'zstd' || size > mostUnpacked(packed.length)) return unpack(compression, packed, size);
  const whole = new Uint8Array(size);
  return unpackFrameInto(packed, whole) ? whole : unpack(compression, packed, size);
}

/** Unpacks one block that says it fills `into`. Throws as `unpack` does; then `into` may hold anything. */
export function unpackInto(compression: Compression, packed: Uint8Array, into: Uint8Array): void {
  if (compression === 'zstd' && into.length <= mostUnpacked(packed.length) && unpackFrameInto(packed, into)) return;
  into.set(unpack(compression, packed, into.length));
}
