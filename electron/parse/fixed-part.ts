import { RemoraError, type TraceWarning } from '../../shared/errors.ts';
import type { Cursor } from './cursor.ts';
import { isSubBufferSize } from './layout.ts';
import type { TraceAbi } from './recording.ts';

/**
 * What a trace.dat of any version begins with, behind its magic:
 *
 *   "6\0" | "7\0"             version
 *   u8                        byte order: 0 little, 1 big
 *   u8                        bytes of a long: 4 or 8
 *   u32                       page size
 *
 * Of these few bytes each decides over all that follows, so that a damaged one is mended where the rest of the file tells what it
 * was, and a warning says so.
 */
export interface FixedPart {
  version: 6 | 7;
  abi: TraceAbi;
  /** Null where damaged: header_page tells, see trace-dat.ts. */
  pageBytes: number | null;
  pageBytesAt: number;
  /** The long's size is no size of one: header_page tells. */
  longBytesAt: number | null;
  warnings: TraceWarning[];
}

/** Reads it, from behind the magic. Throws RemoraError `unsupported-version`, or `damaged` where the file ends before. */
export function readFixedPart(cursor: Cursor): FixedPart {
  const warnings: TraceWarning[] = [];
  const warn = (offset: number, message: string, expected: string, found: string): void => {
    warnings.push({ file: cursor.fileName, offset, section: 'header', message, expected, found });
  };
  const versionAt = cursor.offset;
  const stated = cursor.text(16);
  const orderAt = cursor.offset;
  const order = cursor.u8();
  const long = cursor.u8();
  const pageBytesAt = cursor.offset;
  const layout = layoutOf(cursor);
  const version = stated === '6' ? 6 : stated === '7' ? 7 : layout;
  if (version === null || isLater(stated)) throw unsupported(cursor, stated, versionAt);
  if (String(version) !== stated) {
    const message = `no version is ${JSON.stringify(stated)}: what follows is laid out as version ${version} is`;
    warn(versionAt, message, `"${version}"`, JSON.stringify(stated));
  }
  const littleEndian = byteOrder(cursor, version, order);
  if (order !== (littleEndian ? 0 : 1)) {
    const message = `the byte order is ${order}: the sizes that follow are ${littleEndian ? 'little' : 'big'}-endian`;
    warn(orderAt, message, littleEndian ? '0' : '1', String(order));
  }
  cursor.littleEndian = littleEndian;
  cursor.offset = pageBytesAt;
  const pageBytes = cursor.u32();
  const known = long === 4 || long === 8;
  return {
    version,
    abi: { littleEndian, longBytes: known ? long : 8 },
    pageBytes: isSubBufferSize(pageBytes) ? pageBytes : null,
    pageBytesAt,
    longBytesAt: known ? null : orderAt + 1,
    warnings,
  };
}

/** A version that may come to be: its layout is not known, whatever it looks like. */
const isLater = (stated: string): boolean => /^\d{1,3}$/.test(stated) && Number(stated) > 7;

function unsupported(cursor: Cursor, stated: string, offset: number): RemoraError {
  return new RemoraError({
    code: 'unsupported-version',
    message: `${cursor.fileName}: trace.dat version ${JSON.stringify(stated)} at byte ${offset}: Remora reads versions 6 and 7`,
    file: cursor.fileName,
    offset,
    section: 'header',
  });
}

const PAGE_SIZE_BYTES = 4;

/** The version by what stands behind the page size: version 6 has header_page there, version 7 its compression's name. */
function layoutOf(cursor: Cursor): 6 | 7 | null {
  const text = peekText(cursor, cursor.offset + PAGE_SIZE_BYTES);
  return text === 'header_page' ? 6 : text === 'none' || text === 'zlib' || text === 'zstd' ? 7 : null;
}

/**
 * Little-endian or not: as stated, unless the first size or offset behind the fixed part is then outside the file and is inside in
 * the other order. `"header_page\0" u64 size` in version 6; two strings and `u64 offset` of the options in version 7.
 */
function byteOrder(cursor: Cursor, version: 6 | 7, stated: number): boolean {
  let at = cursor.offset + PAGE_SIZE_BYTES;
  for (let strings = version === 6 ? 1 : 2; strings > 0; strings--) {
    const text = peekText(cursor, at);
    if (text === null) return stated !== 1;
    at += text.length + 1;
  }
  const fits = (littleEndian: boolean): boolean => {
    cursor.offset = at;
    cursor.littleEndian = littleEndian;
    if (cursor.remaining < 8) return false;
    const value = cursor.size64();
    return value > 0 && value < cursor.offset + cursor.remaining;
  };
  const littleEndian = stated !== 1;
  return fits(littleEndian) || !fits(!littleEndian) ? littleEndian : !littleEndian;
}

/** The string at `at`, up to 64 bytes; null where none ends there. The position stays. */
function peekText(cursor: Cursor, at: number): string | null {
  const { offset } = cursor;
  try {
    cursor.offset = at;
    return cursor.text(64);
  } catch (error) {
    if (error instanceof RemoraError) return null;
    throw error;
  } finally {
    cursor.offset = offset;
  }
}
