/**
 * One line of ftrace's text, up to the event's own text (kernel/trace/trace_output.c: trace_print_context,
 * trace_print_lat_context; trace-cmd's tracecmd_print_event). Two forms make up nearly all text there is and are read
 * here byte by byte; the others are in forms.ts.
 *
 *   default:  `            bash-7325    (   7325) [001] d..2.  5409.161834: sched_switch: …`
 *              comm (16 columns) - pid   tgid      cpu   flags  seconds
 *              The tgid and the flags may be missing, trace-cmd puts `stream: ` before and may leave no space
 *              before the time; the flags of `report -R` are `-0x1`; a clock that is not in ns is a plain count.
 *   latency:  `trace-cm-22421     1d..2. 36507us+: sched_switch: …`
 *              comm (8 columns) - pid cpu flags  µs, mark; or seconds, in `trace-cmd report -l`
 *
 * A comm may hold anything: spaces, dashes, brackets, what looks like a pid. In both forms it is padded to its column,
 * so the dash behind it has a fixed place; only where that fails is the line searched.
 */
export interface TraceLine {
  /** The line, without its end-of-line bytes, in the bytes that were parsed. */
  from: number;
  to: number;
  /** Name of the stream that trace-cmd prints before the comm; empty range where there is none. */
  streamFrom: number;
  streamTo: number;
  commFrom: number;
  commTo: number;
  /** -1 where the line does not say. */
  pid: number;
  tgid: number;
  cpu: number;
  flagsFrom: number;
  flagsTo: number;
  /** Time: `seconds`·10⁹ + `nanoseconds`, whatever the clock's unit. Two numbers, as one would not be exact. */
  seconds: number;
  nanoseconds: number;
  time: TimeKind;
  /** Where the event's own text begins. */
  bodyFrom: number;
  form: LineForm;
}

/** `default` and `latency` are read here, the others in forms.ts. */
type LineForm = 'default' | 'latency' | 'graph' | 'verbose' | 'raw' | 'hex';

/** `count`: ticks of a clock that the text does not name. `none`: the line has no time stamp. */
export type TimeKind = 'seconds' | 'count' | 'none';

export const newTraceLine = (): TraceLine => ({
  from: 0,
  to: 0,
  streamFrom: 0,
  streamTo: 0,
  commFrom: 0,
  commTo: 0,
  pid: -1,
  tgid: -1,
  cpu: 0,
  flagsFrom: 0,
  flagsTo: 0,
  seconds: 0,
  nanoseconds: 0,
  time: 'seconds',
  bodyFrom: 0,
  form: 'default',
});

const SPACE = 0x20;
const DASH = 0x2d;
const DOT = 0x2e;
const COLON = 0x3a;
const OPEN = 0x28;
const CLOSE = 0x29;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
/** Columns of the comm. */
const COMM_WIDTH = 16;
const SHORT_COMM_WIDTH = 8;
/** The five latency flags of a trace-cmd report, where no space separates them from the time. */
const REPORT_FLAGS = 5;
/** Beyond this no line of either form has its comm's end: bounds the search in a line that is neither. */
const MOST_SEARCHED = 256;
const MOST_SPACES = 64;
/** The most that a kernel is built for (CONFIG_NR_CPUS of x86-64): damage must not make up lanes without end. */
export const MOST_CPUS = 8192;
/** Pids are 32 bits. */
const MOST_PID = 0x7fff_ffff;

export const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;

/** Letters, digits and the signs that occur in flag columns: `dNh2.`, `..#.`, `-0x1`. */
function isFlag(byte: number): boolean {
  return (
    isDigit(byte) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    byte === DOT ||
    byte === 0x23 ||
    byte === DASH ||
    byte === 0x2b
  );
}

function skipSpaces(bytes: Uint8Array, at: number, to: number): number {
  const stop = Math.min(to, at + MOST_SPACES);
  while (at < stop && bytes[at] === SPACE) at++;
  return at;
}

