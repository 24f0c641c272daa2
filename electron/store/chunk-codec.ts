import type { EventColumns } from '../parse/sub-buffer.ts';

/**
 * A chunk's columns as one blob: up to 65,536 events of one CPU, each column in the narrowest form that is exact. One
 * after the other, each beginning at a multiple of 4 bytes:
 *
 *   time      Uint32 ns after the event before (0 for the first), where none goes backward or waits 2^32 ns; else Float64
 *             of the stream
 *   pids      Int32 dictionary of the next column
 *   pid       Uint8 or Uint16 index into the dictionary, or Int32
 *   position  Uint8 or Uint16 distance to the record before in 4-byte words (0 for the first); else Uint32 bytes from the
 *             first
 *   event     Uint8 index into the dictionary `events`, or Uint16 kernel ids where a chunk has over 256 types
 *
 * Typically 7 bytes an event. Blobs are in this machine's byte order: a workspace is a cache, not an exchange format.
 */

export const WIDE_TIME = 1;
export const WIDE_EVENT = 2;
export const PID_16 = 4;
export const WIDE_PID = 8;
export const WIDE_POSITION = 16;
/** Time goes backward somewhere in the chunk. */
export const UNORDERED = 32;
export const POSITION_16 = 64;

/** Where each column begins in the blob, and the blob's length, in bytes. */
export function placesOf({ count, flags, pids }: { count: number; flags: number; pids: number }) {
  const bytes = (narrow: number, medium: number, wide: number): number =>
    (flags & wide) !== 0 ? 4 : (flags & medium) !== 0 ? 2 : narrow;
  const dictionary = count * ((flags & WIDE_TIME) !== 0 ? 8 : 4);
  const pid = dictionary + pids * 4;
  const position = pid + whole(count * bytes(1, PID_16, WIDE_PID));
  const event = position + whole(count * bytes(1, POSITION_16, WIDE_POSITION));
  const end = event + whole(count * ((flags & WIDE_EVENT) !== 0 ? 2 : 1));
  return { dictionary, pid, position, event, end };
}

/** Bytes up to the next whole word. */
const whole = (bytes: number): number => (bytes + 3) & ~3;

/** Whether the times of a chunk with these flags never decrease. */
export const isOrdered = (flags: number): boolean => (flags & UNORDERED) === 0;

/** A column of narrow numbers: 16 bits where `medium`, else 8. */
export const narrowest = (buffer: ArrayBuffer, at: number, count: number, medium: boolean): Uint8Array | Uint16Array =>
  medium ? new Uint16Array(buffer, at, count) : new Uint8Array(buffer, at, count);

/** A decoded chunk. Shared by the cache: never written to. */
export interface Chunk extends EventColumns {
  count: number;
  /** True: `time` never decreases. */
  ordered: boolean;
  /**
   * What the event list sorts by: the largest time so far in the chunk, which is `time` itself where it is ordered.
   * Merging CPUs by it gives the order in which a reader that always takes the earliest head would print.
   */
  sortTime: Float64Array;
}

export interface ChunkBlobs {
  count: number;
  from_ns: number;
  flags: number;
  checksum: number;
  pids: number;
  events: Uint8Array;
  columns: Uint8Array;
}

/** The dictionary of a chunk: kernel ids and how many events of each. */
export function decodeEventCounts(events: Uint8Array): Uint32Array {
  return new Uint32Array(aligned(events), 0, events.length >>> 2);
}

/** A 32-bit mix over all words of both blobs, in order: finds flipped and missing bytes. Not against intent. */
export function checksumOf(blobs: Pick<ChunkBlobs, 'events' | 'columns'>): number {
  let hash = 0x2545f491;
  for (const blob of [blobs.events, blobs.columns]) {
    const words = new Int32Array(aligned(blob), 0, blob.length >>> 2);
    // Four independent chains: the processor works on them side by side.
    let [a, b, c, d] = [hash, 0x9e3779b1, 0x85ebca6b, 0xc2b2ae35];
    const fours = words.length & ~3;
    for (let i = 0; i < fours; i += 4) {
      a = Math.imul(a ^ (words[i] as number), 0x9e3779b1) ^ (a >>> 15);
      b = Math.imul(b ^ (words[i + 1] as number), 0x9e3779b1) ^ (b >>> 15);
      c = Math.imul(c ^ (words[i + 2] as number), 0x9e3779b1) ^ (c >>> 15);
      d = Math.imul(d ^ (words[i + 3] as number), 0x9e3779b1) ^ (d >>> 15);
    }
    for (let i = fours * 4; i < blob.length; i++) a = Math.imul(a ^ (blob[i] as number), 0x85ebca6b) ^ (a >>> 13);
    for (const lane of [b, c, d, blob.length]) a = Math.imul(a ^ lane, 0xc2b2ae35) ^ (a >>> 16);
    hash = a;
  }
  return hash >>> 0;
}

