import { RemoraError } from '../../shared/errors.ts';
import { type ByteSource, bytesSource, NO_TEXT } from './byte-source.ts';
import { Cursor } from './cursor.ts';
import { type Compression, compressionOf, mostUnpacked, unpackWhole } from './decompress.ts';
import { isSubBufferSize } from './layout.ts';
import { OptionReader, readOptionList } from './options.ts';
import type { CpuData } from './recording.ts';
import { findCpuData, walkSections } from './recover.ts';
import {
  addCpu,
  type HeadInProgress,
  readCmdlines,
  readEventFormats,
  readFtraceFormats,
  readHeaderInfo,
  readKallsyms,
  readPrintkFormats,
  tolerate,
} from './trace-dat-sections.ts';

/**
 * Version 7: trace-cmd.dat.v7(5). Behind the fixed part: name and version of the compression (two strings), u64 offset of the
 * first options section. Options name the other sections and describe the buffers; the last option of a section leads to
 * the next options section.
 */

const SECTION_OPTIONS = 0;
const SECTION_BUFFER = 3;
const SECTION_KALLSYMS = 19;
const KALLSYMS_COUNT_BYTES = 4;
const FLAG_COMPRESSED = 1;

const sectionReaders7: Record<number, [string, (cursor: Cursor, head: HeadInProgress) => void]> = {
  16: ['header info', readHeaderInfo],
  17: ['ftrace formats', readFtraceFormats],
  18: ['event formats', readEventFormats],
  [SECTION_KALLSYMS]: ['kallsyms', readKallsyms],
  20: ['printk formats', readPrintkFormats],
  21: ['cmdlines', readCmdlines],
};

export function readVersion7(source: ByteSource, cursor: Cursor, head: HeadInProgress): void {
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
  const firstAt = cursor.offset;
  const first = cursor.size64();
  const options = new OptionReader(head, cursor.littleEndian);
  const read = new Set<number>();
  const whole = readOptionSections(source, head, compression, first, firstAt, options, read);
  const recovered = whole ? [] : recover(source, head, compression, cursor.offset, options, read);
  for (const { id, offset } of options.sections) {
    const reader = sectionReaders7[id];
    if (reader === undefined) continue;
    tolerate(head, () => {
      const header = readSectionHeader(source, head, offset, id, reader[0]);
      if (id === SECTION_KALLSYMS && header.unpacked !== null) {
        head.kallsyms = kallsymsLater(source, head, compression, header);
        head.kallsymsAt = { offset, unpackedAt: KALLSYMS_COUNT_BYTES };
      } else reader[1](openBody(source, compression, header), head);
    });
  }
  for (const found of options.buffers7) {
    const buffer = options.buffer(found.name, found.clock || head.traceClock);
    if (isSubBufferSize(found.pageBytes)) buffer.subBufferBytes = found.pageBytes;
    else if (found.pageBytes !== 0) {
      head.warnings.push({
        file: head.file,
        offset: found.offset,
        section: 'option buffer',
        message: `no sub-buffer is of ${found.pageBytes} bytes: ${buffer.subBufferBytes} are taken, as the file's head says`,
        expected: `${buffer.subBufferBytes} bytes`,
        found: `${found.pageBytes} bytes`,
      });
    }
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
  firstAt: number,
  options: OptionReader,
  read: Set<number>,
): boolean {
  let next = first;
  if (first === 0) {
    const message =
      'the file does not say where its options are, as where the recording did not end: sections are looked for';
    head.warnings.push({
      file: head.file,
      offset: firstAt,
      section: 'options',
      message,
      expected: 'an offset',
      found: '0',
    });
    return false;
  }
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

/** A section's header, behind which `cursor` is. */
interface SectionHeader {
  offset: number;
  cursor: Cursor;
  /** Of the data in the file, and of what is packed in it; null where it is not. */
  size: number;
  unpacked: number | null;
}

/** Opens a section; the cursor ends with it. */
function openSection(
  source: ByteSource,
  head: HeadInProgress,
  compression: Compression,
  offset: number,
  wantedId: number,
  name: string,
): Cursor {
  return openBody(source, compression, readSectionHeader(source, head, offset, wantedId, name));
}

/**
 * The header at `offset`: u16 id, u16 flags, u32 description, u64 size; behind it the data, or `u32 packed, u32 unpacked, packed data`.
 * Throws where what it says cannot be.
 */
function readSectionHeader(
  source: ByteSource,
  head: HeadInProgress,
  offset: number,
  wantedId: number,
  name: string,
): SectionHeader {
  const cursor = new Cursor(source, Math.min(offset, source.size), name);
  cursor.littleEndian = head.abi.littleEndian;
  const id = cursor.u16();
  if (id !== wantedId) throw cursor.fail(`section ${wantedId}`, `section ${id}`, offset);
  const flags = cursor.u16();
  cursor.u32();
  const size = cursor.size64();
  if (size > cursor.remaining)
    throw cursor.fail(`a section of ${size} bytes`, `${cursor.remaining} up to the end`, offset);
  if ((flags & FLAG_COMPRESSED) === 0) return { offset, cursor, size, unpacked: null };
  const packed = cursor.u32();
  const unpacked = cursor.u32();
  if (packed > cursor.remaining) throw cursor.fail(`${packed} bytes`, `${cursor.remaining} up to the end`);
  if (unpacked > mostUnpacked(packed))
    throw cursor.fail('packed data', `a block of ${packed} bytes claims to hold ${unpacked}`);
  return { offset, cursor, size: packed, unpacked };
}

/** What is in a section, unpacked. */
function openBody(source: ByteSource, compression: Compression, header: SectionHeader): Cursor {
  const { offset, cursor, size, unpacked } = header;
  const at = cursor.offset;
  const packed = unpacked !== null;
  let body = cursor.bytes(size);
  if (packed) {
    try {
      body = unpackWhole(compression, body, unpacked);
    } catch (error) {
      if (error instanceof RemoraError && error.detail.offset === undefined)
        throw cursor.fail('packed data', error.message, at);
      throw error;
    }
  }
  const origin = packed ? { offset, packed } : { offset: at, packed };
  const section = new Cursor(bytesSource(body, source.name), 0, cursor.section, origin);
  section.littleEndian = cursor.littleEndian;
  return section;
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

/** Symbols are most of a head, and few reports name one. Damage is told when they are read. */
function kallsymsLater(
  source: ByteSource,
  head: HeadInProgress,
  compression: Compression,
  header: SectionHeader,
): () => ByteSource {
  const { cursor } = header;
  const at = cursor.offset;
  let told = false;
  return () => {
    let text = NO_TEXT;
    const known = head.warnings.length;
    tolerate(head, () => {
      cursor.offset = at;
      const section = openBody(source, compression, header);
      text = section.later(section.u32());
    });
    if (told) head.warnings.length = known;
    told = true;
    return text;
  };
}