/** Reads digits at `at` into `readNumber`; returns where they end, or -1 where there are none or more than `most`. */
let readNumber = 0;
function digits(bytes: Uint8Array, at: number, to: number, most: number): number {
  let value = 0;
  const start = at;
  while (at < to && isDigit(bytes[at])) {
    value = value * 10 + (bytes[at] as number) - 0x30;
    if (++at - start > most) return -1;
  }
  readNumber = value;
  return at === start ? -1 : at;
}

/** `12.345678:`, `12.345678901:` or `1234567890123:`; returns what follows the colon, or -1. */
function readTime(bytes: Uint8Array, at: number, to: number, line: TraceLine): number {
  const end = digits(bytes, at, to, 20);
  if (end < 0) return -1;
  if (bytes[end] === DOT) {
    const seconds = readNumber;
    const stop = digits(bytes, end + 1, to, 9);
    if (stop < 0 || stop >= to || bytes[stop] !== COLON) return -1;
    line.seconds = seconds;
    line.nanoseconds = readNumber * 10 ** (9 - (stop - end - 1));
    line.time = 'seconds';
    return stop + 1;
  }
  if (end >= to || bytes[end] !== COLON) return -1;
  setCount(bytes, at, end, line);
  return end + 1;
}

/** A count of ticks: its last nine digits are kept apart, so that 64 bits stay exact. */
function setCount(bytes: Uint8Array, from: number, to: number, line: TraceLine): void {
  const split = Math.max(from, to - 9);
  digits(bytes, split, to, 9);
  line.nanoseconds = readNumber;
  line.seconds = split > from && digits(bytes, from, split, 11) > 0 ? readNumber : 0;
  line.time = 'count';
}

const skipOneSpace = (bytes: Uint8Array, at: number, to: number): number =>
  at < to && bytes[at] === SPACE ? at + 1 : at;

/** Reads a line of the default form, `bytes[from, to)`; false where it is not one. */
export function readDefaultLine(bytes: Uint8Array, from: number, to: number, line: TraceLine): boolean {
  const usual = from + COMM_WIDTH;
  if (bytes[usual] === DASH && behindDefaultComm(bytes, usual, to, line))
    return finish(bytes, from, to, usual, 'default', line);
  const stop = Math.min(to, from + MOST_SEARCHED);
  for (let dash = from; dash < stop; dash++) {
    if (bytes[dash] === DASH && behindDefaultComm(bytes, dash, to, line))
      return finish(bytes, from, to, dash, 'default', line);
  }
  return false;
}

/** From the dash on: pid, tgid, cpu, tgid (older kernels put it here), flags, time. */
function behindDefaultComm(bytes: Uint8Array, dash: number, to: number, line: TraceLine): boolean {
  let at = digits(bytes, dash + 1, to, 10);
  if (at < 0 || readNumber > MOST_PID) return false;
  line.pid = readNumber;
  line.tgid = -1;
  at = readTgid(bytes, skipSpaces(bytes, at, to), to, line);
  if (at >= to || bytes[at] !== OPEN_BRACKET) return false;
  at = digits(bytes, at + 1, to, 5);
  if (at < 0 || at >= to || bytes[at] !== CLOSE_BRACKET || readNumber >= MOST_CPUS) return false;
  line.cpu = readNumber;
  at = readTgid(bytes, skipSpaces(bytes, at + 1, to), to, line);
  return readFlagsAndTime(bytes, at, to, line);
}

/** `(   7325)` or `(-----)`. */
function readTgid(bytes: Uint8Array, at: number, to: number, line: TraceLine): number {
  if (at >= to || bytes[at] !== OPEN) return at;
  let next = skipSpaces(bytes, at + 1, to);
  const end = digits(bytes, next, to, 10);
  if (end > 0) {
    line.tgid = readNumber;
    next = end;
  } else while (next < to && bytes[next] === DASH) next++;
  return next < to && bytes[next] === CLOSE ? skipSpaces(bytes, next + 1, to) : at;
}

