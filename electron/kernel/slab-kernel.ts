/**
 * The inner loop of indexing, compiled to WebAssembly (AssemblyScript): scans sub-buffers and packs what it finds into chunks,
 * in one pass and without a column in between. It knows the usual case only, a little-endian machine's healthy data. At
 * anything else it stops and says so, and its caller has the chunk made by the general code, which is the measure of this:
 * `parse/sub-buffer.ts` (the layout of the data), `store/chunk-encoder.ts` (the form of a chunk), `engine/kept-events.ts`.
 *
 * State lives in fixed places of memory, which never grows: the caller's views of it stay good.
 */

/** Events of a chunk at most. */
const CAPACITY: u32 = 65_536;
/** Pids that can be: the kernel's limit is 2^22. */
const MOST_PIDS: u32 = 1 << 22;
/** Up to here the general code's doubles are exact, whatever the deltas of one sub-buffer add to it. */
const EXACT: u64 = 1 << 52;

// Memory from here on, each at a multiple of 8. What is as long as pids or kinds go is touched in places only.
const EVENT_SLOT: usize = 1024; // u32[65536]: slot + 1 by kernel id; zero between chunks
const EVENT_COUNT: usize = EVENT_SLOT + 4 * 65_536; // u32[65536]: by slot
const EVENT_LIST: usize = EVENT_COUNT + 4 * 65_536; // u32[65536]: kernel id by slot
const PID_LIST: usize = EVENT_LIST + 4 * 65_536; // u32[65536]: pid by slot
const PID_COUNT: usize = PID_LIST + 4 * 65_536; // u32[65536]: by slot
const TIME_STEPS: usize = PID_COUNT + 4 * 65_536; // u32[65536]: ticks from each event to the next, their lower half
const FAR_TIMES: usize = TIME_STEPS + 4 * 65_536; // { u32 event; u32; i64 step }[65536]: steps that 32 bits do not hold
const POSITION_STEPS: usize = FAR_TIMES + 16 * 65_536; // u32[65536]: words from each record to the next
const PIDS: usize = POSITION_STEPS + 4 * 65_536; // u16[65536]: slot of each event's pid
const EVENTS: usize = PIDS + 2 * 65_536; // u16[65536]: slot of each event's kind
const LOST: usize = EVENTS + 2 * 65_536; // { f64 time; f64 count; u32 event; u32 }[4096]
const KEPT: usize = LOST + 24 * 4096; // { f64 time; u32 event; u32 byte; u32 id; u32 pid }[65536]
const CHUNK: usize = KEPT + 24 * 65_536; // the packed chunk: at most 8 + 4 + 4 + 4 + 2 bytes an event
const BATCH: usize = CHUNK + 22 * 65_536 + 64; // 512 KiB of sub-buffers
const WANTED: usize = BATCH + (1 << 19); // u8[65536]: see KeptEvents
const NAMED: usize = WANTED + 65_536; // u8[MOST_PIDS]
const PID_SLOT: usize = NAMED + MOST_PIDS; // u32[MOST_PIDS]: slot + 1 by pid; zero between chunks
const RARE: usize = PID_SLOT + 4 * MOST_PIDS; // the packed chunk's rare events: 18 bytes of each, and 2
const RARE_COUNT: usize = RARE + 18 * (65_536 >>> 4) + 8; // u32[256]: counts of the kinds, ascending
const RARE_NEXT: usize = RARE_COUNT + 4 * 256; // i32[256]: by slot, where the next event of a rare kind goes; else -1

const MOST_LOST: u32 = 4096;

/** Where the caller finds things. */
export const eventList: usize = EVENT_LIST;
export const eventCount: usize = EVENT_COUNT;
export const pidList: usize = PID_LIST;
export const pidCount: usize = PID_COUNT;
export const lost: usize = LOST;
export const kept: usize = KEPT;
export const chunk: usize = CHUNK;
export const rare: usize = RARE;
export const batch: usize = BATCH;
export const wanted: usize = WANTED;
export const named: usize = NAMED;

