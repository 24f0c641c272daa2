import { RemoraError } from '../../shared/errors.ts';
import type { ByteSource } from './byte-source.ts';
import { bytesSource } from './byte-source.ts';
import { Cursor, latin1 } from './cursor.ts';
import { type Compression, compressionOf, unpack } from './decompress.ts';
import { LazyEventFormat } from './event-formats.ts';
import { OptionReader, readOptionList } from './options.ts';
import type { CpuData, RecordingBuffer, RecordingHead, TraceAbi } from './recording.ts';
import { findCpuData, walkSections } from './recover.ts';

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

/** Mutable while reading; returned as a RecordingHead. */
export interface HeadInProgress extends RecordingHead {
  file: string;
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
  const version = readVersion(cursor);
  const abi = readAbi(cursor);
  const pageSizeAt = cursor.offset;
  const pageBytes = readPageSize(cursor);
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
    kallsyms: '',
    printkFormats: '',
    comms: new Map(),
    tgids: new Map(),
    options: [],
    buffers: [],
    cpuCount: 0,
    traceClock: '',
    latencyText: null,
    text: null,
    warnings: [],
  };
  if (version === 7) readVersion7(source, cursor, head);
  else readVersion6(source, cursor, head);
  if (pageBytes === null) mendPageSize(head, pageSizeAt);
  return head;
}

function readVersion(cursor: Cursor): 6 | 7 {
  const at = cursor.offset;
  const text = cursor.text(16);
  if (text === '6' || text === '7') return text === '6' ? 6 : 7;
  throw new RemoraError({
    code: 'unsupported-version',
    message: `${cursor.fileName}: trace.dat version ${JSON.stringify(text)} at byte ${at}: Remora reads versions 6 and 7`,
    file: cursor.fileName,
    offset: at,
    section: 'header',
  });
}

function readAbi(cursor: Cursor): TraceAbi {
  const order = cursor.u8();
  if (order > 1) throw cursor.fail('byte order 0 or 1', String(order), cursor.offset - 1);
  cursor.littleEndian = order === 0;
  const longBytes = cursor.u8();
  if (longBytes !== 4 && longBytes !== 8)
    throw cursor.fail('4 or 8 bytes in a long', String(longBytes), cursor.offset - 1);
  return { littleEndian: cursor.littleEndian, longBytes };
}

/** Null where the field cannot be a page size; header_page then says how large a sub-buffer is. */
function readPageSize(cursor: Cursor): number | null {
  const pageBytes = cursor.u32();
  return pageBytes < 512 || pageBytes > 1 << 26 || (pageBytes & (pageBytes - 1)) !== 0 ? null : pageBytes;
}

/** The page size in the file's head is damaged: header_page's stands in for it, and a warning says so. */
function mendPageSize(head: HeadInProgress, offset: number): void {
  const mended = pageSizeOf(head.headerPage) ?? 4096;
  head.pageBytes = mended;
  if (head.version === 6) for (const buffer of head.buffers) buffer.subBufferBytes = mended;
  head.warnings.push({
    file: head.file,
    offset,
    section: 'header',
    message: `the page size is no power of two: ${mended} is taken, as header_page says`,
  });
}

/** Size of a sub-buffer by header_page: `field: char data; offset:16; size:4080;`. */
function pageSizeOf(headerPage: string): number | null {
  const match = /\bdata;\s*offset:(\d+);\s*size:(\d+);/.exec(headerPage);
  return match === null ? null : Number(match[1]) + Number(match[2]);
}

/** Runs `read`; damage inside it becomes a warning and the rest goes on. */
function tolerate(head: HeadInProgress, read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (!(error instanceof RemoraError)) throw error;
    const { detail } = error;
    head.warnings.push({
      file: head.file,
      offset: detail.offset ?? 0,
      section: detail.section ?? 'header',
      message: detail.message,
    });
    return false;
  }
}

// ---- the sections that both versions share ---------------------------------------------------------------------

/** "header_page\0" u64 text "header_event\0" u64 text */
function readHeaderInfo(cursor: Cursor, head: HeadInProgress): void {
  for (const name of ['header_page', 'header_event'] as const) {
    const at = cursor.offset;
    const found = cursor.text(16);
    if (found !== name) throw cursor.fail(`"${name}"`, JSON.stringify(found), at);
    const text = latin1(cursor.bytes(cursor.size64()));
    if (name === 'header_page') head.headerPage = text;
    else head.headerEvent = text;
  }
}

