import type { FieldFormat } from './event-format.ts';
import type { TraceAbi } from './recording.ts';
import { textFieldBigint, textFieldBytes, textFieldNumber, textFieldText } from './text-trace/fields.ts';

/**
 * Readers of one field's value, compiled once per field: the choice of width, sign, byte order and place is made
 * here, not per record. A record is `view[at, end)`, its common fields first; nothing is read outside of it, so that
 * a damaged record gives "no value" (NaN, null, '', no bytes) and never an exception.
 *
 * Dynamic fields hold a word with the place of their data (include/trace/stages/stage2_data_offsets.h):
 * `__data_loc`: length << 16 | offset from the record's start; `__rel_loc`: the same, offset from the word's end;
 * a 2-byte word (before 2.6.32) is the offset alone, and the data a string up to its NUL.
 * In records that are text, fields are found by their names: text-trace/fields.ts.
 */
export type NumberReader = (view: DataView, at: number, end: number) => number;
export type BigintReader = (view: DataView, at: number, end: number) => bigint | null;
export type TextReader = (view: DataView, at: number, end: number) => string;
export type BytesReader = (view: DataView, at: number, end: number) => Uint8Array;

/** Can the field be read as a number (a scalar, or one element of an array of numbers)? */
export function isNumeric(field: FieldFormat): boolean {
  return !field.isString && [1, 2, 4, 8].includes(field.elementBytes);
}

/** Whether the field's numbers are no integers: none of the kernel's fields are, but what texts say may be. */
export const isFraction = (field: FieldFormat): boolean => field.text?.kind === 'fraction';

/**
 * A numeric field as Float64: exact up to 2^53, rounded beyond (see bigintReader); NaN where the record is too short
 * or the field is no number. Of an array, the element `index`.
 */
export function numberReader(field: FieldFormat, abi: TraceAbi, index = 0): NumberReader {
  if (!isNumeric(field)) return noNumber;
  if (field.location === 'text') return textFieldNumber(field);
  const read = numberAt(field.elementBytes, field.signed, abi.littleEndian);
  const bytes = field.elementBytes;
  if (field.location !== 'fixed') {
    const place = dataPlace(field, abi);
    return (view, at, end) => {
      const found = place(view, at, end);
      if (found < 0) return Number.NaN;
      const start = placeStart(found) + index * bytes;
      return start + bytes <= placeStart(found) + placeLength(found) ? read(view, at + start) : Number.NaN;
    };
  }
  if (index * bytes + bytes > field.size) return () => Number.NaN;
  const offset = field.offset + index * bytes;
  return (view, at, end) => (at + offset + bytes <= end ? read(view, at + offset) : Number.NaN);
}

const noNumber: NumberReader = () => Number.NaN;

/** The one number of a field, as expressions and filters mean it; NaN of arrays, texts and a field that there is not. */
export const scalarReader = (field: FieldFormat | undefined, abi: TraceAbi): NumberReader =>
  field === undefined || field.isArray ? noNumber : numberReader(field, abi);

/** A field as filters mean it: the exact value of a number in decimal, of pointers too; else as textReader. */
export function exactTextReader(field: FieldFormat | undefined, abi: TraceAbi): TextReader {
  if (field === undefined) return () => '';
  if (!isNumeric(field) || field.isArray) return textReader(field, abi);
  const exact = bigintReader(field, abi);
  return (view, at, end) => exact(view, at, end)?.toString() ?? '';
}

/** The exact value of a numeric field; null where numberReader gives NaN or no integer. */
export function bigintReader(field: FieldFormat, abi: TraceAbi, index = 0): BigintReader {
  const { littleEndian } = abi;
  if (field.location === 'text') return textFieldBigint(field);
  if (!isNumeric(field) || field.elementBytes !== 8) {
    const read = numberReader(field, abi, index);
    return (view, at, end) => {
      const value = read(view, at, end);
      return Number.isNaN(value) ? null : BigInt(value);
    };
  }
  const bytes = bytesReader(field, abi);
  return (view, at, end) => {
    const data = bytes(view, at, end);
    if (data.length < (index + 1) * 8) return null;
    const from = data.byteOffset - view.byteOffset + index * 8;
    return field.signed ? view.getBigInt64(from, littleEndian) : view.getBigUint64(from, littleEndian);
  };
}

