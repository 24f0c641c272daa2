import { describe, expect, test } from 'vitest';
import type { RecordingHead, TraceAbi } from '../../../electron/parse/recording.ts';
import { eventFormat, type FieldSpec, headOf, infoOf, lateText, little64, payload } from './print-record.ts';

/** u8 a = 200, u16 b = 40000, u32 c = 3000000000, u64 d = 2^64 − 2, int e = −5, char s[8] = "text", … */
const FIELDS: FieldSpec[] = [
  ['u8 a', 8, 1],
  ['u16 b', 10, 2],
  ['u32 c', 12, 4],
  ['u64 d', 16, 8],
  ['int e', 24, 4, 1],
  ['s16 h', 28, 2, 1],
  ['char s[8]', 32, 8],
  ['u8 mac[6]', 40, 6],
  ['u8 ip4[4]', 48, 4],
  ['u8 ip6[16]', 52, 16],
  ['u32 words[2]', 68, 8],
  ['__data_loc char[] str', 76, 4],
  ['__rel_loc char[] rel', 80, 4],
  ['__data_loc u8[] bytes', 84, 4],
  ['__data_loc unsigned long[] mask', 88, 4],
  ['__data_loc u32[] list', 92, 4],
  ['const char * constant', 96, 8],
  ['void * function', 104, 8],
  ['u8 sockaddr[28]', 112, 28],
];