/** Of the open chunk. */
export let events: u32 = 0;
export let kinds: u32 = 0;
export let pids: u32 = 0;
export let lostCount: u32 = 0;
/** What `scan` added to the list of kept events; the caller takes it after each. */
export let keptCount: u32 = 0;
/** Whether the last `scan` met what is not its business. The open chunk is worthless then: `reset`. */
export let unusual: bool = false;
/** Of the chunk that `pack` made. */
export let flags: u32 = 0;
export let checksum: u32 = 0;
/** Of the chunk's first record, relative to its base. */
export let firstPosition: u32 = 0;
export let from: f64 = 0;
export let to: f64 = 0;
/** Of the rare events that `pack` put into `rare`: see store/rare-events.ts. */
export let rareBelow: u32 = 0;
export let rareBytes: u32 = 0;
export let rareChecksum: u32 = 0;

let farTimes: u32 = 0;
let before: i64 = 0;
let beforeAt: u32 = 0;
let firstTime: i64 = 0;
let positionSteps: u32 = 0;

// Layout of the CPU's sub-buffers.
let subBufferBytes: u32 = 4096;
let dataOffset: u32 = 16;
let commitBytes: u32 = 8;
let typeOffset: u32 = 0;
let pidOffset: u32 = 4;
let origin: u64 = 0;

/** `rawOrigin`: what times are relative to. */
export function begin(subBuffer: u32, data: u32, commit: u32, type: u32, pid: u32, rawOrigin: u64): void {
  subBufferBytes = subBuffer;
  dataOffset = data;
  commitBytes = commit;
  typeOffset = type;
  pidOffset = pid;
  origin = rawOrigin;
  reset();
}

/**
 * Scans the sub-buffers of `batch` from byte `start` up to `length`; `position` is what the batch's first byte is relative to
 * the chunk's base. Returns the byte after the last one that was scanned: a sub-buffer that might not fit into the chunk is left.
 */
