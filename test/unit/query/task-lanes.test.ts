import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenedTrace, openTrace } from '../../../electron/engine/open.ts';
import { Lanes } from '../../../electron/query/lanes.ts';
import { Samples } from '../../../electron/query/samples.ts';
import { TaskLanes } from '../../../electron/query/task-lanes.ts';
import type { TaskLane } from '../../../shared/api.ts';

const folder = mkdtempSync(join(tmpdir(), 'remora-task-lanes-'));
const opened: OpenedTrace[] = [];
afterAll(() => {
  for (const each of opened) each.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(path: string): Promise<{ trace: OpenedTrace['trace']; lanes: TaskLanes }> {
  const found = await openTrace({ paths: [path], cacheFolder: folder, noCache: true });
  opened.push(found);
  const samples = new Samples(found.trace);
  return { trace: found.trace, lanes: new TaskLanes(found.trace, samples, new Lanes(found.trace, samples)) };
}

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
const events = ({ density }: TaskLane): number => sum(density);
/** Time run as the slices say it, merged ones included. */
const shown = ({ slices }: TaskLane): number =>
  slices === null ? 0 : sum(slices.cpu.map((_, i) => (slices.toNs[i] - slices.fromNs[i]) * slices.busy[i]));

describe('task lanes of the sample', () => {
  let sample: Awaited<ReturnType<typeof open>>;
  beforeAll(async () => {
    sample = await open(resolve(import.meta.dirname, '../../../assets/samples/throttle.dat'));
  });
  const whole = (resolutionNs: number, ...rest: [Parameters<TaskLanes['window']>[3], number?]) =>
    sample.lanes.window(0, sample.trace.durationNs, resolutionNs, rest[0], rest[1] ?? 24);

  it('are those that ran longest, longest first, and never idle', () => {
    const { lanes, moreTasks } = whole(2 ** 24, null);
    expect(lanes).toHaveLength(24);
    expect(moreTasks).toBeGreaterThan(0);
    expect(lanes.map(({ pid }) => pid)).not.toContain(0);
    const ran = lanes.map(({ ranNs }) => ranNs as number);
    expect(ran).toEqual(ran.toSorted((a, b) => b - a));
    expect(lanes[0]).toMatchObject({ comm: 'dd', pid: 200 });
    const all = whole(2 ** 24, null, 64);
    expect(all.lanes.slice(0, 24).map(({ pid }) => pid)).toEqual(lanes.map(({ pid }) => pid));
    expect(all.lanes.length + all.moreTasks).toBe(24 + moreTasks);
  });
  it('of a part of it are those that ran longest in there', () => {
    const { lanes } = sample.lanes.window(12.9e9, 13.4e9, 1e6, null, 5);
    expect(lanes.map(({ comm }) => comm)).toContain('stress-ng');
    for (const { ranNs } of lanes) expect(ranNs).toBeLessThanOrEqual(0.5e9);
  });
  it('are the ones named, in their order, once', () => {
    const { lanes } = whole(2 ** 24, [{ pid: 188 }, { comm: 'dd' }, { pid: 200 }, { pid: 188, stream: 0 }]);
    expect(lanes.map(({ pid }) => pid)).toEqual([188, 200]);
    const fio = whole(2 ** 24, [{ comm: 'fio' }]).lanes;
    expect(fio.length).toBeGreaterThan(3);
    expect(new Set(fio.map(({ comm }) => comm))).toEqual(new Set(['fio']));
  });
  it.each([{ pid: 999_999 }, { comm: 'nobody' }, { pid: 200, stream: 7 }])('refuse %o, which is not there', (task) => {
    expect(() => whole(2 ** 24, [task])).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ code: 'not-found' }) }),
    );
  });
  it.each([2 ** 18, 2 ** 24, 1e7])('at %i ns hold the time run and the events, whatever is merged', (resolutionNs) => {
    for (const lane of whole(resolutionNs, null).lanes) {
      expect(shown(lane) / (lane.ranNs as number)).toBeCloseTo(1, 5);
      expect(events(lane)).toBe(sample.trace.tasks.find(({ pid }) => pid === lane.pid)?.events);
    }
  });
  it('have no more entries than two a bucket, and wait only while they do not run', () => {
    const { lanes, fromNs, toNs, resolutionNs } = whole(2 ** 24, null);
    const buckets = (toNs - fromNs) / resolutionNs;
    for (const { slices, waits, density } of lanes) {
      expect(slices?.cpu.length).toBeLessThanOrEqual(2 * buckets);
      expect(waits?.kind.length).toBeLessThanOrEqual(2 * buckets);
      expect(density).toHaveLength(buckets);
    }
    const near = sample.lanes.window(2e9, 2.05e9, 1, [{ comm: 'fio' }], 24).lanes;
    const { slices, waits } = near.find(({ pid }) => pid === 203) as TaskLane;
    expect(waits?.kind.length).toBeGreaterThan(3);
    waits?.fromNs.forEach((from, i) => {
      slices?.fromNs.forEach((start, k) => {
        expect(slices.toNs[k] <= from || start >= waits.toNs[i]).toBe(true);
      });
    });
  });
});

describe('task lanes without sched_switch', () => {
  it('are those of the tasks with most events in the window, as density', async () => {
    const line = (comm: string, pid: number, cpu: number, ms: number): string =>
      `${`${comm}-${pid}`.padStart(16)} [00${cpu}] .....   100.${String(ms).padStart(3, '0')}000: sched_process_exit: comm=${comm} pid=${pid} prio=120`;
    const lines = [
      line('one', 5, 0, 0),
      line('two', 6, 1, 1),
      line('two', 6, 1, 2),
      line('<idle>', 0, 0, 3),
      line('<idle>', 0, 0, 3),
      line('<idle>', 0, 0, 3),
      line('three', 7, 0, 8),
    ];
    const path = join(folder, 'exits.txt');
    writeFileSync(path, `# tracer: nop\n#\n${lines.join('\n')}\n`);
    const { trace, lanes } = await open(path);
    const found = lanes.window(0, trace.durationNs, 1e6, null, 2);
    expect(found.lanes.map(({ pid, slices, waits, ranNs }) => [pid, slices, waits, ranNs])).toEqual([
      [6, null, null, null],
      [5, null, null, null],
    ]);
    expect([...(found.lanes[0]?.density ?? [])].slice(0, 4)).toEqual([0, 1, 1, 0]);
    expect(found.moreTasks).toBe(1);
    expect(lanes.window(7e6, 9e6, 1e6, null, 2).lanes.map(({ pid }) => pid)).toEqual([7]);
  });
});
