import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type FieldFormat, parseEventFormat } from '../../../electron/parse/event-format.ts';
import type { TraceAbi } from '../../../electron/parse/recording.ts';
import { RemoraError } from '../../../shared/errors.ts';
import { corpusFile } from '../../corpus.ts';

const abi64: TraceAbi = { littleEndian: true, longBytes: 8 };
const abi32: TraceAbi = { littleEndian: true, longBytes: 4 };

const SWITCH = `name: sched_switch
ID: 316
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:unsigned char common_flags;	offset:2;	size:1;	signed:0;
	field:unsigned char common_preempt_count;	offset:3;	size:1;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:char prev_comm[16];	offset:8;	size:16;	signed:0;
	field:pid_t prev_pid;	offset:24;	size:4;	signed:1;
	field:long prev_state;	offset:32;	size:8;	signed:1;

print fmt: "prev_comm=%s prev_pid=%d", REC->prev_comm, REC->prev_pid
`;

/** One field declaration, read in a format of its own. */
function field(declared: string, offset = 8, size = 4, signed = '\tsigned:0;', abi = abi64): FieldFormat {
  const text = `name: one\nID: 1\nformat:\n\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n\tfield:${declared};\toffset:${offset};\tsize:${size};${signed}\n\nprint fmt: ""\n`;
  return parseEventFormat(text, 'test', abi).fields[1];
}

test('name, ID, fields in order, common fields by the empty line, print fmt', () => {
  const format = parseEventFormat(SWITCH, 'sched', abi64);
  expect(format).toMatchObject({ system: 'sched', name: 'sched_switch', id: 316, unreadLines: [] });
  expect(format.fields.map((each) => [each.name, each.common])).toEqual([
    ['common_type', true],
    ['common_flags', true],
    ['common_preempt_count', true],
    ['common_pid', true],
    ['prev_comm', false],
    ['prev_pid', false],
    ['prev_state', false],
  ]);
  expect(format.printFmt).toBe('"prev_comm=%s prev_pid=%d", REC->prev_comm, REC->prev_pid');
});

describe('declarations', () => {
  test.each([
    ['char comm[16]', 16, { name: 'comm', declaration: 'char[16]', isString: true, arrayLength: 16, elementBytes: 1 }],
    ['char comm[TASK_COMM_LEN]', 16, { name: 'comm', isString: true, arrayLength: 16, elementBytes: 1 }],
    ['unsigned char addr[6]', 6, { isArray: true, isString: false, arrayLength: 6 }],
    ['unsigned long caller[8]', 64, { isLong: true, arrayLength: 8, elementBytes: 8 }],
    ['unsigned long args[]', 0, { isArray: true, arrayLength: 0, elementBytes: 8 }],
    ['__u8 matrix[2][16]', 32, { declaration: '__u8[2][16]', arrayLength: 32, elementBytes: 1 }],
    ['__data_loc char[] name', 4, { declaration: '__data_loc char[]', location: 'data-loc', isString: true }],
    ['__rel_loc u64[] sums', 4, { location: 'rel-loc', isArray: true, isString: false, elementBytes: 8 }],
    ['__data_loc cpumask_t[] cpus', 4, { location: 'data-loc', isString: false, elementBytes: 8 }],
    ['__data_loc cpumask_t *[] cpus', 4, { name: 'cpus', location: 'data-loc', isPointer: true }],
    ['const char * filename', 8, { name: 'filename', isPointer: true, isString: false, isArray: false }],
    ['const char __attribute__((user)) * filename', 8, { name: 'filename', isPointer: true }],
    ['struct mm_struct*mm', 8, { name: 'mm', isPointer: true }],
    ['enum zone_type zone', 4, { declaration: 'enum zone_type', arrayLength: 1, elementBytes: 4 }],
    ['unsigned long long bytes', 8, { isLong: true, elementBytes: 8 }],
  ])('%s', (declared, size, expected) => {
    expect(field(declared, 8, size)).toMatchObject(expected);
  });

  test('a long of a 32-bit machine', () => {
    expect(field('unsigned long args[6]', 8, 24, '', abi32)).toMatchObject({ arrayLength: 6, elementBytes: 4 });
    expect(field('__data_loc unsigned long[] args', 8, 4, '', abi32)).toMatchObject({ elementBytes: 4 });
  });

  test('before 2.6.34 there is no signed:, before 2.6.32 a dynamic string is a 2-byte offset', () => {
    expect(field('int pid', 8, 4, '')).toMatchObject({ name: 'pid', signed: false });
    expect(field('__data_loc name', 8, 2, '')).toMatchObject({ location: 'data-loc', isString: true, isArray: true });
  });

  test("ftrace's old `field special:`", () => {
    const text = SWITCH.replace('field:pid_t', 'field special:pid_t');
    expect(parseEventFormat(text, 'ftrace', abi64).fields[5].name).toBe('prev_pid');
  });
});

describe('damage', () => {
  test('a malformed line is kept aside, the others are used', () => {
    const format = parseEventFormat(SWITCH.replace('offset:24', 'offset:2x4'), 'sched', abi64);
    expect(format.unreadLines).toEqual(['field:pid_t prev_pid;	offset:2x4;	size:4;	signed:1;']);
    expect(format.fields.map((each) => each.name)).toContain('prev_state');
    expect(format.fields.map((each) => each.name)).not.toContain('prev_pid');
  });

  test.each([
    ['name', SWITCH.replace('name: sched_switch\n', '')],
    ['ID', SWITCH.replace('ID: 316', 'ID: what')],
  ])('a format without %s is refused', (missing, text) => {
    expect(() => parseEventFormat(text, 'sched', abi64)).toThrow(RemoraError);
    expect(() => parseEventFormat(text, 'sched', abi64)).toThrow(new RegExp(`no ${missing}`));
  });

  test('cut anywhere, the text gives a format or the one error', () => {
    for (let length = 0; length <= SWITCH.length; length++) {
      try {
        const format = parseEventFormat(SWITCH.slice(0, length), 'sched', abi64);
        expect(format.fields.length).toBeLessThanOrEqual(7);
      } catch (error) {
        expect(error).toBeInstanceOf(RemoraError);
        expect(length).toBeLessThan(SWITCH.indexOf('format:'));
      }
    }
  });
});

const formats = corpusFile('../formats');
test.skipIf(formats === null)('every published format of kernels 3.4 to 5.15 is read whole', () => {
  const folders = readdirSync(formats as string, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  let read = 0;
  for (const folder of folders) {
    for (const file of readdirSync(join(formats as string, folder.name)).filter((name) => name.endsWith('.format'))) {
      const text = readFileSync(join(formats as string, folder.name, file), 'latin1');
      const format = parseEventFormat(text, folder.name, abi64);
      expect(format.unreadLines, file).toEqual([]);
      expect(format.fields.length, file).toBe([...text.matchAll(/^\s*field/gm)].length);
      expect(format.fields.filter((each) => each.common).length, file).toBe([...text.matchAll(/ common_\w+;/g)].length);
      expect(format.printFmt, file).not.toBe('');
      read++;
    }
  }
  expect(read).toBeGreaterThan(100);
});