const RECORD = payload(
  500,
  7,
  [200, 0],
  { u16: 40000 },
  { u32: 3_000_000_000 },
  { u64: -2n },
  { u32: -5 },
  { u16: -300 },
  [0, 0],
  'text\0\0\0\0',
  [0x00, 0x1b, 0x21, 0xab, 0xcd, 0xef, 0, 0],
  [192, 168, 0, 1],
  [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  { u32: 11 },
  { u32: 22 },
  { u32: (6 << 16) | 140 }, // str: 6 bytes at 140
  { u32: (4 << 16) | (146 - 84) }, // rel: 4 bytes at 146, from behind its word
  { u32: (3 << 16) | 150 }, // bytes
  { u32: (8 << 16) | 156 }, // mask
  { u32: (8 << 16) | 164 }, // list
  { u64: 0xffffffff82000010n },
  { u64: 0xffffffff81000105n },
  [2, 0, 0x1f, 0x90, 10, 0, 0, 7, ...new Array(20).fill(0)], // sockaddr_in, port 8080
  'hello\0',
  'rel\0',
  [0xde, 0xad, 0xbe, 0, 0, 0],
  [0x0f, 0x01, 0, 0, 0, 0, 0, 0x80],
  { u32: 5 },
  { u32: 6 },
);

const KALLSYMS = 'ffffffff81000100 T do_work\nffffffff81000200 t other\t[module]\nffffffff81000300 T last\n';
const PRINTK = '0xffffffff82000010 : "constant text\\n"\n';

function printed(
  printFmt: string,
  parts: Partial<RecordingHead> = {},
  view = RECORD,
  abi: TraceAbi = little64,
): string {
  const format = eventFormat('test', 'event', 500, FIELDS, printFmt, abi);
  return infoOf(headOf([format], { kallsyms: lateText(KALLSYMS), printkFormats: PRINTK, abi, ...parts }), view);
}

describe('number conversions', () => {
  test.each([
    ['"%d %i %u", REC->e, REC->h, REC->a', '-5 65236 200'],
    ['"%d %u", REC->c, REC->c', '-1294967296 3000000000'],
    ['"%lld %llu", REC->d, REC->d', '-2 18446744073709551614'],
    ['"%ld %lu %zu %Lu", REC->e, REC->e, REC->b, REC->d', '4294967291 4294967291 40000 18446744073709551614'],
    ['"%hd %hu %hhd %hhx", REC->b, REC->c, REC->a, REC->b', '-25536 24064 -56 40'],
    ['"%x %X %#x %lx", REC->c, REC->c, REC->a, REC->d', 'b2d05e00 B2D05E00 0xc8 fffffffffffffffe'],
    ['"%o %#o %08o", REC->a, REC->a, REC->a', '310 0310 00000310'],
    [
      '"[%6d] [%-6d] [%06d] [%.4d] [%8.3u]", REC->e, REC->e, REC->e, REC->e, REC->a',
      '[    -5] [-5    ] [-00005] [-0005] [     200]',
    ],
    [
      '"[%+d] [%#06x] [%016llx] [%*d] [%-*d]", REC->a, REC->a, REC->d, 5, REC->a, 5, REC->a',
      '[+200] [0x00c8] [fffffffffffffffe] [  200] [200  ]',
    ],
    ['"%c%c", 65, REC->words[0] + 55', 'AB'],
    ['"100%% of %u", REC->a', '100% of 200'],
    ['"% d %t %u", REC->a', '> <d >t< 200'],
  ])('%s', (printFmt, expected) => {
    expect(printed(printFmt)).toBe(expected);
  });

  test('a bare long follows the machine that prints, a record the machine that traced', () => {
    const abi: TraceAbi = { littleEndian: false, longBytes: 4 };
    const view = new DataView(Uint8Array.from([1, 0xf4, 0, 0, 0, 0, 0, 7, 0xff, 0xff, 0xff, 0xfe]).buffer);
    const format = eventFormat('test', 'event', 500, [['long n', 8, 4, 1]], '"%ld %d", REC->n, REC->n', abi);
    const head = headOf([format], { abi });
    const swapped = new DataView(view.buffer.slice(0));
    swapped.setUint16(0, 500, true); // infoOf reads the id little-endian
    expect(infoOf(head, swapped)).toBe('4294967294 -2');
  });
});

describe('expressions', () => {
  test.each([
    ['REC->a + REC->b * 2', '80200'],
    ['(REC->a >> 3) & 7', '1'],
    ['REC->a ? REC->b : 1', '40000'],
    ['!REC->a', '0'],
    ['~0', '18446744073709551615'],
    ['-REC->a', '18446744073709551416'],
    ['REC->d / 3', '6148914691236517204'],
    ['REC->d % 1000', '614'],
    ['REC->d * REC->d', '4'],
    ['REC->d >> 60', '15'],
    ['1 << 40', '1099511627776'],
    ['REC->e < REC->a', '0'],
    ['REC->a >= 200 && REC->b != 0', '1'],
    ['(u8)REC->b', '64'],
    ['(unsigned int)REC->d', '4294967294'],
    ['(s8)REC->a', '200'],
    ['(unsigned long)(REC)->a', '200'],
    ['REC->words[1]', '22'],
    ['REC->mac[3]', '171'],
    ['((u32 *)__get_dynamic_array(list))[0]', '5'],
    ['__get_dynamic_array_len(list)', '8'],
    ['sizeof(unsigned long) + sizeof(int) + sizeof(REC->d) + sizeof(u16)', '22'],
    ['__builtin_expect(REC->a, 1)', '200'],
    ["'A' + 1", '66'],
    ['do_work', '18446744071578845440'],
    ['no_such_symbol', '0'],
    ['REC->a ^ 1', '0'],
    ['REC->a / 0', '0'],
  ])('%s', (expression, expected) => {
    expect(printed(`"%llu", ${expression}`)).toBe(expected);
  });

  test.each([
    // A chain of equal operators binds to the right; parentheses on the right do not hold looser operators together.
    ['10 - 4 - 3', '9'],
    ['REC->a - (REC->words[0] | 1)', '189'],
    ['2 * (REC->words[0] + 1)', '23'],
    // An index steps through a dynamic array by bytes.
    ['((u32 *)__get_dynamic_array(list))[4]', '6'],
  ])("libtraceevent's own reading of %s", (expression, expected) => {
    expect(printed(`"%llu", ${expression}`)).toBe(expected);
  });
});

describe('strings', () => {
  test.each([
    [
      '"%s|%6s|%-6s|%.2s|%.*s|%*s", REC->s, REC->s, REC->s, REC->s, 3, REC->s, 6, REC->s',
      'text|  text|text  |te|tex|  text',
    ],
    ['"%s %s", __get_str(str), __get_rel_str(rel)', 'hello rel'],
    ['"%s", REC->constant', 'constant text'],
    ['"%s", REC->d', 'fffffffffffffffe'],
    ['"%s", REC->a ? "yes" : "no"', 'yes'],
    ['"%s", (char *)REC->constant', ''],
    ['"%s", "a\\n%d"', 'a\\n%d'],
    ['"%s", __print_symbolic(REC->a, { 1, "ONE" }, { 200, "TWO HUNDRED" })', 'TWO HUNDRED'],
    ['"%s", __print_symbolic(REC->a, { 1, "ONE" })', '0xc8'],
    [
      '"%s", __print_flags(REC->a, "|", { 1 << 3, "EIGHT" }, { 0x40, "SIXTYFOUR" }, { 128, "TOP" })',
      'EIGHT|SIXTYFOUR|TOP',
    ],
    ['"%s", __print_flags(REC->a, "|", { 8, "EIGHT" })', 'EIGHT|0xc0'],
    ['"%s", __print_flags(REC->words[0] - 11, "|", { 8, "EIGHT" }, { -1, "NONE" })', 'NONE'],
    ['"%s", __print_symbolic(REC->words[0] - 9, { HI_SOFTIRQ, "HI" }, { NET_TX_SOFTIRQ, "NET_TX" })', 'NET_TX'],
    ['"%s", __print_hex(REC->mac, 6)', '00 1b 21 ab cd ef'],
    ['"%s", __print_hex_str(__get_dynamic_array(bytes), __get_dynamic_array_len(bytes))', 'deadbe'],
    ['"%s", __print_array(REC->words, 2, 4)', '{0xb,0x16}'],
    ['"%s", __print_array(__get_dynamic_array(list), __get_dynamic_array_len(list) / 4, 4)', '{0x5,0x6}'],
    ['"%s", __get_bitmask(mask)', '80000000,0000010f'],
    ['"%s", __get_cpumask(mask)', '0-3,8,63'],
    ['"%s", REC->no_such_field', ''],
  ])('%s', (printFmt, expected) => {
    expect(printed(printFmt)).toBe(expected);
  });
});

describe('pointers', () => {
  test.each([
    ['"%p %p", REC->d, REC->e + 5', '0xfffffffffffffffe 0x100000000'],
    [
      '"%pS %ps %pF %pf", REC->function, REC->function, REC->function, REC->function',
      'do_work+0x5 do_work do_work+0x5 do_work',
    ],
    ['"%pS", REC->a', '0xc8'],
    ['"%pB", REC->a', '0xc8B'],
    [
      '"%pM %pm %pMR %pMF", REC->mac, REC->mac, REC->mac, REC->mac',
      '00:1b:21:ab:cd:ef 001b21abcdef ef:cd:ab:21:1b:00 00-1b-21-ab-cd-ef',
    ],
    ['"%pI4 %pi4 %pI4l", REC->ip4, REC->ip4, REC->ip4', '192.168.0.1 192.168.000.001 1.0.168.192'],
    ['"%pI6 %pI6c", REC->ip6, REC->ip6', '2001:0db8:0000:0000:0000:0000:0000:0001 2001:db8::1'],
    ['"%pi6", REC->ip6', '20010db8000000000000000000000001'],
    ['"%pIS %pISp", REC->sockaddr, REC->sockaddr', '10.0.0.7 10.0.0.7:8080'],
    ['"%pU %pUL", REC->ip6, REC->ip6', '20010db8-0000-0000-0000-000000000001 B80D0120-0000-0000-0000-000000000001'],
    ['"%*phC %*phN", 2, __get_dynamic_array(bytes), 9, __get_dynamic_array(bytes)', 'de:ad deadbe'],
    ['"%pM %pI4 %pU", REC->ip4, REC->mac, REC->mac', 'INVALIDMAC INVALIDIPv4 INVALIDUUID'],
    ['"%pM", __get_dynamic_array(bytes)', 'ARG TYPE NOT FIELD BUT 10'],
  ])('%s', (printFmt, expected) => {
    expect(printed(printFmt)).toBe(expected);
  });
});

describe('functions that plugins know', () => {
  test.each([
    ['"%s", jbd2_dev_to_name(REC->c)', '2861:24064'],
    ['"%u", jiffies_to_msecs(REC->a)', '200'],
    ['"%s", xen_hypercall_name(1)', '(mmu_update)'],
    ['"%d", __le16_to_cpup(__get_dynamic_array(list))', '5'],
    ['"%s", scsi_trace_parse_cdb(p, __get_dynamic_array(bytes), 3)', '-'],
  ])('%s', (printFmt, expected) => {
    expect(printed(printFmt)).toBe(expected);
  });
});

describe('what cannot be read prints field by field', () => {
  test.each([
    ['an unknown function', '"%d", some_kernel_function(REC->a)'],
    ['too few arguments', '"%d %d", REC->a'],
    ['no string', 'REC->a'],
    ['an operator in a kernel function’s argument', '"%s", xen_hypercall_name(REC->a - 1)'],
    ['an index into a dynamic array without a cast', '"%d", __get_dynamic_array(list)[0]'],
    ['a symbol list that does not end', '"%s", __print_symbolic(REC->a, { 1, "ONE" }'],
    ['a byte outside ASCII', '"caf\u00e9 %d", REC->a'],
    ['brackets without an end', `"%d", ${'('.repeat(5000)}REC->a`],
  ])('%s', (_what, printFmt) => {
    expect(printed(printFmt)).toMatch(
      /^\[FAILED TO PARSE\] a=200 b=40000 c=3000000000 d=18446744073709551614 e=-5 h=-300 s=text /,
    );
  });

  test('strings that are printable as text, everything else as bytes; pointers in hexadecimal', () => {
    const fields = printed('');
    expect(fields).toContain(' mac= ip4=ARRAY[c0, a8, 00, 01] ');
    expect(fields).toContain(' words=ARRAY[0b, 00, 00, 00, 16, 00, 00, 00] str=hello rel=rel ');
    expect(fields).toContain(' constant=0xffffffff82000010 function=0xffffffff81000105 ');
  });
});

describe('records that are too short or point outside', () => {
  const cut = (bytes: number): DataView => new DataView(RECORD.buffer, 0, bytes);
  test('at every length something is printed, and nothing from behind the record', () => {
    const printFmt =
      '"%d %llu %s %s %s %s %pM %pI6c %pS %s %pISpc", REC->e, REC->d, REC->s, __get_str(str), __get_bitmask(mask), __print_hex(REC->mac, 6), REC->mac, REC->ip6, REC->function, __print_array(REC->words, 2, 4), REC->sockaddr';
    for (let length = 8; length < RECORD.byteLength; length++) {
      expect(printed(printFmt, {}, cut(length))).toMatch(/^-?\d+ \d+ /);
      expect(printed('', {}, cut(length))).toMatch(/^\[FAILED TO PARSE\] a=/);
    }
  });

  test('a string that begins outside is empty', () => {
    const view = new DataView(RECORD.buffer.slice(0));
    view.setUint32(76, (6 << 16) | 0xffff, true);
    expect(printed('"[%s]", __get_str(str)', {}, view)).toBe('[]');
  });

  test('a width from a damaged record does not become gigabytes', () => {
    expect(printed('"%*d", REC->c & 0x7fffffff, REC->a').length).toBeLessThan(100_000);
  });
});
