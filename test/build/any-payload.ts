import { ByteWriter } from './bytes.ts';
import { oneOf, type Random } from './random.ts';

/** Records for the `format` text of any kernel, with random values that a kernel might have written. */
export interface FieldLine {
  declaration: string;
  name: string;
  offset: number;
  size: number;
}

const LINE = /^\s*field(?: special)?:([^;]*?);\s*offset:(\d+);\s*size:(\d+);/gm;

/** The fields of a format text, common ones among them, in its order. */
export function fieldLines(text: string): FieldLine[] {
  return [...text.matchAll(LINE)].map(([, declaration, offset, size]) => ({
    declaration: declaration as string,
    name: /(\w+)\s*(?:\[[^\]]*\])*$/.exec(declaration as string)?.[1] ?? '',
    offset: Number(offset),
    size: Number(size),
  }));
}

const COUNT = /depth|len|size|count|nr|num|cnt|bytes/;

const WORDS = [
  'swapper/0',
  'kworker/u4:1',
  'a b',
  'ext4',
  '8:0',
  '',
  'x',
  '/sys/fs/cgroup/db',
  'tücke',
  '100%',
  'longer than sixteen bytes',
];

const text = (random: Random): Uint8Array => Buffer.from(`${oneOf(random, WORDS)}\0`, 'utf8');

/** Small numbers, single bits, all bits, and anything: what enumerations, flags, errors and addresses look like. */
function number(random: Random, bytes: number): bigint {
  const bits = bytes * 8;
  switch (random(6)) {
    case 0:
      return BigInt(random(4));
    case 1:
      return BigInt(random(40));
    case 2:
      return 1n << BigInt(random(bits));
    case 3:
      return BigInt.asUintN(bits, -BigInt(random(40)));
    case 4:
      return BigInt(random(1 << 16));
    default:
      return BigInt.asUintN(bits, (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32)));
  }
}

export interface PayloadAbi {
  littleEndian: boolean;
  longBytes: 4 | 8;
}

/**
 * One record of the format with this text: event `id`, task `pid`. What `__data_loc` and `__rel_loc` words point at lies behind
 * the fields, in their order; strings end with a NUL. Not padded.
 */
export function anyPayload(random: Random, formatText: string, id: number, pid: number, abi: PayloadAbi): Uint8Array {
  const fields = fieldLines(formatText);
  const fixed = Math.max(8, ...fields.map(({ offset, size }) => offset + size));
  const bytes = new Uint8Array(fixed);
  const view = new DataView(bytes.buffer);
  const put = (offset: number, size: number, value: bigint): void => {
    for (let i = 0; i < size; i++) {
      const shift = BigInt(8 * (abi.littleEndian ? i : size - 1 - i));
      view.setUint8(offset + i, Number((value >> shift) & 0xffn));
    }
  };
  // What says how much is to be printed stays small, or trace-cmd prints gigabytes, or crashes behind the record's end.
  const counts = /__print_(?:hex|array)|%[\d-]*\.?\*|name: funcgraph/.test(formatText);
  const tail: Uint8Array[] = [];
  let tailAt = fixed;
  for (const { declaration, name, offset, size } of fields) {
    const isText = /\bchar\b/.test(declaration) && !/unsigned/.test(declaration);
    if (name === 'common_type') put(offset, size, BigInt(id));
    else if (name === 'common_pid') put(offset, size, BigInt(pid));
    else if (/__(data|rel)_loc/.test(declaration)) {
      const data = isText ? text(random) : anyBytes(random, declaration, abi);
      const from = declaration.includes('__rel_loc') ? tailAt - offset - size : tailAt;
      put(offset, size, BigInt(data.length * 0x10000 + from));
      tail.push(data);
      tailAt += data.length;
    } else if (/\[/.test(declaration)) {
      const data = isText ? text(random) : anyBytes(random, declaration, abi);
      bytes.set(data.subarray(0, size), offset);
      if (isText && size > 0 && random(8) > 0) bytes[offset + size - 1] = 0;
      // The last array of a format without a size goes on to the record's end.
      if (size === 0) tail.push(isText ? data : anyBytes(random, declaration, abi));
    } else put(offset, size, counts && COUNT.test(name) ? BigInt(random(8)) : number(random, size));
  }
  return Buffer.concat([bytes, ...tail]);
}

/** Elements of an array, a few of them. */
function anyBytes(random: Random, declaration: string, { littleEndian, longBytes }: PayloadAbi): Uint8Array {
  const width = /long long|64/.test(declaration)
    ? 8
    : /long|cpumask|\*/.test(declaration)
      ? longBytes
      : /char|8|bool/.test(declaration)
        ? 1
        : /short|16/.test(declaration)
          ? 2
          : 4;
  const out = new ByteWriter(littleEndian);
  for (let i = random(6) + (width < 4 ? 8 : 1); i > 0; i--) out.integer(number(random, width), width);
  return out.done();
}
