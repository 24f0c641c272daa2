import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type OpenedTrace, openTrace } from '../../../electron/engine/open.ts';
import { isRawFolder } from '../../../electron/engine/raw-folder.ts';
import { Samples } from '../../../electron/query/samples.ts';
import { type BuiltFormat, formatText, HEADER_EVENT_TEXT, headerPageText, payloadOf } from '../../build/formats.ts';
import { buildSubBuffers, type RingAbi } from '../../build/sub-buffer.ts';

const format: BuiltFormat = {
  system: 'writeback',
  name: 'balance_dirty_pages',
  id: 300,
  fields: [
    { name: 'bdi', declaration: 'char[16]', bytes: 16, signed: false, kind: 'chars' },
    { name: 'pause', declaration: 'long', bytes: 8, signed: true, kind: 'number' },
  ],
  printFmt: '"bdi %s: pause=%ld", REC->bdi, REC->pause',
};
const usual: RingAbi = { littleEndian: true, longBytes: 8, subBufferBytes: 4096 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-raw-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), content);
}

/** Sub-buffers of `count` events, 1 ms apart, pid and pause counting up from `first`. */
function capture(abi: RingAbi, first: number, count: number): Uint8Array {
  const events = Array.from({ length: count }, (_, i) => ({
    time: 5_000_000_000n + BigInt(first + i) * 1_000_000n,
    payload: payloadOf(
      format,
      { flags: 0, preemptCount: 0, pid: first + i },
      ['8:0', BigInt(first + i)],
      abi.littleEndian,
    ),
  }));
  return buildSubBuffers(events, abi);
}

function describeFolder(abi: RingAbi): void {
  write('events/writeback/balance_dirty_pages/format', formatText(format));
  write('header_page', headerPageText(abi));
  write('header_event', HEADER_EVENT_TEXT);
  write('saved_cmdlines', '10 dd\n11 npm exec vitest\n');
  write('saved_tgids', '11 10\n');
  write('trace_clock', 'local global [mono] boot\n');
  write('uname', '6.1.0-test\n');
}

const open = (paths = [folder], threads?: number): Promise<OpenedTrace> =>
  openTrace({ paths, noCache: true, cacheFolder: folder, threads });

function pausesByCpu({ trace }: OpenedTrace): Record<number, number[]> {
  const samples = new Samples(trace);
  const { n, cpu } = samples.ofType(0);
  const pause = samples.numbers(0, 'pause');
  const found: Record<number, number[]> = {};
  for (let i = 0; i < n; i++) {
    const own = found[cpu[i] as number] ?? [];
    own.push(pause[i] as number);
    found[cpu[i] as number] = own;
  }
  return found;
}

const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

describe.each<RingAbi>([
  usual,
  { littleEndian: false, longBytes: 8, subBufferBytes: 4096 },
  { littleEndian: true, longBytes: 4, subBufferBytes: 4096 },
  { littleEndian: false, longBytes: 4, subBufferBytes: 1024 },
  { littleEndian: true, longBytes: 8, subBufferBytes: 16_384 },
])('buffers of %o', (abi) => {
  test('are read as one recording', async () => {
    describeFolder(abi);
    write('cpu0.raw', capture(abi, 10, 200));
    write('cpu1.raw', new Uint8Array(0));
    write('cpu12.raw', capture(abi, 500, 3));
    const opened = await open();
    const { summary } = opened;
    expect(pausesByCpu(opened)).toEqual({ 0: range(10, 200), 12: range(500, 3) });
    expect(summary.recordings[0]).toMatchObject({
      path: folder,
      format: 'raw buffers',
      byteOrder: abi.littleEndian ? 'little' : 'big',
      longBytes: abi.longBytes,
      uname: '6.1.0-test',
      bytes: capture(abi, 10, 200).length + capture(abi, 500, 3).length,
    });
    expect(summary.streams[0]).toMatchObject({ clock: 'mono', cpus: [0, 12], events: 203, originNs: '5010000000' });
    expect(summary.tasks.find(({ pid }) => pid === 11)).toEqual({
      pid: 11,
      tgid: 10,
      comm: 'npm exec vitest',
      events: 1,
    });
    expect(summary.warnings).toEqual([]);
    opened.close();
  });
});

