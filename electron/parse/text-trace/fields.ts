import type { FieldFormat } from '../event-format.ts';
import { newTextBody, readBody } from './body.ts';
import { ALL_FORMS, readLine } from './forms.ts';
import type { ValueKind } from './known-texts.ts';
import { newTraceLine } from './line.ts';
import { findValue, numberEnd, readNumber, type Separator, textEnd, wordEnd } from './pairs.ts';

/**
 * Values of fields in records that are text: the record is an event's line with those that continue it, and a field's value
 * stands behind its key or where a pattern says. The readers have the signatures of field-access.ts, which hands them out.
 */
export interface TextField {
  kind: ValueKind;
  /** Spellings of `key`, with what stands between key and value. */
  keys: { key: string; separator: Separator }[];
  /** Tried where no key is found: the group `group` of the first that matches the text behind the event's name. */
  patterns: readonly RegExp[];
  group: string;
}

/** Patterns look no further: what they describe is short, and text of any length would make some of them slow. */
const PATTERN_BYTES = 1024;

interface Range {
  from: number;
  to: number;
}

/** Finds the value's bytes in a record: `[from, to)` in `bytes`, or null where the record has no such field. */
type Finder = (bytes: Uint8Array, at: number, end: number) => Range | null;

const line = newTraceLine();
const body = newTextBody();

/** Where the text behind the event's name begins, in a record of any form. */
function textBegin(bytes: Uint8Array, at: number, end: number): number {
  const newline = bytes.indexOf(0x0a, at);
  const to = newline < 0 || newline > end ? end : newline;
  if (!readLine(bytes, at, to, ALL_FORMS, line)) return at;
  readBody(bytes, line, 0, body);
  return body.infoFrom;
}

function finderOf({ kind, keys, patterns, group }: TextField): Finder {
  const spelled = keys.map(({ key, separator }) => ({ bytes: Buffer.from(key, 'latin1'), separator }));
  const found: Range = { from: 0, to: 0 };
  return (bytes, at, end) => {
    const begin = textBegin(bytes, at, end);
    for (const { bytes: key, separator } of spelled) {
      const value = findValue(bytes, begin, end, key, separator);
      if (value < 0) continue;
      found.from = value;
      found.to = kind === 'text' ? textEnd(bytes, value, end, value - key.length - 1) : skipPadding(bytes, found, end);
      return found;
    }
    if (patterns.length === 0) return null;
    let from = begin;
    while (from < end && bytes[from] === 0x20) from++;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.min(end - from, PATTERN_BYTES))
      .toString('latin1')
      .trimEnd();
    for (const pattern of patterns) {
      const value = pattern.exec(text)?.groups?.[group];
      if (value === undefined) continue;
      // A group's place is not told without the costly `d` flag; its first occurrence reads the same.
      found.from = from + text.indexOf(value);
      found.to = found.from + value.length;
      return found;
    }
    return null;
  };
}

/** Numbers may be padded: `util=  45`. Moves the range's start; returns the number's end, or the word's. */
function skipPadding(bytes: Uint8Array, range: Range, end: number): number {
  while (range.from < end && bytes[range.from] === 0x20) range.from++;
  return readNumber(bytes, range.from, end) === 'none' ? wordEnd(bytes, range.from, end) : numberEnd;
}

/** The view's bytes. A reader is called for many records of one view in a row. */
function bytesOf(): (view: DataView) => Uint8Array {
  let last: DataView | null = null;
  let bytes: Uint8Array = new Uint8Array(0);
  return (view) => {
    if (view !== last || bytes.buffer !== view.buffer) {
      last = view;
      bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    }
    return bytes;
  };
}

export function textFieldNumber(field: FieldFormat): (view: DataView, at: number, end: number) => number {
  const place = field.text as TextField;
  const find = finderOf(place);
  const bytes = bytesOf();
  return (view, at, end) => {
    const all = bytes(view);
    const range = find(all, at, end);
    return range === null ? Number.NaN : numberIn(all, range, place.kind);
  };
}

export function textFieldBigint(field: FieldFormat): (view: DataView, at: number, end: number) => bigint | null {
  const place = field.text as TextField;
  const find = finderOf(place);
  const bytes = bytesOf();
  return (view, at, end) => {
    const all = bytes(view);
    const range = find(all, at, end);
    if (range === null) return null;
    const near = numberIn(all, range, place.kind);
    if (Number.isSafeInteger(near)) return BigInt(near);
    return Number.isInteger(near) ? exactIn(all, range, place.kind) : null;
  };
}

