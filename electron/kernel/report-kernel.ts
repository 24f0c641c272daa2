import { DONE, FLUSH, GENERAL, OUT, OUT_END, PIECE_BYTES, PROGRAM, PROGRAM_AT, REFILL, SECOND } from './report-memory';
import { field, printEvent, wanted, wantTask } from './report-program';
import { findTask } from './report-tables';
import { copy, decimal, digitsOf, fill, hex, zeroPadded } from './report-text';

export { wantedPid, wantedTable, wantedValue } from './report-program';
export { readSymbols, symbolsEnd, symbolsStopped } from './report-symbols';
export { addTask, addText, taskAt, tasks } from './report-tables';

/**
 * The inner loop of `report`, compiled to WebAssembly (AssemblyScript): scans sub-buffers, merges CPUs by time and writes lines.
 * It knows the usual case only, a little-endian machine's sound data and formats that were compiled to programs. At anything
 * else it stops and says what it wants; its caller gives that, or has the record printed by the general code, which is the
 * measure of this: `parse/sub-buffer.ts` (the layout of the data), `query/records.ts` (the order), `query/report.ts` (the
 * lines), `parse/print-format/` (the texts). `parse/print-format/program.ts` makes the programs.
 *
 * Memory is divided up here and by engine/report-kernel.ts, from `free` on. What comes out of a recording is checked before
 * it is used as a place or a length; what the caller stores (programs, cursors, tables) is trusted.
 */

// Where `run` goes on.
const PRINT: u32 = 0;
/** The current record has been printed. */
const ADVANCE: u32 = 1;
// 2: the current CPU has been given records; none: it has no more.

export const out: usize = OUT;
export const outBytes: usize = OUT_END - OUT;
export const programs: usize = PROGRAM_AT;
export const free: usize = OUT_END;

/** End of what is written in `out`. */
export let outAt: usize = OUT;
/** Where the current cursor is; `run` leaves it at the one it returned for. */
export let current: usize = 0;
/** Buffer of the last record that was printed here; −1: none since the caller last set it. */
export let lastBuffer: i32 = -1;
export let wantedId: u32 = 0;
/** Lines that were written here. */
export let lines: u32 = 0;
/** Every record is for the general code. */
let handOver: bool = false;

// Layout of records, and of lines.
let typeOffset: usize = 0;
let pidOffset: usize = 4;
let headerBytes: usize = 8;
let timeUnit: u32 = 0; // 0 microseconds, 1 nanoseconds, 2 ticks
let secondStart: u64 = 0;
let secondLength: usize = 0;
let flagsOffset: u32 = 0;
let flagsBytes: u32 = 0;
let countOffset: u32 = 0;
let countBytes: u32 = 0;
// Depths that not every kernel has: 0 bytes, and they are not shown.
let migrateOffset: u32 = 0;
let migrateBytes: u32 = 0;
let lockOffset: u32 = 0;
let lockBytes: u32 = 0;

// A cursor: one CPU's records, in the order of its buffer. The caller lays them one behind the other, in the order that decides
// between equal times.
const TIME: usize = 0; // u64: of the next record
const NEXT: usize = 8; // u32: the next entry; entries are { u64 time; u32 where the record's first word is; u32 }
const END: usize = 12; // u32: behind the last one
const ENTRIES: usize = 16; // u32: room for the entries of one sub-buffer, however short its records are
const STOP: usize = 20; // u32: an entry that is for the general code; 0 none
const PAGE: usize = 24; // u32: the next sub-buffer
const PAGES_END: usize = 28; // u32: behind the last whole one
const REACH: usize = 32; // u32: end of the memory that strings without an end may reach
const PREFIX: usize = 36; // u32: the buffer's column
const PREFIX_LENGTH: usize = 40; // u32
const CPU: usize = 44; // u32: the CPU's column
const CPU_LENGTH: usize = 48; // u32
const BUFFER: usize = 52; // u32: index of the buffer
const SUB_BUFFER: usize = 56; // u32: bytes of a sub-buffer
const DATA: usize = 60; // u32: offset of its first record
const ORIGIN: usize = 64; // u64: the first time stamp
const OFFSET: usize = 72; // u64: what is added to times
const COUNT: usize = 80; // u32: events that were scanned so far
const PLAIN: usize = 84; // u32: sub-buffers may be scanned here
const CURSOR_BYTES: usize = 88;

