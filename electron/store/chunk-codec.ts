import type { EventColumns } from '../parse/sub-buffer.ts';

/**
 * A chunk's columns as blobs: up to 65,536 events of one CPU, each column in the narrowest form that is exact.
 *
 *   time      Uint32 ns after the chunk's first time, where it spans less than 2^32 ns; else Float64 of the stream
 *   event     Uint8 index into the dictionary `events`, or Uint16 kernel ids where a chunk has over 256 types
 *   pid       Uint8 or Uint16 index into the dictionary `pids`, or Int32
 *   position  Uint16 distance to the record before, in 4-byte words (0 for the first); else Uint32 bytes from the first
 *
 * Typically 8 bytes an event. Blobs are in this machine's byte order: a workspace is a cache, not an exchange format.
 */
export interface EncodedChunk {
  count: number;
  fromNs: number;
  toNs: number;
  flags: number;
  /** Position of the first record relative to the caller's base; the column is relative to it. */
  firstPosition: number;
  events: Uint8Array;
  pids: Uint8Array;
  time: Uint8Array;
  event: Uint8Array;
  pid: Uint8Array;
  position: Uint8Array;
  /** Of all blobs; see `checksumOf`. */
  checksum: number;
}

const WIDE_TIME = 1;
const WIDE_EVENT = 2;
const PID_16 = 4;
const WIDE_PID = 8;
const WIDE_POSITION = 16;
/** Time goes backward somewhere in the chunk. */
const UNORDERED = 32;

/** Scratch tables of the encoder, reused between chunks. One per writer. */
export class ChunkEncoder {
  /** By slot + 1 of the chunk being encoded; zero between chunks. */
  readonly #eventCount = new Uint32Array(65_537);
  /** Slot + 1 by kernel id; zero between chunks. */
  readonly #eventSlot = new Uint32Array(65_536);
  #pidSlot = new Int32Array(65_536);
  readonly #pidList = new Int32Array(65_536);
  /** Events per pid and per id over everything encoded since `reset`: the totals come for free here. */
  pidTotals = new Map<number, number>();
  eventTotals = new Map<number, number>();

  reset(): void {
    this.pidTotals = new Map();
    this.eventTotals = new Map();
  }

  /** Encodes the first `count` events. The result's arrays are fresh; `columns` may be reused. */
  encode(columns: EventColumns, count: number): EncodedChunk {
    let flags = 0;
    const { time, id, pid, position } = columns;
    const { from, to, ordered } = spanOf(time, count);
    if (!ordered) flags |= UNORDERED;
    let timeBlob: Uint8Array;
    if (to - from < 4_294_967_296) {
      const narrow = new Uint32Array(count);
      for (let i = 0; i < count; i++) narrow[i] = (time[i] as number) - from;
      timeBlob = bytesOf(narrow);
    } else {
      flags |= WIDE_TIME;
      timeBlob = bytesOf(time.slice(0, count));
    }

    const { slots, types } = this.#encodeEvents(id, count);
    const events = new Uint32Array(types.length * 2);
    for (let i = 0; i < types.length; i++) {
      const event = types[i] as number;
      const n = this.#eventCount[i + 1] as number;
      events[i * 2] = event;
      events[i * 2 + 1] = n;
      this.#eventCount[i + 1] = 0;
      this.#eventSlot[event] = 0;
      this.eventTotals.set(event, (this.eventTotals.get(event) ?? 0) + n);
    }
    let eventBlob: Uint8Array;
    if (types.length <= 256) eventBlob = slots;
    else {
      flags |= WIDE_EVENT;
      eventBlob = bytesOf(id.slice(0, count));
    }

    const { blob: pidBlob, dictionary, flags: pidFlags } = this.#encodePids(pid, count);
    flags |= pidFlags;

    let positionBlob: Uint8Array;
    const steps = new Uint16Array(count);
    const firstPosition = position[0] as number;
    let last = firstPosition;
    let widest = 0;
    let odd = 0;
    for (let i = 0; i < count; i++) {
      const at = position[i] as number;
      const step = (at - last) >>> 2;
      odd |= at - last;
      if (step > widest) widest = step;
      steps[i] = step;
      last = at;
    }
    // Lines of text begin anywhere, a ring buffer's records at whole words.
    if (widest < 65_536 && (odd & 3) === 0) positionBlob = bytesOf(steps);
    else {
      flags |= WIDE_POSITION;
      positionBlob = bytesOf(position.slice(0, count).map((at) => at - firstPosition));
    }
    const blobs = {
      events: bytesOf(events),
      pids: bytesOf(dictionary),
      time: timeBlob,
      event: eventBlob,
      pid: pidBlob,
      position: positionBlob,
    };
    return { count, fromNs: from, toNs: to, flags, firstPosition, ...blobs, checksum: checksumOf(blobs) };
  }

