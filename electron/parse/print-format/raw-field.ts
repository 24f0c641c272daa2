import type { FieldFormat } from '../event-format.ts';
import type { TraceAbi } from '../recording.ts';
import { dynamicPlace, fieldNumber, isDynamic, looksLikeText } from './fields.ts';
import { numberPrinter, parseSpec } from './printf.ts';
import type { Print } from './record.ts';

/** A field by its declaration alone (libtraceevent: print_field_raw). */
export function fieldRaw(field: FieldFormat, abi: TraceAbi): Print {
  if (field.isArray) return arrayRaw(field, abi);
  const value = fieldNumber(field, abi);
  const { size } = field;
  if (field.isPointer || (!field.signed && field.isLong)) {
    return (record, out) => {
      value(record);
      out.text('0x');
      out.hex64(record.high, record.low);
    };
  }
  // A long of 4 bytes usually holds an address.
  const address = field.signed && size === 4 && field.isLong;
  const spec = parseSpec(address ? '%x' : !field.signed ? '%u' : size === 2 ? '%2d' : '%d');
  const print = numberPrinter({ ...spec, length: field.signed && size <= 4 ? 0 : 2 });
  const shift = size === 2 ? 16 : size === 1 ? 24 : 0;
  const narrow = field.signed ? shift : 0;
  return (record, out) => {
    value(record);
    if (address) out.text('0x');
    print(out, record.high, (record.low << narrow) >> narrow);
  };
}

/** Printable text as it is, anything else as `ARRAY[00, ff]`: and once a field held anything else, always. */
function arrayRaw(field: FieldFormat, abi: TraceAbi): Print {
  const place = isDynamic(field) ? dynamicPlace(field, abi) : null;
  let text = looksLikeText(field);
  return (record, out) => {
    let from = record.at + field.offset;
    let size = field.size;
    if (place !== null) {
      place(record);
      from = record.at + record.low;
      size = record.high;
    }
    const { bytes } = record;
    const to = Math.min(record.reach, from + size);
    if (text && isPrintable(bytes, from, to)) {
      out.cString(bytes, from, record.reach);
      return;
    }
    text = false;
    out.text('ARRAY[');
    for (let i = from; i < to; i++) {
      if (i > from) out.text(', ');
      out.hexByte(bytes[i]);
    }
    out.byte(93);
  };
}

function isPrintable(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const value = bytes[i];
    if (value === 0) return true;
    if ((value < 32 || value > 126) && (value < 9 || value > 13)) return false;
  }
  return true;
}