export function scan(start: u32, length: u32, position: u32): u32 {
  let n = events;
  let time = before;
  let at = beforeAt;
  let byte = start;
  keptCount = 0;
  const header: u32 = max(typeOffset + 2, pidOffset + 4);

  for (; byte + subBufferBytes <= length; byte += subBufferBytes) {
    const page = BATCH + byte;
    const commit = load<u32>(page, 8);
    const size = commit & 0x07ff_ffff;
    if (n > 0 && n + ((min(size, subBufferBytes - dataOffset) + 7) >>> 3) > CAPACITY) break;
    if (size > subBufferBytes - dataOffset || (size & 3) !== 0) {
      unusual = true;
      break;
    }
    const stamp = load<u64>(page);
    const firstOfPage = n;
    let now: i64 = size === 0 ? 0 : sinceOrigin(stamp);
    let record = page + dataOffset;
    const end = record + size;

    while (record < end) {
      const word = load<u32>(record);
      const kind = word & 31;
      const delta = <i64>(word >>> 5);
      let payload = record + 4;
      let bytes: u32 = kind << 2;
      if (kind - 1 >= 28) {
        // All of these have a second word, but for the padding that ends a sub-buffer.
        const second = record + 4 < end ? load<u32>(record, 4) : 0;
        if (record + 4 >= end && (kind !== 29 || delta !== 0)) {
          unusual = true;
          break;
        }
        if (kind === 0) {
          if (second < 4) {
            unusual = true;
            break;
          }
          payload = record + 8;
          bytes = (second - 1) & ~3;
        } else if (kind === 30) {
          now += ((<i64>second) << 27) + delta;
          if (now >= <i64>EXACT) unusual = true;
          record += 8;
          continue;
        } else if (kind === 31) {
          // Of a clock's 64 bits the upper five are the sub-buffer's; where the others wrapped, the time is not exact here.
          now = sinceOrigin(((<u64>second) << 27) + <u64>delta + (stamp & 0xf800_0000_0000_0000));
          record += 8;
          continue;
        } else {
          now += delta;
          if (delta === 0) {
            if (record + 4 !== end) unusual = true;
            break;
          }
          if (second > subBufferBytes) {
            unusual = true;
            break;
          }
          record += 4 + ((second + 3) & ~3);
          continue;
        }
      }
      const id = <u32>load<u16>(payload + typeOffset);
      const pid = load<u32>(payload + pidOffset);
      now += delta;
      if (bytes > <u32>(end - payload) || bytes < header || pid >= MOST_PIDS || n === CAPACITY) {
        unusual = true;
        break;
      }

      const here = position + <u32>(record - BATCH);
      if (n === 0) {
        firstTime = time = now;
        firstPosition = at = here;
      }
      const step = now - time;
      if (<u64>step > 0xffff_ffff) {
        store<u32>(FAR_TIMES + ((<usize>farTimes) << 4), n);
        store<i64>(FAR_TIMES + ((<usize>farTimes) << 4), step, 8);
        farTimes++;
      }
      store<u32>(TIME_STEPS + ((<usize>n) << 2), <u32>step);
      time = now;
      const words = (here - at) >>> 2;
      store<u32>(POSITION_STEPS + ((<usize>n) << 2), words);
      positionSteps |= words;
      at = here;

      let slot = load<u32>(EVENT_SLOT + ((<usize>id) << 2));
      if (slot === 0) slot = newKind(id);
      store<u16>(EVENTS + ((<usize>n) << 1), <u16>(slot - 1));
      const eventCounter = EVENT_COUNT - 4 + ((<usize>slot) << 2);
      store<u32>(eventCounter, load<u32>(eventCounter) + 1);

      slot = load<u32>(PID_SLOT + ((<usize>pid) << 2));
      if (slot === 0) slot = newPid(pid);
      store<u16>(PIDS + ((<usize>n) << 1), <u16>(slot - 1));
      const pidCounter = PID_COUNT - 4 + ((<usize>slot) << 2);
      store<u32>(pidCounter, load<u32>(pidCounter) + 1);

      if ((load<u8>(WANTED + id) & ~load<u8>(NAMED + pid)) !== 0) keep(n, record - BATCH, id, pid, now);
      n++;
      record = payload + bytes;
    }

    if (unusual) break;
    if ((commit & 0x8000_0000) !== 0) {
      let count: f64 = -1;
      if ((commit & 0x4000_0000) !== 0 && dataOffset + size + commitBytes <= subBufferBytes) {
        const stored = page + dataOffset + size;
        count = commitBytes === 8 ? <f64>load<u64>(stored) : <f64>load<u32>(stored);
      }
      if (!lose(firstOfPage, count)) break;
    }
  }

  events = n;
  before = time;
  beforeAt = at;
  return byte;
}

/** Ticks since the origin, either way; what a double cannot hold is unusual. */
function sinceOrigin(stamp: u64): i64 {
  const distance = stamp >= origin ? stamp - origin : origin - stamp;
  if (distance >= EXACT) unusual = true;
  return <i64>(stamp - origin);
}

/** Puts a kernel id into the chunk's dictionary; returns slot + 1. */
function newKind(id: u32): u32 {
  store<u32>(EVENT_LIST + ((<usize>kinds) << 2), id);
  store<u32>(EVENT_COUNT + ((<usize>kinds) << 2), 0);
  store<u32>(EVENT_SLOT + ((<usize>id) << 2), ++kinds);
  return kinds;
}

function newPid(pid: u32): u32 {
  store<u32>(PID_LIST + ((<usize>pids) << 2), pid);
  store<u32>(PID_COUNT + ((<usize>pids) << 2), 0);
  store<u32>(PID_SLOT + ((<usize>pid) << 2), ++pids);
  return pids;
}

