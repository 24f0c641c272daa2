import * as zlib from 'node:zlib';
import { decompress as pureZstd } from 'fzstd';
import { RemoraError } from '../../shared/errors.ts';

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

/** Node 20, as in older Electron, has no zstd of its own. */
const nativeZstd = (zlib as { zstdDecompressSync?: typeof zlib.inflateSync }).zstdDecompressSync;

/** Memory for all of a usual chunk, and a little more to find its end in. A claim of more is not believed in advance. */
const inOnePiece = (size: number): zlib.ZlibOptions => ({
  maxOutputLength: size,
  chunkSize: Math.min(size, 1 << 20) + 64,
});

function zstdFrame(packed: Uint8Array, size: number): Uint8Array {
  if (nativeZstd !== undefined) return nativeZstd(packed, inOnePiece(size));
  // fzstd trusts the frame's own content size when it allocates, so a lying frame is refused by its header first.
  const claimed = zstdContentSize(packed);
  if (claimed !== null && claimed > size) throw new RangeError(`frame holds ${claimed} bytes`);
  return pureZstd(packed);
}

/** Content size in a zstd frame header (RFC 8878, 3.1.1.1), null where the frame does not state it. */
function zstdContentSize(packed: Uint8Array): number | null {
  if (packed.length < 6) return null;
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  if (view.getUint32(0, true) !== 0xfd2fb528) return null;
  const descriptor = view.getUint8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
  const at = 5 + (singleSegment ? 0 : 1) + dictionaryBytes;
  const flag = descriptor >>> 6;
  const fieldBytes = flag === 0 ? (singleSegment ? 1 : 0) : 1 << flag;
  if (fieldBytes === 0 || at + fieldBytes > packed.length) return null;
  if (fieldBytes === 1) return view.getUint8(at);
  if (fieldBytes === 2) return view.getUint16(at, true) + 256;
  if (fieldBytes === 4) return view.getUint32(at, true);
  return Number(view.getBigUint64(at, true));
}

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
    else bytes = zstdFrame(packed, size);
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
