import type { EventColumns } from '../parse/sub-buffer.ts';
import {
  checksumOf,
  narrowest,
  PID_16,
  POSITION_16,
  placesOf,
  UNORDERED,
  WIDE_EVENT,
  WIDE_PID,
  WIDE_POSITION,
  WIDE_TIME,
} from './chunk-codec.ts';
import { countRare, MOST_RARE_KINDS, type RareEvents, rareBelow, rareBytes, rareColumns } from './rare-events.ts';

/** A chunk as it is written: see chunk-codec.ts. */
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
  /** In the same buffer as `columns`, behind them. */
  rare: RareEvents;
}

const TWO_32 = 4_294_967_296;
const MOST_PIDS = 1 << 22;
/** Holds a full chunk with columns of usual width and its rare events; buffers of this size are used again. */
const POOLED_BYTES = 65_536 * 9;

/** Where rare events begin in a buffer with `end` bytes of columns: Float64 is at multiples of 8. */
export const rarePlace = (end: number): number => (end + 7) & ~7;

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
  /** By slot: where the next event of a rare kind goes. */
  readonly #rareNext = new Int32Array(MOST_RARE_KINDS);
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

  /** Takes a chunk that was given up out of the totals: its kinds as `[id, count, …]`, its events' pids. */
  discount(events: ArrayLike<number>, pids: ArrayLike<number>): void {
    const less = (totals: Map<number, number>, key: number, count: number): void => {
      const left = (totals.get(key) ?? 0) - count;
      if (left > 0) totals.set(key, left);
      else totals.delete(key);
    };
    for (let i = 0; i < events.length; i += 2) less(this.eventTotals, events[i] as number, events[i + 1] as number);
    const own = new Map<number, number>();
    for (let i = 0; i < pids.length; i++) own.set(pids[i] as number, (own.get(pids[i] as number) ?? 0) + 1);
    for (const [pid, count] of own) less(this.pidTotals, pid, count);
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
    const below = rareBelow(events, count);
    const rareAt = rarePlace(places.end);
    const buffer = this.bufferOf(rareAt + rareBytes(countRare(events, below)));
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
    const rare = this.#encodeRare(columns, count, events, below, buffer, rareAt);
    return { ...chunk, fromNs, toNs, firstPosition, ...blobs, checksum: checksumOf(blobs), rare };
  }

  /** Puts the events of rare kinds into the buffer, at `at`. */
  #encodeRare(
    { time, pid, position }: EventColumns,
    count: number,
    events: Uint32Array<ArrayBuffer>,
    below: number,
    buffer: ArrayBuffer,
    at: number,
  ): RareEvents {
    const n = countRare(events, below);
    const bytes = new Uint8Array(buffer, at, rareBytes(n));
    // The last bytes are a gap, or are written below.
    if (n > 0) bytes.fill(0, bytes.length - 4);
    const next = this.#rareNext;
    next.fill(-1);
    let place = 0;
    for (let slot = 0; slot * 2 < events.length && slot < MOST_RARE_KINDS; slot++) {
      const of = events[slot * 2 + 1] as number;
      if (of > below) continue;
      next[slot] = place;
      place += of;
    }
    if (n > 0) {
      const columns = rareColumns(buffer, at, n);
      const first = position[0] as number;
      for (let i = 0; i < count; i++) {
        const slot = this.#slots[i] as number;
        const to = next[slot] as number;
        if (to < 0) continue;
        next[slot] = to + 1;
        columns.time[to] = time[i] as number;
        columns.position[to] = (position[i] as number) - first;
        columns.pid[to] = pid[i] as number;
        columns.at[to] = i;
      }
    }
    const checksum = n === 0 ? 0 : checksumOf({ events: new Uint8Array(events.buffer), columns: bytes });
    return { below, bytes, checksum };
  }

  /** A buffer for the columns of a chunk: one that was given back, or a fresh one. */
  bufferOf(bytes: number): ArrayBuffer {
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
