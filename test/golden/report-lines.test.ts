import { describe, expect, test } from 'vitest';
import { Printer } from '../../electron/parse/print-format/printer.ts';
import type { RecordingBuffer, RecordingHead } from '../../electron/parse/recording.ts';
import type { RecordView } from '../../electron/query/records.ts';
import { Report, type ReportOptions } from '../../electron/query/report.ts';
import { eventFormat, type FieldSpec, headOf, payload } from '../unit/parse/print-record.ts';

/** The lines around an event's own text, from records made by hand. */

const buffer = (name: string): RecordingBuffer => ({
  name,
  clock: 'local',
  subBufferBytes: 4096,
  cpus: [],
  time: { offsetNs: 0n, ticks: null, shifts: new Map(), interpolateShifts: false },
});

const GRAPH: FieldSpec[] = [
  ['unsigned long func', 8, 8],
  ['int depth', 16, 4, 1],
];
const EXIT: FieldSpec[] = [...GRAPH, ['u64 calltime', 24, 8], ['u64 rettime', 32, 8]];
const FORMATS = [
  eventFormat('test', 'event', 500, [['u32 n', 8, 4]], '"n=%u\\n", REC->n'),
  eventFormat('ftrace', 'funcgraph_entry', 11, GRAPH, '"x"'),
  eventFormat('ftrace', 'funcgraph_exit', 10, EXIT, '"x"'),
];

function head(parts: Partial<RecordingHead> = {}): RecordingHead {
  return headOf(FORMATS, { comms: new Map([[7, 'a-task']]), buffers: [buffer('')], ...parts });
}

function record(view: DataView, parts: Partial<RecordView> = {}): RecordView {
  const place = { buffer: 0, cpu: 1, index: 0, timeHigh: 0, timeLow: 1_500_000_000, missed: 0 };
  const [id, pid] = [view.getUint16(0, true), view.getInt32(4, true)];
  return { ...place, id, pid, view, at: 0, length: view.byteLength, ...parts };
}

const event = (n: number): DataView => payload(500, 7, { u32: n });
const entry = (func: bigint, depth: number): DataView => payload(11, 7, { u64: func }, { u32: depth });
const exit = (func: bigint, depth: number, ns: bigint): DataView =>
  payload(10, 7, { u64: func }, { u32: depth }, { u32: 0 }, { u64: 100n }, { u64: 100n + ns });

function report(records: RecordView[], options: ReportOptions = {}, of = head()): string[] {
  const pieces: Buffer[] = [];
  const lines = new Report(of, new Printer(of), (piece) => pieces.push(Buffer.from(piece)), options);
  lines.header();
  for (const each of records) lines.add(each);
  lines.end();
  return Buffer.concat(pieces).toString('latin1').trimEnd().split('\n').slice(1);
}

describe('columns', () => {
  test('task, CPU, flags, time, name; one line end at the end is left off', () => {
    expect(report([record(event(3))])).toEqual([
      '          a-task-7     [001] .....     1.500000: event:                n=3',
    ]);
  });
  test('raw', () => {
    expect(report([record(event(3))], { raw: true })).toEqual([
      '          a-task-7     [001]-0x0     1.500000: event:                 n=3',
    ]);
  });
  test('-l', () => {
    expect(report([record(event(3))], { latency: true })).toEqual([
      '  a-task-7       1.....     1.500000: event:                n=3',
    ]);
  });
  test('a clock that does not count ns', () => {
    const lines = report([record(event(3))], {}, head({ traceClock: 'counter' }));
    expect(lines).toEqual(['          a-task-7     [001] .....  1500000000: event:                n=3']);
  });
  test('an id without a format, a task without a name', () => {
    expect(report([record(payload(9, 7))])).toEqual([
      '[UNKNOWN EVENT][UNKNOWN EVENT][UNKNOWN EVENT] (NULL):               [UNKNOWN EVENT]',
    ]);
    expect(report([record(payload(500, 8, { u32: 1 }))])[0]).toMatch(/^ {11}<\.\.\.>-8 {5}\[001\]/);
  });
  test('lost events, with and without a count', () => {
    const lines = report([record(event(1), { missed: 12 }), record(event(2), { missed: -1 })]);
    expect(lines.filter((line) => line.startsWith('CPU'))).toEqual([
      'CPU:1 [12 EVENTS DROPPED]',
      'CPU:1 [EVENTS DROPPED]',
    ]);
  });
  test('several buffers: the name in front, once for both lines', () => {
    const of = head({ buffers: [buffer(''), buffer('folder/wb'), buffer('sys')] });
    const lines = report(
      [record(event(1)), record(event(2), { buffer: 1, missed: -1 }), record(event(3), { buffer: 2 })],
      {},
      of,
    );
    expect(lines.map((line) => line.slice(0, 12))).toEqual([
      '            ',
      ' wb: CPU:1 [',
      '          a-',
      'sys:        ',
    ]);
  });
});

