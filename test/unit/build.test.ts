import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writeLargeRecording } from '../build/large.ts';
import { decode } from '../decode.ts';
import { bdiOf, pairs, pausesByCgroup, reportEvents } from '../oracle/report-text.ts';

const folder = mkdtempSync(join(tmpdir(), 'remora-build-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('the large recording holds evenly spaced events', () => {
  const path = join(folder, 'large.dat');
  const count = writeLargeRecording(path, 100_000);
  const { buffers, warnings } = decode(readFileSync(path), { origin: 1_000_000_000n });
  const { events } = buffers[0][0];
  expect(warnings).toEqual([]);
  expect(events.length).toBe(count);
  expect(count).toBeGreaterThanOrEqual(100_000);
  expect(events.every(({ time }, i) => time === i * 1000)).toBe(true);
});

const REPORT = `cpus=2
  my (odd)-task-12-188   [001] d..2.    55.008142: balance_dirty_pages:  bdi 8:0: limit=9 dirty=3 paused=4 pause=8 think=4 cgroup_ino=99
              dd-200   [000] .....    56.410032: balance_dirty_pages:  bdi 8:0: limit=9 dirty=4 paused=0 pause=-4 think=4 cgroup_ino=99
CPU:1 [EVENTS DROPPED]
              dd-200   [000] .....    56.510032: balance_dirty_pages:  bdi (unknown): limit=9 dirty=5 paused=0 pause=12 think=4 cgroup_ino=99
              dd-200   [000] .....    56.610032: balance_dirty_pages:  bdi (unknown): limit=9 dirty=5 paused=0 pause=3 think=4 cgroup_ino=1
`;

test('the text of trace-cmd is read as it stands', () => {
  const [first, ...others] = reportEvents(REPORT);
  expect(others).toHaveLength(3);
  expect(first).toMatchObject({
    comm: 'my (odd)-task-12',
    pid: 188,
    cpu: 1,
    time: '55.008142',
    name: 'balance_dirty_pages',
  });
  expect(bdiOf(first.info)).toBe('8:0');
  expect(bdiOf(others[2].info)).toBe('(unknown)');
  expect(Object.fromEntries(pairs(first.info))).toEqual({
    limit: '9',
    dirty: '3',
    paused: '4',
    pause: '8',
    think: '4',
    cgroup_ino: '99',
  });
  expect(Object.fromEntries(pausesByCgroup(REPORT))).toEqual({
    99: { pauses: 2, pauseMs: 20, tasks: 2, maxPauseMs: 12 },
    1: { pauses: 1, pauseMs: 3, tasks: 1, maxPauseMs: 3 },
  });
});
