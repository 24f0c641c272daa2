import type { ByteSource } from './byte-source.ts';
import type { Compression } from './decompress.ts';
import type { CpuData, RecordingHead } from './recording.ts';

/**
 * What is left of a version 7 file whose options cannot be followed: cut before they were written, or damaged inside.
 * trace-cmd writes sections one after another (`u16 id, u16 flags, u32 description, u64 size, data`), so they can be walked
 * from the front; and a buffer's data can be told apart into CPUs without the option that says where each begins.
 */
export interface FoundSection {
  id: number;
  compressed: boolean;
  /** Of the section's header. */
  offset: number;
  /** Of what follows the section, at most the end of the file. */
  end: number;
}

const HEADER_BYTES = 16;
const LARGEST_ID = 40;
const BUFFER_SECTION = 3;

/** Walks the sections from `offset` on, up to the first thing that cannot be one. */
export function walkSections(source: ByteSource, offset: number, littleEndian: boolean): FoundSection[] {
  const found: FoundSection[] = [];
  for (let at = offset; at + HEADER_BYTES <= source.size; ) {
    const header = source.read(at, HEADER_BYTES);
    const view = new DataView(header.buffer, header.byteOffset, header.length);
    const id = view.getUint16(0, littleEndian);
    const flags = view.getUint16(2, littleEndian);
    const size = view.getBigUint64(8, littleEndian);
    if (id > LARGEST_ID || flags > 1) break;
    // A recording that ended before its data did has no size there yet: the data is all that follows.
    const open = id === BUFFER_SECTION && (size === 0n || BigInt(at) + size > BigInt(source.size));
    const end = open ? source.size : at + HEADER_BYTES + Number(size);
    if (end > source.size || (size === 0n && !open)) break;
    found.push({ id, compressed: flags === 1, offset: at, end });
    at = end;
  }
  return found;
}

/**
 * CPU data inside a buffer section, in the order of the file, which is that of the CPUs that had data. `cpu` is therefore a
 * guess: the first is taken for CPU 0.
 */
export function findCpuData(
  source: ByteSource,
  head: RecordingHead,
  compression: Compression,
  section: FoundSection,
): CpuData[] {
  const { littleEndian } = head.abi;
  const align = (offset: number): number => Math.ceil(offset / head.pageBytes) * head.pageBytes;
  const start = align(section.offset + HEADER_BYTES);
  const extents =
    section.compressed && compression !== 'none'
      ? chunkedExtents(source, start, section.end, littleEndian, align)
      : plainExtents(source, start, section.end, head);
  const compressed = section.compressed && compression !== 'none';
  return extents.map(({ from, to }, cpu) => ({ cpu, offset: from, bytes: to - from, compressed, littleEndian }));
}

interface Extent {
  from: number;
  to: number;
}

/** Chunked data tells its own length: `u32 count { u32 packed, u32 unpacked, data }`; the next CPU's begins on a page. */
function chunkedExtents(
  source: ByteSource,
  start: number,
  end: number,
  littleEndian: boolean,
  align: (offset: number) => number,
): Extent[] {
  const extents: Extent[] = [];
  const u32 = (at: number): number => {
    const bytes = source.read(at, 4);
    return bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, littleEndian);
  };
  for (let at = start; at + 4 <= end; ) {
    const count = u32(at);
    if (count === 0 || count > (end - at) / 8) break;
    let next = at + 4;
    for (let i = 0; i < count && next < end; i++) next += 8 + u32(next);
    extents.push({ from: at, to: Math.min(next, end) });
    at = align(next);
  }
  return extents;
}

/** Plain data is sub-buffers, whose times ascend within a CPU: a step back is the next CPU. */
function plainExtents(source: ByteSource, start: number, end: number, head: RecordingHead): Extent[] {
  const extents: Extent[] = [];
  let from = start;
  let previous = 0n;
  for (let at = start; at + head.pageBytes <= end; at += head.pageBytes) {
    const bytes = source.read(at, 8);
    const time = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, head.abi.littleEndian);
    if (time < previous) {
      extents.push({ from, to: at });
      from = at;
    }
    previous = time;
  }
  if (end > from) extents.push({ from, to: end });
  return extents;
}