function addFormat(cursor: Cursor, head: HeadInProgress, system: string): void {
  const at = cursor.offset;
  const text = latin1(cursor.bytes(cursor.size64()));
  try {
    head.formats.push(new LazyEventFormat(system, text, head.abi));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    head.warnings.push({
      file: head.file,
      offset: at,
      section: cursor.section,
      message: `${system}: ${error.message}`,
    });
  }
}

/** u32 count { u64 size, text } of the system `ftrace` */
function readFtraceFormats(cursor: Cursor, head: HeadInProgress): void {
  for (let left = cursor.u32(); left > 0; left--) addFormat(cursor, head, 'ftrace');
}

/** u32 systems { name\0, u32 events { u64 size, text } } */
function readEventFormats(cursor: Cursor, head: HeadInProgress): void {
  for (let systems = cursor.u32(); systems > 0; systems--) {
    const system = cursor.text();
    for (let events = cursor.u32(); events > 0; events--) addFormat(cursor, head, system);
  }
}

/** u32 size, text of /proc/kallsyms */
function readKallsyms(cursor: Cursor, head: HeadInProgress): void {
  head.kallsyms = latin1(cursor.bytes(cursor.u32()));
}

/** u32 size, text of printk_formats */
function readPrintkFormats(cursor: Cursor, head: HeadInProgress): void {
  head.printkFormats = latin1(cursor.bytes(cursor.u32()));
}

/** u64 size, text of saved_cmdlines: lines `pid comm`. The comm may hold spaces; the last line of a pid wins. */
function readCmdlines(cursor: Cursor, head: HeadInProgress): void {
  for (const line of latin1(cursor.bytes(cursor.size64())).split('\n')) {
    const match = /^\s*(\d+) (.*)$/.exec(line);
    if (match !== null) head.comms.set(Number(match[1]), match[2] as string);
  }
}

// ---- version 6 ---------------------------------------------------------------------------------------------------

function readVersion6(source: ByteSource, cursor: Cursor, head: HeadInProgress): void {
  const options = new OptionReader(head, cursor.littleEndian);
  const sections: [string, (cursor: Cursor, head: HeadInProgress) => void][] = [
    ['header info', readHeaderInfo],
    ['ftrace formats', readFtraceFormats],
    ['event formats', readEventFormats],
    ['kallsyms', readKallsyms],
    ['printk formats', readPrintkFormats],
    ['cmdlines', readCmdlines],
  ];
  tolerate(head, () => {
    for (const [name, read] of sections) {
      cursor.section = name;
      read(cursor, head);
    }
    cursor.section = 'cpu table';
    head.cpuCount = cursor.u32();
    let at = cursor.offset;
    let kind = cursor.text(10);
    if (kind === 'options  ') {
      cursor.section = 'options';
      readOptionList(cursor, (id, data, offset) => options.add(id, data, offset));
      cursor.section = 'cpu table';
      at = cursor.offset;
      kind = cursor.text(10);
    }
    const top = options.buffer('', head.traceClock);
    if (kind === 'flyrecord') {
      tolerate(head, () => readCpuTable6(cursor, head, top));
      head.buffers.push(top);
    } else if (kind === 'latency  ') head.latencyText = { offset: cursor.offset, bytes: source.size - cursor.offset };
    else throw cursor.fail('"flyrecord" or "latency"', JSON.stringify(kind), at);
  });
  for (const { name, offset } of options.instances6) {
    // An instance's option holds the place of its own "flyrecord" table.
    const buffer = options.buffer(name, head.traceClock);
    tolerate(head, () => {
      const table = new Cursor(source, offset, `cpu table of instance ${name}`);
      table.littleEndian = cursor.littleEndian;
      const kind = table.text(10);
      if (kind !== 'flyrecord') throw table.fail('"flyrecord"', JSON.stringify(kind), offset);
      readCpuTable6(table, head, buffer);
    });
    head.buffers.push(buffer);
  }
  options.finish();
}