test('as tracefs lays them out', async () => {
  describeFolder(usual);
  rmSync(join(folder, 'header_page'));
  write('events/header_page', headerPageText(usual));
  write('per_cpu/cpu0/trace_pipe_raw', capture(usual, 10, 5));
  write('per_cpu/cpu3/trace_pipe_raw', capture(usual, 30, 5));
  const opened = await open();
  expect(pausesByCpu(opened)).toEqual({ 0: range(10, 5), 3: range(30, 5) });
  expect(opened.summary.warnings).toEqual([]);
  opened.close();
});

test('what the kernel lost by its statistics is told', async () => {
  describeFolder(usual);
  write('cpu0.raw', capture(usual, 10, 5));
  write('stats.cpu0', 'entries: 5\noverrun: 7\ncommit overrun: 1\nbytes: 1\ndropped events: 2\n');
  const opened = await open();
  expect(opened.summary.warnings.map(({ section, message }) => [section, message])).toEqual([
    [
      'cpu 0 stats',
      "7 events were overwritten in the kernel's buffer before they were captured, 3 events found no room in it",
    ],
  ]);
  opened.close();
});

test('threads read the parts themselves', async () => {
  describeFolder(usual);
  write('cpu0.raw', capture(usual, 10, 20_000));
  write('cpu1.raw', capture(usual, 100_000, 20_000));
  const opened = await open([folder], 2);
  expect(pausesByCpu(opened)).toEqual({ 0: range(10, 20_000), 1: range(100_000, 20_000) });
  opened.close();
});

test('captures named one by one are one recording of their CPUs', async () => {
  describeFolder(usual);
  for (const cpu of [0, 1, 2]) write(`cpu${cpu}.raw`, capture(usual, cpu * 100 + 10, 5));
  const opened = await open([join(folder, 'cpu2.raw'), join(folder, 'cpu0.raw')]);
  expect(opened.summary.recordings.length).toBe(1);
  expect(pausesByCpu(opened)).toEqual({ 0: range(10, 5), 2: range(210, 5) });
  opened.close();
});

test('a capture that is cut keeps what is whole', async () => {
  describeFolder(usual);
  const whole = capture(usual, 10, 200);
  write('cpu0.raw', whole.subarray(0, 4096 + 100));
  const opened = await open();
  const { 0: pauses } = pausesByCpu(opened);
  expect(pauses?.slice(0, 50)).toEqual(range(10, 50));
  opened.close();
});

test('without header_page a usual machine is taken, and told', async () => {
  describeFolder(usual);
  rmSync(join(folder, 'header_page'));
  write('cpu0.raw', capture(usual, 10, 5));
  const opened = await open();
  expect(pausesByCpu(opened)).toEqual({ 0: range(10, 5) });
  expect(opened.summary.warnings.map(({ section }) => section)).toEqual(['header_page']);
  opened.close();
});

describe('what is no folder of raw buffers', () => {
  test('any other folder', async () => {
    write('notes.txt', 'hello');
    expect(isRawFolder(folder)).toBe(false);
    await expect(open()).rejects.toMatchObject({ code: 'file', message: expect.stringContaining('this is a folder') });
  });
  test('captures without formats', async () => {
    write('cpu0.raw', capture(usual, 10, 5));
    await expect(open()).rejects.toMatchObject({
      code: 'not-a-trace',
      message: expect.stringContaining('events/SYSTEM/EVENT/format'),
    });
  });
  test('empty captures, as a live tracefs has', async () => {
    describeFolder(usual);
    write('per_cpu/cpu0/trace_pipe_raw', '');
    expect(isRawFolder(folder)).toBe(false);
    await expect(open()).rejects.toMatchObject({ code: 'not-a-trace', message: expect.stringContaining('empty') });
  });
});
