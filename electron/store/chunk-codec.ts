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
export interface EncodedChunk {
  count: number;
  fromNs: number;
  toNs: number;
  flags: number;
  /** Position of the first record relative to the caller's base; the column is relative to it. */
  firstPosition: number;
  /** Entries of the dictionary of pids. */
  pids: number;
  /** Dictionary of kernel ids and their counts; apart, as the directory of chunks has it too. */
  events: Uint8Array;
  columns: Uint8Array;
  /** Of both blobs; see `checksumOf`. */
  checksum: number;
}

const WIDE_TIME = 1;
const WIDE_EVENT = 2;
const PID_16 = 4;
const WIDE_PID = 8;
const WIDE_POSITION = 16;
/** Time goes backward somewhere in the chunk. */
const UNORDERED = 32;
const POSITION_16 = 64;

const TWO_32 = 4_294_967_296;
const MOST_PIDS = 1 << 22;

/** Holds a full chunk with columns of usual width; buffers of this size are used again. */
const POOLED_BYTES = 65_536 * 9;

/** Where each column begins in the blob, and the blob's length, in bytes. */
function placesOf({ count, flags, pids }: { count: number; flags: number; pids: number }) {
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

/** Scratch tables of the encoder, reused between chunks. One per writer. */
export class ChunkEncoder {
  /** By slot + 1 of the chunk being encoded; zero between chunks. */
  readonly #eventCount = new Uint32Array(65_537);
  /** Slot + 1 by kernel id; zero between chunks. */
  readonly #eventSlot = new Uint32Array(65_536);
  /** Slot + 1 by pid; zero between chunks. Covers pid_max's usual values and grows to its limit. */
  #pidSlot = new Int32Array(65_536);
  /** By slot, of the chunk being encoded. */
  #pidList = new Int32Array(0);
  #pidCount = new Uint32Array(0);
  // Columns in their usual forms, before it is known whether they fit.
  #times = new Uint32Array(0);
  #pids = new Uint16Array(0);
  #steps = new Uint16Array(0);
  #slots = new Uint8Array(0);
  readonly #spare: ArrayBuffer[] = [];
  /** Events per pid and per id over everything encoded since `reset`: the totals come for free here. */
  pidTotals = new Map<number, number>();
  eventTotals = new Map<number, number>();

  reset(): void {
    this.pidTotals = new Map();
    this.eventTotals = new Map();
  }

  /**
   * Takes back the buffers of chunks that nobody needs any more. Without that each chunk is fresh memory, which costs as much
   * as filling it.
   */
  recycle(buffers: readonly ArrayBuffer[]): void {
    for (const buffer of buffers) if (buffer.byteLength === POOLED_BYTES) this.#spare.push(buffer);
  }

  /** Encodes the first `count` events. The result is the caller's, until it is given back; `columns` may be reused. */
  encode(columns: EventColumns, count: number): EncodedChunk {
    if (this.#times.length < count) this.#reserve(count);
    const { time, id, pid, position } = columns;
    const { fromNs, toNs, flags: timeFlags } = this.#encodeTimes(time, count);
    const events = this.#encodeEvents(id, count);
    const pids = this.#encodePids(pid, count);
    const pidFlags = pids < 0 ? WIDE_PID : pids > 256 ? PID_16 : 0;
    const eventFlags = events.length > 512 ? WIDE_EVENT : 0;
    const flags = timeFlags | eventFlags | pidFlags | this.#encodeSteps(position, count);

    const chunk = { count, flags, pids: Math.max(0, pids) };
    const places = placesOf(chunk);
    const buffer = this.#bufferOf(places.end);
    const blob = new Uint8Array(buffer, 0, places.end);
    // What a buffer held before shows in no gap.
    for (const gap of [places.position, places.event, places.end]) if (gap >= 4) blob.fill(0, gap - 4, gap);
    if ((flags & WIDE_TIME) !== 0) new Float64Array(buffer, 0, count).set(time.subarray(0, count));
    else new Uint32Array(buffer, 0, count).set(this.#times.subarray(0, count));
    new Int32Array(buffer, places.dictionary, chunk.pids).set(this.#pidList.subarray(0, chunk.pids));
    if (pids < 0) new Int32Array(buffer, places.pid, count).set(pid.subarray(0, count));
    else narrowest(buffer, places.pid, count, pids > 256).set(this.#pids.subarray(0, count));
    const firstPosition = position[0] as number;
    if ((flags & WIDE_POSITION) !== 0) {
      const target = new Uint32Array(buffer, places.position, count);
      for (let i = 0; i < count; i++) target[i] = (position[i] as number) - firstPosition;
    } else {
      const medium = (flags & POSITION_16) !== 0;
      narrowest(buffer, places.position, count, medium).set(this.#steps.subarray(0, count));
    }
    if (eventFlags !== 0) new Uint16Array(buffer, places.event, count).set(id.subarray(0, count));
    else new Uint8Array(buffer, places.event, count).set(this.#slots.subarray(0, count));

    const blobs = {
      events: new Uint8Array(events.buffer),
      columns: blob,
    };
    return { ...chunk, fromNs, toNs, firstPosition, ...blobs, checksum: checksumOf(blobs) };
  }

  #bufferOf(bytes: number): ArrayBuffer {
    if (bytes > POOLED_BYTES || bytes < POOLED_BYTES / 8) return new ArrayBuffer(bytes);
    return this.#spare.pop() ?? new ArrayBuffer(POOLED_BYTES);
  }

  #reserve(count: number): void {
    this.#times = new Uint32Array(count);
    this.#pids = new Uint16Array(count);
    this.#steps = new Uint16Array(count);
    this.#slots = new Uint8Array(count);
    this.#pidList = new Int32Array(Math.min(count, 65_536) + 1);
    this.#pidCount = new Uint32Array(this.#pidList.length);
  }

  /** Steps from each time to the next into `#times`, useless where a flag says so, and the smallest and largest time. */
  #encodeTimes(time: Float64Array, count: number): { fromNs: number; toNs: number; flags: number } {
    const times = this.#times;
    let before = time[0] as number;
    let least = 0;
    let most = 0;
    for (let i = 0; i < count; i++) {
      const t = time[i] as number;
      const step = t - before;
      before = t;
      if (step < least) least = step;
      if (step > most) most = step;
      times[i] = step;
    }
    let fromNs = time[0] as number;
    let toNs = before;
    if (least >= 0) return { fromNs, toNs, flags: most < TWO_32 ? 0 : WIDE_TIME };
    for (let i = 0; i < count; i++) {
      const t = time[i] as number;
      if (t > toNs) toNs = t;
      if (t < fromNs) fromNs = t;
    }
    return { fromNs, toNs, flags: WIDE_TIME | UNORDERED };
  }

  /** Slot of each event's kind in order of appearance into `#slots` (useless beyond 256 kinds). Returns the dictionary. */
  #encodeEvents(id: Uint16Array, count: number): Uint32Array<ArrayBuffer> {
    const eventSlot = this.#eventSlot;
    const eventCount = this.#eventCount;
    const slots = this.#slots;
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
    const dictionary = new Uint32Array(types.length * 2);
    for (let i = 0; i < types.length; i++) {
      const event = types[i] as number;
      const n = eventCount[i + 1] as number;
      dictionary[i * 2] = event;
      dictionary[i * 2 + 1] = n;
      eventCount[i + 1] = 0;
      eventSlot[event] = 0;
      this.eventTotals.set(event, (this.eventTotals.get(event) ?? 0) + n);
    }
    return dictionary;
  }

  /** Slot of each event's pid into `#pids`, the pids into `#pidList`. Returns how many; -1: there are impossible ones. */
  #encodePids(pid: Int32Array, count: number): number {
    const [list, counts, narrow] = [this.#pidList, this.#pidCount, this.#pids];
    let slots = this.#pidSlot;
    let limit = slots.length;
    let distinct = 0;
    let plain = false;
    for (let i = 0; i < count; i++) {
      const p = pid[i] as number;
      if (p >>> 0 >= limit) {
        plain = p < 0 || p >= MOST_PIDS;
        if (plain) break;
        slots = new Int32Array(MOST_PIDS);
        slots.set(this.#pidSlot);
        this.#pidSlot = slots;
        limit = MOST_PIDS;
      }
      let slot = slots[p] as number;
      if (slot === 0) {
        list[distinct] = p;
        counts[distinct] = 0;
        slot = ++distinct;
        slots[p] = slot;
      }
      narrow[i] = slot - 1;
    }
    for (let i = 0; i < distinct; i++) slots[list[i] as number] = 0;
    if (plain) {
      // Impossible pids: damaged data, kept as they are.
      for (let i = 0; i < count; i++) this.#countPid(pid[i] as number, 1);
      return -1;
    }
    for (let i = 0; i < count; i++) {
      const slot = narrow[i] as number;
      counts[slot] = (counts[slot] as number) + 1;
    }
    for (let i = 0; i < distinct; i++) this.#countPid(list[i] as number, counts[i] as number);
    return distinct;
  }

  /** Words from each record to the next into `#steps`. Returns the flags that say whether they fit. */
  #encodeSteps(position: Uint32Array, count: number): number {
    const steps = this.#steps;
    let before = position[0] as number;
    let all = 0;
    for (let i = 0; i < count; i++) {
      const at = position[i] as number;
      const step = at - before;
      before = at;
      all |= step;
      steps[i] = step >>> 2;
    }
    // Lines of text begin anywhere, a ring buffer's records at whole words.
    if (all >>> 0 >= 65_536 * 4 || (all & 3) !== 0) return WIDE_POSITION;
    return all < 256 * 4 ? 0 : POSITION_16;
  }

  #countPid(pid: number, events: number): void {
    this.pidTotals.set(pid, (this.pidTotals.get(pid) ?? 0) + events);
  }
}

const narrowest = (buffer: ArrayBuffer, at: number, count: number, medium: boolean): Uint8Array | Uint16Array =>
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
    const words = new Uint32Array(aligned(blob), 0, blob.length >>> 2);
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
function columnsOf(blobs: ChunkBlobs) {
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
  if (stored.steppedTime === null) time.set(stored.wideTime as Float64Array);
  else {
    let at = blobs.from_ns;
    for (let i = 0; i < count; i++) {
      at += stored.steppedTime[i] as number;
      time[i] = at;
    }
  }
  const id = new Uint16Array(count);
  if (stored.wideEvent !== null) id.set(stored.wideEvent);
  else for (let i = 0; i < count; i++) id[i] = stored.types[(stored.event[i] as number) * 2] as number;
  const pid = new Int32Array(count);
  if (stored.widePid !== null) pid.set(stored.widePid);
  else for (let i = 0; i < count; i++) pid[i] = stored.pids[stored.pid[i] as number] as number;
  const position = new Uint32Array(count);
  if (stored.widePosition !== null) position.set(stored.widePosition);
  else {
    let words = 0;
    for (let i = 0; i < count; i++) {
      words += stored.steps[i] as number;
      position[i] = words * 4;
    }
  }
  const ordered = isOrdered(blobs.flags);
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
  const { count } = blobs;
  const stored = columnsOf(blobs);
  const selection: ChunkSelection = {
    n,
    at: new Uint32Array(n),
    time: new Float64Array(n),
    pid: new Int32Array(n),
    position: new Uint32Array(n),
  };
  const { at, time, pid, position } = selection;
  const kinds = stored.wideEvent ?? stored.event;
  let wanted = id;
  if (stored.wideEvent === null)
    for (let i = 0; i < stored.types.length; i += 2) if (stored.types[i] === id) wanted = i >>> 1;
  let k = 0;
  for (let i = 0; i < count && k < n; i++) if (kinds[i] === wanted) at[k++] = i;

  for (let j = 0; j < n; j++) {
    const i = at[j] as number;
    pid[j] = stored.widePid === null ? (stored.pids[stored.pid[i] as number] as number) : (stored.widePid[i] as number);
    if (stored.wideTime !== null) time[j] = stored.wideTime[i] as number;
    if (stored.widePosition !== null) position[j] = stored.widePosition[i] as number;
  }
  if (stored.steppedTime !== null) pickSums(stored.steppedTime, at, time, blobs.from_ns, 1);
  if (stored.widePosition === null) pickSums(stored.steps, at, position, 0, 4);
  return selection;
}

/** Writes `start` and `unit` times the sum of all steps up to each place, the places ascending. */
function pickSums(
  steps: Uint8Array | Uint16Array | Uint32Array,
  places: Uint32Array,
  into: Float64Array | Uint32Array,
  start: number,
  unit: number,
): void {
  let sum = 0;
  let i = 0;
  for (let j = 0; j < places.length; j++) {
    for (const place = places[j] as number; i <= place; i++) sum += steps[i] as number;
    into[j] = start + sum * unit;
  }
}

/** The bytes' own buffer where typed arrays may begin at its start, else a copy that allows it. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  if (bytes.byteOffset === 0 && bytes.buffer instanceof ArrayBuffer) return bytes.buffer;
  return bytes.slice().buffer as ArrayBuffer;
}