/** The field's bytes, borrowed from the view's buffer; as many as the record holds where it is too short. */
export function bytesReader(field: FieldFormat, abi: TraceAbi): BytesReader {
  if (field.location === 'text') return textFieldBytes(field);
  if (field.location !== 'fixed') {
    const place = dataPlace(field, abi);
    return (view, at, end) => {
      const found = place(view, at, end);
      return found < 0
        ? new Uint8Array(0)
        : new Uint8Array(view.buffer, view.byteOffset + at + placeStart(found), placeLength(found));
    };
  }
  const { offset, size } = field;
  // A fixed array without a size (`char buf[]`, the last field) reaches to the record's end.
  const open = field.isArray && size === 0;
  return (view, at, end) => {
    const start = at + offset;
    const stop = open ? end : Math.min(end, start + size);
    return stop > start ? new Uint8Array(view.buffer, view.byteOffset + start, stop - start) : new Uint8Array(0);
  };
}

/**
 * Any field as text for people: strings up to their NUL (UTF-8), numbers in decimal, pointers in hexadecimal, arrays
 * as `[1, 2]`, everything else as hexadecimal bytes. Empty where the record is too short.
 */
export function textReader(field: FieldFormat, abi: TraceAbi): TextReader {
  if (field.location === 'text') return textFieldText(field);
  const bytes = bytesReader(field, abi);
  if (field.isString) return (view, at, end) => decodeText(bytes(view, at, end));
  if (!isNumeric(field)) return (view, at, end) => Buffer.from(bytes(view, at, end)).toString('hex');
  if (field.isArray) return arrayText(field, abi, bytes);
  if (field.isPointer) {
    const read = bigintReader(field, abi);
    return (view, at, end) => {
      const value = read(view, at, end);
      return value === null ? '' : `0x${BigInt.asUintN(field.size * 8, value).toString(16)}`;
    };
  }
  if (field.size === 8) {
    const read = bigintReader(field, abi);
    return (view, at, end) => read(view, at, end)?.toString() ?? '';
  }
  const read = numberReader(field, abi);
  return (view, at, end) => {
    const value = read(view, at, end);
    return Number.isNaN(value) ? '' : String(value);
  };
}

function arrayText(field: FieldFormat, abi: TraceAbi, bytes: BytesReader): TextReader {
  const width = field.elementBytes;
  const scalar: FieldFormat = { ...field, offset: 0, size: width, location: 'fixed', isArray: false };
  const element = textReader(scalar, abi);
  return (view, at, end) => {
    const data = bytes(view, at, end);
    const words = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const texts: string[] = [];
    for (let from = 0; from + width <= data.length; from += width) texts.push(element(words, from, data.length));
    return `[${texts.join(', ')}]`;
  };
}

const utf8 = new TextDecoder('utf-8');

function decodeText(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0);
  return utf8.decode(nul < 0 ? bytes : bytes.subarray(0, nul));
}

/**
 * Where a dynamic field's data lies, as one number so that nothing is allocated: length · 2^16 + start, start counted
 * from the record's beginning and both cut to the record; −1 where the word or the start lies outside.
 */
function dataPlace(field: FieldFormat, abi: TraceAbi): NumberReader {
  const { offset, size } = field;
  const { littleEndian } = abi;
  const base = field.location === 'rel-loc' ? offset + size : 0;
  return (view, at, end) => {
    if (at + offset + size > end || (size !== 4 && size !== 2)) return -1;
    const word = size === 4 ? view.getUint32(at + offset, littleEndian) : view.getUint16(at + offset, littleEndian);
    const start = base + (word & 0xffff);
    const available = end - at - start;
    if (available < 0 || start > 0xffff) return -1;
    const length = size === 2 ? available : Math.min(word >>> 16, available);
    return length * 0x10000 + start;
  };
}

const placeStart = (place: number): number => place % 0x10000;
const placeLength = (place: number): number => Math.floor(place / 0x10000);

function numberAt(bytes: number, signed: boolean, littleEndian: boolean): (view: DataView, at: number) => number {
  switch (bytes) {
    case 1:
      return signed ? (view, at) => view.getInt8(at) : (view, at) => view.getUint8(at);
    case 2:
      return signed ? (view, at) => view.getInt16(at, littleEndian) : (view, at) => view.getUint16(at, littleEndian);
    case 4:
      return signed ? (view, at) => view.getInt32(at, littleEndian) : (view, at) => view.getUint32(at, littleEndian);
    default: {
      const low = littleEndian ? 0 : 4;
      const high = 4 - low;
      return signed
        ? (view, at) => view.getInt32(at + high, littleEndian) * 2 ** 32 + view.getUint32(at + low, littleEndian)
        : (view, at) => view.getUint32(at + high, littleEndian) * 2 ** 32 + view.getUint32(at + low, littleEndian);
    }
  }
}
