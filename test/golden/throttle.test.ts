import { afterAll, describe, expect, test } from 'vitest';
import { remora, remoraJson, temporaryCache } from '../cli.ts';
import { corpusFile, corpusText } from '../corpus.ts';
import { bdiOf, pairs, pausesByCgroup, type ReportEvent, reportEvents } from '../oracle/report-text.ts';

/** The throttle recordings against counts made from trace-cmd's text of the same files. */
const recordings = ['sample-throttle.dat', 'host-throttle-v1-slim.dat', 'vm61-throttle-v2.dat'];

interface EpisodesJson {
  episodes: {
    cgroup: { ino: string; path: string };
    bdi: string;
    task: { pid: number; comm: string };
    /** Relative to the stream's origin. */
    startNs: number;
    endNs: number;
    pauses: number;
    pauseMs: number;
    maxPauseMs: number;
  }[];
  totals: { key: string; episodes: number; tasks: number; pauses: number; pauseMs: number }[];
}
interface SeriesJson {
  series: { expr: string; group: string; samples: [number, number][] }[];
}
interface InfoJson {
  streams: {
    name: string;
    events: number;
    originNs: string;
    eventTypes: { system: string; name: string; count: number }[];
  }[];
  cgroups: { ino: string; path: string }[];
}

const cache = temporaryCache();
afterAll(cache.remove);