  /** Slot of each event's kind in order of appearance (useless beyond 256 kinds), the kinds, and counts by slot + 1. */
  #encodeEvents(id: Uint16Array, count: number): { slots: Uint8Array; types: number[] } {
    const eventSlot = this.#eventSlot;
    const eventCount = this.#eventCount;
    const slots = new Uint8Array(count);
    const types: number[] = [];
    for (let i = 0; i < count; i++) {
      const event = id[i] as number;
      let slot = eventSlot[event] as number;
      if (slot === 0) {
        slot = types.push(event);
        eventSlot[event] = slot;
      }
      slots[i] = slot - 1;
      eventCount[slot] = (eventCount[slot] as number) + 1;
    }
    return { slots, types };
  }

  #encodePids(pid: Int32Array, count: number): { blob: Uint8Array; dictionary: Int32Array; flags: number } {
    const list = this.#pidList;
    let slots = this.#pidSlot;
    let distinct = 0;
    // Slot 0 means "not seen"; slots hold index + 1. The table covers pid_max's usual values and grows to its limit.
    const narrow = new Uint16Array(count);
    const counts = new Uint32Array(Math.min(count, 65_536) + 1);
    let plain = false;
    let last = -1;
    let lastSlot = 0;
    for (let i = 0; i < count; i++) {
      const p = pid[i] as number;
      if (p === last && lastSlot > 0) {
        // Tasks run for many events at a stretch.
        narrow[i] = lastSlot - 1;
        counts[lastSlot] = (counts[lastSlot] as number) + 1;
        continue;
      }
      if (p >= slots.length || p < 0) {
        if (p < 0 || p >= 1 << 22) {
          plain = true;
          break;
        }
        const grown = new Int32Array(1 << 22);
        grown.set(slots);
        this.#pidSlot = grown;
        slots = grown;
      }
      let slot = slots[p] as number;
      if (slot === 0) {
        list[distinct] = p;
        slot = ++distinct;
        slots[p] = slot;
      }
      last = p;
      lastSlot = slot;
      narrow[i] = slot - 1;
      counts[slot] = (counts[slot] as number) + 1;
    }
    const dictionary = list.slice(0, distinct);
    for (let i = 0; i < distinct; i++) slots[dictionary[i] as number] = 0;
    if (plain) {
      // Impossible pids: damaged data, kept as they are.
      for (let i = 0; i < count; i++) this.#countPid(pid[i] as number, 1);
      return { blob: bytesOf(pid.slice(0, count)), dictionary: new Int32Array(0), flags: WIDE_PID };
    }
    for (let i = 0; i < distinct; i++) this.#countPid(dictionary[i] as number, counts[i + 1] as number);
    return distinct <= 256
      ? { blob: new Uint8Array(narrow), dictionary, flags: 0 }
      : { blob: bytesOf(narrow), dictionary, flags: PID_16 };
  }

  #countPid(pid: number, events: number): void {
    this.pidTotals.set(pid, (this.pidTotals.get(pid) ?? 0) + events);
  }
}

/** Smallest and largest time, and whether they never decrease, in which case the ends tell. */
function spanOf(time: Float64Array, count: number): { from: number; to: number; ordered: boolean } {
  let ordered = true;
  for (let i = 1; i < count && ordered; i++) ordered = (time[i] as number) >= (time[i - 1] as number);
  let from = time[0] as number;
  let to = time[count - 1] as number;
  if (!ordered) {
    for (let i = 0; i < count; i++) {
      const t = time[i] as number;
      if (t > to) to = t;
      if (t < from) from = t;
    }
  }
  return { from, to, ordered };
}

function bytesOf(array: Uint32Array | Uint16Array | Int32Array | Float64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

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
  events: Uint8Array;
  pids: Uint8Array;
  time: Uint8Array;
  event: Uint8Array;
  pid: Uint8Array;
  position: Uint8Array;
}

/** The dictionary of a chunk: kernel ids and how many events of each. */
export function decodeEventCounts(events: Uint8Array): Uint32Array {
  return new Uint32Array(aligned(events, 4), 0, events.length >>> 2);
}

type Blobs = Pick<ChunkBlobs, 'events' | 'pids' | 'time' | 'event' | 'pid' | 'position'>;

