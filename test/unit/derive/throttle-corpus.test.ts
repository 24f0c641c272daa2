import { describe, expect, it } from 'vitest';
import { buildCgroupMap, cgroupLabel, parseCgroupLines } from '../../../electron/derive/cgroups.ts';
import { findEpisodes } from '../../../electron/derive/throttle.ts';
import { indexSwitches } from '../../../electron/derive/throttle-switches.ts';
import { totalEpisodes } from '../../../electron/derive/throttle-totals.ts';
import { corpusText } from '../../corpus.ts';
import {
  globalStateColumns,
  pairs,
  type ReportLine,
  reportLines,
  switchColumns,
  throttleColumns,
} from './report-text.ts';

/** Real recordings, from the text that trace-cmd prints for them, against plain counts over the same text. */
const names = ['sample-throttle', 'vm61-throttle-v2', 'host-throttle-v1-slim'];
const eventNames = ['balance_dirty_pages', 'global_dirty_state', 'sched_switch', 'cgroup_mkdir', 'cgroup_rmdir'];

function load(name: string) {
  const report = corpusText(`${name}.dat.report.txt.gz`) as string;
  const lines = [...reportLines(report, eventNames)];
  const of = (event: string): ReportLine[] => lines.filter((line) => line.event === event);
  const writes = of('balance_dirty_pages');
  const events = throttleColumns(writes);
  const commOf = new Map(writes.map(({ pid, comm }) => [pid, comm]));
  const cgroupEvents = [...of('cgroup_mkdir'), ...of('cgroup_rmdir')].map(({ timeNs, event, text }) => {
    const pair = pairs(text);
    return {
      timeNs,
      kind: event === 'cgroup_mkdir' ? ('mkdir' as const) : ('rmdir' as const),
      root: Number(pair.get('root')),
      id: pair.get('id') ?? '',
      path: /path=(.*)$/.exec(text)?.[1] ?? '',
    };
  });
  const side = parseCgroupLines(corpusText(`${name}.dat.cgroups`) as string);
  const cgroups = buildCgroupMap({ events: cgroupEvents, lines: side.lines });
  const result = findEpisodes({
    stream: 0,
    events,
    switches: indexSwitches(switchColumns(of('sched_switch')), commOf.keys()),
    globalState: globalStateColumns(of('global_dirty_state')),
    cgroupAt: (value, timeNs) => cgroups.at(value, timeNs),
    commOf: (pid) => commOf.get(pid) ?? '',
  });
  return { writes, cgroups, cgroupEvents, side, ...result };
}

describe.each(names)('%s', (name) => {
  const present = corpusText(`${name}.dat.report.txt.gz`) !== null;
  const recording = present ? load(name) : null;

  it.skipIf(!present)('has per cgroup the pauses that a count over the text finds', () => {
    if (recording === null) return;
    const expected = new Map<string, { pauses: number; pauseMs: number; tasks: Set<number> }>();
    for (const { text, pid, timeNs } of recording.writes) {
      const pause = Number(/ pause=(-?\d+) /.exec(text)?.[1]);
      if (pause <= 0) continue;
      const ino = /cgroup_ino=(\d+)/.exec(text)?.[1] ?? '';
      const path = cgroupLabel(recording.cgroups.at(ino, timeNs));
      const sum = expected.get(path) ?? { pauses: 0, pauseMs: 0, tasks: new Set() };
      expected.set(path, sum);
      sum.pauses++;
      sum.pauseMs += pause;
      sum.tasks.add(pid);
    }
    expect(expected.size).toBeGreaterThan(0);
    const totals = totalEpisodes(recording.episodes, 'cgroup');
    expect(new Map(totals.map(({ key, pauses, pauseMs, tasks }) => [key, { pauses, pauseMs, tasks }]))).toEqual(
      new Map([...expected].map(([key, { tasks, ...sum }]) => [key, { ...sum, tasks: tasks.size }])),
    );
  });

  it.skipIf(!present)('has episodes that hold what they say', () => {
    if (recording === null) return;
    for (const episode of recording.episodes) {
      const inside = recording.writes.filter(
        ({ timeNs, pid, text }) =>
          pid === episode.task.pid &&
          timeNs >= episode.fromNs &&
          timeNs <= episode.toNs &&
          text.startsWith(`bdi ${episode.bdi}: `),
      );
      const pauses = inside.map(({ text }) => Number(pairs(text).get('pause'))).filter((pause) => pause > 0);
      // At its end another run of the task may begin in the same instant, and events after the last pause are not counted.
      expect(inside.length).toBeGreaterThanOrEqual(episode.events);
      expect(pauses.length).toBe(episode.pauses);
      expect(Math.max(...pauses)).toBe(episode.maxPauseMs);
      expect(episode.toNs - episode.fromNs).toBeGreaterThanOrEqual(episode.maxPauseMs * 1e6);
    }
  });

  it.skipIf(!present)('shows the sleep that was asked for, and more while waiting for a CPU', () => {
    if (recording === null) return;
    const slept = recording.episodes.reduce((sum, { sleptMs }) => sum + (sleptMs ?? 0), 0);
    const asked = recording.episodes.reduce((sum, { pauseMs }) => sum + pauseMs, 0);
    expect(slept / asked).toBeGreaterThan(1);
    expect(slept / asked).toBeLessThan(2);
    expect(recording.findings).toEqual([]);
  });

  it.skipIf(!present)('names the limit', () => {
    if (recording === null) return;
    // vm61 has a memory limit per cgroup; the host is cgroup v1 with a strict limit on the device.
    const domains = new Set(recording.episodes.map(({ domain }) => domain));
    expect([...domains]).toEqual([name === 'host-throttle-v1-slim' ? 'strictlimit' : 'memcg']);
    for (const { cause } of recording.episodes) {
      expect(cause).toMatch(/^\S+ writing to \S+ was paused .+\.$/);
      expect(cause).not.toMatch(/NaN|undefined|∞/);
    }
  });
});

describe('lines of other kernels', () => {
  const text = corpusText('text/bdp-public-lines.txt');
  it.skipIf(text === null)('are understood by their fields', () => {
    // The bdi stands behind the event's name with one space there; report has two.
    const lines = [...reportLines(text as string, ['balance_dirty_pages'])];
    const of = (comm: string) => {
      const events = throttleColumns(lines.filter((line) => line.comm === comm));
      const cgroupAt = (value: string) => buildCgroupMap({}).at(value, 0);
      return findEpisodes({ stream: 0, events, cgroupAt, commOf: () => comm });
    };
    const [wrapped, fuse] = [of('dd').findings, of('dd').episodes];
    expect(wrapped.map(({ kind }) => kind)).toContain('impossible-pause');
    expect(fuse.map(({ domain }) => domain)).toContain('strictlimit');
    expect(of('ld').episodes).toMatchObject([
      { domain: 'underflow', pauseMs: 136, cgroup: { ino: '', path: 'user/1000.user/c2.session' } },
    ]);
    expect(of('ld').findings.map(({ kind }) => kind)).toEqual(['dirty-underflow']);
  });
});
