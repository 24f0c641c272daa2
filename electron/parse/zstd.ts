import * as zlib from 'node:zlib';
import { decompress as pureZstd } from 'fzstd';

/**
 * zstd frames (RFC 8878). Node's own functions make a context, a buffer and something for the garbage collector to do for each call,
 * which for frames of 40 KiB costs as much as unpacking them, or more. `unpackFrameInto` does without.
 */

/** Node 20, as in older Electron, has no zstd of its own. */
const native = zlib as {
  zstdDecompressSync?: typeof zlib.inflateSync;
  createZstdDecompress?: (options: zlib.ZlibOptions) => { on(event: 'error', listener: () => void): unknown };
};

/** For node:zlib: memory for all of a usual block, and a little more to find its end in. A claim of more is not believed in advance. */
export const inOnePiece = (size: number): zlib.ZlibOptions => ({
  maxOutputLength: size,
  chunkSize: Math.min(size, 1 << 20) + 64,
});

/** Unpacks one frame that should hold `size` bytes. Throws where it does not unpack; may return another number of bytes. */
export function unpackFrame(packed: Uint8Array, size: number): Uint8Array {
  if (native.zstdDecompressSync !== undefined) return native.zstdDecompressSync(packed, inOnePiece(size));
  // fzstd trusts the frame's own content size when it allocates, so a lying frame is refused by its header first.
  const claimed = readFrame(packed)?.contentBytes ?? null;
  if (claimed !== null && claimed > size) throw new RangeError(`frame holds ${claimed} bytes`);
  return pureZstd(packed);
}

/**
 * Unpacks a frame that fills `into` exactly, without any memory of its own. False: it is not one frame, it holds another number of bytes,
 * it is damaged, or this Node cannot do it; then `into` may hold anything, and `unpackFrame` has the reason.
 */
export function unpackFrameInto(packed: Uint8Array, into: Uint8Array): boolean {
  const frame = readFrame(packed);
  if (frame === null || frame.frameBytes !== packed.length) return false;
  if (frame.contentBytes !== null && frame.contentBytes !== into.length) return false;
  context ??= openContext();
  if (context === null) return false;
  const whole = frame.contentBytes === null ? stateContent(packed, frame.contentAt, into.length) : packed;
  if (context.unpack(whole, into)) return true;
  // What it was in the middle of is not known any more.
  context = openContext();
  return false;
}

/** trace-cmd's frames do not say how much they hold, its chunks do. With that in the header zstd unpacks in place, and checks it. */
function stateContent(packed: Uint8Array, at: number, contentBytes: number): Uint8Array {
  const length = packed.length + 4;
  if (stated.length < length) stated = new Uint8Array(length * 2);
  stated.set(packed.subarray(0, at));
  for (let i = 0; i < 4; i++) stated[at + i] = contentBytes >>> (8 * i);
  stated.set(packed.subarray(at), at + 4);
  stated[4] = (packed[4] as number) | CONTENT_IN_4_BYTES;
  return stated.subarray(0, length);
}

let stated = new Uint8Array(0);

/** Whether this Node unpacks in place. */
export function unpacksInPlace(): boolean {
  context ??= openContext();
  return context !== null;
}

interface Context {
  unpack(packed: Uint8Array, into: Uint8Array): boolean;
}

/** Null: this Node has none. */
let context: Context | null | undefined;

/** What is behind a stream of node:zlib. It is not documented, though tar and others live on it: used only where it looks as expected. */
interface ZlibHandle {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputBytes: number,
    output: Uint8Array,
    outputAt: number,
    outputBytes: number,
  ): void;
  onerror: (message: string) => void;
}

/** Tells zstd that the input is all there is. */
const END = 2;

/** One context of zstd, for frame after frame: with all of a frame, and room for all of its content, zstd goes straight from one to the other. */
function openContext(): Context | null {
  const stream = native.createZstdDecompress?.({ chunkSize: 64 });
  if (stream === undefined) return null;
  const { _handle: handle, _writeState: left } = stream as { _handle?: ZlibHandle; _writeState?: unknown };
  if (typeof handle?.writeSync !== 'function' || !(left instanceof Uint32Array)) return null;
  let failed = false;
  stream.on('error', () => undefined);
  handle.onerror = () => {
    failed = true;
  };
  return {
    unpack(packed, into) {
      failed = false;
      handle.writeSync(END, packed, 0, packed.length, into, 0, into.length);
      return !failed && left[0] === 0 && left[1] === 0;
    },
  };
}

/** What a frame says of itself: RFC 8878, 3.1.1. */
interface Frame {
  /** Where the header has it, and what it is; null: it is not stated. */
  contentAt: number;
  contentBytes: number | null;
  /** Up to where its blocks end. More than there are bytes: it was cut. */
  frameBytes: number;
}

const MAGIC = 0xfd2fb528;
const BLOCK_HEADER_BYTES = 3;
const RLE_BLOCK = 1;
/** Of the descriptor. */
const CONTENT_IN_4_BYTES = 2 << 6;

/** Null: these bytes do not begin with a frame. */
function readFrame(packed: Uint8Array): Frame | null {
  if (packed.length < 6 || word(packed, 0) !== MAGIC) return null;
  const descriptor = packed[4] as number;
  const singleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
  const sizeAt = 5 + (singleSegment ? 0 : 1) + dictionaryBytes;
  const flag = descriptor >>> 6;
  const sizeBytes = flag === 0 ? (singleSegment ? 1 : 0) : 1 << flag;
  if (sizeAt + sizeBytes > packed.length) return null;
  const checksumBytes = (descriptor & 4) !== 0 ? 4 : 0;
  const frameBytes = blocksEnd(packed, sizeAt + sizeBytes) + checksumBytes;
  return { contentAt: sizeAt, contentBytes: contentBytesAt(packed, sizeAt, sizeBytes), frameBytes };
}

function contentBytesAt(packed: Uint8Array, at: number, bytes: number): number | null {
  if (bytes === 0) return null;
  if (bytes === 1) return packed[at] as number;
  if (bytes === 2) return ((packed[at] as number) | ((packed[at + 1] as number) << 8)) + 256;
  return word(packed, at) + (bytes === 4 ? 0 : word(packed, at + 4) * 2 ** 32);
}

/** `u24`: bit 0 the last block, 1-2 its type, the rest its size. A run-length block has one byte, whatever its size. */
function blocksEnd(packed: Uint8Array, from: number): number {
  let at = from;
  for (let last = false; !last; ) {
    if (at + BLOCK_HEADER_BYTES > packed.length) return Number.POSITIVE_INFINITY;
    const header = (packed[at] as number) | ((packed[at + 1] as number) << 8) | ((packed[at + 2] as number) << 16);
    last = (header & 1) !== 0;
    at += BLOCK_HEADER_BYTES + (((header >>> 1) & 3) === RLE_BLOCK ? 1 : header >>> 3);
  }
  return at;
}

function word(bytes: Uint8Array, at: number): number {
  const [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]] as [number, number, number, number];
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}