/** Per CPU: u64 offset, u64 size. */
function readCpuTable6(cursor: Cursor, head: HeadInProgress, buffer: RecordingBuffer): void {
  for (let cpu = 0; cpu < head.cpuCount; cpu++) {
    const offset = cursor.size64();
    const bytes = cursor.size64();
    if (bytes > 0) addCpu(cursor, head, buffer, { cpu, offset, bytes, compressed: false });
  }
}

/** Keeps a CPU whose data begins inside the file; what is missing at its end is cpu-data.ts's to tell. */
function addCpu(
  cursor: Cursor,
  head: HeadInProgress,
  buffer: RecordingBuffer,
  data: { cpu: number; offset: number; bytes: number; compressed: boolean },
): void {
  if (!Number.isFinite(data.offset) || !Number.isFinite(data.bytes)) {
    head.warnings.push({
      file: head.file,
      offset: cursor.offset - 16,
      section: cursor.section,
      message: `cpu ${data.cpu}: an offset or size beyond any file`,
    });
    return;
  }
  buffer.cpus.push({ ...data, littleEndian: cursor.littleEndian });
}

// ---- version 7 ---------------------------------------------------------------------------------------------------

const SECTION_OPTIONS = 0;
const SECTION_BUFFER = 3;
const FLAG_COMPRESSED = 1;

const sectionReaders7: Record<number, [string, (cursor: Cursor, head: HeadInProgress) => void]> = {
  16: ['header info', readHeaderInfo],
  17: ['ftrace formats', readFtraceFormats],
  18: ['event formats', readEventFormats],
  19: ['kallsyms', readKallsyms],
  20: ['printk formats', readPrintkFormats],
  21: ['cmdlines', readCmdlines],
};

function readVersion7(source: ByteSource, cursor: Cursor, head: HeadInProgress): void {
  cursor.section = 'compression';
  const at = cursor.offset;
  const name = cursor.text(64);
  cursor.text(64); // version of the library that packed it
  const compression = compressionOf(name);
  if (compression === null) {
    throw new RemoraError({
      code: 'unsupported-version',
      message: `${source.name}: compressed with ${JSON.stringify(name)} at byte ${at}: Remora reads none, zlib and zstd`,
      file: source.name,
      offset: at,
      section: 'compression',
    });
  }
  head.compression = compression;
  const first = cursor.size64();
  const options = new OptionReader(head, cursor.littleEndian);
  const read = new Set<number>();
  const whole = readOptionSections(source, head, compression, first, options, read);
  const recovered = whole ? [] : recover(source, head, compression, cursor.offset, options, read);
  for (const { id, offset } of options.sections) {
    const reader = sectionReaders7[id];
    if (reader !== undefined) {
      tolerate(head, () => {
        const section = openSection(source, head, compression, offset, id, reader[0]);
        reader[1](section, head);
      });
    }
  }
  for (const found of options.buffers7) {
    const buffer = options.buffer(found.name, found.clock || head.traceClock);
    if (found.pageBytes > 0) buffer.subBufferBytes = found.pageBytes;
    const packed = sectionIsCompressed(source, head, found.sectionOffset);
    for (const { cpu, offset, bytes } of found.cpus) {
      if (bytes > 0) addCpu(cursor, head, buffer, { cpu, offset, bytes, compressed: packed && compression !== 'none' });
    }
    head.buffers.push(buffer);
    head.cpuCount = Math.max(head.cpuCount, found.cpus.length);
  }
  recovered.forEach((cpus, i) => {
    const buffer = options.buffer(i === 0 && head.buffers.length === 0 ? '' : `recovered-${i + 1}`, head.traceClock);
    buffer.cpus.push(...cpus);
    head.buffers.push(buffer);
    head.cpuCount = Math.max(head.cpuCount, cpus.length);
  });
  if (options.latency7 !== null) {
    tolerate(head, () => {
      const { offset } = options.latency7 as { offset: number };
      const header = new Cursor(source, offset, 'latency text');
      header.littleEndian = head.abi.littleEndian;
      header.u16();
      const flags = header.u16();
      header.u32();
      head.latencyText = {
        offset: header.offset + 8,
        bytes: header.size64(),
        compressed: (flags & FLAG_COMPRESSED) !== 0,
      };
    });
  }
  options.finish();
}