/** `byte`: of the record, in the batch. */
function keep(event: u32, byte: usize, id: u32, pid: u32, time: i64): void {
  const entry = KEPT + <usize>keptCount * 24;
  store<f64>(entry, <f64>time);
  store<u32>(entry, event, 8);
  store<u32>(entry, <u32>byte, 12);
  store<u32>(entry, id, 16);
  store<u32>(entry, pid, 20);
  keptCount++;
  // The first switch of a task is enough.
  if (load<u8>(WANTED + id) === 2) store<u8>(NAMED + pid, 2);
}

/** Events were lost before `event`. Returns whether there was room to note it. */
function lose(event: u32, count: f64): bool {
  if (lostCount === MOST_LOST) {
    unusual = true;
    return false;
  }
  const entry = LOST + <usize>lostCount * 24;
  store<f64>(entry, count, 8);
  store<u32>(entry, event, 16);
  lostCount++;
  return true;
}

const WIDE_TIME: u32 = 1;
const WIDE_EVENT: u32 = 2;
const PID_16: u32 = 4;
const WIDE_POSITION: u32 = 16;
const UNORDERED: u32 = 32;
const POSITION_16: u32 = 64;

/**
 * Packs the open chunk, which must have events, into `chunk`: the dictionary of kinds, and behind it the columns, as
 * store/chunk-codec.ts says; completes the times of what was lost. Returns the length of the columns. The lists of kinds and
 * pids with their counts stay for the caller until `reset`.
 */
export function pack(): u32 {
  const n = events;
  flags = 0;
  for (let slot: u32 = 0; slot < kinds; slot++) {
    store<u32>(CHUNK + ((<usize>slot) << 3), load<u32>(EVENT_LIST + ((<usize>slot) << 2)));
    store<u32>(CHUNK + ((<usize>slot) << 3), load<u32>(EVENT_COUNT + ((<usize>slot) << 2)), 4);
  }
  const columns = CHUNK + ((<usize>kinds) << 3);
  let out = packTimes(columns, n);
  memory.copy(out, PID_LIST, (<usize>pids) << 2);
  out += (<usize>pids) << 2;
  if (pids > 256) {
    flags |= PID_16;
    memory.copy(out, PIDS, (<usize>n) << 1);
    out = padded(out + ((<usize>n) << 1));
  } else out = packBytes16(out, PIDS, n);
  out = packPositions(out, n);
  if (kinds > 256) {
    flags |= WIDE_EVENT;
    for (let i: usize = 0; i < n; i++) {
      const slot = <usize>load<u16>(EVENTS + (i << 1));
      store<u16>(out + (i << 1), <u16>load<u32>(EVENT_LIST + (slot << 2)));
    }
    out = padded(out + ((<usize>n) << 1));
  } else out = packBytes16(out, EVENTS, n);
  const length = <u32>(out - columns);
  const dictionary = mix(0x2545_f491, CHUNK, kinds << 3);
  checksum = mix(dictionary, columns, length);
  packRare(n);
  rareChecksum = rareBytes > 0 ? mix(dictionary, RARE, rareBytes) : 0;
  return length;
}