/** A binary heap of cursors: the one whose record is next comes first. */
let heap: usize = 0;
let live: u32 = 0;

/** `unit`: 0 microseconds, 1 nanoseconds, 2 ticks. */
export function layout(type: u32, pid: u32, unit: u32): void {
  typeOffset = type;
  pidOffset = pid;
  headerBytes = max<usize>(typeOffset + 2, pidOffset + 4);
  timeUnit = unit;
}

/** The fields of the flags in front of the time, as offset and bytes. */
export function flagFields(
  flags: u32,
  flagsSize: u32,
  count: u32,
  countSize: u32,
  migrate: u32,
  migrateSize: u32,
  lock: u32,
  lockSize: u32,
): void {
  flagsOffset = flags;
  flagsBytes = flagsSize;
  countOffset = count;
  countBytes = countSize;
  migrateOffset = migrate;
  migrateBytes = migrateSize;
  lockOffset = lock;
  lockBytes = lockSize;
}

export function setOut(at: usize): void {
  outAt = at;
  lastBuffer = -1;
}

export function setHandOver(on: bool): void {
  handOver = on;
}

/** Begins with `count` cursors at `first`, which have been given their first records; `order`: room for u32[count]. */
export function start(first: usize, count: u32, order: usize): void {
  heap = order;
  live = 0;
  for (let i: u32 = 0; i < count; i++) {
    const cursor = first + <usize>i * CURSOR_BYTES;
    if (load<u32>(cursor, NEXT) === load<u32>(cursor, END)) continue;
    store<u32>(heap + ((<usize>live) << 2), <u32>cursor);
    live++;
  }
  for (let i: i32 = (<i32>live >>> 1) - 1; i >= 0; i--) sink(<u32>i);
}

/** The entry behind the cursor's `at`, of which there must be one, is its next. */
function goTo(cursor: usize, at: u32): void {
  store<u32>(cursor, at, NEXT);
  store<u64>(cursor, load<u64>(<usize>at), TIME);
}

function isBefore(a: usize, b: usize): bool {
  const left = load<u64>(a, TIME);
  const right = load<u64>(b, TIME);
  return left === right ? a < b : left < right;
}

function sink(from: u32): void {
  const moved = <usize>load<u32>(heap + ((<usize>from) << 2));
  let i = from;
  for (let child: u32 = 2 * i + 1; child < live; child = 2 * i + 1) {
    let next = <usize>load<u32>(heap + ((<usize>child) << 2));
    if (child + 1 < live) {
      const other = <usize>load<u32>(heap + ((<usize>child) << 2), 4);
      if (isBefore(other, next)) {
        next = other;
        child++;
      }
    }
    if (!isBefore(next, moved)) break;
    store<u32>(heap + ((<usize>i) << 2), <u32>next);
    i = child;
  }
  store<u32>(heap + ((<usize>i) << 2), <u32>moved);
}

/** Prints records until something is wanted, or there is none left. */
export function run(from: u32): u32 {
  let state = from;
  while (live > 0) {
    const cursor = <usize>load<u32>(heap);
    current = cursor;
    if (state === PRINT) {
      if (outAt >= OUT + PIECE_BYTES) return FLUSH;
      if (handOver || load<u32>(cursor, NEXT) === load<u32>(cursor, STOP)) return GENERAL;
      const wanted = line(cursor, <usize>load<u32>(<usize>load<u32>(cursor, NEXT), 8));
      if (wanted !== DONE) return wanted;
      lastBuffer = load<u32>(cursor, BUFFER);
      lines++;
      state = ADVANCE;
    }
    if (state === ADVANCE) {
      const next = load<u32>(cursor, NEXT) + 16;
      if (next < load<u32>(cursor, END)) goTo(cursor, next);
      else if (!scan(cursor)) return REFILL;
    }
    if (load<u32>(cursor, NEXT) === load<u32>(cursor, END)) {
      live--;
      store<u32>(heap, load<u32>(heap + ((<usize>live) << 2)));
      if (live === 0) break;
    }
    sink(0);
    state = PRINT;
  }
  return DONE;
}

