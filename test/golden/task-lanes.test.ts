import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { PREEMPTED, type TaskSchedule } from '../../electron/derive/task-schedule.ts';
import { type OpenedTrace, openTrace } from '../../electron/engine/open.ts';
import { Lanes } from '../../electron/query/lanes.ts';
import { Samples } from '../../electron/query/samples.ts';
import { TaskLanes } from '../../electron/query/task-lanes.ts';
import { corpusFile, corpusText } from '../corpus.ts';
import { pairs, type ReportEvent, reportEvents } from '../oracle/report-text.ts';

/** Task lanes against what trace-cmd's text of the same recording says, switch by switch. */
const recordings = [
  { name: 'sample-throttle.dat', waits: true },
  { name: 'vm612-extract.dat', waits: true },
  // Its clock stands still while tasks come, go and are woken on another CPU: the text cannot say in which order.
  { name: 'vm61-throttle-v2.dat', waits: false },
];

const cacheFolder = mkdtempSync(join(tmpdir(), 'remora-task-lanes-'));
const opened: OpenedTrace[] = [];
afterAll(() => {
  for (const each of opened) each.close();
  rmSync(cacheFolder, { recursive: true, force: true });
});

async function open(path: string) {
  const trace = await openTrace({ paths: [path], cacheFolder, noCache: true });
  opened.push(trace);
  const samples = new Samples(trace.trace);
  return { trace: trace.trace, lanes: new TaskLanes(trace.trace, samples, new Lanes(trace.trace, samples)) };
}

/** Microseconds as trace-cmd prints them, rounded half up. */
const us = (text: string): number => Math.round(Number(text) * 1e6);

interface Switch {
  at: number;
  cpu: number;
  prev: number;
  state: string;
  next: number;
}

function switchOf({ time, cpu, info }: ReportEvent): Switch {
  const [, prev, state, next] = /:(\d+) \[-?\d+\] (\S+) ==> .*:(\d+) \[-?\d+\]/.exec(info) as RegExpExecArray;
  return { at: us(time), cpu, prev: Number(prev), state, next: Number(next) };
}

/** What the text says of one task: `from-to CPU` of each slice, and each wait, in µs. */
interface Told {
  slices: string[];
  ranUs: number;
  wakeups: string[];
  preempted: string[];
}

