import { describe, expect, test } from 'vitest';
import { printIp6Compressed } from '../../../electron/parse/print-format/addresses.ts';
import { Comms } from '../../../electron/parse/print-format/comms.ts';
import { Symbols } from '../../../electron/parse/print-format/symbols.ts';
import { TextSink } from '../../../electron/parse/print-format/text-sink.ts';
import { TimePrinter, type TimeUnit } from '../../../electron/parse/print-format/times.ts';
import { type Token, Tokens } from '../../../electron/parse/print-format/tokens.ts';
import { lateText } from './print-record.ts';

describe('tokens', () => {
  const tokensOf = (text: string): string[] => {
    const tokens = new Tokens(text);
    const found: string[] = [];
    for (let token: Token = tokens.next(); token.kind !== 'end'; token = tokens.next())
      found.push(`${token.kind} ${token.text}`);
    return found;
  };
  test('operators are as long as they can be', () => {
    expect(tokensOf('a->b<<=c>>d&&e|f!=g--')).toEqual([
      ...['item a', 'operator ->', 'item b', 'operator <<=', 'item c', 'operator >>', 'item d', 'operator &&'],
      ...['item e', 'operator |', 'item f', 'operator !=', 'item g', 'operator --'],
    ]);
  });
  test('strings that follow each other are one; escapes stay', () => {
    expect(tokensOf('"a\\"b"  \n "c", \'x\'')).toEqual(['string a\\"bc', 'delimiter ,', 'character x']);
  });
  test('line ends are tokens, spaces are not', () => {
    expect(tokensOf(' a \t b\n')).toEqual(['item a', 'item b', 'newline \n']);
  });
  test('what is not ASCII, or does not end, ends the text', () => {
    expect(tokensOf('a \u00e9 b')).toEqual(['item a']);
    expect(tokensOf('a "b')).toEqual(['item a']);
  });
  test('macros that old mac80211 formats left unexpanded', () => {
    expect(tokensOf('LOCAL_PR_FMT VIF_PR_FMT')).toEqual(['string %s', 'string  vif:%p(%d)']);
  });
});

describe('symbols', () => {
  const named = (kallsyms: string, address: bigint): string | null => {
    const found = new Symbols(lateText(kallsyms), '').functionAt(
      Number(address >> 32n),
      Number(address & 0xffff_ffffn) | 0,
    );
    return found && Buffer.from(found.name).toString('latin1');
  };
  const LINES = 'ffffffff81000000 T start\nffffffff81000100 t next\t[module]\n0000000000001000 A per_cpu\n';
  test.each([
    [0xffffffff81000000n, 'start'],
    [0xffffffff810000ffn, 'start'],
    [0xffffffff81000100n, 'next'],
    // Nothing is known to lie behind the last symbol.
    [0xffffffff81000101n, null],
    [0xffffffff80ffffffn, null],
    [0x1000n, null],
  ])('%i', (address, name) => {
    expect(named(LINES, address)).toBe(name);
  });
  test('unsorted lines, and two names for one address: what follows belongs to the first line', () => {
    const lines = '00000300 T third\n00000100 T alias_a\n00000100 T alias_b\n00000200 T second\n';
    expect(named(lines, 0x180n)).toBe('alias_a');
    expect(named(lines, 0x280n)).toBe('second');
  });
  test('up to a line that is none', () => {
    expect(named('00000100 T a\nbroken\n00000200 T b\n', 0x200n)).toBeNull();
    expect(named('00000100 T a\nbroken\n00000200 T b\n', 0x100n)).toBe('a');
  });
  test('an address by name', () => {
    const symbols = new Symbols(lateText(LINES), '');
    expect(symbols.addressOf('next')).toBe(0xffffffff81000100n);
    expect(symbols.addressOf('nex')).toBe(0n);
    expect(symbols.addressOf('ext')).toBe(0n);
    expect(symbols.addressOf('')).toBe(0n);
  });
  test('of several symbols of one name the lowest address; none behind a line that is none', () => {
    const symbols = new Symbols(
      lateText('00000300 t x_twice\n00000200 t twice\n00000100 T twice\n\n00000050\n1 T late\n'),
      '',
    );
    expect(symbols.addressOf('twice')).toBe(0x100n);
    expect(symbols.addressOf('late')).toBe(0n);
  });
  test('names that are long, and that lie over the end of a piece of the text', () => {
    const padding = (bytes: number): string => `1 T ${'p'.repeat(bytes - 5)}\n`;
    const long = 'n'.repeat(300);
    for (let split = 0; split < 12; split++) {
      const before = padding((1 << 16) - split);
      const symbols = new Symbols(lateText(`${before}00ffff01 T needle\n00ffff02 T ${long}\n00ffff03 T needles`), '');
      expect(symbols.addressOf('needle')).toBe(0xffff01n);
      expect(symbols.addressOf('needles')).toBe(0xffff03n);
      expect(symbols.addressOf(long)).toBe(0xffff02n);
      expect(symbols.addressOf('n'.repeat(299))).toBe(0n);
      expect(Buffer.from(symbols.functionAt(0, 0xffff02)?.name ?? []).toString()).toBe(long);
      expect(Buffer.from(symbols.functionAt(0, 0xffff03)?.name ?? []).toString()).toBe('needles');
    }
  });
  test('constant strings: quotes and the last line end are left off, colons kept', () => {
    const symbols = new Symbols(lateText(''), '0xffffffff82000000 : "a: \\"b\\"\\n"\n0xffffffff82000008 : plain\n');
    const text = (low: number): string => Buffer.from(symbols.stringAt(-1, low) ?? []).toString('latin1');
    expect(text(0x82000000 | 0)).toBe('a: \\"b\\"');
    expect(text(0x82000008 | 0)).toBe('plain');
    expect(symbols.stringAt(0, 1)).toBeUndefined();
  });
});