/**
 * Scans the next sub-buffer that has events. False: there is none in memory, or the cursor's next one is for the general code;
 * the cursor then has no entries.
 */
export function scan(cursor: usize): bool {
  store<u32>(cursor, 0, STOP);
  store<u32>(cursor, load<u32>(cursor, ENTRIES), NEXT);
  store<u32>(cursor, load<u32>(cursor, ENTRIES), END);
  if (load<u32>(cursor, PLAIN) === 0) return false;
  const bytes = load<u32>(cursor, SUB_BUFFER);
  for (;;) {
    const page = load<u32>(cursor, PAGE);
    if (page + bytes > load<u32>(cursor, PAGES_END) || !scanPage(cursor, page, bytes)) return false;
    store<u32>(cursor, page + bytes, PAGE);
    const first = load<u32>(cursor, ENTRIES);
    if (load<u32>(cursor, END) === first) continue;
    goTo(cursor, first);
    return true;
  }
}

/** Up to here the general code's doubles are exact, whatever the deltas of one sub-buffer add to it. */
const EXACT: u64 = 1 << 52;

function isExact(time: u64, origin: u64): bool {
  return (time >= origin ? time - origin : origin - time) < EXACT;
}

/** One sub-buffer into the cursor's entries. False: it is not usual, and nothing has changed. */
function scanPage(cursor: usize, page: usize, bytes: u32): bool {
  const commit = load<u32>(page, 8);
  const data = load<u32>(cursor, DATA);
  // Lost events have bits of their own, which are above these.
  if (commit > bytes - data || (commit & 3) !== 0) return false;
  const origin = load<u64>(cursor, ORIGIN);
  const offset = load<u64>(cursor, OFFSET);
  const stamp = load<u64>(page);
  let entry: usize = load<u32>(cursor, ENTRIES);
  let now = stamp;
  let record = page + data;
  const end = record + commit;
  if (commit > 0 && !isExact(now, origin)) return false;
  while (record < end) {
    const word = load<u32>(record);
    const kind = word & 31;
    const delta = <u64>(word >>> 5);
    let payload = record + 4;
    let size: usize = kind << 2;
    if (kind - 1 >= 28) {
      if (payload >= end) {
        // The padding that ends a sub-buffer has no second word.
        if (kind !== 29 || delta !== 0) return false;
        break;
      }
      const second = load<u32>(payload);
      if (kind === 0) {
        if (second < 4) return false;
        payload = record + 8;
        size = (second - 1) & ~3;
      } else if (kind === 30) {
        if (second >= 1 << 25) return false;
        now += ((<u64>second) << 27) + delta;
        if (!isExact(now, origin)) return false;
        record += 8;
        continue;
      } else if (kind === 31) {
        now = ((<u64>second) << 27) + delta + (stamp & 0xf800_0000_0000_0000);
        if (!isExact(now, origin)) return false;
        record += 8;
        continue;
      } else {
        if (delta === 0 || second > bytes) return false;
        now += delta;
        record += 4 + ((second + 3) & ~3);
        continue;
      }
    }
    // A sum would wrap round.
    if (size > end - payload) return false;
    now += delta;
    store<u64>(entry, now + offset);
    store<u32>(entry, <u32>record, 8);
    entry += 16;
    record = payload + size;
  }
  store<u32>(cursor, <u32>entry, END);
  store<u32>(cursor, load<u32>(cursor, COUNT) + ((<u32>entry - load<u32>(cursor, ENTRIES)) >>> 4), COUNT);
  return true;
}

