import { describe, expect, it } from 'vitest';
import { layoutLanes, rowAt, sliceAt } from '../../../renderer/timeline/layout.ts';
import { differenceText, timeText } from '../../../renderer/timeline/time-text.ts';
import type { StreamInfo, WorkspaceSummary } from '../../../shared/model.ts';

const stream = (index: number, cpus: number, name = ''): StreamInfo => ({
  index,
  recording: 0,
  name,
  clock: 'local',
  timeUnit: 'ns',
  cpus: Array.from({ length: cpus }, (_, cpu) => cpu),
  events: 1,
  lost: 0,
  gaps: 0,
  originNs: '0',
  fromNs: 0,
  toNs: 1,
  eventTypes: [],
});
const summary = (...streams: StreamInfo[]): WorkspaceSummary => ({
  workspaceId: 'w',
  workspacePath: '',
  recordings: [
    {
      path: '/tmp/a.dat',
      bytes: 1,
      format: 'trace.dat',
      version: 6,
      compression: 'none',
      byteOrder: 'little',
      longBytes: 8,
      pageBytes: 4096,
      uname: '',
      options: [],
    },
  ],
  streams,
  eventTypes: [],
  tasks: [],
  cgroups: [],
  warnings: [],
  originNs: '0',
  durationNs: 1,
  events: 1,
  reopened: false,
});

describe('layoutLanes', () => {
  it('has ribbons above CPUs and leaves empty sections out', () => {
    const ribbon = { key: 'web', label: 'web', segments: [] };
    expect(layoutLanes(summary(stream(0, 2)), [ribbon]).map((section) => section.key)).toEqual(['episodes', 'cpus']);
    const [cpus] = layoutLanes(summary(stream(0, 2)), []);
    expect(cpus.blocks.flatMap((block) => block.rows.map((row) => row.label))).toEqual(['CPU 0', 'CPU 1']);
  });

  it('has the chosen tasks below the CPUs, in their order', () => {
    const tasks = [
      { stream: 0, pid: 200, comm: 'dd' },
      { stream: 0, pid: 15, comm: '' },
    ];
    const sections = layoutLanes(summary(stream(0, 2)), [], tasks);
    expect(sections.map((section) => section.key)).toEqual(['cpus', 'tasks']);
    expect(sections[1].blocks.flatMap((block) => block.rows.map((row) => row.label))).toEqual(['dd-200', 'pid 15']);
  });

  it('stacks rows without gaps, in blocks that a canvas can hold', () => {
    const [cpus] = layoutLanes(summary(stream(0, 40)), []);
    expect(cpus.rows).toBe(40);
    expect(cpus.blocks.map((block) => block.rows.length)).toEqual([16, 16, 8]);
    for (const block of cpus.blocks) {
      let y = 0;
      for (const row of block.rows) {
        expect(row.y).toBe(y);
        expect(rowAt(block, y)).toBe(row);
        expect(rowAt(block, y + row.heightPx - 0.5)).toBe(row);
        y += row.heightPx;
      }
      expect(block.heightPx).toBe(y);
      expect(rowAt(block, y)).toBeNull();
    }
  });

  it('names the stream where there are several, so that no two lanes are called the same', () => {
    const [cpus] = layoutLanes(summary(stream(0, 2), stream(1, 2, 'sched')), []);
    const rows = cpus.blocks.flatMap((block) => block.rows);
    expect(new Set(rows.map((row) => row.label)).size).toBe(4);
    expect(new Set(rows.map((row) => row.key)).size).toBe(4);
  });
});

describe('sliceAt', () => {
  const slices = {
    fromNs: Float64Array.of(10, 20, 40),
    toNs: Float64Array.of(20, 30, 48),
    pid: Int32Array.of(1, 2, 3),
    merged: Uint8Array.of(0, 0, 1),
    busy: Float32Array.of(1, 1, 0.5),
  };
  it('finds the slice that covers a time; a slice ends before its end', () => {
    expect(sliceAt(slices, 9)).toBeNull();
    expect(sliceAt(slices, 10)?.pid).toBe(1);
    expect(sliceAt(slices, 20)?.pid).toBe(2);
    expect(sliceAt(slices, 35)).toBeNull();
    expect(sliceAt(slices, 40)).toEqual({ pid: 3, fromNs: 40, toNs: 48, busy: 0.5 });
    expect(sliceAt(slices, 48)).toBeNull();
  });
});

it('timeText has the digits that a pixel can tell apart', () => {
  expect(timeText(3_482_915_117, 1, 'ns')).toBe('3.482915117 s');
  expect(timeText(3_482_915_117, 1e7, 'ns')).toBe('3.483 s');
  expect(timeText(3_482_915_117, 1200, 'ns')).toBe('3.482915 s');
  expect(timeText(-1_500_000, 1e7, 'ns')).toBe('−0.002 s');
});

it('timeText and differenceText count where the clock does not count time', () => {
  expect(timeText(3_482_915_117.4, 1e7, 'cycles')).toBe('3,482,915,117 cycles');
  expect(timeText(-12, 1, 'counts')).toBe('−12 counts');
  expect(differenceText(-1500, 'counts')).toBe('−1,500 counts');
  expect(differenceText(1, 'cycles')).toBe('+1 cycle');
  expect(differenceText(1500, 'ns')).toBe('+1.5 µs');
});