/** Puts the events of the rarest kinds, a sixteenth of all at most, into `rare`, as store/rare-events.ts says. */
function packRare(n: u32): void {
  rareBytes = 0;
  rareBelow = 0;
  if (kinds > 256) return;
  rareBelow = rarest(n >>> 4);
  let all: u32 = 0;
  for (let slot: u32 = 0; slot < kinds; slot++) {
    const count = load<u32>(EVENT_COUNT + ((<usize>slot) << 2));
    const next = RARE_NEXT + ((<usize>slot) << 2);
    if (count <= rareBelow) {
      store<i32>(next, <i32>all);
      all += count;
    } else store<i32>(next, -1);
  }
  if (all === 0) return;
  rareBytes = 16 * all + ((2 * all + 3) & ~3);
  store<u32>(RARE + rareBytes - 4, 0);
  const positions = RARE + ((<usize>all) << 3);
  const tasks = positions + ((<usize>all) << 2);
  const places = tasks + ((<usize>all) << 2);
  let time = firstTime;
  let position: u32 = 0;
  let far: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    if (far < farTimes && load<u32>(FAR_TIMES + ((<usize>far) << 4)) === i) {
      time += load<i64>(FAR_TIMES + ((<usize>far) << 4), 8);
      far++;
    } else time += <i64>load<u32>(TIME_STEPS + ((<usize>i) << 2));
    position += load<u32>(POSITION_STEPS + ((<usize>i) << 2)) << 2;
    const next = RARE_NEXT + ((<usize>load<u16>(EVENTS + ((<usize>i) << 1))) << 2);
    const to = load<i32>(next);
    if (to < 0) continue;
    store<i32>(next, to + 1);
    store<f64>(RARE + ((<usize>to) << 3), <f64>time);
    store<u32>(positions + ((<usize>to) << 2), position);
    const task = <usize>load<u16>(PIDS + ((<usize>i) << 1));
    store<u32>(tasks + ((<usize>to) << 2), load<u32>(PID_LIST + (task << 2)));
    store<u16>(places + ((<usize>to) << 1), <u16>i);
  }
}

/** The largest number of events that a kind may have to be among the rarest, of which there are `most` events together. */
function rarest(most: u32): u32 {
  // By insertion: a chunk has some dozen kinds.
  for (let slot: u32 = 0; slot < kinds; slot++) {
    const count = load<u32>(EVENT_COUNT + ((<usize>slot) << 2));
    let at = slot;
    for (; at > 0 && load<u32>(RARE_COUNT + ((<usize>(at - 1)) << 2)) > count; at--)
      store<u32>(RARE_COUNT + ((<usize>at) << 2), load<u32>(RARE_COUNT + ((<usize>(at - 1)) << 2)));
    store<u32>(RARE_COUNT + ((<usize>at) << 2), count);
  }
  let below: u32 = 0;
  let total: u32 = 0;
  for (let i: u32 = 0; i < kinds; ) {
    const count = load<u32>(RARE_COUNT + ((<usize>i) << 2));
    for (; i < kinds && load<u32>(RARE_COUNT + ((<usize>i) << 2)) === count; i++) total += count;
    if (total > most) break;
    below = count;
  }
  return below;
}

/** Forgets the open chunk. */
export function reset(): void {
  for (let slot: u32 = 0; slot < kinds; slot++)
    store<u32>(EVENT_SLOT + ((<usize>load<u32>(EVENT_LIST + ((<usize>slot) << 2))) << 2), 0);
  for (let slot: u32 = 0; slot < pids; slot++)
    store<u32>(PID_SLOT + ((<usize>load<u32>(PID_LIST + ((<usize>slot) << 2))) << 2), 0);
  events = kinds = pids = farTimes = lostCount = keptCount = positionSteps = 0;
  unusual = false;
}

function packTimes(out: usize, n: u32): usize {
  from = <f64>firstTime;
  to = <f64>before;
  if (lostCount > 0) timesOfLost(n);
  if (farTimes === 0) {
    memory.copy(out, TIME_STEPS, (<usize>n) << 2);
    return out + ((<usize>n) << 2);
  }
  flags |= WIDE_TIME;
  let time = firstTime;
  let least = firstTime;
  let most = firstTime;
  let far: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    if (far < farTimes && load<u32>(FAR_TIMES + ((<usize>far) << 4)) === i) {
      const step = load<i64>(FAR_TIMES + ((<usize>far) << 4), 8);
      far++;
      if (step < 0) flags |= UNORDERED;
      time += step;
    } else time += <i64>load<u32>(TIME_STEPS + ((<usize>i) << 2));
    store<f64>(out + ((<usize>i) << 3), <f64>time);
    if (time < least) least = time;
    if (time > most) most = time;
  }
  from = <f64>least;
  to = <f64>most;
  return out + ((<usize>n) << 3);
}

