import { describe, expect, test } from 'vitest';
import { type FieldFormat, parseEventFormat } from '../../../electron/parse/event-format.ts';
import { bigintReader, bytesReader, numberReader, textReader } from '../../../electron/parse/field-access.ts';
import type { TraceAbi } from '../../../electron/parse/recording.ts';

const little: TraceAbi = { littleEndian: true, longBytes: 8 };
const big: TraceAbi = { littleEndian: false, longBytes: 4 };

function field(declared: string, offset: number, size: number, signed = 0, abi = little): FieldFormat {
  const text = `name: one\nID: 1\nformat:\n\tfield:${declared};\toffset:${offset};\tsize:${size};\tsigned:${signed};\n`;
  return parseEventFormat(text, 'test', abi).fields[0];
}

/** A record that starts 3 bytes into its page, so that a reader that forgets `at` is found out. */
function record(...bytes: (number | string)[]): [DataView, number, number] {
  const data = bytes.flatMap((each) => (typeof each === 'string' ? [...Buffer.from(each)] : [each]));
  const page = Uint8Array.from([0xee, 0xee, 0xee, ...data, 0xee, 0xee, 0xee, 0xee]);
  return [new DataView(page.buffer), 3, 3 + data.length];
}

describe('numbers', () => {
  const bytes = record(0xff, 0x7f, 0x01, 0x80, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
  test.each([
    ['s8 v', 0, 1, 1, little, -1],
    ['u8 v', 0, 1, 0, little, 255],
    ['short v', 2, 2, 1, little, -32767],
    ['u16 v', 2, 2, 0, little, 0x8001],
    ['u16 v', 2, 2, 0, big, 0x0180],
    ['int v', 0, 4, 1, little, -0x7ffe8001],
    ['u32 v', 0, 4, 0, big, 0xff7f0180],
    ['long long v', 4, 8, 1, little, -2],
    ['u64 v', 4, 8, 0, little, 2 ** 64],
  ] as const)('%s at %i, %i bytes, signed %i', (declared, offset, size, signed, abi, value) => {
    expect(numberReader(field(declared, offset, size, signed, abi), abi)(...bytes)).toBe(value);
  });

  test('beyond 2^53 the bigint is exact', () => {
    expect(bigintReader(field('u64 v', 4, 8), little)(...bytes)).toBe(2n ** 64n - 2n);
    expect(bigintReader(field('u64 v', 4, 8), big)(...bytes)).toBe(0xfeffffffffffffffn);
    expect(bigintReader(field('s64 v', 4, 8, 1), little)(...bytes)).toBe(-2n);
    expect(bigintReader(field('int v', 0, 4, 1), little)(...bytes)).toBe(-0x7ffe8001n);
  });

  test('an element of a fixed and of a dynamic array; none behind the last', () => {
    const fixed = field('u16 v[2]', 0, 4);
    expect([0, 1, 2].map((index) => numberReader(fixed, little, index)(...bytes))).toEqual([
      0x7fff,
      0x8001,
      Number.NaN,
    ]);
    const dynamic = field('__data_loc u16[] v', 0, 4);
    const data = record(4, 0, 4, 0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66);
    expect([0, 1, 2].map((index) => numberReader(dynamic, little, index)(...data))).toEqual([
      0x2211,
      0x4433,
      Number.NaN,
    ]);
    expect(bigintReader(dynamic, little, 1)(...data)).toBe(0x4433n);
  });
});

describe('text', () => {
  test('a fixed array ends at its NUL or its size', () => {
    expect(textReader(field('char comm[4]', 0, 4), little)(...record('ab\0c'))).toBe('ab');
    expect(textReader(field('char comm[4]', 0, 4), little)(...record('abcd'))).toBe('abcd');
    expect(textReader(field('char comm[4]', 0, 4), little)(...record('é☃'))).toBe('é\ufffd');
  });

  test('__data_loc counts from the record, __rel_loc from behind its word', () => {
    expect(textReader(field('__data_loc char[] s', 0, 4), little)(...record(6, 0, 4, 0, '??kfc\0'))).toBe('kfc');
    expect(textReader(field('__data_loc char[] s', 0, 4, 0, big), big)(...record(0, 4, 0, 6, '??kfc\0'))).toBe('kfc');
    expect(textReader(field('__rel_loc char[] s', 0, 4), little)(...record(2, 0, 4, 0, '??kfc\0'))).toBe('kfc');
  });

  test('the old 2-byte word has no length', () => {
    expect(textReader(field('__data_loc s', 0, 2), little)(...record(3, 0, '?kfc\0x'))).toBe('kfc');
  });

  test('pointers, arrays, 64 bit, and what is no number', () => {
    const bytes = record(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0);
    expect(textReader(field('void * p', 0, 8), little)(...bytes)).toBe('0xffffffffffffffff');
    expect(textReader(field('u64 v', 0, 8), little)(...bytes)).toBe('18446744073709551615');
    expect(textReader(field('s16 v[5]', 0, 10, 1), little)(...bytes)).toBe('[-1, -1, -1, -1, 1]');
    expect(textReader(field('uuid_t v', 7, 3), little)(...bytes)).toBe('ff0100');
  });
});

describe('a record that is too short', () => {
  const [view, at] = record(8, 0, 4, 0, 1, 2, 3, 4, 'kfc\0');
  test('no value instead of the bytes behind it', () => {
    for (let length = 0; length < 8; length++) {
      expect(numberReader(field('u32 v', 4, 4), little)(view, at, at + length)).toBeNaN();
      expect(bigintReader(field('u64 v', 0, 8), little)(view, at, at + length)).toBeNull();
      expect(textReader(field('u64 v', 0, 8), little)(view, at, at + length)).toBe('');
    }
    expect(textReader(field('__data_loc char[] s', 0, 4), little)(view, at, at + 3)).toBe('');
  });

  test('arrays and strings keep what the record holds', () => {
    const name = field('__data_loc char[] s', 0, 4);
    expect(textReader(name, little)(view, at, at + 10)).toBe('kf');
    expect(bytesReader(name, little)(view, at, at + 7)).toHaveLength(0);
    expect([...bytesReader(field('u8 v[8]', 4, 8), little)(view, at, at + 6)]).toEqual([1, 2]);
    expect([...bytesReader(field('u8 v[]', 6, 0), little)(view, at, at + 9)]).toEqual([3, 4, 0x6b]);
  });
});