describe('times', () => {
  const printer = (unit: TimeUnit): ((time: bigint) => string) => {
    const printed = new TimePrinter(unit);
    return (time) => {
      const out = new TextSink();
      printed.print(out, Number(time >> 32n), Number(time & 0xffff_ffffn));
      return out.latin1();
    };
  };
  test('microseconds are rounded, also into the next second, forward and backward', () => {
    const print = printer('microseconds');
    expect(print(1_000_000_499n)).toBe('    1.000000');
    expect(print(1_000_000_500n)).toBe('    1.000001');
    expect(print(1_999_999_499n)).toBe('    1.999999');
    expect(print(1_999_999_500n)).toBe('    2.000000');
    expect(print(1_999_999_499n)).toBe('    1.999999');
    expect(print(0n)).toBe('    0.000000');
    expect(print(123_456_789_012_345n)).toBe('123456.789012');
  });
  test('every second is found, whatever was printed before', () => {
    const print = printer('nanoseconds');
    let seed = 7n;
    for (let i = 0; i < 2000; i++) {
      seed = BigInt.asUintN(64, seed * 6364136223846793005n + 1442695040888963407n);
      const time = seed >> BigInt(i % 40);
      const seconds = (time / 1_000_000_000n).toString().padStart(5);
      expect(print(time)).toBe(`${seconds}.${(time % 1_000_000_000n).toString().padStart(9, '0')}`);
    }
  });
  test('clocks that do not count ns: the bare number, 12 wide', () => {
    const print = printer('ticks');
    expect(print(42n)).toBe('          42');
    expect(print(18446744073709551615n)).toBe('18446744073709551615');
  });
});

describe('text', () => {
  test('decimal and hexadecimal of 64 bits, against BigInt', () => {
    const out = new TextSink(1);
    const samples = [
      0n,
      9n,
      10n,
      99n,
      100n,
      4294967295n,
      4294967296n,
      999999999n,
      10n ** 15n,
      2n ** 53n,
      2n ** 64n - 1n,
    ];
    for (const value of samples.flatMap((each) => [each, each + 1n, each * 7n].map((big) => BigInt.asUintN(64, big)))) {
      const [high, low] = [Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value))];
      out.length = 0;
      out.decimal64(high, low);
      expect(out.latin1()).toBe(value.toString());
      out.length = 0;
      out.hex64(high, low);
      expect(out.latin1()).toBe(value.toString(16));
    }
  });
  test('bytes pass as they are', () => {
    const out = new TextSink(1);
    out.cString(Uint8Array.from([0xff, 0xc3, 0xa9, 0, 65]), 0, 5);
    expect([...out.bytes.subarray(0, out.length)]).toEqual([0xff, 0xc3, 0xa9]);
    expect(out.utf8()).toBe('\ufffdé');
  });
});

test('task names: the first one stays, pid 0 is idle', () => {
  const comms = new Comms(new Map([[7, 'saved']]));
  const learn = (pid: number, name: string): void => comms.learn(pid, Buffer.from(`${name}\0rest`), 0, name.length + 5);
  learn(7, 'other');
  learn(8, 'first');
  learn(8, 'second');
  learn(0, 'swapper/0');
  const names = [7, 8, 0, 9].map((pid) => Buffer.from(comms.name(pid)).toString());
  expect(names).toEqual(['saved', 'first', '<idle>', '<...>']);
});

test.each([
  ['20010db8000000000000000000000001', '2001:db8::1'],
  ['00000000000000000000000000000000', '::'],
  ['00000000000000000000000000000001', '::1'],
  ['00010000000000020000000000000003', '1:0:0:2::3'],
  ['00010000000200000003000000040000', '1:0:2:0:3:0:4:0'],
  ['00000000000000000000ffffc0a80001', '::ffff:192.168.0.1'],
  ['fe800000000000000000 5efe0a000001'.replace(' ', ''), 'fe80::5efe:10.0.0.1'],
])('IPv6 %s in short', (hex, expected) => {
  const out = new TextSink();
  printIp6Compressed(out, Buffer.from(hex, 'hex'), 0);
  expect(out.latin1()).toBe(expected);
});
