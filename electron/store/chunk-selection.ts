import { type ChunkBlobs, columnsOf, decodePositions, decodeTimes } from './chunk-codec.ts';

/**
 * The events of one kind out of a chunk, without the others: what scans for a rare kind live on. Bytes are looked through
 * four at a time, as words, so that an event that is not wanted costs about a nanosecond. Loops over columns of
 * different widths are written out one by one, because V8 compiles one that meets all of them to ask at every step.
 */

/** Columns as in `Chunk`, and each event's place in it. */
export interface ChunkSelection {
  n: number;
  at: Uint32Array;
  time: Float64Array;
  pid: Int32Array;
  position: Uint32Array;
}

/** From this part of a chunk on, all of it is decoded and picked from: what is summed up from event to event is then quicker whole. */
const MANY_OF_CHUNK = 8;

/**
 * Memory for selections, used again and again: fresh memory for every chunk costs more than what is done in it. What was
 * selected into it is valid until the next selection.
 */
export class SelectionSpace {
  #at = new Uint32Array(0);
  #time = new Float64Array(0);
  #pid = new Int32Array(0);
  #position = new Uint32Array(0);

  /** Columns for `n` events, with whatever was in them before. */
  columns(n: number): ChunkSelection {
    if (n > this.#at.length) {
      const room = Math.max(n, this.#at.length * 2);
      this.#at = new Uint32Array(room);
      this.#time = new Float64Array(room);
      this.#pid = new Int32Array(room);
      this.#position = new Uint32Array(room);
    }
    return {
      n,
      at: this.#at.subarray(0, n),
      time: this.#time.subarray(0, n),
      pid: this.#pid.subarray(0, n),
      position: this.#position.subarray(0, n),
    };
  }
}

/**
 * The events with kernel id `id`, of which the chunk's dictionary says there are `n`; in `space` where that is given, else the
 * caller's own. Throws RangeError where the blobs are not what was written.
 */
export function selectEvents(blobs: ChunkBlobs, id: number, n: number, space = new SelectionSpace()): ChunkSelection {
  const stored = columnsOf(blobs);
  const { count } = blobs;
  const many = n * MANY_OF_CHUNK > count;
  const selection = space.columns(n);
  const { at, time, pid, position } = selection;
  if (stored.wideEvent !== null) findWide(stored.wideEvent, id, at);
  else {
    const slot = slotOf(stored.types, id);
    if (many) findOften(stored.event, slot, at);
    else findSeldom(stored.event, slot, at);
  }
  if (stored.widePid !== null) for (let j = 0; j < n; j++) pid[j] = stored.widePid[at[j] as number] as number;
  else pickPids(stored.pid, stored.pids, at, pid);

  if (many) {
    reserve(count);
    const times = allTimes.subarray(0, count);
    decodeTimes(stored, blobs.from_ns, times);
    pickTimes(times, at, time);
    const positions = allPositions.subarray(0, count);
    decodePositions(stored, positions);
    pickPositions(positions, at, position);
  } else {
    if (stored.wideTime !== null) pickTimes(stored.wideTime, at, time);
    else if (stored.steppedTime !== null) sumTimes(stored.steppedTime, at, blobs.from_ns, time);
    if (stored.widePosition !== null) pickPositions(stored.widePosition, at, position);
    else if (stored.steps instanceof Uint8Array) sumBytes(stored.steps, at, position);
    else sumWide(stored.steps, at, position);
  }
  return selection;
}

/** Columns of a whole chunk on their way, used again and again: as long as the longest so far. */
let allTimes = new Float64Array(0);
let allPositions = new Uint32Array(0);
function reserve(count: number): void {
  if (allTimes.length >= count) return;
  allTimes = new Float64Array(count);
  allPositions = new Uint32Array(count);
}

/** Place of a kind in the chunk's dictionary; -1 where it has none. */
function slotOf(types: Uint32Array, id: number): number {
  for (let i = 0; i < types.length; i += 2) if (types[i] === id) return i >>> 1;
  return -1;
}

function pickPids(slots: Uint8Array | Uint16Array, pids: Int32Array, at: Uint32Array, into: Int32Array): void {
  if (slots instanceof Uint8Array) {
    for (let j = 0; j < at.length; j++) into[j] = pids[slots[at[j] as number] as number] as number;
  } else {
    for (let j = 0; j < at.length; j++) into[j] = pids[slots[at[j] as number] as number] as number;
  }
}

function pickTimes(times: Float64Array, at: Uint32Array, into: Float64Array): void {
  for (let j = 0; j < at.length; j++) into[j] = times[at[j] as number] as number;
}

function pickPositions(positions: Uint32Array, at: Uint32Array, into: Uint32Array): void {
  for (let j = 0; j < at.length; j++) into[j] = positions[at[j] as number] as number;
}

/** Places of the first `at.length` bytes that are `value`. */
function findSeldom(bytes: Uint8Array, value: number, at: Uint32Array): void {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  const pattern = Math.imul(value, 0x01010101);
  const n = at.length;
  let k = 0;
  for (let w = 0; w < words.length; w++) {
    // A byte that is `value` is 0 in `x`; -0x7f7f7f80 is 0x80808080. The test may see a 0 too many, never too few.
    const x = (words[w] as number) ^ pattern;
    if (((x - 0x01010101) & ~x & -0x7f7f7f80) === 0) continue;
    if (k + 4 > n) break;
    if ((x & 0xff) === 0) at[k++] = w * 4;
    if ((x & 0xff00) === 0) at[k++] = w * 4 + 1;
    if ((x & 0xff0000) === 0) at[k++] = w * 4 + 2;
    if ((x & -0x1000000) === 0) at[k++] = w * 4 + 3;
  }
  // The last few, with room for none too many.
  for (let i = k === 0 ? 0 : (at[k - 1] as number) + 1; i < bytes.length && k < n; i++)
    if (bytes[i] === value) at[k++] = i;
}

/** The same where every few bytes are, without a branch on each: which way it goes cannot be foreseen. */
function findOften(bytes: Uint8Array, value: number, at: Uint32Array): void {
  const n = at.length;
  let k = 0;
  for (let i = 0; k < n && i < bytes.length; i++) {
    at[k] = i;
    // 1 for the wanted byte, whose difference is 0, else 0.
    k += (((bytes[i] as number) ^ value) - 1) >>> 31;
  }
}

function findWide(ids: Uint16Array, value: number, at: Uint32Array): void {
  let k = 0;
  for (let i = 0; i < ids.length && k < at.length; i++) if (ids[i] === value) at[k++] = i;
}

/** `start` and all steps up to each place, the places ascending. */
function sumTimes(steps: Uint32Array, at: Uint32Array, start: number, into: Float64Array): void {
  const words = new Int32Array(steps.buffer, steps.byteOffset, steps.length);
  let sum = start;
  let i = 0;
  for (let j = 0; j < at.length; j++) {
    const place = at[j] as number;
    // Halves of words are summed as 32-bit integers, as many as these hold: twice as quick as Float64 one by one.
    while (i + 3 <= place) {
      const last = Math.min(place - 3, i + MOST_HALVES);
      let low = 0;
      let high = 0;
      for (; i <= last; i += 4) {
        const [a, b] = [words[i] as number, words[i + 1] as number];
        const [c, d] = [words[i + 2] as number, words[i + 3] as number];
        low = (low + (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff)) | 0;
        high = (high + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0;
      }
      sum += low + high * 0x10000;
    }
    for (; i <= place; i++) sum += steps[i] as number;
    into[j] = sum;
  }
}

/** Sums of this many 16-bit numbers, and four more, are below 2^31. */
const MOST_HALVES = 32_000;

/** Four times the sum of all steps up to each place, the places ascending. */
function sumBytes(steps: Uint8Array, at: Uint32Array, into: Uint32Array): void {
  const words = new Int32Array(steps.buffer, steps.byteOffset, steps.length >>> 2);
  let sum = 0;
  let w = 0;
  for (let j = 0; j < at.length; j++) {
    const place = at[j] as number;
    for (const last = (place + 1) >>> 2; w < last; w++) {
      const word = words[w] as number;
      const pairs = (word & 0x00ff00ff) + ((word >>> 8) & 0x00ff00ff);
      sum += (pairs & 0xffff) + (pairs >>> 16);
    }
    let upTo = sum;
    for (let i = w * 4; i <= place; i++) upTo += steps[i] as number;
    into[j] = upTo * 4;
  }
}

function sumWide(steps: Uint16Array, at: Uint32Array, into: Uint32Array): void {
  let sum = 0;
  let i = 0;
  for (let j = 0; j < at.length; j++) {
    for (const place = at[j] as number; i <= place; i++) sum += steps[i] as number;
    into[j] = sum * 4;
  }
}
