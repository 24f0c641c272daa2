import { RemoraError } from '../../shared/errors.ts';
import { type ByteSource, NO_TEXT } from './byte-source.ts';
import { settleOverlaps } from './claimed-ranges.ts';
import { Cursor } from './cursor.ts';
import { readFixedPart } from './fixed-part.ts';
import { pageLayout } from './layout.ts';
import type { RecordingHead } from './recording.ts';
import type { HeadInProgress } from './trace-dat-sections.ts';
import { readVersion6 } from './trace-dat-v6.ts';
import { readVersion7 } from './trace-dat-v7.ts';

/**
 * The head of a trace.dat file: trace-cmd.dat.v6(5) and trace-cmd.dat.v7(5).
 *
 *   17 08 44 "tracing"        magic
 *   "6\0" | "7\0"             version
 *   u8                        byte order: 0 little, 1 big
 *   u8                        bytes of a long: 4 or 8
 *   u32                       page size
 *   v6: the sections follow one another, then options, then the CPU table
 *   v7: compression name and version (two strings), u64 offset of the first options section; everything else is
 *       found through options
 *
 * Damage behind the first fields is no error: what can be read is read, the rest is a warning with its place.
 */
const MAGIC = [0x17, 0x08, 0x44, 0x74, 0x72, 0x61, 0x63, 0x69, 0x6e, 0x67] as const;

/** True when the first bytes are a trace.dat's magic. */
export function isTraceDat(firstBytes: Uint8Array): boolean {
  return firstBytes.length >= MAGIC.length && MAGIC.every((byte, i) => firstBytes[i] === byte);
}

/** Throws RemoraError `not-a-trace` or `unsupported-version`, or `damaged` when not even the fixed part is there. */
export function readTraceDat(source: ByteSource): RecordingHead {
  const cursor = new Cursor(source);
  if (!isTraceDat(source.read(0, MAGIC.length))) {
    throw new RemoraError({
      code: 'not-a-trace',
      message: `${source.name}: not a recording that Remora reads: a trace.dat begins with 17 08 44 "tracing" at byte 0`,
      file: source.name,
      offset: 0,
    });
  }
  cursor.offset = MAGIC.length;
  const { version, abi, pageBytes, pageBytesAt, longBytesAt, warnings } = readFixedPart(cursor);
  const head: HeadInProgress = {
    file: source.name,
    format: 'trace.dat',
    version,
    compression: 'none',
    abi,
    pageBytes: pageBytes ?? 4096,
    uname: '',
    headerPage: '',
    headerEvent: '',
    formats: [],
    kallsyms: () => NO_TEXT,
    printkFormats: '',
    comms: new Map(),
    tgids: new Map(),
    options: [],
    buffers: [],
    cpuCount: 0,
    traceClock: '',
    latencyText: null,
    text: null,
    warnings,
  };
  if (version === 7) readVersion7(source, cursor, head);
  else readVersion6(source, cursor, head);
  if (longBytesAt !== null) mendLongSize(head, longBytesAt);
  if (pageBytes === null) mendPageSize(head, pageBytesAt);
  settleOverlaps(source, head);
  return head;
}

/** The same for the size of a long, which formats are read with later on. */
function mendLongSize(head: HeadInProgress, offset: number): void {
  head.abi.longBytes = pageLayout(head.headerPage).commitBytes ?? 8;
  head.warnings.push({
    file: head.file,
    offset,
    section: 'header',
    message: `no long is of this size: ${head.abi.longBytes} bytes are taken, as header_page says`,
    expected: '4 or 8 bytes in a long',
    found: 'another number',
  });
}

/** The page size in the file's head is damaged: header_page's stands in for it, and a warning says so. */
function mendPageSize(head: HeadInProgress, offset: number): void {
  const mended = pageLayout(head.headerPage).subBufferBytes ?? 4096;
  head.pageBytes = mended;
  if (head.version === 6) for (const buffer of head.buffers) buffer.subBufferBytes = mended;
  head.warnings.push({
    file: head.file,
    offset,
    section: 'header',
    message: `no page is of this size: ${mended} is taken, as header_page says`,
  });
}