/** The stored columns as typed arrays, in whatever form they are. Throws RangeError where the blobs are not what was written. */
export function columnsOf(blobs: ChunkBlobs) {
  const { count, flags, pids } = blobs;
  const places = placesOf(blobs);
  if (blobs.columns.length !== places.end || checksumOf(blobs) !== blobs.checksum) {
    throw new RangeError('a chunk of the index is damaged');
  }
  const buffer = aligned(blobs.columns);
  const { dictionary, pid, position, event } = places;
  return {
    steppedTime: (flags & WIDE_TIME) === 0 ? new Uint32Array(buffer, 0, count) : null,
    wideTime: (flags & WIDE_TIME) === 0 ? null : new Float64Array(buffer, 0, count),
    pids: new Int32Array(buffer, dictionary, pids),
    widePid: (flags & WIDE_PID) === 0 ? null : new Int32Array(buffer, pid, count),
    pid: narrowest(buffer, pid, count, (flags & PID_16) !== 0),
    widePosition: (flags & WIDE_POSITION) === 0 ? null : new Uint32Array(buffer, position, count),
    steps: narrowest(buffer, position, count, (flags & POSITION_16) !== 0),
    types: decodeEventCounts(blobs.events),
    wideEvent: (flags & WIDE_EVENT) === 0 ? null : new Uint16Array(buffer, event, count),
    event: new Uint8Array(buffer, event, count),
  };
}

/** Throws RangeError where the blobs are not what was written. */
export function decodeChunk(blobs: ChunkBlobs): Chunk {
  const { count } = blobs;
  const stored = columnsOf(blobs);
  const time = new Float64Array(count);
  decodeTimes(stored, blobs.from_ns, time);
  const id = new Uint16Array(count);
  if (stored.wideEvent !== null) id.set(stored.wideEvent);
  else for (let i = 0; i < count; i++) id[i] = stored.types[(stored.event[i] as number) * 2] as number;
  const pid = new Int32Array(count);
  if (stored.widePid !== null) pid.set(stored.widePid);
  else for (let i = 0; i < count; i++) pid[i] = stored.pids[stored.pid[i] as number] as number;
  const position = new Uint32Array(count);
  decodePositions(stored, position);
  const ordered = isOrdered(blobs.flags);
  let sortTime = time;
  if (!ordered) {
    sortTime = time.slice();
    for (let i = 1; i < count; i++)
      if ((sortTime[i] as number) < (sortTime[i - 1] as number)) sortTime[i] = sortTime[i - 1] as number;
  }
  return { count, ordered, time, sortTime, id, pid, position };
}

type StoredColumns = ReturnType<typeof columnsOf>;

/** Times of all events into `time`, which is as long as the chunk. */
export function decodeTimes({ steppedTime, wideTime }: StoredColumns, fromNs: number, time: Float64Array): void {
  if (steppedTime === null) {
    time.set(wideTime as Float64Array);
    return;
  }
  let at = fromNs;
  for (let i = 0; i < time.length; i++) {
    at += steppedTime[i] as number;
    time[i] = at;
  }
}

/** Positions of all events into `position`, which is as long as the chunk. A loop for each width keeps each quick. */
export function decodePositions({ widePosition, steps }: StoredColumns, position: Uint32Array): void {
  let words = 0;
  if (widePosition !== null) position.set(widePosition);
  else if (steps instanceof Uint8Array) {
    for (let i = 0; i < position.length; i++) {
      words += steps[i] as number;
      position[i] = words * 4;
    }
  } else {
    for (let i = 0; i < position.length; i++) {
      words += steps[i] as number;
      position[i] = words * 4;
    }
  }
}

/** The bytes' own buffer where typed arrays may begin at its start, else a copy that allows it. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  if (bytes.byteOffset === 0 && bytes.buffer instanceof ArrayBuffer) return bytes.buffer;
  return bytes.slice().buffer as ArrayBuffer;
}