/** A 32-bit mix over all words of all blobs, in order: finds flipped and missing bytes. Not against intent. */
export function checksumOf(blobs: Blobs): number {
  let hash = 0x2545f491;
  for (const blob of [blobs.events, blobs.pids, blobs.time, blobs.event, blobs.pid, blobs.position]) {
    const words = new Uint32Array(aligned(blob, 1), 0, blob.length >>> 2);
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

/** Throws RangeError where the blobs are not what was written. */
export function decodeChunk(blobs: ChunkBlobs): Chunk {
  const { count, flags } = blobs;
  if (checksumOf(blobs) !== blobs.checksum) throw new RangeError('a chunk of the index is damaged');
  const time = new Float64Array(count);
  if ((flags & WIDE_TIME) !== 0) time.set(new Float64Array(aligned(blobs.time, 8), 0, count));
  else {
    const narrow = new Uint32Array(aligned(blobs.time, 4), 0, count);
    const from = blobs.from_ns;
    for (let i = 0; i < count; i++) time[i] = from + (narrow[i] as number);
  }
  const id = new Uint16Array(count);
  if ((flags & WIDE_EVENT) !== 0) id.set(new Uint16Array(aligned(blobs.event, 2), 0, count));
  else {
    const types = decodeEventCounts(blobs.events);
    for (let i = 0; i < count; i++) id[i] = types[(blobs.event[i] as number) * 2] as number;
  }
  const pid = new Int32Array(count);
  if ((flags & WIDE_PID) !== 0) pid.set(new Int32Array(aligned(blobs.pid, 4), 0, count));
  else {
    const dictionary = new Int32Array(aligned(blobs.pids, 4), 0, blobs.pids.length >>> 2);
    const slots = (flags & PID_16) !== 0 ? new Uint16Array(aligned(blobs.pid, 2), 0, count) : blobs.pid;
    for (let i = 0; i < count; i++) pid[i] = dictionary[slots[i] as number] as number;
  }
  const position = new Uint32Array(count);
  if ((flags & WIDE_POSITION) !== 0) position.set(new Uint32Array(aligned(blobs.position, 4), 0, count));
  else {
    const steps = new Uint16Array(aligned(blobs.position, 2), 0, count);
    let at = 0;
    for (let i = 0; i < count; i++) {
      at += (steps[i] as number) * 4;
      position[i] = at;
    }
  }
  const ordered = (flags & UNORDERED) === 0;
  let sortTime = time;
  if (!ordered) {
    sortTime = time.slice();
    for (let i = 1; i < count; i++)
      if ((sortTime[i] as number) < (sortTime[i - 1] as number)) sortTime[i] = sortTime[i - 1] as number;
  }
  return { count, ordered, time, sortTime, id, pid, position };
}

/** The events of one kind out of a chunk: columns as in `Chunk`, and each one's place in it. */
export interface ChunkSelection {
  n: number;
  at: Uint32Array;
  time: Float64Array;
  pid: Int32Array;
  position: Uint32Array;
}

/**
 * Decodes only the events with kernel id `id`, of which the chunk's dictionary says there are `n`: a scan for one kind over
 * all chunks costs a fifth of decoding them. Throws RangeError where the blobs are not what was written.
 */
export function selectEvents(blobs: ChunkBlobs, id: number, n: number): ChunkSelection {
  const { count, flags } = blobs;
  if (checksumOf(blobs) !== blobs.checksum) throw new RangeError('a chunk of the index is damaged');
  const selection: ChunkSelection = {
    n,
    at: new Uint32Array(n),
    time: new Float64Array(n),
    pid: new Int32Array(n),
    position: new Uint32Array(n),
  };
  const wide = (flags & WIDE_EVENT) !== 0;
  const slots = wide ? new Uint16Array(aligned(blobs.event, 2), 0, count) : blobs.event;
  const types = decodeEventCounts(blobs.events);
  let wanted = id;
  if (!wide) for (let i = 0; i < types.length; i += 2) if (types[i] === id) wanted = i >>> 1;
  let k = 0;
  for (let i = 0; i < count; i++) if (slots[i] === wanted) selection.at[k++] = i;

  const wideTime = (flags & WIDE_TIME) !== 0;
  const times = wideTime
    ? new Float64Array(aligned(blobs.time, 8), 0, count)
    : new Uint32Array(aligned(blobs.time, 4), 0, count);
  const from = wideTime ? 0 : blobs.from_ns;
  const widePid = (flags & WIDE_PID) !== 0;
  const pids = new Int32Array(aligned(widePid ? blobs.pid : blobs.pids, 4));
  const pidSlots = (flags & PID_16) !== 0 ? new Uint16Array(aligned(blobs.pid, 2), 0, count) : blobs.pid;
  for (let j = 0; j < n; j++) {
    const i = selection.at[j] as number;
    selection.time[j] = from + (times[i] as number);
    selection.pid[j] = pids[widePid ? i : (pidSlots[i] as number)] as number;
  }
  if ((flags & WIDE_POSITION) !== 0) {
    const positions = new Uint32Array(aligned(blobs.position, 4), 0, count);
    for (let j = 0; j < n; j++) selection.position[j] = positions[selection.at[j] as number] as number;
  } else {
    const steps = new Uint16Array(aligned(blobs.position, 2), 0, count);
    let words = 0;
    for (let i = 0, j = 0; j < n; i++) {
      words += steps[i] as number;
      if (selection.at[j] === i) selection.position[j++] = words * 4;
    }
  }
  return selection;
}

/** The bytes' own buffer where typed arrays may begin at its start, else a copy that allows it. */
function aligned(bytes: Uint8Array, size: number): ArrayBuffer {
  if (bytes.byteOffset === 0 && bytes.byteLength % size === 0 && bytes.buffer instanceof ArrayBuffer)
    return bytes.buffer;
  return bytes.slice().buffer as ArrayBuffer;
}