/** The value as written; of a text, without its quotes. */
export function textFieldText(field: FieldFormat): (view: DataView, at: number, end: number) => string {
  const place = field.text as TextField;
  const find = finderOf(place);
  const exact = place.kind === 'text' ? null : textFieldBigint(field);
  const bytes = bytesOf();
  return (view, at, end) => {
    const integer = exact?.(view, at, end) ?? null;
    if (integer !== null) return integer.toString();
    const all = bytes(view);
    const range = find(all, at, end);
    return range === null ? '' : textIn(all, range);
  };
}

/** The value's own bytes, borrowed. */
export function textFieldBytes(field: FieldFormat): (view: DataView, at: number, end: number) => Uint8Array {
  const find = finderOf(field.text as TextField);
  const bytes = bytesOf();
  return (view, at, end) => {
    const all = bytes(view);
    const range = find(all, at, end);
    return range === null ? new Uint8Array(0) : all.subarray(range.from, range.to);
  };
}

const utf8 = new TextDecoder('utf-8');

function textIn(bytes: Uint8Array, { from, to }: Range): string {
  const quoted = to - from >= 2 && bytes[from] === 0x22 && bytes[to - 1] === 0x22;
  return utf8.decode(quoted ? bytes.subarray(from + 1, to - 1) : bytes.subarray(from, to));
}

const ascii = (bytes: Uint8Array, { from, to }: Range): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');

function numberIn(bytes: Uint8Array, range: Range, kind: ValueKind): number {
  switch (kind) {
    case 'text':
      return Number.NaN;
    case 'state':
      return stateBits(ascii(bytes, range));
    case 'device':
      return deviceNumber(ascii(bytes, range));
    case 'octal':
      return Number.parseInt(ascii(bytes, range), 8);
    case 'hex':
      return readNumber(bytes, range.from, range.to) === 'nil' ? 0 : Number.parseInt(ascii(bytes, range), 16);
  }
  const value = plainNumber(bytes, range);
  return kind === 'signed' && value >= 2 ** 63 ? Number(exactIn(bytes, range, kind) ?? Number.NaN) : value;
}

function plainNumber(bytes: Uint8Array, { from, to }: Range): number {
  const shape = readNumber(bytes, from, to);
  if (shape === 'none' || shape === 'bare-hex') return Number.NaN;
  if (shape === 'nil') return 0;
  if (shape === 'decimal' && numberEnd - from <= 15) {
    let value = 0;
    for (let at = from; at < numberEnd; at++) value = value * 10 + (bytes[at] as number) - 0x30;
    return value;
  }
  return Number(ascii(bytes, { from, to: numberEnd }));
}

/** An integer beyond 2^53, digit by digit; null where it is none. */
function exactIn(bytes: Uint8Array, { from, to }: Range, kind: ValueKind): bigint | null {
  const shape = readNumber(bytes, from, to);
  if (shape === 'none' || shape === 'fraction' || shape === 'device' || shape === 'nil') return null;
  const written = ascii(bytes, { from, to: numberEnd });
  const digits = written.replace(/^-?(?:0x)?/i, '');
  const hexadecimal = shape === 'hex' || shape === 'bare-hex' || kind === 'hex';
  const size = BigInt(hexadecimal ? `0x${digits}` : digits);
  const value = written.startsWith('-') ? -size : size;
  return kind === 'signed' ? BigInt.asIntN(64, value) : value;
}

/** Bits of prev_state (include/linux/sched.h: TASK_REPORT), by the letters that sched_switch prints. */
const stateOfLetter: Readonly<Record<string, number>> = {
  R: 0,
  S: 1,
  D: 2,
  T: 4,
  t: 8,
  X: 16,
  Z: 32,
  P: 64,
  I: 128,
  '+': 256,
};

/** `S`, `R+`, `D|K`; kernels without letters print the number. */
function stateBits(text: string): number {
  if (/^(?:0x[0-9a-f]+|\d+)$/i.test(text)) return Number(text);
  let bits = 0;
  for (const letter of text) bits |= stateOfLetter[letter] ?? 0;
  return text === '' ? Number.NaN : bits;
}

/** `254,0`: include/linux/kdev_t.h: MKDEV. A dev_t written as one number stays itself. */
function deviceNumber(text: string): number {
  const match = /^(\d+)[,:](\d+)$/.exec(text);
  return match === null ? Number(text) : Number(match[1]) * 2 ** 20 + Number(match[2]);
}