/** Follows the chain of options sections into `read`; false where it loops or leaves the file, which is a warning. */
function readOptionSections(
  source: ByteSource,
  head: HeadInProgress,
  compression: Compression,
  first: number,
  options: OptionReader,
  read: Set<number>,
): boolean {
  let next = first;
  while (next !== 0) {
    const at = next;
    next = 0;
    const ok = tolerate(head, () => {
      const section = openSection(source, head, compression, at, SECTION_OPTIONS, 'options');
      if (read.has(at)) throw section.fail('an options section not read yet', 'a loop', at);
      read.add(at);
      readOptionList(
        section,
        (id, data, offset) => options.add(id, data, offset),
        (offset) => {
          next = offset;
        },
      );
    });
    if (!ok) return false;
  }
  return true;
}

/**
 * The options do not lead everywhere: walks the sections for what they would have named. Returns the CPU data of buffer
 * sections that no option describes.
 */
function recover(
  source: ByteSource,
  head: HeadInProgress,
  compression: Compression,
  from: number,
  options: OptionReader,
  read: Set<number>,
): CpuData[][] {
  const sections = walkSections(source, from, head.abi.littleEndian);
  for (const { id, offset } of sections) {
    if (id === SECTION_OPTIONS && !read.has(offset)) {
      tolerate(head, () => {
        const section = openSection(source, head, compression, offset, SECTION_OPTIONS, 'options');
        readOptionList(section, (option, data, at) => options.add(option, data, at));
      });
    } else if (sectionReaders7[id] !== undefined && !options.sections.some((known) => known.id === id)) {
      options.sections.push({ id, offset });
    }
  }
  const described = new Set(options.buffers7.map(({ sectionOffset }) => sectionOffset));
  return sections
    .filter(({ id, offset }) => id === SECTION_BUFFER && !described.has(offset))
    .map((section) => {
      const cpus = findCpuData(source, head, compression, section);
      head.warnings.push({
        file: head.file,
        offset: section.offset,
        section: 'cpu data',
        message: `the option that describes this buffer is lost: the data of ${cpus.length} CPUs was found by its form, and their numbers are a guess`,
      });
      return cpus;
    });
}

/**
 * Opens a section at `offset`: u16 id, u16 flags, u32 description, u64 size; behind it the data, or
 * `u32 packed, u32 unpacked, packed data`. The cursor ends with the section.
 */
function openSection(
  source: ByteSource,
  head: HeadInProgress,
  compression: Compression,
  offset: number,
  wantedId: number,
  name: string,
): Cursor {
  const header = new Cursor(source, Math.min(offset, source.size), name);
  header.littleEndian = head.abi.littleEndian;
  const id = header.u16();
  if (id !== wantedId) throw header.fail(`section ${wantedId}`, `section ${id}`, offset);
  const flags = header.u16();
  header.u32();
  const size = header.size64();
  if (size > header.remaining)
    throw header.fail(`a section of ${size} bytes`, `${header.remaining} up to the end`, offset);
  let body: Uint8Array;
  if ((flags & FLAG_COMPRESSED) !== 0) {
    const packed = header.u32();
    const unpacked = header.u32();
    const at = header.offset;
    try {
      body = unpack(compression, header.bytes(packed), unpacked);
    } catch (error) {
      if (error instanceof RemoraError && error.detail.offset === undefined)
        throw header.fail('packed data', error.message, at);
      throw error;
    }
  } else body = header.bytes(size);
  const cursor = new Cursor(bytesSource(body, source.name), 0, name);
  cursor.littleEndian = head.abi.littleEndian;
  return cursor;
}

/** Whether the CPU data of a buffer section is stored in compressed chunks. */
function sectionIsCompressed(source: ByteSource, head: HeadInProgress, offset: number): boolean {
  let flags = 0;
  tolerate(head, () => {
    const header = new Cursor(source, Math.min(offset, source.size), 'cpu data');
    header.littleEndian = head.abi.littleEndian;
    const id = header.u16();
    if (id !== SECTION_BUFFER) throw header.fail(`section ${SECTION_BUFFER}`, `section ${id}`, offset);
    flags = header.u16();
  });
  return (flags & FLAG_COMPRESSED) !== 0;
}
