/**
 * `key=value` lists in an event's text, in place. Most print formats write them; some put `key: value` or `key value`. The
 * value of a text reaches to the next `key=`, as a comm may hold spaces.
 */
export type Separator = '=' | ':' | ' ';

const SPACE = 0x20;
const TAB = 0x09;
const NEWLINE = 0x0a;
const EQUALS = 0x3d;
const GREATER = 0x3e;
const QUOTE = 0x22;
const MOST_KEY = 64;
const MOST_WORD = 128;

const isLetter = (byte: number): boolean =>
  (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || byte === 0x5f;
const isKeyByte = (byte: number): boolean =>
  isLetter(byte) || (byte >= 0x30 && byte <= 0x39) || byte === 0x2e || byte === 0x2d;
const isBlank = (byte: number | undefined): boolean => byte === SPACE || byte === TAB || byte === NEWLINE;
/** What may stand before a key: nothing else begins a word. */
const opensWord = (byte: number): boolean =>
  isBlank(byte) || byte === 0x28 || byte === 0x5b || byte === 0x7b || byte === 0x2c || byte === 0x3b || byte === 0x7c;
const closesValue = (byte: number): boolean =>
  isBlank(byte) || byte === 0x29 || byte === 0x5d || byte === 0x7d || byte === 0x2c || byte === 0x3b || byte === 0x0d;

/** Calls `visit` for every `key=`: the key's range and where the value begins. */
export function forEachPair(
  bytes: Uint8Array,
  from: number,
  to: number,
  visit: (keyFrom: number, keyTo: number, valueFrom: number) => void,
): void {
  for (let at = from + 1; at < to; at++) {
    if (bytes[at] !== EQUALS) continue;
    const next = bytes[at + 1];
    if (at + 1 < to && (next === EQUALS || next === GREATER)) {
      at++;
      continue;
    }
    const key = keyBefore(bytes, from, at);
    if (key >= 0) visit(key, at, at + 1);
  }
}

/** Where the key begins that ends before `at`; -1 where that is no key. */
function keyBefore(bytes: Uint8Array, from: number, at: number): number {
  let key = at;
  const stop = Math.max(from, at - MOST_KEY);
  while (key > stop && isKeyByte(bytes[key - 1] as number)) key--;
  if (key === at || (key > from && !opensWord(bytes[key - 1] as number))) return -1;
  return isLetter(bytes[key] as number) ? key : -1;
}

/** Where the value of `key` begins in `bytes[from, to)`; -1 where the key is not there. */
export function findValue(bytes: Uint8Array, from: number, to: number, key: Uint8Array, separator: Separator): number {
  const first = key[0] as number;
  const last = to - key.length;
  for (let at = from; at < last; at++) {
    if (bytes[at] !== first || (at > from && !opensWord(bytes[at - 1] as number))) continue;
    let same = 1;
    while (same < key.length && bytes[at + same] === key[same]) same++;
    if (same < key.length) continue;
    const value = behindSeparator(bytes, at + key.length, to, separator);
    if (value >= 0) return value;
  }
  return -1;
}

function behindSeparator(bytes: Uint8Array, at: number, to: number, separator: Separator): number {
  if (separator === '=') return bytes[at] === EQUALS && bytes[at + 1] !== EQUALS ? at + 1 : -1;
  if (separator === ':') {
    if (bytes[at] !== 0x3a) return -1;
    at++;
  } else if (bytes[at] !== SPACE) return -1;
  while (at < to && bytes[at] === SPACE) at++;
  return at;
}

/** Where a value written as one word ends; no word that is read as one is longer than MOST_WORD. */
export function wordEnd(bytes: Uint8Array, from: number, to: number): number {
  const stop = Math.min(to, from + MOST_WORD);
  let at = from;
  while (at < stop && !closesValue(bytes[at] as number)) at++;
  return at;
}

/**
 * Where a text value ends: a quoted one behind its quote, one in brackets before the bracket, else before the next
 * `key=`, without the blanks, commas and `==>` between.
 */
export function textEnd(bytes: Uint8Array, from: number, to: number, keyFrom: number): number {
  if (bytes[from] === QUOTE) {
    for (let at = from + 1; at < to; at++)
      if (bytes[at] === QUOTE && (at + 1 >= to || closesValue(bytes[at + 1] as number))) return at + 1;
  }
  const opener = keyFrom > 0 ? bytes[keyFrom - 1] : SPACE;
  const closer = opener === 0x5b ? 0x5d : opener === 0x28 ? 0x29 : -1;
  let end = to;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte === closer) return at;
    if (
      byte !== EQUALS ||
      at === from ||
      bytes[at + 1] === EQUALS ||
      bytes[at + 1] === GREATER ||
      bytes[at - 1] === EQUALS
    )
      continue;
    const key = keyBefore(bytes, from, at);
    if (key > from) {
      end = key;
      break;
    }
  }
  for (;;) {
    const byte = bytes[end - 1] as number;
    if (end > from && (isBlank(byte) || byte === 0x2c || byte === 0x3b || byte === 0x0d)) end--;
    else if (end - 3 > from && byte === GREATER && bytes[end - 2] === EQUALS && bytes[end - 3] === EQUALS) end -= 3;
    else return end;
  }
}