/** Lost events have the time of the event behind them, or where there is none that of the last one. */
function timesOfLost(n: u32): void {
  let time = firstTime;
  let far: u32 = 0;
  let next: u32 = 0;
  for (let i: u32 = 0; i < n && next < lostCount; i++) {
    if (far < farTimes && load<u32>(FAR_TIMES + ((<usize>far) << 4)) === i) {
      time += load<i64>(FAR_TIMES + ((<usize>far) << 4), 8);
      far++;
    } else time += <i64>load<u32>(TIME_STEPS + ((<usize>i) << 2));
    for (; next < lostCount; next++) {
      const entry = LOST + <usize>next * 24;
      if (min(load<u32>(entry, 16), n - 1) !== i) break;
      store<f64>(entry, <f64>time);
    }
  }
}

function packPositions(out: usize, n: u32): usize {
  if (positionSteps >= 65_536) {
    flags |= WIDE_POSITION;
    let position: u32 = 0;
    for (let i: usize = 0; i < n; i++) {
      position += load<u32>(POSITION_STEPS + (i << 2)) << 2;
      store<u32>(out + (i << 2), position);
    }
    return out + ((<usize>n) << 2);
  }
  if (positionSteps >= 256) {
    flags |= POSITION_16;
    for (let i: usize = 0; i < n; i++) store<u16>(out + (i << 1), load<u16>(POSITION_STEPS + (i << 2)));
    return padded(out + ((<usize>n) << 1));
  }
  for (let i: usize = 0; i < n; i++) store<u8>(out + i, load<u8>(POSITION_STEPS + (i << 2)));
  return padded(out + n);
}

/** Packs the lower bytes of `n` 16-bit numbers. */
function packBytes16(out: usize, source: usize, n: u32): usize {
  for (let i: usize = 0; i < n; i++) store<u8>(out + i, load<u8>(source + (i << 1)));
  return padded(out + n);
}

/** The next whole word from `at` on, zeros up to it. */
function padded(at: usize): usize {
  for (; (at & 3) !== 0; at++) store<u8>(at, 0);
  return at;
}

/** `checksumOf` of store/chunk-codec.ts for one blob, of whole words. */
function mix(hash: u32, blob: usize, length: u32): u32 {
  let a: u32 = hash;
  let b: u32 = 0x9e37_79b1;
  let c: u32 = 0x85eb_ca6b;
  let d: u32 = 0xc2b2_ae35;
  const fours: u32 = length & ~15;
  for (let i: u32 = 0; i < fours; i += 16) {
    const at = blob + i;
    a = ((a ^ load<u32>(at)) * 0x9e37_79b1) ^ (a >>> 15);
    b = ((b ^ load<u32>(at, 4)) * 0x9e37_79b1) ^ (b >>> 15);
    c = ((c ^ load<u32>(at, 8)) * 0x9e37_79b1) ^ (c >>> 15);
    d = ((d ^ load<u32>(at, 12)) * 0x9e37_79b1) ^ (d >>> 15);
  }
  for (let i: u32 = fours; i < length; i++) a = ((a ^ <u32>load<u8>(blob + i)) * 0x85eb_ca6b) ^ (a >>> 13);
  a = ((a ^ b) * 0xc2b2_ae35) ^ (a >>> 16);
  a = ((a ^ c) * 0xc2b2_ae35) ^ (a >>> 16);
  a = ((a ^ d) * 0xc2b2_ae35) ^ (a >>> 16);
  return ((a ^ length) * 0xc2b2_ae35) ^ (a >>> 16);
}