function readFlagsAndTime(bytes: Uint8Array, at: number, to: number, line: TraceLine): boolean {
  line.flagsFrom = at;
  line.flagsTo = at;
  let body = readTime(bytes, at, to, line);
  if (body < 0) {
    let end = at;
    while (end < to && isFlag(bytes[end] as number)) end++;
    if (end < to && bytes[end] === SPACE && end > at) {
      line.flagsTo = end;
      body = readTime(bytes, skipSpaces(bytes, end, to), to, line);
    } else if (end < to && bytes[end] === COLON && end > at + REPORT_FLAGS && bytes[at] !== DASH) {
      // Flags in hexadecimal have one digit or two: before a count, nothing tells which.
      line.flagsTo = at + REPORT_FLAGS;
      body = readTime(bytes, line.flagsTo, to, line);
    }
    if (body < 0) return false;
  }
  line.bodyFrom = skipOneSpace(bytes, body, to);
  return true;
}

/** Reads a line of the latency form, `bytes[from, to)`; false where it is not one. */
export function readLatencyLine(bytes: Uint8Array, from: number, to: number, line: TraceLine): boolean {
  const usual = from + SHORT_COMM_WIDTH;
  if (bytes[usual] === DASH && behindShortComm(bytes, usual, to, line))
    return finish(bytes, from, to, usual, 'latency', line);
  const stop = Math.min(to, from + MOST_SEARCHED);
  for (let dash = from; dash < stop; dash++) {
    if (bytes[dash] === DASH && behindShortComm(bytes, dash, to, line))
      return finish(bytes, from, to, dash, 'latency', line);
  }
  return false;
}

function behindShortComm(bytes: Uint8Array, dash: number, to: number, line: TraceLine): boolean {
  let at = digits(bytes, dash + 1, to, 10);
  if (at < 0 || at >= to || bytes[at] !== SPACE || readNumber > MOST_PID) return false;
  line.pid = readNumber;
  line.tgid = -1;
  at = digits(bytes, skipSpaces(bytes, at, to), to, 5);
  if (at < 0 || readNumber >= MOST_CPUS) return false;
  line.cpu = readNumber;
  let end = at;
  while (end < to && isFlag(bytes[end] as number)) end++;
  if (end - at < 3) return false;
  const time = skipSpaces(bytes, end, to);
  const stop = digits(bytes, time, to, 18);
  // `36507us+:`; the mark is a space or tells how long the delay was.
  if (
    stop > 0 &&
    time > end &&
    bytes[stop] === 0x75 &&
    bytes[stop + 1] === 0x73 &&
    stop + 3 < to &&
    bytes[stop + 3] === COLON
  ) {
    line.flagsFrom = at;
    line.flagsTo = end;
    line.seconds = Math.floor(readNumber / 1e6);
    line.nanoseconds = (readNumber % 1e6) * 1000;
    line.time = 'seconds';
    line.bodyFrom = skipOneSpace(bytes, stop + 4, to);
    return true;
  }
  // `   42 :`, a clock that is not in ns.
  if (stop > 0 && time > end && bytes[stop] === SPACE && stop + 1 < to && bytes[stop + 1] === COLON) {
    line.flagsFrom = at;
    line.flagsTo = end;
    setCount(bytes, time, stop, line);
    line.bodyFrom = skipOneSpace(bytes, stop + 2, to);
    return true;
  }
  return readFlagsAndTime(bytes, at, to, line) && line.flagsTo > line.flagsFrom;
}

/** The dash is known: what is before it is the comm, and before its column the stream's name. */
function finish(
  bytes: Uint8Array,
  from: number,
  to: number,
  dash: number,
  form: 'default' | 'latency',
  line: TraceLine,
): true {
  line.form = form;
  line.from = from;
  line.to = to;
  line.streamFrom = from;
  line.streamTo = from;
  let commFrom = from;
  const column = dash - (form === 'default' ? COMM_WIDTH : SHORT_COMM_WIDTH);
  if (column > from) {
    let end = column;
    while (end > from && bytes[end - 1] === SPACE) end--;
    // What is not a padded comm stands before it: a stream's name, or a line of dmesg's own time.
    if (end < column || end === from) commFrom = column;
    if (end > from && end < column && bytes[end - 1] === COLON) {
      line.streamFrom = skipSpaces(bytes, from, end);
      line.streamTo = end - 1;
    }
  }
  while (commFrom < dash && bytes[commFrom] === SPACE) commFrom++;
  line.commFrom = commFrom;
  line.commTo = dash;
  return true;
}