/** Writes the record's line; else what is wanted, and nothing is written. */
function line(cursor: usize, record: usize): u32 {
  const word = load<u32>(record);
  let payload = record + 4;
  let size: usize = (word & 31) << 2;
  if (size === 0) {
    payload = record + 8;
    size = (load<u32>(record, 4) - 1) & ~3;
  }
  if (size < headerBytes) return GENERAL;
  const id = <u32>load<u16>(payload + typeOffset);
  const code = load<u32>(PROGRAM_AT + ((<usize>id) << 2));
  if (code <= 1) {
    wantedId = id;
    return code === 0 ? PROGRAM : GENERAL;
  }
  const pid = load<u32>(payload + pidOffset);
  const task = findTask(pid);
  if (task === 0) return wantTask(pid);
  const taskLength = load<u32>(task, 4);
  const time = load<u64>(cursor, TIME);
  if (taskLength === 0 || <i64>time < 0) return GENERAL;
  const end = payload + size;

  let o = outAt;
  o = copy(o, <usize>load<u32>(cursor, PREFIX), load<u32>(cursor, PREFIX_LENGTH));
  o = copy(o, task + 16, taskLength);
  o = copy(o, <usize>load<u32>(cursor, CPU), load<u32>(cursor, CPU_LENGTH));
  o = printFlags(o, payload, end);
  o = printTime(o, time);
  o = printEvent(o, code, payload, end, load<u32>(cursor, REACH));
  if (o === 0) return wanted;
  if (load<u8>(o - 1) === 10) o--;
  store<u8>(o, 10);
  outAt = o + 1;
  return DONE;
}

/** `d..2.`: see parse/print-format/latency.ts. */
function printFlags(to: usize, payload: usize, end: usize): usize {
  let o = to;
  const flags = <u32>field(payload, end, flagsOffset, flagsBytes);
  const count = <u32>field(payload, end, countOffset, countBytes);
  store<u8>(o, (flags & 1) !== 0 ? 100 : (flags & 2) !== 0 ? 88 : 46);
  store<u8>(o, (flags & 4) !== 0 ? 78 : 46, 1);
  const hard = (flags & 8) !== 0;
  const soft = (flags & 16) !== 0;
  store<u8>(o, hard ? (soft ? 72 : 104) : soft ? 115 : 46, 2);
  o += 3;
  if ((count & 0xf) !== 0) o = hex(o, <u64>(count & 0xf), 87);
  else store<u8>(o++, 46);
  if ((count & 0xf0) !== 0) o = hex(o, <u64>(count >>> 4), 87);
  else store<u8>(o++, 46);
  if (migrateBytes !== 0) o = depth(o, <i32>field(payload, end, migrateOffset, migrateBytes));
  if (lockBytes !== 0) o = depth(o, <i32>field(payload, end, lockOffset, lockBytes));
  return o;
}

function depth(o: usize, value: i32): usize {
  if (value >= 0) return decimal(o, <u64>value);
  store<u8>(o, 46);
  return o + 1;
}

/** See parse/print-format/times.ts. */
function printTime(to: usize, time: u64): usize {
  let o = to;
  if (timeUnit === 2) {
    const digits = <usize>digitsOf(time);
    if (digits < 12) o = fill(o, 32, 12 - digits);
    return decimal(o, time);
  }
  store<u8>(o++, 32);
  const rounded = timeUnit === 0 ? time + 500 : time;
  // Most times are in the second of the one before; 0 is where the clock of none begins.
  if (rounded - secondStart >= 1_000_000_000 || secondLength === 0) {
    const second = rounded / 1_000_000_000;
    secondStart = second * 1_000_000_000;
    const digits = <usize>digitsOf(second);
    let at = SECOND;
    if (digits < 5) at = fill(at, 32, 5 - digits);
    at = decimal(at, second);
    store<u8>(at, 46);
    secondLength = at + 1 - SECOND;
  }
  o = copy(o, SECOND, secondLength);
  const ns = <u32>(rounded - secondStart);
  return timeUnit === 0 ? zeroPadded(o, ns / 1000, 6) : zeroPadded(o, ns, 9);
}
