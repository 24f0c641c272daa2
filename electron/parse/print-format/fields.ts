import type { FieldFormat } from '../event-format.ts';
import type { TraceAbi } from '../recording.ts';
import type { NumberOf, PrintRecord } from './record.ts';

/** What libtraceevent makes of a field's declaration, where that differs from what the declaration means. */

/** Text where it is printable: arrays of anything with `char`, `u8` or `s8` in its type. */
export function looksLikeText(field: FieldFormat): boolean {
  if (field.location !== 'fixed' && field.size === 2) return true;
  return field.isArray && /char|u8|s8/.test(field.declaration);
}

export const isDynamic = (field: FieldFormat): boolean => field.location !== 'fixed';

const KNOWN_BYTES: Record<string, number> = { u8: 1, u16: 2, u32: 4, u64: 8, s8: 1, s16: 2, s32: 4, s64: 8, char: 1 };

/** Size of an element as `REC->array[i]` steps; 0 where it is not known, which reads as 0. */
export function stepBytes(field: FieldFormat, abi: TraceAbi): number {
  if (!field.isArray && !isDynamic(field)) return field.size;
  const length = Number(/(\d+)\]$/.exec(field.declaration)?.[1] ?? 0);
  if (length > 0) return Math.trunc(field.size / length);
  if (isDynamic(field)) return KNOWN_BYTES[/(\w+)\[[^\]]*\]$/.exec(field.declaration)?.[1] ?? ''] ?? 0;
  if (looksLikeText(field)) return 1;
  return field.isLong ? abi.longBytes : 0;
}

/** Reads `bytes` (1, 2, 4 or 8) at an absolute position into the registers, unsigned; any other size is 0. */
export function readUnsigned(record: PrintRecord, at: number, bytes: number, littleEndian: boolean): void {
  const { view } = record;
  record.high = 0;
  switch (bytes) {
    case 1:
      record.low = view.getUint8(at);
      return;
    case 2:
      record.low = view.getUint16(at, littleEndian);
      return;
    case 4:
      record.low = view.getInt32(at, littleEndian);
      return;
    case 8:
      record.low = view.getInt32(littleEndian ? at : at + 4, littleEndian);
      record.high = view.getInt32(littleEndian ? at + 4 : at, littleEndian);
      return;
    default:
      record.low = 0;
  }
}

/** A field's value, unsigned and of the field's whole size; 0 where the record ends before it. */
export function fieldNumber(field: FieldFormat, abi: TraceAbi): NumberOf {
  const { offset, size } = field;
  const { littleEndian } = abi;
  const last = offset + size;
  switch (size) {
    case 1:
      return (record) => {
        record.high = 0;
        record.low = record.at + last <= record.end ? record.view.getUint8(record.at + offset) : 0;
      };
    case 2:
      return (record) => {
        record.high = 0;
        record.low = record.at + last <= record.end ? record.view.getUint16(record.at + offset, littleEndian) : 0;
      };
    case 4:
      return (record) => {
        record.high = 0;
        record.low = record.at + last <= record.end ? record.view.getInt32(record.at + offset, littleEndian) : 0;
      };
    case 8: {
      const lowAt = littleEndian ? offset : offset + 4;
      const highAt = littleEndian ? offset + 4 : offset;
      return (record) => {
        if (record.at + last > record.end) {
          record.high = 0;
          record.low = 0;
          return;
        }
        record.low = record.view.getInt32(record.at + lowAt, littleEndian);
        record.high = record.view.getInt32(record.at + highAt, littleEndian);
      };
    }
    default:
      return (record) => {
        record.high = 0;
        record.low = 0;
      };
  }
}

/**
 * Where a dynamic field's data lies: offset from the record's start in `low`, length in `high`. Both are 0 where the
 * word is outside the record; the offset, or the length, is 0 where it points beyond it.
 */
export function dynamicPlace(field: FieldFormat, abi: TraceAbi): NumberOf {
  const { offset, size } = field;
  const { littleEndian } = abi;
  const base = field.location === 'rel-loc' ? offset + size : 0;
  return (record) => {
    const recordBytes = record.end - record.at;
    if (offset + size > recordBytes) {
      record.high = 0;
      record.low = 0;
      return;
    }
    readUnsigned(record, record.at + offset, size, littleEndian);
    const start = record.low & 0xffff;
    const length = size === 2 ? recordBytes - start : record.low >>> 16;
    record.high = start + length > recordBytes ? 0 : length;
    record.low = (start > recordBytes ? 0 : start) + base;
  };
}