/** As trace-cmd prints a time: microseconds, rounded half up. */
function printed(absNs: bigint): string {
  const us = (absNs + 500n) / 1000n;
  return `${us / 1_000_000n}.${(us % 1_000_000n).toString().padStart(6, '0')}`;
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

describe.each(recordings)('%s', (name) => {
  const path = corpusFile(name) ?? '';
  const text = path === '' ? '' : (corpusText(`${name}.report.txt.gz`) ?? '');
  const throttling = (): ReportEvent[] => reportEvents(text).filter((event) => event.name === 'balance_dirty_pages');
  const inCorpus = test.skipIf(path === '' || text === '');

  inCorpus('info counts every event type as the text does', () => {
    const { streams } = remoraJson<InfoJson>(['info', path], cache.env);
    const counted = groupBy(reportEvents(text), (event) => event.name);
    const found = new Map<string, number>();
    for (const { eventTypes } of streams) {
      for (const type of eventTypes) if (type.count > 0) found.set(type.name, (found.get(type.name) ?? 0) + type.count);
    }
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries([...counted].map(([key, all]) => [key, all.length])));
  });

  inCorpus('episodes hold every pause of every cgroup, once', () => {
    const { episodes, totals } = remoraJson<EpisodesJson>(['episodes', path, '--by', 'cgroup'], cache.env);
    const expected = pausesByCgroup(text);
    expect(expected.size).toBeGreaterThan(0);
    const found = new Map(
      [...groupBy(episodes, ({ cgroup }) => cgroup.ino)].map(([ino, all]) => [
        ino,
        {
          pauses: all.reduce((sum, { pauses }) => sum + pauses, 0),
          pauseMs: all.reduce((sum, { pauseMs }) => sum + pauseMs, 0),
          tasks: new Set(all.map(({ task }) => task.pid)).size,
          maxPauseMs: Math.max(...all.map(({ maxPauseMs }) => maxPauseMs)),
        },
      ]),
    );
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
    // The totals say the same, under the cgroups' names.
    const strip = (all: { pauses: number; pauseMs: number; tasks: number }[]): string[] =>
      all.map(({ pauses, pauseMs, tasks }) => `${pauses} ${pauseMs} ${tasks}`).sort();
    expect(strip(totals)).toEqual(strip([...expected.values()]));
  });

  inCorpus('episodes of one task, device and cgroup do not overlap, and hold their pauses in time', () => {
    const { episodes } = remoraJson<EpisodesJson>(['episodes', path], cache.env);
    const origin = BigInt(remoraJson<InfoJson>(['info', path], cache.env).streams[0].originNs);
    const events = throttling().map(({ pid, info, time }) => ({ pid, bdi: bdiOf(info), fields: pairs(info), time }));
    const key = (pid: number, bdi: string, ino: string): string => `${pid} ${bdi} ${ino}`;
    const pauses = groupBy(
      events.filter(({ fields }) => Number(fields.get('pause')) > 0),
      ({ pid, bdi, fields }) => key(pid, bdi, fields.get('cgroup_ino') ?? ''),
    );
    const found = groupBy(episodes, ({ task, bdi, cgroup }) => key(task.pid, bdi, cgroup.ino));
    expect([...found.keys()].sort()).toEqual([...pauses.keys()].sort());
    for (const [who, list] of found) {
      const ordered = list.toSorted((a, b) => a.startNs - b.startNs);
      for (let i = 1; i < ordered.length; i++) {
        expect(ordered[i].startNs).toBeGreaterThanOrEqual(ordered[i - 1].endNs);
      }
      const starts = new Set(pauses.get(who)?.map(({ time }) => time));
      for (const { startNs } of ordered) expect(starts).toContain(printed(origin + BigInt(startNs)));
    }
  });

  inCorpus('series of every numeric field are the values of the text', () => {
    const { streams } = remoraJson<InfoJson>(['info', path], cache.env);
    const origin = BigInt(streams[0].originNs);
    const events = throttling();
    const fields = [...pairs(events[0].info).keys()];
    expect(fields.length).toBeGreaterThan(12);
    for (const field of fields) {
      const plot = `writeback:balance_dirty_pages.${field}`;
      const { series } = remoraJson<SeriesJson>(['series', path, '--plot', plot], cache.env);
      expect(series).toHaveLength(1);
      const found = series[0].samples.map(([tNs, value]) => `${printed(origin + BigInt(tNs))} ${value}`);
      const expected = events.map(({ time, info }) => `${time} ${pairs(info).get(field)}`);
      // Events of two CPUs at one instant may come in either order.
      expect(found.toSorted()).toEqual(expected.toSorted());
    }
  });

  inCorpus('a series by cgroup has one line per cgroup, with that cgroup’s values', () => {
    const plot = 'writeback:balance_dirty_pages.dirty by cgroup';
    const { series } = remoraJson<SeriesJson>(['series', path, '--plot', plot], cache.env);
    const expected = groupBy(throttling(), ({ info }) => pairs(info).get('cgroup_ino') ?? '');
    const sums = (values: number[]): string => `${values.length} ${values.reduce((sum, value) => sum + value, 0)}`;
    expect(series.map(({ samples }) => sums(samples.map(([, value]) => value))).sort()).toEqual(
      [...expected.values()].map((all) => sums(all.map(({ info }) => Number(pairs(info).get('dirty'))))).sort(),
    );
    const { cgroups } = remoraJson<InfoJson>(['info', path], cache.env);
    // Inode 1 is the root, or no cgroup at all.
    const names = [...expected.keys()].map(
      (ino) => cgroups.find((cgroup) => cgroup.ino === ino)?.path || (ino === '1' ? '/' : ino),
    );
    for (const name of names) expect(series.some(({ group }) => group.includes(name))).toBe(true);
  });

  inCorpus('report prints what trace-cmd prints, byte for byte', () => {
    const { stdout } = remora(['report', path], cache.env);
    const found = stdout.split('\n');
    const expected = Buffer.from(text, 'latin1').toString('utf8').split('\n');
    // The first difference says more than a diff of a million lines.
    const at = expected.findIndex((line, i) => line !== found[i]);
    expect(at < 0 ? '' : `line ${at + 1}: ${found[at]}`).toBe(at < 0 ? '' : `line ${at + 1}: ${expected[at]}`);
    expect(found.length).toBe(expected.length);
  });
});