describe('function graph', () => {
  const graph = (records: RecordView[], of = head()): string[] =>
    report(records, {}, of).map((line) => line.split(': ').slice(2).join(': ').trimStart());
  test('an entry and its exit, next to each other, are one line', () => {
    expect(graph([record(entry(0x10n, 1)), record(exit(0x10n, 1, 1234n)), record(event(1))])).toEqual([
      '1.234 us   |    10();',
      'n=1',
    ]);
  });
  test('else two; long ones are marked', () => {
    const records = [
      record(entry(0x10n, 0)),
      record(entry(0x20n, 1)),
      record(exit(0x20n, 1, 5n)),
      record(exit(0x10n, 0, 2_500_000n)),
    ];
    expect(graph(records)).toEqual(['|  10() {', '0.005 us   |    20();', '# 2500.000 us |  }']);
  });
  test("another function's or another task's exit does not belong to it", () => {
    expect(graph([record(entry(0x10n, 0)), record(exit(0x11n, 0, 5n))])).toHaveLength(2);
    const stranger = exit(0x10n, 0, 5n);
    stranger.setInt32(4, 8, true);
    expect(graph([record(entry(0x10n, 0)), record(stranger, { pid: 8 })])).toHaveLength(2);
  });
  test('the last record', () => {
    expect(graph([record(entry(0x10n, 0))])).toEqual(['|  10() {']);
  });
  test('what another buffer prints meanwhile stays behind it', () => {
    const of = head({ buffers: [buffer(''), buffer('other')] });
    const records = [
      record(event(0)),
      record(entry(0x10n, 0)),
      record(event(1), { buffer: 1 }),
      record(exit(0x10n, 0, 5n)),
      record(event(2)),
    ];
    expect(graph(records, of)).toEqual(['n=0', '0.005 us   |  10();', expect.stringContaining('n=1'), 'n=2']);
  });
  test('raw, every record is a line', () => {
    expect(report([record(entry(0x10n, 1)), record(exit(0x10n, 1, 5n))], { raw: true })).toHaveLength(2);
  });
  test('records that are left out still tell', () => {
    const keep = (each: RecordView): boolean => each.id !== 10;
    expect(report([record(entry(0x10n, 1)), record(exit(0x10n, 1, 5n))], { keep })[0]).toContain('10();');
  });
});

test('text is handed on in large pieces, all of it', () => {
  const of = head();
  const sizes: number[] = [];
  const lines = new Report(of, new Printer(of), (piece) => sizes.push(piece.length));
  lines.header();
  for (let i = 0; i < 40_000; i++) lines.add(record(event(i % 10)));
  lines.end();
  const line = '          a-task-7     [001] .....     1.500000: event:                n=3\n';
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe('cpus=1\n'.length + 40_000 * line.length);
  for (const size of sizes.slice(0, -1)) expect(size).toBeGreaterThanOrEqual(1 << 17);
  expect(sizes.length).toBeGreaterThan(1);
});