/** Walks the text once. Needs a recording without losses. */
function tell(text: string): Map<number, Told> {
  const told = new Map<number, Told>();
  const of = (pid: number): Told => {
    const known = told.get(pid) ?? { slices: [], ranUs: 0, wakeups: [], preempted: [] };
    told.set(pid, known);
    return known;
  };
  const since = new Map<number, { at: number; pid: number | null }>();
  const last = new Map<number, number>();
  const waiting = new Map<number, { at: number; kind: 'wakeups' | 'preempted' }>();
  const running = new Set<number>();
  /** Woken while it ran. Where it left at the same instant, the two are in no order, and it was woken for good. */
  const wokenAwake = new Map<number, number>();
  // What takes no time on the recording's clock is nothing to see on a lane.
  const ran = (pid: number, from: number, to: number, cpu: number): void => {
    if (pid === 0 || from === to) return;
    of(pid).slices.push(`${from}-${to} ${cpu}`);
    of(pid).ranUs += to - from;
  };
  let end = 0;
  for (const event of reportEvents(text)) {
    const at = us(event.time);
    last.set(event.cpu, at);
    end = Math.max(end, at);
    if (!since.has(event.cpu)) since.set(event.cpu, { at, pid: null });
    if (event.name === 'sched_wakeup' || event.name === 'sched_wakeup_new') {
      const pid = Number(/:(\d+) \[/.exec(event.info)?.[1] ?? pairs(event.info).get('pid'));
      if (running.has(pid)) wokenAwake.set(pid, at);
      else if (!waiting.has(pid)) waiting.set(pid, { at, kind: 'wakeups' });
    }
    if (event.name !== 'sched_switch') continue;
    const { prev, next, cpu, state } = switchOf(event);
    ran(prev, since.get(cpu)?.at as number, at, cpu);
    since.set(cpu, { at, pid: next });
    running.delete(prev);
    waiting.delete(prev);
    if (/^R\+?$/.test(state) && prev !== 0) waiting.set(prev, { at, kind: 'preempted' });
    else if (wokenAwake.get(prev) === at) waiting.set(prev, { at, kind: 'wakeups' });
    running.add(next);
    const wait = waiting.get(next);
    if (wait !== undefined && wait.at < at) of(next)[wait.kind].push(`${wait.at}-${at}`);
    waiting.delete(next);
  }
  for (const [cpu, { at, pid }] of since) if (pid !== null) ran(pid, at, last.get(cpu) as number, cpu);
  for (const [pid, { at, kind }] of waiting) if (at < end) of(pid)[kind].push(`${at}-${end}`);
  return told;
}

describe.each(recordings)('$name', ({ name, waits: comparable }) => {
  const path = corpusFile(name) ?? '';
  const text = path === '' ? '' : (corpusText(`${name}.report.txt.gz`) ?? '');

  test.skipIf(path === '' || text === '')('slices and waits of every task are those of the text', async () => {
    const { trace, lanes } = await open(path);
    const stream = trace.streams[0];
    const told = tell(text);
    const pids = [...told.keys()].filter((pid) => pid > 0);
    expect(pids.length).toBeGreaterThan(10);
    const schedules = lanes.schedulesOf(stream, pids) as Map<number, TaskSchedule>;
    const origin = Number(trace.originNs);
    const inUs = (ns: number): number => Math.floor((origin + ns + 500) / 1000);
    for (const pid of pids) {
      const { running, waiting } = schedules.get(pid) as TaskSchedule;
      const expected = told.get(pid) as Told;
      const slices = Array.from(
        running.from,
        (from, i) => [inUs(from), inUs(running.to[i]), running.cpu[i]] as const,
      ).filter(([from, to]) => from < to);
      expect([pid, slices.map(([from, to, cpu]) => `${from}-${to} ${cpu}`)]).toEqual([pid, expected.slices]);
      expect([pid, slices.reduce((sum, [from, to]) => sum + to - from, 0)]).toEqual([pid, expected.ranUs]);
      if (!comparable) continue;
      const waits = (preempted: boolean): string[] =>
        Array.from(waiting.from, (from, i) => [inUs(from), inUs(waiting.to[i]), waiting.kind[i]] as const)
          .filter(([from, to, kind]) => from < to && (kind === PREEMPTED) === preempted)
          .map(([from, to]) => `${from}-${to}`);
      expect([pid, waits(false)]).toEqual([pid, expected.wakeups]);
      expect([pid, waits(true)]).toEqual([pid, expected.preempted]);
    }
  });
});

describe('the kernel’s own count, sched_stat_runtime', () => {
  const name = 'vm612-extract.dat';
  const path = corpusFile(name) ?? '';
  const text = path === '' ? '' : (corpusText(`${name}.report.txt.gz`) ?? '');

  test.skipIf(path === '' || text === '')(
    'agrees with the lanes of the tasks that came and went, and ran for long at a time',
    async () => {
      const { trace, lanes } = await open(path);
      const stream = trace.streams[0];
      const counted = new Map<number, number>();
      for (const event of reportEvents(text)) {
        if (event.name !== 'sched_stat_runtime') continue;
        const pid = Number(pairs(event.info).get('pid'));
        counted.set(pid, (counted.get(pid) ?? 0) + Number(pairs(event.info).get('runtime')));
      }
      const schedules = lanes.schedulesOf(stream, [...counted.keys()]) as Map<number, TaskSchedule>;
      let compared = 0;
      for (const [pid, runtimeNs] of counted) {
        const { from, to } = (schedules.get(pid) as TaskSchedule).running;
        // At the edges the kernel counts what is not in the recording, and the recording what is not yet counted.
        const edge = from.some((start) => start <= 0) || to.some((end) => end >= trace.durationNs - 4e6);
        if (edge) continue;
        const ranNs = from.reduce((sum, start, i) => sum + to[i] - start, 0);
        // The two are taken tens of µs apart at every switch of this traced machine: of a slice of 1 ms, a few percent.
        if (runtimeNs / from.length < 1e6) continue;
        const tolerance = 0.05 * runtimeNs;
        expect([pid, Math.abs(ranNs - runtimeNs) <= tolerance, ranNs, runtimeNs]).toEqual([
          pid,
          true,
          ranNs,
          runtimeNs,
        ]);
        compared++;
      }
      expect(compared).toBeGreaterThan(3);
    },
  );
});
