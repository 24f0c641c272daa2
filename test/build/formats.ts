import { ByteWriter } from './bytes.ts';
import type { RingAbi } from './sub-buffer.ts';

/** A field of a made-up event; text lives behind the fixed fields and is found through a `__data_loc` word. */
export interface BuiltField {
  name: string;
  /** C declaration without the name: `u32`, `char[16]`, `__data_loc char[]`. */
  declaration: string;
  bytes: number;
  signed: boolean;
  kind: 'number' | 'chars' | 'data-loc';
}

export interface BuiltFormat {
  system: string;
  name: string;
  id: number;
  fields: BuiltField[];
  printFmt: string;
  /** The whole format text as some kernel gave it, in place of what `fields` and `printFmt` would make. */
  text?: string;
}

/** A number for a number field, text for the others. */
export type BuiltValue = bigint | string;

export interface CommonFields {
  flags: number;
  preemptCount: number;
  pid: number;
}

/** Bytes of the common fields: u16 type, u8 flags, u8 preempt count, i32 pid. */
export const COMMON_BYTES = 8;

/** Offset of every field, naturally aligned as the kernel's C structures are. */
export function offsets(format: BuiltFormat): number[] {
  let at = COMMON_BYTES;
  return format.fields.map(({ bytes, kind }) => {
    const alignment = kind === 'chars' ? 1 : Math.min(bytes, 8);
    at = Math.ceil(at / alignment) * alignment;
    const offset = at;
    at += bytes;
    return offset;
  });
}

function declare(declaration: string, name: string): string {
  const array = /^(.*?)(\[\d*\])$/.exec(declaration);
  // A dynamic array keeps its brackets with the type; a fixed one has them behind the name.
  if (array && !declaration.startsWith('__data_loc')) return `${array[1]} ${name}${array[2]}`;
  return `${declaration} ${name}`;
}

const line = (declaration: string, offset: number, size: number, signed: boolean): string =>
  `\tfield:${declaration};\toffset:${offset};\tsize:${size};\tsigned:${signed ? 1 : 0};\n`;

/** `events/<system>/<name>/format` as the kernel prints it. */
export function formatText(format: BuiltFormat): string {
  if (format.text !== undefined) return format.text;
  const at = offsets(format);
  return (
    `name: ${format.name}\nID: ${format.id}\nformat:\n` +
    line('unsigned short common_type', 0, 2, false) +
    line('unsigned char common_flags', 2, 1, false) +
    line('unsigned char common_preempt_count', 3, 1, false) +
    line('int common_pid', 4, 4, true) +
    '\n' +
    format.fields.map((f, i) => line(declare(f.declaration, f.name), at[i] as number, f.bytes, f.signed)).join('') +
    `\nprint fmt: ${format.printFmt}\n`
  );
}

/** `events/header_page` of a kernel with longs of `longBytes`. */
export function headerPageText({ longBytes, subBufferBytes }: RingAbi): string {
  const data = 8 + longBytes;
  return (
    line('u64 timestamp', 0, 8, false) +
    line('local_t commit', 8, longBytes, true) +
    line('int overwrite', 8, 1, true) +
    line('char data', data, subBufferBytes - data, true)
  );
}

/** `events/header_event`: the same text on every kernel. */
export const HEADER_EVENT_TEXT = `# compressed entry header
\ttype_len    :    5 bits
\ttime_delta  :   27 bits
\tarray       :   32 bits

\tpadding     : type == 29
\ttime_extend : type == 30
\ttime_stamp : type == 31
\tdata max type_len  == 28
`;

/** The bytes of one record: common fields, fixed fields, then what the `__data_loc` words point at. */
export function payloadOf(
  format: BuiltFormat,
  common: CommonFields,
  values: readonly BuiltValue[],
  littleEndian: boolean,
): Uint8Array {
  const at = offsets(format);
  const last = format.fields.length - 1;
  const fixedBytes = last < 0 ? COMMON_BYTES : (at[last] as number) + (format.fields[last] as BuiltField).bytes;
  const out = new ByteWriter(littleEndian);
  out.u16(format.id).u8(common.flags).u8(common.preemptCount).integer(BigInt(common.pid), 4);
  const tail: Uint8Array[] = [];
  let tailAt = fixedBytes;
  format.fields.forEach((field, i) => {
    out.raw(new Uint8Array((at[i] as number) - out.length));
    const value = values[i] as BuiltValue;
    if (field.kind === 'number') {
      out.integer(BigInt(value), field.bytes);
      return;
    }
    const text = Buffer.from(`${String(value)}\0`, 'latin1');
    if (field.kind === 'chars') {
      const chars = new Uint8Array(field.bytes);
      chars.set(text.subarray(0, field.bytes));
      out.raw(chars);
      return;
    }
    // __data_loc: length in the upper half, offset from the start of the record in the lower one.
    out.u32(text.length * 0x10000 + tailAt);
    tail.push(text);
    tailAt += text.length;
  });
  for (const bytes of tail) out.raw(bytes);
  return out.done();
}