/**
 * `key: value` and `key value` in a text, for its first line: every word with a number behind it. Which of them are fields
 * the lines that follow must show.
 */
export function forEachWordWithNumber(
  bytes: Uint8Array,
  from: number,
  to: number,
  visit: (keyFrom: number, keyTo: number, separator: Separator, valueFrom: number) => void,
): void {
  for (let at = from; at < to; ) {
    if (isLetter(bytes[at] as number) && (at === from || opensWord(bytes[at - 1] as number))) {
      let end = at + 1;
      while (end < to && end - at < MOST_KEY && isKeyByte(bytes[end] as number)) end++;
      const separator: Separator = bytes[end] === 0x3a ? ':' : ' ';
      const value = end < to ? behindSeparator(bytes, end, to, separator) : -1;
      if (value >= 0 && readNumber(bytes, value, to) !== 'none') visit(at, end, separator, value);
      at = end;
    } else at++;
  }
}

/** How a word reads: `nil` is a null pointer as trace-cmd prints it, `octal` a mode (`0100644`), `device` a pair (`254,0`). */
export type NumberShape =
  | 'decimal'
  | 'negative'
  | 'fraction'
  | 'hex'
  | 'bare-hex'
  | 'octal'
  | 'device'
  | 'nil'
  | 'none';

/** Units that print formats write behind a number without a space. */
const UNITS = new Set(['B', 'K', 'kB', 'KB', 'KiB', 'M', 'MB', 'MiB', 'ns', 'us', 'ms', 's', '%']);
/** A number in hexadecimal without 0x is told from a word by its length: pointers and cookies have at least this. */
const SHORTEST_BARE_HEX = 8;
/** `%03d` pads decimal numbers with zeros, and `%016lx` hexadecimal ones; a length between is a mode's: `0100644`. */
const OCTAL_LENGTH = { least: 5, most: 7 };

/** The shape of the word at `from`; where its number ends is left in `numberEnd`. */
export function readNumber(bytes: Uint8Array, from: number, to: number): NumberShape {
  if (from >= to) return 'none';
  const end = wordEnd(bytes, from, to);
  let at = from;
  if (bytes[at] === 0x28) return isNil(bytes, at, to) ? 'nil' : 'none';
  const negative = bytes[at] === 0x2d;
  if (negative) at++;
  if (bytes[at] === 0x30 && at + 2 < end && (bytes[at + 1] === 0x78 || bytes[at + 1] === 0x58)) {
    const start = at + 2;
    at = start;
    while (at < end && isHexDigit(bytes[at] as number)) at++;
    numberEnd = at;
    return at > start && (at === end || isUnit(bytes, at, end)) ? 'hex' : 'none';
  }
  const start = at;
  while (at < end && isDecimal(bytes[at] as number)) at++;
  let shape: NumberShape = negative ? 'negative' : 'decimal';
  if (at > start && bytes[at] === 0x2e && at + 1 < end && isDecimal(bytes[at + 1] as number)) {
    at++;
    while (at < end && isDecimal(bytes[at] as number)) at++;
    shape = 'fraction';
  }
  if (at > start && !negative && shape === 'decimal' && isPair(bytes, at, to)) return 'device';
  numberEnd = at;
  if (at > start && (at === end || isUnit(bytes, at, end))) {
    const length = at - start;
    const octal =
      shape === 'decimal' &&
      bytes[start] === 0x30 &&
      length >= OCTAL_LENGTH.least &&
      length <= OCTAL_LENGTH.most &&
      at === end;
    return octal && bytes.subarray(start, end).every((byte) => byte < 0x38) ? 'octal' : shape;
  }
  at = from;
  while (at < end && isHexDigit(bytes[at] as number)) at++;
  numberEnd = at;
  return at === end && at - from >= SHORTEST_BARE_HEX ? 'bare-hex' : 'none';
}

/** Where the number that readNumber() found ends. */
export let numberEnd = 0;

/** `,0` or `:0` behind a number; sets `numberEnd`. */
function isPair(bytes: Uint8Array, at: number, to: number): boolean {
  if (at >= to || (bytes[at] !== 0x2c && bytes[at] !== 0x3a)) return false;
  const start = at + 1;
  let end = start;
  while (end < to && isDecimal(bytes[end] as number)) end++;
  numberEnd = end;
  return end > start && (end >= to || closesValue(bytes[end] as number));
}

const isDecimal = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
const isHexDigit = (byte: number): boolean =>
  isDecimal(byte) || (byte >= 0x61 && byte <= 0x66) || (byte >= 0x41 && byte <= 0x46);
const isUnit = (bytes: Uint8Array, from: number, to: number): boolean =>
  to - from <= 3 && UNITS.has(String.fromCharCode(...bytes.subarray(from, to)));

/** `(nil)`, `(null)`; sets `numberEnd`. */
function isNil(bytes: Uint8Array, at: number, to: number): boolean {
  const text = String.fromCharCode(...bytes.subarray(at, Math.min(to, at + 6)));
  const nil = text.startsWith('(nil)') ? 5 : text === '(null)' ? 6 : 0;
  numberEnd = at + nil;
  return nil > 0;
}
